"""How far a run is, as its script says: written to a file for all to read."""

from __future__ import annotations

import threading
import time
from dataclasses import asdict
from pathlib import Path

from wiki.tasks.masks import Masks
from wiki.tasks.runs import Progress, write_json

#: Progress is written at most so often, in seconds, and once more at the end.
PROGRESS_EVERY = 0.2


class ProgressFile:
    """Writes progress, steps and the outcomes of items, at most a few times a second."""

    def __init__(self, path: Path, started: float, masks: Masks) -> None:
        self._path = path
        self._started = started
        self._masks = masks
        self._lock = threading.Lock()
        self._next = 0.0
        self._news = False
        self._done = 0.0
        self._total: float | None = None
        self._message = ""
        self._counts = {"ok": 0, "skipped": 0, "failed": 0}
        self.steps: tuple[str, ...] = ()

    def set(self, done: float, total: float | None, message: str) -> None:
        """How much is done, of how much where somebody knows, and with what."""
        self._done, self._total, self._message = done, total, message
        self._tell(now=done == total)

    def enter(self, step: str) -> None:
        """A step begins, within those that it is in."""
        self.steps = (*self.steps, step)
        self._tell(now=True)

    def leave(self) -> None:
        """The innermost step ends."""
        self.steps = self.steps[:-1]
        self._tell(now=False)

    def count(self, outcome: str, by: int = 1) -> None:
        """One more item, or ``by`` more, that is ``ok``, ``skipped`` or ``failed``."""
        with self._lock:
            self._counts[outcome] += by
        self._tell(now=False)

    @property
    def ok(self) -> int:
        return self._counts["ok"]

    @property
    def skipped(self) -> int:
        return self._counts["skipped"]

    @property
    def failed(self) -> int:
        return self._counts["failed"]

    @property
    def last(self) -> Progress:
        """What was said so far."""
        return Progress(self._done, self._total, self._masks.hide(self._message), self._started,
                        time.time(), tuple(map(self._masks.hide, self.steps)), **self._counts)

    def flush(self) -> None:
        """Write what was said last."""
        if self._news:
            self._news = False
            write_json(self._path, asdict(self.last))
            self._next = time.monotonic() + PROGRESS_EVERY

    def _tell(self, now: bool) -> None:
        self._news = True
        if now or time.monotonic() >= self._next:
            self.flush()
