"""``/tokens``: the caller's own API tokens. A new one is told once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Response, jsonify, request
from werkzeug.exceptions import Forbidden

from wiki.errors import InvalidValue
from wiki.references import Reference
from wiki.tokens import MAX_DAYS, READ, Token, key_of
from wiki.web.rest import json, paging
from wiki.web.rest.body import read_object
from wiki.web.rest.context import caller, site
from wiki.web.rest.routes import Operation


def list_tokens() -> dict[str, Any]:
    """The caller's tokens that hold, the newest first; never their secrets."""
    size, start = paging.limit(), paging.offset()
    found = site().tokens.of(name())[start:start + size + 1]
    return paging.page_of([token_to_json(token) for token in found], start, size)


def post_token() -> Response:
    """Make a token. Raises Forbidden for a caller with a token, which could else outlive its
    own end, or get a wider scope."""
    if request.authorization is not None and request.authorization.type == "bearer":
        raise Forbidden("A token may not make tokens: send a user's name and password (Basic "
                        "auth), or make one in the browser, at /tokens.")
    body = read_object()
    json.check_names(body, {"name", "scope", "days"})
    secret = site().tokens.add(name(), json.text(body, "name"),
                               json.text({"scope": READ, **body}, "scope"), days(body))
    made = next(token for token in site().tokens.of(name()) if token.key == key_of(secret))
    response = jsonify({**token_to_json(made), "token": secret})
    response.status_code = 201
    response.headers["Cache-Control"] = "no-store"
    return response


def delete_token(key: str) -> Response:
    """End a token at once."""
    site().tokens.revoke(name(), key)
    return Response(status=204)


def name() -> str:
    """The caller, by the name that accounts know; raises AccessDenied for a guest."""
    return Reference.parse(caller("has API tokens")).name


def days(body: dict[str, Any]) -> int | None:
    """How long it holds, None for no end; raises InvalidValue."""
    given = body.get("days")
    if given is not None and type(given) is not int:
        raise InvalidValue("days", given, f"a whole number from 1 to {MAX_DAYS}, or null")
    return given


def token_to_json(token: Token) -> dict[str, Any]:
    """All but the secret, which nobody knows."""
    return {"key": token.key, "name": token.name, "scope": token.scope,
            "created": moment(token.created), "expires": moment(token.expires),
            "used": moment(token.used)}


def moment(seconds: float | None) -> str | None:
    return None if seconds is None else json.moment(datetime.fromtimestamp(seconds, UTC))


OPERATIONS = (
    Operation("GET", "/tokens", list_tokens, "Your API tokens", ("limit", "cursor"),
              answer="TokenList"),
    Operation("POST", "/tokens", post_token, "Make an API token; not with another one",
              body="NewToken", answer="MadeToken", statuses=(201,)),
    Operation("DELETE", "/tokens/<key>", delete_token, "End an API token", statuses=(204,)),
)
