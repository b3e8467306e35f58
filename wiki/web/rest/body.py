"""The JSON body of a request, read with care."""

from __future__ import annotations

import json
import math
from typing import Any

from flask import request
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from wiki.errors import TooLarge

#: The largest JSON body, in bytes.
MAX_BYTES = 10 * 1024 * 1024
BLOCK = 64 * 1024
#: What a body may call itself: JSON, nothing, or what curl calls whatever is sent with ``-d``. A
#: page of another site can have a browser send the last, but not as somebody: a session's change
#: needs its token besides, and credentials that a browser remembers are refused in such a call.
MEDIA_TYPES = frozenset({"application/json", "", "application/x-www-form-urlencoded"})
#: How deep arrays and objects nest.
MAX_DEPTH = 32
#: The longest number, in characters.
MAX_DIGITS = 400


def read_object(optional: bool = False) -> dict[str, Any]:
    """The request's body: a JSON object; an empty one where there is none and it is optional.

    Raises BadRequest, which says what is wrong, UnsupportedMediaType or TooLarge.
    """
    data = _read()
    if not data.strip() and optional:
        return {}
    if request.mimetype not in MEDIA_TYPES and not request.mimetype.endswith("+json"):
        raise UnsupportedMediaType(f"The body is {request.mimetype[:80]!r}, and should be JSON: "
                                   "send it with Content-Type: application/json.")
    value = parse(data)
    if not isinstance(value, dict):
        raise BadRequest(f"The body is a JSON {_kind(value)}, and should be an object: {{...}}.")
    return value


def parse(data: bytes) -> Any:
    """Read JSON; raises BadRequest for what is no JSON, or is no good data."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRequest(f"The body is not UTF-8: byte {error.start} is wrong.") from None
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_float,
                           parse_int=_int, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise BadRequest(f"The body is not JSON: {error.msg} at line {error.lineno}, "
                         f"column {error.colno}.") from None
    except RecursionError:
        raise BadRequest(_too_deep()) from None
    _check(value)
    return value


def _read() -> bytes:
    if request.content_length is not None and request.content_length > MAX_BYTES:
        raise TooLarge(_too_large())
    data = bytearray()
    # To its end: that is where the stream of a body without a length tells that it is cut off.
    while block := request.stream.read(BLOCK):
        data += block
        if len(data) > MAX_BYTES:
            raise TooLarge(_too_large())
    return bytes(data)


def _too_large() -> str:
    return f"A JSON body has at most {MAX_BYTES:,} bytes; send large files as attachments."


def _too_deep() -> str:
    return f"The body nests more than {MAX_DEPTH} deep."


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadRequest(f"The body names {twice[:80]!r} twice in one object.")
    return made


def _int(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise BadRequest(f"A number in the body has more than {MAX_DIGITS} digits.")
    return int(text)


def _float(text: str) -> float:
    value = float(text) if len(text) <= MAX_DIGITS else math.inf
    if not math.isfinite(value):
        raise BadRequest(f"The body has a number that is too large: {text[:40]}.")
    return value


def _refuse_constant(name: str) -> None:
    raise BadRequest(f"The body is not JSON: {name} is no number of JSON.")


def _check(value: Any) -> None:
    """Depth and text; a lone surrogate is valid in JSON and in no text."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [item for outer in level for item in _inside(outer)]
        if not level:
            return
    raise BadRequest(_too_deep())


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value, *value.values()]
    if isinstance(value, list):
        return value
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise BadRequest("The body has a lone surrogate (half a character, such as "
                             "\\ud800) in a text.") from None
    return []


def _kind(value: object) -> str:
    if value is None:
        return "null"
    kinds = {bool: "boolean", str: "string", list: "array"}
    return kinds.get(type(value), "number")
