"""``<<wanted/>>``: pages that others lead to, and that are not there."""

from markupsafe import Markup

from wiki.rendering.links import page_url
from wiki.rendering.macros import MacroContext, macro

MOST = 1000


@macro("wanted")
def wanted(context: MacroContext, limit: int = 200) -> Markup:
    """Show the pages that are not there, with how many others lead to them, most first.

    `limit` is how many are shown at most.

    Examples:
        <<wanted limit="5"/>>
    """
    size = max(1, min(limit, MOST))
    found = context.wiki.wanted(size + 1)
    if not found:
        return Markup('<p class="empty">Every page that a link leads to is there.</p>')
    items = Markup("").join(
        Markup('<li>{} <a class="count" href="{}">{:,} page{}</a></li>\n').format(
            context.link(page, str(page)), page_url(page, "backlinks"), number,
            "" if number == 1 else "s") for page, number in found[:size])
    more = '<p class="note">There are more.</p>' if len(found) > size else ""
    return Markup("<ul>\n{}</ul>{}").format(items, Markup(more))
