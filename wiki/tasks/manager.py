"""The task manager: decides what starts, and records how it ended.

Each invocation starts at most one task. One manager acts at a time, however many processes
share the data directory: an inter-process lock sees to that, and each claim is a save that
fails if anybody else saved the task since it was read.
"""

from __future__ import annotations

import logging
import socket
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from wiki.api import Name, OpenDocument, OpenObject, Wiki, make_query
from wiki.errors import Conflict, DamagedPage, DocumentNotFound, TaskError, WikiError
from wiki.references import Reference
from wiki.rights import Right
from wiki.tasks.executors import BadExecutor, Executor, find_executor
from wiki.tasks.log import MANAGER_LOG, Logs, log_name
from wiki.tasks.names import (
    CONFIGURATION,
    CONFIGURATION_CLASS,
    RUN_CLASS,
    TASK_CLASS,
    Outcome,
    Status,
)
from wiki.tasks.runner import Runner
from wiki.tasks.runs import Ending, Progress, Run, is_run_id, read_json, timestamp, write_json
from wiki.tasks.wake import Waker

#: How long an invocation waits for another manager to be done, in seconds.
LOCK_WITHIN = 30.0
#: How often a save is tried anew when somebody else saved the page meanwhile.
ATTEMPTS = 50
#: Runs that a task's page keeps; older ones are in its history.
KEPT_RUNS = 50
#: The longest error and progress that a run's object keeps, in characters.
MAX_TEXT = 500

_python_log = logging.getLogger("wiki.tasks")


@dataclass(frozen=True, slots=True)
class Invocation:
    """What an invocation did.

    ``started`` is the task that it started, ``skipped`` says why READY tasks before that one
    could not start, ``recovered`` are the tasks whose end nobody had recorded.
    """

    started: str | None = None
    skipped: dict[str, str] = field(default_factory=dict)
    recovered: list[str] = field(default_factory=list)
    running: int = 0
    message: str = ""


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
    """Starts READY tasks by name, as many at once as the configuration page says."""

    def __init__(self, wiki: Wiki, logs: Logs, runner: Runner, data: Path) -> None:
        self.wiki = wiki
        self.logs = logs
        self.runner = runner
        self.waker = Waker(data)
        self.waker.watch(wiki)
        self._lock_path = data / "manager.lock"
        self._ends_path = data / "ends.lock"
        self._warnings = Warned(data / "warned.json")
        runner.on_end = self.finished

    # -- one invocation --------------------------------------------------------------------

    def invoke(self, now: datetime | None = None) -> Invocation:
        """Recover what has died, then start the first READY task if there is room for it."""
        started = (now or datetime.now(UTC)).timestamp()
        try:
            with FileLock(self._lock_path, timeout=LOCK_WITHIN):
                return self._invoke(started)
        except Timeout:
            return Invocation(message="another manager is at work")

    def _invoke(self, now: float) -> Invocation:
        living = self._living()
        recovered, running = self._recover(living)
        limit = self.limit()
        if running >= limit:
            return Invocation(recovered=recovered, running=running,
                              message=f"{running} of at most {limit} tasks are running")
        skipped: dict[str, str] = {}
        started = self._start_first(skipped, living, now)
        if started is None:
            self._warnings.keep_only(skipped)
            return Invocation(None, skipped, recovered, running, "no READY task can start")
        return Invocation(started, skipped, recovered, running + 1, f"started {started}")

    def _start_first(self, skipped: dict[str, str], living: set[str],
                     now: float) -> str | None:
        for task in self._with_status(Status.READY):
            name = str(task.reference)
            if name in living or self._still_runs(task):
                continue  # set READY while its run goes on: it has to wait for that
            try:
                executor = find_executor(self.wiki, task)
                run = self._claim(task, executor, now)
            except BadExecutor as error:
                self._skip(task, str(error), error.version, skipped)
            except Conflict:
                continue  # somebody saved it just now, and woke the manager
            except WikiError as error:
                self._skip(task, f"its page cannot be saved: {error}", "", skipped)
            else:
                self._warnings.forget(name)
                if self._start(run, task):
                    return name
        return None

    def _skip(self, task: OpenDocument, reason: str, version: str,
              skipped: dict[str, str]) -> None:
        """Leave the task READY, and warn until something changes."""
        name = str(task.reference)
        skipped[name] = reason
        if self._warnings.add(name, f"{task.version} {version} {reason}"):
            self.log("WARN", f"{name} is skipped: {reason}")

    def _claim(self, task: OpenDocument, executor: Executor, now: float) -> Run:
        """READY -> RUNNING, by a save that only one manager can make."""
        runs = task.objects(RUN_CLASS)
        number = 1 + max((_number(obj) for obj in runs), default=0)
        run = Run(uuid.uuid4().hex, str(task.reference), number, str(executor.reference),
                  executor.version, executor.author, executor.script, now,
                  executor.time_limit, executor.memory_limit, executor.log_limit)
        for old in runs[:max(0, len(runs) - KEPT_RUNS + 1)]:
            task.remove_object(RUN_CLASS, old.number)
        starter = task.author
        task.add_object(RUN_CLASS, number=number, executor=run.executor,
                        executorVersion=run.version, startedBy=starter,
                        started=timestamp(now), host=socket.gethostname(), id=run.id)
        _task_object(task)["status"] = Status.RUNNING.value
        task.save(comment=f"Run {number} started", minor=True)
        self.logs.append(log_name(run.task), "INFO",
                         f"Run {number} of {run.executor} (version {run.version}) by {starter} "
                         "started")
        self.log("INFO", f"{run.task}: run {number} of {run.executor} started")
        return run

    def _start(self, run: Run, task: OpenDocument) -> bool:
        try:
            self.runner.start(run)
        except (TaskError, OSError) as error:
            self._settle(run, Ending(Outcome.ERROR, str(error), ended=time.time()),
                         str(task.reference))
            return False
        return True

    # -- the end of a run ------------------------------------------------------------------

    def finished(self, run_id: str) -> None:
        """A run has ended: record how, and wake the manager. Never raises."""
        try:
            run = self.runner.load(run_id)
            if run is not None and self._settle(run, self.runner.ending(run_id), run.task):
                self.runner.forget(run_id)
        except Exception as error:  # noqa: BLE001 - in the runner's thread, which must go on
            self.log("ERROR", f"The end of run {run_id} could not be recorded: {error}; the "
                              "next invocation tries again")
        self.waker.wake()

    def _settle(self, run: Run, ending: Ending, name: Name) -> bool:
        """Record the end on the page as it is now, changing only the status and the run.

        Returns False if the page does not have the run, having been renamed perhaps.
        """
        with FileLock(self._ends_path, timeout=LOCK_WITHIN):
            return self._record(run, ending, name)

    def _record(self, run: Run, ending: Ending, name: Name) -> bool:
        logged = False
        for _ in range(ATTEMPTS):
            try:
                page = self.wiki.get(name)
            except DocumentNotFound:
                return False
            record = _find_run(page, run)
            if record is None:
                return False
            if record["outcome"]:
                return True  # another manager was faster
            if not logged:  # before the save: who sees the end finds it in the log
                self._log_end(run, ending, str(page.reference))
                logged = True
            self._write_end(page, record, ending)
            try:
                page.save(comment=f"Run {run.number} ended: {ending.outcome}", minor=True)
                return True
            except Conflict:
                continue
        raise Conflict(f"{name} is saved so often that its run's end finds no gap")

    def _write_end(self, page: OpenDocument, record: OpenObject, ending: Ending) -> None:
        task = page.object(TASK_CLASS)
        if task is not None and task["status"] == Status.RUNNING:
            task["status"] = ending.outcome.status.value
        progress = str(ending.progress) if ending.progress else ""
        record.update(finished=timestamp(ending.ended or time.time()),
                      outcome=ending.outcome.value, error=ending.error[:MAX_TEXT],
                      progress=progress[:MAX_TEXT])

    def _log_end(self, run: Run, ending: Ending, name: str) -> None:
        level = "ERROR" if ending.outcome.status is Status.ERROR else "INFO"
        seconds = max(0.0, (ending.ended or time.time()) - run.started)
        line = f"Run {run.number} ended: {ending.outcome} in {seconds:.1f} s"
        if ending.error:
            line += f" - {ending.error}"
        if ending.progress and ending.outcome is not Outcome.DONE:
            line += f" (progress: {ending.progress})"
        self.logs.append(log_name(run.task), level, line)
        self.log(level, f"{name}: {line[0].lower()}{line[1:]}")

    # -- recovery --------------------------------------------------------------------------

    def _recover(self, living: set[str]) -> tuple[list[str], int]:
        """Record the ends that nobody recorded; returns those tasks and how many run."""
        recovered: list[str] = []
        marked: set[str] = set()
        for task in self._with_status(Status.RUNNING):
            run = self._open_run(task)
            if run is not None and self.runner.alive(run.id):
                marked.add(run.id)
            elif str(task.reference) not in living and self._recover_task(task, run):
                recovered.append(str(task.reference))
        return recovered, len(marked | self._sweep(marked))

    def _living(self) -> set[str]:
        """The tasks that run, as the runner knows: a page's objects can be edited."""
        runs = (self.runner.load(run_id) for run_id in self.runner.ids()
                if self.runner.alive(run_id))
        return {run.task for run in runs if run is not None}

    def _recover_task(self, task: OpenDocument, run: Run | None) -> bool:
        """Whether the end could be recorded."""
        try:
            if run is None:
                return self._mark_interrupted(task)
            return self._settle(run, self.runner.ending(run.id), task.reference)
        except WikiError as error:
            self._warn_once(str(task.reference), f"its run's end cannot be recorded: {error}")
            return False

    def _mark_interrupted(self, task: OpenDocument) -> bool:
        """A task that says RUNNING without any run: set so by hand, or its run was removed."""
        _task_object(task)["status"] = Status.ERROR.value
        task.save(comment="Interrupted: nothing runs it", minor=True)
        message = "Interrupted: the task was RUNNING, and nothing runs it"
        self.logs.append(log_name(task.reference), "ERROR", message)
        self.log("ERROR", f"{task.reference}: {message[0].lower()}{message[1:]}")
        return True

    def _sweep(self, known: set[str]) -> set[str]:
        """Put away ended runs; returns those that live though no RUNNING task has them."""
        living = set()
        for run_id in self.runner.ids():
            if run_id in known:
                continue
            if self.runner.alive(run_id):
                living.add(run_id)
                continue
            run = self.runner.load(run_id)
            if run is not None:
                self._settle_left(run)
            self.runner.forget(run_id)
        return living

    def _settle_left(self, run: Run) -> None:
        try:
            if not self._settle(run, self.runner.ending(run.id), run.task):
                self.log("WARN", f"{run.task}: run {run.number} has ended, and the page does "
                                 "not have it any more")
        except WikiError as error:
            self._warn_once(run.task, f"its run's end cannot be recorded: {error}")

    def _open_run(self, task: OpenDocument) -> Run | None:
        """The run of the task whose end is not recorded, as far as its page tells."""
        for record in reversed(task.objects(RUN_CLASS)):
            run_id = str(record["id"] or "")
            if record["outcome"] or not is_run_id(run_id):
                continue
            known = self.runner.load(run_id)
            return known or Run(run_id, str(task.reference), _number(record), "", "",
                                "", "", _seconds(record["started"]))
        return None

    def _still_runs(self, task: OpenDocument) -> bool:
        run = self._open_run(task)
        return run is not None and self.runner.alive(run.id)

    # -- what people do --------------------------------------------------------------------

    def ready(self, ref: Name, user: str) -> None:
        """Let the task run (again) when its turn comes.

        Raises TaskError where it is RUNNING, AccessDenied, Conflict or DocumentNotFound.
        """
        self._change(ref, user, Status.READY,
                     (Status.SUSPENDED, Status.DONE, Status.ERROR, Status.READY))

    def suspend(self, ref: Name, user: str) -> None:
        """Have the manager leave the task alone; errors as in :meth:`ready`."""
        self._change(ref, user, Status.SUSPENDED,
                     (Status.READY, Status.DONE, Status.ERROR, Status.SUSPENDED))

    def cancel(self, ref: Name, user: str) -> None:
        """Ask for the end of the task's run, from any process; it ends SUSPENDED soon after.

        Raises TaskError where it is not RUNNING, AccessDenied or DocumentNotFound.
        """
        task = self._editable(ref, user)
        run = self._open_run(task)
        if run is None or (_task_object(task)["status"] != Status.RUNNING
                           and not self.runner.alive(run.id)):
            raise TaskError(f"{task.reference} is {_task_object(task)['status']}; only a RUNNING "
                            "task can be cancelled")
        self.logs.append(log_name(run.task), "WARN",
                         f"{user} asked for the end of run {run.number}")
        self.runner.cancel(run.id)
        self.waker.wake()

    def _change(self, ref: Name, user: str, to: Status, from_: tuple[Status, ...]) -> None:
        for attempt in range(ATTEMPTS):
            task = self._editable(ref, user)
            obj = _task_object(task)
            if obj["status"] == to:
                self.waker.wake()
                return
            if obj["status"] not in from_ and obj["status"] is not None:
                raise TaskError(f"{task.reference} is {obj['status']}; cancel it first")
            obj["status"] = to.value
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
        _task_object(task)
        return task

    # -- what there is ---------------------------------------------------------------------

    def progress(self, ref: Name) -> Progress | None:
        """How far the task's run is; None where it does not run or has not said."""
        run = self._open_run(self.wiki.get(ref))
        return self.runner.progress(run.id) if run else None

    def tasks(self, status: str | None = None, limit: int = 100,
              cursor: str | None = None) -> TaskPage:
        """Tasks in the order in which the manager takes them; raises TaskError for a cursor
        that is none."""
        offset = int(cursor) if cursor and cursor.isdecimal() else 0
        if cursor and not cursor.isdecimal():
            raise TaskError(f"{cursor!r} is not where a list of tasks goes on")
        found = list(self._tasks(status, limit + 1, offset))
        rows = [self._row(task) for task in found[:limit]]
        return TaskPage(rows, str(offset + limit) if len(found) > limit else None)

    def _row(self, task: OpenDocument) -> TaskRow:
        obj = _task_object(task)
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

    def _warn_once(self, name: str, message: str) -> None:
        if self._warnings.add(name, message):
            self.log("ERROR", f"{name}: {message}")

    def _configured(self, name: str) -> Any:
        try:
            obj = self.wiki.get(CONFIGURATION).object(CONFIGURATION_CLASS)
        except (DocumentNotFound, DamagedPage):
            return None
        return obj[name] if obj else None

    def _with_status(self, status: Status) -> Iterator[OpenDocument]:
        """The tasks of a status by name, then full name, as they are now."""
        for task in self._tasks(status, None, 0):
            obj = task.object(TASK_CLASS)
            if obj is not None and obj["status"] == status:
                yield task

    def _tasks(self, status: str | None, limit: int | None,
               offset: int) -> Iterator[OpenDocument]:
        conditions = {"status": str(status)} if status else {}
        query = make_query(TASK_CLASS, conditions, "name", limit, offset, None)
        for row in self.wiki.rows(query):
            try:
                yield self.wiki.get(row.reference)
            except DocumentNotFound:  # deleted since the index was asked
                continue
            except DamagedPage as error:
                self._warn_once(str(row.reference), f"cannot be read: {error}")


class Warned:
    """What was warned of, kept in a file so that no process warns of it again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, str] = {}
        self._stamp = 0

    def add(self, name: str, signature: str) -> bool:
        """Whether this is news."""
        self._load()
        if self._known.get(name) == signature:
            return False
        self._known[name] = signature
        self._save()
        return True

    def forget(self, name: str) -> None:
        """It is well again."""
        self._load()
        if self._known.pop(name, None) is not None:
            self._save()

    def keep_only(self, names: dict[str, str]) -> None:
        """Forget all others: they are well, or gone."""
        self._load()
        if self._known.keys() - names.keys():
            self._known = {name: self._known[name] for name in names if name in self._known}
            self._save()

    def _load(self) -> None:
        try:
            stamp = self._path.stat().st_mtime_ns
        except FileNotFoundError:
            stamp = 0
        if stamp != self._stamp:
            self._known = {str(key): str(value)
                           for key, value in (read_json(self._path) or {}).items()}
            self._stamp = stamp

    def _save(self) -> None:
        write_json(self._path, self._known)
        self._stamp = self._path.stat().st_mtime_ns


def _task_object(page: OpenDocument) -> OpenObject:
    """Raises TaskError where the page is no task."""
    obj = page.object(TASK_CLASS)
    if obj is None:
        raise TaskError(f"{page.reference} is no task: it has no object of {TASK_CLASS}")
    return obj


def _find_run(page: OpenDocument, run: Run) -> OpenObject | None:
    records = page.objects(RUN_CLASS)
    by_id = (record for record in records if record["id"] == run.id)
    # A door that replaces objects may have lost the id, which is no property of the class.
    by_number = (record for record in records
                 if not record["id"] and _number(record) == run.number)
    return next(by_id, None) or next(by_number, None)


def _number(record: OpenObject) -> int:
    value = record["number"]
    return int(value) if isinstance(value, int | float) else 0


def _seconds(date: object) -> float:
    try:
        return datetime.fromisoformat(str(date)).timestamp()
    except ValueError:
        return time.time()


