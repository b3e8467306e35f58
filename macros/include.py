"""``<<include/>>``: another page in this one."""

from markupsafe import Markup

from wiki.rendering.macros import MacroContext, macro


@macro("include")
def include(context: MacroContext, page: str, section: str = "") -> Markup:
    """Show another page's content here; what runs in it runs with its own author's rights.

    `page` is its name; `section` the heading of the part to show (default: all of it).
    """
    return context.render_document(page, section or None)
