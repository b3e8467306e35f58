"""Runners: what starts runs. The local one has a warm fork server on this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any, Protocol

import wiki as package
from wiki.errors import TaskError
from wiki.tasks.keeper import GRACE
from wiki.tasks.runs import Ending, Progress, Run, Runs

#: How long a run may take to start, the fork server's own start included, in seconds.
START_WITHIN = 60.0
#: How long the fork server gets to end its runs, past both of their grace times, in seconds.
CLOSE_WITHIN = 9.0


class Runner(Protocol):
    """Starts runs, and knows of them, wherever they run."""

    #: Called with a run's id when it has ended, from any thread.
    on_end: Callable[[str], None]

    def start(self, run: Run) -> None:
        """Start it; when this returns, :meth:`alive` is true until the run has ended and
        ``on_end`` was told of it.

        Raises TaskError where it could not be started.
        """

    def alive(self, run_id: str) -> bool: ...

    def cancel(self, run_id: str) -> None:
        """Ask for its end: politely, then with signals."""

    def progress(self, run_id: str) -> Progress | None: ...

    def heartbeat(self, run_id: str) -> float | None:
        """The run's last sign of life, in seconds since 1970; None before its start."""

    def ending(self, run_id: str) -> Ending:
        """How a run ended that is not alive, and that does not start from now on: whoever has
        not seen it alive before asks :meth:`alive` once more after this."""

    def load(self, run_id: str) -> Run | None:
        """What runs or ran; None once it is forgotten."""

    def ids(self) -> Iterator[str]:
        """All runs that are not forgotten."""

    def forget(self, run_id: str) -> None:
        """Put away what is left of a run that has ended."""

    def close(self, patience: float = 0.0) -> None:
        """End; what still runs after so many seconds is interrupted."""


def ignore(_run_id: str) -> None:
    """Nobody wants to know."""


class LocalRunner:
    """Runs on this machine, each in a process of its own.

    The fork server starts with the first run. When this process dies, the runs die with it.
    """

    def __init__(self, data: Path, *, grace: float = GRACE) -> None:
        self.on_end: Callable[[str], None] = ignore
        self._data = data.resolve()
        self._grace = grace
        self._runs = Runs(self._data / "runs")
        self._lock = threading.Lock()
        self._server: _Server | None = None
        self._closed = False
        self._cleaner = _Cleaner(self._runs)

    def prepare(self) -> None:
        """Start the fork server before there is a run, so that the first one is as fast."""
        self._fork_server()

    def start(self, run: Run) -> None:
        self._runs.create(run)
        self._fork_server().start(run.id)

    def _fork_server(self) -> _Server:
        with self._lock:
            if self._closed:
                raise TaskError("The run could not be started: the server stops")
            if self._server is None or not self._server.usable:
                if self._server is not None:
                    self._server.close()
                self._server = _Server(self._data, self._grace, self._ended)
            return self._server

    def _ended(self, run_id: str) -> None:
        self.on_end(run_id)

    def alive(self, run_id: str) -> bool:
        server = self._server
        return self._runs.alive(run_id) or (server is not None and server.has(run_id))

    def cancel(self, run_id: str) -> None:
        self._runs.cancel(run_id)

    def progress(self, run_id: str) -> Progress | None:
        return self._runs.progress(run_id)

    def heartbeat(self, run_id: str) -> float | None:
        return self._runs.heartbeat(run_id)

    def ending(self, run_id: str) -> Ending:
        """How it ended; what its keeper could not end, having been killed, is ended now.

        From now on it cannot start any more; where it just has, :meth:`alive` is true again.
        """
        self._runs.bar(run_id)
        if not self._runs.alive(run_id):
            self._runs.kill_strays(run_id)
        return self._runs.ending(run_id)

    def load(self, run_id: str) -> Run | None:
        return self._runs.load(run_id)

    def ids(self) -> Iterator[str]:
        return (run_id for run_id in self._runs.ids() if run_id not in self._cleaner.given)

    def forget(self, run_id: str) -> None:
        self._cleaner.remove(run_id)
        server = self._server
        if server is not None:
            server.release(run_id)

    def close(self, patience: float = 0.0) -> None:
        with self._lock:
            self._closed = True
            server = self._server
        if server is not None:
            server.drain(patience)
            server.close()
        self._cleaner.close()
        self._server = None

    def end_now(self) -> None:
        """Kill what runs, while :meth:`close` waits for it; may be called by a signal handler."""
        server = self._server
        if server is not None:
            server.kill()


class _Cleaner:
    """Removes the folders of runs in a thread of its own, since a disk may take its time."""

    def __init__(self, runs: Runs) -> None:
        #: Runs whose folders are still to be removed.
        self.given: set[str] = set()
        self._runs = runs
        self._queue: SimpleQueue[str | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def remove(self, run_id: str) -> None:
        """Remove the run's folder soon."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="cleaner", daemon=True)
                self._thread.start()
            self.given.add(run_id)
            self._queue.put(run_id)

    def close(self) -> None:
        """Remove what is left, and end."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            thread.join()

    def _work(self) -> None:
        while (run_id := self._queue.get()) is not None:
            self._runs.remove(run_id)
            self.given.discard(run_id)


class _Server:
    """The fork server as its parent sees it."""

    def __init__(self, data: Path, grace: float, on_end: Callable[[str], None]) -> None:
        self._on_end = on_end
        self._runs = Runs(data / "runs")
        self._close_within = 2 * grace + CLOSE_WITHIN
        self._lock = threading.Lock()
        self._fewer = threading.Condition(self._lock)
        self._starting: dict[str, Future[None]] = {}
        #: From their start until their end was recorded.
        self._running: set[str] = set()
        self._ended: SimpleQueue[str | None] = SimpleQueue()
        self.usable = True
        self._process = subprocess.Popen(
            [sys.executable, "-m", "wiki.tasks.forkserver", str(data), str(grace)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, env=_environment(),
            start_new_session=True)
        self._requests: IO[bytes] = _pipe(self._process.stdin)
        self._reports: IO[bytes] = _pipe(self._process.stdout)
        # Ends are recorded in a thread of their own: starts do not wait for that.
        self._threads = [threading.Thread(target=self._read, name="runner", daemon=True),
                         threading.Thread(target=self._tell, name="runner-ends", daemon=True)]
        for thread in self._threads:
            thread.start()

    def start(self, run_id: str) -> None:
        """Raises TaskError."""
        answer: Future[None] = Future()
        with self._lock:
            self._starting[run_id] = answer
        try:
            if not self.usable:
                raise BrokenPipeError
            self._requests.write(json.dumps({"run": run_id}).encode() + b"\n")
            answer.result(START_WITHIN)
        except (OSError, ValueError):
            raise TaskError("The run could not be started: the fork server is gone") from None
        except FutureTimeout:
            self._runs.withdraw(run_id)
            raise TaskError(f"The run did not start within {START_WITHIN:g} s") from None

    def has(self, run_id: str) -> bool:
        """Whether the run goes on, or its end is being recorded."""
        return run_id in self._running

    def release(self, run_id: str) -> None:
        """The run's end is recorded."""
        with self._fewer:
            self._running.discard(run_id)
            self._fewer.notify_all()

    def drain(self, seconds: float) -> None:
        """Wait until nothing runs, but no longer than so many seconds."""
        with self._fewer:
            self._fewer.wait_for(lambda: not (self._running or self._starting), seconds)

    def kill(self) -> None:
        """End the fork server, and with it the runs, at once."""
        with suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End the fork server and its runs, and wait for that."""
        with suppress(BrokenPipeError):
            self._requests.write(b'{"stop": true}\n')
        self._requests.close()
        try:
            self._process.wait(self._close_within)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(CLOSE_WITHIN)
        self._reports.close()

    def _read(self) -> None:
        """The reader thread: pass on what the fork server tells."""
        buffered = b""
        while data := self._reports.read(65536):
            *lines, buffered = (buffered + data).split(b"\n")
            for line in lines:
                self._take(json.loads(line))
        self._gone()

    def _take(self, report: dict[str, Any]) -> None:
        run_id, event = report["run"], report["event"]
        with self._lock:
            answer = self._starting.pop(run_id, None)
            if event == "started":
                self._running.add(run_id)
        if answer is not None:
            if event == "failed":
                answer.set_exception(TaskError(f"The run could not be started: "
                                               f"{report['error']}"))
            else:
                answer.set_result(None)
        if event == "ended":
            self._ended.put(run_id)

    def _gone(self) -> None:
        """The fork server has ended, and its runs with it."""
        with self._lock:
            self.usable = False
            starting, self._starting = self._starting, {}
            running = sorted(self._running)
        for run_id, answer in starting.items():
            self._runs.wait(run_id)  # a keeper may have it already, and has to end it
            answer.set_exception(TaskError("The run could not be started: the fork server died"))
        for run_id in running:
            self._runs.wait(run_id)
            self._ended.put(run_id)
        self._ended.put(None)

    def _tell(self) -> None:
        """The thread that has ends recorded, until the fork server has ended."""
        while (run_id := self._ended.get()) is not None:
            if self.has(run_id):
                self._on_end(run_id)
                self.release(run_id)


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise TaskError("The fork server could not be started")
    return stream


def _environment() -> dict[str, str]:
    """For the fork server: our package found, and none of the server's own settings, which hold
    its secrets."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith("WIKIMILL_")}
    root = str(Path(package.__file__).parent.parent)
    paths = [root, *filter(None, [kept.get("PYTHONPATH")])]
    return {**kept, "PYTHONPATH": os.pathsep.join(paths)}
