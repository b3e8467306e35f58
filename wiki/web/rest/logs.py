"""``/logs``: the logs of tasks and of the manager, as text, HTML and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from flask import Response, request, send_file
from markupsafe import Markup
from werkzeug.exceptions import BadRequest

from wiki.errors import LogNotFound
from wiki.rights import Right
from wiki.tasks import loghtml
from wiki.tasks.log import PACKED, LogPart, Logs
from wiki.tasks.logline import messages, parse_lines
from wiki.tasks.logreader import Found
from wiki.web.rest import paging
from wiki.web.rest.context import site, wiki
from wiki.web.rest.routes import Operation

#: How many bytes one answer holds unless told, and at most.
DEFAULT_BYTES = 64 * 1024
MAX_BYTES = 4 * 1024 * 1024
MAX_LINES = 10_000
#: The longest text to search for.
MAX_WORDS = 1000
FORMATS = {"text": "text/plain", "html": "text/html", "json": "application/x-ndjson"}


def read_log(log: str) -> Response:
    """A part of the log: from an offset, round one, its last lines, or those with a text."""
    known(log)
    q = request.args.get("q", "")[:MAX_WORDS]
    if q:
        return matching_lines(log, q)
    part = chosen_part(log)
    response = answer(log, part)
    response.headers["X-Log-Size"] = str(part.size)
    response.headers["X-Log-Offset"] = str(part.offset)
    response.headers["X-Log-End"] = str(part.end)
    return response


def chosen_part(log: str) -> LogPart:
    """The part that the request asks for."""
    logs, given = site().logs, request.args
    lines = paging.number("lines", 200, 0, MAX_LINES)
    offset = paging.number("offset", 0)
    if "before" in given:
        read = partial(logs.before, log, paging.number("before", 0), lines)
    elif "at" in given:
        read = partial(logs.around, log, paging.number("at", 0), lines)
    elif "lines" not in given:
        limit = paging.number("limit", DEFAULT_BYTES, 1, MAX_BYTES)
        read = partial(logs.read, log, offset, limit)
    elif "offset" in given:
        read = partial(logs.after, log, offset, lines)
    else:
        read = partial(logs.tail, log, lines)
    return read_part(logs, log, read)


def answer(log: str, part: LogPart) -> Response:
    """A part of the log in the form that the request asks for."""
    form = chosen_form()
    if form == "html":
        mark = request.args.get("mark", "")[:MAX_WORDS]
        whole = "limit" in request.args  # a line of its own, and not a screen of them
        return made(loghtml.render(log, part.data, part.offset, mark, whole=whole), form)
    if form == "json":
        return made(ndjson(messages(parse_lines(part.data, part.offset))), form)
    return made(part.data, form)


def matching_lines(log: str, q: str) -> Response:
    """The first lines with ``q`` in them, from an offset on or back from it. A search through a
    very large log goes on where ``X-Log-Next`` says."""
    limit = paging.number("limit", paging.MAX_LIMIT, 1, MAX_LINES)
    start = paging.number("offset", 0) if "offset" in request.args else None
    back = request.args.get("back") == "true"
    found = search(log, q, start, limit, back)
    lines = [line for offset, data in found.lines for line in parse_lines(data, offset)]
    form = chosen_form()
    if form == "html":
        response = made(Markup("").join(loghtml.render_lines(log, lines, q)), form)
    elif form == "json":
        response = made(ndjson(row for line in lines for row in messages(iter([line]))), form)
    else:
        response = made(b"".join(line.data + b"\n" for line in lines), form)
    if found.next is not None:
        response.headers["X-Log-Next"] = str(found.next)
    response.headers["X-Log-Size"] = str(found.size)
    return response


def search(log: str, q: str, start: int | None, limit: int, back: bool) -> Found:
    """The lines of a known log that hold ``q``; none where nothing was written yet."""
    logs = site().logs
    if not logs.exists(log):
        return Found((), None, 0)
    return logs.find(log, q, start, limit, back)


def chosen_form(*allowed: str) -> str:
    """The form that the request asks for; raises BadRequest."""
    form = request.args.get("format", "text")
    if form not in (allowed or FORMATS):
        raise BadRequest(f"format: {form[:40]!r} is none of {', '.join(allowed or FORMATS)}")
    return form


def made(data: bytes | str, form: str) -> Response:
    return Response(data, mimetype=FORMATS[form])


def ndjson(rows: Iterable[dict[str, Any]]) -> str:
    """The rows as JSON, one on a line."""
    return "".join(json.dumps(row) + "\n" for row in rows)


def download_log(log: str) -> Response:
    """The whole log as a file."""
    known(log)
    stream = site().logs.open_binary(log)
    size = stream.seek(0, 2)
    stream.seek(0)
    kind = "application/gzip" if log.endswith(PACKED) else "text/plain"
    response = send_file(stream, kind, as_attachment=True, download_name=log, conditional=False)
    response.content_length = size  # what is written meanwhile is not sent
    return response


def archive_log(log: str) -> dict[str, Any]:
    """Put the log aside under a name with the time; the task begins a new one."""
    known(log)
    wiki().require(Right.EDIT, site().logs.page(wiki(), log))
    return {"log": log, "archive": site().logs.archive(log)}


def known(log: str) -> None:
    """Raises LogNotFound for what is the name of no log that the reader may know of."""
    if not site().logs.known(wiki(), log):
        raise LogNotFound(f"There is no log {log[:200]!r}")


def read_part(logs: Logs, log: str, reading: Callable[[], LogPart]) -> LogPart:
    """What ``reading`` gives; nothing where nothing was written yet."""
    try:
        return reading()
    except LogNotFound:
        if logs.exists(log):
            raise  # a compressed one
        return LogPart(b"", 0, 0)


OPERATIONS = (
    Operation("GET", "/logs/<log>", read_log,
              "A log as text, HTML or NDJSON: from offset up to limit bytes or so many lines, the "
              "lines before or at a place, its last lines, or the lines that hold q",
              ("offset", "limit", "lines", "before", "at", "q", "back", "mark", "format"),
              answer="log", answering=("X-Log-Size", "X-Log-Offset", "X-Log-End", "X-Log-Next")),
    Operation("GET", "/logs/<log>/download", download_log, "The whole log as a file",
              answer="file"),
    Operation("POST", "/logs/<log>/archive", archive_log,
              "Put a log aside; its task begins a new one", answer="Archive"),
)
