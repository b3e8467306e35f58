"""What an executor's script sees: ``run(logger, wiki, task)``.

``wiki`` is :class:`wiki.api.Wiki`, with the rights of the executor's script author; this module
has the two others.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from pathlib import Path
from typing import Any, TypeVar

from wiki.api import OpenDocument
from wiki.tasks.log import Logs, format_message
from wiki.tasks.names import RUN_CLASS, TASK_CLASS
from wiki.tasks.runs import Progress, write_json

T = TypeVar("T")
#: Progress is written at most so often, in seconds, and once more at the end.
PROGRESS_EVERY = 0.2
#: Whether somebody cancelled is looked up at most so often, in seconds.
CANCEL_EVERY = 0.1
MEGABYTE = 1_000_000
#: Without a limit of its own, a run writes so many megabytes to its log.
LOG_LIMIT = 1000.0


class TaskCancelled(BaseException):
    """Somebody asked for the end of this run.

    Not an ``Exception``, so that a script's ``except Exception`` lets it through.
    """


class RunLog:
    """The log of one run, up to a limit of bytes."""

    def __init__(self, logs: Logs, name: str, limit: float | None) -> None:
        self._logs = logs
        self._name = name
        self._left = (LOG_LIMIT if limit is None else limit) * MEGABYTE

    def append(self, level: str, message: str) -> None:
        """Write a message; past the limit, say so once and drop it."""
        if not self.full:
            self.write(format_message(level, message))

    @property
    def full(self) -> bool:
        """Whether the limit is passed."""
        return self._left < 0

    def write(self, lines: bytes) -> None:
        """Write lines that are formatted."""
        if self.full:
            return
        self._left -= len(lines)
        if self.full:
            lines = format_message("WARN", "The log is as long as this run may make it; what "
                                           "else the run writes is left out")
        self._logs.write(self._name, lines)


class Cancellation:
    """Whether somebody asked for the run's end: a file, looked up a few times a second."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._next = 0.0
        self._raised = False
        self.asked = False

    def check(self) -> bool:
        """Whether somebody asked."""
        now = time.monotonic()
        if not self.asked and now >= self._next:
            self._next = now + CANCEL_EVERY
            self.look()
        return self.asked

    def look(self) -> bool:
        """Whether somebody asked, looked up right now."""
        self.asked = self.asked or self._path.exists()
        return self.asked

    def raise_once(self) -> None:
        """Raise TaskCancelled, but only once: what cleans up after it may log."""
        if not self._raised and self.check():
            self._raised = True
            raise TaskCancelled


class ProgressFile:
    """Writes how far the run is, at most a few times a second."""

    def __init__(self, path: Path, started: float) -> None:
        self._path = path
        self._started = started
        self._next = 0.0
        self._last: Progress | None = None
        self._written: Progress | None = None

    def set(self, done: float, total: float | None, message: str) -> None:
        self._last = Progress(done, total, message, self._started, time.time())
        if time.monotonic() >= self._next or done == total:
            self.flush()

    def flush(self) -> None:
        """Write what was said last."""
        last = self._last
        if last is None or last is self._written:
            return
        write_json(self._path, {"done": last.done, "total": last.total, "message": last.message,
                                "started": last.started, "updated": last.updated})
        self._written = last
        self._next = time.monotonic() + PROGRESS_EVERY


class TaskLogger:
    """The task's log. Messages take %-args: ``logger.info("%d rows", 3)``.

    Each call is a point at which a cancelled run ends.
    """

    def __init__(self, log: RunLog, progress: ProgressFile, cancellation: Cancellation,
                 describe: Callable[[BaseException], str]) -> None:
        self._log = log
        self._progress = progress
        self._cancellation = cancellation
        self._describe = describe

    def debug(self, message: object, *args: object) -> None:
        self.log("DEBUG", message, *args)

    def info(self, message: object, *args: object) -> None:
        self.log("INFO", message, *args)

    def warning(self, message: object, *args: object) -> None:
        self.log("WARN", message, *args)

    warn = warning

    def error(self, message: object, *args: object) -> None:
        self.log("ERROR", message, *args)

    def exception(self, message: object, *args: object) -> None:
        """An error, with the traceback of the exception that is being handled."""
        error = sys.exc_info()[1]
        text = _format(message, args)
        self.log("ERROR", "%s", text + ("\n" + self._describe(error) if error else ""))

    def log(self, level: str | int, message: object, *args: object) -> None:
        """A message of a level by name (``"INFO"``) or by its number in ``logging``."""
        self._log.append(level_name(level), _format(message, args))
        self._cancellation.raise_once()

    def progress(self, done: float, total: float | None = None, message: str = "") -> None:
        """Say how far the task is; its page shows it. Cheap: call it as often as you like."""
        self._progress.set(done, total, str(message))
        self._cancellation.raise_once()


class Task:
    """The task's page, as :class:`wiki.api.OpenDocument`, and what its script needs besides."""

    def __init__(self, document: OpenDocument, logger: TaskLogger, cancellation: Cancellation,
                 workdir: Path) -> None:
        self.document = document
        #: A folder of the run's own, removed after it; the script starts in it.
        self.workdir = workdir
        self._logger = logger
        self._cancellation = cancellation

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "document":
            raise AttributeError(name)
        return getattr(self.document, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in OpenDocument.FIELDS:
            setattr(self.document, name, value)
        else:
            object.__setattr__(self, name, value)

    @property
    def params(self) -> Mapping[str, Any]:
        """The values of the page's first object that is neither of the task's own classes."""
        for obj in self.document.objects():
            if obj.class_name not in (TASK_CLASS, RUN_CLASS):
                return dict(obj.values)
        return {}

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked for the run's end."""
        return self._cancellation.check()

    def progress(self, done: float, total: float | None = None, message: str = "") -> None:
        """As :meth:`TaskLogger.progress`."""
        self._logger.progress(done, total, message)

    def track(self, items: Iterable[T], total: int | None = None,
              message: str = "") -> Iterator[T]:
        """The items, with progress as the loop over them goes on."""
        if total is None and isinstance(items, Sized):
            total = len(items)
        done = 0
        self._logger.progress(0, total, message)
        for done, item in enumerate(items, 1):
            yield item
            self._logger.progress(done, total, message)
        if total is None:
            self._logger.progress(done, done, message)


def level_name(level: str | int) -> str:
    """``WARN`` for ``"warning"`` and for 30."""
    if isinstance(level, int):
        steps = ((40, "ERROR"), (30, "WARN"), (20, "INFO"))
        return next((name for least, name in steps if level >= least), "DEBUG")
    name = {"WARNING": "WARN", "CRITICAL": "ERROR", "FATAL": "ERROR"}.get(
        level.upper(), level.upper())
    return name if name in ("DEBUG", "INFO", "WARN", "ERROR") else "INFO"


def _format(message: object, args: tuple[object, ...]) -> str:
    text = str(message)
    if not args:
        return text
    values = args[0] if len(args) == 1 and isinstance(args[0], Mapping) else args
    try:
        return text % values
    except (TypeError, ValueError, KeyError):
        return f"{text} {args!r}"  # a slip in a log call ends no run
