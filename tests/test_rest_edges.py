"""The edges of the JSON API: the caller's tokens and password, files moved and restored, and what
requests there are that nobody means well with."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from conftest import PASSWORD, Browser, Server, basic
from flask import Flask
from werkzeug.test import TestResponse

from wiki.accounts import MAX_FAILURES
from wiki.api import OpenDocument, Wiki
from wiki.site import Site
from wiki.tasks.log import MANAGER_LOG
from wiki.tokens import READ, WRITE
from wiki.web.rest import OPERATIONS, pages, saving

API = "/api/v1"
FILE = "/pages/Books.Dune/attachments/a.txt"
Call = Callable[..., TestResponse]


@pytest.fixture
def call(app: Flask, site: Site) -> Call:
    """Call the API as Jo, or with other headers."""
    site.add_user("Jo", PASSWORD)
    client = app.test_client()

    def made(method: str, path: str, headers: dict[str, str] | None = None,
             **more: Any) -> TestResponse:
        return client.open(API + path, method=method, headers={**basic("Jo"), **(headers or {})},
                           buffered=True, **more)
    return made


@pytest.fixture
def two(wiki: Wiki) -> Wiki:
    """Two pages, the first with a file in two versions."""
    wiki.new("Books.Emma").save()
    page = wiki.new("Books.Dune").save()
    for data in (b"first", b"second"):
        page.attach("a.txt", data)
        page.save()
    return wiki


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def names(wiki: Wiki, page: str) -> list[str]:
    return [item.filename for item in wiki.get(page).record.attachments]


def detail(response: TestResponse, status: int) -> str:
    assert response.status_code == status, response.text
    assert response.mimetype == "application/problem+json"
    return str(response.json["detail"])


# -- tokens ------------------------------------------------------------------------------------

def test_a_token_is_made_used_listed_and_ended(call: Call) -> None:
    made = call("POST", "/tokens", json={"name": "backup", "days": 2})
    assert made.status_code == 201
    assert made.headers["Cache-Control"] == "no-store"
    token = made.json
    secret = token.pop("token")
    assert (token["name"], token["scope"]) == ("backup", "read")
    held = datetime.fromisoformat(token["expires"]) - datetime.fromisoformat(token["created"])
    assert held.days == 2
    assert call("GET", "/pages", bearer(secret)).status_code == 200
    listed = call("GET", "/tokens").json["items"]
    assert [{**item, "used": None} for item in listed] == [token] and listed[0]["used"]
    assert call("DELETE", f"/tokens/{token['key']}").status_code == 204
    detail(call("GET", "/pages", bearer(secret)), 401)
    detail(call("DELETE", f"/tokens/{token['key']}"), 404)


def test_tokens_come_in_pages(call: Call, site: Site) -> None:
    for name in "abc":
        site.tokens.add("Jo", name)
    first = call("GET", "/tokens?limit=2").json
    rest = call("GET", f"/tokens?limit=2&cursor={first['next_cursor']}").json
    assert rest["next_cursor"] is None
    assert sorted(item["name"] for item in first["items"] + rest["items"]) == ["a", "b", "c"]


def test_a_token_makes_no_tokens_and_ends_those_of_its_user_alone(call: Call, site: Site) -> None:
    writer, reader = bearer(site.tokens.add("Jo", "w", WRITE)), bearer(site.tokens.add("Jo", "r"))
    site.tokens.add("Admin", "another's")
    assert "Basic" in detail(call("POST", "/tokens", writer, json={"name": "x"}), 403)
    assert {item["name"] for item in call("GET", "/tokens", reader).json["items"]} == {"w", "r"}
    own = {token.name: token.key for token in site.tokens.of("Jo")}
    [other] = site.tokens.of("Admin")
    detail(call("DELETE", f"/tokens/{own['r']}", reader), 403)
    detail(call("DELETE", f"/tokens/{other.key}", writer), 404)
    assert call("DELETE", f"/tokens/{own['r']}", writer).status_code == 204
    assert [token.name for token in site.tokens.of("Jo")] == ["w"]


@pytest.mark.parametrize(("body", "says"), [
    ({}, "name"), ({"name": 3}, "name"), ({"name": "a\0b"}, "printable"),
    ({"name": "x" * 101}, "100"), ({"name": "x", "scope": "all"}, "read or write"),
    ({"name": "x", "scope": None}, "scope"), ({"name": "x", "days": 0}, "1 to"),
    ({"name": "x", "days": True}, "whole number"), ({"name": "x", "days": 1.5}, "whole number"),
    ({"name": "x", "days": 10**300}, "3650"), ({"name": "x", "until": 1}, "days, name, scope")])
def test_a_token_that_cannot_be_is_refused(call: Call, site: Site, body: dict[str, Any],
                                           says: str) -> None:
    assert says in detail(call("POST", "/tokens", json=body), 400)
    assert site.tokens.of("Jo") == []


def test_guests_have_no_tokens_and_are_told_of_both_ways_in(guest: Browser) -> None:
    for path in ("tokens", "watches"):
        told = detail(guest.get(f"{API}/{path}"), 401)
        assert "Bearer" in told and "Basic" in told


# -- files -------------------------------------------------------------------------------------

def test_a_file_is_moved_copied_and_renamed(call: Call, two: Wiki) -> None:
    moved = call("POST", f"{FILE}/move", json={"page": "Emma", "name": "b.md"})
    assert (moved.status_code, moved.json["mimetype"]) == (201, "text/markdown")
    assert moved.headers["Location"].endswith("/pages/Books.Emma/attachments/b.md")
    assert (names(two, "Books.Dune"), names(two, "Books.Emma")) == ([], ["b.md"])
    there = "/pages/Books.Emma/attachments/b.md"
    copied = call("POST", f"{there}/copy", json={"page": "Books.Dune"})
    assert call("GET", "/pages/Books.Dune/attachments/b.md").data == b"second"
    assert copied.headers["ETag"] == moved.headers["ETag"]
    assert call("POST", f"{there}/move", json={"name": "c.md"}).status_code == 201
    assert names(two, "Books.Emma") == ["c.md"]


def test_a_file_replaces_another_only_if_told(call: Call, two: Wiki) -> None:
    call("PUT", "/pages/Books.Emma/attachments/a.txt", data=b"Emma's")
    detail(call("POST", f"{FILE}/move", json={"page": "Books.Emma"}), 409)
    assert two.get("Books.Emma").attachment("a.txt").record.size == len(b"Emma's")
    done = call("POST", f"{FILE}/move", json={"page": "Books.Emma", "over": True})
    assert (done.status_code, names(two, "Books.Dune")) == (200, [])
    assert call("GET", "/pages/Books.Emma/attachments/a.txt").data == b"second"


@pytest.mark.parametrize(("body", "status"), [
    ({}, 400), ({"page": "Books.None"}, 404), ({"page": "a..b"}, 400), ({"page": None}, 400),
    ({"name": "a/b"}, 400), ({"name": ""}, 400), ({"name": "a\0b"}, 400),
    ({"page": "Books.Emma", "over": "yes"}, 400), ({"pages": "Books.Emma"}, 400)])
def test_a_move_to_nowhere_moves_nothing(call: Call, two: Wiki, body: dict[str, Any],
                                         status: int) -> None:
    detail(call("POST", f"{FILE}/move", json=body), status)
    assert (names(two, "Books.Dune"), names(two, "Books.Emma")) == (["a.txt"], [])


def test_a_file_is_moved_only_where_its_etag_fits(call: Call, two: Wiki) -> None:
    stale = {"If-Match": '"another"'}
    detail(call("POST", f"{FILE}/move", stale, json={"page": "Books.Emma"}), 412)
    detail(call("POST", f"{FILE}/versions/2.1/restore", stale), 412)
    assert names(two, "Books.Dune") == ["a.txt"]
    fits = {"If-Match": call("GET", FILE).headers["ETag"]}
    assert call("POST", f"{FILE}/versions/2.1/restore", fits).status_code == 200
    assert call("GET", FILE).data == b"first"


def test_a_deleted_file_is_restored(call: Call, two: Wiki) -> None:
    assert call("DELETE", FILE).status_code == 204
    back = call("POST", f"{FILE}/versions/2.1/restore")
    assert (back.status_code, back.json["size"]) == (201, len(b"first"))
    assert two.get("Books.Dune").record.author == "Users.Jo"
    detail(call("POST", f"{FILE}/versions/9.1/restore"), 404)
    detail(call("POST", f"{FILE}/versions/x/restore"), 400)
    detail(call("POST", "/pages/Books.Dune/attachments/none.txt/versions/2.1/restore"), 404)


# -- watches -----------------------------------------------------------------------------------

def test_a_watch_is_found_however_its_name_is_written_and_after_its_page(call: Call,
                                                                         two: Wiki) -> None:
    for kind, name in (("page", "Books.Emma.WebHome"), ("space", "Books")):
        two.get_or_new("Books.Emma.WebHome").save()
        put = call("PUT", f"/watches/{kind}/{name}")
        assert put.status_code == 200
        two.delete("Books.Emma.WebHome")
        assert call("DELETE", f"/watches/{kind}/{name}").status_code == 204
    assert call("GET", "/watches").json["items"] == []


# -- the password ------------------------------------------------------------------------------

def change(browser: Browser, current: str, new: str, again: str | None = None) -> TestResponse:
    return browser.post("/password", current=current, new=new,
                        again=new if again is None else again)


def test_a_new_password_ends_all_but_this_session(user: Browser, app: Flask, site: Site) -> None:
    other = Browser(app.test_client())
    other.log_in("Jo")
    secret = site.tokens.add("Jo", "script", READ)
    assert 'href="/password"' in user.get("/Main.WebHome").text
    answer = change(user, PASSWORD, "another one")
    assert (answer.status_code, answer.location) == (302, "/password")
    assert "is changed" in user.get("/password").text
    assert other.get("/password").status_code == 302
    assert user.client.get(f"{API}/pages", headers=bearer(secret)).status_code == 401
    assert other.log_in("Jo").status_code == 401
    assert other.log_in("Jo", "another one").status_code == 302


@pytest.mark.parametrize(("current", "new", "again", "status", "says"), [
    ("wrong", "new one", "new one", 403, "not your current"),
    (PASSWORD, "new one", "new two", 400, "differ"), (PASSWORD, "", "", 400, "1 to 1000"),
    (PASSWORD, "x" * 1001, "x" * 1001, 400, "1 to 1000")])
def test_a_password_that_cannot_be_changes_nothing(
        user: Browser, site: Site, current: str, new: str, again: str, status: int,
        says: str) -> None:
    answer = change(user, current, new, again)
    assert answer.status_code == status and says in answer.text
    assert user.get("/password").status_code == 200
    assert site.accounts.verify("Jo", PASSWORD) == "Users.Jo"


def test_the_current_password_cannot_be_guessed_here(user: Browser) -> None:
    for _ in range(MAX_FAILURES):
        assert change(user, "wrong", "new one").status_code == 403
    refused = change(user, PASSWORD, "new one")
    assert refused.status_code == 403 and "too many" in refused.text


def test_a_password_is_no_guests_and_changes_by_our_form_alone(guest: Browser,
                                                               user: Browser) -> None:
    assert guest.get("/password").location == "/login?next=/password"
    assert change(guest, PASSWORD, "new one").status_code == 403
    assert user.client.post("/password", data={"current": PASSWORD, "new": "x",
                                               "again": "x"}).status_code == 403


# -- requests of all kinds ---------------------------------------------------------------------

READS = sorted({operation.rule for operation in OPERATIONS if operation.method == "GET"
                and "<" not in operation.rule})


@pytest.mark.parametrize("rule", READS)
def test_an_address_answers_head_and_names_its_methods(call: Call, rule: str) -> None:
    asked, head = call("GET", rule), call("HEAD", rule)
    assert (head.status_code, head.data, head.mimetype) == (asked.status_code, b"", asked.mimetype)
    wrong = call("PATCH", rule)
    detail(wrong, 405)
    there = {operation.method for operation in OPERATIONS if operation.rule == rule}
    assert there <= set(wrong.headers["Allow"].split(", "))


@pytest.mark.parametrize("rule", [
    operation.rule for operation in OPERATIONS if "cursor" in operation.query
    and "<" not in operation.rule])
@pytest.mark.parametrize("cursor", ["%00", "%FF", "bnVsbA", "W10", "W1tdLFtdXQ", "!", "x" * 5000,
                                    "WyJvZmZzZXQiLDFlOTk5XQ", "WyJvZmZzZXQiLC0xXQ"])
def test_a_cursor_of_no_list_is_refused(call: Call, rule: str, cursor: str) -> None:
    assert "cursor" in detail(call("GET", f"{rule}?q=a&class=Wiki.UserClass&cursor={cursor}"), 400)


@pytest.mark.parametrize("path", [
    "/pages/A.%00", "/pages/%00", "/pages/Books.Dune/attachments/%00",
    "/pages/Books.Dune/attachments/a%00b/versions", "/pages/Books.Dune/revisions/%00",
    "/pages/Books.Dune/objects/A.%00/0", "/pages?prefix=%00", "/pages?space=%00",
    "/pages?class=A.%00", "/search?q=%00", "/search?q=a&space=%00", "/search?q=a&author=%00",
    "/query?class=A.%00", "/query?class=Wiki.UserClass&name=%00", "/tasks?status=%00",
    "/tasks/A.%00", "/logs/%00", "/logs/TaskExecutorManagerJob.log?q=%00",
    "/pages?%00=1", "/pages/A.%FF", "/search?q=%ED%A0%80", "/pages?prefix=%ED%A0%80"])
def test_a_null_byte_or_half_a_character_harms_nothing(call: Call, two: Wiki, path: str) -> None:
    answer = call("GET", path)
    assert answer.status_code in (200, 400, 404), answer.text
    if answer.status_code != 200:
        assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize("field", ["title", "content", "comment", "parent"])
def test_a_null_byte_in_a_field_is_refused_or_kept(call: Call, field: str) -> None:
    answer = call("PUT", "/pages/A.B", json={field: "a\0b"})
    assert answer.status_code in (201, 400), answer.text
    if answer.status_code == 201:
        assert call("GET", "/pages/A.B").json[field] == answer.json[field]


BODIES = [(operation.method, operation.rule) for operation in OPERATIONS
          if operation.body not in ("", "bytes", "text")]


@pytest.mark.parametrize(("method", "rule"), BODIES)
def test_a_body_says_which_field_there_is_not(call: Call, two: Wiki, method: str,
                                              rule: str) -> None:
    call("POST", "/pages/Books.Dune/objects", json={"class": "A.B"})
    call("POST", "/pages/Books.Dune/comments", json={"text": "x"})
    path = rule.replace("<filename>", "a.txt").replace("<class_name>", "A.B").replace(
        "<int:number>", "0").replace("<key>", "k").replace("<ref>", "Books.Dune")
    told = detail(call(method, path, json={"no such field": 1}), 400)
    assert "'no such field'" in told and "there are" in told
    detail(call(method, path, data=b"[" * 100_000), 400)
    detail(call(method, path, data=b'{"a": NaN}'), 400)


@pytest.mark.parametrize(("media", "status"), [
    ("text/plain", 415), ("application/xml", 415), ("multipart/form-data; boundary=x", 415),
    ("application/json; charset=utf-8", 201), ("application/vnd.api+json", 201), ("", 201),
    ("application/x-www-form-urlencoded", 201),  # as curl -d says
])
def test_a_body_that_says_it_is_no_json_is_refused(call: Call, media: str, status: int) -> None:
    answer = call("PUT", "/pages/A.B", data=b'{"title": "x"}', content_type=media)
    assert answer.status_code == status
    if status == 415:
        assert "application/json" in detail(answer, 415)
        detail(call("GET", "/pages/A.B"), 404)


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded"])
def test_a_form_of_another_site_writes_nothing(admin: Browser, wiki: Wiki, media: str) -> None:
    for headers in ({}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        refused = admin.client.put(f"{API}/pages/A.B", data=b'{"title": "x"}',
                                   content_type=media, headers=headers)
        assert refused.status_code == 403
    assert "A.B" not in wiki


@pytest.mark.parametrize(("path", "body", "there"), [
    ("/pages/Books.Dune", {"objects": [{"class": "A.B", "propertys": {}}]}, "properties"),
    ("/pages/Books.Dune", {"class": {"properties": [], "sheet": "x"}}, "properties"),
    ("/pages/Books.Dune", {"class": {"properties": [{"name": "a", "type": "Number", "mox": 1}]}},
     "max"),
])
def test_what_stands_within_a_body_is_as_strict(call: Call, two: Wiki, path: str,
                                                body: dict[str, Any], there: str) -> None:
    assert there in detail(call("PUT", path, json=body), 400)


def test_a_parameter_that_is_needed_is_told_of(call: Call) -> None:
    assert "q is needed" in detail(call("GET", "/search"), 400)


# -- looking through --------------------------------------------------------------------------

def items_of(call: Call, path: str) -> list[dict[str, Any]]:
    """All items of a list, one a page."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        answer = call("GET", f"{path}{'&' if '?' in path else '?'}limit=1&cursor={cursor}").json
        assert answer is not None and len(answer["items"]) <= 1
        found += answer["items"]
        if (cursor := answer["next_cursor"]) is None:
            return found


def test_changes_are_told_newest_first(call: Call, two: Wiki) -> None:
    two.get("Books.Emma").delete()
    found = items_of(call, "/changes?space=Books&author=Users.Admin")
    assert [(one["reference"], one["kind"], one["version"]) for one in found] == [
        ("Books.Emma", "deleted", "1.1"), ("Books.Dune", "edited", "3.1"),
        ("Books.Dune", "edited", "2.1"), ("Books.Dune", "created", "1.1")]
    assert found[1]["previous"] == "2.1" and found[-1]["previous"] is None
    assert items_of(call, "/changes?author=Users.Jo&space=Books") == []


def test_spaces_tags_and_children_are_listed(call: Call, two: Wiki) -> None:
    for name, tag in (("Books.Dune", "novel"), ("Books.Emma", "classic"), ("Books.Ubik", "novel")):
        page = two.get_or_new(name)
        page.tags, page.parent = (tag,), "Books.Dune" if name != "Books.Dune" else ""
        page.save()
    assert {"space": "Books", "pages": 3} in items_of(call, "/spaces")
    tags = {one["tag"]: one["pages"] for one in items_of(call, "/tags")}
    assert tags["novel"] == 2 and tags["classic"] == 1 and list(tags) == sorted(tags)
    assert items_of(call, "/pages/Books.Dune/children") == [
        {"reference": "Books.Emma", "title": "Emma", "there": True, "children": False},
        {"reference": "Books.Ubik", "title": "Ubik", "there": True, "children": False}]


# -- somebody is faster ------------------------------------------------------------------------

@pytest.mark.parametrize(("method", "path", "body"), [
    ("POST", "/pages/Books.Dune/move", {"name": "Books.Moved"}),
    ("POST", "/pages/Books.Dune/copy", {"name": "Books.Moved"}),
    ("DELETE", "/pages/Books.Dune", None),
    ("PUT", "/pages/Books.Dune", {"title": "Mine"}),
])
@pytest.mark.parametrize(("headers", "status"), [({"If-Match": '"3.1"'}, 412), ({}, 409)])
def test_a_page_that_is_saved_in_the_same_moment_is_left_alone(
        call: Call, two: Wiki, monkeypatch: pytest.MonkeyPatch, method: str, path: str,
        body: dict[str, Any] | None, headers: dict[str, str], status: int) -> None:
    check = saving.check_page

    def slow(document: OpenDocument) -> None:
        """Between the check and the change somebody else saves."""
        check(document)
        other = two.get("Books.Dune")
        other.title = "Theirs"
        other.save()

    monkeypatch.setattr(pages, "check_page", slow)
    detail(call(method, path, json=body, headers={**headers, **basic("Admin")}), status)
    assert two.get("Books.Dune").title == "Theirs"
    assert "Books.Moved" not in two


# -- streams -----------------------------------------------------------------------------------

def test_a_stream_makes_room_when_its_listener_goes(app: Flask, site: Site) -> None:
    path = f"{API}/logs/{MANAGER_LOG}/stream"
    site.logs.append(MANAGER_LOG, "INFO", "something happens")
    listening = []
    while (answer := app.test_client().get(path, headers=basic("Admin"))).status_code == 200:
        assert answer.mimetype == "text/event-stream"
        assert b"retry:" in next(answer.iter_encoded())
        listening.append(answer)
        assert len(listening) < 1000
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    answer.close()
    listening.pop().close()
    with app.test_client().get(path, headers=basic("Admin")) as again:
        assert again.status_code == 200
    for one in listening:
        one.close()


@pytest.mark.parametrize(("log", "query", "status"), [
    ("Tasks.None.log", "", 404), (MANAGER_LOG, "format=json", 400), (MANAGER_LOG, "offset=x", 400),
    (MANAGER_LOG, "lines=-1", 400), (MANAGER_LOG, "nope=1", 400),
])
def test_a_stream_that_cannot_be_says_why(call: Call, log: str, query: str, status: int) -> None:
    detail(call("GET", f"/logs/{log}/stream?{query}"), status)


# -- a real server -----------------------------------------------------------------------------

@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that starts after this takes but small files."""
    monkeypatch.setenv("WIKIMILL_UPLOAD_LIMIT", "300000")


@pytest.fixture
def connection(small: None, server: Server) -> Iterator[http.client.HTTPConnection]:
    opened = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    yield opened
    opened.close()


def test_a_body_in_chunks_is_kept_whole_and_limited(
        connection: http.client.HTTPConnection) -> None:
    def put(path: str, blocks: list[bytes]) -> tuple[int, bytes]:
        connection.request("PUT", API + path, iter(blocks), basic("Admin"), encode_chunked=True)
        answer = connection.getresponse()
        return answer.status, answer.read()

    assert put("/pages/A.B", [b'{"title":', b' "in chunks"}'])[0] == 201
    status, told = put("/pages/A.B/attachments/a.bin", [b"x" * 70_000] * 3)
    assert (status, json.loads(told)["size"]) == (201, 210_000)
    # Little is left to send at the refusal: who goes on sending may not hear of it.
    for path, blocks in (("/pages/A.B", 14), ("/pages/A.B/attachments/b.bin", 4)):
        status, told = put(path, [b" " * 100_000] * blocks)
        assert (status, json.loads(told)["status"]) == (413, 413)
