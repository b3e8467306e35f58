"""The log of one run: up to a limit, and without secrets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wiki.secrets import Secrets
from wiki.tasks.limits import MEGABYTE
from wiki.tasks.log import Logs, log_name
from wiki.tasks.logline import format_message
from wiki.tasks.masks import FetchedSecrets, Masks
from wiki.tasks.runs import Run, Runs

#: Without a limit of its own, a run writes so many megabytes to its log.
LOG_LIMIT = 1000.0


class RunLog:
    """The log of one run, up to a limit of bytes."""

    def __init__(self, logs: Logs, name: str, limit: float | None,
                 fetched: FetchedSecrets) -> None:
        """``limit``: in megabytes."""
        self._logs = logs
        self._name = name
        self._left = (LOG_LIMIT if limit is None else limit) * MEGABYTE
        self._fetched = fetched
        self.masks = Masks()

    def append(self, level: str, message: str, fields: Mapping[str, Any] | None = None) -> None:
        """Write a message; past the limit, say so once and drop it."""
        if not self.full:
            self.write(format_message(level, message, fields=fields))

    @property
    def full(self) -> bool:
        """Whether the limit is passed."""
        return self._left < 0

    def write(self, lines: bytes) -> None:
        """Write lines that are formatted, without what is secret in them."""
        if self.full:
            return
        for value in self._fetched.news():
            self.masks.add(value)
        lines = self.masks.hide_lines(lines)
        self._left -= len(lines)
        if self.full:
            lines = format_message("WARN", "The log is as long as this run may make it; what "
                                           "else the run writes is left out")
        self._logs.write(self._name, lines)

    def mask(self, name: str, value: str) -> None:
        """Show a secret no more, in none of the run's processes."""
        self._fetched.add(name)
        self.masks.add(value)


def open_run_log(data: Path, run: Run) -> RunLog:
    """The log of a run of the wiki in ``data``, for each process that writes to it."""
    fetched = FetchedSecrets(Runs(data / "runs").path(run.id), Secrets(data / "secrets"))
    return RunLog(Logs(data / "logs"), log_name(run.task), run.log_limit, fetched)
