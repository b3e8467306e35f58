"""``Executors.ImportExcel`` on workbooks that the test makes: its script, run on a wiki."""

from __future__ import annotations

import datetime
import io
import zipfile
from collections.abc import Iterable
from typing import Any

import openpyxl
import pytest

from wiki.settings import shipped
from wiki.testing import Result, run_executor

PAGES = [shipped("pages") / name for name in (
    "Executors/ImportExcel.md", "Executors/ImportExcelParameters.md", "Lib/Rows.md",
    "Lib/Columns.md", "Lib/Names.md", "Lib/Archives.md")]
BILLION_LAUGHS = ('<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)) + ']>')


def workbook(rows: Iterable[Iterable[Any]], **sheets: Iterable[Iterable[Any]]) -> bytes:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.title = "Books"
    for row in rows:
        book.active.append(list(row))
    for name, others in sheets.items():
        sheet = book.create_sheet(name)
        for row in others:
            sheet.append(list(row))
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def with_part(data: bytes, name: str, content: bytes) -> bytes:
    """The workbook with another part of that name."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(
            stream, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.namelist():
            if item != name:
                new.writestr(item, old.read(item))
        new.writestr(name, content)
    return stream.getvalue()


def load(data: bytes, filename: str = "books.xlsx", after: Result | None = None,
         **params: Any) -> Result:
    return run_executor("Executors.ImportExcel", pages=() if after else PAGES, after=after,
                        params={"targetSpace": "Things", **params},
                        attachments={filename: data})


def values(result: Result, name: str) -> dict[str, Any]:
    obj = result.wiki.get(f"Things.{name}").object("Things.ThingsClass")
    assert obj is not None, result.text
    return dict(obj.values)


def failure(result: Result) -> str:
    assert result.outcome == "ERROR" and "Traceback" not in result.text, result.text
    return result.error


def test_rows_become_pages_with_the_types_of_their_cells() -> None:
    result = load(workbook([
        ["name", "year", "score", "read", "code", "out", "at", "note"],
        ["Dune", 1965, 8.5, True, "007", datetime.date(1965, 8, 1),
         datetime.datetime(1965, 8, 1, 12, 30), "long"],
        ["Solaris", 1961, 8, False, "12", None, None, None]]))
    assert result.outcome == "DONE", result.text
    definition = result.wiki.class_definition("Things.ThingsClass")
    assert definition is not None
    assert [prop.type for prop in definition.properties] == [
        "String", "Number", "Number", "Boolean", "String", "Date", "Date", "String"]
    dune = values(result, "Dune")
    assert (dune["year"], dune["score"], dune["read"], dune["code"], dune["out"]) == (
        1965, 8.5, True, "007", "1965-08-01")
    assert dune["at"].startswith("1965-08-01T12:30")
    again = load(workbook([["name", "year"], ["Dune", 1966]]), after=result)
    assert "0 created, 1 updated, 0 unchanged" in again.text


def test_the_header_is_the_first_row_that_is_not_empty_or_the_one_that_is_named() -> None:
    rows = [[], ["A title"], [], ["name", "n"], ["X", 1], [], ["Y", 2]]
    result = load(workbook(rows), headerRow=4)
    assert values(result, "X")["n"] == 1 and values(result, "Y")["n"] == 2
    assert "2 rows with 2 columns" in result.text
    assert "Things.X" in load(workbook([[], ["name", "n"], ["X", 1]])).wiki
    assert "no header" in failure(load(workbook(rows), headerRow=40))


def test_the_sheet_is_the_first_that_is_not_hidden_or_the_one_that_is_named() -> None:
    data = workbook([["name"], ["First"]], Other=[["name"], ["Second"]])
    first = load(data)
    assert "Things.First" in first.wiki and "Other" in first.text
    assert "Things.Second" in load(data, sheet="Other").wiki
    assert "Books, Other" in failure(load(data, sheet="nope"))
    book = openpyxl.load_workbook(io.BytesIO(data))
    book["Books"].sheet_state = "hidden"
    stream = io.BytesIO()
    book.save(stream)
    assert "Things.Second" in load(stream.getvalue()).wiki


def test_a_formula_has_the_value_that_it_was_saved_with() -> None:
    data = workbook([["name", "sum"], ["X", "=1+1"]])
    name = "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sheet = archive.read(name)
    assert b"<v />" in sheet or b"<v/>" in sheet or b"<v></v>" in sheet
    for empty in (b"<v />", b"<v/>", b"<v></v>"):
        sheet = sheet.replace(empty, b"<v>2</v>")
    assert values(load(with_part(data, name, sheet)), "X")["sum"] == 2


def test_a_row_with_an_error_in_it_is_a_bad_row() -> None:
    result = load(workbook([["name", "n"], ["X", "#N/A"], ["Y", 2], [None, 3]]))
    assert [row["key"] for row in result.rejected] == ["row 2", "row 4"]
    assert "column B holds #N/A" in result.rejected[0]["reason"]
    assert values(result, "Y")["n"] == 2


@pytest.mark.parametrize(("data", "what"), [
    (b"\xd0\xcf\x11\xe0" + b"\0" * 100, "old workbook"),
    (b"name,year\nDune,1965\n", "no Excel workbook"),
    (b"PK\x03\x04 and so on", "no Excel workbook"),
    (workbook([]), "no header"),
    (workbook([[1, 2], [3, 4]]), "no column names"),
    (with_part(workbook([["name"], ["X"]]), "xl/worksheets/sheet1.xml", b"<worksheet><she"),
     "cannot be read"),
    (with_part(workbook([["name"], ["X"]]), "xl/workbook.xml", b"<x"), "cannot be read"),
    (with_part(workbook([["name"], ["X"]]), "xl/worksheets/sheet1.xml",
               BILLION_LAUGHS.encode() + b"<worksheet><sheetData><row><c t='str'><v>&j;</v></c>"
               b"</row></sheetData></worksheet>"), ""),
    (with_part(workbook([["name"], ["X"]]), "xl/worksheets/sheet2.xml", b" " * 120_000_000),
     "too large"),
], ids=["xls", "csv", "no zip", "empty", "numbers", "torn", "torn workbook", "entities", "bomb"])
def test_a_file_that_is_no_workbook_or_a_hostile_one_is_refused(data: bytes, what: str) -> None:
    result = load(data)
    assert what in failure(result)
    assert "Things.ThingsClass" not in result.wiki


def test_a_workbook_of_another_kind_is_refused() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("content.xml", "<office/>")
    assert "no Excel workbook" in failure(load(stream.getvalue()))
