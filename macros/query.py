"""``<<query/>>``: pages found by class and properties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from markupsafe import Markup

from wiki.model import ClassDefinition
from wiki.rendering.macros import MacroContext, PageName, macro
from wiki.rendering.tables import conditions
from wiki.rendering.tables.columns import Column, cells, columns_of
from wiki.store.base import DOCUMENT_FIELDS, Row
from wiki.translate import gettext

MOST = 1000
EMPTY = Markup('<p class="empty">{no_page}</p>')


@macro("query")
def query(context: MacroContext, class_: PageName = "", where: str = "", columns: str = "",
          order: str = "", space: str = "", limit: int = 50,
          format: Literal["list", "table", "count", "titles"] = "list") -> Markup:
    """List the pages that carry an object of a class and fit conditions.

    `class` is the class (default: all pages); `where` are the conditions, such as
    `status="READY"|"ERROR" year>=1960 doc.title~"dune"`: all must hold, of several values one,
    and the operators are `=`, `!=`, `<`, `<=`, `>`, `>=`, `~` for contains and `^=` for begins
    with; `columns` are those of
    a table, properties and fields of the page such as `doc.title`; `order` is what it is sorted
    by, `-` before a name turns it round; `space` keeps to a space and those in it; `limit` is
    how many are shown; `format` is a `list`, a `table`, the `titles` in a line, or only the
    `count`. Within a line, `count` is a macro of its own.

    Examples:
        <<query class="TaskExecutorCode.TaskExecutorClass" where='doc.name^="Import"' limit="3"/>>
        ---
        <<query class="TaskExecutorCode.TaskClass" format="table" columns="doc.title, status"/>>
        ---
        <<query space="Help" format="titles" limit="3"/>>
    """
    asked, definition = conditions.asked(context, class_, where, space)
    asked = replace(asked, order_by=tuple(_orders(order, definition)))
    total = context.wiki.count(asked)
    if format == "count":
        return Markup("<p>{:,}</p>").format(total)
    shown = columns_of(columns, asked.class_name or "", definition) if format == "table" else []
    size = max(1, min(limit, MOST))
    rows = list(context.wiki.rows(replace(asked, limit=size)))
    if not rows:
        return EMPTY.format(no_page=gettext("No page fits."))
    if format == "table":
        listed = _table(context, rows, shown, asked.class_name or "")
    elif format == "titles":
        listed = Markup("<p>{}</p>\n").format(
            Markup(", ").join(_link(context, row) for row in rows))
    else:
        listed = _list(context, rows)
    return listed + _more(total - size)


def _orders(text: str, definition: ClassDefinition | None) -> Sequence[str]:
    names = [part.strip() for part in text.split(",") if part.strip()]
    for name in names:
        field = name.removeprefix("-")
        if field.removeprefix("doc.") in DOCUMENT_FIELDS and field.startswith("doc."):
            continue
        conditions.property_of(field, definition, "order")
    return names


def _link(context: MacroContext, row: Row) -> Markup:
    return context.link(row.reference, row.title or str(row.reference))


def _list(context: MacroContext, rows: Sequence[Row]) -> Markup:
    return Markup('<ul class="query">\n{}</ul>\n').format(Markup("").join(
        Markup("<li>{}</li>\n").format(_link(context, row)) for row in rows))


def _table(context: MacroContext, rows: Sequence[Row], columns: Sequence[Column],
           class_name: str) -> Markup:
    heads = Markup("").join(Markup('<th scope="col">{}</th>').format(column.label)
                            for column in columns)
    found = (cells(context, row, columns, class_name) for row in rows)
    return Markup('<div class="scroll"><table class="query"><thead><tr>{}</tr></thead>\n'
                  '<tbody>\n{}</tbody></table></div>\n').format(
        heads, Markup("").join(row for row in found if row is not None))


def _more(count: int) -> Markup:
    return Markup('<p class="note">{}</p>').format(
        gettext("%(num)s more.", num=f"{count:,}")) if count > 0 else Markup("")
