"""The objects editor: one form for all objects of a page, built from their classes.

The form holds the objects, not the server: one that is added or removed there is so on the
page once the form is saved, so that nothing typed is ever lost on the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response

from wiki import classes
from wiki.api import make_query
from wiki.errors import Conflict, InvalidDocument, InvalidReference, InvalidValue, WikiError
from wiki.instances import problems
from wiki.model import ClassDefinition, Document, Object, Version
from wiki.references import Reference
from wiki.rights import RUNNABLE_CLASSES, Right
from wiki.translate import gettext
from wiki.web import fields
from wiki.web.changes import compare
from wiki.web.context import page, page_url, reader, runs, show
from wiki.web.errors import status_of
from wiki.web.fields import Field
from wiki.web.saving import identity, objects_at, save_objects
from wiki.web.scriptpages import warn_of_scripts
from wiki.web.session import login_required

blueprint = Blueprint("objects", __name__)
Answer = str | Response | tuple[str, int]
COMMON_CLASSES = ("TaskExecutorCode.TaskClass", "TaskExecutorCode.TaskExecutorClass")


@dataclass(slots=True)
class FormObject:
    """An object in the form; ``lost`` are values that no property of its class has."""

    class_name: str
    number: int
    fields: list[Field] = field(default_factory=list)
    lost: dict[str, Any] = field(default_factory=dict)
    has_class: bool = True
    is_new: bool = False

    @property
    def key(self) -> str:
        return f"{self.class_name}[{self.number}]"


@blueprint.get("/<ref>/objects")
@login_required
def form(ref: str) -> Answer:
    document = page(ref).record
    reader().require(Right.EDIT, document)
    shown = [form_object(obj, values=obj.values) for obj in document.objects]
    for item, obj in zip(shown, document.objects, strict=True):
        point_out(item, obj, document)
    added = request.args.get("class")
    if added:
        shown.append(new_object(added, document, shown))
    return show_form(document, document.version, shown)


@blueprint.post("/<ref>/objects")
@login_required
def submit(ref: str) -> Answer:
    document = page(ref).record
    version = Version.parse(request.form.get("version", ""))
    action = request.form.get("action", "save")
    shown = [read_object(key, document) for key in request.form.getlist("object")]
    if action.startswith("remove:"):
        kept = [obj for obj in shown if obj.key != action.removeprefix("remove:")]
        return show_form(document, version, kept)
    if action == "add" or request.form.get("add_class", "").strip():
        return add(document, version, shown)  # also where Enter was pressed beside the class
    changed = replace(document, objects=tuple(value_of(obj, document) for obj in shown))
    if any(item.error for item in all_fields(shown)):
        return show_form(document, version, shown, error=gettext("Some values are not allowed; "
                                                                 "they are marked below.")), 400
    return save(changed, version, shown)


def add(document: Document, version: Version, shown: list[FormObject]) -> Answer:
    """The form with one more object in it."""
    name = request.form.get("add_class", "").strip()
    try:
        shown.append(new_object(name, document, shown))
    except (InvalidReference, InvalidDocument) as error:
        return show_form(document, version, shown, add_error=str(error), add_class=name), 400
    return show_form(document, version, shown)


def save(changed: Document, version: Version, shown: list[FormObject]) -> Answer:
    """Save over the version that the form began with, or over a newer one in which nobody
    touched the same objects: a run that started or ended meanwhile, say."""
    try:
        saved = save_objects(changed, version, request.form.get("comment", "").strip(),
                             "minor" in request.form)
    except InvalidValue as error:
        fields.mark(all_fields(shown), error)
        return show_form(changed, version, shown, error=str(error)), 400
    except Conflict as error:
        theirs = page(str(changed.reference)).record
        known = {identity(obj) for obj in (*objects_at(changed, version), *changed.objects)}
        shown += [form_object(obj, obj.values) for obj in theirs.objects
                  if identity(obj) not in known]
        return show_form(theirs, theirs.version, shown, error=str(error),
                         differences=compare(theirs, changed)), 409
    except WikiError as error:
        return show_form(changed, version, shown, error=str(error)), status_of(error)
    flash(gettext("Saved as version %(version)s.", version=saved.version), "success")
    warn_of_scripts(saved)
    return redirect(page_url(saved.reference))


def all_fields(shown: list[FormObject]) -> list[Field]:
    return [item for obj in shown for item in obj.fields]


def definition_of(class_name: str) -> ClassDefinition | None:
    return reader().class_definition(class_name)


def form_object(obj: Object, values: Mapping[str, Any], is_new: bool = False) -> FormObject:
    """An object as the form shows it."""
    definition = definition_of(obj.class_name)
    properties = definition.properties if definition else ()
    shown = FormObject(obj.class_name, obj.number, has_class=definition is not None,
                       is_new=is_new)
    shown.fields = [
        fields.make_field(f"{shown.key}.{prop.name}", prop, values.get(prop.name))
        for prop in properties]
    names = {prop.name for prop in properties}
    shown.lost = {name: value for name, value in classes.visible(values).items()
                  if name not in names}
    return shown


def point_out(shown: FormObject, obj: Object, document: Document) -> None:
    """Note on the fields which values the class does not allow (any more)."""
    definition = definition_of(obj.class_name) or ClassDefinition()
    for wrong in problems(definition, document.reference, obj):
        if wrong.value:
            fields.mark(shown.fields, InvalidValue(wrong.property, wrong.value, wrong.allowed))


def new_object(class_name: str, document: Document, shown: list[FormObject]) -> FormObject:
    """An object of the class to fill; raises InvalidReference or InvalidDocument."""
    name = str(Reference.parse(class_name, document.reference))
    definition = definition_of(name)
    if definition is None:
        raise InvalidDocument(gettext("%(name)s is not a class; name a page that defines one",
                                      name=name))
    numbers = [obj.number for obj in shown if obj.class_name == name]
    number = max([document.next_number(name) - 1, *numbers]) + 1
    return form_object(Object(name, number), classes.defaults(definition), is_new=True)


def read_object(key: str, document: Document) -> FormObject:
    """An object of the submitted form, its fields with the texts that were typed."""
    class_name, _, rest = key.rpartition("[")
    number = rest.removesuffix("]")
    if not (class_name and number.isascii() and number.isdigit() and len(number) < 10):
        raise InvalidDocument(gettext("%(key)s is no object of this form", key=repr(key)))
    name = str(Reference.parse(class_name))
    old = document.object(name, int(number))
    shown = form_object(old or Object(name, int(number)), old.values if old else {}, old is None)
    fields.fill(shown.fields, request.form)
    return shown


def value_of(shown: FormObject, document: Document) -> Object:
    """The object that the fields make; notes on each what is wrong with it."""
    old = document.object(shown.class_name, shown.number)
    values = dict(old.values) if old else {}
    values.update(fields.read(shown.fields, request.form))
    return Object(shown.class_name, shown.number, values)


def show_form(document: Document, version: Version, shown: list[FormObject],
              **values: object) -> str:
    wiki = reader()
    scripts = runs(document) or any(obj.class_name in RUNNABLE_CLASSES for obj in shown)
    return show("objects.html", document, "objects", version=version, shown=shown,
                class_names=class_names(), offers=fields.offers(all_fields(shown)),
                disarms=scripts and not wiki.may(Right.SCRIPT, document), **values)


def class_names() -> list[str]:
    """Classes to offer: pages that are named as classes are."""
    named = make_query(None, {"doc.name__contains": "Class"}, (), fields.OFFERED, 0, None)
    rows = reader().rows(named)
    return sorted({*COMMON_CLASSES, *(str(row.reference) for row in rows)})
