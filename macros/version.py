"""``<<version/>>``: which Wikimill this is."""

from importlib.metadata import version as version_of

from markupsafe import Markup, escape

from wiki.rendering.macros import MacroContext, macro


@macro("version", inline=True)
def version(context: MacroContext) -> Markup:
    """Show the version of Wikimill.

    Examples:
        This is Wikimill <<version/>>.
    """
    return escape(version_of("wikimill"))
