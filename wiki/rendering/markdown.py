"""Markdown to HTML, not yet sanitised: Python-Markdown with our extension and our caps."""

from __future__ import annotations

import html
import re
import threading
import xml.etree.ElementTree as etree
from typing import Any

import markdown
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor
from markdown.preprocessors import Preprocessor

from wiki.rendering.links import TARGET

#: The largest text that is rendered as Markdown.
MAX_TEXT = 1_000_000
#: How deep lists and quotes nest.
MAX_NESTING = 20
#: How many brackets may be open at once in a block; the parser is quadratic in them.
MAX_OPEN = 30
#: How many HTML tags, emphasis marks and the like a block or text may hold.
MAX_TAGS = 5_000

_EXTENSIONS: tuple[str, ...] = (
    "tables", "footnotes", "def_list", "attr_list", "sane_lists",
    "pymdownx.tasklist", "pymdownx.tilde", "pymdownx.superfences", "pymdownx.highlight",
)
_SETTINGS: dict[str, dict[str, Any]] = {
    "pymdownx.highlight": {"use_pygments": True, "guess_lang": False, "noclasses": False,
                           "css_class": "highlight"},
    "pymdownx.superfences": {"disable_indented_code_blocks": False},
    "toc": {"permalink": False},
}
_NESTED = re.compile(rf"^[ \t]*(?:(?:>|[-*+]|\d{{1,9}}[.)])[ \t]*){{{MAX_NESTING}}}(?![-*+]*$)",
                     re.MULTILINE)
_INDENT = re.compile(r"^[ \t]{80,}", re.MULTILINE)
_STRAY = re.compile(r"<(?=[a-zA-Z/!?][^<>]*(?:<|\Z))")
_DECLARATION = re.compile(r"<(?=[!?])")
_TAG = re.compile(r"<[a-zA-Z/]")
_MARKS = re.compile(r"[*_~^=]")

_local = threading.local()


def to_html(text: str) -> str:
    """The HTML of a Markdown text; of one that is too large or too deep, the text itself."""
    if len(text) > MAX_TEXT or _NESTED.search(text):
        return plain(text)
    converter = _converter()
    try:
        return converter.reset().convert(_INDENT.sub(" " * 79, text))
    except (RecursionError, AssertionError, IndexError, ValueError):
        # the parser's own limits and faults: nested past the stack, or a construct it trips on
        del _local.converter
        return plain(text)


def plain(text: str) -> str:
    """The text as it is, in a box."""
    return f'<pre class="plain">{html.escape(text)}</pre>'


def _converter() -> markdown.Markdown:
    """This thread's own: an instance keeps state while it converts."""
    converter: markdown.Markdown | None = getattr(_local, "converter", None)
    if converter is None:
        converter = markdown.Markdown(
            extensions=[*_EXTENSIONS, "toc", WikiExtension()], extension_configs=_SETTINGS,
            output_format="html", tab_length=4)
        _local.converter = converter
    return converter


class WikiExtension(Extension):
    """Wiki links, and the guard against texts that take for ever."""

    def extendMarkdown(self, md: markdown.Markdown) -> None:
        md.preprocessors.register(_Guard(md), "wiki_guard", 22)
        md.inlinePatterns.register(_WikiLink(_WikiLink.PATTERN, md), "wiki_link", 185)


class _WikiLink(InlineProcessor):
    """``[[target]]`` and ``[[label>>target]]``; the target is resolved after sanitising."""

    PATTERN = r"\[\[(?!\[)([^\[\]\n]{1,2000})\]\]"

    def handleMatch(  # type: ignore[override]
            self, m: re.Match[str], data: str) -> tuple[etree.Element, int, int]:
        label, mark, target = m[1].rpartition(">>")
        element = etree.Element("a", {TARGET: target.strip()})
        element.text = label.strip() if mark and label.strip() else _shown(target)
        return element, m.start(0), m.end(0)


def _shown(target: str) -> str:
    target = target.strip().removeprefix("attach:")
    return re.sub(r"\\([.\\])", r"\1", target)


class _Guard(Preprocessor):
    """Takes the meaning from what the parser is quadratic in. Runs after the fences are put
    away and before raw HTML is looked for."""

    def run(self, lines: list[str]) -> list[str]:
        text = "\n".join(lines)
        if "<" in text:
            text = self._tags(text)
        blocks = re.split(r"(\n[ \t]*\n)", text)
        return "".join(self._block(block) for block in blocks).split("\n")

    def _tags(self, text: str) -> str:
        if len(_TAG.findall(text)) > MAX_TAGS:
            return text.replace("<", "&lt;")
        if len(_DECLARATION.findall(text)) > MAX_OPEN:
            text = _DECLARATION.sub("&lt;", text)
        if len(_STRAY.findall(text)) > MAX_OPEN:
            text = _STRAY.sub("&lt;", text)
        return text

    def _block(self, block: str) -> str:
        if len(block) < MAX_OPEN:
            return block
        if _deepest(block) > MAX_OPEN:
            block = block.replace("[", "&#91;").replace("](", "]&#40;")
        if len(_MARKS.findall(block)) > MAX_TAGS:
            block = _MARKS.sub(lambda match: f"&#{ord(match[0])};", block)
        return block


def _deepest(block: str) -> int:
    """How many brackets are open at once, at most."""
    depth = {"[": 0, "(": 0}
    deepest = 0
    for char in re.findall(r"[\[\]()]", block):
        if char in depth:
            depth[char] += 1
            deepest = max(deepest, depth[char])
        else:
            opener = "[" if char == "]" else "("
            depth[opener] = max(0, depth[opener] - 1)
    return deepest
