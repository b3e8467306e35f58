"""The scheduler: a thread that runs the jobs that pages describe, at their times.

A page with an object of ``Wiki.SchedulerJobClass`` is a job (see :mod:`wiki.tasks.jobs`). One
process of those that share a data directory runs them: the one that holds ``scheduler.lock``,
which passes on when it ends. News (a READY task, a run's end) makes every process invoke the
manager at once, while there is a job that does so.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import schedule
from filelock import FileLock, Timeout

from wiki.api import Wiki
from wiki.errors import TaskError, WikiError
from wiki.references import Reference
from wiki.tasks.invoker import Invoker
from wiki.tasks.jobrecords import Record
from wiki.tasks.jobs import Job, Jobs, Missed, What
from wiki.tasks.jobwork import do_work
from wiki.tasks.manager import Manager
from wiki.tasks.names import Outcome
from wiki.tasks.wake import Waker
from wiki.tasks.when import When

#: How often the thread looks for due jobs and for news from other processes, in seconds.
LOOK_EVERY = 0.2
#: How often jobs are read though nothing tells of a change (a disk that was full does not), in
#: seconds.
READ_EVERY = 10.0
#: A clock that was set back by more than this makes all times be reckoned anew, in seconds.
JUMP = 2.0
#: A run that is late by less than this, after a restart say, was not missed.
LATE = timedelta(seconds=60)
STOP_WITHIN = 60.0


class PlannedJob(schedule.Job):
    """A job of ``schedule`` whose next run is what a :class:`When` says.

    Its times are aware of their zone: ``schedule``'s own are the local clock's, which shows some
    hours twice and others never.
    """

    def __init__(self, scheduler: schedule.Scheduler, plan: When,
                 now: Callable[[], datetime]) -> None:
        super().__init__(1, scheduler)
        self._plan = plan
        self._now = now

    @property
    def should_run(self) -> bool:
        """Whether its time has come; never where the plan is at its end."""
        return self.next_run is not None and self.next_run <= self._now()

    def plan_from(self, anchor: datetime | None) -> None:
        """Reckon the next run anew, in step with one that was reckoned before."""
        self.next_run = self._plan.after(self._now(), anchor)

    def _schedule_next_run(self) -> None:
        self.plan_from(self.next_run)


class Scheduler:
    """Runs jobs in a thread of its own, from :meth:`start` to :meth:`stop`."""

    def __init__(self, wiki: Wiki, manager: Manager, data: Path,
                 clock: Callable[[], float] = time.time, deleted_days: int = 0) -> None:
        """``deleted_days``: how long deleted pages are kept, 0 for good."""
        self._wiki = wiki
        self._deleted_days = deleted_days
        self._manager = manager
        self._clock = clock
        self._waker = Waker(data)
        #: The jobs, for people.
        self.jobs = Jobs(wiki, manager.waker, data)
        self._schedule = schedule.Scheduler()
        self._jobs: dict[str, Job] = {}
        self._read_again = 0.0
        self._planned: dict[Job, PlannedJob] = {}
        self._working: dict[Reference, threading.Thread] = {}
        self._invoker = Invoker(manager)
        self._leading = FileLock(data / "scheduler.lock", timeout=0, thread_local=False)
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
        self._invoker.start()
        self._thread = threading.Thread(target=self._loop, name="scheduler", daemon=True)
        self._thread.start()

    def halt(self) -> None:
        """Start no task from now on; may be called by a signal handler."""
        self._invoker.halt()

    def stop(self) -> None:
        """End the thread, after the invocation and the jobs that it may be in."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._manager.waker.listeners.remove(self._news.set)
            self._stopping.set()
            self._news.set()
            thread.join(STOP_WITHIN)
            for working in self._working.values():
                working.join(STOP_WITHIN)
            self._invoker.stop()
        self._leading.release()

    @property
    def next_run(self) -> datetime | None:
        """When the next job is due (UTC); None where there is none, or another process leads."""
        return min((job.next_run for job in self._planned.values()
                    if job.next_run is not None), default=None)

    # -- the thread ------------------------------------------------------------------------

    def _loop(self) -> None:
        while not self._stopping.is_set():
            news = self._news.is_set()
            self._news.clear()
            self._guarded(partial(self.turn, news))
            self._news.wait(LOOK_EVERY)

    def turn(self, news: bool = False) -> None:
        """One look: hear the news, then run what is due."""
        led, leads = self._leading.is_locked, self._lead()
        news = self._waker.news() or news
        changed = self._waker.job_news() or led != leads
        if leads and not led:
            self._guarded(self.jobs.records.interrupt)
        if changed or time.monotonic() >= self._read_again:
            self._guarded(partial(self._read_jobs, leads))
        if news and any(job.runs and job.what == What.MANAGER for job in self._jobs.values()):
            self._invoker.ask()
        if leads and (news or not led):
            self._guarded(self._serve_requests)
        if self._clock_was_set_back():
            self._plan_anew()
        self._schedule.run_pending()

    def _read_jobs(self, leads: bool) -> None:
        jobs = self.jobs.all()
        self._jobs = {str(job.reference): job for job in jobs}
        if leads:
            for name, job in self._jobs.items():
                self._complain(name, job.problem and f"{name} {job.problem}")
            self._register([job for job in jobs if job.runs])
            self.jobs.records.keep_only(set(self._jobs))
        self._read_again = time.monotonic() + READ_EVERY

    def _lead(self) -> bool:
        """Whether this process is the one that runs the jobs."""
        if self._leading.is_locked:
            return True
        try:
            self._leading.acquire()
        except Timeout:
            return False
        return True

    # -- jobs ------------------------------------------------------------------------------

    def _register(self, jobs: list[Job]) -> None:
        """Have ``schedule`` run these jobs; those that did not change keep their times."""
        stay = {job.reference for job in jobs}
        for job in self._planned.keys() - set(jobs):
            self._schedule.cancel_job(self._planned.pop(job))
            if job.reference not in stay:  # a pause is no time in which runs are missed
                self._keep(job, next_run=None)
        for job in jobs:
            if job not in self._planned and job.plan is not None:
                self._plan(job, job.plan)

    def _plan(self, job: Job, plan: When) -> None:
        planned = PlannedJob(self._schedule, plan, self._now)
        planned.do(self._run, job)
        record = self.jobs.records.get(str(job.reference))
        planned.next_run = self._first_run(job, plan, record)
        self._planned[job] = planned
        self._keep(job, timing=job.timing, next_run=planned.next_run)

    def _plan_anew(self) -> None:
        for job, planned in self._planned.items():
            planned.plan_from(planned.next_run)
            self._keep(job, next_run=planned.next_run)

    def _first_run(self, job: Job, plan: When, record: Record) -> datetime | None:
        """Its next run in step with those before a restart, or now for one that was missed."""
        now = self._now()
        due = record.next_run if record.timing == job.timing else None
        if due is not None and due <= now and (job.missed == Missed.RUN_ONCE or now - due < LATE):
            return due
        return plan.after(now, due)

    def _run(self, job: Job) -> None:
        """Run a job whose time has come, or which somebody asked for. Never raises: a job that
        did would never run again, and starve the others."""
        self._guarded(partial(self._run_job, job))

    def _run_job(self, job: Job) -> None:
        planned, now = self._planned.get(job), self._now()
        if planned is not None and planned.next_run is not None and job.plan is not None:
            # Kept before the work: a crash within it must not make it run twice.
            self._keep(job, timing=job.timing, next_run=job.plan.after(now, planned.next_run))
        if job.reference in self._working and self._working[job.reference].is_alive():
            self._manager.log("WARN", f"job {job.reference}: its run before still goes on; this "
                                      "one is left out")
            return
        self._keep(job, last_run=now, outcome="RUNNING", message="")
        if job.what == What.MANAGER:
            self._invoker.ask(partial(self._record, job))
        elif self._thread is None:
            self._work(job)
        else:
            self._work_beside(job)

    def _work_beside(self, job: Job) -> None:
        """Do its work in a thread of its own, so that a slow job keeps no other waiting."""
        thread = threading.Thread(target=self._work, args=(job,), daemon=True,
                                  name=f"job {job.reference}")
        self._working[job.reference] = thread
        thread.start()

    def _work(self, job: Job) -> None:
        try:
            done = do_work(job, self._wiki, self._manager, self._deleted_days)
        except Exception as error:  # noqa: BLE001 - a thread's boundary; the job's state says it
            self._record(job, error, "")
        else:
            self._record(job, None, done)
            self._guarded(partial(self._manager.log, "INFO", f"job {job.reference}: {done}"))

    def _record(self, job: Job, error: Exception | None, done: str) -> None:
        """Keep how a run of the job went; a failure is logged, once until it is another one."""
        name = str(job.reference)
        outcome = Outcome.ERROR if error else Outcome.DONE
        message = f"{type(error).__name__}: {error}" if error else done
        self._keep(job, outcome=outcome.value, message=message)
        self._complain(f"{name} run", f"job {name} failed: {message}" if error else "")

    def _keep(self, job: Job, **changes: Any) -> None:
        """Keep what came of a job, if the disk takes it; the job runs even if not."""
        self._guarded(partial(self.jobs.records.change, str(job.reference), **changes))

    def _serve_requests(self) -> None:
        for request in self.jobs.records.take_requests():
            job = self._jobs.get(request.job)
            if job is None or job.problem:
                continue  # gone or broken since; its state says so
            self._guarded(partial(self._manager.log, "INFO",
                                  f"job {request.job}: {request.user} asked for a run"))
            self._run(job)

    # -- problems --------------------------------------------------------------------------

    def _guarded(self, action: Callable[[], None]) -> None:
        """Do it, and log what goes wrong: the thread goes on."""
        try:
            action()
        except Exception as error:  # noqa: BLE001 - the thread's boundary
            self._complain("scheduler", f"the scheduler met {type(error).__name__}: {error}")

    def _complain(self, name: str, message: str) -> None:
        """Log a problem, once until it is another one; an empty one says that all is well."""
        if self._complained.get(name, "") == message:
            return
        self._complained[name] = message
        try:
            if message:
                self._manager.log("WARN", message)
        except (OSError, WikiError):
            self._complained.pop(name)  # said when the log can be written again

    # -- the clock -------------------------------------------------------------------------

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    def _clock_offset(self) -> float:
        return self._clock() - time.monotonic()

    def _clock_was_set_back(self) -> bool:
        """A clock set back an hour would else silence what runs every ten seconds for one."""
        offset, before = self._clock_offset(), self._offset
        self._offset = offset
        return offset < before - JUMP
