"""The server: gunicorn with threads, and one open wiki a worker process."""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from wiki.errors import SettingError
from wiki.settings import Settings
from wiki.site import Site
from wiki.store.lock import is_locked
from wiki.web.app import create_app

#: How long an answer that is being sent may take when the server ends, in seconds.
ANSWERS_END_WITHIN = 3
#: How long a worker may take to end past the grace times of its tasks, before it is killed.
WORKER_ENDS_WITHIN = 20
#: A signal that comes sooner after the first is the same wish: a terminal and a service manager
#: send it to each process, and the arbiter passes it on. In seconds.
SAME_WISH_WITHIN = 1.0


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn is not typed
    """A worker that tells its wiki at once when it is to end: no task starts any more, and live
    streams stop."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.app.told_to_end()
        super().handle_exit(sig, frame)

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        self.app.told_to_end()
        super().handle_quit(sig, frame)


class Supervisor(Arbiter):  # type: ignore[misc]  # gunicorn is not typed
    """An arbiter that passes on what it is told while it waits for its workers to end."""

    def stop(self, graceful: bool = True) -> None:
        """End the workers, and wait for them."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.kill_workers(signal.SIGTERM))
        super().stop(graceful)


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn is not typed
    """Serves the wiki of the settings at a socket that is bound already."""

    def __init__(self, settings: Settings, listener: socket.socket,
                 on_ready: Callable[[], None]) -> None:
        self.settings = settings
        self.site: Site | None = None
        self._told_at: float | None = None
        self._hurried = False
        self._listener = listener.detach()  # gunicorn closes it
        self._on_ready = on_ready
        super().__init__()

    def load_config(self) -> None:
        """Give gunicorn its settings; it reads none itself."""
        wanted: dict[str, Any] = {
            "bind": f"fd://{self._listener}",
            "workers": self.settings.workers,
            "threads": self.settings.threads,
            "worker_class": Worker,
            "graceful_timeout": (self.settings.shutdown_grace + 2 * self.settings.cancel_grace
                                 + WORKER_ENDS_WITHIN),
            "loglevel": "warning",
            "proc_name": "wikimill",
            "when_ready": lambda _arbiter: self._on_ready(),
            "worker_exit": lambda _arbiter, _worker: self._end_worker(),
            "control_socket_disable": True,
        }
        for name, value in wanted.items():
            if name in self.cfg.settings:  # older ones lack some
                self.cfg.set(name, value)

    def load(self) -> Flask:
        """Open the wiki, in the worker: threads and files do not pass a fork."""
        self.cfg.set("graceful_timeout", ANSWERS_END_WITHIN)  # of this worker
        self.site = Site(self.settings)
        app = create_app(self.settings, self.site)
        self.site.start()
        return app

    def run(self) -> None:
        """Serve until a signal ends it."""
        Supervisor(self).run()

    def told_to_end(self) -> None:
        """A signal has come: the first has the worker end, another one has it hurry."""
        now = time.monotonic()
        if self.site is None:
            return
        if self._told_at is None:
            self._told_at = now
            self.site.stop_starting()
        elif now - self._told_at > SAME_WISH_WITHIN:
            self._hurried = True
            self.site.runner.end_now()

    def _end_worker(self) -> None:
        if self.site is None:
            return
        signal.signal(signal.SIGQUIT, signal.SIG_IGN)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.told_to_end())
        self.told_to_end()
        self.site.close(0 if self._hurried else self.settings.shutdown_grace)
        logging.shutdown()
        # The interpreter would wait for threads that still send to a browser.
        os._exit(0)


def listen(host: str, port: int) -> socket.socket:
    """Bind the address; raises SettingError where it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except (OSError, UnicodeError) as error:
        raise SettingError(f"cannot listen at {host}:{port}: {error}") from None


def url_of(listener: socket.socket) -> str:
    """What to open in a browser."""
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = "localhost"
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


@contextmanager
def serving(data: Path) -> Iterator[None]:
    """Mark the data as served, for as long as this process lives."""
    descriptor = os.open(data / "server.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


def is_served(data: Path) -> bool:
    """Whether a server on this machine serves the data."""
    return is_locked(data / "server.lock", also_shared=True)
