"""What one does with a task or a log in the browser: each a POST, never a GET."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response

from wiki.errors import LogNotFound, TaskError
from wiki.model import GUEST
from wiki.rights import Right
from wiki.web.context import page, page_url, reader, site
from wiki.web.session import current_user, login_required

blueprint = Blueprint("tasks", __name__)
SHOW_LOG = "TaskExecutorCode.ShowLog"
DONE = {"ready": "is READY; the manager starts it when its turn comes.",
        "suspend": "is SUSPENDED.", "cancel": "is asked to stop."}


@blueprint.post("/<ref>/task")
@login_required
def act(ref: str) -> Response:
    """``action`` is ready, suspend or cancel."""
    reference = page(ref).record.reference
    action = request.form.get("action", "")
    manager = site().manager
    actions = {"ready": manager.ready, "suspend": manager.suspend, "cancel": manager.cancel}
    if action not in actions:
        raise TaskError(f"{action!r} is nothing to do with a task; there are "
                        + ", ".join(actions))
    actions[action](reference, current_user())
    flash(f"{reference} {DONE[action]}", "success")
    return redirect(page_url(reference))


@blueprint.post("/logs/archive")
@login_required
def archive() -> Response:
    """Put a log away under a name with the time, so that the next line begins a new one."""
    log = request.form.get("log", "").strip()
    reader().require(Right.EDIT)
    if current_user() == GUEST or not site().logs.exists(log):
        raise LogNotFound(f"There is no log {log!r}")
    name = site().logs.archive(log)
    flash(f"{log} is archived as {name}.", "success")
    return redirect(page_url(SHOW_LOG, log=name))
