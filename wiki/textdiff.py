"""What two texts share and where they differ, in bounded time; no I/O.

``difflib`` finds good matches, but takes minutes for some long texts. Here each search is paid
from a budget, and what is left when it is spent counts as replaced.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import accumulate
from typing import Literal

#: How many comparisons one page may cost; a second or two at the very worst.
COMPARISONS = 3_000_000
#: What it costs to begin with two lines, beside what their words do.
LINE_COST = 200
#: How many lines one page shows.
LINES = 10_000
#: Past this many items, those that are very frequent are no beginning of a match.
FREQUENT_FROM = 2_000
#: Past this many characters, two lines are not compared word by word.
MAX_WORDS_LINE = 20_000
#: Lines that have less in common than this are two lines, not one that was changed.
SIMILAR = 0.4
_WORD = re.compile(r"\w+|\s+|[^\w\s]")

Kind = Literal["same", "changed"]
Pieces = tuple[tuple[bool, str], ...]


@dataclass(slots=True)
class Budget:
    """How many comparisons may still be made, and how many lines shown."""

    left: int = COMPARISONS
    lines: int = LINES

    def pay(self, cost: int) -> bool:
        """Whether it suffices; it is then spent."""
        if cost > self.left:
            return False
        self.left -= cost
        return True

    def show(self, lines: int) -> int:
        """How many of the lines may be shown; they are then spent."""
        shown = min(lines, self.lines)
        self.lines -= shown
        return shown


@dataclass(frozen=True, slots=True)
class Part:
    """``old[start:stop]`` stands where ``new[other:end]`` does; ``same``: they are equal."""

    kind: Kind
    start: int
    stop: int
    other: int
    end: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line of one of the texts: its number from 1, and its text; in pieces, each with whether
    it differs from the line that it is paired with, where it is paired with one."""

    number: int
    text: str
    pieces: Pieces = ()


@dataclass(frozen=True, slots=True)
class Pair:
    """What stands beside one another; None where there is nothing."""

    old: Line | None
    new: Line | None


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that are the same, or that differ. ``folded``: the same, and far from what
    differs. ``left_out`` more lines are not in ``pairs``, being too many."""

    kind: Kind
    pairs: tuple[Pair, ...]
    folded: bool = False
    left_out: int = 0

    @property
    def old(self) -> list[Line]:
        return [pair.old for pair in self.pairs if pair.old is not None]

    @property
    def new(self) -> list[Line]:
        return [pair.new for pair in self.pairs if pair.new is not None]

    @property
    def size(self) -> int:
        """How many lines it stands for."""
        return len(self.pairs) + self.left_out


def parts(old: Sequence[str], new: Sequence[str], budget: Budget) -> list[Part]:
    """How to get from one to the other: parts that follow one another and cover both."""
    found: list[Part] = []
    at, beside = 0, 0
    for start, other, size in [*_matches(old, new, budget), (len(old), len(new), 0)]:
        if (at, beside) != (start, other):
            found.append(Part("changed", at, start, beside, other))
        if size:
            found.append(Part("same", start, start + size, other, other + size))
        at, beside = start + size, other + size
    return found


def _matches(old: Sequence[str], new: Sequence[str],
             budget: Budget) -> list[tuple[int, int, int]]:
    """Runs that are the same, in order, no two of them adjacent in both."""
    head = _shared(old, new)
    tail = _shared(old[head:][::-1], new[head:][::-1])
    low, high = len(old) - tail, len(new) - tail
    inner = _search(old[head:low], new[head:high], budget)
    runs = [(0, 0, head), *((start + head, other + head, size) for start, other, size in inner),
            (low, high, tail)]
    return _joined(run for run in runs if run[2])


def _shared(old: Sequence[str], new: Sequence[str]) -> int:
    """How many items at the beginning are the same."""
    return next((number for number, (left, right) in enumerate(zip(old, new, strict=False))
                 if left != right), min(len(old), len(new)))


def _search(old: Sequence[str], new: Sequence[str],
            budget: Budget) -> list[tuple[int, int, int]]:
    matcher = SequenceMatcher(None, old, new, autojunk=len(new) > FREQUENT_FROM)
    # What it costs to look for the longest match: an item's places in the other, for each item.
    places: dict[str, list[int]] = matcher.b2j  # type: ignore[attr-defined]
    costs = [0, *accumulate(1 + len(places.get(item, ())) for item in old)]
    found: list[tuple[int, int, int]] = []
    waiting = [(0, len(old), 0, len(new))]
    while waiting:
        start, stop, other, end = waiting.pop()
        if start == stop or other == end or not budget.pay(costs[stop] - costs[start]):
            continue
        match = matcher.find_longest_match(start, stop, other, end)
        if match.size:
            found.append((match.a, match.b, match.size))
            waiting += [(start, match.a, other, match.b),
                        (match.a + match.size, stop, match.b + match.size, end)]
    return sorted(found)


def _joined(runs: Iterator[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    joined: list[tuple[int, int, int]] = []
    for start, other, size in runs:
        if joined and joined[-1][0] + joined[-1][2] == start and (
                joined[-1][1] + joined[-1][2] == other):
            first = joined.pop()
            start, other, size = first[0], first[1], first[2] + size
        joined.append((start, other, size))
    return joined


def blocks(old: str, new: str, budget: Budget, around: int = 3,
           most: int = 1_000) -> tuple[Block, ...]:
    """Two texts line by line, those that stand for one another word by word. More than twice
    ``around`` unchanged lines are folded, and more than ``most`` of them left out."""
    before, after = _lines(old), _lines(new)
    found = parts(before, after, budget)
    made: list[Block] = []
    for number, part in enumerate(found):
        if part.kind == "changed":
            size = max(part.stop - part.start, part.end - part.other)
            pairs = tuple(_paired(part, before, after, budget))
            made.append(Block("changed", pairs, left_out=size - len(pairs)))
        else:
            made += _folded(part, before, around if number else 0,
                            around if number < len(found) - 1 else 0, most, budget)
    return tuple(made)


def _lines(text: str) -> list[str]:
    """Split at line ends only; a line end at the very end closes the last line."""
    lines = text.replace("\r\n", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _folded(part: Part, lines: Sequence[str], above: int, below: int, most: int,
            budget: Budget) -> Iterator[Block]:
    """Unchanged lines: those next to a change are seen, those between folded away."""
    if part.stop - part.start <= above + below + 1:
        yield _same(part, lines, part.start, part.stop, budget)
        return
    low, high = part.start + above, part.stop - below
    if above:
        yield _same(part, lines, part.start, low, budget)
    if high - low > most:
        yield Block("same", (), folded=True, left_out=high - low)
    else:
        yield replace(_same(part, lines, low, high, budget), folded=True)
    if below:
        yield _same(part, lines, high, part.stop, budget)


def _same(part: Part, lines: Sequence[str], low: int, high: int, budget: Budget) -> Block:
    end = low + budget.show(high - low)
    beside = part.other - part.start
    return Block("same", tuple(Pair(Line(number + 1, lines[number]),
                                    Line(number + beside + 1, lines[number]))
                               for number in range(low, end)), left_out=high - end)


def _paired(part: Part, before: Sequence[str], after: Sequence[str],
            budget: Budget) -> Iterator[Pair]:
    """The lines of a change beside one another, in pieces where they are like one another."""
    left, right = before[part.start:part.stop], after[part.other:part.end]
    for number in range(budget.show(max(len(left), len(right)))):
        old = left[number] if number < len(left) else None
        new = right[number] if number < len(right) else None
        pieces = words(old, new, budget) if old is not None and new is not None else ((), ())
        yield Pair(None if old is None else Line(part.start + number + 1, old, pieces[0]),
                   None if new is None else Line(part.other + number + 1, new, pieces[1]))


def words(old: str, new: str, budget: Budget) -> tuple[Pieces, Pieces]:
    """Two lines in pieces: what differs, and what they share; nothing of lines that are too long
    to compare, or have little in common."""
    if len(old) + len(new) > MAX_WORDS_LINE or not budget.pay(LINE_COST):
        return (), ()
    before, after = _WORD.findall(old), _WORD.findall(new)
    found = parts(before, after, budget)
    shared = sum(_filled(before[part.start:part.stop]) for part in found if part.kind == "same")
    if 2 * shared < SIMILAR * (_filled(before) + _filled(after)):
        return (), ()
    return (_pieces((part.kind, "".join(before[part.start:part.stop])) for part in found),
            _pieces((part.kind, "".join(after[part.other:part.end])) for part in found))


def _filled(items: Sequence[str]) -> int:
    """How many are not blank."""
    return sum(not item.isspace() for item in items)


def _pieces(found: Iterator[tuple[Kind, str]]) -> Pieces:
    return tuple((kind == "changed", text) for kind, text in found if text)
