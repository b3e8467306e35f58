"""``/logs``: the logs of tasks and of the manager, as text and as events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, request
from werkzeug.exceptions import ServiceUnavailable

from wiki.errors import DocumentNotFound, InvalidReference, LogNotFound
from wiki.model import SYSTEM
from wiki.rights import Right
from wiki.tasks.log import MANAGER_LOG, SUFFIX, LogPart
from wiki.tasks.names import TASK_CLASS, Status
from wiki.web.rest import paging
from wiki.web.rest.connection import is_gone, streams
from wiki.web.rest.context import site, wiki
from wiki.web.rest.routes import Operation
from wiki.web.rest.stream import LogStream

#: How many bytes one answer holds unless told, and at most.
DEFAULT_BYTES = 64 * 1024
MAX_BYTES = 4 * 1024 * 1024
MAX_LINES = 10_000
#: The longest text to search for.
MAX_WORDS = 1000
MOVING = (Status.READY, Status.RUNNING)


def read_log(log: str) -> Response:
    """The log as text: from an offset, its last lines, or the lines with a text in them."""
    known(log)
    q = request.args.get("q", "")
    if q:
        return matching_lines(log, q[:MAX_WORDS])
    if "lines" in request.args:
        part = tail(log, paging.number("lines", 200, 0, MAX_LINES))
    else:
        size = paging.number("limit", DEFAULT_BYTES, 1, MAX_BYTES)
        part = read(log, paging.number("offset", 0), size)
    response = text_response(part.data, part.size)
    response.headers["X-Log-Offset"] = str(part.offset)
    response.headers["X-Log-End"] = str(part.end)
    return response


def matching_lines(log: str, q: str) -> Response:
    """The first lines with ``q`` in them."""
    size = paging.number("limit", paging.MAX_LIMIT, 1, MAX_LINES)
    try:
        lines = site().logs.search(log, q, size)
    except LogNotFound:
        lines = []
    data = "".join(line + "\n" for line in lines).encode(errors="replace")
    return text_response(data, read(log, 0, 0).size)


def stream_log(log: str) -> Response:
    """The log as server-sent events, followed while its task is ready or runs."""
    known(log)
    current, log_wiki = site(), wiki()

    def part(offset: int) -> LogPart:
        return read_part(lambda: current.logs.read(log, offset))

    def ended() -> str | None:
        if log == MANAGER_LOG:
            return None
        try:
            obj = log_wiki.get(log.removesuffix(SUFFIX)).record.object(TASK_CLASS)
        except (DocumentNotFound, InvalidReference):
            return "GONE"  # an archived log, or that of a page that is no more
        status = obj.values.get("status") if obj else "GONE"
        return None if status in MOVING else str(status)

    environ = request.environ
    stream = LogStream(first_offset(log), part, ended, current.closing,
                       gone=lambda: is_gone(environ))
    taken = streams()
    if not taken.acquire(blocking=False):
        raise ServiceUnavailable("Too many logs are being followed; ask for the log's text from "
                                 "time to time instead.", retry_after=30)
    response = Response(stream.events(), mimetype="text/event-stream")
    response.call_on_close(taken.release)
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Accel-Buffering"] = "no"  # a proxy is to pass each event on at once
    return response


def archive_log(log: str) -> dict[str, Any]:
    """Put the log aside under a name with the time; the task begins a new one."""
    wiki().require(Right.EDIT)
    known(log)
    return {"log": log, "archive": site().logs.archive(log)}


def first_offset(log: str) -> int:
    """Where a stream begins: after the last event that the browser saw, at ``offset``, or at the
    last ``lines``."""
    seen = request.headers.get("Last-Event-ID", "")
    if seen.isascii() and seen.isdigit() and len(seen) <= 18:
        return int(seen)
    if "lines" in request.args:
        return tail(log, paging.number("lines", 200, 0, MAX_LINES)).offset
    return paging.number("offset", 0)


def known(log: str) -> None:
    """Raises LogNotFound for what is the name of no log."""
    if not site().logs.known(site().wiki.as_user(SYSTEM), log):
        raise LogNotFound(f"There is no log {log[:200]!r}")


def read(log: str, offset: int, limit: int) -> LogPart:
    """A part of a known log."""
    return read_part(lambda: site().logs.read(log, offset, limit))


def tail(log: str, lines: int) -> LogPart:
    """The last lines of a known log."""
    return read_part(lambda: site().logs.tail(log, lines))


def read_part(reading: Callable[[], LogPart]) -> LogPart:
    """What ``reading`` gives; nothing where nothing was written yet."""
    try:
        return reading()
    except LogNotFound:
        return LogPart(b"", 0, 0)


def text_response(data: bytes, size: int) -> Response:
    response = Response(data, mimetype="text/plain")
    response.headers["X-Log-Size"] = str(size)
    return response


OPERATIONS = (
    Operation("GET", "/logs/<log>", read_log,
              "A log as text: from offset up to limit bytes, its last lines, or the lines that "
              "hold q", ("offset", "limit", "lines", "q"), answer="text"),
    Operation("GET", "/logs/<log>/stream", stream_log,
              "A log as server-sent events, followed while its task runs",
              ("offset", "lines"), answer="events"),
    Operation("POST", "/logs/<log>/archive", archive_log,
              "Put a log aside; its task begins a new one", answer="Archive"),
)
