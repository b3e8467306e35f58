"""Following logs without a thread for each who does: one thread sends to all of them.

A stream is open for hours and silent for most of them. So its connection is taken over from the
server, whose thread goes back to serving pages, and each log is looked at once for all who
follow it.
"""

from __future__ import annotations

import errno
import logging
import os
import queue
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from wiki.tasks.log import LogPart
from wiki.web.rest.stream import BLOCK, RETRY, Closing, LogStream

#: How often the logs are looked at, and whether their tasks still run, in seconds.
INTERVAL = 0.1
STATUS_EVERY = 0.5
#: How many may follow logs in one server process.
MOST = 1000
#: At most so many bytes are sent to one follower before the next one has its turn.
TURN = 16 * BLOCK
_SERVER_SOCKET = "gunicorn.socket"
_logger = logging.getLogger(__name__)


class HandedOver(OSError):
    """The connection has been taken over: for its server it is as if the caller had hung up."""

    def __init__(self) -> None:
        super().__init__(errno.ENOTCONN, "The stream goes on elsewhere")


class Watch:
    """One log, looked at once a turn for all who follow it."""

    def __init__(self, size: Callable[[], int], read: Callable[[int], LogPart],
                 ended: Callable[[], str | None],
                 event: Callable[[int, bytes, bool], bytes]) -> None:
        self._size_now, self._read, self._ended_now, self._event = size, read, ended, event
        self._parts: dict[int, LogPart] = {}
        self._events: dict[tuple[int, int, bool], bytes] = {}
        self._next_status = 0.0
        self._word: str | None = None
        self._size = -1
        self._turn = -1

    def look(self, turn: int) -> None:
        """See what is new, the first time in a turn."""
        if turn == self._turn:
            return
        self._turn = turn
        if time.monotonic() >= self._next_status:
            self._word = self._ended_now()
            self._next_status = time.monotonic() + STATUS_EVERY
        self._size = self._size_now()
        self._parts.clear()
        self._events.clear()

    def ended(self) -> str | None:
        """The word with which the log ended, as it was at the last look."""
        return self._word

    def look_and_see(self) -> str | None:
        """Look, and tell the word: for a stream that has the watch to itself."""
        self.look(self._turn + 1)
        return self._word

    def read(self, offset: int) -> LogPart:
        """A part of the log; no look at the file for who has all of it."""
        if offset == self._size:
            return LogPart(b"", offset, offset)
        if offset not in self._parts:
            self._parts[offset] = self._read(offset)
        return self._parts[offset]

    def event(self, offset: int, lines: bytes, continued: bool) -> bytes:
        """The event of these lines, made once for all."""
        key = (offset, len(lines), continued)
        if key not in self._events:
            self._events[key] = self._event(offset, lines, continued)
        return self._events[key]


@dataclass(eq=False, slots=True)
class Follower:
    """Who follows a log: a connection, and what is still to be sent on it."""

    connection: socket.socket
    stream: LogStream
    watch: Watch
    chunked: bool
    pending: bytearray = field(default_factory=bytearray)
    closed: bool = False

    def advance(self, turn: int) -> None:
        """Send what is new, as far as the connection takes it."""
        self.watch.look(turn)
        for _ in range(TURN // BLOCK):
            if self.pending or self.stream.finished:
                break
            event = self.stream.step()
            if event is None:
                break
            self._put(event)
            if self.stream.finished and self.chunked:
                self.pending += b"0\r\n\r\n"
            self.flush()

    def _put(self, event: bytes) -> None:
        self.pending += b"%x\r\n%b\r\n" % (len(event), event) if self.chunked else event

    def flush(self) -> None:
        """Send what waits."""
        try:
            while self.pending:
                del self.pending[:self.connection.send(self.pending)]
        except BlockingIOError:
            return
        except OSError:
            self.closed = True
        if self.stream.finished:
            self.closed = True

    def hear(self) -> None:
        """Take note of a caller who hangs up; what one says is of no interest."""
        try:
            self.closed = self.closed or not self.connection.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            self.closed = True


class Hub:
    """The thread that sends logs to their followers; it lives while there are any."""

    def __init__(self, closing: Closing) -> None:
        self._closing = closing
        self._watches: dict[object, Watch] = {}
        self._new: queue.SimpleQueue[Follower] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._count = 0
        #: Whether the thread is there; it ends under the same lock in which it sees that nobody
        #: is left, so that there are never two, nor none for somebody new.
        self._serving = False
        self._turn = 0
        self._followers: set[Follower] = set()

    @property
    def full(self) -> bool:
        """Whether there are as many followers as there may be."""
        return self._count >= MOST

    def watch(self, key: object, make: Callable[[], Watch]) -> Watch:
        """The watch of a log, shared by all who follow it in the same form."""
        with self._lock:
            return self._watches.setdefault(key, make())

    def hand_over(self, environ: Mapping[str, Any], stream: LogStream,
                  watch: Watch) -> Iterator[bytes]:
        """The begin of the stream, with which the server sends its headers; then the connection
        passes to this hub, and the server forgets it."""
        yield RETRY
        connection = take_over(environ[_SERVER_SOCKET])
        chunked = environ.get("SERVER_PROTOCOL") == "HTTP/1.1"
        self._adopt(Follower(connection, stream, watch, chunked))
        raise HandedOver

    def _adopt(self, follower: Follower) -> None:
        follower.connection.setblocking(False)
        with self._lock:
            self._new.put(follower)
            self._count += 1
            if not self._serving:
                self._serving = True
                threading.Thread(target=self._run, name="log followers", daemon=True).start()

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            while self._serve(selector):
                pass

    def _serve(self, selector: selectors.BaseSelector) -> bool:
        """One turn; whether there is anybody left."""
        self._turn += 1
        self._welcome(selector)
        for follower in list(self._followers):
            self._advance(selector, follower)
        self._wait(selector)
        if self._closing.is_set():
            for follower in list(self._followers):
                self._drop(selector, follower)
        used = {follower.watch for follower in self._followers}
        with self._lock:
            self._watches = {key: watch for key, watch in self._watches.items() if watch in used}
            self._serving = self._count > 0
            return self._serving

    def _welcome(self, selector: selectors.BaseSelector) -> None:
        with suppress(queue.Empty):
            while True:
                follower = self._new.get_nowait()
                self._followers.add(follower)
                selector.register(follower.connection, selectors.EVENT_READ, follower)

    def _advance(self, selector: selectors.BaseSelector, follower: Follower) -> None:
        try:
            follower.advance(self._turn)
        except Exception:
            _logger.exception("A log that is followed cannot be read")
            follower.closed = True
        self._settle(selector, follower)

    def _wait(self, selector: selectors.BaseSelector) -> None:
        """Until the next turn; meanwhile, hear who hangs up and send what waits."""
        until = time.monotonic() + INTERVAL
        while (left := until - time.monotonic()) > 0:
            for key, ready in selector.select(left):
                follower: Follower = key.data
                if ready & selectors.EVENT_READ:
                    follower.hear()
                if ready & selectors.EVENT_WRITE:
                    follower.flush()
                self._settle(selector, follower)

    def _settle(self, selector: selectors.BaseSelector, follower: Follower) -> None:
        """Wait for what the follower waits for, or let it go."""
        if follower.closed:
            self._drop(selector, follower)
        elif follower in self._followers:
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if follower.pending else 0)
            if selector.get_key(follower.connection).events != wanted:
                selector.modify(follower.connection, wanted, follower)

    def _drop(self, selector: selectors.BaseSelector, follower: Follower) -> None:
        if follower not in self._followers:
            return
        self._followers.remove(follower)
        selector.unregister(follower.connection)
        follower.connection.close()
        with self._lock:
            self._count -= 1


def can_take_over(environ: Mapping[str, Any]) -> bool:
    """Whether the server lets its connection be taken over: gunicorn, without TLS."""
    return (type(environ.get(_SERVER_SOCKET)) is socket.socket
            and str(environ.get("SERVER_PROTOCOL", "")).startswith("HTTP/1"))


def take_over(connection: socket.socket) -> socket.socket:
    """The connection, away from the server: what that shuts down at its end is another one."""
    taken = connection.dup()
    dead, other = socket.socketpair()
    with dead, other:
        os.dup2(dead.fileno(), connection.fileno(), inheritable=False)
    return taken
