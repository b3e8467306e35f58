"""What was found in the index, kept and brought up to date: after a change of a few pages only
these are looked at again."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Hashable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from wiki.store.base import State
from wiki.store.bits import to_bits

#: How many bytes all that is kept may take; what was asked for longest ago goes first.
MOST = 32_000_000
#: Roughly what an answer takes beside itself and its key's text.
_ENTRY = 500
#: After so many changes it is cheaper to look at everything again.
FEW = 1000

_NOW = sa.text("""
    SELECT (SELECT value FROM meta WHERE key = 'generation'),
           IFNULL((SELECT value FROM meta WHERE key = 'removed'), 0),
           MAX(IFNULL((SELECT MAX(changed) FROM documents), 0),
               IFNULL((SELECT MAX(changed) FROM removals), 0)),
           IFNULL((SELECT MAX(id) FROM documents), 0)""")
_CHANGED = sa.text("SELECT id FROM documents WHERE changed > :number LIMIT :limit")
_ALL = sa.text("SELECT json_group_array(id) FROM documents")


class Answer(Protocol):
    """Something about documents, about each for itself."""

    @property
    def size(self) -> int:
        """What it takes in memory, in bytes."""

    def within(self, documents: int) -> Self:
        """The part of it that is about the documents among these bits."""

    def __or__(self, other: Self, /) -> Self:
        """What both say together."""


class Source(Protocol):
    """An index, as far as this needs it."""

    def state(self) -> State:
        """See :meth:`wiki.store.base.Store.state`."""

    def reading(self) -> AbstractContextManager[Connection]:
        """A connection to read with."""


Found = TypeVar("Found", bound=Answer)


@dataclass(frozen=True, slots=True)
class _Now:
    """What the index is like: which one it is, the numbers of the last change and of the last
    one that removed a page, and the highest number of a document."""

    generation: str = ""
    changed: int = 0
    removed: int = 0
    highest: int = 0


class Kept:
    """Answers by what was asked for. Safe for several threads."""

    def __init__(self, index: Source) -> None:
        self._index = index
        self._lock = threading.Lock()
        self._state: State = ()
        self._now = _Now()
        #: Each with what the index was like before it was found, and with what it takes in bytes;
        #: the last one asked for is last.
        self._answers: dict[Hashable, tuple[_Now, Any, int]] = {}
        self.size = 0

    def get(self, key: Hashable, find: Callable[[Sequence[int] | None], Found]) -> Found:
        """The answer that ``key`` names; ``find`` finds it about all documents, or about those
        with the given numbers only."""
        with self._lock:
            now = self._look()
            then, found, _ = self._answers.get(key, (now, None, 0))
        if found is None or then != now:
            found = self._mended(found, then, now, find) if found is not None else find(None)
        with self._lock:
            self._keep(key, now, found)
        answer: Found = found
        return answer

    def after_fork(self) -> None:
        """In a forked child: the lock may be another thread's."""
        self._lock = threading.Lock()

    def _look(self) -> _Now:
        state = self._index.state()  # before the rest: what changes meanwhile is seen next time
        if state != self._state:
            with self._index.reading() as connection:
                generation, removed, changed, highest = connection.execute(_NOW).one()
            self._now = _Now(generation or "", changed, int(removed), highest)
            self._state = state
        return self._now

    def _mended(self, found: Found, then: _Now, now: _Now,
                find: Callable[[Sequence[int] | None], Found]) -> Found:
        """What was found ``then``, made good for what has changed."""
        if then.generation != now.generation:
            return find(None)
        there = (1 << now.highest + 1) - 1
        with self._index.reading() as connection:
            changed = connection.execute(
                _CHANGED, {"number": then.changed, "limit": FEW + 1}).scalars().all()
            if len(changed) > FEW:
                return find(None)
            if now.removed > then.changed:
                there = to_bits(json.loads(connection.execute(_ALL).scalar_one()))
        left = found.within(there & ~to_bits(changed))
        return left | find(changed) if changed else left

    def _keep(self, key: Hashable, now: _Now, found: Answer) -> None:
        *_, before = self._answers.pop(key, (now, None, 0))
        size = found.size + len(repr(key)) + _ENTRY
        self._answers[key] = now, found, size
        self.size += size - before
        while self.size > MOST and len(self._answers) > 1:
            *_, oldest = self._answers.pop(next(iter(self._answers)))
            self.size -= oldest
