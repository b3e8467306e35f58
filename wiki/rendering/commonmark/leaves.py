"""Blocks whose lines are taken as they are: code, HTML, mathematics, footnotes."""

from __future__ import annotations

import re
import xml.etree.ElementTree as etree
from collections.abc import Callable

from markdown.util import AtomicString

from wiki.rendering.commonmark.lines import Line
from wiki.rendering.commonmark.serialize import raw

#: Makes HTML of a fence's first line and its code.
Fenced = Callable[[str, str], str]
#: Makes HTML of a formula.
Formula = Callable[[str], str]


class Leaf:
    """Lines of one kind. ``takes`` says whether the line is its own; ``done``: it was the last.

    ``quiet``: blank lines in it say nothing of the list around it.
    """

    quiet = True

    def __init__(self, parent: etree.Element) -> None:
        self.parent = parent
        self.lines: list[str] = []
        self.done = False

    def takes(self, line: Line) -> bool:
        self.lines.append(line.text)
        return True

    def close(self) -> None:
        """Add the element to the parent."""
        raise NotImplementedError


class IndentedCode(Leaf):
    """Lines that stand four columns in."""

    quiet = False

    def takes(self, line: Line) -> bool:
        if not line.blank and line.indent < 4:
            return False
        line.strip(4)
        self.lines.append(line.text)
        return True

    def close(self) -> None:
        while not self.lines[-1].strip():
            self.lines.pop()
        code = etree.SubElement(etree.SubElement(self.parent, "pre"), "code")
        code.text = AtomicString("\n".join(self.lines) + "\n")


class Fence(Leaf):
    """Code between lines of backquotes or tildes."""

    def __init__(self, parent: etree.Element, indent: int, fence: str, info: str,
                 fenced: Fenced) -> None:
        super().__init__(parent)
        self.indent = indent
        self.end = re.compile(rf"{fence[0]}{{{len(fence)},}}[ \t]*$")
        self.info = info
        self.fenced = fenced

    def takes(self, line: Line) -> bool:
        if line.indent < 4 and self.end.match(line.rest):
            self.done = True
            return True
        line.strip(self.indent)
        return super().takes(line)

    def close(self) -> None:
        code = "".join(line + "\n" for line in self.lines)
        raw(self.fenced(self.info, code) + "\n", self.parent)


class Html(Leaf):
    """HTML, up to a line that ends it or, where ``end`` is None, a blank one."""

    quiet = False

    def __init__(self, parent: etree.Element, end: re.Pattern[str] | None) -> None:
        super().__init__(parent)
        self.end = end

    def takes(self, line: Line) -> bool:
        if self.end is None and line.blank:
            return False
        self.done = self.end is not None and bool(self.end.search(line.text))
        return super().takes(line)

    def close(self) -> None:
        raw("\n".join(self.lines) + "\n", self.parent)


class Math(Leaf):
    """A formula between two lines ``$$``."""

    def __init__(self, parent: etree.Element, formula: Formula) -> None:
        super().__init__(parent)
        self.formula = formula

    def takes(self, line: Line) -> bool:
        text = line.rest.rstrip()
        self.done = text.endswith("$$")
        self.lines.append(text.removesuffix("$$"))
        return True

    def close(self) -> None:
        raw(self.formula("\n".join(self.lines)) + "\n", self.parent)


class Footnote(Leaf):
    """``[^name]: text``: its text is kept for the end of the page.

    What is four columns in belongs to it, and the lines right after its first that are no
    blocks of their own.
    """

    def __init__(self, parent: etree.Element, text: str, define: Callable[[str], None],
                 begins_block: Callable[[Line], bool]) -> None:
        super().__init__(parent)
        self.lines.append(text)
        self.define = define
        self.begins_block = begins_block

    def takes(self, line: Line) -> bool:
        lazy = bool(self.lines[-1].strip()) and not self.begins_block(line)
        if not line.blank and line.indent < 4 and not lazy:
            return False
        line.strip(4)
        return super().takes(line)

    def close(self) -> None:
        self.define("\n".join(self.lines).rstrip())
