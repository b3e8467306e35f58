"""Tables that are to be imported: which executor reads them, and a look at their first rows.

A file comes from anywhere, so it is looked at in a process of its own, with limits on its time
and memory: :mod:`wiki.tasks.tablelook`. The shipped executors read it there as they do in a run.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from wiki.errors import InvalidDocument

CSV, EXCEL, JSON = "Executors.ImportCSV", "Executors.ImportExcel", "Executors.ImportJSON"
#: Suffix of a file -> the executor that imports it.
IMPORTERS = {".csv": CSV, ".tsv": CSV, ".txt": CSV, ".xlsx": EXCEL, ".xlsm": EXCEL,
             ".json": JSON, ".ndjson": JSON, ".jsonl": JSON}
#: The parameters of each that say how the file is read.
READING = {CSV: ("encoding", "delimiter"), EXCEL: ("sheet", "headerRow"), JSON: ("records",)}
#: How long a look may take, in seconds.
PATIENCE = 30.0
TOO_MUCH = ("{} is too large to be looked at here; import it with the Run form of its executor, "
            "or split it")


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it is shown: where it stands in the file, its cells, and what is wrong with it."""

    number: int
    cells: list[str]
    problem: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column, as the rows that were looked at have it."""

    header: str
    #: A property's name made of the header, and its guessed type and options.
    name: str
    type: str
    options: Mapping[str, Any]
    #: Different values, the first ones; all of them where they are the values of a list.
    examples: list[str]
    empty: int
    #: What most cells are but ``odd`` ones are not, with one of these; empty where all agree.
    nearly: str
    odd: int
    odd_example: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What the beginning of a file looks like."""

    #: How it was read: a value for each of the executor's parameters for reading.
    used: Mapping[str, str]
    sheets: list[str]
    columns: list[Column]
    rows: list[Row]
    #: How many rows were looked at, how many of them cannot be imported, and whether these
    #: are all that there are.
    seen: int
    bad: int
    complete: bool
    #: About how many lines the file has; None where that would take long.
    lines: int | None
    #: Why an import would refuse the header; empty where it would not.
    problem: str

    @property
    def headers(self) -> list[str]:
        return [column.header for column in self.columns]


def importer_of(filename: str) -> str:
    """The executor that imports such a file; empty where none does."""
    return IMPORTERS.get(Path(filename.lower()).suffix, "")


def look(stream: BinaryIO, filename: str, executor: str, reading: Mapping[str, Any]) -> Preview:
    """Look at the first rows of the file; ``reading``: values of the parameters for that.

    Raises InvalidDocument, which says why the file cannot be read, or that it takes too long.
    """
    with _on_disk(stream) as path:
        answer = _ask({"path": path, "filename": filename, "executor": executor,
                       "reading": dict(reading)})
    if "error" in answer:
        raise InvalidDocument(answer["error"])
    columns = [Column(**column) for column in answer.pop("columns")]
    rows = [Row(**row) for row in answer.pop("rows")]
    return Preview(columns=columns, rows=rows, **answer)


def _ask(request: Mapping[str, Any]) -> dict[str, Any]:
    refusal = InvalidDocument(TOO_MUCH.format(request["filename"]))
    try:
        done = subprocess.run([sys.executable, "-m", "wiki.tasks.tablelook"], timeout=PATIENCE,
                              input=json.dumps(request).encode(), capture_output=True)
    except subprocess.TimeoutExpired:
        raise refusal from None
    if done.returncode < 0:  # a limit ended it
        raise refusal
    if done.returncode:
        raise RuntimeError(f"the look at a table failed: {done.stderr.decode()[-2000:]}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@contextmanager
def _on_disk(stream: BinaryIO) -> Iterator[str]:
    """The path of a file with the bytes: the stream's own, or a temporary one."""
    if isinstance(stream, io.BufferedReader) and isinstance(stream.name, str):
        yield stream.name
        return
    with tempfile.NamedTemporaryFile() as copy:
        shutil.copyfileobj(stream, copy)
        copy.flush()
        yield copy.name
