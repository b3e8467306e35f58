"""Asking a run to end, as its script sees it."""

from __future__ import annotations

import time
from pathlib import Path

#: Whether somebody cancelled is looked up at most so often, in seconds.
CANCEL_EVERY = 0.1


class TaskCancelled(BaseException):
    """Somebody asked for the end of this run.

    Not an ``Exception``, so that a script's ``except Exception`` lets it through.
    """


class Cancellation:
    """Whether somebody asked for the run's end: a file, looked up a few times a second."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._next = 0.0
        self._raised = False
        self.asked = False

    def check(self) -> bool:
        """Whether somebody asked."""
        now = time.monotonic()
        if not self.asked and now >= self._next:
            self._next = now + CANCEL_EVERY
            self.look()
        return self.asked

    def look(self) -> bool:
        """Whether somebody asked, looked up right now."""
        self.asked = self.asked or self._path.exists()
        return self.asked

    def raise_once(self) -> None:
        """Raise TaskCancelled, but only once: what cleans up after it may log."""
        if not self._raised and self.check():
            self._raised = True
            raise TaskCancelled
