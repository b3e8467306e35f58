"""``<<content/>>``: the viewed page's own content, for sheets."""

from markupsafe import Markup

from wiki.rendering.macros import MacroContext, macro


@macro("content")
def content(context: MacroContext) -> Markup:
    """Show the content of the page that is viewed; a sheet says with it where that goes."""
    return context.render_document(context.document.reference)
