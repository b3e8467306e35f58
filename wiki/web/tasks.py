"""What one does with tasks or a log in the browser: each a POST, never a GET."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request
from werkzeug.wrappers import Response

from wiki.errors import LogNotFound, TaskError, WikiError
from wiki.rights import Right
from wiki.tasks.names import Status
from wiki.translate import gettext, marked
from wiki.web.context import page, page_url, reader, site
from wiki.web.session import current_user, login_required

blueprint = Blueprint("tasks", __name__)
SHOW_LOG = "TaskExecutorCode.ShowLog"
BOARD = "Tasks.WebHome"
DONE = {"ready": marked("is READY; the manager starts it when its turn comes."),
        "suspend": marked("is SUSPENDED."), "cancel": marked("is asked to stop.")}
STATUSES = {"ready": Status.READY, "suspend": Status.SUSPENDED}
#: How many tasks may be changed at once.
MAX_BULK = 1000


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a change of one task."""

    task: str
    message: str
    good: bool


@blueprint.post("/<ref>/task")
@login_required
def act(ref: str) -> Response:
    """``action`` is ready, suspend or cancel."""
    reference = page(ref).record.reference
    action = request.form.get("action", "")
    action_of(action)(str(reference), current_user())
    flash(f"{reference} {gettext(DONE[action])}", "success")
    return redirect(page_url(reference))


@blueprint.post("/tasks/bulk")
@login_required
def bulk() -> str:
    """Do ``action`` with each of the tasks ``task``; the answer says what came of each."""
    action = request.form.get("action", "")
    action_of(action)
    tasks = list(dict.fromkeys(request.form.getlist("task")))
    if not tasks:
        raise TaskError(gettext("No task was chosen; tick some, then press the button"))
    if len(tasks) > MAX_BULK:
        raise TaskError(gettext("%(num)s tasks are too many at once; choose at most "
                                "%(most)s", num=len(tasks), most=MAX_BULK))
    results = [Result(task, error or gettext(DONE[action]), good=not error)
               for task, error in change_all(tasks, action).items()]
    return render_template("bulk.html", title=gettext("What came of it"), results=results,
                           board=BOARD,
                           failed=sum(not result.good for result in results))


def change_all(tasks: list[str], action: str) -> dict[str, str]:
    """What was wrong with each task; empty where nothing was."""
    manager, user = site().manager, current_user()
    if action in STATUSES:
        done = manager.set_status(tasks, STATUSES[action], user)
        return {str(task): error for task, error in done.items()}
    errors = dict.fromkeys(tasks, "")
    for task in tasks:
        try:
            manager.cancel(task, user)
        except WikiError as error:
            errors[task] = str(error)
    return errors


def action_of(name: str) -> Callable[[str, str], None]:
    """What the manager does with a task's name and a user; raises TaskError."""
    manager = site().manager
    actions: dict[str, Callable[..., None]] = {
        "ready": manager.ready, "suspend": manager.suspend, "cancel": manager.cancel}
    if name not in actions:
        raise TaskError(gettext(
            "%(name)s is nothing to do with a task; there are %(names)s", name=repr(name),
            names=", ".join(actions)))
    return actions[name]


@blueprint.post("/logs/archive")
@login_required
def archive() -> Response:
    """Put a log away under a name with the time, so that the next line begins a new one."""
    log = request.form.get("log", "").strip()
    logs = site().logs
    if not logs.known(reader(), log) or not logs.exists(log):
        raise LogNotFound(gettext("There is no log %(log)s", log=repr(log)))
    reader().require(Right.EDIT, logs.page(reader(), log))
    name = logs.archive(log)
    if request.form.get("compress"):
        name = logs.pack(name)
    flash(gettext("%(log)s is archived as %(name)s.", log=log, name=name), "success")
    return redirect(page_url(SHOW_LOG, log=name))
