"""``<<wanted/>>``: pages that others lead to, and that are not there."""

from markupsafe import Markup

from wiki.references import Reference
from wiki.rendering.links import page_url
from wiki.rendering.lists import first_of
from wiki.rendering.macros import MacroContext, macro


@macro("wanted")
def wanted(context: MacroContext, limit: int = 200) -> Markup:
    """Show the pages that are not there, with how many others lead to them, most first.

    `limit` is how many are shown at most.

    Examples:
        <<wanted limit="5"/>>
    """
    def item(found: tuple[Reference, int]) -> Markup:
        page, number = found
        return Markup('{} <a class="count" href="{}">{:,} page{}</a>').format(
            context.link(page, str(page)), page_url(page, "backlinks"), number,
            "" if number == 1 else "s")

    return first_of(context.wiki.wanted, limit, item, "Every page that a link leads to is there.")
