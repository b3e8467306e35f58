"""A store for a dry run: reads come from the wiki, writes go into an overlay beside it.

The overlay is an embedded store of its own: it holds the pages as the run saved them, the marks
that it made, which pages it deleted, and the list of what it touched, with the versions that
those pages have in the wiki. Nothing in the wiki changes.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from wiki.errors import (
    AttachmentNotFound,
    DocumentExists,
    DocumentNotFound,
    RevisionNotFound,
    StoreError,
)
from wiki.model import Document, Revision, Version
from wiki.references import Reference
from wiki.store import extract
from wiki.store.base import (
    Binned,
    Blob,
    ChangeKind,
    Found,
    Healing,
    Hit,
    Leaf,
    Link,
    Logged,
    Problem,
    Query,
    Row,
    Search,
    Since,
    State,
    Store,
    Touched,
    WaitingFile,
)
from wiki.store.batch import Removal, Save, compare
from wiki.store.conditions import TAGS
from wiki.store.journal import Touch
from wiki.store.order import sort_key
from wiki.store.tinydb import TinyDBStore

#: The overlay's list of pages of the wiki that the run deleted or moved away.
GONE = "shadow.gone"
#: The overlay's list of lists of the wiki that the run dropped.
DROPPED = "shadow.dropped"
#: Before the name of a list that the run itself made.
OWN = "own."
#: How many changes of each page that is gone are reckoned with in the list of changes.
PER_GONE = 20


class ShadowStore:
    """The wiki as it would be after what a run has done so far. One process writes to it."""

    def __init__(self, wiki: Store, folder: Path, run: str) -> None:
        """``folder`` takes the overlay; raises StoreError where it cannot."""
        self.wiki = wiki
        self.overlay = TinyDBStore(folder)
        self.run = run
        #: The names in the wiki of pages that were moved.
        self._origins: dict[Reference, Reference] = {}

    # -- reading ---------------------------------------------------------------------------

    def get(self, reference: Reference) -> Document:
        """Raises DocumentNotFound, or DamagedPage."""
        if self.overlay.exists(reference):
            return self.overlay.get(reference)
        if self._gone(reference):
            raise DocumentNotFound(f"there is no page {reference}")
        return self.wiki.get(reference)

    def exists(self, reference: Reference) -> bool:
        return self.overlay.exists(reference) or (
            not self._gone(reference) and self.wiki.exists(reference))

    def revisions(self, reference: Reference, limit: int | None = None) -> list[Revision]:
        """All versions, or the newest ``limit``, newest first, the current one included."""
        if not self.overlay.exists(reference):
            self.get(reference)
            return self.wiki.revisions(reference, limit)
        source = self._source(reference)
        own = self.overlay.revisions(reference, limit)
        earlier = self.wiki.revisions(source, limit) if source is not None else []
        return [*own, *(item for item in earlier if item.version < own[-1].version)][:limit]

    def versions(self, reference: Reference) -> list[Version]:
        """The numbers of all versions, newest first; raises DocumentNotFound."""
        if not self.overlay.exists(reference):
            self.get(reference)
            return self.wiki.versions(reference)
        source = self._source(reference)
        own = self.overlay.versions(reference)
        earlier = self.wiki.versions(source) if source is not None else []
        return [*own, *(version for version in earlier if version < own[-1])]

    def revision(self, reference: Reference, version: Version) -> Document:
        """Raises RevisionNotFound."""
        if self.overlay.exists(reference):
            with suppress(RevisionNotFound):
                return self.overlay.revision(reference, version)
        source = self._source(reference)
        if source is None:
            raise RevisionNotFound(f"{reference} has no revision {version}")
        return self.wiki.revision(source, version)

    def _gone(self, reference: Reference) -> bool:
        return self.overlay.marked(GONE, str(reference))

    def _hidden(self, reference: Reference) -> bool:
        """Whether what the wiki has of the page is not what the run sees."""
        return self.overlay.exists(reference) or self._gone(reference)

    def _source(self, reference: Reference) -> Reference | None:
        """The page of the wiki whose history goes on in this one."""
        if reference in self._origins:
            return self._origins[reference]
        return None if self._gone(reference) else reference if (
            self.wiki.exists(reference)) else None

    # -- writing ---------------------------------------------------------------------------

    def save(self, document: Document, expected: Version | None) -> Document:
        """Keep ``document``, if the page's version is still ``expected``; raises Conflict or
        DocumentExists."""
        reference = document.reference
        current = self._version(reference)
        compare(Save(document, expected), current)
        if self.overlay.exists(reference):
            return self.overlay.save(document, expected)
        if current is not None:
            self.overlay.touch(Touch(self.run, reference, current, document.version))
        return self.overlay.save(document, None)

    def delete(self, reference: Reference, expected: Version | None = None,
               run: str = "", binned: Binned | None = None) -> None:
        """Delete the page; raises DocumentNotFound or Conflict."""
        current = self._version(reference)
        if current is None:
            raise DocumentNotFound(f"there is no page {reference}")
        compare(Removal(reference, expected), current)
        if self.overlay.exists(reference):
            self.overlay.delete(reference)
        self._leave(reference)
        self.overlay.touch(Touch(self.run, reference, current, None))

    def rename(self, old: Reference, new: Document, expected: Version) -> Document:
        """Move the page with its revisions; raises DocumentNotFound, DocumentExists or
        Conflict."""
        compare(Removal(old, expected), self.get(old).version)
        if self.exists(new.reference):
            raise DocumentExists(f"{new.reference} exists already")
        source = self._source(old)
        if self.overlay.exists(old):
            self.overlay.rename(old, new, expected)
        else:
            self.overlay.touch(Touch(self.run, new.reference, expected, new.version, old))
            self.overlay.save(new, None)
        self._leave(old)
        if source is not None:
            self._origins[new.reference] = source
        return new

    def batch(self) -> AbstractContextManager[bool]:
        """Many saves by this thread; reads by this thread see them."""
        return self.overlay.batch()

    def _version(self, reference: Reference) -> Version | None:
        try:
            return self.get(reference).version
        except DocumentNotFound:
            return None

    def _leave(self, reference: Reference) -> None:
        self._origins.pop(reference, None)
        if self.wiki.exists(reference):
            self.overlay.mark(GONE, str(reference))

    # -- marks and runs --------------------------------------------------------------------

    def mark(self, name: str, key: str) -> None:
        """Put a key on a list; raises InvalidDocument for what is no key."""
        self.overlay.mark(OWN + name, key)

    def marked(self, name: str, key: str) -> bool:
        return self.overlay.marked(OWN + name, key) or (
            not self.overlay.marked(DROPPED, name) and self.wiki.marked(name, key))

    def marks(self, name: str) -> Iterator[str]:
        """The keys on a list, in order."""
        theirs: Iterable[str] = () if self.overlay.marked(DROPPED, name) else (
            self.wiki.marks(name))
        last = None
        for key in heapq.merge(theirs, self.overlay.marks(OWN + name)):
            if key != last:
                yield key
            last = key

    def unmark(self, name: str) -> None:
        self.overlay.unmark(OWN + name)
        self.overlay.mark(DROPPED, name)

    def touched(self, run: str, after: str = "", limit: int = 100) -> list[Touched]:
        """What this run would touch, or another one did."""
        return self._noting(run).touched(run, after, limit)

    def touched_page(self, run: str, reference: Reference) -> Touched | None:
        return self._noting(run).touched_page(run, reference)

    def touched_kinds(self, run: str) -> dict[str, int]:
        return self._noting(run).touched_kinds(run)

    def _noting(self, run: str) -> Store:
        return self.overlay if run == self.run else self.wiki

    def deleted(self, run: str, reference: Reference, version: Version | None = None) -> Document:
        """A page that a run deleted: this one has it still; raises RevisionNotFound."""
        if run != self.run:
            return self.wiki.deleted(run, reference, version)
        return self.wiki.revision(reference, version) if version else self.wiki.get(reference)

    def restore(self, run: str, saves: Sequence[tuple[Document, Version]],
                origin: Reference | None = None) -> None:
        """Raises StoreError: what other runs did is not taken back in a dry run."""
        raise StoreError("a dry run cannot take back what another run did")

    def deleted_revisions(self, key: str, reference: Reference,
                          limit: int | None = None) -> list[Revision]:
        """The versions of a page that was deleted; raises RevisionNotFound."""
        return (self.wiki.revisions(reference, limit) if key == self.run
                else self.wiki.deleted_revisions(key, reference, limit))

    def bin(self, limit: int = 100, offset: int = 0, reference: Reference | None = None,
            before: datetime | None = None) -> list[Binned]:
        """The wiki's recycle bin."""
        return self.wiki.bin(limit, offset, reference, before)

    def binned(self, key: str, reference: Reference) -> Binned | None:
        return self.wiki.binned(key, reference)

    def purge(self, pages: Sequence[tuple[str, Reference]]) -> None:
        """Raises StoreError: nothing in the wiki changes in a dry run."""
        raise StoreError("a dry run cannot remove anything from the recycle bin")

    # -- attachments -----------------------------------------------------------------------

    def put_blob(self, stream: BinaryIO | bytes, limit: int | None = None) -> Blob:
        """Raises TooLarge past ``limit``."""
        return self.overlay.put_blob(stream, limit)

    def open_blob(self, sha256: str) -> BinaryIO:
        """Raises AttachmentNotFound."""
        try:
            return self.overlay.open_blob(sha256)
        except AttachmentNotFound:
            return self.wiki.open_blob(sha256)

    def orphans(self) -> list[str]:
        """The SHA-256 of bytes that nothing in the overlay refers to."""
        return self.overlay.orphans()

    def collect(self) -> dict[str, int]:
        """Remove such bytes from the overlay; SHA-256 -> how many."""
        return self.overlay.collect()

    # -- finding ---------------------------------------------------------------------------

    def query(self, query: Query) -> Iterator[Row]:
        """Rows, in the order in which the wiki would have them; raises QueryError."""
        rows = self._merged(replace(query, limit=None, offset=0))
        stop = None if query.limit is None else query.offset + query.limit
        return islice(rows, query.offset, stop)

    def count(self, query: Query) -> int:
        """How many documents fit, ``limit`` and ``offset`` aside; raises QueryError."""
        own = self.overlay.count(query)
        unlimited = replace(query, limit=None, offset=0, order_by=())
        return own + sum(not self._hidden(row.reference) for row in self.wiki.query(unlimited))

    def counts(self, query: Query, name: str) -> dict[str, int]:
        """How many documents that fit have each value of a property, or each tag; raises
        QueryError."""
        unlimited = replace(query, limit=None, offset=0, order_by=())
        found: Counter[str] = Counter()
        for row in self.query(unlimited):
            document = self.get(row.reference)
            found.update(document.tags if name == TAGS else {
                value.text for value in extract.values(document)
                if (value.class_name, value.name) == (query.class_name, name)})
        return dict(found)

    def spaces(self) -> list[tuple[str, int]]:
        """Every space that holds pages, with their number, in order."""
        return self._recount(self.wiki.spaces(), self.overlay.spaces(),
                             lambda page: [page.reference.space])

    def search(self, text: str, space: str | None = None, limit: int = 20,
               offset: int = 0) -> Sequence[Hit]:
        """Pages with all the words: first those that the run has saved, then others."""
        wanted = offset + limit
        own = list(self.overlay.search(text, space, wanted))
        hidden = sum(1 for _ in self._shadowed())
        others = (hit for hit in self.wiki.search(text, space, wanted + hidden)
                  if not self._hidden(hit.reference))
        return [*own, *others][offset:wanted]

    def find(self, search: Search) -> Found:
        """As the wiki has it, with what the run has saved in front; the numbers are of both
        together. Raises QueryError."""
        whole = replace(search, limit=search.offset + search.limit, offset=0)
        own = self.overlay.find(whole)
        hidden = sum(1 for _ in self._shadowed())
        theirs = self.wiki.find(replace(whole, limit=whole.limit + hidden))
        hits = [*own.hits, *(hit for hit in theirs.hits if not self._hidden(hit.reference))]
        facets = {name: tuple((Counter(dict(own.facets.get(name, ())))
                               + Counter(dict(values))).most_common())
                  for name, values in {**own.facets, **theirs.facets}.items()}
        return Found(tuple(hits[search.offset:whole.limit]), own.total + theirs.total,
                     own.capped or theirs.capped, facets, "" if hits else theirs.instead)

    def titles(self, text: str, limit: int = 20) -> list[tuple[Reference, str]]:
        """Pages by their title: first those that the run has saved, then others."""
        hidden = sum(1 for _ in self._shadowed())
        others = (item for item in self.wiki.titles(text, limit + hidden)
                  if not self._hidden(item[0]))
        return [*self.overlay.titles(text, limit), *others][:limit]

    def links_to(self, reference: Reference) -> list[Link]:
        """The pages that lead to the page, each with how, in order."""
        theirs = (link for link in self.wiki.links_to(reference)
                  if not self._hidden(link.reference))
        return sorted([*theirs, *self.overlay.links_to(reference)],
                      key=lambda link: (str(link.reference), link.kind))

    def orphaned(self, limit: int = 100, offset: int = 0) -> list[Reference]:
        """Pages that nothing leads to, as the wiki itself has them."""
        return self.wiki.orphaned(limit, offset)

    def wanted(self, limit: int = 100, offset: int = 0) -> list[tuple[Reference, int]]:
        """Pages that are not there, as the wiki itself has them."""
        return self.wiki.wanted(limit, offset)

    def branch(self, parent: Reference | None, limit: int = 100,
               offset: int = 0) -> list[Leaf]:
        """A branch of the tree of pages, as the wiki itself has it."""
        return self.wiki.branch(parent, limit, offset)

    def above(self, document: Document) -> list[Leaf]:
        """The pages above a page, as the wiki itself has them."""
        return self.wiki.above(document)

    def backlinks(self, reference: Reference, limit: int | None = None) -> list[Reference]:
        return self._joined(self.wiki.backlinks(reference),
                            self.overlay.backlinks(reference))[:limit]

    def tags(self) -> list[tuple[str, int]]:
        """Every tag with its number of pages, in order."""
        return self._recount(self.wiki.tags(), self.overlay.tags(),
                             lambda page: list(dict.fromkeys(page.tags)))

    def tagged(self, tag: str) -> list[Reference]:
        return self._joined(self.wiki.tagged(tag), self.overlay.tagged(tag))

    def changes(self, limit: int = 50, offset: int = 0, *, space: str | None = None,
                author: str | None = None, minor: bool = True,
                hidden: bool = True) -> list[Logged]:
        """All changes, newest first, those of the wiki under the names that its pages have now;
        where the run has moved pages, their changes before may be missed at the end."""
        wanted = offset + limit
        gone = sum(1 for _ in self.overlay.marks(GONE))
        moved = {old: new for new, old in self._origins.items() if old != new}
        theirs = (self._renamed(entry, moved) for entry in self.wiki.changes(
            wanted + gone * PER_GONE, space=space, author=author, minor=minor, hidden=hidden)
            if entry.kind == ChangeKind.DELETED or entry.reference in moved
            or not self._gone(entry.reference))
        own = (self._continued(entry) for entry in self.overlay.changes(
            wanted, space=space, author=author, minor=minor, hidden=hidden))
        return sorted([*own, *theirs], reverse=True, key=lambda entry: (
            entry.updated, str(entry.reference), str(entry.version)))[offset:wanted]

    def _renamed(self, entry: Logged, moved: Mapping[Reference, Reference]) -> Logged:
        return replace(entry, reference=moved.get(entry.reference, entry.reference))

    def _continued(self, entry: Logged) -> Logged:
        """The first save of a page in the overlay goes on from the wiki's version."""
        source = self._source(entry.reference)
        if entry.kind != ChangeKind.CREATED or source is None:
            return entry
        kind = ChangeKind.EDITED if source == entry.reference else ChangeKind.MOVED
        return replace(entry, kind=kind, previous=self.wiki.get(source).version)

    def changes_since(self, mark: str, classes: Sequence[str], limit: int = 1000) -> Since:
        """What changed in the wiki itself."""
        return self.wiki.changes_since(mark, classes, limit)

    def state(self) -> State:
        """See :meth:`wiki.store.base.Store.state`: the wiki's and the overlay's."""
        return *self.wiki.state(), *self.overlay.state()

    def tally(self, class_name: str, name: str) -> dict[str, int]:
        """How many objects of a class have each value of a property, numbers as text."""
        return dict(self._recount(
            self.wiki.tally(class_name, name).items(),
            self.overlay.tally(class_name, name).items(),
            lambda page: [value.text for value in extract.values(page)
                          if (value.class_name, value.name) == (class_name, name)]))

    def _merged(self, query: Query) -> Iterator[Row]:
        own = self.overlay.query(query)
        others = (row for row in self.wiki.query(query) if not self._hidden(row.reference))
        return heapq.merge(others, own, key=lambda row: sort_key(row, query, self.get))

    def _joined(self, theirs: Iterable[Reference], own: Iterable[Reference]) -> list[Reference]:
        return sorted([*(ref for ref in theirs if not self._hidden(ref)), *own], key=str)

    def _recount(self, theirs: Iterable[tuple[str, int]], own: Iterable[tuple[str, int]],
                 values: Callable[[Document], list[str]]) -> list[tuple[str, int]]:
        """Numbers by value, without the pages of the wiki that the run does not see so."""
        counts = Counter(dict(theirs))
        counts.update(dict(own))
        for page in self._shadowed():
            counts.subtract(values(page))
        return sorted((value, number) for value, number in counts.items() if number > 0)

    def _shadowed(self) -> Iterator[Document]:
        """The pages as the wiki has them that the run has changed or deleted."""
        names = {str(row.reference) for row in self.overlay.query(Query())}
        for name in names.union(self.overlay.marks(GONE)):
            with suppress(DocumentNotFound):
                yield self.wiki.get(Reference.parse(name))

    # -- upkeep ----------------------------------------------------------------------------

    def waiting_file(self) -> WaitingFile | None:
        """Of those that the run has attached."""
        return self.overlay.waiting_file()

    def keep_text(self, document: WaitingFile, text: str) -> None:
        self.overlay.keep_text(document, text)

    def reindex(self) -> int:
        """Build the overlay's index anew."""
        return self.overlay.reindex()

    def heal(self) -> Healing:
        return self.overlay.heal()

    def check(self) -> Iterable[Problem]:
        return self.overlay.check()

    def close(self) -> None:
        self.overlay.close()
        self.wiki.close()
