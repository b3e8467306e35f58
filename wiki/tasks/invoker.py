"""A thread that invokes the task manager whenever it is asked to, so that a slow invocation keeps
no job of the scheduler waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable

from wiki.tasks.manager import Manager

#: Tells a job how its invocation went: an error or None, and what was done.
Told = Callable[[Exception | None, str], None]
STOP_WITHIN = 60.0


class Invoker:
    """Starts task after task while there is room, from :meth:`start` to :meth:`stop`.

    Where the thread does not run, :meth:`ask` does it at once.
    """

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        self._asked = threading.Event()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._telling: list[Told] = []
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._stopping.clear()
        self._thread = threading.Thread(target=self._loop, name="invoker", daemon=True)
        self._thread.start()

    def halt(self) -> None:
        """Start nothing more from now on; may be called by a signal handler."""
        self._stopping.set()

    def stop(self) -> None:
        """End the thread, after the invocation that it may be in."""
        thread, self._thread = self._thread, None
        self._stopping.set()
        self._asked.set()
        if thread is not None:
            thread.join(STOP_WITHIN)

    def ask(self, tell: Told | None = None) -> None:
        """Invoke the manager soon; ``tell`` hears of it, from the thread, and must not raise."""
        if tell is not None:
            with self._lock:
                self._telling.append(tell)
        if self._thread is None:
            self._invoke()
        else:
            self._asked.set()

    def _loop(self) -> None:
        while True:
            self._asked.wait()
            self._asked.clear()
            if self._stopping.is_set():
                return
            self._invoke()

    def _invoke(self) -> None:
        with self._lock:
            telling, self._telling = self._telling, []
        error, done = None, ""
        try:
            done = self._start_all()
        except Exception as raised:  # noqa: BLE001 - the thread's boundary; whoever asked is told
            error = raised
        for tell in telling:
            tell(error, done)

    def _start_all(self) -> str:
        """Start task after task while there is room; returns what was done."""
        started: list[str] = []
        message = "the scheduler ends"
        while not self._stopping.is_set():
            invocation = self._manager.invoke()
            message = invocation.message
            if not invocation.started:
                break
            started.append(invocation.started)
        return "started " + ", ".join(started) if started else message
