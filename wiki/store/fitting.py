"""Which documents fit a query: sets of them as bits, found condition by condition.

Whoever asks for the rows of a table asks for their number and for the values in them too, and
again after the next save. So the set of each condition is kept (:mod:`wiki.store.kept`), and of
what is changed only the pages concerned are asked again. The sets of several conditions are joined
in microseconds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import sqlalchemy as sa

from wiki.store.base import Condition, Query
from wiki.store.bits import APART, MANY, Objects, Values, to_bits, to_flags
from wiki.store.conditions import (
    TAGS,
    check,
    choices,
    document_condition,
    given,
    is_empty,
    is_property,
    labelled,
    place,
    tag_condition,
    ways_to_fit,
)
from wiki.store.index import Index
from wiki.store.schema import documents, objects, properties, sorts, tags

#: A condition or more, each row of a table being asked for all of them.
Where = Sequence[Any]


def count(index: Index, query: Query) -> int:
    """How many documents fit, ``limit`` and ``offset`` aside. Raises QueryError."""
    return documents_of(index, query).bit_count()


def counts(index: Index, query: Query, name: str) -> dict[str, int]:
    """How many documents that fit have each value of a property, numbers as text, or each tag.
    Raises QueryError."""
    if name != TAGS and query.class_name is None:
        return {}
    fit = documents_of(index, query)
    values = _values(index, query.class_name, name)
    if values.documents is None:
        return _counted(index, fit, _rows_with(query.class_name, name))
    found = {text: (fit & bits).bit_count() for text, bits in sorted(values.documents.items())}
    return {text: number for text, number in found.items() if number}


def documents_of(index: Index, query: Query) -> int:
    """The documents that fit, as bits, ``limit`` and ``offset`` aside. Raises QueryError."""
    for one in query.where:
        check(one, query)
    of_properties = [one for one in query.where if is_property(one.field)]
    found = _objects(index, query, of_properties) if of_properties else _carrying(index, query)
    for one in query.where:
        if not is_property(one.field):
            found &= _fitting(_all(index), one, partial(_documents, index)).first
    if query.space is not None or not query.hidden:
        key = ("place", query.space, query.nested, query.hidden)
        found &= _kept(index, key, documents, lambda table: [list(place(query, table))]).first
    return found


def sorted_by(index: Index, class_name: str, name: str) -> tuple[int, int]:
    """The documents with a number to sort by in a property, and those with any value, as bits."""
    def among(table: Any) -> list[Any]:
        return [table.c["class"] == class_name, table.c.name == name]

    numbers = _kept(index, ("numbers", class_name, name), sorts,
                    lambda table: [[*among(table), table.c.number < float("inf")]])
    values = _kept(index, ("sorts", class_name, name), sorts, lambda table: [among(table)])
    return numbers.first, values.first


def _objects(index: Index, query: Query, conditions: Sequence[Condition]) -> int:
    """The documents with an object of the class that fits all conditions."""
    found = every = _kept(index, ("objects", query.class_name), objects,
                          lambda table: [[table.c["class"] == query.class_name]], "number")
    for one in conditions:
        found &= _fitting(every, one, partial(_with_value, index, query.class_name))
    return found.documents


def _fitting(every: Objects, one: Condition, find: Callable[[Condition], Objects]) -> Objects:
    """Those of ``every`` that fit a condition; ``find`` finds those with a value of some kind."""
    if one.operator == "in":
        found = Objects()
        for choice in choices(one):
            found |= _fitting(every, choice, find)
        return found
    having = find(replace(one, operator="eq") if one.operator == "ne" else one)
    asks_for_none = is_empty(one) and (is_property(one.field) or one.field == TAGS)
    return having if (one.operator == "ne") == asks_for_none else every - having


def _with_value(index: Index, class_name: str | None, one: Condition) -> Objects:
    """The objects with a value that fits; with any value, where an empty one is asked for."""
    def ways(table: Any) -> Iterator[Where]:
        among = (table.c["class"] == class_name, table.c.name == one.field)
        for way in [()] if is_empty(one) else ways_to_fit(one, table):
            yield *among, *way

    return _kept(index, ("values", class_name, repr(one)), properties, ways, "object")


def _documents(index: Index, one: Condition) -> Objects:
    """The documents with a field that fits, or with a tag that does; with any tag, where an
    empty one is asked for."""
    key = ("documents", repr(one))
    if one.field == TAGS:
        return _kept(index, key, tags, lambda table: [
            () if is_empty(one) else (tag_condition(one, table),)])
    return _kept(index, key, documents, lambda table: [
        (document_condition(one, table), *(labelled(one) if table is documents else ()))])


def _carrying(index: Index, query: Query) -> int:
    """The documents with an object of the class; all, where there is none."""
    if query.class_name is None:
        return _all(index).first
    return _kept(index, ("carrying", query.class_name), objects, lambda table: [
        (table.c["class"] == query.class_name, table.c.again.is_(False))]).first


def _all(index: Index) -> Objects:
    return _kept(index, ("all",), documents, lambda table: [()])


def _kept(index: Index, key: Hashable, table: sa.Table,
          ways: Callable[[Any], Iterable[Where]], number: str = "") -> Objects:
    """What fits in one of some ways: documents, or with the column of their ``number`` objects.
    ``ways`` is given the table, or a part of it with the same columns."""
    def find(ids: Sequence[int] | None) -> Objects:
        rows = table if ids is None else _part(table, ids)
        document = rows.c[_number_of(table)]
        first = sa.case((rows.c[number] == 0, document)) if number else document
        columns = [_listed(first)]
        if number:
            columns.append(_listed(sa.case(
                (rows.c[number] > 0, document * APART + rows.c[number]))))
        found = Objects()
        for where in ways(rows):
            numbers, *others = map(json.loads, index.rows(
                sa.select(*columns).select_from(rows).where(*where))[0])
            found |= Objects(to_bits(numbers), frozenset(*others))
        return found

    return index.kept(key, find)


def _listed(column: Any) -> Any:
    """All values of a column but null as one text; a row each would take longer."""
    return sa.func.json_group_array(column).filter(column.is_not(None))


def _part(table: sa.Table, ids: Sequence[int]) -> Any:
    """The rows of some documents. The limit, which is none, keeps SQLite from looking for them
    by anything else."""
    return sa.select(table).where(
        table.c[_number_of(table)].in_(given(ids))).limit(-1).subquery()


def _number_of(table: sa.Table) -> str:
    return "id" if table is documents else "doc_id"


def _values(index: Index, class_name: str | None, name: str) -> Values:
    """The documents with each value of a property, or with each tag."""
    def find(ids: Sequence[int] | None) -> Values:
        rows, text, where = _rows_with(class_name, name, ids)
        found = index.rows(sa.select(text, sa.func.json_group_array(rows.c.doc_id))
                           .where(*where).group_by(text).limit(MANY + 1))
        return Values(None if len(found) > MANY else {
            str(value): to_bits(json.loads(numbers)) for value, numbers in found})

    return index.kept(("each", class_name if name != TAGS else None, name), find)


def _counted(index: Index, fit: int, values: tuple[Any, Any, Where]) -> dict[str, int]:
    """The number of documents that fit for each of many values."""
    rows, text, where = values
    found = [(str(value), json.loads(numbers)) for value, numbers in index.rows(
        sa.select(text, sa.func.json_group_array(rows.c.doc_id.distinct()))
        .where(*where).group_by(text))]
    flags = to_flags(fit, max((max(numbers) for _, numbers in found), default=0))
    totals = ((value, sum(map(flags.__getitem__, numbers))) for value, numbers in found)
    return {value: number for value, number in totals if number}


def _rows_with(class_name: str | None, name: str,
               ids: Sequence[int] | None = None) -> tuple[Any, Any, Where]:
    """Where the values of a property or the tags stand, for all documents or some: the table,
    its column with them, and which rows."""
    table = tags if name == TAGS else properties
    rows = table if ids is None else _part(table, ids)
    if name == TAGS:
        return rows, rows.c.tag, ()
    return rows, rows.c.text, (rows.c["class"] == class_name, rows.c.name == name)
