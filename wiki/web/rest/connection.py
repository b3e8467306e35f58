"""The connection behind a stream: how many there may be, and whether the caller is still there."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from flask import current_app
from flask.sansio.app import App

from wiki.site import Site
from wiki.web.rest.follow import Hub

_KEY = "wikimill-streams"
#: Where servers put the connection.
_SOCKETS = ("gunicorn.socket", "werkzeug.socket")


@dataclass(frozen=True, slots=True)
class Streams:
    """What sends the streams of an app.

    Under gunicorn that is the ``hub``. Under another server each stream keeps one of its
    ``threads``: half of them may, and the others serve pages. A browser that gets no stream asks
    for the log each second.
    """

    hub: Hub
    threads: threading.BoundedSemaphore


def make_streams(app: App) -> None:
    """Give the app what sends its streams."""
    site = cast(Site, app.extensions["wikimill"])
    threads = threading.BoundedSemaphore(max(1, site.settings.threads // 2))
    app.extensions[_KEY] = Streams(Hub(site.closing), threads)


def streams() -> Streams:
    """What sends the streams of this app."""
    return cast(Streams, current_app.extensions[_KEY])


def is_gone(environ: Mapping[str, Any]) -> bool:
    """Whether the caller has hung up, where the server lets one see that."""
    connection = next((environ[key] for key in _SOCKETS if key in environ), None)
    if not isinstance(connection, socket.socket):
        return False
    poll = select.poll()
    try:
        poll.register(connection, select.POLLIN)
        return bool(poll.poll(0)) and connection.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except ValueError:  # a TLS connection lets nobody peek; a closed one has no number
        return connection.fileno() < 0
    except OSError:
        return True
