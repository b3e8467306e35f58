"""The lines of a log: how a message is written, and how its lines are told apart.

A message begins with a header, ``[2026-11-24 05:10:22.123] INFO - text`` (UTC). Its further
lines are indented by two spaces, and its fields are one last line of JSON indented by one:
nothing that a script writes can pass for either. Control characters are written as ``\\x1b``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

#: What a line is: a message's first one, a further one of it, or its fields.
Kind = Literal["header", "more", "fields"]

#: How control characters are written: they stay out of terminals.
CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if code != 9}
_HEADER = re.compile(rb"\[(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d{3})\] ([A-Z]{1,20}) - ")
_FIELDS = b" {"


def format_message(level: str, message: str, when: datetime | None = None,
                   fields: Mapping[str, Any] | None = None) -> bytes:
    """A message as it stands in a log, its line end included.

    ``fields`` are kept as JSON; a value that JSON has not is kept as its text.
    """
    lines = [line.translate(CONTROLS) for line in message.splitlines()] or [""]
    text = _header(level, when) + "\n  ".join(lines) + "\n"
    if fields:
        text += f" {_json(fields)}\n"
    return text.encode(errors="backslashreplace")


def format_lines(level: str, messages: Iterable[str]) -> bytes:
    """Messages as they stand in a log, all of the same moment: for a script that prints much."""
    when = datetime.now(UTC)
    header = _header(level, when)
    return b"".join(f"{header}{message}\n".encode() if message.isprintable()
                    else format_message(level, message, when) for message in messages)


def _header(level: str, when: datetime | None) -> str:
    moment = (when or datetime.now(UTC)).astimezone(UTC)
    return f"[{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d}] {level} - "


def _json(fields: Mapping[str, Any]) -> str:
    try:
        text = json.dumps(fields, default=str, allow_nan=False)
    except (TypeError, ValueError):  # NaN, a loop, a key that is no text
        text = json.dumps({str(name): str(value) for name, value in fields.items()})
    return text.replace("\x7f", "\\u007f")


def as_text(data: bytes) -> str:
    """Bytes of a log as text; what is no UTF-8 shows as ``\\xff``."""
    return data.decode(errors="backslashreplace")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a log, without its line end, at ``offset`` bytes.

    ``time`` (ISO 8601, UTC), and ``level`` are those of a header, else empty. ``body`` is what
    follows the header or the indent.
    """

    offset: int
    data: bytes
    kind: Kind
    body: bytes
    level: str = ""
    time: str = ""

    @property
    def stamp(self) -> str:
        """The time as it stands in the line."""
        return self.time.replace("T", " ").removesuffix("Z")


def parse_line(data: bytes, offset: int = 0) -> Line:
    """What a line is."""
    if header := _HEADER.match(data):
        day, hour, level = (part.decode() for part in header.groups())
        return Line(offset, data, "header", data[header.end():], level, f"{day}T{hour}Z")
    if data.startswith(_FIELDS):
        return Line(offset, data, "fields", data[1:])
    return Line(offset, data, "more", data.removeprefix(b"  "))


def parse_lines(data: bytes, offset: int = 0) -> Iterator[Line]:
    """The lines in a part of a log that begins at ``offset``."""
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    for line in lines:
        yield parse_line(line, offset)
        offset += len(line) + 1


def messages(lines: Iterator[Line]) -> Iterator[dict[str, Any]]:
    """The messages of the lines, as JSON has them: offset, time, level, message, fields.

    The rest of a message whose header is not among the lines has neither time nor level.
    """
    message: dict[str, Any] | None = None
    for line in lines:
        if line.kind == "header" or message is None:
            if message is not None:
                yield message
            message = {"offset": line.offset, "time": line.time or None,
                       "level": line.level or None, "message": "", "fields": {}}
            if line.kind != "fields":
                message["message"] = as_text(line.body)
                continue
        if line.kind == "fields":
            message["fields"] = _read_json(line.body)
        else:
            message["message"] += "\n" + as_text(line.body)
    if message is not None:
        yield message


def _read_json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:  # a line that was cut
        return as_text(data)
