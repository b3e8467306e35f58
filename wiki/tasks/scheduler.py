"""The scheduler: a thread that runs the jobs that pages describe, at their times.

A page with an object of ``Wiki.SchedulerJobClass`` is a job, while its status is not Paused and
its script author holds the script right. The one thing that a job does so far is to invoke the
task manager; news (a READY task, a run's end) makes such a job run at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

import schedule

from wiki.api import OpenDocument, Wiki
from wiki.errors import TaskError, WikiError
from wiki.rights import Right, allows
from wiki.tasks.manager import Manager
from wiki.tasks.names import JOB_CLASS
from wiki.tasks.wake import Waker
from wiki.tasks.when import add_job

#: How often the thread looks for due jobs and for news from other processes, in seconds.
LOOK_EVERY = 0.2
#: A clock that was set back by more than this makes all times be reckoned anew, in seconds.
JUMP = 2.0
STOP_WITHIN = 60.0
PAUSED = "Paused"
MANAGER = "manager"


class Scheduler:
    """Runs jobs in a thread of its own, from :meth:`start` to :meth:`stop`."""

    def __init__(self, wiki: Wiki, manager: Manager, data: Path,
                 clock: Callable[[], float] = time.time) -> None:
        self._wiki = wiki
        self._manager = manager
        self._clock = clock
        self._waker = Waker(data)
        self._schedule = schedule.Scheduler()
        self._jobs: dict[str, tuple[str, str]] = {}
        self._complained: dict[str, str] = {}
        self._news = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._offset = self._clock_offset()

    def start(self) -> None:
        """Start the thread; the first thing it does is to invoke the manager."""
        if self._thread is not None:
            raise TaskError("The scheduler has been started already")
        self._manager.waker.listeners.append(self._news.set)
        self._stopping.clear()
        self._news.set()
        self._thread = threading.Thread(target=self._loop, name="scheduler", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread, after the invocation that it may be in."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._manager.waker.listeners.remove(self._news.set)
        self._stopping.set()
        self._news.set()
        thread.join(STOP_WITHIN)

    def wake(self) -> None:
        """Look for something to start now, in every process."""
        self._manager.waker.wake()

    @property
    def next_run(self) -> datetime | None:
        """When the next job is due, in local time; None where there is none."""
        due: datetime | None = self._schedule.next_run
        return due

    # -- the thread ------------------------------------------------------------------------

    def _loop(self) -> None:
        while not self._stopping.is_set():
            news = self._news.is_set()
            self._news.clear()
            self._guarded(partial(self.turn, news))
            self._news.wait(LOOK_EVERY)

    def turn(self, news: bool = False) -> None:
        """One look: read the jobs anew where there is news, then run what is due."""
        news = self._waker.news() or news
        if news:
            self._read_jobs()
        if self._clock_was_set_back():
            self._register()
        if news and MANAGER in (what for _, what in self._jobs.values()):
            self._invoke()
        self._schedule.run_pending()

    def _invoke(self) -> None:
        """Start task after task while there is room."""
        while not self._stopping.is_set() and self._manager.invoke().started:
            continue

    def _guarded(self, action: Callable[[], None]) -> None:
        """A job that raised would never run again, and starve the others."""
        try:
            action()
        except Exception as error:  # noqa: BLE001 - the thread's boundary
            self._complain("scheduler", f"the scheduler met {type(error).__name__}: {error}")

    # -- jobs ------------------------------------------------------------------------------

    def _read_jobs(self) -> None:
        jobs: dict[str, tuple[str, str]] = {}
        for page in self._wiki.query(JOB_CLASS, order_by="name"):
            job = self._job(page)
            if job is not None:
                jobs[str(page.reference)] = job
        if jobs != self._jobs:
            self._jobs = jobs
            self._register()

    def _job(self, page: OpenDocument) -> tuple[str, str] | None:
        """When and what, if the page's job may run."""
        obj = page.object(JOB_CLASS)
        if obj is None or obj["status"] == PAUSED:
            return None
        name, when, what = str(page.reference), str(obj.get("when", "")), obj.get("what", MANAGER)
        if not allows(page.script_author, Right.SCRIPT):
            self._complain(name, f"{name} does not run: it was last changed by "
                                 f"{page.script_author}, who does not hold the script right")
            return None
        if what != MANAGER:
            self._complain(name, f"{name} does not run: {what!r} is nothing that a job can do")
            return None
        try:
            add_job(schedule.Scheduler(), when, self._invoke)
        except TaskError as error:
            self._complain(name, f"{name} does not run: {error}")
            return None
        self._complained.pop(name, None)
        return when, str(what)

    def _register(self) -> None:
        """Reckon the times of all jobs from now on."""
        self._schedule.clear()
        for when, _ in self._jobs.values():
            add_job(self._schedule, when, partial(self._guarded, self._invoke))

    def _complain(self, name: str, message: str) -> None:
        """Log a problem, once until it is another one."""
        if self._complained.get(name) == message:
            return
        self._complained[name] = message
        try:
            self._manager.log("WARN", message)
        except (OSError, WikiError):
            self._complained.pop(name)  # said when the log can be written again

    # -- the clock -------------------------------------------------------------------------

    def _clock_offset(self) -> float:
        return self._clock() - time.monotonic()

    def _clock_was_set_back(self) -> bool:
        """``schedule`` goes by the wall clock: set back an hour, it would be silent for one."""
        offset, before = self._clock_offset(), self._offset
        self._offset = offset
        return offset < before - JUMP
