"""Setting the index right from the page files, and looking for what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from itertools import count
from pathlib import Path

import sqlalchemy as sa

from wiki.errors import DamagedPage, WikiError
from wiki.model import Document
from wiki.references import Reference, split_names
from wiki.store import names, pagedb
from wiki.store.base import Healing, Problem
from wiki.store.blobs import Blobs
from wiki.store.changelog import Log, log_of
from wiki.store.entries import Entry
from wiki.store.files import SUFFIX, PageFiles, Stamp
from wiki.store.index import Index, Known
from wiki.store.marks import Marks
from wiki.store.schema import documents

#: Holds off everybody else who writes, what a crash left being applied.
Settled = Callable[[], AbstractContextManager[None]]
#: How many pages go into one transaction.
CHUNK = 500


class Upkeep:
    """Works folder by folder, so that nothing holds the whole wiki in memory."""

    def __init__(self, files: PageFiles, blobs: Blobs, index: Index, marks: Marks) -> None:
        self._files = files
        self._blobs = blobs
        self._index = index
        self._marks = marks

    def index_all(self) -> int:
        """Index every page that can be read, into an empty index; returns their number."""
        number = 0
        entries: list[Entry] = []
        for folder, found in self._files.walk():
            for name in found:
                try:
                    entries.append(self._entry(folder / name))
                except (DamagedPage, FileNotFoundError):
                    continue
                number += 1
                if len(entries) >= CHUNK:
                    self._update(entries)
                    entries = []
        self._update(entries)
        self._log_bin()
        return number

    def _update(self, entries: list[Entry]) -> None:
        self._index.update(entries, log=log_of(self._files, (entry.document for entry in entries)))

    def _log_bin(self) -> None:
        """Tell the log what is in the recycle bin."""
        for start in count(0, CHUNK):
            log, binned = Log(), self._marks.bin(CHUNK, start, None, None)
            for row in binned:
                log.deleted(row)
            self._index.update([], log=log)
            if len(binned) < CHUNK:
                return

    def heal(self) -> Healing:
        """Index what has changed by its stamp, drop what has vanished."""
        healing = Healing()
        known_folders = self._spaces()
        for folder, found in self._files.walk():
            self._heal_folder(folder, found, known_folders.pop(folder, None), healing)
        for space in known_folders.values():
            self._drop([row.reference for row in self._index.known(space)], healing)
        return healing

    def check(self, settled: Settled) -> Iterator[Problem]:
        """Everything found wrong, as it is found. Where file and index differ, the page is looked
        at again while ``settled`` holds off those who write: they may just have been at it."""
        known_folders = self._spaces()
        for folder, found in self._files.walk():
            space = known_folders.pop(folder, None)
            known = self._known(space)
            for name in found:
                yield from self._check_page(folder / name, known.pop(name, None), settled)
            yield from self._check_gone(known.values(), settled)
        for space in known_folders.values():
            yield from self._check_gone(self._index.known(space), settled)

    def _check_gone(self, rows: Iterable[Known], settled: Settled) -> Iterator[Problem]:
        for row in rows:
            reference = Reference.parse(row.reference)
            with settled():
                gone = not self._files.exists(reference) and self._index.known_page(reference)
            if gone:
                yield Problem(row.reference, "is in the index, but has no file")

    def _heal_folder(self, folder: Path, found: dict[str, Stamp], space: str | None,
                     healing: Healing) -> None:
        known = self._known(space)
        entries: list[Entry] = []
        for name, stamp in found.items():
            row = known.pop(name, None)
            if row is not None and (row.mtime_ns, row.size) == (stamp.mtime_ns, stamp.size):
                continue
            try:
                entries.append(self._entry(folder / name))
            except FileNotFoundError:
                continue
            except DamagedPage as error:
                healing.damaged.append(Problem(str(folder / name), str(error)))
        for start in range(0, len(entries), CHUNK):
            self._update(entries[start:start + CHUNK])
        healing.indexed += len(entries)
        self._drop([row.reference for row in known.values()], healing)

    def _drop(self, references: list[str], healing: Healing) -> None:
        for start in range(0, len(references), CHUNK):
            log, gone = Log(), [Reference.parse(text)
                                for text in references[start:start + CHUNK]]
            for reference in gone:
                log.gone(reference)
            self._index.update([], gone, log=log)
        healing.dropped += len(references)

    def _entry(self, path: Path) -> Entry:
        """Raises DamagedPage or FileNotFoundError."""
        text, stamp = self._files.read(path)
        document = pagedb.loads(text, path)
        if self._files.path(document.reference) != path:
            raise DamagedPage(f"{path} says that it is {document.reference}, whose file is "
                              "another")
        return Entry(document, stamp)

    def _spaces(self) -> dict[Path, str]:
        rows = self._index.rows(sa.select(documents.c.space).distinct())
        return {self._files.pages / names.space_path(split_names(space)): space
                for (space,) in rows}

    def _known(self, space: str | None) -> dict[str, Known]:
        """The index's rows of a space by the file that each should have."""
        rows = self._index.known(space) if space is not None else []
        return {names.encode(split_names(row.reference)[-1]) + SUFFIX: row for row in rows}

    def _check_page(self, path: Path, known: Known | None,
                    settled: Settled) -> Iterator[Problem]:
        try:
            entry = self._entry(path)
            if _difference(entry.document, entry.stamp, known):
                with settled():
                    entry = self._entry(path)
                    known = self._index.known_page(entry.document.reference)
        except FileNotFoundError:
            return
        except DamagedPage as error:
            yield Problem(str(path), str(error))
            return
        where = str(entry.document.reference)
        if difference := _difference(entry.document, entry.stamp, known):
            yield Problem(where, difference)
        yield from self._check_attachments(entry.document, where)
        yield from self._check_revisions(entry.document.reference)

    def _check_attachments(self, document: Document, where: str) -> Iterator[Problem]:
        for attachment in document.attachments:
            size = self._blobs.size(attachment.sha256)
            if size is None:
                yield Problem(where, f"the bytes of {attachment.filename} are missing")
            elif size != attachment.size:
                yield Problem(where, f"{attachment.filename} has {size} bytes instead of "
                                     f"{attachment.size}")

    def _check_revisions(self, reference: Reference) -> Iterator[Problem]:
        for version in self._files.versions(reference):
            path = self._files.revision_path(reference, version)
            try:
                pagedb.loads(self._files.revision(reference, version), path)
            except WikiError as error:
                if version in self._files.versions(reference):  # else it was deleted just now
                    yield Problem(str(path), str(error))


def _difference(document: Document, stamp: Stamp, known: Known | None) -> str:
    """How the index differs from a page's file, in words, or ``""``."""
    if known is None:
        return "is not in the index; `wikimill reindex` puts it there"
    if (known.version, known.mtime_ns, known.size) == (str(document.version), stamp.mtime_ns,
                                                       stamp.size):
        return ""
    return (f"is at version {document.version}, but at {known.version} in the index, or its file "
            "was changed since")
