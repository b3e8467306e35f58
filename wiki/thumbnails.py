"""Thumbnails of pictures: made when first asked for, kept by the picture's SHA-256 and size.

The folder is a cache: it may be deleted at any time.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

from wiki import thumbnailer

#: The sizes that are made: so many pixels wide or high at most.
SIZES = (64, 128, 256, 512, 1024)
#: The types that thumbnails are made of.
TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif",
                   "image/bmp"})
#: How long one may take, seconds, and how many are made at a time.
PATIENCE, AT_ONCE = 20, 2


class Thumbnails:
    """Safe for use by several threads and processes."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._slots = threading.BoundedSemaphore(AT_ONCE)

    def get(self, sha256: str, size: int, open_: Callable[[], BinaryIO]) -> Path | None:
        """The thumbnail's file (WebP), ``size`` being one of :data:`SIZES`; None where the
        picture cannot be decoded. ``open_`` opens the picture's file, where it is needed."""
        path = self._path(sha256, size)
        if not path.exists():
            with self._slots:
                if not path.exists():  # another request made it meanwhile
                    self._keep(path, _made(open_, size))
        return path if path.stat().st_size else None

    def forget(self, sha256s: Iterable[str]) -> None:
        """Remove the thumbnails of pictures that are gone."""
        for sha256 in sha256s:
            for size in SIZES:
                self._path(sha256, size).unlink(missing_ok=True)

    def _path(self, sha256: str, size: int) -> Path:
        return self._directory / sha256[:2] / f"{sha256[2:]}-{size}.webp"

    def _keep(self, path: Path, data: bytes) -> None:
        """Without data too: what could not be made is not tried again at each view."""
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{uuid.uuid4().hex}")
        temporary.write_bytes(data)
        os.replace(temporary, path)


def _made(open_: Callable[[], BinaryIO], size: int) -> bytes:
    with open_() as picture:
        try:
            done = subprocess.run([sys.executable, "-I", thumbnailer.__file__, str(size)],
                                  stdin=picture, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, timeout=PATIENCE, check=False)
        except subprocess.TimeoutExpired:
            return b""
    return done.stdout if done.returncode == 0 else b""
