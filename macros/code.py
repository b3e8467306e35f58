"""``<<code>>``: code, highlighted."""

from functools import lru_cache

from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import TextLexer, get_lexer_by_name
from pygments.util import ClassNotFound

from wiki.errors import MacroError
from wiki.rendering.macros import MacroContext, macro

#: Longer code is shown plain: some of the highlighter's languages take very long.
MAX_HIGHLIGHTED = 200_000


@macro("code", body="raw")
def code(context: MacroContext, body: str, language: str = "", linenumbers: bool = False) -> Markup:
    """Show code as it is, highlighted; nothing in it is a macro or Markdown.

    `language` is its name (`python`, `yaml`, `sql`...); `linenumbers` numbers the lines.
    """
    return _highlight(body.strip("\r\n") + "\n", language.strip(), linenumbers)


@lru_cache(maxsize=64)
def _highlight(text: str, language: str, linenumbers: bool) -> Markup:
    try:
        lexer = get_lexer_by_name(language) if language else TextLexer()
    except ClassNotFound:
        raise MacroError(f"language: {language!r} is not known to the highlighter") from None
    if len(text) > MAX_HIGHLIGHTED:
        lexer = TextLexer()
    formatter = HtmlFormatter(cssclass="highlight", wrapcode=True,
                              linenos="table" if linenumbers else False)
    return Markup(highlight(text, lexer, formatter))
