"""What the index takes out of a document: links, property rows, text to search."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from wiki.errors import InvalidReference
from wiki.language.links import SCHEME
from wiki.linking import named
from wiki.model import Document
from wiki.references import HOME, Reference

#: How much of a value stands in the index that queries are served from.
MAX_TEXT = 255
#: What a value looks like that names a page: no number, no address, no sentence.
_NAME = re.compile(r"(?=.*[^\d.,\s])[^\s.@/:][^@/:\n]*?\.[^\s@/:\n][^@/:\n]*")
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(\S.*)", re.MULTILINE)
#: The longest name of a page that the index holds.
MAX_TARGET = 1000


@dataclass(frozen=True, slots=True)
class Value:
    """One value, or one item of a multiple value, of an object's property.

    ``text`` is cut to :data:`MAX_TEXT` characters; ``whole`` holds the rest of a longer one too.
    ``number`` is that of numbers and booleans.
    """

    class_name: str
    object_number: int
    name: str
    text: str
    whole: str | None
    number: float | None


def values(document: Document) -> Iterator[Value]:
    """The values that may be asked for. A dict is a secret (a password), and never one."""
    for obj in document.objects:
        for name, value in obj.values.items():
            for item in value if isinstance(value, (list, tuple)) else [value]:
                if item is None or item == "" or isinstance(item, (dict, list, tuple)):
                    continue
                text, number = as_text(item), as_number(item)
                yield Value(obj.class_name, obj.number, name, text[:MAX_TEXT],
                            text if len(text) > MAX_TEXT else None, number)


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def as_number(value: Any) -> float | None:
    if not isinstance(value, (bool, int, float)):
        return None
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def lowest(present: Iterable[Value]) -> dict[tuple[str, str], tuple[float, str]]:
    """The lowest number, infinity where there is none, and the lowest text of each property, by
    class and name."""
    found: dict[tuple[str, str], tuple[float, str]] = {}
    for value in present:
        number = float("inf") if value.number is None else value.number
        low, text = found.get((value.class_name, value.name), (number, value.text))
        found[value.class_name, value.name] = (min(low, number), min(text, value.text))
    return found


def words(document: Document, present: Iterable[Value]) -> str:
    """The text that a search finds the page by, beside its title, name and tags; ``present`` are
    the document's :func:`values`."""
    found = [document.content, *(value.whole or value.text for value in present),
             *(item.filename for item in document.attachments)]
    return "\n".join(found)


def headings(document: Document) -> str:
    """What the content's headings say, a line each; of code, what looks like one too."""
    return "\n".join(match[1] for match in _HEADING.finditer(document.content))


def links(document: Document, present: Iterable[Value]) -> set[tuple[str, str]]:
    """The pages that the document leads to, each with how: ``link``, ``include``, ``object`` or
    ``parent``; ``present`` are its :func:`values`, of which any may be a page's name."""
    base = document.reference
    found = {(kind, str(target)) for kind, target in named(document.content, base)}
    found |= {("object", target) for value in present if _NAME.fullmatch(value.text)
              and (target := _target(value.text, base)) is not None}
    if document.parent and (target := _target(document.parent, base)) is not None:
        found.add(("parent", target))
    return {(kind, target) for kind, target in found
            if len(target) <= MAX_TARGET and (kind != "object" or _NAME.fullmatch(target))
            and not (kind == "link" and SCHEME.match(target))}


def parent(document: Document) -> str:
    """The page that the document lies under: the parent that it names, else the home page of its
    space, or for a home page that of the space around; empty for the outermost one."""
    reference = document.reference
    named = _target(document.parent, reference) if document.parent else None
    if named is not None and named != str(reference):
        return named
    return by_spaces(reference)


def by_spaces(reference: Reference) -> str:
    """What a page lies under that names no parent."""
    if reference.name != HOME:
        return str(reference.home)
    return str(Reference(reference.spaces[:-1], HOME)) if len(reference.spaces) > 1 else ""


def _target(text: str, base: Reference) -> str | None:
    text = re.split(r"[#?]", text, maxsplit=1)[0].strip()
    if not text or re.match(r"[A-Za-z][A-Za-z0-9+-]*:", text):
        return None
    try:
        return str(Reference.parse(text, base))
    except InvalidReference:
        return None
