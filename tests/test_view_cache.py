"""Kept views: what changes is seen at once, and nobody gets what is another's."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Browser
from flask import Flask
from werkzeug.test import TestResponse

from wiki.api import Wiki
from wiki.model import Document
from wiki.rendering.renderer import Rendering, RenderRequest
from wiki.site import Site
from wiki.store import Store, open_store
from wiki.store.shadow import ShadowStore
from wiki.web.viewcache import KNOWN_SECONDS, Entry, Key, ViewCache, Visitor, Visitors

PAGE = "/Books.Dune"
SAVE = """
import sys
from pathlib import Path
from wiki.api import Wiki
from wiki.store import open_store
store = open_store(Path(sys.argv[1]))
page = Wiki(store, "Users.Admin").get("Books.Dune")
page.content = "Saved by another process."
page.save()
store.close()
"""


@pytest.fixture
def rendered(site: Site, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The pages that the site renders, as it does so."""
    pages: list[str] = []
    render: Callable[[Document, RenderRequest], Rendering] = site.renderer.render

    def noting(document: Document, request: RenderRequest) -> Rendering:
        pages.append(str(document.reference))
        return render(document, request)

    monkeypatch.setattr(site.renderer, "render", noting)
    return pages


@pytest.fixture(autouse=True)
def dune(wiki: Wiki) -> None:
    wiki.new("Books.Dune", title="Dune", content="A *desert* planet.").save()


def save(wiki: Wiki, content: str, name: str = "Books.Dune") -> None:
    page = wiki.get(name)
    page.content = content
    page.save()


def token_of(answer: TestResponse) -> str:
    found = re.search(r'name="csrf-token" content="([^"]*)"', answer.text)
    assert found
    return found[1]


# -- what is kept, and until when -------------------------------------------------------------


def test_a_page_is_rendered_once_while_nothing_changes(guest: Browser,
                                                       rendered: list[str]) -> None:
    answers = [guest.get(PAGE) for _ in range(3)]
    assert rendered == ["Books.Dune"]
    assert all("<em>desert</em>" in answer.text for answer in answers)


def test_a_save_is_seen_at_once(guest: Browser, wiki: Wiki) -> None:
    for number in range(5):
        save(wiki, f"State {number}.")
        assert f"State {number}." in guest.get(PAGE).text
        assert f"State {number}." in guest.get(PAGE).text


def test_a_save_by_another_process_is_seen_at_once(guest: Browser, site: Site) -> None:
    assert "desert" in guest.get(PAGE).text
    subprocess.run([sys.executable, "-c", SAVE, str(site.settings.data)], check=True)
    assert "Saved by another process." in guest.get(PAGE).text


def test_a_deletion_and_a_move_are_seen_at_once(guest: Browser, wiki: Wiki) -> None:
    assert guest.get(PAGE).status_code == 200
    wiki.get("Books.Dune").rename("Books.Arrakis")
    assert guest.get(PAGE).status_code == 404
    assert guest.get("/Books.Arrakis").status_code == 200
    wiki.get("Books.Arrakis").delete()
    assert guest.get("/Books.Arrakis").status_code == 404


def test_what_a_page_shows_of_others_is_seen_at_once(guest: Browser, wiki: Wiki) -> None:
    save(wiki, "See [[Books.Next]].")
    assert "/Books.Next/edit" in guest.get(PAGE).text
    wiki.new("Books.Next", content="It links to [[Books.Dune]].").save()
    text = guest.get(PAGE).text
    assert "/Books.Next/edit" not in text
    assert "1 page links here" in text


def test_a_batch_is_seen_when_it_ends(guest: Browser, wiki: Wiki) -> None:
    guest.get(PAGE)
    with wiki.batch():
        save(wiki, "In a batch.")
        assert "desert" in guest.get(PAGE).text or "In a batch." in guest.get(PAGE).text
    assert "In a batch." in guest.get(PAGE).text


def test_each_query_has_its_own_page(guest: Browser, wiki: Wiki) -> None:
    save(wiki, "<<jinja>>Asked for {{ request.args.get('q', 'nothing') }}.<</jinja>>")
    for _ in range(2):
        assert "Asked for nothing." in guest.get(PAGE).text
        assert "Asked for spice." in guest.get(f"{PAGE}?q=spice").text


def test_a_page_that_says_it_changes_is_not_kept(guest: Browser, wiki: Wiki,
                                                 rendered: list[str]) -> None:
    save(wiki, '<<showlog log="Tasks.ImportCountries.log"/>>')
    answers = [guest.get(PAGE) for _ in range(3)]
    assert len(rendered) == 3
    assert not any("ETag" in answer.headers for answer in answers)


def test_a_page_that_cannot_be_shown_is_not_kept(guest: Browser, wiki: Wiki) -> None:
    assert guest.get("/Books.Later").status_code == 404
    wiki.new("Books.Later", content="There now.").save()
    assert "There now." in guest.get("/Books.Later").text


# -- whose it is ------------------------------------------------------------------------------


def test_two_users_and_a_guest_have_their_own(guest: Browser, admin: Browser,
                                              user: Browser) -> None:
    for _ in range(3):
        assert "Log in" in guest.get(PAGE).text
        assert "/Users.Admin" in admin.get(PAGE).text
        jo = user.get(PAGE).text
        assert "/Users.Jo" in jo and "/Books.Dune/delete" not in jo


def test_two_sessions_of_a_user_have_their_own_tokens(app: Flask, admin: Browser) -> None:
    other = Browser(app.test_client())
    other.log_in()
    tokens = {token_of(browser.get(PAGE)) for browser in (admin, other) for _ in range(3)}
    assert len(tokens) == 2 and "" not in tokens
    assert token_of(admin.get(PAGE)) == admin.token()


def test_a_login_and_a_logout_are_seen_at_once(guest: Browser) -> None:
    for _ in range(2):
        assert "Log out" not in guest.get(PAGE).text
    guest.log_in()
    for _ in range(2):
        assert "Log out" in guest.get(PAGE).text
    guest.client.post("/logout", data={"form_token": guest.token()})
    flashed = guest.get(PAGE).text
    assert "You are logged out." in flashed and "Log out" not in flashed
    assert "You are logged out." not in guest.get(PAGE).text


def test_a_message_goes_to_one_session_once(guest: Browser, admin: Browser) -> None:
    guest.get(PAGE)
    admin.client.post("/logout", data={"form_token": admin.token()})
    assert "You are logged out." not in guest.get(PAGE).text
    assert "You are logged out." in admin.get(PAGE).text


def test_a_right_that_is_lost_is_missed_at_once(user: Browser, wiki: Wiki, site: Site) -> None:
    site.wiki.as_user("Users.Jo").new("Books.Mine", content="Mine.").save()
    for _ in range(2):
        assert "/Books.Mine/delete" in user.get("/Books.Mine").text
    wiki.get("Books.Mine").delete()
    wiki.new("Books.Mine", content="Not Jo's any more.").save()
    assert "/Books.Mine/delete" not in user.get("/Books.Mine").text


def test_an_account_that_is_gone_is_a_guest_at_once(user: Browser, site: Site) -> None:
    for _ in range(3):
        assert "Log out" in user.get(PAGE).text
    for path in (site.settings.data / "accounts").glob("*.json"):
        path.unlink()
    assert "Log out" not in user.get(PAGE).text


def test_a_guest_who_reads_gets_no_cookie(guest: Browser) -> None:
    for _ in range(2):
        assert "Set-Cookie" not in guest.get(PAGE).headers


def test_a_form_on_a_kept_page_has_the_sessions_token(admin: Browser, user: Browser,
                                                      wiki: Wiki) -> None:
    wiki.new("Books.Task",
             content='<<button action="ready" task="Tasks.ImportCountries"/>>').save()
    for browser in (admin, user):
        for _ in range(2):
            text = browser.get("/Books.Task").text
            tokens = set(re.findall(r'name="form_token" value="([^"]*)"', text))
            assert tokens == {browser.token()}


# -- what is sent -----------------------------------------------------------------------------


def test_each_answer_has_its_own_nonce(guest: Browser) -> None:
    nonces = set()
    for _ in range(3):
        answer = guest.get(PAGE)
        found = re.search(r"'nonce-([^']+)'", answer.headers["Content-Security-Policy"])
        assert found and set(re.findall(r'nonce="([^"]+)"', answer.text)) == {found[1]}
        nonces.add(found[1])
    assert len(nonces) == 3


def test_a_kept_answer_says_what_the_first_said(guest: Browser) -> None:
    first, second = (dict(guest.get(PAGE).headers) for _ in range(2))
    del first["Content-Security-Policy"], second["Content-Security-Policy"]
    assert first == second
    assert first["Cache-Control"] == "private, no-cache" and first["Vary"] == "Cookie"
    assert first["X-Frame-Options"] == "DENY"


def test_a_browser_that_has_the_page_is_told_so(guest: Browser, wiki: Wiki) -> None:
    first = guest.get(PAGE)
    for _ in range(2):
        again = guest.get(PAGE, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
        # The browser goes on with the policy that it has, which names the page's nonce.
        assert "Content-Security-Policy" not in again.headers
    wiki.get("Help.Tour").save(comment="Looked over")
    assert guest.get(PAGE, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    save(wiki, "Something else.")
    changed = guest.get(PAGE, headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200 and "Something else." in changed.text


def test_a_page_of_before_the_login_is_not_gone_on_with(guest: Browser) -> None:
    tag = guest.get(PAGE).headers["ETag"]
    guest.log_in()
    answer = guest.get(PAGE, headers={"If-None-Match": tag})
    assert answer.status_code == 200
    guest.post("/logout")
    guest.get(PAGE)
    guest.log_in()
    # Another session of the same user: its token is another one.
    again = guest.get(PAGE, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 200


def test_head_has_no_body(guest: Browser) -> None:
    guest.get(PAGE)
    answer = guest.client.head(PAGE)
    assert (answer.status_code, answer.data) == (200, b"")


def test_a_static_file_is_kept_by_the_browser_for_long(guest: Browser) -> None:
    found = re.search(r'href="(/static/[0-9a-f]+/style\.css)"', guest.get(PAGE).text)
    assert found
    answer = guest.get(found[1])
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert guest.get("/static/000000000000/style.css").status_code == 404


# -- the parts --------------------------------------------------------------------------------


def entry(size: int, state: tuple[int, ...] = (1, 1)) -> Entry:
    return Entry.of(state, "x" * size, "a nonce", "a token")


def key(path: str) -> Key:
    return ("Users.Jo", True, "", path, "")


def test_the_oldest_goes_when_the_cache_is_full() -> None:
    cache = ViewCache(3 * entry(1000).size)
    for path in ("/A", "/B", "/C"):
        cache.put(key(path), entry(1000))
    assert cache.get(key("/A"), (1, 1)) is not None
    cache.put(key("/D"), entry(1000))
    assert [path for path in ("/A", "/B", "/C", "/D") if key(path) in cache] == ["/A", "/C", "/D"]


def test_what_is_put_twice_counts_once() -> None:
    cache = ViewCache(2 * entry(1000).size)
    for _ in range(5):
        cache.put(key("/A"), entry(1000))
    cache.put(key("/B"), entry(1000))
    assert key("/A") in cache and key("/B") in cache


def test_a_very_large_page_is_not_kept() -> None:
    cache = ViewCache()
    cache.put(key("/A"), entry(3 << 20))
    assert key("/A") not in cache


def test_an_entry_of_another_state_is_dropped() -> None:
    cache = ViewCache()
    cache.put(key("/A"), entry(10))
    assert cache.get(key("/A"), (1, 2)) is None
    assert key("/A") not in cache


def test_a_cookie_is_looked_at_again_after_a_while() -> None:
    now = [0.0]
    visitors = Visitors(clock=lambda: now[0])
    visitors.remember("wikimill=1", Visitor("Users.Jo", "token"))
    assert visitors.get("wikimill=1") == Visitor("Users.Jo", "token")
    assert visitors.get("wikimill=2") is None
    now[0] = KNOWN_SECONDS
    assert visitors.get("wikimill=1") is None


def stores(folder: Path) -> dict[str, Store]:
    return {"embedded": open_store(folder / "a"),
            "shadow": ShadowStore(open_store(folder / "b"), folder / "c", "run")}


@pytest.mark.parametrize("kind", ["embedded", "shadow"])
def test_the_state_is_another_one_after_each_change(tmp_path: Path, kind: str) -> None:
    store = stores(tmp_path)[kind]
    wiki = Wiki(store, "Users.Admin")
    seen = [store.state()]
    assert store.state() == seen[0]
    changes: list[Callable[[], object]] = [
        lambda: wiki.new("A.B").save(), lambda: save(wiki, "new", "A.B"),
        lambda: wiki.get("A.B").rename("A.C"), lambda: wiki.get("A.C").delete()]
    for change in changes:
        change()
        seen.append(store.state())
    assert len(set(seen)) == len(seen)
    store.close()


def test_an_index_in_a_new_file_is_another_state(tmp_path: Path) -> None:
    store = open_store(tmp_path / "data")
    before = store.state()
    open_store(tmp_path / "other").close()
    for damaged in (tmp_path / "data").glob("index.db*"):  # with what SQLite keeps beside it
        damaged.unlink()
    (tmp_path / "other" / "index.db").rename(tmp_path / "data" / "index.db")
    assert store.state() != before
    store.close()
