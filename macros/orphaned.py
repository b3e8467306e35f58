"""``<<orphaned/>>``: pages that nothing leads to."""

from markupsafe import Markup

from wiki.rendering.lists import first_of
from wiki.rendering.macros import MacroContext, macro
from wiki.translate import gettext


@macro("orphaned")
def orphaned(context: MacroContext, limit: int = 200) -> Markup:
    """Show the pages that no other page leads to, by their names; home pages of spaces and hidden
    pages are left out.

    `limit` is how many are shown at most.

    Examples:
        <<orphaned limit="5"/>>
    """
    return first_of(context.wiki.orphaned, limit, lambda page: context.link(page, str(page)),
                    gettext("Something leads to every page."))
