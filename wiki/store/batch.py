"""What a thread's batch holds back, and how its reads see it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from wiki.model import Document, Version
from wiki.references import Reference


@dataclass(frozen=True, slots=True)
class Save:
    """Keep the document over the version ``expected`` (None: there must be none)."""

    document: Document
    expected: Version | None

    @property
    def reference(self) -> Reference:
        return self.document.reference


@dataclass(frozen=True, slots=True)
class Removal:
    """Delete the page, if it is at ``expected`` (None: whatever it is at)."""

    reference: Reference
    expected: Version | None


Change = Save | Removal


@dataclass(slots=True)
class Pending:
    """The changes of one batch that are not committed yet."""

    changes: list[Change] = field(default_factory=list)
    #: The newest state by page; None where it is deleted.
    latest: dict[Reference, Document | None] = field(default_factory=dict)
    depth: int = 0

    def add(self, change: Change) -> None:
        self.changes.append(change)
        self.latest[change.reference] = change.document if isinstance(change, Save) else None

    def take(self) -> list[Change]:
        """Empty it, returning what it held."""
        changes, self.changes = self.changes, []
        self.latest = {}
        return changes

    def saves(self, reference: Reference) -> list[Document]:
        """The versions of a page held back since it was last deleted here, newest first."""
        found: list[Document] = []
        for change in self.changes:
            if change.reference == reference:
                if isinstance(change, Removal):
                    found.clear()
                else:
                    found.insert(0, change.document)
        return found


class ThreadBatch(threading.local):
    """The batch that the current thread is in, if any."""

    pending: Pending | None = None
