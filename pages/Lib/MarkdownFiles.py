"""Markdown files from elsewhere: their front matter, their links, and what would be a macro."""

import datetime
import re
import tomllib
from dataclasses import dataclass
from urllib.parse import unquote

import yaml

from wiki.language.syntax import Broken, Literal, Macro, parse

markdown = wiki.load("Lib.MarkdownText")  # noqa: F821 - a module's page is given the wiki

YAML_FRONT = re.compile(r"\A---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.S | re.M)
TOML_FRONT = re.compile(r"\A\+\+\+[ \t]*\r?\n(.*?)^\+\+\+[ \t]*(?:\r?\n|\Z)", re.S | re.M)
#: A longer front matter is none.
MAX_FRONT = 100_000
#: Macros in macros are escaped one round after the other; after so many, by entities.
MAX_ROUNDS = 20
FENCE = re.compile(r"^[ \t>]*(`{3,}|~{3,})", re.M)
#: Code within a line, or one of the links. A target has no line end in it.
LINK = re.compile(
    r"(?P<ticks>`+)(?:(?!`).|(?<!`)(?!(?P=ticks)(?!`))`)*?(?P=ticks)(?!`)"
    r"|(?P<bang>!?)\[\[(?P<wiki>[^\[\]\n]{1,1000})\]\]"
    r"|(?P<image>!?)\[(?P<label>(?:[^\[\]\\\n]|\\.|\[[^\[\]\n]*\]\([^()\n]*\)|\[[^\[\]\n]*\])*)\]"
    r"\((?P<space>[ \t]*)(?P<target><[^<>\n]*>|(?:[^\s()<>]|\([^\s()]*\))+)"
    r"(?P<title>[ \t]+(?:\"[^\"\n]*\"|'[^'\n]*'))?[ \t]*\)"
    r"|<img\s[^<>]*?\bsrc=[\"'](?P<src>[^\"'<>]+)[\"'][^<>]*>", re.I)
IMAGES = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".bmp", ".avif", ".ico")


@dataclass
class Found:
    """What a link leads to: a page, with an anchor if any, or else a file attached to the page."""

    reference: object = None
    filename: str = ""
    anchor: str = ""


# -- front matter ------------------------------------------------------------------------------


def split_front_matter(text):
    """The front matter as a dictionary, and the text behind it. What is none stays text."""
    for pattern, read in ((YAML_FRONT, yaml.safe_load), (TOML_FRONT, tomllib.loads)):
        match = pattern.match(text)
        if match and len(match[1]) <= MAX_FRONT:
            try:
                values = read(match[1]) or {}
            except (yaml.YAMLError, tomllib.TOMLDecodeError, ValueError, RecursionError):
                return {}, text
            if isinstance(values, dict):
                return {str(key): value for key, value in values.items()}, text[match.end():]
    return {}, text


def texts_of(value):
    """A list of texts, which front matter has as a list or as one text with commas."""
    if isinstance(value, str):
        value = re.split(r"[,\n]", value)
    if not isinstance(value, list):
        value = [] if value is None else [value]
    texts = (" ".join(str(item).split()) for item in value if not isinstance(item, list | dict))
    return list(dict.fromkeys(filter(None, texts)))


def date_of(value):
    """The date as text; empty where it is none."""
    if isinstance(value, datetime.date):
        return value.isoformat()
    try:
        return datetime.datetime.fromisoformat(str(value).strip()).isoformat()
    except ValueError:
        return ""


def first_heading(text):
    """The text of the first line if that is a heading, and the rest of the text."""
    match = re.match(r"\s*#[ \t]+([^\n]+?)[ \t]*#*[ \t]*(?:\n+|\Z)", text)
    if not match:
        return "", text
    return plain(match[1]), text[match.end():]


def plain(line):
    """The line without links and marks."""
    line = re.sub(r"!?\[([^\[\]]*)\](?:\([^()]*\))?", r"\1", line)
    return re.sub(r"[*_`]{1,3}([^*_`]+)[*_`]{1,3}", r"\1", line).strip()


# -- macros ------------------------------------------------------------------------------------


def escape_macros(text, but=""):
    """The text with a `~` before every `<<` that would begin a macro, `but` one."""
    for _ in range(MAX_ROUNDS):
        nodes = parse(text)
        if not any(is_macro(node, but) for node in nodes):
            return text
        text = "".join(escaped(node, but) for node in nodes)
    return text.replace("<<", "&lt;&lt;")


def is_macro(node, but):
    if isinstance(node, Macro):
        return node.name != but or node.body is not None
    return isinstance(node, Broken)


def escaped(node, but):
    if isinstance(node, Literal):
        return "~<<"
    if is_macro(node, but):
        return "~" + node.source
    return node.source if isinstance(node, Macro) else node.text


# -- links -------------------------------------------------------------------------------------


def convert_links(text, resolve):
    """The text with its links turned, outside of code."""
    return "".join(part if is_code else LINK.sub(lambda match: turned(match, resolve), part)
                   for part, is_code in split_code(text))


def split_code(text):
    """The text in parts, each with whether it is code between fences."""
    part, mark = [], ""
    for line in text.splitlines(keepends=True):
        fence = FENCE.match(line)
        if fence and not mark:
            yield "".join(part), False
            part, mark = [line], fence[1]
        elif fence and fence[1].startswith(mark) and not line[fence.end():].strip():
            part.append(line)
            yield "".join(part), True
            part, mark = [], ""
        else:
            part.append(line)
    yield "".join(part), bool(mark)


def turned(match, resolve):
    if match["wiki"]:
        return turned_wiki_link(match, resolve)
    if match["src"]:
        found = resolve(match["src"], "image")
        return markdown.attached("", found.filename, True) if found and found.filename else match[0]
    if match["target"]:
        return turned_link(match, resolve)
    return match[0]


def turned_link(match, resolve):
    """`[label](target "title")` and `![label](target)`."""
    label = convert_links(match["label"], resolve)
    target = unquote(match["target"].strip("<>"))
    found = resolve(target, "image" if match["image"] else "link")
    if found is None:
        return f"{match['image']}[{label}]" + match[0][match.end("label") + 1 - match.start():]
    if found.reference is None:
        return markdown.attached(label, found.filename, bool(match["image"]))
    if re.search(r"[\[\]*_`!<>\\]", label):  # Markdown, which a wiki link's label is not
        name = markdown.quote(str(found.reference), safe=".")
        return f"[{label}]({name}{'#' + found.anchor if found.anchor else ''})"
    return markdown.page_link(label, found.reference, found.anchor)


def turned_wiki_link(match, resolve):
    """Obsidian's `[[target|label]]` and `![[target|width]]`."""
    target, _, label = re.sub(r"\\\|", "|", match["wiki"]).partition("|")
    embedded = bool(match["bang"])
    found = resolve(target.strip(), "embed" if embedded else "wiki")
    if found is None:
        return match[0]
    if found.reference is None:
        shown = embedded and found.filename.lower().endswith(IMAGES)
        label = "" if re.fullmatch(r"[\dx ]*", label) else label
        return markdown.attached(markdown.escape(label), found.filename, shown)
    if embedded:
        section = target.partition("#")[2].replace("\\", "").replace('"', "'")
        more = f' section="{section}"' if section and not section.startswith("^") else ""
        name = str(found.reference).replace("\\", "\\\\").replace('"', '\\"')
        return f'<<include page="{name}"{more}/>>'
    return markdown.page_link(label.strip() or target.strip(), found.reference, found.anchor)
