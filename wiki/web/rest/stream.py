"""A log as server-sent events."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from wiki.tasks.log import LogPart

#: How often a log is looked at for news, and how often a silent stream says that it lives: s.
INTERVAL = 0.25
HEARTBEAT = 15.0
BLOCK = 64 * 1024


class Closing(Protocol):
    """What a :class:`threading.Event` can do."""

    def is_set(self) -> bool: ...

    def wait(self, timeout: float) -> bool: ...


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

    def events(self) -> Iterator[bytes]:
        """Whole lines as they come; ``reset`` when the log was archived and begins anew; at
        last ``end``, once nothing more can come and all was sent."""
        yield b"retry: 2000\n\n"
        spoke, settled, continued = self.clock(), False, False
        while not self.closing.is_set() and not self.gone():
            word = self.ended()  # asked first: what was written before the end is sent
            part = self.read(self.offset)
            if part.offset != self.offset:
                self.offset = 0
                yield b"event: reset\nid: 0\ndata: 0\n\n"
            elif lines := whole_lines(part.data, word is not None and part.end >= part.size):
                self.offset += len(lines)
                yield log_event(self.offset, lines, continued)
                continued = not lines.endswith(b"\n")
            elif word is not None and settled:
                yield f"event: end\nid: {self.offset}\ndata: {word}\n\n".encode()
                return
            elif self.clock() - spoke >= self.heartbeat:
                yield b": waiting\n\n"
            else:
                settled = word is not None  # a run's last line follows its status
                self.closing.wait(INTERVAL)
                continue
            spoke, settled = self.clock(), False


def whole_lines(data: bytes, last: bool) -> bytes:
    """The data up to its last line end; all of it when it is the last of its log, or a part of
    a line so long that it comes in pieces."""
    end = data.rfind(b"\n") + 1
    return data if last or (not end and len(data) > BLOCK - 4) else data[:end]


def log_event(offset: int, lines: bytes, continued: bool = False) -> bytes:
    """Lines as one event; ``offset`` is that of the log after them. A line that is
    ``continued`` is indented, as what follows in a line is."""
    text = ("  " if continued else "") + lines.decode(errors="replace").removesuffix("\n")
    data = "".join(f"data: {part}\n" for line in text.split("\n") for part in split_line(line))
    return f"id: {offset}\n{data}\n".encode()


def split_line(line: str) -> list[str]:
    """A line of the log without what a browser might take for a line end in it.

    What follows one is indented, as the further lines of a message are, so that it cannot pass
    for a line of its own.
    """
    first, *rest = line.splitlines() or [""]
    return [first, *("  " + part for part in rest)]
