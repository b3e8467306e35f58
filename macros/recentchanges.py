"""``<<recentchanges/>>``: what changed last in the wiki."""

from __future__ import annotations

from markupsafe import Markup

from wiki.references import Reference
from wiki.rendering.macros import MacroContext, macro
from wiki.store.base import Condition, Query, Row

MOST = 200


@macro("recentchanges")
def recentchanges(context: MacroContext, limit: int = 10, space: str = "",
                  user: str = "") -> Markup:
    """List the pages that changed last: which, when, by whom.

    `limit` is how many; `space` keeps to a space and those in it; `user` to the pages that this
    user changed last, such as `Users.Admin`.

    Examples:
        <<recentchanges limit="3"/>>
        ---
        <<recentchanges space="Help" limit="3"/>>
    """
    where = (Condition("doc.author", "eq", user.strip()),) if user.strip() else ()
    rows = context.wiki.rows(Query(where=where, order_by=("-doc.updated",), nested=True,
                                   space=space.strip() or None, hidden=False,
                                   limit=max(1, min(limit, MOST))))
    items = Markup("").join(_item(context, row) for row in rows)
    if not items:
        return Markup('<p class="empty">Nothing has changed yet.</p>')
    return Markup('<ul class="changes">{}</ul>').format(items)


def _item(context: MacroContext, row: Row) -> Markup:
    return Markup('<li>{} <small><time datetime="{}">{}</time> {}</small></li>\n').format(
        context.link(row.reference, row.title or str(row.reference)), row.updated.isoformat(),
        f"{row.updated:%Y-%m-%d %H:%M}", _author(context, row.author))


def _author(context: MacroContext, name: str) -> Markup:
    """A link to the user's page, where there is one; the wiki itself has none."""
    reference = Reference.parse(name)
    return context.link(reference) if context.exists(reference) else Markup.escape(name)
