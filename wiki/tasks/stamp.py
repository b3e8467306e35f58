"""A file whose time tells every process that something has happened."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path


class Stamp:
    """The file at ``path``; each of these remembers the time that it saw last."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = self._time()

    def touch(self) -> None:
        """Tell all others, and this one."""
        with suppress(OSError):  # a full disk: who looks from time to time sees it too
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
            os.close(descriptor)
            now = time.time_ns()  # the file system's own clock ticks too coarsely
            os.utime(self._path, ns=(now, now))

    def changed(self) -> bool:
        """Whether any process touched it since this was last asked."""
        stamp = self._time()
        changed = stamp != self._seen
        self._seen = stamp
        return changed

    def _time(self) -> int:
        try:
            return self._path.stat().st_mtime_ns
        except FileNotFoundError:
            return 0
