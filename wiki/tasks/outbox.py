"""Messages that are to be delivered, kept in ``<data>/outbox.sqlite`` until they are.

A message is kept before anybody hears of it, and given out to one process at a time, for as
long as its lease. Who dies with a message in hand lets it be delivered again: each goes out at
least once, and carries an id by which a receiver knows it again.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

#: Seconds for which a message is given out.
LEASE = 120.0
#: Seconds after which what was delivered, or given up, is forgotten.
KEPT = 30 * 86400.0
_SCHEMA = """CREATE TABLE IF NOT EXISTS messages (
    id TEXT PRIMARY KEY, run TEXT NOT NULL, target TEXT NOT NULL, body TEXT NOT NULL,
    created REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, due REAL, leased REAL NOT NULL
    DEFAULT 0, error TEXT NOT NULL DEFAULT '', UNIQUE (run, target))"""


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be told to whom. ``body`` is JSON; ``attempts`` counts the present one too."""

    id: str
    target: str
    body: str
    attempts: int = 0


class Outbox:
    """The messages of a data directory. Safe for use by several threads and processes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, run: str, targets: Iterable[str], body: str, now: float) -> int:
        """Keep a message for each target, unless the run has one for it already; durable on
        return. Returns how many are new."""
        rows = [(uuid.uuid4().hex, run, target, body, now, now)
                for target in dict.fromkeys(targets)]
        with self._writing() as connection:
            connection.execute("DELETE FROM messages WHERE due IS NULL AND created < ?",
                               (now - KEPT,))
            before = connection.total_changes
            connection.executemany("INSERT OR IGNORE INTO messages (id, run, target, body, "
                                   "created, due) VALUES (?, ?, ?, ?, ?, ?)", rows)
            return connection.total_changes - before

    def claim(self, now: float) -> Message | None:
        """Take the message that has been due longest; None where none is due."""
        with self._writing() as connection:
            row = connection.execute(
                "UPDATE messages SET leased = ?, attempts = attempts + 1 WHERE id = (SELECT id "
                "FROM messages WHERE due <= ? AND leased <= ? ORDER BY due, id LIMIT 1) "
                "RETURNING id, target, body, attempts",
                (now + LEASE, now, now)).fetchone()
        return Message(*row) if row else None

    def settle(self, message: Message, error: str = "", due: float | None = None) -> None:
        """Give a claimed message back: delivered or given up, or to be tried again at ``due``."""
        with self._writing() as connection:
            connection.execute("UPDATE messages SET leased = 0, error = ?, due = ? WHERE id = ?",
                               (error, due, message.id))

    def next_due(self) -> float | None:
        """When there is something to do, in seconds since 1970; None for never."""
        with self._writing() as connection:
            row = connection.execute("SELECT min(max(due, leased)) FROM messages "
                                     "WHERE due IS NOT NULL").fetchone()
        return None if row[0] is None else float(row[0])

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=30)) as connection:
            with connection:
                connection.execute(_SCHEMA)
            with connection:
                yield connection
