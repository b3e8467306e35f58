"""Conditions of a query as SQL over the index: on fields of documents, and on properties."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from wiki.errors import QueryError
from wiki.store.base import DOCUMENT_FIELDS, Condition, Query
from wiki.store.extract import MAX_TEXT, as_number, as_text
from wiki.store.index import documents
from wiki.store.pagedb import timestamp
from wiki.store.places import within

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq, "lt": operator.lt, "le": operator.le, "gt": operator.gt,
    "ge": operator.ge}
OPERATORS = (*_COMPARE, "ne", "contains", "startswith")
#: Fields whose text is a part of the label, which an index has.
_LABELLED = ("doc.title", "doc.reference")


def place(query: Query) -> Iterator[Any]:
    """That a document lies in the query's space, and is not hidden if none is wanted."""
    space = documents.c.space
    if query.space is not None and query.nested:
        yield within(space, query.space)
    elif query.space is not None:
        yield space == query.space
    if not query.hidden:
        yield documents.c.hidden.is_(False)


def document_column(field: str) -> Any:
    """Raises QueryError."""
    name = field.removeprefix("doc.")
    if name == "label":  # what lists show, to be searched in; in small letters
        return documents.c.label
    if name == "parent":  # as it is, or as the spaces have it
        return documents.c.parent
    if name not in DOCUMENT_FIELDS:
        raise QueryError(f"{field}: a document has no such field to ask for; it takes "
                         + ", ".join(f"doc.{known}" for known in DOCUMENT_FIELDS))
    return documents.c[name]


def document_condition(condition: Condition) -> Any:
    """Raises QueryError."""
    column = document_column(condition.field)
    value = condition.value
    text = timestamp(value) if isinstance(value, datetime) else as_text(value)
    if condition.operator == "ne":
        return column != text
    if condition.operator in _COMPARE:
        return _COMPARE[condition.operator](column, text)
    if condition.operator not in OPERATORS:
        raise _no_operator(condition)
    if condition.field == "doc.label":
        return _part(condition.operator, column, text)
    found = _part(condition.operator, sa.func.casefold(column), text)
    if condition.field in _LABELLED:
        near = documents.alias("near")
        return sa.and_(documents.c.id.in_(sa.select(near.c.id).where(
            _part("contains", near.c.label, text))), found)
    return found


def check(condition: Condition, query: Query) -> None:
    """Raises QueryError for what cannot be asked."""
    if condition.operator not in OPERATORS:
        raise _no_operator(condition)
    check_field(condition.field, query)


def check_field(field: str, query: Query) -> None:
    """Raises QueryError for a property where no class is asked for."""
    if query.class_name is None and is_property(field):
        raise QueryError(f"{field}: a query without a class knows no properties; it takes "
                         + ", ".join(f"doc.{name}" for name in DOCUMENT_FIELDS))


def _no_operator(condition: Condition) -> QueryError:
    return QueryError(f"{condition.operator!r} is no operator; there are " + ", ".join(OPERATORS))


def fits(condition: Condition, table: Any) -> Any:
    """That a row of properties has a value that fits."""
    return sa.or_(*(sa.and_(*way) for way in ways_to_fit(condition, table)))


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
