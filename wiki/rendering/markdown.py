"""Markdown to HTML, not yet sanitised: Python-Markdown with our readers and our caps."""

from __future__ import annotations

import html
import re
import threading
import xml.etree.ElementTree as etree

import markdown
from markdown.extensions import Extension
from markdown.extensions.attr_list import AttrListTreeprocessor
from markdown.extensions.footnotes import FN_BACKLINK_TEXT, FootnoteExtension
from markdown.extensions.tables import TableProcessor
from markdown.extensions.toc import (
    remove_fnrefs,
    render_inner_html,
    slugify,
    strip_tags,
    unique,
)
from markdown.inlinepatterns import InlineProcessor
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor
from markdown.util import ETX, STX

from wiki.language.links import TARGET, WIKI_LINK
from wiki.rendering import formulas
from wiki.rendering.commonmark.blocks import BlockReader, Heading
from wiki.rendering.commonmark.inlines import InlineReader
from wiki.rendering.commonmark.serialize import serialize
from wiki.rendering.fences import fenced

#: The largest text that is rendered as Markdown.
MAX_TEXT = 1_000_000
#: How deep lists and quotes nest on one line.
MAX_NESTING = 20
#: How many pipes and backquotes a row of a table has.
MAX_PIPES = 400
#: How many footnotes a text has; what would be more is gone.
MAX_FOOTNOTES = 1_000

_NESTED = re.compile(rf"^[ \t]*(?:(?:>|[-*+]|\d{{1,9}}[.)])[ \t]*){{{MAX_NESTING}}}(?![-*+]*$)",
                     re.MULTILINE)

#: The word that stands for a macro: see :mod:`wiki.rendering.compiled`.
_MACRO_WORD = re.compile(r"\bm[0-9a-f]{20}i\d+z\b")

_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})

_local = threading.local()


def to_html(text: str) -> str:
    """The HTML of a Markdown text; of one that is too large or too deep, the text itself."""
    if len(text) > MAX_TEXT or _NESTED.search(text):
        return plain(text)
    converter = _converter()
    try:
        return converter.reset().convert(text)
    except (RecursionError, AssertionError, AttributeError, IndexError, TypeError, ValueError):
        # limits and faults of the extensions: nested past the stack, or a construct one trips on
        del _local.converter
        return plain(text)


def headings(text: str) -> list[Heading]:
    """The headings that :func:`to_html` makes of a text, but for those within other blocks."""
    if len(text) > MAX_TEXT or _NESTED.search(text):
        return []
    reader: BlockReader | None = getattr(_local, "reader", None)
    if reader is None:  # one that makes nothing of what is not asked for
        reader = _local.reader = BlockReader(markdown.Markdown(), lambda info, code: "",
                                             lambda formula: "", lambda name, text: None)
    return reader.headings(text.split("\n"))


def plain(text: str) -> str:
    """The text as it is, in a box."""
    return f'<pre class="plain">{html.escape(text)}</pre>'


def _converter() -> markdown.Markdown:
    """This thread's own: an instance keeps state while it converts."""
    converter: markdown.Markdown | None = getattr(_local, "converter", None)
    if converter is None:
        footnotes = _Footnotes(USE_DEFINITION_ORDER=False)
        converter = markdown.Markdown(
            extensions=["attr_list", footnotes, WikiExtension(footnotes)],
            output_format="html", tab_length=4)
        converter.serializer = serialize
        _local.converter = converter
    return converter


class _Footnotes(FootnoteExtension):
    """Footnotes, without the search for a free name at each mark of the same one."""

    def setFootnote(self, id: str, text: str) -> None:
        if len(self.footnotes) < MAX_FOOTNOTES:
            super().setFootnote(id, text)

    def makeFootnotesDiv(self, root: etree.Element) -> etree.Element | None:
        div = super().makeFootnotesDiv(root)
        for item in div.iter("li") if div is not None else ():
            if not len(item) and item.get("id"):
                # An empty one: the extension's later stages look for the way back in it.
                back = etree.SubElement(etree.SubElement(item, "p"), "a", {
                    "class": "footnote-backref",
                    "href": f"#{item.get('id', '').replace('fn:', 'fnref:', 1)}"})
                back.text = FN_BACKLINK_TEXT
        return div

    def unique_ref(self, reference: str, found: bool = False) -> str:
        if not found:
            return reference
        count = self.found_refs[reference] = self.found_refs.get(reference, 0) + 1
        kind, rest = reference.split(self.get_separator(), 1)
        return reference if count == 1 else f"{kind}{count}{self.get_separator()}{rest}"


class WikiExtension(Extension):
    """Puts the CommonMark readers in the place of Python-Markdown's, and adds wiki links and
    formulas. What the readers do themselves is taken out of its registries."""

    def __init__(self, footnotes: FootnoteExtension) -> None:
        super().__init__()
        self.footnotes = footnotes

    def extendMarkdown(self, md: markdown.Markdown) -> None:
        md.parser = BlockReader(md, fenced, formulas.block, self.footnotes.setFootnote)
        md.parser.blockprocessors.register(
            _Tables(md.parser, {"use_align_attribute": True}), "table", 75)
        self.footnotes.parser = md.parser
        md.inlinePatterns.register(_WikiLink(_WikiLink.PATTERN, md), "wiki_link", 185)
        md.inlinePatterns.register(
            formulas.FormulaProcessor(formulas.FormulaProcessor.PATTERN, md), "formula", 180)
        md.treeprocessors.register(
            InlineReader(md, {"[": ("wiki_link", "footnote"), "$": ("formula",)}), "inline", 20)
        md.treeprocessors.register(_Attributes(md), "attr_list", 8)
        md.treeprocessors.register(_HeadingIds(md), "heading_ids", 5)
        for name in ("prettify", "unescape"):
            md.treeprocessors.deregister(name)
        for name in ("raw_html", "amp_substitute"):
            md.postprocessors.deregister(name)
        md.preprocessors.register(_Characters(md), "normalize_whitespace", 30)
        md.preprocessors.deregister("html_block")


class _Characters(Preprocessor):
    """One kind of line break, and no character that Python-Markdown marks places with."""

    def run(self, lines: list[str]) -> list[str]:
        text = "\n".join(lines).replace(STX, "").replace(ETX, "").replace("\0", "\ufffd")
        return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


class _Tables(TableProcessor):
    """Tables, in whose cells a pipe is written ``\\|``, in code too."""

    def test(self, parent: etree.Element, block: str) -> bool:
        # Splitting a row is quadratic in these.
        if any(line.count("|") + line.count("`") > MAX_PIPES for line in block.split("\n")):
            return False
        return super().test(parent, block)

    def run(self, parent: etree.Element, blocks: list[str]) -> None:
        super().run(parent, blocks)
        for row in parent[-1].iter("tr"):
            for cell in row:
                cell.text = (cell.text or "").replace("\\|", "|")


class _Attributes(AttrListTreeprocessor):
    """Attribute lists; a text without a brace need not be looked through for them."""

    def run(self, doc: etree.Element) -> None:
        if any("{" in text for text in doc.itertext()):
            super().run(doc)


class _HeadingIds(Treeprocessor):
    """An id for each heading, as Python-Markdown's ``toc`` gives them. That also makes a table
    of contents, which no page shows and which costs more than the headings."""

    def run(self, root: etree.Element) -> None:
        used = {element.attrib["id"] for element in root.iter() if "id" in element.attrib}
        counters: dict[str, int] = {}
        for element in root.iter():
            if element.tag in _HEADINGS and "id" not in element.attrib:
                element.set("id", unique(self._slug(element), used, counters))

    def _slug(self, heading: etree.Element) -> str:
        text = heading.text or ""
        if len(heading):
            text = html.unescape(strip_tags(render_inner_html(remove_fnrefs(heading), self.md)))
        # What a macro in it gives is not known yet, and no part of the id.
        return slugify(_MACRO_WORD.sub("", text), "-")


class _WikiLink(InlineProcessor):
    """``[[target]]`` and ``[[label>>target]]``; the target is resolved after sanitising."""

    PATTERN = WIKI_LINK

    def handleMatch(  # type: ignore[override]
            self, m: re.Match[str], data: str) -> tuple[etree.Element, int, int]:
        label, mark, target = m[1].rpartition(">>")
        element = etree.Element("a", {TARGET: target.strip()})
        element.text = label.strip() if mark and label.strip() else _shown(target)
        return element, m.start(0), m.end(0)


def _shown(target: str) -> str:
    target = target.strip().removeprefix("attach:")
    return re.sub(r"\\([.\\])", r"\1", target)
