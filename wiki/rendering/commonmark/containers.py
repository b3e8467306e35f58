"""What holds other blocks: quotes, lists, definitions, admonitions, footnotes.

Each says of a line whether the line still belongs to it, and takes its own marker off it.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as etree

from wiki.rendering.commonmark.lines import Line

#: A box of a task list at the start of an item.
_TASK = re.compile(r"\[([ xX])\](?=[ \t\n])")


class Container:
    """The document itself, and what the others have in common.

    ``blank``: a blank line came last; ``empty``: it holds nothing yet.
    """

    __slots__ = ("blank", "element", "empty")

    def __init__(self, element: etree.Element) -> None:
        self.element = element
        self.blank = False
        self.empty = True

    def matches(self, line: Line) -> bool:
        """Whether the line belongs to it; if so, its part of the line is taken off."""
        return True

    def loosen(self) -> None:
        """A blank line stands between two of the blocks that it holds."""

    def close(self) -> None:
        """Nothing more comes."""


class Quote(Container):
    """``> ``"""

    __slots__ = ()

    def matches(self, line: Line) -> bool:
        if line.indent > 3 or not line.rest.startswith(">"):
            return False
        line.skip(1)
        line.strip(1)
        return True


class Indented(Container):
    """An admonition: what is four columns in belongs to it."""

    __slots__ = ("width",)

    def __init__(self, element: etree.Element, width: int = 4) -> None:
        super().__init__(element)
        self.width = width

    def matches(self, line: Line) -> bool:
        if not line.blank and line.indent < self.width:
            return False
        line.strip(self.width)
        return True


class Definition(Indented):
    """What a term means."""

    __slots__ = ("loose",)

    def __init__(self, element: etree.Element, width: int, loose: bool) -> None:
        super().__init__(element, width)
        self.loose = loose

    def loosen(self) -> None:
        self.loose = True

    def close(self) -> None:
        if not self.loose:
            unwrap(self.element)


class List(Container):
    """The items with one kind of marker."""

    __slots__ = ("loose", "marker")

    def __init__(self, element: etree.Element, marker: str) -> None:
        super().__init__(element)
        self.marker = marker
        self.loose = False

    def close(self) -> None:
        for item in self.element:
            if self._task(item):
                self.element.set("class", "task-list")
            if not self.loose:
                unwrap(item)

    def _task(self, item: etree.Element) -> bool:
        paragraph = item[0] if len(item) and item[0].tag == "p" else None
        match = _TASK.match(paragraph.text or "") if paragraph is not None else None
        if match is None or paragraph is None:
            return False
        box = etree.Element("input", {"type": "checkbox", "aria-label": "done",
                                      "disabled": "disabled"})
        if match[1] != " ":
            box.set("checked", "checked")
        box.tail = (paragraph.text or "")[match.end():]
        paragraph.text = None
        paragraph.insert(0, box)
        item.set("class", "task-list-item")
        return True


class Item(Indented):
    """An item of a list; ``width`` is the column at which its content stands."""

    __slots__ = ("list",)

    def __init__(self, element: etree.Element, width: int, of: List) -> None:
        super().__init__(element, width)
        self.list = of

    def matches(self, line: Line) -> bool:
        if line.blank and self.empty:
            return False
        return super().matches(line)

    def loosen(self) -> None:
        if not self.empty:
            self.list.loose = True


def unwrap(element: etree.Element) -> None:
    """Put the paragraphs' text straight into the element: it is tight."""
    kept: list[etree.Element] = []
    for child in element:
        if child.tag != "p":
            kept.append(child)
            continue
        if kept:
            kept[-1].tail = "\n" + (child.text or "")
        else:
            element.text = child.text
        kept.extend(child)
    element[:] = kept
