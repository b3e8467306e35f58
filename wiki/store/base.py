"""What a store is: the protocol that every store keeps and the records that it speaks in.

``tests/test_store_contract.py`` is its executable form.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO, Literal, Protocol

from wiki.model import Document, Revision, Version
from wiki.references import Reference

Operator = Literal["eq", "ne", "lt", "le", "gt", "ge", "contains", "startswith"]

#: Fields of a document that a query may name, beside the properties of its class.
DOCUMENT_FIELDS = ("reference", "name", "space", "title", "author", "creator", "created",
                   "updated")


@dataclass(frozen=True, slots=True)
class Condition:
    """``doc.<field>`` names a document's field; any other field is a property of the class.

    Text is compared as it is (``contains`` and ``startswith`` without regard to case), numbers
    and booleans by value, a multiple value by any of its items.
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


@dataclass(frozen=True, slots=True)
class Hit:
    """A page found by full text; ``snippet`` is plain text with \\x02 and \\x03 round each
    matching word."""

    reference: Reference
    title: str
    snippet: str


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
               run: str = "") -> None:
        """Delete the page with its revisions; raises DocumentNotFound or Conflict. What a
        ``run`` deletes is kept, for :meth:`deleted` and :meth:`restore`."""

    def rename(self, old: Reference, new: Document, expected: Version) -> Document:
        """Move the page with its revisions to ``new.reference``, saving ``new`` there, as one
        durable step; raises DocumentNotFound, DocumentExists or Conflict."""

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
        """A page that the run deleted, as it was then or at a version; raises
        RevisionNotFound."""

    def restore(self, run: str, saves: Sequence[tuple[Document, Version]]) -> None:
        """Bring back pages that the run deleted, each with its revisions and a document to save
        over the version that it had then, as one durable step.

        Raises RevisionNotFound, DocumentExists, or Conflict where the version is another.
        """

    def put_blob(self, stream: BinaryIO | bytes, limit: int | None = None) -> Blob:
        """Keep bytes, durably, before a document names them. Raises TooLarge past ``limit``."""

    def open_blob(self, sha256: str) -> BinaryIO:
        """A seekable stream; raises AttachmentNotFound."""

    def batch(self) -> AbstractContextManager[bool]:
        """Many saves by this thread, made durable together. Reads by this thread see them. The
        value says whether all is durable when this block ends, which it is where no other one
        is around it."""

    def query(self, query: Query) -> Iterator[Row]: ...

    def count(self, query: Query) -> int: ...

    def spaces(self) -> list[tuple[str, int]]:
        """Every space that holds pages, with their number, in order."""

    def search(self, text: str, space: str | None = None, limit: int = 20,
               offset: int = 0) -> Sequence[Hit]:
        """Pages with all the words, best first; the last word may be a beginning."""

    def backlinks(self, reference: Reference, limit: int | None = None) -> list[Reference]:
        """The pages that link to the page, or have it for a parent, in order."""

    def tags(self) -> list[tuple[str, int]]: ...

    def tagged(self, tag: str) -> list[Reference]: ...

    def changes(self, limit: int = 50, offset: int = 0) -> list[Row]:
        """Pages by their last change, newest first."""

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
