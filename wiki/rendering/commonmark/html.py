"""The rules by which HTML is told in a text."""

from __future__ import annotations

import re

_ATTRIBUTE = (r"\s++[A-Za-z_:][\w.:-]*+(?:\s*+=\s*+(?:[^\s\"'=<>`]++|'[^']*+'|\"[^\"]*+\"))?+")
_OPEN = rf"[A-Za-z][A-Za-z0-9-]*+(?:{_ATTRIBUTE})*+\s*+/?>"
_CLOSE = r"/[A-Za-z][A-Za-z0-9-]*+\s*+>"
#: What a tag, comment or declaration begins with.
BEGINS = re.compile(r"<[A-Za-z/!?]")
#: A tag within a line.
TAG = re.compile(rf"<(?:{_OPEN}|{_CLOSE})", re.ASCII)
#: ``<https://example.org>`` and ``<somebody@example.org>``.
AUTOLINK = re.compile(
    r"<(?:([A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>\x00-\x1f]*+)|"
    r"([A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]++@[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*+))>")
#: How the things begin and end within a line that are no tags.
PAIRS = (("<!--", "-->"), ("<?", "?>"), ("<![CDATA[", "]]>"), ("<!", ">"))

_NAMES = ("address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup|dd|"
          "details|dialog|dir|div|dl|dt|fieldset|figcaption|figure|footer|form|frame|frameset|"
          "h[1-6]|head|header|hr|html|iframe|legend|li|link|main|menu|menuitem|nav|noframes|ol|"
          "optgroup|option|p|param|search|section|summary|table|tbody|td|tfoot|th|thead|title|tr|"
          "track|ul")
_BLOCKS = (
    (re.compile(r"<(?:script|pre|style|textarea)(?:[\s>]|$)", re.IGNORECASE),
     re.compile(r"</(?:script|pre|style|textarea)>", re.IGNORECASE)),
    (re.compile(r"<!--"), re.compile(r"-->")),
    (re.compile(r"<\?"), re.compile(r"\?>")),
    (re.compile(r"<![A-Za-z]"), re.compile(r">")),
    (re.compile(r"<!\[CDATA\["), re.compile(r"\]\]>")),
    (re.compile(rf"</?(?:{_NAMES})(?:\s|/?>|$)", re.IGNORECASE), None),
)
_LONE_TAG = re.compile(rf"<(?:{_OPEN}|{_CLOSE})[ \t]*$", re.ASCII)


def block_end(text: str, in_paragraph: bool) -> tuple[re.Pattern[str] | None] | None:
    """If the line begins a block of HTML: what ends it, None for a blank line."""
    for start, end in _BLOCKS:
        if start.match(text):
            return (end,)
    return (None,) if not in_paragraph and _LONE_TAG.match(text) else None
