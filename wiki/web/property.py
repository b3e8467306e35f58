"""Changing one property of a page: the form that ``<<property edit="true"/>>`` leads to."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response

from wiki.errors import Conflict, InvalidDocument, InvalidValue, NotFound, ObjectNotFound, WikiError
from wiki.model import Document, Object, Property, Version
from wiki.rights import Right
from wiki.translate import gettext
from wiki.web import fields
from wiki.web.context import page, page_url, reader, show
from wiki.web.errors import status_of
from wiki.web.fields import Field
from wiki.web.saving import objects_at, save_objects
from wiki.web.session import login_required, safe_next

blueprint = Blueprint("property", __name__)
Answer = str | Response | tuple[str, int]
KEY = "value"


@blueprint.get("/<ref>/property")
@login_required
def form(ref: str) -> Answer:
    document = page(ref).record
    reader().require(Right.EDIT, document)
    obj, prop = asked(document)
    return show_form(document, fields.make_field(KEY, prop, obj.values.get(prop.name)))


@blueprint.post("/<ref>/property")
@login_required
def submit(ref: str) -> Answer:
    """Save the value over the version that the form showed; a newer one is no conflict unless
    somebody changed the same object."""
    document = page(ref).record
    obj, prop = asked(document)
    item = fields.make_field(KEY, prop, obj.values.get(prop.name))
    fields.fill([item], request.form)
    values = fields.read([item], request.form)
    if not item.error:
        fields.need([item], values)
    if item.error:
        return show_form(document, item), 400
    try:
        save(document, obj, values)
    except InvalidValue as error:
        fields.mark([item], error)
        return show_form(document, item, str(error)), 400
    except Conflict as error:
        return show_form(page(ref).record, item, f"{error}. Look at what it is now, then save "
                                                 "again."), 409
    except WikiError as error:
        return show_form(document, item, str(error)), status_of(error)
    flash(gettext("%(label)s is saved.", label=prop.label), "success")
    return redirect(back(document))


def asked(document: Document) -> tuple[Object, Property]:
    """The object and the property that the address names; raises NotFound or InvalidDocument."""
    class_name, name = request.args.get("class", ""), request.args.get("name", "")
    obj = document.object(class_name, request.args.get("number", 0, int))
    if obj is None:
        raise ObjectNotFound(gettext("%(page)s has no such object of %(class_name)s",
                                     page=document.reference, class_name=class_name))
    definition = reader().class_definition(class_name)
    prop = definition.get(name) if definition else None
    if prop is None:
        raise NotFound(gettext("%(class_name)s has no property %(name)s", class_name=class_name,
                               name=repr(name)))
    if prop.type == "Password":
        raise InvalidDocument(gettext("%(name)s is a password; change it under Objects",
                                      name=name))
    return obj, prop


def save(document: Document, obj: Object, values: dict[str, object]) -> None:
    version = Version.parse(request.form.get("version", ""))
    mine = next((old for old in objects_at(document, version)
                 if (old.class_name, old.number) == (obj.class_name, obj.number)), obj)
    changed = document.with_object(mine.with_values(**values))
    save_objects(changed, version, f"Changed {', '.join(values)}", minor=True,
                 shown=False)


def back(document: Document) -> str:
    """The page that the form was opened from."""
    given = request.args.get("back", "")
    return safe_next(given) if given else page_url(document.reference)


def show_form(document: Document, item: Field, error: str = "") -> str:
    return show("property.html", document, "objects", item=item, error=error,
                action=request.full_path, back=back(document), offers=fields.offers([item]))
