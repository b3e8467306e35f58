"""``<<attachments/>>``: the files on a page."""

from datetime import UTC
from fnmatch import fnmatch
from typing import Literal

from jinja2.filters import do_filesizeformat
from markupsafe import Markup

from wiki.language.links import attachment_url
from wiki.model import Attachment
from wiki.rendering.attached import shown_page
from wiki.rendering.macros import MacroContext, PageName, macro
from wiki.translate import gettext

#: The most files that are listed.
MOST = 1_000
_TABLE = Markup('<div class="scroll"><table class="attachments"><thead><tr><th scope="col">{file}'
                '</th><th scope="col" class="right">{size}</th><th scope="col">{attached}</th>'
                '<th scope="col">{by}</th></tr></thead>\n<tbody>{}</tbody></table></div>')
_ROW = Markup('<tr><td><a href="{}">{}</a></td><td class="right">{}</td>'
              '<td><time class="local" datetime="{}">{:%Y-%m-%d %H:%M} UTC</time></td>'
              "<td>{}</td></tr>\n")


@macro("attachments")
def attachments(context: MacroContext, page: PageName = "", filter_: str = "",
                sort: Literal["name", "size", "date"] = "name", limit: int = 200) -> Markup:
    """List the files attached to this page, or to another, with their size and date.

    `page` is the other page; `filter` is a pattern of their names, such as `*.csv`; `sort` is
    their order: by `name`, the largest (`size`) or the newest (`date`) first; `limit` is how many
    are listed.

    Examples:
        <<attachments page="Tasks.ImportCountries" filter="*.csv"/>>
    """
    document = shown_page(context, page).record
    found = [item for item in document.attachments
             if not filter_ or fnmatch(item.filename, filter_)]
    if not found:
        return Markup('<p class="empty">{}</p>').format(
            gettext("There are no attachments."))
    shown = _sorted(found, sort)[:max(1, min(limit, MOST))]
    table = _TABLE.format(Markup("").join(
        _ROW.format(attachment_url(document.reference, item.filename), item.filename,
                    do_filesizeformat(item.size), item.created.isoformat(),
                    item.created.astimezone(UTC), item.author.removeprefix("Users."))
        for item in shown), file=gettext("File"), size=gettext("Size"),
        attached=gettext("Attached"), by=gettext("By"))
    more = len(found) - len(shown)
    return table + (Markup('<p class="note"><a href="{}">{}</a></p>').format(
        context.url(document.reference, "attachments"),
        gettext("%(num)s more", num=more)) if more else "")


def _sorted(items: list[Attachment], order: str) -> list[Attachment]:
    by_name = sorted(items, key=lambda item: item.filename.casefold())
    if order == "size":
        return sorted(by_name, key=lambda item: -item.size)
    if order == "date":
        return sorted(by_name, key=lambda item: item.created, reverse=True)
    return by_name
