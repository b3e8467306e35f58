"""What a thread's batch holds back, and how its reads see it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from wiki.errors import Conflict, DocumentExists, DocumentNotFound
from wiki.model import Document, Version
from wiki.references import Reference
from wiki.store.base import Binned
from wiki.store.journal import Mark, Touch
from wiki.translate import gettext


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
    """Delete the page, if it is at ``expected`` (None: whatever it is at), as ``run`` does, and
    note it as ``binned``."""

    reference: Reference
    expected: Version | None
    run: str = ""
    binned: Binned | None = None

    @property
    def kept(self) -> str:
        """The key by which what is deleted is kept; empty where it is not."""
        return self.run or (self.binned.key if self.binned else "")


Change = Save | Removal
#: What is noted beside the pages, together with the changes before it.
Aside = Mark | Touch
Step = Change | Aside


@dataclass(slots=True)
class Pending:
    """The changes of one batch that are not committed yet."""

    changes: list[Step] = field(default_factory=list)
    #: The newest state by page; None where it is deleted.
    latest: dict[Reference, Document | None] = field(default_factory=dict)
    marks: set[Mark] = field(default_factory=set)
    #: Whether this batch marks what it has done: it is then committed up to a mark.
    marking: bool = False
    depth: int = 0

    def add(self, change: Step) -> None:
        self.changes.append(change)
        if isinstance(change, Mark):
            self.marks.add(change)
            self.marking = True
        elif not isinstance(change, Touch):
            self.latest[change.reference] = change.document if isinstance(change, Save) else None

    def take(self) -> list[Step]:
        """Empty it, returning what it held."""
        changes, self.changes = self.changes, []
        self.latest = {}
        self.marks = set()
        return changes

    def saves(self, reference: Reference) -> list[Document]:
        """The versions of a page held back since it was last deleted here, newest first."""
        found: list[Document] = []
        for change in self.changes:
            if not isinstance(change, Aside) and change.reference == reference:
                if isinstance(change, Removal):
                    found.clear()
                else:
                    found.insert(0, change.document)
        return found


class ThreadBatch(threading.local):
    """The batch that the current thread is in, if any."""

    pending: Pending | None = None


def compare(change: Change, current: Version | None) -> None:
    """Raises unless the page, at version ``current`` (None: there is none), is as the change
    expects it."""
    expected = change.expected
    if current == expected:
        return
    if isinstance(change, Removal):
        if current is None:
            raise DocumentNotFound(gettext("there is no page %(page)s", page=change.reference))
        if expected is None:
            return
    if expected is None:
        raise DocumentExists(gettext("%(page)s exists already", page=change.reference))
    if current is None:
        raise Conflict(gettext(
            "%(page)s was deleted since version %(expected)s was read", page=change.reference,
            expected=expected))
    raise Conflict(gettext(
        "%(page)s is at version %(current)s, and no longer at %(expected)s", page=change.reference,
        current=current, expected=expected))
