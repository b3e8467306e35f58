"""Errors as problem details (RFC 9457)."""

from __future__ import annotations

import re
from typing import Any

from flask import Response, current_app, json, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, ServiceUnavailable
from werkzeug.routing import RequestRedirect, RoutingException

from wiki.errors import AccessDenied, InvalidValue, LogNotFound, WikiError
from wiki.model import GUEST
from wiki.web.errors import status_of
from wiki.web.rest.context import user

PREFIX = "/api/v1"
MEDIA_TYPE = "application/problem+json"
CHALLENGE = 'Basic realm="Wikimill", charset="UTF-8", Bearer realm="Wikimill"'


def problem(status: int, kind: str, title: str, detail: str, **members: Any) -> Response:
    """An answer that says what went wrong; ``kind`` names the problem for a program."""
    body = {"type": f"urn:wikimill:problem:{kind}", "title": title, "status": status,
            "detail": detail, "instance": request.path, **members}
    response = Response(json.dumps(body), status, mimetype=MEDIA_TYPE)
    if status == 401:
        response.headers["WWW-Authenticate"] = CHALLENGE
    return response


def wiki_problem(error: WikiError) -> Response:
    """The answer to an error of the wiki; a guest who may not is asked to log in."""
    status = status_of(error)
    if isinstance(error, AccessDenied) and user() == GUEST:
        status = 401
    members: dict[str, Any] = {}
    if isinstance(error, InvalidValue):
        members = {"property": error.property, "allowed": error.allowed}
    title = (type(error).__doc__ or "").strip().splitlines()[0]
    return problem(status, kebab(type(error).__name__), title, str(error), **members)


def http_problem(error: HTTPException) -> Response:
    """The answer to an error of HTTP itself."""
    status = error.code or 500
    made = problem(status, kebab(error.name), error.name, error.description or error.name)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        made.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    if isinstance(error, ServiceUnavailable) and error.retry_after:
        made.headers["Retry-After"] = str(error.retry_after)
    return made


def unexpected_problem(error: Exception) -> Response:
    """The answer to a bug: told to the server's log, not to the caller."""
    current_app.logger.error("REST: %s %s", request.method, request.path, exc_info=error)
    return problem(500, "internal-server-error", "Internal Server Error",
                   "The wiki made a mistake; its server's log says more.")


def routing_problem() -> Response | None:
    """The answer where no route of the API fits the address; None where one does, or where the
    address is another door's."""
    error: RoutingException | HTTPException | None = request.routing_exception
    if error is None or not (request.path + "/").startswith(PREFIX + "/"):
        return None
    if request.path.startswith(f"{PREFIX}/logs/") and not isinstance(error, MethodNotAllowed):
        return wiki_problem(LogNotFound())
    if isinstance(error, HTTPException) and not isinstance(error, RequestRedirect):
        made = http_problem(error)
        if error.code != 404:
            return made
    return problem(404, "not-found", "Not Found",
                   "There is nothing at this address: /api/v1/openapi.json lists what there is. "
                   "A page's or a file's name has no '/' in it.")


def kebab(name: str) -> str:
    """``LogNotFound`` and ``Not Found`` as ``log-not-found`` and ``not-found``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|\s+", "-", name).lower()
