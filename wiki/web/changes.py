"""What differs between two versions of a page, as rows for a template; no I/O.

``merge`` brings two people's changes of one version together where they do not touch.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import yaml

from wiki.classes import definition_to_dicts, is_password
from wiki.model import Document

#: Past this many lines, comparing would take too long; the texts are shown as replaced.
MAX_LINES = 20_000
#: The fields that the editor changes.
EDITED = ("title", "content", "parent", "tags", "hidden")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a unified diff: ``kind`` is ``same``, ``added``, ``removed`` or ``place``."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """A named part of the page that differs; long texts also have ``lines``."""

    name: str
    old: str
    new: str
    lines: tuple[Line, ...] = ()


def text_lines(old: str, new: str) -> tuple[Line, ...]:
    """A unified diff."""
    before, after = old.splitlines(), new.splitlines()
    if len(before) + len(after) > MAX_LINES:
        return (Line("place", "too long to compare line by line"),)
    kinds = {"+": "added", "-": "removed", "@": "place"}
    diff = list(difflib.unified_diff(before, after, lineterm="", n=3))[2:]
    return tuple(Line(kinds.get(line[0], "same"), line if line[0] == "@" else line[1:])
                 for line in diff)


def compare(old: Document, new: Document) -> list[Change]:
    """All that differs, in the order in which a reader looks for it."""
    return [change for change in _parts(old, new) if change.old != change.new]


def _parts(old: Document, new: Document) -> Iterator[Change]:
    for field in ("title", "parent", "hidden", "tags", "syntax"):
        yield Change(field.capitalize(), show(getattr(old, field)), show(getattr(new, field)))
    yield _long("Content", old.content, new.content)
    yield from _object_parts(old, new)
    yield _long("Class", _class_text(old), _class_text(new))
    yield from _attachment_parts(old, new)


def _long(name: str, old: str, new: str) -> Change:
    """A text of many lines, compared line by line."""
    if old == new or ("\n" not in old + new and name not in ("Content", "Class")):
        return Change(name, old, new)
    return Change(name, old, new, text_lines(old, new))


def _object_parts(old: Document, new: Document) -> Iterator[Change]:
    before, after = _values(old), _values(new)
    for key in dict.fromkeys([*before, *after]):
        secret = is_password(before.get(key)) or is_password(after.get(key))
        if secret and before.get(key) != after.get(key):
            yield Change(_label(key), "(a password)", "(another password)")
        elif not secret:
            yield _long(_label(key), show(before.get(key)), show(after.get(key)))


def _values(document: Document) -> dict[tuple[str, int, str], Any]:
    """Every value of every object; an object itself stands under the empty name."""
    values: dict[tuple[str, int, str], Any] = {}
    for obj in document.objects:
        values[obj.class_name, obj.number, ""] = "present"
        for name, value in obj.values.items():
            values[obj.class_name, obj.number, name] = value
    return values


def _label(key: tuple[str, int, str]) -> str:
    class_name, number, name = key
    return f"{class_name}[{number}]" + (f".{name}" if name else "")


def _class_text(document: Document) -> str:
    if document.class_definition is None:
        return ""
    return yaml.safe_dump(definition_to_dicts(document.class_definition), sort_keys=False,
                          allow_unicode=True)


def _attachment_parts(old: Document, new: Document) -> Iterator[Change]:
    before = {item.filename: item for item in old.attachments}
    after = {item.filename: item for item in new.attachments}
    for name in sorted({*before, *after}):
        left, right = before.get(name), after.get(name)
        yield Change(f"Attachment {name}",
                     f"{left.size} bytes, {left.sha256[:12]}" if left else "",
                     f"{right.size} bytes, {right.sha256[:12]}" if right else "")


def show(value: Any) -> str:
    """A value of a field or property as text."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def merge(base: Document, mine: Document, theirs: Document) -> Document | None:
    """Theirs with my changes to the edited fields; None where both changed the same one."""
    changed = {}
    for field in EDITED:
        ours = getattr(mine, field)
        if ours == getattr(base, field):
            continue
        if getattr(theirs, field) not in (getattr(base, field), ours):
            return None
        changed[field] = ours
    return replace(theirs, **changed)
