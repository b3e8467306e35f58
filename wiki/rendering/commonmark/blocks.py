"""The block reader: a text's lines to a tree of blocks, whose text is not yet read."""

from __future__ import annotations

import re
import xml.etree.ElementTree as etree
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import cast

from markdown import Markdown
from markdown.blockparser import BlockParser

from wiki.rendering.commonmark import html, references
from wiki.rendering.commonmark.containers import (
    Container,
    Definition,
    Indented,
    Item,
    List,
    Quote,
)
from wiki.rendering.commonmark.leaves import (
    Fence,
    Fenced,
    Footnote,
    Formula,
    Html,
    IndentedCode,
    Leaf,
    Math,
)
from wiki.rendering.commonmark.lines import Line

#: How many containers may stand in one another; what would be one more is text.
MAX_DEPTH = 60
#: In a text with more tags than this, tags are text: sanitising is quadratic in open ones.
MAX_TAGS = 5_000

_BULLET = re.compile(r"[-+*](?=[ \t]|$)")
_NUMBER = re.compile(r"(\d{1,9})([.)])(?=[ \t]|$)")
_HEADING = re.compile(r"(#{1,6})(?:[ \t]+|$)")
_HEADING_END = re.compile(r"(?:^|(?<=[ \t]))#+[ \t]*$")
_RULE = re.compile(r"(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$")
_UNDERLINE = re.compile(r"(?:=+|-+)[ \t]*$")
_FENCE = re.compile(r"(`{3,})([^`]*)$|(~{3,})(.*)$")
_ALERT = re.compile(r"\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\][ \t]*$", re.IGNORECASE)
_ADMONITION = re.compile(r"!!![ \t]*([A-Za-z][\w-]*)(?:[ \t]+\"([^\"]*)\")?[ \t]*$")
_FOOTNOTE = re.compile(r"\[\^([^\]\s]+)\]:[ \t]*")
_DELIMITERS = re.compile(r"[ \t]*+\|?[ \t]*+:?-++:?[ \t]*+(?:\|[ \t]*+:?-++:?[ \t]*+)*\|?[ \t]*+$")

#: The look of each kind of note.
_LOOKS = {"note": "info", "info": "info", "important": "info", "abstract": "info",
          "tip": "success", "hint": "success", "success": "success",
          "warning": "warning", "attention": "warning", "caution": "error",
          "danger": "error", "error": "error", "bug": "error"}


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading that stands in no other block, with the line that it begins on, from 0."""

    line: int
    level: int
    text: str


class BlockReader(BlockParser):
    """Takes the place of Python-Markdown's splitting at blank lines.

    What looks like a table is offered to the block processors that are registered. ``fenced``
    and ``formula`` make HTML of code and of mathematics, ``footnote`` keeps a footnote.
    """

    def __init__(self, md: Markdown, fenced: Fenced, formula: Formula,
                 footnote: Callable[[str, str], None]) -> None:
        super().__init__(md)
        self.fenced = fenced
        self.formula = formula
        self.footnote = footnote
        self.raw_html = True

    def parseDocument(self, lines: Iterable[str]) -> etree.ElementTree:
        lines = list(lines)
        self._count_tags(lines)
        return super().parseDocument(lines)

    def headings(self, lines: list[str]) -> list[Heading]:
        """The headings of a text, in order."""
        self.md.reset()
        self._count_tags(lines)
        reading = _Reading(self, etree.Element("div"))
        for line in lines:
            reading.read(line)
        reading.end()
        return reading.headings

    def _count_tags(self, lines: list[str]) -> None:
        self.raw_html = sum(len(html.BEGINS.findall(line)) for line in lines) <= MAX_TAGS

    @property
    def known(self) -> references.References:
        """Where the links with a label lead, as far as the text is read."""
        return cast(references.References, self.md.references)

    def parseChunk(self, parent: etree.Element, text: str) -> None:
        reading = _Reading(self, parent)
        for line in text.removesuffix("\n").split("\n"):
            reading.read(line)
        reading.end()

    def paragraph(self, parent: etree.Element, text: str) -> None:
        """Add a paragraph, or what a processor makes of it."""
        if "|" in text and "\n" in text:
            lines = text.split("\n")
            at = next((index for index, line in enumerate(lines[1:], 1)
                       if _DELIMITERS.match(line) and "|" in lines[index - 1] + line), 0)
            if at > 1:
                self.paragraph(parent, "\n".join(lines[:at - 1]))
                text = "\n".join(lines[at - 1:])
            for processor in self.blockprocessors if at else ():
                if processor.test(parent, text) and processor.run(parent, [text]) is not False:
                    return
        etree.SubElement(parent, "p").text = text


class _Reading:
    """One text being read: the containers that are open, and the leaf in the last of them."""

    def __init__(self, reader: BlockReader, root: etree.Element) -> None:
        self.reader = reader
        self.open = [Container(root)]
        self.paragraph: list[str] = []
        self.leaf: Leaf | None = None
        #: The line that is read, from 0.
        self.number = -1
        self.headings: list[Heading] = []
        self.starts: dict[str, tuple[Callable[[Line, int], bool | None], ...]] = {
            ">": (self._quote,), "#": (self._heading,), "`": (self._fence,),
            "~": (self._fence,), "<": (self._html,), "=": (self._underline,),
            "-": (self._underline, self._rule, self._bullet), "_": (self._rule,),
            "*": (self._rule, self._bullet), "+": (self._bullet,), ":": (self._definition,),
            "[": (self._footnote,), "!": (self._admonition,), "$": (self._math,),
            **dict.fromkeys("0123456789", (self._number,))}

    # -- lines -----------------------------------------------------------------------------

    def read(self, text: str) -> None:
        self.number += 1
        line = Line(text)
        depth = self._match(line)
        if self.leaf is not None:
            if depth == len(self.open) and self.leaf.takes(line):
                if line.blank and not self.leaf.quiet:
                    self._mark_blank()
                if self.leaf.done:
                    self._end_leaf()
                return
            self._end_leaf()
        if line.blank:
            self._close(depth)
            self._mark_blank()
        else:
            self._nonblank(line, depth)

    def end(self) -> None:
        self._close(0)

    def _match(self, line: Line) -> int:
        """How many of the open containers the line belongs to."""
        for depth, container in enumerate(self.open):
            if not container.matches(line):
                return depth
        return len(self.open)

    def _mark_blank(self) -> None:
        for container in reversed(self.open):
            if isinstance(container, Quote):
                break
            container.blank = True

    def _nonblank(self, line: Line, depth: int) -> None:
        lazy = bool(self.paragraph) and depth < len(self.open)
        while not line.blank:
            if line.indent > 3:
                if self.paragraph:
                    break
                self._add_leaf(IndentedCode(self._parent(depth)), line, depth)
                return
            began = self._start(line, depth)
            if began is None:
                break
            if not began:
                return
            lazy, depth = False, len(self.open)
        if line.blank:
            return
        if not lazy and not self.paragraph:
            self._parent(depth)
        self.paragraph.append(line.rest)
        self._clear_blank()

    def _start(self, line: Line, depth: int) -> bool | None:
        """Begin the block whose mark the line bears: True for a container, False for a whole
        line, None for no block."""
        for start in self.starts.get(line.text[line.first], ()):
            began = start(line, depth)
            if began is not None:
                self._clear_blank()
                return began
        return None

    def begins_block(self, line: Line) -> bool:
        """Whether the line, after a paragraph, would begin something else."""
        text = line.rest
        return bool(text) and line.indent < 4 and bool(
            _FOOTNOTE.match(text) or _HEADING.match(text) or _FENCE.match(text)
            or _RULE.match(text) or _BULLET.match(text) or text[0] == ">")

    # -- what is open ----------------------------------------------------------------------

    def _close(self, depth: int) -> None:
        self._end_leaf()
        while len(self.open) > depth:
            self.open.pop().close()

    def _end_leaf(self) -> None:
        if self.leaf is not None:
            leaf, self.leaf = self.leaf, None
            leaf.close()
        if self.paragraph:
            lines, self.paragraph = self.paragraph, []
            self._end_paragraph("\n".join(lines).rstrip(" \t"))

    def _end_paragraph(self, text: str) -> None:
        text = references.take(text, self.reader.known)
        if text:
            self.reader.paragraph(self.open[-1].element, text)

    def _parent(self, depth: int) -> etree.Element:
        """The element that gets the next block, all that is deeper being closed."""
        self._close(depth)
        if isinstance(self.open[-1], List):
            self._close(len(self.open) - 1)
        container = self.open[-1]
        if container.blank:
            container.loosen()
        container.empty = False
        return container.element

    def _clear_blank(self) -> None:
        for container in self.open:
            container.blank = False

    def _add_leaf(self, leaf: Leaf, line: Line, depth: int) -> None:
        self.leaf = leaf
        leaf.takes(line)
        self._clear_blank()
        if leaf.done:
            self._end_leaf()

    def _in_paragraph(self, depth: int) -> bool:
        return bool(self.paragraph) and depth == len(self.open)

    # -- containers ------------------------------------------------------------------------

    def _quote(self, line: Line, depth: int) -> bool | None:
        if depth > MAX_DEPTH:
            return None
        parent = self._parent(depth)
        line.skip(1)
        line.strip(1)
        alert = _ALERT.match(line.rest)
        if alert:
            self.open.append(Quote(_note(parent, alert[1], None)))
            return False
        self.open.append(Quote(etree.SubElement(parent, "blockquote")))
        return True

    def _bullet(self, line: Line, depth: int) -> bool | None:
        match = _BULLET.match(line.rest)
        return match and self._item(line, depth, match[0], match[0], None)

    def _number(self, line: Line, depth: int) -> bool | None:
        match = _NUMBER.match(line.rest)
        return match and self._item(line, depth, match[0], match[2], int(match[1]))

    def _item(self, line: Line, depth: int, marker: str, kind: str,
              number: int | None) -> bool | None:
        nothing = not line.rest[len(marker):].strip(" \t")
        if depth > MAX_DEPTH or (self._in_paragraph(depth)
                                 and (nothing or number not in (None, 1))):
            return None
        of = self._list(depth, kind, number)
        width = line.indent + len(marker)
        line.skip(len(marker))
        spaces = line.indent if not line.blank and line.indent < 5 else 1
        line.strip(spaces)
        self.open.append(Item(etree.SubElement(of.element, "li"), width + spaces, of))
        return True

    def _list(self, depth: int, kind: str, number: int | None) -> List:
        self._close(depth)
        last = self.open[-1]
        if isinstance(last, List) and last.marker == kind:
            last.loose = last.loose or last.blank
            return last
        element = etree.SubElement(self._parent(depth), "ul" if number is None else "ol")
        if number not in (None, 1):
            element.set("start", str(number))
        self.open.append(List(element, kind))
        return self.open[-1]  # type: ignore[return-value]

    def _definition(self, line: Line, depth: int) -> bool | None:
        text = line.rest
        if depth > MAX_DEPTH or len(text) < 2 or text[1] not in " \t":
            return None
        terms = self.paragraph if self._in_paragraph(depth) else []
        loose = not terms and any(container.blank for container in self.open[depth - 1:])
        self.paragraph = [] if terms else self.paragraph
        found = self._terms(self._parent(depth), terms)
        if found is None:
            return None
        width = line.indent + 1
        line.skip(1)
        spaces = min(line.indent, 3)
        line.strip(spaces)
        self.open.append(Definition(etree.SubElement(found, "dd"), width + spaces, loose))
        return True

    def _terms(self, parent: etree.Element, terms: list[str]) -> etree.Element | None:
        """The list to which a definition belongs, with the terms that it defines."""
        last = parent[-1] if len(parent) else None
        if not terms and last is not None and last.tag == "p" and last.text:
            terms = last.text.split("\n")
            parent.remove(last)
            last = parent[-1] if len(parent) else None
        if last is None or last.tag != "dl":
            last = etree.SubElement(parent, "dl") if terms else None
        for term in terms:
            if last is not None:
                etree.SubElement(last, "dt").text = term.rstrip()
        return last

    def _admonition(self, line: Line, depth: int) -> bool | None:
        match = _ADMONITION.match(line.rest)
        if match is None or depth > MAX_DEPTH:
            return None
        self.open.append(Indented(_note(self._parent(depth), match[1], match[2])))
        return False

    # -- leaves ----------------------------------------------------------------------------

    def _heading(self, line: Line, depth: int) -> bool | None:
        match = _HEADING.match(line.rest)
        if match is None:
            return None
        text = _HEADING_END.sub("", line.rest[match.end():]).strip(" \t")
        self._add_heading(self._parent(depth), self.number, len(match[1]), text)
        return False

    def _add_heading(self, parent: etree.Element, line: int, level: int, text: str) -> None:
        etree.SubElement(parent, f"h{level}").text = text
        if len(self.open) == 1:
            self.headings.append(Heading(line, level, text))

    def _underline(self, line: Line, depth: int) -> bool | None:
        if not self._in_paragraph(depth) or not _UNDERLINE.match(line.rest):
            return None
        text = references.take("\n".join(self.paragraph), self.reader.known)
        if not text:
            self.paragraph = []
            return None
        self.paragraph = []
        self._add_heading(self._parent(depth), self.number - text.count("\n") - 1,
                          1 if line.rest[0] == "=" else 2, text.strip(" \t"))
        return False

    def _rule(self, line: Line, depth: int) -> bool | None:
        if not _RULE.match(line.rest):
            return None
        etree.SubElement(self._parent(depth), "hr")
        return False

    def _fence(self, line: Line, depth: int) -> bool | None:
        match = _FENCE.match(line.rest)
        if match is None:
            return None
        self.leaf = None
        parent = self._parent(depth)
        self.leaf = Fence(parent, line.indent, match[1] or match[3],
                          (match[2] or match[4] or "").strip(), self.reader.fenced)
        return False

    def _html(self, line: Line, depth: int) -> bool | None:
        if not self.reader.raw_html:
            return None
        end = html.block_end(line.rest, bool(self.paragraph))
        if end is None:
            return None
        self._add_leaf(Html(self._parent(depth), end[0]), line, depth)
        return False

    def _math(self, line: Line, depth: int) -> bool | None:
        text = line.rest.rstrip()
        if not text.startswith("$$") or "$$" in text[2:-2] or text[-2:] == "$$" != text:
            return None
        parent = self._parent(depth)
        self.leaf = Math(parent, self.reader.formula)
        self.leaf.lines.append(text[2:])
        return False

    def _footnote(self, line: Line, depth: int) -> bool | None:
        match = _FOOTNOTE.match(line.rest)
        if match is None:
            return None
        name = match[1]
        parent = self._parent(depth)
        self.leaf = Footnote(parent, line.rest[match.end():],
                             lambda text: self.reader.footnote(name, text), self.begins_block)
        return False


def _note(parent: etree.Element, kind: str, title: str | None) -> etree.Element:
    kind = kind.lower()
    box = etree.SubElement(parent, "div", {"class": f"box {_LOOKS.get(kind, 'info')} {kind}"})
    if title != "":
        heading = etree.SubElement(box, "p", {"class": "box-title"})
        etree.SubElement(heading, "strong").text = title or kind.capitalize()
    return box
