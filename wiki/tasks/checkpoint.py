"""Which items of a task's work are done, across the runs that did not end well.

Each done item is a mark on a list of the wiki's, durable with the pages that the item saved. The
list also names what the work goes by, the parameters and the attached files: where these have
changed, what was done no longer counts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Set

from wiki.api import Wiki
from wiki.tasks.logger import TaskLogger
from wiki.tasks.names import OWN_CLASSES
from wiki.tasks.progressfile import ProgressFile
from wiki.tasks.rejected import DRY_FILENAME, FILENAME
from wiki.tasks.runs import Run

_DONE, _INPUT = "done:", "input:"


def list_name(checkpoint: str) -> str:
    """The list of marks behind a run's ``checkpoint``."""
    return f"run.{checkpoint}"


class Checkpoint:
    """The list of one task's work. Looked up from the first use on."""

    def __init__(self, wiki: Wiki, run: Run, logger: TaskLogger,
                 progress: ProgressFile, read: Set[str]) -> None:
        """``read``: the names of the attachments that the script has read so far."""
        self._wiki = wiki
        self._run = run
        self._read = read
        self._list = list_name(run.checkpoint or run.id)
        self._resumes = run.checkpoint not in ("", run.id)
        self._logger = logger
        self._progress = progress
        self._begun = False
        #: How many items earlier runs had done.
        self.resumed = 0

    def mark_of(self, key: str) -> str:
        """The mark of an item. A key counts within the step that the run is in: an item of two
        steps is done twice."""
        return _DONE + _digest("\0".join((*self._progress.steps, key)))

    def has(self, mark: str) -> bool:
        """Whether the item was done by a run that this one goes on from, or by this one."""
        self._begin()
        return self._wiki.marked(self._list, mark)

    def add(self, mark: str) -> None:
        """The item is done."""
        self._begin()
        self._wiki.mark(self._list, mark)

    def clear(self) -> None:
        """All is done: the next run does everything anew."""
        if self._begun or self._resumes:
            self._wiki.unmark(self._list)

    def _begin(self) -> None:
        if self._begun:
            return
        self._begun = True
        inputs = self._inputs()
        if self._resumes and self._still_holds(inputs):
            return
        for mark in inputs.values():
            self._wiki.mark(self._list, mark)

    def _still_holds(self, inputs: dict[str, str]) -> bool:
        """Whether the list was made from the same inputs; it is dropped where it was not."""
        earlier = []
        for mark in self._wiki.marks(self._list):
            if mark.startswith(_DONE):
                self.resumed += 1
            else:
                earlier.append(mark)
        changed = [mark for mark in earlier if mark not in inputs.values()]
        if changed:
            self._logger.info("begins anew: %s changed since the run that it would go on from",
                              " and ".join(mark.split(":", 2)[2] for mark in changed))
            self._wiki.unmark(self._list)
            self.resumed = 0
        elif self.resumed:
            self._logger.info("resumes: %s items done already", f"{self.resumed:,}")
        return bool(earlier) and not changed

    def _inputs(self) -> dict[str, str]:
        """What the work goes by -> its mark."""
        page = self._wiki.get(self._run.task)
        values = [dict(obj.values) for obj in page.objects()
                  if obj.class_name not in OWN_CLASSES]
        digests = {"the executor": _digest(self._run.executor),
                   "the parameters": _digest(json.dumps(values, default=str, sort_keys=True))}
        digests |= {item.filename: item.sha256 for item in page.attachments
                    if item.filename not in (FILENAME, DRY_FILENAME)
                    or item.filename in self._read}
        return {name: f"{_INPUT}{digest}:{name}" for name, digest in digests.items()}


def _digest(text: str) -> str:
    """Any text as a key of a mark."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
