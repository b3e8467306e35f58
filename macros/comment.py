"""``<<comment>>``: a note to those who edit the page."""

from markupsafe import Markup

from wiki.rendering.macros import MacroContext, macro


@macro("comment", body="raw", inline=True)
def comment(context: MacroContext, body: str = "") -> Markup:
    """Show nothing: its body is a note to those who edit the page.

    Examples:
        Readers see this.<<comment>>And not this.<</comment>>
    """
    return Markup("")
