"""What the index takes out of a document: links, property rows, text to search."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from wiki.errors import InvalidReference
from wiki.model import Document
from wiki.references import HOME, Reference

#: How much of a value stands in the index that queries are served from.
MAX_TEXT = 255
_WIKI_LINK = re.compile(r"\[\[([^\[\]\n]{1,1000})\]\]")
_MARKDOWN_LINK = re.compile(r"\]\(([^()\s]{1,1000})[)\s]")


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


def words(document: Document, present: Iterable[Value]) -> str:
    """The text that a search finds the page by, beside its title and name; ``present`` are the
    document's :func:`values`."""
    found = [document.content, *document.tags,
             *(value.whole or value.text for value in present),
             *(item.filename for item in document.attachments)]
    return "\n".join(found)


def links(document: Document) -> set[str]:
    """The pages that the content and the parent lead to."""
    found = {_target(match[1].rpartition(">>")[2], document.reference)
             for match in _WIKI_LINK.finditer(document.content)}
    for match in _MARKDOWN_LINK.finditer(document.content):
        target = unquote(match[1].strip("<>").removeprefix("/"))
        if "." in target:
            found.add(_target(target.partition("/")[0], document.reference))
    if document.parent:
        found.add(_target(document.parent, document.reference))
    return {target for target in found if target is not None}


def parent(document: Document) -> str:
    """The page that the document lies under: the parent that it names, else the home page of its
    space, or for a home page that of the space around; empty for the outermost one."""
    reference = document.reference
    named = _target(document.parent, reference) if document.parent else None
    if named is not None and named != str(reference):
        return named
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
