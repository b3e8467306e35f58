"""Macros that take long: they run in threads of their own, and the page does not wait for them.

Which ones do is known from experience: how long each took of late, in this process.
"""

from __future__ import annotations

import contextvars
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")
#: A macro that took less than so many seconds of late is called by the page's own thread.
QUICK = 0.1
#: What a macro took counts less with each later call.
FADING = 0.7
#: How many run at once in a process, and how many of those for one page and for one reader: a
#: thread of Python cannot be stopped, so a macro without an end holds its own for good.
THREADS, OF_PAGE, OF_READER = 8, 4, 6
#: A macro that has run for so many seconds may well have no end: the page says so.
STUCK_SECONDS = 60.0
#: How long a result waits for the browser to ask for it, in seconds; how many wait, and how large
#: they are together.
KEPT_SECONDS = 60.0
KEPT, KEPT_SIZE = 200, 20_000_000
#: How long a process that ends waits for those that run, in seconds.
PARTING = 2.0


@dataclass(eq=False, slots=True)
class Run(Generic[T]):
    """A call that was given to a thread."""

    key: str
    work: Callable[[], T]
    #: The page that is viewed, and its reader; empty where they do not count.
    page: str = ""
    reader: str = ""
    began: float = field(default_factory=time.monotonic)
    ended: threading.Event = field(default_factory=threading.Event)
    at: float = 0.0
    result: T | None = None
    error: BaseException | None = None

    @property
    def is_stuck(self) -> bool:
        """Whether it has run for so long that it may have no end."""
        return not self.ended.is_set() and time.monotonic() - self.began >= STUCK_SECONDS

    def go(self) -> None:
        """Do the work, in the thread."""
        try:
            self.result = self.work()
        except BaseException as error:  # noqa: BLE001 - raised again where the result is taken
            self.error = error
        self.at = time.monotonic()


class SlowRuns(Generic[T]):
    """Runs by the key of what they make; never two of one key at once. Safe for several
    threads."""

    def __init__(self, threads: int = THREADS,
                 size_of: Callable[[T], int] = lambda result: 0) -> None:
        #: Stands for the form token in what runs here, since whoever takes it has another.
        self.form_token = secrets.token_urlsafe(24)
        self._limit = threads
        self._size_of = size_of
        self._took: dict[str, float] = {}
        self._runs: OrderedDict[str, Run[T]] = OrderedDict()
        self._waiting: SimpleQueue[Run[T] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._closed = False
        self._lock = threading.Lock()

    # -- experience ------------------------------------------------------------------------

    def knows(self, name: str) -> bool:
        """Whether a macro of this name has been called before."""
        return name in self._took

    def quick(self, name: str) -> bool:
        """Whether it took no time worth speaking of."""
        return self._took.get(name, QUICK) < QUICK

    def took(self, name: str, seconds: float) -> None:
        """Take note of one call."""
        self._took[name] = max(seconds, FADING * self._took.get(name, 0.0))

    # -- runs ------------------------------------------------------------------------------

    def has(self, key: str) -> bool:
        """Whether a run of this key goes on, or has a result that was not taken."""
        return key in self._runs

    def start(self, key: str, work: Callable[[], T], page: str = "",
              reader: str = "") -> Run[T] | None:
        """The run of this key that goes on, or has ended and was not taken, or else a new one;
        None where all threads are at work, or all that the page or its reader may have."""
        with self._lock:
            self._forget()
            known = self._runs.get(key)
            if known is not None:
                return known
            going = self._unended()
            if self._closed or self._full(going, page, reader):
                return None
            run = self._runs[key] = Run(key, work, page, reader)
            if len(self._threads) <= len(going):
                self._add_thread()
        context = contextvars.copy_context()
        run.work = lambda: context.run(work)
        self._waiting.put(run)
        return run

    def take(self, run: Run[T]) -> T:
        """The result of a run that has ended; raises what it raised. The next one of the key
        begins anew."""
        with self._lock:
            if self._runs.get(run.key) is run:
                del self._runs[run.key]
        if run.error is not None:
            raise run.error
        assert run.result is not None
        return run.result

    def holds(self, page: str) -> bool:
        """Whether the page has all the threads that it may have."""
        with self._lock:
            return sum(run.page == page for run in self._unended()) >= OF_PAGE

    def stuck(self, page: str, reader: str) -> bool:
        """Whether all threads that the page or its reader may have are held by macros that may
        have no end."""
        with self._lock:
            return self._full([run for run in self._unended() if run.is_stuck], page, reader)

    def _unended(self) -> list[Run[T]]:
        return [run for run in self._runs.values() if not run.ended.is_set()]

    def _full(self, runs: list[Run[T]], page: str, reader: str) -> bool:
        """Whether these runs take all threads, or all that the page or its reader may have."""
        return (len(runs) >= self._limit
                or (bool(page) and sum(run.page == page for run in runs) >= OF_PAGE)
                or (bool(reader) and sum(run.reader == reader for run in runs) >= OF_READER))

    def close(self) -> None:
        """Start nothing any more, and wait a little for what runs."""
        with self._lock:
            self._closed = True
            threads = list(self._threads)
        for _ in threads:
            self._waiting.put(None)
        end = time.monotonic() + PARTING
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _forget(self) -> None:
        """Drop the results that nobody came for."""
        ended = [run for run in self._runs.values() if run.ended.is_set()]
        old = time.monotonic() - KEPT_SECONDS
        size = 0
        for number, run in enumerate(reversed(ended), 1):
            size += self._size_of(run.result) if run.result is not None else 0
            if run.at < old or number > KEPT or size > KEPT_SIZE:
                del self._runs[run.key]

    def _add_thread(self) -> None:
        thread = threading.Thread(target=self._work, name="slow macros", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        while (run := self._waiting.get()) is not None:
            run.go()
            run.ended.set()
