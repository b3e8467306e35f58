"""The lines of a wikitext as blocks of Markdown: paragraphs, lists, code, tables."""

import re
from dataclasses import dataclass, field
from itertools import groupby

from mwparserfromhell.nodes import Tag, Template

markdown = wiki.load("Lib.MarkdownText")  # noqa: F821 - a module's page is given the wiki

#: Deeper lists are shown at this depth.
DEEPEST = 8
#: Cells that one cell may span.
WIDEST = 100
#: Attributes of a cell, and those that matter here.
ATTRIBUTES = re.compile(
    r"\s*(?:(?:colspan|rowspan|align|valign|bgcolor|width|height|style|class|scope)"
    r"\s*=\s*(?:\"[^\"]*\"|[^\s\"|]+)(?:\s+|$))+", re.IGNORECASE)
SPAN = re.compile(r"(colspan|rowspan)\s*=\s*\"?(\d+)", re.IGNORECASE)


@dataclass
class Line:
    """A line, or a block that stands for itself."""

    #: `*`, `#`, `:` and `;` before the text.
    marks: str = ""
    #: As Markdown, and as it was written.
    text: str = ""
    source: str = ""
    is_block: bool = False

    @property
    def kind(self):
        if self.is_block:
            return "block"
        if self.marks:
            return "list"
        if not self.text.strip():
            return "blank"
        return "code" if self.source.startswith(" ") and self.source.strip() else "text"


class Lines:
    """Takes pieces of Markdown, and puts them together to lines."""

    def __init__(self):
        self.done = []
        self.line = Line()
        #: How many letters of the next text belong to a link before it.
        self.trail = 0

    @property
    def at_start(self):
        return not self.line.text.strip() and not self.line.marks

    def add(self, text, source):
        self.line.text += text
        self.line.source += source

    def mark(self, sign):
        """A sign of a list; a `:` within a line begins the definition of a term."""
        if self.line.text.strip():
            marks = self.line.marks[:-1]
            self.newline()
            self.line.marks = marks
        self.line.marks += sign

    def newline(self):
        self.done.append(self.line)
        self.line = Line()

    def block(self, text):
        if self.line.text.strip() or self.line.marks:
            self.newline()
        if text.strip():
            self.done.append(Line(text=text, is_block=True))

    def finish(self):
        self.newline()
        return self.done


def join(lines, separator):
    """The lines within one."""
    texts = [line.text.strip() for line in lines]
    if separator == " " and len(lines) == 1:
        return lines[0].text
    return separator.join(("• " if line.marks and separator == "\n" else "") + text
                          for line, text in zip(lines, texts, strict=True) if text)


def blocks(lines):
    """The lines as blocks."""
    found = []
    for kind, group in groupby(lines, lambda line: line.kind):
        run = list(group)
        if kind == "block":
            found += [line.text for line in run]
        elif kind == "text":
            found.append(markdown.paragraph("\n".join(line.text for line in run)))
        elif kind == "code":
            found.append(markdown.fence("\n".join(line.source[1:] for line in run)))
        elif kind == "list":
            found += list_blocks(run, 0)
    return "\n\n".join(block for block in found if block.strip())


# -- Lists -------------------------------------------------------------------------------------


def list_blocks(lines, depth):
    """Lines whose marks are the same up to `depth`, as blocks."""
    found = []
    for sign, group in groupby(lines, lambda line: sign_at(line, depth)):
        run = list(group)
        if sign == "":
            found += [markdown.paragraph(line.text) for line in run]
        elif sign in "*#":
            found.append(items(run, depth, sign))
        elif any(line.marks[depth] == ";" for line in run):
            found.append(definitions(run, depth))
        else:
            inner = "\n\n".join(list_blocks(run, depth + 1))
            found.append(markdown.quotation(inner))
    return [block for block in found if block.strip(" >\n")]


def sign_at(line, depth):
    if len(line.marks) <= depth or depth >= DEEPEST:
        return ""
    return ":" if line.marks[depth] in ":;" else line.marks[depth]


def items(lines, depth, sign):
    """A list; what has more marks than an item belongs to the item before it."""
    grouped = []
    for line in lines:
        if len(line.marks) == depth + 1 or depth + 1 >= DEEPEST or not grouped:
            grouped.append([line.text.strip(), []])
            if len(line.marks) == depth + 1 or depth + 1 >= DEEPEST:
                continue
            grouped[-1][0] = ""
        grouped[-1][1].append(line)
    found = [item(text, list_blocks(children, depth + 1),
                  f"{number}." if sign == "#" else "-")
             for number, (text, children) in enumerate(grouped, 1)]
    loose = any("\n\n" in text for text in found)
    return ("\n\n" if loose else "\n").join(found)


def item(text, inner, mark):
    """An item and what is within it: a single list follows at once, other blocks apart."""
    if not text and inner:
        return "\n\n".join(inner)
    parts = [f"{mark} {markdown.paragraph(text)}", *(markdown.indented(block, 4)
                                                    for block in inner)]
    is_list = len(inner) == 1 and inner[0].startswith(("- ", "1. "))
    return ("\n" if is_list else "\n\n").join(parts)


def definitions(lines, depth):
    """Terms and what they mean."""
    parts = []
    for line in lines:
        text = markdown.paragraph(line.text) or "…"
        is_term = line.marks[depth] == ";"
        if is_term:
            parts.append(("\n" if parts else "") + text)
        else:
            parts.append(f":   {text}" if parts else text)
    return "\n".join(parts)


# -- Tables ------------------------------------------------------------------------------------


@dataclass
class Row:
    """A row of cells, or a caption."""

    cells: list = field(default_factory=list)
    #: Whether all its cells are those of a head.
    head: bool = True
    caption: str = ""


def table_rows(converter, nodes):
    """The rows of a table; `converter` gives the Markdown of a cell."""
    rows, below = [Row()], {}
    for node in nodes:
        if not isinstance(node, Tag):
            continue
        name = str(node.tag).strip().lower()
        contents = node.contents.nodes if node.contents is not None else []
        if name in ("thead", "tbody", "tfoot"):
            rows += table_rows(converter, contents)
        elif name == "tr":
            rows.append(Row())
            add_cells(converter, contents, rows, below)
        else:
            add_cells(converter, [node], rows, below)
    return [row for row in rows if row.cells or row.caption]


def add_cells(converter, nodes, rows, below):
    """Add the cells to the last row. `below` tells how many more rows a cell of a column takes."""
    row = rows[-1]
    for node in nodes:
        if not isinstance(node, Tag) or node.contents is None:
            continue
        name = str(node.tag).strip().lower()
        text = join(converter.flat_lines(cell_nodes(node)), "\n").strip()
        if name == "caption" or (name == "td" and is_caption(node)):
            rows.insert(-1, Row(caption=markdown.one_line(text.removeprefix("+"))))
        elif name in ("td", "th"):
            fill(row, below)
            place(row, node, text, name == "th", below)
    fill(row, below)


def cell_nodes(node):
    """What is in a cell, without attributes that only a template would part from its text."""
    nodes = node.contents.nodes
    if (len(nodes) > 1 and isinstance(nodes[1], Template)
            and ATTRIBUTES.fullmatch(str(nodes[0]))):
        for name, value in SPAN.findall(str(nodes[0])):
            node.add(name.lower(), value)
        return nodes[1:]
    return nodes


def is_caption(node):
    return str(node.wiki_markup) == "|" and str(node.contents).startswith("+")


def fill(row, below):
    """Empty cells where one above reaches down."""
    while row.cells is not None and below.get(len(row.cells), 0) > 0:
        below[len(row.cells)] -= 1
        row.cells.append("")


def place(row, node, text, head, below):
    row.head = row.head and head
    columns, down = span(node, "colspan"), span(node, "rowspan")
    for number in range(columns):
        if down > 1:
            below[len(row.cells)] = down - 1
        row.cells.append("" if number else text)


def span(node, name):
    value = str(node.get(name).value).strip() if node.has(name) else ""
    return min(max(int(value), 1), WIDEST) if value.isdecimal() else 1
