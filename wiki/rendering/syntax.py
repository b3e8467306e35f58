"""The macro parser: ``<<name key="value" flag/>>`` and ``<<name>>body<</name>>`` in a text.

It takes time linear in the text and never raises: what is wrong becomes a :class:`Broken` node
that says why and where. A body is kept as text, and is parsed when its macro is rendered.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

#: Macros in whose bodies nothing is a macro.
LITERAL_BODIES = frozenset({"code"})
#: Tags that run to the text's end without closing; past these the rest is plain text.
MAX_RUNAWAYS = 20

_NAME = r"[A-Za-z][A-Za-z0-9_-]*"
_TOKEN = re.compile(
    r"(?P<fence>^[ \t>]*(?P<marks>`{3,}|~{3,})[^`\n]*$)"
    r"|(?P<ticks>`+)"
    r"|(?P<escape>~<<)"
    rf"|<</(?P<close>{_NAME})[ \t]*>>"
    rf"|<<(?P<open>{_NAME})(?=[\s/>])",
    re.MULTILINE)
_SPACE = re.compile(r"\s*")
_BLANK = re.compile(r"[ \t]*")
_END = re.compile(r"(?P<empty>/?)>>")
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_VALUE = re.compile(r"\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)')", re.DOTALL)
_FENCE_END = re.compile(r"^[ \t>]*(`{3,}|~{3,})[ \t]*$", re.MULTILINE)
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_ESCAPED = re.compile(r"\\([\"'\\])")


@dataclass(frozen=True, slots=True)
class Text:
    """Text between macros, for Markdown."""

    text: str


@dataclass(frozen=True, slots=True)
class Literal:
    """``~<<``: the two characters ``<<`` themselves."""


@dataclass(frozen=True, slots=True)
class Macro:
    """A call of a macro; ``params`` holds None for a flag, ``body`` None where there is none.

    ``block`` tells that it stands alone on its line, unindented or not; ``indented`` which.
    """

    name: str
    params: Mapping[str, str | None]
    body: str | None
    source: str
    line: int = 1
    column: int = 1
    block: bool = False
    indented: bool = False
    #: Where the body starts, so that what is wrong in it is found at its place in the page.
    body_line: int = 1
    body_column: int = 1


@dataclass(frozen=True, slots=True)
class Broken:
    """What was meant as a macro and is none."""

    message: str
    source: str
    line: int
    column: int
    block: bool = False
    indented: bool = False


Node = Text | Literal | Macro | Broken


def parse(source: str, line: int = 1, column: int = 1) -> list[Node]:
    """Split a text at its outermost macros; ``line`` and ``column`` say where the text starts."""
    return _Parser(source, line, column).parse()


def unparse(nodes: list[Node]) -> str:
    """The text that :func:`parse` reads as these nodes."""
    return "".join(_unparse(node) for node in nodes)


def _unparse(node: Node) -> str:
    if isinstance(node, Text):
        return node.text
    if isinstance(node, Literal):
        return "~<<"
    if isinstance(node, Broken):
        return node.source
    params = "".join(f" {key}" if value is None else f' {key}="{_escape(value)}"'
                     for key, value in node.params.items())
    if node.body is None:
        return f"<<{node.name}{params}/>>"
    return f"<<{node.name}{params}>>{node.body}<</{node.name}>>"


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


@dataclass(slots=True)
class _Tag:
    """An opening tag that was read: ``end`` is where it ends, ``problem`` what is wrong."""

    name: str
    start: int
    end: int
    params: dict[str, str | None] = field(default_factory=dict)
    empty: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Call:
    """A macro that was read whole; it becomes a node only if it is an outermost one."""

    tag: _Tag
    body: tuple[int, int] | None
    end: int


@dataclass(slots=True)
class _Frame:
    """What was read since an opening tag that waits for its closing one."""

    tag: _Tag | None
    nodes: list[Node | _Call] = field(default_factory=list)


class _Parser:
    def __init__(self, source: str, line: int, column: int) -> None:
        self.source = source
        self.line, self.column = line, column
        self.newlines = [match.start() for match in re.finditer("\n", source)]
        self.frames = [_Frame(None)]
        self.open: dict[str, int] = {}
        self.unclosed: set[str] = set()
        self.first_chars: dict[int, int] = {}
        self.runaways = 0
        self.text_start = 0
        self._index_code()

    def _index_code(self) -> None:
        source = self.source
        self.ticks: dict[int, list[int]] = {}
        for match in re.finditer("`+", source):
            self.ticks.setdefault(len(match[0]), []).append(match.start())
        self.blank_lines = ([match.start() for match in _BLANK_LINE.finditer(source)]
                            if self.ticks else [])
        self.fences: dict[str, list[tuple[int, int]]] = {}
        if "```" in source or "~~~" in source:
            for match in _FENCE_END.finditer(source):
                self.fences.setdefault(match[1], []).append(match.span())

    def parse(self) -> list[Node]:
        position = 0
        while self.runaways < MAX_RUNAWAYS and (match := _TOKEN.search(self.source, position)):
            position = self._token(match)
        self._flush(len(self.source))
        return self._finish()

    def _token(self, match: re.Match[str]) -> int:
        """Handle one token; returns where to go on."""
        if match["fence"] is not None:
            return self._skip_fence(match)
        if match["ticks"] is not None:
            return self._skip_span(match)
        if match["escape"] is not None:
            self._flush(match.start())
            self._add(Literal(), match.end())
            return match.end()
        if match["close"] is not None:
            return self._close(match)
        return self._open(match)

    # -- code ------------------------------------------------------------------------------

    def _skip_fence(self, match: re.Match[str]) -> int:
        ends = self.fences.get(match["marks"], [])
        index = bisect_right(ends, (match.end(), 0))
        if index < len(ends):
            return ends[index][1]
        return match.end("marks")

    def _skip_span(self, match: re.Match[str]) -> int:
        start, end = match.span()
        if start and self.source[start - 1] == "\\":
            return start + 1
        runs = self.ticks.get(len(match[0]), [])
        index = bisect_left(runs, end)
        if index == len(runs):
            return end
        blank = bisect_left(self.blank_lines, end)
        if blank < len(self.blank_lines) and self.blank_lines[blank] < runs[index]:
            return end
        return runs[index] + len(match[0])

    # -- tags ------------------------------------------------------------------------------

    def _open(self, match: re.Match[str]) -> int:
        tag = self._read_tag(match)
        self._flush(tag.start)
        if tag.problem:
            self._break(tag)
        elif tag.empty:
            self._add(_Call(tag, None, tag.end), tag.end)
        elif tag.name in LITERAL_BODIES:
            return self._literal_body(tag)
        else:
            self.frames.append(_Frame(tag))
            self.open[tag.name] = self.open.get(tag.name, 0) + 1
            self.text_start = tag.end
        return tag.end

    def _read_tag(self, match: re.Match[str]) -> _Tag:
        source = self.source
        tag = _Tag(match["open"], match.start(), match.end())
        position = match.end()
        while True:
            position = _skip_space(source, position)
            if end := _END.match(source, position):
                tag.end, tag.empty = end.end(), bool(end["empty"])
                return tag
            position = self._read_param(tag, position)
            if tag.problem:
                return tag

    def _read_param(self, tag: _Tag, position: int) -> int:
        source = self.source
        key = _KEY.match(source, position)
        if key is None:
            tag.problem = (f"<<{tag.name} is never closed with />> or >>"
                           if position >= len(source) else
                           f"{source[position]!r} cannot stand in <<{tag.name}; "
                           'a parameter looks like key="value"')
            if position >= len(source):
                self.runaways += 1
            else:
                tag.end = position
            return position
        value = _VALUE.match(source, key.end())
        equals = _skip_space(source, key.end())
        if value is None and source[equals:equals + 1] == "=":
            return self._bad_value(tag, key[0], equals)
        if key[0] in tag.params:
            tag.problem = f"{key[0]} is given twice"
            tag.end = value.end() if value else key.end()
            return tag.end
        if value is None:
            tag.params[key[0]] = None
            return key.end()
        text = value[1] if value[1] is not None else value[2]
        tag.params[key[0]] = _ESCAPED.sub(r"\1", text)
        return value.end()

    def _bad_value(self, tag: _Tag, key: str, equals: int) -> int:
        rest = _skip_space(self.source, equals + 1)
        if self.source[rest:rest + 1] in ('"', "'"):
            tag.problem = f"the value of {key} has no closing quote"
            self.runaways += 1
        else:
            tag.problem = f'the value of {key} needs quotes: {key}="..."'
            tag.end = rest
        return rest

    def _literal_body(self, tag: _Tag) -> int:
        closing = f"<</{tag.name}>>"
        end = -1 if tag.name in self.unclosed else self.source.find(closing, tag.end)
        if end < 0:
            self.unclosed.add(tag.name)
            tag.problem = _never_closed(tag.name)
            self._break(tag)
            return tag.end
        self._add(_Call(tag, (tag.end, end), end + len(closing)), end + len(closing))
        return end + len(closing)

    def _close(self, match: re.Match[str]) -> int:
        name = match["close"]
        self._flush(match.start())
        if not self.open.get(name):
            tag = _Tag(name, match.start(), match.end(),
                       problem=f"<</{name}>> closes nothing; <<{name}>> was not opened")
            self._break(tag)
            return match.end()
        while True:  # what is open inside is found unclosed when the body is parsed
            tag = cast(_Tag, self.frames.pop().tag)
            self.open[tag.name] -= 1
            if tag.name == name:
                break
        self._add(_Call(tag, (tag.end, match.start()), match.end()), match.end())
        return match.end()

    def _finish(self) -> list[Node]:
        nodes: list[Node] = []
        for frame in self.frames:
            if frame.tag is not None:
                frame.tag.problem = _never_closed(frame.tag.name)
                nodes.append(self._broken(frame.tag))
            nodes.extend(self._macro(item) if isinstance(item, _Call) else item
                         for item in frame.nodes)
        return nodes

    # -- nodes -----------------------------------------------------------------------------

    def _flush(self, end: int) -> None:
        if end > self.text_start:
            self.frames[-1].nodes.append(Text(self.source[self.text_start:end]))
        self.text_start = end

    def _add(self, node: Node | _Call, end: int) -> None:
        self.frames[-1].nodes.append(node)
        self.text_start = end

    def _break(self, tag: _Tag) -> None:
        self._add(self._broken(tag), tag.end)

    def _broken(self, tag: _Tag) -> Broken:
        return Broken(tag.problem, self.source[tag.start:tag.end], *self._place(tag.start),
                      *self._alone(tag.start, tag.end))

    def _macro(self, call: _Call) -> Macro:
        tag = call.tag
        body = None if call.body is None else self.source[call.body[0]:call.body[1]]
        return Macro(tag.name, tag.params, body, self.source[tag.start:call.end],
                     *self._place(tag.start), *self._alone(tag.start, call.end),
                     *self._place(tag.end))

    def _place(self, position: int) -> tuple[int, int]:
        index = bisect_left(self.newlines, position)
        if index == 0:
            return self.line, self.column + position
        return self.line + index, position - self.newlines[index - 1]

    def _alone(self, start: int, end: int) -> tuple[bool, bool]:
        """Whether nothing else stands on the lines, and whether the first one is indented."""
        index = bisect_left(self.newlines, start)
        line_start = self.newlines[index - 1] + 1 if index else 0
        if line_start not in self.first_chars:
            blank = _BLANK.match(self.source, line_start)
            self.first_chars[line_start] = blank.end() if blank else line_start
        if self.first_chars[line_start] != start:
            return False, False
        rest = _BLANK.match(self.source, end)
        after = rest.end() if rest else end
        alone = after == len(self.source) or self.source[after] == "\n"
        return alone, start > line_start


def _skip_space(source: str, position: int) -> int:
    match = _SPACE.match(source, position)
    return match.end() if match else position


def _never_closed(name: str) -> str:
    return f"<<{name}>> is never closed; write <</{name}>> after it, or <<{name}/>>"
