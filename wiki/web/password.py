"""``/password``: a user's own password, changed by who knows the old one."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from wiki.accounts import MAX_PASSWORD
from wiki.errors import AuthenticationFailed, InvalidValue
from wiki.references import Reference
from wiki.translate import gettext
from wiki.web.context import site
from wiki.web.session import current_user, log_in, login_required

blueprint = Blueprint("password", __name__)


@blueprint.get("/password")
@login_required
def form() -> str:
    return shown()


@blueprint.post("/password")
@login_required
def change() -> Response | tuple[str, int]:
    """Set the new password. Other sessions and all tokens end with the old one; this session
    begins anew."""
    user, given = current_user(), request.form
    name = Reference.parse(user).name
    try:
        site().accounts.verify(name, given.get("current", ""), request.remote_addr or "")
    except AuthenticationFailed as error:
        return shown("current", str(error) if error.wait else gettext(
            "This is not your current password.")), 403
    if given.get("new", "") != given.get("again", ""):
        return shown("again", gettext("The new passwords differ.")), 400
    try:
        site().accounts.set_password(name, given.get("new", ""))
    except InvalidValue:
        return shown("new", gettext("A password has 1 to %(most)s characters.",
                                    most=MAX_PASSWORD)), 400
    log_in(user)
    flash(gettext("Your password is changed. Your other sessions and your API tokens have "
                  "ended."), "success")
    return redirect(url_for("password.form"))


def shown(wrong: str = "", error: str = "") -> str:
    """The form, which never gives back what was typed; ``wrong``: the field of the error."""
    return render_template("password.html", title=gettext("Password"), wrong=wrong, error=error,
                           most=MAX_PASSWORD)
