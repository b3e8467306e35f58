"""What differs between two versions of a page, as rows for a template; no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from wiki.classes import definition_to_dicts, is_password
from wiki.model import Document
from wiki.textdiff import Block, Budget, blocks
from wiki.translate import gettext


@dataclass(frozen=True, slots=True)
class Change:
    """A named part of the page that differs; long texts also have ``blocks``, line by line."""

    name: str
    old: str
    new: str
    blocks: tuple[Block, ...] = ()
    #: The attachment that it is about.
    filename: str = ""


def compare(old: Document, new: Document) -> list[Change]:
    """All that differs, in the order in which a reader looks for it."""
    return [change for change in _parts(old, new, Budget()) if change.old != change.new]


def _parts(old: Document, new: Document, budget: Budget) -> Iterator[Change]:
    for field in ("title", "parent", "hidden", "tags", "syntax"):
        yield Change(field.capitalize(), show(getattr(old, field)), show(getattr(new, field)))
    yield _long("Content", old.content, new.content, budget)
    yield from _object_parts(old, new, budget)
    yield _long("Class", _class_text(old), _class_text(new), budget)
    yield from _attachment_parts(old, new)


def _long(name: str, old: str, new: str, budget: Budget) -> Change:
    """A text of many lines, compared line by line."""
    if old == new or ("\n" not in old + new and name not in ("Content", "Class")):
        return Change(name, old, new)
    return Change(name, old, new, blocks(old, new, budget))


def _object_parts(old: Document, new: Document, budget: Budget) -> Iterator[Change]:
    before, after = _values(old), _values(new)
    for key in dict.fromkeys([*before, *after]):
        secret = is_password(before.get(key)) or is_password(after.get(key))
        if secret and before.get(key) != after.get(key):
            yield Change(_label(key), gettext("(a password)"), gettext("(another password)"))
        elif not secret:
            yield _long(_label(key), show(before.get(key)), show(after.get(key)), budget)


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
        yield Change(gettext("Attachment %(name)s", name=name),
                     gettext("%(size)s bytes, %(sha256)s", size=left.size,
                             sha256=left.sha256[:12]) if left else "",
                     gettext("%(size)s bytes, %(sha256)s", size=right.size,
                             sha256=right.sha256[:12]) if right else "",
                     filename=name)


def show(value: Any) -> str:
    """A value of a field or property as text."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
