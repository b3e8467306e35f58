"""Convert wikitext to Markdown, as far as common wikitext goes."""

import html
import re
from collections import Counter
from dataclasses import dataclass, field

import mwparserfromhell
from mwparserfromhell.nodes import (
    Argument,
    Comment,
    ExternalLink,
    Heading,
    HTMLEntity,
    Tag,
    Template,
    Text,
    Wikilink,
)
from mwparserfromhell.parser import ParserError

load = wiki.load  # noqa: F821 - a module's page is given the wiki
markdown = load("Lib.MarkdownText")
layout = load("Lib.WikitextLayout")
titles_module = load("Lib.WikitextTitles")
templates = load("Lib.WikitextTemplates")

SWITCH = re.compile(r"__[A-Z]{3,}__")
#: Tags that change nothing but how their text looks, with what stands around it in Markdown.
MARKS = {"b": "**", "strong": "**", "i": "*", "em": "*", "s": "~~", "strike": "~~", "del": "~~"}
INLINE_HTML = ("sub", "sup", "u", "ins", "mark", "small", "q", "kbd", "var", "cite", "abbr")
CODE = ("code", "tt", "samp", "math", "chem", "ce")
BLOCKS = ("div", "p", "center", "section", "noinclude", "onlyinclude", "poem")
PLAIN = ("span", "font", "big", "bdi", "bdo", "time", "data", "dfn", "ruby", "rb", "rp", "rt")
DROPPED = ("references", "includeonly", "templatestyles", "indicator", "toc", "nowiki", "wbr",
           "rp", "section", "style", "script", "col", "colgroup")
#: Templates that stand for the page's own title, and those that show nothing of their own.
PAGE_NAMES = ("pagename", "fullpagename", "basepagename", "subpagename")
SILENT = re.compile(r"defaultsort:|displaytitle:|(reflist|references|notelist|clear|-|toc ?left"
                    r"|toc ?right|toc)$", re.IGNORECASE)
FILE_OPTION = re.compile(
    r"(thumb|thumbnail|frame|framed|frameless|border|left|right|center|centre|none|baseline|sub"
    r"|super|top|text-top|middle|bottom|text-bottom|upright|\d*x?\d+ ?px"
    r"|(link|alt|page|lang|class|upright|thumb|start|end)\s*=.*)", re.IGNORECASE | re.DOTALL)
#: What opens and what closes. So many more openers than closers make the parser very slow, and
#: no text that a person wrote.
PAIRS = ((r"\{\{", r"\}\}"), (r"\{\|", r"\|\}"), (r"\[", r"\]"), (r"<[a-zA-Z]", r"</|/>"),
         (r"<!--", r"-->"))
UNCLOSED = 500
PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".bmp", ".avif")


@dataclass
class Page:
    """What a text became."""

    markdown: str = ""
    tags: list = field(default_factory=list)
    #: The files that it shows or links to, as they are called on the task's page.
    files: list = field(default_factory=list)
    #: Template -> how often it was called.
    templates: Counter = field(default_factory=Counter)
    #: What was left out otherwise: what it was -> how often.
    left_out: Counter = field(default_factory=Counter)


def convert(text, title, titles, keep_templates=True, files=None):
    """The text of the page with this title as a Page; never raises.

    `titles`: a Titles of Lib.WikitextTitles; `files`: the names of the files at hand, as
    :func:`file_key` gives them -> as they are called.
    """
    text = markdown.without_controls(text)
    if not any(unclosed(text, *pair) > UNCLOSED for pair in PAIRS):
        try:
            nodes = mwparserfromhell.parse(text).nodes
            return Converter(title, titles, keep_templates, files or {}).page(nodes)
        except (ParserError, RecursionError):
            pass  # nested past all measure
    page = Page(markdown.fence(text))
    page.left_out["texts that cannot be taken apart, and are shown as code"] += 1
    return page


def unclosed(text, opener, closer):
    return len(re.findall(opener, text)) - len(re.findall(closer, text))


def file_key(name):
    """A file's name such as MediaWiki compares it."""
    name = " ".join(name.replace("_", " ").split())
    return name[:1].upper() + name[1:]


class Converter:
    """Goes through the nodes of one page."""

    def __init__(self, title, titles, keep_templates, files):
        self.title = title
        self.titles = titles
        self.keep_templates = keep_templates
        self.files = files
        self.result = Page()
        #: Group and name of a footnote -> its number; number -> its text.
        self.notes = {}
        self.note_texts = {}
        #: Above 0 where no block can stand, as in a cell.
        self.flat = 0

    def page(self, nodes):
        blocks = [self.blocks(nodes)]
        for number, text in self.note_texts.items():
            blocks.append(f"[^{number}]: {text or '…'}")
        self.result.markdown = "\n\n".join(filter(None, blocks))
        self.result.tags = list(dict.fromkeys(self.result.tags))
        self.result.files = list(dict.fromkeys(self.result.files))
        return self.result

    # -- nodes to lines, and lines to Markdown -----------------------------------------------

    def blocks(self, nodes):
        return layout.blocks(self.lines(nodes))

    def inline(self, nodes):
        """The nodes within a line."""
        return layout.join(self.flat_lines(nodes), " ")

    def flat_lines(self, nodes):
        self.flat += 1
        try:
            return self.lines(nodes)
        finally:
            self.flat -= 1

    def lines(self, nodes):
        out = layout.Lines()
        rest = list(nodes)
        for index, node in enumerate(rest):
            following = rest[index + 1] if index + 1 < len(rest) else None
            self.node(node, out, following)
        return out.finish()

    def node(self, node, out, following):
        if isinstance(node, Text):
            self.text(str(node), out)
        elif isinstance(node, Wikilink):
            self.wikilink(node, out, following)
        elif isinstance(node, Tag):
            self.tag(node, out)
        elif isinstance(node, Template):
            self.template(node, out, following)
        elif isinstance(node, Heading):
            self.heading(node, out)
        elif isinstance(node, ExternalLink):
            out.add(self.external(node), str(node))
        elif isinstance(node, HTMLEntity):
            out.add(self.escape(html.unescape(str(node))), str(node))
        elif isinstance(node, Argument):
            out.add(markdown.code(str(node)), str(node))
        elif not isinstance(node, Comment):
            self.text(str(node), out)

    def text(self, text, out):
        text, out.trail = text[out.trail:], 0
        for number, part in enumerate(SWITCH.sub("", text).split("\n")):
            if number:
                out.newline()
            out.add(self.escape(part), part)

    def escape(self, text):
        return markdown.escape(markdown.without_controls(text))

    def is_alone(self, out, following):
        """Whether nothing else stands on the line of what comes before `following`."""
        ends = following is None or re.match(r"[ \t]*\n", str(following))
        return not self.flat and out.at_start and bool(ends)

    def trail(self, following):
        """The letters after a link, which belong to its label."""
        match = re.match(r"[^\W\d_]+", str(following)) if isinstance(following, Text) else None
        return match[0] if match else ""

    def plain(self, nodes):
        return "".join(html.unescape(str(node)) if isinstance(node, HTMLEntity) else
                       "" if isinstance(node, Comment) else str(node) for node in nodes)

    # -- headings, templates -----------------------------------------------------------------

    def heading(self, node, out):
        text = self.inline(node.title.nodes)
        if self.flat:
            out.add(markdown.wrap("**", text), "")
        elif text.strip():
            out.block(markdown.heading(node.level, text))

    def template(self, node, out, following):
        name = markdown.one_line(str(node.name)).strip()
        if name.lower() in PAGE_NAMES:
            out.add(self.escape(self.title), str(node))
        elif name in ("!", "="):
            out.add({"!": "|", "=": "="}[name], str(node))
        elif SILENT.match(name):
            for parameter in node.params:  # references may be defined inside
                self.flat_lines(parameter.value.nodes)
        elif shown := templates.shown(node, self.inline, self.title_link):
            if self.is_alone(out, following):
                out.block(shown)
            else:
                out.add(shown, str(node))
        else:
            self.result.templates[re.split(r"[:|]", name)[0][:60] or "?"] += 1
            if self.keep_templates:
                self.literal(str(node), out, following)

    def literal(self, source, out, following=""):
        """Source that means nothing here, as code."""
        if "\n" in source.strip() and not self.flat and out.at_start:
            out.block(markdown.fence(source))
        elif self.is_alone(out, following):
            out.block(markdown.code(source))
        else:
            out.add(markdown.code(source), source)

    # -- links -------------------------------------------------------------------------------

    def wikilink(self, node, out, following):
        target = html.unescape(str(node.title)).strip()
        number, name = self.titles.split(target)
        alone = self.is_alone(out, following)
        if target.startswith(":") or not self.shows_apart(node, target, number, name, out, alone):
            trail = self.trail(following)
            shown = self.inline(node.text.nodes) if node.text is not None else ""
            shown = (shown or self.escape(target.removeprefix(":"))) + trail
            out.add(self.page_link(target, number, name, shown), str(node) + trail)
            out.trail = len(trail)

    def title_link(self, title):
        title = html.unescape(title).removeprefix(":")
        number, name = self.titles.split(title)
        return self.page_link(title, number, name, self.escape(title.replace("_", " ")))

    def shows_apart(self, node, target, number, name, out, alone):
        """Whether it is no link in the text but a category, a file or another language."""
        if number == titles_module.CATEGORY:
            self.result.tags.append(name.partition("#")[0].strip())
        elif number == titles_module.FILE:
            shown = self.file(name, self.options(node.text))
            if alone:
                out.block(shown)
            else:
                out.add(shown, str(node))
        elif self.titles.is_language(target):
            self.result.left_out["links to other languages"] += 1
        else:
            return False
        return True

    def page_link(self, target, number, name, shown):
        if number == titles_module.MEDIA:
            return self.file(name, [shown])
        outside = self.titles.elsewhere(target)
        if outside:
            return markdown.link(shown, outside)
        title, _, section = target.removeprefix(":").partition("#")
        anchor = markdown.anchor_of(html.unescape(section.replace("_", " "))) if section else ""
        if not title.strip():
            return markdown.anchor_link(shown, anchor) if anchor else ""
        return markdown.page_link(shown, self.titles.reference(self.absolute(title)), anchor)

    def absolute(self, title):
        """The title of a subpage, which may be relative to this page."""
        title = title.strip()
        if title.startswith("/"):
            return f"{self.title}/{title.strip('/')}"
        if not title.startswith("../"):
            return title
        parts = self.title.split("/")
        while title.startswith("../"):
            parts, title = parts[:-1], title[3:]
        return "/".join([*parts, title]).strip("/") or self.title

    def external(self, node):
        label = self.inline(node.title.nodes) if node.title is not None else ""
        return markdown.link(label, html.unescape(str(node.url)))

    def options(self, text):
        """What stands between the bars of a link to a file; captions as Markdown."""
        if text is None:
            return []
        parts, current = [], []
        for node in text.nodes:
            pieces = str(node).split("|") if isinstance(node, Text) else [node]
            for index, piece in enumerate(pieces):
                if index:
                    parts.append(current)
                    current = []
                current.append(Text(piece) if isinstance(piece, str) else piece)
        return [self.inline(part) for part in [*parts, current]
                if not FILE_OPTION.fullmatch(self.plain(part).strip())]

    def file(self, name, captions):
        """The picture or a link to the file; its caption where the file is not at hand."""
        caption = captions[-1] if captions else ""
        known = self.files.get(file_key(name))
        if known is None:
            self.result.left_out["files that are not attached"] += 1
            return markdown.wrap("*", caption)
        self.result.files.append(known)
        return markdown.attached(caption, known, known.lower().endswith(PICTURES))

    # -- tags --------------------------------------------------------------------------------

    def tag(self, node, out):
        name = str(node.tag).strip().lower()
        contents = node.contents.nodes if node.contents is not None else []
        if name in ("li", "dd", "dt") and node.wiki_markup:
            out.mark(str(node.wiki_markup))
        elif name in MARKS:
            out.add(markdown.wrap(MARKS[name], self.inline(contents)), self.plain(contents))
        elif name in INLINE_HTML:
            inner = self.inline(contents)
            out.add(markdown.wrap(f"<{name}>", inner, f"</{name}>"), self.plain(contents))
        elif name in CODE:
            out.add(markdown.code(self.plain(contents)), self.plain(contents))
        elif name in PLAIN:
            out.add(self.inline(contents), self.plain(contents))
        elif name in BLOCKS:
            self.division(contents, out)
        else:
            handler = HANDLERS.get(name)
            if handler is not None:
                handler(self, node, contents, out)
            elif name not in DROPPED:
                self.literal(str(node), out)

    def division(self, contents, out):
        if self.flat:
            out.add(self.inline(contents), self.plain(contents))
        else:
            out.block(self.blocks(contents))

    def nowiki(self, node, contents, out):
        self.text(self.plain(contents), out)

    def line_break(self, node, contents, out):
        out.add("<br>", " ")

    def rule(self, node, contents, out):
        out.block("" if self.flat else "---")

    def preformatted(self, node, contents, out):
        text = self.plain(contents)
        if self.flat or node.has("inline"):
            out.add(markdown.code(text), text)
        else:
            language = str(node.get("lang").value) if node.has("lang") else ""
            out.block(markdown.fence(text, language.strip().lower()))

    def quotation(self, node, contents, out):
        if self.flat:
            out.add(self.inline(contents), self.plain(contents))
        else:
            out.block(markdown.quotation(self.blocks(contents)))

    def html_list(self, node, contents, out):
        """A list that is written in HTML."""
        items = [self.inline(item.contents.nodes) for item in contents
                 if isinstance(item, Tag) and item.contents is not None]
        if self.flat:
            out.add("; ".join(items), self.plain(contents))
        else:
            mark = "1." if str(node.tag).lower() == "ol" else "-"
            out.block("\n".join(f"{mark} {item}" for item in items if item.strip()))

    def gallery(self, node, contents, out):
        items = []
        for line in filter(None, map(str.strip, self.plain(contents).split("\n"))):
            name, _, rest = line.partition("|")
            captions = self.options(mwparserfromhell.parse(rest)) if rest else []
            items.append(self.file(self.titles.split(name)[1], captions))
        if self.flat:
            out.add("; ".join(filter(None, items)), "")
        else:
            out.block("\n".join(f"- {item}" for item in items if item))

    def reference(self, node, contents, out):
        """A footnote; one with a name may have its text elsewhere."""
        key = tuple(str(node.get(name).value).strip() if node.has(name) else ""
                    for name in ("group", "name"))
        if not key[1]:
            key = (key[0], len(self.note_texts), "unnamed")
        number = self.notes.setdefault(key, len(self.notes) + 1)
        text = markdown.one_line(self.inline(contents)) if contents else ""
        self.note_texts[number] = self.note_texts.get(number) or text
        out.add(f"[^{number}]", "")

    def references(self, node, contents, out):
        self.flat_lines(contents)

    def table(self, node, contents, out):
        rows = layout.table_rows(self, contents)
        if self.flat:
            out.add("; ".join(", ".join(filter(None, row.cells)) for row in rows if row.cells),
                    self.plain(contents))
            return
        for row in rows:
            if row.caption:
                out.block(markdown.wrap("**", row.caption))
        rows = [row for row in rows if row.cells]
        out.block(markdown.table([row.cells for row in rows], bool(rows) and rows[0].head))


HANDLERS = {
    "nowiki": Converter.nowiki, "br": Converter.line_break, "hr": Converter.rule,
    "pre": Converter.preformatted, "syntaxhighlight": Converter.preformatted,
    "source": Converter.preformatted, "blockquote": Converter.quotation,
    "ul": Converter.html_list, "ol": Converter.html_list, "dl": Converter.html_list,
    "gallery": Converter.gallery, "ref": Converter.reference,
    "references": Converter.references, "table": Converter.table,
}
