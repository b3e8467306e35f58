"""The bytes of attachments: files named by their SHA-256, written once, never changed."""

from __future__ import annotations

import hashlib
import io
import os
import re
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from wiki.errors import AttachmentNotFound, StoreError, TooLarge
from wiki.store.base import Blob
from wiki.store.journal import sync_directory
from wiki.translate import gettext

CHUNK = 1 << 20
#: An unfinished upload older than this many seconds is nobody's any more.
ABANDONED = 24 * 3600


class Blobs:
    """Content-addressed files in ``directory``; unfinished ones lie in ``temporary``."""

    def __init__(self, directory: Path, temporary: Path) -> None:
        self._directory = directory
        self._temporary = temporary

    def path(self, sha256: str) -> Path:
        """Where the bytes lie; raises AttachmentNotFound for what is no SHA-256."""
        if not re.fullmatch(r"[0-9a-f]{64}", sha256):
            raise AttachmentNotFound(f"{sha256[:80]!r} is not a SHA-256 in lower-case hex")
        return self._directory / sha256[:2] / sha256[2:]

    def size(self, sha256: str) -> int | None:
        """The number of bytes kept, or None where they are missing."""
        try:
            return self.path(sha256).stat().st_size
        except (FileNotFoundError, AttachmentNotFound):
            return None

    def put(self, stream: BinaryIO | bytes, limit: int | None = None) -> Blob:
        """Keep the bytes, durably. Raises TooLarge past ``limit``, StoreError for a bad disk."""
        source = io.BytesIO(stream) if isinstance(stream, bytes) else stream
        temporary = self._temporary / f"blob-{uuid.uuid4().hex}"
        try:
            blob = _copy(source, temporary, limit)
            self._place(temporary, blob)
        except OSError as error:
            raise StoreError(gettext(
                "the attachment could not be kept: %(error)s", error=error)) from error
        finally:
            with suppress(FileNotFoundError):
                temporary.unlink()
        return blob

    def open(self, sha256: str) -> BinaryIO:
        """Raises AttachmentNotFound."""
        try:
            return self.path(sha256).open("rb")
        except FileNotFoundError:
            raise AttachmentNotFound(f"there are no bytes with the SHA-256 {sha256}") from None

    def clean(self) -> None:
        """Remove what uploads that never ended left behind."""
        for path in self._temporary.glob("blob-*"):
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > ABANDONED:
                    path.unlink()

    def old(self) -> Iterator[str]:
        """The SHA-256 of what was last put longer than a day ago: a page names it by now, or
        nobody is going to."""
        for path in self._directory.glob("??/*"):
            with suppress(FileNotFoundError):
                if _is_old(path):
                    yield path.parent.name + path.name

    def remove(self, sha256: str) -> int:
        """Remove the bytes, unless they were put again just now; returns how many went."""
        path = self.path(sha256)
        aside = self._temporary / f"blob-{uuid.uuid4().hex}"
        try:
            os.rename(path, aside)
        except FileNotFoundError:
            return 0
        if not _is_old(aside):  # put again before it was renamed; later, it is written anew
            os.replace(aside, path)
            return 0
        size = aside.stat().st_size
        aside.unlink()
        return size

    def _place(self, temporary: Path, blob: Blob) -> None:
        target = self.path(blob.sha256)
        if self.size(blob.sha256) != blob.size or not _renewed(target):
            if not target.parent.exists():
                target.parent.mkdir(exist_ok=True)
                sync_directory(self._directory)
            os.replace(temporary, target)
        # Also when it was there already: its writer may not have come to this yet.
        sync_directory(target.parent)


def _is_old(path: Path) -> bool:
    return time.time() - path.stat().st_mtime > ABANDONED


def _renewed(path: Path) -> bool:
    """Mark the file as just put; False where it is gone."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def _copy(source: BinaryIO, target: Path, limit: int | None) -> Blob:
    digest = hashlib.sha256()
    size = 0
    with target.open("xb") as file:
        while chunk := source.read(CHUNK):
            size += len(chunk)
            if limit is not None and size > limit:
                raise TooLarge(gettext(
                    "this is larger than the %(limit)s bytes that an attachment may have",
                    limit=limit))
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return Blob(digest.hexdigest(), size)
