"""The JSON API under /api/v1: a table of operations, and what goes for all of them."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.exceptions import BadRequest, HTTPException, PreconditionFailed

from wiki.errors import WikiError
from wiki.web.rest import (
    attachments,
    bin,
    browsing,
    checks,
    comments,
    connection,
    jobs,
    livelogs,
    logs,
    macros,
    moving,
    objects,
    openapi,
    pages,
    problems,
    query,
    runs,
    starts,
    tasks,
    tokens,
    watching,
)
from wiki.web.rest.auth import authenticate
from wiki.web.rest.routes import Operation


def describe_api() -> dict[str, Any]:
    """The API as an OpenAPI document."""
    return openapi.document(OPERATIONS, version("wikimill"))


OPERATIONS: tuple[Operation, ...] = (
    *pages.OPERATIONS, *objects.OPERATIONS, *attachments.OPERATIONS, *query.OPERATIONS,
    *browsing.OPERATIONS,
    *tasks.OPERATIONS, *starts.OPERATIONS, *runs.OPERATIONS, *logs.OPERATIONS, *livelogs.OPERATIONS,
    *jobs.OPERATIONS, *bin.OPERATIONS, *moving.OPERATIONS, *checks.OPERATIONS, *macros.OPERATIONS,
    *comments.OPERATIONS, *watching.OPERATIONS, *tokens.OPERATIONS,
    Operation("GET", "/openapi.json", describe_api, "This document", answer="OpenAPI"),
)
_BY_ENDPOINT = {operation.name: operation for operation in OPERATIONS}


def check_parameters() -> None:
    """Raises BadRequest for a parameter that is missing, or that the operation does not take: a
    misspelt one would else be lost without a word."""
    operation = _BY_ENDPOINT[(request.endpoint or "").rpartition(".")[2]]
    unknown = [name for name in request.args if name not in operation.query]
    if unknown and not operation.open_query:
        there = ", ".join(operation.query) or "none"
        raise BadRequest(f"There is no parameter {unknown[0][:80]!r} here; there are: {there}.")
    missing = [name for name in operation.required if name not in request.args]
    if missing:
        raise BadRequest(f"The parameter {missing[0]} is needed here.")


def finish(response: Response) -> Response:
    """An answer for a condition that fails says so, and nothing else; what depends on who asks
    stays out of shared caches."""
    if response.status_code == 412 and response.mimetype != problems.MEDIA_TYPE:
        response.close()
        response = problems.http_problem(PreconditionFailed(
            "If-Match does not fit: what is there has another ETag."))
    response.headers.setdefault("Cache-Control", "private, no-cache")
    response.vary.update(("Authorization", "Cookie"))
    return response


def make_blueprint() -> Blueprint:
    """The API's blueprint, with a route for each row of the table."""
    made = Blueprint("rest", __name__, url_prefix=problems.PREFIX)
    for operation in OPERATIONS:
        made.add_url_rule(operation.rule, operation.name, operation.view,
                          methods=[operation.method])
    made.record(lambda state: connection.make_streams(state.app))
    made.before_app_request(problems.routing_problem)
    made.before_request(authenticate)
    made.before_request(check_parameters)
    made.after_request(finish)
    made.register_error_handler(WikiError, problems.wiki_problem)
    made.register_error_handler(HTTPException, problems.http_problem)
    made.register_error_handler(Exception, problems.unexpected_problem)
    return made


blueprint = make_blueprint()
