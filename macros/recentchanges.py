"""``<<recentchanges/>>``: what changed last in the wiki."""

from __future__ import annotations

from markupsafe import Markup

from wiki.recent import last_changed
from wiki.rendering.macros import MacroContext, macro
from wiki.rendering.tables import values
from wiki.store.base import ChangeKind, Logged
from wiki.translate import gettext, marked

MOST = 200
#: What became of a page, but for edits.
KINDS = {ChangeKind.CREATED: marked("created"), ChangeKind.MOVED: marked("moved"),
         ChangeKind.DELETED: marked("deleted"), ChangeKind.RESTORED: marked("restored")}


@macro("recentchanges")
def recentchanges(context: MacroContext, limit: int = 10, space: str = "",
                  user: str = "") -> Markup:
    """List the pages that changed last: which, when, by whom; deleted ones too.

    `limit` is how many; `space` keeps to a space and those in it; `user` to what this
    user changed, such as `Users.Admin`.

    Examples:
        <<recentchanges limit="3"/>>
        ---
        <<recentchanges space="Help" limit="3"/>>
    """
    rows = last_changed(context.wiki, max(1, min(limit, MOST)), space=space.strip() or None,
                        author=user.strip() or None)
    items = Markup("").join(_item(context, row) for row in rows)
    if not items:
        return Markup('<p class="empty">{}</p>').format(
            gettext("Nothing has changed yet."))
    return Markup('<ul class="changes">{}</ul>').format(items)


def _item(context: MacroContext, row: Logged) -> Markup:
    done = "" if row.kind == ChangeKind.EDITED else f"{gettext(KINDS[row.kind])} "
    return Markup('<li>{} <small>{}<time datetime="{}">{}</time> {}</small></li>\n').format(
        _page(context, row), done, row.updated.isoformat(), f"{row.updated:%Y-%m-%d %H:%M}",
        values.user(context, row.author))


def _page(context: MacroContext, row: Logged) -> Markup:
    label = row.title or str(row.reference)
    if row.kind == ChangeKind.DELETED:
        return Markup("<del>{}</del>").format(label)
    return context.link(row.reference, label)
