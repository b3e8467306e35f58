"""The connection behind a stream: how many there may be, and whether the caller is still there."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Mapping
from typing import Any, cast

from flask import current_app
from flask.sansio.app import App

from wiki.site import Site

_KEY = "wikimill-streams"
#: Where servers put the connection.
_SOCKETS = ("gunicorn.socket", "werkzeug.socket")


def count_streams(app: App) -> None:
    """Give the app a count of its streams.

    Each keeps a thread of the server: half of the threads may, and the others serve pages. A
    browser that gets no stream asks for the log each second.
    """
    threads = cast(Site, app.extensions["wikimill"]).settings.threads
    app.extensions[_KEY] = threading.BoundedSemaphore(max(1, threads // 2))


def streams() -> threading.BoundedSemaphore:
    """To be acquired by each stream while it lasts."""
    return cast(threading.BoundedSemaphore, current_app.extensions[_KEY])


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
