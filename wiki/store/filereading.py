"""Reading attached documents, so that a search finds what stands in them.

Each is read in a process of its own (:mod:`wiki.store.doctext`), beside those who save: the
writer's lock is taken only to note the text. One that cannot be read is told of in the log once,
and is found by its name.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from wiki.errors import AttachmentNotFound, StoreError
from wiki.store import doctext
from wiki.store.base import State, Store, WaitingFile
from wiki.store.filetexts import Open

#: How long reading a document may take, and how often one looks whether any waits, seconds.
PATIENCE, LOOKS = 120.0, 1.0
#: A larger document is not read, in bytes.
MOST_BYTES = 200 << 20
_logger = logging.getLogger(__name__)


class Reader:
    """Reads one document at a time; :meth:`stop` may be called by another thread."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None

    def stop(self) -> None:
        """End the reading that is under way, and read nothing more."""
        self.stopped.set()
        process = self._process
        if process is not None:
            process.kill()

    def read(self, document: WaitingFile, open_blob: Open) -> str | None:
        """The document's text, as far as it can be read; None where it was stopped. Raises
        OSError where no process can be started now.
        """
        command = [sys.executable, "-I", doctext.__file__, document.kind]
        text, problem = b"", ""
        try:
            with open_blob(document.sha256) as stream:
                size = stream.seek(0, 2)
                stream.seek(0)
                if size > MOST_BYTES:
                    problem = f"{size} bytes are too many"
                else:
                    text, problem = self._run(command, stream)
        except AttachmentNotFound as error:
            problem = str(error)
        if self.stopped.is_set():
            return None
        if problem:
            _logger.warning("the text of the attached file %s (SHA-256 %s) is not searched%s: %s",
                            document.filename, document.sha256,
                            " to its end" if text else "", problem)
        return text.decode(errors="replace")

    def _run(self, command: list[str], stream: BinaryIO) -> tuple[bytes, str]:
        """What the process put out, and what is wrong, empty where nothing is."""
        with subprocess.Popen(command, stdin=stream, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:
            self._process = process
            if self.stopped.is_set():
                process.kill()
            problem = ""
            try:
                text, told = process.communicate(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                text, told = process.communicate()
                problem = f"it took more than {PATIENCE:.0f} seconds"
            self._process = None
        if process.returncode and not problem:
            problem = told.decode(errors="replace").strip()[-300:] or (
                f"its reader ended with {process.returncode}")
        return text, problem


class Readings:
    """A thread that reads what waits, in one process of a data directory at a time."""

    def __init__(self, store: Store, lock: Path) -> None:
        """``lock`` is the file that tells the others."""
        self._store = store
        self._lock = lock
        self._reader = Reader()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="file texts", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop reading; what was not read yet waits."""
        self._reader.stop()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        seen: State | None = None
        pause = 0.0
        while not self._reader.stopped.wait(pause):
            pause = LOOKS
            try:
                state = self._store.state()
                if state != seen:
                    read_all(self._store, self._lock, self._reader)
                    # Else somebody else reads them, who may end before all are read.
                    seen = state if self._store.waiting_file() is None else None
            except (OSError, StoreError):
                _logger.exception("attached documents cannot be read now")
                pause = PATIENCE


def read_all(store: Store, lock: Path, reader: Reader) -> int:
    """Read what waits, one document after the other, until the reader is stopped; returns how
    many were read: none where somebody else holds the ``lock``."""
    number = 0
    with suppress(Timeout), FileLock(lock, timeout=0):
        while not reader.stopped.is_set() and (document := store.waiting_file()) is not None:
            text = reader.read(document, store.open_blob)
            if text is not None:
                store.keep_text(document, text)
                number += 1
    return number
