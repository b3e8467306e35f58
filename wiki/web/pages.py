"""Reading: ``/``, ``/Space.Name`` and its source."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from functools import partial

from flask import Blueprint, Response, redirect, render_template, request
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from wiki.errors import DocumentNotFound
from wiki.model import Document
from wiki.moving import destination_of, target_of
from wiki.references import HOME, Reference, split_names
from wiki.rendering.headings import headings
from wiki.rendering.sections import Section, with_links
from wiki.rights import Right
from wiki.store.base import Query
from wiki.translate import gettext
from wiki.web import comments, tables
from wiki.web.context import page, page_url, reader, render_request, show, site
from wiki.web.create import makes_pages
from wiki.web.keptviews import Page, may_be_kept
from wiki.web.moving import redirected_from

blueprint = Blueprint("pages", __name__)
MAIN = "Main.WebHome"
#: How many children and backlinks the foot of a page lists.
LISTED = 50
#: A page with fewer headings needs no list of them.
FEWEST = 3


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
    target = destination_of(wiki, document) if request.args.get("redirect") != "no" else None
    if target is not None:
        return redirect(page_url(target, redirected=document.reference))
    timing = request.args.get("timing") == "1" and wiki.may(Right.EDIT, document)
    begun = time.perf_counter()
    rendering = site().renderer.render(document, replace(render_request(), timing=timing))
    seconds = time.perf_counter() - begun
    body = rendering.html
    if wiki.may(Right.EDIT, document):
        body = Markup(with_links(body, document.display_content,
                                 partial(section_link, document)))
    listed = tables.instances(document)
    return Page(show("view.html", document, "view", body=body,
                     instances=listed.html if listed else "", timings=rendering.timings,
                     timing=timing, kept=rendering.kept, seconds=seconds,
                     threads=comments.shown(document),
                     contents=contents(rendering.html), makes_pages=makes_pages(document),
                     target=target_of(document), origin=redirected_from(document),
                     backlinks=wiki.backlinks(document.reference, LISTED)),
                rendering.kept and (listed is None or listed.kept) and not timing)


def contents(html: str) -> list[tuple[int, str, str]]:
    """The headings of the two highest levels for a list beside the page, as levels 2 and 3;
    empty where they are few, many, or the page lists them itself."""
    found = headings(html)
    if '<nav class="toc"' in html or not found:
        return []
    top = min(level for level, _, _ in found)
    listed = [(level - top + 2, anchor, text) for level, anchor, text in found
              if level - top < 2 and text]
    return listed if FEWEST <= len(listed) <= LISTED * 2 else []


def section_link(document: Document, section: Section) -> Markup:
    """The way to a section's editor, for its heading."""
    return Markup('<a class="section-edit" href="{0}" title="{1}">'
                  '<span aria-hidden="true">✎</span><span class="visually-hidden">'
                  ' {1}</span></a>').format(
        page_url(document.reference, "edit", section=section.number),
        gettext("Edit this section"))


def space(home_page: Reference) -> Page | BaseResponse:
    """``/Space``: its home page, or where it has none, the list of its pages."""
    wiki = reader()
    if home_page in wiki:
        return redirect(page_url(home_page))
    if not any(wiki.rows(Query(space=home_page.space, nested=True, limit=1))):
        raise DocumentNotFound(gettext("There is no space %(space)s", space=home_page.space))
    return Page(render_template("space.html", title=home_page.space, home=home_page,
                                rows=tables.pages_of(home_page.space)), True)


@blueprint.get("/<ref>/source")
def source(ref: str) -> str:
    document = page(ref).record
    return show("source.html", document, "source")


@blueprint.get("/<ref>/source.md")
def raw(ref: str) -> Response:
    """The content alone, as text; ``download``: as a file."""
    document = page(ref).record
    response = Response(document.content, mimetype="text/plain")
    if "download" in request.args:
        response.headers.set("Content-Disposition", "attachment",
                             filename=filename(document, "md"))
    return response


def filename(document: Document, ending: str) -> str:
    """A file's name for the page, one that every system takes."""
    name = re.sub(r'[\\/:*?"<>|\x00-\x1f\s]+', " ", document.display_title)[:100].strip()
    return f"{name or 'page'}.{ending}"
