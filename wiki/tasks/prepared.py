"""A prepared process: forked and isolated before it is known which run it is for.

The keeper forks it, and names the run once there is one. All that a run costs before its script
begins is paid then already.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from wiki.store import Store
from wiki.tasks import process
from wiki.tasks.runs import Run, Runs

#: The descriptor by which the process learns of its run.
ORDERS = 3
#: Its exit code when it could not begin.
NOT_BEGUN = 70


@dataclass(frozen=True, slots=True)
class Prepared:
    """A process that waits for its run, as its keeper sees it."""

    pid: int
    #: Where the keeper reads what the process writes to its standard output and error.
    readers: dict[int, str]
    _orders: int

    def begin(self, run: Run) -> None:
        """Let it run; raises BrokenPipeError where it has died."""
        try:
            os.write(self._orders, run.id.encode())
        finally:
            os.close(self._orders)


def prepare(data: Path, store: Store) -> Prepared:
    """Fork the process; ``store`` was opened before, and goes on working in it."""
    keeper = os.getpid()
    orders, ordering = os.pipe()
    pipes = [(os.pipe(), level) for level in ("OUT", "ERR")]
    pid = os.fork()
    if pid == 0:
        try:
            _enter(orders, [ends[1] for ends, _ in pipes], keeper)
            _await_run(data, store)
        finally:
            os._exit(NOT_BEGUN)
    os.close(orders)
    for (reader, writer), _ in pipes:
        os.close(writer)
        os.set_blocking(reader, False)
    return Prepared(pid, {ends[0]: level for ends, level in pipes}, ordering)


def _enter(orders: int, writers: list[int], keeper: int) -> None:
    """In the new process: its own signals, descriptors and session."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
    null = os.open(os.devnull, os.O_RDONLY)
    for target, descriptor in enumerate([os.dup(fd) for fd in (null, *writers, orders)]):
        os.dup2(descriptor, target)
    close_from(ORDERS + 1)
    process.isolate(keeper)


def _await_run(data: Path, store: Store) -> NoReturn:
    """Wait for a run, and be it; or end, where the keeper has none."""
    run_id = os.read(ORDERS, 256).decode()
    os.close(ORDERS)
    run = Runs(data / "runs").load(run_id) if run_id else None
    if run is None:
        os._exit(NOT_BEGUN)
    process.execute(data, store, run)


def close_from(lowest: int) -> None:
    """Close this descriptor and all above it."""
    os.closerange(lowest, os.sysconf("SC_OPEN_MAX"))
