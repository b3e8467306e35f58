"""Which documents fit a query: sets of their numbers, found condition by condition.

Whoever asks for the rows of a table asks for their number and for the values in them too. So what
is found is kept until the next change, and each condition costs one walk along its index.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import sqlalchemy as sa

from wiki.store.base import Condition, Query
from wiki.store.conditions import (
    check,
    document_condition,
    is_empty,
    is_property,
    place,
    ways_to_fit,
)
from wiki.store.index import Index, documents, objects, properties

Numbers = frozenset[int]


def is_whole_class(query: Query) -> bool:
    """Whether all documents with an object of the class fit."""
    return not query.where and query.space is None and query.hidden


def count(index: Index, query: Query) -> int:
    """How many documents fit a query by class. Raises QueryError."""
    if not is_whole_class(query):
        return len(documents_of(index, query))
    statement = sa.select(sa.func.count()).where(
        objects.c["class"] == query.class_name, objects.c.again.is_(False))
    return index.kept(("count", query.class_name), lambda: (int(index.scalar(statement)),))[0]


def counts(index: Index, query: Query, name: str) -> dict[str, int]:
    """How many documents that fit a query by class have each value of a property. Raises
    QueryError."""
    of_property = (properties.c["class"] == query.class_name, properties.c.name == name,
                   properties.c.again.is_(False))
    if is_whole_class(query):
        return {str(text): int(number) for text, number in index.rows(
            sa.select(properties.c.text, sa.func.count()).where(*of_property)
            .group_by(properties.c.text))}
    fit = documents_of(index, query)
    found = {str(text): len(fit.intersection(json.loads(ids))) for text, ids in index.rows(
        sa.select(properties.c.text, sa.func.json_group_array(properties.c.doc_id))
        .where(*of_property).group_by(properties.c.text))}
    return {text: number for text, number in found.items() if number}


def documents_of(index: Index, query: Query) -> Numbers:
    """The numbers of the documents that fit a query by class, ``limit`` and ``offset`` aside.
    Raises QueryError."""
    on_properties = [one for one in query.where if is_property(one.field)]
    for one in query.where:
        check(one, query)
    found = _objects(index, query, on_properties) if on_properties else _carrying(index, query)
    of_document = [*place(query), *(document_condition(one) for one in query.where
                                    if not is_property(one.field))]
    if of_document:
        key = ("documents", query.space, query.nested, query.hidden, repr(query.where))
        found &= index.kept(key, lambda: _numbers(index, sa.select(documents.c.id.label("n"))
                                                  .where(*of_document)))
    return found


def _objects(index: Index, query: Query, conditions: list[Condition]) -> Numbers:
    """The documents with an object of the class that fits all conditions."""
    size = _size(index, query)
    found: Numbers | None = None
    unwanted: list[Numbers] = []
    for one in conditions:
        fit = index.kept(("objects", query.class_name, repr(one)),
                         partial(_fitting, index, query, one, size))
        if (one.operator == "ne") != is_empty(one):
            unwanted.append(fit)
        else:
            found = fit if found is None else found & fit
    if found is None:
        found = index.kept(("class", query.class_name), lambda: _numbers(index, sa.select(
            _object(objects.c.doc_id, objects.c.number, size)).where(
                objects.c["class"] == query.class_name)))
    left = found.difference(*unwanted) if unwanted else found
    return left if size == 1 else frozenset(number // size for number in left)


def _size(index: Index, query: Query) -> int:
    """How many numbers are kept apart for the objects of a document; 1 in most classes, where
    the object's number is the document's."""
    highest = sa.select(sa.func.max(objects.c.number)).where(
        objects.c["class"] == query.class_name)
    return index.kept(("size", query.class_name), lambda: (index.scalar(highest) or 0,))[0] + 1


def _fitting(index: Index, query: Query, one: Condition, size: int) -> Numbers:
    """The objects with a value that fits; with any value, where an empty one is asked for."""
    rows = sa.select(_object(properties.c.doc_id, properties.c.object, size)).where(
        properties.c["class"] == query.class_name, properties.c.name == one.field)
    ways: Iterator[tuple[Any, ...]] = iter([()]) if is_empty(one) else (
        ways_to_fit(one, properties))
    return frozenset().union(*(_numbers(index, rows.where(*way)) for way in ways))


def _carrying(index: Index, query: Query) -> Numbers:
    return index.kept(("carrying", query.class_name), lambda: _numbers(index, sa.select(
        objects.c.doc_id.label("n")).where(objects.c["class"] == query.class_name,
                                           objects.c.again.is_(False))))


def _object(document: Any, number: Any, size: int) -> Any:
    """An object as one number: its document's and its own."""
    return (document * size + number if size > 1 else document).label("n")


def _numbers(index: Index, statement: sa.Select[Any]) -> Numbers:
    """All numbers of a statement with the one column ``n``; as one text, since a row each would
    take longer."""
    rows = statement.subquery()
    return frozenset(json.loads(index.scalar(sa.select(sa.func.json_group_array(rows.c.n)))))
