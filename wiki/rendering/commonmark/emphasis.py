"""Emphasis: which runs of marks belong together, and the tree of what stands between them."""

from __future__ import annotations

import unicodedata
import xml.etree.ElementTree as etree
from dataclasses import dataclass, field
from functools import lru_cache

#: How deep emphasis nests; what is deeper is emphasised already.
MAX_NESTED = 50

_ENDS = {"*": ("em", "strong"), "_": ("em", "strong"), "~": ("del", "del")}


@dataclass(slots=True, eq=False)
class Run:
    """A run of one mark. ``opens`` and ``closes`` name the elements that it begins and ends."""

    char: str
    count: int
    can_open: bool
    can_close: bool
    size: int = 0
    opens: list[str] = field(default_factory=list)
    closes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.size = self.count


@dataclass(frozen=True, slots=True)
class Bare:
    """An address in the text without any marks: a link, unless it stands in one."""

    text: str
    url: str


Node = str | etree.Element | Run | Bare


def run(text: str, start: int, end: int) -> Run | str:
    """The run of marks in the text by CommonMark's rules, or its text if it can do nothing."""
    char, count = text[start], end - start
    if char == "~" and count > 2:
        return text[start:end]
    before = _kind(text[start - 1]) if start else "s"
    after = _kind(text[end]) if end < len(text) else "s"
    left = after != "s" and (after != "p" or before != "w")
    right = before != "s" and (before != "p" or after != "w")
    if char == "_":
        left, right = (left and (not right or before == "p"),
                       right and (not left or after == "p"))
    return Run(char, count, left, right) if left or right else text[start:end]


@lru_cache(maxsize=1024)
def _kind(char: str) -> str:
    """``s`` for white space, ``p`` for punctuation, ``w`` for the rest."""
    if char.isspace():
        return "s"
    return "p" if unicodedata.category(char)[0] in "PS" else "w"


def pair(nodes: list[Node]) -> None:
    """Find the runs that belong together; says so in their ``opens`` and ``closes``."""
    openers: list[Run] = []
    # Below which opener each kind of closer has none, so that none is looked at twice.
    bottoms: dict[tuple[str, bool, int], int] = {}
    for closer in nodes:
        if not isinstance(closer, Run):
            continue
        while closer.can_close and closer.count:
            kind = (closer.char, closer.can_open, closer.size % 3)
            found = _opener(openers, closer, bottoms.get(kind, 0))
            if found < 0:
                bottoms[kind] = len(openers)
                break
            keep = found + (_join(openers[found], closer) > 0)
            del openers[keep:]
            for key, bottom in bottoms.items():
                if bottom > keep:
                    bottoms[key] = keep
        if closer.can_open and closer.count:
            openers.append(closer)


def _opener(openers: list[Run], closer: Run, bottom: int) -> int:
    for index in range(len(openers) - 1, bottom - 1, -1):
        opener = openers[index]
        if opener.char != closer.char:
            continue
        if closer.char == "~":
            if opener.size == closer.size:
                return index
        elif not ((opener.can_close or closer.can_open)
                  and (opener.size + closer.size) % 3 == 0
                  and (opener.size % 3 or closer.size % 3)):
            return index
    return -1


def _join(opener: Run, closer: Run) -> int:
    """Make them a pair; returns how many marks the opener has left."""
    used = 2 if opener.count > 1 and closer.count > 1 else 1
    tag = _ENDS[opener.char][used - 1]
    opener.opens.append(tag)
    closer.closes.append(tag)
    opener.count -= used
    closer.count -= used
    return opener.count


def fill(element: etree.Element, nodes: list[Node], in_link: bool = False) -> None:
    """Put the nodes into an element that has no children yet."""
    pair(nodes)
    writer = _Writer(element)
    for node in nodes:
        if isinstance(node, str):
            writer.text(node)
        elif isinstance(node, Run):
            for _ in node.closes:
                writer.up()
            writer.text(node.char * node.count)
            for tag in reversed(node.opens):
                writer.down(tag)
        elif isinstance(node, Bare):
            writer.bare(node, in_link)
        else:
            writer.add(node)
    writer.flush()


class _Writer:
    """Writes text and elements in the order of the text."""

    def __init__(self, element: etree.Element) -> None:
        self.parents = [element]
        self.last: etree.Element | None = None
        self.pieces: list[str] = []
        #: How many elements are open that nest too deep to be made.
        self.too_deep = 0

    def text(self, text: str) -> None:
        self.pieces.append(text)

    def flush(self) -> None:
        text = "".join(self.pieces)
        self.pieces = []
        if self.last is None:
            self.parents[-1].text = text
        else:
            self.last.tail = text

    def add(self, element: etree.Element) -> None:
        self.flush()
        self.parents[-1].append(element)
        self.last = element

    def down(self, tag: str) -> None:
        if len(self.parents) > MAX_NESTED:
            self.too_deep += 1
            return
        element = etree.Element(tag)
        self.add(element)
        self.parents.append(element)
        self.last = None

    def up(self) -> None:
        if self.too_deep:
            self.too_deep -= 1
            return
        self.flush()
        self.last = self.parents.pop()

    def bare(self, node: Bare, in_link: bool) -> None:
        if in_link:
            self.text(node.text)
            return
        link = etree.Element("a", {"href": node.url})
        link.text = node.text
        self.add(link)
