"""Waking the manager, across processes: a file whose time tells of news."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from wiki.api import Wiki
from wiki.model import Document
from wiki.references import Reference
from wiki.tasks.names import JOB_CLASS, TASK_CLASS, Status


class Waker:
    """Tells all schedulers of a data directory that there may be something to start."""

    def __init__(self, data: Path) -> None:
        self._path = data / "wake"
        self._seen = self._stamp()
        #: Called by :meth:`wake` in this process, beside the file.
        self.listeners: list[Callable[[], None]] = []

    def watch(self, wiki: Wiki) -> None:
        """Wake whenever a READY task or a job is saved through this wiki, or a page deleted."""
        wiki.saved.connect(self._saved)
        wiki.deleted.connect(self._deleted)

    def wake(self) -> None:
        """Tell of news."""
        with suppress(OSError):  # a full disk: the next tick of the scheduler sees it too
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
            os.close(descriptor)
            now = time.time_ns()  # the file system's own clock ticks too coarsely
            os.utime(self._path, ns=(now, now))
        for listener in self.listeners:
            listener()

    def news(self) -> bool:
        """Whether any process woke since this was last asked."""
        stamp = self._stamp()
        changed = stamp != self._seen
        self._seen = stamp
        return changed

    def _stamp(self) -> int:
        try:
            return self._path.stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def _saved(self, sender: Wiki, document: Document, previous: Document | None,
               **_: Any) -> None:
        task = document.object(TASK_CLASS)
        ready = task is not None and task.values.get("status") == Status.READY
        if ready or any(page is not None and page.object(JOB_CLASS)
                        for page in (document, previous)):
            self.wake()

    def _deleted(self, sender: Wiki, reference: Reference, **_: Any) -> None:
        self.wake()
