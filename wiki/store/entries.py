"""What stands in the index for a page, and how a save brings it there.

Only what differs is written: where one of a page's twenty values has changed, one row of them is.
Each row lies in several indices, each time in another part of a big file. The statements are made
once and go to the driver as they are: SQLAlchemy takes longer over one than SQLite does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from wiki.model import Document
from wiki.references import join_names
from wiki.store import extract, filetexts
from wiki.store.files import Stamp
from wiki.store.pagedb import timestamp
from wiki.store.schema import (
    documents,
    fulltext,
    links,
    meta,
    objects,
    properties,
    removals,
    sorts,
    tags,
    titles,
)

_DIALECT = sqlite.dialect(paramstyle="qmark")
Values = tuple[Any, ...]


def as_sql(statement: sa.ClauseElement) -> str:
    """The statement as SQLite takes it, with a ``?`` for each value, in order."""
    return str(statement.compile(dialect=_DIALECT))


@dataclass(frozen=True, slots=True)
class Entry:
    """A page to index, and the stamp of its file."""

    document: Document
    stamp: Stamp


class _Part:
    """A table with rows of documents, whose first column tells the document's number."""

    def __init__(self, table: sa.TableClause) -> None:
        key: sa.ColumnElement[int] = next(iter(table.c))
        rowid: sa.ColumnElement[int] = sa.column("rowid")
        number: sa.BindParameter[int] = sa.bindparam("number")
        self.names = [column.name for column in table.c]
        self.insert = as_sql(sa.insert(table))
        self.delete = as_sql(sa.delete(table).where(rowid == number))
        self.clear = as_sql(sa.delete(table).where(key == number))
        self._select = as_sql(sa.select(rowid, *table.c).select_from(table).where(key == number))

    def present(self, connection: sqlite3.Connection, number: int) -> dict[Values, list[int]]:
        """The document's rows, each with its rowids."""
        found: dict[Values, list[int]] = {}
        for rowid, *values in connection.execute(self._select, (number,)).fetchall():
            found.setdefault(tuple(values), []).append(rowid)
        return found


_PARTS = {table.name: _Part(table)
          for table in (objects, properties, sorts, links, tags, fulltext, titles)}
_COLUMNS = [column.name for column in documents.c]
_KNOWN = as_sql(sa.select(documents).where(documents.c.reference == sa.bindparam("reference")))
_HAS_FILES = as_sql(sa.select(filetexts.files.c.id).where(
    filetexts.files.c.doc_id == sa.bindparam("number")))
_HIGHEST = as_sql(sa.select(sa.func.max(documents.c.id)))
_LAST_CHANGE = """
    SELECT MAX(IFNULL((SELECT MAX(changed) FROM documents), 0),
               IFNULL((SELECT MAX(changed) FROM removals), 0))"""
_ADD = as_sql(sa.insert(documents))
_DROP = as_sql(sa.delete(documents).where(documents.c.id == sa.bindparam("id")))
_NOTE_REMOVAL = as_sql(sa.insert(removals).prefix_with("OR REPLACE"))
_FORGET_REMOVAL = as_sql(sa.delete(removals).where(
    removals.c.reference == sa.bindparam("reference")))
_SET_META = as_sql(sa.insert(meta).prefix_with("OR REPLACE"))


def set_meta(connection: sqlite3.Connection, key: str, value: str) -> None:
    """Note a value in the index."""
    connection.execute(_SET_META, (key, value))


def last_change(connection: sqlite3.Connection) -> int:
    """The number of the last change. Never falls: a page that takes the highest with it leaves
    a higher one."""
    return int(connection.execute(_LAST_CHANGE).fetchone()[0])


def update(connection: sqlite3.Connection, entries: Sequence[Entry],
           gone: Sequence[str]) -> list[tuple[int, Document | None]]:
    """Drop the pages ``gone`` and bring others up to date, within a transaction. Returns the
    numbers of those that have attachments, or had, with None for one that is gone."""
    changed = last_change(connection) + 1
    dropped = _drop(connection, gone, changed)
    fresh = _Fresh(connection)
    rows = _Changes()
    placed: list[tuple[int, Document | None]] = [(number, None) for number in dropped]
    for position, entry in enumerate(entries, changed + len(gone)):
        document = entry.document
        known = _known(connection, str(document.reference))
        number = known["id"] if known else fresh.number(str(document.reference))
        _place(connection, _document_row(entry, number, position), known)
        for part, wanted in _rows(document, number).items():
            rows.bring(part, wanted, part.present(connection, number) if known else {})
        if document.attachments or (
                known and connection.execute(_HAS_FILES, (number,)).fetchall()):
            placed.append((number, document))
    rows.write(connection)
    return placed


def _known(connection: sqlite3.Connection, reference: str) -> dict[str, Any] | None:
    """The document's row, by column."""
    row = connection.execute(_KNOWN, (reference,)).fetchone()
    return dict(zip(_COLUMNS, row, strict=True)) if row else None


def _drop(connection: sqlite3.Connection, gone: Sequence[str], changed: int) -> list[int]:
    """Returns the numbers that the pages had."""
    if not gone:
        return []
    dropped = [known["id"] for reference in gone if (known := _known(connection, reference))]
    keys = [(number,) for number in dropped]
    for statement in (*(part.clear for part in _PARTS.values()), _DROP):
        connection.executemany(statement, keys)
    connection.executemany(_NOTE_REMOVAL, [
        (reference, number) for number, reference in enumerate(gone, changed)])
    set_meta(connection, "removed", str(changed + len(gone) - 1))
    return dropped


class _Fresh:
    """Numbers for documents that the index does not have."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._highest: int | None = None

    def number(self, reference: str) -> int:
        """The next number, for a page that may have been removed before."""
        if self._highest is None:
            self._highest = self._connection.execute(_HIGHEST).fetchone()[0] or 0
        self._connection.execute(_FORGET_REMOVAL, (reference,))
        self._highest += 1
        return self._highest


class _Changes:
    """Rows to delete and to add, written table by table."""

    def __init__(self) -> None:
        self._stale: dict[_Part, list[tuple[int]]] = {}
        self._new: dict[_Part, list[Values]] = {}

    def bring(self, part: _Part, wanted: Iterable[Values],
              present: dict[Values, list[int]]) -> None:
        """Have the rows that are wanted in place of those present."""
        for values in wanted:
            if rowids := present.get(values):
                rowids.pop()
            else:
                self._new.setdefault(part, []).append(values)
        for rowids in filter(None, present.values()):
            self._stale.setdefault(part, []).extend((rowid,) for rowid in rowids)

    def write(self, connection: sqlite3.Connection) -> None:
        for part, keys in self._stale.items():
            connection.executemany(part.delete, keys)
        for part, rows in self._new.items():
            connection.executemany(part.insert, rows)


def _place(connection: sqlite3.Connection, row: dict[str, Any],
           known: dict[str, Any] | None) -> None:
    """Write the document's row, or the columns of it that differ: SQLite leaves the indices of
    the others alone."""
    if known is None:
        connection.execute(_ADD, [row[name] for name in _COLUMNS])
    elif names := tuple(name for name in _COLUMNS if row[name] != known[name]):
        connection.execute(_replacing(names), [*(row[name] for name in names), row["id"]])


@lru_cache(maxsize=200)
def _replacing(names: tuple[str, ...]) -> str:
    return as_sql(sa.update(documents).where(documents.c.id == sa.bindparam("key_"))
                  .values({name: sa.bindparam(name) for name in names}))


def _rows(document: Document, number: int) -> dict[_Part, list[Values]]:
    """The document's rows in each part."""
    rows: dict[_Part, list[Values]] = {part: [] for part in _PARTS.values()}
    for table, row in _named_rows(document, number):
        part = _PARTS[table.name]
        rows[part].append(tuple([row[name] for name in part.names]))
    return rows


def _named_rows(document: Document, number: int) -> Iterator[tuple[Any, dict[str, Any]]]:
    reference = str(document.reference)
    name = document.reference.name
    place = {"doc_id": number, "doc_ref": reference}
    seen: set[tuple[str, ...]] = set()
    for obj in document.objects:
        yield objects, {**place, "class": obj.class_name, "number": obj.number, "doc_name": name,
                        "again": _again(seen, obj.class_name)}
    values = list(extract.values(document))
    for value in values:
        yield properties, {**place, "class": value.class_name, "object": value.object_number,
                           "name": value.name, "text": value.text, "whole": value.whole,
                           "number": value.number, "doc_name": name,
                           "again": _again(seen, value.class_name, value.name, value.text),
                           "folded": value.text.casefold() if value.whole is None else None}
    for (class_name, field), (low, text) in extract.lowest(values).items():
        yield sorts, {**place, "class": class_name, "name": field, "number": low, "text": text,
                      "doc_name": name}
    for kind, target in extract.links(document, values):
        yield links, {**place, "kind": kind, "target": target}
    for tag in dict.fromkeys(document.tags):
        yield tags, {**place, "tag": tag}
    full_name = join_names((*document.reference.spaces, name))
    yield fulltext, {"rowid": number, "title": document.title, "name": full_name,
                     "tags": "\n".join(document.tags), "headings": extract.headings(document),
                     "body": extract.words(document, values)}
    yield titles, {"rowid": number, "title": document.display_title, "name": full_name}


def _again(seen: set[tuple[str, ...]], *key: str) -> bool:
    known = key in seen
    seen.add(key)
    return known


def _document_row(entry: Entry, number: int, changed: int) -> dict[str, Any]:
    document = entry.document
    return {
        "id": number, "reference": str(document.reference), "space": document.reference.space,
        "name": document.reference.name, "title": document.title, "author": document.author,
        "creator": document.creator, "created": timestamp(document.created),
        "updated": timestamp(document.updated), "version": str(document.version),
        "hidden": document.hidden, "minor": document.minor, "comment": document.comment,
        "parent": extract.parent(document), "folded": document.display_title.casefold(),
        "label": f"{document.title} {document.reference}".casefold(),
        "mtime_ns": entry.stamp.mtime_ns, "size": entry.stamp.size,
        "changed": changed}
