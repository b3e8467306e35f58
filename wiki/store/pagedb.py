"""A page as a small TinyDB database: tables ``document``, ``objects``, ``class``,
``attachments``.

``TinyDB(path, storage=PageStorage)`` opens a page's file for any tool. The store itself fills
one in memory, since a page is written as one text, through the journal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tinydb import TinyDB
from tinydb.storages import Storage

from wiki.errors import DamagedPage, InvalidDocument
from wiki.model import (
    MARKDOWN,
    Attachment,
    ClassDefinition,
    Document,
    Object,
    Property,
    Version,
)
from wiki.references import Reference

#: An object's number is below this.
MAX_NUMBER = 1 << 31
Tables = dict[str, dict[str, dict[str, Any]]]


class PageStorage(Storage):
    """A TinyDB storage whose tables lie in memory, read from ``path`` if one is given.

    Nothing is written to the path: a page changes only through the store, which takes
    :meth:`text`.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        self._tables: Tables | None = None
        if path is not None:
            self._tables = json.loads(Path(path).read_bytes())

    def read(self) -> Tables | None:
        return self._tables

    def write(self, data: Tables) -> None:
        self._tables = data

    def text(self) -> bytes:
        """The tables as JSON, a row a line.

        Raises ValueError for what JSON or UTF-8 cannot hold.
        """
        tables = (f"{_json(name)}: {{\n" + ",\n".join(
            f" {_json(key)}: {_json(row)}" for key, row in rows.items()) + "\n}"
            for name, rows in (self._tables or {}).items())
        return ("{" + ",\n".join(tables) + "}\n").encode()


def dumps(document: Document) -> bytes:
    """The page's file; raises InvalidDocument for what UTF-8, JSON or the index cannot hold."""
    _check_types(document)
    with TinyDB(storage=PageStorage) as database:
        database.table("document").insert(_document_row(document))
        for name, rows in (("objects", _object_rows(document)), ("class", _class_rows(document)),
                           ("attachments", _attachment_rows(document))):
            if rows:
                database.table(name).insert_multiple(rows)
        storage = database.storage
        assert isinstance(storage, PageStorage)
        try:
            return storage.text()
        except (ValueError, TypeError, RecursionError) as error:
            raise InvalidDocument(f"{document.reference} holds something that cannot be kept: "
                                  f"{error}") from error


def loads(text: bytes, path: Path) -> Document:
    """Read a page's file; raises DamagedPage, which names ``path``."""
    try:
        return _document(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedPage(f"{path} is damaged ({type(error).__name__}: {error}); "
                          "`wikimill check` lists such pages") from error


def version_of(text: bytes) -> Version | None:
    """The version that a page's file holds, or None where it is damaged."""
    try:
        return Version.parse(json.loads(text)["document"]["1"]["version"])
    except (ValueError, KeyError, TypeError):
        return None


def timestamp(moment: datetime) -> str:
    """UTC, always with microseconds, so that the text sorts as the time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _check_types(document: Document) -> None:
    """What is in the journal must never fail to be applied, so it is looked at before."""
    texts = (document.title, document.content, document.syntax, document.parent,
             document.comment, document.creator, document.author, document.content_author,
             document.script_author, document.run, *document.tags,
             *(obj.class_name for obj in document.objects),
             *(name for obj in document.objects for name in obj.values),
             *(item.filename for item in document.attachments))
    for value in texts:
        if not isinstance(value, str):
            raise InvalidDocument(f"{document.reference} has {value!r} where text belongs")
    for obj in document.objects:
        if not isinstance(obj.number, int) or not 0 <= obj.number < MAX_NUMBER:
            raise InvalidDocument(f"{document.reference}: {obj.number!r} is no object's number")
    if not isinstance(document.hidden, bool):
        raise InvalidDocument(f"{document.reference}: hidden is true or false, and not "
                              f"{document.hidden!r}")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, default=_plain)


def _plain(value: object) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (tuple, frozenset, set)):
        return list(value)
    raise TypeError(f"{type(value).__name__} is no JSON")


def _document_row(document: Document) -> dict[str, Any]:
    return {
        "reference": str(document.reference), "title": document.title,
        "content": document.content, "syntax": document.syntax, "parent": document.parent,
        "hidden": document.hidden, "tags": list(document.tags),
        "is_class": document.class_definition is not None,
        "version": str(document.version), "comment": document.comment,
        "minor": document.minor, "creator": document.creator, "author": document.author,
        "content_author": document.content_author, "script_author": document.script_author,
        "created": timestamp(document.created), "updated": timestamp(document.updated),
        **({"run": document.run} if document.run else {}),
    }


def _object_rows(document: Document) -> list[dict[str, Any]]:
    return [{"class": obj.class_name, "number": obj.number, "values": dict(obj.values)}
            for obj in document.objects]


def _class_rows(document: Document) -> list[dict[str, Any]]:
    definition = document.class_definition or ClassDefinition()
    return [{"name": prop.name, "type": prop.type, "prettyName": prop.pretty_name,
             "help": prop.help, "default": prop.default, "required": prop.required,
             "options": dict(prop.options)} for prop in definition.properties]


def _attachment_rows(document: Document) -> list[dict[str, Any]]:
    return [{"filename": item.filename, "size": item.size, "mimetype": item.mimetype,
             "sha256": item.sha256, "author": item.author, "created": timestamp(item.created)}
            for item in document.attachments]


def _document(tables: Tables) -> Document:
    row = tables["document"]["1"]
    return Document(
        reference=Reference.parse(row["reference"]), title=row["title"],
        content=row["content"], syntax=row.get("syntax", MARKDOWN), parent=row["parent"],
        hidden=row["hidden"], tags=tuple(row["tags"]),
        objects=tuple(Object(item["class"], item["number"], item["values"])
                      for item in tables.get("objects", {}).values()),
        class_definition=_class(tables) if row["is_class"] else None,
        attachments=tuple(_attachment(item)
                          for item in tables.get("attachments", {}).values()),
        version=Version.parse(row["version"]), comment=row["comment"], minor=row["minor"],
        creator=row["creator"], author=row["author"], content_author=row["content_author"],
        script_author=row["script_author"], created=datetime.fromisoformat(row["created"]),
        updated=datetime.fromisoformat(row["updated"]),
        run=row.get("run", ""))


def _class(tables: Tables) -> ClassDefinition:
    return ClassDefinition(tuple(
        Property(item["name"], item["type"], item["prettyName"], item["help"], item["default"],
                 item["required"], item["options"])
        for item in tables.get("class", {}).values()))


def _attachment(row: dict[str, Any]) -> Attachment:
    return Attachment(row["filename"], row["size"], row["mimetype"], row["sha256"],
                      row["author"], datetime.fromisoformat(row["created"]))
