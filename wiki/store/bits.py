"""Sets of documents as bits of one number: as small as they can be, and joined in microseconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

#: An object of a document that has several is ``document * APART + number``.
APART = 1 << 32
#: The sets of more values than so many are not kept.
MANY = 500
#: Roughly what a member of a frozenset of numbers takes, in bytes.
_MEMBER = 100
_ZERO, _ONE = b"01"
_TO_NUMBERS = bytes.maketrans(b"01", b"\0\1")


def to_bits(numbers: Iterable[int]) -> int:
    """The set of these numbers, none of which is negative."""
    given = numbers if isinstance(numbers, Sequence) else list(numbers)
    if not given:
        return 0
    digits = bytearray(b"0") * (max(given) + 1)
    for number in given:
        digits[number] = _ONE
    digits.reverse()
    return int(digits, 2)


def to_digits(bits: int) -> bytes:
    """A byte for each number up to the highest: ``1`` where it is in the set, else ``0``."""
    return f"{bits:b}"[::-1].encode()


def to_flags(bits: int, highest: int) -> bytes:
    """A byte for each number up to ``highest``: 1 where it is in the set, else 0."""
    return to_digits(bits).translate(_TO_NUMBERS).ljust(highest + 1, b"\0")


def to_numbers(bits: int) -> list[int]:
    """The members of a small set, in order."""
    digits = to_digits(bits)
    found: list[int] = []
    at = digits.find(_ONE) if bits else -1
    while at >= 0:
        found.append(at)
        at = digits.find(_ONE, at + 1)
    return found


@dataclass(frozen=True, slots=True)
class Objects:
    """Objects of a class: ``first``, the documents whose object number 0 is one of them, and
    ``others``, objects by higher numbers, as :data:`APART` says. Documents themselves are such
    a set without others."""

    first: int = 0
    others: frozenset[int] = frozenset()

    def __and__(self, other: Objects) -> Objects:
        return Objects(self.first & other.first, self.others & other.others)

    def __or__(self, other: Objects) -> Objects:
        return Objects(self.first | other.first, self.others | other.others)

    def __sub__(self, other: Objects) -> Objects:
        return Objects(self.first & ~other.first, self.others - other.others)

    @property
    def documents(self) -> int:
        """The documents that have one of the objects, as bits."""
        return self.first | to_bits({number // APART for number in self.others})

    @property
    def size(self) -> int:
        """What it takes in memory, in bytes."""
        return self.first.bit_length() // 8 + _MEMBER * (1 + len(self.others))

    def within(self, documents: int) -> Objects:
        """Those of the given documents."""
        others = self.others
        if others:
            flags = to_flags(documents, max(others) // APART)
            others = frozenset(number for number in others if flags[number // APART])
        return Objects(self.first & documents, others)


@dataclass(frozen=True, slots=True)
class Values:
    """The documents that have each value of a property, as bits; None where it has too many
    values for that."""

    documents: Mapping[str, int] | None = field(default_factory=dict)

    @property
    def size(self) -> int:
        """What it takes in memory, in bytes."""
        return sum(bits.bit_length() // 8 + _MEMBER for bits in (self.documents or {}).values())

    def within(self, documents: int) -> Values:
        """Those of the given documents."""
        if self.documents is None:
            return self
        return Values({text: left for text, bits in self.documents.items()
                       if (left := bits & documents)})

    def __or__(self, other: Values) -> Values:
        if self.documents is None or other.documents is None:
            return Values(None)
        joined = {text: self.documents.get(text, 0) | other.documents.get(text, 0)
                  for text in {**self.documents, **other.documents}}
        return Values(joined if len(joined) <= MANY else None)
