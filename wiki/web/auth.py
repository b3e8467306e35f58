"""Logging in and out. Both are POSTs; failed attempts are counted and limited by Accounts."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request
from werkzeug.wrappers import Response

from wiki.errors import AuthenticationFailed
from wiki.translate import gettext
from wiki.web.context import site
from wiki.web.session import log_in, log_out, safe_next

blueprint = Blueprint("auth", __name__)


@blueprint.get("/login")
def login() -> str:
    return render_template("login.html", title=gettext("Log in"),
                           next=safe_next(request.args.get("next", "/")))


@blueprint.post("/login")
def submit() -> str | Response | tuple[str, int]:
    name = request.form.get("name", "").strip()
    target = safe_next(request.form.get("next", "/"))
    try:
        user = site().accounts.verify(name, request.form.get("password", ""),
                                      request.remote_addr or "")
    except AuthenticationFailed as error:
        return render_template("login.html", title=gettext("Log in"), name=name, error=str(error),
                               next=target), 401
    log_in(user)
    return redirect(target)


@blueprint.post("/logout")
def logout() -> Response:
    log_out()
    flash(gettext("You are logged out."), "info")
    return redirect(safe_next(request.form.get("next", "/")))
