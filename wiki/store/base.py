"""What a store is: the protocol that every store keeps and the records that it speaks in.

``tests/test_store_contract.py`` is its executable form.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, BinaryIO, Literal, Protocol

from wiki.model import Document, Revision, Version
from wiki.references import Reference

Operator = Literal["eq", "ne", "lt", "le", "gt", "ge", "contains", "startswith", "in"]

#: Fields of a document that a query may name, beside the properties of its class.
DOCUMENT_FIELDS = ("reference", "name", "space", "title", "author", "creator", "created",
                   "updated")
#: Those that conditions may name; nothing is sorted by the others.
CONDITION_FIELDS = (*DOCUMENT_FIELDS, "parent", "tags")


@dataclass(frozen=True, slots=True)
class Condition:
    """``doc.<field>`` names a document's field; any other field is a property of the class.

    Text is compared as it is (``contains`` and ``startswith`` without regard to case), numbers
    and booleans by value, a multiple value by any of its items. With ``in``, ``value`` is a tuple
    or list of values, of which one fits.
    """

    field: str
    operator: Operator
    value: Any


@dataclass(frozen=True, slots=True)
class Query:
    """Documents that carry an object of ``class_name`` (or all, where None) and fit all of
    ``where``.

    ``order_by``: fields as in :class:`Condition`, ``-`` before one for descending; always
    closed by ``doc.name``, ``doc.reference``, so that an order is total.
    """

    class_name: str | None = None
    where: tuple[Condition, ...] = ()
    order_by: tuple[str, ...] = ()
    space: str | None = None
    #: Also documents in spaces below ``space``.
    nested: bool = False
    hidden: bool = True
    limit: int | None = None
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """A document as the index knows it."""

    reference: Reference
    title: str
    author: str
    updated: datetime
    version: Version
    hidden: bool = False
    minor: bool = False
    comment: str = ""


class ChangeKind(StrEnum):
    """What became of a page."""

    CREATED = "created"
    EDITED = "edited"
    #: Renamed, with its history.
    MOVED = "moved"
    DELETED = "deleted"
    #: Brought back from the recycle bin.
    RESTORED = "restored"


@dataclass(frozen=True, slots=True)
class Logged(Row):
    """A change of a page: the page as it then was, under the name that it has now."""

    kind: ChangeKind = ChangeKind.EDITED
    #: The version before; None where there is none.
    previous: Version | None = None
    #: The key of a deletion in the recycle bin; else empty.
    key: str = ""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A page in the tree of pages; ``more``: there are pages below it; ``there``: False for the
    home page that a space does not have."""

    reference: Reference
    title: str
    more: bool = False
    there: bool = True


@dataclass(frozen=True, slots=True)
class FileHit:
    """A file attached to a page that was found; ``snippet`` as in :class:`Hit`."""

    filename: str
    snippet: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A page found by full text; ``snippet`` is plain text with \\x02 and \\x03 round each
    matching word, empty where only files of the page have the words. ``files``: the best of
    those."""

    reference: Reference
    title: str
    snippet: str
    author: str = ""
    updated: datetime | None = None
    files: tuple[FileHit, ...] = ()


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for: all words of ``text``, where ``"a b"`` is a phrase, ``wor*`` a beginning
    and ``-word`` leaves out what has it; ``space:``, ``class:``, ``author:`` and ``year:`` in it
    go before the fields below. Best first, or by date, newest first."""

    text: str
    #: Only pages of the space and those below it.
    space: str | None = None
    class_name: str | None = None
    #: Who changed the page last.
    author: str | None = None
    #: Of the last change: ``2026``.
    year: str | None = None
    by_date: bool = False
    hidden: bool = False
    limit: int = 20
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found. ``facets``: ``space``, ``class``, ``author`` and ``year``, each with
    its values and their numbers of pages. ``capped``: there are more pages than ``total``; it
    and the facets are of the newest ones. ``instead``: where nothing was found, the search with
    words that are like those asked for and would find something, or empty."""

    hits: tuple[Hit, ...] = ()
    total: int = 0
    capped: bool = False
    facets: Mapping[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    instead: str = ""


@dataclass(frozen=True, slots=True)
class WaitingFile:
    """An attached document whose text is still to be read; ``kind`` says as what."""

    sha256: str
    kind: str
    filename: str


@dataclass(frozen=True, slots=True)
class Link:
    """A page that leads to another, and how: ``link``, ``include``, ``object`` or ``parent``."""

    reference: Reference
    kind: str


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes in the store: their SHA-256 in hex and their number."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Touched:
    """A page that a run touched: its version before the run and after the run's last save, None
    where there was or is none. ``origin`` is the name that it had before the run moved it; of a
    page that is deleted, the name that the run had given it, if it had moved it."""

    reference: Reference
    before: Version | None
    after: Version | None
    origin: Reference | None = None

    @property
    def kind(self) -> str:
        """``created``, ``changed``, ``deleted`` or ``moved``."""
        if self.origin is not None and self.after is not None:
            return "moved"
        if self.after is None:
            return "deleted"
        return "created" if self.before is None else "changed"


@dataclass(frozen=True, slots=True)
class Binned:
    """A page in the recycle bin: what it was when it was deleted, by whom, when and why.

    ``key`` names the deletion: letters and digits, the run's id where a ``run`` deleted it. A
    page is in the bin once for each key.
    """

    key: str
    reference: Reference
    title: str
    version: Version
    #: Who deleted it.
    author: str
    deleted: datetime
    comment: str = ""
    run: str = ""


#: What a store was like at some moment; two are equal or not, and that is all.
State = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ChangedPage:
    """A page that was saved, moved or deleted; ``fits`` says whether it has an object of one of
    the classes asked for now."""

    reference: Reference
    fits: bool


@dataclass(frozen=True, slots=True)
class Since:
    """What changed since a mark, in the order of each page's last change.

    ``mark`` is what to ask with next; ``more``: there is more to tell at once. ``anew``: nobody
    knows any more what changed, the index having been built anew, say; whoever keeps something
    derived from the pages derives all of it again, after having taken ``mark``.
    """

    mark: str
    pages: tuple[ChangedPage, ...] = ()
    more: bool = False
    anew: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that :meth:`Store.check` found wrong: which page or file, and what."""

    where: str
    what: str


@dataclass(slots=True)
class Healing:
    """What :meth:`Store.heal` did: pages indexed anew, index rows dropped, pages damaged."""

    indexed: int = 0
    dropped: int = 0
    damaged: list[Problem] = field(default_factory=list)


class Store(Protocol):
    """Keeps documents. Safe for use by several threads and processes at once.

    A save or delete that returned is durable, or inside :meth:`batch`, when the batch ends.
    """

    def get(self, reference: Reference) -> Document:
        """Raises DocumentNotFound, or DamagedPage."""

    def exists(self, reference: Reference) -> bool: ...

    def save(self, document: Document, expected: Version | None) -> Document:
        """Keep ``document`` as given (its version included), if the page's version is still
        ``expected`` (None: the page must not exist).

        Raises:
            Conflict: the page has another version, or is gone.
            DocumentExists: ``expected`` is None and the page exists.
        """

    def delete(self, reference: Reference, expected: Version | None = None,
               run: str = "", binned: Binned | None = None) -> None:
        """Delete the page with its revisions; raises DocumentNotFound or Conflict. What a
        ``run`` deletes, and what is ``binned``, is kept, for :meth:`deleted` and
        :meth:`restore`."""

    def rename(self, old: Reference, new: Document, expected: Version) -> Document:
        """Move the page with its revisions to ``new.reference``, saving ``new`` there, as one
        durable step; raises DocumentNotFound, DocumentExists or Conflict."""

    def versions(self, reference: Reference) -> list[Version]:
        """The numbers of all versions, newest first, which costs no reading of them; raises
        DocumentNotFound."""

    def revisions(self, reference: Reference, limit: int | None = None) -> list[Revision]:
        """All versions, or the newest ``limit``, newest first, the current one included."""

    def revision(self, reference: Reference, version: Version) -> Document:
        """Raises RevisionNotFound."""

    def mark(self, name: str, key: str) -> None:
        """Put a key on a list: in a batch durable with the saves made before, never without
        them, else at once. Raises InvalidDocument for what is no key."""

    def marked(self, name: str, key: str) -> bool:
        """Whether the key is on the list."""

    def marks(self, name: str) -> Iterator[str]:
        """The keys on a list, in order."""

    def unmark(self, name: str) -> None:
        """Drop a list."""

    def touched(self, run: str, after: str = "", limit: int = 100) -> list[Touched]:
        """Pages that documents with that ``run`` were saved as, or that it deleted or moved, by
        reference, from the one behind ``after`` on."""

    def touched_page(self, run: str, reference: Reference) -> Touched | None:
        """What the run did to one page; None where it did not touch it."""

    def touched_kinds(self, run: str) -> dict[str, int]:
        """How many pages the run created, changed, deleted and moved; kinds without any are
        left out."""

    def deleted(self, run: str, reference: Reference, version: Version | None = None) -> Document:
        """A page that the run deleted, or that is in the bin with that key, as it was then or at
        a version; raises RevisionNotFound."""

    def deleted_revisions(self, key: str, reference: Reference,
                          limit: int | None = None) -> list[Revision]:
        """The versions of such a page, newest first; raises RevisionNotFound."""

    def restore(self, run: str, saves: Sequence[tuple[Document, Version]],
                origin: Reference | None = None) -> None:
        """Bring back pages that the run deleted, or that are in the bin with that key, each with
        its revisions and a document to save over the version that it had then, as one durable
        step. ``origin``: the name of the only one, where it comes back under another.

        Raises RevisionNotFound, DocumentExists, or Conflict where the version is another.
        """

    def bin(self, limit: int = 100, offset: int = 0, reference: Reference | None = None,
            before: datetime | None = None) -> list[Binned]:
        """The recycle bin, or what was deleted of one name, or before some moment, the last
        deleted first."""

    def binned(self, key: str, reference: Reference) -> Binned | None:
        """One page of the bin; None where it is not there (any more)."""

    def purge(self, pages: Sequence[tuple[str, Reference]]) -> None:
        """Remove pages from the bin for good, by key and name, as one durable step; what is not
        there is passed over."""

    def put_blob(self, stream: BinaryIO | bytes, limit: int | None = None) -> Blob:
        """Keep bytes, durably, before a document names them. Raises TooLarge past ``limit``."""

    def open_blob(self, sha256: str) -> BinaryIO:
        """A seekable stream; raises AttachmentNotFound."""

    def orphans(self) -> list[str]:
        """The SHA-256 of bytes kept for a day and more that nothing refers to: no page, no
        version, nothing deleted that can come back. While others write it may name too many."""

    def collect(self) -> dict[str, int]:
        """Remove such bytes, looked for again while nobody writes; SHA-256 -> how many."""

    def batch(self) -> AbstractContextManager[bool]:
        """Many saves by this thread, made durable together. Reads by this thread see them. The
        value says whether all is durable when this block ends, which it is where no other one
        is around it."""

    def query(self, query: Query) -> Iterator[Row]: ...

    def count(self, query: Query) -> int: ...

    def counts(self, query: Query, name: str) -> dict[str, int]:
        """How many documents that fit have each value of a property of the query's class,
        numbers as text, or each tag where ``name`` is ``doc.tags``; ``limit`` and ``offset``
        aside."""

    def spaces(self) -> list[tuple[str, int]]:
        """Every space that holds pages, with their number, in order."""

    def search(self, text: str, space: str | None = None, limit: int = 20,
               offset: int = 0) -> Sequence[Hit]:
        """Pages with all the words, best first; the last word may be a beginning."""

    def find(self, search: Search) -> Found:
        """Full text with filters, counts and the hits of one page; raises QueryError for a
        search that cannot be read, which :meth:`search` answers with nothing."""

    def titles(self, text: str, limit: int = 20) -> list[tuple[Reference, str]]:
        """Pages, not hidden ones, whose title begins so, then those whose title or name has
        words that begin so, then those with all the pieces of the text somewhere in title or
        reference, with their titles; where there are none, those with words that are like
        these."""

    def waiting_file(self) -> WaitingFile | None:
        """An attached document to read next, for :meth:`keep_text`; None where none waits."""

    def keep_text(self, document: WaitingFile, text: str) -> None:
        """Have a document found by its text, which is empty where it cannot be read."""

    def backlinks(self, reference: Reference, limit: int | None = None) -> list[Reference]:
        """The pages that link to the page, or have it for a parent, in order."""

    def links_to(self, reference: Reference) -> list[Link]:
        """The pages that lead to the page, each with how, in order. An ``object`` names it in a
        value, whatever the type of the property."""

    def orphaned(self, limit: int = 100, offset: int = 0) -> list[Reference]:
        """Pages that nothing leads to, hidden ones and home pages aside, in order."""

    def wanted(self, limit: int = 100, offset: int = 0) -> list[tuple[Reference, int]]:
        """Pages that are not there, with how many lead to each by more than a value, most
        first."""

    def branch(self, parent: Reference | None, limit: int = 100,
               offset: int = 0) -> list[Leaf]:
        """The pages right below a page, or the outermost ones, not hidden ones, by title; before
        the first of them the spaces there that have no home page."""

    def above(self, document: Document) -> list[Leaf]:
        """The pages above a page, kept or not, the outermost first."""

    def tags(self) -> list[tuple[str, int]]: ...

    def tagged(self, tag: str) -> list[Reference]: ...

    def changes(self, limit: int = 50, offset: int = 0, *, space: str | None = None,
                author: str | None = None, minor: bool = True,
                hidden: bool = True) -> list[Logged]:
        """All saves, moves and deletions, newest first: those of a space and below it, those by
        ``author``, without minor ones, without those of pages that were hidden then."""

    def changes_since(self, mark: str, classes: Sequence[str], limit: int = 1000) -> Since:
        """Up to ``limit`` pages that changed since the mark of an earlier answer, whoever
        changed them; the first time, ``mark`` is empty, and the answer is ``anew``."""

    def state(self) -> State:
        """Another one after each change that others see, whoever made it, by the time that the
        change returns; equal only to an answer of this same object. It costs microseconds. What
        is made from pages and kept with the state asked *before* is right while the state is
        the same."""

    def tally(self, class_name: str, name: str) -> dict[str, int]:
        """How many objects of a class have each value of a property, numbers as text."""

    def reindex(self) -> int:
        """Build the index anew from the documents; returns their number."""

    def heal(self) -> Healing:
        """Bring the index up to date with files changed under it."""

    def check(self) -> Iterable[Problem]: ...

    def close(self) -> None: ...
