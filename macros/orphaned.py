"""``<<orphaned/>>``: pages that nothing leads to."""

from markupsafe import Markup

from wiki.rendering.macros import MacroContext, macro

MOST = 1000


@macro("orphaned")
def orphaned(context: MacroContext, limit: int = 200) -> Markup:
    """Show the pages that no other page leads to, by their names; home pages of spaces and hidden
    pages are left out.

    `limit` is how many are shown at most.

    Examples:
        <<orphaned limit="5"/>>
    """
    size = max(1, min(limit, MOST))
    found = context.wiki.orphaned(size + 1)
    if not found:
        return Markup('<p class="empty">Something leads to every page.</p>')
    items = Markup("").join(Markup("<li>{}</li>\n").format(context.link(page, str(page)))
                            for page in found[:size])
    more = '<p class="note">There are more.</p>' if len(found) > size else ""
    return Markup("<ul>\n{}</ul>{}").format(items, Markup(more))
