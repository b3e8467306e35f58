"""The keeper of a run: starts its process, reads what that prints, and sees it to its end.

Each run has a keeper process, forked by the fork server before there is a run for it, or left
from a run that has ended, since forks are much of what a short run costs. It holds the run's
lock, so that liveness does not depend on what the script does to its descriptors, and it is
what the run's orphans fall to, so that nothing that a script started outlives it.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NoReturn

from wiki.store import Store
from wiki.tasks import limits, strays
from wiki.tasks.output import LineWriter
from wiki.tasks.prepared import Prepared, close_from, prepare
from wiki.tasks.runlog import open_run_log
from wiki.tasks.runs import Run, Runs
from wiki.tasks.wake import Waker

#: How often the keeper looks for a request to cancel, in seconds.
LOOK_EVERY = 0.25
#: Between the polite request, SIGTERM and SIGKILL, in seconds.
GRACE = 3.0
#: How often the keeper says that the run lives, in seconds.
HEARTBEAT_EVERY = 2.0
#: The working directory is measured at most so often, in seconds, and less often where that
#: takes long: it is to cost no more than a part in so many of the time.
MEASURE_EVERY = 1.0
MEASURE_SHARE = 20
#: The keeper's descriptor to the fork server.
CHANNEL = 3
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
_LIBC = ctypes.CDLL(None)
CHUNK = 64 * 1024
#: What a keeper tells the fork server when it is free for another run.
FREE = b"free"


def keep(data: Path, store: Store, grace: float, channel: socket.socket) -> NoReturn:
    """Prepare a process, wait for a run, and stay until that has ended; then for another one.
    The fork server sends a run's id and its lock; where it goes without, this ends."""
    server = os.getppid()
    _enter(channel)
    become_subreaper()
    _go_on_when_parent_dies()
    wakeup = _wakeup_on_signals()
    while True:
        prepared = prepare(data, store)
        run_id, lock = _await_run(wakeup, prepared)
        run = Runs(data / "runs").load(run_id)
        if run is None:
            os._exit(1)
        keeper = Keeper(data, run, lock, prepared, server, grace, wakeup)
        signal.signal(signal.SIGUSR1, lambda *_, keeper=keeper: keeper.stop())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
        keeper.start()
        keeper.wait()
        alone = keeper.finish()
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        if not alone:
            os._exit(1)  # the fork server kills what this could not
        if keeper.stopped or keeper.server == 0 or not keeper.log.masks.empty:
            os._exit(0)  # the next script would find this one's secrets in its memory
        with suppress(BrokenPipeError):  # the fork server has died, which _await_run() sees
            os.write(CHANNEL, FREE)


@dataclass
class Keeper:
    """What it knows of its run."""

    data: Path
    run: Run
    lock: int
    prepared: Prepared
    server: int
    grace: float
    wakeup: int
    status: int | None = None
    cpu: float = 0.0
    stopped: bool = False
    cancel_seen: float | None = None
    sent: signal.Signals | None = None
    halted: bool = False
    #: Which limit was reached, in words.
    limit: str = ""
    outputs: dict[int, LineWriter] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder = Runs(self.data / "runs").path(self.run.id)
        self.log = open_run_log(self.data, self.run)
        self.begun = self.measure_at = self.beat_at = time.monotonic()

    def start(self) -> None:
        """Let the prepared process run, its output in pipes."""
        leader = strays.find(self.prepared.pid)
        if leader is not None:
            os.write(self.lock, json.dumps(asdict(leader)).encode())
        self.outputs = {reader: LineWriter(self.log, level)
                        for reader, level in self.prepared.readers.items()}
        with suppress(BrokenPipeError):  # it has died just now, which wait() sees
            self.prepared.begin(self.run)

    def stop(self) -> None:
        """The server stops: ask for the run's end at the next look, which is now."""
        self.stopped = True

    def wait(self) -> None:
        """Until the run's process has ended: not until its pipes close, which a process that
        it started may hold open."""
        watched = [self.wakeup, CHANNEL]
        while self.status is None:
            ready = select.select([*watched, *self.outputs], [], [], LOOK_EVERY)[0]
            if self.wakeup in ready:
                os.read(self.wakeup, CHUNK)
            if CHANNEL in ready:  # it says no more: the fork server has died
                watched = [self.wakeup]
                self.server = 0
            for reader in ready:
                if reader in self.outputs:
                    self._read(reader)
            self._reap()
            self._look()

    def finish(self) -> bool:
        """Kill what is left, write down how it ended, and free the lock. Returns whether
        nothing is left."""
        alone = self._kill_rest()
        for reader in list(self.outputs):
            self._drain(reader)
        self.limit = self.limit or limits.reached_at(self.run, self.status or 0, self.cpu)
        # Not by way of another file: nobody reads it before the lock is free.
        (self.folder / "exit.json").write_text(json.dumps({
            "status": self.status or 0, "ended": time.time(), "stopped": self.stopped,
            "cancelled": Runs(self.data / "runs").is_cancelled(self.run.id),
            "limit": self.limit}))
        os.close(self.lock)
        if self.stopped:  # the server may be gone, and another one at work
            Waker(self.data).wake()
        return alone

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
        self._close(reader)
        return False

    def _drain(self, reader: int) -> None:
        while self._read(reader):
            pass
        if reader in self.outputs:
            self._close(reader)

    def _close(self, reader: int) -> None:
        self.outputs.pop(reader).close()
        os.close(reader)

    # -- the end ---------------------------------------------------------------------------

    def _reap(self) -> None:
        """Take note of the processes that have ended, the run's orphans among them, and of
        whether the script is halted."""
        with suppress(ChildProcessError):
            while True:
                pid, status, usage = os.wait4(-1, os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
                if pid == 0:
                    return
                if pid != self.prepared.pid:
                    continue
                if os.WIFSTOPPED(status) or os.WIFCONTINUED(status):
                    self._note_halt(os.WIFSTOPPED(status))
                else:
                    self.status, self.cpu = status, usage.ru_utime + usage.ru_stime

    def _note_halt(self, halted: bool) -> None:
        self.halted = halted
        self.log.append("WARN", f"Run {self.run.number} is halted by a signal (SIGSTOP)"
                        if halted else f"Run {self.run.number} goes on (SIGCONT)")

    def _look(self) -> None:
        """End the run where the server is gone, a limit is reached, or somebody cancelled."""
        now = time.monotonic()
        if os.getppid() != self.server:
            self.stopped = True
            self._signal(signal.SIGKILL, "the server is gone")
        elif self.stopped and self.cancel_seen is None:
            Runs(self.data / "runs").ask_to_stop(self.run.id)
        self._look_at_limits(now)
        if self.cancel_seen is None and (self.folder / "cancel").exists():
            self.cancel_seen = now
        if self.cancel_seen is not None:
            self._escalate(now - self.cancel_seen)
        if now >= self.beat_at and not self.halted:
            self.beat_at = now + HEARTBEAT_EVERY
            os.utime(self.lock)

    def _look_at_limits(self, now: float) -> None:
        limit = self.run.time_limit
        if limit is not None and now - self.begun > limit:
            self._exceed(limits.time_reached(self.run))
        if self.run.disk_limit and now >= self.measure_at:
            enough = int(self.run.disk_limit * limits.MEGABYTE)
            if limits.folder_size(self.folder / "work", enough) > enough:
                self._exceed(limits.disk_reached(self.run))
            took = time.monotonic() - now
            self.measure_at = now + max(MEASURE_EVERY, MEASURE_SHARE * took)

    def _exceed(self, limit: str) -> None:
        self.limit = self.limit or limit
        self._signal(signal.SIGKILL, self.limit)

    def _escalate(self, waited: float) -> None:
        why = "it did not end when it was asked to"
        if waited > 2 * self.grace:
            self._signal(signal.SIGKILL, why)
        elif waited > self.grace:
            self._signal(signal.SIGTERM, why)

    def _signal(self, number: signal.Signals, why: str) -> None:
        """Send the whole group a signal, each kind once."""
        if self.status is not None or self.sent in (number, signal.SIGKILL):
            return
        self.sent = number
        self.log.append("WARN", f"Run {self.run.number} is ended by {number.name}: {why}")
        try:
            os.killpg(self.prepared.pid, number)
        except ProcessLookupError:  # it is so young that it has no group of its own yet
            os.kill(self.prepared.pid, number)
        if self.halted:  # it hears nothing else before it goes on
            with suppress(ProcessLookupError):
                os.killpg(self.prepared.pid, signal.SIGCONT)

    def _kill_rest(self) -> bool:
        """Kill the group and all orphans; returns whether there are no children any more."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.prepared.pid, signal.SIGKILL)
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            for pid in children():
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            try:
                if os.waitpid(-1, os.WNOHANG) == (0, 0):
                    select.select([self.wakeup], [], [], 0.02)
            except ChildProcessError:
                return True
        return False


def _enter(channel: socket.socket) -> None:
    """Keep none of the fork server's descriptors, the channels of other keepers above all: they
    have to see it when the fork server dies."""
    null = os.open(os.devnull, os.O_RDWR)
    for source, target in ((null, 0), (null, 1), (channel.detach(), CHANNEL)):
        os.dup2(source, target)
    close_from(CHANNEL + 1)


def _await_run(wakeup: int, prepared: Prepared) -> tuple[str, int]:
    """The run's id and its lock; ends this process where there will be none."""
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, fileno=CHANNEL)
    while CHANNEL not in select.select([CHANNEL, wakeup], [], [])[0]:
        os.read(wakeup, CHUNK)
        if os.waitpid(prepared.pid, os.WNOHANG) != (0, 0):
            os._exit(1)  # another one is prepared in its place
    message, descriptors, _, _ = socket.recv_fds(channel, 256, 1)
    channel.detach()
    if not message:
        os._exit(0)
    return message.decode(), descriptors[0]


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


def become_subreaper() -> None:
    """The orphans of this process's children become children of its own."""
    if sys.platform == "linux":
        _LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1)


def _go_on_when_parent_dies() -> None:
    """A keeper that is halted (SIGSTOP) when the fork server dies would hold its lock for ever."""
    if sys.platform == "linux":
        _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGCONT)


def children() -> list[int]:
    """The processes whose parent is this one; none where the system does not tell."""
    path = Path(f"/proc/self/task/{os.getpid()}/children")
    try:
        return [int(pid) for pid in path.read_text().split()]
    except OSError:
        return []
