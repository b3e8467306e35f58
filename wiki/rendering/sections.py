"""The sections of a Markdown text: a heading and what follows, up to the next of its level.

Headings in code, in macros and in lists or quotes begin no section.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass

from wiki.rendering.syntax import Text, parse, unparse

#: Stands for each character of a macro; no heading begins with it.
_MASK = "\0"
_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))??(?:[ \t]+#+)?[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_NO_PARAGRAPH = re.compile(r" {0,3}(?:$|[>|#]|[-*+][ \t]|\d{1,9}[.)][ \t])| {4}|\t")
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
    found = _headings(_masked(text))
    result = []
    for index, (start, level, title) in enumerate(found):
        end = next((place for place, other, _ in found[index + 1:] if other <= level), len(text))
        result.append(Section(index + 1, level, title.replace(_MASK, "").strip(), start, end))
    return result


def _masked(text: str) -> str:
    """The text with its macros made unreadable; all else stays at its place."""
    return "".join(node.text if isinstance(node, Text) else
                   re.sub(r"[^\n]", _MASK, getattr(node, "source", "") or unparse([node]))
                   for node in parse(text))


def _headings(text: str) -> list[tuple[int, int, str]]:
    """Place, level and title of each heading."""
    found: list[tuple[int, int, str]] = []
    fence, place, before, paragraph = "", 0, 0, ""
    for line in text.split("\n"):
        mark = _FENCE.match(line)
        heading = None if fence else _HEADING.match(line)
        underline = _UNDERLINE.match(line) if paragraph.strip() and not fence else None
        if fence:
            if mark and mark[1].startswith(fence) and not line.strip(" \t`~"):
                fence = ""
        elif mark:
            fence = mark[1]
        elif heading:
            found.append((place, len(heading[1]), heading[2] or ""))
        elif underline:
            found.append((before, 1 if underline[1][0] == "=" else 2, paragraph))
        # Only a paragraph of one line is taken for a heading that is underlined.
        alone = not paragraph and not (fence or mark or heading or _NO_PARAGRAPH.match(line))
        ended = heading or underline or not line.strip(f" \t{_MASK}")
        paragraph = "" if ended else line if alone else " "
        before = place
        place += len(line) + 1
    return found


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
