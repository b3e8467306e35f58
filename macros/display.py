"""``<<display/>>``: another page as its own view shows it."""

from markupsafe import Markup

from wiki.rendering.engine import missing_page
from wiki.rendering.macros import MacroContext, PageName, macro


@macro("display")
def display(context: MacroContext, page: PageName) -> Markup:
    """Show another page as its own view does: through the sheet of its class, a task with its
    buttons and its log, say; a page without a sheet by its content.

    `page` is its name.

    Examples:
        <<display page="Executors.ImportCSVParameters"/>>
    """
    reference = context.reference(page)
    if not context.exists(reference):
        return missing_page(context, reference, "display")
    return context.display_document(reference)
