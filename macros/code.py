"""``<<code>>``: code, highlighted."""

import re
from functools import lru_cache

from markupsafe import Markup
from pygments import highlight as highlighted
from pygments.lexers import TextLexer, get_lexer_by_name, get_lexer_for_filename
from pygments.util import ClassNotFound

from wiki.errors import BadValue, MacroError
from wiki.language.links import attachment_url
from wiki.rendering.attached import attachment as attached
from wiki.rendering.attached import read_head, shown_page
from wiki.rendering.fences import formatter
from wiki.rendering.macros import MacroContext, PageName, macro
from wiki.translate import gettext, gettext_html

#: Longer code is shown plain: some of the highlighter's languages take very long.
MAX_HIGHLIGHTED = 200_000
#: How much of an attached file is shown, bytes.
MAX_FILE = 100_000
#: The highest line that can be marked.
MAX_LINE = 1_000_000
_RANGE = re.compile(r"(\d{1,7})(?:-(\d{1,7}))?")


@macro("code", body="raw")
def code(context: MacroContext, body: str = "", language: str = "", linenumbers: bool = False,
         highlight: str = "", title: str = "", attachment: str = "", page: PageName = "") -> Markup:
    """Show code as it is, highlighted; nothing in it is a macro or Markdown.

    `language` is its name (`python`, `yaml`, `sql`...); `linenumbers="true"` numbers the lines;
    `highlight` marks some, as in `2,5-7`; `title` stands above it.

    `attachment` in place of a body names a file, whose first 100 kB are shown; its language is
    known by its name. `page` is the page that the file is on (default: this one).

    Examples:
        <<code language="python" linenumbers="true" highlight="2" title="Hello">>
        def run(logger, wiki, task):
            logger.info("Hello")
        <</code>>
        ---
        <<code attachment="countries.csv" page="Tasks.ImportCountries"/>>
    """
    note = Markup("")
    if attachment:
        file = attached(context, attachment, page)
        head = read_head(file, MAX_FILE)
        body, title = head.text, title or attachment
        if not head.whole:
            note = Markup('<p class="note">{}</p>').format(gettext_html(
                'These are its first %(shown)s of %(size)s bytes: '
                '<a href="%(url)s">the whole file</a>.', shown=f"{MAX_FILE:,}",
                size=f"{file.record.size:,}", url=attachment_url(
                    shown_page(context, page).record.reference, attachment)))
    elif not body.strip():
        raise MacroError(gettext(
            'it needs a body, or the name of an attachment: <<code attachment="script.py"/>>'))
    html = _highlight(body.strip("\r\n") + "\n", language.strip(), attachment, linenumbers,
                      _lines(highlight))
    head_line = Markup("<figcaption>{}</figcaption>").format(title) if title else ""
    return (Markup('<figure class="code-block">{}{}{}</figure>').format(head_line, html, note)
            if title or note else html)


def _lines(text: str) -> frozenset[int]:
    """``2,5-7`` as numbers; raises MacroError."""
    found: set[int] = set()
    for part in filter(None, (item.strip() for item in text.split(","))):
        match = _RANGE.fullmatch(part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not 0 < first <= last <= MAX_LINE or len(found) + last - first > MAX_HIGHLIGHTED:
            raise BadValue("highlight", gettext(
                "%(part)s is no line and no range such as 5-7", part=repr(part[:40])))
        found.update(range(first, last + 1))
    return frozenset(found)


@lru_cache(maxsize=64)
def _highlight(text: str, language: str, filename: str, linenumbers: bool,
               lines: frozenset[int]) -> Markup:
    try:
        lexer = (TextLexer() if len(text) > MAX_HIGHLIGHTED
                 else get_lexer_by_name(language) if language
                 else get_lexer_for_filename(filename) if filename else TextLexer())
    except ClassNotFound:
        if language:
            raise BadValue("language", gettext(
                "%(language)s is not known to the highlighter", language=repr(language))) from None
        lexer = TextLexer()
    return Markup(highlighted(text, lexer, formatter(int(linenumbers), tuple(sorted(lines)))))
