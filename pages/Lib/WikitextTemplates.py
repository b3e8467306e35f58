"""Templates that wikis have taken over from Wikipedia, as the text that they show there."""

import re

markdown = wiki.load("Lib.MarkdownText")  # noqa: F821 - a module's page is given the wiki

SOURCE = re.compile(r"cite [a-z ]+|citation")
#: Template -> what stands before the pages that it names.
POINTERS = {"main": "Main article", "main article": "Main article", "see also": "See also",
            "further": "Further information", "details": "Further information"}
#: Templates that show their last value as it is; the others say what language it is in.
SPEECH = ("lang", "transl")
#: Authors that are named.
MOST_AUTHORS = 8


def shown(template, inline, link):
    """What the call of a template shows, as Markdown; empty for one that is not known here.

    `inline` makes Markdown of nodes, `link` of a title.
    """
    name = " ".join(str(template.name).replace("_", " ").split()).lower()
    values = {str(item.name).strip().lower(): item.value for item in template.params}
    unnamed = [item.value for item in template.params if not item.showkey]
    if SOURCE.fullmatch(name):
        return source(values, inline)
    if name in POINTERS:
        titles = [str(value).strip() for value in unnamed if str(value).strip()]
        links = ", ".join(map(link, titles))
        return f"*{POINTERS[name]}:* {links}" if links else ""
    return inline(unnamed[-1].nodes).strip() if name in SPEECH and unnamed else ""


def source(values, inline):
    """A book, an article or a page of the web; empty where it has no title."""
    def text(*names):
        found = (inline(values[name].nodes).strip() for name in names if name in values)
        return next(filter(None, found), "")

    title = text("title")
    if not title:
        return ""
    url = str(values.get("url", "")).strip()
    if "[[" in title:  # the title is a link itself
        title += f" ({markdown.link('', url)})" if url else ""
    elif url:
        title = markdown.link(title, url)
    work = text("work", "journal", "newspaper", "magazine", "website", "encyclopedia")
    pages = text("pages", "page")
    isbn = text("isbn")
    parts = ["; ".join(authors(text)), title, markdown.wrap("*", work) if work else "",
             text("publisher"), text("date", "year"), f"p. {pages}" if pages else "",
             f"ISBN {isbn}" if isbn else ""]
    return ". ".join(part.removesuffix(".") for part in parts if part) + "."


def authors(text):
    for number in ("", *range(1, MOST_AUTHORS + 1)):
        last = text(f"last{number}", f"author{number}")
        first = text(f"first{number}")
        if last:
            yield f"{last}, {first}" if first else last
