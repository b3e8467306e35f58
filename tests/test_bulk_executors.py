"""Executors that go through many pages: export a space, change many, check the links."""

from __future__ import annotations

import csv
import io
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from wiki.api import Wiki
from wiki.model import Property
from wiki.settings import shipped
from wiki.testing import Result, run_executor
from wiki.transfer import export_pages

CLASS = "Books.BookClass"
LIB = [shipped("pages") / "Lib" / f"{name}.md" for name in ("Names", "Results")]


def run(name: str, params: dict[str, Any], setup: Any = None, after: Result | None = None,
        **named: Any) -> Result:
    pages = [shipped("pages") / "Executors" / f"{name}{part}.md" for part in ("", "Parameters")]
    return run_executor(f"Executors.{name}", params=params, setup=setup, after=after,
                        pages=() if after else [*pages, *LIB], **named)


def books(wiki: Wiki) -> None:
    page = wiki.new(CLASS)
    page.define_class(Property("year", "Number", options={"integer": True}), Property("state"))
    page.save()
    for name, year in (("Dune", 1965), ("Solaris", 1961), ("Ubik", 1969)):
        book = wiki.new(f"Books.{name}", title=name, tags=("book",))
        book.add_object(CLASS, year=year, state="old")
        book.save()
    deep = wiki.new(r"Books.Sub.Dr\. No", content="deep")
    deep.attach("a.txt", b"data")
    deep.save()


def value(result: Result, name: str, prop: str) -> Any:
    obj = result.wiki.get(f"Books.{name}").object(CLASS)
    assert obj is not None
    return obj[prop]


# -- ExportSpace -----------------------------------------------------------------------------


def files_in(result: Result, filename: str = "Books.zip") -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(result.task.attachment(filename).read())) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_spaces_pages_are_exported_as_the_command_line_does(tmp_path: Any) -> None:
    result = run("ExportSpace", {"space": "Books"}, books)
    assert result.outcome == "DONE", result.text
    files = files_in(result)
    assert set(files) == {"Books/BookClass.md", "Books/Dune.md", "Books/Solaris.md",
                          "Books/Ubik.md", "Books/Sub/Dr%2E No.md",
                          "Books/Sub/Dr%2E No.files/a.txt"}
    list(export_pages(result.wiki, tmp_path, "Books"))
    assert all((tmp_path / name).read_bytes() == data for name, data in files.items())


def test_an_export_takes_one_space_alone_and_never_its_own_earlier_result() -> None:
    result = run("ExportSpace", {"space": "Books", "nested": False, "filename": "x"}, books)
    assert "Books/Sub/Dr%2E No.md" not in files_in(result, "x.zip")
    own = run("ExportSpace", {"space": "Tasks", "nested": True, "filename": ""}, after=result)
    again = run("ExportSpace", {"space": "Tasks"}, after=own)
    assert "Tasks/Test.files/Tasks.zip" not in files_in(again, "Tasks.zip")


@pytest.mark.parametrize("space", ["Nowhere", "a/b"])
def test_an_export_of_no_space_says_so(space: str) -> None:
    result = run("ExportSpace", {"space": space}, books)
    assert result.outcome == "ERROR" and "Traceback" not in result.text


# -- BulkChange ------------------------------------------------------------------------------


def test_a_property_is_set_where_the_conditions_are_met() -> None:
    result = run("BulkChange", {"targetClass": CLASS, "action": "set", "property": "state",
                                "value": "new", "where": "year > 1961\nyear <= 1965"}, books)
    assert result.outcome == "DONE", result.text
    assert [value(result, name, "state") for name in ("Dune", "Solaris", "Ubik")] == [
        "new", "old", "old"]
    assert "Books.Dune: state: old → new" in result.text
    again = run("BulkChange", {"targetClass": CLASS, "action": "set", "property": "state",
                               "value": "new", "where": ""}, after=result)
    assert (again.progress.ok, again.progress.skipped) == (2, 1)


def test_a_dry_run_of_a_change_says_it_and_writes_nothing() -> None:
    params = {"targetClass": CLASS, "action": "clear", "property": "year"}
    tried = run("BulkChange", params, books, dry_run=True)
    assert "Books.Dune: year: 1965 → nothing" in tried.text
    assert value(tried, "Dune", "year") is None
    real = run("BulkChange", params, after=tried)
    assert str(real.wiki.get("Books.Dune").version) == "2.1"
    assert value(real, "Dune", "year") is None


def test_a_property_is_renamed_with_its_class() -> None:
    result = run("BulkChange", {"targetClass": CLASS, "action": "rename", "property": "year",
                                "value": "published"}, books)
    assert result.outcome == "DONE", result.text
    assert value(result, "Dune", "published") == 1965 and value(result, "Dune", "year") is None
    definition = result.wiki.class_definition(CLASS)
    assert definition is not None
    assert [prop.name for prop in definition.properties] == ["published", "state"]
    again = run("BulkChange", {"targetClass": CLASS, "action": "rename", "property": "year",
                               "value": "published"}, after=result)
    assert again.outcome == "DONE" and again.progress.skipped == 3, again.text


def test_tags_are_added_and_removed() -> None:
    added = run("BulkChange", {"space": "Books", "action": "addTag", "value": "sf"}, books)
    assert added.wiki.get("Books.Dune").tags == ("book", "sf")
    assert added.wiki.get(r"Books.Sub.Dr\. No").tags == ("sf",)
    removed = run("BulkChange", {"targetClass": CLASS, "action": "removeTag", "value": "book",
                                 "space": "Books"}, after=added)
    assert removed.wiki.get("Books.Dune").tags == ("sf",)


@pytest.mark.parametrize(("params", "what"), [
    ({"targetClass": CLASS, "property": "nope"}, "it has year, state"),
    ({"targetClass": "Books.Dune", "property": "x"}, "defines no class"),
    ({"property": "x"}, "name the class"),
    ({"action": "addTag", "value": "x"}, "name a class or a space"),
    ({"action": "addTag", "space": "Books"}, "value is empty"),
    ({"targetClass": CLASS, "property": "state", "where": "nope = 1"}, "where"),
    ({"targetClass": CLASS, "property": "state", "where": "year = x"}, "year"),
], ids=str)
def test_a_change_that_cannot_be_says_why(params: dict[str, str], what: str) -> None:
    result = run("BulkChange", params, books)
    assert result.outcome == "ERROR" and what in result.error, result.text
    assert "Traceback" not in result.text


def test_a_value_that_the_class_refuses_fails_its_pages() -> None:
    result = run("BulkChange", {"targetClass": CLASS, "property": "year", "value": "x"}, books)
    assert len(result.rejected) == 3 and value(result, "Dune", "year") == 1965


# -- LinkCheck -------------------------------------------------------------------------------


class Site(BaseHTTPRequestHandler):
    """A site with good and bad addresses, which notes what it was asked."""

    asked: ClassVar[list[str]] = []
    answers: ClassVar[dict[str, int]] = {"/ok": 200, "/moved": 301, "/loop": 301, "/nohead": 200,
                                         "/private/x": 200}

    def do_HEAD(self) -> None:
        self.answer(405 if self.path == "/nohead" else self.answers.get(self.path, 404))

    def do_GET(self) -> None:
        if self.path == "/robots.txt":
            self.answer(200, b"User-agent: *\nDisallow: /private\n")
        else:
            self.answer(self.answers.get(self.path, 404))

    def answer(self, status: int, body: bytes = b"") -> None:
        self.asked.append(f"{self.command} {self.path}")
        self.send_response(status)
        if status == 301:
            self.send_header("Location", "/ok" if self.path == "/moved" else "/loop")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def web() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    Site.asked.clear()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


CHECK_LIB = [shipped("pages") / "Lib" / f"{name}.md" for name in ("MarkdownText", "WebLinks")]


def check(content: str, **params: Any) -> list[dict[str, str]]:
    def setup(wiki: Wiki) -> None:
        books(wiki)
        page = wiki.new("Books.Links", content=content)
        page.attach("here.txt", b"x")
        page.save()
        wiki.new("Books.Heads", content="# One head\n\ntext\n").save()
        wiki.new("Books.Made", content="<<toc/>>\n").save()

    list_of_pages = [shipped("pages") / "Executors" / f"LinkCheck{part}.md"
                     for part in ("", "Parameters")]
    result = run_executor("Executors.LinkCheck", setup=setup, params={"space": "Books", **params},
                          pages=[*list_of_pages, *LIB, *CHECK_LIB])
    assert result.outcome == "DONE", result.text
    assert "## Broken links" in result.task.content
    table = result.task.attachment("links.csv").read().decode()
    return list(csv.DictReader(io.StringIO(table, newline="")))


@pytest.mark.parametrize("content", [
    "[[Dune]] [[x>>Books.Dune]] [x](Dune) [x](Books.Sub.Dr%5C.%20No) [x](/Books.Dune)",
    "[[Heads#one-head]] [x](Heads#one-head) [[Made#whatever]]", "# Top\n\n[[#top]] [x](#top)",
    "[[attach:here.txt]] ![](attach:here.txt) [x](attach:Books.Links@here.txt)",
    "`[[Nope]]`\n\n```\n[[Nope]]\n```\n\n<<code>>[[Nope]]<</code>>", "[x](mailto:a@example.org)",
    "[x](https://example.org/not-asked)", "[x](../up) [x](/admin/users) [x](?a=b)",
])
def test_good_links_are_not_reported(content: str) -> None:
    assert check(content) == []


@pytest.mark.parametrize(("content", "kind"), [
    ("[[Nope]]", "page"), ("[[x>>Books.Nope#a]]", "page"), ("[x](Books.Nope)", "page"),
    ("[[Heads#two]]", "heading"), ("[x](#nope)", "heading"), ("[[attach:no.txt]]", "attachment"),
    ("![](attach:Books.Dune@here.txt)", "attachment"), ("[x](/Books.Nope)", "page"),
    ('<<info>>[[Nope]]<</info>>', "page"), ("[x][1]\n\n[1]: Books.Nope", "page"),
])
def test_broken_links_are_reported_with_their_page(content: str, kind: str) -> None:
    assert [(row["page"], row["kind"]) for row in check(content)] == [("Books.Links", kind)]


def test_web_addresses_are_asked_politely(web: str) -> None:
    paths = ["/ok", "/gone", "/moved", "/loop", "/nohead", "/private/x", "/left/out"]
    rows = check(" ".join(f"[x]({web}{path})" for path in paths) + " [x](http://nope.invalid/)",
                 external=True, allowPrivate=True, ignore=f"{web}/left")
    found = {row["link"].removeprefix(web): row["problem"] for row in rows}
    assert found.pop("/gone") == "answers 404"
    assert "more than 5 times" in found.pop("/loop")
    assert "robots.txt" in found.pop("/private/x")
    assert found.pop("http://nope.invalid/")
    assert found == {}
    assert not any("/private" in line or "/left" in line for line in Site.asked)
    assert Site.asked.count("GET /robots.txt") == 1


def test_local_addresses_are_not_asked_unless_that_is_allowed(web: str) -> None:
    rows = check(f"[x]({web}/ok)", external=True)
    assert "not an address of the public internet" in rows[0]["problem"]
    assert Site.asked == []


def test_a_second_check_replaces_the_section_of_the_first() -> None:
    script = ("def run(logger, wiki, task):\n"
              "    results = wiki.load('Lib.Results')\n"
              "    results.attach(task, {}, 'x', ('Links', 'one'))\n"
              "    results.attach(task, {}, 'x', ('Links', 'two'))\n")
    assert run_executor(script, pages=LIB).task.content == "## Links\n\ntwo\n"
