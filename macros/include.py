"""``<<include/>>``: another page in this one."""

from markupsafe import Markup

from wiki.rendering.engine import missing_page
from wiki.rendering.macros import MacroContext, PageName, macro


@macro("include")
def include(context: MacroContext, page: PageName, section: str = "",
            title: bool = False) -> Markup:
    """Show another page's content here; what runs in it runs with its own author's rights.

    `page` is its name; `section` is the heading of the part to show (default: all of it);
    `title="true"` shows the page's title above it, as a link.

    Links, pictures and page names in it are read as on their own page.

    Examples:
        <<include page="Help.Syntax" section="Links" title="true"/>>
    """
    reference = context.reference(page)
    if not context.exists(reference):
        return missing_page(context, reference, "include")
    html = context.render_document(reference, section or None)
    if not title:
        return html
    name = context.wiki.get(reference).record.title or str(reference)
    return Markup('<p class="included">{}</p>\n{}').format(context.link(reference, name), html)
