"""The secrets of executors, for who has the admin right: their names, never their values."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from wiki.errors import DocumentNotFound, StoreError, WikiError
from wiki.references import Reference
from wiki.rights import Right
from wiki.secrets import Secret, Secrets
from wiki.translate import gettext
from wiki.web.context import reader, site
from wiki.web.errors import status_of
from wiki.web.session import current_user, login_required

blueprint = Blueprint("secret", __name__)
Answer = str | Response | tuple[str, int]


@blueprint.get("/secrets")
@login_required
def index() -> str:
    reader().require(Right.ADMIN)
    return show()


@blueprint.post("/secrets")
@login_required
def change() -> Answer:
    """``action`` is set or remove; a set one takes the place of one of its name."""
    reader().require(Right.ADMIN)
    name = request.form.get("name", "").strip()
    try:
        if request.form.get("action") == "remove":
            vault().remove(name)
            flash(gettext("The secret %(name)s is removed.", name=name), "success")
        else:
            vault().set(name, request.form.get("value", ""), executors(), by=current_user())
            flash(gettext("The secret %(name)s is kept.", name=name), "success")
    except WikiError as error:
        return show(error=str(error)), status_of(error)
    return redirect(url_for("secret.index"))


def vault() -> Secrets:
    return Secrets(site().settings.data / "secrets")


def executors() -> list[str]:
    """The executors that may read the secret; raises InvalidReference or DocumentNotFound."""
    named = [str(Reference.parse(name))
             for name in request.form.get("executors", "").replace(",", " ").split()]
    missing = next((name for name in named if name not in reader()), None)
    if missing:
        raise DocumentNotFound(gettext("There is no executor %(missing)s", missing=missing))
    return named


def show(error: str = "") -> str:
    kept = vault()
    return render_template("secrets.html", title=gettext("Secrets"), error=error,
                           secrets=[read(kept, name) for name in kept.names()])


def read(kept: Secrets, name: str) -> tuple[str, Secret | None]:
    """The secret, None where it is damaged and has to be set anew."""
    try:
        return name, kept.get(name)
    except StoreError:
        return name, None
