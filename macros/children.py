"""``<<children/>>``: the pages below this one."""

from markupsafe import Markup

from wiki.references import HOME, Reference
from wiki.rendering.macros import MacroContext, macro
from wiki.store.base import Query


@macro("children")
def children(context: MacroContext, page: str = "", limit: int = 200) -> Markup:
    """List the other pages in the space of this page, with links, by title.

    `page` lists those beside another page; `limit` is how many are listed.
    """
    parent = context.reference(page) if page else context.document.reference
    query = Query(space=parent.space, nested=parent.name == HOME, hidden=False,
                  order_by=("doc.title",), limit=max(1, min(limit, 1000)) + 1)
    rows = [row for row in context.wiki.rows(query) if row.reference != parent]
    if not rows:
        return Markup('<p class="empty">There are no other pages here.</p>')
    items = [Markup("<li>{}</li>").format(
                 context.link(row.reference, row.title or _name(row.reference)))
             for row in rows[:limit]]
    return Markup('<ul class="children">{}</ul>').format(Markup("").join(items))


def _name(reference: Reference) -> str:
    return reference.spaces[-1] if reference.name == HOME else reference.name
