"""Bytes of attachments that nothing refers to any more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from wiki.store.blobs import Blobs

#: What lies in the data directory and holds no documents.
_OTHER = frozenset({"blobs", "thumbnails", "logs", "accounts", "secrets", "tmp"})
_LENGTH = 64
#: At each place, since one may follow on other hexadecimal digits.
_DIGEST = re.compile(rb"(?=([0-9a-f]{%d}))" % _LENGTH)
CHUNK = 1 << 20


def orphans(data: Path, blobs: Blobs) -> list[str]:
    """The SHA-256 of all bytes older than a day that no file with documents names: no page, no
    version of one, nothing deleted that can come back, no dry run, and no journal.

    Any mention counts, so that what is kept in a place or a form of its own stays too. While
    others write it may name too many: a page may move behind its back.
    """
    found = set(blobs.old())
    for path in _documents(data) if found else ():
        found -= _named(path)
    return sorted(found)


def _documents(data: Path) -> Iterator[Path]:
    for entry in data.iterdir():
        if entry.is_dir() and entry.name not in _OTHER:
            yield from (path for path in entry.rglob("*") if path.is_file())
        elif entry.is_file():
            yield entry


def _named(path: Path) -> set[str]:
    found: set[str] = set()
    with suppress(FileNotFoundError), path.open("rb") as file:
        kept = b""
        while chunk := file.read(CHUNK):
            text = kept + chunk
            found.update(match.decode() for match in _DIGEST.findall(text))
            kept = text[1 - _LENGTH:]
    return found
