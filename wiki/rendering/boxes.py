"""The boxes that stand in the place of what cannot be shown."""

from __future__ import annotations

import traceback

from markupsafe import Markup

from wiki.errors import WikiError
from wiki.language import links
from wiki.references import Reference
from wiki.rendering.context import MacroContext


def _box(tag: str, place: str) -> Markup:
    return Markup(f'<{tag} class="box error macro-error" role="alert"><strong>%(what)s</strong> '
                  f"%(message)s{place}</{tag}>")


#: By whether it stands within a line, and whether its place is known.
_BOXES = {(inline, placed): _box("span" if inline else "div", place)
          for inline in (False, True)
          for placed, place in ((False, ""),
                                (True, " <small>line %(line)d, column %(column)d</small>"))}


def error_box(message: str, what: str = "", line: int = 0, column: int = 0,
              inline: bool = False) -> Markup:
    """The box that stands in the place of what cannot be shown, and says why."""
    return _BOXES[inline, line > 0] % {"what": what, "message": message, "line": line,
                                       "column": column}


def missing_page(context: MacroContext, reference: Reference, macro: str) -> Markup:
    """The box of a macro that would show a page which is not there, with a link to make it."""
    tag = Markup("span" if context.inline else "div")
    return Markup('<{} class="box error macro-error" role="alert"><strong>{}</strong> There is '
                  'no page {}. <a class="missing" href="{}">Create it</a></{}>').format(
        tag, f"<<{macro}>>", reference, links.page_url(reference, "edit"), tag)


def why(error: Exception) -> str:
    """What a box says of the exception that a macro raised."""
    if isinstance(error, WikiError):
        return str(error)
    if isinstance(error, RecursionError):
        return "it nests too deep"
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({frame.name}, line {frame.lineno})"
