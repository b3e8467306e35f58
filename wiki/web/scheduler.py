"""What one does with a scheduled job in the browser: a POST, never a GET."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response

from wiki.references import Reference
from wiki.web.context import page, page_url, site
from wiki.web.session import current_user, login_required

blueprint = Blueprint("scheduler", __name__)


@blueprint.post("/<ref>/job")
@login_required
def act(ref: str) -> Response:
    """``action`` is trigger, pause, resume, schedule or unschedule; ``back`` the page to show
    then (the job's own)."""
    job = page(ref).record.reference
    back = Reference.parse(request.form.get("back") or str(job))
    flash(site().scheduler.jobs.act(job, current_user(), request.form.get("action", "")),
          "success")
    return redirect(page_url(back))
