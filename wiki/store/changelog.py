"""The log of all changes, in the index: a row a save, move, return or deletion.

It tells what the page files, their revisions and the recycle bin tell, and is built anew from
them with the rest of the index; only that a page was brought back is then told as an edit. Rows
follow a page that is moved, and go with one that is deleted: what is left is its deletion, until
the page is back or is removed for good.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from wiki.errors import DamagedPage, RevisionNotFound
from wiki.model import Document, Version
from wiki.references import Reference
from wiki.store import pagedb
from wiki.store.base import Binned, ChangeKind, Logged
from wiki.store.entries import as_sql
from wiki.store.files import PageFiles
from wiki.store.pagedb import timestamp
from wiki.store.places import within

#: How many of a page's newest revisions are read when its rows are made anew.
REVISIONS = 200

metadata = sa.MetaData()
changes = sa.Table(
    "changes", metadata,
    sa.Column("updated", sa.Text, primary_key=True),
    sa.Column("reference", sa.Text, primary_key=True),
    sa.Column("version", sa.Text, primary_key=True),
    #: The key of a deletion in the recycle bin; else empty.
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("space", sa.Text, nullable=False), sa.Column("title", sa.Text, nullable=False),
    sa.Column("author", sa.Text, nullable=False), sa.Column("hidden", sa.Boolean, nullable=False),
    sa.Column("minor", sa.Boolean, nullable=False), sa.Column("comment", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False), sa.Column("previous", sa.Text, nullable=False),
    sa.Index("changes_by_author", "author", "updated"),
    sa.Index("changes_by_reference", "reference", "key"),
    sqlite_with_rowid=False)

# Made once: making a statement takes longer than doing it.
_INSERT = as_sql(sa.insert(changes).prefix_with("OR REPLACE"))
_REMOVE = as_sql(sa.delete(changes).where(changes.c.reference == sa.bindparam("ref"),
                                          changes.c.key == sa.bindparam("of")))
_COLUMNS = [changes.c[name] for name in (
    "reference", "title", "author", "updated", "version", "hidden", "minor", "comment", "kind",
    "previous", "key")]


class Log:
    """What one transaction of the index changes in the log; told in the order in which it was
    done, and the same again in a replay."""

    def __init__(self) -> None:
        self._rows: dict[str, list[dict[str, Any]]] = {}
        self._cleared: set[str] = set()
        self._unbinned: list[tuple[str, str]] = []

    def saved(self, document: Document, previous: Version | None) -> None:
        """A page was saved over the version ``previous`` (None: it was made)."""
        kind = ChangeKind.CREATED if previous is None else ChangeKind.EDITED
        self._add(_row(document.reference, document, kind, previous))

    def deleted(self, binned: Binned) -> None:
        """A page was put into the recycle bin."""
        self._add({"updated": timestamp(binned.deleted), "reference": str(binned.reference),
                   "version": str(binned.version), "key": binned.key,
                   "space": binned.reference.space, "title": binned.title,
                   "author": binned.author, "hidden": False, "minor": False,
                   "comment": binned.comment, "kind": ChangeKind.DELETED.value,
                   "previous": ""})

    def unbinned(self, key: str, reference: Reference) -> None:
        """A page is no longer in the recycle bin."""
        name = str(reference)
        self._unbinned.append((key, name))
        self._keep(name, lambda row: row["key"] != key)

    def gone(self, reference: Reference) -> None:
        """There is no page of this name any more."""
        name = str(reference)
        self._cleared.add(name)
        self._keep(name, lambda row: row["key"] != "")

    def anew(self, files: PageFiles, document: Document, restored: bool = False) -> None:
        """The page's rows are made from its files; ``restored``: it has just been brought
        back."""
        self.gone(document.reference)
        for number, row in enumerate(_rows(files, document)):
            if restored and number == 0:
                row["kind"] = ChangeKind.RESTORED.value
            self._add(row)

    def write(self, connection: sqlite3.Connection) -> None:
        """Bring the log up to date."""
        connection.executemany(_REMOVE, [
            *((name, "") for name in self._cleared),
            *((name, key) for key, name in self._unbinned)])
        connection.executemany(_INSERT, [
            [row[column.name] for column in changes.c]
            for rows in self._rows.values() for row in rows])

    def _add(self, row: dict[str, Any]) -> None:
        self._rows.setdefault(row["reference"], []).append(row)

    def _keep(self, name: str, wanted: Any) -> None:
        self._rows[name] = [row for row in self._rows.get(name, ()) if wanted(row)]


def log_of(files: PageFiles, documents: Iterable[Document]) -> Log:
    """The rows of pages, made from their files."""
    log = Log()
    for document in documents:
        log.anew(files, document)
    return log


def select(limit: int, offset: int, *, space: str | None, author: str | None, minor: bool,
           hidden: bool) -> sa.Select[Any]:
    """The statement behind :meth:`wiki.store.base.Store.changes`."""
    columns = changes.c
    statement = sa.select(*_COLUMNS).order_by(
        columns.updated.desc(), columns.reference.desc(), columns.version.desc())
    if space is not None:
        statement = statement.where(within(columns.space, space))
    if author is not None:
        statement = statement.where(columns.author == author)
    if not minor:
        statement = statement.where(columns.minor.is_(False))
    if not hidden:
        statement = statement.where(columns.hidden.is_(False))
    return statement.limit(limit).offset(offset)


def to_logged(row: Sequence[Any]) -> Logged:
    """A record from a row of :func:`select`."""
    ref, title, author, updated, version, hidden, minor, comment, kind, previous, key = row
    return Logged(Reference.parse(ref), title, author, datetime.fromisoformat(updated),
                  Version.parse(version), bool(hidden), bool(minor), comment,
                  ChangeKind(kind), Version.parse(previous) if previous else None, key)


def _rows(files: PageFiles, document: Document) -> Iterator[dict[str, Any]]:
    """A page's rows, newest first. A revision tells the name that the page had then."""
    reference = document.reference
    versions = [version for version in files.versions(reference) if version < document.version]
    newer = document
    for version in versions[:REVISIONS]:
        with suppress(DamagedPage, RevisionNotFound):
            older = pagedb.loads(files.revision(reference, version),
                                 files.revision_path(reference, version))
            kind = (ChangeKind.EDITED if older.reference == newer.reference
                    else ChangeKind.MOVED)
            yield _row(reference, newer, kind, older.version)
            newer = older
    if len(versions) <= REVISIONS:
        yield _row(reference, newer, ChangeKind.CREATED, None)


def _row(reference: Reference, document: Document, kind: ChangeKind,
         previous: Version | None) -> dict[str, Any]:
    return {"updated": timestamp(document.updated), "reference": str(reference),
            "version": str(document.version), "key": "", "space": reference.space,
            "title": document.title, "author": document.author, "hidden": document.hidden,
            "minor": document.minor, "comment": document.comment, "kind": kind.value,
            "previous": "" if previous is None else str(previous)}
