"""The runs of a task: how each went, what it changed or would change, and taking it back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response

from wiki.api import OpenDocument, OpenObject
from wiki.errors import DocumentNotFound, LogNotFound, NotFound, TaskError
from wiki.model import Document
from wiki.references import Reference
from wiki.tasks.log import LogRun, log_name
from wiki.tasks.names import OWN_CLASSES, TASK_CLASS
from wiki.tasks.records import RunRecord, in_words, runs_of
from wiki.tasks.undo import Change, Changes, State, find_run
from wiki.tasks.written import claimed_version
from wiki.translate import gettext, ngettext
from wiki.web.changes import compare
from wiki.web.context import page, page_url, reader, show, site
from wiki.web.session import current_user, login_required

blueprint = Blueprint("runs", __name__)
#: How many pages are listed at once.
SIZE = 100


@blueprint.get("/<ref>/runs")
def list_runs(ref: str) -> str:
    task = task_page(ref)
    return show("run_list.html", task.record, "", runs=runs_of(task.record), in_words=in_words)


@blueprint.get("/<ref>/runs/<int:number>")
def show_run(ref: str, number: int) -> str:
    """``after`` is where the list of pages goes on, ``state`` which of them it has."""
    task = task_page(ref)
    record = find_run(task, number)
    state = wanted_state()
    with changes_of(task, record) as changes:
        rows = [] if changes is None else list(islice(
            judged(changes, request.args.get("after", ""), state), SIZE + 1))
        kinds = {} if changes is None else changes.kinds()
        left = changes is not None and (
            not record["undone"] or any(judged(changes, "", State.OPEN)))
    return show("run_shown.html", task.record, "", run=summary(task, number), record=record,
                rows=rows[:SIZE], more=len(rows) > SIZE, kinds=kinds, state=state,
                total=sum(kinds.values()), kept=changes is not None, left=left, in_words=in_words,
                executor=executor(record), parameters=parameters(task, number),
                log=log_range(task.reference, number), log_name=log_name(task.reference))


@blueprint.get("/<ref>/runs/<int:number>/pages/<name>")
def show_change(ref: str, number: int, name: str) -> str:
    """What the run changed on one page, or would change."""
    task = task_page(ref)
    record = find_run(task, number)
    with changes_of(task, record) as changes:
        touched = None if changes is None else changes.get(Reference.parse(name))
        if changes is None or touched is None:
            raise NotFound(gettext("run %(number)s of %(page)s touched no page %(name)s",
                                   number=number, page=task.reference, name=name))
        before, after = changes.before(touched), changes.after(touched)
    empty = Document(touched.reference)
    return show("run_change.html", task.record, "", number=number, record=record,
                touched=touched, before=before, after=after,
                changes=compare(before or empty, after or empty))


@blueprint.get("/<ref>/runs/<int:number>/undo")
@login_required
def ask_undo(ref: str, number: int) -> str:
    """What taking the run back will do."""
    task = task_page(ref)
    record = site().undo.check(task, number, current_user())
    with changes_of(task, record) as changes:
        counts = changes.count() if changes else {}
        kept = [] if changes is None else list(islice(judged(changes, "", State.KEPT), SIZE))
        open_ = [] if changes is None else list(islice(judged(changes, "", State.OPEN), SIZE))
    return show("run_undo.html", task.record, "", number=number, counts=counts, kept=kept,
                open=open_)


@blueprint.post("/<ref>/runs/<int:number>/undo")
@login_required
def undo(ref: str, number: int) -> Response:
    task = task_page(ref)
    done = site().undo.undo(task.reference, number, current_user())
    back, kept = (ngettext("%(num)s page", "%(num)s pages", count)
                  for count in (done.back, done.kept))
    flash(gettext("Run %(number)s is taken back: %(back)s put back, %(kept)s kept.",
                  number=number, back=back, kept=kept), "success" if not done.kept else "warning")
    return redirect(page_url(task.reference, f"runs/{number}"))


def task_page(ref: str) -> OpenDocument:
    """Raises NotFound where the page is no task."""
    task = page(ref)
    if task.object(TASK_CLASS) is None:
        raise NotFound(gettext("%(page)s is no task, and has no runs", page=task.reference))
    return task


@contextmanager
def changes_of(task: OpenDocument, record: OpenObject) -> Iterator[Changes | None]:
    with site().undo.changes(task.reference, record, current_user()) as changes:
        yield changes


def judged(changes: Changes, after: str, state: State | None) -> Iterator[Change]:
    """Pages with what can become of them, those in one state alone if one is asked for."""
    return (change for touched in changes.all(after)
            if (change := changes.judge(touched)).state == state or state is None)


def wanted_state() -> State | None:
    """Raises TaskError for what is no state."""
    text = request.args.get("state", "")
    if text and text not in list(State):
        raise TaskError(gettext(
            "%(text)s is no state of a page; there are %(names)s", text=f"{text!r:.60}",
            names=", ".join(State)))
    return State(text) if text else None


def summary(task: OpenDocument, number: int) -> RunRecord:
    return next(run for run in runs_of(task.record) if run.number == number)


def executor(record: OpenObject) -> dict[str, object]:
    """The executor as the run had it, and whether it is another now."""
    name, version = str(record["executor"] or ""), str(record["executorVersion"] or "")
    try:
        now = str(reader().get(name).version) if name else ""
    except DocumentNotFound:
        now = ""
    return {"name": name, "version": version, "now": now}


def parameters(task: OpenDocument, number: int) -> dict[str, object] | None:
    """The task's parameters as they were when the run began."""
    version = claimed_version(reader(), task.reference, number)
    if version is None:
        return None
    old = OpenDocument(reader(), reader().revision(task.reference, version), None)
    return {"version": version,
            "objects": [obj for obj in old.objects() if obj.class_name not in OWN_CLASSES]}


def log_range(task: Reference, number: int) -> LogRun | None:
    try:
        return site().logs.range_of(log_name(task), number)
    except LogNotFound:  # archived since, or never begun
        return None
