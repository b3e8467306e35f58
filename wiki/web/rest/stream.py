"""A log as server-sent events."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from wiki.tasks.log import LogPart
from wiki.tasks.logline import as_text

#: How often a log is looked at for news, and how often a silent stream says that it lives: s.
INTERVAL = 0.25
HEARTBEAT = 15.0
BLOCK = 64 * 1024
#: What every stream begins with: how long a browser waits before it comes back, in ms.
RETRY = b"retry: 2000\n\n"


class Closing(Protocol):
    """What a :class:`threading.Event` can do."""

    def is_set(self) -> bool: ...

    def wait(self, timeout: float) -> bool: ...


def log_event(offset: int, lines: bytes, continued: bool = False) -> bytes:
    """Lines as one event; ``offset`` is that of the log after them. A line that is
    ``continued`` is indented, as what follows in a line is."""
    text = ("  " if continued else "") + as_text(lines).removesuffix("\n")
    data = "".join(f"data: {part}\n" for line in text.split("\n") for part in split_line(line))
    return f"id: {offset}\n{data}\n".encode()


@dataclass(slots=True)
class LogStream:
    """The events of a log from ``offset`` on.

    ``read`` gives a part of the log from an offset; ``ended`` gives the word with which the
    stream ends, or None while more may come; ``closing`` is set when the server stops.
    """

    offset: int
    read: Callable[[int], LogPart]
    ended: Callable[[], str | None]
    closing: Closing
    clock: Callable[[], float] = time.monotonic
    heartbeat: float = HEARTBEAT
    #: Whether nobody listens any more.
    gone: Callable[[], bool] = lambda: False
    #: Makes an event of lines.
    event: Callable[[int, bytes, bool], bytes] = log_event
    #: Whether who listens may still read the log; asked as often as the heart beats.
    allowed: Callable[[], bool] = lambda: True
    #: Who is further behind, in bytes, is taken to the end of the log.
    most_behind: int | None = None
    #: Whether the last event was made.
    finished: bool = False
    _settled: bool = False
    _continued: bool = False
    _spoke: float = field(init=False)
    _asked: float = field(init=False)

    def __post_init__(self) -> None:
        self._spoke = self._asked = self.clock()

    def events(self) -> Iterator[bytes]:
        """All events, for a server that gives the stream a thread; they wait for news."""
        yield RETRY
        while not (self.closing.is_set() or self.finished or self.gone()):
            event = self.step()
            if event is None:
                self.closing.wait(INTERVAL)
            else:
                yield event

    def step(self) -> bytes | None:
        """The next event, or None where there is no news: whole lines as they come; ``skip``
        where so much came that lines are left out; ``reset`` when the log was archived and
        begins anew; at last ``end``, once nothing more can come and all was sent."""
        if not self._may_go_on():
            return self._end("GONE")
        word = self.ended()  # asked first: what was written before the end is sent
        part = self.read(self.offset)
        lines = whole_lines(part.data, word is not None and part.end >= part.size)
        if part.offset != self.offset:
            return self._said(self._jump("reset", 0))
        if self.most_behind is not None and part.size - self.offset > self.most_behind:
            return self._said(self._skip(part.size))
        if lines:
            return self._said(self._lines(lines))
        if word is not None and self._settled:
            return self._end(word)
        if self.clock() - self._spoke >= self.heartbeat:
            return self._said(b": waiting\n\n")
        self._settled = word is not None  # a run's last line follows its status
        return None

    def _lines(self, lines: bytes) -> bytes:
        self.offset += len(lines)
        event = self.event(self.offset, lines, self._continued)
        self._continued = not lines.endswith(b"\n")
        return event

    def _skip(self, size: int) -> bytes:
        """Go to the first whole line of the last block."""
        block = self.read(size - BLOCK + 4)
        return self._jump("skip", block.offset + block.data.find(b"\n") + 1)

    def _jump(self, word: str, offset: int) -> bytes:
        before, self.offset, self._continued = self.offset, offset, False
        data = before if word == "skip" else 0
        return f"event: {word}\nid: {offset}\ndata: {data}\n\n".encode()

    def _end(self, word: str) -> bytes:
        self.finished = True
        return f"event: end\nid: {self.offset}\ndata: {word}\n\n".encode()

    def _said(self, event: bytes) -> bytes:
        self._spoke, self._settled = self.clock(), False
        return event

    def _may_go_on(self) -> bool:
        if self.clock() - self._asked < self.heartbeat:
            return True
        self._asked = self.clock()
        return self.allowed()


def whole_lines(data: bytes, last: bool) -> bytes:
    """The data up to its last line end; all of it when it is the last of its log, or a part of
    a line so long that it comes in pieces."""
    end = data.rfind(b"\n") + 1
    return data if last or (not end and len(data) > BLOCK - 4) else data[:end]


def split_line(line: str) -> list[str]:
    """A line of the log without what a browser might take for a line end in it.

    What follows one is indented, as the further lines of a message are, so that it cannot pass
    for a line of its own.
    """
    first, *rest = line.splitlines() or [""]
    return [first, *("  " + part for part in rest)]
