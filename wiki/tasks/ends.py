"""The ends of runs: recorded on the task's page as it is then, also where nobody saw them."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from blinker import Signal

from wiki.api import Name, OpenDocument, OpenObject, Wiki
from wiki.errors import Conflict, DamagedPage, DocumentNotFound, TaskError, WikiError
from wiki.store.lock import WriterLock
from wiki.tasks.executors import BadExecutor, find_executor
from wiki.tasks.log import Logs, log_name
from wiki.tasks.names import RUN_CLASS, TASK_CLASS, Outcome, Status
from wiki.tasks.obstacles import in_words, number
from wiki.tasks.queue import Queue
from wiki.tasks.runner import Runner
from wiki.tasks.runs import Ending, Run, is_run_id, timestamp

#: How often a save is tried anew when somebody else saved the page meanwhile.
ATTEMPTS = 50
#: The longest error and progress that a run's object keeps, in characters.
MAX_TEXT = 500
#: Seconds until a failed task is tried anew the first time; twice as long each further time.
BACKOFF = 10.0
MAX_BACKOFF = 3600.0

Log = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Retry:
    """When a failed task is tried anew, in seconds since 1970, and the how manieth of how many
    attempts that is."""

    at: float
    attempt: int
    attempts: int


class Ends:
    """Records how runs ended, once each, whichever process comes first.

    The signal ``ended`` is sent after that, with this object as sender and ``run``, ``ending``
    and ``page`` (the task's, as saved), from the thread that recorded the end: a listener is
    quick. What a listener raises is logged.
    """

    def __init__(self, wiki: Wiki, logs: Logs, runner: Runner, queue: Queue, data: Path,
                 log: Log) -> None:
        self.ended = Signal()
        self._wiki = wiki
        self._logs = logs
        self._runner = runner
        self._queue = queue
        self._lock = WriterLock(data / "ends.lock")
        self._log = log

    def finish(self, run_id: str) -> None:
        """Record the end of a run and put it away; raises WikiError."""
        run = self._runner.load(run_id)
        if run is not None:
            self.settle(run, self._runner.ending(run_id), run.task)

    def settle(self, run: Run, ending: Ending, name: Name) -> bool:
        """Record the end on the page as it is now, changing only the status and the run, and put
        the run away.

        Returns False if the page does not have the run, having been renamed perhaps. Raises
        WikiError where the page cannot be read or saved.
        """
        with self._lock:
            known, page = self._record(run, ending, name)
            if known:
                self._runner.forget(run.id)
        if page is not None:
            self._tell(run, ending, page)
        return known

    # -- recovery --------------------------------------------------------------------------

    def standing(self) -> tuple[dict[str, Run | None], list[str]]:
        """The runs that live, by id, and the ids of those that have ended and are not put
        away. None is between the two: its end on its page, and still there."""
        living: dict[str, Run | None] = {}
        ended: list[str] = []
        with self._lock:
            for run_id in self._runner.ids():
                if self._runner.alive(run_id):
                    living[run_id] = self._runner.load(run_id)
                else:
                    ended.append(run_id)
        return living, ended

    def recover(self, living: Collection[str], tasks: Collection[str],
                ended: list[str]) -> list[str]:
        """Record the ends that nobody recorded; returns those tasks.

        ``living`` and ``ended`` are ids of runs, ``tasks`` the tasks of living ones: a page's
        objects can be edited, and do not tell by themselves what runs.
        """
        recovered, failed = [], set()
        for name in self._queue.running():
            task = self._open(name)
            if task is None:
                continue
            run_id = open_run_id(task)
            if run_id in living or name in tasks:
                continue
            try:
                if self._recover(task, run_id):
                    recovered.append(name)
            except WikiError as error:
                failed.add(run_id)
                self._warn_once(name, f"its run's end cannot be recorded: {error}")
        for run_id in ended:
            if run_id not in failed:
                self._put_away(run_id)
        return recovered

    def open_run(self, task: OpenDocument) -> Run | None:
        """The run of the task whose end is not recorded, as far as its page tells."""
        run_id = open_run_id(task)
        if not run_id:
            return None
        record = next(record for record in task.objects(RUN_CLASS) if record["id"] == run_id)
        return self._runner.load(run_id) or Run(
            run_id, str(task.reference), run_number(record), "", "", "", "",
            _seconds(record["started"]))

    def _open(self, name: str) -> OpenDocument | None:
        """The task, if it is RUNNING."""
        try:
            task = self._wiki.get(name)
        except DocumentNotFound:
            return None
        except DamagedPage as error:
            self._warn_once(name, f"cannot be read: {error}")
            return None
        obj = task.object(TASK_CLASS)
        return task if obj is not None and obj["status"] == Status.RUNNING else None

    def _recover(self, task: OpenDocument, run_id: str) -> bool:
        run = self.open_run(task)
        if run is None:
            return self._mark_interrupted(task)
        ending = self._runner.ending(run.id)
        if self._runner.alive(run.id):  # whoever was to start it did so just now, and then died
            return False
        return self.settle(run, ending, task.reference)

    def _mark_interrupted(self, task: OpenDocument) -> bool:
        """A task that says RUNNING without any run: set so by hand, or its run was removed."""
        task_object(task)["status"] = Status.ERROR.value
        task.save(comment="Interrupted: nothing runs it", minor=True)
        message = "Interrupted: the task was RUNNING, and nothing runs it"
        self._logs.append(log_name(task.reference), "ERROR", message)
        self._log("ERROR", f"{task.reference}: {message[0].lower()}{message[1:]}")
        return True

    def _put_away(self, run_id: str) -> None:
        """What an ended run left, after its end is on its page, if that still has the run."""
        run, ending = self._runner.load(run_id), self._runner.ending(run_id)
        if self._runner.alive(run_id):
            return
        try:
            if run is not None and not self.settle(run, ending, run.task):
                self._log("WARN", f"{run.task}: run {run.number} has ended, and the page does "
                                  "not have it any more")
        except WikiError as error:
            self._warn_once(run.task if run else run_id,
                            f"its run's end cannot be recorded: {error}")
            return
        self._runner.forget(run_id)

    def _warn_once(self, name: str, message: str) -> None:
        if self._queue.note(name, message):
            self._log("ERROR", f"{name}: {message}")

    # -- one end ---------------------------------------------------------------------------

    def _record(self, run: Run, ending: Ending,
                name: Name) -> tuple[bool, OpenDocument | None]:
        """Whether the page has the run, and the page, if it was saved here."""
        for _ in range(ATTEMPTS):
            try:
                page = self._wiki.get(name)
            except DocumentNotFound:
                return False, None
            record = _find_run(page, run)
            if record is None:
                return False, None
            if record["outcome"]:
                return True, None  # another manager was faster
            asked = _asks_for_retry(page, record, ending)
            retry = _next_try(page, record, ending) if asked and self._is_repeatable(page) else None
            self._log_end(run, ending, str(page.reference), retry, asked)
            self._write_end(page, record, ending, retry)
            try:
                page.save(comment=f"Run {run.number} ended: {ending.outcome}", minor=True)
            except Conflict:
                continue
            self._queue.forget(_end_note(run))
            return True, page
        raise Conflict(f"{name} is saved so often that its run's end finds no gap")

    def _write_end(self, page: OpenDocument, record: OpenObject, ending: Ending,
                   retry: Retry | None) -> None:
        progress = ending.progress
        record.update(finished=timestamp(ending.ended or time.time()),
                      outcome=ending.outcome.value, error=ending.error[:MAX_TEXT],
                      progress=str(progress)[:MAX_TEXT] if progress else "")
        if progress and (progress.ok or progress.skipped or progress.failed):
            record.update(ok=progress.ok, skipped=progress.skipped, failed=progress.failed)
        if touched := self._wiki.touched_kinds(str(record["id"])):
            record["pages"] = sum(touched.values())
        if retry is not None:
            record["retryAt"] = timestamp(retry.at)
        task = page.object(TASK_CLASS)
        if task is not None and task["status"] == Status.RUNNING:
            task["status"] = (Status.READY if retry else ending.outcome.status).value
            if record["dryRun"] is True and retry is None:
                _end_dry_run(task)

    def _is_repeatable(self, page: OpenDocument) -> bool:
        try:
            return find_executor(self._wiki, page).repeatable
        except BadExecutor:
            return False

    def _log_end(self, run: Run, ending: Ending, name: str, retry: Retry | None,
                 asked: bool) -> None:
        """Before the save, so that who sees the end finds it in the log; and once, however
        often the save is tried."""
        if not self._queue.note(_end_note(run), ending.outcome.value):
            return
        level = "ERROR" if ending.outcome.status is Status.ERROR else "INFO"
        seconds = max(0.0, (ending.ended or time.time()) - run.started)
        line = f"Run {run.number} ended: {ending.outcome} in {seconds:.1f} s"
        if ending.error:
            line += f" - {ending.error}"
        if ending.progress and ending.outcome is not Outcome.DONE:
            line += f" (progress: {ending.progress})"
        if retry:
            line += (f"; tried again at {in_words(retry.at)} (attempt {retry.attempt} of "
                     f"{retry.attempts})")
        elif asked:
            line += "; not tried again: its executor does not say that it is safe to repeat"
        self._logs.append(log_name(run.task), level, line)
        self._log(level, f"{name}: {line[0].lower()}{line[1:]}")

    def _tell(self, run: Run, ending: Ending, page: OpenDocument) -> None:
        for listener in self.ended.receivers_for(self):
            try:
                listener(self, run=run, ending=ending, page=page)
            except Exception as error:  # noqa: BLE001 - a listener's own affair
                self._log("ERROR", f"{page.reference}: what was to happen at the end of run "
                                   f"{run.number} failed: {type(error).__name__}: {error}")


def task_object(page: OpenDocument) -> OpenObject:
    """Raises TaskError where the page is no task."""
    obj = page.object(TASK_CLASS)
    if obj is None:
        raise TaskError(f"{page.reference} is no task: it has no object of {TASK_CLASS}")
    return obj


def _asks_for_retry(page: OpenDocument, record: OpenObject, ending: Ending) -> bool:
    """Whether the task has attempts left after this end."""
    task = page.object(TASK_CLASS)
    return (task is not None and task["status"] == Status.RUNNING
            and ending.outcome in (Outcome.ERROR, Outcome.INTERRUPTED)
            and _attempt(record) <= int(number(task["retries"])))


def _next_try(page: OpenDocument, record: OpenObject, ending: Ending) -> Retry:
    """When a task that asks for it is tried anew."""
    attempt, retries = _attempt(record), int(number(task_object(page)["retries"]))
    pause = min(MAX_BACKOFF, BACKOFF * 2.0 ** (attempt - 1))
    return Retry((ending.ended or time.time()) + pause, attempt + 1, retries + 1)


def _attempt(record: OpenObject) -> int:
    return int(number(record["attempt"])) or 1


def _end_dry_run(task: OpenObject) -> None:
    """What it was to do is not done, and nothing that comes after it may start."""
    task["dryRun"] = False
    if task["status"] == Status.DONE:
        task["status"] = Status.SUSPENDED.value


def open_run_id(task: OpenDocument) -> str:
    """The id of the last run whose end the page does not record; empty where there is none."""
    for record in reversed(task.objects(RUN_CLASS)):
        run_id = str(record["id"] or "")
        if not record["outcome"] and is_run_id(run_id):
            return run_id
    return ""


def run_number(record: OpenObject) -> int:
    """The number of a run from its object; 0 where that is damaged."""
    return int(number(record["number"]))


def _find_run(page: OpenDocument, run: Run) -> OpenObject | None:
    records = page.objects(RUN_CLASS)
    by_id = (record for record in records if record["id"] == run.id)
    # A door that replaces objects may have lost the id, which is no property of the class.
    by_number = (record for record in records
                 if not record["id"] and run_number(record) == run.number)
    return next(by_id, None) or next(by_number, None)


def _end_note(run: Run) -> str:
    return f"end {run.id}"


def _seconds(date: Any) -> float:
    try:
        return datetime.fromisoformat(str(date)).timestamp()
    except ValueError:
        return time.time()
