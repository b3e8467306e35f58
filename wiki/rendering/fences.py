"""Code between fences as HTML: highlighted, with numbers and marks on lines, or a diagram."""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from wiki.language.text import unescape

#: Longer code is not highlighted: some lexers take long.
MAX_HIGHLIGHTED = 100_000
#: The highest number of a line.
MAX_NUMBER = 1_000_000

_OPTION = re.compile(r"(?<![A-Za-z_])([A-Za-z_]+)=(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'{}]+))")
_LINES = re.compile(r"(\d{1,6})(?:-(\d{1,6}))?")


def fenced(info: str, code: str) -> str:
    """The HTML of a fence's code. ``info`` is what its first line says: a language, and
    ``linenums="1"`` (also ``linenos``, and a number or ``true``), ``hl_lines="2 4-6"``,
    ``title="…"``."""
    info = unescape(info)
    options = {match[1]: next(part for part in match.groups()[1:] if part is not None)
               for match in _OPTION.finditer(info)} if "=" in info else {}
    words = _OPTION.sub("", info).strip("{} \t").split()
    language = words[0].removeprefix(".") if words else ""
    if language == "mermaid":
        return f'<pre class="mermaid"><code>{escape(code)}</code></pre>'
    html = _code(language, code, options)
    if options.get("title"):
        html = (f'<figure class="code-block"><figcaption>{escape(options["title"])}</figcaption>'
                f"{html}</figure>")
    return html


def _code(language: str, code: str, options: dict[str, str]) -> str:
    lexer = _lexer(language) if len(code) <= MAX_HIGHLIGHTED else None
    first = _first_number(options.get("linenums") or options.get("linenos", ""))
    if lexer is None or not code:
        return f"<pre><code{_class(language)}>{escape(code, quote=False)}</code></pre>"
    marked = tuple(_marked(options.get("hl_lines", "")))
    html: str = highlight(code, lexer, formatter(first, marked)).rstrip("\n")
    return html.replace("<pre><span></span><code>", f"<pre><code{_class(language)}>", 1)


@lru_cache(maxsize=64)
def formatter(first: int, marked: tuple[int, ...]) -> HtmlFormatter[str]:
    """Highlighted code as HTML: ``first`` is the number of its first line, 0 for no numbers, and
    ``marked`` are the lines that stand out."""
    return HtmlFormatter(cssclass="highlight", wrapcode=True, hl_lines=list(marked),
                         linenos="table" if first else False, linenostart=first or 1)


def _first_number(text: str) -> int:
    """That of the first line; 0 for no numbers."""
    if text.isdecimal():
        return min(int(text[:10]), MAX_NUMBER)
    return int(text.lower() in ("true", "yes", "on", "table", "inline"))


def _class(language: str) -> str:
    return f' class="language-{escape(language)}"' if language else ""


def _marked(text: str) -> list[int]:
    found: list[int] = []
    for match in _LINES.finditer(text):
        last = min(int(match[2] or match[1]), int(match[1]) + 1000)
        found.extend(range(int(match[1]), last + 1))
    return found[:10_000]


def _lexer(language: str) -> Lexer | None:
    if not language:
        return None
    try:
        return get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return None
