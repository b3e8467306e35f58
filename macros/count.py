"""``<<count/>>``: how many pages there are of a kind."""

from markupsafe import Markup

from wiki.rendering.macros import MacroContext, PageName, macro
from wiki.rendering.tables import conditions


@macro("count", inline=True)
def count(context: MacroContext, class_: PageName = "", where: str = "",
          space: str = "") -> Markup:
    """How many pages carry an object of a class and fit conditions, as a number in a line.

    `class`, `where` and `space` are those of `query`.

    Examples:
        There are <<count space="Help"/>> pages of help, and
        <<count class="TaskExecutorCode.TaskClass" where="status!=DONE"/>> tasks to do.
    """
    query, _ = conditions.asked(context, class_, where, space)
    return Markup("{:,}").format(context.wiki.count(query))
