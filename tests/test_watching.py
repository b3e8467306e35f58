"""Watching and notifications: who hears of what, until when, and who else never does."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
from flask import Flask

from tests.conftest import PASSWORD, Browser
from wiki import watching as limits
from wiki.api import Wiki
from wiki.commenting import add
from wiki.errors import InvalidDocument
from wiki.news import Event
from wiki.references import Reference
from wiki.site import Site
from wiki.watching import Kind, Watching

ADMIN, JO = "Users.Admin", "Users.Jo"
PAGE = "Books.Dune"
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def wiki(site: Site) -> Wiki:
    """Admin's wiki, with a page that Admin made."""
    mine = site.wiki.as_user(ADMIN)
    mine.new(PAGE, title="Dune", content="Sand.").save()
    return mine


@pytest.fixture
def jo(site: Site, user: Browser) -> Wiki:
    """Jo's wiki, whose browser is ``user``."""
    return site.wiki.as_user(JO)


def edit(wiki: Wiki, name: str, content: str, comment: str = "") -> None:
    page = wiki.get(name)
    page.content = content
    page.save(comment=comment)


def news(site: Site, user: str = JO) -> list[tuple[Event, str, str]]:
    return [(item.event, str(item.page), item.author) for item in site.news.of(user)]


# -- what is news ------------------------------------------------------------------------------

def test_who_watches_a_page_hears_of_what_others_do_to_it(
        site: Site, wiki: Wiki, jo: Wiki) -> None:
    edit(wiki, PAGE, "Before.")
    site.watching.watch(JO, Kind.PAGE, PAGE)
    edit(wiki, PAGE, "After.", "why not")
    edit(jo, PAGE, "Jo's own.")
    add(wiki, PAGE, "Nice")
    add(jo, PAGE, "Thanks")
    assert news(site) == [(Event.COMMENTED, PAGE, ADMIN), (Event.EDITED, PAGE, ADMIN)]
    comment, changed = site.news.of(JO)
    assert (comment.text, comment.place) == ("Nice", "comment-0")
    assert changed.text == "why not"


def test_who_watches_a_space_hears_of_all_that_is_in_it_and_below(
        site: Site, wiki: Wiki, jo: Wiki) -> None:
    site.watching.watch(JO, Kind.SPACE, "Books")
    wiki.new("Books.Old.Emma").save()
    wiki.new("Bookshop.Till").save()
    wiki.delete(PAGE)
    assert news(site) == [(Event.DELETED, PAGE, ADMIN), (Event.MADE, "Books.Old.Emma", ADMIN)]


def test_what_one_made_is_watched_unless_one_does_not_want_it(
        site: Site, wiki: Wiki, jo: Wiki) -> None:
    jo.new("Jo.Notes").save()
    edit(wiki, "Jo.Notes", "Improved.")
    assert news(site) == [(Event.EDITED, "Jo.Notes", ADMIN)]
    site.watching.set_automatic(JO, False)
    assert news(site) == []
    site.watching.set_automatic(JO, True)
    site.watching.watch(JO, Kind.MUTED, "Jo.Notes")
    assert news(site) == []


def test_a_watched_page_is_still_watched_under_its_new_name(
        site: Site, wiki: Wiki, jo: Wiki) -> None:
    site.watching.watch(JO, Kind.PAGE, PAGE)
    wiki.get(PAGE).rename("Books.Arrakis")
    edit(wiki, "Books.Arrakis", "Moved.")
    assert [watch.name for watch in site.watching.of(JO)] == ["Books.Arrakis"]
    assert news(site) == [(Event.EDITED, "Books.Arrakis", ADMIN),
                          (Event.RENAMED, "Books.Arrakis", ADMIN)]


def test_a_mention_calls_also_who_does_not_watch(site: Site, wiki: Wiki, jo: Wiki) -> None:
    add(wiki, PAGE, "nobody's name")
    add(wiki, PAGE, "@Users.Jo, look")
    assert news(site) == [(Event.MENTIONED, PAGE, ADMIN)]


def test_the_end_of_a_run_is_news_and_its_saves_are_not(
        site: Site, wiki: Wiki, jo: Wiki) -> None:
    page = jo.new("T.Task")
    page.add_object("TaskExecutorCode.TaskClass", status="SUSPENDED",
                    taskExecutor="Executors.ImportCSV")
    page.save()
    task = site.wiki.get("T.Task")
    task.add_object("TaskExecutorCode.TaskRunClass", number=3, outcome="DONE",
                    started=datetime.now(UTC), finished=datetime.now(UTC))
    task.save(comment="Run 3 ended: DONE", minor=True)
    (item,) = site.news.of(JO)
    assert (item.event, item.text) == (Event.TASK, "Run 3 ended: DONE")


def test_news_is_read_up_to_what_was_shown_and_no_further(
        site: Site, wiki: Wiki, jo: Wiki) -> None:
    site.watching.watch(JO, Kind.PAGE, PAGE)
    edit(wiki, PAGE, "One.")
    shown = datetime.now(UTC)
    edit(wiki, PAGE, "Two.")
    assert site.news.unread(JO) == 2
    site.watching.mark_read(JO, shown)
    assert site.news.unread(JO) == 1
    site.watching.mark_read(JO, shown - timedelta(days=1))
    assert site.news.unread(JO) == 1
    site.watching.mark_read(JO, shown + timedelta(days=9))
    edit(wiki, PAGE, "Three.")
    assert site.news.unread(JO) == 1


# -- what is noted -----------------------------------------------------------------------------

def test_a_note_outlives_the_process_and_is_nobody_elses(site: Site) -> None:
    path = site.settings.data / "watching.db"
    site.watching.watch(JO, Kind.PAGE, PAGE)
    again = Watching(path)
    assert [(watch.kind, watch.name) for watch in again.of(JO)] == [(Kind.PAGE, PAGE)]
    assert again.of(ADMIN) == ()
    assert path.stat().st_mode & 0o077 == 0


def test_nobody_watches_more_than_can_be_looked_at(
        site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_WATCHES", 1)
    site.watching.watch(JO, Kind.PAGE, PAGE)
    with pytest.raises(InvalidDocument, match="watch a space"):
        site.watching.watch(JO, Kind.PAGE, "Books.Emma")
    site.watching.took_part(JO, Reference.parse("Books.Emma"))
    assert len(site.watching.of(JO)) == 1


# -- pages and forms ---------------------------------------------------------------------------

def test_forms_watch_a_page_and_a_space_and_stop(
        site: Site, wiki: Wiki, user: Browser) -> None:
    assert "You do not watch this page" in user.get(f"/{PAGE}/watch").text
    assert user.post(f"/{PAGE}/watch").status_code == 302
    assert "You watch this page." in user.get(f"/{PAGE}/watch").text
    user.post(f"/{PAGE}/watch", kind="space")
    assert user.post(f"/{PAGE}/watch", off="1", json="1").json == {"watching": "muted"}
    assert user.post(f"/{PAGE}/watch", kind="wiki").status_code == 400
    listed = user.get("/notifications").text
    assert listed.index(">muted<") < listed.index(">space<")
    gone = user.post("/notifications/unwatch", kind="space", name="Books")
    assert gone.status_code == 302
    assert user.post("/notifications/unwatch", kind="space", name="Books").status_code == 404


def test_who_comments_watches_from_then_on(site: Site, wiki: Wiki, user: Browser) -> None:
    user.post(f"/{PAGE}/comments", text="Hm")
    add(wiki, PAGE, "Indeed")
    assert news(site) == [(Event.COMMENTED, PAGE, ADMIN)]
    user.post(f"/{PAGE}/watch", off="1")
    site.watching.watch(JO, Kind.MUTED, PAGE)
    user.post(f"/{PAGE}/comments", text="Hm again")
    assert [watch.kind for watch in site.watching.of(JO)] == [Kind.MUTED]


def test_the_page_lists_news_and_marks_it_as_read(
        site: Site, wiki: Wiki, user: Browser) -> None:
    user.post(f"/{PAGE}/watch")
    add(wiki, PAGE, "<b>Look</b>")
    assert user.get(f"/notifications/state?page={PAGE}").json == {
        "unread": 1, "most": 100, "watching": "page"}
    page = user.get("/notifications").text
    assert f'href="/{PAGE}#comment-0"' in page
    assert "&lt;b&gt;Look" in page
    assert page.count('class="unread"') == 1
    until = re.search(r'name="until" value="([^"]+)"', page)
    assert until
    user.post("/notifications/read", until=until[1])
    assert user.get("/notifications").text.count('class="unread"') == 0
    assert user.get("/notifications/state").json["unread"] == 0
    assert user.post("/notifications/read", until="x").status_code == 400


def test_a_guest_has_no_notifications(wiki: Wiki, guest: Browser) -> None:
    assert guest.get("/notifications").status_code == 302
    assert guest.get("/notifications/state").json["unread"] == 0
    assert "watch-link" not in guest.get(f"/{PAGE}").text


def test_the_feed_opens_with_its_secret_until_that_is_ended(
        app: Flask, site: Site, wiki: Wiki, user: Browser, guest: Browser) -> None:
    user.post(f"/{PAGE}/watch")
    add(wiki, PAGE, "Look & see")
    shown = user.post("/notifications/feed").text
    path = re.search(r"(/notifications/feed/[\w-]+)", shown)
    assert path
    assert path[1] not in user.get("/notifications").text
    answer = guest.get(path[1])
    assert answer.mimetype == "application/atom+xml"
    (entry,) = ET.fromstring(answer.data).findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}title") == "Admin commented on Dune"
    assert entry.findtext(f"{ATOM}summary") == "Look & see"
    assert guest.get("/notifications/feed/wrong").status_code == 404
    user.post("/notifications/feed", revoke="1")
    assert guest.get(path[1]).status_code == 404


def test_a_users_page_shows_what_the_user_did(site: Site, user: Browser) -> None:
    jo = site.wiki.as_user(JO)
    jo.new("Jo.Notes", title="Jo's own notes").save()
    task = jo.new("Jo.Job", title="A job of Jo")
    task.add_object("TaskExecutorCode.TaskClass", status="SUSPENDED",
                    taskExecutor="Executors.ImportCSV")
    task.save()
    page = user.get(f"/{JO}").text
    assert page.count("Jo&#39;s own notes") == 1
    assert re.search(r'href="/Jo.Job">A job of Jo</a>: SUSPENDED', page)
    assert 'href="/notifications"' in page[page.index('class="content"'):]


# -- REST --------------------------------------------------------------------------------------

def test_rest_watches_lists_and_marks_as_read(site: Site, wiki: Wiki, user: Browser) -> None:
    headers = {"X-CSRF-Token": user.token()}
    url = "/api/v1/watches"
    assert user.client.put(f"{url}/page/{PAGE}", headers=headers).json["name"] == PAGE
    assert user.client.put(f"{url}/space/Books", headers=headers).json["kind"] == "space"
    assert user.client.put(f"{url}/page/No.Page", headers=headers).status_code == 404
    assert user.client.put(f"{url}/space/Nowhere", headers=headers).status_code == 400
    assert user.client.put(f"{url}/star/{PAGE}", headers=headers).status_code == 400
    assert [item["kind"] for item in user.get(url).json["items"]] == ["page", "space"]
    add(wiki, PAGE, "Look")
    answer = user.get("/api/v1/notifications").json
    assert answer["unread"] == 1
    assert (answer["items"][0]["event"], answer["items"][0]["unread"]) == ("commented", True)
    assert user.client.post("/api/v1/notifications/read", json={},
                            headers=headers).status_code == 204
    assert user.get("/api/v1/notifications").json["unread"] == 0
    assert user.client.delete(f"{url}/page/{PAGE}", headers=headers).status_code == 204
    assert user.client.delete(f"{url}/page/{PAGE}", headers=headers).status_code == 404


def test_rest_asks_a_guest_to_log_in(app: Flask, site: Site, guest: Browser) -> None:
    for path in ("watches", "notifications"):
        assert guest.get(f"/api/v1/{path}").status_code == 401
    site.add_user("Max", PASSWORD)
    answer = guest.client.get("/api/v1/watches", auth=("Max", PASSWORD))
    assert answer.json == {"items": [], "next_cursor": None}
