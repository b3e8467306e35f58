"""What one page may cost: counted, so that the same page always ends at the same place."""

from __future__ import annotations

from markupsafe import Markup

from wiki.rendering import markdown
from wiki.rendering.boxes import error_box
from wiki.rendering.state import RenderState
from wiki.translate import gettext, marked

#: How deep macros and includes nest.
MAX_DEPTH = 15
#: How many macros a page runs.
MAX_MACROS = 5_000
#: How often ``<<`` stands in the texts that a page renders: each is read as the parser's. The
#: body of a macro within another one's is read as often as it is deep.
MAX_MARKS = 40_000
#: How much text a page renders, in characters: its own, bodies, other pages.
MAX_SOURCE = 10_000_000
#: More than this is rendered by a worker.
LOCAL_SOURCE = 1_000_000
#: How much HTML a page gives before no further macro is run, in characters.
MAX_OUTPUT = 2_500_000


def passed(state: RenderState) -> str:
    """Which limit of a page the rendering passed, if any."""
    for value, limit, message in (
            (state.macros, MAX_MACROS, marked("a page runs %(most)s macros")),
            (state.source, MAX_SOURCE, marked("a page renders %(most)s characters of text")),
            (state.output, MAX_OUTPUT, marked("a page gives %(most)s characters of HTML"))):
        if value > limit:
            return gettext(message, most=f"{limit:,}")
    return ""


def unread(state: RenderState, text: str) -> Markup | None:
    """Take note that a text is to be rendered. Where that would be too many macros to read, what
    is shown instead: a box that says so, and the text as it is."""
    state.source += len(text)
    marks = text.count("<<")
    if state.marks + marks > MAX_MARKS:
        box = error_box(gettext(
            "The texts of a page hold << %(most)s times, and no more; this one is shown as it is.",
            most=f"{MAX_MARKS:,}"))
        return box + Markup(markdown.plain(state.stash.restore(text, html=False)))
    state.marks += marks
    return None
