"""From a :class:`wiki.store.base.Query` to SQL over the index.

A condition that names a property by ``eq`` drives the statement where it is the only one, so that
one index serves it in the order of names. Others are looked up first, see
:mod:`wiki.store.fitting`; then the index of the order is walked, past what does not fit. Results
come in pages by key, so that what is changed between two pages is neither skipped nor seen twice.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from wiki.store import fitting
from wiki.store.base import Condition, Query, Row
from wiki.store.conditions import (
    check,
    check_field,
    document_column,
    document_condition,
    equal_text,
    fits,
    is_empty,
    is_plain,
    is_property,
    place,
)
from wiki.store.index import ROW, Index, documents, objects, properties, sorts, to_row

#: How many rows the first and the further statements fetch.
FIRST_PAGE, PAGE = 100, 1000
#: Up to so many documents are fetched and sorted; more are looked through in order.
FEW = 8000
#: Past so many rows it is worth while to find the place first, by keys alone.
DEEP = 1000


@dataclass(frozen=True, slots=True)
class _Key:
    """A sort key: never null, so that rows can be compared with it."""

    column: Any
    descending: bool = False


def run(index: Index, query: Query) -> Iterator[Row]:
    """The rows, fetched as they are asked for. Raises QueryError at once."""
    if query.class_name is None or (not query.order_by and len(query.where) < 2
                                    and all(map(is_plain, query.where))):
        return _pages(index, query, *statement_of(query))
    ids = _to_look_for(index, query)
    if query.order_by and is_property(query.order_by[0]):
        return _parts(index, query, ids)
    if ids is not None and len(ids) <= FEW:
        found = Query(query.class_name, order_by=query.order_by, limit=query.limit,
                      offset=query.offset)
        return _pages(index, found, *statement_of(found, _Driver.few(sorted(ids))))
    return _pages(index, query, *_of_documents(query, ids))


def _to_look_for(index: Index, query: Query) -> Set[int] | None:
    """The documents that fit; None where these are many, all with an object of the class."""
    if fitting.is_whole_class(query) and fitting.count(index, query) > FEW:
        return None
    return fitting.documents_of(index, query)


def _of_documents(query: Query, ids: Set[int] | None) -> tuple[sa.Select[Any], list[_Key]]:
    """Many rows by fields of documents, in the order of their index."""
    driver = _Driver(documents, (), (), documents.c.name, documents.c.reference)
    keys = _keys(query, driver)
    return _ordered(documents, _among(query, ids, documents.c.id), keys), keys


def _among(query: Query, ids: Set[int] | None, column: Any) -> list[Any]:
    """That the document, whose number is in the column, fits. Where many fit, those of the first
    rows are asked one by one."""
    if ids is None:
        return [_carries(query)]
    if len(ids) <= FEW or query.offset > DEEP:
        return [column.in_(_given(sorted(ids)))]
    return [_carries(query), *place(query), *_object_fits(query)]


def _parts(index: Index, query: Query, ids: Set[int] | None) -> Iterator[Row]:
    """Rows by a property: those with numbers, those without a value, those with texts, each
    part in the order of an index."""
    left, offset = query.limit, query.offset
    for statement, keys in _sorted_parts(index, query, ids):
        part = replace(query, limit=left, offset=offset)
        number = 0
        for row in _pages(index, part, statement, keys):
            number += 1
            yield row
        if number == left:
            return
        left = None if left is None else left - number
        if number or not offset:
            offset = 0
        else:  # all of the part was passed over
            whole = statement.with_only_columns(documents.c.id).order_by(None).subquery()
            offset -= int(index.scalar(sa.select(sa.func.count()).select_from(whole)))


def _sorted_parts(index: Index, query: Query,
                  ids: Set[int] | None) -> Iterator[tuple[sa.Select[Any], list[_Key]]]:
    first, descending = query.order_by[0].removeprefix("-"), query.order_by[0].startswith("-")
    among = (sorts.c["class"] == query.class_name, sorts.c.name == first)
    fit = [] if ids is None else _among(query, ids, sorts.c.doc_id)
    later = [key for field in query.order_by[1:] for key in _keys_of(field, query)]
    numbered = [_Key(sorts.c.number, descending), _Key(sorts.c.text, descending), *later,
                _Key(sorts.c.doc_name), _Key(sorts.c.doc_ref)]
    source = sorts.outerjoin(documents, documents.c.id == sorts.c.doc_id)
    numbers, texts = ((_ordered(source, [*among, part, *fit], numbered), numbered)
                      for part in (sorts.c.number < math.inf, sorts.c.number == math.inf))
    parts = [numbers, texts]
    with_value = index.scalar(sa.select(sa.func.count()).where(*among))
    if with_value < fitting.count(index, Query(query.class_name)):
        # An expression of the class: else SQLite walks all values for each document.
        has = sa.exists().where(sorts.c.doc_id == documents.c.id, sorts.c.name == first,
                                sa.func.coalesce(sorts.c["class"], None) == query.class_name
                                ).correlate(documents)
        keys = [*later, _Key(documents.c.name), _Key(documents.c.reference)]
        parts.insert(1, (_ordered(documents, [~has, *_among(query, ids, documents.c.id)], keys),
                         keys))
    yield from reversed(parts) if descending else parts


def _ordered(source: Any, where: Sequence[Any], keys: Sequence[_Key]) -> sa.Select[Any]:
    return (sa.select(*ROW, *(key.column for key in keys)).select_from(source).where(*where)
            .order_by(*(key.column.desc() if key.descending else key.column.asc()
                        for key in keys)))


def _object_fits(query: Query) -> list[Any]:
    """That the document fits the conditions, those on properties in one object of the class."""
    own = objects.alias("own")
    driver = _Driver(own, (), (), own.c.doc_name, own.c.doc_ref, own.c.number, own.c.doc_id)
    of_document = [document_condition(one) for one in query.where
                   if not is_property(one.field)]
    conditions = [_condition(one, query, driver) for one in query.where
                  if is_property(one.field)]
    if not conditions:
        return of_document
    return [*of_document, sa.exists(sa.select(own.c.doc_id).where(
        own.c.doc_id == documents.c.id,
        sa.func.coalesce(own.c["class"], None) == query.class_name,
        *conditions).correlate(documents))]


def _carries(query: Query) -> Any:
    """That the document has an object of the class."""
    own = objects.alias("carried")
    return sa.exists(sa.select(own.c.doc_id).where(
        own.c.doc_id == documents.c.id,
        sa.func.coalesce(own.c["class"], None) == query.class_name).correlate(documents))


def _given(ids: Sequence[int]) -> sa.Select[Any]:
    return sa.select(sa.func.json_each(json.dumps(ids)).table_valued("value").c.value)


def count(index: Index, query: Query) -> int:
    """How many documents fit, ``limit`` and ``offset`` aside. Raises QueryError."""
    if query.class_name is not None:
        return fitting.count(index, query)
    for one in query.where:
        check(one, query)
    return int(index.scalar(sa.select(sa.func.count()).select_from(documents).where(
        *place(query), *map(document_condition, query.where))))


def counts(index: Index, query: Query, name: str) -> dict[str, int]:
    """How many documents that fit have each value of a property, numbers as text. Raises
    QueryError."""
    if query.class_name is None:
        return {}
    return fitting.counts(index, query, name)


def _pages(index: Index, query: Query, statement: sa.Select[Any],
           keys: Sequence[_Key]) -> Iterator[Row]:
    left, offset, size = query.limit, query.offset, FIRST_PAGE
    last: tuple[Any, ...] | None = None
    if offset > DEEP:
        last, offset = _row_before(index, statement, keys, offset), 0
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


def _row_before(index: Index, statement: sa.Select[Any], keys: Sequence[_Key],
                offset: int) -> tuple[Any, ...] | None:
    """The keys of the row before the offset, for which no document is looked up where the index
    of the order has them all."""
    only = statement.with_only_columns(*(key.column for key in keys))
    return next((tuple(row) for row in index.rows(only.limit(1).offset(offset - 1))), None)


def statement_of(query: Query, driver: _Driver | None = None) -> tuple[sa.Select[Any], list[_Key]]:
    """The statement for a query, without limit and offset, and the keys that order it."""
    driver = driver or _Driver.of(query)
    keys = _keys(query, driver)
    statement = sa.select(*ROW, *(key.column for key in keys)).select_from(driver.source)
    statement = statement.where(*driver.where, *place(query))
    if query.class_name is not None and query.where:
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
    doc_id: Any = documents.c.id

    @classmethod
    def of(cls, query: Query) -> _Driver:
        if query.class_name is None:
            return cls(documents, (), query.where, documents.c.name, documents.c.reference)
        for position, condition in enumerate(query.where):
            if is_plain(condition):
                table = properties.alias("driver")
                others = query.where[:position] + query.where[position + 1:]
                where = (table.c["class"] == query.class_name, table.c.name == condition.field,
                         *equal_text(table, str(condition.value)))
                return cls(_joined(table), where, others, table.c.doc_name, table.c.doc_ref,
                           table.c.object)
        table = objects.alias("driver")
        where = (table.c["class"] == query.class_name,
                 *(() if query.where else (table.c.again.is_(False),)))
        return cls(_joined(table), where, query.where, table.c.doc_name, table.c.doc_ref,
                   table.c.number)

    @classmethod
    def few(cls, ids: list[int]) -> _Driver:
        """From the documents that fit, where they are few."""
        return cls(documents, (documents.c.id.in_(_given(ids)),), (),
                   documents.c.name, documents.c.reference)


def _joined(table: Any) -> Any:
    # An outer join, though each has its document, is left out where that is not asked for.
    return table.outerjoin(documents, documents.c.id == table.c.doc_id)


def _keys(query: Query, driver: _Driver) -> list[_Key]:
    keys: list[_Key] = []
    for field in query.order_by:
        keys.extend(_keys_of(field, query))
    return [*keys, _Key(driver.name), _Key(driver.reference)]


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
    return sa.or_(*choices)


def _condition(condition: Condition, query: Query, driver: _Driver) -> Any:
    if not is_property(condition.field):
        return document_condition(condition)
    check(condition, query)
    table = properties.alias()
    # An expression of the class: else SQLite may walk the index of values for each document.
    present = [table.c.doc_id == driver.doc_id,
               sa.func.coalesce(table.c["class"], None) == query.class_name,
               table.c.object == driver.object_number, table.c.name == condition.field]
    if condition.operator == "ne":
        return ~_exists(present, condition, table)
    return _exists(present, condition, table)


def _exists(present: list[Any], condition: Condition, table: Any) -> Any:
    if is_empty(condition):
        return ~sa.exists().where(*present)
    return sa.exists().where(*present, fits(condition, table))
