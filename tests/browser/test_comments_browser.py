"""Comments, watching and notifications as people use them in a browser."""

from __future__ import annotations

from conftest import Server
from playwright.sync_api import Page, expect

from wiki.api import Wiki
from wiki.commenting import add
from wiki.store import open_store

NAME = "Help.Tour"


def say(server: Server, text: str, user: str = "Users.Jo") -> None:
    """Comment as another user does meanwhile."""
    store = open_store(server.data)
    try:
        add(Wiki(store, user), NAME, text)
    finally:
        store.close()


def test_comment_answer_change_and_delete(server: Server, page: Page) -> None:
    page.goto(f"/{NAME}")
    page.get_by_text("Write a comment").click()
    box = page.get_by_label("Comment Markdown")
    expect(box).to_be_focused()
    box.fill("Is *this* right?")
    page.get_by_role("button", name="Comment", exact=True).click()
    first = page.get_by_role("article", name="Comment by Admin")
    expect(first.get_by_text("this", exact=True)).to_be_visible()
    assert page.url.endswith("#comment-0")
    say(server, "It is.")
    page.get_by_text("Reply", exact=True).first.click()
    page.get_by_label("Reply Markdown").fill("Sure?")
    page.get_by_role("button", name="Reply", exact=True).click()
    expect(page.locator(".answer")).to_contain_text("Sure?")
    expect(page.get_by_role("article", name="Comment by Jo")).to_contain_text("It is.")
    first.get_by_role("link", name="Change comment 0").click()
    page.get_by_label("Comment Markdown").fill("Is that right?")
    page.get_by_role("button", name="Save").click()
    expect(first.first).to_contain_text("Is that right?")
    expect(first.first).to_contain_text("changed")
    page.locator(".answer").get_by_text("Delete", exact=True).click()
    page.locator(".answer").get_by_role("button", name="Delete it").click()
    expect(page.locator(".answer")).to_have_count(0)


def test_watch_by_a_click_and_hear_of_it(server: Server, page: Page) -> None:
    page.goto(f"/{NAME}")
    page.get_by_role("link", name="Watch", exact=True).click()
    expect(page.get_by_role("link", name="Watching", exact=True)).to_be_visible()
    say(server, "News for you, @Users.Admin!")
    page.reload()
    expect(page.get_by_role("link", name="Watching", exact=True)).to_be_visible()
    bell = page.get_by_role("link", name="Notifications")
    expect(bell).to_contain_text("1 unread")
    bell.click()
    said = page.locator(".notifications .unread")
    expect(said).to_contain_text("mentioned you on")
    page.get_by_role("button", name="Mark all as read").click()
    expect(said).to_have_count(0)
    expect(bell).not_to_contain_text("unread")


def test_without_scripts_all_of_it_works(server: Server, page: Page) -> None:
    browser = page.context.browser
    assert browser is not None
    plain = browser.new_context(base_url=server.url, java_script_enabled=False,
                                storage_state=page.context.storage_state()).new_page()
    plain.goto(f"/{NAME}")
    plain.get_by_text("Write a comment").click()
    plain.get_by_label("Comment Markdown").fill("Plain")
    plain.get_by_role("button", name="Comment", exact=True).click()
    expect(plain.get_by_role("article", name="Comment by Admin")).to_contain_text("Plain")
    plain.get_by_role("link", name="Watch", exact=True).click()
    plain.get_by_role("button", name="Watch the space Help").click()
    expect(plain.get_by_text("You hear of Help.")).to_be_visible()
    plain.get_by_role("link", name="Notifications").click()
    expect(plain.get_by_role("button", name="Stop watching Help", exact=True)).to_be_visible()
