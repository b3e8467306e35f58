"""``<<columns>>`` with ``<<column>>`` in it: parts of a page side by side."""

from markupsafe import Markup

from wiki.errors import BadValue
from wiki.rendering.macros import MacroContext, macro
from wiki.translate import gettext

#: The widest column, in parts.
WIDEST = 6


@macro("columns", body="rendered")
def columns(context: MacroContext, body: Markup) -> Markup:
    """Show parts of the page side by side, or one below the other where there is no room. Its
    body holds a `column` for each.

    Examples:
        <<columns>>
        <<column width="2">>Two thirds of the *width*.<</column>>
        <<column>>One third.<</column>>
        <</columns>>
    """
    return Markup('<div class="columns">{}</div>').format(body)


@macro("column", body="rendered")
def column(context: MacroContext, body: Markup, width: int = 1) -> Markup:
    """A part in `columns`. `width` is how wide it is, beside others of width 1 (1 to 6).

    Examples:
        <<columns>>
        <<column>>Left<</column>>
        <<column>>Right<</column>>
        <</columns>>
    """
    if not 1 <= width <= WIDEST:
        raise BadValue("width", gettext(
            "%(width)s is not between 1 and %(most)s", width=width, most=WIDEST))
    return Markup('<div class="column wide-{}">{}</div>').format(width, body)
