"""From a :class:`wiki.store.base.Query` to SQL over the index.

A condition that names a property by ``eq`` drives the statement where there is one, so that one
index serves it in the order of names; results come in pages by key, so that what is changed
between two pages is neither skipped nor seen twice.
"""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from wiki.errors import QueryError
from wiki.store.base import DOCUMENT_FIELDS, Condition, Query, Row
from wiki.store.extract import MAX_TEXT, as_number, as_text
from wiki.store.index import ROW, Index, documents, objects, properties, sorts, to_row
from wiki.store.pagedb import timestamp
from wiki.store.places import within

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq, "lt": operator.lt, "le": operator.le, "gt": operator.gt,
    "ge": operator.ge}
OPERATORS = (*_COMPARE, "ne", "contains", "startswith")
#: How many rows the first and the further statements fetch.
FIRST_PAGE, PAGE = 100, 1000
#: Up to so many objects are found first and sorted then; more are looked through in order.
FEW = 8000


@dataclass(frozen=True, slots=True)
class _Key:
    """A sort key: never null, so that rows can be compared with it."""

    column: Any
    descending: bool = False


def run(index: Index, query: Query) -> Iterator[Row]:
    """The rows, fetched as they are asked for. Raises QueryError at once."""
    if query.class_name is None or not _by_property(query):
        return _pages(index, query, *statement_of(query))
    fitting = _fitting(query).subquery()
    ids = index.rows(sa.select(fitting.c.doc_id).distinct().limit(FEW + 1))
    if len(ids) <= FEW:
        return _pages(index, query, *statement_of(query, _Driver.few(
            query, [number for (number,) in ids])))
    if not (query.order_by and _is_property(query.order_by[0])):
        return _pages(index, query, *statement_of(query))
    return _parts(index, query)


def _by_property(query: Query) -> bool:
    """Whether more than one plain condition is to be looked at, which an index serves."""
    conditions = [one for one in query.where if not one.field.startswith("doc.")]
    sorts_too = any(map(_is_property, query.order_by))
    return sorts_too or len(conditions) > 1 or not all(map(_is_plain, conditions))


def _is_property(field: str) -> bool:
    return not field.removeprefix("-").startswith("doc.")


def _parts(index: Index, query: Query) -> Iterator[Row]:
    """Many rows by a property: those with numbers, those without a value, those with texts, each
    part in the order of an index."""
    left, offset = query.limit, query.offset
    for statement, keys in _sorted_parts(index, query):
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


def _sorted_parts(index: Index, query: Query) -> Iterator[tuple[sa.Select[Any], list[_Key]]]:
    first, descending = query.order_by[0].removeprefix("-"), query.order_by[0].startswith("-")
    among = (sorts.c["class"] == query.class_name, sorts.c.name == first)
    fits = [*_place(query), *_object_fits(query)]
    later = [key for field in query.order_by[1:] for key in _keys_of(field, query)]
    numbered = [_Key(sorts.c.number, descending), _Key(sorts.c.text, descending), *later,
                _Key(sorts.c.doc_name), _Key(sorts.c.doc_ref)]
    source = sorts.join(documents, documents.c.id == sorts.c.doc_id)
    numbers, texts = ((_ordered(source, [*among, part, *fits], numbered), numbered)
                      for part in (sorts.c.number < math.inf, sorts.c.number == math.inf))
    parts = [numbers, texts]
    with_value = index.scalar(sa.select(sa.func.count()).where(*among))
    if with_value < index.scalar(sa.select(sa.func.count()).select_from(
            _ids(Query(query.class_name)).subquery())):
        has = sa.exists().where(sorts.c.doc_id == documents.c.id, *among).correlate(documents)
        keys = [*later, _Key(documents.c.name), _Key(documents.c.reference)]
        parts.insert(1, (_ordered(documents, [~has, _carries(query), *fits], keys), keys))
    yield from reversed(parts) if descending else parts


def _ordered(source: Any, where: Sequence[Any], keys: Sequence[_Key]) -> sa.Select[Any]:
    return (sa.select(*ROW, *(key.column for key in keys)).select_from(source).where(*where)
            .order_by(*(key.column.desc() if key.descending else key.column.asc()
                        for key in keys)))


def _object_fits(query: Query) -> list[Any]:
    """That the document fits the conditions, those on properties in one object of the class."""
    own = objects.alias("own")
    driver = _Driver(own, (), (), own.c.doc_name, own.c.doc_ref, own.c.number, own.c.doc_id)
    of_document = [_document_condition(one) for one in query.where
                   if one.field.startswith("doc.")]
    conditions = [_condition(one, query, driver) for one in query.where
                  if not one.field.startswith("doc.")]
    if not conditions:
        return of_document
    return [*of_document, sa.exists(sa.select(own.c.doc_id).where(
        own.c.doc_id == documents.c.id,
        sa.func.coalesce(own.c["class"], None) == query.class_name,
        *conditions).correlate(documents))]


def _carries(query: Query) -> Any:
    return documents.c.id.in_(sa.select(objects.c.doc_id).where(
        objects.c["class"] == query.class_name))


def _fitting(query: Query) -> Any:
    """The objects that fit what is asked of properties, as ids of documents and numbers: found
    by what the indexes give for each condition."""
    wanted: list[Any] = []
    unwanted: list[Any] = []
    for one in query.where:
        if one.field.startswith("doc."):
            continue
        _check(one, query)
        table = properties.alias()
        rows = sa.select(table.c.doc_id, table.c.object.label("number")).where(
            table.c["class"] == query.class_name, table.c.name == one.field)
        empty = one.operator in ("eq", "ne") and one.value in (None, "")
        if not empty:
            rows = rows.where(_fits(one, table))
        (unwanted if (one.operator == "ne") != empty else wanted).append(rows)
    if not wanted:
        wanted = [sa.select(objects.c.doc_id, objects.c.number).where(
            objects.c["class"] == query.class_name)]
    found: Any = sa.intersect(*wanted) if len(wanted) > 1 else wanted[0]
    return sa.except_(sa.select(found.subquery()), *unwanted) if unwanted else found


def _ids(query: Query) -> sa.Select[Any]:
    """The ids of the documents that fit, ``limit`` and ``offset`` aside."""
    of_documents = [*_place(query), *(_document_condition(one) for one in query.where
                                      if one.field.startswith("doc."))]
    if query.class_name is None:
        for one in query.where:
            _check(one, query)
        return sa.select(documents.c.id).where(*of_documents)
    if not any(map(_is_property, (one.field for one in query.where))) and not of_documents:
        return sa.select(objects.c.doc_id).where(objects.c["class"] == query.class_name).group_by(
            objects.c.doc_name, objects.c.doc_ref)
    found = _fitting(query).subquery()
    ids = sa.select(found.c.doc_id).distinct()
    if of_documents:
        ids = ids.join(documents, documents.c.id == found.c.doc_id).where(*of_documents)
    return ids


def count(index: Index, query: Query) -> int:
    """How many documents fit, ``limit`` and ``offset`` aside. Raises QueryError."""
    return int(index.scalar(sa.select(sa.func.count()).select_from(_ids(query).subquery())))


def counts(index: Index, query: Query, name: str) -> dict[str, int]:
    """How many documents that fit have each value of a property, numbers as text. Raises
    QueryError."""
    # A row for each value of each document, in the order of the index.
    each = sa.select(properties.c.text).where(
        properties.c["class"] == query.class_name, properties.c.name == name).group_by(
        properties.c.text, properties.c.doc_name, properties.c.doc_ref)
    if query.where or query.space is not None or not query.hidden:
        each = each.where(properties.c.doc_id.in_(_ids(query)))
    values = each.subquery()
    statement = sa.select(values.c.text, sa.func.count()).group_by(values.c.text)
    return {str(text): int(number) for text, number in index.rows(statement)}


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


def statement_of(query: Query, driver: _Driver | None = None) -> tuple[sa.Select[Any], list[_Key]]:
    """The statement for a query, without limit and offset, and the keys that order it."""
    driver = driver or _Driver.of(query)
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
    doc_id: Any = documents.c.id

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

    @classmethod
    def few(cls, query: Query, ids: list[int]) -> _Driver:
        """From the documents whose objects fit, where they are few."""
        given = sa.func.json_each(json.dumps(ids)).table_valued("value")
        others = tuple(one for one in query.where if one.field.startswith("doc."))
        return cls(documents, (documents.c.id.in_(sa.select(given.c.value)),), others,
                   documents.c.name, documents.c.reference)


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
        keys.extend(_keys_of(field, query))
    return [*keys, _Key(driver.name), _Key(driver.reference)]


def _keys_of(field: str, query: Query) -> Iterator[_Key]:
    for column in _sort_columns(field.removeprefix("-"), query):
        yield _Key(column, field.startswith("-"))


def _sort_columns(field: str, query: Query) -> Iterator[Any]:
    if field.startswith("doc."):
        yield _document_column(field)
        return
    if query.class_name is None:
        raise QueryError(f"{field}: a query without a class knows no properties; it takes "
                         + ", ".join(f"doc.{name}" for name in DOCUMENT_FIELDS))
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


def _place(query: Query) -> Iterator[Any]:
    space = documents.c.space
    if query.space is not None and query.nested:
        yield within(space, query.space)
    elif query.space is not None:
        yield space == query.space
    if not query.hidden:
        yield documents.c.hidden.is_(False)


def _document_column(field: str) -> Any:
    name = field.removeprefix("doc.")
    if name == "label":  # what lists show, to be searched in; in small letters
        return documents.c.label
    if name == "parent":  # as it is, or as the spaces have it
        return documents.c.parent
    if name not in DOCUMENT_FIELDS:
        raise QueryError(f"{field}: a document has no such field to ask for; it takes "
                         + ", ".join(f"doc.{known}" for known in DOCUMENT_FIELDS))
    return documents.c[name]


def _condition(condition: Condition, query: Query, driver: _Driver) -> Any:
    if condition.field.startswith("doc."):
        return _document_condition(condition)
    _check(condition, query)
    table = properties.alias()
    # An expression of the class: else SQLite may walk the index of values for each document.
    present = [table.c.doc_id == driver.doc_id,
               sa.func.coalesce(table.c["class"], None) == query.class_name,
               table.c.object == driver.object_number, table.c.name == condition.field]
    if condition.operator == "ne":
        return ~_exists(present, condition, table)
    return _exists(present, condition, table)


def _check(condition: Condition, query: Query) -> None:
    """Raises QueryError for what cannot be asked."""
    if condition.operator not in OPERATORS:
        raise _no_operator(condition)
    if query.class_name is None and not condition.field.startswith("doc."):
        raise QueryError(f"{condition.field}: a query without a class knows no properties; it "
                         "takes " + ", ".join(f"doc.{name}" for name in DOCUMENT_FIELDS))


def _no_operator(condition: Condition) -> QueryError:
    return QueryError(f"{condition.operator!r} is no operator; there are " + ", ".join(OPERATORS))


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
    if condition.operator not in OPERATORS:
        raise _no_operator(condition)
    folded = column if condition.field == "doc.label" else sa.func.casefold(column)
    return _part(condition.operator, folded, text)


def _fits(condition: Condition, table: Any) -> Any:
    value = condition.value
    if isinstance(value, datetime):
        value = value.isoformat()
    text = as_text(value)
    if condition.operator in ("contains", "startswith"):
        return _part(condition.operator, sa.func.coalesce(
            table.c.folded, sa.func.casefold(table.c.whole)), text)
    number = as_number(value) if not isinstance(value, str) else _numeric(value)
    if condition.operator in ("eq", "ne"):
        by_text = sa.and_(*_equal_text(table, text))
        return by_text if number is None else sa.or_(by_text, table.c.number == number)
    compare = _COMPARE[condition.operator]
    # An expression of the number: the index of texts is to serve this, not that of numbers.
    no_number = sa.func.coalesce(table.c.number, None).is_(None)
    by_text = sa.and_(no_number, compare(table.c.text, text))
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


def _part(kind: str, folded: Any, text: str) -> Any:
    """Containing or beginning with, without regard to case: no character is a wildcard."""
    position = sa.func.instr(folded, text.casefold())
    return position == 1 if kind == "startswith" else position > 0


def _numeric(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
