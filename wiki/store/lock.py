"""The lock of the one writer: between threads, between stores, between processes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from pathlib import Path
from types import TracebackType


class WriterLock:
    """Held in a ``with`` block by one thread of one process; dies with its process.

    The kernel's ``flock`` belongs to an open file, so each holder opens the file anew.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread_lock = threading.Lock()
        self._descriptor: int | None = None

    def __enter__(self) -> None:
        self._thread_lock.acquire()
        descriptor = -1
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except BaseException:
            if descriptor >= 0:
                os.close(descriptor)
            self._thread_lock.release()
            raise
        self._descriptor = descriptor

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            # Unlocked by name, since a forked child may hold a copy of the descriptor.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)
        self._thread_lock.release()

    def forget(self) -> None:
        """In a forked child: let go of what the parent's threads held, without unlocking."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
        self._descriptor = None
        self._thread_lock = threading.Lock()


def is_locked(path: Path, *, also_shared: bool = False) -> bool:
    """Whether somebody holds the file's ``flock`` for himself, or with ``also_shared``, together
    with others. False where there is no such file."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor,
                    fcntl.LOCK_NB | (fcntl.LOCK_EX if also_shared else fcntl.LOCK_SH))
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
