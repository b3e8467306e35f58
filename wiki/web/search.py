"""Finding pages: full text, and the index of all pages by space."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from markupsafe import Markup, escape

from wiki.store.base import Query
from wiki.web.context import reader

blueprint = Blueprint("search", __name__)
SIZE = 20
LISTED = 200


@blueprint.get("/search")
def search() -> str:
    query = request.args.get("q", "").strip()
    space = request.args.get("space", "").strip()
    start = offset()
    found = reader().search(query, space or None, SIZE + 1, start) if query else []
    hits = [(hit, marked(hit.snippet)) for hit in found[:SIZE]]
    return render_template("search.html", title="Search", query=query, space=space, hits=hits,
                           start=start, size=SIZE, more=len(found) > SIZE,
                           spaces=reader().spaces())


@blueprint.get("/index")
def index() -> str:
    """All spaces, and the pages of one."""
    space = request.args.get("space", "").strip()
    start = offset()
    query = Query(space=space or None, hidden=False, limit=LISTED + 1, offset=start)
    rows = list(reader().rows(query))
    return render_template("index.html", title=space or "All pages", space=space,
                           rows=rows[:LISTED], more=len(rows) > LISTED, start=start,
                           size=LISTED, spaces=reader().spaces())


def offset() -> int:
    """How many results the URL passes over; SQLite counts in 64 bits."""
    return min(max(request.args.get("start", 0, int), 0), 10_000_000)


def marked(snippet: str) -> Markup:
    """A snippet as HTML: its matching words, which stand between \\x02 and \\x03, marked."""
    return Markup(str(escape(snippet)).replace("\x02", "<mark>").replace("\x03", "</mark>"))
