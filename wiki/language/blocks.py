"""The lines of a text, and where in it nothing is a macro: code and HTML comments.

Everything here takes time linear in the text: what is looked for from many places is found
once, and then by bisection.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right

_ITEM = r"(?:[-*+]|\d{1,9}[.)])(?=[ \t])"
#: What stands before a line's text: blanks, quote marks, list markers.
_PREFIX = re.compile(rf"[ \t]*+(?:(?:>|{_ITEM})[ \t]*+)*+")
_MARKER = re.compile(_ITEM)
_QUOTES = re.compile(r"(?: {0,3}> ?)*+")
_BLANKS = re.compile(r"[ \t]*")
#: What holds the indented lines after it: an item, a footnote, a definition, an admonition.
_HOLDER = re.compile(r"(?:[-*+]|\d{1,9}[.)]|\[\^[^\]\n]{1,200}\]:|:|!!!|\?\?\?\+?|===)(?=\s|$)")
#: Where a paragraph ends, and a code span in it that is not closed by then is none.
_PARAGRAPH_END = re.compile(
    rf"\n(?=[ \t\r>]*(?:\n|{_ITEM}|\#{{1,6}}[ \t]))")
_FENCE_END = re.compile(r"^[ \t>]*(`{3,}|~{3,})[ \t\r]*$", re.MULTILINE)


class Lines:
    """The lines of a text, which end in LF or CRLF; they are numbered from 0."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._newlines = [match.start() for match in re.finditer("\n", source)]
        self._texts: dict[int, int] = {}

    def index(self, position: int) -> int:
        """The line that a position is on."""
        return bisect_left(self._newlines, position)

    def start(self, index: int) -> int:
        return self._newlines[index - 1] + 1 if index else 0

    def end(self, index: int) -> int:
        return self._newlines[index] if index < len(self._newlines) else len(self.source)

    def text_start(self, index: int) -> int:
        """Where the text starts, after blanks, quote marks and list markers."""
        if index not in self._texts:
            self._texts[index] = _end(_PREFIX, self.source, self.start(index))
        return self._texts[index]

    def prefix(self, index: int) -> str:
        """What the further lines of this line's paragraph start with: the list markers are
        blanks in them."""
        prefix = self.source[self.start(index):self.text_start(index)]
        return _MARKER.sub(lambda match: " " * len(match[0]), prefix)


class Verbatim:
    """Where nothing is a macro. Each method takes what was found and says where to go on: at
    the end of the code or comment, or just behind what turned out to begin none.

    ``partial`` tells that the text starts within a line.
    """

    def __init__(self, lines: Lines, partial: bool) -> None:
        source = lines.source
        self.lines, self.source = lines, source
        self.ticks: dict[int, list[int]] = {}
        for match in re.finditer("`+", source):
            self.ticks.setdefault(len(match[0]), []).append(match.start())
        self.comment_ends = [match.end() for match in re.finditer("-->", source)]
        self.paragraph_ends = ([match.start() for match in _PARAGRAPH_END.finditer(source)]
                               if self.ticks or self.comment_ends else [])
        self.fences = {char: _Fences(source, char) for char in "`~" if char * 3 in source}
        blocks = (_indented_blocks(source, partial)
                  if "    " in source or "\t" in source else [])
        self.block_starts = [start for start, _ in blocks]
        self.block_ends = [end for _, end in blocks]

    def indented(self, start: int, since: int) -> int:
        """The end of the indented code that holds ``start`` and was come to after ``since``;
        ``start`` where there is none."""
        index = bisect_right(self.block_starts, start) - 1
        if index >= 0 and self.block_starts[index] >= since and start < self.block_ends[index]:
            return self.block_ends[index]
        return start

    def fence(self, start: int, end: int) -> int:
        """A run of three or more marks; ``start`` where no fence begins with it."""
        line = self.lines.index(start)
        char = self.source[start]
        if self.lines.text_start(line) != start:
            return start
        line_end = self.lines.end(line)
        if char == "`" and self.source.find(char, end, line_end) >= 0:
            return start
        return self.fences[char].close(line_end, end - start) or start

    def span(self, start: int, end: int) -> int:
        """A run of backticks that begins no fence."""
        if self._escaped(start):
            return start + 1
        runs = self.ticks.get(end - start, [])
        index = bisect_left(runs, end)
        if index == len(runs) or self._ends_between(end, runs[index]):
            return end
        return runs[index] + end - start

    def comment(self, start: int) -> int:
        """``<!--``: at the start of a line to its end wherever that is, else within the
        paragraph."""
        index = bisect_left(self.comment_ends, start + len("<!-->"))
        if index == len(self.comment_ends) or self._escaped(start):
            return start + 1
        end = self.comment_ends[index]
        begins_line = self.lines.text_start(self.lines.index(start)) == start
        return end if begins_line or not self._ends_between(start, end) else start + 1

    def _ends_between(self, start: int, end: int) -> bool:
        """Whether a paragraph ends between the two."""
        index = bisect_left(self.paragraph_ends, start)
        return index < len(self.paragraph_ends) and self.paragraph_ends[index] < end

    def _escaped(self, position: int) -> bool:
        first = position
        while first and self.source[first - 1] == "\\":
            first -= 1
        return (position - first) % 2 == 1


class _Fences:
    """The lines that can close a fence of one kind."""

    def __init__(self, source: str, char: str) -> None:
        found = [match for match in _FENCE_END.finditer(source) if match[1][0] == char]
        self.starts = [match.start() for match in found]
        self.ends = [match.end() for match in found]
        self.lengths = [len(match[1]) for match in found]
        #: The longest from here on: whether there is any to look for.
        self.longest = list(self.lengths)
        for index in range(len(found) - 2, -1, -1):
            self.longest[index] = max(self.longest[index], self.longest[index + 1])

    def close(self, position: int, length: int) -> int:
        """The end of the first closing line after the position that is long enough, or 0."""
        index = bisect_left(self.starts, position)
        if index == len(self.starts) or self.longest[index] < length:
            return 0
        while self.lengths[index] < length:
            index += 1
        return self.ends[index]


def _indented_blocks(source: str, partial: bool) -> list[tuple[int, int]]:
    """Where the blocks of indented code start and end."""
    reader = _IndentedCode()
    position = 0
    for number, line in enumerate(source.split("\n")):
        reader.read(position, line, within=partial and number == 0)
        position += len(line) + 1
    return reader.blocks


class _IndentedCode:
    """Finds indented code, line by line: four blanks more than the text around, after a blank
    line. Under a list item it takes four more than what belongs to the item."""

    def __init__(self) -> None:
        self.blocks: list[tuple[int, int]] = []
        self.quotes = 0
        self.blank = True
        self.code = False
        #: Of each item that is open: its indentation, and the least that its text can have.
        self.holders: list[tuple[int, int]] = []

    def read(self, position: int, line: str, within: bool) -> None:
        """Take the next line; ``within`` tells that it is only the rest of a line."""
        start = _end(_QUOTES, line, 0)
        text_start = _end(_BLANKS, line, start)
        if text_start == len(line.rstrip()) or not line[text_start:].strip():
            self.blank = True
            return
        indent = 0 if within else len(line[start:text_start].expandtabs(4))
        self._enter(line[:start].count(">"), indent)
        if self._is_code(indent):
            self._add(position, position + len(line))
        else:
            self.code = False
            self._hold(indent, line, text_start)
        self.blank = False

    def _enter(self, quotes: int, indent: int) -> None:
        if quotes != self.quotes:
            # Out of a quote a paragraph may go on; into one it may not.
            self.blank = self.blank or quotes > self.quotes
            self.quotes, self.holders, self.code = quotes, [], False
        if self.blank:
            while self.holders and indent <= self.holders[-1][0]:
                self.holders.pop()

    def _is_code(self, indent: int) -> bool:
        around = self.holders[-1][1] if self.holders else 0
        return (self.blank or self.code) and indent >= around + 4

    def _add(self, start: int, end: int) -> None:
        if self.code:
            start = self.blocks.pop()[0]
        self.code = True
        self.blocks.append((start, end))

    def _hold(self, indent: int, line: str, text_start: int) -> None:
        marker = _HOLDER.match(line, text_start)
        if marker is None:
            return
        while self.holders and indent <= self.holders[-1][0]:
            self.holders.pop()
        width = marker.end() - marker.start() + 1
        self.holders.append((indent, indent + max(width, 4)))


def _end(pattern: re.Pattern[str], text: str, position: int) -> int:
    """Where the match of a pattern that matches everywhere ends."""
    match = pattern.match(text, position)
    return match.end() if match else position
