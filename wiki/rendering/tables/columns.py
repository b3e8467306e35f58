"""Columns of a table of pages: fields of the page (``doc.title``) and properties of a class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from wiki import classes
from wiki.errors import BadValue, DamagedPage, DocumentNotFound
from wiki.language import links
from wiki.model import ClassDefinition, Document, Property
from wiki.rendering.macros import MacroContext
from wiki.rendering.tables import values
from wiki.rendering.tables.conditions import property_of
from wiki.store.base import Row
from wiki.translate import gettext, marked, shipped

#: The page with all tags.
TAGS = "Main.Tags"
#: Columns where a macro names none, beside the title.
DEFAULT_COLUMNS = 5
_LABELS = {"reference": marked("Page"), "name": marked("Name"), "space": marked("Space"),
           "title": marked("Title"), "author": marked("Author"), "creator": marked("Creator"),
           "created": marked("Created"), "updated": marked("Updated"), "tags": marked("Tags")}
#: Fields of the page that can be a column.
FIELDS = tuple(_LABELS)
_TEXT_FIELDS = frozenset({"reference", "name", "space", "title", "author", "creator"})
_KINDS = {"StaticList": "list", "Boolean": "boolean", "Number": "number", "Date": "date"}
#: What sets the cells of a field or a kind apart.
_LOOKS = {"number": Markup(' class="right"'), "doc.title": Markup(' class="title"')}
#: Fields that the index's row does not tell, so that the page is opened for them.
_OF_PAGE = frozenset({"creator", "created", "tags"})


@dataclass(frozen=True, slots=True)
class Column:
    """A column: a field of the page, or a property (``prop`` is None for one that no class
    defines)."""

    field: str
    label: str
    prop: Property | None = None

    @property
    def document_field(self) -> str:
        """The field of the page that it shows, or empty."""
        return self.field.removeprefix("doc.") if self.field.startswith("doc.") else ""

    @property
    def kind(self) -> str:
        """What it is filtered by: ``text``, ``list``, ``boolean``, or a range of ``number`` or
        ``date``; empty where it cannot be."""
        if self.document_field == "tags":
            return "list"
        if self.document_field:
            return "text" if self.document_field in _TEXT_FIELDS else "date"
        return _KINDS.get(self.prop.type, "text") if self.prop is not None else ""

    @property
    def sortable(self) -> bool:
        """Whether rows can be in the order of it."""
        return self.document_field != "tags"

    @property
    def opens(self) -> bool:
        """Whether the page must be opened to show it."""
        return not self.document_field or self.document_field in _OF_PAGE


def columns_of(text: str, class_name: str, definition: ClassDefinition | None,
               name: str = "columns") -> list[Column]:
    """The columns that the text names, separated by commas; where it names none, the title and
    the first properties. Raises MacroError for a column that cannot be."""
    names = [part.strip() for part in text.split(",") if part.strip()]
    if not names:
        names = list(_usual(class_name, definition))
    return [_column(item, class_name, definition, name) for item in names]


def _usual(class_name: str, definition: ClassDefinition | None) -> Iterator[str]:
    yield "doc.title"
    for prop in definition.properties[:DEFAULT_COLUMNS] if definition else ():
        if prop.type not in ("TextArea", "Password"):
            yield prop.name
    if not class_name:
        yield from ("doc.space", "doc.updated")


def _column(name: str, class_name: str, definition: ClassDefinition | None,
            parameter: str) -> Column:
    if name.startswith("doc."):
        field = name.removeprefix("doc.")
        if field not in FIELDS:
            raise BadValue(parameter, gettext(
                "a page has no field %(name)s; there are %(names)s", name=repr(name),
                names=", ".join(f"doc.{item}" for item in FIELDS)))
        return Column(name, gettext(_LABELS[field]))
    if class_name and definition is None:  # objects outlive their class
        return Column(name, name)
    prop = property_of(name, definition, parameter)
    return Column(name, prop.label, prop)


def opened(context: MacroContext, row: Row, columns: Sequence[Column]) -> Document | None:
    """The row's page where a column needs it and it is not damaged; raises DocumentNotFound
    where it was deleted since the index was asked."""
    if not any(column.opens for column in columns):
        return None
    try:
        return context.wiki.get(row.reference).record
    except DamagedPage:
        return None


def cells(context: MacroContext, row: Row, columns: Sequence[Column], class_name: str,
          before: str = "") -> Markup | None:
    """The row as ``<tr>``, with the cells ``before`` (Markup); None where its page is gone."""
    try:
        record = opened(context, row, columns)
    except DocumentNotFound:
        return None
    return Markup('<tr data-key="{}">{}{}</tr>\n').format(row.reference, before, Markup("").join(
        Markup('<td data-label="{}"{}>{}</td>').format(
            column.label, _LOOKS.get(column.field if column.document_field else column.kind, ""),
            cell(context, column, row, record, class_name))
        for column in columns))


def cell(context: MacroContext, column: Column, row: Row, record: Document | None,
         class_name: str) -> Markup | str:
    """What stands in the column for a row."""
    if column.document_field:
        return _field(context, column.document_field, row, record)
    found = record.object(class_name) if record else None
    value = classes.visible(found.values).get(column.field) if found else None
    if isinstance(value, str):
        value = shipped(str(row.reference), value)
    if column.field == "status" and value:
        return Markup('<span class="badge status {}">{}</span>').format(
            str(value).lower(), str(value))
    return values.show(context, column.prop or Property(column.field), value, short=True)


def _field(context: MacroContext, field: str, row: Row,
           record: Document | None) -> Markup | str:
    reference = row.reference
    if field in ("title", "reference", "name"):
        label = {"title": row.title or reference.name, "reference": str(reference),
                 "name": reference.name}[field]
        return links.page_link(reference, label)
    if field in _OF_PAGE and record is None:
        return ""
    if field == "tags":
        return _tags(context, record.tags if record else ())
    if field in ("created", "updated"):
        return values.time(record.created if record and field == "created" else row.updated)
    if field == "space":
        return reference.space
    return values.user(context, record.creator if record and field == "creator" else row.author)


def _tags(context: MacroContext, tags: Sequence[str]) -> Markup:
    return Markup('<span class="tags">{}</span>').format(Markup(" ").join(
        Markup('<a class="tag" href="{}">{}</a>').format(context.url(TAGS, tag=tag), tag)
        for tag in tags)) if tags else Markup("")
