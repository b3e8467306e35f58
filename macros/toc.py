"""``<<toc/>>``: the page's headings."""

from collections.abc import Iterable, Iterator

from markupsafe import Markup, escape

from wiki.rendering.engine import headings
from wiki.rendering.macros import MacroContext, macro
from wiki.translate import gettext

#: How many headings it lists.
MOST = 2_000


@macro("toc")
def toc(context: MacroContext, depth: int = 3, start: int = 1, numbered: bool = False) -> Markup:
    """List the page's headings with links to them, those of included pages too.

    `depth` is the lowest level that is listed; `start` is the highest (1 to 6);
    `numbered="true"` numbers them: 1, 1.1, 1.2.

    Examples:
        <<toc depth="2" numbered="true"/>>
    """
    def finish(html: str) -> Markup:
        found = [heading for heading in headings(html) if start <= heading[0] <= depth]
        if not found:
            return Markup("")
        numbers = _numbers(level for level, _, _ in found[:MOST])
        # Written out, since there may be thousands: Markup.format takes several times as long.
        items = [f'<li class="level-{level}">'
                 + (f'<span class="number">{number}</span> ' if numbered else "")
                 + f'<a href="#{escape(anchor)}">{escape(text)}</a></li>'
                 for number, (level, anchor, text) in zip(numbers, found[:MOST], strict=True)]
        if len(found) > MOST:
            more = gettext("%(num)s more headings.", num=f"{len(found) - MOST:,}")
            items.append(f'<li class="note">{escape(more)}</li>')
        return Markup('<nav class="toc" aria-label="{contents}"><ul>{}</ul></nav>').format(
            Markup("".join(items)), contents=gettext("Contents"))
    return context.defer(finish)


def _numbers(levels: Iterable[int]) -> Iterator[str]:
    """1, 1.1, 1.2, 2 for headings of these levels; a level that is left out counts for none."""
    above: list[tuple[int, int]] = []
    for level in levels:
        last = 0
        while above and above[-1][0] >= level:
            last = above.pop()[1]
        above.append((level, last + 1))
        yield ".".join(str(count) for _, count in above)
