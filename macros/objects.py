"""``<<objects/>>``: the values of a page's objects, as tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import Markup

from wiki.classes import is_empty, visible
from wiki.model import ClassDefinition, Document, Object, Property
from wiki.rendering.inplace import in_place
from wiki.rendering.macros import MacroContext, PageName, macro
from wiki.rendering.tables.values import link, show
from wiki.translate import gettext

#: What says how the wiki treats the page, and nothing about its subject.
ABOUT_PAGES = frozenset({"Wiki.ClassSheetClass", "Wiki.CommentClass"})
ROW = Markup("<tr><th scope=\"row\"{help}>{label}</th><td>{value}</td></tr>\n")
NO_VALUES = Markup('<p class="empty">{there_are}</p>\n')
TABLE = Markup('<table class="properties">\n{caption}<tbody>\n{rows}</tbody>\n</table>\n')


@macro("objects")
def objects(context: MacroContext, of: str = "", without: str = "", empty: bool = False,
            page: PageName = "", edit: bool = False) -> Markup:
    """The values of the viewed page's objects.

    `of` names the class whose objects are shown (default: all); `without` names classes whose
    objects are not, separated by commas; `empty` shows properties without a value too; `page` is
    another page, whose objects are shown; `edit` lets readers who may edit the page change each
    value where it stands.

    Examples:
        <<objects page="Tasks.ImportCountries" of="Executors.ImportCSVParameters"/>>
    """
    left_out = {name.strip() for name in without.split(",")} | ABOUT_PAGES
    document = context.wiki.get(context.reference(page)).record if page else context.document
    shown = [obj for obj in document.objects
             if obj.class_name == of or (not of and obj.class_name not in left_out)]
    editable = edit and context.wiki.may("edit", document)
    captions = editable or len({obj.class_name for obj in shown}) > 1  # which lead to the class
    return Markup("").join(table(context, document, obj, captions, empty, editable)
                           for obj in shown)


def table(context: MacroContext, document: Document, obj: Object, with_caption: bool,
          empty: bool, edit: bool) -> Markup:
    """One object as a table, in the order of its class; who may change it sees all rows."""
    definition = context.wiki.class_definition(obj.class_name)
    known = {prop.name for prop in definition.properties} if definition else set()
    rows = Markup("").join(
        ROW.format(label=prop.label,
                   value=in_place(context, document, obj, prop, show(context, prop, value), edit,
                                  block=True)
                   if edit and prop.name in known else show(context, prop, value),
                   help=Markup(' title="{}"').format(prop.help) if prop.help else "")
        for prop, value in values_of(definition, visible(obj.values))
        if empty or edit or not is_empty(value))
    caption = Markup("<caption>{}</caption>\n").format(
        link(context, obj.class_name)) if with_caption else Markup("")
    return TABLE.format(caption=caption, rows=rows) if rows else NO_VALUES.format(
        there_are=gettext("There are no values yet."))


def values_of(definition: ClassDefinition | None,
              values: Mapping[str, Any]) -> Iterator[tuple[Property, Any]]:
    """The properties of the class with their values, then the values that it has lost."""
    properties = definition.properties if definition else ()
    for prop in properties:
        if prop.type != "Password":
            yield prop, values.get(prop.name)
    known = {prop.name for prop in properties}
    for name, value in values.items():
        if name not in known:
            yield Property(name), value
