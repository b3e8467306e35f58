"""Scheduled jobs: pages with an object of ``Wiki.SchedulerJobClass``, and what came of them.

Any process may list jobs, change their status and ask for a run; the scheduler of one process
runs them, and alone writes what came of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from wiki.api import Name, OpenDocument, OpenObject, Wiki
from wiki.errors import DamagedPage, DocumentNotFound, InvalidReference, NotFound, TaskError
from wiki.references import HOME, Reference
from wiki.rights import Right, allows
from wiki.store.base import Query, Row
from wiki.tasks.jobrecords import JobRecords, Record
from wiki.tasks.names import EXECUTOR_CLASS, JOB_CLASS, TASK_SPACE
from wiki.tasks.wake import Waker
from wiki.tasks.when import When, parse_when
from wiki.translate import gettext, shipped


class What(StrEnum):
    """What a job does."""

    #: Invokes the task manager.
    MANAGER = "manager"
    #: Sets a task READY.
    TASK = "task"
    #: Runs the executor script of the job's own page, as a task.
    SCRIPT = "script"
    #: Archives, compresses and removes logs, as the manager's configuration says.
    LOGS = "logs"
    #: Removes for good what was deleted long ago, as the settings say.
    BIN = "bin"


class JobStatus(StrEnum):
    """Whether a job runs at its times."""

    NORMAL = "Normal"
    #: Not for now.
    PAUSED = "Paused"
    #: Not at all: unscheduled.
    NONE = "None"


class Missed(StrEnum):
    """What becomes of the runs that fell into a time when no server ran."""

    SKIP = "skip"
    RUN_ONCE = "run once"


#: What one can do with a job -> the status that it has then; None leaves it.
ACTIONS: dict[str, JobStatus | None] = {
    "trigger": None, "pause": JobStatus.PAUSED, "resume": JobStatus.NORMAL,
    "schedule": JobStatus.NORMAL, "unschedule": JobStatus.NONE}


@dataclass(frozen=True, slots=True)
class Job:
    """A job as its page says. ``problem`` is why it cannot run, or empty; ``plan`` when it does,
    where that can be read; ``author`` the user with whose rights it runs."""

    reference: Reference
    name: str
    description: str
    when: str
    zone: str
    what: str
    task: Reference | None
    missed: str
    status: str
    author: str
    plan: When | None
    problem: str

    @property
    def runs(self) -> bool:
        """Whether it runs at its times."""
        return self.status == JobStatus.NORMAL and not self.problem

    @property
    def timing(self) -> str:
        """What its next run depends on."""
        return f"{self.when} {self.zone}".strip()


@dataclass(frozen=True, slots=True)
class JobState:
    """A job, when it ran last and with what outcome, and when it runs next (UTC)."""

    job: Job
    record: Record
    next_run: datetime | None

    def as_dict(self) -> dict[str, Any]:
        """The job as JSON has it; dates as ISO 8601."""
        job, record = self.job, self.record
        return {"reference": str(job.reference), "name": job.name,
                "description": job.description, "when": job.when, "time_zone": job.zone or None,
                "what": job.what, "task": str(job.task) if job.task else None,
                "missed": job.missed, "status": job.status, "problem": job.problem or None,
                "last_run": _date(record.last_run), "outcome": record.outcome or None,
                "message": record.message, "next_run": _date(self.next_run)}


def _date(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")


class Jobs:
    """The jobs of a data directory, for people and for the scheduler."""

    def __init__(self, wiki: Wiki, waker: Waker, data: Path) -> None:
        self._wiki = wiki
        self._waker = waker
        self.records = JobRecords(data / "jobs")
        self._known: dict[Reference, tuple[Row, Job]] = {}

    def all(self) -> list[Job]:
        """All jobs by name, those that do not run too; pages that did not change are not read
        again."""
        known = {}
        for row in self._wiki.rows(Query(JOB_CLASS, order_by=("doc.name",))):
            old = self._known.get(row.reference)
            job = old[1] if old and old[0] == row else self._read(row.reference)
            if job is not None:
                known[row.reference] = row, job
        self._known = known
        return [job for _, job in known.values()]

    def _read(self, ref: Reference) -> Job | None:
        page = self._page(ref)
        return read_job(page) if page is not None else None

    def _page(self, ref: Reference) -> OpenDocument | None:
        try:
            return self._wiki.get(ref)
        except (DocumentNotFound, DamagedPage):  # deleted just now; `check` lists damage
            return None

    def states(self, user: str) -> Iterator[JobState]:
        """The jobs that the user may see, by name."""
        now = datetime.now(UTC)
        for job in self.all():
            page = self._page(job.reference)
            if page is not None and allows(user, Right.VIEW, page.record):
                yield self._state(job, now)

    def state(self, ref: Name, user: str) -> JobState:
        """One job; raises NotFound where the page is none, DocumentNotFound, AccessDenied."""
        return self._state(read_job(self._wiki.as_user(user).get(ref)), datetime.now(UTC))

    def _state(self, job: Job, now: datetime) -> JobState:
        record = self.records.get(str(job.reference))
        next_run = record.next_run if record.timing == job.timing else None
        if not job.runs or job.plan is None:
            next_run = None
        elif next_run is None or next_run < now:
            next_run = job.plan.after(now, next_run)
        return JobState(job, record, next_run)

    def act(self, ref: Name, user: str, action: str) -> str:
        """Do one of :data:`ACTIONS`; returns what came of it, as a sentence.

        Raises TaskError (what cannot be), NotFound, AccessDenied without the script right,
        Conflict.
        """
        if action not in ACTIONS:
            raise TaskError(gettext(
                "%(action)s is nothing to do with a job; there are %(names)s", action=repr(action),
                names=", ".join(ACTIONS)))
        wiki = self._wiki.as_user(user)
        page = wiki.get(ref)
        job = read_job(page)
        wiki.require(Right.SCRIPT, page)
        status = ACTIONS[action]
        if status is None:
            return self._trigger(job, user)
        if not allows(page.script_author, Right.SCRIPT, page.record):
            raise TaskError(gettext(
                "%(page)s %(problem)s; look at its objects, and save them", page=job.reference,
                problem=job.problem))
        obj = _job_object(page)
        if obj["status"] != status:
            obj["status"] = status.value
            page.save(comment=f"{action.capitalize()} the job", minor=True)
        return gettext("%(job)s has the status %(status)s now.", job=job.reference,
                       status=status.value)

    def _trigger(self, job: Job, user: str) -> str:
        if job.problem:
            raise TaskError(f"{job.reference} {job.problem}")
        self.records.request(str(job.reference), user)
        self._waker.wake()
        return gettext("%(job)s is asked to run now.", job=job.reference)


def read_job(page: OpenDocument) -> Job:
    """The job on the page; raises NotFound where there is none."""
    obj = _job_object(page)
    when, zone = str(obj.get("when") or ""), str(obj.get("timeZone") or "")
    what, plan = str(obj.get("what") or What.MANAGER), None
    problem = _problem(page, what, bool(obj["task"]))
    try:
        plan = parse_when(when, zone)
        task = _task_of(page, what, str(obj["task"] or ""))
    except (TaskError, InvalidReference) as error:
        task, problem = None, problem or gettext("does not run: %(error)s", error=error)
    name, description = (shipped(str(page.reference), str(obj[field] or ""))
                         for field in ("name", "description"))
    return Job(page.reference, name or page.display_title, description, when, zone, what, task,
               str(obj["missed"] or Missed.SKIP), str(obj["status"] or JobStatus.NORMAL),
               page.script_author, plan, problem)


def _job_object(page: OpenDocument) -> OpenObject:
    obj = page.object(JOB_CLASS)
    if obj is None:
        raise NotFound(gettext(
            "%(page)s is no scheduled job: it has no object of %(job_class)s", page=page.reference,
            job_class=JOB_CLASS))
    return obj


def _problem(page: OpenDocument, what: str, has_task: bool) -> str:
    if not allows(page.script_author, Right.SCRIPT, page.record):
        return gettext("does not run: it was last changed by %(user)s, who does not hold the "
                       "script right", user=page.script_author)
    if what not in list(What):
        return gettext("does not run: %(what)s is nothing that a job can do; there are %(names)s",
                       what=repr(what), names=", ".join(What))
    if what == What.TASK and not has_task:
        return gettext("does not run: it names no task to set READY")
    if what == What.SCRIPT and page.object(EXECUTOR_CLASS) is None:
        return gettext("does not run: its page has no object of %(wanted)s with a script",
                       wanted=EXECUTOR_CLASS)
    return ""


def _task_of(page: OpenDocument, what: str, name: str) -> Reference | None:
    ref: Reference = page.reference
    if name:
        return Reference.parse(name, ref)
    if what == What.SCRIPT:
        return Reference((TASK_SPACE,), ref.spaces[-1] if ref.name == HOME else ref.name)
    return None
