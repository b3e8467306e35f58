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

    def delete(self, reference: Reference, expected: Version | None = None) -> None:
        """Delete the page with its revisions; raises DocumentNotFound or Conflict."""

    def rename(self, old: Reference, new: Document, expected: Version) -> Document:
        """Move the page with its revisions to ``new.reference``, saving ``new`` there, as one
        durable step; raises DocumentNotFound, DocumentExists or Conflict."""

    def revisions(self, reference: Reference) -> list[Revision]:
        """All versions, newest first, the current one included."""

    def revision(self, reference: Reference, version: Version) -> Document:
        """Raises RevisionNotFound."""

    def put_blob(self, stream: BinaryIO | bytes, limit: int | None = None) -> Blob:
        """Keep bytes, durably, before a document names them. Raises TooLarge past ``limit``."""

    def open_blob(self, sha256: str) -> BinaryIO:
        """A seekable stream; raises AttachmentNotFound."""

    def batch(self) -> AbstractContextManager[None]:
        """Many saves by this thread, made durable together. Reads by this thread see them."""

    def query(self, query: Query) -> Iterator[Row]: ...

    def count(self, query: Query) -> int: ...

    def spaces(self) -> list[tuple[str, int]]:
        """Every space that holds pages, with their number, in order."""

    def search(self, text: str, space: str | None = None, limit: int = 20,
               offset: int = 0) -> Sequence[Hit]:
        """Pages with all the words, best first; the last word may be a beginning."""

    def backlinks(self, reference: Reference) -> list[Reference]: ...

    def tags(self) -> list[tuple[str, int]]: ...

    def tagged(self, tag: str) -> list[Reference]: ...

    def changes(self, limit: int = 50, offset: int = 0) -> list[Row]:
        """Pages by their last change, newest first."""

    def reindex(self) -> int:
        """Build the index anew from the documents; returns their number."""

    def heal(self) -> Healing:
        """Bring the index up to date with files changed under it."""

    def check(self) -> Iterable[Problem]: ...

    def close(self) -> None: ...
