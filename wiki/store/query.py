"""From a :class:`wiki.store.base.Query` to SQL over the index.

A condition that names a property by ``eq`` drives the statement where there is one, so that one
index serves it in the order of names; results come in pages by key, so that what is changed
between two pages is neither skipped nor seen twice.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from wiki.errors import QueryError
from wiki.store.base import DOCUMENT_FIELDS, Condition, Query, Row
from wiki.store.extract import MAX_TEXT, as_number, as_text
from wiki.store.index import ROW, Index, documents, objects, properties, to_row
from wiki.store.pagedb import timestamp

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq, "lt": operator.lt, "le": operator.le, "gt": operator.gt,
    "ge": operator.ge}
OPERATORS = (*_COMPARE, "ne", "contains", "startswith")
#: How many rows the first and the further statements fetch.
FIRST_PAGE, PAGE = 100, 1000


@dataclass(frozen=True, slots=True)
class _Key:
    """A sort key: never null, so that rows can be compared with it."""

    column: Any
    descending: bool = False


def run(index: Index, query: Query) -> Iterator[Row]:
    """The rows, fetched as they are asked for. Raises QueryError at once."""
    statement, keys = statement_of(query)
    return _pages(index, query, statement, keys)


def count(index: Index, query: Query) -> int:
    """How many documents fit, ``limit`` and ``offset`` aside. Raises QueryError."""
    statement, _ = statement_of(query)
    inner = statement.with_only_columns(documents.c.id).distinct().order_by(None).subquery()
    return int(index.scalar(sa.select(sa.func.count()).select_from(inner)))


def _pages(index: Index, query: Query, statement: sa.Select[Any],
           keys: Sequence[_Key]) -> Iterator[Row]:
    left, offset, size = query.limit, query.offset, FIRST_PAGE
    last: tuple[Any, ...] | None = None
    while left is None or left > 0:
        wanted = size if left is None else min(size, left)
        page = statement if last is None else statement.where(_after(keys, last))
        rows = index.rows(page.limit(wanted).offset(offset))
        for row in rows:
            yield to_row(row)
        if len(rows) < wanted:
            return
        left = None if left is None else left - len(rows)
        last, offset, size = tuple(rows[-1][len(ROW):]), 0, PAGE


def statement_of(query: Query) -> tuple[sa.Select[Any], list[_Key]]:
    """The statement for a query, without limit and offset, and the keys that order it."""
    driver = _Driver.of(query)
    keys = _keys(query, driver)
    statement = sa.select(*ROW, *(key.column for key in keys)).select_from(driver.source)
    statement = statement.where(*driver.where, *_place(query))
    if query.class_name is not None:
        statement = statement.group_by(driver.name, driver.reference)
    for condition in driver.others:
        statement = statement.where(_condition(condition, query, driver))
    return statement.order_by(*(key.column.desc() if key.descending else key.column.asc()
                                for key in keys)), keys


@dataclass(frozen=True, slots=True)
class _Driver:
    """The table that a statement begins with, and what is left to ask of its rows."""

    source: Any
    where: tuple[Any, ...]
    others: tuple[Condition, ...]
    name: Any
    reference: Any
    #: Correlates a condition with the same object on the same document.
    object_number: Any = None

    @classmethod
    def of(cls, query: Query) -> _Driver:
        if query.class_name is None:
            return cls(documents, (), query.where, documents.c.name, documents.c.reference)
        for position, condition in enumerate(query.where):
            if _is_plain(condition):
                table = properties.alias("driver")
                others = query.where[:position] + query.where[position + 1:]
                where = (table.c["class"] == query.class_name, table.c.name == condition.field,
                         *_equal_text(table, str(condition.value)))
                return cls(_joined(table), where, others, table.c.doc_name, table.c.doc_ref,
                           table.c.object)
        table = objects.alias("driver")
        return cls(_joined(table), (table.c["class"] == query.class_name,), query.where,
                   table.c.doc_name, table.c.doc_ref, table.c.number)


def _joined(table: Any) -> Any:
    return table.join(documents, documents.c.id == table.c.doc_id)


def _is_plain(condition: Condition) -> bool:
    """Whether the condition is equality of a property with text that is no number."""
    value = condition.value
    return (condition.operator == "eq" and not condition.field.startswith("doc.")
            and isinstance(value, str) and value != "" and _numeric(value) is None)


def _keys(query: Query, driver: _Driver) -> list[_Key]:
    keys: list[_Key] = []
    for field in query.order_by:
        descending = field.startswith("-")
        keys.extend(_Key(column, descending)
                    for column in _sort_columns(field.removeprefix("-"), query))
    return [*keys, _Key(driver.name), _Key(driver.reference)]


def _sort_columns(field: str, query: Query) -> Iterator[Any]:
    if field.startswith("doc."):
        yield _document_column(field)
        return
    if query.class_name is None:
        raise QueryError(f"{field}: a query without a class knows no properties; it takes "
                         + ", ".join(f"doc.{name}" for name in DOCUMENT_FIELDS))
    for column, missing in ((properties.c.number, float("inf")), (properties.c.text, "")):
        # An expression: for the column itself SQLite would walk the index of values, for each
        # document from its start.
        value = (sa.select(sa.func.min(sa.func.coalesce(column, None)))
                 .where(properties.c.doc_id == documents.c.id,
                        properties.c["class"] == query.class_name, properties.c.name == field)
                 .correlate(documents).scalar_subquery())
        yield sa.func.coalesce(value, sa.literal(missing, column.type))


def _after(keys: Sequence[_Key], last: tuple[Any, ...]) -> Any:
    """Rows that come after the one with these keys."""
    if not any(key.descending for key in keys):
        return sa.tuple_(*(key.column for key in keys)) > sa.tuple_(
            *(sa.literal(value) for value in last))
    choices = []
    for position, key in enumerate(keys):
        equal = [earlier.column == last[number]
                 for number, earlier in enumerate(keys[:position])]
        further = (key.column < last[position] if key.descending
                   else key.column > last[position])
        choices.append(sa.and_(*equal, further))
    return sa.or_(*choices)


def _place(query: Query) -> Iterator[Any]:
    space = documents.c.space
    if query.space is not None and query.nested:
        # '/' follows '.' in ASCII, and no name has one in it.
        yield sa.or_(space == query.space,
                     sa.and_(space >= f"{query.space}.", space < f"{query.space}/"))
    elif query.space is not None:
        yield space == query.space
    if not query.hidden:
        yield documents.c.hidden.is_(False)


def _document_column(field: str) -> Any:
    name = field.removeprefix("doc.")
    if name == "label":  # what lists show, to be searched in
        return documents.c.title + " " + documents.c.reference
    if name == "parent":  # as it is, or as the spaces have it
        return documents.c.parent
    if name not in DOCUMENT_FIELDS:
        raise QueryError(f"{field}: a document has no such field to ask for; it takes "
                         + ", ".join(f"doc.{known}" for known in DOCUMENT_FIELDS))
    return documents.c[name]


def _condition(condition: Condition, query: Query, driver: _Driver) -> Any:
    if condition.operator not in OPERATORS:
        raise QueryError(f"{condition.operator!r} is no operator; there are "
                         + ", ".join(OPERATORS))
    if condition.field.startswith("doc."):
        return _document_condition(condition)
    if query.class_name is None:
        raise QueryError(f"{condition.field}: a query without a class knows no properties; it "
                         "takes " + ", ".join(f"doc.{name}" for name in DOCUMENT_FIELDS))
    table = properties.alias()
    present = [table.c.doc_id == documents.c.id, table.c["class"] == query.class_name,
               table.c.object == driver.object_number, table.c.name == condition.field]
    if condition.operator == "ne":
        return ~_exists(present, condition, table)
    return _exists(present, condition, table)


def _exists(present: list[Any], condition: Condition, table: Any) -> Any:
    if condition.operator in ("eq", "ne") and condition.value in (None, ""):
        return ~sa.exists().where(*present)  # an empty value has no row
    return sa.exists().where(*present, _fits(condition, table))


def _document_condition(condition: Condition) -> Any:
    column = _document_column(condition.field)
    value = condition.value
    text = timestamp(value) if isinstance(value, datetime) else as_text(value)
    if condition.operator == "ne":
        return column != text
    if condition.operator in _COMPARE:
        return _COMPARE[condition.operator](column, text)
    return _part(condition.operator, column, text)


def _fits(condition: Condition, table: Any) -> Any:
    value = condition.value
    if isinstance(value, datetime):
        value = value.isoformat()
    text = as_text(value)
    if condition.operator in ("contains", "startswith"):
        return _part(condition.operator, sa.func.coalesce(table.c.whole, table.c.text), text)
    number = as_number(value) if not isinstance(value, str) else _numeric(value)
    if condition.operator in ("eq", "ne"):
        by_text = sa.and_(*_equal_text(table, text))
        return by_text if number is None else sa.or_(by_text, table.c.number == number)
    compare = _COMPARE[condition.operator]
    by_text = sa.and_(table.c.number.is_(None), compare(table.c.text, text))
    if number is None:
        return by_text
    by_number = compare(table.c.number, number)
    return sa.or_(by_number, by_text) if isinstance(value, str) else by_number


def _equal_text(table: Any, text: str) -> Iterator[Any]:
    yield table.c.text == text[:MAX_TEXT]
    if len(text) > MAX_TEXT:
        yield table.c.whole == text
    elif len(text) == MAX_TEXT:
        yield table.c.whole.is_(None)


def _part(kind: str, column: Any, text: str) -> Any:
    """Containing or beginning with, without regard to case: no character is a wildcard."""
    position = sa.func.instr(sa.func.casefold(column), text.casefold())
    return position == 1 if kind == "startswith" else position > 0


def _numeric(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
