"""What no log shows: the values of the secrets that a run has fetched."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

from wiki.errors import WikiError
from wiki.secrets import Secrets
from wiki.tasks.logline import parse_line
from wiki.tasks.runs import read_json, write_json

#: What stands in place of a value.
MASK = "***"
#: A shorter value is not masked: it would be found everywhere.
SHORTEST = 4


class Masks:
    """Values that are shown as ``***``, as they are and as they come in URLs, JSON and reprs."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def add(self, value: str) -> None:
        """Show it no more; a long text's lines neither, since a log takes it apart."""
        self._known.update(_forms(value))
        if self._known:
            longest_first = sorted(self._known, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    @property
    def empty(self) -> bool:
        """Whether there is nothing to hide."""
        return self._pattern is None

    def hide(self, text: str) -> str:
        """The text without the values."""
        return text if self._pattern is None else self._pattern.sub(MASK, text)

    def hide_lines(self, lines: bytes) -> bytes:
        """Lines of a log without the values; their headers stay as they are."""
        if self._pattern is None:
            return lines
        return b"\n".join(map(self._hide_line, lines.split(b"\n")))

    def _hide_line(self, data: bytes) -> bytes:
        body = parse_line(data).body
        head = data[:len(data) - len(body)]
        return head + self.hide(body.decode(errors="surrogateescape")).encode(
            errors="surrogateescape")


def _forms(value: str) -> Iterator[str]:
    for text in (value, *value.splitlines()):
        for form in (text, quote(text, safe=""), quote_plus(text), json.dumps(text)[1:-1],
                     repr(text)[1:-1]):
            if len(form.strip()) >= SHORTEST:
                yield form


class FetchedSecrets:
    """The names of the secrets that a run has fetched, in a file: so that its keeper, which logs
    what the run's other processes print, masks them too."""

    def __init__(self, folder: Path, secrets: Secrets) -> None:
        self._path = folder / "secrets.json"
        self._secrets = secrets
        self._names: list[str] = []
        self._seen = 0

    def add(self, name: str) -> None:
        """Say so, before anybody gets the value."""
        if name not in self._names:
            self._names.append(name)
            write_json(self._path, {"names": self._names})

    def news(self) -> list[str]:
        """The values of those that were fetched since this was last asked."""
        try:
            stamp = self._path.stat().st_mtime_ns
        except FileNotFoundError:
            return []
        if stamp == self._seen:
            return []
        self._seen = stamp
        names = (read_json(self._path) or {}).get("names", [])
        fresh = [name for name in names if name not in self._names]
        self._names += fresh
        return [value for name in fresh if (value := self._value(name)) is not None]

    def _value(self, name: str) -> str | None:
        try:
            return self._secrets.get(name).value
        except WikiError:  # removed since the run fetched it: nobody knows the value any more
            return None
