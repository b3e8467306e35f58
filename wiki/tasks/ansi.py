"""Colours of a terminal in a line of a log, as classes.

A log has control characters as text, ``\\x1b[31m``. Colours and weights become class names;
other sequences (moves, titles, clearing) are left out; a control character or a byte that is no
text is named as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

_TOKEN = re.compile(
    r"\\x1b\[(?P<sgr>[0-9;:]{0,60})m"
    r"|(?P<other>\\x1b\[[0-?]{0,60}[ -/]{0,9}[@-~]"
    r"|\\x1b\][^\\]{0,1000}(?:\\x07|\\x1b\\)|\\x1b[()][0-9A-B])"
    r"|(?P<byte>(?:\\x(?!1b)[0-9a-f]{2})+|\\x1b)")
_COLOURS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
#: What the sixteen colours look like, to find the one that is nearest to any other.
_SHADES = ((0, 0, 0), (170, 0, 0), (0, 170, 0), (170, 85, 0), (0, 0, 170), (170, 0, 170),
           (0, 170, 170), (170, 170, 170), (85, 85, 85), (255, 85, 85), (85, 255, 85),
           (255, 255, 85), (85, 85, 255), (255, 85, 255), (85, 255, 255), (255, 255, 255))
_WEIGHTS = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse", 9: "strike"}
_ENDS = {22: ("bold", "dim"), 23: ("italic",), 24: ("underline",), 27: ("inverse",),
         29: ("strike",)}


@dataclass(frozen=True, slots=True)
class Style:
    """How text looks: a colour, one behind it, and weights."""

    fore: str = ""
    back: str = ""
    weights: frozenset[str] = frozenset()

    @property
    def classes(self) -> str:
        """The class names, ``ansi-red ansi-bold``."""
        names = [name for name in (self.fore, self.back and f"on-{self.back}") if name]
        return " ".join(f"ansi-{name}" for name in [*names, *sorted(self.weights)])


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line with its class names."""

    text: str
    classes: str


def spans(text: str) -> Iterator[Span]:
    """The pieces of a line, each of one style."""
    if "\\x" not in text:
        yield Span(text, "")
        return
    style, position = Style(), 0
    for token in _TOKEN.finditer(text):
        if token.start() > position:
            yield Span(text[position:token.start()], style.classes)
        position = token.end()
        if token["byte"] is not None:
            yield Span(token[0], "log-byte")
        elif token["sgr"] is not None:
            style = changed(style, token["sgr"])
    if position < len(text):
        yield Span(text[position:], style.classes)


def plain(text: str) -> str:
    """The text without its colours."""
    return "".join(span.text for span in spans(text))


def changed(style: Style, codes: str) -> Style:
    """The style after a sequence of codes, ``1;31``."""
    numbers = [int(code or 0) for code in re.split("[;:]", codes)]
    while numbers:
        code = numbers.pop(0)
        if code == 0:
            style = Style()
        elif code in (38, 48):
            colour = _extended(numbers)
            style = replace(style, fore=colour) if code == 38 else replace(style, back=colour)
        else:
            style = _simple(style, code)
    return style


def _simple(style: Style, code: int) -> Style:
    if code in _WEIGHTS:
        return replace(style, weights=style.weights | {_WEIGHTS[code]})
    if code in _ENDS:
        return replace(style, weights=style.weights - set(_ENDS[code]))
    ground, colour = divmod(code, 10)
    if ground in (3, 4, 9, 10) and (colour < 8 or colour == 9):
        name = "" if colour == 9 else ("bright-" if ground > 4 else "") + _COLOURS[colour]
        return replace(style, fore=name) if ground in (3, 9) else replace(style, back=name)
    return style


def _extended(numbers: list[int]) -> str:
    """The colour that ``5;n`` or ``2;r;g;b`` names, or the nearest of the sixteen."""
    kind = numbers.pop(0) if numbers else 0
    if kind == 5 and numbers:
        return _name(_of_palette(numbers.pop(0)))
    if kind == 2 and len(numbers) >= 3:
        red, green, blue = (numbers.pop(0) for _ in range(3))
        return _name(_nearest(red, green, blue))
    return ""


def _of_palette(number: int) -> int:
    if number < 16:
        return number
    if number >= 232:
        grey = 8 + 10 * (min(number, 255) - 232)
        return _nearest(grey, grey, grey)
    steps = (0, 95, 135, 175, 215, 255)
    number -= 16
    return _nearest(steps[number // 36], steps[number // 6 % 6], steps[number % 6])


def _nearest(red: int, green: int, blue: int) -> int:
    return min(range(16), key=lambda index: sum(
        (one - other) ** 2 for one, other in zip(_SHADES[index], (red, green, blue),
                                                 strict=True)))


def _name(index: int) -> str:
    return ("bright-" if index >= 8 else "") + _COLOURS[index % 8]
