"""Waking the manager, across processes: a file whose time tells of news."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wiki.api import Wiki
from wiki.model import Document
from wiki.references import Reference
from wiki.tasks.names import EXECUTOR_CLASS, JOB_CLASS, TASK_CLASS, Status
from wiki.tasks.stamp import Stamp


class _Told(threading.local):
    """What this thread has told of since its last batch."""

    tasks = False
    jobs = False


class Waker:
    """Tells all schedulers of a data directory that there may be something to start."""

    def __init__(self, data: Path) -> None:
        self._news = Stamp(data / "wake")
        self._job_news = Stamp(data / "wake-jobs")
        #: Called by :meth:`wake` in this process, beside the file.
        self.listeners: list[Callable[[], None]] = []
        self._told = _Told()

    def watch(self, wiki: Wiki) -> None:
        """Wake whenever this wiki saves what may let a task start (a task that is READY or
        DONE, an executor) or a job, or deletes a page; and once more at the end of a batch,
        since nobody sees what it saves before."""
        for signal, hear in ((wiki.saved, self._saved), (wiki.deleted, self._deleted),
                             (wiki.kept, self._kept)):
            signal.connect(hear, weak=False)  # for as long as the wiki lives

    def wake(self) -> None:
        """Tell of news."""
        self._news.touch()
        for listener in self.listeners:
            listener()

    def news(self) -> bool:
        """Whether any process woke since this was last asked."""
        return self._news.changed()

    def job_news(self) -> bool:
        """Whether a scheduled job was saved, or any page deleted, since this was last asked."""
        return self._job_news.changed()

    def _saved(self, sender: Wiki, document: Document, previous: Document | None,
               **_: Any) -> None:
        task = document.object(TASK_CLASS)
        status = task.values.get("status") if task is not None else None
        job = any(page is not None and page.object(JOB_CLASS) for page in (document, previous))
        if job:
            self._tell_jobs()
        if status in (Status.READY, Status.DONE) or document.object(EXECUTOR_CLASS) or job:
            self._tell_tasks()

    def _deleted(self, sender: Wiki, reference: Reference, **_: Any) -> None:
        self._tell_jobs()
        self._tell_tasks()

    def _kept(self, sender: Wiki, **_: Any) -> None:
        if self._told.jobs:
            self._job_news.touch()
        if self._told.tasks:
            self.wake()
        self._told.jobs = self._told.tasks = False

    def _tell_jobs(self) -> None:
        self._told.jobs = True
        self._job_news.touch()

    def _tell_tasks(self) -> None:
        self._told.tasks = True
        self.wake()
