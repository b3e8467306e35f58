"""``/watches`` and ``/notifications``: what the caller watches, and what is new there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Response, jsonify
from werkzeug.exceptions import NotFound

from wiki.classes import moment_of
from wiki.errors import InvalidDocument, InvalidValue
from wiki.news import Notification
from wiki.references import HOME, Reference, split_names
from wiki.watching import Kind, Watch
from wiki.web.rest import context, json, paging
from wiki.web.rest.body import read_object
from wiki.web.rest.context import site, wiki
from wiki.web.rest.routes import Operation


def list_watches() -> dict[str, Any]:
    """All that the caller has noted."""
    size, start = paging.limit(), paging.offset()
    notes = site().watching.of(caller())[start:start + size + 1]
    return paging.page_of([watch_to_json(note) for note in notes], start, size)


def put_watch(kind: str, name: str) -> Response:
    """Watch a page or a space, or mute a page; nothing changes where that is so already."""
    made, found = wanted(kind), place(kind, name)
    site().watching.watch(caller(), made, found)
    note = next(note for note in site().watching.of(caller())
                if (note.kind, note.name) == (made, found))
    return jsonify(watch_to_json(note))


def delete_watch(kind: str, name: str) -> Response:
    """Take a note away, of a page or a space that is gone too."""
    if not site().watching.unwatch(caller(), wanted(kind), normal(kind, name)):
        raise NotFound(f"You have not noted {kind[:20]} {name[:80]}.")
    return Response(status=204)


def list_notifications() -> dict[str, Any]:
    """What others did to what the caller watches, newest first."""
    size, start = paging.limit(), paging.offset()
    seen = site().watching.reader(caller()).seen
    items = site().news.of(caller())
    answer = paging.page_of([notification_to_json(item, seen)
                             for item in items[start:start + size + 1]], start, size)
    return {**answer, "unread": sum(item.date > seen for item in items)}


def read_notifications() -> Response:
    """All until a moment (now, if none is given) is read."""
    body = read_object(optional=True)
    json.check_names(body, {"until"})
    until = json.text(body, "until")
    site().watching.mark_read(caller(), moment(until) if until else datetime.now(UTC))
    return Response(status=204)


def caller() -> str:
    """Raises AccessDenied for a guest, who has no notes."""
    return context.caller("watches something")


def wanted(kind: str) -> Kind:
    """Raises InvalidValue."""
    if kind not in list(Kind):
        raise InvalidValue("kind", kind, "page, space or muted")
    return Kind(kind)


def place(kind: str, name: str) -> str:
    """The page or space as the wiki writes its name; raises DocumentNotFound, InvalidReference
    or InvalidDocument."""
    if kind == Kind.SPACE:
        space = normal(kind, name)
        if not any(space == known or known.startswith(f"{space}.")
                   for known, _ in wiki().spaces()):
            raise InvalidDocument(f"There is no space {space}; watch one that has pages")
        return space
    return str(wiki().get(name).record.reference)


def normal(kind: str, name: str) -> str:
    """The name as the wiki writes it, whether there is such a thing or not; raises
    InvalidReference."""
    if kind == Kind.SPACE:
        return Reference(split_names(name), HOME).space
    return str(Reference.parse(name))


def moment(text: str) -> datetime:
    """Raises InvalidValue."""
    when = moment_of(text)
    if when is None:
        raise InvalidValue("until", text, "a date and time such as 2026-11-24T05:10:22Z")
    return when


def watch_to_json(note: Watch) -> dict[str, Any]:
    return {"kind": note.kind.value, "name": note.name, "since": json.moment(note.since)}


def notification_to_json(item: Notification, seen: datetime) -> dict[str, Any]:
    """``place`` is the anchor of a comment, the version of an edit, the number of a run."""
    return {"event": item.event.value, "reference": str(item.page), "title": item.title,
            "author": item.author, "date": json.moment(item.date), "text": item.text,
            "place": item.place, "unread": item.date > seen}


ONE = "/watches/<kind>/<name>"
OPERATIONS = (
    Operation("GET", "/watches", list_watches, "What you watch", ("limit", "cursor"),
              answer="WatchList"),
    Operation("PUT", ONE, put_watch, "Watch a page or space, or mute a page", answer="Watch"),
    Operation("DELETE", ONE, delete_watch, "Stop watching, or mute no more", statuses=(204,)),
    Operation("GET", "/notifications", list_notifications, "What others did to what you watch, "
              "and who called you, newest first", ("limit", "cursor"),
              answer="NotificationList"),
    Operation("POST", "/notifications/read", read_notifications, "Mark your notifications as read",
              body="ReadUntil", statuses=(204,)),
)
