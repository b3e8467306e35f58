"""``Executors.ImportCSV`` on files as people have them: its script, run on a wiki of its own."""

from __future__ import annotations

import io
import random
import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from conftest import until
from hypothesis import given, settings
from hypothesis import strategies as st

from wiki.api import OpenDocument, Wiki
from wiki.errors import TaskFailed
from wiki.model import Property
from wiki.references import Reference
from wiki.rendering.renderer import RenderRequest
from wiki.settings import shipped
from wiki.site import Site
from wiki.tasks.modules import load_script
from wiki.tasks.names import TASK_CLASS
from wiki.testing import Result, run_executor

PARAMETERS = "Executors.ImportCSVParameters"
SCRIPT = shipped("pages") / "Executors" / "ImportCSV.py"


@dataclass
class Importer:
    """A wiki, and a task in it that imports what it is given."""

    last: Result
    params: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def wiki(self) -> Wiki:
        return self.last.wiki

    def attach(self, data: bytes, filename: str = "data.csv", **params: Any) -> None:
        self.files[filename] = data
        self.params = {"targetSpace": "Things", **params}

    def run(self) -> str:
        """Run the script on the task; returns what this run logged."""
        self.last = run_executor(SCRIPT, params=self.params, attachments=self.files,
                                 parameter_class=PARAMETERS, task="Tasks.Import",
                                 after=self.last)
        self.files = {}
        return self.last.text

    def fail(self) -> str:
        """Run the script, which gives up; returns what it says."""
        log = self.run()
        assert self.last.outcome == "ERROR" and "Traceback" not in log, log
        return self.last.error

    def load(self, text: str | bytes, **params: Any) -> str:
        self.attach(text if isinstance(text, bytes) else text.encode(), **params)
        log = self.run()
        assert self.last.outcome == "DONE", log
        return log

    def page(self, name: str, space: str = "Things") -> OpenDocument:
        return self.wiki.get(Reference((space,), name))

    def values(self, name: str) -> dict[str, Any]:
        obj = self.page(name).object("Things.ThingsClass")
        assert obj is not None
        return dict(obj.values)

    def types(self) -> dict[str, str]:
        definition = self.wiki.class_definition("Things.ThingsClass")
        assert definition is not None
        return {prop.name: prop.type for prop in definition.properties}

    def names(self) -> list[str]:
        return [row.reference.name for row in self.wiki.changes(1000)
                if row.reference.space == "Things"
                and row.reference.name not in ("WebHome", "ThingsClass")]


@pytest.fixture
def importer() -> Importer:
    pages = [shipped("pages") / name for name in (
        "Executors/ImportCSVParameters.md", "Lib/Rows.md", "Lib/Columns.md", "Lib/Names.md")]
    return Importer(run_executor("def run(logger, wiki, task):\n    pass\n", pages=pages))


def test_every_row_becomes_a_page_with_an_object(importer: Importer) -> None:
    log = importer.load("name,year\nDune,1965\nSolaris,1961\n")
    assert sorted(importer.names()) == ["Dune", "Solaris"]
    assert importer.values("Dune") == {"name": "Dune", "year": 1965}
    assert importer.page("Dune").title == "Dune"
    assert importer.page("Dune").parent == "Things.WebHome"
    assert "2 created, 0 updated, 0 unchanged" in log
    assert 'class="Things.ThingsClass"' in importer.page("WebHome").content


def test_a_second_run_updates_what_changed_and_saves_nothing_else(importer: Importer) -> None:
    importer.load("name,year,read\nDune,1965,yes\nSolaris,1961,no\nUbik,1969,\n")
    log = importer.load("name,year,read\nDune,1965,yes\nSolaris,1962,no\nUbik,1969,\n")
    assert "0 created, 1 updated, 2 unchanged" in log
    assert str(importer.page("Dune").version) == "1.1"
    assert str(importer.page("Solaris").version) == "2.1"
    assert importer.values("Solaris")["year"] == 1962


def test_a_value_that_is_emptied_in_the_file_is_emptied_on_the_page(importer: Importer) -> None:
    importer.load("name,year\nDune,1965\n")
    importer.load("name,year\nDune,\n")
    assert importer.values("Dune")["year"] is None


def test_a_types_guess_takes_the_whole_column(importer: Importer) -> None:
    rows = "\n".join(f"n{number},{number},{number}.5,0{number},2026-01-0{number},true,"
                     f"https://example.org/{number},a{number}@example.org,{number}"
                     for number in range(1, 9))
    importer.load("name,whole,part,code,day,flag,link,mail,mixed\n" + rows
                  + "\nlast,9,9,09,2026-01-09T10:00:00Z,no,http://example.org,b@example.org,x\n")
    assert importer.types() == {
        "name": "String", "whole": "Number", "part": "Number", "code": "String", "day": "Date",
        "flag": "Boolean", "link": "URL", "mail": "Email", "mixed": "String"}
    values = importer.values("n7")
    assert (values["whole"], values["part"], values["code"], values["flag"]) == (7, 7.5, "07",
                                                                                 True)


def test_long_text_becomes_a_text_area_and_keeps_its_lines(importer: Importer) -> None:
    importer.load('name,text\nA,"one\ntwo"\nB,three\n')
    assert importer.types()["text"] == "TextArea"
    assert importer.values("A")["text"] == "one\ntwo"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(importer: Importer, delimiter: str) -> None:
    text = "name;a;b\nX;1,5;2,5\nY;3,5;4,5\n".replace(";", delimiter) if delimiter != "," else (
        "name,a,b\nX,1;2,3|4\nY,5;6,7|8\n")
    importer.load(text)
    assert list(importer.types()) == ["name", "a", "b"]


def test_a_file_of_one_column_is_taken_too(importer: Importer) -> None:
    importer.load("name\nDune; or not\nSolaris\n")
    assert sorted(importer.names()) == ["Dune; or not", "Solaris"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_the_encoding_is_found_out(importer: Importer, encoding: str) -> None:
    text = "name,capital\nCôte d'Ivoire,Yamoussoukro\nRéunion,Saint-Denis\nÅland,Mariehamn\n"
    importer.load(text.encode(encoding))
    assert sorted(importer.names()) == ["Côte d'Ivoire", "Réunion", "Åland"]
    assert list(importer.types()) == ["name", "capital"]


def test_other_line_ends_are_taken_too(importer: Importer) -> None:
    importer.load(b"name,a\r\nX,1\r\nY,2\r\n")
    importer.load(b"name,a\rX,1\rZ,2\r")
    assert sorted(importer.names()) == ["X", "Y", "Z"]


@pytest.mark.parametrize(("data", "what"), [
    (b"", "the file is empty"),
    (b"\r\n  \r\n", "the file is empty"),
    (b"\xef\xbb\xbf", "the file is empty"),
    (b"Berlin,3600000,1237-10-28\nParis,2100000,1163-01-01\n", "no column names"),
    (b"1,2,3\n4,5,6\n", "no column names"),
    (b"PK\x03\x04 and so on", "workbook"),
    (b"na\0me,a\nX,1\n", "NUL"),
    (b'name,a\nX,"never closed ' + b"x" * 600_000, "quote"),
    (b"name;" * 1_500_000, "no CSV file"),
], ids=["empty", "blank", "mark only", "no header", "numbers", "workbook", "NUL", "quote",
        "endless line"])
def test_a_file_that_cannot_be_imported_fails_and_says_why(
        importer: Importer, data: bytes, what: str) -> None:
    importer.attach(data, badRows="fail")
    assert what in importer.fail()
    assert importer.names() == []


@pytest.mark.parametrize(("row", "what"), [
    (b"short", "1 fields, and the header 3"),
    (b"long,1,2,3,4", "5 fields, and the header 3"),
    (b",1,2", "names the page is empty"),
    (b"nul\0,1,2", "NUL byte"),
    (b"b\xff,1,2", "the byte 0xff is not utf-8"),
    (b"big," + b"x" * 500_001 + b",2", "field larger"),
], ids=["short", "long", "no name", "NUL", "encoding", "field"])
def test_a_bad_row_is_skipped_by_its_line_or_fatal_as_wished(
        importer: Importer, row: bytes, what: str) -> None:
    data = "name,a,b\nÅ,1,2\n".encode() + row + "\nÖ,3,4\n".encode()
    importer.attach(data, badRows="fail")
    assert re.match(f"line 3: .*{what}", importer.fail())
    assert importer.names() == []
    log = importer.load(data, badRows="skip")
    assert "WARN - line 3 failed: " in log
    assert what in log
    assert "2 created, 0 updated, 0 unchanged" in log
    assert "2 ok, 0 skipped, 1 failed: see rejected.csv" in log
    assert sorted(importer.names()) == ["Å", "Ö"]
    assert importer.types()["a"] == "Number"


def test_lines_are_counted_as_an_editor_counts_them(importer: Importer) -> None:
    log = importer.load('name,a\n"two\nlines",1\n\nbad\nX,1\n')
    assert "line 5 failed: " in log


def test_headers_that_come_twice_or_are_empty_get_names(importer: Importer) -> None:
    importer.load("name,a,a,,Área (km²),2024,self\nX,1,2,3,4,5,6\n")
    assert importer.values("X") == {"name": "X", "a": 1, "a_2": 2, "column_4": 3,
                                    "Area_km2": 4, "c_2024": 5, "c_self": 6}


def test_empty_fields_past_the_header_do_no_harm(importer: Importer) -> None:
    log = importer.load("name,a,,\nX,1,,\n")
    assert importer.values("X") == {"name": "X", "a": 1}
    assert "0 skipped" in log


def test_names_are_made_valid_and_unique(importer: Importer) -> None:
    log = importer.load("name,a\nA/B,1\nDr. No,2\nA-B,3\nWebHome,4\nThingsClass,5\n"
                        + "x" * 400 + ",6\n")
    assert sorted(importer.names())[:5] == ["A-B", "A-B (2)", "Dr. No", "ThingsClass (2)",
                                            "WebHome (2)"]
    assert importer.page("A-B").title == "A/B"
    assert "line 4: 'A-B' is taken; this row's page is 'A-B (2)'" in log
    again = importer.run()
    assert "0 created, 0 updated, 6 unchanged" in again


def test_a_mapping_chooses_columns_and_names_their_properties(importer: Importer) -> None:
    importer.load("id,Full name,note\n7,Dune,x\n", nameColumn="Full name",
                  mapping="Full name -> title_text\nid → key")
    assert importer.values("Dune") == {"title_text": "Dune", "key": 7}


@pytest.mark.parametrize("params", [
    {"nameColumn": "nope"}, {"mapping": "nope -> a"}, {"mapping": "nonsense"},
    {"targetSpace": "a/b"}, {"encoding": "klingon"},
    {"delimiter": "ab"}, {"mapping": "a -> 1x"},
], ids=str)
def test_parameters_that_cannot_be_say_so(importer: Importer, params: dict[str, str]) -> None:
    importer.attach(b"name,a\nX,1\n", **params)
    assert len(importer.fail()) > 20
    assert importer.names() == []


def test_an_existing_class_is_used_as_it_is(importer: Importer) -> None:
    page = importer.wiki.new("Books.BookClass")
    page.define_class(Property("year", "Number", "Year of print", options={"min": 1400}),
                      Property("title", "String"))
    page.save()
    log = importer.load("title,Year of print,other\nDune,1965,x\nOld,12,x\nWord,abc,x\n",
                        targetClass="Books.BookClass", targetSpace="Books")
    book = importer.page("Dune", "Books").object("Books.BookClass")
    assert book is not None
    assert dict(book.values) == {"year": 1965, "title": "Dune"}
    assert "line 3 failed: year: 12" in log or "line 3 failed: year: '12'" in log
    assert "line 4 failed: " in log
    assert "1 created, 0 updated, 0 unchanged" in log


def test_what_people_wrote_on_a_page_stays(importer: Importer) -> None:
    importer.load("name,a\nX,1\n")
    page = importer.page("X")
    page.content = "My notes."
    page.title = "A better title"
    page.save()
    importer.load("name,a\nX,2\n")
    assert importer.page("X").content == "My notes."
    assert importer.page("X").title == "A better title"
    assert importer.values("X")["a"] == 2


def test_one_of_several_files_is_named_by_a_parameter(importer: Importer) -> None:
    importer.attach(b"name,a\nX,1\n", "one.csv")
    importer.attach(b"name\ta\nY,1\t2\n", "two.tsv")
    assert "one.csv, two.tsv" in importer.fail()
    importer.attach(b"name\ta\nY,1\t2\n", "two.tsv", file="two.tsv")
    importer.run()
    assert importer.names() == ["Y,1"]


def test_many_rows_are_saved_in_batches_with_progress(importer: Importer) -> None:
    rows = "\n".join(f"N{number},{number}" for number in range(1201))
    log = importer.load("name,a\n" + rows)
    assert "1201 created" in log
    progress = importer.last.progress
    assert (progress.done, progress.total, progress.ok) == (1201, 1201, 1201)


def test_the_countries_come_with_their_types(importer: Importer) -> None:
    data = (shipped("pages") / "Tasks/ImportCountries.files/countries.csv").read_bytes()
    log = importer.load(data, nameColumn="name", targetSpace="Countries",
                        targetClass="Countries.CountryClass")
    assert "249 created, 0 updated, 0 unchanged" in log
    country = importer.page("Côte d'Ivoire", "Countries").object("Countries.CountryClass")
    assert country is not None
    assert (country["code"], country["numeric"]) == ("CI", "384")
    brazil = importer.page("Brazil", "Countries").object("Countries.CountryClass")
    assert brazil is not None
    assert (brazil["numeric"], brazil["population"], brazil["capital"]) == ("076", 211700000,
                                                                            "Brasília")


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_at_all_surprise_the_reader(data: bytes) -> None:
    script = load_script("Executors.ImportCSV", SCRIPT.read_text(encoding="utf-8"))
    with suppress(TaskFailed):
        list(script.read_rows(script.open_source(FakeAttachment(data), "", "")))


def test_random_damage_never_stops_the_good_rows(importer: Importer) -> None:
    rng = random.Random(7)
    good = [f"N{number},{number}" for number in range(50)]
    bad = ["x", "a,b,c", ",1", "nul\0,1"]
    lines = [line for pair in ((row, rng.choice(bad)) for row in good) for line in pair]
    log = importer.load("name,a\n" + "\n".join(lines))
    assert "50 created, 0 updated, 0 unchanged" in log
    assert len(importer.last.rejected) == 50


def status_at_the_end(site: Site) -> str:
    """The status of the sample task once the scheduler has run it."""
    def status() -> str:
        task = site.wiki.get("Tasks.ImportCountries").object(TASK_CLASS)
        return str(task["status"]) if task else ""

    site.start()
    until(lambda: status() in ("DONE", "ERROR"), 60, "the sample task has not ended")
    return status()


def test_the_sample_task_imports_the_countries_by_itself(site: Site) -> None:
    assert status_at_the_end(site) == "DONE"
    log = site.logs.read("Tasks.ImportCountries.log").text
    assert "249 created, 0 updated, 0 unchanged" in log
    assert site.wiki.get("Countries.Åland Islands").title == "Åland Islands"
    page = site.wiki.get("Countries.Åland Islands").record
    html = site.renderer.render(page, RenderRequest()).html
    assert "Mariehamn" in html


def test_a_broken_file_ends_the_task_with_a_clear_log(site: Site) -> None:
    page = site.wiki.get("Tasks.ImportCountries")
    page.attach("countries.csv", b"")
    page.save()
    assert status_at_the_end(site) == "ERROR"
    assert "ERROR - the file is empty" in site.logs.read("Tasks.ImportCountries.log").text
    assert "Countries.WebHome" not in site.wiki


class FakeAttachment:
    """An attachment whose bytes are at hand."""

    filename = "data.csv"

    def __init__(self, data: bytes) -> None:
        self._data = data

    def open(self) -> Any:
        return io.BytesIO(self._data)


def test_a_quote_that_is_never_closed_is_a_bad_row(importer: Importer) -> None:
    log = importer.load('name,text\nDune,fine\nUbik,"never closed\nEmma,swallowed\n')
    assert list(importer.names()) == ["Dune"]
    assert "line 3" in log and "quote" in log
    assert "1 failed: see rejected.csv" in log


def test_only_the_rejected_rows_are_imported_once_they_are_mended(importer: Importer) -> None:
    importer.load("name,year\nDune,1965\nSolaris,1961\nUbik,196?\nEmma\n,1815\n",
                  nameColumn="name")
    importer.load("name,year\nDune,1965\nSolaris,1961\nbad\n,1815\nUbik,1969\n")
    assert [(row["key"], row["name"], row["fields as read"]) for row in importer.last.rejected
            ] == [("line 4", "", "bad"), ("line 5", "", "")]
    mended = ("key,reason,name,year,fields as read\n"
              "line 4,x,Bad,1900,bad\nline 5,x,,1815,\nline 6,x,Emma,1816,\n")
    importer.attach(mended.encode(), "rejected.csv", file="rejected.csv")
    assert "2 created, 0 updated, 0 unchanged" in importer.run()
    assert importer.values("Bad") == {"name": "Bad", "year": "1900"}
    assert [row["year"] for row in importer.last.rejected] == ["1815"]
    assert set(importer.last.rejected[0]) == {"key", "reason", "name", "year", "fields as read"}


def test_mended_rows_are_read_as_they_are_whatever_the_file_was_like(importer: Importer) -> None:
    importer.load("name;år\nDune;1965\nbad\n".encode("cp1252"), encoding="cp1252", delimiter=";")
    mended = "key,reason,name,år,fields as read\nline 3,x,Ubik,1969,bad\n"
    importer.attach(mended.encode(), "rejected.csv", file="rejected.csv", encoding="cp1252",
                    delimiter=";")
    assert "1 created, 0 updated" in importer.run()
    assert sorted(importer.names()) == ["Dune", "Ubik"]


def test_tables_of_rejected_rows_are_not_taken_for_the_file(importer: Importer) -> None:
    for filename in ("rejected.csv", "rejected-dry-run.csv", "rejected-3.csv"):
        importer.attach(b"key,reason,name\nline 2,x,\n", filename)
    assert "data.csv" in importer.load("name,year\nDune,1965\n")


def test_rejected_rows_that_were_not_come_to_are_not_lost(importer: Importer) -> None:
    importer.load("name,year\nDune,1965\n")
    rows = b"key,reason,name,year\nline 1,x,A,1\nline 2,x,,2\nline 3,x,B,3\n"
    importer.attach(rows, "rejected.csv", file="rejected.csv", badRows="fail")
    importer.fail()
    assert importer.last.task.attachment("rejected.csv").read() == rows


def test_an_import_goes_on_with_the_names_that_it_would_have_given(importer: Importer) -> None:
    class_page = importer.wiki.new("Things.ThingsClass")
    class_page.define_class(Property("name", "String"), Property(
        "year", "Number", options={"max": 3000}))
    class_page.save()
    importer.attach(b"name,year\nDune,1\nUbik,2\nDune,3\n", badRows="fail")

    real, calls = OpenDocument.save, []

    def stop(page: OpenDocument, *args: Any, **named: Any) -> OpenDocument:
        calls.append(page.reference.name)
        if page.reference.name == "Ubik" and calls.count("Ubik") == 1:
            raise TaskFailed("the machine goes down")
        return real(page, *args, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OpenDocument, "save", stop)
        importer.fail()
        log = importer.run()
    assert "resumes: 1 items done already" in log
    assert sorted(importer.names()) == ["Dune", "Dune (2)", "Ubik"]
    assert importer.values("Dune")["year"] == 1 and importer.values("Dune (2)")["year"] == 3
