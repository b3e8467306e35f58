"""The boxes that stand in the place of what cannot be shown."""

from __future__ import annotations

import traceback

from markupsafe import Markup

from wiki.errors import WikiError
from wiki.language import links
from wiki.references import Reference
from wiki.rendering.context import MacroContext
from wiki.translate import gettext

_BOX = Markup('<{tag} class="box error macro-error" role="alert"><strong>{what}</strong> '
              "{message}{place}</{tag}>")


def error_box(message: str, what: str = "", line: int = 0, column: int = 0,
              inline: bool = False) -> Markup:
    """The box that stands in the place of what cannot be shown, and says why."""
    place = Markup(" <small>{}</small>").format(
        gettext("line %(line)s, column %(column)s", line=line, column=column)) if line > 0 else ""
    return _BOX.format(tag=Markup("span" if inline else "div"), what=what, message=message,
                       place=place)


def missing_page(context: MacroContext, reference: Reference, macro: str) -> Markup:
    """The box of a macro that would show a page which is not there, with a link to make it."""
    tag = Markup("span" if context.inline else "div")
    return Markup('<{} class="box error macro-error" role="alert"><strong>{}</strong> {} '
                  '<a class="missing" href="{}">{}</a></{}>').format(
        tag, f"<<{macro}>>", gettext("There is no page %(page)s.", page=reference),
        links.page_url(reference, "edit"), gettext("Create it"), tag)


def why(error: Exception) -> str:
    """What a box says of the exception that a macro raised."""
    if isinstance(error, WikiError):
        return str(error)
    if isinstance(error, RecursionError):
        return gettext("it nests too deep")
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return gettext("%(error)s (%(function)s, line %(line)s)",
                   error=f"{type(error).__name__}: {error}", function=frame.name,
                   line=frame.lineno)
