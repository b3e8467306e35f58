"""``<<children/>>``: the pages below this one."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from wiki.references import HOME, Reference
from wiki.rendering.macros import MacroContext, PageName, macro
from wiki.store.base import Condition, Query
from wiki.translate import gettext

MOST = 1000
MOST_DEPTH = 6


@macro("children")
def children(context: MacroContext, page: PageName = "", limit: int = 200,
             depth: int = 1) -> Markup:
    """List the pages whose parent is this page, with links, by title. A page that names no parent
    lies under the home page of its space, and that one under the home page of the space around.

    `page` lists those of another page; `limit` is how many are listed in all; `depth` is how
    many levels, those of the children too.

    Examples:
        <<children page="Help.WebHome"/>>
        ---
        <<children page="Executors.ImportCSV"/>>
    """
    parent = context.reference(page) if page else context.document.reference
    listing = _Listing(context, max(1, min(limit, MOST)))
    found = listing.below(parent, max(1, min(depth, MOST_DEPTH)))
    if not found:
        return Markup('<p class="empty">{}</p>').format(
            gettext("There are no pages below this one."))
    more = Markup('<p class="note">{}</p>').format(
        gettext("There are more.")) if listing.more else Markup("")
    return found + more


class _Listing:
    """The lists of one macro. A page is listed once, however parents may run in a circle."""

    def __init__(self, context: MacroContext, left: int) -> None:
        self.context = context
        self.left = left
        self.more = False
        self.seen: set[Reference] = set()

    def below(self, parent: Reference, depth: int) -> Markup:
        """The list of the page's children; empty where there are none, or none are to be shown."""
        self.seen.add(parent)
        items = [Markup("<li>{}{}</li>\n").format(
                     label, self.below(child, depth - 1) if depth > 1 else "")
                 for child, label in self._children(parent)]
        if not items:
            return Markup("")
        return Markup('<ul class="children">\n{}</ul>\n').format(Markup("").join(items))

    def _children(self, parent: Reference) -> list[tuple[Reference, Markup]]:
        """The children that fit in what is left, each with its link."""
        rows = self.context.wiki.rows(Query(
            where=(Condition("doc.parent", "eq", str(parent)),), hidden=False,
            order_by=("doc.title",), limit=self.left + 1))
        found = [(row.reference, self.context.link(row.reference, row.title or _name(
            row.reference))) for row in rows if row.reference not in self.seen]
        found += [(home, Markup('<a href="{}">{}</a>').format(
                       self.context.url(home.space), _name(home)))
                  for home in self._homeless(parent)]
        self.more = self.more or len(found) > self.left
        found = found[:self.left]
        self.left -= len(found)
        self.seen.update(child for child, _ in found)
        return found

    def _homeless(self, parent: Reference) -> Iterator[Reference]:
        """The spaces right below a home page that have no home page themselves."""
        if parent.name != HOME:
            return
        known: set[Reference] = set()
        for space, _ in self.context.wiki.spaces():
            names = Reference.parse(f"{space}.{HOME}").spaces
            if names[:len(parent.spaces)] == parent.spaces and len(names) > len(parent.spaces):
                known.add(Reference(names[:len(parent.spaces) + 1], HOME))
        yield from (home for home in sorted(known) if not self.context.exists(home))


def _name(reference: Reference) -> str:
    return reference.spaces[-1] if reference.name == HOME else reference.name
