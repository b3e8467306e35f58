"""``<<toc/>>``: the page's headings."""

from markupsafe import Markup

from wiki.rendering.engine import headings
from wiki.rendering.macros import MacroContext, macro


@macro("toc")
def toc(context: MacroContext, depth: int = 3, start: int = 1) -> Markup:
    """List the page's headings with links to them.

    `depth` is the lowest level that is listed, `start` the highest (1 to 6).
    """
    def finish(html: str) -> Markup:
        items = [Markup('<li class="level-{}"><a href="#{}">{}</a></li>').format(
                     level, anchor, text)
                 for level, anchor, text in headings(html) if start <= level <= depth]
        if not items:
            return Markup("")
        return Markup('<nav class="toc" aria-label="Contents"><ul>{}</ul></nav>').format(
            Markup("").join(items))
    return context.defer(finish)
