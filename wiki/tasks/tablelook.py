"""The process that looks at a table: a request on its input, what the table is like as output.

The readers are those of the shipped executors, which a run of theirs uses too.
"""

from __future__ import annotations

import io
import json
import logging
import resource
import sys
import types
from collections import Counter
from contextlib import closing
from dataclasses import asdict, dataclass, field
from functools import cache
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO

from wiki.errors import TaskFailed, WikiError
from wiki.settings import shipped
from wiki.tasks.tables import CSV, EXCEL, JSON, TOO_MUCH, Column, Row

#: Rows that are looked at, fewer where there are very many columns; and those that are shown.
MAX_ROWS, MAX_CELLS = 2_000, 100_000
SHOWN = 50
#: Characters of a cell that are shown.
MAX_SHOWN = 200
#: A list of values has at most so many, none longer than this, and each stands twice or more.
MAX_VALUES, MAX_VALUE = 12, 60
EXAMPLES = 3
#: Cells that are of a type before the others are odd.
NEARLY = 0.9
#: Of a file with a record on each line, only so much is read; lines are counted up to this.
MAX_LINES_READ, MAX_COUNTED = 10_000_000, 500_000_000
MEMORY, SECONDS = 2 << 30, 25
#: The rows of a file, how it is read, and the sheets that a workbook has.
Opened = tuple[Any, dict[str, str], list[str]]


def load(name: str) -> Any:
    """The module of a shipped page such as ``Lib.Rows``."""
    return _load(name)


@cache
def _load(name: str) -> types.ModuleType:
    path = shipped("pages").joinpath(*name.split(".")).with_suffix(".py")
    module = types.ModuleType(f"shipped:{name}")
    sys.modules[module.__name__] = module
    vars(module)["wiki"] = SimpleNamespace(load=load)
    exec(compile(path.read_text(encoding="utf-8"), name, "exec"), vars(module))
    return module


@dataclass(slots=True)
class File:
    """The file, as the executors expect an attachment."""

    path: Path
    filename: str
    lines: bool = False

    def open(self) -> BinaryIO:
        """The bytes; of lines, only as many whole ones as are enough."""
        if not self.lines or self.path.stat().st_size <= MAX_LINES_READ:
            return self.path.open("rb")
        with self.path.open("rb") as stream:
            head = stream.read(MAX_LINES_READ)
        return io.BytesIO(head[:head.rfind(b"\n") + 1])


@dataclass(slots=True)
class Look:
    """What was seen of one column."""

    column: Any
    filled: int = 0
    empty: int = 0
    fits: Counter[str] = field(default_factory=Counter)
    odd: dict[str, str] = field(default_factory=dict)
    #: Different values in their order; more than a list may have are not kept.
    values: dict[str, None] = field(default_factory=dict)

    def at(self, cell: Any, typed: bool) -> None:
        columns = load("Lib.Columns")
        if columns.is_empty(cell):
            self.empty += 1
            return
        self.filled += 1
        text = columns.as_text(cell)
        if len(self.values) <= MAX_VALUES:
            self.values[text] = None
        for guess in columns.GUESSES:
            if columns.may_be(cell, guess, typed):
                self.fits[guess] += 1
            else:
                self.odd.setdefault(guess, text)
        self.column.look_at(cell, typed)

    def result(self, complete: bool) -> Column:
        self.column.decide()
        prop = self.column.property
        kind, options = prop.type, dict(prop.options)
        values = list(self.values)
        if kind == "String" and complete and self._is_list(values):
            kind, options = "StaticList", {"values": values}
        examples = values if kind == "StaticList" else values[:EXAMPLES]
        nearly = self._nearly() if kind in ("String", "TextArea") else ""
        return Column(prop.pretty_name, prop.name, kind, options, list(map(cut, examples)),
                      self.empty, nearly, self.filled - self.fits[nearly] if nearly else 0,
                      cut(self.odd.get(nearly, "")))

    def _is_list(self, values: list[str]) -> bool:
        return (1 < len(values) <= MAX_VALUES and self.filled >= 2 * len(values)
                and all(len(text) <= MAX_VALUE and "|" not in text for text in values))

    def _nearly(self) -> str:
        """The type that most cells have and some have not."""
        return next((guess for guess in load("Lib.Columns").GUESSES
                     if NEARLY * self.filled <= self.fits[guess] < self.filled), "")


def cut(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"


def look(request: dict[str, Any]) -> dict[str, Any]:
    """The answer; raises TaskFailed where the file cannot be read."""
    source, used, sheets = open_source(request)
    columns_of, rows_of = load("Lib.Columns"), load("Lib.Rows")
    number, cells, problem = source.header()
    if source.headed and not problem:
        try:
            columns_of.check_header(f"{source.unit} {number}", cells)
        except TaskFailed as error:
            problem = str(error)
    headers = columns_of.unique_headers(cells)
    names = columns_of.property_names(headers, None)
    looks = [Look(columns_of.Column(place, header, names[header]))
             for place, header in enumerate(headers)]
    limit = max(SHOWN, min(MAX_ROWS, MAX_CELLS // max(1, len(headers))))
    shown: list[Row] = []
    seen = bad = 0
    with closing(source.rows()) as rows:
        for number, cells, wrong in islice(rows, limit):
            cells = rows_of.fit_width(cells, len(headers))
            wrong = wrong or wrong_width(cells, headers)
            seen, bad = seen + 1, bad + bool(wrong)
            if len(shown) < SHOWN:
                shown.append(Row(number, [cut(columns_of.as_text(cell)) for cell in cells],
                                 cut(wrong)))
            if not wrong:
                for found, cell in zip(looks, cells, strict=True):
                    found.at(cell, source.typed)
        complete = next(rows, None) is None
    file = source.attachment
    complete = complete and not (file.lines and file.path.stat().st_size > MAX_LINES_READ)
    return {"used": used, "sheets": sheets, "rows": [asdict(row) for row in shown],
            "columns": [asdict(found.result(complete)) for found in looks], "seen": seen,
            "bad": bad, "complete": complete, "problem": problem,
            "lines": count_lines(file.path) if source.unit == "line" or file.lines else None}


def wrong_width(cells: list[Any], headers: list[str]) -> str:
    if len(cells) == len(headers):
        return ""
    return f"it has {len(cells)} fields, and the header {len(headers)}"


def count_lines(path: Path) -> int | None:
    """How many lines the file has, where they are soon counted."""
    if path.stat().st_size > MAX_COUNTED:
        return None
    with path.open("rb") as stream:
        return sum(part.count(b"\n") for part in iter(lambda: stream.read(1 << 20), b""))


def open_source(request: dict[str, Any]) -> Opened:
    """The file's rows, how they are read, and the sheets that a workbook has."""
    file = File(Path(request["path"]), request["filename"])
    opener = OPENERS[request["executor"]]
    return opener(load(request["executor"]), file, request["reading"])


def open_csv(module: Any, file: File, reading: dict[str, Any]) -> Opened:
    source = module.open_source(file, reading.get("encoding") or "",
                                reading.get("delimiter") or "")
    return source, {"encoding": source.encoding, "delimiter": source.delimiter}, []


def open_excel(module: Any, file: File, reading: dict[str, Any]) -> Opened:
    module.check_workbook(file, load("Lib.Archives"))
    sheet = module.choose_sheet(logging.getLogger(__name__), file, reading.get("sheet") or "")
    with module.open_workbook(file) as workbook:
        sheets = [item.title for item in workbook.worksheets if hasattr(item, "iter_rows")]
    row = str(reading.get("headerRow") or "0").removesuffix(".0")
    if not (row.isascii() and row.isdecimal()):
        raise TaskFailed(f"headerRow: {row!r} is not the number of a row; they begin with 1")
    return (module.Sheet(file, sheet, int(row)),
            {"sheet": sheet, "headerRow": "" if row == "0" else row}, sheets)


def open_json(module: Any, file: File, reading: dict[str, Any]) -> Opened:
    path = reading.get("records") or ""
    file.lines = not path and module.is_lines(file)
    records = module.open_records(file, path)
    return records, {"records": records.path}, []


OPENERS = {CSV: open_csv, EXCEL: open_excel, JSON: open_json}


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    request = json.load(sys.stdin)
    try:
        answer = look(request)
    except WikiError as error:
        answer = {"error": str(error)}
    except MemoryError:
        answer = {"error": TOO_MUCH.format(request["filename"])}
    # A byte that is wrong in the file's encoding is a lone surrogate, which has no UTF-8.
    text = json.dumps(answer, ensure_ascii=False).encode(errors="replace")
    sys.stdout.buffer.write(text)


if __name__ == "__main__":
    main()
