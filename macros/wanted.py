"""``<<wanted/>>``: pages that others lead to, and that are not there."""

from markupsafe import Markup

from wiki.language.links import page_url
from wiki.references import Reference
from wiki.rendering.lists import first_of
from wiki.rendering.macros import MacroContext, macro
from wiki.translate import gettext, ngettext


@macro("wanted")
def wanted(context: MacroContext, limit: int = 200) -> Markup:
    """Show the pages that are not there, with how many others lead to them, most first.

    `limit` is how many are shown at most.

    Examples:
        <<wanted limit="5"/>>
    """
    def item(found: tuple[Reference, int]) -> Markup:
        page, number = found
        return Markup('{} <a class="count" href="{}">{}</a>').format(
            context.link(page, str(page)), page_url(page, "backlinks"),
            ngettext("%(num)s page", "%(num)s pages", number, num=f"{number:,}"))

    return first_of(context.wiki.wanted, limit, item,
                    gettext("Every page that a link leads to is there."))
