"""Conditions of a query as SQL over the index: on fields of documents, and on properties."""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from wiki.errors import QueryError
from wiki.store.base import CONDITION_FIELDS, DOCUMENT_FIELDS, Condition, Query
from wiki.store.extract import MAX_TEXT, as_number, as_text
from wiki.store.pagedb import timestamp
from wiki.store.places import within
from wiki.store.schema import documents
from wiki.translate import gettext

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq, "lt": operator.lt, "le": operator.le, "gt": operator.gt,
    "ge": operator.ge}
OPERATORS = (*_COMPARE, "ne", "contains", "startswith", "in")
#: The tags of a document, as conditions and counts name them.
TAGS = "doc.tags"
_OF_TAGS = ("eq", "ne", "in", "contains", "startswith")
#: Fields whose text is a part of the label, which an index has.
_LABELLED = ("doc.title", "doc.reference")


def place(query: Query, table: Any = documents) -> Iterator[Any]:
    """That a document lies in the query's space, and is not hidden if none is wanted; ``table``
    holds documents, or some of them."""
    space = table.c.space
    if query.space is not None and query.nested:
        yield within(space, query.space)
    elif query.space is not None:
        yield space == query.space
    if not query.hidden:
        yield table.c.hidden.is_(False)


def document_column(field: str, table: Any = documents) -> Any:
    """Raises QueryError."""
    name = field.removeprefix("doc.")
    if name == "label":  # what lists show, to be searched in; in small letters
        return table.c.label
    if name == "parent":  # as it is, or as the spaces have it
        return table.c.parent
    if name not in DOCUMENT_FIELDS:
        raise QueryError(gettext(
            "%(field)s: a document has no such field to ask for; it takes %(names)s", field=field,
            names=", ".join(f"doc.{known}" for known in CONDITION_FIELDS)))
    return table.c[name]


def document_condition(condition: Condition, table: Any = documents) -> Any:
    """That a document has a field that fits, tags aside. Raises QueryError."""
    column = document_column(condition.field, table)
    if condition.operator == "in":
        return column.in_(given([_text(one.value) for one in choices(condition)]))
    text = _text(condition.value)
    if condition.operator == "ne":
        return column != text
    if condition.operator in _COMPARE:
        return _COMPARE[condition.operator](column, text)
    if condition.field != "doc.label":
        column = sa.func.casefold(column)
    return _part(condition.operator, column, text)


def labelled(condition: Condition) -> Iterator[Any]:
    """What an index tells of the documents that contain a text in a field of which the label is
    made."""
    if condition.field in _LABELLED and condition.operator in ("contains", "startswith"):
        near = documents.alias("near")
        yield documents.c.id.in_(sa.select(near.c.id).where(
            _part("contains", near.c.label, _text(condition.value))))


def tag_condition(condition: Condition, table: Any) -> Any:
    """That a row of tags has one that fits."""
    text = _text(condition.value)
    if condition.operator in ("contains", "startswith"):
        return _part(condition.operator, sa.func.casefold(table.c.tag), text)
    return table.c.tag == text


def _text(value: Any) -> str:
    return timestamp(value) if isinstance(value, datetime) else as_text(value)


def given(values: Sequence[int] | Sequence[str]) -> sa.Select[Any]:
    """The values as rows, to be looked up."""
    return sa.select(sa.func.json_each(json.dumps(values)).table_valued("value").c.value)


def choices(condition: Condition) -> Iterator[Condition]:
    """The conditions of which one is to hold, of one with ``in``. Raises QueryError."""
    if not isinstance(condition.value, list | tuple):
        raise QueryError(gettext(
            "%(field)s: 'in' takes a list of values, not %(value)s", field=condition.field,
            value=f"{condition.value!r:.60}"))
    return (Condition(condition.field, "eq", value) for value in condition.value)


def check(condition: Condition, query: Query) -> None:
    """Raises QueryError for what cannot be asked."""
    if condition.operator not in OPERATORS:
        raise QueryError(gettext(
            "%(operator)s is no operator; there are %(names)s", operator=repr(condition.operator),
            names=", ".join(OPERATORS)))
    if condition.operator == "in":
        choices(condition)
    if condition.field == TAGS:
        if condition.operator not in _OF_TAGS:
            raise QueryError(gettext(
                "%(tags)s takes %(names)s, not %(operator)s", tags=TAGS, names=', '.join(_OF_TAGS),
                operator=repr(condition.operator)))
    elif not is_property(condition.field):
        document_column(condition.field)
    check_field(condition.field, query)


def check_field(field: str, query: Query) -> None:
    """Raises QueryError for a property where no class is asked for."""
    if query.class_name is None and is_property(field):
        raise QueryError(gettext(
            "%(field)s: a query without a class knows no properties; it takes %(names)s",
            field=field, names=", ".join(f"doc.{name}" for name in DOCUMENT_FIELDS)))


def ways_to_fit(condition: Condition, table: Any) -> Iterator[tuple[Any, ...]]:
    """What a row of properties may fulfil to fit, each way served by another index."""
    value = condition.value
    if isinstance(value, datetime):
        value = value.isoformat()
    text = as_text(value)
    if condition.operator in ("contains", "startswith"):
        yield table.c.folded.is_not(None), _part(condition.operator, table.c.folded, text)
        yield table.c.folded.is_(None), _part(
            condition.operator, sa.func.casefold(table.c.whole), text)
        return
    number = as_number(value) if not isinstance(value, str) else numeric(value)
    if condition.operator in ("eq", "ne"):
        yield tuple(equal_text(table, text))
        if number is not None:
            yield (table.c.number == number,)
        return
    compare = _COMPARE[condition.operator]
    if number is None or isinstance(value, str):
        # An expression of the number: the index of texts is to serve this, not that of numbers.
        yield (sa.func.coalesce(table.c.number, None).is_(None), compare(table.c.text, text))
    if number is not None:
        yield (compare(table.c.number, number),)


def equal_text(table: Any, text: str) -> Iterator[Any]:
    """That a row of properties has this text, which may be longer than an index holds."""
    yield table.c.text == text[:MAX_TEXT]
    if len(text) > MAX_TEXT:
        yield table.c.whole == text
    elif len(text) == MAX_TEXT:
        yield table.c.whole.is_(None)


def _part(kind: str, folded: Any, text: str) -> Any:
    """Containing or beginning with, without regard to case: no character is a wildcard."""
    position = sa.func.instr(folded, text.casefold())
    return position == 1 if kind == "startswith" else position > 0


def numeric(text: str) -> float | None:
    """The number that the text reads as."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def is_property(field: str) -> bool:
    """Whether a field of a condition or an order is one of the class."""
    return not field.removeprefix("-").startswith("doc.")


def is_plain(condition: Condition) -> bool:
    """Whether the condition is equality of a property with text that is no number."""
    value = condition.value
    return (condition.operator == "eq" and is_property(condition.field)
            and isinstance(value, str) and value != "" and numeric(value) is None)


def is_empty(condition: Condition) -> bool:
    """Whether it asks for objects without a value, or with any: an empty value has no row."""
    return condition.operator in ("eq", "ne") and condition.value in (None, "")
