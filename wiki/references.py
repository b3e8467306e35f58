"""The only parser of page names: ``Space.Name``, ``Space.Sub.Name``.

A dot or a backslash inside a name is escaped with a backslash (``Space.Dr\\. No``).
The form is XWiki's local document reference; names are NFC-normalised Unicode.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from wiki.errors import InvalidReference
from wiki.translate import gettext

#: The name of a space's home page.
HOME = "WebHome"
#: The longest name, in bytes of UTF-8.
MAX_NAME_BYTES = 255
#: How deep spaces nest.
MAX_DEPTH = 32
#: How many parsed names are remembered.
PARSED = 8192


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """The full name of a page: the spaces from the outermost in, and the page's own name.

    Build one with :meth:`parse`, or with :func:`check_name`-valid parts; equality and order
    are by spaces, then name.
    """

    spaces: tuple[str, ...]
    name: str

    def __post_init__(self) -> None:
        if not self.spaces:
            raise InvalidReference(_no_space(self.name))
        if len(self.spaces) > MAX_DEPTH:
            raise InvalidReference(gettext("spaces nest at most %(most)s deep", most=MAX_DEPTH))
        object.__setattr__(self, "spaces", tuple(check_name(space) for space in self.spaces))
        object.__setattr__(self, "name", check_name(self.name))

    @staticmethod
    @lru_cache(maxsize=PARSED)
    def parse(text: str, base: Reference | None = None) -> Reference:
        """Read ``Space.Name``; a bare ``Name`` is taken in the space of ``base`` if given.

        Raises:
            InvalidReference: the text is no page name; the message says why.
        """
        parts = split_names(text)
        if len(parts) == 1:
            if base is None:
                raise InvalidReference(_no_space(text))
            return Reference(base.spaces, parts[0])
        return Reference(parts[:-1], parts[-1])

    @property
    def space(self) -> str:
        """The space as text, escaped: ``A.B`` for page ``A.B.Name``."""
        return join_names(self.spaces)

    @property
    def home(self) -> Reference:
        """The home page of this page's space."""
        return Reference(self.spaces, HOME)

    def __str__(self) -> str:
        return join_names((*self.spaces, self.name))


def _no_space(text: str) -> str:
    return gettext("%(name)s names no space; write Space.Name", name=repr(text))


def check_name(name: str) -> str:
    """Return the name NFC-normalised.

    Raises:
        InvalidReference: empty, too long, or with a character that no name may have.
    """
    name = unicodedata.normalize("NFC", name)
    if not name or name != name.strip():
        raise InvalidReference(gettext(
            "%(name)s: a name is not empty and has no space around it", name=repr(name)))
    for char in name:
        if char == "/":
            raise InvalidReference(gettext("%(name)s: a name has no '/' in it", name=repr(name)))
        if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp"):
            raise InvalidReference(gettext("%(name)s: a name has no control character in it",
                                           name=repr(name)))
    size = len(name.encode())
    if size > MAX_NAME_BYTES:
        raise InvalidReference(gettext("%(name)s… is %(size)s bytes; a name has at most %(most)s",
                                       name=repr(name[:40]), size=size, most=MAX_NAME_BYTES))
    return name


@lru_cache(maxsize=8192)
def split_names(text: str) -> tuple[str, ...]:
    """Split at the dots that are not escaped, and unescape: ``A.Dr\\. No`` -> ``A``, ``Dr. No``.

    Raises:
        InvalidReference: an empty part, or a backslash before anything but ``.`` and ``\\``.
    """
    parts: list[str] = []
    current: list[str] = []
    chars = iter(text)
    for char in chars:
        if char == "\\":
            escaped = next(chars, "")
            if escaped not in (".", "\\"):
                raise InvalidReference(gettext(
                    "%(text)s: a backslash stands only before '.' or '\\'", text=repr(text)))
            current.append(escaped)
        elif char == ".":
            parts.append("".join(current))
            current = []
        else:
            current.append(char)
    parts.append("".join(current))
    return tuple(check_name(part) for part in parts)


def join_names(names: tuple[str, ...]) -> str:
    """The inverse of :func:`split_names`."""
    return ".".join(name.replace("\\", "\\\\").replace(".", "\\.") for name in names)
