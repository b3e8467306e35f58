"""Documents as JSON, and changes from JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from wiki import classes
from wiki.errors import InvalidDocument, InvalidValue
from wiki.model import Attachment, ClassDefinition, Document, Object, Revision
from wiki.references import Reference
from wiki.store.base import Row

#: What a PUT may name without effect, so that what GET answered can be sent back.
READ_ONLY = frozenset({"version", "author", "created", "updated", "attachments"})
#: The highest number that an object may be given.
MAX_NUMBER = 2**31 - 1


def moment(when: datetime) -> str:
    """``2026-11-24T05:10:22.123000Z``."""
    return when.isoformat().replace("+00:00", "Z")


def document_to_json(document: Document) -> dict[str, Any]:
    """The document with all that it carries, but no passwords."""
    definition = document.class_definition
    return {
        "reference": str(document.reference), "title": document.title,
        "content": document.content, "syntax": document.syntax, "parent": document.parent,
        "hidden": document.hidden, "tags": list(document.tags),
        "version": str(document.version), "author": document.author,
        "created": moment(document.created), "updated": moment(document.updated),
        "comment": document.comment,
        "objects": [object_to_json(obj) for obj in document.objects],
        "attachments": [attachment_to_json(item) for item in document.attachments],
        "class": None if definition is None else {
            "properties": classes.definition_to_dicts(definition)},
    }


def object_to_json(obj: Object) -> dict[str, Any]:
    """``{class, number, properties}``, without passwords."""
    return {"class": obj.class_name, "number": obj.number,
            "properties": classes.visible(obj.values)}


def attachment_to_json(attachment: Attachment) -> dict[str, Any]:
    """What there is to know about a file."""
    return {"filename": attachment.filename, "size": attachment.size,
            "mimetype": attachment.mimetype, "sha256": attachment.sha256}


def revision_to_json(revision: Revision) -> dict[str, Any]:
    """A line of a page's history."""
    return {"version": str(revision.version), "author": revision.author,
            "updated": moment(revision.updated), "comment": revision.comment,
            "minor": revision.minor, "run": revision.run}


def row_to_json(row: Row) -> dict[str, Any]:
    """A page in a list."""
    return {"reference": str(row.reference), "title": row.title, "author": row.author,
            "version": str(row.version), "updated": moment(row.updated), "hidden": row.hidden}


# -- from JSON -----------------------------------------------------------------------------


def change(document: Document, body: Mapping[str, Any]) -> Document:
    """The document with the fields that the body names; those that it leaves out stay.

    Raises InvalidDocument or InvalidValue.
    """
    check_names(body, {*FIELDS, *READ_ONLY, "reference", "comment", "minor"})
    check_reference(document, body)
    for name, convert in FIELDS.items():
        if name in body:
            field = "class_definition" if name == "class" else name
            document = replace(document, **{field: convert(name, body[name], document)})
    return document


def check_names(body: Mapping[str, Any], allowed: set[str]) -> None:
    """Raises InvalidDocument for a field that there is not: a misspelt one would else be lost
    without a word."""
    for name in body:
        if name not in allowed:
            raise InvalidDocument(f"there is no field {name[:80]!r} here; there are "
                                  + ", ".join(sorted(allowed)))


def check_reference(document: Document, body: Mapping[str, Any]) -> None:
    """Raises InvalidDocument when the body is another page's."""
    given = body.get("reference")
    if given is None:
        return
    if not isinstance(given, str) or Reference.parse(given) != document.reference:
        raise InvalidDocument(f"the body's reference is {given!r}, and the address is that of "
                              f"{document.reference}; rename a page in the browser")


def text(body: Mapping[str, Any], name: str) -> str:
    """A text that may be left out; raises InvalidValue."""
    return _text(name, body.get(name, ""))


def flag(body: Mapping[str, Any], name: str) -> bool:
    """True or false, false where it is left out; raises InvalidValue."""
    return _flag(name, body.get(name, False))


def properties(body: Mapping[str, Any]) -> dict[str, Any]:
    """The ``properties`` of an object; what their class allows is asked at the save.

    Raises InvalidValue.
    """
    values = body.get("properties", {})
    if not isinstance(values, dict):
        raise InvalidValue("properties", values, "an object: {name: value}")
    for name, value in values.items():
        if isinstance(value, dict):  # a password's hash is nobody's to give
            raise InvalidValue(name, "(an object)", "text, a number, true, false or a list of "
                               "texts")
    return dict(values)


def class_name(body: Mapping[str, Any]) -> str:
    """The ``class`` of an object, as the wiki writes it; raises InvalidValue."""
    name = body.get("class")
    if not isinstance(name, str):
        raise InvalidValue("class", name, "the name of a class, such as Books.BookClass")
    return str(Reference.parse(name))


def _text(name: str, value: Any, document: Document | None = None) -> str:
    if not isinstance(value, str):
        raise InvalidValue(name, value, "text")
    return value


def _flag(name: str, value: Any, document: Document | None = None) -> bool:
    if not isinstance(value, bool):
        raise InvalidValue(name, value, "true or false")
    return value


def _tags(name: str, value: Any, document: Document) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidValue(name, value, "a list of texts")
    return tuple(value)


def _class(name: str, value: Any, document: Document) -> ClassDefinition | None:
    if value is None:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("properties"), list):
        raise InvalidValue(name, value, "null, or {properties: [{name, type, ...}, ...]}")
    check_names(value, {"properties"})
    return classes.definition_from_dicts(value["properties"])


def _objects(name: str, value: Any, document: Document) -> tuple[Object, ...]:
    if not isinstance(value, list):
        raise InvalidValue(name, value, "a list of {class, number, properties}")
    made: list[Object] = []
    taken = {_key(item) for item in value if isinstance(item, dict) and "number" in item}
    if len(taken) < sum("number" in item for item in value if isinstance(item, dict)):
        raise InvalidValue(name, "(two of one number)", "each class and number once")
    for item in value:
        if not isinstance(item, dict):
            raise InvalidValue(name, item, "a list of {class, number, properties}")
        check_names(item, {"class", "number", "properties"})
        key = _key(item) if "number" in item else _free(class_name(item), taken)
        taken.add(key)
        made.append(_object(key, item, document))
    return tuple(made)


def _key(item: Mapping[str, Any]) -> tuple[str, int]:
    number = item["number"]
    if type(number) is not int or not 0 <= number <= MAX_NUMBER:
        raise InvalidValue("number", number, f"a whole number from 0 to {MAX_NUMBER}")
    return class_name(item), number


def _free(name: str, taken: set[tuple[str, int]]) -> tuple[str, int]:
    return name, max((number for other, number in taken if other == name), default=-1) + 1


def _object(key: tuple[str, int], item: Mapping[str, Any], document: Document) -> Object:
    """The object as given; a password that it does not name is kept, since none is shown."""
    old = document.object(*key)
    secrets = {} if old is None else {
        name: value for name, value in old.values.items() if classes.is_password(value)}
    return Object(*key, {**secrets, **properties(item)})


#: The fields of a document that a PUT changes, and how each is read.
FIELDS: Mapping[str, Callable[[str, Any, Document], Any]] = {
    "title": _text, "content": _text, "syntax": _text, "parent": _text, "hidden": _flag,
    "tags": _tags, "objects": _objects, "class": _class,
}
