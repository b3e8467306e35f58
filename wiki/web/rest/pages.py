"""``/pages``: documents, rendered and as they were."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, request, url_for

from wiki.api import OpenDocument
from wiki.errors import Conflict
from wiki.model import Document
from wiki.references import Reference
from wiki.rendering.renderer import RenderRequest
from wiki.rights import Right
from wiki.store.base import Condition, Query
from wiki.web.rest import json, paging
from wiki.web.rest.body import read_object
from wiki.web.rest.context import site, user, wiki
from wiki.web.rest.routes import Operation
from wiki.web.rest.saving import check_page, racing, save

#: Sorts behind all that a name can go on with.
LAST_CHARACTER = "\U0010ffff"


def list_pages() -> dict[str, Any]:
    """Pages in the order of their names."""
    size, args = paging.limit(), request.args
    where = []
    if after := paging.decode_cursor("after", str):
        where.append(Condition("doc.reference", "gt", after))
    if prefix := args.get("prefix", ""):
        where += [Condition("doc.reference", "ge", prefix),
                  Condition("doc.reference", "lt", prefix + LAST_CHARACTER)]
    class_name = args.get("class")
    query = Query(str(Reference.parse(class_name)) if class_name else None, tuple(where),
                  ("doc.reference",), args.get("space") or None, limit=size + 1)
    rows = list(wiki().rows(query))
    items = [json.row_to_json(row) for row in rows[:size]]
    more = len(rows) > size
    last = str(rows[size - 1].reference) if more else ""
    return {"items": items, "next_cursor": paging.encode_cursor("after", last) if more else None}


def get_page(ref: str) -> Response:
    """A document, whole."""
    return document_response(wiki().get(ref).record)


def put_page(ref: str) -> Response:
    """Create the page, or change the fields that the body names."""
    name = Reference.parse(ref)
    body = read_object()
    document = wiki().get_or_new(name)
    check_page(document)
    created = document.is_new
    document.record = json.change(document.record, body)
    save(document, json.text(body, "comment"), json.flag(body, "minor"))
    response = document_response(document.record)
    if created:
        response.status_code = 201
        response.headers["Location"] = url_for("rest.get_page", ref=str(name))
    return response


def delete_page(ref: str) -> Response:
    """Delete the page with its history."""
    document = existing(ref)
    wiki().require(Right.DELETE, document)
    with racing(Conflict):
        document.delete()
    return Response(status=204)


def get_html(ref: str) -> Response:
    """The page as HTML, without what is around it."""
    document = wiki().get(ref).record
    html = site().renderer.render(document, RenderRequest(user=user())).html
    response = Response(str(html), mimetype="text/html")
    # Opened as a page of its own, it gets no more than the wiki's pages do.
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def list_revisions(ref: str) -> dict[str, Any]:
    """The history, newest first."""
    size, start = paging.limit(), paging.offset()
    revisions = wiki().get(ref).revisions()[start:start + size + 1]
    return paging.page_of([json.revision_to_json(item) for item in revisions], start, size)


def get_revision(ref: str, version: str) -> Response:
    """The document as it was."""
    return document_response(wiki().revision(ref, version))


def existing(ref: str) -> OpenDocument:
    """The page, whose version fits the request's If-Match.

    Raises DocumentNotFound, PreconditionFailed, ...
    """
    document = wiki().get(ref)
    check_page(document)
    return document


def document_response(document: Document) -> Response:
    """The document with its ETag; 304 where the caller has it already."""
    return with_etag(jsonify(json.document_to_json(document)), document)


def with_etag(response: Response, document: Document) -> Response:
    """The response with the page's version as its ETag."""
    response.set_etag(str(document.version))
    if request.method in ("GET", "HEAD"):
        response.make_conditional(request)
    return response


OPERATIONS = (
    Operation("GET", "/pages", list_pages, "List pages in the order of their names",
              ("space", "class", "prefix", "limit", "cursor"), answer="PageList"),
    Operation("GET", "/pages/<ref>", get_page, "A page with all that it carries",
              answer="Page", conditional=True, answering=("ETag",)),
    Operation("PUT", "/pages/<ref>", put_page,
              "Create a page, or change the fields that the body names",
              body="PageChange", answer="Page", statuses=(200, 201),
              conditional=True, answering=("ETag", "Location")),
    Operation("DELETE", "/pages/<ref>", delete_page, "Delete a page with its history",
              statuses=(204,), conditional=True),
    Operation("GET", "/pages/<ref>/html", get_html, "The page rendered", answer="html"),
    Operation("GET", "/pages/<ref>/revisions", list_revisions, "The page's history, newest first",
              ("limit", "cursor"), answer="RevisionList"),
    Operation("GET", "/pages/<ref>/revisions/<version>", get_revision, "The page as it was",
              answer="Page", conditional=True, answering=("ETag",)),
)
