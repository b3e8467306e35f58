"""Executors: finding a task's script, and telling without running it whether it can run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wiki.api import OpenDocument, Wiki
from wiki.errors import DamagedPage, DocumentNotFound, InvalidReference, TaskError
from wiki.references import Reference
from wiki.rights import Right, allows
from wiki.tasks.names import EXECUTOR_CLASS, TASK_CLASS
from wiki.tasks.requirements import missing
from wiki.tasks.scriptcheck import fatal_problem
from wiki.translate import gettext


@dataclass(frozen=True, slots=True)
class Executor:
    """A script that can run, as it is at one version of its page."""

    reference: Reference
    version: str
    author: str
    script: str
    #: In seconds.
    time_limit: float | None = None
    #: In megabytes, as the limits of the log and of the working directory.
    memory_limit: float | None = None
    log_limit: float | None = None
    #: In seconds of processor time.
    cpu_limit: float | None = None
    #: Files that are open at once.
    file_limit: int | None = None
    disk_limit: float | None = None
    #: Python packages, a line each.
    requirements: str = ""
    #: Whether a failed run may be repeated by itself.
    repeatable: bool = False
    #: Users who may start tasks with it; empty for everybody.
    runners: tuple[str, ...] = ()


class BadExecutor(TaskError):
    """The task's executor cannot run. ``version`` is that of its page, if there is one."""

    def __init__(self, reason: str, version: str = "") -> None:
        super().__init__(reason)
        self.version = version


def find_executor(wiki: Wiki, task: OpenDocument) -> Executor:
    """The executor that the task names; a bare name is in the task's own space.

    Raises BadExecutor, which says what is wrong with it.
    """
    return open_executor(wiki, executor_name(task))


def executor_name(task: OpenDocument) -> Reference:
    """The page that the task names as its executor; raises BadExecutor where it names none."""
    obj = task.object(TASK_CLASS)
    name = str(obj.get("taskExecutor", "")) if obj else ""
    if not name:
        raise BadExecutor(gettext("the task names no executor"))
    try:
        return Reference.parse(name, task.reference)
    except InvalidReference as error:
        raise BadExecutor(gettext("its executor is no page name: %(error)s",
                                  error=error)) from None


def open_executor(wiki: Wiki, name: Reference) -> Executor:
    """The executor of that name; raises BadExecutor, which says what is wrong with it."""
    try:
        page = wiki.get(name)
    except DocumentNotFound:
        raise BadExecutor(gettext("its executor %(name)s does not exist", name=name)) from None
    except DamagedPage as error:
        raise BadExecutor(gettext("its executor cannot be read: %(error)s", error=error)) from None
    return read_executor(page)


def read_executor(page: OpenDocument) -> Executor:
    """The executor that the page is; raises BadExecutor, which says what is wrong with it."""
    version = str(page.version)
    obj = page.object(EXECUTOR_CLASS)
    if obj is None:
        raise BadExecutor(gettext(
            "its executor %(name)s is no executor: it has no object of %(wanted)s",
            name=page.reference, wanted=EXECUTOR_CLASS), version)
    script = str(obj.get("script", ""))
    needs = str(obj.get("requirements", ""))
    problem = check_script(script, str(page.reference)) or missing(needs)
    if problem:
        raise BadExecutor(gettext("its executor %(name)s is broken: %(problem)s",
                                  name=page.reference, problem=problem), version)
    if not allows(page.script_author, Right.SCRIPT):
        raise BadExecutor(gettext(
            "its executor %(name)s was last changed by %(user)s, who does not hold the script "
            "right",
            name=page.reference, user=page.script_author), version)
    files = limit(obj["fileLimit"])
    return Executor(
        page.reference, version, page.script_author, script, limit(obj["timeLimit"]),
        limit(obj["memoryLimit"]), limit(obj["logLimit"]), limit(obj["cpuLimit"]),
        int(files) if files else None, limit(obj["diskLimit"]), needs,
        obj["repeatable"] is True, tuple(runners(page)))


def parameter_class(executor: OpenDocument) -> str:
    """The class of a task's parameters, or empty; raises InvalidReference."""
    obj = executor.object(EXECUTOR_CLASS)
    name = str(obj.get("parameterClass", "")) if obj else ""
    return str(Reference.parse(name, executor.reference)) if name else ""


def may_run(executor: OpenDocument, user: str) -> bool:
    """Whether the user may start tasks with it: the executor names its runners, or leaves it to
    everybody who may edit the task; who holds the script right always may."""
    named = runners(executor)
    return not named or user in named or allows(user, Right.SCRIPT)


def runners(executor: OpenDocument) -> list[str]:
    """The users that the executor names as those who may run it; empty for everybody."""
    obj = executor.object(EXECUTOR_CLASS)
    named = obj["runners"] if obj else None
    return [named] if isinstance(named, str) and named else list(named or ())


def check_script(script: str, name: str) -> str:
    """What keeps the script from running, as far as that shows without running it, or ``""``."""
    return str(fatal_problem(script, name) or "")


def limit(value: Any) -> float | None:
    """A limit from an object; empty, damaged and 0 are none."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if 0 < number < float("inf") else None
