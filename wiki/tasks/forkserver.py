"""The fork server: a warm process that forks the keeper of each run in milliseconds.

``python -m wiki.tasks.forkserver DATA GRACE`` reads requests from its standard input, a line of
JSON each (``{"run": id}`` to start one, ``{"stop": true}`` to end them all politely), and tells
on its standard output what became of them: ``{"run": id, "event": "started" | "failed" |
"ended"}``. It has one thread, so that forking is safe, and the store open without a connection,
which a fork must not share. It keeps a few keepers in reserve, with a prepared process each, those
whose runs have ended among them. When its input ends or its parent goes, it ends, and all runs
with it.
"""

from __future__ import annotations

import fcntl
import gc
import json
import os
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

from wiki.errors import WikiError
from wiki.store import open_store
from wiki.store.base import Query
from wiki.tasks.keeper import FREE, become_subreaper, children, keep
from wiki.tasks.runs import Runs

#: How often it looks whether its parent is still there, in seconds.
LOOK_EVERY = 1.0
#: How many keepers wait for runs.
SPARES = 2
#: How many may, while one run follows the other.
MOST_SPARES = 8
#: Keepers are made in reserve when nothing has happened for so long, in seconds: a run that has
#: just been given to one is to begin first.
QUIET = 0.003
#: How long past both of their grace times the keepers may take to end their runs, in seconds.
END_WITHIN = 5.0


class ForkServer:
    """Starts keepers, and tells when they have ended."""

    def __init__(self, data: Path, grace: float) -> None:
        self.data = data
        self.grace = grace
        self.runs = Runs(data / "runs")
        self.store = open_store(data)
        self.spares: dict[int, socket.socket] = {}
        #: The channel of a keeper stays open: its end tells the keeper that this process died.
        self.keepers: dict[int, tuple[str, socket.socket]] = {}
        self.own = os.getpid()
        self.parent = os.getppid()
        self.pending = b""
        self.stopping = False

    def warm_up(self) -> None:
        """Do once what a run would else do anew, and leave no connection open."""
        self.store.count(Query())
        self.store.close()
        gc.collect()
        gc.freeze()  # what is there by now stays shared between all runs

    def serve(self) -> None:
        """Until the input ends, the parent is gone, or all runs are to end."""
        become_subreaper()
        wakeup = _wakeup_on_children()
        while os.getppid() == self.parent and not self.stopping:
            short = len(self.spares) < SPARES
            ready = self._wait([0, wakeup], QUIET if short else LOOK_EVERY)
            if wakeup in ready:
                os.read(wakeup, 4096)
                self._reap()
            if 0 in ready and not self._read_requests():
                return
            if short and not ready:
                self._fork()
            if not ready and len(self.spares) > SPARES:
                self._retire()

    def _wait(self, descriptors: list[int], seconds: float) -> list[int]:
        """Until something happens; what keepers tell is taken note of. Returns what is ready."""
        channels = {channel.fileno(): pid for pid, (_, channel) in self.keepers.items()}
        ready = select.select([*descriptors, *channels], [], [], seconds)[0]
        for descriptor in ready:
            if descriptor in channels:
                self._listen(channels[descriptor])
        return ready

    def _read_requests(self) -> bool:
        """Do what is asked; False at the end of the input."""
        data = os.read(0, 65536)
        *lines, self.pending = (self.pending + data).split(b"\n")
        for line in lines:
            request = json.loads(line)
            if "run" in request:
                self._start(request["run"])
            self.stopping = self.stopping or "stop" in request
        return bool(data)

    # -- starting --------------------------------------------------------------------------

    def _start(self, run_id: str) -> None:
        try:
            lock = os.open(self.runs.path(run_id) / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        except (OSError, WikiError) as error:
            self._tell(run_id, "failed", str(error))
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._hand_over(run_id, lock)
        except (OSError, WikiError) as error:
            self._tell(run_id, "failed", str(error))
        else:
            self._tell(run_id, "started")
        finally:
            os.close(lock)  # the keeper holds it on

    def _hand_over(self, run_id: str, lock: int) -> None:
        """Give the run to a keeper; raises OSError where it may not or cannot start.

        All is looked at after the lock was taken: whoever finds a run without its lock, and
        its server dead, may record that it never ran.
        """
        if self.runs.load(run_id) is None:
            raise FileNotFoundError(f"run.json of {run_id} is missing or damaged")
        if self.runs.is_barred(run_id):
            raise ProcessLookupError(f"the end of {run_id} was recorded already")
        if os.getppid() != self.parent:
            raise ProcessLookupError("the server is gone")
        for pid in list(self.spares):
            channel = self.spares.pop(pid)
            with suppress(OSError):  # it has died, which the next look sees
                socket.send_fds(channel, [run_id.encode()], [lock])
                self.keepers[pid] = (run_id, channel)
                return
            channel.close()
        pid = self._fork()
        channel = self.spares.pop(pid)
        socket.send_fds(channel, [run_id.encode()], [lock])
        self.keepers[pid] = (run_id, channel)

    def _fork(self) -> int:
        """Make a keeper in reserve; returns its process."""
        here, there = socket.socketpair()
        with there:
            pid = os.fork()
            if pid == 0:
                try:
                    keep(self.data, self.store, self.grace, there)
                finally:
                    os._exit(1)
        self.spares[pid] = here
        return pid

    # -- ending ----------------------------------------------------------------------------

    def _reap(self) -> None:
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                self._take_note(pid, status)

    def _listen(self, pid: int) -> None:
        """A keeper's run has ended, and it is free for another one; or it dies."""
        run_id, channel = self.keepers.get(pid, ("", None))
        try:
            if channel is None or channel.recv(len(FREE)) != FREE:
                return  # its process is waited for in a moment
        except ConnectionResetError:
            return
        del self.keepers[pid]
        if not self.stopping and len(self.spares) < MOST_SPARES:
            self.spares[pid] = channel
        else:
            channel.close()  # by which it ends too
        self._tell(run_id, "ended")

    def _retire(self) -> None:
        """Let a keeper go that is not needed any more."""
        self.spares.pop(next(iter(self.spares))).close()

    def _take_note(self, pid: int, status: int) -> None:
        """A child has ended: a keeper, one in reserve, or what a killed keeper left."""
        if pid in self.spares:
            self.spares.pop(pid).close()
        run_id, channel = self.keepers.pop(pid, ("", None))
        if status != 0:
            self._kill_orphans()
        if channel is not None:
            channel.close()
            self._tell(run_id, "ended")

    def _kill_orphans(self) -> None:
        for pid in children():
            if pid not in self.keepers and pid not in self.spares:
                os.kill(pid, signal.SIGKILL)

    def _tell(self, run_id: str, event: str, error: str = "") -> None:
        line = json.dumps({"run": run_id, "event": event, "error": error}) + "\n"
        with suppress(BrokenPipeError):  # the parent is gone; serve() sees that too
            os.write(1, line.encode())

    def end(self) -> None:
        """Have the keepers end their runs: politely if so asked, else at once, which they do
        when this process goes."""
        for channel in self.spares.values():
            channel.close()
        if not self.stopping:
            return
        for pid in self.keepers:
            os.kill(pid, signal.SIGUSR1)
        deadline = time.monotonic() + 2 * self.grace + END_WITHIN
        while self.keepers and time.monotonic() < deadline and os.getppid() == self.parent:
            self._wait([], 0.02)
            self._reap()


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
    server.warm_up()
    try:
        server.serve()
    finally:
        if os.getpid() == server.own:
            server.end()


if __name__ == "__main__":
    main()
