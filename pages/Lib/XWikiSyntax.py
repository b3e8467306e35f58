"""Convert xwiki/2.0 and xwiki/2.1 to Markdown, as far as common pages go.

What is not plain text, a link or a macro say, is converted first and put away; a mark of two
private characters stands in its place until the lines are put together.
"""

import re
from collections import Counter
from dataclasses import dataclass, field

from wiki.references import HOME

load = wiki.load  # noqa: F821 - a module's page is given the wiki
markdown = load("Lib.MarkdownText")
references = load("Lib.XWikiReferences")
layout = load("Lib.WikitextLayout")
from_html = load("Lib.HTMLText")
tokens = load("Lib.XWikiTokens")

#: Deeper groups and macros are shown as code.
DEEPEST = 15
#: Around the number of what was put away.
OPEN, CLOSE = "\ue000", "\ue001"
MARK = re.compile(f"{OPEN}(\\d+){CLOSE}")
STYLES = re.compile(r"\*\*|//|__|--|\^\^|,,|##|\\\\")
HEADING = re.compile(r"\s*(={1,6})\s*(.*?)\s*=*\s*$")
FENCE = re.compile(r"^ *(`{3,})[^\n`]*\n(.*?)\n *\1$", re.M | re.S)
LIST = re.compile(r"\s*(?:(?P<marks>[*1]+)(?P<dot>\.)?|(?P<terms>[:;]+))\s+(?P<text>.*)")
SCRIPTS = ("velocity", "groovy", "python", "script", "ruby", "php", "javascript")
MESSAGES = {"info": "info", "warning": "warning", "error": "error", "success": "success",
            "box": "box", "infomessage": "info", "warningmessage": "warning",
            "errormessage": "error", "successmessage": "success"}
TRANSPARENT = ("container", "section", "column", "columns", "cache", "async", "gallery", "figure",
               "figureCaption", "context", "wikimacrocontent")
DROPPED = ("comment", "id", "anchor", "putFootnotes", "wikimacroparameter", "rightsBar")
LISTS = ("children", "documents", "documentTree", "spaceindex", "spaces")
MARKS = {"**": ("**", "**"), "//": ("*", "*"), "__": ("<u>", "</u>"), "--": ("~~", "~~"),
         "^^": ("<sup>", "</sup>"), ",,": ("<sub>", "</sub>"), "##": ("<code>", "</code>")}


@dataclass
class Page:
    """What a content became."""

    markdown: str = ""
    #: What has no equal here: what it is -> how often.
    lost: Counter = field(default_factory=Counter)


def convert(text, base, places):
    """The content of the document `base` (the names of its spaces and its own) as a Page."""
    text = markdown.without_controls(text).replace(OPEN, "\ufffd").replace(CLOSE, "\ufffd")
    converter = Converter(base, places)
    try:
        blocks = [converter.blocks(text), *(f"[^{number}]: {note}" for number, note
                                            in enumerate(converter.notes, 1))]
    except RecursionError:
        return Page(markdown.fence(text), Counter({"pages too deeply nested": 1}))
    return Page("\n\n".join(filter(None, blocks)), converter.lost)


@dataclass
class Kept:
    """What was put away: its Markdown, and whether it stands on lines of its own."""

    text: str
    is_block: bool = False


class Converter:
    """Goes through one document."""

    def __init__(self, base, places):
        self.base = base
        self.places = places
        self.lost = Counter()
        self.notes = []
        self.kept = []
        self.depth = 0

    def blocks(self, text):
        """A text as blocks of Markdown."""
        if self.depth >= DEEPEST:
            return markdown.fence(text)
        self.depth += 1
        try:
            return layout.blocks(self.lines(self.put_away(text)))
        finally:
            self.depth -= 1

    def inline(self, text):
        """A text within a line."""
        return markdown.one_line(self.blocks(text).replace("\n\n", "<br>"))

    # -- what is put away --------------------------------------------------------------------

    def put_away(self, text):
        out, position, missing = [], 0, set()
        while match := tokens.TOKEN.search(text, position):
            out.append(text[position:match.start()])
            alone = tokens.is_alone(text, match.start())
            closer = tokens.CLOSERS.get(match[0])
            if closer in missing or (closer and text.find(closer, match.end()) < 0):
                missing.add(closer)  # and is not looked for again
                position, kept = match.end(), Kept(markdown.escape(match[0]))
            else:
                position, kept = self.token(text, match, alone)
            out.append(self.keep(kept) if kept is not None else "")
        out.append(text[position:])
        return "".join(out)

    def keep(self, kept):
        self.kept.append(kept)
        mark = f"{OPEN}{len(self.kept) - 1}{CLOSE}"
        return f"\n{mark}\n" if kept.is_block else mark

    def token(self, text, match, alone):
        """Where to go on after a token, and what it became; None for nothing."""
        end = match.end()
        if match["escaped"] is not None:
            return end, Kept(markdown.escape(match["escaped"]))
        if match["verbatim"]:
            close = text.index("}}}", end)
            body = text[end:close]
            return close + 3, code(body, alone and "\n" in body)
        if match["macro"]:
            return self.macro(text, match, alone)
        if match["group"]:
            return self.group(text, end)
        if match["style"]:
            close = text.index("%)", end) + 2
            return close + text.startswith("\n", close), None
        if match["link"]:
            return end, Kept(self.link(match["link"]))
        if match["url"]:
            return end, Kept(markdown.link("", match["url"]))
        return end, Kept(self.file(match["file"], "", match["kind"] == "image"))

    def group(self, text, start):
        end = tokens.closing(text, start, "(((", ")))")
        if end < 0:
            return start, Kept(markdown.escape("((("))
        return end + 3, Kept(self.blocks(text[start:end]), True)

    # -- macros ------------------------------------------------------------------------------

    def macro(self, text, match, alone):
        name, end, body = match["macro"], match.end(), ""
        params = {key: re.sub("~(.)", r"\1", quoted or other or bare)
                  for key, quoted, other, bare in tokens.PARAM.findall(match["params"])}
        if not match["empty"]:
            close = tokens.closing(text, end, "{{" + name, "{{/" + name + "}}")
            if close < 0:
                return end, Kept(markdown.code(match[0]))
            body, end = text[match.end():close], close + len(name) + 5
        alone = alone and text[end:end + 1] in ("", "\n")
        source = text[match.start():end]
        return end, self.call(name, params, body, source, alone)

    def call(self, name, params, body, source, alone):
        """What a macro becomes; None for nothing."""
        if name in ("code", "noformat", "formula"):
            return code(body, alone, params.get("language", ""))
        if name in SCRIPTS:
            return self.script(name, body, alone)
        if name in MESSAGES:
            return self.message(MESSAGES[name], params, body, alone)
        if name in TRANSPARENT:
            return Kept(self.blocks(body), True) if alone else Kept(self.inline(body))
        if name in ("include", "display"):
            return self.include(params)
        if name == "html":
            return self.html(params, body, alone)
        if name == "footnote":
            self.notes.append(self.inline(body))
            return Kept(f"[^{len(self.notes)}]")
        if name == "image":
            return Kept(self.file(params.get("reference", ""), params.get("alt", ""), True))
        return self.simple(name, params, source, alone)

    def simple(self, name, params, source, alone):
        if name == "toc":
            depth = params.get("depth", "")
            return Kept(f'<<toc depth="{depth}"/>>' if depth.isdecimal() else "<<toc/>>", True)
        if name in LISTS:
            return Kept("<<children/>>", True)
        if name in ("attachments", "attachmentSelector"):
            return Kept("<<attachments/>>", True)
        if name == "mention":
            return Kept(markdown.escape("@" + params.get("reference", "").rpartition(".")[2]))
        if name in DROPPED:
            return None
        self.lost[f"macro {name}, kept as code"] += 1
        return code(source, alone)

    def script(self, name, body, alone):
        self.lost[f"{name} scripts, kept as code that does not run"] += 1
        if not alone:
            return code(body, False)
        note = f"A script in {name.capitalize()} stood here. It does not run in this wiki."
        return Kept(f"<<warning>>{note}<</warning>>\n\n{markdown.fence(body)}", True)

    def message(self, name, params, body, alone):
        title = params.get("title", "")
        head = f' title="{quoted(title)}"' if title else ""
        if alone:
            return Kept(f"<<{name}{head}>>\n{self.blocks(body)}\n<</{name}>>", True)
        return Kept(f"<<{name}{head}>>{self.inline(body)}<</{name}>>", True)

    def include(self, params):
        target = params.get("reference") or params.get("document") or params.get("page") or ""
        page = self.places.page(target.removeprefix("doc:"), self.base)
        return Kept(f'<<include page="{quoted(str(page))}"/>>', True)

    def html(self, params, body, alone):
        self.lost["html macros, turned into Markdown"] += 1
        if params.get("wiki") == "true":
            body = re.sub(r"</?(?:div|span|p)\b[^>]*>", "\n", body)
            return Kept(self.blocks(body), True)
        text = from_html.convert(body)
        return Kept(text, True) if alone else Kept(markdown.one_line(text))

    # -- links -------------------------------------------------------------------------------

    def link(self, source):
        label, arrow, target = source.rpartition(">>")
        if arrow and "||" in label and label.rpartition(">>")[1]:
            label, _, target = source.partition(">>")
        target = target.partition("||")[0].strip()
        shown = self.label(label) if arrow else ""
        typed = references.TYPED.match(target)
        kind, rest = (typed[1], typed[2]) if typed else ("", target)
        if target.startswith("image:"):
            return self.file(target.removeprefix("image:"), shown, True)
        if kind == "attach":
            return self.file(rest, shown, False)
        if kind == "mailto":
            return markdown.link(shown or markdown.escape(rest), target)
        if kind in ("url", "path"):
            return markdown.link(shown, rest)
        if references.is_url(target):
            return markdown.link(shown, target)
        if kind in ("unc", "data", "icon"):
            return shown or markdown.code(target)
        return self.page_link(kind, rest, shown)

    def label(self, text):
        """The label of a link, which may be a picture."""
        text = text.strip()
        if text.startswith("image:"):
            return markdown.escape(text.removeprefix("image:").rpartition("@")[2])
        return self.inline(text)

    def page_link(self, kind, target, shown):
        target, _, anchor = target.partition("#")
        anchor = markdown.anchor_of(re.sub(r"^H(?=[A-Z0-9])", "", anchor)) if anchor else ""
        if not target.strip():
            return markdown.anchor_link(shown or markdown.escape(anchor), anchor)
        if kind == "space":
            target += ".WebHome"
        page = self.places.page(target, self.base)
        name = page.spaces[-1] if page.name == HOME else page.name
        return markdown.page_link(shown or markdown.escape(name), page, anchor)

    def file(self, target, label, shown):
        """A link to an attachment, or with `shown` the picture."""
        target = target.partition("?")[0].strip()
        if references.is_url(target):
            return markdown.image(label, target) if shown else markdown.link(label, target)
        page, at, filename = target.rpartition("@")
        filename = references.names.filename(re.sub(r"\\(.)", r"\1", filename))
        if at:
            filename = f"{self.places.page(page, self.base)}@{filename}"
        label = label or markdown.escape(filename.rpartition("@")[2])
        return markdown.attached(label, filename, shown)

    # -- lines -------------------------------------------------------------------------------

    def lines(self, text):
        """The lines, as those of :mod:`Lib.WikitextLayout`."""
        found, table = [], []
        for line in text.split("\n"):
            if line.lstrip().startswith("|") or (table and line.strip()):
                table.append(line)
                continue
            found += self.table(table)
            table = []
            found.append(self.line(line))
        return found + self.table(table)

    def line(self, line):
        mark = MARK.fullmatch(line.strip())
        if mark and self.kept[int(mark[1])].is_block:
            return layout.Line(text=self.kept[int(mark[1])].text, is_block=True)
        heading = HEADING.match(line)
        if heading and heading[2]:
            return layout.Line(text=markdown.heading(len(heading[1]), self.styled(heading[2])),
                               is_block=True)
        if re.fullmatch(r"\s*-{4,}\s*", line):
            return layout.Line(text="---", is_block=True)
        quote = re.match(r"(>+)\s?(.*)", line)
        if quote:
            return layout.Line(":" * len(quote[1]), self.styled(quote[2]))
        item = LIST.match(line)
        if item and (item["terms"] or item["dot"] or set(item["marks"]) == {"*"}):
            marks = item["terms"] or item["marks"].replace("1", "#")
            return layout.Line(marks, self.styled(item["text"]))
        return layout.Line("", self.styled(line))

    def table(self, lines):
        """Lines that begin with a bar; others among them belong to the cell before."""
        if not lines:
            return []
        rows = []
        for line in lines:
            if line.lstrip().startswith("|"):
                cells = [cell.strip() for cell in line.strip().removeprefix("|").split("|")]
                rows.append(cells)
            else:
                rows[-1][-1] += "\n" + line
        header = all(cell.startswith("=") for cell in rows[0])
        text = markdown.table([[self.cell(cell) for cell in row] for row in rows], header)
        return [layout.Line(text=text, is_block=True)]

    def cell(self, text):
        head = text.startswith("=")
        styled = self.styled(text.removeprefix("="))
        return styled.strip() if not head else styled.replace("**", "").strip()

    def styled(self, text):
        """A text with its styles, and what was put away back in its place. A style that is not
        closed is text."""
        open_styles, pieces = [], [[]]
        position = 0
        for match in STYLES.finditer(text):
            pieces[-1].append(self.plain(text[position:match.start()]))
            position = match.end()
            if match[0] == "\\\\":
                pieces[-1].append("<br>")
            elif match[0] in open_styles:
                while open_styles[-1] != match[0]:
                    reopen(open_styles, pieces)
                open_styles.pop()
                start, end = MARKS[match[0]]
                inner = "".join(pieces.pop())
                pieces[-1].append(markdown.wrap(start, inner, end))
            else:
                open_styles.append(match[0])
                pieces.append([])
        pieces[-1].append(self.plain(text[position:]))
        while open_styles:
            reopen(open_styles, pieces)
        return "".join(pieces[0])

    def plain(self, text):
        parts = MARK.split(text)
        return "".join(self.back(self.kept[int(part)]) if number % 2 else markdown.escape(part)
                       for number, part in enumerate(parts))

    def back(self, kept):
        """What was put away, within a line."""
        if not kept.is_block:
            return kept.text
        text = FENCE.sub(lambda match: markdown.code(match[2]), kept.text)
        text = re.sub(r"(?m)^ *- ", "• ", text)
        return markdown.one_line(re.sub(r"\n+", "<br>", text))


def reopen(open_styles, pieces):
    """The innermost style was no style."""
    text = markdown.escape(open_styles.pop())
    inner = pieces.pop()
    pieces[-1] += [text, *inner]


def code(text, is_block, language=""):
    if is_block:
        return Kept(markdown.fence(text, language), True)
    return Kept(markdown.code(text))


def quoted(text):
    """The value of a macro's parameter."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
