"""``/tokens``: a user's own API tokens. A new one is shown once."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import (
    Blueprint,
    Response,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response as BaseResponse

from wiki.errors import InvalidValue
from wiki.references import Reference
from wiki.tokens import SCOPES
from wiki.translate import gettext
from wiki.web.context import site
from wiki.web.session import current_user, login_required

blueprint = Blueprint("tokens", __name__)
#: Days to choose from; empty for no end.
DAYS = ("30", "90", "365", "")


@blueprint.get("/tokens")
@login_required
def listed() -> Response:
    return shown()


@blueprint.post("/tokens")
@login_required
def make() -> Response:
    days = request.form.get("days", "")
    try:
        if days not in DAYS:
            raise InvalidValue("days", days[:40], ", ".join(DAYS[:-1]) + " or none")
        made = site().tokens.add(name(), request.form.get("name", ""),
                                 request.form.get("scope", ""), int(days) if days else None)
    except InvalidValue as error:
        return shown(error=str(error), status=400)
    return shown(made=made)


@blueprint.post("/tokens/<key>/revoke")
@login_required
def revoke(key: str) -> BaseResponse:
    site().tokens.revoke(name(), key)
    flash(gettext("The token is revoked."), "success")
    return redirect(url_for("tokens.listed"))


def name() -> str:
    """The user, by the name that accounts know."""
    return Reference.parse(current_user()).name


def shown(made: str = "", error: str = "", status: int = 200) -> Response:
    """The list, and the token just made, which no cache may keep."""
    response = make_response(render_template(
        "tokens.html", title=gettext("API tokens"), tokens=site().tokens.of(name()), made=made,
        error=error, days=DAYS, scopes=SCOPES, given=request.form,
        moment=lambda seconds: datetime.fromtimestamp(seconds, UTC)), status)
    response.headers["Cache-Control"] = "no-store"
    return response
