"""The text of comments as HTML: Markdown, sanitised as pages are; a macro in it is just text."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from wiki.comments import MENTION
from wiki.language import links
from wiki.references import Reference
from wiki.rendering.compiled import Compiler, Link, Place, Segment

_TAG = re.compile(r'(<(?:[^>"]|"[^"]*")*>)')
_ID = re.compile(r'\sid="[^"]*"')
#: Elements in which ``@Users.Name`` is no mention.
_PLAIN = ("a", "code", "pre")


class CommentTexts:
    """Makes HTML of comments, and keeps what it compiled. Safe for several threads."""

    def __init__(self) -> None:
        self._compiler = Compiler(lambda name: False, lambda name: False)

    def html(self, text: str, page: Reference, exists: links.Exists) -> Markup:
        """The text of a comment on the page, links resolved."""
        parts = (_shown(segment, page, exists) for segment in self._compiler.compile(text))
        return _with_mentions("".join(parts), exists)


def _shown(segment: Segment, page: Reference, exists: links.Exists) -> str:
    if isinstance(segment, Link):
        # Ids are the page's own: a comment must not take the place of one of its anchors.
        attributes = {key: value for key, value in segment.attributes if key != "id"}
        return links.render_tag(segment.tag, attributes, page, exists)
    if isinstance(segment, Place):
        source = escape(segment.node.source)
        return str(source) if segment.paragraph else f"<p>{source}</p>"
    return _TAG.sub(lambda tag: _ID.sub("", tag[0]), segment)


def _with_mentions(html: str, exists: links.Exists) -> Markup:
    """The HTML with links to the users whom it calls."""
    parts, inside = [], 0
    for part in _TAG.split(html):
        name = re.match(r"</?(\w+)", part)
        if name and part.startswith("<"):
            if name[1].lower() in _PLAIN:
                inside += -1 if part.startswith("</") else 1
        elif not inside:
            part = MENTION.sub(lambda match: _mention(match[1], exists), part)
        parts.append(part)
    return Markup("".join(parts))


def _mention(name: str, exists: links.Exists) -> str:
    reference = Reference.parse(name)
    if not exists(reference):
        return f"@{name}"
    return str(Markup('<a class="mention" href="{}">@{}</a>').format(
        links.page_url(reference), reference.name))
