"""The JSON API, through HTTP."""

from __future__ import annotations

import hashlib
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from conftest import PASSWORD, basic
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from wiki.model import Property
from wiki.references import Reference
from wiki.settings import Settings
from wiki.site import Site
from wiki.store.base import Query
from wiki.tasks import TASK_CLASS
from wiki.tasks.log import LogPart, format_message
from wiki.web.app import create_app
from wiki.web.rest import OPERATIONS
from wiki.web.rest.stream import LogStream, split_line

API = "/api/v1"
Call = Callable[..., TestResponse]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One wiki for all tests here; each leaves it as it was."""
    data = tmp_path_factory.mktemp("rest") / "data"
    with Site(Settings(data=data, admin_password=PASSWORD, secret_key="for tests")) as opened:
        opened.install()
        opened.accounts.add("Bob", PASSWORD)
        for task in list(opened.wiki.query(TASK_CLASS)):
            task.delete()  # an invocation of the manager would run it
        yield opened


@pytest.fixture
def client(site: Site) -> Iterator[FlaskClient]:
    """A caller without credentials, in a wiki with a class of books."""
    before = pages_of(site)
    book = site.wiki.new("Books.BookClass")
    book.define_class(
        Property("title"), Property("year", "Number", options={"integer": True, "min": 0}),
        Property("status", "StaticList", default="new", options={"values": ["new", "read"]}),
        Property("secret", "Password"))
    book.save()
    yield create_app(site=site).test_client()
    for page in pages_of(site) - before:
        site.wiki.delete(page)
    for path in site.logs.directory.glob("Tasks.Job*"):
        path.unlink()


def pages_of(site: Site) -> set[Reference]:
    return {row.reference for row in site.wiki.rows(Query())}


@pytest.fixture
def bob(client: FlaskClient) -> Call:
    """A caller with Bob's credentials: ``bob("PUT", "/pages/A.B", json={})``."""
    def call(method: str, path: str, **more: Any) -> TestResponse:
        headers = {**basic("Bob"), **more.pop("headers", {})}
        return client.open(API + path, method=method, headers=headers,
                           buffered=more.pop("buffered", True), **more)
    return call


def problem(response: TestResponse, status: int) -> dict[str, Any]:
    """The problem details that the response is, with the status that it should have."""
    assert response.status_code == status, response.get_data(as_text=True)
    assert response.mimetype == "application/problem+json"
    body: dict[str, Any] = json.loads(response.data)
    assert body["status"] == status
    assert body["title"] and body["detail"] and body["type"].startswith("urn:wikimill:problem:")
    return body


def dune(**properties: Any) -> dict[str, Any]:
    return {"title": "Dune", "content": "Sand", "tags": ["sf"], "objects": [
        {"class": "Books.BookClass", "properties": {"title": "Dune", "year": 1965,
                                                    **properties}}]}


# -- pages -------------------------------------------------------------------------------------

def test_a_put_creates_a_page_and_the_next_one_changes_it(bob: Call) -> None:
    made = bob("PUT", "/pages/Books.Dune", json={**dune(), "comment": "first"})
    assert made.status_code == 201
    assert made.headers["Location"].endswith("/api/v1/pages/Books.Dune")
    assert made.headers["ETag"] == '"1.1"'
    page = made.json
    assert page is not None
    assert page.keys() == {"reference", "title", "content", "syntax", "parent", "hidden", "tags",
                           "version", "author", "created", "updated", "comment", "objects",
                           "attachments", "class"}
    assert (page["reference"], page["version"], page["author"], page["comment"]) == (
        "Books.Dune", "1.1", "Users.Bob", "first")
    assert page["objects"] == [{"class": "Books.BookClass", "number": 0,
                                "properties": {"title": "Dune", "year": 1965}}]
    changed = bob("PUT", "/pages/Books.Dune", json={"title": "Dune, the novel"})
    assert changed.status_code == 200
    assert changed.json == {**page, "title": "Dune, the novel", "version": "2.1", "comment": "",
                            "updated": changed.json["updated"]}


def test_what_a_get_answered_can_be_put_back(bob: Call) -> None:
    page = bob("PUT", "/pages/Books.Dune", json=dune()).json
    again = bob("PUT", "/pages/Books.Dune", json=page).json
    assert {**again, "version": "1.1", "updated": ""} == {**page, "updated": ""}


def test_a_put_of_objects_replaces_them_and_keeps_passwords(bob: Call, site: Site) -> None:
    bob("PUT", "/pages/Books.Dune", json=dune(secret="spice"))
    kept = site.wiki.get("Books.Dune").record.objects[0].values["secret"]
    page = bob("GET", "/pages/Books.Dune").json
    assert "secret" not in page["objects"][0]["properties"]
    page["objects"][0]["properties"] = {"title": "Dune Messiah"}
    bob("PUT", "/pages/Books.Dune", json=page)
    values = dict(site.wiki.get("Books.Dune").record.objects[0].values)
    assert values == {"title": "Dune Messiah", "secret": kept}
    assert bob("PUT", "/pages/Books.Dune", json={"objects": []}).json["objects"] == []


def test_nobody_can_give_the_hash_of_a_password(bob: Call) -> None:
    given = dune(secret={"hash": "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$" + "A" * 43})
    assert problem(bob("PUT", "/pages/Books.Dune", json=given), 400)["property"] == "secret"


def test_a_class_is_defined_by_put_and_null_takes_it_away(bob: Call) -> None:
    definition = {"properties": [
        {"name": "size", "type": "Number", "prettyName": "Size", "integer": True},
        {"name": "kind", "type": "StaticList", "values": ["a", "b"]}]}
    made = bob("PUT", "/pages/My.ThingClass", json={"class": definition})
    assert made.json["class"] == definition
    assert bob("PUT", "/pages/My.ThingClass", json={"class": None}).json["class"] is None


def test_an_etag_guards_against_a_lost_edit(bob: Call) -> None:
    etag = bob("PUT", "/pages/Books.Dune", json=dune()).headers["ETag"]
    fits = bob("PUT", "/pages/Books.Dune", json={"title": "A"}, headers={"If-Match": etag})
    assert fits.status_code == 200
    late = bob("PUT", "/pages/Books.Dune", json={"title": "B"}, headers={"If-Match": etag})
    assert '"2.1"' in problem(late, 412)["detail"]
    problem(bob("DELETE", "/pages/Books.Dune", headers={"If-Match": etag}), 412)
    problem(bob("PUT", "/pages/Books.New", json={}, headers={"If-Match": etag}), 412)
    assert bob("GET", "/pages/Books.Dune").json["title"] == "A"


def test_if_none_match_creates_only_and_saves_reading_again(bob: Call) -> None:
    anew = {"If-None-Match": "*"}
    etag = bob("PUT", "/pages/Books.Dune", json=dune(), headers=anew).headers["ETag"]
    problem(bob("PUT", "/pages/Books.Dune", json=dune(), headers=anew), 412)
    unchanged = bob("GET", "/pages/Books.Dune", headers={"If-None-Match": etag})
    assert (unchanged.status_code, unchanged.data) == (304, b"")
    assert unchanged.headers["ETag"] == etag


def test_of_two_that_create_a_page_at_once_one_is_told(bob: Call, site: Site,
                                                        monkeypatch: pytest.MonkeyPatch) -> None:
    save = site.store.save

    def late(document: Any, expected: Any) -> Any:
        monkeypatch.undo()
        site.wiki.new(document.reference, title="Faster").save()
        return save(document, expected)

    monkeypatch.setattr(site.store, "save", late)
    problem(bob("PUT", "/pages/Books.Race", json={}), 409)
    assert bob("GET", "/pages/Books.Race").json["title"] == "Faster"


def test_a_page_is_deleted_by_who_may(bob: Call, site: Site) -> None:
    site.wiki.new("Books.Hers").save()
    problem(bob("DELETE", "/pages/Books.Hers"), 403)
    bob("PUT", "/pages/Books.His", json={})
    assert bob("DELETE", "/pages/Books.His").status_code == 204
    problem(bob("GET", "/pages/Books.His"), 404)
    problem(bob("DELETE", "/pages/Books.His"), 404)


def test_pages_are_listed_in_pages(bob: Call) -> None:
    for number in range(5):
        bob("PUT", f"/pages/Lists.P{number}", json={"title": f"Page {number}"})
    bob("PUT", "/pages/Lists.other", json={})
    seen: list[str] = []
    path = "/pages?space=Lists&prefix=Lists.P&limit=2"
    answer = bob("GET", path).json
    while answer["next_cursor"]:
        seen += [item["reference"] for item in answer["items"]]
        answer = bob("GET", f"{path}&cursor={answer['next_cursor']}").json
    seen += [item["reference"] for item in answer["items"]]
    assert seen == [f"Lists.P{number}" for number in range(5)]
    assert answer["items"][0].keys() == {"reference", "title", "author", "version", "updated",
                                         "hidden"}


def test_pages_are_listed_by_class(bob: Call) -> None:
    bob("PUT", "/pages/Books.Dune", json=dune())
    items = bob("GET", "/pages?class=Books.BookClass").json["items"]
    assert [item["reference"] for item in items] == ["Books.Dune"]


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=-1", "cursor=x", "cursor=WzFd",
                                   "limitt=3", "class=NoSpace", "cursor=" + "W" * 5000])
def test_a_list_refuses_what_it_does_not_understand(bob: Call, query: str) -> None:
    problem(bob("GET", f"/pages?{query}"), 400)


def test_a_page_is_rendered_harmlessly(bob: Call) -> None:
    bob("PUT", "/pages/Books.Dune", json={"content": "**Sand** <script>alert(1)</script>"})
    response = bob("GET", "/pages/Books.Dune/html")
    assert response.mimetype == "text/html"
    assert "<strong>Sand</strong>" in response.text
    assert "<script" not in response.text
    assert "sandbox" in response.headers["Content-Security-Policy"]


def test_the_history_has_every_version(bob: Call) -> None:
    for title in ("A", "B", "C"):
        bob("PUT", "/pages/Books.Dune", json={"title": title, "minor": title == "C"})
    answer = bob("GET", "/pages/Books.Dune/revisions?limit=2").json
    assert [item["version"] for item in answer["items"]] == ["2.2", "2.1"]
    rest = bob("GET", f"/pages/Books.Dune/revisions?cursor={answer['next_cursor']}").json
    assert [(item["version"], item["author"]) for item in rest["items"]] == [("1.1", "Users.Bob")]
    assert bob("GET", "/pages/Books.Dune/revisions/1.1").json["title"] == "A"
    problem(bob("GET", "/pages/Books.Dune/revisions/9.1"), 404)
    problem(bob("GET", "/pages/Books.Dune/revisions/x"), 400)


def test_names_of_all_kinds_are_addressed(bob: Call) -> None:
    for name in ("Books.Dr\\. No", "A.B.C.Été", "Books.100% sure?", "Books.a#b&c=d"):
        assert bob("PUT", f"/pages/{quote(name)}", json={}).status_code == 201
        assert bob("GET", f"/pages/{quote(name)}").json["reference"] == name


@pytest.mark.parametrize("name", ["NoSpace", "A..B", ".A", "A.b%00c", "A.%20", "A.B%5CC"])
def test_a_name_that_cannot_be_is_refused_with_the_reason(bob: Call, name: str) -> None:
    problem(bob("PUT", f"/pages/{name}", json={}), 400)
    problem(bob("GET", f"/pages/{name}"), 400)


# -- bodies ------------------------------------------------------------------------------------

@pytest.mark.parametrize(("body", "says"), [
    (b"", "not JSON"), (b"{", "not JSON"), (b"[]", "array"), (b"null", "null"), (b'"x"', "string"),
    (b"3", "number"), (b'{"title": "\\ud800"}', "surrogate"), (b'{"\\udfff": 1}', "surrogate"),
    (b'{"title": "\xff"}', "UTF-8"), (b'{"title": NaN}', "NaN"), (b'{"a": 1e999}', "too large"),
    (b'{"a": ' + b"9" * 5000 + b"}", "digits"), (b'{"a": 1, "a": 2}', "twice"),
    (b'{"a": ' + b"[" * 40 + b"]" * 40 + b"}", "deep"),
    (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "deep"),
    (b'{"titel": "x"}', "'titel'"), (b'{"title": 3}', "title"), (b'{"hidden": "yes"}', "hidden"),
    (b'{"tags": "x"}', "tags"), (b'{"tags": [1]}', "tags"), (b'{"objects": {}}', "objects"),
    (b'{"objects": [3]}', "objects"), (b'{"objects": [{}]}', "class"),
    (b'{"objects": [{"class": "X"}]}', "no space"), (b'{"class": []}', "class"),
    (b'{"class": {"properties": [{"name": "a", "type": "Nope"}]}}', "Nope"),
    (b'{"objects": [{"class": "A.B", "number": -1}]}', "number"),
    (b'{"objects": [{"class": "A.B", "number": true}]}', "number"),
    (b'{"objects": [{"class": "A.B", "number": 1}, {"class": "A.B", "number": 1}]}', "once"),
    (b'{"reference": "Other.Page"}', "Other.Page"), (b'{"comment": 1}', "comment"),
])
def test_a_bad_body_is_refused_with_what_is_wrong(bob: Call, body: bytes, says: str) -> None:
    response = bob("PUT", "/pages/Books.Bad", data=body, content_type="application/json")
    assert says.lower() in problem(response, 400)["detail"].lower()
    problem(bob("GET", "/pages/Books.Bad"), 404)


def test_a_body_that_is_too_large_is_refused(bob: Call) -> None:
    problem(bob("PUT", "/pages/Books.Big", data=b" " * (10 * 1024 * 1024 + 1)), 413)


# -- objects -----------------------------------------------------------------------------------

def test_objects_are_added_changed_and_removed(bob: Call) -> None:
    bob("PUT", "/pages/Books.Dune", json={})
    body = {"class": "Books.BookClass", "properties": {"year": 1965}}
    first = bob("POST", "/pages/Books.Dune/objects", json=body)
    assert first.status_code == 201
    assert first.json == {"class": "Books.BookClass", "number": 0,
                          "properties": {"status": "new", "year": 1965}}
    path = "/pages/Books.Dune/objects/Books.BookClass/0"
    assert first.headers["Location"].endswith(path)
    assert bob("POST", "/pages/Books.Dune/objects", json=body).json["number"] == 1
    changed = bob("PATCH", path, json={"properties": {"status": "read", "self": "odd"}})
    assert changed.json["properties"] == {"status": "read", "year": 1965, "self": "odd"}
    assert changed.headers["ETag"] == '"4.1"'
    assert bob("GET", path).json == changed.json
    assert bob("DELETE", path).status_code == 204
    problem(bob("GET", path), 404)
    left = bob("GET", "/pages/Books.Dune/objects?class=Books.BookClass").json
    assert ([item["number"] for item in left["items"]], left["next_cursor"]) == ([1], None)


@pytest.mark.parametrize(("name", "value", "allowed"), [
    ("status", "lost", "one of new, read"), ("year", "x", "a whole number of at least 0"),
    ("year", 1.5, "whole"), ("year", -1, "at least 0"), ("year", 10**30, "64 bits"),
    ("title", ["x"], "text"), ("title", {"a": 1}, "text"),
])
def test_a_wrong_value_is_refused_with_what_is_allowed(
        bob: Call, name: str, value: object, allowed: str) -> None:
    bob("PUT", "/pages/Books.Dune", json=dune())
    body = {"properties": {name: value}}
    for response in (
            bob("PATCH", "/pages/Books.Dune/objects/Books.BookClass/0", json=body),
            bob("POST", "/pages/Books.Dune/objects", json={**body, "class": "Books.BookClass"}),
            bob("PUT", "/pages/Books.Dune", json=dune(**{name: value}))):
        found = problem(response, 400)
        assert found["property"] == name
        assert allowed in found["allowed"]
    assert bob("GET", "/pages/Books.Dune").json["version"] == "1.1"


def test_a_stale_patch_changes_nothing(bob: Call) -> None:
    bob("PUT", "/pages/Books.Dune", json=dune())
    path = "/pages/Books.Dune/objects/Books.BookClass/0"
    stale = {"If-Match": '"0.9"'}
    problem(bob("PATCH", path, json={"properties": {"year": 1}}, headers=stale), 412)
    problem(bob("DELETE", path, headers=stale), 412)
    assert bob("GET", path).json["properties"]["year"] == 1965


# -- attachments -------------------------------------------------------------------------------

def test_bytes_go_in_and_come_out_as_they_were(bob: Call) -> None:
    bob("PUT", "/pages/Books.Dune", json={})
    data = bytes(range(256)) * 1000
    path = "/pages/Books.Dune/attachments/c%C3%B6ver%20(1).bin"
    made = bob("PUT", path, data=data)
    assert made.status_code == 201
    digest = hashlib.sha256(data).hexdigest()
    assert made.json == {"filename": "cöver (1).bin", "size": len(data), "sha256": digest,
                         "mimetype": "application/octet-stream"}
    assert bob("GET", "/pages/Books.Dune").json["attachments"] == [made.json]
    got = bob("GET", path)
    assert (got.data, got.headers["Content-Length"]) == (data, str(len(data)))
    assert got.headers["ETag"] == f'"{digest}"'
    assert bob("PUT", path, data=b"").status_code == 200
    assert bob("GET", path).data == b""
    assert bob("DELETE", path).status_code == 204
    problem(bob("GET", path), 404)


def test_a_part_of_a_file_can_be_asked_for(bob: Call) -> None:
    bob("PUT", "/pages/Books.Dune", json={})
    bob("PUT", "/pages/Books.Dune/attachments/a.txt", data=b"0123456789")
    part = bob("GET", "/pages/Books.Dune/attachments/a.txt", headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.data) == (206, b"234")
    assert part.headers["Content-Range"] == "bytes 2-4/10"
    beyond = bob("GET", "/pages/Books.Dune/attachments/a.txt", headers={"Range": "bytes=99-"})
    problem(beyond, 416)


@pytest.mark.parametrize(("filename", "how"), [
    ("a.html", "attachment"), ("a.svg", "attachment"), ("a.xml", "attachment"),
    ("a.xhtml", "attachment"), ("a.js", "attachment"), ("a.png", "inline"), ("a.csv", "inline"),
])
def test_what_could_run_in_a_browser_is_downloaded(bob: Call, filename: str, how: str) -> None:
    bob("PUT", "/pages/Books.Dune", json={})
    bob("PUT", f"/pages/Books.Dune/attachments/{filename}", data=b"<script>")
    got = bob("GET", f"/pages/Books.Dune/attachments/{filename}")
    assert got.headers["Content-Disposition"].startswith(how)
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in got.headers["Content-Security-Policy"]


def test_a_file_needs_a_page_and_a_name_that_can_be(bob: Call) -> None:
    problem(bob("PUT", "/pages/Books.None/attachments/a.txt", data=b"x"), 404)
    bob("PUT", "/pages/Books.Dune", json={})
    problem(bob("PUT", "/pages/Books.Dune/attachments/a%00b", data=b"x"), 400)
    problem(bob("PUT", "/pages/Books.Dune/attachments/..", data=b"x"), 400)
    problem(bob("PUT", "/pages/Books.Dune/attachments/a%2Fb", data=b"x"), 404)


def test_a_file_is_replaced_only_where_its_etag_fits(bob: Call) -> None:
    bob("PUT", "/pages/Books.Dune", json={})
    path = "/pages/Books.Dune/attachments/a.txt"
    etag = bob("PUT", path, data=b"1", headers={"If-None-Match": "*"}).headers["ETag"]
    problem(bob("PUT", path, data=b"2", headers={"If-None-Match": "*"}), 412)
    assert bob("PUT", path, data=b"2", headers={"If-Match": etag}).status_code == 200
    problem(bob("DELETE", path, headers={"If-Match": etag}), 412)
    assert bob("GET", path).data == b"2"


def test_files_that_come_at_once_do_not_hinder_each_other(client: FlaskClient, bob: Call) -> None:
    bob("PUT", "/pages/Books.Dune", json={})
    app, statuses = client.application, []

    def upload(number: int) -> None:
        path = f"{API}/pages/Books.Dune/attachments/{number}.txt"
        response = app.test_client().put(path, data=b"x", headers=basic("Bob"))
        statuses.append(response.status_code)

    threads = [threading.Thread(target=upload, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert statuses == [201] * 6
    assert len(bob("GET", "/pages/Books.Dune").json["attachments"]) == 6


# -- query and search --------------------------------------------------------------------------

@pytest.fixture
def shelf(bob: Call) -> Call:
    for name, year in (("Dune", 1965), ("Emma", 1815), ("Ubik", 1969)):
        objects = [{"class": "Books.BookClass", "properties": {
            "title": name, "year": year, "status": "read" if year < 1966 else "new"}}]
        bob("PUT", f"/pages/Books.{name}", json={"title": name, "objects": objects})
    return bob


@pytest.mark.parametrize(("query", "names"), [
    ("", ["Dune", "Emma", "Ubik"]), ("&status=read", ["Dune", "Emma"]),
    ("&year=1965", ["Dune"]), ("&year__gt=1900&year__lt=1969", ["Dune"]),
    ("&order_by=-year", ["Ubik", "Dune", "Emma"]), ("&order_by=status,-year", ["Ubik", "Dune",
                                                                              "Emma"]),
    ("&title__contains=UN", ["Dune"]), ("&doc.name=Emma", ["Emma"]), ("&name=Emma", ["Emma"]),
    ("&object.title=Ubik", ["Ubik"]), ("&space=Films", []), ("&year__ge=-5&year__le=1815",
                                                            ["Emma"]),
])
def test_pages_are_found_by_property(shelf: Call, query: str, names: list[str]) -> None:
    answer = shelf("GET", f"/query?class=Books.BookClass{query}").json
    assert [item["reference"] for item in answer["items"]] == [f"Books.{name}" for name in names]


def test_a_query_gives_objects_and_comes_in_pages(shelf: Call) -> None:
    path = "/query?class=Books.BookClass&order_by=year&limit=2"
    first = shelf("GET", path).json
    assert first["items"][0]["objects"][0]["properties"]["year"] == 1815
    second = shelf("GET", f"{path}&cursor={first['next_cursor']}").json
    assert [item["reference"] for item in second["items"]] == ["Books.Ubik"]
    assert second["next_cursor"] is None


@pytest.mark.parametrize(("query", "says"), [
    ("class=Books.BookClass&yaer=1", "title, year, status"),
    ("class=Books.BookClass&year__gtt=1", "contains"), ("class=Books.BookClass&year=x", "number"),
    ("class=Books.BookClass&secret=x", "title, year, status"),
    ("class=Books.BookClass&order_by=secret", "title, year, status"),
    ("class=Books.BookClass&order_by=nope", "title, year, status"),
    ("class=Books.Nope", "no class"), ("year=1965", "no class"),
    ("class=Books.BookClass&doc.content=x", "reference, name, space"),
])
def test_a_bad_query_is_refused_with_what_is_allowed(shelf: Call, query: str, says: str) -> None:
    assert says in problem(shelf("GET", f"/query?{query}"), 400)["detail"]


def test_a_search_marks_the_words_found(bob: Call) -> None:
    bob("PUT", "/pages/Books.Dune", json={"content": "The spice melange must flow."})
    [hit] = bob("GET", "/search?q=melange&space=Books").json["items"]
    assert hit["reference"] == "Books.Dune"
    assert [hit["snippet"][begin:end] for begin, end in hit["marks"]] == ["melange"]
    assert bob("GET", "/search?q=melange&space=Films").json["items"] == []
    problem(bob("GET", "/search"), 400)


# -- tasks -------------------------------------------------------------------------------------

@pytest.fixture
def job(bob: Call, site: Site) -> Call:
    """A task without an executor, so that nothing runs."""
    objects = [{"class": "TaskExecutorCode.TaskClass", "properties": {
        "taskExecutor": "Executors.None", "status": "SUSPENDED"}}]
    assert bob("PUT", "/pages/Tasks.Job", json={"objects": objects}).status_code == 201
    return bob


def test_a_task_says_how_it_stands(job: Call) -> None:
    task = job("GET", "/tasks/Tasks.Job").json
    assert (task["status"], task["executor"], task["log"]) == (
        "SUSPENDED", "Executors.None", "Tasks.Job.log")
    assert task["progress"] is task["last_run"] is task["last_sign_of_life"] is None
    items = job("GET", "/tasks?status=SUSPENDED").json["items"]
    assert task in items
    assert task not in job("GET", "/tasks?status=DONE").json["items"]
    assert task in job("GET", "/tasks?space=Tasks").json["items"]
    assert task not in job("GET", "/tasks?space=Books").json["items"]
    assert task["waiting"] is None
    counts = job("GET", "/tasks").json["counts"]
    assert counts.keys() == {"READY", "RUNNING", "DONE", "ERROR", "SUSPENDED"}
    assert counts["SUSPENDED"] >= 1
    assert "READY" in problem(job("GET", "/tasks?status=nope"), 400)["detail"]


def test_a_page_that_is_no_task_is_no_task(job: Call) -> None:
    job("PUT", "/pages/Books.Dune", json={})
    problem(job("GET", "/tasks/Books.Dune"), 404)
    problem(job("POST", "/tasks/Books.Dune/ready"), 404)


def test_a_task_is_made_ready_and_suspended(job: Call) -> None:
    ready = job("POST", "/tasks/Tasks.Job/ready").json
    assert ready["status"] == "READY"
    assert ready["waiting"] == {"position": None,
                                "reason": "its executor Executors.None does not exist"}
    assert job("POST", "/tasks/Tasks.Job/suspend").json["status"] == "SUSPENDED"
    problem(job("POST", "/tasks/Tasks.Job/cancel"), 409)


def test_the_manager_says_what_it_did(job: Call) -> None:
    job("POST", "/tasks/Tasks.Job/ready")
    done = job("POST", "/manager/invoke").json
    assert done.keys() == {"started", "skipped", "recovered", "running", "message"}
    assert "Tasks.Job" in done["skipped"]
    assert job("GET", "/tasks/Tasks.Job").json["status"] == "READY"


# -- logs --------------------------------------------------------------------------------------

LOG = "Tasks.Job.log"


def fill(site: Site, *messages: str) -> bytes:
    for message in messages:
        site.logs.append(LOG, "INFO", message)
    with site.logs.open_binary(LOG) as stream:
        return stream.read()


def test_a_log_is_read_from_an_offset(job: Call, site: Site) -> None:
    data = fill(site, *(f"line {number} é" for number in range(100)))
    whole = job("GET", f"/logs/{LOG}")
    assert (whole.data, whole.mimetype) == (data, "text/plain")
    assert (whole.headers["X-Log-Offset"], whole.headers["X-Log-Size"]) == ("0", str(len(data)))
    read, offset = b"", 0
    while offset < len(data):
        part = job("GET", f"/logs/{LOG}?offset={offset}&limit=100")
        assert len(part.data) <= 100
        part.data.decode()
        read, offset = read + part.data, int(part.headers["X-Log-End"])
    assert read == data


def test_a_logs_last_lines_and_its_matching_lines_are_given(job: Call, site: Site) -> None:
    data = fill(site, "one", "two", "three", "two again")
    tail = job("GET", f"/logs/{LOG}?lines=2")
    assert [line[-5:] for line in tail.text.splitlines()] == ["three", "again"]
    assert data[int(tail.headers["X-Log-Offset"]):] == tail.data
    found = job("GET", f"/logs/{LOG}?q=TWO")
    assert [line.partition(" - ")[2] for line in found.text.splitlines()] == ["two", "two again"]
    assert found.headers["X-Log-Size"] == str(len(data))


def test_a_task_that_never_ran_has_an_empty_log(job: Call) -> None:
    for query in ("", "?lines=5", "?q=x", "?offset=99"):
        empty = job("GET", f"/logs/{LOG}{query}")
        assert (empty.status_code, empty.data, empty.headers["X-Log-Size"]) == (200, b"", "0")


@pytest.mark.parametrize("name", [
    "Nope.log", "Tasks.Nope.log", "..", "%2e%2e%2fsecret_key", "%2Fetc%2Fpasswd", "a%00b.log",
    "..%5Csecret_key", "Tasks.Job", "Main.WebHome.log", "../secret_key", ".log",
    "%ed%a0%80.log", "Tasks/Job.log",
])
def test_a_name_of_no_log_is_not_found(job: Call, site: Site, name: str) -> None:
    fill(site, "hello")
    for method, rest in (("GET", ""), ("GET", "/stream"), ("POST", "/archive")):
        assert "no such log" in problem(job(method, f"/logs/{name}{rest}"), 404)["title"]


def test_a_log_is_archived_by_post_alone(job: Call, client: FlaskClient, site: Site) -> None:
    data = fill(site, "old")
    problem(job("GET", f"/logs/{LOG}/archive"), 405)
    problem(client.post(f"{API}/logs/{LOG}/archive"), 401)
    archive = job("POST", f"/logs/{LOG}/archive").json["archive"]
    assert re.fullmatch(r"Tasks\.Job-[\d-]+\.log", archive)
    assert job("GET", f"/logs/{archive}").data == data
    assert job("GET", f"/logs/{LOG}").data == b""


def test_a_stream_of_an_ended_task_sends_all_and_ends(job: Call, site: Site) -> None:
    data = fill(site, "one", "two\nmore")
    response = job("GET", f"/logs/{LOG}/stream")
    assert response.mimetype == "text/event-stream"
    lines = [line[6:] for line in response.text.split("\n") if line.startswith("data: [")]
    assert [line[-3:] for line in lines] == ["one", "two"]
    assert "data:   more\n" in response.text
    assert f"id: {len(data)}\n" in response.text
    assert response.text.endswith(f"event: end\nid: {len(data)}\ndata: SUSPENDED\n\n")


def test_a_stream_resumes_after_the_last_event(job: Call, site: Site) -> None:
    first = len(fill(site, "one"))
    fill(site, "two")
    path = f"/logs/{LOG}/stream"
    for response in (job("GET", path, headers={"Last-Event-ID": str(first)}),
                     job("GET", f"{path}?offset={first}"), job("GET", f"{path}?lines=1")):
        assert "two" in response.text
        assert "one" not in response.text


class Clock:
    """Time that passes when one waits; ``news`` happens at each wait."""

    def __init__(self, news: Callable[[], None] = lambda: None, stop_after: int = 10**9) -> None:
        self.now, self.waits, self.news, self.stop_after = 0.0, 0, news, stop_after

    def __call__(self) -> float:
        return self.now

    def is_set(self) -> bool:
        return self.waits >= self.stop_after

    def wait(self, timeout: float) -> bool:
        self.now += timeout
        self.waits += 1
        self.news()
        return self.is_set()


class Growing:
    """A log in memory, and the word with which its task ended."""

    def __init__(self) -> None:
        self.data, self.word = b"", ""

    def read(self, offset: int) -> LogPart:
        start = offset if offset <= len(self.data) else 0
        return LogPart(self.data[start:start + 65536], start, len(self.data))

    def events(self, clock: Clock, offset: int = 0) -> Iterator[str]:
        stream = LogStream(offset, self.read, lambda: self.word or None, clock, clock)
        return (event.decode() for event in stream.events())


def test_a_stream_follows_the_log_until_the_task_ends() -> None:
    log = Growing()

    def news() -> None:
        if clock.waits == 1:
            log.data += b"first\nhal"
        if clock.waits == 2:
            log.data += b"f\n"
        if clock.waits == 3:
            log.word = "DONE"
        if clock.waits == 4:
            log.data += b"last\n"  # a run's last line follows its status

    clock = Clock(news)
    assert list(log.events(clock)) == [
        "retry: 2000\n\n", "id: 6\ndata: first\n\n", "id: 11\ndata: half\n\n",
        "id: 16\ndata: last\n\n", "event: end\nid: 16\ndata: DONE\n\n"]


def test_a_silent_stream_says_that_it_lives_and_ends_with_the_server() -> None:
    events = list(Growing().events(Clock(stop_after=130)))
    assert events == ["retry: 2000\n\n", ": waiting\n\n", ": waiting\n\n"]


def test_a_stream_ends_when_nobody_listens(job: Call) -> None:
    job("POST", "/tasks/Tasks.Job/ready")  # or else the stream would end by itself
    ours, theirs = socket.socketpair()
    with ours, theirs:
        response = job("GET", f"/logs/{LOG}/stream", buffered=False,
                       environ_overrides={"werkzeug.socket": ours})
        events = response.iter_encoded()
        assert next(events).startswith(b"retry")
        theirs.close()
        assert list(events) == []
        response.close()


def test_streams_leave_threads_for_pages(job: Call, site: Site) -> None:
    open_ones = [job("GET", f"/logs/{LOG}/stream", buffered=False)
                 for _ in range(site.settings.threads // 2)]
    refused = job("GET", f"/logs/{LOG}/stream")
    problem(refused, 503)
    assert refused.headers["Retry-After"]
    for response in open_ones:
        response.close()
    again = job("GET", f"/logs/{LOG}/stream", buffered=False)
    assert again.status_code == 200
    again.close()


def test_a_stream_begins_anew_when_its_log_is_archived() -> None:
    log = Growing()
    log.data, log.word = b"new\n", "DONE"
    assert list(log.events(Clock(), offset=100))[1:3] == [
        "event: reset\nid: 0\ndata: 0\n\n", "id: 4\ndata: new\n\n"]


def test_a_line_of_any_length_comes_whole() -> None:
    log = Growing()
    log.data, log.word = b"x" * 200_000 + b"\n", "DONE"
    events = list(log.events(Clock()))
    assert "".join("".join(re.findall("x+", event)) for event in events) == "x" * 200_000
    assert events[-2].startswith("id: 200001\n")
    assert all("\ndata:   x" in event for event in events[2:-1])  # no piece is a line's begin


def test_a_log_of_many_blocks_is_never_cut_within_a_line() -> None:
    log = Growing()
    log.data, log.word = b"".join(b"%d %s\n" % (i, b"x" * 100) for i in range(3000)), "DONE"
    lines = re.findall("data: (.*)", "".join(list(log.events(Clock()))[:-1]))
    assert "\n".join(lines).encode() + b"\n" == log.data


def test_nothing_in_a_line_passes_for_another_line_or_event() -> None:
    forged = "a\rdata: b\u2028[2026-01-01 00:00:00.000] INFO - forged\x85\x0bevent: end"
    first, *rest = split_line(forged)
    assert first == "a"
    assert all(part.startswith("  ") for part in rest)
    log = Growing()
    log.data, log.word = format_message("OUT", forged) + forged.encode() + b"\r\n", "DONE"
    for event in list(log.events(Clock()))[1:-1]:
        assert event.splitlines() == event.split("\n")[:-1]
        assert all(line.startswith(("data: ", "id: ")) for line in event.splitlines() if line)


# -- who may -----------------------------------------------------------------------------------

def test_everybody_reads_and_only_users_write(client: FlaskClient) -> None:
    assert client.get(f"{API}/pages/Books.BookClass").status_code == 200
    for method, path in (("PUT", "/pages/A.B"), ("POST", "/manager/invoke"),
                         ("DELETE", "/pages/Books.BookClass"), ("PUT", "/pages/A.B/attachments/f"),
                         ("POST", "/tasks/A.B/ready")):
        refused = client.open(API + path, method=method, data=b"{}")
        problem(refused, 401)
        assert refused.headers["WWW-Authenticate"].startswith("Basic")


@pytest.mark.parametrize("header", [
    basic("Bob", "wrong")["Authorization"], basic("Nobody")["Authorization"], "Basic !!!",
    "Basic", "Bearer abc", "Digest x", ""])
def test_wrong_credentials_are_refused_even_for_reading(client: FlaskClient, header: str) -> None:
    refused = client.get(f"{API}/pages", headers={"Authorization": header})
    problem(refused, 401)
    assert refused.headers["WWW-Authenticate"].startswith("Basic")


def test_a_session_reads_and_writes_with_its_token_alone(client: FlaskClient) -> None:
    with client.session_transaction() as session:
        session.update(user="Users.Bob", token="t0ken",
                       stamp=client.application.extensions["wikimill"].accounts.stamp("Bob"))
    assert client.get(f"{API}/pages").status_code == 200
    problem(client.put(f"{API}/pages/A.B", json={}), 403)
    problem(client.put(f"{API}/pages/A.B", json={}, headers={"X-CSRF-Token": "wrong"}), 403)
    made = client.put(f"{API}/pages/A.B", json={}, headers={"X-CSRF-Token": "t0ken"})
    assert made.status_code == 201
    assert made.json is not None
    assert made.json["author"] == "Users.Bob"


@pytest.mark.parametrize("header", [
    {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"}, {"Origin": "null"}])
def test_another_sites_page_may_not_use_remembered_credentials(
        bob: Call, header: dict[str, str]) -> None:
    problem(bob("POST", "/manager/invoke", headers=header), 403)
    assert bob("GET", "/pages", headers=header).status_code == 200


def test_answers_stay_out_of_shared_caches(bob: Call) -> None:
    for path in ("/pages", "/pages/Books.BookClass", "/openapi.json"):
        response = bob("GET", path)
        assert "private" in response.headers["Cache-Control"]
        assert {"authorization", "cookie"} <= {name.lower() for name in response.vary}


def test_a_bug_is_told_to_the_log_and_not_to_the_caller(
        bob: Call, site: Site, monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("inner secret")

    monkeypatch.setattr(site.store, "find", broken)
    assert "secret" not in str(problem(bob("GET", "/search?q=x"), 500))
    assert "inner secret" in caplog.text


# -- the API itself ----------------------------------------------------------------------------

@pytest.mark.parametrize("path", ["/nope", "/pages/A/B", "/pages//A.B", "/pages/", "", "/"])
def test_an_address_of_nothing_is_a_problem_too(bob: Call, path: str) -> None:
    problem(bob("GET", path), 404)


def test_a_wrong_method_names_the_right_ones(bob: Call) -> None:
    response = bob("POST", "/pages/Books.Dune")
    problem(response, 405)
    assert {"GET", "PUT", "DELETE"} <= set(response.headers["Allow"].split(", "))


def test_head_answers_as_get_without_a_body(bob: Call) -> None:
    response = bob("HEAD", "/pages/Books.BookClass")
    assert (response.status_code, response.data) == (200, b"")
    assert response.headers["ETag"] == '"1.1"'


def test_every_route_is_described(client: FlaskClient, bob: Call) -> None:
    described = bob("GET", "/openapi.json").json
    assert described["openapi"].startswith("3.1")
    routes = {(re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule.removeprefix(API)), method.lower())
              for rule in client.application.url_map.iter_rules() if rule.rule.startswith(API)
              for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    assert routes == {(path, method) for path, methods in described["paths"].items()
                      for method in methods}
    assert len({operation.name for operation in OPERATIONS}) == len(OPERATIONS)


def test_every_schema_that_is_named_is_there(bob: Call) -> None:
    described = bob("GET", "/openapi.json").json
    for target in re.findall(r'"#/components/(\w+/\w+)"', json.dumps(described)):
        kind, name = target.split("/")
        assert name in described["components"][kind]


def test_a_read_whose_condition_fails_says_so_and_sends_nothing_else(bob: Call) -> None:
    bob("PUT", "/pages/Books.Dune", json={})
    bob("PUT", "/pages/Books.Dune/attachments/a.txt", data=b"a")
    for path in ("/pages/Books.Dune", "/pages/Books.Dune/attachments/a.txt"):
        answer = bob("GET", path, headers={"If-Match": '"another"'})
        assert answer.status_code == 412
        assert answer.mimetype == "application/problem+json"
        assert "If-Match" in answer.json["detail"]
