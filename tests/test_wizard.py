"""The import wizard: a file, a look at it, what its columns become, a try, and the run."""

from __future__ import annotations

import datetime
import io
import re
from html import unescape
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from conftest import Browser, until
from werkzeug.test import TestResponse

from wiki.api import Wiki
from wiki.errors import InvalidDocument
from wiki.model import Property
from wiki.site import Site
from wiki.tasks import tables
from wiki.tasks.names import RUN_CLASS, TASK_CLASS
from wiki.tasks.tables import Preview, importer_of

BOOKS = "Title;Year;Kind;Nr\nDune;1965;novel;007\nEmma;1815;novel;012\nFaust;1808;play;3;4\n" \
        "Hamlet;1603;play;020\n"


@pytest.fixture(autouse=True)
def quiet(site: Site) -> None:
    """The shipped task that is READY leaves the manager to the tests."""
    site.manager.suspend("Tasks.ImportCountries", "Users.Admin")


def look(data: bytes, filename: str, **reading: Any) -> Preview:
    return tables.look(io.BytesIO(data), filename, importer_of(filename), reading)


def kinds(preview: Preview) -> dict[str, str]:
    return {column.header: column.type for column in preview.columns}


def upload(browser: Browser, data: bytes | str, filename: str, url: str = "/import") -> str:
    """The address of the wizard's next step."""
    body = data.encode() if isinstance(data, str) else data
    answer = browser.post(url, file=(io.BytesIO(body), filename))
    assert answer.status_code == 302, answer.text
    return str(answer.location)


def fields(browser: Browser, url: str) -> dict[str, str]:
    """What the form on the page would send, as a browser without JavaScript has it."""
    text = re.sub(r'(?s)<form class="search-box.*?</form>', "", browser.get(url).text)
    text = text[text.index('class="import-form"'):].partition("</form>")[0]
    sent = {}
    for tag in re.findall(r"<input[^>]*>", text):
        given = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if given.get("type") != "checkbox" or " checked" in tag:
            sent[given["name"]] = unescape(given.get("value", ""))
    for name, body in re.findall(r'(?s)<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', text):
        options = re.findall(r'<option(?: value="([^"]*)")?( selected)?>([^<]*)', body)
        chosen = next((item for item in options if item[1]), options[0])
        has_value = f'<option value="{chosen[0]}"' in body
        sent[name] = unescape(chosen[0] if has_value else chosen[2])
    sent.pop("form_token")
    return sent


def send(browser: Browser, url: str, action: str, **changed: str) -> TestResponse:
    return browser.post(url, **{**fields(browser, url), **changed, "action": action})


def run(site: Site, wiki: Wiki, url: str) -> Any:
    """Let the import run that is READY; its record."""
    task = url.split("/")[1]
    assert site.manager.invoke().started == task
    until(lambda: bool(site.wiki.get(task).objects(RUN_CLASS)[-1]["outcome"]), 60,
          "the run does not end")
    return wiki.get(task).objects(RUN_CLASS)[-1]


# -- a look at files as they come -------------------------------------------------------------


@pytest.mark.parametrize(("encoding", "delimiter"), [
    ("utf-8", ","), ("utf-8-sig", ";"), ("utf-16", "\t"), ("cp1252", ";"), ("utf-16-le", "|")])
def test_the_encoding_and_the_delimiter_are_found_out(encoding: str, delimiter: str) -> None:
    text = "Name;Größe;Wann\nBär;2.5;2024-01-31\nWölfin;3;2024-02-01\n".replace(";", delimiter)
    seen = look(text.encode(encoding), "a.csv")
    assert kinds(seen) == {"Name": "String", "Größe": "Number", "Wann": "Date"}
    assert [row.cells[0] for row in seen.rows] == ["Bär", "Wölfin"]
    assert seen.used["delimiter"] == delimiter
    assert (seen.seen, seen.bad, seen.complete, seen.lines is not None) == (2, 0, True, True)


def test_ragged_rows_and_odd_headers_are_shown_as_what_they_are() -> None:
    seen = look(b"Name,,Name\na,1,x\nb,2\nc,3,y,z\n", "a.csv")
    assert seen.headers == ["Name", "column 2", "Name (2)"]
    assert (seen.seen, seen.bad) == (3, 2)
    assert [row.problem for row in seen.rows] == [
        "", "it has 2 fields, and the header 3", "it has 4 fields, and the header 3"]


def test_bytes_that_are_wrong_in_the_encoding_do_no_harm() -> None:
    seen = look(b"Name,a\xff\nx,1\nb\xfe,2\n" + "ä,1\n".encode() * 9, "a.csv")
    assert "0xff is not utf-8" in seen.problem and seen.headers == ["Name", "a?"]
    assert (seen.rows[1].cells[0], seen.bad) == ("b?", 1)


def test_few_values_are_a_list_and_odd_ones_are_named() -> None:
    rows = "".join(f"n{number},{'ab'[number % 2]},{number},{number or 'none'}\n"
                   for number in range(30))
    kind, exact, nearly = look(f"Name,Kind,No,Size\n{rows},,,\n".encode(), "a.csv").columns[1:]
    assert (kind.type, kind.options) == ("StaticList", {"values": ["a", "b"]})
    assert (exact.type, exact.options, exact.empty) == ("Number", {"integer": True}, 0)
    assert (nearly.type, nearly.nearly, nearly.odd, nearly.odd_example) == (
        "String", "integer", 1, "none")


def test_a_hundred_columns_and_rows_without_end_are_looked_at_as_far_as_is_enough(
        tmp_path: Path) -> None:
    wide = ",".join(f"c{number}" for number in range(100))
    line = ",".join(["some text"] * 100)
    path = tmp_path / "wide.csv"
    path.write_text(wide + f"\n{line}" * 20_000)
    with path.open("rb") as stream:
        seen = tables.look(stream, path.name, tables.CSV, {})
    assert (len(seen.columns), seen.seen, seen.complete, seen.lines) == (
        100, 1000, False, 20_000)
    assert len(seen.rows) == 50


def test_a_workbook_shows_its_sheets_and_its_dates() -> None:
    book = openpyxl.Workbook()
    book.active.append(["Title", "Out", "Pages"])
    book.active.append(["Dune", datetime.date(1965, 8, 1), 412])
    book.create_sheet("Others").append(["Name"])
    file = io.BytesIO()
    book.save(file)
    seen = look(file.getvalue(), "b.xlsx")
    assert kinds(seen) == {"Title": "String", "Out": "Date", "Pages": "Number"}
    assert (seen.sheets, seen.used["sheet"]) == (["Sheet", "Others"], "Sheet")
    assert look(file.getvalue(), "b.xlsx", sheet="Others").headers == ["Name"]
    with pytest.raises(InvalidDocument, match="headerRow: 'x'"):
        look(file.getvalue(), "b.xlsx", headerRow="x")


def test_nested_json_becomes_columns() -> None:
    data = b'{"count": 2, "items": [{"a": {"b": 1}, "t": ["x"]}, {"a": {"b": 2.5}}]}'
    seen = look(data, "a.json")
    assert kinds(seen) == {"a.b": "Number", "t": "String"}
    assert seen.used == {"records": "items"}
    lines = b'{"a": 1}\n' * 2_500_000  # more than is read of such a file
    seen = look(lines, "a.ndjson")
    assert (seen.seen, seen.complete, seen.lines) == (2000, False, 2_500_000)


@pytest.mark.parametrize(("data", "filename", "reason"), [
    (b"", "a.csv", "empty"), (b"PK\x03\x04xx", "a.csv", "workbook"),
    (b"no", "a.xlsx", "no Excel workbook"), (b"{", "a.json", "no JSON")])
def test_what_cannot_be_read_says_why(data: bytes, filename: str, reason: str) -> None:
    with pytest.raises(InvalidDocument, match=reason):
        look(data, filename)


def test_a_look_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "PATIENCE", 0.001)
    with pytest.raises(InvalidDocument, match="too large to be looked at"):
        look(b"a,b\n1,2\n", "a.csv")


# -- the steps --------------------------------------------------------------------------------


def test_a_file_becomes_a_suspended_task_that_can_be_gone_on_with(
        user: Browser, wiki: Wiki) -> None:
    url = upload(user, BOOKS, "my books.csv")
    task = wiki.get(url.split("/")[1])
    assert task.object(TASK_CLASS)["status"] == "SUSPENDED"  # type: ignore[index]
    with task.attachment("my books.csv").open() as stream:
        assert stream.read() == BOOKS.encode()
    assert url in user.get("/import").text
    text = user.get(url).text
    assert "4 rows" in text and "1 of them cannot be imported" in text
    assert "it has 5 fields, and the header 4" in text
    sent = fields(user, url)
    assert sent["targetSpace"] == "MyBooks" and sent["delimiter"] == ";"
    assert [sent[f"column{number}.kind"] for number in range(4)] == [
        "String", "Whole number", "String", "String"]


def test_a_try_changes_nothing_and_the_run_makes_the_class_and_the_pages(
        user: Browser, site: Site, wiki: Wiki) -> None:
    url = upload(user, BOOKS, "books.csv")
    answer = send(user, url, "try", **{
        "nameColumn": "{Nr}-{Title}", "titleColumn": "Title", "tags": "books",
        "column1": "published", "column2.kind": "StaticList",
        "column2.values": "novel | play", "column3": "", "column0.required": "1"})
    assert answer.location == url + "/result", answer.text
    assert user.get(answer.location).headers["Refresh"] == "2"
    tried = run(site, wiki, url)
    assert (tried["outcome"], tried["dryRun"], tried["ok"], tried["failed"]) == (
        "DONE", True, 3, 1)
    assert "Books.BooksClass" not in wiki and "Books.007-Dune" not in wiki
    shown = user.get(url + "/result")
    assert "3 good, 0 skipped, 1 bad" in shown.text and "Refresh" not in shown.headers
    assert "line 4" in shown.text and "it has 5 fields, and the header 4" in shown.text
    assert "Books.007-Dune" in shown.text
    touched = user.get(f"{url.removesuffix('/import')}/runs/{tried['number']}").text
    assert "Books.BooksClass" in touched and "Books.007-Dune" in touched
    assert user.post(url + "/run").status_code == 302
    done = run(site, wiki, url)
    assert (done["outcome"], done["ok"], done["failed"]) == ("DONE", 3, 1)
    page = wiki.get("Books.007-Dune")
    assert (page.title, page.tags) == ("Dune", ("books",))
    assert dict(page.object("Books.BooksClass").values) == {  # type: ignore[union-attr]
        "Title": "Dune", "published": 1965, "Kind": "novel"}
    made = wiki.class_definition("Books.BooksClass")
    assert made is not None
    assert [(prop.name, prop.type, prop.required) for prop in made.properties] == [
        ("Title", "String", True), ("published", "Number", False),
        ("Kind", "StaticList", False)]


def test_columns_go_to_the_properties_of_a_class_that_there_is(
        user: Browser, site: Site, wiki: Wiki) -> None:
    book = wiki.new("Library.Book")
    book.define_class(Property("title", required=True), Property(
        "publishedIn", "Number", pretty_name="Year"), Property("secret", "Password"))
    book.save()
    url = upload(user, BOOKS, "books.csv")
    assert send(user, url, "read", targetClass="Library.Book",
                targetSpace="Library").location == url
    sent = fields(user, url)
    assert [sent[f"column{number}"] for number in range(4)] == ["title", "publishedIn", "", ""]
    refused = send(user, url, "run", column0="", column1="secret", column2="nothing")
    assert refused.status_code == 400
    for reason in ("The class requires title", "no property &#39;nothing&#39;"):
        assert reason in refused.text
    assert send(user, url, "run").status_code == 302
    assert run(site, wiki, url)["outcome"] == "DONE"
    values = dict(wiki.get("Library.Emma").object("Library.Book").values)  # type: ignore[union-attr]
    assert (values["title"], values["publishedIn"]) == ("Emma", 1815)


@pytest.mark.parametrize(("changed", "reason"), [
    ({"targetSpace": ""}, "Name the space"), ({"targetSpace": "a/b"}, "targetSpace-error"),
    ({"targetClass": "a/b.C"}, "targetClass-error"),
    ({"nameColumn": "{Nope}"}, "no column &#39;Nope&#39;"),
    ({"titleColumn": "Nope"}, "no column &#39;Nope&#39;"),
    ({"column1": "Title"}, "taken already, by the column Title"),
    ({"column1": "1st"}, "cannot be a property"),
    ({"column1.kind": "StaticList", "column1.values": ""}, "needs a list of values"),
    ({"column1.kind": "Password"}, "is no type"),
    ({f"column{number}": "" for number in range(4)}, "No column is imported")])
def test_what_is_wrong_shows_in_its_place_and_nothing_typed_is_lost(
        user: Browser, wiki: Wiki, changed: dict[str, str], reason: str) -> None:
    url = upload(user, BOOKS, "books.csv")
    answer = send(user, url, "run", tags="kept, as typed", **changed)
    assert answer.status_code == 400
    assert reason in answer.text and "kept, as typed" in answer.text
    task = wiki.get(url.split("/")[1])
    assert task.object(TASK_CLASS)["status"] == "SUSPENDED"  # type: ignore[index]


def test_what_was_chosen_is_there_when_one_comes_back(user: Browser) -> None:
    url = upload(user, BOOKS.replace("Kind", "Kind -> of"), "books.csv")
    chosen = {"column0": "name", "column1": "", "column2.kind": "Page", "tags": "a, b",
              "column2.required": "1", "existing": "skip", "badRows": "fail"}
    assert send(user, url, "save", **chosen).status_code == 302
    assert chosen.items() <= fields(user, url).items()


def test_a_file_can_be_read_in_another_way(user: Browser) -> None:
    url = upload(user, "a,b;c\n1,5;x\n2,5;y\n", "books.csv")
    send(user, url, "read", delimiter=",")
    assert fields(user, url)["column1"] == "b_c"
    send(user, url, "read", delimiter=";")
    sent = fields(user, url)
    assert (sent["column0"], sent["nameColumn"]) == ("a_b", "a,b")
    wrong = send(user, url, "read", encoding="nonsense")
    assert wrong.status_code == 400
    assert "no encoding &#39;nonsense&#39;" in wrong.text


def test_a_header_of_data_is_refused_before_a_run(user: Browser) -> None:
    url = upload(user, "12345.5,2024-01-01\n2.5,2024-01-02\n", "books.csv")
    assert "no column names" in user.get(url).text
    assert send(user, url, "try").status_code == 400


def test_a_page_s_attachment_is_imported_into_its_space(user: Browser, wiki: Wiki) -> None:
    page = wiki.new("Zoo.WebHome")
    page.attach("animals.tsv", b"Name\tLegs\nAnt\t6\n")
    page.attach("photo.png", b"")
    page.save()
    listed = user.get("/Zoo.WebHome/attachments").text
    assert 'href="/Zoo.WebHome/import?file=animals.tsv"' in listed
    assert "file=photo.png" not in listed
    assert 'value="animals.tsv" checked' in user.get("/Zoo.WebHome/import?file=animals.tsv").text
    answer = user.post("/Zoo.WebHome/import", attachment="animals.tsv")
    assert answer.status_code == 302
    assert fields(user, answer.location)["targetSpace"] == "Zoo"
    assert user.post("/Zoo.WebHome/import", attachment="none.csv").status_code == 404


def test_names_of_pages_are_taken_as_such_and_the_task_leads_back(
        user: Browser, wiki: Wiki) -> None:
    url = upload(user, "Name,Home,Near\na,Main.WebHome,Main.Nowhere\n", "a.csv")
    sent = fields(user, url)
    assert (sent["column1.kind"], sent["column2.kind"]) == ("Page", "String")
    assert f'href="{url}"' in user.get(url.removesuffix("/import")).text


def test_what_is_no_table_is_refused(user: Browser) -> None:
    assert user.post("/import").status_code == 400
    answer = user.post("/import", file=(io.BytesIO(b"x"), "photo.png"))
    assert answer.status_code == 400
    assert "photo.png" in answer.text and ".ndjson" in answer.text


def test_only_who_may_edit_imports(guest: Browser, user: Browser) -> None:
    assert guest.get("/import").location.startswith("/login")
    assert guest.post("/import").status_code == 403
    assert user.get("/Main.WebHome/import/result").status_code == 404
    assert user.post("/Main.WebHome/import/run").status_code == 404
    assert user.get("/No.Such/import").status_code == 404
