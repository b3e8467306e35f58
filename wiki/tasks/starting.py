"""Starting work: a task's page made from its executor, run again, or duplicated.

All that a new task needs is in its first save: parameters, files, and the status. A copy is
signed as :mod:`wiki.tasks.signing` says, so that what somebody without the script right wrote
on the page that it is copied from runs with no more rights there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, BinaryIO

from wiki import classes
from wiki.api import Name, OpenDocument, OpenObject, Wiki
from wiki.errors import (
    AccessDenied,
    DocumentExists,
    DocumentNotFound,
    InvalidDocument,
    InvalidValue,
    NotFound,
    TaskError,
)
from wiki.model import ClassDefinition
from wiki.references import HOME, Reference
from wiki.rights import Right
from wiki.tasks.ends import task_object
from wiki.tasks.executors import may_run, parameter_class, runners
from wiki.tasks.names import (
    EXECUTOR_CLASS,
    OWN_CLASSES,
    RUN_CLASS,
    TASK_CLASS,
    TASK_SPACE,
    Status,
)
from wiki.tasks.signing import signer
from wiki.translate import gettext

#: Names that are tried for a task that was given none, before it is given up.
NAMES_TRIED = 100

Files = Iterable[tuple[str, BinaryIO]]


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a task is asked for: a class, and the values that a form begins with."""

    class_name: str
    definition: ClassDefinition
    values: Mapping[str, Any]


class Starter:
    """Makes tasks as a user, whose rights and whose right to run the executor it asks for."""

    def __init__(self, wiki: Wiki) -> None:
        self._wiki = wiki

    # -- what is asked for -----------------------------------------------------------------

    def look_up(self, user: str, executor: Name) -> OpenDocument:
        """The executor's page; raises DocumentNotFound, or NotFound where it is none."""
        page = self._wiki.as_user(user).get(executor)
        if page.object(EXECUTOR_CLASS) is None:
            raise NotFound(gettext(
                "%(page)s is no executor: it has no object of %(executor_class)s",
                page=page.reference, executor_class=EXECUTOR_CLASS))
        return page

    def executor(self, user: str, executor: Name) -> OpenDocument:
        """The executor's page, for somebody who may run it.

        Raises AccessDenied for anybody else, and what :meth:`look_up` raises.
        """
        page = self.look_up(user, executor)
        self._wiki.as_user(user).require(Right.EDIT)
        if not may_run(page, user):
            raise AccessDenied(gettext(
                "%(user)s may not run %(page)s; it may be run by %(names)s", user=user,
                page=page.reference, names=", ".join(runners(page))))
        return page

    def executor_of(self, user: str, task: OpenDocument) -> OpenDocument:
        """The executor that the task names, for somebody who may run it.

        Raises AccessDenied, or TaskError where the task names no executor.
        """
        name = str(task_object(task).get("taskExecutor", ""))
        if not name:
            raise TaskError(gettext(
                "%(page)s names no executor; choose one under Objects", page=task.reference))
        try:
            return self.executor(user, Reference.parse(name, task.reference))
        except NotFound as error:
            raise TaskError(gettext(
                "%(page)s cannot run: %(error)s", page=task.reference, error=error)) from None

    def parameters(self, executor: OpenDocument,
                   like: OpenDocument | None = None) -> Parameters | None:
        """What a task of the executor is asked for; None where it is asked for nothing.

        The values are those of the task ``like``, else of the template, else the defaults.
        Raises TaskError where the executor names a class that is none.
        """
        named = parameter_class(executor)
        class_name = named or _first_own_class(like)
        definition = self._wiki.class_definition(class_name) if class_name else None
        if definition is None:
            if named:
                raise TaskError(gettext(
                    "The parameter class of %(page)s, %(class_name)s, is no class; define its "
                    "properties, or name another", page=executor.reference, class_name=class_name))
            return None
        source = like or self._template(executor)
        obj = source.record.object(class_name) if source else None
        return Parameters(class_name, definition,
                          obj.values if obj else classes.defaults(definition))

    def _template(self, executor: OpenDocument) -> OpenDocument | None:
        """The page that new tasks are copies of; raises TaskError where it is missing."""
        name = str(_executor_object(executor).get("template", ""))
        if not name:
            return None
        try:
            return self._wiki.get(Reference.parse(name, executor.reference))
        except DocumentNotFound:
            raise TaskError(gettext(
                "The template of %(page)s, %(name)s, does not exist; make the page, or empty the "
                "executor's template", page=executor.reference, name=name)) from None

    def suggest_name(self, executor: OpenDocument) -> Reference:
        """A free name in the executor's space for tasks: its name and the time (UTC)."""
        name = next(self._names(executor), None)
        if name is None:
            raise DocumentExists(gettext("There are too many tasks of this second; name the task"))
        return name

    def _names(self, executor: OpenDocument) -> Iterator[Reference]:
        """Free names, the best first."""
        home = _task_home(executor)
        stem = f"{_cut(executor.reference.name)}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
        for number in range(1, NAMES_TRIED + 1):
            ref = replace(home, name=stem if number == 1 else f"{stem}-{number}")
            if ref not in self._wiki:
                yield ref

    # -- making tasks ----------------------------------------------------------------------

    def start(self, user: str, executor: Name, params: Mapping[str, Any] | None = None,
              files: Files = (), *, name: str = "", title: str = "", dry_run: bool = False,
              ready: bool = True, like: Name | None = None, trial: bool = False) -> Reference:
        """Make a task's page and, unless not ``ready``, let it run; returns its name.

        The page is a copy of the task ``like`` where one is given, else of the executor's
        template. ``params`` are values by property; ``files`` are streamed; a bare ``name`` is
        in the executor's space for tasks. A ``trial`` is a hidden task, with no timetable, group
        or notices of the one that it is like.

        Raises DocumentExists, InvalidValue, InvalidDocument, InvalidReference, AccessDenied,
        NotFound, TooLarge or TaskError.
        """
        page = self.executor(user, executor)
        source = self._wiki.get(like) if like else self._template(page)
        writer = self._writer(user, source)
        given = Reference.parse(name, _task_home(page)) if name else None
        task = writer.new(given or self.suggest_name(page))
        copy_page(source, task)
        if trial:
            task.hidden = True
            for old in task.objects(TASK_CLASS):
                task.remove_object(TASK_CLASS, old.number)
        task.title = title or (source.title if like and source else "")
        obj = task.object(TASK_CLASS) or task.add_object(TASK_CLASS,
                                                         taskExecutor=str(page.reference))
        obj.update(taskExecutor=str(page.reference), dryRun=dry_run,
                   status=(Status.READY if ready else Status.SUSPENDED).value)
        self._fill(task, self.parameters(page, source), params or {})
        _attach(task, files)
        return self._save_new(task, page, given is None)

    def again(self, user: str, task: Name, params: Mapping[str, Any] | None = None,
              files: Files = (), *, dry_run: bool = False, ready: bool = True) -> Reference:
        """Let the task run once more, with the parameters that ``params`` changes.

        Raises TaskError where it is RUNNING, Conflict, and all that :meth:`start` raises.
        """
        page = self._wiki.as_user(user).get(task)
        obj = task_object(page)
        executor = self.executor_of(user, page)
        if obj["status"] == Status.RUNNING:
            raise TaskError(gettext(
                "%(page)s is RUNNING; cancel it first, or make a new task", page=page.reference))
        self._fill(page, self.parameters(executor, page), params or {})
        _attach(page, files)
        obj.update(status=(Status.READY if ready else Status.SUSPENDED).value, dryRun=dry_run)
        page.save(comment=f"Set {obj['status']}", minor=True)
        return page.record.reference

    def duplicate(self, user: str, task: Name, name: str = "") -> Reference:
        """Copy the task, SUSPENDED: its text, parameters and files, without its runs.

        A bare ``name`` is in the space of the task. Raises DocumentExists, InvalidReference,
        AccessDenied, DocumentNotFound or TaskError.
        """
        source = self._wiki.as_user(user).get(task)
        obj = task_object(source)
        executor = str(obj.get("taskExecutor", ""))
        given = Reference.parse(name, source.reference) if name else _copy_name(
            self._wiki, source.reference)
        copy = self._writer(user, source).new(given)
        copy_page(source, copy)
        copy.title = source.title
        task_object(copy).update(
            status=Status.SUSPENDED.value,
            taskExecutor=str(Reference.parse(executor, source.reference)) if executor else None)
        copy.save(comment=f"A copy of {source.reference}, version {source.version}")
        return given

    def _writer(self, user: str, source: OpenDocument | None) -> Wiki:
        """The wiki as the user, who signs only what nobody with fewer rights wrote."""
        signed_by = signer(source, user) if source else user
        return self._wiki.as_user(user, signed_by)

    def _fill(self, page: OpenDocument, asked: Parameters | None,
              params: Mapping[str, Any]) -> None:
        """Set the parameters; raises InvalidValue for a wrong, missing or unknown one."""
        known = [prop.name for prop in asked.definition.properties] if asked else []
        for name in params:
            if name not in known:
                raise InvalidValue(name, params[name], gettext(
                    "one of the parameters: %(names)s", names=", ".join(known))
                    if known else gettext("no parameters at all"))
        if asked is None:
            return
        obj = page.object(asked.class_name)
        if obj is None:
            page.add_object(asked.class_name, **params)
        else:
            record = page.record.object(asked.class_name, obj.number)
            kept = record.values if record else {}
            obj.update(**classes.validate(asked.definition, {**kept, **params}))

    def _save_new(self, task: OpenDocument, executor: OpenDocument,
                  named_by_us: bool) -> Reference:
        """Save the page; one that we named takes another name where somebody was faster."""
        comment = f"A task for {executor.reference}"
        for ref in self._names(executor):
            try:
                return task.save(comment).record.reference
            except DocumentExists:
                if not named_by_us:
                    raise
                task.record = replace(task.record, reference=ref)
        raise DocumentExists(gettext("There are too many tasks of this second; name the task"))


def _executor_object(page: OpenDocument) -> OpenObject:
    obj = page.object(EXECUTOR_CLASS)
    if obj is None:
        raise TaskError(gettext("%(page)s is no executor any more", page=page.reference))
    return obj


def _first_own_class(task: OpenDocument | None) -> str:
    """The class of the task's first object that may hold parameters; empty where none does."""
    return next((obj.class_name for obj in (task.record.objects if task else ())
                 if obj.class_name not in OWN_CLASSES), "")


def _task_home(executor: OpenDocument) -> Reference:
    """The home page of the space that the executor's tasks go to; raises InvalidReference."""
    space = str(_executor_object(executor).get("taskSpace", "")) or TASK_SPACE
    return Reference.parse(f"{space}.{HOME}")


def _copy_name(wiki: Wiki, ref: Reference) -> Reference:
    """A free name for a copy: ``Import-2``."""
    for number in range(2, NAMES_TRIED):
        free = replace(ref, name=f"{_cut(ref.name)}-{number}")
        if free not in wiki:
            return free
    raise DocumentExists(gettext(
        "There are too many copies of %(ref)s; name the next one", ref=ref))


def _cut(name: str) -> str:
    """The name, or so much of it as leaves room for a number: a name has at most 255 bytes."""
    return name.encode()[:200].decode(errors="ignore")


def copy_page(source: OpenDocument | None, target: OpenDocument) -> None:
    """Take over what the source carries, but its runs and what it is in the wiki."""
    record = target.record
    if source is not None:
        record = replace(record, content=source.content, syntax=source.syntax,
                         parent=source.parent, tags=source.tags,
                         attachments=source.record.attachments,
                         objects=tuple(obj for obj in source.record.objects
                                       if obj.class_name != RUN_CLASS))
    target.record = replace(record, parent=record.parent or str(record.reference.home))


def _attach(page: OpenDocument, files: Files) -> None:
    """Keep the files' bytes; the page names them with its save. Raises InvalidDocument for two
    of one name, of which one would be lost."""
    names = set()
    for filename, stream in files:
        page.attach(filename, stream)
        if filename in names:
            raise InvalidDocument(gettext(
                "two files are named %(filename)s; rename one", filename=filename))
        names.add(filename)
