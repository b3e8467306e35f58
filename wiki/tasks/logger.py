"""``logger``, as a script sees it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from wiki.tasks.cancellation import Cancellation
from wiki.tasks.progressfile import ProgressFile
from wiki.tasks.runlog import RunLog
from wiki.tasks.tracebacks import describe

Fields = Mapping[str, Any]


class TaskLogger:
    """The task's log. Messages take %-args: ``logger.info("%d rows", 3)``; ``extra`` holds
    fields that are kept beside the message: ``logger.info("read", extra={"rows": 3})``.

    Each call is a point at which a cancelled run ends.
    """

    def __init__(self, log: RunLog, progress: ProgressFile, cancellation: Cancellation) -> None:
        self._log = log
        self._progress = progress
        self._cancellation = cancellation

    def debug(self, message: object, *args: object, extra: Fields | None = None) -> None:
        self.log("DEBUG", message, *args, extra=extra)

    def info(self, message: object, *args: object, extra: Fields | None = None) -> None:
        self.log("INFO", message, *args, extra=extra)

    def warning(self, message: object, *args: object, extra: Fields | None = None) -> None:
        self.log("WARN", message, *args, extra=extra)

    warn = warning

    def error(self, message: object, *args: object, extra: Fields | None = None) -> None:
        self.log("ERROR", message, *args, extra=extra)

    def exception(self, message: object, *args: object, extra: Fields | None = None) -> None:
        """An error, with the traceback of the exception that is being handled."""
        error = sys.exc_info()[1]
        text = _format(message, args)
        self.log("ERROR", "%s", text + ("\n" + describe(error) if error else ""),
                 extra=extra)

    def log(self, level: str | int, message: object, *args: object,
            extra: Fields | None = None) -> None:
        """A message of a level by name (``"INFO"``) or by its number in ``logging``."""
        self._log.append(level_name(level), _format(message, args), extra)
        self._cancellation.raise_once()

    def progress(self, done: float, total: float | None = None, message: str = "") -> None:
        """Say how far the task is; its page shows it. Cheap: call it as often as you like."""
        self._progress.set(done, total, str(message))
        self._cancellation.raise_once()


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
