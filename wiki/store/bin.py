"""The recycle bin: the half of the embedded store that keeps what was deleted."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from wiki.errors import DamagedPage, DocumentExists, RevisionNotFound
from wiki.model import Document, Revision, Version
from wiki.references import Reference
from wiki.store import pagedb
from wiki.store.base import Binned
from wiki.store.batch import Save, compare
from wiki.store.commit import Committer
from wiki.store.files import PageFiles
from wiki.store.lock import WriterLock
from wiki.store.marks import Marks
from wiki.translate import gettext


class RecycleBin:
    """Pages that were deleted, each with its revisions, in a folder for each key: the id of the
    run that deleted them, or that of one deletion."""

    _files: PageFiles
    _marks: Marks
    _lock: WriterLock
    _committer: Committer

    def _flush(self) -> None:
        """Commit what this thread's batch holds back."""
        raise NotImplementedError

    def bin(self, limit: int = 100, offset: int = 0, reference: Reference | None = None,
            before: datetime | None = None) -> list[Binned]:
        """The recycle bin, or what was deleted of one name, or before some moment, the last
        deleted first."""
        self._flush()
        return self._marks.bin(limit, offset, reference, before)

    def binned(self, key: str, reference: Reference) -> Binned | None:
        """One page of the bin; None where it is not there (any more)."""
        self._flush()
        return self._marks.binned(key, reference)

    def deleted(self, run: str, reference: Reference, version: Version | None = None) -> Document:
        """A page that the run deleted, or that is in the bin with that key, as it was then or at
        a version; raises RevisionNotFound."""
        kept = self._files.kept(check_key(run))
        path = kept.path(reference)
        try:
            last = pagedb.loads(path.read_bytes(), path)
        except (FileNotFoundError, NotADirectoryError):
            raise RevisionNotFound(gettext(
                "nothing is kept of %(page)s as deleted by %(run)s: it was never deleted so, is "
                "back, or was purged", page=reference, run=run)) from None
        if version is None or version == last.version:
            return last
        return pagedb.loads(kept.revision(reference, version),
                            kept.revision_path(reference, version))

    def deleted_revisions(self, key: str, reference: Reference,
                          limit: int | None = None) -> list[Revision]:
        """The versions of such a page, newest first; raises RevisionNotFound."""
        revisions = [revision_of(self.deleted(key, reference))]
        for version in self._files.kept(key).versions(reference):
            if limit is not None and len(revisions) >= limit:
                break
            if version < revisions[-1].version:
                with suppress(DamagedPage, RevisionNotFound):
                    revisions.append(revision_of(self.deleted(key, reference, version)))
        return revisions[:limit]

    def restore(self, run: str, saves: Sequence[tuple[Document, Version]],
                origin: Reference | None = None) -> None:
        """Bring back pages that the run deleted, or that are in the bin with that key, each with
        its revisions and a document to save over the version that it had then; ``origin`` is the
        name of the only one, where it comes back under another. Raises RevisionNotFound,
        DocumentExists or Conflict."""
        self._flush()
        with self._lock:
            self._committer.recover()
            for document, expected in saves:
                if self._files.exists(document.reference):
                    raise DocumentExists(gettext(
                        "%(page)s exists already", page=document.reference))
                kept = self.deleted(run, origin or document.reference)
                compare(Save(document, expected), kept.version)
            self._committer.restore(run, saves, origin)

    def purge(self, pages: Sequence[tuple[str, Reference]]) -> None:
        """Remove pages from the bin for good, by key and name, as one durable step; what is not
        there is passed over."""
        self._flush()
        with self._lock:
            self._committer.recover()
            there = [(key, name) for key, name in pages
                     if self._marks.binned(check_key(key), name) is not None]
            if there:
                self._committer.purge(there)


def check_key(key: str) -> str:
    """Raises RevisionNotFound for what can be no key of the bin, and so no folder either."""
    if not (key.isascii() and key.isalnum()):
        raise RevisionNotFound(gettext(
            "%(key)s names nothing that was deleted", key=f"{key!r:.80}"))
    return key


def revision_of(document: Document) -> Revision:
    """The document's line in its history."""
    return Revision(document.version, document.author, document.updated, document.comment,
                    document.minor, document.run, len(document.content))
