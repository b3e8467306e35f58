"""What the store keeps beside pages: lists of keys, the pages that each run touched, and what
is in the recycle bin.

An SQLite file of its own, since it cannot be built anew from the pages as the index can. The
journal makes it durable: it is written as a part of a commit, and again in a replay, which
leaves it as the first time did.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from wiki.errors import StoreError
from wiki.model import Version
from wiki.references import Reference
from wiki.store.base import Binned, Touched
from wiki.store.journal import Mark, Note, Touch, Unbin, Unmark, as_read, as_written
from wiki.store.pagedb import timestamp

#: How many keys one statement fetches.
PAGE = 1000
BUSY_SECONDS = 60
_SCHEMA = """
    CREATE TABLE IF NOT EXISTS marks (list TEXT, key TEXT, PRIMARY KEY (list, key))
        WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS touched (run TEXT, reference TEXT, before TEXT, after TEXT,
        origin TEXT, PRIMARY KEY (run, reference)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS bin (key TEXT, reference TEXT, title TEXT, version TEXT,
        author TEXT, deleted TEXT, comment TEXT, run TEXT, PRIMARY KEY (key, reference));
    CREATE INDEX IF NOT EXISTS bin_by_date ON bin (deleted);
    CREATE INDEX IF NOT EXISTS bin_by_reference ON bin (reference, deleted);"""
#: A replay leaves what is there, and so does a run that deletes what it made anew.
_BIN = "INSERT OR IGNORE INTO bin VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_BINNED = "SELECT key, reference, title, version, author, deleted, comment, run FROM bin"
_LAST_FIRST = "ORDER BY deleted DESC, reference, key LIMIT ? OFFSET ?"
_MARK = "INSERT OR IGNORE INTO marks VALUES (?, ?)"
#: A page is known by what it was before the run first touched it.
_TOUCH = """INSERT INTO touched VALUES (?, ?, ?, ?, NULL)
    ON CONFLICT (run, reference) DO UPDATE SET after = excluded.after,
        origin = CASE WHEN after IS NOT NULL THEN origin END"""

#: A page that is gone under the name that it had before the run. One that the run has made there
#: since is what has become of it.
_GONE = """INSERT INTO touched VALUES (?, ?, ?, NULL, ?)
    ON CONFLICT (run, reference) DO UPDATE SET before = excluded.before"""
_PUT = "INSERT OR REPLACE INTO touched VALUES (?, ?, ?, ?, ?)"
#: What came and went within the run is left out.
_TOUCHED = """SELECT reference, before, after, origin FROM touched WHERE run = ?
    AND NOT (before IS NULL AND after IS NULL)"""


class Marks:
    """The file. Reading is free to all; :meth:`apply` needs the writer's lock."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        #: Kept from being closed in a forked child, where they are the parent's.
        self._inherited: list[sqlite3.Connection] = []

    def apply(self, notes: Sequence[Note]) -> None:
        """Do what a commit notes, in order and in one transaction."""
        if notes:
            with self._using(write=True) as connection, connection:
                for note in notes:
                    _apply(connection, note)

    def marked(self, name: str, key: str) -> bool:
        return bool(self._rows("SELECT 1 FROM marks WHERE list = ? AND key = ?", name, key))

    def marks(self, name: str) -> Iterator[str]:
        """The keys of a list in order."""
        rows = self._rows("SELECT key FROM marks WHERE list = ? ORDER BY key LIMIT ?", name, PAGE)
        while rows:
            yield from (key for (key,) in rows)
            rows = self._rows("SELECT key FROM marks WHERE list = ? AND key > ? ORDER BY key "
                              "LIMIT ?", name, rows[-1][0], PAGE)

    def touched(self, run: str, after: str, limit: int) -> list[Touched]:
        """Pages that a run touched, by reference, from the one behind ``after`` on."""
        return [_touched(*row) for row in self._rows(
            f"{_TOUCHED} AND reference > ? ORDER BY reference LIMIT ?", run, after, limit)]

    def touched_page(self, run: str, reference: Reference) -> Touched | None:
        """What the run did to one page; None where it did not touch it."""
        rows = self._rows(f"{_TOUCHED} AND reference = ?", run, str(reference))
        return _touched(*rows[0]) if rows else None

    def touched_kinds(self, run: str) -> dict[str, int]:
        """How many of each of the kinds of :class:`wiki.store.base.Touched`."""
        rows = self._rows("""SELECT CASE WHEN after IS NULL THEN 'deleted'
            WHEN origin IS NOT NULL THEN 'moved' WHEN before IS NULL THEN 'created'
            ELSE 'changed' END AS kind, COUNT(*) FROM touched WHERE run = ?
            AND NOT (before IS NULL AND after IS NULL) GROUP BY kind""", run)
        return {kind: int(number) for kind, number in rows}

    def bin(self, limit: int, offset: int, reference: Reference | None,
            before: datetime | None) -> list[Binned]:
        """What is in the recycle bin, the last deleted first."""
        where, values = [], []
        if reference is not None:
            where.append("reference = ?")
            values.append(str(reference))
        if before is not None:
            where.append("deleted < ?")
            values.append(timestamp(before))
        condition = f"WHERE {' AND '.join(where)}" if where else ""
        return [_binned(*row) for row in self._rows(
            f"{_BINNED} {condition} {_LAST_FIRST}", *values, limit, offset)]

    def binned(self, key: str, reference: Reference) -> Binned | None:
        """One page of the recycle bin; None where it is not there."""
        rows = self._rows(f"{_BINNED} WHERE key = ? AND reference = ?", key, str(reference))
        return _binned(*rows[0]) if rows else None

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def forget(self) -> None:
        """In a forked child: leave the parent's connection alone and open another."""
        if self._connection is not None:
            self._inherited.append(self._connection)
        self._connection = None
        self._lock = threading.Lock()

    def _rows(self, statement: str, *values: object) -> list[tuple[str, ...]]:
        if self._connection is None and not self._path.exists():
            return []
        with self._using() as connection:
            return connection.execute(statement, values).fetchall()

    @contextmanager
    def _using(self, write: bool = False) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = _open(self._path)
                yield self._connection
            except sqlite3.Error as error:
                raise StoreError(f"the lists of marks could not be "
                                 f"{'written' if write else 'read'}: {error}") from error


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL").close()
    connection.execute("PRAGMA synchronous = NORMAL").close()
    connection.executescript(_SCHEMA).close()
    return connection


def _apply(connection: sqlite3.Connection, note: Note) -> None:
    if isinstance(note, Mark):
        connection.execute(_MARK, (note.list, note.key))
    elif isinstance(note, Unmark):
        connection.execute("DELETE FROM marks WHERE list = ?", (note.list,))
    elif isinstance(note, Binned):
        connection.execute(_BIN, (note.key, str(note.reference), note.title, str(note.version),
                                  note.author, timestamp(note.deleted), note.comment, note.run))
    elif isinstance(note, Unbin):
        connection.execute("DELETE FROM bin WHERE key = ? AND reference = ?",
                           (note.key, str(note.reference)))
    elif note.origin is not None:
        _move(connection, note, str(note.origin))
    else:
        _change(connection, note)


def _change(connection: sqlite3.Connection, note: Touch) -> None:
    """A page was saved or deleted; one that the run had moved before it deleted it is known by
    its first name again."""
    name, there = str(note.reference), _row(connection, note)
    if there is not None and note.after is None and None not in there:
        connection.execute(_GONE, (note.run, there.origin, there.before, name))
        connection.execute(_PUT, (note.run, name, None, None, None))
    else:
        connection.execute(_TOUCH, (note.run, name, as_written(note.before),
                                    as_written(note.after)))


def _move(connection: sqlite3.Connection, note: Touch, old: str) -> None:
    """A page was moved, maybe to the name of another one that the run had deleted before: that
    one is then changed, and the moved one is deleted under its first name."""
    new, there = str(note.reference), _row(connection, note)
    if there is not None and there.after == as_written(note.after):
        return  # a replay
    before, origin = _moved(connection, note.run, old) or (as_written(note.before), old)
    if there is not None and there.before is not None:
        if origin is not None:
            connection.execute(_GONE, (note.run, origin, before, new))
        before, origin = there.before, None
    connection.execute(_PUT, (note.run, new, before, as_written(note.after),
                              None if origin == new else origin))


class _Known(NamedTuple):
    """What is known of a page."""

    before: str | None
    after: str | None
    origin: str | None


def _row(connection: sqlite3.Connection, note: Touch) -> _Known | None:
    row = connection.execute(
        "SELECT before, after, origin FROM touched WHERE run = ? AND reference = ?",
        (note.run, str(note.reference))).fetchone()
    return _Known(*row) if row else None


def _moved(connection: sqlite3.Connection, run: str,
           name: str) -> tuple[str | None, str | None] | None:
    """Take away what is known of the page under its old name: its first version and name (None
    where the run itself made it); None where the run had not touched it."""
    row = connection.execute("DELETE FROM touched WHERE run = ? AND reference = ? AND after "
                             "IS NOT NULL RETURNING before, origin", (run, name)).fetchone()
    if row is None:
        return None
    before, origin = row
    return before, None if before is None else origin or name


def _touched(reference: str, before: str | None, after: str | None,
             origin: str | None) -> Touched:
    return Touched(Reference.parse(reference), as_read(before), as_read(after),
                   Reference.parse(origin) if origin else None)


def _binned(key: str, reference: str, title: str, version: str, author: str, deleted: str,
            comment: str, run: str) -> Binned:
    return Binned(key, Reference.parse(reference), title, Version.parse(version), author,
                  datetime.fromisoformat(deleted), comment, run)
