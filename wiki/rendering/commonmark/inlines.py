"""The inline reader: the text of blocks to emphasis, links, code, and the rest."""

from __future__ import annotations

import re
import xml.etree.ElementTree as etree
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from markdown import Markdown
from markdown.inlinepatterns import InlineProcessor
from markdown.treeprocessors import Treeprocessor
from markdown.util import AtomicString

from wiki.language.text import (
    ENTITY,
    LABEL,
    MAX_LABEL,
    PUNCTUATION,
    address,
    destination,
    entity,
    normal_label,
    skip_space,
    title,
)
from wiki.rendering.commonmark import html
from wiki.rendering.commonmark.autolinks import ADDRESS, MAX_ADDRESS, bare
from wiki.rendering.commonmark.emphasis import Node, fill, run
from wiki.rendering.commonmark.serialize import RAW, raw

_MARKS = r"\\|`+|\*+|_+|~+|!?\[|\]|<|&|\$|(?<! ) +\n"
_SPECIAL = re.compile(_MARKS)
#: The same, with addresses that stand in the text as they are.
_SPECIAL_OR_ADDRESS = re.compile(rf"{ADDRESS}|{_MARKS}")
_ADDRESSES = re.compile(r"://|www\.|@", re.IGNORECASE)
_TICKS = re.compile(r"`+")
_FLAT = re.compile(r"[^\W_]++")

#: What a link or image leads to: address, title.
Target = tuple[str, str | None]


class InlineReader(Treeprocessor):
    """Takes the place of Python-Markdown's inline patterns.

    ``extra``: for a mark, the names of the registered patterns that are tried at it first.
    """

    def __init__(self, md: Markdown, extra: Mapping[str, Iterable[str]]) -> None:
        super().__init__(md)
        self.extra: dict[str, list[InlineProcessor]] = {
            mark: [md.inlinePatterns[name] for name in names]  # type: ignore[misc]
            for mark, names in extra.items()}

    def run(self, root: etree.Element) -> None:
        for element in list(root.iter()):
            if element.tag == RAW:
                continue
            children: list[etree.Element] = []
            for child in element:
                children.append(child)
                children.extend(self._read(child.tail, child, "tail"))
            inner = self._read(element.text, element, "text")
            if len(inner) + len(children) > len(element):
                element[:] = [*inner, *children]

    def _read(self, text: str | None, owner: etree.Element, name: str) -> list[etree.Element]:
        """Read an element's text or tail: its first text stays there, the rest is returned."""
        if not text or isinstance(text, AtomicString) or text.isspace():
            return []
        holder = etree.Element("p")
        fill(holder, _Scan(self, text).nodes())
        setattr(owner, name, holder.text)
        return list(holder)


@dataclass(slots=True)
class _Bracket:
    """An opened bracket: its node's number, where its text begins."""

    node: int
    start: int
    image: bool
    nested: bool = False


class _Scan:
    """One text being read from left to right."""

    def __init__(self, reader: InlineReader, text: str) -> None:
        self.reader = reader
        self.text = text
        self.found: list[Node] = []
        self.brackets: list[_Bracket] = []
        # Brackets below this one, images aside, hold a link already and can be none.
        self.inactive = 0
        self.anchors = 0
        self.missing: set[str] = set()
        self.ticks: dict[int, list[int]] | None = None

    def nodes(self) -> list[Node]:
        text, found = self.text, self.found
        special = _SPECIAL_OR_ADDRESS if _ADDRESSES.search(text) else _SPECIAL
        position = 0
        while match := special.search(text, position):
            if match.start() > position:
                found.append(text[position:match.start()])
            position = self._special(match)
        if position < len(text):
            found.append(text[position:])
        return found

    def _special(self, match: re.Match[str]) -> int:
        """Add what begins at the mark; returns where it ends."""
        mark = match[0]
        start = match.start()
        char = mark[0]
        for processor in self.reader.extra.get(char, ()):
            end = self._processor(processor, start)
            if end is not None:
                return end
        if char in "*_~":
            self.found.append(run(self.text, start, match.end()))
            return match.end()
        if char == "`":
            return self._code(start, match.end())
        handler = self.HANDLERS.get(mark)
        if handler is not None:
            return handler(self, start)
        return self._break(match) if char == " " else self._address(match)

    def _processor(self, processor: InlineProcessor, start: int) -> int | None:
        match = processor.compiled_re.match(self.text, start)
        if match is None:
            return None
        element, _, end = processor.handleMatch(match, self.text)
        if element is None or end is None:
            return None
        self.found.append(element)
        return int(end)

    def _literal(self, start: int, end: int) -> int:
        self.found.append(self.text[start:end])
        return end

    def _escape(self, start: int) -> int:
        after = self.text[start + 1:start + 2]
        if after == "\n":
            self.found.extend((etree.Element("br"), "\n"))
            return start + 2
        if after and after in PUNCTUATION:
            return self._literal(start + 1, start + 2)
        return self._literal(start, start + 1)

    def _break(self, match: re.Match[str]) -> int:
        if len(match[0]) > 2:
            self.found.append(etree.Element("br"))
        self.found.append("\n")
        return match.end()

    def _entity(self, start: int) -> int:
        match = ENTITY.match(self.text, start)
        if match is None:
            return self._literal(start, start + 1)
        self.found.append(entity(match))
        return match.end()

    def _code(self, start: int, end: int) -> int:
        if self.ticks is None:
            self.ticks = {}
            for match in _TICKS.finditer(self.text):
                self.ticks.setdefault(len(match[0]), []).append(match.start())
        places = self.ticks.get(end - start, [])
        after = bisect_right(places, start)
        if after == len(places):
            return self._literal(start, end)
        content = self.text[end:places[after]].replace("\n", " ")
        if content.startswith(" ") and content.endswith(" ") and content.strip(" "):
            content = content[1:-1]
        code = etree.Element("code")
        code.text = content
        self.found.append(code)
        return places[after] + end - start

    def _address(self, match: re.Match[str]) -> int:
        if len(match[0]) > MAX_ADDRESS:
            return self._literal(match.start(), match.end())
        link = None if self.anchors else bare(match[0])
        if link is None:
            flat = _FLAT.match(self.text, match.start())
            return self._literal(match.start(), flat.end() if flat else match.start() + 1)
        self.found.append(link)
        return match.start() + len(link.text)

    # -- HTML ------------------------------------------------------------------------------

    def _angle(self, start: int) -> int:
        match = html.AUTOLINK.match(self.text, start)
        if match:
            return self._autolink(match)
        if not self.reader.md.parser.raw_html:  # type: ignore[attr-defined]
            return self._literal(start, start + 1)
        match = html.TAG.match(self.text, start)
        if match:
            self.anchors += match[0].lower().startswith(("<a ", "<a\n"))
            self.anchors -= self.anchors > 0 and match[0].lower().startswith("</a")
        end = match.end() if match else self._pair(start)
        if end is None:
            return self._literal(start, start + 1)
        self.found.append(raw(self.text[start:end]))
        return end

    def _autolink(self, match: re.Match[str]) -> int:
        shown = match[1] or match[2]
        link = etree.Element("a", {"href": address(match[1].replace("\\", "%5C")) if match[1]
                                   else f"mailto:{shown}"})
        link.text = shown
        self.found.append(link)
        return match.end()

    def _pair(self, start: int) -> int | None:
        """Where the comment, instruction or declaration at ``<`` ends."""
        for opener, closer in html.PAIRS:
            if not self.text.startswith(opener, start):
                continue
            if opener == "<!--":
                for short in ("<!-->", "<!--->"):
                    if self.text.startswith(short, start):
                        return start + len(short)
            if opener == "<!" and not self.text[start + 2:start + 3].isalpha():
                return None
            if closer in self.missing:
                return None
            end = self.text.find(closer, start + len(opener))
            if end < 0:
                self.missing.add(closer)
                return None
            return end + len(closer)
        return None

    # -- links and images ------------------------------------------------------------------

    def _open(self, start: int) -> int:
        image = self.text[start] == "!"
        if self.brackets:
            self.brackets[-1].nested = True
        end = start + 1 + image
        self.brackets.append(_Bracket(len(self.found), end, image))
        return self._literal(start, end)

    def _shut(self, start: int) -> int:
        if not self.brackets:
            return self._literal(start, start + 1)
        bracket = self.brackets.pop()
        active = bracket.image or len(self.brackets) >= self.inactive
        self.inactive = min(self.inactive, len(self.brackets))
        found = self._target(bracket, start) if active else None
        if found is None:
            return self._literal(start, start + 1)
        (url, name), end = found
        inner = self.found[bracket.node + 1:]
        del self.found[bracket.node:]
        self.found.append(_image(url, inner) if bracket.image else _link(url, inner))
        if name is not None:
            self.found[-1].set("title", name)  # type: ignore[union-attr]
        if not bracket.image:
            self.inactive = len(self.brackets)
        return end

    def _target(self, bracket: _Bracket, start: int) -> tuple[Target, int] | None:
        """Where the bracket that ends here leads, and where the link ends."""
        tail = self._tail(start + 1) if self.text.startswith("(", start + 1) else None
        if tail:
            return tail
        label = LABEL.match(self.text, start + 1)
        end = label.end() if label else start + 1
        if label and label[1].strip():
            name = label[1]
        elif bracket.nested or start - bracket.start > MAX_LABEL:
            return None
        else:
            name = self.text[bracket.start:start]
            end = end if label and not label[1] else start + 1
        known = self.reader.md.references.get(normal_label(name))
        return (known, end) if known else None

    def _tail(self, start: int) -> tuple[Target, int] | None:
        """``(target "title")``"""
        text = self.text
        position = skip_space(text, start + 1)
        if text.startswith(")", position):
            return ("", None), position + 1
        target = destination(text, position)
        if target is None:
            return None
        url, end = target
        position = skip_space(text, end)
        name = title(text, position) if position > end else None
        if name:
            position = skip_space(text, name[1])
        if not text.startswith(")", position):
            return None
        return (address(url), name[0] if name else None), position + 1

    def _dollar(self, start: int) -> int:
        return self._literal(start, start + 1)

    HANDLERS: ClassVar[dict[str, Callable[[_Scan, int], int]]] = {
        "\\": _escape, "&": _entity, "<": _angle, "[": _open, "![": _open, "]": _shut,
        "$": _dollar}


def _link(url: str, inner: list[Node]) -> etree.Element:
    link = etree.Element("a", {"href": url})
    fill(link, inner, in_link=True)
    return link


def _image(url: str, inner: list[Node]) -> etree.Element:
    holder = etree.Element("p")
    fill(holder, inner, in_link=True)
    return etree.Element("img", {"src": url, "alt": _plain(holder)})


def _plain(element: etree.Element) -> str:
    """The element's text, an image's being its description."""
    parts = [] if element.tag == "raw-html" else [element.text or ""]
    if element.tag == "img":
        parts.append(element.get("alt", ""))
    for child in element:
        parts += [_plain(child), child.tail or ""]
    return "".join(parts)
