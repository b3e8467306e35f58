"""The board of all tasks: which ones are on a page of it, in which order, and how many there
are of each status. Only the tasks that are shown are opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

from wiki.api import Wiki
from wiki.model import Document
from wiki.references import Reference
from wiki.store.base import Condition, Query
from wiki.tasks.manager import Manager
from wiki.tasks.names import TASK_CLASS, Status
from wiki.tasks.records import open_pages, open_rows

#: The most tasks on one page of the board.
MAX_ROWS = 200
#: How many in the queue may have been started since it was brought up to date.
STARTED = 20
_ENDED = (Status.DONE, Status.ERROR, Status.SUSPENDED)
_ENDED_ONLY = tuple(Condition("status", "ne", status.value)
                    for status in Status if status not in _ENDED)
#: Gives the tasks of a list: how many, and after how many.
Part = Callable[[int, int], Iterator[Document]]


@dataclass(frozen=True, slots=True)
class View:
    """What a reader chose: ``status`` and ``text`` are empty for all."""

    space: str = ""
    status: str = ""
    #: A part of the title or of the full name.
    text: str = ""
    #: The first is 1.
    page: int = 1
    size: int = 25


class Board:
    """The tasks of a view: RUNNING ones first, then READY ones in the order of the queue, then
    the others, those that changed last first."""

    def __init__(self, wiki: Wiki, manager: Manager, view: View) -> None:
        self._wiki = wiki
        self._manager = manager
        self._chosen = bool(view.space or view.text)
        self._base = Query(TASK_CLASS, _text(view), (), view.space or None, nested=True)
        self.counts = self._counts()
        wanted = [status for status in Status if view.status in ("", status)]
        self.total = sum(self.counts[status] for status in wanted)
        self.size = max(1, min(view.size, MAX_ROWS))
        self.pages = max(1, -(-self.total // self.size))
        self.view = replace(view, page=max(1, min(view.page, self.pages)))

    @property
    def first(self) -> int:
        """The place of the first row of this page; the first of all is 1."""
        return (self.view.page - 1) * self.size + 1 if self.total else 0

    @property
    def last(self) -> int:
        """The place of the last row of this page."""
        return min(self.view.page * self.size, self.total)

    def documents(self) -> Iterator[Document]:
        """The tasks on this page of the board."""
        skip, left = (self.view.page - 1) * self.size, self.size
        for part, count in self._parts():
            if skip < count and left > 0:
                here = min(left, count - skip)
                yield from part(here, skip)
                left -= here
            skip = max(0, skip - count)

    def _parts(self) -> Iterator[tuple[Part, int]]:
        """The lists that follow each other, and how long each is."""
        chosen = self.view.status
        if chosen in ("", Status.RUNNING):
            yield partial(self._found, self._with(Status.RUNNING)), self.counts[Status.RUNNING]
        if chosen in ("", Status.READY):
            yield self._waiting, self.counts[Status.READY]
        if chosen == "":
            query = replace(self._base, where=(*_ENDED_ONLY, *self._base.where))
            yield partial(self._found, _newest(query)), sum(self.counts[s] for s in _ENDED)
        elif chosen in _ENDED:
            status = Status(chosen)
            yield partial(self._found, _newest(self._with(status))), self.counts[status]

    def _found(self, query: Query, limit: int, offset: int) -> Iterator[Document]:
        rows = self._wiki.rows(replace(query, limit=limit, offset=offset))
        return open_rows(self._wiki, rows)

    def _waiting(self, limit: int, offset: int) -> Iterator[Document]:
        """READY ones in the order of the queue; by name where the queue does not know them all
        yet, or only some are wanted."""
        names = [] if self._chosen else self._manager.upcoming(limit + STARTED, offset)
        if len(names) < limit:
            return self._found(self._with(Status.READY), limit, offset)
        ready = (page for page in open_pages(self._wiki, names) if _is_ready(page))
        return islice(ready, limit)

    def _with(self, status: Status) -> Query:
        return replace(self._base, where=(
            Condition("status", "eq", status.value), *self._base.where))

    def _counts(self) -> dict[Status, int]:
        if self._chosen:
            return {status: self._wiki.count(self._with(status)) for status in Status}
        counts = self._manager.counts()
        return {status: counts[status.value] for status in Status}


def waiting_reason(manager: Manager, task: Reference,
                   running: Sequence[str] | None = None) -> str:
    """Why a READY task does not run yet, in words; ``running`` as in :meth:`Manager.why`."""
    waiting = manager.why(task, running)
    if waiting is None:
        return ""  # it has begun meanwhile
    return waiting.reason[:1].upper() + waiting.reason[1:]


def _is_ready(page: Document) -> bool:
    task = page.object(TASK_CLASS)
    return task is not None and task.values.get("status") == Status.READY


def _newest(query: Query) -> Query:
    return replace(query, order_by=("-doc.updated",))


def _text(view: View) -> tuple[Condition, ...]:
    return (Condition("doc.label", "contains", view.text),) if view.text else ()
