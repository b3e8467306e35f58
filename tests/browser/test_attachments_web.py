"""Attachments in a browser: many uploads at once, errors, paste, the page about a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Server
from playwright.sync_api import Page, Route, expect

#: Gives the form files as if they had been dropped on it, or pasted into the page.
GIVE = """([kind, names]) => {
    const data = new DataTransfer();
    for (const name of names) data.items.add(new File(["pasted " + name], name));
    const [target, event] = kind === "drop"
        ? [document.querySelector("form.upload"), new DragEvent("drop", {dataTransfer: data})]
        : [document.body, new ClipboardEvent("paste", {clipboardData: data, bubbles: true})];
    target.dispatchEvent(event);
}"""


@pytest.fixture
def page(page: Page) -> Page:
    page.goto("/Help.Files/attachments")
    return page


def test_many_files_are_uploaded_and_listed_in_place(page: Page, tmp_path: Path) -> None:
    files = [tmp_path / f"file {number} ü.txt" for number in range(5)]
    for file in files:
        file.write_text(file.name)
    page.get_by_label("Attach files").set_input_files(files)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("5 files attached.")).to_be_visible()
    for file in files:
        expect(page.get_by_role("link", name=file.name, exact=True)).to_be_visible()
    expect(page.locator(".uploads li")).to_have_count(0)
    page.get_by_role("link", name=files[2].name, exact=True).click()
    expect(page.locator(".file-preview")).to_contain_text(files[2].name)


def test_dropped_and_pasted_files_are_attached(page: Page) -> None:
    for kind, name in (("drop", "dropped.txt"), ("paste", "pasted.txt")):
        page.evaluate(GIVE, [kind, [name]])
        expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()


def test_what_fails_is_told_of_file_by_file_and_tried_again(page: Page) -> None:
    broken = True

    def fail(route: Route) -> None:
        if broken:
            route.abort()
        else:
            route.continue_()

    page.route("**/attachments/bad.txt", fail)
    page.evaluate(GIVE, ["drop", ["good.txt", "bad.txt"]])
    expect(page.get_by_text("1 attached, 1 not.")).to_be_visible()
    expect(page.get_by_role("link", name="good.txt", exact=True)).to_be_visible()
    line = page.locator(".uploads li.failed")
    expect(line).to_contain_text("the connection broke")
    broken = False
    line.get_by_role("button", name="Try again: bad.txt").click()
    expect(page.get_by_role("link", name="bad.txt", exact=True)).to_be_visible()
    expect(page.locator(".uploads li")).to_have_count(0)


def test_an_upload_is_cancelled(page: Page) -> None:
    page.route("**/attachments/slow.txt", lambda route: None)  # it is never answered
    page.evaluate(GIVE, ["drop", ["slow.txt"]])
    page.get_by_role("button", name="Cancel: slow.txt").click()
    expect(page.locator(".uploads li.failed")).to_contain_text("cancelled")


def test_without_scripts_files_go_up_move_and_go(server: Server, page: Page) -> None:
    context = page.context.browser
    assert context is not None
    plain = context.new_page(base_url=server.url, java_script_enabled=False)
    plain.context.add_cookies(page.context.cookies())
    plain.goto("/Help.Files/attachments")
    plain.get_by_label("Attach files").set_input_files(
        {"name": "plain.txt", "mimeType": "text/plain", "buffer": b"without scripts"})
    plain.get_by_role("button", name="Upload").click()
    plain.get_by_role("link", name="Move or copy plain.txt…").click()
    plain.get_by_label("Under the name").fill("other.txt")
    plain.get_by_role("button", name="Move", exact=True).click()
    expect(plain.get_by_role("heading", name="other.txt")).to_be_visible()
    expect(plain.locator(".file-preview")).to_contain_text("without scripts")
    plain.get_by_role("link", name="Delete…").click()
    plain.get_by_role("button", name="Delete", exact=True).click()
    expect(plain.get_by_text("Deleted other.txt.")).to_be_visible()
