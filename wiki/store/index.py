"""The index over all pages: SQLite through SQLAlchemy Core. Derived: it can be built anew from
the pages at any time, and is when its schema has changed or it cannot be read.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import Pool

from wiki.errors import StoreError
from wiki.model import Document, Version
from wiki.references import Reference, join_names
from wiki.store import changelog, extract, filetexts
from wiki.store.base import Found, Row, Search, State
from wiki.store.files import Stamp
from wiki.store.fulltext import find
from wiki.store.fulltext import titles as find_titles
from wiki.store.kept import Found as Answer
from wiki.store.kept import Kept
from wiki.store.pagedb import timestamp
from wiki.store.watch import Watch

#: Changed with the tables below, so that an older index is built anew.
SCHEMA = "8"
BUSY_SECONDS = 60

metadata = sa.MetaData()
meta = sa.Table(
    "meta", metadata,
    sa.Column("key", sa.Text, primary_key=True), sa.Column("value", sa.Text))
documents = sa.Table(
    "documents", metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("reference", sa.Text, nullable=False, unique=True),
    sa.Column("space", sa.Text, nullable=False), sa.Column("name", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False), sa.Column("author", sa.Text, nullable=False),
    sa.Column("creator", sa.Text, nullable=False), sa.Column("created", sa.Text, nullable=False),
    sa.Column("updated", sa.Text, nullable=False), sa.Column("version", sa.Text, nullable=False),
    sa.Column("hidden", sa.Boolean, nullable=False),
    sa.Column("minor", sa.Boolean, nullable=False), sa.Column("comment", sa.Text, nullable=False),
    sa.Column("parent", sa.Text, nullable=False),
    #: The title, or the name where there is none, and what lists show, without regard to case.
    sa.Column("folded", sa.Text, nullable=False), sa.Column("label", sa.Text, nullable=False),
    sa.Column("mtime_ns", sa.BigInteger, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    #: A number that grows with each change of any page.
    sa.Column("changed", sa.BigInteger, nullable=False, index=True),
    sa.Index("documents_by_name", "name", "reference"),
    sa.Index("documents_by_space", "space", "name", "reference"),
    sa.Index("documents_by_created", "created", "name", "reference"),
    sa.Index("documents_by_updated", "updated", "name", "reference"),
    sa.Index("documents_by_author", "author", "name", "reference"),
    sa.Index("documents_by_creator", "creator", "name", "reference"),
    sa.Index("documents_by_label", "label"),
    sa.Index("documents_by_title", "title", "name", "reference"),
    sa.Index("documents_by_folded", "folded", "reference"),
    sa.Index("documents_by_parent", "parent", "title", "name", "reference"))
#: Pages that are gone, and the number of that change.
removals = sa.Table(
    "removals", metadata,
    sa.Column("reference", sa.Text, primary_key=True),
    sa.Column("changed", sa.BigInteger, nullable=False, index=True))
objects = sa.Table(
    "objects", metadata,
    sa.Column("doc_id", sa.Integer, nullable=False),
    sa.Column("class", sa.Text, nullable=False), sa.Column("number", sa.Integer, nullable=False),
    sa.Column("doc_name", sa.Text, nullable=False), sa.Column("doc_ref", sa.Text, nullable=False),
    #: Whether the document has another one of the class before this.
    sa.Column("again", sa.Boolean, nullable=False),
    sa.Index("objects_by_document", "doc_id", "class"),
    sa.Index("objects_by_class", "class", "doc_name", "doc_ref", "doc_id", "number", "again"))
properties = sa.Table(
    "properties", metadata,
    sa.Column("doc_id", sa.Integer, nullable=False),
    sa.Column("class", sa.Text, nullable=False), sa.Column("object", sa.Integer, nullable=False),
    sa.Column("name", sa.Text, nullable=False), sa.Column("text", sa.Text, nullable=False),
    sa.Column("whole", sa.Text), sa.Column("number", sa.Float),
    #: The text without regard to case; null where there is a whole one.
    sa.Column("folded", sa.Text),
    sa.Column("doc_name", sa.Text, nullable=False), sa.Column("doc_ref", sa.Text, nullable=False),
    #: Whether the document has the same value of the property before this.
    sa.Column("again", sa.Boolean, nullable=False),
    sa.Index("properties_by_value", "class", "name", "text", "doc_name", "doc_ref", "doc_id",
             "object", "number", "again"),
    sa.Index("properties_by_number", "class", "name", "number", "doc_id", "object"),
    sa.Index("properties_by_folded", "class", "name", "folded", "doc_id", "object"),
    sa.Index("properties_by_document", "doc_id", "class", "name"))
#: A row for each property of a class that a document has values of: the lowest of them, to sort
#: by. Text is behind the numbers.
sorts = sa.Table(
    "sorts", metadata,
    sa.Column("doc_id", sa.Integer, nullable=False, index=True),
    sa.Column("class", sa.Text, nullable=False), sa.Column("name", sa.Text, nullable=False),
    sa.Column("number", sa.Float, nullable=False), sa.Column("text", sa.Text, nullable=False),
    sa.Column("doc_name", sa.Text, nullable=False), sa.Column("doc_ref", sa.Text, nullable=False),
    sa.Index("sorts_by_value", "class", "name", "number", "text", "doc_name", "doc_ref", "doc_id"))
links = sa.Table(
    "links", metadata,
    sa.Column("doc_id", sa.Integer, nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False), sa.Column("target", sa.Text, nullable=False),
    sa.Column("doc_ref", sa.Text, nullable=False),
    sa.Index("links_by_target", "target", "doc_ref", "kind"))
tags = sa.Table(
    "tags", metadata,
    sa.Column("doc_id", sa.Integer, nullable=False, index=True),
    sa.Column("tag", sa.Text, nullable=False), sa.Column("doc_ref", sa.Text, nullable=False),
    sa.Index("tags_by_tag", "tag", "doc_ref"))
#: rowid is the document's id: a row is deleted by it and by nothing else.
fulltext = sa.table("fulltext", sa.column("rowid"), sa.column("title"), sa.column("name"),
                    sa.column("body"))
#: As small as titles are, so that words that are only begun are found at once.
titles = sa.table("titles", sa.column("rowid"), sa.column("title"), sa.column("name"))
_PARTS = (objects, properties, sorts, links, tags)
_TEXTS = (fulltext, titles)
_CREATE_FULLTEXT = """CREATE VIRTUAL TABLE IF NOT EXISTS fulltext USING fts5(
    title, name, body, tokenize = "unicode61 remove_diacritics 2")"""
_CREATE_TITLES = """CREATE VIRTUAL TABLE IF NOT EXISTS titles USING fts5(
    title, name, prefix = '1 2 3', tokenize = "unicode61 remove_diacritics 2")"""

_GENERATION = sa.text("SELECT value FROM meta WHERE key = 'generation'")
_LAST_CHANGE = sa.text("""
    SELECT MAX(IFNULL((SELECT MAX(changed) FROM documents), 0),
               IFNULL((SELECT MAX(changed) FROM removals), 0))""")
_CHANGES = sa.text("""
    SELECT reference, changed, EXISTS (SELECT 1 FROM objects
        WHERE objects.doc_id = documents.id AND objects.class IN :classes)
    FROM documents WHERE changed > :number
    UNION ALL SELECT reference, changed, 0 FROM removals WHERE changed > :number
    ORDER BY 2 LIMIT :limit""").bindparams(sa.bindparam("classes", expanding=True))

# What each save does, made once: making a statement takes longer than doing it.
_IDS = sa.select(documents.c.reference, documents.c.id).where(
    documents.c.reference.in_(sa.bindparam("references", expanding=True)))
_HIGHEST = sa.select(sa.func.max(documents.c.id))
_DELETES: dict[Any, sa.Delete] = {
    table.c[name]: sa.delete(table).where(table.c[name] == sa.bindparam("key_"))
    for table, name in (*((part, "doc_id") for part in _PARTS),
                        *((text, "rowid") for text in _TEXTS), (documents, "id"),
                        (removals, "reference"))}
_INSERTS: dict[Any, sa.Insert] = {
    **{table: sa.insert(table) for table in (*_PARTS, *_TEXTS)},
    **{table: sa.insert(table).prefix_with("OR REPLACE")
       for table in (documents, removals, meta)}}


@dataclass(frozen=True, slots=True)
class Entry:
    """A page to index, and the stamp of its file."""

    document: Document
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class Known:
    """What the index knows of a page's file."""

    reference: str
    version: str
    mtime_ns: int
    size: int


class Index:
    """The index file. Reading is free to all; writing needs the writer's lock."""

    def __init__(self, path: Path, open_blob: filetexts.Open) -> None:
        """``open_blob`` opens the bytes of attachments, whose text is to be found."""
        self.path = path
        self._open_blob = open_blob
        self._engine = _engine(path)
        self._reading = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._watch = Watch(path, BUSY_SECONDS)
        self._kept = Kept()
        self._connected = False
        #: Kept from being closed in a forked child, where they are the parent's.
        self._inherited: list[Pool] = []

    # -- life ------------------------------------------------------------------------------

    def is_current(self) -> bool:
        """Whether the file is there, readable, and has this schema."""
        if not self.path.exists():
            return False
        try:
            return self.get_meta("schema") == SCHEMA
        except StoreError:
            return False

    def create(self) -> None:
        """Make an empty index in place of what is there; :meth:`complete` it when it is filled.

        In the same file, since other processes may have it open, unless it cannot be read.
        """
        try:
            self._empty()
        except StoreError:
            self._engine.dispose()
            for suffix in ("", "-wal", "-shm"):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
            self._empty()

    def complete(self) -> None:
        """Declare the index filled: one that a crash left half filled is built anew."""
        self.set_meta("schema", SCHEMA)

    def _empty(self) -> None:
        with self.writing() as connection:
            names = connection.execute(sa.text(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE "
                "'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE 'fulltext\\_%' ESCAPE '\\' "
                "AND name NOT LIKE 'titles\\_%' ESCAPE '\\' "
                "AND name NOT LIKE 'filetext\\_%' ESCAPE '\\'")).scalars()
            for name in names.all():
                connection.exec_driver_sql(f'DROP TABLE "{name}"')
            metadata.create_all(connection)
            changelog.metadata.create_all(connection)
            filetexts.metadata.create_all(connection)
            connection.exec_driver_sql(_CREATE_FULLTEXT)
            connection.exec_driver_sql(_CREATE_TITLES)
            connection.exec_driver_sql(filetexts.CREATE)
            _set_meta(connection, "generation", uuid.uuid4().hex)

    def close(self) -> None:
        self._watch.close()
        self._engine.dispose()
        self._connected = False

    def forget(self) -> None:
        """In a forked child: leave the parent's connections alone and open others."""
        self._watch.forget()
        self._kept.after_fork()
        if not self._connected:  # as in the fork server, whose children are to start fast
            return
        self._inherited.append(self._engine.pool)
        self._engine.dispose(close=False)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        self._connected = True
        with _translated(), self._reading.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        self._connected = True
        with _translated(), self._engine.begin() as connection:
            yield connection

    def get_meta(self, key: str) -> str | None:
        with self.reading() as connection:
            return connection.execute(
                sa.select(meta.c.value).where(meta.c.key == key)).scalar()

    def set_meta(self, key: str, value: str) -> None:
        """Note a value; needs the writer's lock."""
        with self.writing() as connection:
            _set_meta(connection, key, value)

    # -- writing ---------------------------------------------------------------------------

    def update(self, entries: Sequence[Entry], removed: Iterable[Reference] = (),
               mark: str | None = None, log: changelog.Log | None = None) -> None:
        """Index pages anew and drop others, with what the log of changes tells of that, and note
        how far the journal is applied, all in one transaction."""
        with self.writing() as connection:
            entries = list({entry.document.reference: entry for entry in entries}.values())
            gone = [str(reference) for reference in removed]
            changed = _last_change(connection)
            known = _ids(connection, [*gone, *(str(e.document.reference) for e in entries)])
            _clear(connection, list(known.values()))
            _delete_rows(connection, documents.c.id, [known[ref] for ref in gone if ref in known])
            _note_removals(connection, gone, changed)
            placed = _insert(connection, entries, known, changed + len(gone))
            filetexts.update(connection, [*((known[ref], None) for ref in gone if ref in known),
                                          *placed], self._open_blob)
            if log is not None:
                log.write(connection)
            if mark is not None:
                _set_meta(connection, "journal", mark)

    # -- reading ---------------------------------------------------------------------------

    def state(self) -> State:
        """See :meth:`wiki.store.base.Store.state`."""
        return self._watch.state()

    def kept(self, key: Any, make: Callable[[], Answer]) -> Answer:
        """What ``make`` finds here, made once as long as nothing changes; ``key`` names it."""
        return self._kept.get(self.state(), key, make)

    def rows(self, statement: sa.Select[Any]) -> Sequence[Any]:
        with self.reading() as connection:
            return connection.execute(statement).all()

    def scalar(self, statement: sa.Select[Any]) -> Any:
        with self.reading() as connection:
            return connection.execute(statement).scalar()

    def find(self, search: Search) -> Found:
        """See :meth:`wiki.store.base.Store.find`; raises QueryError."""
        with self.reading() as connection:
            return find(connection, search)

    def titles(self, text: str, limit: int) -> list[tuple[Reference, str]]:
        """See :meth:`wiki.store.base.Store.titles`."""
        with self.reading() as connection:
            return find_titles(connection, text, limit)

    def changes_since(self, number: int, classes: Sequence[str],
                      limit: int) -> tuple[str, int, list[tuple[str, int, bool]]]:
        """The index's generation, the number of the last change, and the pages with a higher
        one than ``number``, by it: reference, number, whether they have an object of one of the
        classes."""
        with self.reading() as connection:
            generation = connection.execute(_GENERATION).scalar() or ""
            last = _last_change(connection)
            rows = connection.execute(_CHANGES, {
                "number": number, "classes": list(classes), "limit": limit}) if (
                    last > number) else ()
            return generation, last, [(ref, changed, bool(fits)) for ref, changed, fits in rows]

    def known(self, space: str) -> list[Known]:
        """The pages of a space with the stamps of their files."""
        return self._known(documents.c.space == space)

    def known_page(self, reference: Reference) -> Known | None:
        """The page with the stamp of its file; None where the index does not have it."""
        return next(iter(self._known(documents.c.reference == str(reference))), None)

    def _known(self, condition: Any) -> list[Known]:
        columns = documents.c
        return [Known(*row) for row in self.rows(
            sa.select(columns.reference, columns.version, columns.mtime_ns, columns.size)
            .where(condition))]


#: The columns that :func:`to_row` takes.
ROW = (documents.c.reference, documents.c.title, documents.c.author, documents.c.updated,
       documents.c.version, documents.c.hidden, documents.c.minor, documents.c.comment)


def to_row(row: Sequence[Any]) -> Row:
    """A record from the columns of :data:`ROW`, with which ``row`` begins."""
    reference, title, author, updated, version, hidden, minor, comment = row[:len(ROW)]
    return Row(Reference.parse(reference), title, author, datetime.fromisoformat(updated),
               Version.parse(version), bool(hidden), bool(minor), comment)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        raise StoreError(f"the index could not do this: {error.orig}") from error


def _engine(path: Path) -> Engine:
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_SECONDS},
                              pool_size=8, max_overflow=64)
    event.listen(engine, "connect", _set_up)
    return engine


def _set_up(connection: sqlite3.Connection, _: object) -> None:
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "cache_size = -32000",
                   "temp_store = MEMORY", "mmap_size = 268435456"):
        connection.execute(f"PRAGMA {pragma}").close()
    connection.create_function("casefold", 1, _casefold, deterministic=True)


def _casefold(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _set_meta(connection: Connection, key: str, value: str) -> None:
    connection.execute(_INSERTS[meta], {"key": key, "value": value})


def _chunks(items: list[Any], size: int = 500) -> Iterator[list[Any]]:
    for start in range(0, len(items), size):
        yield items[start:start + size]


def _ids(connection: Connection, references: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in _chunks(references):
        rows = connection.execute(_IDS, {"references": part})
        found.update((ref, number) for ref, number in rows)
    return found


def _clear(connection: Connection, ids: list[int]) -> None:
    for table in _PARTS:
        _delete_rows(connection, table.c.doc_id, ids)
    for text in _TEXTS:
        _delete_rows(connection, text.c.rowid, ids)


def _delete_rows(connection: Connection, column: Any, keys: Sequence[int | str]) -> None:
    if keys:
        connection.execute(_DELETES[column], [{"key_": key} for key in keys])


def _last_change(connection: Connection) -> int:
    """The number of the last change. Never falls: a page that takes the highest with it leaves
    a higher one."""
    return int(connection.execute(_LAST_CHANGE).scalar() or 0)


def _note_removals(connection: Connection, gone: list[str], changed: int) -> None:
    if gone:
        connection.execute(_INSERTS[removals],
                           [{"reference": ref, "changed": number}
                            for number, ref in enumerate(gone, changed + 1)])


def _insert(connection: Connection, entries: Sequence[Entry], known: dict[str, int],
            changed: int) -> list[tuple[int, Document]]:
    """Returns the pages with their numbers."""
    fresh = [ref for entry in entries if (ref := str(entry.document.reference)) not in known]
    _delete_rows(connection, removals.c.reference, fresh)
    highest = int(connection.execute(_HIGHEST).scalar() or 0) if fresh else 0
    rows: dict[Any, list[dict[str, Any]]] = {}
    placed: list[tuple[int, Document]] = []
    for position, entry in enumerate(entries, changed + 1):
        number = known.get(str(entry.document.reference))
        if number is None:
            highest += 1
            number = highest
        placed.append((number, entry.document))
        for table, row in _rows(entry, number, position):
            rows.setdefault(table, []).append(row)
    for table, values in rows.items():
        connection.execute(_INSERTS[table], values)
    return placed


def _rows(entry: Entry, number: int, changed: int) -> Iterator[tuple[Any, dict[str, Any]]]:
    document = entry.document
    reference = str(document.reference)
    name = document.reference.name
    place = {"doc_id": number, "doc_ref": reference}
    yield documents, _document_row(entry, number, changed)
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
    yield fulltext, {"rowid": number, "title": document.title,
                     "name": join_names((*document.reference.spaces, name)),
                     "body": extract.words(document, values)}
    yield titles, {"rowid": number, "title": document.display_title,
                   "name": join_names((*document.reference.spaces, name))}


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
