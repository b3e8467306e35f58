"""Recent changes as people read them: each page once, with all its changes of a day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from wiki.api import Wiki
from wiki.model import Version
from wiki.references import Reference
from wiki.store.base import ChangeKind, Logged

#: How many changes are read at once, and how often at most.
READ, READS = 500, 10


@dataclass(frozen=True, slots=True)
class PageDay:
    """What happened to one page on one day, newest first; never empty."""

    day: date
    changes: tuple[Logged, ...]

    @property
    def last(self) -> Logged:
        return self.changes[0]

    @property
    def authors(self) -> list[str]:
        """Who changed it, the last one first."""
        return list(dict.fromkeys(change.author for change in self.changes))

    @property
    def minor(self) -> bool:
        """Whether all were minor edits."""
        return all(change.minor for change in self.changes)

    @property
    def previous(self) -> Version | None:
        """The version before all of them; None where the page was made then."""
        return self.changes[-1].previous

    @property
    def deleted(self) -> bool:
        return self.last.kind == ChangeKind.DELETED


def by_day(changes: Iterable[Logged]) -> list[PageDay]:
    """The changes, folded by page and day (UTC), in the order of each page's last one; what
    became of a page and what was done to it before it was deleted stay apart."""
    folded: dict[tuple[date, Reference, str], list[Logged]] = {}
    for change in changes:
        key = change.updated.date(), change.reference, change.key
        folded.setdefault(key, []).append(change)
    return [PageDay(key[0], tuple(group)) for key, group in folded.items()]


def last_changed(wiki: Wiki, limit: int, *, space: str | None = None,
                 author: str | None = None) -> list[Logged]:
    """The newest change of each of the ``limit`` pages that changed last, also by a minor edit,
    without hidden ones; fewer where some page was changed thousands of times since."""
    found: dict[Reference, Logged] = {}
    for number in range(READS):
        changes = wiki.changes(READ, number * READ, space=space, author=author, hidden=False)
        for change in changes:
            found.setdefault(change.reference, change)
            if len(found) == limit:
                return list(found.values())
        if len(changes) < READ:
            break
    return list(found.values())
