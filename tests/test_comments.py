"""Comments: who may write what, and that they disturb nothing else on the page."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.conftest import Browser
from wiki import commenting
from wiki.api import Wiki
from wiki.commenting import add, change, delete, resolve
from wiki.comments import COMMENT_CLASS, MAX_TEXT, comments_of, mentions, threads
from wiki.errors import AccessDenied, InvalidDocument, InvalidValue, ObjectNotFound
from wiki.model import GUEST, Document, Object
from wiki.references import Reference
from wiki.site import Site

ADMIN, JO, EVE = "Users.Admin", "Users.Jo", "Users.Eve"
PAGE = "Books.Dune"


@pytest.fixture
def wiki(site: Site) -> Wiki:
    """Admin's wiki, with a page that runs a script and has a text."""
    mine = site.wiki.as_user(ADMIN)
    for name in (JO, EVE):
        mine.new(name, title=name).save()
    mine.new(PAGE, title="Dune", content="Sand.\n\nSpice.\n\nWater.").save()
    return mine


@pytest.fixture
def jo(site: Site, wiki: Wiki) -> Wiki:
    return site.wiki.as_user(JO)


def texts(wiki: Wiki) -> list[str]:
    return [comment.text for comment in comments_of(wiki.get(PAGE).record)]


# -- the page under them -----------------------------------------------------------------------

def test_a_comment_is_a_minor_edit_that_changes_no_author_of_text_or_scripts(
        wiki: Wiki, jo: Wiki) -> None:
    before = wiki.get(PAGE).record
    made = add(jo, PAGE, "  Good.\r\nVery. ")
    after = wiki.get(PAGE).record
    assert (made.author, made.text, made.reply_to) == (JO, "Good.\nVery.", None)
    assert (after.author, after.minor, after.comment) == (JO, True, commenting.ADDED)
    assert (after.content, after.content_author, after.script_author) == (
        before.content, ADMIN, ADMIN)


def test_a_comment_does_not_disarm_a_page_that_runs(site: Site, wiki: Wiki, jo: Wiki) -> None:
    page = wiki.new("T.Executor")
    page.add_object("TaskExecutorCode.TaskExecutorClass", script="def run(logger, wiki, task): 1")
    page.save()
    add(jo, "T.Executor", "What does it do?")
    assert wiki.get("T.Executor").script_author == ADMIN
    change(jo, "T.Executor", 0, "I see.")
    delete(jo, "T.Executor", 0)
    assert wiki.get("T.Executor").script_author == ADMIN


def test_who_edits_meanwhile_saves_without_a_conflict_and_keeps_the_comment(
        site: Site, wiki: Wiki, user: Browser) -> None:
    version = str(wiki.get(PAGE).version)
    add(wiki, PAGE, "While you edit.")
    answer = user.post(f"/{PAGE}/edit", version=version, title="Dune", content="Sand only.")
    assert answer.status_code == 302
    assert wiki.get(PAGE).content == "Sand only."
    assert texts(wiki) == ["While you edit."]


def test_an_old_version_that_comes_back_leaves_the_comments_alone(
        wiki: Wiki, jo: Wiki, user: Browser) -> None:
    add(wiki, PAGE, "Said.")
    page = wiki.get(PAGE)
    page.content = "Changed."
    page.save()
    answer = user.post(f"/{PAGE}/history/1.1/revert", version=str(wiki.get(PAGE).version))
    assert answer.status_code == 302
    assert wiki.get(PAGE).content.startswith("Sand.")
    assert texts(wiki) == ["Said."]


def test_a_search_finds_a_page_by_a_comment(wiki: Wiki, jo: Wiki) -> None:
    add(jo, PAGE, "The melange tastes of cinnamon.")
    assert [str(hit.reference) for hit in wiki.search("cinnamon")] == [PAGE]


# -- threads -----------------------------------------------------------------------------------

def test_answers_stand_below_what_they_answer_also_those_to_an_answer(
        wiki: Wiki, jo: Wiki) -> None:
    add(jo, PAGE, "a")
    add(wiki, PAGE, "b")
    add(wiki, PAGE, "re a", reply_to=0)
    add(jo, PAGE, "re re a", reply_to=2)
    shown = [(thread.comment.text, [reply.text for reply in thread.replies])
             for thread in threads(comments_of(wiki.get(PAGE).record))]
    assert shown == [("a", ["re a", "re re a"]), ("b", [])]
    with pytest.raises(ObjectNotFound, match="comment 9"):
        add(jo, PAGE, "x", reply_to=9)


def test_an_answered_comment_leaves_its_place_until_the_last_answer_goes(
        wiki: Wiki, jo: Wiki) -> None:
    add(wiki, PAGE, "a")
    add(jo, PAGE, "re a", reply_to=0)
    delete(wiki, PAGE, 0)
    assert texts(wiki) == ["", "re a"]
    delete(jo, PAGE, 1)
    assert texts(wiki) == []


# -- whose they are ----------------------------------------------------------------------------

def test_only_who_wrote_a_comment_and_administrators_change_and_delete_it(
        site: Site, wiki: Wiki, jo: Wiki) -> None:
    add(wiki, PAGE, "Admin's")
    add(jo, PAGE, "Jo's")
    for act in (lambda: change(jo, PAGE, 0, "x"), lambda: delete(jo, PAGE, 0),
                lambda: delete(site.wiki.as_user(EVE), PAGE, 1)):
        with pytest.raises(AccessDenied):
            act()
    assert change(jo, PAGE, 1, "Jo's, mended").edited is not None
    delete(wiki, PAGE, 1)
    assert texts(wiki) == ["Admin's"]


def with_comment(document: Document, number: int, **values: str) -> Document:
    old = document.object(COMMENT_CLASS, number) or Object(COMMENT_CLASS, number)
    return document.with_object(old.with_values(**values))


def test_no_other_door_forges_changes_or_removes_the_comment_of_another(
        wiki: Wiki, jo: Wiki) -> None:
    add(wiki, PAGE, "Admin's")
    now = wiki.get(PAGE).record
    forged = {"author": ADMIN, "text": "x", "date": "2026-01-01T00:00:00Z"}
    for wrong in (with_comment(now, 1, **forged), with_comment(now, 0, text="x"),
                  with_comment(now, 0, author=JO), now.without_object(COMMENT_CLASS, 0)):
        with pytest.raises(AccessDenied, match="leave the comments of others"):
            jo.save(wrong, now.version)
    saved = jo.save(replace(now, content="Mine."), now.version)
    assert [comment.text for comment in comments_of(saved)] == ["Admin's"]


def test_a_copy_begins_without_the_comments_of_others(wiki: Wiki, jo: Wiki) -> None:
    add(wiki, PAGE, "Admin's")
    copy = replace(wiki.get(PAGE).record, reference=Reference.parse("Books.Copy"))
    assert comments_of(jo.save(copy, None)) == []


def test_a_thread_is_resolved_and_reopened_by_whoever_may_edit(wiki: Wiki, jo: Wiki,
                                                                user: Browser) -> None:
    first = add(wiki, PAGE, "Is it long?")
    answer = add(jo, PAGE, "Yes.", first.number)
    assert resolve(jo, PAGE, answer.number).resolved  # the thread of another's, by its answer
    assert "Resolved" in user.get(f"/{PAGE}").text
    assert user.post(f"/{PAGE}/comments/{first.number}/resolve", reopen="1").status_code == 302
    assert [comment.resolved for comment in comments_of(wiki.get(PAGE).record)] == [False, False]
    assert ">Resolved" not in user.get(f"/{PAGE}").text
    with pytest.raises(ObjectNotFound):
        resolve(jo, PAGE, 9)


def test_a_guest_resolves_nothing(site: Site, wiki: Wiki, guest: Browser) -> None:
    first = add(wiki, PAGE, "Is it long?")
    with pytest.raises(AccessDenied):
        resolve(site.wiki.as_user(GUEST), PAGE, first.number)
    guest.post(f"/{PAGE}/comments/{first.number}/resolve")
    assert not commenting.find(wiki.get(PAGE).record, first.number).resolved


def test_a_guest_comments_on_nothing(site: Site, wiki: Wiki, guest: Browser) -> None:
    with pytest.raises(AccessDenied):
        add(site.wiki.as_user("Wiki.Guest"), PAGE, "x")
    assert guest.post(f"/{PAGE}/comments", text="x").status_code == 403
    assert "Write a comment" not in guest.get(f"/{PAGE}").text
    assert texts(wiki) == []


def test_a_text_has_limits_and_so_has_a_page(
        wiki: Wiki, monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in ("", " \n ", "x" * (MAX_TEXT + 1)):
        with pytest.raises(InvalidValue, match="1 to 10000 characters"):
            add(wiki, PAGE, wrong)
    monkeypatch.setattr(commenting, "MAX_COMMENTS", 1)
    add(wiki, PAGE, "one")
    with pytest.raises(InvalidDocument, match="delete some first"):
        add(wiki, PAGE, "two")


# -- how they look -----------------------------------------------------------------------------

def test_a_comment_shows_markdown_runs_no_macro_and_cannot_break_out(
        site: Site, wiki: Wiki, guest: Browser) -> None:
    add(wiki, PAGE, '**Bold** <script>alert(1)</script> <<toc/>> {{ 1 }}\n\n<<jinja>>{{ 6*7 }}'
                    '<</jinja>>\n\n# Head {#main}\n\n[[Books.Dune]] [x](javascript:alert(2)) '
                    '<<a <img src=x onerror=alert(3)>')
    page = guest.get(f"/{PAGE}").text
    shown = page[page.index('class="comment-text"'):page.index("page-foot")]
    assert "<strong>Bold</strong>" in shown
    assert "&lt;&lt;toc/&gt;&gt;" in shown
    assert "{{ 6*7 }}" in shown
    assert 'href="/Books.Dune"' in shown
    assert not re.search(r'<script|onerror|href="javascript|id="main"|>42<', shown)


def test_mentions_are_found_and_shown_as_links_to_users(wiki: Wiki, guest: Browser) -> None:
    text = "@Users.Jo, me@Users.Eve.org and [[Eve>>Users.Eve]]; `@Users.No`. @Users.Nobody."
    assert mentions(text) == [JO, EVE, "Users.No", "Users.Nobody"]
    assert add(wiki, PAGE, text).mentions == (JO, EVE)
    page = guest.get(f"/{PAGE}").text
    assert '<a class="mention" href="/Users.Jo">@Jo</a>' in page
    assert "<code>@Users.No</code>" in page
    assert "me@Users.Eve.org" in page


# -- the forms ---------------------------------------------------------------------------------

def test_forms_add_answer_change_and_delete(wiki: Wiki, user: Browser) -> None:
    made = user.post(f"/{PAGE}/comments", text="First")
    assert made.headers["Location"] == f"/{PAGE}#comment-0"
    assert user.post(f"/{PAGE}/comments", text="Re", reply_to="0").status_code == 302
    page = user.get(f"/{PAGE}").text
    assert 'id="comment-0"' in page
    assert 'id="comment-1"' in page
    assert "First" in user.get(f"/{PAGE}/comments/0/edit").text
    assert user.post(f"/{PAGE}/comments/0/edit", text="Second").status_code == 302
    assert texts(wiki) == ["Second", "Re"]
    assert user.post(f"/{PAGE}/comments/1/delete").status_code == 302
    assert texts(wiki) == ["Second"]


def test_a_refused_text_comes_back_in_its_form(wiki: Wiki, user: Browser) -> None:
    add(wiki, PAGE, "Admin's")
    long = "y" * (MAX_TEXT + 1)
    answer = user.post(f"/{PAGE}/comments", text=long)
    assert answer.status_code == 400
    assert long in answer.text
    assert user.post(f"/{PAGE}/comments", text="x", reply_to="7").status_code == 404
    assert user.post(f"/{PAGE}/comments", text="x", reply_to="-1").status_code == 400
    assert user.get(f"/{PAGE}/comments/0/edit").status_code == 403
    assert user.post(f"/{PAGE}/comments/0/edit", text="x").status_code == 403
    assert user.post(f"/{PAGE}/comments/0/delete").status_code == 403
    assert user.get(f"/{PAGE}/comments/5/edit").status_code == 404
    assert texts(wiki) == ["Admin's"]


def test_a_comment_is_seen_at_once_though_views_are_kept(wiki: Wiki, guest: Browser) -> None:
    assert "Fresh" not in guest.get(f"/{PAGE}").text
    add(wiki, PAGE, "Fresh")
    assert "Fresh" in guest.get(f"/{PAGE}").text


# -- REST --------------------------------------------------------------------------------------

def test_rest_lists_posts_changes_and_deletes_comments(wiki: Wiki, user: Browser) -> None:
    url, headers = f"/api/v1/pages/{PAGE}/comments", {"X-CSRF-Token": user.token()}
    made = user.client.post(url, json={"text": "Hello @Users.Eve"}, headers=headers)
    assert made.status_code == 201
    assert made.headers["Location"].endswith("/comments/0")
    assert made.json is not None
    assert made.json["mentions"] == [EVE]
    assert user.client.post(url, json={"text": "Re", "reply_to": 0},
                            headers=headers).json["reply_to"] == 0
    first = user.get(f"{url}?limit=1").json
    assert [item["text"] for item in first["items"]] == ["Hello @Users.Eve"]
    rest = user.get(f"{url}?cursor={first['next_cursor']}").json
    assert [item["text"] for item in rest["items"]] == ["Re"]
    changed = user.client.patch(f"{url}/1", json={"text": "Re!"}, headers=headers)
    assert (changed.json["text"], changed.json["author"]) == ("Re!", JO)
    settled = user.client.patch(f"{url}/0", json={"resolved": True}, headers=headers)
    assert settled.json["resolved"] is True and settled.json["edited"] is None
    assert user.client.patch(f"{url}/0", json={"resolved": 1}, headers=headers).status_code == 400
    assert user.client.delete(f"{url}/1", headers=headers).status_code == 204
    assert user.client.delete(f"{url}/1", headers=headers).status_code == 404
    assert user.client.post(url, json={"text": 1}, headers=headers).status_code == 400
    assert user.client.post(url, json={"text": "x", "reply_to": "0"},
                            headers=headers).status_code == 400
    assert texts(wiki) == ["Hello @Users.Eve"]
