"""The macro parser: ``<<name key="value" flag/>>`` and ``<<name>>body<</name>>`` in a text.

The language is specified in docs/macros.md. Parsing takes time linear in the text and never
raises: what is wrong becomes a :class:`Broken` node that says why and where. A body is kept as
text, and is parsed when its macro is rendered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

from wiki.language.blocks import Lines, Verbatim

#: Macros whose body is no markup: it ends at the first closing tag, and nothing in it is a macro.
LITERAL_BODIES = frozenset({"code", "comment", "csv", "html", "jinja"})
#: Whether the macro of a name is one of those.
Literals = Callable[[str], bool]

_NAME = r"[A-Za-z][A-Za-z0-9_-]*"
# It begins with a set of characters, so that the search for it is a quick scan.
_TOKEN = re.compile(rf"""
    [<`~] (?:
        (?<=<) (?:  < (?: /(?P<close>{_NAME})[ \t]*>> | (?P<open>{_NAME})(?=[\s/>]) )
                 |  (?P<comment>!--) )
      | (?<=`) (?P<ticks>`*)
      | (?<=~) (?:  (?P<escape><<)  |  (?P<tildes>~~+) )
    )""", re.VERBOSE)
# A blank line ends what is not closed before it.
_SPACE = re.compile(r"[ \t\r]*+(?:\n(?![ \t\r]*\n)[ \t\r]*+)*+")
_BLANK = re.compile(r"[ \t\r]*")
_END = re.compile(r"(?P<empty>/?)>>")
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_VALUE = re.compile(rf"{_SPACE.pattern}={_SPACE.pattern}"
                    r"(?:\"([^\"\\]*+(?:\\.[^\"\\]*+)*+)\""
                    r"|'([^'\\]*+(?:\\.[^'\\]*+)*+)')", re.DOTALL)
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

    ``block`` tells that it stands alone on its line, but for quote marks and list markers;
    ``indented`` that there are such, or blanks, before it. ``prefix`` is what was taken from
    each further line of the body.
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
    #: How many characters the page's lines have before those of the body, but for its first.
    body_margin: int = 0
    prefix: str = ""


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


def parse(source: str, line: int = 1, column: int = 1, margin: int = 0,
          literal: Literals = LITERAL_BODIES.__contains__) -> list[Node]:
    """Split a text at its outermost macros.

    ``line`` and ``column`` say where in the page the text starts, ``margin`` how many
    characters the page has before each further line of it. ``literal`` tells which macros take
    their bodies as they are.
    """
    if "<<" not in source:
        return [Text(source)] if source else []
    return _Parser(source, line, column, margin, literal).parse()


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
    params = "".join(f" {key}" if value is None else f' {key}="{escape_value(value)}"'
                     for key, value in node.params.items())
    if node.body is None:
        return f"<<{node.name}{params}/>>"
    body = node.body.replace("\n", f"\n{node.prefix}")
    return f"<<{node.name}{params}>>{body}<</{node.name}>>"


def parameter_place(macro: Macro, name: str) -> tuple[int, int]:
    """The line and column where the macro's parameter is written; the macro's own, where its
    source does not hold it."""
    source, position = macro.source, len(macro.name) + 2
    while key := _KEY.match(source, _skip_space(source, position)):
        if key[0] == name:
            return _within(macro, key.start())
        value = _VALUE.match(source, key.end())
        position = value.end() if value else key.end()
    return macro.line, macro.column


def rewritten(macro: Macro, value: Callable[[str, str], str],
              body: Callable[[str], str]) -> str:
    """The macro's source with other values, by parameter and value, and another body; what stays
    the same is left as it is written."""
    source, parts, done, position = macro.source, [], 0, len(macro.name) + 2
    while key := _KEY.match(source, _skip_space(source, position)):
        found = _VALUE.match(source, key.end())
        position = found.end() if found else key.end()
        old = _value(found) if found else ""
        if found and (new := value(key[0], old)) != old:
            parts.append(f'{source[done:key.end()]}="{escape_value(new)}"')
            done = position
    if macro.body is not None and (text := body(macro.body)) != macro.body:
        start = source.index(">>", position) + 2
        parts += [source[done:start], text.replace("\n", f"\n{macro.prefix}")]
        done = source.rindex("<</")
    return "".join((*parts, source[done:]))


def _within(macro: Macro, position: int) -> tuple[int, int]:
    """The place in the page of a position in the macro's source."""
    further = macro.source.count("\n", 0, position)
    if not further:
        return macro.line, macro.column + position
    margin = macro.body_margin - len(macro.prefix)
    return macro.line + further, position - macro.source.rindex("\n", 0, position) + margin


def _value(match: re.Match[str]) -> str:
    """The value that a match of _VALUE found between quotes."""
    return _ESCAPED.sub(r"\1", match[1] if match[1] is not None else match[2])


def escape_value(value: str) -> str:
    """A value as it stands between a macro's quotes."""
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
    def __init__(self, source: str, line: int, column: int, margin: int,
                 literal: Literals) -> None:
        self.source, self.literal = source, literal
        self.line, self.column, self.margin = line, column, margin
        self.lines = Lines(source)
        self.verbatim = Verbatim(self.lines, partial=column > 1)
        self.frames = [_Frame(None)]
        self.open: dict[str, int] = {}
        self.unclosed: set[str] = set()
        self.text_start = 0

    def parse(self) -> list[Node]:
        position = 0
        while match := _TOKEN.search(self.source, position):
            code_end = self.verbatim.indented(match.start(), position)
            position = code_end if code_end > match.start() else self._token(match)
        self._flush(len(self.source))
        return self._finish()

    def _token(self, match: re.Match[str]) -> int:
        """Handle one token; returns where to go on."""
        if match["open"] is not None:
            return self._open(match)
        if match["close"] is not None:
            return self._close(match)
        if match["escape"] is not None:
            self._flush(match.start())
            self._add(Literal(), match.end())
            return match.end()
        if match["comment"] is not None:
            return self.verbatim.comment(match.start())
        return self._code(*match.span())

    def _code(self, start: int, end: int) -> int:
        """A run of backticks or tildes."""
        fence = self.verbatim.fence(start, end) if end - start >= 3 else start
        if fence > start:
            return fence
        # The last tilde may be the one of an escape.
        return self.verbatim.span(start, end) if self.source[start] == "`" else end - 1

    # -- tags ------------------------------------------------------------------------------

    def _open(self, match: re.Match[str]) -> int:
        tag = self._read_tag(match)
        self._flush(tag.start)
        if tag.problem:
            self._break(tag)
        elif tag.empty:
            self._add(_Call(tag, None, tag.end), tag.end)
        elif self.literal(tag.name):
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
            tag.end = position
            tag.problem = self._no_key(tag.name, position)
            return position
        value = _VALUE.match(source, key.end())
        if value is None:
            equals = _skip_space(source, key.end())
            if source[equals:equals + 1] == "=":
                return self._bad_value(tag, key[0], equals)
        tag.end = value.end() if value else key.end()
        if key[0] in tag.params:
            tag.problem = f"{key[0]} is given twice"
        elif value is None:
            tag.params[key[0]] = None
        else:
            tag.params[key[0]] = _value(value)
        return tag.end

    def _no_key(self, name: str, position: int) -> str:
        char = self.source[position:position + 1]
        if not char or char == "\n":
            return f"<<{name} is never closed with />> or >>"
        return f'{char!r} cannot stand in <<{name}; a parameter looks like key="value"'

    def _bad_value(self, tag: _Tag, key: str, equals: int) -> int:
        rest = _skip_space(self.source, equals + 1)
        if self.source[rest:rest + 1] in ('"', "'"):
            # The text is read again from here, but twice at most: a second value that lacks
            # the same quote would have closed the first.
            tag.problem = f"the value of {key} has no closing quote"
            tag.end = tag.start + len(tag.name) + 2
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
        body, prefix = None, ""
        if call.body is not None:
            body = self.source[call.body[0]:call.body[1]]
            if "\n" in body:
                body, prefix = _dedent(body, self.lines.prefix(self.lines.index(tag.start)))
        return Macro(tag.name, tag.params, body, self.source[tag.start:call.end],
                     *self._place(tag.start), *self._alone(tag.start, call.end),
                     *self._place(tag.end), self.margin + len(prefix), prefix)

    def _place(self, position: int) -> tuple[int, int]:
        index = self.lines.index(position)
        if index == 0:
            return self.line, self.column + position
        return self.line + index, position - self.lines.start(index) + 1 + self.margin

    def _alone(self, start: int, end: int) -> tuple[bool, bool]:
        """Whether nothing else stands on the lines, and whether the first one is indented."""
        index = self.lines.index(start)
        if self.lines.text_start(index) != start:
            return False, False
        rest = _BLANK.match(self.source, end)
        after = rest.end() if rest else end
        alone = after == len(self.source) or self.source[after] == "\n"
        return alone, start > self.lines.start(index)


def _dedent(body: str, prefix: str) -> tuple[str, str]:
    """The body without the prefix that each of its further lines has, and that prefix; where
    one has it not, the body as it is and no prefix."""
    first, *further = body.split("\n")
    lines = [first]
    for line in further:
        if line.startswith(prefix):
            lines.append(line[len(prefix):])
        elif line.rstrip() == prefix.rstrip():
            lines.append("")
        else:
            return body, ""
    return "\n".join(lines), prefix


def _skip_space(source: str, position: int) -> int:
    match = _SPACE.match(source, position)
    return match.end() if match else position


def _never_closed(name: str) -> str:
    return f"<<{name}>> is never closed; write <</{name}>> after it, or <<{name}/>>"
