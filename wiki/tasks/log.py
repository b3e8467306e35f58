"""Logs: append-only files, one a task and one of the manager's own.

How a line looks is in :mod:`wiki.tasks.logline`, how a log of any size is read in
:mod:`wiki.tasks.logreader`. A log is found by its name in the folder; a name never turns into
a path. Beside ``<log>.log``, ``<log>.runs`` says where in it each run begins.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, BinaryIO, TypeVar
from urllib.parse import unquote

from wiki.api import OpenDocument, Wiki
from wiki.errors import AccessDenied, InvalidReference, LogNotFound
from wiki.references import Reference
from wiki.rights import Right
from wiki.tasks import logreader
from wiki.tasks.logline import format_message
from wiki.tasks.logreader import BLOCK, SEARCH_BYTES, Found, LogPart
from wiki.tasks.names import TASK_CLASS
from wiki.translate import gettext

__all__ = ["MANAGER_LOG", "PACKED", "SUFFIX", "Archive", "LogPart", "LogRun", "Logs", "file_name",
           "format_message", "log_name"]

#: The manager's own log, and the page that shows it: who may view that may read the log.
MANAGER_LOG = "TaskExecutorManagerJob.log"
MANAGER_PAGE = "TaskExecutorCode.TaskExecutorManagerJobLog"
SUFFIX = ".log"
#: What the name of a compressed log ends with.
PACKED = ".log.gz"
#: The longest file name of a log, in bytes; past it, a prefix and a digest.
MAX_FILE_NAME = 200
#: So much of the list of a log's runs is read: its last thousands.
MAX_RUNS = 64 * 1024
_ARCHIVED = re.compile(r"(.+)-[0-9]{8}-[0-9]{6}(?:-[0-9]{1,3})?\.log(?:\.gz)?", re.DOTALL)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LogRun:
    """Where a run stands in its task's log: from byte ``start`` up to ``end``."""

    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Archive:
    """A log that was put away: its name, that of the log it was, its bytes, and when it was
    written to last (seconds since 1970)."""

    name: str
    log: str
    size: int
    written: float


def log_name(reference: Reference | str) -> str:
    """The name of a task's log: ``Tasks.SimpleTask.log``."""
    return f"{reference}{SUFFIX}"


class Logs:
    """The logs in a folder. Several threads and processes may write one log at once."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    # -- which there are -------------------------------------------------------------------

    def names(self) -> list[str]:
        """The names of all logs, archived ones among them, in order."""
        return sorted(self._name_of(path) for path in self.directory.iterdir()
                      if path.name.endswith((SUFFIX, PACKED)))

    def archives(self) -> list[Archive]:
        """The logs that were put away, in order of their names."""
        made = []
        for name in self.names():
            if old := _ARCHIVED.fullmatch(name):
                status = self._existing(name).stat()
                made.append(Archive(name, log_name(old[1]), status.st_size, status.st_mtime))
        return made

    def exists(self, name: str) -> bool:
        """Whether something was written to a log of this name."""
        try:
            return self._path(name).is_file()
        except LogNotFound:
            return False

    def known(self, wiki: Wiki, name: str) -> bool:
        """Whether the wiki's user may read such a log: it was written, or is that of a task or
        the manager; and the user may view its page. The log of a page that is no more is for
        administrators."""
        try:
            page = self.page(wiki, name)
        except AccessDenied:
            return False
        if name == MANAGER_LOG:
            return True
        if page is None:
            return wiki.may(Right.ADMIN) and self.exists(name)
        return self.exists(name) or (name == log_name(page.reference)
                                     and page.object(TASK_CLASS) is not None)

    def page(self, wiki: Wiki, name: str) -> OpenDocument | None:
        """The page that a log belongs to, also when it is archived; None where there is none.

        Raises AccessDenied where the user may not view it.
        """
        for page in _pages_of(name):
            try:
                return wiki.get(page)
            except (InvalidReference, LookupError):
                continue
        return None

    # -- writing ---------------------------------------------------------------------------

    def append(self, name: str, level: str, message: str,
               fields: Mapping[str, Any] | None = None, run: int | None = None) -> None:
        """Add a message, in one write; ``run`` is the number of the run that begins with it.

        Raises LogNotFound for what can be no log's name.
        """
        start = self.write(name, format_message(level, message, fields=fields))
        if run is not None:
            with self._runs(name).open("a", encoding="ascii") as stream:
                stream.write(f"{run} {start}\n")

    def write(self, name: str, lines: bytes) -> int:
        """Add lines that :func:`format_message` made; returns the offset that they have."""
        path = self._path(name)
        # Opened for each write: the log may be archived, and a script may close descriptors.
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            if len(path.name) >= MAX_FILE_NAME - 4 and os.fstat(descriptor).st_size == 0:
                path.with_suffix(".name").write_text(name, encoding="utf-8")
            written = os.write(descriptor, lines)
            return os.lseek(descriptor, 0, os.SEEK_CUR) - written
        finally:
            os.close(descriptor)

    def move(self, name: str, new: str) -> None:
        """Rename a log with its page. Where there is none, or there is one of that name already,
        nothing is done."""
        if not self.exists(name):
            return
        old, path = self._path(name), self._path(new)
        try:
            os.link(old, path)  # unlike rename, never over another log
        except FileExistsError:
            return
        self._take_along(name, new)
        old.unlink()

    def _take_along(self, name: str, new: str) -> None:
        """Keep the new name where the file's does not tell it, and what is known of its runs."""
        if len(self._path(new).name) >= MAX_FILE_NAME - 4:
            self._path(new).with_suffix(".name").write_text(new, encoding="utf-8")
        if self._runs(name).exists():
            self._runs(name).replace(self._runs(new))

    def archive(self, name: str) -> str:
        """Rename the log with the time, and return its new name; raises LogNotFound."""
        old = self._existing(name)
        if name.endswith(PACKED):
            raise LogNotFound(gettext(
                "%(name)s is archived and compressed already", name=name[:200]))
        stem = f"{name.removesuffix(SUFFIX)}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
        for suffix in ("", *(f"-{number}" for number in range(2, 1000))):
            new = f"{stem}{suffix}{SUFFIX}"
            if self.exists(f"{stem}{suffix}{PACKED}"):
                continue
            try:
                os.link(old, self._path(new))  # unlike rename, never over another log
            except FileExistsError:
                continue
            self._take_along(name, new)
            old.unlink()
            return new
        raise LogNotFound(gettext(
            "%(name)s was archived too often this second; try again", name=name))

    def pack(self, name: str) -> str:
        """Compress an archived log, and return its new name; raises LogNotFound."""
        old = self._existing(name)
        if not _ARCHIVED.fullmatch(name) or name.endswith(PACKED):
            raise LogNotFound(gettext(
                "%(name)s is no archived log that is not compressed yet", name=name[:200]))
        new, part = self._path(f"{name}.gz"), old.with_suffix(".part")
        with old.open("rb") as source, part.open("wb") as target:
            with gzip.GzipFile(fileobj=target, mode="wb", filename="") as packed:
                shutil.copyfileobj(source, packed, 1024 * 1024)
            target.flush()
            os.fsync(target.fileno())
        status = old.stat()
        os.utime(part, (status.st_atime, status.st_mtime))
        part.replace(new)
        old.unlink()
        return f"{name}.gz"

    def remove(self, name: str) -> None:
        """Delete an archived log; raises LogNotFound."""
        if not _ARCHIVED.fullmatch(name):
            raise LogNotFound(gettext("%(name)s is no archived log", name=name[:200]))
        path = self._existing(name)
        for beside in (self._runs(name), self._path(name.removesuffix(".gz")).with_suffix(".name")):
            beside.unlink(missing_ok=True)
        path.unlink()

    # -- reading ---------------------------------------------------------------------------

    def size(self, name: str) -> int:
        """Its bytes; raises LogNotFound."""
        return self._existing(name).stat().st_size

    def open_binary(self, name: str) -> BinaryIO:
        """The whole log's file as a stream; raises LogNotFound."""
        return self._existing(name).open("rb")

    def read(self, name: str, offset: int = 0, limit: int = BLOCK) -> LogPart:
        """Up to ``limit`` bytes from ``offset``, ending with a whole character.

        An offset past the end means that the log was archived since: it is read from 0.
        Raises LogNotFound.
        """
        return self._reading(name, partial(logreader.read_part, offset=offset, limit=limit))

    def tail(self, name: str, lines: int = 200) -> LogPart:
        """The last lines; raises LogNotFound."""
        return self._reading(name, partial(logreader.lines_before, offset=None, count=lines))

    def before(self, name: str, offset: int, lines: int = 200) -> LogPart:
        """The last lines before ``offset``; raises LogNotFound."""
        return self._reading(name, partial(logreader.lines_before, offset=offset, count=lines))

    def after(self, name: str, offset: int, lines: int = 200) -> LogPart:
        """The first lines from ``offset`` on; raises LogNotFound."""
        return self._reading(name, partial(logreader.lines_after, offset=offset, count=lines))

    def around(self, name: str, offset: int, lines: int = 200) -> LogPart:
        """Lines with the one at ``offset`` in their middle; raises LogNotFound."""
        return self._reading(name, partial(logreader.lines_around, offset=offset, count=lines))

    def find(self, name: str, q: str, offset: int | None = None, limit: int = 1000,
             back: bool = False, most: int = SEARCH_BYTES) -> Found:
        """The lines that hold the text ``q``, in any case, from ``offset`` on, or ``back`` from
        it; from the log's begin, or end, without one. Looks at ``most`` bytes, and says where to
        go on. Raises LogNotFound.
        """
        if back:
            at = self.size(name) if offset is None else offset
            return self._reading(name, partial(logreader.find_backward, q=q, offset=at,
                                               limit=limit, most=most))
        return self._reading(name, partial(logreader.find_forward, q=q, offset=offset or 0,
                                           limit=limit, most=most))

    def runs(self, name: str) -> list[LogRun]:
        """The last runs of the log, in order; raises LogNotFound."""
        size = self.size(name)
        try:
            with self._runs(name).open("rb") as stream:
                known = logreader.lines_before(stream, None, MAX_RUNS).data[-MAX_RUNS:]
        except FileNotFoundError:
            return []
        rows = [row.split() for row in known.splitlines()]
        begins = [(int(row[0]), int(row[1])) for row in rows
                  if len(row) == 2 and all(word.isdigit() for word in row)]
        ends = [start for _, start in begins[1:]] + [size]
        return [LogRun(number, start, end)
                for (number, start), end in zip(begins, ends, strict=True)]

    def range_of(self, name: str, number: int) -> LogRun:
        """Where a run stands in the log; raises LogNotFound where it is not in this one."""
        for run in reversed(self.runs(name)):
            if run.number == number:
                return run
        raise LogNotFound(gettext(
            "Run %(number)s is not in %(name)s; an archived log may have it", number=number,
            name=name[:200]))

    def _reading(self, name: str, read: Callable[[BinaryIO], T]) -> T:
        if name.endswith(PACKED):
            raise LogNotFound(gettext("%(name)s is compressed: download it", name=name[:200]))
        with self.open_binary(name) as stream:
            return read(stream)

    # -- names and files -------------------------------------------------------------------

    def _existing(self, name: str) -> Path:
        path = self._path(name)
        if not path.is_file():
            raise LogNotFound(gettext("There is no log %(name)s", name=repr(name[:200])))
        return path

    def _path(self, name: str) -> Path:
        if not name.endswith((SUFFIX, PACKED)) or name in (SUFFIX, PACKED):
            raise LogNotFound(gettext(
                "There is no log %(name)s; a log's name ends with .log", name=repr(name[:200])))
        return self.directory / file_name(name)

    def _runs(self, name: str) -> Path:
        return self._path(name.removesuffix(".gz")).with_suffix(".runs")

    def _name_of(self, path: Path) -> str:
        if path.name.endswith(PACKED):
            return self._name_of(path.with_suffix("")) + ".gz"
        if len(path.name) >= MAX_FILE_NAME - 4:
            try:
                return path.with_suffix(".name").read_text(encoding="utf-8")
            except FileNotFoundError:
                return unquote(path.name)
        return unquote(path.name)


def _pages_of(name: str) -> list[str]:
    """The pages whose log this may be."""
    if name == MANAGER_LOG:
        return [MANAGER_PAGE]
    own = [name.removesuffix(SUFFIX)] if name.endswith(SUFFIX) else []
    archived = _ARCHIVED.fullmatch(name)
    if archived and log_name(archived[1]) == MANAGER_LOG:
        return [*own, MANAGER_PAGE]
    return [*own, archived[1]] if archived else own


@lru_cache(maxsize=1024)
def file_name(name: str) -> str:
    """The file of a log: what is no letter, digit, ``.``, ``_`` or ``-`` is percent-encoded.

    Reversible up to :data:`MAX_FILE_NAME` bytes; a longer one is a prefix and a digest.
    """
    if name.endswith(PACKED):
        return file_name(name.removesuffix(".gz")) + ".gz"
    stem = name.removesuffix(SUFFIX)
    try:
        encoded = "".join(_encode(char) for char in stem)
        digest = hashlib.sha256(stem.encode()).hexdigest()[:32]
    except UnicodeEncodeError:
        raise LogNotFound(gettext("There is no log with half a character in its name")) from None
    if encoded.startswith("."):
        encoded = "%2E" + encoded[1:]
    if len(encoded) + len(SUFFIX) >= MAX_FILE_NAME - 4:
        encoded = f"{encoded[:MAX_FILE_NAME - 40]}~".ljust(MAX_FILE_NAME - 39, "~") + digest
    return encoded + SUFFIX


def _encode(char: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9._-]", char):
        return char
    return "".join(f"%{byte:02X}" for byte in char.encode())
