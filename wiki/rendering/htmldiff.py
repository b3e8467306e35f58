"""Two renderings as one, with what differs marked by ``ins`` and ``del``."""

from __future__ import annotations

from lxml import etree  # type: ignore[import-untyped]
from lxml.html.diff import htmldiff  # type: ignore[import-untyped]
from markupsafe import Markup

from wiki.errors import TooLarge
from wiki.rendering.sanitize import sanitize

#: Past this many characters of HTML, comparing would take too long.
MAX_HTML = 400_000


def marked(old: str, new: str) -> Markup:
    """The new HTML with what was added marked, and what was removed in its place; without
    scripts, forms and all else that the sanitiser takes away. Raises TooLarge."""
    if max(len(old), len(new)) > MAX_HTML:
        raise TooLarge(f"the page is too long for this: it takes up to {MAX_HTML:,} characters of "
                       "HTML; the other views show what differs")
    try:
        found = htmldiff(sanitize(old), sanitize(new))
    except (etree.LxmlError, RecursionError, AssertionError, ValueError) as error:
        raise TooLarge(f"these two pages cannot be compared as they look ({error}); the other "
                       "views show what differs") from error
    return Markup(sanitize(found))
