"""The names of pages in a page's text: found, and written anew where what they name has moved.

Read as the page is shown: wiki links, Markdown links and pictures, their definitions, and the
values of macros, but nothing in code and in bodies that macros take as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import quote, unquote

from wiki.errors import InvalidReference
from wiki.language.blocks import Lines, Verbatim
from wiki.language.links import ATTACH, SCHEME, WIKI_LINK
from wiki.language.syntax import LITERAL_BODIES, Literal, Macro, Text, parse, rewritten, unparse
from wiki.language.text import destination, skip_space, unescape
from wiki.references import Reference
from wiki.translate import gettext

#: Macros that show another page, and the parameters that name a page also without its space.
INCLUDING = frozenset({"include", "display"})
PAGE_PARAMETERS = frozenset({"class", "executor", "macro", "of", "page", "parent", "task",
                             "template"})
#: How deep bodies of macros are looked into.
MAX_DEPTH = 50
#: How many names one value of a macro lists.
MAX_LISTED = 100

#: What to write for a name: it is given how the page is named (``link``, ``include``, or
#: ``object`` for any other value of a macro), the page, and the name as it is written.
Turn = Callable[[str, Reference, str], str]

_TOKEN = re.compile(rf"""
    (?P<escaped>\\[!-/:-@\[-`{{-~])
  | (?P<ticks>`+) | (?P<tildes>~{{3,}}) | (?P<comment><!--)
  | (?P<link>{WIKI_LINK})
  | (?P<tail>\]\()
  | (?P<definition>^[ \t>]*\[(?!\^)(?:[^\[\]\\\n]|\\.){{1,999}}\]:)
    """, re.VERBOSE | re.MULTILINE)
#: What the text of a wiki link cannot hold.
_UNLINKABLE = re.compile(r"[\[\]#`]|<<|>>")
#: What is percent-encoded in an address.
_UNSAFE = re.compile(r"[^\w.~@,;+=-]")


def rewrite(text: str, base: Reference, turn: Turn, depth: int = 0) -> str:
    """The text with the names that ``turn`` gives; what stays the same stays as it is written.

    ``base`` is the page that names without a space are read from. Raises InvalidReference where
    a name cannot be written as a link.
    """
    if depth > MAX_DEPTH or ("[" not in text and "<<" not in text):
        return text
    return _Rewriter(text, base, turn, depth).run()


def named(text: str, base: Reference) -> Iterator[tuple[str, Reference]]:
    """The pages that the text names, in order, each with how."""
    found: list[tuple[str, Reference]] = []

    def note(kind: str, reference: Reference, name: str) -> str:
        found.append((kind, reference))
        return name

    rewrite(text, base, note)
    yield from found


class _Rewriter:
    def __init__(self, text: str, base: Reference, turn: Turn, depth: int) -> None:
        self.text, self.base, self.turn, self.depth = text, base, turn, depth
        self.verbatim = Verbatim(Lines(text), partial=False)
        self.parts: list[str] = []
        #: Up to where the text is in ``parts``.
        self.done = 0

    def run(self) -> str:
        position = at = 0
        for node in parse(self.text):
            if isinstance(node, Macro):
                self._read(position, at)
                self._put(at, at + len(node.source), self._macro(node))
                position = at + len(node.source)
            at += len(unparse([node]) if isinstance(node, Text | Literal) else node.source)
        self._read(position, len(self.text))
        return "".join((*self.parts, self.text[self.done:]))

    def _put(self, start: int, end: int, new: str) -> None:
        if self.text[start:end] != new:
            self.parts += [self.text[self.done:start], new]
            self.done = end

    def _read(self, position: int, end: int) -> None:
        """Look through the text between two macros."""
        while match := _TOKEN.search(self.text, position, end):
            code_end = self.verbatim.indented(match.start(), position)
            position = code_end if code_end > match.start() else self._token(match, end)

    def _token(self, match: re.Match[str], end: int) -> int:
        """Handle one token; returns where to go on."""
        start = match.start()
        if match["ticks"] or match["tildes"]:
            fence = self.verbatim.fence(start, match.end()) if len(match[0]) >= 3 else start
            if fence > start:
                return fence
            return self.verbatim.span(start, match.end()) if match["ticks"] else match.end()
        if match["comment"]:
            return self.verbatim.comment(start)
        if match["link"]:
            self._put(*match.span("target"), self._wiki_link(match["target"]))
        elif match["tail"] or match["definition"]:
            return self._destination(match.end(), end)
        return match.end()

    def _destination(self, position: int, end: int) -> int:
        start = skip_space(self.text, position)
        found = destination(self.text, start)
        if found is None or found[1] > end:
            return position
        url = unescape(found[0])
        new = self._url(url)
        if new != url:
            self._put(start, found[1], new)
        return found[1]

    # -- names -----------------------------------------------------------------------------

    def _name(self, kind: str, name: str, base: Reference | None) -> str:
        """The name to write for one; the same for what is no name."""
        try:
            reference = Reference.parse(name, base)
        except InvalidReference:
            return name
        return self.turn(kind, reference, name)

    def _wiki_link(self, inner: str) -> str:
        """What stands between the brackets, or behind the label's ``>>``."""
        label, mark, target = inner.rpartition(">>")
        text = target.strip()
        attached = ATTACH if text.startswith(ATTACH) else ""
        name = (text.removeprefix(ATTACH).rpartition("@") if attached else text.partition("#"))[0]
        new = self._name("link", name, self.base) if name else name
        if new == name:
            return inner
        if _UNLINKABLE.search(new) or (not attached and new.startswith(ATTACH)):
            raise _unlinkable(new)
        return label + mark + target.replace(attached + name, attached + new, 1)

    def _url(self, url: str) -> str:
        """A Markdown link's address: a name, a file of another page, or a path on this server."""
        if url.startswith(ATTACH):
            name, at, filename = url.removeprefix(ATTACH).rpartition("@")
            return ATTACH + self._quoted(name, self.base) + at + filename if at else url
        if not url or url[0] in "#?." or SCHEME.match(url):
            return url
        slash = "/" if url[0] == "/" else ""
        path = url[len(slash):]
        # As a path it has a page, and what of it: "Space.Page/edit?x=1"; else a name and no more.
        is_path = bool(slash) or "/" in path.partition("#")[0]
        end = re.search(r"[/?#]" if is_path else "#", path)
        name = path[:end.start()] if end else path
        return slash + self._quoted(name, None if is_path else self.base) + path[len(name):]

    def _quoted(self, name: str, base: Reference | None) -> str:
        plain = unquote(name)
        new = self._name("link", plain, base)
        if new == plain:
            return name
        if "#" in new:
            raise _unlinkable(new)
        return _UNSAFE.sub(lambda match: quote(match[0], safe=""), new)

    def _listed(self, text: str) -> str:
        """Whole names with commas between them; the same for any other text."""
        items = text.split(",")
        if not 1 < len(items) <= MAX_LISTED or not all(_is_name(item.strip()) for item in items):
            return text
        return ",".join(item.replace(item.strip(), self._name("object", item.strip(), None))
                        for item in items)

    # -- macros ----------------------------------------------------------------------------

    def _macro(self, macro: Macro) -> str:
        def value(key: str, text: str) -> str:
            kind = "include" if macro.name in INCLUDING and key == "page" else "object"
            base = self.base if key in PAGE_PARAMETERS else None
            name = text.strip()
            new = self._name(kind, name, base) if name else name
            if new == name and base is None:
                new = self._listed(name)
            return text if new == name else new

        def body(text: str) -> str:
            if macro.name in LITERAL_BODIES:
                return text
            return rewrite(text, self.base, self.turn, self.depth + 1)

        return rewritten(macro, value, body)


def _is_name(text: str) -> bool:
    """Whether it is a page's whole name."""
    try:
        Reference.parse(text)
    except InvalidReference:
        return False
    return True


def _unlinkable(name: str) -> InvalidReference:
    return InvalidReference(gettext(
        "%(name)s cannot stand in a link: a name that is linked to has no '[', ']', '#', '`', "
        "'<<' and '>>' in it", name=repr(name)))
