"""Logs: append-only files, one a task and one of the manager's own.

A line is ``[2026-11-24 05:10:22.123] INFO - message`` (UTC). The further lines of one message
are indented by two spaces, so nothing that a script writes can pass for a header.
A log is found by its name in the folder; a name never turns into a path.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote

from wiki.api import Wiki
from wiki.errors import InvalidReference, LogNotFound
from wiki.references import Reference
from wiki.tasks.names import TASK_CLASS

#: The manager's own log.
MANAGER_LOG = "TaskExecutorManagerJob.log"
SUFFIX = ".log"
#: The longest file name of a log, in bytes; past it, a prefix and a digest.
MAX_FILE_NAME = 200
#: At most so many bytes are read to show the last lines.
MAX_TAIL = 4 * 1024 * 1024
BLOCK = 64 * 1024

_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if code != 9}


@dataclass(frozen=True, slots=True)
class LogPart:
    """Bytes of a log from ``offset`` up to ``end``, of a log that is ``size`` bytes long.

    ``text`` is ``data`` as text, with a replacement character for what is no UTF-8.
    """

    data: bytes
    offset: int
    size: int

    @property
    def text(self) -> str:
        return self.data.decode(errors="replace")

    @property
    def end(self) -> int:
        return self.offset + len(self.data)


def log_name(reference: Reference | str) -> str:
    """The name of a task's log: ``Tasks.SimpleTask.log``."""
    return f"{reference}{SUFFIX}"


def format_message(level: str, message: str, when: datetime | None = None) -> bytes:
    """A message as it stands in a log, its line end included."""
    moment = (when or datetime.now(UTC)).astimezone(UTC)
    header = f"[{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d}] {level} - "
    lines = [line.translate(_CONTROLS) for line in message.splitlines()] or [""]
    return (header + "\n  ".join(lines) + "\n").encode(errors="backslashreplace")


class Logs:
    """The logs in a folder. Several threads and processes may write one log at once."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    # -- which there are -------------------------------------------------------------------

    def names(self) -> list[str]:
        """The names of all logs, in order."""
        return sorted(self._name_of(path) for path in self.directory.iterdir()
                      if path.suffix == SUFFIX)

    def exists(self, name: str) -> bool:
        """Whether something was written to a log of this name."""
        try:
            return self._path(name).is_file()
        except LogNotFound:
            return False

    def known(self, wiki: Wiki, name: str) -> bool:
        """Whether there is such a log, or a task or manager that has not written to it yet."""
        if self.exists(name) or name == MANAGER_LOG:
            return True
        try:
            page = wiki.get(name.removesuffix(SUFFIX)) if name.endswith(SUFFIX) else None
        except (InvalidReference, LookupError):
            return False
        return page is not None and page.object(TASK_CLASS) is not None

    # -- writing ---------------------------------------------------------------------------

    def append(self, name: str, level: str, message: str) -> None:
        """Add a message, in one write; raises LogNotFound for what can be no log's name."""
        self.write(name, format_message(level, message))

    def write(self, name: str, lines: bytes) -> None:
        """Add lines that :func:`format_message` made."""
        path = self._path(name)
        # Opened for each write: the log may be archived, and a script may close descriptors.
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            if len(path.name) >= MAX_FILE_NAME - 4 and os.fstat(descriptor).st_size == 0:
                path.with_suffix(".name").write_text(name, encoding="utf-8")
            os.write(descriptor, lines)
        finally:
            os.close(descriptor)

    def archive(self, name: str) -> str:
        """Rename the log with the time, and return its new name; raises LogNotFound."""
        old = self._existing(name)
        stem = f"{name.removesuffix(SUFFIX)}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
        for suffix in ("", *(f"-{number}" for number in range(2, 1000))):
            new = f"{stem}{suffix}{SUFFIX}"
            try:
                os.link(old, self._path(new))  # unlike rename, never over another log
            except FileExistsError:
                continue
            if len(self._path(new).name) >= MAX_FILE_NAME - 4:
                self._path(new).with_suffix(".name").write_text(new, encoding="utf-8")
            old.unlink()
            return new
        raise LogNotFound(f"{name} was archived too often this second; try again")

    # -- reading ---------------------------------------------------------------------------

    def size(self, name: str) -> int:
        """Its bytes; raises LogNotFound."""
        return self._existing(name).stat().st_size

    def open_binary(self, name: str) -> BinaryIO:
        """The whole log as a stream; raises LogNotFound."""
        return self._existing(name).open("rb")

    def read(self, name: str, offset: int = 0, limit: int = BLOCK) -> LogPart:
        """Up to ``limit`` bytes from ``offset``, ending with a whole character.

        An offset past the end means that the log was archived since: it is read from 0.
        Raises LogNotFound.
        """
        with self.open_binary(name) as stream:
            size = os.fstat(stream.fileno()).st_size
            start = offset if 0 <= offset <= size else 0
            stream.seek(start)
            data = stream.read(max(0, min(limit, size - start)))
        return LogPart(_whole_characters(data), start, size)

    def tail(self, name: str, lines: int = 200) -> LogPart:
        """The last lines, read from the end; raises LogNotFound."""
        with self.open_binary(name) as stream:
            size = os.fstat(stream.fileno()).st_size
            start = _start_of_tail(stream, size, max(0, lines))
            stream.seek(start)
            data = stream.read(size - start)
        return LogPart(data, start, size)

    def search(self, name: str, q: str, limit: int = 1000) -> list[str]:
        """The first lines with the text ``q`` in them, in any case; raises LogNotFound."""
        wanted = q.casefold()
        found: list[str] = []
        with self.open_binary(name) as stream:
            for line in _lines(stream):
                if wanted in line.casefold():
                    found.append(line)
                    if len(found) >= limit:
                        break
        return found

    # -- names and files -------------------------------------------------------------------

    def _existing(self, name: str) -> Path:
        path = self._path(name)
        if not path.is_file():
            raise LogNotFound(f"There is no log {name[:200]!r}")
        return path

    def _path(self, name: str) -> Path:
        if not name.endswith(SUFFIX) or name == SUFFIX:
            raise LogNotFound(f"There is no log {name[:200]!r}; a log's name ends with .log")
        return self.directory / file_name(name)

    def _name_of(self, path: Path) -> str:
        if len(path.name) >= MAX_FILE_NAME - 4:
            try:
                return path.with_suffix(".name").read_text(encoding="utf-8")
            except FileNotFoundError:
                return unquote(path.name)
        return unquote(path.name)


@lru_cache(maxsize=1024)
def file_name(name: str) -> str:
    """The file of a log: what is no letter, digit, ``.``, ``_`` or ``-`` is percent-encoded.

    Reversible up to :data:`MAX_FILE_NAME` bytes; a longer one is a prefix and a digest.
    """
    stem = name.removesuffix(SUFFIX)
    try:
        encoded = "".join(_encode(char) for char in stem)
        digest = hashlib.sha256(stem.encode()).hexdigest()[:32]
    except UnicodeEncodeError:
        raise LogNotFound("There is no log with half a character in its name") from None
    if encoded.startswith("."):
        encoded = "%2E" + encoded[1:]
    if len(encoded) + len(SUFFIX) >= MAX_FILE_NAME - 4:
        encoded = f"{encoded[:MAX_FILE_NAME - 40]}~".ljust(MAX_FILE_NAME - 39, "~") + digest
    return encoded + SUFFIX


def _encode(char: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9._-]", char):
        return char
    return "".join(f"%{byte:02X}" for byte in char.encode())


def _whole_characters(data: bytes) -> bytes:
    """Without the beginning of a character at the end, whose rest was not read."""
    for back in range(1, min(4, len(data) - 1) + 1):
        byte = data[-back]
        if byte & 0xC0 == 0x80:
            continue
        needed = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
        return data[:-back] if needed > back else data
    return data


def _start_of_tail(stream: BinaryIO, size: int, lines: int) -> int:
    """Where the last lines begin, found by reading blocks from the end."""
    position, missing = size, lines + 1  # one line end more: that of the line before
    while position > 0 and size - position < MAX_TAIL:
        start = max(0, position - BLOCK)
        stream.seek(start)
        block = stream.read(position - start)
        if position == size and not block.endswith(b"\n"):
            missing -= 1
        count = block.count(b"\n")
        if count >= missing:
            index = len(block)
            for _ in range(missing):
                index = block.rindex(b"\n", 0, index)
            return start + index + 1
        missing -= count
        position = start
    return position


def _lines(stream: BinaryIO) -> Iterator[str]:
    """Its lines as text, a very long one in pieces."""
    while line := stream.readline(1024 * 1024):
        yield line.decode(errors="replace").rstrip("\n")
