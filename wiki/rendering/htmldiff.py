"""Two renderings as one, with what differs marked by ``ins`` and ``del``."""

from __future__ import annotations

import re
import secrets

from lxml import etree  # type: ignore[import-untyped]
from lxml.html.diff import htmldiff  # type: ignore[import-untyped]
from markupsafe import Markup

from wiki.errors import TooLarge
from wiki.rendering.sanitize import sanitize
from wiki.translate import gettext

#: Past this many characters of HTML, comparing would take too long.
MAX_HTML = 400_000
#: What the sanitiser does not know, and no mark can stand in: formulas, diagrams, charts.
_WHOLE = re.compile(r'<span class="math"><math.*?</math></span>|<pre class="mermaid">.*?</pre>'
                    r'|<figure class="chart-box">.*?</figure>', re.DOTALL)


def marked(old: str, new: str) -> Markup:
    """The new HTML with what was added marked, and what was removed in its place; without
    scripts, forms and all else that the sanitiser takes away. Raises TooLarge."""
    if max(len(old), len(new)) > MAX_HTML:
        raise TooLarge(gettext(
            "the page is too long for this: it takes up to %(most)s characters of HTML; the "
            "other views show what differs", most=f"{MAX_HTML:,}"))
    try:
        wholes = _Wholes()
        found = htmldiff(sanitize(wholes.put_away(old)), sanitize(wholes.put_away(new)))
    except (etree.LxmlError, RecursionError, AssertionError, ValueError) as error:
        raise TooLarge(gettext(
            "these two pages cannot be compared as they look (%(error)s); the other views show "
            "what differs", error=error)) from error
    return Markup(wholes.put_back(sanitize(found)))


class _Wholes:
    """What is compared as one word: the same in both where it is the same."""

    def __init__(self) -> None:
        self._prefix = f"w{secrets.token_hex(8)}i"
        self._words: dict[str, str] = {}

    def put_away(self, html: str) -> str:
        """The HTML with a word, which nobody can guess, for each of them."""
        return _WHOLE.sub(self._put, html)

    def _put(self, match: re.Match[str]) -> str:
        word = self._words.setdefault(match[0], f"{self._prefix}{len(self._words)}z")
        return word if match[0].startswith("<span") else f"<div>{word}</div>"

    def put_back(self, html: str) -> str:
        wholes = {word: whole for whole, word in self._words.items()}
        return re.sub(rf"{self._prefix}\d+z", lambda match: wholes[match[0]], html)
