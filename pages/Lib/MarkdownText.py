"""Write Markdown: texts that come from elsewhere, as code, links and tables, and no macros.

What is called `text` is plain and gets escaped; what is called `markdown` is Markdown already.
"""

import re
from urllib.parse import quote

#: What means something within a line. Some become entities, so that no `<<` and no code span
#: begins, whatever stands before.
ENTITIES = {"<": "&lt;", "`": "&#96;", "&": "&amp;", "\\": "&#92;"}
SPECIAL = re.compile(r"[*\[\]{}~`<]|\\(?![\w\s])|&(?=[#\w]+;)|(?<![^\W_])_|_(?![^\W_])")
#: What means something at the beginning of a line.
LINE_START = re.compile(r"(?P<mark>#|>|[-+](?=[ \t-]|$)|=(?==*\s*$)|:(?=[ \t])"
                        r"|\|(?=[-:| ]+$))"
                        r"|(?P<number>\d{1,9})(?=[.)](?:[ \t]|$))")
#: Control characters, which Markdown's parser uses for marks of its own.
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
#: What a link's address keeps as it is.
URL_SAFE = "/:?#@!$&'+,;=%-._"
SCHEMES = ("http:", "https:", "ftp:", "mailto:", "tel:")
#: A longer language is none.
LANGUAGE = re.compile(r"[A-Za-z0-9+#._-]{1,30}")


def without_controls(text):
    """The text with its line ends as one character, and without what is no text."""
    return CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def escape(text):
    """The text as Markdown within a line."""
    return SPECIAL.sub(lambda match: ENTITIES.get(match[0], "\\" + match[0]), text)


def paragraph(markdown):
    """Lines of text that begin nothing: no heading, no list, no quotation, no code."""
    lines = (line.strip(" \t") for line in markdown.strip().split("\n"))
    return "\n".join(LINE_START.sub(guard, line, count=1) if LINE_START.match(line) else line
                     for line in lines)


def guard(match):
    if match["number"]:
        return match["number"] + "\\"
    mark = match["mark"]
    return f"&#{ord(mark)};" if mark in ":=|" else "\\" + mark


def code(text):
    """Code within a line."""
    text = " ".join(text.split())
    if not text:
        return ""
    if re.search(r"`|<<|\\$", text):  # what a code span cannot hold
        return f"<code>{entities(text)}</code>"
    return f"`{text}`"


def entities(text):
    """The text with all that Markdown knows as entities, also where a backslash stays one."""
    return re.sub(r"[^\w\s.,;:/()'\"%$@?=-]|_", lambda match: f"&#{ord(match[0])};", text)


def fence(text, language=""):
    """Code on lines of its own, as a block."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    marks = "`" * max(3, longest + 1)
    language = language if LANGUAGE.fullmatch(language or "") else ""
    body = text.expandtabs(4).strip("\n").replace("\r", "")
    return f"{marks}{language}\n{body}\n{marks}"


def wrap(mark, markdown, end=None):
    """`**`, say, around the Markdown; spaces at its ends stay outside."""
    inner = markdown.strip()
    if not inner:
        return markdown
    before = markdown[:len(markdown) - len(markdown.lstrip())]
    after = markdown[len(markdown.rstrip()):]
    return f"{before}{mark}{inner}{end or mark}{after}"


def heading(level, markdown):
    return f"{'#' * min(max(level, 1), 6)} {one_line(markdown)}"


def one_line(markdown):
    return " ".join(markdown.split())


def label_of(markdown):
    """Markdown as the label of a link: without brackets and line ends."""
    label = one_line(markdown).replace("\\[", "&#91;").replace("\\]", "&#93;")
    label = re.sub(r">>", "&gt;&gt;", label)
    return re.sub(r"[\[\]]", lambda match: f"&#{ord(match[0])};", label)


def page_link(label, reference, anchor=""):
    """A link to a page of the wiki; an empty `label` shows the page's name."""
    target = str(reference) + (f"#{anchor}" if anchor else "")
    label = label_of(label)
    if re.search(r"[\[\]<>`|\n]", target) or len(target) + len(label) > 1500:
        shown = label or label_of(escape(str(reference)))
        return f"[{shown}]({quote(str(reference), safe='.')}{'#' + anchor if anchor else ''})"
    return f"[[{label}>>{target}]]" if label else f"[[{target}]]"


def anchor_link(label, anchor):
    """A link to a heading of the same page."""
    return f"[{label_of(label)}](#{anchor})"


def address(url):
    """The URL as Markdown takes it; empty where it is none that a page may lead to."""
    url = url.strip()
    if url.startswith("//"):
        url = "https:" + url
    if not url.lower().startswith(SCHEMES) and not url.startswith("/"):
        return ""
    return quote(url, safe=URL_SAFE)


def link(label, url):
    """A link to an address; the label alone where the address is no good."""
    target = address(url)
    if not target:
        return label or code(url)
    if not label:
        web = target.lower().startswith(("http:", "https:"))
        return f"<{target}>" if web else f"[{escape(url)}]({target})"
    return f"[{label_of(label)}]({target})"


def image(label, url):
    """A picture from the web; a link where the address is no good."""
    target = address(url)
    return f"![{label_of(label)}]({target})" if target else link(label, url)


def attached(label, filename, shown=False):
    """A link to a file of the page, or with `shown` the picture itself."""
    label = label_of(label) or label_of(escape(filename))
    if shown:  # what stands for a picture is plain
        label = re.sub(r"(?<!\\)\*", "", label)
    return f"{'!' if shown else ''}[{label}](attach:{quote(filename, safe='')})"


def table(rows, header):
    """A table of cells of Markdown; without `header` its head is empty."""
    rows = [[cell(item) for item in row] for row in rows if row]
    if not rows:
        return ""
    width = max(map(len, rows))
    rows = [row + [""] * (width - len(row)) for row in rows]
    if not header:
        rows.insert(0, [""] * width)
    lines = [" | ".join(row) for row in rows]
    lines.insert(1, " | ".join(["---"] * width))
    return "\n".join(f"| {line} |" for line in lines)


def cell(markdown):
    line = one_line(markdown.strip().replace("\n", "<br>"))
    return re.sub(r"(`[^`]*`)|\|", lambda match: match[1] or "&#124;", line)


def quotation(markdown):
    """The blocks as a quotation."""
    return "\n".join(f"> {line}" if line else ">" for line in markdown.split("\n"))


def indented(markdown, width):
    """The blocks inside a list's item, below its first line."""
    return "\n".join(" " * width + line if line else "" for line in markdown.split("\n"))


def anchor_of(title):
    """What a heading with this plain title is called in a link."""
    from markdown.extensions.toc import slugify

    return slugify(title, "-")
