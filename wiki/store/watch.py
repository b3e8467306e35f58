"""Whether anything in the wiki has changed, asked of SQLite in a few microseconds."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

from wiki.errors import StoreError
from wiki.store.base import State


class Watch:
    """Watches the index: each commit, by any process, ends with a transaction in it.

    It has a connection of its own, since SQLite counts what *other* connections commit. Safe
    for use by several threads.
    """

    def __init__(self, path: Path, busy_seconds: float) -> None:
        self._path = path
        self._busy_seconds = busy_seconds
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._openings = 0
        #: Kept from being closed in a forked child, where they are the parent's.
        self._inherited: list[sqlite3.Connection] = []

    def state(self) -> State:
        """See :meth:`wiki.store.base.Store.state`; raises StoreError."""
        with self._lock:
            try:
                count = self._current().execute("PRAGMA data_version").fetchone()[0]
            except (OSError, sqlite3.Error) as error:
                raise StoreError(f"the index cannot be read: {error}") from error
            return self._openings, int(count)

    def close(self) -> None:
        with self._lock:
            self._drop()

    def forget(self) -> None:
        """In a forked child: leave the parent's connection alone and open another."""
        if self._connection is not None:
            self._inherited.append(self._connection)
        self._connection = None
        self._lock = threading.Lock()

    def _current(self) -> sqlite3.Connection:
        inode = self._path.stat().st_ino  # an index that cannot be read is put in a new file
        if self._connection is None or inode != self._inode:
            self._drop()
            self._connection = sqlite3.connect(
                self._path, timeout=self._busy_seconds, isolation_level=None,
                check_same_thread=False)
            self._inode = inode
            self._openings += 1
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
