"""``<<livetable/>>``: a table of pages, which readers sort, filter and page through."""

from markupsafe import Markup

from wiki.rendering.macros import MacroContext, macro
from wiki.rendering.tables.livetable import LiveTable


@macro("livetable")
def livetable(context: MacroContext, class_: str = "", columns: str = "", space: str = "",
              sort: str = "", rows: int = 25, id: str = "",
              hidden: bool = True) -> Markup:
    """Show pages as a table that readers sort, filter and page through.

    `class` is the class of objects whose pages are shown (default: all pages); `columns` are
    its properties and fields of the page such as `doc.title`, separated by commas; `space`
    keeps to one space; `sort` is the first order, `-` before it turns it round; `rows` is how
    many a page of the table has; `id` tells two tables of one class on a page apart; `hidden`
    says whether hidden pages with such an object are shown.

    Examples:
        <<livetable class="TaskExecutorCode.TaskClass" columns="doc.title, status" rows="5"/>>
    """
    return LiveTable(context, class_, columns, space, sort, rows, id, hidden).render()
