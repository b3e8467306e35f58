"""A new executor: a form, and the page that it makes with a script to begin from."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, flash, redirect, render_template, request
from werkzeug.wrappers import Response

from wiki.errors import InvalidReference, WikiError
from wiki.references import Reference
from wiki.rights import Right
from wiki.tasks.names import EXECUTOR_CLASS
from wiki.tasks.signing import signer
from wiki.translate import gettext
from wiki.web.context import page_url, reader, site
from wiki.web.errors import status_of
from wiki.web.session import current_user, login_required

blueprint = Blueprint("executors", __name__)
Answer = str | Response | tuple[str, int]
HOME = Reference.parse("Executors.WebHome")
#: The page whose executor object a new one is a copy of.
TEMPLATE = "TaskExecutorCode.ExecutorTemplate"


@blueprint.get("/executors/new")
@login_required
def form() -> str:
    reader().require(Right.EDIT)
    return show_form()


@blueprint.post("/executors/new")
@login_required
def create() -> Answer:
    name = request.form.get("name", "").strip()
    try:
        made = make(name, request.form.get("title", "").strip(),
                    request.form.get("description", "").strip().replace("\r\n", "\n"))
    except WikiError as error:
        return show_form(error=str(error)), status_of(error)
    flash(gettext("%(page)s is made, with a script to begin from.", page=made), "success")
    return redirect(page_url(made, "script"))


def make(name: str, title: str, description: str) -> Reference:
    """Make the executor's page; a bare name is in the space of executors.

    Raises InvalidReference, DocumentExists, DocumentNotFound or AccessDenied.
    """
    if not name:
        raise InvalidReference(gettext("Name the executor's page, such as ImportBooks"))
    template = reader().get(TEMPLATE)
    wiki = site().wiki.as_user(current_user(), signer(template, current_user()))
    page = wiki.new(Reference.parse(name, HOME), title=title, parent=str(HOME))
    page.record = replace(page.record, objects=template.record.objects)
    obj = page.object(EXECUTOR_CLASS) or page.add_object(EXECUTOR_CLASS)
    obj.update(name=title or page.reference.name, description=description)
    page.save(comment="New executor")
    return page.record.reference


def show_form(error: str = "") -> str:
    return render_template("new_executor.html", title=gettext("New executor"), error=error)
