"""The headings in a page's HTML, and what stands under one."""

from __future__ import annotations

import re
from functools import lru_cache
from html import unescape

from markupsafe import Markup

from wiki.errors import NotFound
from wiki.references import Reference
from wiki.translate import gettext

#: How many sections the error about a missing one names.
_NAMED = 12
_HEADING = re.compile(r"<h([1-6])([^>]*)>(.*?)</h\1>", re.DOTALL)
_TAGS = re.compile(r"<[^>]*>")
#: The tags of elements, and those that hold no others.
_NESTING = re.compile(r"""<(/?)([a-zA-Z][a-zA-Z0-9]*)(?:[^>"']++|"[^"]*+"|'[^']*+')*+>""")
_VOID = frozenset({"area", "br", "circle", "col", "hr", "img", "input", "line", "path", "rect",
                   "source", "wbr"})


@lru_cache(maxsize=2)
def headings(html: str) -> tuple[tuple[int, str, str], ...]:
    """The headings that can be linked to: level, id, text. Several macros of a page ask for
    them."""
    found = []
    for match in _HEADING.finditer(html):
        anchor = re.search(r'\bid="([^"]*)"', match[2])
        if anchor:
            found.append((int(match[1]), unescape(anchor[1]), _text(match[3])))
    return tuple(found)


def _text(html: str) -> str:
    return unescape(_TAGS.sub("", html)).strip()


def section_of(html: str, name: str, reference: Reference) -> Markup:
    """The part of the HTML under a heading, up to the next one as high or to the end of what
    the heading stands in; raises NotFound."""
    for match in _HEADING.finditer(html):
        anchor = re.search(r'\bid="([^"]*)"', match[2])
        if _text(match[3]) == name or (anchor and unescape(anchor[1]) == name):
            return Markup(html[match.start():_end(html, match.end(), int(match[1]))])
    names = [text for _, _, text in headings(html)[:_NAMED]]
    raise NotFound(gettext(
        "%(page)s has no section %(name)s; it has %(names)s", page=reference, name=repr(name),
        names=", ".join(names) or gettext("no headings")))


def _end(html: str, position: int, level: int) -> int:
    """Where the section of a heading that ends at the position ends; what begins in it ends in
    it too."""
    depth = 0
    for tag in _NESTING.finditer(html, position):
        name = tag[2].lower()
        if depth == 0 and (tag[1] or _level(name) <= level):
            return tag.start()
        if name not in _VOID and not tag[0].endswith("/>"):
            depth += -1 if tag[1] else 1
    return len(html)


def _level(name: str) -> int:
    """1 to 6 for a heading's element, 7 for another."""
    return int(name[1]) if len(name) == 2 and name[0] == "h" and name[1] in "123456" else 7
