"""The items that a run could not do, as a table on its task's page."""

from __future__ import annotations

import csv
import json
import threading
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import Any, BinaryIO

from wiki.api import OpenDocument, Wiki
from wiki.tasks.masks import Masks
from wiki.tasks.runs import Run

#: The attachment, and that of a dry run, which leaves the table of the last real one alone.
FILENAME, DRY_FILENAME = "rejected.csv", "rejected-dry-run.csv"
#: Its first columns; those of the item follow.
COLUMNS = ("key", "reason")
#: How often the page is read anew where somebody saves it at the same moment.
ATTEMPTS = 10


class Rejected:
    """Collects items in a file beside the run, so that their number does not matter."""

    def __init__(self, folder: Path, masks: Masks, read: Set[str], run: Run) -> None:
        """``read``: the names of the attachments that the script has read so far."""
        self._lines = folder / "rejected.jsonl"
        self._table = folder / FILENAME
        self._masks = masks
        self._read = read
        self._name = DRY_FILENAME if run.dry_run else FILENAME
        self._number = run.number
        self._columns: dict[str, None] = {}
        self._lock = threading.Lock()

    def add(self, key: str, reason: str, row: Mapping[Any, Any] | None) -> None:
        """Note an item, why it was not done, and the columns that it has of its own."""
        earlier = COLUMNS if FILENAME in self._read else ()  # those of the table that it is from
        values = {self._text(name): self._text(value) for name, value in (row or {}).items()
                  if name not in earlier}
        line = json.dumps([self._text(key), self._text(reason), values])
        with self._lock, self._lines.open("a", encoding="utf-8") as stream:
            self._columns.update(dict.fromkeys(values))
            stream.write(line + "\n")

    def _text(self, value: object) -> str:
        return "" if value is None else self._masks.hide(str(value))

    def attach(self, wiki: Wiki, task: str, failed: int, done: bool) -> str:
        """Put the table on the task's page, and return its name there; raises WikiError.

        It replaces an earlier run's, unless this run was to do what that lists and did not end
        well (``done``): it would lose what it has not come to.
        """
        name = self._name
        if name in self._read and not done:
            name = f"rejected-{self._number}.csv"
        self._write()
        with self._table.open("rb") as stream:
            self._save(wiki, task, f"{failed} items failed", name, stream)
        return name

    def detach(self, wiki: Wiki, task: str) -> None:
        """Take an earlier run's table off the task's page; raises WikiError."""
        if any(item.filename == self._name for item in wiki.get(task).attachments):
            self._save(wiki, task, "No item failed", self._name, None)

    def _save(self, wiki: Wiki, task: str, comment: str, name: str,
              table: BinaryIO | None) -> None:
        def change(page: OpenDocument) -> None:
            if table is None:
                page.remove_attachment(name)
            else:
                table.seek(0)
                page.attach(name, table)

        wiki.revise(task, change, comment=comment, minor=True, attempts=ATTEMPTS)

    def _write(self) -> None:
        own = list(self._columns)
        with self._table.open("w", encoding="utf-8", errors="backslashreplace",
                              newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow([*COLUMNS, *own])
            for key, reason, values in self._entries():
                writer.writerow([key, reason, *(values.get(name, "") for name in own)])

    def _entries(self) -> Iterator[tuple[str, str, dict[str, str]]]:
        with self._lines.open(encoding="utf-8") as stream:
            for line in stream:
                key, reason, values = json.loads(line)
                yield key, reason, values
