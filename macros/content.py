"""``<<content/>>``: the viewed page's own content, for sheets."""

from markupsafe import Markup

from wiki.rendering.macros import MacroContext, macro
from wiki.translate import gettext


@macro("content")
def content(context: MacroContext) -> Markup:
    """Show the content of the page that is viewed; a sheet says with it where that goes.

    Examples:
        <<content/>>
    """
    if context.source.reference == context.document.reference:  # the sheet itself is viewed
        return Markup('<p class="empty">{}</p>').format(
            gettext("The content of the page that is viewed stands here."))
    return context.render_document(context.document.reference)
