"""``<<changes/>>``: what changed last in the wiki."""

from markupsafe import Markup

from wiki.rendering.macros import MacroContext, macro


@macro("changes")
def changes(context: MacroContext, limit: int = 10) -> Markup:
    """List the pages that changed last: which, when, by whom. `limit` is how many."""
    rows = [row for row in context.wiki.changes(max(1, min(limit, 200))) if not row.hidden]
    items = [Markup('<li>{} <small><time datetime="{}">{}</time> {}</small></li>').format(
                 context.link(row.reference, row.title or str(row.reference)),
                 row.updated.isoformat(), f"{row.updated:%Y-%m-%d %H:%M}", row.author)
             for row in rows]
    if not items:
        return Markup('<p class="empty">Nothing has changed yet.</p>')
    return Markup('<ul class="changes">{}</ul>').format(Markup("").join(items))
