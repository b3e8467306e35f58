"""``<<tags/>>``: the wiki's tags, and the pages that have one."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlencode

from markupsafe import Markup

from wiki.references import Reference
from wiki.rendering.macros import MacroContext, macro
from wiki.rights import Right
from wiki.store.base import Condition, Query
from wiki.translate import gettext

#: The reader's choice of a tag stands in the page's address under this name.
ARGUMENT = "tag"
MOST = 1000
#: Sizes of a cloud, the smallest first.
SIZES = 5


@macro("tags")
def tags(context: MacroContext, tag: str = "", limit: int = 200,
         format: Literal["cloud", "list"] = "cloud") -> Markup:
    """Show the tags of all pages, each with the number of its pages, leading to their list.

    `tag` lists the pages with that tag; `limit` is how many tags or pages are shown, of the tags
    the most used; `format` is a `cloud`, in which what is used more is larger, or a `list`.

    Examples:
        <<tags limit="20"/>>
        ---
        <<tags format="list" limit="5"/>>
    """
    size = max(1, min(limit, MOST))
    if tag.strip():
        return _pages(context, tag.strip(), size)
    chosen = context.args.get(ARGUMENT, "").strip()
    body = _cloud(context, size, format, chosen)
    if not chosen:
        return body
    return body + Markup("<h2>{}</h2>\n{}{}").format(
        gettext("Pages with the tag %(tag)s", tag=chosen), _pages(context, chosen, size),
        _rename(context, chosen))


def _cloud(context: MacroContext, size: int, css: str, chosen: str) -> Markup:
    known = sorted(context.wiki.tags(), key=lambda item: -item[1])
    if not known:
        return Markup('<p class="empty">{}</p>').format(
            gettext("No page has a tag yet."))
    highest = known[0][1]
    items = [_tag(context, name, number, highest, chosen)
             for name, number in sorted(known[:size], key=lambda item: item[0].casefold())]
    more = Markup('<p class="note">{}</p>').format(
        gettext("%(num)s more tags.", num=f"{len(known) - size:,}")) if (
        len(known) > size) else Markup("")
    return Markup('<ul class="tag-{}">{}</ul>{}').format(css, Markup("").join(items), more)


def _tag(context: MacroContext, name: str, number: int, highest: int, chosen: str) -> Markup:
    size = 1 + (number * (SIZES - 1)) // highest
    here = Markup(' aria-current="true"') if name == chosen else ""
    return Markup('<li class="size-{}"><a class="tag" href="{}"{}>{}</a> '
                  '<span class="count">{:,}</span></li>\n').format(
        size, context.url(context.document.reference, **{ARGUMENT: name}), here, name, number)


def _rename(context: MacroContext, tag: str) -> Markup:
    """The way to giving the tag another name, for who may edit."""
    if not context.wiki.may(Right.EDIT):
        return Markup("")
    return Markup('<p><a href="/tags/rename?{}">{rename_this}</a></p>').format(
        urlencode({"tag": tag}), rename_this=gettext("Rename this tag…"))


def _pages(context: MacroContext, tag: str, size: int) -> Markup:
    found = context.wiki.tagged(tag)
    if not found:
        return Markup('<p class="empty">{}</p>').format(
            gettext("No page has the tag %(tag)s.", tag=tag))
    shown = found[:size]
    titles = _titles(context, shown)
    items = [Markup("<li>{}</li>\n").format(context.link(page, titles.get(page) or str(page)))
             for page in shown]
    more = Markup('<p class="note">{}</p>').format(
        gettext("%(num)s more.", num=f"{len(found) - size:,}")) if (
        len(found) > size) else Markup("")
    return Markup("<ul>\n{}</ul>{}").format(Markup("").join(items), more)


def _titles(context: MacroContext, references: list[Reference]) -> dict[Reference, str]:
    """As the index knows them: no page is opened for its title."""
    named = Query(where=(Condition("doc.reference", "in", [str(one) for one in references]),))
    return {row.reference: row.title for row in context.wiki.rows(named)}
