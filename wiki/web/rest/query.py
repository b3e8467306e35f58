"""``/query`` and ``/search``: documents by what is in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

from flask import request
from werkzeug.exceptions import BadRequest

from wiki.api import OPERATORS
from wiki.classes import TYPES
from wiki.errors import DamagedPage, DocumentNotFound, QueryError
from wiki.model import ClassDefinition, Property
from wiki.references import Reference
from wiki.rendering.tables.conditions import several
from wiki.store.base import (
    CONDITION_FIELDS,
    DOCUMENT_FIELDS,
    Condition,
    Hit,
    Operator,
    Query,
    Row,
    Search,
)
from wiki.web.rest import json, paging
from wiki.web.rest.context import wiki
from wiki.web.rest.routes import Operation

#: Parameters of ``/query`` itself; a property of such a name is asked for as ``object.limit``.
OWN = ("class", "space", "order_by", "limit", "cursor")
#: Types whose values are compared otherwise than as the text that stands in the address.
PARSED = frozenset({"Number", "Boolean", "Date"})
NO_CLASS = ClassDefinition()
ORDERS = ("rank", "date")


def query_pages() -> dict[str, Any]:
    """Documents by class and property, with their objects of the class."""
    size, start = paging.limit(), paging.offset()
    class_name, definition = wanted_class()
    where = tuple(condition(key, text, definition)
                  for key, text in request.args.items(multi=True) if key not in OWN)
    orders = [field for text in request.args.getlist("order_by") for field in text.split(",")
              if field]
    query = Query(class_name, where, tuple(order_field(field, definition) for field in orders),
                  request.args.get("space") or None, limit=size + 1, offset=start)
    rows = list(wiki().rows(query))
    answer = paging.page_of(rows, start, size)
    return {**answer, "items": list(found(answer["items"], class_name))}


def search_pages() -> dict[str, Any]:
    """Full text: pages with all the words, best first, with counts."""
    size, start = paging.limit(), paging.offset()
    args = request.args
    if not args.get("q", "").strip():
        raise BadRequest("q: say what to search for.")
    order = args.get("order", "rank")
    if order not in ORDERS:
        raise BadRequest(f"order: {order[:40]!r} is none; there are {', '.join(ORDERS)}.")
    found = wiki().find(Search(
        args["q"], args.get("space") or None, args.get("class") or None,
        args.get("author") or None, args.get("year") or None, order == "date",
        args.get("hidden") == "true", size + 1, start))
    facets = {name: [{"value": value, "count": number} for value, number in values]
              for name, values in found.facets.items()}
    return {**paging.page_of([hit_to_json(hit) for hit in found.hits], start, size),
            "total": found.total, "capped": found.capped, "facets": facets,
            "instead": found.instead}


def find_titles() -> dict[str, Any]:
    """Pages by the beginning of their title or of its words, for pickers."""
    size, start = paging.number("limit", 20, 1, paging.MAX_LIMIT), paging.offset()
    most = start + size + 1
    text, class_name = request.args.get("q", ""), request.args.get("class")
    found = (titles_of(str(Reference.parse(class_name)), text, most) if class_name
             else wiki().titles(text, most))
    return paging.page_of([{"reference": str(reference), "title": title, "space": reference.space}
                           for reference, title in found[start:]], start, size)


def titles_of(class_name: str, text: str, size: int) -> list[tuple[Reference, str]]:
    """Pages with an object of the class whose title has the text, then those whose name has."""
    fields = ("doc.title", "doc.reference") if text else ("doc.title",)
    pages = {row.reference: row.title for field in fields for row in wiki().rows(
        Query(class_name, (Condition(field, "contains", text),) if text else (),
              (field,), hidden=False, limit=size))}
    return list(pages.items())[:size]


def wanted_class() -> tuple[str | None, ClassDefinition]:
    """The class that the query names, and its definition; raises QueryError."""
    text = request.args.get("class")
    if not text:
        return None, NO_CLASS
    name = str(Reference.parse(text))
    definition = wiki().class_definition(name)
    if definition is None:
        raise QueryError(f"class: there is no class {name}")
    return name, definition


def found(rows: list[Row], class_name: str | None) -> Iterator[dict[str, Any]]:
    for row in rows:
        item = json.row_to_json(row)
        if class_name is not None:
            try:
                record = wiki().get(row.reference).record
            except (DocumentNotFound, DamagedPage):  # deleted just now; `check` lists damage
                continue
            item["objects"] = [json.object_to_json(obj) for obj in record.objects_of(class_name)]
        yield item


def condition(key: str, text: str, definition: ClassDefinition) -> Condition:
    """``year__gt=1965`` or ``status__in=READY|ERROR`` as a condition; raises QueryError or
    InvalidValue."""
    name, separator, operator = key.rpartition("__")
    if not separator:
        name, operator = key, "eq"
    if operator not in OPERATORS:
        raise QueryError(f"{key}: {operator!r} is no operator; there are " + ", ".join(OPERATORS))
    field, prop = resolve(name, definition)
    if operator == "in":
        return Condition(field, "in", tuple(value_of(prop, "eq", one) for one in several(text)))
    return Condition(field, cast(Operator, operator), value_of(prop, operator, text))


def resolve(name: str, definition: ClassDefinition) -> tuple[str, Property | None]:
    """The index's name of a field, with the property where it is one: a property of the class
    before a field of the document, unless ``doc.`` or ``object.`` says which.

    Raises QueryError.
    """
    prop = definition.get(name.removeprefix("object."))
    if prop is not None and prop.type != "Password":
        return prop.name, prop
    if name.removeprefix("doc.") in CONDITION_FIELDS:
        return "doc." + name.removeprefix("doc."), None
    raise unknown(name, definition)


def order_field(field: str, definition: ClassDefinition) -> str:
    """``-year`` as the index orders; a field of the document before a property of the class.

    Raises QueryError.
    """
    sign, name = ("-", field[1:]) if field.startswith("-") else ("", field)
    if name in DOCUMENT_FIELDS:
        return f"{sign}doc.{name}"
    return sign + resolve(name, definition)[0]


def unknown(name: str, definition: ClassDefinition) -> QueryError:
    there = [prop.name for prop in definition.properties if prop.type != "Password"]
    what = ("properties of the class: " + ", ".join(there) if there
            else "no properties, since no class with properties is named")
    return QueryError(f"there is no field {name[:80]!r} to ask for; there are {what}; fields of "
                      f"the document: {', '.join(CONDITION_FIELDS)}; and {', '.join(OWN)}")


def value_of(prop: Property | None, operator: str, text: str) -> Any:
    """The text from the address as a value of the property; raises InvalidValue."""
    if prop is None or prop.type not in PARSED or operator in ("contains", "startswith"):
        return text
    kind, bare = TYPES[prop.type], replace(prop, options={})  # one may ask beyond min and max
    value = kind.parse(text, bare)
    if value is None and operator not in ("eq", "ne"):
        raise kind.refuse(text, bare)
    return value


def hit_to_json(hit: Hit) -> dict[str, Any]:
    """A page found, with those of its files that have the words."""
    return {"reference": str(hit.reference), "title": hit.title, **_marked(hit.snippet),
            "author": hit.author, "updated": hit.updated.isoformat() if hit.updated else None,
            "files": [{"filename": file.filename, **_marked(file.snippet)}
                      for file in hit.files]}


def _marked(snippet: str) -> dict[str, Any]:
    """``marks`` are the begins and ends of the words within ``snippet``."""
    plain, marks = "", []
    for piece in re.split("(\x02[^\x02\x03]*\x03)", snippet):
        bare = piece.strip("\x02\x03")
        if bare != piece:
            marks.append([len(plain), len(plain) + len(bare)])
        plain += bare
    return {"snippet": plain, "marks": marks}


OPERATIONS = (
    Operation("GET", "/query", query_pages,
              "Pages by class and property: any other parameter is a condition, "
              "<property> or <property>__<operator>", OWN, answer="QueryList", open_query=True),
    Operation("GET", "/search", search_pages, "Pages by full text, best first",
              ("q", "space", "class", "author", "year", "order", "hidden", "limit", "cursor"),
              required=("q",), answer="SearchList"),
    Operation("GET", "/titles", find_titles, "Pages whose title begins so, or has words that do",
              ("q", "class", "limit", "cursor"), answer="TitleList"),
)
