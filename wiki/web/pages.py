"""Reading: ``/``, ``/Space.Name`` and its source."""

from __future__ import annotations

import time
from dataclasses import replace

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from wiki.errors import DocumentNotFound
from wiki.references import HOME, Reference, split_names
from wiki.rights import Right
from wiki.store.base import Query
from wiki.web.context import page, page_url, reader, render_request, show, site
from wiki.web.keptviews import Page, may_be_kept

blueprint = Blueprint("pages", __name__)
MAIN = "Main.WebHome"
#: How many children and backlinks the foot of a page lists.
LISTED = 50


@blueprint.get("/")
def home() -> BaseResponse:
    return view(MAIN)


@blueprint.get("/<ref>")
@may_be_kept
def view(ref: str) -> Page | BaseResponse:
    names = split_names(ref)
    if len(names) == 1:
        return space(Reference(names, HOME))
    document = page(ref).record
    wiki = reader()
    timing = request.args.get("timing") == "1" and wiki.may(Right.EDIT, document)
    begun = time.perf_counter()
    rendering = site().renderer.render(document, replace(render_request(), timing=timing))
    seconds = time.perf_counter() - begun
    return Page(show("view.html", document, "view", body=rendering.html,
                     timings=rendering.timings, timing=timing, seconds=seconds,
                     backlinks=wiki.backlinks(document.reference, LISTED)),
                rendering.kept and not timing)


def space(home_page: Reference) -> Page | BaseResponse:
    """``/Space``: its home page, or where it has none, the list of its pages."""
    wiki = reader()
    if home_page in wiki:
        return redirect(page_url(home_page))
    rows = list(wiki.rows(Query(space=home_page.space, nested=True, limit=200)))
    if not rows:
        raise DocumentNotFound(f"There is no space {home_page.space}")
    return Page(render_template("space.html", title=home_page.space, rows=rows, home=home_page),
                True)


@blueprint.get("/<ref>/source")
def source(ref: str) -> str:
    document = page(ref).record
    return show("source.html", document, "source")


@blueprint.get("/<ref>/source.md")
def raw(ref: str) -> Response:
    """The content alone, as text."""
    return Response(page(ref).record.content, mimetype="text/plain")
