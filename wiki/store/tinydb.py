"""The embedded store: a TinyDB file a page, a write-ahead journal, an SQLite index.

There is one way to write. Under the writer's lock a commit is appended to the journal and
synced (this makes it durable), then done to the page files, then to the index in one
transaction that also notes how far the journal is applied. Whoever takes the lock and finds a
part not applied, after a crash, applies it first. Reading takes no lock.
"""

from __future__ import annotations

import os
import re
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from wiki.errors import (
    Conflict,
    DamagedPage,
    DocumentExists,
    DocumentNotFound,
    InvalidDocument,
    RevisionNotFound,
    StoreError,
)
from wiki.model import Document, Revision, Version
from wiki.references import Reference
from wiki.store import filetexts, pagedb
from wiki.store.base import Binned, Blob, Healing, Problem, Touched, WaitingFile
from wiki.store.batch import (
    Aside,
    Change,
    Pending,
    Removal,
    Save,
    Step,
    ThreadBatch,
    compare,
)
from wiki.store.bin import RecycleBin, check_key, revision_of
from wiki.store.blobs import Blobs
from wiki.store.cache import PageCache
from wiki.store.commit import Committer
from wiki.store.filereading import Reader, read_all
from wiki.store.files import PageFiles, Stamp
from wiki.store.finding import Finding
from wiki.store.index import Index
from wiki.store.journal import Mark, Touch, Unmark, boot_id
from wiki.store.lock import WriterLock
from wiki.store.marks import Marks
from wiki.store.orphans import orphans
from wiki.store.upkeep import Upkeep
from wiki.translate import gettext

#: How many changes a batch holds back before it commits them.
CHUNK = 256
#: How many a batch that marks what it has done holds back until the next mark.
MARKED_CHUNK = 4096
#: The longest key of a mark, in characters.
MAX_KEY = 4000
#: How many parsed pages are kept in memory.
CACHED = 2000


class TinyDBStore(Finding, RecycleBin):
    """A :class:`wiki.store.base.Store` in one directory; any number of processes may have it
    open. After a fork it goes on working in the child."""

    def __init__(self, data: Path) -> None:
        """Opens the directory, making it where there is none, and finishes what a crash left.

        Raises StoreError when the directory cannot be used.
        """
        self.data = data
        try:
            for name in ("pages", "history", "blobs", "tmp"):
                (data / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{data} cannot hold a wiki: {error}") from error
        self._files = PageFiles(data / "pages", data / "history", data / "tmp", data / "deleted")
        self._blobs = Blobs(data / "blobs", data / "tmp")
        self._index = Index(data / "index.db", self._blobs.open)
        self._marks = Marks(data / "marks.db")
        self._lock = WriterLock(data / "lock")
        self._cache = PageCache(CACHED)
        self._batch = ThreadBatch()
        self._committer = Committer(data / "journal", self._files, self._index, self._marks)
        self._upkeep = Upkeep(self._files, self._blobs, self._index, self._marks)
        self._boot = boot_id()
        self._blobs.clean()
        self._recover()
        _forget_after_fork(self)

    # -- reading ---------------------------------------------------------------------------

    def get(self, reference: Reference) -> Document:
        """Raises DocumentNotFound, or DamagedPage."""
        pending = self._batch.pending
        if pending is not None and reference in pending.latest:
            document = pending.latest[reference]
            if document is None:
                raise DocumentNotFound(gettext("there is no page %(page)s", page=reference))
            return document
        return self._read(reference)

    def exists(self, reference: Reference) -> bool:
        pending = self._batch.pending
        if pending is not None and reference in pending.latest:
            return pending.latest[reference] is not None
        return self._files.exists(reference)

    def revisions(self, reference: Reference, limit: int | None = None) -> list[Revision]:
        """All versions, or the newest ``limit``, newest first, the current one included."""
        current = self.get(reference)
        pending = self._batch.pending
        held = pending.saves(reference) if pending is not None else []
        revisions = [revision_of(document) for document in held] or [revision_of(current)]
        if held and self._files.exists(reference) and _continues(pending, reference):
            revisions.append(revision_of(self._read(reference)))
        for version in self._files.versions(reference):
            if limit is not None and len(revisions) >= limit:
                break
            if version < revisions[-1].version:
                with suppress(DamagedPage, RevisionNotFound):
                    revisions.append(revision_of(self._read_revision(reference, version)))
        return revisions[:limit]

    def versions(self, reference: Reference) -> list[Version]:
        """The numbers of all versions, newest first, which costs no reading of them; raises
        DocumentNotFound."""
        current = self.get(reference)
        pending = self._batch.pending
        if pending is not None and pending.saves(reference):
            return [revision.version for revision in self.revisions(reference)]
        return [current.version, *(version for version in self._files.versions(reference)
                                   if version < current.version)]

    def revision(self, reference: Reference, version: Version) -> Document:
        """Raises RevisionNotFound."""
        pending = self._batch.pending
        for document in pending.saves(reference) if pending is not None else []:
            if document.version == version:
                return document
        with suppress(DocumentNotFound, DamagedPage):
            current = self._read(reference)
            if current.version == version:
                return current
        return self._read_revision(reference, version)

    def _read(self, reference: Reference) -> Document:
        try:
            path = self._files.path(reference)
        except InvalidDocument:  # no page of so long a name can have been kept
            raise DocumentNotFound(gettext("there is no page %(page)s", page=reference)) from None
        try:
            stamp = Stamp.of(path.stat())
            document = self._cache.get(reference, stamp)
            if document is None:
                text, stamp = self._files.read(path)
                document = pagedb.loads(text, path)
                if document.reference != reference:
                    raise DamagedPage(f"{path} says that it is {document.reference}")
                self._cache.put(reference, stamp, document)
        except (FileNotFoundError, NotADirectoryError):
            raise DocumentNotFound(gettext("there is no page %(page)s", page=reference)) from None
        except OSError as error:
            raise DamagedPage(f"{path} cannot be read: {error}") from error
        return document

    def _read_revision(self, reference: Reference, version: Version) -> Document:
        return pagedb.loads(self._files.revision(reference, version),
                            self._files.revision_path(reference, version))

    # -- writing ---------------------------------------------------------------------------

    def save(self, document: Document, expected: Version | None) -> Document:
        """Keep ``document`` as given, if the page's version is still ``expected``.

        Raises:
            Conflict: the page has another version, or is gone. In a batch it may also name an
                earlier save, over which somebody else has saved meanwhile.
            DocumentExists: ``expected`` is None and the page exists.
        """
        self._change(Save(document, expected))
        return document

    def delete(self, reference: Reference, expected: Version | None = None,
               run: str = "", binned: Binned | None = None) -> None:
        """Delete the page with its revisions; raises DocumentNotFound or Conflict. What a
        ``run`` deletes, and what is ``binned``, is kept, for :meth:`deleted` and
        :meth:`restore`."""
        if run:
            expected = expected or self.get(reference).version
        removal = Removal(reference, expected, run, binned)
        if removal.kept:
            check_key(removal.kept)
        self._change(removal)

    def rename(self, old: Reference, new: Document, expected: Version) -> Document:
        """Move the page with its revisions to ``new.reference``, saving ``new`` there."""
        self._flush()
        with self._lock:
            self._committer.recover()
            compare(Removal(old, expected), self._read(old).version)
            if new.reference == old or self._files.exists(new.reference):
                raise DocumentExists(gettext("%(page)s exists already", page=new.reference))
            self._committer.rename(old, new, expected)
        return new

    @contextmanager
    def batch(self) -> Iterator[bool]:
        """Many saves by this thread, committed in chunks, between which others may write.

        What was saved before the block raised is kept all the same. A page that somebody else
        saves before its chunk is committed raises Conflict there; the rest of the chunk is kept.
        """
        if self._batch.pending is None:
            self._batch.pending = Pending()
        pending = self._batch.pending
        pending.depth += 1
        try:
            yield pending.depth == 1
        finally:
            pending.depth -= 1
            if pending.depth == 0:
                try:
                    self._flush()
                finally:
                    self._batch.pending = None

    def _change(self, change: Change) -> None:
        self._files.path(change.reference)  # refuses what no path can hold before it is kept
        pending = self._batch.pending
        if pending is None:
            self._commit([change])
            return
        self._require(change)
        pending.add(change)
        if len(pending.changes) >= (MARKED_CHUNK if pending.marking else CHUNK):
            self._flush()

    def _flush(self) -> None:
        pending = self._batch.pending
        if pending is not None and pending.changes:
            changes = pending.take()
            self._batch.pending = None  # what is checked now is what is on disk
            try:
                self._commit(changes)
            finally:
                self._batch.pending = pending

    def _commit(self, changes: Sequence[Step]) -> None:
        """Commit runs of saves and runs of removals, in order, each with its marks."""
        texts = {id(change): pagedb.dumps(change.document)
                 for change in changes if isinstance(change, Save)}
        conflicts: list[Conflict | DocumentExists | DocumentNotFound] = []
        with self._lock:
            self._committer.recover()
            for run in _runs(changes):
                fitting = self._fitting(run, conflicts)
                asides = [change for change in fitting if isinstance(change, Aside)]
                removals = [change for change in fitting if isinstance(change, Removal)]
                if removals:
                    self._committer.delete(removals, asides)
                elif fitting:
                    self._committer.save([(change, texts[id(change)]) for change in fitting
                                          if isinstance(change, Save)], asides)
        if conflicts:
            raise conflicts[0]

    def _fitting(self, run: Sequence[Step],
                 conflicts: list[Conflict | DocumentExists | DocumentNotFound]) -> list[Step]:
        """The changes of a run that do not conflict, also with one another, and the marks up to
        the first that does: what is marked is done wholly."""
        fitting: list[Step] = []
        versions: dict[Reference, Version | None] = {}
        for change in run:
            if isinstance(change, Aside):
                if not conflicts:
                    fitting.append(change)
                continue
            try:
                if change.reference in versions:
                    compare(change, versions[change.reference])
                else:
                    self._require(change)
            except (Conflict, DocumentExists, DocumentNotFound) as error:
                conflicts.append(error)
                continue
            versions[change.reference] = (change.document.version if isinstance(change, Save)
                                          else None)
            fitting.append(change)
        return fitting

    def _require(self, change: Change) -> None:
        """Raises unless the page is as the change expects it."""
        if isinstance(change, Removal) and change.expected is None:
            if not self.exists(change.reference):  # a damaged page can be deleted
                raise DocumentNotFound(gettext("there is no page %(page)s", page=change.reference))
            return
        try:
            current: Version | None = self.get(change.reference).version
        except DocumentNotFound:
            current = None
        compare(change, current)

    # -- marks and runs --------------------------------------------------------------------

    def mark(self, name: str, key: str) -> None:
        """Put a key on a list: in a batch durable with the saves made before, never without
        them, else at once. Raises InvalidDocument for what is no key."""
        self._note(Mark(_key(name), _key(key)))

    def marked(self, name: str, key: str) -> bool:
        """Whether the key is on the list."""
        pending = self._batch.pending
        return (pending is not None and Mark(name, key) in pending.marks
                ) or self._marks.marked(_key(name), _key(key))

    def marks(self, name: str) -> Iterator[str]:
        """The keys on a list, in order."""
        self._flush()
        return self._marks.marks(_key(name))

    def unmark(self, name: str) -> None:
        """Drop a list."""
        unmark = Unmark(_key(name))
        self._flush()
        with self._lock:
            self._committer.recover()
            self._committer.save([], [unmark])

    def touch(self, touch: Touch) -> None:
        """Note that a run touched a page which is kept elsewhere; as durable as a mark."""
        self._note(touch)

    def _note(self, aside: Aside) -> None:
        pending = self._batch.pending
        if pending is None:
            self._commit([aside])
            return
        pending.add(aside)
        if len(pending.changes) >= CHUNK and isinstance(aside, Mark):
            self._flush()

    def touched(self, run: str, after: str = "", limit: int = 100) -> list[Touched]:
        """Pages that a run touched, by reference, from the one behind ``after`` on."""
        self._flush()
        return self._marks.touched(run, after, limit)

    def touched_page(self, run: str, reference: Reference) -> Touched | None:
        """What the run did to one page; None where it did not touch it."""
        self._flush()
        return self._marks.touched_page(run, reference)

    def touched_kinds(self, run: str) -> dict[str, int]:
        """How many pages the run created, changed, deleted and moved."""
        self._flush()
        return self._marks.touched_kinds(run)

    # -- attachments -----------------------------------------------------------------------

    def put_blob(self, stream: BinaryIO | bytes, limit: int | None = None) -> Blob:
        """Keep bytes, durably, before a document names them. Raises TooLarge past ``limit``."""
        return self._blobs.put(stream, limit)

    def open_blob(self, sha256: str) -> BinaryIO:
        """A seekable stream; raises AttachmentNotFound."""
        return self._blobs.open(sha256)

    def orphans(self) -> list[str]:
        """The SHA-256 of attachments' bytes that nothing refers to, as far as can be told while
        others write."""
        return orphans(self.data, self._blobs)

    def collect(self) -> dict[str, int]:
        """Remove those bytes, SHA-256 -> how many; others wait with their saves meanwhile."""
        self._flush()
        if not self.orphans():
            return {}
        with self._settled():
            removed = {sha256: self._blobs.remove(sha256) for sha256 in self.orphans()}
        return {sha256: size for sha256, size in removed.items() if size}

    def keep_text(self, document: WaitingFile, text: str) -> None:
        """Have a document found by its text, which is empty where it cannot be read."""
        with self._settled(), self._index.writing() as connection:
            filetexts.keep(connection, document, text)

    # -- upkeep ----------------------------------------------------------------------------

    def reindex(self) -> int:
        """Build the index anew from the documents; returns their number. Attached documents
        are read too, unless another process is about to."""
        self._flush()
        with self._settled():
            number = self._rebuild()
        read_all(self, self.data / "reading.lock", Reader())
        return number

    def heal(self) -> Healing:
        """Bring the index up to date with files changed under it."""
        self._flush()
        with self._lock:
            self._committer.recover()
            return self._upkeep.heal()

    def check(self) -> Iterable[Problem]:
        """Damaged pages and revisions, missing or wrong attachments, and where the index does
        not agree with the files."""
        self._flush()
        return self._upkeep.check(self._settled)

    @contextmanager
    def _settled(self) -> Iterator[None]:
        with self._lock:
            self._committer.recover()
            yield

    def close(self) -> None:
        """Let go of the files; what was acknowledged is durable already."""
        self._index.close()
        self._marks.close()

    def _rebuild(self) -> int:
        self._index.create()
        number = self._upkeep.index_all()
        self._committer.mark_applied()
        self._index.complete()
        return number

    def _recover(self) -> None:
        """Finish what a crash left, and build the index where it is missing or of old."""
        if self._index.is_current() and self._committer.is_applied():
            return
        with self._lock:
            current = self._index.is_current()
            if not current:
                self._index.create()
            self._committer.recover()
            if not current:
                self._upkeep.index_all()
                self._index.complete()

    def _after_fork(self) -> None:
        self._index.forget()
        self._marks.forget()
        self._lock.forget()
        self._cache = PageCache(CACHED)
        self._batch = ThreadBatch()


def _runs(changes: Sequence[Step]) -> Iterator[list[Step]]:
    """Neighbours of the same kind, with the marks behind them; a page that is deleted and made
    anew begins a new run."""
    run: list[Step] = []
    kind: type[Step] | None = None
    for change in changes:
        if not isinstance(change, Aside):
            if kind not in (None, type(change)):
                yield run
                run = []
            kind = type(change)
        run.append(change)
    if run:
        yield run


def _key(text: str) -> str:
    """What can be a list's name or a key on it; raises InvalidDocument."""
    if not isinstance(text, str) or not 0 < len(text) <= MAX_KEY or re.search(
            r"[\x00\ud800-\udfff]", text):
        raise InvalidDocument(f"{text!r:.80} cannot be marked: a mark takes text of 1 to "
                              f"{MAX_KEY} characters without NUL and lone surrogates")
    return text


def _continues(pending: Pending | None, reference: Reference) -> bool:
    """Whether what a batch holds back follows what is on disk."""
    first = next((change for change in pending.changes if not isinstance(change, Aside)
                  and change.reference == reference), None) if pending is not None else None
    return isinstance(first, Save) and first.expected is not None


def _forget_after_fork(store: TinyDBStore) -> None:
    alive = weakref.ref(store)

    def forget() -> None:
        forked = alive()
        if forked is not None:
            forked._after_fork()

    os.register_at_fork(after_in_child=forget)
