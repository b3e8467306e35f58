"""``/pages/{ref}/objects``: what a page carries."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Response, jsonify, request, url_for

from wiki import classes
from wiki.api import OpenDocument
from wiki.errors import ObjectNotFound
from wiki.model import Object
from wiki.references import Reference
from wiki.web.rest import json, paging
from wiki.web.rest.body import read_object
from wiki.web.rest.context import wiki
from wiki.web.rest.pages import existing, with_etag
from wiki.web.rest.routes import Operation
from wiki.web.rest.saving import save


def list_objects(ref: str) -> dict[str, Any]:
    """All objects of the page, or those of a class."""
    size, start = paging.limit(), paging.offset()
    document = wiki().get(ref).record
    name = request.args.get("class")
    found = document.objects_of(str(Reference.parse(name))) if name else document.objects
    items = [json.object_to_json(obj) for obj in found[start:start + size + 1]]
    return paging.page_of(items, start, size)


def post_object(ref: str) -> Response:
    """Add an object; properties that it does not name get their class's defaults."""
    body = read_object()
    json.check_names(body, {"class", "properties", "comment", "minor"})
    name, values = json.class_name(body), json.properties(body)
    document = existing(ref)
    definition = wiki().class_definition(name)
    if definition is not None:
        values = {**classes.defaults(definition), **values}
    obj = Object(name, document.record.next_number(name), values)
    response = keep(document, obj, body)
    response.status_code = 201
    response.headers["Location"] = url_for("rest.get_object", ref=ref, class_name=name,
                                           number=obj.number)
    return response


def get_object(ref: str, class_name: str, number: int) -> Response:
    """One object."""
    document = wiki().get(ref)
    obj = find(document, class_name, number)
    return with_etag(jsonify(json.object_to_json(obj)), document.record)


def patch_object(ref: str, class_name: str, number: int) -> Response:
    """Change the properties that the body names; null empties one."""
    body = read_object()
    json.check_names(body, {"class", "number", "properties", "comment", "minor"})
    document = existing(ref)
    obj = find(document, class_name, number)
    changed = replace(obj, values={**obj.values, **json.properties(body)})
    return keep(document, changed, body)


def delete_object(ref: str, class_name: str, number: int) -> Response:
    """Take the object off the page."""
    document = existing(ref)
    obj = find(document, class_name, number)
    document.remove_object(obj.class_name, obj.number)
    save(document, f"Removed object {obj.class_name} {obj.number}")
    return Response(status=204)


def find(document: OpenDocument, class_name: str, number: int) -> Object:
    """Raises ObjectNotFound."""
    name = str(Reference.parse(class_name))
    obj = document.record.object(name, number)
    if obj is None:
        raise ObjectNotFound(f"{document.record.reference} has no object {name} {number}")
    return obj


def keep(document: OpenDocument, obj: Object, body: dict[str, Any]) -> Response:
    """Save the page with the object, and answer with that as it was saved."""
    document.record = document.record.with_object(obj)
    save(document, json.text(body, "comment"), json.flag(body, "minor"))
    saved = find(document, obj.class_name, obj.number)
    return with_etag(jsonify(json.object_to_json(saved)), document.record)


ONE = "/pages/<ref>/objects/<class_name>/<int:number>"
OPERATIONS = (
    Operation("GET", "/pages/<ref>/objects", list_objects, "The objects that a page carries",
              ("class", "limit", "cursor"), answer="ObjectList"),
    Operation("POST", "/pages/<ref>/objects", post_object, "Add an object to a page",
              body="NewObject", answer="Object", statuses=(201,),
              conditional=True, answering=("ETag", "Location")),
    Operation("GET", ONE, get_object, "One object", answer="Object",
              conditional=True, answering=("ETag",)),
    Operation("PATCH", ONE, patch_object, "Change the properties that the body names",
              body="ObjectChange", answer="Object", conditional=True, answering=("ETag",)),
    Operation("DELETE", ONE, delete_object, "Take an object off its page", statuses=(204,),
              conditional=True),
)
