"""Notifications: what others did to the pages that a user watches, and who called the user.

Found when somebody asks, in the index and the pages; nothing is written for it at a save. All
is bounded: a window of time, so many pages, so many versions of each.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from wiki.api import Wiki
from wiki.classes import moment_of
from wiki.commenting import SAVES
from wiki.comments import COMMENT_CLASS, comments_of
from wiki.errors import AccessDenied, DamagedPage, DocumentNotFound
from wiki.model import FIRST, NO_DATE, SYSTEM, Document, Object, Revision
from wiki.references import Reference
from wiki.store.base import Condition, Query, State
from wiki.tasks.names import RUN_CLASS
from wiki.watching import Kind, Reader, Watch, Watching, spaces_of

#: How far back notifications go.
WINDOW = timedelta(days=30)
#: The most that are shown.
MOST = 100
#: How many pages of a space, or of those that the user made, are looked at; the latest.
PAGES = 50
#: How many versions of a page are looked at.
VERSIONS = 10
#: How many deletions are looked at.
DELETIONS = 200
#: For how many users the number of unread ones is remembered.
REMEMBERED = 1000
RENAMED = "Renamed from "


class Event(StrEnum):
    """What happened."""

    MADE = "made"
    EDITED = "edited"
    RENAMED = "renamed"
    DELETED = "deleted"
    COMMENTED = "commented"
    MENTIONED = "mentioned"
    TASK = "task"


@dataclass(frozen=True, slots=True)
class Notification:
    """One thing that happened. ``text`` says more: a save's comment, a comment's text, a run's
    end; ``place`` is the anchor or the version that it is about."""

    event: Event
    page: Reference
    title: str
    author: str
    date: datetime
    text: str = ""
    place: str = ""


class News:
    """Finds what is news to a user. Safe for several threads."""

    def __init__(self, wiki: Wiki, watching: Watching) -> None:
        self._wiki = wiki
        self._watching = watching
        self._lock = threading.Lock()
        self._counts: OrderedDict[str, tuple[object, int]] = OrderedDict()

    def of(self, user: str) -> list[Notification]:
        """Up to :data:`MOST` notifications of the last :data:`WINDOW`, newest first."""
        return self._since(user, NO_DATE)

    def unread(self, user: str) -> int:
        """How many there are since the user last read them, up to :data:`MOST`."""
        reader = self._watching.reader(user)
        state: tuple[State, Reader, tuple[Watch, ...]] = (
            self._wiki.state(), reader, self._watching.of(user))
        with self._lock:
            known = self._counts.get(user)
        if known is not None and known[0] == state:
            return known[1]
        count = len(self._since(user, reader.seen))
        with self._lock:
            self._counts[user] = state, count
            self._counts.move_to_end(user)
            while len(self._counts) > REMEMBERED:
                self._counts.popitem(last=False)
        return count

    def _since(self, user: str, seen: datetime) -> list[Notification]:
        search = _Search(self._wiki, self._watching, user,
                         max(seen, datetime.now(UTC) - WINDOW))
        return sorted(search.events(), key=lambda event: event.date, reverse=True)[:MOST]


class _Search:
    """One look at what is new to a user since a moment."""

    def __init__(self, wiki: Wiki, watching: Watching, user: str, since: datetime) -> None:
        self._system = wiki
        self._wiki = wiki.as_user(user)
        self._user = user
        self._since = since
        self._watches = watching.of(user)
        self._automatic = watching.reader(user).automatic
        self._muted = {watch.name for watch in self._watches if watch.kind is Kind.MUTED}

    def events(self) -> Iterator[Notification]:
        pages = self._pages()
        for name, since in pages.items():
            document = self._document(name)
            if document is not None and document.updated > since:
                yield from self._of_page(document, since)
        for name in self._calling():
            document = None if name in pages else self._document(name)
            if document is not None:
                yield from (event for event in self._comments(document, self._since)
                            if event.event is Event.MENTIONED)
        yield from self._deletions()

    # -- where to look -----------------------------------------------------------------------

    def _pages(self) -> dict[str, datetime]:
        """The pages that may have news, each with the moment since when they count."""
        found: dict[str, datetime] = {}
        for watch in self._watches:
            since = max(watch.since, self._since)
            if watch.kind is Kind.PAGE:
                found[watch.name] = since
            elif watch.kind is Kind.SPACE:
                for name in self._changed(since, space=watch.name):
                    found[name] = min(found.get(name, since), since)
        if self._automatic:
            own = Condition("doc.creator", "eq", self._user)
            for name in self._changed(self._since, own):
                found[name] = self._since
        return {name: since for name, since in found.items() if name not in self._muted}

    def _changed(self, since: datetime, *where: Condition, space: str | None = None) -> list[str]:
        """Pages that another was the last to change."""
        conditions = (*where, Condition("doc.updated", "gt", since),
                      Condition("doc.author", "ne", self._user))
        return [str(row.reference) for row in self._wiki.rows(Query(
            where=conditions, space=space, nested=True, order_by=("-doc.updated",),
            limit=PAGES))]

    def _calling(self) -> list[str]:
        """Pages with comments that call the user."""
        conditions = (Condition("mentions", "eq", self._user),
                      Condition("doc.updated", "gt", self._since))
        return [str(row.reference) for row in self._wiki.rows(Query(
            COMMENT_CLASS, where=conditions, order_by=("-doc.updated",), limit=PAGES))]

    def _document(self, name: str) -> Document | None:
        """None where it is gone, or not for this user to see; that is no news."""
        try:
            return self._wiki.get(name).record
        except (DocumentNotFound, AccessDenied, DamagedPage):
            return None

    # -- what there is -----------------------------------------------------------------------

    def _of_page(self, document: Document, since: datetime) -> Iterator[Notification]:
        yield from self._comments(document, since)
        yield from (_run_end(document, obj, ended)
                    for obj in document.objects_of(RUN_CLASS)
                    if (ended := moment_of(obj.values.get("finished"))) and ended > since)
        for revision in self._wiki.revisions(document.reference, VERSIONS):
            if revision.updated <= since:
                return
            # What the wiki notes of its tasks, their ends tell; and a save of comments, these.
            if revision.author not in (self._user, SYSTEM) and revision.comment not in SAVES:
                yield _save(document, revision)

    def _comments(self, document: Document, since: datetime) -> Iterator[Notification]:
        for comment in comments_of(document):
            date = min(comment.date, document.updated)
            if comment.text and comment.author != self._user and date > since:
                event = Event.MENTIONED if self._user in comment.mentions else Event.COMMENTED
                yield Notification(event, document.reference, document.display_title,
                                   comment.author, date, comment.text, comment.anchor)

    def _deletions(self) -> Iterator[Notification]:
        notes = {(watch.kind, watch.name): watch.since for watch in self._watches}
        if not notes:
            return
        for row in self._system.bin(DELETIONS)[0]:
            if row.deleted <= self._since:
                return
            kinds = [(Kind.PAGE, str(row.reference)),
                     *((Kind.SPACE, space) for space in spaces_of(row.reference))]
            told = any(key in notes and notes[key] < row.deleted for key in kinds)
            if told and row.author != self._user and str(row.reference) not in self._muted:
                yield Notification(Event.DELETED, row.reference, row.title or str(row.reference),
                                   row.author, row.deleted, row.comment)


def _save(document: Document, revision: Revision) -> Notification:
    event = (Event.MADE if revision.version == FIRST else
             Event.RENAMED if revision.comment.startswith(RENAMED) else Event.EDITED)
    return Notification(event, document.reference, document.display_title, revision.author,
                        revision.updated, revision.comment, str(revision.version))


def _run_end(document: Document, obj: Object, ended: datetime) -> Notification:
    values = obj.values
    return Notification(Event.TASK, document.reference, document.display_title, SYSTEM, ended,
                        f"Run {values.get('number')} ended: {values.get('outcome')}",
                        str(values.get("number") or ""))

