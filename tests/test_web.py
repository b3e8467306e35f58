"""The pages and forms, as a browser sees them."""

from __future__ import annotations

import html
import io
import re

import pytest
from conftest import PASSWORD, Browser
from flask.testing import FlaskClient

from wiki.api import Wiki
from wiki.model import Property
from wiki.site import Site
from wiki.web.session import safe_next


def make(wiki: Wiki, name: str = "Books.Dune", **fields: object) -> str:
    """A page, saved; returns its version."""
    fields.setdefault("title", "Dune")
    fields.setdefault("content", "A desert planet.")
    return str(wiki.new(name, **fields).save().record.version)


def make_class(wiki: Wiki) -> None:
    page = wiki.new("Books.BookClass")
    page.define_class(
        Property("year", "Number", "Year", options={"integer": True, "min": 0}),
        Property("genre", "StaticList", options={"values": ["novel", "poem"]}),
        Property("marks", "StaticList", options={"values": ["a", "b"], "multiple": True}),
        Property("secret", "Password"), Property("blurb", "TextArea"))
    page.save()


# -- reading ----------------------------------------------------------------------------------


def test_the_start_page_shows(guest: Browser) -> None:
    answer = guest.get("/")
    assert answer.status_code == 200
    assert "<h1" in answer.text


def test_a_page_shows_its_title_and_content(guest: Browser, wiki: Wiki) -> None:
    make(wiki, content="A *desert* planet.")
    text = guest.get("/Books.Dune").text
    assert "Dune</h1>" in text
    assert "<em>desert</em>" in text


def test_a_missing_page_is_404_and_offers_its_creation(guest: Browser) -> None:
    answer = guest.get("/Books.Nothing")
    assert answer.status_code == 404
    assert '"/Books.Nothing/edit"' in answer.text


@pytest.mark.parametrize("path", ["/A..B", "/A.", "/%20A.B", "/A%5Cx.B", "/A.%00b",
                                  "/A." + "x" * 300])
def test_a_name_that_cannot_be_is_refused_with_the_reason(guest: Browser, path: str) -> None:
    answer = guest.get(path)
    assert answer.status_code == 400
    assert "name" in answer.text or "backslash" in answer.text


def test_a_space_leads_to_its_home_page(guest: Browser, wiki: Wiki) -> None:
    make(wiki, "Books.WebHome")
    assert guest.get("/Books").headers["Location"].endswith("/Books.WebHome")
    assert guest.get("/Nowhere").status_code == 404


def test_a_space_without_home_page_lists_its_pages(guest: Browser, wiki: Wiki) -> None:
    make(wiki)
    answer = guest.get("/Books")
    assert answer.status_code == 200
    assert "/Books.Dune" in answer.text


def test_a_name_with_every_odd_character_can_be_linked_and_read(
        guest: Browser, wiki: Wiki) -> None:
    name = r"Books.Dr\. No? #1 <b>&\\%2e"
    make(wiki, name, title="")
    found = re.search(r'href="(/Books\.Dr[^"]+)"', guest.get("/index?space=Books").text)
    assert found
    answer = guest.get(html.unescape(found[1]))
    assert answer.status_code == 200
    assert "Dr. No? #1 &lt;b&gt;" in answer.text


def test_titles_and_names_are_escaped(admin: Browser, wiki: Wiki) -> None:
    evil = "<script>alert(1)</script>"
    make(wiki, title=evil, tags=[evil])
    for action in ("", "/edit", "/objects", "/class", "/history", "/attachments", "/source",
                   "/rename", "/delete", "/diff"):
        assert evil not in admin.get("/Books.Dune" + action).text
    assert evil not in admin.get("/search", query_string={"q": evil}).text
    assert evil not in admin.get("/index").text


def test_the_source_shows(guest: Browser, wiki: Wiki) -> None:
    make(wiki, content="A <b> & *c*")
    assert "A &lt;b&gt; &amp; *c*" in guest.get("/Books.Dune/source").text


def test_every_answer_has_the_headers_of_safety(guest: Browser) -> None:
    first, second = guest.get("/").headers, guest.get("/Books.Nothing").headers
    for headers in (first, second):
        policy = headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert "private" in headers["Cache-Control"]
    assert first["Content-Security-Policy"] != second["Content-Security-Policy"]


def test_no_page_has_script_or_style_within(admin: Browser, wiki: Wiki) -> None:
    make_class(wiki)
    make(wiki)
    for path in ("/", "/Books.Dune", "/Books.Dune/edit", "/Books.Dune/attachments", "/login",
                 "/Books.Dune/objects?class=Books.BookClass", "/Books.BookClass/class"):
        text = admin.get(path).text
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", text), path
        assert 'nonce="' in text


def test_health_metrics_and_the_small_files_answer(guest: Browser) -> None:
    assert guest.get("/healthz").json == {"status": "ok"}
    assert "wikimill_pages " in guest.get("/metrics").text
    assert guest.get("/favicon.ico").status_code == 200
    assert "User-agent" in guest.get("/robots.txt").text


# -- logging in -------------------------------------------------------------------------------


def test_one_logs_in_and_out(guest: Browser) -> None:
    assert guest.log_in().headers["Location"] == "/"
    assert "Log out" in guest.get("/").text
    guest.post("/logout")
    assert "Log out" not in guest.get("/").text


def test_a_wrong_password_is_refused(guest: Browser) -> None:
    answer = guest.log_in(password="wrong")
    assert answer.status_code == 401
    assert "wrong" in answer.text


def test_the_session_cookie_is_out_of_reach_of_scripts(guest: Browser) -> None:
    cookie = guest.log_in().headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example",
                                    "javascript:alert(1)", "", "/\t/evil.example"])
def test_login_leads_to_no_other_site(target: str) -> None:
    assert safe_next(target) == "/"


def test_login_leads_back_to_where_one_was(guest: Browser) -> None:
    assert guest.get("/Main.WebHome/edit").headers["Location"].startswith("/login?next=")
    answer = guest.post("/login", name="Admin", password=PASSWORD, next="/Main.WebHome/edit")
    assert answer.headers["Location"] == "/Main.WebHome/edit"


@pytest.mark.parametrize("path", [
    "/Books.Dune/edit", "/Books.Dune/objects", "/Books.Dune/class", "/Books.Dune/attachments",
    "/Books.Dune/rename", "/Books.Dune/delete", "/Books.Dune/task", "/logs/archive", "/login",
    "/logout", "/Books.Dune/history/1.1/revert", "/Books.Dune/attachments/a.txt/delete"])
def test_a_form_without_the_sessions_token_is_refused(
        admin: Browser, wiki: Wiki, path: str) -> None:
    make(wiki)
    for token in ({}, {"form_token": "wrong"}, {"form_token": "ü"}):
        answer = admin.client.post(path, data={"version": "1.1", "content": "x", **token})
        assert answer.status_code == 403
    assert wiki.get("Books.Dune").content == "A desert planet."


def test_another_sessions_token_is_refused(admin: Browser, client: FlaskClient,
                                           wiki: Wiki) -> None:
    make(wiki)
    foreign = Browser(client).token()
    answer = admin.client.post("/Books.Dune/delete", data={"version": "1.1",
                                                           "form_token": foreign})
    assert answer.status_code == 403
    assert "Books.Dune" in wiki


def test_a_guest_cannot_change_anything(guest: Browser, wiki: Wiki) -> None:
    make(wiki)
    for path in ("edit", "objects", "class", "attachments", "rename", "delete", "task"):
        assert guest.post(f"/Books.Dune/{path}", version="1.1").status_code == 403
    assert str(wiki.get("Books.Dune").version) == "1.1"


def test_the_session_of_a_user_who_is_no_more_is_a_guests(
        user: Browser, site: Site) -> None:
    for path in (site.settings.data / "accounts").iterdir():
        path.unlink()
    assert user.get("/Main.WebHome/edit").status_code == 302


# -- editing ----------------------------------------------------------------------------------


def test_a_page_is_made_and_changed(admin: Browser, wiki: Wiki) -> None:
    assert admin.get("/create?name=Books.Dune").headers["Location"] == "/Books.Dune/edit"
    answer = admin.post("/Books.Dune/edit", version="", title="Dune", content="One\r\ntwo",
                        tags="sand, spice", parent="WebHome", comment="first", hidden="1")
    assert answer.headers["Location"] == "/Books.Dune"
    page = wiki.get("Books.Dune")
    assert (page.title, page.content, page.tags) == ("Dune", "One\ntwo", ("sand", "spice"))
    assert (page.comment, page.hidden, page.author) == ("first", True, "Users.Admin")
    admin.post("/Books.Dune/edit", version="1.1", title="Dune", content="Three", minor="1")
    assert str(wiki.get("Books.Dune").version) == "1.2"


def test_a_preview_shows_the_text_and_saves_nothing(admin: Browser, wiki: Wiki) -> None:
    make(wiki)
    answer = admin.post("/Books.Dune/edit", version="1.1", title="Arrakis", action="preview",
                        content="Much *spice*", comment="why")
    assert "<em>spice</em>" in answer.text
    assert "Much *spice*" in answer.text
    assert 'value="why"' in answer.text
    assert wiki.get("Books.Dune").content == "A desert planet."


def test_the_editor_keeps_leading_newlines(admin: Browser, wiki: Wiki) -> None:
    make(wiki, content="\n\n    code")
    assert ">\n\n\n    code</textarea>" in admin.get("/Books.Dune/edit").text


def test_a_conflict_shows_both_versions_and_loses_neither(admin: Browser, wiki: Wiki) -> None:
    make(wiki)
    page = wiki.get("Books.Dune")
    page.content = "Their planet."
    page.save()
    answer = admin.post("/Books.Dune/edit", version="1.1", title="Dune", content="My planet.")
    assert answer.status_code == 409
    assert "Their planet." in answer.text
    assert "\nMy planet.</textarea>" in answer.text
    assert 'name="version" value="2.1"' in answer.text
    assert wiki.get("Books.Dune").content == "Their planet."
    admin.post("/Books.Dune/edit", version="2.1", title="Dune", content="My planet.")
    assert wiki.get("Books.Dune").content == "My planet."


def test_changes_that_do_not_touch_are_brought_together(admin: Browser, wiki: Wiki) -> None:
    make(wiki)
    page = wiki.get("Books.Dune")
    page.title = "Their title"
    page.save()
    answer = admin.post("/Books.Dune/edit", version="1.1", title="Dune", content="My planet.")
    assert answer.status_code == 302
    page = wiki.get("Books.Dune")
    assert (page.title, page.content) == ("Their title", "My planet.")


def test_two_who_create_the_same_page_are_in_conflict(admin: Browser, wiki: Wiki) -> None:
    make(wiki)
    answer = admin.post("/Books.Dune/edit", version="", title="", content="Mine")
    assert answer.status_code == 409
    assert "A desert planet." in answer.text
    assert "Mine</textarea>" in answer.text


def test_text_is_kept_when_the_page_was_deleted_meanwhile(admin: Browser, wiki: Wiki) -> None:
    make(wiki)
    wiki.delete("Books.Dune")
    answer = admin.post("/Books.Dune/edit", version="1.1", title="", content="Mine")
    assert answer.status_code == 409
    assert "Mine</textarea>" in answer.text


def test_a_wrong_parent_is_refused_and_the_text_kept(admin: Browser) -> None:
    answer = admin.post("/Books.Dune/edit", version="", content="Mine", parent="A..B")
    assert answer.status_code == 400
    assert "Mine</textarea>" in answer.text


def test_whoever_would_disarm_a_page_is_warned(user: Browser, wiki: Wiki) -> None:
    make(wiki, content="<<jinja>>{{ 1 }}<</jinja>>")
    assert "runs a script" in user.get("/Books.Dune/edit").text


def test_a_disarmed_page_says_so(user: Browser, guest: Browser, wiki: Wiki, site: Site) -> None:
    page = wiki.new("Books.Executor")
    page.add_object("TaskExecutorCode.TaskExecutorClass", name="x", script="pass")
    page.save()
    assert "Disarmed" not in guest.get("/Books.Executor").text
    theirs = site.wiki.as_user("Users.Jo").get("Books.Executor")
    executor = theirs.object("TaskExecutorCode.TaskExecutorClass")
    assert executor
    executor["script"] = "evil"
    theirs.save()
    assert "Disarmed" in guest.get("/Books.Executor").text


# -- objects and classes ----------------------------------------------------------------------


def test_an_object_is_added_filled_changed_and_removed(admin: Browser, wiki: Wiki) -> None:
    make_class(wiki)
    make(wiki)
    form = admin.post("/Books.Dune/objects", version="1.1", action="add",
                      add_class="Books.BookClass").text
    assert 'name="Books.BookClass[0].year"' in form
    answer = admin.post("/Books.Dune/objects", **{
        "version": "1.1", "object": "Books.BookClass[0]", "Books.BookClass[0].year": "1965",
        "Books.BookClass[0].genre": "novel", "Books.BookClass[0].marks": ["", "a", "b"],
        "Books.BookClass[0].secret": "melange", "Books.BookClass[0].blurb": "a\r\nb"})
    assert answer.status_code == 302
    book = wiki.get("Books.Dune").object("Books.BookClass")
    assert book
    assert dict(book.values) == {"year": 1965, "genre": "novel", "marks": ["a", "b"],
                                 "blurb": "a\nb"}
    form = admin.get("/Books.Dune/objects").text
    assert 'value="1965"' in form
    assert "melange" not in form
    assert "argon2" not in form
    admin.post("/Books.Dune/objects", **{
        "version": "2.1", "object": "Books.BookClass[0]", "Books.BookClass[0].secret": "",
        "Books.BookClass[0].year": "1966"})
    record = wiki.get("Books.Dune").record.object("Books.BookClass")
    assert record
    assert record.values["year"] == 1966
    assert "hash" in record.values["secret"]
    assert "leave empty to keep" in admin.get("/Books.Dune/objects").text
    added = admin.get("/Main.WebHome/objects?class=Books.BookClass").text
    assert 'type="password"' in added and "leave empty to keep" not in added
    assert record.values["genre"] == "novel"
    admin.post("/Books.Dune/objects", version="3.1")
    assert wiki.get("Books.Dune").objects() == []


def test_a_wrong_value_is_refused_beside_its_field_and_all_input_kept(
        admin: Browser, wiki: Wiki) -> None:
    make_class(wiki)
    make(wiki)
    answer = admin.post("/Books.Dune/objects", **{
        "version": "1.1", "object": "Books.BookClass[0]", "Books.BookClass[0].year": "soon",
        "Books.BookClass[0].genre": "opera", "Books.BookClass[0].blurb": "kept"})
    assert answer.status_code == 400
    assert "it takes a whole number of at least 0" in answer.text
    assert "it takes one of novel, poem" in answer.text
    assert 'value="soon"' in answer.text
    assert "<option selected>opera</option>" in answer.text
    assert "kept</textarea>" in answer.text
    assert str(wiki.get("Books.Dune").version) == "1.1"


def test_a_wrong_status_of_a_task_is_refused_with_what_is_allowed(
        admin: Browser, wiki: Wiki) -> None:
    make(wiki)
    answer = admin.post("/Books.Dune/objects", **{
        "version": "1.1", "object": "TaskExecutorCode.TaskClass[0]",
        "TaskExecutorCode.TaskClass[0].status": "SOON"})
    assert answer.status_code == 400
    assert "READY" in answer.text


def test_a_conflict_in_the_objects_keeps_what_was_typed(admin: Browser, wiki: Wiki) -> None:
    make_class(wiki)
    make(wiki)
    theirs = wiki.get("Books.Dune")
    theirs.add_object("Books.BookClass", blurb="theirs")
    theirs.save()
    answer = admin.post("/Books.Dune/objects", **{
        "version": "1.1", "object": "Books.BookClass[0]", "Books.BookClass[0].blurb": "mine"})
    assert answer.status_code == 409
    assert "mine</textarea>" in answer.text
    assert 'name="version" value="2.1"' in answer.text


def test_what_is_no_class_is_not_added(admin: Browser, wiki: Wiki) -> None:
    make(wiki)
    for name in ("Books.Nothing", "A..B", ""):
        assert admin.post("/Books.Dune/objects", version="1.1", action="add",
                          add_class=name).status_code == 400


# -- history ----------------------------------------------------------------------------------


def test_history_shows_what_changed_and_brings_it_back(admin: Browser, wiki: Wiki) -> None:
    make_class(wiki)
    make(wiki)
    page = wiki.get("Books.Dune")
    page.content, page.title = "A wet planet.", "Wet"
    page.add_object("Books.BookClass", year=1965, secret="melange")
    page.save(comment="more water")
    assert "more water" in admin.get("/Books.Dune/history").text
    for query in ("", "?from=1.1&to=2.1"):
        diff = admin.get("/Books.Dune/diff" + query).text
        assert "<del>A <mark>desert</mark> planet.</del>" in diff
        assert "<ins>A <mark>wet</mark> planet.</ins>" in diff
        assert "Books.BookClass[0].year" in diff
        assert "argon2" not in diff
    old = admin.get("/Books.Dune/history/1.1").text
    assert "A desert planet." in old
    answer = admin.post("/Books.Dune/history/1.1/revert", version="2.1")
    assert answer.status_code == 302
    assert wiki.get("Books.Dune").content == "A desert planet."
    assert str(wiki.get("Books.Dune").version) == "3.1"


@pytest.mark.parametrize("query", ["from=9.9&to=1.1", "from=x", "to=1"])
def test_a_version_that_is_not_there_is_refused(guest: Browser, wiki: Wiki, query: str) -> None:
    make(wiki)
    assert guest.get(f"/Books.Dune/diff?{query}").status_code in (400, 404)


# -- attachments ------------------------------------------------------------------------------


def attach(browser: Browser, *files: tuple[bytes, str]) -> None:
    streams = [(io.BytesIO(data), name) for data, name in files]
    answer = browser.post("/Books.Dune/attachments", file=streams)
    assert answer.status_code == 302


def test_files_are_attached_downloaded_and_deleted(admin: Browser, wiki: Wiki) -> None:
    make(wiki)
    attach(admin, (b"a;b", "a.csv"), (b"hello", "grüße 1.txt"))
    assert "grüße 1.txt" in admin.get("/Books.Dune/attachments").text
    answer = admin.get("/Books.Dune/attachments/a.csv")
    assert answer.data == b"a;b"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    admin.post("/Books.Dune/attachments/a.csv/delete")
    assert admin.get("/Books.Dune/attachments/a.csv").status_code == 404
    assert [item.filename for item in wiki.get("Books.Dune").attachments] == ["grüße 1.txt"]


def test_an_upload_by_script_answers_json(admin: Browser, wiki: Wiki) -> None:
    make(wiki)
    answer = admin.client.post(
        "/Books.Dune/attachments", data={"file": (io.BytesIO(b"x"), "a.txt")},
        headers={"Accept": "application/json", "X-CSRF-Token": admin.token()})
    assert answer.json == {"attached": ["a.txt"]}


def test_a_download_answers_ranges_and_what_one_has(admin: Browser, wiki: Wiki) -> None:
    make(wiki)
    attach(admin, (b"0123456789", "a.txt"))
    part = admin.get("/Books.Dune/attachments/a.txt", headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.data) == (206, b"234")
    whole = admin.get("/Books.Dune/attachments/a.txt")
    assert whole.headers["Content-Length"] == "10"
    again = admin.get("/Books.Dune/attachments/a.txt",
                      headers={"If-None-Match": whole.headers["ETag"]})
    assert again.status_code == 304
    beyond = admin.get("/Books.Dune/attachments/a.txt", headers={"Range": "bytes=20-"})
    assert beyond.status_code == 416


@pytest.mark.parametrize("name", ["a.html", "a.svg", "a.xml", "a.xhtml", "a.js", "a.unknown"])
def test_what_could_run_in_a_browser_is_a_download(
        admin: Browser, wiki: Wiki, name: str) -> None:
    make(wiki)
    attach(admin, (b"<script>alert(1)</script>", name))
    headers = admin.get(f"/Books.Dune/attachments/{name}").headers
    assert headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in headers["Content-Security-Policy"]


def test_a_picture_shows_in_place(admin: Browser, wiki: Wiki) -> None:
    make(wiki)
    attach(admin, (b"\x89PNG", "a.png"))
    disposition = admin.get("/Books.Dune/attachments/a.png").headers["Content-Disposition"]
    assert disposition.startswith("inline")


def test_a_file_above_the_limit_is_refused(admin: Browser, wiki: Wiki) -> None:
    make(wiki)
    wiki_limit = admin.client.application
    wiki_limit.config["MAX_CONTENT_LENGTH"] = 1000
    answer = admin.client.post(
        "/Books.Dune/attachments", data={"file": (io.BytesIO(b"x" * 5000), "a.txt")},
        headers={"X-CSRF-Token": admin.token()})
    assert answer.status_code == 413


# -- the whole page ---------------------------------------------------------------------------


def test_a_page_is_renamed_and_its_links_turned(admin: Browser, wiki: Wiki) -> None:
    make(wiki)
    make(wiki, "Books.List", content="See [[Books.Dune]].")
    assert "Turn the links" in admin.get("/Books.Dune/rename").text
    answer = admin.post("/Books.Dune/rename", name="Arrakis", links="1")
    assert answer.headers["Location"] == "/Books.Arrakis"
    assert "[[Books.Arrakis]]" in wiki.get("Books.List").content


def test_a_page_is_not_renamed_over_another(admin: Browser, wiki: Wiki) -> None:
    make(wiki)
    make(wiki, "Books.Other")
    for name, status in (("Books.Other", 409), ("A..B", 400), ("", 400)):
        assert admin.post("/Books.Dune/rename", name=name).status_code == status


def test_a_page_is_deleted_by_post_only(admin: Browser, wiki: Wiki) -> None:
    make(wiki)
    assert admin.get("/Books.Dune/delete").status_code == 200
    assert "Books.Dune" in wiki
    assert admin.post("/Books.Dune/delete", version="9.9").status_code == 409
    assert admin.post("/Books.Dune/delete", version="1.1").status_code == 302
    assert "Books.Dune" not in wiki


def test_search_finds_pages_and_marks_the_words(guest: Browser, wiki: Wiki) -> None:
    make(wiki, content="A desert planet with <b>spice</b>.")
    text = guest.get("/search?q=desert").text
    assert "/Books.Dune" in text
    assert "<mark>desert</mark>" in text
    assert "<b>spice" not in text
    for query in ("", "AND OR (", "x" * 5000):
        assert guest.get("/search", query_string={"q": query}).status_code == 200
    assert guest.get("/search", query_string={"q": '"'}).status_code == 400



# -- tasks and logs ---------------------------------------------------------------------------


def test_a_task_is_set_ready_by_post(admin: Browser, wiki: Wiki) -> None:
    page = wiki.new("Books.Task")
    page.add_object("TaskExecutorCode.TaskClass", status="SUSPENDED",
                    taskExecutor="Executors.ImportCSV")
    page.save()
    assert admin.post("/Books.Task/task", action="ready").status_code == 302
    task = wiki.get("Books.Task").object("TaskExecutorCode.TaskClass")
    assert task
    assert task["status"] == "READY"
    assert admin.post("/Books.Task/task", action="explode").status_code == 409


def test_a_log_is_archived_by_post_only(admin: Browser, site: Site) -> None:
    site.logs.append("Books.Task.log", "INFO", "hello")
    form = admin.get("/TaskExecutorCode.ArchiveLog?log=Books.Task.log").text
    assert 'action="/logs/archive"' in form
    assert admin.get("/logs/archive").status_code in (404, 405)
    assert site.logs.exists("Books.Task.log")
    assert admin.post("/logs/archive", log="Books.Task.log").status_code == 302
    assert not site.logs.exists("Books.Task.log")


@pytest.mark.parametrize("log", ["../secret_key", "/etc/passwd", "..", "a\x00.log", "", "No.log"])
def test_what_is_no_log_is_not_archived(admin: Browser, log: str) -> None:
    answer = admin.post("/logs/archive", log=log)
    assert answer.status_code == 404
    assert "There is no log" in answer.text


# -- the objects form beside a run, and who vouches for a script -------------------------------

PARAMETERS = "Executors.ImportCSVParameters"
RUN = "TaskExecutorCode.TaskRunClass"


def objects_form(version: str, **fields: str) -> dict[str, object]:
    keys = ["TaskExecutorCode.TaskClass[0]", f"{PARAMETERS}[0]"]
    return {"version": version, "object": keys, "action": "save",
            f"{keys[0]}.taskExecutor": "Executors.ImportCSV", f"{keys[0]}.status": "SUSPENDED",
            f"{keys[1]}.targetSpace": "Before", **fields}


def make_import(wiki: Wiki) -> None:
    page = wiki.new("Tasks.Form")
    page.add_object("TaskExecutorCode.TaskClass", taskExecutor="Executors.ImportCSV",
                    status="SUSPENDED")
    page.add_object(PARAMETERS, targetSpace="Before")
    page.save()


def test_a_run_beside_an_open_objects_form_is_kept_and_no_conflict(
        admin: Browser, wiki: Wiki) -> None:
    make_import(wiki)
    page = wiki.get("Tasks.Form")
    page.object("TaskExecutorCode.TaskClass")["status"] = "DONE"
    page.add_object(RUN, number=1, outcome="DONE")
    page.save()
    answer = admin.post("/Tasks.Form/objects", **objects_form(
        "1.1", **{f"{PARAMETERS}[0].targetSpace": "After"}))
    assert answer.status_code == 302
    page = wiki.get("Tasks.Form")
    assert page.object(PARAMETERS)["targetSpace"] == "After"
    assert page.object("TaskExecutorCode.TaskClass")["status"] == "DONE"
    assert page.object(RUN)["outcome"] == "DONE"


def test_the_same_object_changed_by_two_is_a_conflict_that_keeps_the_rest(
        admin: Browser, wiki: Wiki) -> None:
    make_import(wiki)
    page = wiki.get("Tasks.Form")
    page.object(PARAMETERS)["targetSpace"] = "Theirs"
    page.add_object(RUN, number=1, outcome="DONE")
    page.save()
    answer = admin.post("/Tasks.Form/objects", **objects_form(
        "1.1", **{f"{PARAMETERS}[0].targetSpace": "Mine"}))
    assert answer.status_code == 409
    assert "Theirs" in answer.text and "Mine" in answer.text
    assert f'value="{RUN}[0]"' in answer.text, "the new run would be lost by saving again"


def test_enter_beside_the_class_to_add_adds_it(admin: Browser, wiki: Wiki) -> None:
    wiki.new("Tasks.Enter").save()
    answer = admin.post("/Tasks.Enter/objects", version="1.1", action="save",
                        add_class="TaskExecutorCode.TaskClass")
    assert answer.status_code == 200
    assert "TaskExecutorCode.TaskClass[0]" in answer.text
    assert str(wiki.get("Tasks.Enter").version) == "1.1"


def test_saving_the_objects_of_a_disarmed_executor_arms_it(admin: Browser, wiki: Wiki) -> None:
    executor = "TaskExecutorCode.TaskExecutorClass"
    page = wiki.as_user("Users.Jo").new("Executors.Jos")
    page.add_object(executor, name="Jo's", script="def run(logger, wiki, task): pass")
    page.save()
    assert "Users.Jo" in admin.get("/Executors.Jos").text
    answer = admin.post("/Executors.Jos/objects", version="1.1", action="save",
                        object=[f"{executor}[0]"])
    assert answer.status_code == 302
    assert wiki.get("Executors.Jos").script_author == "Users.Admin"
