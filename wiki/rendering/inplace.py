"""Values of properties that readers change where they stand (``static/property.js``)."""

from __future__ import annotations

from markupsafe import Markup

from wiki.model import Document, Object, Property
from wiki.rendering.macros import MacroContext

_INLINE = Markup('<span class="property" data-property="{}">{}{}</span>')
_BLOCK = Markup('<div class="property" data-property="{}">{}{}</div>')
_EMPTY = Markup('<span class="faint">–</span>')
#: A link, since a form cannot stand within a line; a script brings the form to it.
_EDIT = Markup(' <a class="property-edit" href="{}" title="Change {}" aria-label="Change {}">✎</a>')


def in_place(context: MacroContext, document: Document, obj: Object, prop: Property,
             shown: Markup, edit: bool, block: bool = False) -> Markup:
    """The value as it is ``shown`` (with ``block`` as a paragraph of its own), and with ``edit``
    a way to its form for who may edit."""
    door = Markup("")
    if edit and context.wiki.may("edit", document):
        url = context.url(document.reference, "property", **{
            "class": obj.class_name, "number": obj.number, "name": prop.name,
            "back": context.path})
        door = _EDIT.format(url, prop.label, prop.label)
    key = f"{document.reference} {obj.class_name} {obj.number} {prop.name}"
    return (_BLOCK if block else _INLINE).format(key, shown or _EMPTY, door)
