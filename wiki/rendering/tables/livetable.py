"""A table of pages that readers sort, filter and page through, without a script in the browser.

Its state is in the page's address, under names that begin with the table's own, so that two
tables on a page do not mix. Only the rows that are shown are opened.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlencode

from markupsafe import Markup

from wiki import classes
from wiki.errors import InvalidValue
from wiki.model import Property
from wiki.rendering.macros import MacroContext
from wiki.rendering.tables.columns import Column, cells, columns_of
from wiki.store.base import Condition, Query

MAX_ROWS = 200


class LiveTable:
    """One table of one view. Raises MacroError for a column that cannot be."""

    def __init__(self, context: MacroContext, class_name: str, columns: str, space: str,
                 sort: str, rows: int, name: str, hidden: bool = True) -> None:
        self.context = context
        self.class_name = str(context.reference(class_name)) if class_name.strip() else ""
        definition = context.wiki.class_definition(self.class_name) if self.class_name else None
        self.columns = columns_of(columns, self.class_name, definition)
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
        rows = (cells(self.context, row, self.columns, self.class_name)
                for row in self.context.wiki.rows(query))
        body = Markup("").join(row for row in rows if row is not None)
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
