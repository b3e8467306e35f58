"""The order of a query's rows, for those who merge the rows of two indexes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from wiki.model import Document
from wiki.references import Reference
from wiki.store import extract
from wiki.store.base import Query, Row
from wiki.store.pagedb import timestamp


@dataclass(frozen=True, slots=True)
class _Reversed:
    """Compares the other way round."""

    value: Any

    def __lt__(self, other: _Reversed) -> bool:
        return bool(other.value < self.value)


def sort_key(row: Row, query: Query, get: Callable[[Reference], Document]) -> tuple[Any, ...]:
    """What the row is ordered by, as :mod:`wiki.store.query` orders; ``get`` opens its page
    where the row itself does not tell."""
    keys: list[Any] = []
    for field in query.order_by:
        values = _values(field.removeprefix("-"), row, query, get)
        keys.extend(map(_Reversed, values) if field.startswith("-") else values)
    return (*keys, row.reference.name, str(row.reference))


def _values(field: str, row: Row, query: Query,
            get: Callable[[Reference], Document]) -> Iterator[Any]:
    if field.startswith("doc."):
        yield _document_value(field.removeprefix("doc."), row, get)
        return
    found = [value for value in extract.values(get(row.reference))
             if value.class_name == query.class_name and value.name == field]
    yield min((value.number for value in found if value.number is not None), default=math.inf)
    yield min((value.text for value in found), default="")


def _document_value(name: str, row: Row, get: Callable[[Reference], Document]) -> str:
    if name in ("name", "space"):
        return str(getattr(row.reference, name))
    if name == "label":
        return f"{row.title} {row.reference}"
    value = getattr(get(row.reference) if name in ("created", "creator") else row, name)
    return timestamp(value) if isinstance(value, datetime) else str(value)
