"""The door of ``<<form/>>``: makes the page, or shows the form again with what is wrong."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response

from wiki.errors import InvalidDocument, InvalidValue, WikiError
from wiki.references import Reference
from wiki.rendering.pageforms import TITLE, PageForm, Plan
from wiki.tasks.making import make_page
from wiki.translate import gettext
from wiki.web import fields
from wiki.web.context import page, page_url, reader, show, site
from wiki.web.errors import status_of
from wiki.web.session import current_user, form_token, login_required

blueprint = Blueprint("forms", __name__)


@blueprint.post("/<ref>/form")
@login_required
def submit(ref: str) -> str | Response | tuple[str, int]:
    """``ref`` is the page that the form stands on."""
    made = PageForm.of(Plan.sent(request.form), reader())
    fields.fill(made.fields, request.form)
    values = fields.read(made.fields, request.form)
    fields.need(made.fields, values)
    if any(item.error for item in made.fields):
        return again(ref, made, gettext("Some values are not allowed; they are marked below.")), 400
    try:
        name = make(made, values)
    except InvalidValue as error:
        fields.mark(made.fields, error)
        return again(ref, made, str(error)), 400
    except WikiError as error:
        return again(ref, made, str(error)), status_of(error)
    said = (gettext("%(name)s is READY; the manager starts it when its turn comes.", name=name)
            if made.plan.ready else gettext("%(name)s is made.", name=name))
    flash(said, "success")
    return redirect(page_url(name))


def make(made: PageForm, values: dict[str, Any]) -> Reference:
    """The page that the form describes; returns its name."""
    user, plan = current_user(), made.plan
    if made.title is not None:
        values.pop(TITLE, None)
    title = made.title_of(values, user)
    if not title and made.title is not None:
        made.title.error = gettext("The page needs a title")
        raise InvalidDocument(gettext("The page needs a title"))
    return make_page(site().wiki, user, made.names_of(values, user, title), title,
                     plan.class_name, values, plan.template, bool(plan.ready))


def again(ref: str, made: PageForm, error: str) -> str:
    document = page(ref).record
    html = made.html(page_url(document.reference, "form"), form_token(), reader(), error)
    return show("form.html", document, "view", form=html)
