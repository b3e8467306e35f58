"""What a machine asks of the server: is it well, how much is there; and the small old files."""

from __future__ import annotations

from flask import Blueprint, Response, current_app
from werkzeug.wrappers import Response as BaseResponse

from wiki.api import make_query
from wiki.store.base import Query
from wiki.tasks.names import TASK_CLASS
from wiki.web.context import site

blueprint = Blueprint("health", __name__)
STATUSES = ("READY", "RUNNING", "SUSPENDED", "DONE", "ERROR")


@blueprint.get("/healthz")
def health() -> dict[str, str]:
    site().wiki.count(Query(limit=1))
    return {"status": "ok"}


@blueprint.get("/metrics")
def metrics() -> Response:
    """Counts in the text form that monitoring systems read."""
    wiki = site().wiki
    lines = ["# TYPE wikimill_pages gauge", f"wikimill_pages {wiki.count(Query())}",
             "# TYPE wikimill_tasks gauge"]
    for status in STATUSES:
        count = wiki.count(make_query(TASK_CLASS, {"status": status}, (), None, 0, None))
        lines.append(f'wikimill_tasks{{status="{status}"}} {count}')
    return Response("\n".join(lines) + "\n", content_type="text/plain; version=0.0.4")


@blueprint.get("/favicon.ico")
def favicon() -> BaseResponse:
    return current_app.send_static_file("favicon.svg")


@blueprint.get("/robots.txt")
def robots() -> Response:
    """Readers are welcome to pages, not to every version and form of them."""
    rules = [f"Disallow: /*/{part}" for part in
             ("edit", "objects", "class", "history", "diff", "source", "rename", "delete")]
    return Response("\n".join(["User-agent: *", "Disallow: /api/", "Disallow: /search", *rules])
                    + "\n", mimetype="text/plain")
