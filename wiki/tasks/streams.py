"""What a script prints, and logs with ``logging``: sent to its log."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO

from wiki.errors import WikiError
from wiki.tasks.logger import level_name
from wiki.tasks.output import LineWriter
from wiki.tasks.runlog import RunLog
from wiki.tasks.tracebacks import describe

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

#: What every record of ``logging`` has; the rest are fields that the caller gave.
_OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class LogStream(io.RawIOBase):
    """``sys.stdout`` of a script, at the bottom: in order with what the logger writes."""

    def __init__(self, log: RunLog, level: str, descriptor: int) -> None:
        self._lines = LineWriter(log, level)
        self._descriptor = descriptor

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def write(self, data: ReadableBuffer, /) -> int:
        raw = bytes(data)
        self._lines.feed(raw)
        return len(raw)

    def finish(self) -> None:
        """Log an unfinished line."""
        self._lines.close()


class LogHandler(logging.Handler):
    """What a script, or a library that it uses, logs with ``logging``."""

    def __init__(self, log: RunLog) -> None:
        super().__init__(logging.INFO)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
            if record.exc_info and record.exc_info[1]:
                message += "\n" + describe(record.exc_info[1])
            self._log.append(level_name(record.levelno), message, _fields(record))
        except Exception:  # noqa: BLE001 - as in every handler of logging
            self.handleError(record)


def _fields(record: logging.LogRecord) -> Mapping[str, Any]:
    return {name: value for name, value in record.__dict__.items() if name not in _OWN}


class Streams:
    """``print``, ``sys.stderr`` and ``logging``, sent to the log."""

    def __init__(self, log: RunLog) -> None:
        root = logging.getLogger()
        self._before = (sys.stdout, sys.stderr, root.handlers[:], root.level)
        self._raws = (LogStream(log, "OUT", 1), LogStream(log, "ERR", 2))
        self._texts = tuple(map(_text_stream, self._raws))
        sys.stdout, sys.stderr = self._texts
        root.handlers[:] = [LogHandler(log)]
        root.setLevel(logging.INFO)

    def flush(self) -> None:
        """Log all that was printed, unfinished lines too."""
        for text, raw in zip(self._texts, self._raws, strict=True):
            with suppress(OSError, ValueError, WikiError):  # the script may have closed it
                text.flush()
            with suppress(OSError, WikiError):
                raw.finish()

    def restore(self) -> None:
        """Send them where they went before."""
        root = logging.getLogger()
        sys.stdout, sys.stderr, root.handlers[:], level = self._before
        root.setLevel(level)


def _text_stream(raw: LogStream) -> TextIO:
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8",
                            errors="backslashreplace", line_buffering=True)
