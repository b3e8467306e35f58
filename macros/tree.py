"""``<<tree/>>``: the spaces and pages of the wiki as a tree that opens and closes."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

from markupsafe import Markup

from wiki.references import HOME, join_names, split_names
from wiki.rendering.macros import MacroContext, macro
from wiki.store.base import Query, Row
from wiki.translate import gettext

#: How many pages of a space, and how many spaces in all, one tree shows.
MOST, MOST_SPACES = 500, 300
#: Past so many pages in all, further spaces are links that show the tree from there on.
MOST_PAGES = 400
#: The reader's choice of another space stands in the page's address under this name.
ARGUMENT = "tree"
Names = tuple[str, ...]


@macro("tree")
def tree(context: MacroContext, space: str = "", depth: int = 2, limit: int = 30,
         open: bool = False) -> Markup:
    """Show spaces, the spaces in them and their pages as a tree, each space with the number of
    its pages.

    `space` is the one to begin with (default: all of the wiki); `depth` is how many levels of
    spaces are shown: a deeper one is a link that shows the tree from there on; `limit` is how
    many pages of each space are listed, with a link to the rest; `open` shows all levels
    unfolded.

    Examples:
        <<tree space="TaskExecutorCode"/>>
        ---
        <<tree depth="1" limit="5"/>>
    """
    chosen = context.args.get(ARGUMENT, "").strip() or space.strip()
    shown = _Tree(context, depth, limit, open)
    root = split_names(chosen) if chosen else ()
    body = shown.inside(root, 0)
    if not body:
        return Markup('<p class="empty">{}</p>').format(
            gettext("There are no pages in %(space)s.", space=chosen) if chosen
            else gettext("There are no pages."))
    more = Markup('<p class="note">{}</p>').format(
        gettext("There are more spaces than are shown.")) if (
        shown.cut) else Markup("")
    back = Markup('<p class="note">{} · <a href="{}">{the_whole}</a></p>').format(
        chosen, context.path, the_whole=gettext("the whole tree")) if (
        context.args.get(ARGUMENT)) else Markup("")
    return Markup('<div class="tree">{}{}{}</div>').format(back, body, more)


class _Tree:
    """One tree. Only the pages of the spaces that it shows are asked for."""

    def __init__(self, context: MacroContext, depth: int, limit: int, unfolded: bool) -> None:
        self.context = context
        self.depth = max(1, depth)
        self.limit = max(1, min(limit, MOST))
        self.unfolded = unfolded
        self.left = MOST_SPACES
        self.pages_left = MOST_PAGES
        self.cut = False
        #: Pages of each space itself, then with all spaces in it.
        self.own = {split_names(name): number for name, number in context.wiki.spaces()}
        self.total: dict[Names, int] = {}
        self.below: dict[Names, dict[Names, None]] = {}
        for names, number in self.own.items():
            for length in range(1, len(names) + 1):
                part = names[:length]
                self.total[part] = self.total.get(part, 0) + number
                self.below.setdefault(part[:-1], {})[part] = None

    def inside(self, space: Names, level: int) -> Markup:
        """What is in a space: the spaces in it, then its pages; empty where there is nothing."""
        items = [*self._spaces(space, level), *self._pages(space)]
        if not items:
            return Markup("")
        return Markup('<ul>\n{}</ul>\n').format(Markup("").join(
            Markup("<li>{}</li>\n").format(item) for item in items))

    def _spaces(self, space: Names, level: int) -> Iterator[Markup]:
        for part in sorted(self.below.get(space, ())):
            if self.left <= 0:
                self.cut = True
                return
            self.left -= 1
            yield self._space(part, level)

    def _space(self, space: Names, level: int) -> Markup:
        count = Markup('<span class="count">{:,}</span>').format(self.total[space])
        if level >= self.depth or self.pages_left <= 0:
            url = self.context.url(self.context.document.reference, **{
                ARGUMENT: join_names(space)})
            return Markup('<a class="space" href="{}">{}</a> {}').format(url, space[-1], count)
        return Markup('<details{}><summary>{} {}</summary>{}</details>').format(
            Markup(" open") if self.unfolded else "", space[-1], count,
            self.inside(space, level + 1))

    def _pages(self, space: Names) -> Iterator[Markup]:
        own = self.own.get(space, 0)
        if not own:
            return
        name = join_names(space)
        rows = list(self.context.wiki.rows(Query(space=name, hidden=False,
                                                 limit=self.limit + 1)))
        # The home page, which stands for the space, before the others.
        self.pages_left -= len(rows)
        for row in sorted(rows[:self.limit], key=lambda row: row.reference.name != HOME):
            yield self.context.link(row.reference, _title(row))
        if len(rows) > self.limit:
            yield Markup('<a class="note" href="/index?{}">{}</a>').format(
                urlencode({"space": name, "start": self.limit}),
                gettext("more of %(num)s", num=f"{own:,}"))


def _title(row: Row) -> str:
    return row.title or (row.reference.spaces[-1] if row.reference.name == HOME
                         else row.reference.name)
