"""What a script prints, as lines of its log."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from wiki.tasks.logline import as_text, format_lines
from wiki.tasks.logreader import whole_characters

#: A line that a script prints is cut into pieces of at most this size, in bytes.
MAX_LINE = 64 * 1024
#: A progress bar that moves within its line is logged at most so often, in seconds, and at
#: its end.
BAR_EVERY = 10.0


class Sink(Protocol):
    """Where the lines go: :class:`wiki.tasks.runlog.RunLog`."""

    @property
    def full(self) -> bool: ...

    def write(self, lines: bytes) -> None: ...


class LineWriter:
    """Turns output into log lines, each with a header of its own.

    A carriage return begins a line anew, as it does in a terminal: of a progress bar only the
    last state is kept, and one from time to time while it moves.
    """

    def __init__(self, log: Sink, level: str,
                 clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._level = level
        self._clock = clock
        self._rest = b""
        self._next_bar = clock() + BAR_EVERY

    def feed(self, data: bytes) -> None:
        """Log the lines that are whole now."""
        lines = (self._rest + data).split(b"\n")
        rest = lines.pop()
        lines = [last_state(line) for line in lines]
        self._rest = last_state(rest)
        if len(self._rest) < len(rest) and self._clock() >= self._next_bar:
            self._next_bar = self._clock() + BAR_EVERY
            lines.append(self._rest.rstrip(b"\r"))
        while len(self._rest) > MAX_LINE:
            lines.append(whole_characters(self._rest[:MAX_LINE]))
            self._rest = self._rest[len(lines[-1]):]
        self._write(lines)

    def close(self) -> None:
        """Log what is left of the last line."""
        if self._rest:
            self._write([last_state(self._rest)])
            self._rest = b""

    def _write(self, lines: list[bytes]) -> None:
        if lines and not self._log.full:
            self._log.write(format_lines(
                self._level, (as_text(line.rstrip(b"\r")) for line in lines)))


def last_state(line: bytes) -> bytes:
    """What a terminal would show of a line with carriage returns in it; those at its end, which
    have nothing after them yet, stay."""
    text = line.rstrip(b"\r")
    return line[text.rfind(b"\r") + 1:]
