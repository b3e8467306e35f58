"""The index over all pages: SQLite through SQLAlchemy Core. Derived: it can be built anew from
the pages at any time, and is when its schema has changed or it cannot be read.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
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
from wiki.model import Version
from wiki.references import Reference
from wiki.store import changelog, filetexts, schema, spelling
from wiki.store.base import Found, Row, Search, State
from wiki.store.entries import Entry, last_change, set_meta, update
from wiki.store.fulltext import find
from wiki.store.fulltext import titles as find_titles
from wiki.store.kept import Found as Answer
from wiki.store.kept import Kept
from wiki.store.schema import documents, meta
from wiki.store.watch import Watch

BUSY_SECONDS = 60

_GENERATION = sa.text("SELECT value FROM meta WHERE key = 'generation'")
_CHANGES = sa.text("""
    SELECT reference, changed, EXISTS (SELECT 1 FROM objects
        WHERE objects.doc_id = documents.id AND objects.class IN :classes)
    FROM documents WHERE changed > :number
    UNION ALL SELECT reference, changed, 0 FROM removals WHERE changed > :number
    ORDER BY 2 LIMIT :limit""").bindparams(sa.bindparam("classes", expanding=True))


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
        self._kept = Kept(self)
        self._connected = False
        #: One connection writes, always the same: SQLite forgets what a connection has read of
        #: the file when another one has written to it.
        self._writer: Connection | None = None
        #: Kept from being closed in a forked child, where they are the parent's.
        self._inherited: list[Pool | Connection] = []

    # -- life ------------------------------------------------------------------------------

    def is_current(self) -> bool:
        """Whether the file is there, readable, and has this schema."""
        if not self.path.exists():
            return False
        try:
            return self.get_meta("schema") == schema.SCHEMA
        except StoreError:
            return False

    def create(self) -> None:
        """Make an empty index in place of what is there; :meth:`complete` it when it is filled.

        In the same file, since other processes may have it open, unless it cannot be read.
        """
        try:
            self._empty()
        except StoreError:
            self.close()
            for suffix in ("", "-wal", "-shm"):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
            self._empty()

    def complete(self) -> None:
        """Declare the index filled: one that a crash left half filled is built anew."""
        self.set_meta("schema", schema.SCHEMA)

    def _empty(self) -> None:
        with self.writing() as connection:
            names = connection.execute(sa.text(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE "
                "'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE 'fulltext\\_%' ESCAPE '\\' "
                "AND name NOT LIKE 'titles\\_%' ESCAPE '\\' "
                "AND name NOT LIKE 'filetext\\_%' ESCAPE '\\'")).scalars()
            for name in names.all():
                connection.exec_driver_sql(f'DROP TABLE "{name}"')
            schema.metadata.create_all(connection)
            changelog.metadata.create_all(connection)
            filetexts.metadata.create_all(connection)
            connection.exec_driver_sql(schema.CREATE_FULLTEXT)
            connection.exec_driver_sql(schema.CREATE_TITLES)
            connection.exec_driver_sql(filetexts.CREATE)
            for statement in spelling.CREATE:
                connection.exec_driver_sql(statement)
            set_meta(driver(connection), "generation", uuid.uuid4().hex)

    def close(self) -> None:
        self._watch.close()
        self._drop_writer()
        self._engine.dispose()
        self._connected = False

    def forget(self) -> None:
        """In a forked child: leave the parent's connections alone and open others."""
        self._watch.forget()
        self._kept.after_fork()
        if not self._connected:  # as in the fork server, whose children are to start fast
            return
        self._inherited.append(self._engine.pool)
        if self._writer is not None:
            self._inherited.append(self._writer)
            self._writer = None
        self._engine.dispose(close=False)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        self._connected = True
        with _translated(), self._reading.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes, kept if the block ends well; needs the writer's lock."""
        self._connected = True
        with _translated():
            if self._writer is None:
                self._writer = self._engine.connect()
            try:
                with self._writer.begin():
                    driver(self._writer).execute("BEGIN IMMEDIATE").close()
                    yield self._writer
            except BaseException:
                self._drop_writer()
                raise

    def _drop_writer(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def get_meta(self, key: str) -> str | None:
        with self.reading() as connection:
            return connection.execute(
                sa.select(meta.c.value).where(meta.c.key == key)).scalar()

    def set_meta(self, key: str, value: str) -> None:
        """Note a value; needs the writer's lock."""
        with self.writing() as connection:
            set_meta(driver(connection), key, value)

    # -- writing ---------------------------------------------------------------------------

    def update(self, entries: Sequence[Entry], removed: Iterable[Reference] = (),
               mark: str | None = None, log: changelog.Log | None = None) -> None:
        """Index pages anew and drop others, with what the log of changes tells of that, and note
        how far the journal is applied, all in one transaction."""
        latest = {entry.document.reference: entry for entry in entries}
        with self.writing() as connection:
            placed = update(driver(connection), list(latest.values()), list(map(str, removed)))
            if placed:
                filetexts.update(connection, placed, self._open_blob)
            if log is not None:
                log.write(driver(connection))
            if mark is not None:
                set_meta(driver(connection), "journal", mark)

    # -- reading ---------------------------------------------------------------------------

    def state(self) -> State:
        """See :meth:`wiki.store.base.Store.state`."""
        return self._watch.state()

    def kept(self, key: Hashable, find: Callable[[Sequence[int] | None], Answer]) -> Answer:
        """See :meth:`wiki.store.kept.Kept.get`."""
        return self._kept.get(key, find)

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
            last = last_change(driver(connection))
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
    except (DatabaseError, sqlite3.Error) as error:
        reason = error.orig if isinstance(error, DatabaseError) else error
        raise StoreError(f"the index could not do this: {reason}") from error


def driver(connection: Connection) -> sqlite3.Connection:
    """SQLite's own connection below one of SQLAlchemy."""
    found = connection.connection.driver_connection
    assert isinstance(found, sqlite3.Connection)
    return found


def _engine(path: Path) -> Engine:
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_SECONDS},
                              pool_size=8, max_overflow=64)
    event.listen(engine, "connect", _set_up)
    return engine


def _set_up(connection: sqlite3.Connection, _: object) -> None:
    # A page is not zeroed on disk only to be freed, and the log not merged into the file for each
    # few saves: both cost more than the save does.
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "cache_size = -32000",
                   "temp_store = MEMORY", "mmap_size = 268435456", "secure_delete = FAST",
                   "wal_autocheckpoint = 4000"):
        connection.execute(f"PRAGMA {pragma}").close()
    connection.create_function("casefold", 1, _casefold, deterministic=True)


def _casefold(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value
