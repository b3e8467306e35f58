"""A line being read: what is left of it, and at which column that stands."""

from __future__ import annotations

TAB = 4


class Line:
    """The rest of a line. ``indent``: its columns of white space; ``first``: their characters."""

    __slots__ = ("blank", "column", "first", "indent", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.column = 0
        self._measure()

    def _measure(self) -> None:
        self.first = self.indent = len(self.text) - len(self.text.lstrip(" \t"))
        self.blank = self.first == len(self.text)
        if self.first and "\t" in self.text[:self.first]:
            column = self.column
            for char in self.text[:self.first]:
                column += TAB - column % TAB if char == "\t" else 1
            self.indent = column - self.column

    def strip(self, columns: int) -> None:
        """Take off so many columns of white space, or all there is."""
        columns = min(columns, self.indent)
        if "\t" in self.text[:columns]:
            self.text = " " * self.indent + self.text[self.first:]
            self.first = self.indent
        self.text = self.text[columns:]
        self.column += columns
        self.first -= columns
        self.indent -= columns

    def skip(self, characters: int) -> None:
        """Take off the white space and so many characters after it."""
        self.column += self.indent + characters
        self.text = self.text[self.first + characters:]
        self._measure()

    @property
    def rest(self) -> str:
        """The text without the white space before it."""
        return self.text[self.first:]
