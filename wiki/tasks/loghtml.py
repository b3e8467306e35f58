"""Lines of a log as HTML: levels, times, colours, what was searched for, long lines cut.

The same HTML stands on a page at first and comes with each line that follows, so that nothing is
shown in two ways.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import quote, urlencode

from markupsafe import Markup, escape

from wiki.tasks.ansi import spans
from wiki.tasks.logline import CONTROLS, Line, as_text, parse_lines

#: The page that shows a log.
VIEWER = "/TaskExecutorCode.ShowLog"
#: The levels of a log's lines, least first; OUT and ERR are what a script prints.
LEVELS = ("DEBUG", "INFO", "OUT", "WARN", "ERR", "ERROR")
#: Of a longer line only so many characters are shown at first, and at most so many at all.
SHOWN = 2000
MOST = 256 * 1024
_CLOSING = Markup("</span>")
_INDENT = {"header": "", "more": "  ", "fields": " "}

_LINE = Markup('<span class="line {css}" id="L{offset}">{head}{text}{rest}\n</span>')
_HEAD = Markup('<a class="log-at" href="{url}" title="Link to this line">'
               '[<time datetime="{time}">{stamp}</time>]</a> '
               '<span class="log-level">{level}</span> - ')
_REST = Markup('<a class="log-rest" href="{url}" data-offset="{offset}">'
               '… {size:,} bytes in all: show all</a>')


def viewer_url(log: str, **args: object) -> str:
    """The address of a log, or of a place in it."""
    return f"{VIEWER}?{urlencode({'log': log, **args})}"


def line_url(log: str, offset: int) -> str:
    """A lasting link to the line at this offset."""
    return f"{viewer_url(log, at=offset)}#L{offset}"


def api_url(log: str, rest: str = "", **args: object) -> str:
    """The address of a log in the API."""
    query = f"?{urlencode(args)}" if args else ""
    return f"/api/v1/logs/{quote(log, safe='')}{rest}{query}"


def render(log: str, data: bytes, offset: int, q: str = "", at: int | None = None,
           whole: bool = False) -> Markup:
    """A part of a log that begins at ``offset``.

    ``q`` is marked where it stands, and so is the line at ``at``; ``whole`` cuts no line.
    """
    return Markup("").join(render_lines(log, parse_lines(data, offset), q, at, whole))


def render_lines(log: str, lines: Iterable[Line], q: str = "", at: int | None = None,
                 whole: bool = False) -> Iterator[Markup]:
    """Each line; those after a header have its level."""
    marks = re.compile(re.escape(q), re.IGNORECASE) if q else None
    most = MOST if whole else SHOWN
    level = ""
    for line in lines:
        if line.kind == "header":
            level = f"level-{line.level.lower()}"
        css = [level, *(() if line.kind == "header" else ("more",)),
               *(("log-fields",) if line.kind == "fields" else ()),
               *(("log-here",) if line.offset == at else ())]
        body = as_text(line.body[:4 * most + 1])  # a character has at most four bytes
        rest = _rest(log, line) if len(body) > most else ""
        yield _LINE.format(css=" ".join(css).strip(), offset=line.offset, head=_head(log, line),
                           text=_text(_INDENT[line.kind] + body[:most].translate(CONTROLS), marks),
                           rest=rest)


def _head(log: str, line: Line) -> Markup:
    if line.kind != "header":
        return Markup("")
    return _HEAD.format(url=line_url(log, line.offset), time=line.time, stamp=line.stamp,
                        level=line.level)


def _rest(log: str, line: Line) -> Markup:
    url = api_url(log, offset=line.offset, limit=len(line.data))
    return _REST.format(url=url, offset=line.offset, size=len(line.data))


def _text(text: str, marks: re.Pattern[str] | None) -> Markup:
    """Text with its colours, and with what was searched for marked."""
    made = []
    for span in spans(text):
        inner = _marked(span.text, marks) if marks else escape(span.text)
        made += [_opening(span.classes), inner, _CLOSING] if span.classes else [inner]
    return Markup("").join(made)


@lru_cache(maxsize=1024)
def _opening(classes: str) -> Markup:
    """Made once, since a line that is no text has thousands."""
    return Markup('<span class="{}">').format(classes)


def _marked(text: str, marks: re.Pattern[str]) -> Markup:
    made, position = [], 0
    for hit in marks.finditer(text):
        made += [escape(text[position:hit.start()]), Markup("<mark>{}</mark>").format(hit[0])]
        position = hit.end()
    return Markup("").join([*made, escape(text[position:])])
