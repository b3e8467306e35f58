"""Reading a log of any size: a part of it, the lines round a place, the lines with a text.

Each reads a bounded number of bytes, wherever in the log it is, so that a log of 10 GB costs
what one of 10 kB does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from wiki.tasks.logline import as_text

BLOCK = 64 * 1024
#: At most so many bytes are read to show some lines.
MAX_LINES_BYTES = 1024 * 1024
#: A search looks at so many bytes at a time, and at most at so many before it reports.
SEARCH_BLOCK = 1024 * 1024
SEARCH_BYTES = 256 * 1024 * 1024
#: It reports, too, when the lines that it found are so many bytes.
FOUND_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LogPart:
    """Bytes of a log from ``offset`` up to ``end``, of a log that is ``size`` bytes long.

    ``text`` is ``data`` as text; what is no UTF-8 in it shows as ``\\xff``.
    """

    data: bytes
    offset: int
    size: int

    @property
    def text(self) -> str:
        return as_text(self.data)

    @property
    def end(self) -> int:
        return self.offset + len(self.data)


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found: lines with their offsets, in the order of the search; and where to
    go on, or None where it came to an end of the log, which is ``size`` bytes long."""

    lines: tuple[tuple[int, bytes], ...]
    next: int | None
    size: int


def size_of(stream: BinaryIO) -> int:
    """How many bytes the file has now."""
    return stream.seek(0, 2)


def read_part(stream: BinaryIO, offset: int, limit: int) -> LogPart:
    """Up to ``limit`` bytes from ``offset``, ending with a whole character.

    An offset past the end means that the log was archived since: it is read from 0.
    """
    size = size_of(stream)
    start = offset if 0 <= offset <= size else 0
    stream.seek(start)
    return LogPart(whole_characters(stream.read(max(0, min(limit, size - start)))), start, size)


def lines_before(stream: BinaryIO, offset: int | None, count: int) -> LogPart:
    """The last ``count`` lines before ``offset``, or before the end."""
    size = size_of(stream)
    end = size if offset is None else max(0, min(offset, size))
    start = _start_of_lines(stream, end, max(0, count))
    stream.seek(start)
    return LogPart(stream.read(end - start), start, size)


def lines_after(stream: BinaryIO, offset: int, count: int) -> LogPart:
    """The first ``count`` lines from ``offset`` on."""
    size = size_of(stream)
    start = max(0, min(offset, size))
    stream.seek(start)
    parts, length, missing = [], 0, max(0, count)
    while missing and length < MAX_LINES_BYTES and (block := stream.read(BLOCK)):
        lines = block.count(b"\n")
        if lines >= missing:
            block = block[:_end_of_line(block, missing)]
            lines = missing
        missing -= lines
        length += len(block)
        parts.append(block)
    return LogPart(b"".join(parts), start, size)


def line_start(stream: BinaryIO, offset: int) -> int:
    """Where the line begins that holds ``offset``; a very long one counts as cut there."""
    end = max(0, min(offset, size_of(stream)))
    start = max(0, end - MAX_LINES_BYTES)
    stream.seek(start)
    found = stream.read(end - start).rfind(b"\n")
    return start + found + 1 if found >= 0 or start == 0 else end


def lines_around(stream: BinaryIO, offset: int, count: int) -> LogPart:
    """``count`` lines with the one at ``offset`` in their middle."""
    middle = line_start(stream, offset)
    before = lines_before(stream, middle, count // 2)
    after = lines_after(stream, middle, count - count // 2)
    return LogPart(before.data + after.data, before.offset, after.size)


# -- searching -----------------------------------------------------------------------------


def find_forward(stream: BinaryIO, q: str, offset: int, limit: int, most: int) -> Found:
    """The first ``limit`` lines from ``offset`` on that hold ``q``, in any case.

    It gives up after ``most`` bytes, or with :data:`FOUND_BYTES` of lines, and says where to go
    on.
    """
    needle, size, length = Needle(q), size_of(stream), 0
    position, stop, found = max(0, offset), max(0, offset) + most, list[tuple[int, bytes]]()
    while position < size:
        if position >= stop:
            return Found(tuple(found), position, size)
        stream.seek(position)
        block = stream.read(min(SEARCH_BLOCK, size - position))
        block = block[:block.rfind(b"\n") + 1] or block
        for start, end in needle.lines(block):
            found.append((position + start, block[start:end]))
            length += end - start
            if len(found) >= limit or length >= FOUND_BYTES:
                return Found(tuple(found), position + end + 1, size)
        position += needle.step(block, size - position)
    return Found(tuple(found), None, size)


def find_backward(stream: BinaryIO, q: str, offset: int, limit: int, most: int) -> Found:
    """As :func:`find_forward`, from the line before ``offset`` backwards."""
    needle, size, length = Needle(q), size_of(stream), 0
    position = min(offset, size)
    stop, found = position - most, list[tuple[int, bytes]]()
    while position > 0:
        if position <= stop:
            return Found(tuple(found), position, size)
        begin = max(0, position - SEARCH_BLOCK)
        stream.seek(begin)
        block = stream.read(position - begin)
        cut = block.find(b"\n", 0, -1) + 1 if begin else 0
        for start, end in reversed(list(needle.lines(block[cut:]))):
            found.append((begin + cut + start, block[cut + start:cut + end]))
            length += end - start
            if len(found) >= limit or length >= FOUND_BYTES:
                return Found(tuple(found), begin + cut + start, size)
        position -= needle.step(block[cut:], position)
    return Found(tuple(found), None, size)


class Needle:
    """A text to search for in bytes, in any case; in time that grows with the bytes alone."""

    def __init__(self, text: str) -> None:
        self._plain = text.lower().encode() if text.isascii() else b""
        self._pattern = re.compile(b"".join(_any_case(char) for char in text))
        self._length = len(text.encode(errors="replace")) + 1

    def lines(self, block: bytes) -> Iterator[tuple[int, int]]:
        """Begin and end of each line in the block that holds the text."""
        lower = block.lower() if self._plain else block
        position = 0
        while (hit := self._next(lower, position)) >= 0:
            start = block.rfind(b"\n", 0, hit) + 1
            end = block.find(b"\n", hit)
            yield start, end if end >= 0 else len(block)
            if end < 0:
                return
            position = end + 1

    def step(self, block: bytes, left: int) -> int:
        """How far a search goes on after the block, of what is left: the next one overlaps
        with a block that is cut within a line."""
        cut = b"\n" not in block and len(block) < left
        return max(1, len(block) - (self._length if cut else 0))

    def _next(self, data: bytes, start: int) -> int:
        if self._plain:
            return data.find(self._plain, start)
        match = self._pattern.search(data, start)
        return match.start() if match else -1


def _any_case(char: str) -> bytes:
    forms = {char, char.lower(), char.upper(), char.casefold()}
    return b"(?:%s)" % b"|".join(re.escape(form.encode(errors="replace"))
                                 for form in sorted(forms))


# -- places --------------------------------------------------------------------------------


def whole_characters(data: bytes) -> bytes:
    """Without the beginning of a character at the end, whose rest was not read."""
    for back in range(1, min(4, len(data) - 1) + 1):
        byte = data[-back]
        if byte & 0xC0 == 0x80:
            continue
        needed = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
        return data[:-back] if needed > back else data
    return data


def _end_of_line(block: bytes, number: int) -> int:
    """Where the line with this number, from 1, ends in the block, its line end included."""
    end = 0
    for _ in range(number):
        end = block.index(b"\n", end) + 1
    return end


def _start_of_lines(stream: BinaryIO, end: int, lines: int) -> int:
    """Where the last lines before ``end`` begin, found by reading blocks backwards."""
    position, missing = end, lines + 1  # one line end more: that of the line before
    while position > 0 and end - position < MAX_LINES_BYTES:
        start = max(0, position - BLOCK)
        stream.seek(start)
        block = stream.read(position - start)
        if position == end and not block.endswith(b"\n"):
            missing -= 1
        count = block.count(b"\n")
        if count >= missing:
            index = len(block)
            for _ in range(missing):
                index = block.rindex(b"\n", 0, index)
            return start + index + 1
        missing -= count
        position = start
    return position
