"""``[label]: target "title"``: where links with a label lead."""

from __future__ import annotations

import re
from collections.abc import MutableMapping

from wiki.language.text import (
    LABEL,
    address,
    destination,
    normal_label,
    skip_space,
    title,
)

_END = re.compile(r"[ \t]*(?:\n|\Z)")

#: Label → address and title.
References = MutableMapping[str, tuple[str, str | None]]


def take(text: str, references: References) -> str:
    """Note the definitions at the start of a paragraph; returns what comes after them."""
    position = 0
    while text.startswith("[", position):
        end = _definition(text, position, references)
        if end is None:
            break
        position = end
    return text[position:]


def _definition(text: str, start: int, references: References) -> int | None:
    label = LABEL.match(text, start)
    if not label or not label[1].strip() or not text.startswith(":", label.end()):
        return None
    target = destination(text, skip_space(text, label.end() + 1))
    if target is None:
        return None
    end = _END.match(text, target[1])
    titled = _titled(text, target[1])
    if titled is None and end is None:
        return None
    name, stop = titled or (None, end.end() if end else 0)
    references.setdefault(normal_label(label[1]), (address(target[0]), name))
    return stop


def _titled(text: str, position: int) -> tuple[str | None, int] | None:
    start = skip_space(text, position)
    found = title(text, start) if start > position else None
    end = _END.match(text, found[1]) if found else None
    return (found[0], end.end()) if found and end else None
