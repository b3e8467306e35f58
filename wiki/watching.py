"""What each user watches and has seen: one small SQLite file, apart from the pages, since it is
nobody's business but the user's.

Watching is noted, what happens is not: notifications are found in the pages when somebody looks
(:mod:`wiki.news`), so that a save costs the same however many watch.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from wiki.errors import InvalidDocument, StoreError
from wiki.model import NO_DATE
from wiki.references import Reference
from wiki.translate import gettext

#: How many pages and spaces one user watches.
MAX_WATCHES = 500
BUSY_SECONDS = 30
_SCHEMA = """
    CREATE TABLE IF NOT EXISTS watches (user TEXT, kind TEXT, name TEXT, since TEXT,
        PRIMARY KEY (user, kind, name)) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS watches_by_name ON watches (kind, name);
    CREATE TABLE IF NOT EXISTS readers (user TEXT PRIMARY KEY, seen TEXT,
        automatic INTEGER NOT NULL DEFAULT 1, token TEXT UNIQUE) WITHOUT ROWID;"""
_PUT = """INSERT INTO watches VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"""
_READER = """INSERT INTO readers (user, {0}) VALUES (?, ?)
    ON CONFLICT (user) DO UPDATE SET {0} = excluded.{0}"""


class Kind(StrEnum):
    """What a note is about."""

    PAGE = "page"
    #: A space, and those in it.
    SPACE = "space"
    #: A page that the user does not want to hear of, though it would be watched by itself.
    MUTED = "muted"


@dataclass(frozen=True, slots=True)
class Watch:
    """One note: what, and since when."""

    kind: Kind
    name: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Reader:
    """A user's settings. ``seen``: what happened up to then counts as read; ``automatic``: pages
    that the user makes or comments on are watched; ``feed``: there is a private feed."""

    seen: datetime = NO_DATE
    automatic: bool = True
    feed: bool = False


class Watching:
    """The file; made when it is first written. Safe for several threads and processes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    # -- watches -----------------------------------------------------------------------------

    def of(self, user: str) -> tuple[Watch, ...]:
        """All that the user has noted, by kind and name."""
        rows = self._rows("SELECT kind, name, since FROM watches WHERE user = ? "
                          "ORDER BY kind, name", user)
        return tuple(Watch(Kind(kind), name, datetime.fromisoformat(since))
                     for kind, name, since in rows)

    def state(self, user: str, page: Reference, creator: str) -> str:
        """Why the user hears of a page: ``page``, ``space`` or ``made``; else ``muted`` or
        nothing."""
        notes = {(watch.kind, watch.name) for watch in self.of(user)}
        for kind in (Kind.PAGE, Kind.MUTED):
            if (kind, str(page)) in notes:
                return kind.value
        if any((Kind.SPACE, space) in notes for space in spaces_of(page)):
            return Kind.SPACE.value
        return "made" if creator == user and self.reader(user).automatic else ""

    def watch(self, user: str, kind: Kind, name: str) -> None:
        """Watch a page or a space from now on, or mute a page.

        Raises InvalidDocument past :data:`MAX_WATCHES`.
        """
        with self._writing() as connection:
            if kind is not Kind.SPACE:
                other = Kind.MUTED if kind is Kind.PAGE else Kind.PAGE
                connection.execute("DELETE FROM watches WHERE (user, kind, name) = (?, ?, ?)",
                                   (user, other, name))
            (count,) = connection.execute("SELECT COUNT(*) FROM watches WHERE user = ?",
                                          (user,)).fetchone()
            if count >= MAX_WATCHES:
                raise InvalidDocument(gettext(
                    "You watch %(count)s pages and spaces, and more are not possible; watch a "
                    "space in place of its pages", count=count))
            connection.execute(_PUT, (user, kind, name, datetime.now(UTC).isoformat()))

    def unwatch(self, user: str, kind: Kind, name: str) -> bool:
        """Take a note away; whether there was one."""
        with self._writing() as connection:
            return connection.execute(
                "DELETE FROM watches WHERE (user, kind, name) = (?, ?, ?)",
                (user, kind, name)).rowcount > 0

    def took_part(self, user: str, page: Reference) -> None:
        """The user has commented on the page, and watches it from now on where that is wished
        and possible."""
        notes = self.of(user)
        muted = any(watch.kind is Kind.MUTED and watch.name == str(page) for watch in notes)
        if self.reader(user).automatic and not muted and len(notes) < MAX_WATCHES:
            self.watch(user, Kind.PAGE, str(page))

    def moved(self, old: Reference, new: Reference) -> None:
        """Notes about a page follow it to its new name."""
        if not self._rows("SELECT 1 FROM watches WHERE kind IN ('page', 'muted') AND name = ? "
                          "LIMIT 1", str(old)):
            return
        with self._writing() as connection:
            connection.execute("UPDATE OR REPLACE watches SET name = ? "
                               "WHERE kind IN ('page', 'muted') AND name = ?", (str(new), str(old)))

    # -- settings ----------------------------------------------------------------------------

    def reader(self, user: str) -> Reader:
        rows = self._rows("SELECT seen, automatic, token FROM readers WHERE user = ?", user)
        if not rows:
            return Reader()
        seen, automatic, token = rows[0]
        return Reader(datetime.fromisoformat(seen) if seen else NO_DATE, bool(automatic),
                      token is not None)

    def mark_read(self, user: str, until: datetime) -> None:
        """What happened up to ``until``, and not after now, is read; never less than before."""
        until = min(until, datetime.now(UTC))
        if until > self.reader(user).seen:
            self._set(user, "seen", until.astimezone(UTC).isoformat())

    def set_automatic(self, user: str, automatic: bool) -> None:
        self._set(user, "automatic", int(automatic))

    def new_token(self, user: str) -> str:
        """A new secret for the user's feed, in place of the one before; only its digest is
        kept."""
        token = secrets.token_urlsafe(32)
        self._set(user, "token", _digest(token))
        return token

    def revoke_token(self, user: str) -> None:
        """The address of the user's feed is none any more."""
        self._set(user, "token", None)

    def user_of(self, token: str) -> str | None:
        """Whose feed the secret opens."""
        rows = self._rows("SELECT user FROM readers WHERE token = ?", _digest(token))
        return str(rows[0][0]) if rows else None

    # -- the file ----------------------------------------------------------------------------

    def _set(self, user: str, column: str, value: str | int | None) -> None:
        with self._writing() as connection:
            connection.execute(_READER.format(column), (user, value))

    def _rows(self, statement: str, *values: str) -> list[tuple[str, ...]]:
        if not self._path.exists():
            return []
        with self._open() as connection:
            return connection.execute(statement, values).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        if not self._path.exists():
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        with self._open() as connection, connection:
            yield connection

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._path, timeout=BUSY_SECONDS)) as connection:
                connection.executescript(_SCHEMA)
                yield connection
        except sqlite3.Error as error:
            raise StoreError(gettext(
                "%(path)s cannot be used: %(error)s", path=self._path, error=error)) from error


def spaces_of(page: Reference) -> list[str]:
    """The space of a page and those around it, as names."""
    return [Reference(page.spaces[:depth], "WebHome").space
            for depth in range(1, len(page.spaces) + 1)]


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
