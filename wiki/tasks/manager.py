"""The task manager: decides what starts, and says why something does not.

Each invocation starts at most one task. One manager acts at a time, however many processes
share the data directory: an inter-process lock sees to that, and each claim is a save that
fails if anybody else saved the task since it was read.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from wiki.api import Name, OpenDocument, Wiki
from wiki.errors import Conflict, DamagedPage, DocumentNotFound, TaskError, WikiError
from wiki.references import Reference
from wiki.rights import Right
from wiki.store.base import Condition, Query
from wiki.tasks.claim import claim
from wiki.tasks.ends import (
    ATTEMPTS,
    Ends,
    open_run_id,
    task_object,
)
from wiki.tasks.executors import Executor
from wiki.tasks.intake import Intake
from wiki.tasks.log import MANAGER_LOG, Logs, log_name
from wiki.tasks.names import (
    CONFIGURATION,
    CONFIGURATION_CLASS,
    RUN_CLASS,
    TASK_CLASS,
    Outcome,
    Status,
)
from wiki.tasks.obstacles import Obstacles, Waits, group, has_room, rank, retry_at
from wiki.tasks.queue import Entry, Queue
from wiki.tasks.runner import Runner
from wiki.tasks.runs import Ending, Progress, Run
from wiki.tasks.wake import Waker
from wiki.translate import SOURCE, gettext, marked, using

#: How many tasks an invocation looks at; what it finds out is kept, and the next one goes on.
LOOKS = 1000
#: How long an invocation waits for another manager's, in seconds.
LOCK_WITHIN = 30.0
_PLACES = (marked("first in the queue"), marked("second in the queue"),
           marked("third in the queue"), marked("fourth in the queue"),
           marked("fifth in the queue"), marked("sixth in the queue"),
           marked("seventh in the queue"), marked("eighth in the queue"),
           marked("ninth in the queue"), marked("tenth in the queue"))

_python_log = logging.getLogger("wiki.tasks")


@dataclass(frozen=True, slots=True)
class Invocation:
    """What an invocation did.

    ``started`` is the task that it started, ``skipped`` says why READY tasks before that one
    cannot start until somebody mends something (the first hundred of them), ``recovered`` are
    the tasks whose end nobody had recorded.
    """

    started: str | None = None
    skipped: dict[str, str] = field(default_factory=dict)
    recovered: list[str] = field(default_factory=list)
    running: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why a READY task has not started: its place among the tasks that could start, the first
    being 1, or None where it is not one of them, and the reason in words."""

    position: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task in a list."""

    reference: Reference
    title: str
    executor: str
    status: str
    progress: Progress | None


@dataclass(frozen=True, slots=True)
class TaskPage:
    """Some tasks, and where the list goes on (None at its end)."""

    items: list[TaskRow]
    next_cursor: str | None


class Manager:
    """Starts READY tasks in the order of priority, name and full name, as many at once as the
    configuration page says."""

    def __init__(self, wiki: Wiki, logs: Logs, runner: Runner, data: Path) -> None:
        self.wiki = wiki
        self.logs = logs
        self.runner = runner
        self.waker = Waker(data)
        self.waker.watch(wiki)
        self._lock = FileLock(data / "manager.lock", timeout=LOCK_WITHIN)
        self._queue = Queue(data / "queue.sqlite")
        self._obstacles = Obstacles(wiki)
        self._intake = Intake(wiki, self._queue, self._obstacles,
                              lambda message: self.log("WARN", message))
        self._ends = Ends(wiki, logs, runner, self._queue, data, self.log)
        #: See :class:`wiki.tasks.ends.Ends`.
        self.ended = self._ends.ended
        runner.on_end = self.finished

    def close(self) -> None:
        """Let go of the queue's file."""
        self._queue.close()

    # -- one invocation --------------------------------------------------------------------

    def invoke(self, now: datetime | None = None) -> Invocation:
        """Recover what has died, then start the first READY task if there is room for it."""
        started = (now or datetime.now(UTC)).timestamp()
        try:
            with self._lock, using(SOURCE):  # what it finds out goes to the log
                return self._invoke(started)
        except Timeout:
            return Invocation(message="another manager is at work")

    def _invoke(self, now: float) -> Invocation:
        self._intake.catch_up(now)
        living, ended = self._ends.standing()
        tasks = {run.task for run in living.values() if run is not None}
        recovered = self._ends.recover(living, tasks, ended)
        if recovered:
            self._intake.catch_up(now)
        running, most = len(living), self.limit()
        if running >= most:
            return Invocation(recovered=recovered, running=running,
                              message=f"{running} of at most {most} tasks are running")
        started = self._start_first(living.keys(), tasks, now)
        skipped = self._queue.passed_over(started)
        if started is None:
            return Invocation(None, skipped, recovered, running, "no READY task can start")
        name = started.reference
        return Invocation(name, skipped, recovered, running + 1, f"started {name}")

    def _start_first(self, living: Iterable[str], tasks: set[str], now: float) -> Entry | None:
        groups = self._groups(tasks.union(self._queue.running()))
        for gate in self._queue.groups():
            self._queue.set_open(gate, has_room(gate, groups))
        for looks, entry in enumerate(self._queue.candidates(), 1):
            if looks > LOOKS:
                self.waker.wake()
                return None
            if entry.reference in tasks:
                continue  # set READY while its run goes on: it has to wait for that
            task = self._ready_task(entry, now)
            if task is None or open_run_id(task) in living:
                continue
            executor = self._intake.place(task, now, groups)
            if executor is not None and self._start(task, executor, entry, now):
                return entry
        return None

    def _ready_task(self, entry: Entry, now: float) -> OpenDocument | None:
        name = Reference.parse(entry.reference)
        try:
            task = self.wiki.get(name)
        except DocumentNotFound:  # the next invocation takes it out
            return None
        except DamagedPage as error:
            self._intake.hold_for_trouble(name, f"its page cannot be read: {error}", now)
            return None
        obj = task.object(TASK_CLASS)
        return task if obj is not None and obj["status"] == Status.READY else None

    def _groups(self, names: Iterable[str]) -> dict[str, list[str]]:
        """The tasks that run, by their groups."""
        groups: dict[str, list[str]] = {}
        for name in sorted(names):
            try:
                of = group(self.wiki.get(name))
            except (DocumentNotFound, DamagedPage):  # its run goes on, and no group says so
                continue
            groups.setdefault(of, []).append(name)
        return groups

    def _start(self, task: OpenDocument, executor: Executor, entry: Entry, now: float) -> bool:
        try:
            run = claim(task, executor, entry, now)
        except Conflict:
            return False  # somebody saved it just now, and woke the manager
        except WikiError as error:
            self._intake.hold_for_trouble(task, f"its page cannot be saved: {error}", now)
            return False
        self._log_start(run)
        try:
            self.runner.start(run)
        except (TaskError, OSError) as error:
            self._ends.settle(run, Ending(Outcome.ERROR, str(error), ended=time.time()),
                              task.reference)
            return False
        return True

    def _log_start(self, run: Run) -> None:
        again = (f", attempt {run.attempt}" if run.attempt > 1 else "") + (
            ", as a dry run" if run.dry_run else "")
        self.logs.append(log_name(run.task), "INFO",
                         f"Run {run.number} of {run.executor} (version {run.version}) by "
                         f"{run.starter} started{again}", run=run.number)
        self.log("INFO", f"{run.task}: run {run.number} of {run.executor} started")

    # -- the end of a run ------------------------------------------------------------------

    def finished(self, run_id: str) -> None:
        """A run has ended: record how, and wake the manager. Never raises."""
        try:
            self._ends.finish(run_id)
        except Exception as error:  # noqa: BLE001 - in the runner's thread, which must go on
            self.log("ERROR", f"The end of run {run_id} could not be recorded: {error}; the "
                              "next invocation tries again")
        self.waker.wake()

    # -- what people do --------------------------------------------------------------------

    def ready(self, ref: Name, user: str) -> None:
        """Let the task run (again) when its turn comes.

        Raises TaskError where it is RUNNING, AccessDenied, Conflict or DocumentNotFound.
        """
        self._change(ref, user, Status.READY)

    def suspend(self, ref: Name, user: str) -> None:
        """Have the manager leave the task alone; errors as in :meth:`ready`."""
        self._change(ref, user, Status.SUSPENDED)

    def set_status(self, refs: Iterable[Name], status: Status, user: str) -> dict[Name, str]:
        """Make several tasks READY or SUSPENDED; returns for each what was wrong, or ``""``.

        Raises TaskError for another status.
        """
        if status not in (Status.READY, Status.SUSPENDED):
            raise TaskError(gettext(
                "%(status)s cannot be set; a task can be made READY or SUSPENDED", status=status))
        errors: dict[Name, str] = {}
        for ref in refs:
            try:
                self._change(ref, user, status)
                errors[ref] = ""
            except WikiError as error:
                errors[ref] = str(error)
        return errors

    def cancel(self, ref: Name, user: str) -> None:
        """Ask for the end of the task's run, from any process; it ends SUSPENDED soon after.

        Raises TaskError where it is not RUNNING, AccessDenied or DocumentNotFound.
        """
        task = self._editable(ref, user)
        run = self._ends.open_run(task)
        status = task_object(task)["status"]
        if run is None or (status != Status.RUNNING and not self.runner.alive(run.id)):
            raise TaskError(gettext(
                "%(task)s is %(status)s; only a RUNNING task can be cancelled",
                task=task.reference, status=status))
        self.logs.append(log_name(run.task), "WARN",
                         f"{user} asked for the end of run {run.number}")
        self.runner.cancel(run.id)
        self.waker.wake()

    def _change(self, ref: Name, user: str, to: Status) -> None:
        for attempt in range(ATTEMPTS):
            task = self._editable(ref, user)
            obj = task_object(task)
            if obj["status"] == to and not retry_at(task):
                self.waker.wake()
                return
            if obj["status"] == Status.RUNNING:
                raise TaskError(gettext("%(task)s is %(status)s; cancel it first",
                                        task=task.reference, status=obj["status"]))
            obj["status"] = to.value
            if retry_at(task):  # whoever sets it READY by hand begins with the first attempt
                task.objects(RUN_CLASS)[-1]["retryAt"] = None
            try:
                task.save(comment=f"Set {to}", minor=True)
                return
            except Conflict:
                if attempt == ATTEMPTS - 1:
                    raise

    def _editable(self, ref: Name, user: str) -> OpenDocument:
        wiki = self.wiki.as_user(user)
        task = wiki.get(ref)
        wiki.require(Right.EDIT, task)
        task_object(task)
        return task

    # -- what there is ---------------------------------------------------------------------

    def progress(self, ref: Name) -> Progress | None:
        """How far the task's run is; None where it does not run or has not said."""
        run_id = open_run_id(self.wiki.get(ref))
        return self.runner.progress(run_id) if run_id else None

    def heartbeat(self, ref: Name) -> datetime | None:
        """When the task's run last gave a sign of life (UTC); None where it does not run."""
        run_id = open_run_id(self.wiki.get(ref))
        beat = self.runner.heartbeat(run_id) if run_id else None
        return None if beat is None else datetime.fromtimestamp(beat, UTC)

    def why(self, ref: Name, running: Sequence[str] | None = None) -> Waiting | None:
        """Why the task has not started yet; None where it is not READY. ``running``: what
        :meth:`running` gave, for those who ask for many.

        Raises DocumentNotFound or DamagedPage.
        """
        task = self.wiki.get(ref)
        obj = task.object(TASK_CLASS)
        if obj is None or obj["status"] != Status.READY:
            return None
        running = self.running() if running is None else running
        name = str(task.reference)
        run_id = open_run_id(task)
        if name in running or (run_id and self.runner.alive(run_id)):
            return Waiting(None, gettext("waits for the end of its run, which still goes on"))
        try:
            self._obstacles.check(task, time.time(), self._groups(running))
        except Waits as obstacle:
            return Waiting(None, self._in_words(task, obstacle))
        position = self._queue.position(Entry(name, rank(task), task.reference.name))
        return Waiting(position, _place_in_words(position, running, self.limit()))

    def _in_words(self, task: OpenDocument, obstacle: Waits) -> str:
        circle = self._obstacles.circle(task)
        if not circle:
            return str(obstacle)
        return gettext("%(obstacle)s, in a circle: %(circle)s", obstacle=obstacle,
                       circle=gettext(" waits for ").join(map(str, (task.reference, *circle))))

    def running(self) -> list[str]:
        """The tasks that have a living run, in order."""
        runs = (self.runner.load(run_id) for run_id in self.runner.ids()
                if self.runner.alive(run_id))
        return sorted(run.task for run in runs if run is not None)

    def upcoming(self, limit: int, offset: int = 0) -> list[str]:
        """READY tasks in the order in which they start, then those that wait for something;
        as of the last invocation."""
        return self._queue.upcoming(limit, offset)

    def counts(self) -> dict[str, int]:
        """How many tasks there are of each status."""
        found = self.wiki.tally(TASK_CLASS, "status")
        return {status.value: found.get(status.value, 0) for status in Status}

    def tasks(self, status: str | None = None, limit: int = 100, cursor: str | None = None,
              space: str | None = None) -> TaskPage:
        """Tasks, those that run first, then by name and full name; ``space`` is one that they
        are in, or below. Raises TaskError for a cursor that is none."""
        offset = int(cursor) if cursor and cursor.isdecimal() else 0
        if cursor and not cursor.isdecimal():
            raise TaskError(gettext(
                "%(cursor)s is not where a list of tasks goes on", cursor=repr(cursor)))
        found = list(self.references(status, space, limit + 1, offset))
        rows = [row for name in found[:limit] if (row := self._row(name))]
        return TaskPage(rows, str(offset + limit) if len(found) > limit else None)

    def references(self, status: str | None, space: str | None, limit: int,
                   offset: int) -> Iterator[Reference]:
        """The names of tasks in the order of :meth:`tasks`."""
        for query in self._queries(status, space):
            count = self.wiki.count(query) if limit > 0 else 0
            query = replace(query, limit=limit, offset=offset)
            for row in self.wiki.rows(query) if offset < count else ():
                limit -= 1
                yield row.reference
            offset = max(0, offset - count)

    def _queries(self, status: str | None, space: str | None) -> Iterator[Query]:
        """The lists that follow each other."""
        running = Status.RUNNING.value
        conditions = [Condition("status", "eq", status)] if status else [
            Condition("status", "eq", running), Condition("status", "ne", running)]
        for condition in conditions:
            yield Query(TASK_CLASS, (condition,), (), space, nested=True)

    def _row(self, name: Reference) -> TaskRow | None:
        try:
            task = self.wiki.get(name)
        except (DocumentNotFound, DamagedPage):  # `wikimill check` lists damage
            return None
        obj = task_object(task)
        running = obj["status"] == Status.RUNNING
        return TaskRow(task.reference, task.display_title, str(obj.get("taskExecutor", "")),
                       str(obj.get("status", "")),
                       self.progress(task.reference) if running else None)

    def limit(self) -> int:
        """How many tasks may run at once: at least 1, whatever the configuration says."""
        value = self._configured("maxConcurrentTasks")
        try:
            return max(1, int(float(value)))
        except (TypeError, ValueError, OverflowError):
            return 1

    def log(self, level: str, message: str) -> None:
        """Write to the manager's own log, or where ``logToFile`` is off, to Python's."""
        if self._configured("logToFile") is False:
            _python_log.log({"ERROR": 40, "WARN": 30}.get(level, 20), "%s", message)
        else:
            self.logs.append(MANAGER_LOG, level, message)

    def _configured(self, name: str) -> Any:
        try:
            obj = self.wiki.get(CONFIGURATION).object(CONFIGURATION_CLASS)
        except (DocumentNotFound, DamagedPage):
            return None
        return obj[name] if obj else None


def _place_in_words(position: int, running: Sequence[str], most: int) -> str:
    place = (gettext(_PLACES[position - 1]) if position <= len(_PLACES)
             else gettext("number %(number)s in the queue", number=position))
    if len(running) < most:
        return place
    return gettext("%(place)s; %(num)s of at most %(most)s tasks are running: %(names)s",
                   place=place, num=len(running), most=most,
                   names=", ".join([*running[:3], *(["…"] if len(running) > 3 else [])]))
