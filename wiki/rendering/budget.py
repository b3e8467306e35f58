"""What scripts in pages may use: loop rounds, output, and the size of a value.

These limits name the line that passes them. What they cannot see, the time and the memory of
the process end: see :mod:`wiki.rendering.renderer`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from wiki.errors import MacroError
from wiki.translate import gettext

#: Rounds of loops in all scripts of a page.
MAX_ROUNDS = 1_000_000
#: The most text that the scripts of a page put out, in characters.
MAX_OUTPUT = 5_000_000
#: The longest text or list that a script may make.
MAX_SIZE = 1_000_000
#: The largest whole number that a script may make, in bits.
MAX_BITS = 100_000
#: The largest width or precision in a format.
MAX_WIDTH = 10_000

_SIZED = (str, bytes, list, tuple, dict, set, frozenset)
_DIGITS = re.compile(r"[0-9]+")
_PERCENT = re.compile(r"%(?:\([^)]*\))?([-+ #0-9.*]*)")


@dataclass(slots=True)
class Budget:
    """What the scripts of one page have left. Raises MacroError where they pass it."""

    rounds: int = MAX_ROUNDS
    output: int = MAX_OUTPUT

    def spend_rounds(self, rounds: int) -> None:
        """So many rounds of a loop."""
        self.rounds -= abs(rounds)
        if self.rounds < 0:
            raise MacroError(gettext(
                "the scripts of a page may go through %(most)s rounds of loops, and no more",
                most=f"{MAX_ROUNDS:,}"))

    def spend_output(self, size: int) -> None:
        """So many characters put out."""
        self.output -= size
        if self.output < 0:
            raise MacroError(gettext(
                "the scripts of a page put out more than %(most)s characters",
                most=f"{MAX_OUTPUT:,}"))


def sized(value: Any) -> Any:
    """The value, if it is not too large; raises MacroError."""
    if isinstance(value, _SIZED):
        _check_size(len(value))
    elif isinstance(value, int):
        _check_bits(value.bit_length())
    return value


def check_numbers(*values: Any) -> None:
    """Numbers given to a text's method or to a filter: how wide, how often. Raises
    MacroError."""
    for value in values:
        if isinstance(value, int):
            _check_size(abs(value))


def check_operation(operator: str, left: Any, right: Any) -> None:
    """Before ``left operator right`` is worked out; raises MacroError."""
    if operator == "+" and isinstance(left, _SIZED) and isinstance(right, _SIZED):
        _check_size(len(left) + len(right))
    elif operator == "%" and isinstance(left, str | bytes):
        check_percent(left if isinstance(left, str) else left.decode("latin-1"))
    elif operator == "*":
        _check_product(left, right)
    elif operator == "**" and isinstance(left, int) and isinstance(right, int):
        _check_bits(left.bit_length() * abs(right))


def _check_product(left: Any, right: Any) -> None:
    if isinstance(left, int) and isinstance(right, int):
        _check_bits(left.bit_length() + right.bit_length())
    for value, times in ((left, right), (right, left)):
        if isinstance(value, _SIZED) and isinstance(times, int):
            _check_size(len(value) * max(times, 0))


def check_percent(text: str) -> None:
    """A text with ``%`` formats: no width too large, and none that a value gives."""
    for match in _PERCENT.finditer(text):
        if "*" in match[1]:
            raise MacroError(gettext("a format's width is a number here, not '*'"))
        check_width(match[1])


def check_width(spec: str) -> None:
    """A format specification such as ``>20.3``; raises MacroError."""
    for digits in _DIGITS.findall(spec):
        if len(digits) > 9 or int(digits) > MAX_WIDTH:
            raise MacroError(gettext("a format's width is at most %(most)s", most=f"{MAX_WIDTH:,}"))


def _check_size(size: int) -> None:
    if size > MAX_SIZE:
        raise MacroError(gettext(
            "a script makes no text or list longer than %(most)s", most=f"{MAX_SIZE:,}"))


def _check_bits(bits: int) -> None:
    if bits > MAX_BITS:
        raise MacroError(gettext(
            "a script makes no number larger than %(most)s bits", most=f"{MAX_BITS:,}"))
