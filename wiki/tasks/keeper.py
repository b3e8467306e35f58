"""The keeper of a run: starts its process, reads what that prints, and sees it to its end.

Each run has a keeper process, forked by the fork server. It holds the run's lock, so that
liveness does not depend on what the script does to its descriptors, and it is what the run's
orphans fall to, so that nothing that a script started outlives it.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from wiki.tasks import process
from wiki.tasks.api import RunLog
from wiki.tasks.log import Logs, log_name
from wiki.tasks.runs import Run, Runs, write_json

#: How often the keeper looks for a request to cancel, in seconds.
LOOK_EVERY = 0.25
#: Between the polite request, SIGTERM and SIGKILL, in seconds.
GRACE = 3.0
PR_SET_CHILD_SUBREAPER = 36
CHUNK = 64 * 1024


def keep(data: Path, run: Run, server: int, grace: float) -> NoReturn:
    """Start the run and stay until it has ended; ``server`` is the fork server's process."""
    _become_subreaper()
    wakeup = _wakeup_on_signals()
    keeper = Keeper(data, run, server, grace, wakeup)
    signal.signal(signal.SIGUSR1, lambda *_: keeper.stop())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
    keeper.start()
    keeper.wait()
    keeper.finish()
    os._exit(0)


@dataclass
class Keeper:
    """What it knows of its run."""

    data: Path
    run: Run
    server: int
    grace: float
    wakeup: int
    pid: int = 0
    status: int | None = None
    stopped: bool = False
    cancel_seen: float | None = None
    sent: signal.Signals | None = None
    timed_out: bool = False
    outputs: dict[int, process.LineWriter] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder = Runs(self.data / "runs").path(self.run.id)
        self.log = RunLog(Logs(self.data / "logs"), log_name(self.run.task), self.run.log_limit)
        self.begun = time.monotonic()

    def start(self) -> None:
        """Fork the run's process, its output in pipes."""
        pipes = [(os.pipe(), level) for level in ("OUT", "ERR")]
        keeper = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                _enter([ends[1] for ends, _ in pipes], keeper)
                process.execute(self.data, self.run)
            finally:
                os._exit(70)
        for (reader, writer), level in pipes:
            os.close(writer)
            os.set_blocking(reader, False)
            self.outputs[reader] = process.LineWriter(self.log, level)

    def stop(self) -> None:
        """The server stops: end the run at the next look, which is now."""
        self.stopped = True

    def wait(self) -> None:
        """Until the run's process has ended: not until its pipes close, which a process that
        it started may hold open."""
        while self.status is None:
            ready = select.select([self.wakeup, *self.outputs], [], [], LOOK_EVERY)[0]
            if self.wakeup in ready:
                os.read(self.wakeup, CHUNK)
            for reader in ready:
                if reader != self.wakeup:
                    self._read(reader)
            self._reap()
            self._look()

    def finish(self) -> None:
        """Kill what is left, and write down how it ended; the lock goes with this process."""
        self._kill_rest()
        for reader in list(self.outputs):
            self._drain(reader)
        write_json(self.folder / "exit.json", {
            "status": self.status or 0, "ended": time.time(), "stopped": self.stopped,
            "cancelled": (self.folder / "cancel").exists(),
            "timed_out": self.run.time_limit if self.timed_out else None})

    # -- output ----------------------------------------------------------------------------

    def _read(self, reader: int) -> bool:
        """Log what is there; whether there may be more."""
        try:
            data = os.read(reader, CHUNK)
        except BlockingIOError:
            return False
        if data:
            self.outputs[reader].feed(data)
            return True
        self.outputs.pop(reader).close()
        os.close(reader)
        return False

    def _drain(self, reader: int) -> None:
        while self._read(reader):
            pass
        if reader in self.outputs:
            self.outputs.pop(reader).close()

    # -- the end ---------------------------------------------------------------------------

    def _reap(self) -> None:
        """Take note of the processes that have ended, the run's orphans among them."""
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid == self.pid:
                    self.status = status

    def _look(self) -> None:
        """End the run where the server is gone, time is up, or somebody cancelled."""
        now = time.monotonic()
        if self.stopped or os.getppid() != self.server:
            self.stopped = True
            self._signal(signal.SIGKILL)
        limit = self.run.time_limit
        if limit is not None and now - self.begun > limit:
            self.timed_out = True
            self._signal(signal.SIGKILL)
        if self.cancel_seen is None and (self.folder / "cancel").exists():
            self.cancel_seen = now
        if self.cancel_seen is not None:
            self._escalate(now - self.cancel_seen)

    def _escalate(self, waited: float) -> None:
        if waited > 2 * self.grace:
            self._signal(signal.SIGKILL)
        elif waited > self.grace:
            self._signal(signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> None:
        """Send the whole group a signal, each kind once."""
        if self.status is not None or self.sent in (number, signal.SIGKILL):
            return
        self.sent = number
        self.log.append("WARN", f"Run {self.run.number} is ended by {number.name}")
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:  # it is so young that it has no group of its own yet
            os.kill(self.pid, number)

    def _kill_rest(self) -> None:
        """Kill the group and all orphans, until there are no children any more."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            for pid in _children():
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            try:
                if os.waitpid(-1, os.WNOHANG) == (0, 0):
                    select.select([self.wakeup], [], [], 0.02)
            except ChildProcessError:
                return


def _enter(writers: list[int], keeper: int) -> None:
    """In the new process: its own signals, descriptors and session."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        signal.signal(number, signal.SIG_DFL)
    null = os.open(os.devnull, os.O_RDONLY)
    for descriptor, target in zip([null, *writers], (0, 1, 2), strict=True):
        os.dup2(descriptor, target)
    os.closerange(3, 256)  # the lock, the pipes of the keeper and of the fork server
    process.isolate(keeper)


def _wakeup_on_signals() -> int:
    """A descriptor that can be read when a child ends."""
    reader, writer = os.pipe()
    for end in (reader, writer):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    return reader


def _become_subreaper() -> None:
    """Orphans of the run become this process's children."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def _children() -> list[int]:
    """The processes whose parent is this one; none where the system does not tell."""
    path = Path(f"/proc/self/task/{os.getpid()}/children")
    try:
        return [int(pid) for pid in path.read_text().split()]
    except OSError:
        return []
