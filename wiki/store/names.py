"""Safe, reversible file names for page names.

Two names never share a file, on a case-insensitive file system neither, and no name is one that
an operating system keeps for itself. Letters, digits, ``-``, ``_`` and spaces stand for
themselves, the rest is percent-encoded. ``~`` and a digest close a name that a file system might
take for another, and one that is too long (of which only a beginning is kept: the page's file
itself holds the whole name).
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache
from pathlib import PurePosixPath
from urllib.parse import unquote

from wiki.errors import InvalidDocument
from wiki.references import Reference
from wiki.translate import gettext

#: The longest encoded name, in bytes; an extension still fits into the 255 of a file system.
MAX_BYTES = 200
#: The longest relative path of a page: Linux takes 4,096 bytes for all of a path.
MAX_PATH_BYTES = 3000
SHORT, LONG = 8, 32
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE)


@lru_cache(maxsize=16384)
def encode(name: str) -> str:
    """The file name (without extension) for a name of a page or a space."""
    name = unicodedata.normalize("NFC", name)
    encoded = "".join(_encode_char(char) for char in name)
    if len(encoded.encode()) > MAX_BYTES:
        return f"{_beginning(encoded)}~{_digest(name, LONG)}"
    if name != name.casefold() or _RESERVED.fullmatch(name):
        marked = f"{encoded}~{_digest(name, SHORT)}"
        if len(marked.encode()) <= MAX_BYTES:
            return marked
        return f"{_beginning(encoded)}~{_digest(name, LONG)}"
    return encoded


def decode(filename: str) -> str | None:
    """The name that :func:`encode` was given, or None where only the file can tell."""
    encoded, _, digest = unicodedata.normalize("NFC", filename).partition("~")
    if len(digest) == LONG:
        return None
    return unquote(encoded, errors="strict")


@lru_cache(maxsize=16384)
def page_path(reference: Reference) -> PurePosixPath:
    """Where the page lies below its root, without extension.

    Raises InvalidDocument for a name that no file system path can hold.
    """
    path = PurePosixPath(*(encode(space) for space in reference.spaces), encode(reference.name))
    if len(str(path).encode()) > MAX_PATH_BYTES:
        raise InvalidDocument(gettext(
            "the full name %(page)s… is too long to be kept: use shorter names or fewer nested "
            "spaces", page=str(reference)[:60]))
    return path


def space_path(spaces: tuple[str, ...]) -> PurePosixPath:
    """Where the pages of a space lie below their root."""
    return PurePosixPath(*(encode(space) for space in spaces))


def _encode_char(char: str) -> str:
    if char.isalnum() or char in "-_ ":
        return char
    return "".join(f"%{byte:02X}" for byte in char.encode())


def _beginning(encoded: str) -> str:
    cut = encoded.encode()[:MAX_BYTES - LONG - 1].decode(errors="ignore")
    return re.sub(r"%[0-9A-F]?$", "", cut)


def _digest(name: str, length: int) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:length]
