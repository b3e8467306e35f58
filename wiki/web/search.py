"""Finding pages: full text, and the index of all pages by space."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlencode

from flask import Blueprint, render_template, request, url_for
from markupsafe import Markup, escape

from wiki.errors import QueryError
from wiki.rights import Right
from wiki.store.base import Found, Search
from wiki.translate import gettext, marked
from wiki.web.context import reader
from wiki.web.tables import pages_of

blueprint = Blueprint("search", __name__)
SIZE = 20
#: What hits can be narrowed to.
FACETS = {"space": marked("Space"), "class": marked("Class"), "author": marked("Changed by"),
          "year": marked("Changed in")}
#: What of the address goes along to another part of the result.
KEPT = ("q", *FACETS, "sort", "hidden")
#: A search that may be a page's name: words without operators.
PLAIN = re.compile(r"[^\W_][^\"*/]{0,99}")


@blueprint.get("/search")
def search() -> str | tuple[str, int]:
    """Full text; a search that cannot be read is answered with what is wrong with it."""
    asked = wanted()
    found, problem = Found(), ""
    try:
        found = reader().find(asked)
    except QueryError as error:
        problem = str(error)
    page = render_template(
        "search.html", title=gettext("Search"), asked=asked, found=found, problem=problem,
        size=SIZE,
        hits=found.hits[:SIZE], highlighted=highlighted, url=address,
        pagename=asked.text if PLAIN.fullmatch(asked.text) else "",
        more=len(found.hits) > SIZE, facets=list(facets(found)), chosen=list(chosen()),
        may_see_hidden=reader().may(Right.ADMIN))
    return (page, 400) if problem else page


def wanted() -> Search:
    """What the address asks for, with one page more than is shown."""
    args = {name: request.args.get(name, "").strip() for name in KEPT}
    return Search(args["q"], args["space"] or None, args["class"] or None,
                  args["author"] or None, args["year"] or None, args["sort"] == "date",
                  args["hidden"] == "1", SIZE + 1, offset())


def address(**changes: object) -> str:
    """The address of this search with some of it changed, from its first page on."""
    args = {name: value for name, value in request.args.items() if name in KEPT}
    merged = {**args, **{name: str(value) for name, value in changes.items()}}
    return url_for("search.search") + "?" + urlencode(
        {name: value for name, value in merged.items() if value})


def facets(found: Found) -> Iterator[tuple[str, list[tuple[str, int, str]]]]:
    """What the hits can be narrowed to: a label, then values with numbers and addresses."""
    for name, label in FACETS.items():
        values = found.facets.get(name, ())
        if len(values) > 1 and not request.args.get(name):
            yield gettext(label), [(value, number, address(**{name: value}))
                                   for value, number in values]


def chosen() -> Iterator[tuple[str, str, str]]:
    """What the hits are narrowed to: a label, the value and the address without it."""
    for name, label in FACETS.items():
        if value := request.args.get(name, "").strip():
            yield gettext(label), value, address(**{name: ""})


@blueprint.get("/index")
def index() -> str:
    """All spaces, and the pages of one."""
    space = request.args.get("space", "").strip()
    return render_template("index.html", title=space or gettext("All pages"), space=space,
                           table=pages_of(space), spaces=reader().spaces())


def offset() -> int:
    """How many results the URL passes over; SQLite counts in 64 bits."""
    return min(max(request.args.get("start", 0, int), 0), 10_000_000)


def highlighted(snippet: str) -> Markup:
    """A snippet as HTML: its matching words, which stand between \\x02 and \\x03, marked."""
    return Markup(str(escape(snippet)).replace("\x02", "<mark>").replace("\x03", "</mark>"))
