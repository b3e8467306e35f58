"""Measure the macro parser: ``python -m bench.parsing``; prints medians.

First its rate, with the interpreter's own scans of the same text for scale; then texts made to
be slow, each at one, two and four times the size: a parser that takes time linear in the text
takes twice as long for twice as much.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import partial
from statistics import median

from wiki.language.syntax import parse

ROUNDS = 3
SIZE = 100_000
PARAGRAPH = ("Some words of a page, with *emphasis*, `code`, a [[Space.Link]] and a comparison "
             "a < b; and then more words, since pages are mostly words.\n\n")
MACROS = PARAGRAPH + '<<info title="A note">>\nThe body of a *note* <<b k="v"/>>.\n<</info>>\n\n'
CODE = PARAGRAPH + "```python\nx = 1 << 2\n```\n\n- item\n\n    <<b/>>\n\n"

#: A name, what is repeated, and what comes after it once.
HOSTILE: dict[str, tuple[str, str]] = {
    "opened names": ("<<a ", ""), "opened": ("<<a>>", ""), "closed": ("<</a>>", ""),
    "empty": ("<<a/>>", ""), "open quotes": ('<<a k="', ""), "both quotes": ("<<a k=\"<<b k='", ""),
    "flags": ("k ", "<<a "), "values": ('k="v" ', "<<a "), "escapes": ("\\\"", '<<a k="'),
    "literal bodies": ("<<code>>", ""), "backticks": ("` `` ``` ", "<<a/>>"),
    "one run of ticks": ("`", "<<a/>>"), "fences": ("```\n", "<<a/>>"),
    "longer fences": ("````\n~~~~~\n", "<<a/>>"), "comments": ("x <!-- ", "\n\n--> <<a/>>"),
    "comment ends": ("<!---->\n\n", "<<a/>>"), "backslashes": ("\\", "`<<a/>>"),
    "quote marks": ("> ", "<<a/>>"), "markers": ("- ", "<<a/>>"),
    "blanks": ("    \n", "<<a/>>"), "indented": ("- x\n\n     <<a/>>\n", ""),
    "blanks in a tag": ("\n ", "<<a "), "tildes": ("~", "<<a/>>"), "escaped": ("~<<", ""),
}


def seconds(action: Callable[[], object]) -> float:
    """The median of some rounds, in processor time: other programs do not count."""
    def once() -> float:
        begin = time.process_time()
        action()
        return time.process_time() - begin
    return median(once() for _ in range(ROUNDS))


def rate(label: str, text: str, action: Callable[[str], object] = parse) -> None:
    print(f"{label:<44} {len(text) / seconds(lambda: action(text)) / 1e6:>10,.1f} MB/s")


def of_size(piece: str, size: int) -> str:
    return piece * (size // len(piece))


def hostile(name: str, size: int) -> str:
    """A text of about so many characters that is made to be slow."""
    piece, other = HOSTILE[name]
    # An opening tag comes before what goes into it.
    text = of_size(piece, size)
    return other + text if other.startswith("<<a ") else text + other


def nested(size: int) -> str:
    depth = size // 11
    return "<<a>>" * depth + "<</a>>" * depth


def ratios(label: str, make: Callable[[int], str]) -> None:
    """Print how much longer twice and four times as much takes."""
    one, two, four = (seconds(partial(parse, make(SIZE * times))) for times in (1, 2, 4))
    print(f"{label:<24} {1e3 * one:>8.2f} ms {two / one:>8.2f} {four / two:>8.2f}")


def main() -> None:
    rate("words, no macro", of_size(PARAGRAPH, 1_000_000))
    rate("words and one macro", of_size(PARAGRAPH, 1_000_000) + "<<a/>>")
    rate("words, notes and macros in them", of_size(MACROS, 1_000_000))
    rate("words, fences, lists", of_size(CODE, 1_000_000))
    words = re.compile(r"<<[a-z]+")
    rate("  scale: re.findall", of_size(MACROS, 1_000_000), words.findall)
    rate("  scale: str.split into words", of_size(MACROS, 1_000_000), str.split)
    print(f"\n{'hostile texts':<24} {SIZE // 1000:>8} kB {'x 2':>8} {'x 4':>8}")
    ratios("nested bodies", nested)
    for name in HOSTILE:
        ratios(name, partial(hostile, name))


if __name__ == "__main__":
    main()
