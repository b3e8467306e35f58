"""A table of pages that readers sort, filter and page through, without a script in the browser.

Its state is in the page's address, under names that begin with the table's own, so that two
tables on a page do not mix. Only the rows that are shown are opened.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlencode

from markupsafe import Markup

from wiki import classes
from wiki.errors import DocumentNotFound, InvalidReference, InvalidValue, MacroError
from wiki.model import ClassDefinition, Document, Property
from wiki.references import Reference
from wiki.rendering import links
from wiki.rendering.macros import MacroContext
from wiki.store.base import DOCUMENT_FIELDS, Condition, Query, Row

MAX_ROWS = 200
#: Columns where the macro names none, beside the title.
DEFAULT_COLUMNS = 5
_LABELS = {"reference": "Page", "name": "Name", "space": "Space", "title": "Title",
           "author": "Author", "creator": "Creator", "created": "Created", "updated": "Updated"}
_TEXT_FIELDS = frozenset({"reference", "name", "space", "title", "author", "creator"})


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
    def filterable(self) -> bool:
        return self.document_field in _TEXT_FIELDS or self.prop is not None


class LiveTable:
    """One table of one view. Raises MacroError for a column that cannot be."""

    def __init__(self, context: MacroContext, class_name: str, columns: str, space: str,
                 sort: str, rows: int, name: str, hidden: bool = True) -> None:
        self.context = context
        self.class_name = str(context.reference(class_name)) if class_name.strip() else ""
        self.definition = self._definition()
        self.columns = self._columns(columns)
        self.space = space.strip()
        self.prefix = (name.strip() or self.class_name.rpartition(".")[2] or "pages") + "."
        self.size = max(1, min(rows, MAX_ROWS))
        self.sort = self._sort(sort)
        self.problems: list[str] = []
        self.query = Query(self.class_name or None, tuple(self._conditions()),
                           (self.sort,) if self.sort else (), self.space or None,
                           nested=True, hidden=hidden and bool(self.class_name))

    # -- state in the address --------------------------------------------------------------

    def _arg(self, name: str) -> str:
        return self.context.args.get(self.prefix + name, "").strip()

    def _url(self, **changes: str) -> str:
        args = dict(self.context.args)
        args.update({self.prefix + key: value for key, value in changes.items()})
        return self.context.path + "?" + urlencode(
            {key: value for key, value in args.items() if value})

    def _definition(self) -> ClassDefinition | None:
        if not self.class_name:
            return None
        return self.context.wiki.class_definition(self.class_name)

    def _columns(self, text: str) -> list[Column]:
        names = [name.strip() for name in text.split(",") if name.strip()]
        if not names:
            properties = self.definition.properties if self.definition else ()
            names = ["doc.title", *(prop.name for prop in properties[:DEFAULT_COLUMNS]
                                    if prop.type not in ("TextArea", "Password"))]
            if not self.class_name:
                names.extend(["doc.space", "doc.updated"])
        return [self._column(name) for name in names]

    def _column(self, name: str) -> Column:
        if name.startswith("doc."):
            field = name.removeprefix("doc.")
            if field not in DOCUMENT_FIELDS:
                raise MacroError(f"columns: a page has no field {name!r}; there are "
                                 + ", ".join(f"doc.{item}" for item in DOCUMENT_FIELDS))
            return Column(name, _LABELS[field])
        if not self.class_name:
            raise MacroError(f"columns: {name!r} is a property; name its class with class=\"...\"")
        prop = self.definition.get(name) if self.definition else None
        if self.definition and prop is None:
            raise MacroError(f"columns: {self.class_name} has no property {name!r}; it has "
                             + ", ".join(item.name for item in self.definition.properties))
        if prop is not None and prop.type == "Password":
            raise MacroError(f"columns: {name} is a password, which is never shown")
        return Column(name, prop.label if prop else name, prop)

    def _sort(self, default: str) -> str:
        fields = {column.field for column in self.columns}
        for wanted in (self._arg("sort"), default.strip()):
            if wanted.removeprefix("-") in fields:
                return wanted
        return ""

    def _conditions(self) -> Iterator[Condition]:
        for column in self.columns:
            text = self._arg(column.field)
            if text and column.filterable:
                try:
                    yield self._condition(column, text)
                except InvalidValue as error:
                    self.problems.append(str(error))

    def _condition(self, column: Column, text: str) -> Condition:
        prop = column.prop
        if prop is not None and prop.type in ("Number", "Boolean", "StaticList"):
            value = classes.type_of(prop).parse(text, prop)
            if isinstance(value, list):
                value = value[0] if value else ""
            return Condition(column.field, "eq", value)
        return Condition(column.field, "contains", text)

    # -- rows ------------------------------------------------------------------------------

    def render(self) -> Markup:
        """The table with its filters, its rows and the way to the next ones."""
        total = self.context.wiki.count(self.query)
        pages = max(1, -(-total // self.size))
        page = int(self._arg("page")) if self._arg("page").isdecimal() else 1
        page = max(1, min(page, pages))
        query = replace(self.query, limit=self.size, offset=(page - 1) * self.size)
        body = Markup("").join(self._row(row) for row in self.context.wiki.rows(query))
        if not body:
            body = Markup('<tr class="empty"><td colspan="{}">{}</td></tr>').format(
                len(self.columns), "Nothing matches." if self.query.where else "Nothing here yet.")
        problems = Markup("").join(Markup('<p class="box warning">{}</p>').format(problem)
                                   for problem in self.problems)
        # The filters' form stands inside the wrapper; Enter in any of them sends it.
        return Markup(
            '<form class="livetable" method="get" action="{}" id="{}">{}{}'
            '<div class="table-scroll"><table><thead><tr>{}</tr><tr class="filters">{}</tr></thead>'
            '<tbody>{}</tbody></table></div>{}</form>').format(
                self.context.path, f"livetable-{self.prefix[:-1]}", self._kept(), problems,
                self._heads(), self._filters(), body, self._footer(total, page, pages))

    def _kept(self) -> Markup:
        own = {self.prefix + column.field for column in self.columns} | {self.prefix + "page"}
        return Markup("").join(
            Markup('<input type="hidden" name="{}" value="{}">').format(key, value)
            for key, value in self.context.args.items() if key not in own)

    def _heads(self) -> Markup:
        return Markup("").join(self._head(column) for column in self.columns)

    def _head(self, column: Column) -> Markup:
        ascending = self.sort == column.field
        descending = self.sort == f"-{column.field}"
        state = "ascending" if ascending else "descending" if descending else "none"
        mark = " ▲" if ascending else " ▼" if descending else ""
        target = f"-{column.field}" if ascending else column.field
        return Markup('<th scope="col" aria-sort="{}"><a href="{}">{}{}</a></th>').format(
            state, self._url(sort=target, page=""), column.label, mark)

    def _filters(self) -> Markup:
        return Markup("").join(Markup("<td>{}</td>").format(self._filter(column))
                               for column in self.columns)

    def _filter(self, column: Column) -> Markup:
        if not column.filterable:
            return Markup("")
        name, value = self.prefix + column.field, self._arg(column.field)
        options = _options(column.prop)
        if options is None:
            return Markup('<input type="search" name="{}" value="{}" aria-label="Filter {}" '
                          'placeholder="filter">').format(name, value, column.label)
        items = [Markup('<option value="{}"{}>{}</option>').format(
                     key, Markup(" selected") if key == value else "", label)
                 for key, label in [("", "all"), *options]]
        return Markup('<select name="{}" aria-label="Filter {}">{}</select>').format(
            name, column.label, Markup("").join(items))

    def _row(self, row: Row) -> Markup:
        record: Document | None = None
        if any(not column.document_field for column in self.columns) or any(
                column.document_field in ("creator", "created") for column in self.columns):
            try:
                record = self.context.wiki.get(row.reference).record
            except DocumentNotFound:  # deleted since the index was asked
                return Markup("")
        return Markup("<tr>{}</tr>").format(Markup("").join(
            Markup('<td data-label="{}">{}</td>').format(column.label,
                                                         self._cell(column, row, record))
            for column in self.columns))

    def _cell(self, column: Column, row: Row, record: Document | None) -> Markup | str:
        if column.document_field:
            return self._field(column.document_field, row, record)
        found = record.object(self.class_name) if record else None
        value = classes.visible(found.values).get(column.field) if found else None
        return self._value(column, value)

    def _field(self, field: str, row: Row, record: Document | None) -> Markup | str:
        reference = row.reference
        if field in ("title", "reference", "name"):
            label = {"title": row.title or reference.name, "reference": str(reference),
                     "name": reference.name}[field]
            return links.page_link(reference, label)
        if field in ("created", "updated"):
            when = record.created if record and field == "created" else row.updated
            return _time(when)
        if field == "space":
            return reference.space
        if field == "creator":
            return self._page(record.creator if record else "")
        return self._page(row.author)

    def _value(self, column: Column, value: object) -> Markup | str:
        prop = column.prop
        if value is None or value == "" or value == []:
            return ""
        if isinstance(value, bool):
            return "yes" if value else "no"
        if prop is None:
            return str(value)
        if prop.type in ("Page", "User"):
            return self._page(str(value))
        if prop.type == "Date":
            try:
                return _time(datetime.fromisoformat(str(value)))
            except ValueError:
                return str(value)
        if column.field == "status":
            return Markup('<span class="badge status {}">{}</span>').format(
                str(value).lower(), str(value))
        return classes.type_of(prop).format(value, prop)

    def _page(self, name: str) -> Markup | str:
        try:
            reference = Reference.parse(name)
        except InvalidReference:
            return name
        return links.page_link(reference, name, self.context.exists(reference))

    def _footer(self, total: int, page: int, pages: int) -> Markup:
        first = (page - 1) * self.size + 1 if total else 0
        parts = [Markup('<span class="count">{} to {} of {}</span>').format(
            first, min(page * self.size, total), total)]
        if page > 1:
            parts.append(Markup('<a rel="prev" href="{}">Previous</a>').format(
                self._url(page=str(page - 1))))
        if page < pages:
            parts.append(Markup('<a rel="next" href="{}">Next</a>').format(
                self._url(page=str(page + 1))))
        parts.append(Markup('<button type="submit" class="button small">Filter</button>'))
        return Markup('<footer class="table-foot">{}</footer>').format(Markup(" ").join(parts))


def _options(prop: Property | None) -> list[tuple[str, str]] | None:
    """What a filter offers, for the types with few values."""
    if prop is not None and prop.type == "Boolean":
        return [("true", "yes"), ("false", "no")]
    if prop is not None and prop.type == "StaticList":
        return [(str(value), str(value)) for value in prop.options.get("values", ())]
    return None


def _time(when: datetime) -> Markup:
    shown = f"{when:%Y-%m-%d %H:%M}" if when.time() != datetime.min.time() else f"{when:%Y-%m-%d}"
    return Markup('<time datetime="{}">{}</time>').format(when.isoformat(), shown)
