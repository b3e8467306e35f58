"""The queue of READY tasks: an SQLite file beside the pages, derived from them.

It may be deleted at any time. One row a READY or RUNNING task says where it stands: at a *gate*,
which is open or closed. The task that starts next is the first in order of all that stand at
open gates, so that neither opening a gate nor finding that task takes longer where more tasks
wait. Rows are in the order of priority, the highest first, then name, then full name.
"""

from __future__ import annotations

import heapq
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from wiki.errors import StoreError
from wiki.references import Reference
from wiki.tasks.obstacles import BAD, EXECUTOR, GROUP, OPEN, RUNNERS, RUNNING, TIMED

#: Changed with the tables below, so that an older file is made anew.
SCHEMA = 1
BUSY_SECONDS = 60
_TABLES = """
    CREATE TABLE tasks (reference TEXT PRIMARY KEY, rank REAL, name TEXT, gate TEXT, until REAL,
        reason TEXT, executor TEXT, version TEXT, queued TEXT, starter TEXT, warned TEXT)
        WITHOUT ROWID;
    CREATE INDEX tasks_in_order ON tasks (gate, rank, name, reference);
    CREATE INDEX tasks_by_executor ON tasks (executor);
    CREATE INDEX tasks_by_time ON tasks (until) WHERE until > 0;
    CREATE TABLE gates (gate TEXT PRIMARY KEY, kind TEXT, open INTEGER, checked REAL)
        WITHOUT ROWID;
    CREATE INDEX gates_by_kind ON gates (kind, open, checked);
    CREATE TABLE notes (name TEXT PRIMARY KEY, text TEXT) WITHOUT ROWID;
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;"""
_COLUMNS = ("reference, rank, name, gate, until, reason, executor, version, queued, starter, "
            "warned")
_PLACE = f"INSERT OR REPLACE INTO tasks ({_COLUMNS}) VALUES ({', '.join('?' * 11)})"
_NEXT = f"""SELECT {_COLUMNS} FROM tasks WHERE gate = ? AND (rank, name, reference) > (?, ?, ?)
    ORDER BY rank, name, reference LIMIT 1"""
_BEFORE = "SELECT COUNT(*) FROM tasks WHERE gate = ? AND (rank, name, reference) < (?, ?, ?)"
_FIRST = (float("-inf"), "", "")
#: Gates that are looked at to find the tasks that are passed over.
MANY = 100


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a READY or RUNNING task stands."""

    reference: str
    #: The lower, the sooner: the priority turned round.
    rank: float
    name: str
    gate: str = OPEN
    #: When a timed gate lets it through, in seconds since 1970.
    until: float = 0.0
    reason: str = ""
    executor: str = ""
    #: The page's version that all this was told from.
    version: str = ""
    #: When it became READY, and who set it so.
    queued: str = ""
    starter: str = ""
    #: What the manager's log warned of last.
    warned: str = ""

    @property
    def order(self) -> tuple[float, str, str]:
        return self.rank, self.name, self.reference


class Queue:
    """The file. Changes need the manager's lock; asking needs nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        #: Kept from being closed in a forked child, where they are the parent's.
        self._inherited: list[sqlite3.Connection] = []

    def close(self) -> None:
        with self._lock:
            if self._connection is not None and self._process == os.getpid():
                self._connection.close()
            self._connection = None

    @contextmanager
    def changing(self) -> Iterator[None]:
        """All changes within the block take place together, or not at all; blocks nest."""
        with self._using() as connection:
            if connection.in_transaction:
                yield
                return
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    # -- tasks -----------------------------------------------------------------------------

    def get(self, reference: Reference | str) -> Entry | None:
        return self._entry(f"SELECT {_COLUMNS} FROM tasks WHERE reference = ?", str(reference))

    def place(self, entry: Entry) -> None:
        """Let the task stand there, and nowhere else; that gate is closed from then on."""
        before = self.get(entry.reference)
        if entry == before:
            return
        with self.changing():  # a crash in between would leave it at a gate that never opens
            self._run(_PLACE, *astuple(entry))
            if entry.gate not in (OPEN, RUNNING):
                self._close(entry.gate)
            if before is not None and before.gate != entry.gate:
                self._drop_empty(before.gate)

    def remove(self, reference: Reference | str) -> None:
        """It is neither READY nor RUNNING any more."""
        before = self.get(reference)
        if before is not None:
            self._run("DELETE FROM tasks WHERE reference = ?", before.reference)
            self._drop_empty(before.gate)

    def candidates(self) -> Iterator[Entry]:
        """The tasks at open gates, in order; they may be moved meanwhile."""
        heads = [entry for gate in self._open_gates() if (entry := self._next(gate, _FIRST))]
        heap = [(entry.order, entry) for entry in heads]
        heapq.heapify(heap)
        while heap:
            order, entry = heap[0]
            yield entry
            following = self._next(entry.gate, order)
            if following is None:
                heapq.heappop(heap)
            else:
                heapq.heapreplace(heap, (following.order, following))

    def running(self) -> list[str]:
        """The tasks whose status is RUNNING, in order."""
        return [ref for (ref,) in self._all(
            "SELECT reference FROM tasks WHERE gate = ? ORDER BY rank, name, reference", RUNNING)]

    def upcoming(self, limit: int, offset: int = 0) -> list[str]:
        """The READY tasks: those at open gates, then the others, each in order."""
        return [ref for (ref,) in self._all(
            "SELECT reference FROM tasks WHERE gate <> ? ORDER BY gate <> ? AND gate NOT IN "
            "(SELECT gate FROM gates WHERE open), rank, name, reference LIMIT ? OFFSET ?",
            RUNNING, OPEN, limit, offset)]

    def position(self, entry: Entry) -> int:
        """The place of the task among those at open gates; the first is 1."""
        return 1 + sum(int(self._all(_BEFORE, gate, *entry.order)[0][0])
                       for gate in self._open_gates())

    def passed_over(self, before: Entry | None) -> dict[str, str]:
        """Task -> reason, for tasks ahead of ``before`` that cannot start until somebody mends
        something: up to :data:`MANY` of them, the first ones first."""
        order = (float("inf"), "", "") if before is None else before.order
        gates = self._all("SELECT gate FROM gates WHERE NOT open AND kind IN "
                          f"({', '.join('?' * len(BAD))}) LIMIT {MANY}", *BAD)
        rows = sorted(row for (gate,) in gates for row in self._all(
            "SELECT rank, name, reference, reason FROM tasks WHERE gate = ? AND "
            "(rank, name, reference) < (?, ?, ?) ORDER BY rank, name, reference "
            f"LIMIT {MANY}", gate, *order))
        return {reference: reason for _, _, reference, reason in rows[:MANY]}

    # -- gates -----------------------------------------------------------------------------

    def _open_gates(self) -> list[str]:
        return [OPEN, *(gate for (gate,) in self._all("SELECT gate FROM gates WHERE open"))]

    def knows(self, references: list[str]) -> set[str]:
        """Those of the pages that the queue has something to do with."""
        marks = ", ".join("?" * len(references))
        gates = [f"{sort}:{ref}" for ref in references for sort in ("task", "missing")]
        found = self._all(
            f"SELECT reference FROM tasks WHERE reference IN ({marks}) UNION "
            f"SELECT executor FROM tasks WHERE executor IN ({marks}) UNION "
            "SELECT substr(gate, instr(gate, ':') + 1) FROM gates WHERE gate IN "
            f"({', '.join('?' * len(gates))})", *references, *references, *gates)
        return {ref for (ref,) in found}

    def is_executor(self, reference: str) -> bool:
        """Whether a task in the queue names the page as its executor."""
        return bool(self._all("SELECT 1 FROM tasks WHERE executor = ? LIMIT 1", reference))

    def set_open(self, gate: str, is_open: bool) -> None:
        """Open or close a gate at which somebody stands."""
        self._run("UPDATE gates SET open = ? WHERE gate = ? AND open <> ?", is_open, gate, is_open)

    def free(self, gate: str) -> None:
        """Let all that stand at the gate be looked at anew."""
        self._run("UPDATE tasks SET gate = ?, until = 0 WHERE gate = ?", OPEN, gate)
        self._run("DELETE FROM gates WHERE gate = ?", gate)

    def free_due(self, now: float) -> None:
        """Let through what a timed gate held until now."""
        self._run("UPDATE tasks SET gate = ?, until = 0 WHERE until > 0 AND until <= ?",
                  OPEN, now)
        for gate in TIMED:
            self._drop_empty(gate)

    def close_executor(self, executor: str, reason: str) -> int:
        """Gather all READY tasks of an executor at its gate, closed; returns their number."""
        gate = f"{EXECUTOR}:{executor}"
        found = self._run("UPDATE tasks SET gate = ?, until = 0, reason = ? WHERE executor = ?",
                          gate, reason, executor)
        if found:
            self._close(gate)
            self._run("DELETE FROM gates WHERE gate NOT IN (SELECT gate FROM tasks)")
        return found

    def open_executor(self, executor: str) -> None:
        """Let the tasks that waited for the executor be looked at anew."""
        self.set_open(f"{EXECUTOR}:{executor}", True)
        self.free(f"{RUNNERS}:{executor}")

    def stale_executor(self, now: float, seconds: float) -> str | None:
        """A closed executor that was not looked at for so long; it counts as looked at now."""
        rows = self._all("SELECT gate FROM gates WHERE kind = ? AND open = 0 AND checked < ? "
                         "ORDER BY checked LIMIT 1", EXECUTOR, now - seconds)
        if not rows:
            return None
        self._run("UPDATE gates SET checked = ? WHERE gate = ?", now, rows[0][0])
        return str(rows[0][0]).partition(":")[2]

    def groups(self) -> list[str]:
        """The gates of groups."""
        return [gate for (gate,) in self._all("SELECT gate FROM gates WHERE kind = ?", GROUP)]

    def _close(self, gate: str) -> None:
        self._run("INSERT INTO gates VALUES (?, ?, 0, 0) ON CONFLICT (gate) DO UPDATE SET "
                  "open = 0 WHERE open", gate, kind(gate))

    def _drop_empty(self, gate: str) -> None:
        self._run("DELETE FROM gates WHERE gate = ? AND NOT EXISTS "
                  "(SELECT 1 FROM tasks WHERE tasks.gate = gates.gate)", gate)

    # -- notes -----------------------------------------------------------------------------

    def note(self, name: str, text: str) -> bool:
        """Note it; returns whether it is news. Any process may, without the lock."""
        return bool(self._run("INSERT INTO notes VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET "
                              "text = excluded.text WHERE text <> excluded.text", name, text))

    def noted(self, name: str, text: str) -> bool:
        return bool(self._all("SELECT 1 FROM notes WHERE name = ? AND text = ?", name, text))

    def forget(self, name: str) -> None:
        """What was noted is over."""
        self._run("DELETE FROM notes WHERE name = ?", name)

    # -- the whole -------------------------------------------------------------------------

    @property
    def mark(self) -> str:
        """Up to where in the store's changes the queue is; empty for a new one."""
        rows = self._all("SELECT value FROM meta WHERE key = 'mark'")
        return str(rows[0][0]) if rows else ""

    @mark.setter
    def mark(self, value: str) -> None:
        self._run("INSERT OR REPLACE INTO meta VALUES ('mark', ?)", value)

    def clear(self) -> None:
        """Forget all tasks and gates, and how far they went; notes stay."""
        self._run("DELETE FROM meta")
        self._run("DELETE FROM tasks")
        self._run("DELETE FROM gates")

    # -- the file --------------------------------------------------------------------------

    def _next(self, gate: str, after: tuple[float, str, str]) -> Entry | None:
        return self._entry(_NEXT, gate, *after)

    def _entry(self, statement: str, *values: object) -> Entry | None:
        rows = self._all(statement, *values)
        return Entry(*rows[0]) if rows else None

    def _all(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self._using() as connection:
            return connection.execute(statement, values).fetchall()

    def _run(self, statement: str, *values: object) -> int:
        """Returns how many rows were changed."""
        with self._using() as connection:
            return connection.execute(statement, values).rowcount

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                if self._connection is None or self._process != os.getpid():
                    self._open()
                assert self._connection is not None
                yield self._connection
            except sqlite3.DatabaseError as error:
                if _is_damage(error):
                    self._discard()
                raise StoreError(f"the queue of tasks, {self._path}, could not be used: {error}"
                                 ) from error

    def _open(self) -> None:
        if self._connection is not None:
            self._inherited.append(self._connection)
            self._connection = None
        try:
            self._connection = _connect(self._path)
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
            self._discard()
            self._connection = _connect(self._path)
        self._process = os.getpid()

    def _discard(self) -> None:
        """A damaged file is made anew from the pages."""
        self.close()
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)


def kind(gate: str) -> str:
    """The sort of a gate: ``executor`` of ``executor:Executors.It``."""
    return gate.partition(":")[0]


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    """Rather than a lock that is held or a full disk."""
    return type(error) is sqlite3.DatabaseError


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None,
                                 check_same_thread=False)
    try:
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL"):
            connection.execute(f"PRAGMA {pragma}").close()
        _make(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _make(connection: sqlite3.Connection) -> None:
    """Make the tables where they are missing or of old, in one process at a time."""
    if connection.execute("PRAGMA user_version").fetchone()[0] == SCHEMA:
        return
    connection.execute("BEGIN IMMEDIATE")
    if connection.execute("PRAGMA user_version").fetchone()[0] != SCHEMA:
        for (table,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' "
                "AND name NOT LIKE 'sqlite^_%' ESCAPE '^'").fetchall():
            connection.execute(f'DROP TABLE "{table}"')
        for statement in _TABLES.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA}")
    connection.execute("COMMIT")
