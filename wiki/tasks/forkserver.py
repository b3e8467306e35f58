"""The fork server: a warm process that forks the keeper of each run in milliseconds.

``python -m wiki.tasks.forkserver DATA GRACE`` reads requests from its standard input, a line of
JSON each (``{"run": id}``), and tells on its standard output what became of them:
``{"run": id, "event": "started" | "failed" | "ended"}``. It has one thread, so that forking is
safe. When its input ends or its parent goes, it ends, and all runs with it.
"""

from __future__ import annotations

import fcntl
import gc
import json
import os
import select
import signal
import sys
import time
from pathlib import Path

from wiki.errors import WikiError
from wiki.tasks.keeper import keep
from wiki.tasks.runs import Runs

#: How often it looks whether its parent is still there, in seconds.
LOOK_EVERY = 1.0
#: How long it waits for its keepers to end their runs.
END_WITHIN = 10.0


class ForkServer:
    """Starts keepers, and tells when they have ended."""

    def __init__(self, data: Path, grace: float) -> None:
        self.data = data
        self.grace = grace
        self.runs = Runs(data / "runs")
        self.keepers: dict[int, str] = {}
        self.own = os.getpid()
        self.parent = os.getppid()
        self.pending = b""

    def serve(self) -> None:
        """Until the input ends or the parent is gone."""
        wakeup = _wakeup_on_children()
        while os.getppid() == self.parent:
            ready = select.select([0, wakeup], [], [], LOOK_EVERY)[0]
            if wakeup in ready:
                os.read(wakeup, 4096)
            self._reap()
            if 0 in ready and not self._read_requests():
                return

    def _read_requests(self) -> bool:
        """Do what is asked; False at the end of the input."""
        data = os.read(0, 65536)
        *lines, self.pending = (self.pending + data).split(b"\n")
        for line in lines:
            self._start(json.loads(line)["run"])
        return bool(data)

    def _start(self, run_id: str) -> None:
        try:
            run = self.runs.load(run_id)
            if run is None:
                raise FileNotFoundError(f"run.json of {run_id} is missing or damaged")
            lock = os.open(self.runs.path(run_id) / "lock", os.O_RDWR | os.O_CREAT, 0o644)
            fcntl.flock(lock, fcntl.LOCK_EX)
            pid = os.fork()
        except (OSError, WikiError) as error:
            self._tell(run_id, "failed", str(error))
            return
        if pid == 0:
            server = os.getppid()
            os.close(0)
            keep(self.data, run, server, self.grace)
        os.close(lock)  # the keeper holds it on
        self.keepers[pid] = run_id
        self._tell(run_id, "started")

    def _reap(self) -> None:
        while self.keepers:
            pid, _ = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            self._tell(self.keepers.pop(pid), "ended")

    def _tell(self, run_id: str, event: str, error: str = "") -> None:
        line = json.dumps({"run": run_id, "event": event, "error": error}) + "\n"
        try:
            os.write(1, line.encode())
        except BrokenPipeError:
            return  # the parent is gone; serve() sees that too

    def end(self) -> None:
        """Let the keepers end their runs."""
        _disown(self.keepers)
        deadline = time.monotonic() + END_WITHIN
        while self.keepers and time.monotonic() < deadline:
            self._reap()
            select.select([], [], [], 0.02)


def _disown(keepers: dict[int, str]) -> None:
    """Ask the keepers to end their runs."""
    for pid in keepers:
        os.kill(pid, signal.SIGUSR1)


def _wakeup_on_children() -> int:
    reader, writer = os.pipe()
    for end in (reader, writer):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # For the keepers, each of which takes it once it can.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    return reader


def main() -> None:
    """Serve the data directory named on the command line."""
    server = ForkServer(Path(sys.argv[1]), float(sys.argv[2]))
    gc.freeze()  # what is imported by now stays shared between all runs
    try:
        server.serve()
    finally:
        if os.getpid() == server.own:
            server.end()


if __name__ == "__main__":
    main()
