"""``/deleted``: the recycle bin."""

from __future__ import annotations

from typing import Any

from flask import Response, url_for

from wiki.references import Reference
from wiki.store.base import Binned
from wiki.web.rest import json, paging
from wiki.web.rest.body import read_object
from wiki.web.rest.context import wiki
from wiki.web.rest.pages import document_response
from wiki.web.rest.routes import Operation


def list_deleted() -> dict[str, Any]:
    """Deleted pages that the user may bring back, the last deleted first."""
    rows, following = wiki().bin(paging.limit(), paging.offset())
    return {"items": [binned_to_json(row) for row in rows],
            "next_cursor": paging.encode_cursor("offset", following) if following else None}


def get_deleted(key: str, ref: str) -> Response:
    """The page as it was when it was deleted."""
    return document_response(wiki().binned(key, Reference.parse(ref))[1])


def restore_deleted(key: str, ref: str) -> Response:
    """Bring the page back."""
    body = read_object()
    json.check_names(body, {"name", "comment"})
    new_name, comment = json.text(body, "name"), json.text(body, "comment")
    saved = wiki().undelete(key, Reference.parse(ref),
                            Reference.parse(new_name) if new_name else None,
                            **({"comment": comment} if comment else {}))
    response = document_response(saved)
    response.status_code = 201
    response.headers["Location"] = url_for("rest.get_page", ref=str(saved.reference))
    return response


def purge_deleted(key: str, ref: str) -> Response:
    """Remove the page for good."""
    name = Reference.parse(ref)
    wiki().binned(key, name)
    wiki().purge([(key, name)])
    return Response(status=204)


def binned_to_json(row: Binned) -> dict[str, Any]:
    """A page in the bin's list."""
    return {"key": row.key, "reference": str(row.reference), "title": row.title,
            "version": str(row.version), "author": row.author,
            "deleted": json.moment(row.deleted), "comment": row.comment, "run": row.run}


OPERATIONS = (
    Operation("GET", "/deleted", list_deleted, "Deleted pages that you may bring back, the last "
              "deleted first", ("limit", "cursor"), answer="DeletedList"),
    Operation("GET", "/deleted/<key>/<ref>", get_deleted, "A page as it was when it was deleted",
              answer="Page", answering=("ETag",)),
    Operation("POST", "/deleted/<key>/<ref>/restore", restore_deleted,
              "Bring a page back with its history, under its name or another one",
              body="Restore", answer="Page", statuses=(201,), answering=("ETag", "Location")),
    Operation("DELETE", "/deleted/<key>/<ref>", purge_deleted, "Remove a deleted page for good",
              statuses=(204,)),
)
