"""The sections of a Markdown text: a heading and what follows, up to the next of its level.

Headings are those of the block reader; in code, in macros and in lists or quotes they begin no
section.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from wiki.language.syntax import Text, parse, unparse
from wiki.rendering.markdown import headings

#: Stands for each character of a macro; no heading begins with it.
_MASK = "\0"
_LINK = re.compile(r"\]\([^)]*\)|\[\[[^\]]*?>>|\[\[[^\]>]*\]\]|\{[^}]*\}|<[^>]*>")
_WORD = re.compile(r"\w")
_SHOWN = re.compile(r"<h([1-6])(?:\s[^>]*)?>(.*?)</h\1>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a text: ``number`` counts from 1, ``start`` and ``end`` are places in it."""

    number: int
    level: int
    title: str
    start: int
    end: int

    def cut(self, text: str) -> str:
        """The section's own text."""
        return text[self.start:self.end]

    def put(self, text: str, new: str) -> str:
        """The whole text with another one in the section's place."""
        if new and self.end < len(text) and not new.endswith("\n"):
            new += "\n"
        return text[:self.start] + new + text[self.end:]


def sections(text: str) -> list[Section]:
    """The text's sections, in order."""
    return list(_sections(text))


@lru_cache(maxsize=64)
def _sections(text: str) -> tuple[Section, ...]:
    """Kept, since each view of a page by who may edit it asks again."""
    lines = _masked(text).split("\n")
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    found = headings("\n".join(_readable(line) for line in lines))
    result = []
    for number, heading in enumerate(found, 1):
        end = next((starts[other.line] for other in found[number:]
                    if other.level <= heading.level), len(text))
        result.append(Section(number, heading.level, heading.text.replace(_MASK, "").strip(),
                              starts[heading.line], end))
    return tuple(result)


def _masked(text: str) -> str:
    """The text with its macros made unreadable; all else stays at its place."""
    return "".join(node.text if isinstance(node, Text) else
                   re.sub(r"[^\n]", _MASK, getattr(node, "source", "") or unparse([node]))
                   for node in parse(text))


def _readable(line: str) -> str:
    """A line as the block reader takes it; one with macros and no more parts paragraphs."""
    return line.rstrip("\r") if line.strip(f" \t\r{_MASK}") else ""


def with_links(shown: str, text: str, link: Callable[[Section], str]) -> str:
    """The HTML of a text with ``link(section)`` at the end of each section's heading; headings
    that come from elsewhere (macros, included pages) get none."""
    if "#" not in text and "\n--" not in text and "\n==" not in text:
        return shown
    waiting = sections(text)

    def linked(match: re.Match[str]) -> str:
        key = int(match[1]), _key(html.unescape(_TAG.sub("", match[2])))
        for index, section in enumerate(waiting):
            if (section.level, _key(_LINK.sub(_label, section.title))) == key:
                del waiting[:index + 1]
                return f"{match[0][:-5]}{link(section)}{match[0][-5:]}"
        return match[0]

    return _SHOWN.sub(linked, shown)


def _label(match: re.Match[str]) -> str:
    """What is shown of a link: the target only where it has no label."""
    return match[0] if match[0].endswith("]]") else ""


def _key(title: str) -> str:
    return "".join(_WORD.findall(html.unescape(title))).replace("_", "").lower()
