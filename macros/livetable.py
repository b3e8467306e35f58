"""``<<livetable/>>``: a table of pages, which readers sort, filter and page through."""

from markupsafe import Markup

from wiki.rendering.macros import MacroContext, PageName, macro
from wiki.rendering.tables.livetable import LiveTable, actions_of
from wiki.rendering.tables.spec import Spec


@macro("livetable")
def livetable(context: MacroContext, class_: PageName = "", columns: str = "", space: str = "",
              where: str = "", sort: str = "", rows: int = 25, id: str = "",
              hidden: bool = True, actions: str = "") -> Markup:
    """Show pages as a table that readers sort, filter and page through.

    `class` is the class of objects whose pages are shown (default: all pages); `columns` are
    its properties and fields of the page such as `doc.title`, separated by commas, and readers
    may choose others; `space` keeps to a space and those in it; `where` are conditions that
    always hold, as in `query`; `sort` is the first order, `-` before it turns it round; `rows` is
    how many a page of the table has; `id` names the table in addresses; `hidden` says whether
    hidden pages with such an object are shown; `actions` are what editors may do with many rows at
    once: `set` a property, `tag`, `delete`, and set tasks `ready`.

    Examples:
        <<livetable class="TaskExecutorCode.TaskClass" columns="doc.title, status" rows="5"/>>
        ---
        <<livetable class="TaskExecutorCode.TaskClass" where='status!="DONE"' sort="-doc.updated"
          actions="ready, tag" id="open"/>>
    """
    full = str(context.reference(class_)) if class_.strip() else ""
    spec = Spec.of(context.wiki, full, columns, space, where, hidden, sort, rows)
    return LiveTable(context, spec, id, actions_of(actions)).render()
