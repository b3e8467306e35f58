"""Where the time of a page goes: what ``?timing=1`` shows to those who may edit it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from wiki.references import Reference

#: The name under which the texts themselves stand: parsed, Markdown made of them, sanitised.
MARKDOWN = "Markdown"


@dataclass(slots=True)
class Timing:
    """What one place of a page took, in seconds: by itself, and with what ran within it."""

    name: str
    page: str
    line: int
    column: int
    calls: int = 0
    own: float = 0.0
    total: float = 0.0


class Clock:
    """Measures what runs one within the other, in one thread.

    Only where ``detailed`` does it keep what each place took.
    """

    def __init__(self, detailed: bool = False) -> None:
        self.detailed = detailed
        self._within = 0.0
        self._places: dict[tuple[str, str, int, int], Timing] = {}

    def begin(self) -> tuple[float, float]:
        """Something begins: what :meth:`end` is to be given."""
        before, self._within = self._within, 0.0
        return before, time.perf_counter()

    def end(self, begun: tuple[float, float], name: str, page: Reference,
            line: int, column: int) -> float:
        """It has ended: the seconds that it took by itself."""
        before, start = begun
        total = time.perf_counter() - start
        own = max(0.0, total - self._within)
        self._within = before + total
        if self.detailed:
            place = self._place(name, str(page), line, column)
            self._add(place, 1, own, total)
        return own

    @contextmanager
    def measured(self, page: Reference) -> Iterator[None]:
        """The time of a text."""
        begun = self.begin()
        try:
            yield
        finally:
            self.end(begun, MARKDOWN, page, 0, 0)

    def adopt(self, other: Clock) -> None:
        """Add what ran in another thread, meanwhile."""
        self._within += other._within
        self.add(other.timings())

    def add(self, timings: Iterable[Timing]) -> None:
        """Add what was measured elsewhere."""
        for item in timings:
            self._add(self._place(item.name, item.page, item.line, item.column), item.calls,
                      item.own, item.total)

    def _place(self, name: str, page: str, line: int, column: int) -> Timing:
        return self._places.setdefault((name, page, line, column),
                                       Timing(name, page, line, column))

    @staticmethod
    def _add(place: Timing, calls: int, own: float, total: float) -> None:
        place.calls += calls
        place.own += own
        place.total += total

    def timings(self) -> tuple[Timing, ...]:
        """What each place took, the dearest first."""
        return tuple(sorted(self._places.values(), key=lambda item: -item.own))
