"""Texts compiled to what does not change: sanitised HTML, cut at its macros and links.

Compiling is the dear part of a view, and depends on nothing but the text, so it is kept.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape

from wiki.language.syntax import Broken, Literal, Literals, Macro, Text, parse
from wiki.rendering import markdown
from wiki.rendering.macros import Stash
from wiki.rendering.sanitize import sanitize

#: How much the cache holds, in characters of HTML and of macros' source.
CACHE_SIZE = 20_000_000
#: What a segment and an entry cost beside their text, in the same measure.
OVERHEAD = 300

#: Whether the output of a macro of this name stays inside a paragraph.
Inline = Callable[[str], bool]

_ATTRIBUTE = re.compile(r'([a-zA-Z][a-zA-Z0-9-]*)(?:="([^"]*)")?')
#: A tag, or the word that stands for a macro: of this text where its prefix is.
_CUT = re.compile(
    r"<(?P<slash>/?)(?P<tag>[a-zA-Z][a-zA-Z0-9]*)(?P<attributes>(?:[^>\"]|\"[^\"]*\")*)>"
    r"|(?P<prefix>m[0-9a-f]{20}i)(?P<number>\d+)z")
_WORD = re.compile(r"(m[0-9a-f]{20}i)\d+z")
_EMPTY = re.compile(r"<p>\s*</p>")
#: What no paragraph can hold.
BLOCK = re.compile(r"<(?:address|article|aside|blockquote|div|dl|fieldset|figure|footer|h[1-6r]|"
                   r"header|main|nav|ol|p|pre|section|table|ul)[\s>]")
#: Elements in which a macro is shown as its source.
_CODE = frozenset({"pre", "code"})
#: How deep the elements nest that a block closes, and opens again behind it.
_MAX_INNER = 20
_VOID = frozenset({"br", "img", "hr", "input", "col"})


@dataclass(frozen=True, slots=True)
class Link:
    """An ``<a>`` or ``<img>`` whose address is found at each view."""

    tag: str
    attributes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a macro's output goes; ``paragraph`` tells that it stays inside one.

    Where it turns out to be none that can, ``ends`` closes what it stands in, and ``begins``
    opens that again behind it.
    """

    node: Macro | Broken
    paragraph: bool
    ends: str = ""
    begins: str = ""


Segment = str | Link | Place


class Compiler:
    """Compiles texts and keeps what it compiled. Safe for use by several threads."""

    def __init__(self, inline: Inline, literal: Literals) -> None:
        self._inline, self._literal = inline, literal
        self._key = secrets.token_bytes(16)
        self._kept: OrderedDict[bytes, tuple[int, tuple[Segment, ...]]] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def compile(self, text: str, line: int = 1, column: int = 1, margin: int = 0,
                stash: Stash | None = None) -> tuple[Segment, ...]:
        """The text's segments; with a ``stash``, its words become their values, escaped."""
        if stash is not None and stash.holds(text):
            return self._compile(text, line, column, margin, stash)
        if "<<" not in text:  # it holds nothing whose place in the page would be told
            line, column, margin = 1, min(column, 2), 0
        digest = hashlib.sha256(f"{line} {column} {margin} ".encode()
                                + text.encode(errors="surrogatepass")).digest()
        with self._lock:
            kept = self._kept.get(digest)
            if kept is not None:
                self._kept.move_to_end(digest)
                return kept[1]
        segments = self._compile(text, line, column, margin, None)
        self._keep(digest, _size(segments), segments)
        return segments

    def _keep(self, digest: bytes, size: int, segments: tuple[Segment, ...]) -> None:
        with self._lock:
            if digest not in self._kept:
                self._kept[digest] = (size, segments)
                self._size += size
            while self._size > CACHE_SIZE:
                self._size -= self._kept.popitem(last=False)[1][0]

    def _compile(self, text: str, line: int, column: int, margin: int,
                 stash: Stash | None) -> tuple[Segment, ...]:
        # Known to nobody before the text is, and so not to be written into it.
        digest = hmac.new(self._key, text.encode(errors="surrogatepass"), "sha256")
        prefix = f"m{digest.hexdigest()[:20]}i"
        source: list[str] = []
        nodes: list[Macro | Broken] = []
        for node in parse(text, line, column, margin, self._literal):
            if isinstance(node, Text):
                source.append(node.text)
            elif isinstance(node, Literal):
                source.append("&lt;&lt;")
            else:
                source.append(self._word(node, f"{prefix}{len(nodes)}z"))
                nodes.append(node)
        whole = "".join(source)
        if column > 1:  # the text starts within a line: its first blanks indent nothing
            whole = whole.lstrip(" \t")
        html = markdown.to_html(whole)
        if stash is not None:
            html = stash.restore(html, html=True)
        return _Assembler(nodes, prefix, self._in_paragraph).assemble(sanitize(html))

    def _in_paragraph(self, node: Macro | Broken) -> bool:
        if isinstance(node, Macro) and self._inline(node.name):
            return True
        return isinstance(node, Broken) and not node.block

    def _word(self, node: Macro | Broken, word: str) -> str:
        apart = node.block and not node.indented and not self._in_paragraph(node)
        return f"\n{word}\n" if apart else word


class _Assembler:
    """Cuts HTML at macros and links; a block in a paragraph ends it, and another begins."""

    def __init__(self, nodes: list[Macro | Broken], prefix: str,
                 in_paragraph: Callable[[Macro | Broken], bool]) -> None:
        self.nodes = nodes
        self.in_paragraph = in_paragraph
        self.prefix = prefix
        self.segments: list[Segment] = []
        self.text: list[str] = []
        self.paragraph = ""
        self.inner: list[tuple[str, str]] = []
        self.code = 0

    def assemble(self, html: str) -> tuple[Segment, ...]:
        position = 0
        for match in _CUT.finditer(html):
            self.text.append(html[position:match.start()])
            if match["tag"] is not None:
                self._tag(match)
            elif match["prefix"] == self.prefix:
                self._macro(int(match["number"]))
            else:
                self.text.append(match[0])
            position = match.end()
        self.text.append(html[position:])
        self._cut()
        return tuple(self.segments)

    def _cut(self, *segments: Segment) -> None:
        text = _EMPTY.sub("", "".join(self.text))
        if text:
            self.segments.append(text)
        self.text = []
        self.segments.extend(segments)

    def _macro(self, number: int) -> None:
        if number >= len(self.nodes):
            return
        node = self.nodes[number]
        if self.code:
            self.text.append(_escape(node.source))
        elif len(self.inner) > _MAX_INNER:
            self._cut(Place(node, True))
        elif not self.paragraph:
            self._cut(Place(node, self.in_paragraph(node)))
        elif self.in_paragraph(node):
            self._cut(Place(node, True, *self._paragraph_tags()))
        else:
            ends, begins = self._paragraph_tags()
            self.text.append(ends)
            self._cut(Place(node, False))
            self.text.append(begins)

    def _paragraph_tags(self) -> tuple[str, str]:
        """What ends the paragraph with what is open in it, and what begins it again."""
        ends = "".join(f"</{name}>" for name, _ in reversed(self.inner))
        return ends + "</p>", self.paragraph + "".join(tag for _, tag in self.inner)

    def _tag(self, match: re.Match[str]) -> None:
        name, closing = match["tag"], bool(match["slash"])
        # A macro's word in an attribute stands for nothing: its output could leave the value.
        tag = self._wordless(match[0])
        if name in _CODE:
            self.code += -1 if closing else 1
        if name == "p":
            self.paragraph, self.inner = ("" if closing else "<p>"), []
        elif self.paragraph and name not in _VOID:
            self._nest(name, tag, closing)
        if name in ("a", "img") and not closing:
            self._cut(Link(name, tuple(
                (key, unescape(value)) for key, value in
                _ATTRIBUTE.findall(self._wordless(match["attributes"])))))
        else:
            self.text.append(tag)

    def _wordless(self, tag: str) -> str:
        if self.prefix not in tag:
            return tag
        return _WORD.sub(lambda word: "" if word[1] == self.prefix else word[0], tag)

    def _nest(self, name: str, tag: str, closing: bool) -> None:
        if not closing:
            self.inner.append((name, tag))
        elif self.inner and self.inner[-1][0] == name:
            self.inner.pop()


def _size(segments: tuple[Segment, ...]) -> int:
    return OVERHEAD + sum(OVERHEAD + (len(item) if isinstance(item, str) else
                                      len(item.node.source) if isinstance(item, Place) else 0)
                          for item in segments)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
