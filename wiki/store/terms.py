"""What a reader types into a search, as terms of FTS5."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from wiki.errors import QueryError
from wiki.translate import gettext

#: What narrows a search in its text, with the field of :class:`Search` that it stands for.
NARROWING = {"space": "space", "class": "class_name", "author": "author", "year": "year"}
_TERM = re.compile(rf'(-?)(?:({"|".join(NARROWING)}):)?(?:"([^"]*)"|(\S+))')


@dataclass(frozen=True, slots=True)
class Words:
    """What is searched for, as terms of FTS5; ``whole`` are those wanted where the last word is
    not one that is only begun, and ``narrowing`` the fields of :class:`Search` that it sets."""

    wanted: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    narrowing: Mapping[str, Any] = field(default_factory=dict)

    def expression(self) -> str:
        """All that are wanted and none of the others."""
        wanted = f"({' AND '.join(self.wanted)})"
        return f"{wanted} NOT ({' OR '.join(self.unwanted)})" if self.unwanted else wanted


def parse(text: str) -> Words:
    """The terms in a search; none where there is no word in it.

    All words are wanted; ``"a b"`` is a phrase, ``wor*`` a beginning, ``-word`` leaves out what
    has it; the last word may be only begun. ``space:Books`` narrows the search, and so do the
    other names of :data:`NARROWING`. Raises QueryError.
    """
    text = text.replace("\x00", " ")
    if text.count('"') % 2:
        raise QueryError(gettext(
            'a phrase stands between two quotes ("), and one of them is missing'))
    wanted: list[str] = []
    unwanted: list[str] = []
    whole: list[str] = []
    narrowing: dict[str, str] = {}
    for match in _TERM.finditer(text):
        if name := match[2]:
            if match[1]:
                raise QueryError(gettext(
                    "-%(name)s: leaves nothing out; %(name)s: only narrows a search", name=name))
            narrowing[NARROWING[name]] = match[3] or match[4] or ""
            continue
        if not (term := _term(match)):
            continue
        if match[1]:
            unwanted.append(term)
            continue
        whole.append(term)
        begun = match[4] is not None and match.end() == len(text) and not term.endswith("*")
        wanted.append(f"{term}*" if begun else term)
    if not wanted and (unwanted or narrowing):
        raise QueryError(gettext(
            "say also which words to search for; -word only leaves pages out, and %(names)s only "
            "narrow a search", names=" ".join(f"{name}:" for name in NARROWING)))
    return Words(tuple(wanted), tuple(unwanted), tuple(whole), narrowing)


def _term(match: re.Match[str]) -> str:
    phrase, word = match[3], match[4]
    bare = phrase if phrase is not None else word.rstrip("*")
    if not any(char.isalnum() for char in bare):
        return ""
    begun = phrase is None and word.endswith("*")
    return '"' + bare.replace('"', '""') + '"' + ("*" if begun else "")
