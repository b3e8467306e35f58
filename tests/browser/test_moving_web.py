"""Renaming, tags and backlinks as a person uses them, in a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

FILL = """async pages => {
    const token = document.querySelector("meta[name=csrf-token]").content;
    for (const [name, content] of Object.entries(pages)) {
        const answer = await fetch(`/api/v1/pages/${name}`, {
            method: "PUT", body: JSON.stringify({content}),
            headers: {"Content-Type": "application/json", "X-CSRF-Token": token}});
        if (answer.status !== 201) throw new Error(`${name}: ${await answer.text()}`);
    }
}"""


@pytest.fixture
def page(page: Page) -> Page:
    page.evaluate(FILL, {"Shelf.WebHome": "[[Dune]]", "Shelf.Dune": "A desert. [[WebHome]]",
                         "Notes.List": "Read [[Shelf.Dune]] and [it](Shelf.Dune#plot)."})
    return page


def test_a_space_is_renamed_with_what_refers_to_it(page: Page) -> None:
    page.goto("/Shelf.WebHome")
    page.get_by_text("More", exact=True).click()
    page.get_by_role("link", name="Rename").click()
    page.get_by_role("link", name="The whole space Shelf").click()
    expect(page.locator(".moving-plan")).to_contain_text("2 pages moved")
    expect(page.locator(".moving-plan")).to_contain_text("Notes.List")
    page.get_by_label("New name of the space").fill("Library")
    page.get_by_label("Leave a redirect").check()
    page.get_by_role("button", name="Rename").click()
    expect(page).to_have_url("/Library.WebHome")
    expect(page.get_by_role("status").first).to_contain_text("2 pages moved")
    page.goto("/Notes.List")
    page.locator("article").get_by_role("link").first.click()
    expect(page.locator("article")).to_contain_text("A desert.")
    page.goto("/Shelf.Dune")
    expect(page.locator("main")).to_contain_text("Redirected from Shelf.Dune")


def test_tags_are_put_on_by_keyboard_and_renamed(page: Page) -> None:
    page.goto("/Shelf.Dune")
    page.get_by_text("Add a tag").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Tags, with commas between them").fill("sand, spice")
    page.keyboard.press("Enter")
    tags = page.locator("#tags")
    expect(tags.get_by_role("link", name="spice")).to_be_visible()
    page.get_by_role("button", name="Take off the tag sand").click()
    expect(tags.get_by_role("link", name="sand")).to_have_count(0)
    tags.get_by_role("link", name="spice").click()
    page.get_by_role("link", name="Rename this tag").click()
    page.get_by_label("New name").fill("melange")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("heading", name="Pages with the tag melange")).to_be_visible()
