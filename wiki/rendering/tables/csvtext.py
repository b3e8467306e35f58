"""Text with delimiters as rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import islice

from wiki.errors import BadValue, MacroError
from wiki.translate import gettext

DELIMITERS = ",;\t|"
#: How much text, and how many rows of it, the delimiter is found by.
SAMPLE, SAMPLE_ROWS = 20_000, 100
#: The longest cell, in characters; the module ``csv`` has one limit for the whole process.
MAX_CELL = 131_072


def rows(text: str, delimiter: str = "") -> Iterator[list[str]]:
    """The rows that are not empty, lazily; the delimiter is found out where it is empty.

    Raises MacroError.
    """
    delimiter = "\t" if delimiter == "\\t" else delimiter or detect_delimiter(text)
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise BadValue("delimiter", gettext(
            "%(delimiter)s is not one character, such as ; or \\t", delimiter=repr(delimiter[:20])))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            if max(map(len, row), default=0) > MAX_CELL:
                raise csv.Error(gettext("a cell is longer than %(most)s characters", most=MAX_CELL))
            if any(cell.strip() for cell in row):
                yield row
    except csv.Error as error:
        raise MacroError(gettext(
            "line %(line)s: %(error)s; is a quote not closed?", line=reader.line_num,
            error=error)) from None


def detect_delimiter(text: str) -> str:
    """The character that splits the first row, and the most rows into just as many cells."""
    return max(DELIMITERS, key=lambda delimiter: _fitness(text[:SAMPLE], delimiter))


def _fitness(sample: str, delimiter: str) -> tuple[float, int]:
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
    try:
        widths = [len(row) for row in islice(reader, SAMPLE_ROWS) if any(row)]
    except csv.Error:
        return (0, 0)
    if not widths or widths[0] < 2:
        return (0, 0)
    return (widths.count(widths[0]) / len(widths), widths[0])
