"""Lists in pages: ``limit`` and ``cursor``, ``items`` and ``next_cursor``."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any

from flask import request
from werkzeug.exceptions import BadRequest

MAX_LIMIT = 1000
DEFAULT_LIMIT = 100
MAX_OFFSET = 2**53


def number(name: str, default: int, low: int = 0, high: int = MAX_OFFSET) -> int:
    """A whole number from the address; above ``high`` counts as ``high``.

    Raises BadRequest for what is no number, or is below ``low``.
    """
    text = request.args.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 18) or int(text) < low:
        raise BadRequest(f"{name}: {text[:40]!r} is not a whole number from {low} to {high}.")
    return min(int(text), high)


def limit() -> int:
    """How many items are asked for: 100 unless told, at most 1000."""
    return number("limit", DEFAULT_LIMIT, 1, MAX_LIMIT)


def encode_cursor(key: str, value: str | int) -> str:
    """An opaque text that says where the next page of a list begins."""
    return base64.urlsafe_b64encode(json.dumps([key, value]).encode()).decode().rstrip("=")


def decode_cursor(key: str, kind: type[Any]) -> Any:
    """The value of the request's cursor, None where it has none; raises BadRequest."""
    text = request.args.get("cursor")
    if not text:
        return None
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        found, value = json.loads(data)
    except (binascii.Error, ValueError, TypeError, RecursionError):
        raise _bad_cursor() from None
    if found != key or type(value) is not kind or (kind is int and not 0 <= value <= MAX_OFFSET):
        raise _bad_cursor()
    return value


def offset() -> int:
    """Where to begin in a list whose cursors count items."""
    return decode_cursor("offset", int) or 0


def page_of(items: Sequence[Any], start: int, size: int) -> dict[str, Any]:
    """The answer for up to ``size`` of the items that begin at ``start``; one item more than
    that says that there is another page."""
    more = len(items) > size
    return {"items": list(items[:size]),
            "next_cursor": encode_cursor("offset", start + size) if more else None}


def _bad_cursor() -> BadRequest:
    return BadRequest("cursor: this is no cursor of this list; take next_cursor of its answer, "
                      "and leave it out for the first page.")
