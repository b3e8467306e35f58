"""The write-ahead journal: what a commit will do, made durable in one sync before it is done.

The file begins with a line of JSON that names its generation and the boot in which it was begun.
Records follow: magic, length, CRC-32, payload. A record that a crash tore fails its checksum and
is dropped, as its save was never acknowledged.
"""

from __future__ import annotations

import ctypes
import json
import os
import struct
import uuid
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from wiki.errors import StoreError
from wiki.model import Version
from wiki.references import Reference
from wiki.store.base import Binned

MAGIC = b"WMJR"
FRAME = struct.Struct(">4sQI")


@dataclass(frozen=True, slots=True)
class Write:
    """Keep ``text`` as the page's ``version``, which follows ``previous``."""

    reference: Reference
    version: Version
    previous: Version | None
    text: bytes


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove the page with its revisions; where ``kept`` names a run or another key of the bin,
    into what was deleted by it."""

    reference: Reference
    kept: str = ""


@dataclass(frozen=True, slots=True)
class Rename:
    """Move the page ``old``, at version ``write.previous``, to where ``write`` says."""

    old: Reference
    write: Write


@dataclass(frozen=True, slots=True)
class Restore:
    """Bring back a page that a run deleted, or that is in the bin with that key, with its
    revisions, and ``write`` after them. It was called ``origin`` (None: as now)."""

    run: str
    write: Write
    origin: Reference | None = None

    @property
    def name(self) -> Reference:
        """The name that it has in the bin."""
        return self.origin or self.write.reference


@dataclass(frozen=True, slots=True)
class Purge:
    """Remove a deleted page for good."""

    key: str
    reference: Reference


@dataclass(frozen=True, slots=True)
class Unbin:
    """Take a page off the list of what is in the bin."""

    key: str
    reference: Reference


@dataclass(frozen=True, slots=True)
class Mark:
    """Put the key on the list."""

    list: str
    key: str


@dataclass(frozen=True, slots=True)
class Unmark:
    """Drop the list."""

    list: str


@dataclass(frozen=True, slots=True)
class Touch:
    """A run brought a page from one version to another (None: there is none). ``origin`` is
    the name that the page had before."""

    run: str
    reference: Reference
    before: Version | None
    after: Version | None
    origin: Reference | None = None


Note = Mark | Unmark | Touch | Binned | Unbin
Operation = Write | Delete | Rename | Restore | Purge | Note


@dataclass(frozen=True, slots=True)
class Position:
    """How far a journal was applied: its generation and an offset in it."""

    generation: str
    offset: int

    def __str__(self) -> str:
        return f"{self.generation}:{self.offset}"

    @classmethod
    def parse(cls, text: str | None) -> Position | None:
        generation, separator, offset = (text or "").partition(":")
        return cls(generation, int(offset)) if separator and offset.isdigit() else None


@dataclass(frozen=True, slots=True)
class Header:
    """The journal's first line, and where it ends."""

    generation: str
    boot: str
    end: int


class Journal:
    """The journal file. All but :meth:`header` and :meth:`size` need the writer's lock."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def header(self) -> Header | None:
        """None where there is no journal yet, or only a torn beginning of one."""
        try:
            with self._path.open("rb") as file:
                line = file.readline(4096)
        except FileNotFoundError:
            return None
        try:
            data = json.loads(line)
            return Header(data["generation"], data["boot"], len(line))
        except (ValueError, KeyError, TypeError):
            return None

    def size(self) -> int:
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            return 0

    def begin(self) -> Header:
        """Empty the journal and begin a new generation. It is durable with its first record:
        until then a power loss may bring the old one back, whose operations can be done again.
        """
        header = Header(uuid.uuid4().hex, boot_id(), 0)
        line = json.dumps({"generation": header.generation, "boot": header.boot}).encode()
        new = not self._path.exists()
        with _open(self._path) as file:
            file.truncate(0)
            file.write(line + b"\n")
            if new:
                os.fsync(file.fileno())
        if new:
            sync_directory(self._path.parent)
            sync_directory(self._path.parent.parent)
        return Header(header.generation, header.boot, len(line) + 1)

    def append(self, operations: Sequence[Operation]) -> int:
        """Add a record, durably; returns the offset behind it.

        Raises OSError, with the journal as it was before; a sync that failed is a
        :class:`SyncError`, after which nothing on this disk is to be trusted.
        """
        payload = _encode(operations)
        frame = FRAME.pack(MAGIC, len(payload), zlib.crc32(payload))
        with _open(self._path) as file:
            start = file.seek(0, os.SEEK_END)
            try:
                _write_all(file, frame + payload)
            except OSError:
                file.truncate(start)
                raise
            try:
                os.fdatasync(file.fileno())
            except OSError as error:
                with suppress(OSError):
                    file.truncate(start)
                raise SyncError(f"the journal could not be made durable: {error}") from error
            return start + len(frame) + len(payload)

    def read(self, start: int) -> Iterator[tuple[list[Operation], int]]:
        """The whole records from an offset on, each with the offset behind it."""
        with self._path.open("rb") as file:
            file.seek(start)
            while (payload := _read_record(file)) is not None:
                yield _decode(payload), file.tell()

    def cut(self, end: int) -> None:
        """Drop what stands behind ``end``: a torn record."""
        with _open(self._path) as file:
            file.truncate(end)
            os.fsync(file.fileno())


class SyncError(StoreError):
    """A sync failed; nothing more is written until the wiki is opened anew."""


def _open(path: Path) -> BinaryIO:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    return os.fdopen(descriptor, "r+b", buffering=0)


def _write_all(file: BinaryIO, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest):]


def _read_record(file: BinaryIO) -> bytes | None:
    frame = file.read(FRAME.size)
    if len(frame) < FRAME.size:
        return None
    magic, length, checksum = FRAME.unpack(frame)
    if magic != MAGIC or length > os.fstat(file.fileno()).st_size:
        return None
    payload = file.read(length)
    return payload if len(payload) == length and zlib.crc32(payload) == checksum else None


def _encode(operations: Sequence[Operation]) -> bytes:
    heads: list[list[object]] = []
    texts: list[bytes] = []
    for operation in operations:
        heads.append(_head(operation))
        if isinstance(operation, Write):
            texts.append(operation.text)
        elif isinstance(operation, Rename | Restore):
            texts.append(operation.write.text)
    return json.dumps(heads).encode() + b"\n" + b"".join(texts)


def _head(operation: Operation) -> list[object]:
    match operation:
        case Delete(reference, kept):
            return ["delete", str(reference), kept]
        case Mark(name, key):
            return ["mark", name, key]
        case Unmark(name):
            return ["unmark", name]
        case Touch(run, reference, before, after, origin):
            return ["touch", run, *map(as_written, (reference, before, after, origin))]
        case Rename(old, write):
            return [*_head(write), str(old)]
        case Restore(run, write, origin):
            return [*_head(write), None, run, as_written(origin)]
        case Purge(key, reference):
            return ["purge", key, str(reference)]
        case Unbin(key, reference):
            return ["unbin", key, str(reference)]
        case Binned():
            return ["bin", operation.key, str(operation.reference), operation.title,
                    str(operation.version), operation.author, operation.deleted.isoformat(),
                    operation.comment, operation.run]
        case Write(reference, version, previous, text):
            return ["write", str(reference), str(version), as_written(previous), len(text)]


def as_written(value: Reference | Version | None) -> str | None:
    """As it is written down; None stays None."""
    return None if value is None else str(value)


def _decode(payload: bytes) -> list[Operation]:
    head, _, texts = payload.partition(b"\n")
    operations: list[Operation] = []
    offset = 0
    for kind, *fields in json.loads(head):
        if kind == "write":
            size = fields[3]
            operations.append(_write(fields, texts[offset:offset + size]))
            offset += size
        else:
            operations.append(_textless(kind, fields))
    return operations


def _write(fields: list[Any], text: bytes) -> Write | Rename | Restore:
    reference, version, previous, _, *rest = fields
    old, run, origin = [*rest, None, None, None][:3]
    write = Write(Reference.parse(reference), Version.parse(version), as_read(previous), text)
    if run:
        return Restore(run, write, Reference.parse(origin) if origin else None)
    return Rename(Reference.parse(old), write) if old else write


def _textless(kind: str, fields: list[Any]) -> Delete | Purge | Note:
    match kind, fields:
        case "delete", [reference, *kept]:
            return Delete(Reference.parse(reference), *kept)
        case "mark", [name, key]:
            return Mark(name, key)
        case "unmark", [name]:
            return Unmark(name)
        case "touch", [run, reference, before, after, origin]:
            return Touch(run, Reference.parse(reference), as_read(before), as_read(after),
                         Reference.parse(origin) if origin else None)
        case "purge", [key, reference]:
            return Purge(key, Reference.parse(reference))
        case "unbin", [key, reference]:
            return Unbin(key, Reference.parse(reference))
        case "bin", [key, reference, title, version, author, deleted, comment, run]:
            return Binned(key, Reference.parse(reference), title, Version.parse(version), author,
                          datetime.fromisoformat(deleted), comment, run)
    raise StoreError(f"the journal holds {kind!r}, which is of a newer Wikimill")


def as_read(text: str | None) -> Version | None:
    """What :func:`as_written` wrote."""
    return Version.parse(text) if text else None


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file_systems(folders: Iterable[Path]) -> None:
    """Make durable all that was written to the file systems that the folders are on. One call
    costs one flush of the disk, however many files there are; a sync of each would cost one each.

    Raises SyncError.
    """
    sync = _syncfs()
    if sync is None:
        os.sync()
        return
    for folder in {folder.stat().st_dev: folder for folder in folders}.values():
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            if sync(descriptor) != 0:
                raise SyncError(f"what is below {folder} could not be made durable: "
                                f"{os.strerror(ctypes.get_errno())}")
        finally:
            os.close(descriptor)


@cache
def _syncfs() -> Callable[[int], int] | None:
    """Linux's call, which tells of errors, leaves other file systems alone, and is not in
    Python; None where the system has none."""
    return getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)


@cache
def boot_id() -> str:
    """Tells one boot of the machine from another; empty where the system does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
