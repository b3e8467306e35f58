"""``/logs/<log>/stream``: a log as server-sent events, as text or as HTML."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from flask import Response, request
from werkzeug.exceptions import ServiceUnavailable

from wiki.api import Wiki
from wiki.errors import DocumentNotFound, InvalidReference
from wiki.site import Site
from wiki.tasks import loghtml
from wiki.tasks.log import MANAGER_LOG, SUFFIX, LogPart
from wiki.tasks.names import TASK_CLASS, Status
from wiki.web.rest import logs, paging
from wiki.web.rest.connection import is_gone, streams
from wiki.web.rest.context import site, wiki
from wiki.web.rest.follow import Watch, can_take_over
from wiki.web.rest.routes import Operation
from wiki.web.rest.stream import LogStream, log_event

MOVING = (Status.READY, Status.RUNNING)
#: The word with which the log of a page ends that is no task, or no more.
GONE = "GONE"
#: A browser that is so far behind, in bytes, is taken to the log's end.
MOST_BEHIND = 1024 * 1024


def stream_log(log: str) -> Response:
    """The log as server-sent events, followed while its task is ready or runs."""
    logs.known(log)
    form = logs.chosen_form("text", "html")
    environ = request.environ
    if can_take_over(environ):
        return live(shared_events(log, form, environ))
    taken = streams().threads
    if not taken.acquire(blocking=False):
        raise too_many()
    watch = make_watch(site(), log, form)
    stream = make_stream(log, form, watch, watch.look_and_see)
    stream.gone = lambda: is_gone(environ)
    response = live(stream.events())
    response.call_on_close(taken.release)
    return response


def shared_events(log: str, form: str, environ: Mapping[str, Any]) -> Iterator[bytes]:
    """The events of a stream that the hub sends; raises ServiceUnavailable."""
    hub = streams().hub
    if hub.full:
        raise too_many()
    watch = hub.watch((log, form), partial(make_watch, site(), log, form))
    return hub.hand_over(environ, make_stream(log, form, watch, watch.ended), watch)


def make_stream(log: str, form: str, watch: Watch,
                ended: Callable[[], str | None]) -> LogStream:
    """The stream of this request."""
    return LogStream(first_offset(log), watch.read, ended, site().closing, event=watch.event,
                     allowed=partial(site().logs.known, wiki(), log),
                     most_behind=MOST_BEHIND if form == "html" else None)


def make_watch(of: Site, log: str, form: str) -> Watch:
    """What looks at the log."""
    def size() -> int:
        return of.logs.size(log) if of.logs.exists(log) else 0

    def read(offset: int) -> LogPart:
        return logs.read_part(of.logs, log, partial(of.logs.read, log, offset))

    def word() -> str | None:
        # A task that never ran may be started at any time: whoever waits for it sees it begin.
        found = word_of(of.wiki, log)
        return found if found == GONE or of.logs.exists(log) else None

    return Watch(size, read, word,
                 partial(html_event, log) if form == "html" else log_event)


def word_of(whole: Wiki, log: str) -> str | None:
    """The word with which the log ends: its task's status; None while more may come."""
    if log == MANAGER_LOG:
        return None
    try:
        obj = whole.get(log.removesuffix(SUFFIX)).record.object(TASK_CLASS)
    except (DocumentNotFound, InvalidReference):
        return GONE  # an archived log, or that of a page that is no more
    status = obj.values.get("status") if obj else GONE
    return None if status in MOVING else str(status)


def html_event(log: str, offset: int, lines: bytes, continued: bool = False) -> bytes:
    """As :func:`log_event`, with the lines as HTML."""
    html = str(loghtml.render(log, lines, offset - len(lines)))
    data = "".join(f"data: {part}\n" for part in html.split("\n"))
    return f"id: {offset}\n{data}\n".encode()


def first_offset(log: str) -> int:
    """Where a stream begins: after the last event that the browser saw, at ``offset``, or at the
    last ``lines``."""
    seen = request.headers.get("Last-Event-ID", "")
    if seen.isascii() and seen.isdigit() and len(seen) <= 18:
        return int(seen)
    if "lines" in request.args:
        lines = paging.number("lines", 200, 0, logs.MAX_LINES)
        return logs.read_part(site().logs, log, partial(site().logs.tail, log, lines)).offset
    return paging.number("offset", 0)


def live(events: Iterator[bytes]) -> Response:
    response = Response(events, mimetype="text/event-stream")
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Accel-Buffering"] = "no"  # a proxy is to pass each event on at once
    return response


def too_many() -> ServiceUnavailable:
    return ServiceUnavailable("Too many logs are being followed; ask for the log's text from "
                              "time to time instead.", retry_after=30)


OPERATIONS = (
    Operation("GET", "/logs/<log>/stream", stream_log,
              "A log as server-sent events, followed while its task runs",
              ("offset", "lines", "format"), answer="events",
              asking=("Last-Event-ID",), errors=(503,)),
)
