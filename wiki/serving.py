"""The server: gunicorn with threads, and one open wiki a worker process."""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from wiki.errors import SettingError
from wiki.settings import Settings
from wiki.site import Site
from wiki.web.app import create_app

#: How long an answer that is being sent may take when the server ends, in seconds.
ANSWERS_END_WITHIN = 3
#: How long a worker may take to end, its tasks included, before it is killed.
WORKER_ENDS_WITHIN = 30


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn is not typed
    """A worker that tells its wiki at once when it is to end, so that live streams stop."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        site = getattr(self.app, "site", None)
        if site is not None:
            site.closing.set()
        super().handle_exit(sig, frame)


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn is not typed
    """Serves the wiki of the settings at a socket that is bound already."""

    def __init__(self, settings: Settings, listener: socket.socket,
                 on_ready: Callable[[], None]) -> None:
        self.settings = settings
        self.site: Site | None = None
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
            "graceful_timeout": WORKER_ENDS_WITHIN,
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

    def _end_worker(self) -> None:
        if self.site is None:
            return
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # they have been heard
        self.site.close()
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
    try:
        descriptor = os.open(data / "server.lock", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
