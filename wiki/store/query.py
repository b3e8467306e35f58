"""From a :class:`wiki.store.base.Query` to SQL over the index.

A query in the order of names that an index serves by itself is one statement. Of others it is
first looked up which documents fit, see :mod:`wiki.store.fitting`; where these are few they are
fetched and sorted, else the index of the order is walked, past what does not fit. Results come in
pages by key, so that what is changed between two pages is neither skipped nor seen twice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import sqlalchemy as sa

from wiki.store import fitting
from wiki.store.base import Query, Row
from wiki.store.bits import to_digits, to_numbers
from wiki.store.conditions import (
    TAGS,
    check,
    check_field,
    document_column,
    document_condition,
    equal_text,
    given,
    is_plain,
    is_property,
    place,
)
from wiki.store.index import ROW, Index, to_row
from wiki.store.schema import documents, objects, properties, sorts

#: How many rows the first and the further statements fetch.
FIRST_PAGE, PAGE = 100, 1000
#: Up to so many documents are fetched and sorted; more are looked through in order.
FEW = 1000
#: Past so many rows it is worth while to find the place first, by keys alone.
DEEP = 1000


@dataclass(frozen=True, slots=True)
class _Key:
    """A sort key: never null, so that rows can be compared with it."""

    column: Any
    descending: bool = False

    def in_order(self, backwards: bool = False) -> Any:
        """What a statement is ordered by."""
        return self.column.desc() if self.descending != backwards else self.column.asc()


def run(index: Index, query: Query) -> Iterator[Row]:
    """The rows, fetched as they are asked for. Raises QueryError at once."""
    for one in query.where:
        check(one, query)
    if _is_direct(query):
        return _pages(index, query, *statement_of(query), partial(count, index, query))
    fit = fitting.documents_of(index, query)
    if (query.class_name is not None and query.order_by and is_property(query.order_by[0])
            and fit.bit_count() > FEW):
        return _parts(index, query, fit)
    return _pages(index, query, *_of_documents(query, fit, query.order_by), fit.bit_count)


def count(index: Index, query: Query) -> int:
    """How many documents fit, ``limit`` and ``offset`` aside. Raises QueryError."""
    if query.class_name is None and query.where and _is_direct(query):
        return int(index.scalar(sa.select(sa.func.count()).select_from(documents).where(
            *place(query), *map(document_condition, query.where))))
    return fitting.count(index, query)


def counts(index: Index, query: Query, name: str) -> dict[str, int]:
    """How many documents that fit have each value of a property, numbers as text, or each tag.
    Raises QueryError."""
    return fitting.counts(index, query, name)


def _is_direct(query: Query) -> bool:
    """Whether one statement is served by an index, without looking up what fits."""
    if query.class_name is None:
        return all(one.field != TAGS and one.operator not in ("contains", "startswith", "ne")
                   and not is_property(one.field) for one in query.where)
    return (not query.order_by and query.space is None and len(query.where) < 2
            and all(map(is_plain, query.where)))


def _of_documents(query: Query, fit: int,
                  order_by: Sequence[str]) -> tuple[sa.Select[Any], list[_Key]]:
    """The documents that fit, given as bits, in some order."""
    keys = [*(key for field in order_by for key in _keys_of(field, query)),
            _Key(documents.c.name), _Key(documents.c.reference)]
    few = fit.bit_count() <= FEW
    fits = documents.c.id.in_(given(to_numbers(fit))) if few else _among(documents.c.id, fit)
    return _ordered(documents, [fits], keys), keys


def _among(column: Any, fit: int) -> sa.ColumnElement[bool]:
    """That the document, whose number is in the column, is one of many given as bits."""
    digits = sa.literal(to_digits(fit), sa.LargeBinary)
    return sa.func.substr(digits, column + 1, 1) == sa.literal(b"1", sa.LargeBinary)


def _parts(index: Index, query: Query, fit: int) -> Iterator[Row]:
    """Rows by a property: those with numbers, those without a value, those with texts, each
    part in the order of an index."""
    first, descending = query.order_by[0].removeprefix("-"), query.order_by[0].startswith("-")
    numbers, values = fitting.sorted_by(index, str(query.class_name), first)
    parts = [(fit & numbers, sorts.c.number < math.inf), (fit & ~values, None),
             (fit & values & ~numbers, sorts.c.number == math.inf)]
    left, offset = query.limit, query.offset
    for part, which in reversed(parts) if descending else parts:
        size = part.bit_count()
        if offset >= size:
            offset -= size
            continue
        found = (_of_documents(query, part, query.order_by[1:]) if which is None
                 else _of_values(query, first, descending, which, None if part == values else part))
        number = 0
        for row in _pages(index, replace(query, limit=left, offset=offset), *found,
                          part.bit_count):
            number += 1
            yield row
        if left is not None and number >= left:
            return
        left, offset = None if left is None else left - number, 0


def _of_values(query: Query, name: str, descending: bool, which: Any,
               fit: int | None) -> tuple[sa.Select[Any], list[_Key]]:
    """The documents that fit, or all, with some of the values of a property, by them."""
    keys = [_Key(sorts.c.number, descending), _Key(sorts.c.text, descending),
            *(key for field in query.order_by[1:] for key in _keys_of(field, query)),
            _Key(sorts.c.doc_name), _Key(sorts.c.doc_ref)]
    where = [sorts.c["class"] == query.class_name, sorts.c.name == name, which]
    if fit is not None:
        where.append(_among(sorts.c.doc_id, fit))
    return _ordered(_joined(sorts), where, keys), keys


def _ordered(source: Any, where: Sequence[Any], keys: Sequence[_Key]) -> sa.Select[Any]:
    return (sa.select(*ROW, *(key.column for key in keys)).select_from(source).where(*where)
            .order_by(*(key.in_order() for key in keys)))


def statement_of(query: Query) -> tuple[sa.Select[Any], list[_Key]]:
    """The statement for a query that an index serves, without limit and offset, and the keys
    that order it."""
    if query.class_name is None:
        keys = [*(key for field in query.order_by for key in _keys_of(field, query)),
                _Key(documents.c.name), _Key(documents.c.reference)]
        return _ordered(documents, [*place(query), *map(document_condition, query.where)],
                        keys), keys
    table = properties if query.where else objects
    where = [table.c["class"] == query.class_name, *place(query)]
    for one in query.where:
        where += [table.c.name == one.field, *equal_text(table, str(one.value))]
    keys = [_Key(table.c.doc_name), _Key(table.c.doc_ref)]
    return _ordered(_joined(table), [*where, table.c.again.is_(False)], keys), keys


def _joined(table: Any) -> Any:
    # An outer join, though each has its document, is left out where that is not asked for.
    return table.outerjoin(documents, documents.c.id == table.c.doc_id)


def _pages(index: Index, query: Query, statement: sa.Select[Any], keys: Sequence[_Key],
           number: Callable[[], int]) -> Iterator[Row]:
    """The rows of a statement; ``number`` tells how many there are."""
    left, offset, size = query.limit, query.offset, FIRST_PAGE
    last: tuple[Any, ...] | None = None
    if offset > DEEP:
        last, offset = _row_before(index, statement, keys, offset, number()), 0
        if last is None:
            return
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


def _row_before(index: Index, statement: sa.Select[Any], keys: Sequence[_Key], offset: int,
                number: int) -> tuple[Any, ...] | None:
    """The keys of the row before the offset, for which no document is looked up where the index
    of the order has them all; from the end, if that is nearer."""
    if offset > number:
        return None
    backwards = offset > number // 2
    only = (statement.with_only_columns(*(key.column for key in keys)).order_by(None)
            .order_by(*(key.in_order(backwards) for key in keys)))
    place = number - offset if backwards else offset - 1
    return next((tuple(row) for row in index.rows(only.limit(1).offset(place))), None)


def _keys_of(field: str, query: Query) -> Iterator[_Key]:
    for column in _sort_columns(field.removeprefix("-"), query):
        yield _Key(column, field.startswith("-"))


def _sort_columns(field: str, query: Query) -> Iterator[Any]:
    if not is_property(field):
        yield document_column(field)
        return
    check_field(field, query)
    for name, missing in (("number", math.inf), ("text", "")):
        lowest = sorts.alias()
        # An expression of the class: else SQLite may walk the index of values for each document.
        value = (sa.select(lowest.c[name])
                 .where(lowest.c.doc_id == documents.c.id, lowest.c.name == field,
                        sa.func.coalesce(lowest.c["class"], None) == query.class_name)
                 .correlate(documents).scalar_subquery())
        column = lowest.c[name]
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
    first = keys[0].column  # which the index of the order is entered by
    return sa.and_(first <= last[0] if keys[0].descending else first >= last[0],
                   sa.or_(*choices))
