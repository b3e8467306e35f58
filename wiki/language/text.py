"""What blocks and inlines both need to read: escapes, entities, labels, link targets."""

from __future__ import annotations

import re
from html.entities import html5
from urllib.parse import quote

#: How deep the parentheses of a link's target nest.
MAX_PARENTHESES = 32
#: The longest label of a link, characters.
MAX_LABEL = 999

PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
ENTITY = re.compile(r"&(?:#[xX]([0-9a-fA-F]{1,6})|#([0-9]{1,7})|([A-Za-z][A-Za-z0-9]{1,31}));")
LABEL = re.compile(r"\[((?:[^\\\[\]]|\\.){0,999}+)\]", re.DOTALL)
_ESCAPED = re.compile(rf"\\([{re.escape(PUNCTUATION)}])|{ENTITY.pattern}")
_ANGLED = re.compile(r"<((?:[^<>\n\\]|\\.)*+)>")
_BARE = re.compile(r"[^()\\<\x00-\x20\x7f][^()\\\x00-\x20\x7f]*+(?=[\s)]|\Z)")
_BARE_PART = re.compile(r"(?:[^()\\\x00-\x20\x7f]|\\.)++")
_TITLE = re.compile(r"\"((?:[^\"\\]|\\.)*+)\"|'((?:[^'\\]|\\.)*+)'|\(((?:[^()\\]|\\.)*+)\)",
                    re.DOTALL)
_SPACE = re.compile(r"[ \t]*+(?:\n[ \t]*+)?")
_BLANK_LINE = re.compile(r"\n[ \t]*\n")


def entity(match: re.Match[str]) -> str:
    """The character of a match of ENTITY; an unknown name stays as it is written."""
    hexadecimal, decimal, name = match.groups()[-3:]
    if name:
        return html5.get(name + ";", match[0])
    number = int(hexadecimal, 16) if hexadecimal else int(decimal)
    if number == 0 or number > 0x10FFFF or 0xD800 <= number < 0xE000:
        return "\ufffd"
    return chr(number)


def unescape(text: str) -> str:
    """The text with its backslashes and entities resolved."""
    if "\\" not in text and "&" not in text:
        return text
    return _ESCAPED.sub(lambda match: match[1] or entity(match), text)


def address(url: str) -> str:
    """The URL with what may not stand in one percent-encoded; a percent sign stays."""
    return quote(unescape(url), safe="!#$%&'()*+,-./:;=?@_~", errors="replace")


def normal_label(label: str) -> str:
    """How labels are compared."""
    return " ".join(label.split()).casefold()


def skip_space(text: str, position: int) -> int:
    """Past spaces and at most one line break."""
    match = _SPACE.match(text, position)
    return match.end() if match else position


def destination(text: str, position: int) -> tuple[str, int] | None:
    """The link target at a position, and where it ends; None where there is none."""
    if text.startswith("<", position):
        match = _ANGLED.match(text, position)
        return (match[1], match.end()) if match else None
    match = _BARE.match(text, position)
    return (match[0], match.end()) if match else _nested_target(text, position)


def _nested_target(text: str, position: int) -> tuple[str, int] | None:
    depth, at = 0, position
    while at < len(text):
        match = _BARE_PART.match(text, at)
        if match:
            at = match.end()
        elif text[at] == "(":
            depth, at = depth + 1, at + 1
            if depth > MAX_PARENTHESES:
                return None
        elif text[at] == ")" and depth:
            depth, at = depth - 1, at + 1
        else:
            break
    return (text[position:at], at) if at > position and not depth else None


def title(text: str, position: int) -> tuple[str, int] | None:
    """The quoted title at a position, resolved, and where it ends; None where there is none."""
    match = _TITLE.match(text, position)
    if match is None or _BLANK_LINE.search(match[0]):
        return None
    return unescape(next(part for part in match.groups() if part is not None)), match.end()
