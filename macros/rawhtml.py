"""``<<html>>``: raw HTML."""

from markupsafe import Markup

from wiki.errors import MacroError
from wiki.rendering.macros import MacroContext, macro
from wiki.rights import Right, allows
from wiki.translate import gettext


@macro("html", body="markup")
def html(context: MacroContext, body: str) -> Markup:
    """Put HTML into the page as it is, unsanitised.

    Works only if the author of the text holds the script right.

    Examples:
        <<html>><p>Press <kbd>Ctrl</kbd> + <kbd>S</kbd>.</p><</html>>

    Examples:
        <<html>>
        <p><button type="button" disabled>A button</button> <meter value="0.7">70 %</meter></p>
        <</html>>
    """
    if not allows(context.author, Right.SCRIPT, context.source):
        raise MacroError(gettext(
            "%(author)s, who wrote this text, does not hold the script right, so its HTML is not "
            "shown; somebody who does must save it", author=context.author))
    return Markup(body)
