"""What keeps a READY task from starting, told from its page and those that it names."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from wiki.api import OpenDocument, OpenObject, Wiki
from wiki.errors import DamagedPage, DocumentNotFound, InvalidReference, NotFound, TaskError
from wiki.model import GUEST, Document
from wiki.references import Reference
from wiki.rights import Right, allows
from wiki.tasks.executors import BadExecutor, Executor, executor_name, open_executor
from wiki.tasks.names import RUN_CLASS, TASK_CLASS, Status
from wiki.tasks.signing import people
from wiki.tasks.written import writer
from wiki.translate import gettext, marked

#: Where tasks stand that nothing is known to hold back.
OPEN = ""
RUNNING = "running"
#: Gates of one page, group or sort of trouble; what follows a colon says of which.
EXECUTOR, RUNNERS, GROUP, TASK, MISSING = "executor", "runners", "group", "task", "missing"
PAGE, TIME, TROUBLE = "page", "time", "trouble"
#: Gates that do not open before somebody mends something; the log warns of them.
BAD = (EXECUTOR, RUNNERS, MISSING, PAGE, TROUBLE)
#: Gates that let through by the clock.
TIMED = (TIME, TROUBLE)
#: How far back the saves of a READY task are asked for who made them.
MANY_SAVES = 20
#: How many tasks are looked at to find out that tasks wait for each other in a circle.
MANY_TASKS = 1000
#: Why a starter keeps a task from starting, by the starter's part in its being READY.
_SET_READY = marked("%(user)s set it READY, and %(executor)s may be run by %(runners)s")
_BEHIND_RUN = marked("%(user)s had a part in the run that set it READY, and %(executor)s may be "
                     "run by %(runners)s")


class Waits(TaskError):
    """The task cannot start now: why, in the language shown now, and the gate at which it waits
    for that to change."""

    def __init__(self, reason: str, gate: str, until: float = 0.0, version: str = "") -> None:
        super().__init__(reason)
        self.gate = gate
        #: When a timed gate lets it through, in seconds since 1970.
        self.until = until
        #: That of the executor's page, if it is to blame.
        self.version = version


class Obstacles:
    """Looks at tasks, opening only the pages that a task names."""

    def __init__(self, wiki: Wiki) -> None:
        self._wiki = wiki

    def check(self, task: OpenDocument, now: float,
              groups: Mapping[str, list[str]] | None = None) -> Executor:
        """The task's executor, if nothing but other tasks ahead keeps it from starting.

        ``groups`` names the tasks that run by their group; without it groups do not count.
        Raises Waits.
        """
        executor = self._executor(task)
        self._check_runners(task, executor)
        _check_time(task, now)
        self._check_after(task)
        if groups is not None:
            _check_group(task, groups)
        return executor

    def ready_saves(self, task: OpenDocument,
                    statuses: Container[str] = (Status.READY,)) -> list[Document]:
        """The saves since which the task is READY, up to :data:`MANY_SAVES`, newest first: the
        last is the one that set it so. With other statuses, since which it has one of these."""
        saves: list[Document] = []
        try:
            for revision in task.revisions(MANY_SAVES):
                record = self._wiki.revision(task.reference, revision.version)
                obj = record.object(TASK_CLASS)
                if obj is None or obj.values.get("status") not in statuses:
                    break
                saves.append(record)
        except NotFound:  # deleted just now
            return saves
        return saves

    def status(self, name: Reference) -> str:
        """The status of a task; empty where there is no such task."""
        try:
            obj = self._wiki.get(name).object(TASK_CLASS)
        except (DocumentNotFound, DamagedPage):
            return ""
        return str(obj.get("status", "")) if obj else ""

    def circle(self, task: OpenDocument) -> list[Reference]:
        """The tasks, the task itself last, by which it waits for itself; empty where it does
        not."""
        start = task.reference
        came_from: dict[Reference, Reference] = {}
        ahead = [start]
        while ahead and len(came_from) < MANY_TASKS:
            current = ahead.pop()
            for name in self._unfinished(current):
                if name == start:
                    return _way_back(came_from, current, start)
                if name not in came_from:
                    came_from[name] = current
                    ahead.append(name)
        return []

    # -- one obstacle each -----------------------------------------------------------------

    def _executor(self, task: OpenDocument) -> Executor:
        try:
            name = executor_name(task)
        except BadExecutor as error:
            raise Waits(str(error), PAGE) from None
        try:
            return open_executor(self._wiki, name)
        except BadExecutor as error:
            raise Waits(str(error), f"{EXECUTOR}:{name}", version=error.version) from None

    def _check_runners(self, task: OpenDocument, executor: Executor) -> None:
        if not executor.runners:
            return
        for user, did in self._starters(task):
            if user not in executor.runners and not allows(user, Right.SCRIPT):
                raise Waits(gettext(did, user=user, executor=executor.reference,
                                    runners=", ".join(executor.runners)),
                            f"{RUNNERS}:{executor.reference}", version=executor.version)

    def _starters(self, task: OpenDocument) -> Iterator[tuple[str, str]]:
        """Everybody who had a part in the task's being READY, and what to say of it: whoever saved
        it so, or while it ran, where it is tried again; where a run saved it, those behind that
        run."""
        yield task.record.author, _SET_READY
        statuses = (Status.READY, Status.RUNNING) if retry_at(task) else (Status.READY,)
        saves = self.ready_saves(task, statuses)
        yield from ((save.author, _SET_READY) for save in saves)
        for run in dict.fromkeys(save.run for save in (task.record, *saves) if save.run):
            yield from ((user, _BEHIND_RUN) for user in self._behind(run, set()))

    def _behind(self, run: str, seen: set[str]) -> Iterator[str]:
        """Everybody who saved the run's task; a guest where nobody knows any more who did."""
        seen.add(run)
        found = writer(self._wiki, run)
        if found is None:
            yield GUEST
            return
        page = self._wiki.get(found.task)
        yield from people(page)
        for revision in page.revisions():
            if revision.run and revision.run not in seen:
                yield from self._behind(revision.run, seen)

    def _check_after(self, task: OpenDocument) -> None:
        try:
            names = list(after(task))
        except InvalidReference as error:
            raise Waits(gettext("a task that it waits for is no page name: %(error)s",
                                error=error), PAGE) from None
        for name in names:
            status = self.status(name)
            if name == task.reference:
                raise Waits(gettext("waits for itself"), PAGE)
            if not status:
                raise Waits(gettext("waits for %(name)s, which is no task", name=name),
                            f"{MISSING}:{name}")
            if status != Status.DONE:
                raise Waits(gettext("waits for %(name)s, which is %(status)s", name=name,
                                    status=status), f"{TASK}:{name}")

    def _unfinished(self, name: Reference) -> Iterator[Reference]:
        try:
            names = list(after(self._wiki.get(name)))
        except (DocumentNotFound, DamagedPage, InvalidReference):
            return
        yield from (name for name in names if self.status(name) not in ("", Status.DONE))


# -- what a task's page says ---------------------------------------------------------------------


def after(task: OpenDocument) -> Iterator[Reference]:
    """The tasks that must be DONE first; raises InvalidReference."""
    value = _value(task, "after")
    names: Iterable[Any] = value.splitlines() if isinstance(value, str) else value or ()
    for name in names:
        yield Reference.parse(str(name), task.reference)


def rank(task: OpenDocument) -> float:
    """The priority turned round: the lower, the sooner."""
    return -number(_value(task, "priority"))


def group(task: OpenDocument) -> str:
    """The name of its group, empty for none."""
    return str(_value(task, "group") or "").strip()


def group_gate(task: OpenDocument) -> str:
    """Where the tasks of its group with the same limit stand; open where it has no group."""
    name = group(task)
    return f"{GROUP}:{_group_limit(task)}:{name}" if name else OPEN


def has_room(gate: str, groups: Mapping[str, list[str]]) -> bool:
    """Whether another task that stands at this gate of a group may run."""
    _, most, name = gate.split(":", 2)
    return len(groups.get(name, ())) < int(most)


def retry_at(task: OpenDocument) -> float:
    """When the manager tries the task anew by itself, in seconds since 1970; 0 where it does
    not."""
    runs = task.objects(RUN_CLASS)
    return moment(runs[-1]["retryAt"]) if runs else 0.0


def number(value: Any) -> float:
    """A number from an object; empty and damaged are 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return 0.0
    return float(value)


def moment(value: Any) -> float:
    """A date from an object in seconds since 1970, UTC where it has no zone; 0 for none."""
    try:
        date = datetime.fromisoformat(str(value))
    except ValueError:
        return 0.0
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()


def in_words(seconds: float) -> str:
    """A moment for people: ``2026-11-24 05:10:22 UTC``."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _check_time(task: OpenDocument, now: float) -> None:
    not_before, retry = moment(_value(task, "notBefore")), retry_at(task)
    if retry > max(now, not_before):
        last = task.objects(RUN_CLASS)[-1]
        attempt, retries = number(last["attempt"]) + 1, number(_value(task, "retries"))
        raise Waits(gettext("is tried again at %(time)s (attempt %(attempt)s of %(most)s)",
                            time=in_words(retry), attempt=f"{attempt:g}", most=f"{retries + 1:g}"),
                    TIME, retry)
    if not_before > now:
        raise Waits(gettext("waits until %(time)s", time=in_words(not_before)), TIME, not_before)


def _check_group(task: OpenDocument, groups: Mapping[str, list[str]]) -> None:
    gate = group_gate(task)
    if gate != OPEN and not has_room(gate, groups):
        running = groups[group(task)]
        raise Waits(gettext("%(num)s of at most %(most)s tasks of its group %(group)s run: "
                            "%(names)s", num=len(running), most=_group_limit(task),
                            group=group(task), names=", ".join(running[:3])), gate)


def _group_limit(task: OpenDocument) -> int:
    return max(1, int(number(_value(task, "groupLimit"))))


def _value(task: OpenDocument, name: str) -> Any:
    obj: OpenObject | None = task.object(TASK_CLASS)
    return obj[name] if obj else None


def _way_back(came_from: Mapping[Reference, Reference], current: Reference,
              start: Reference) -> list[Reference]:
    way = [start]
    while current != start:
        way.insert(0, current)
        current = came_from[current]
    return way
