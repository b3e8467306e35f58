"""The editor of a page's text as a person uses it, with CodeMirror and with a plain text field."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect
from test_accessibility import grave

from wiki.settings import shipped

RICH = shipped("static") / "vendor/codemirror/codemirror.js"
PIXEL = ("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9"
         "awAAAABJRU5ErkJggg==")
#: Gives the text a file, as a browser does for one that is dropped or pasted.
GIVE = """(element, [kind, name, type, data]) => {
    const transfer = new DataTransfer();
    const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
    transfer.items.add(new File([bytes], name, {type}));
    const options = {bubbles: true, cancelable: true};
    element.dispatchEvent(kind === "drop"
        ? new DragEvent("drop", {...options, dataTransfer: transfer})
        : new ClipboardEvent("paste", {...options, clipboardData: transfer}));
}"""

needs_bundle = pytest.mark.skipif(not RICH.is_file(), reason="`make rich-editor` was not run")


@pytest.fixture(params=["plain", pytest.param("rich", marks=needs_bundle)])
def page(browse: Callable[..., Page], request: pytest.FixtureRequest) -> Page:
    return browse(rich=request.param == "rich")


def text_of(page: Page) -> Locator:
    """What one types in."""
    return page.locator(".cm-content, textarea#content:not([hidden])")


def value(page: Page) -> str:
    """The text as the form would send it."""
    return page.locator("#content").input_value()


def edit(page: Page, address: str) -> Locator:
    page.goto(address)
    expect(page.get_by_role("toolbar", name="Formatting")).to_be_visible()
    text_of(page).click()
    return text_of(page)


def empty(page: Page) -> None:
    """Delete the text. (Where one types over it, Chromium tries inline styles, in vain.)"""
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")


def make(page: Page, name: str, content: str) -> None:
    """Make a page, or change it, past the editor."""
    answer = page.request.put(f"/api/v1/pages/{name}", data={"content": content}, headers={
        "X-CSRF-Token": page.locator("meta[name=csrf-token]").get_attribute("content") or ""})
    assert answer.ok, answer.text()


def save(page: Page) -> None:
    page.keyboard.press("Control+s")
    expect(page.get_by_text("Saved as version")).to_be_visible()


def test_the_toolbar_and_its_shortcuts_write_markdown(page: Page) -> None:
    edit(page, "/Work.Text/edit")
    page.keyboard.type("word")
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+b")
    assert value(page) == "**word**"
    page.get_by_role("button", name="Bold").click()
    assert value(page) == "word"
    page.get_by_role("button", name="Heading").click()
    assert value(page) == "## word"
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    page.keyboard.type("one")
    page.get_by_role("button", name="List", exact=True).click()
    assert value(page) == "## word\n- one"
    page.keyboard.press("Control+z")
    assert value(page) == "## word\none"


def test_the_preview_follows_what_is_typed_with_macros(page: Page) -> None:
    edit(page, "/Work.Text/edit")
    page.keyboard.type("Some *soft* words")
    preview = page.get_by_role("region", name="Preview")
    expect(preview.locator("em")).to_have_text("soft")
    empty(page)
    page.keyboard.insert_text("<<info>>Mind the gap<</info>>")
    expect(preview.locator(".box.info")).to_contain_text("Mind the gap")
    page.get_by_role("button", name="Preview", exact=True).click()
    expect(preview).to_be_hidden()
    page.reload()
    expect(page.get_by_role("toolbar")).to_be_visible()
    expect(preview).to_be_hidden()


def test_text_and_preview_scroll_together(page: Page) -> None:
    make(page, "Work.Long", "".join(f"## Part {n}\n\nThis is text {n}.\n\n" for n in range(200)))
    text = edit(page, "/Work.Long/edit")
    preview = page.get_by_role("region", name="Preview")
    expect(preview.get_by_text("This is text 199.")).to_be_attached()
    text.hover()
    page.mouse.wheel(0, 4000)
    expect(preview).not_to_have_js_property("scrollTop", 0)
    page.keyboard.press("Control+End")
    expect(preview.get_by_text("This is text 199.")).to_be_in_viewport()


def test_pages_macros_and_files_are_completed(page: Page) -> None:
    make(page, "Work.Text", "x")
    page.request.put("/api/v1/pages/Work.Text/attachments/plan.csv", data=b"a,b", headers={
        "X-CSRF-Token": page.locator("meta[name=csrf-token]").get_attribute("content") or ""})
    edit(page, "/Work.Text/edit")
    for typed, expected in (("[[Help.Synt", "[[Help.Syntax]]"), ("<<showl", "<<showlog />>"),
                            ("[[attach:pl", "[[attach:plan.csv]]")):
        empty(page)
        page.keyboard.type(typed)
        expect(page.get_by_role("option").first).to_be_visible()
        page.keyboard.press("Tab")
        expect(page.locator("#content")).to_have_value(expected)
        page.keyboard.press("Escape")


def test_near_pages_are_offered_before_a_letter_is_typed(page: Page) -> None:
    make(page, "Work.Text", "x")
    make(page, "Work.Near", "x")
    page.goto("/Help.Syntax")  # read lately
    edit(page, "/Work.Text/edit")
    empty(page)
    page.keyboard.type("[[")
    offered = page.get_by_role("option")
    expect(offered.first).to_contain_text("Work.Near")
    expect(offered.filter(has_text="Help.Syntax")).to_be_visible()
    expect(offered.filter(has_text="Work.Text")).to_have_count(0)
    page.keyboard.press("Tab")
    expect(page.locator("#content")).to_have_value("[[Work.Near]]")
    page.keyboard.type(" <<")
    expect(offered.first).to_be_visible()
    empty(page)
    page.keyboard.type("[[Help.Tou")  # what is not near is found once letters are typed
    expect(offered.first).to_contain_text("Help.Tour")


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_a_picture_is_attached_and_shown_where_the_caret_is(page: Page, kind: str) -> None:
    make(page, "Work.Text", "x")
    text = edit(page, "/Work.Text/edit")
    text.evaluate(GIVE, [kind, "dot one.png", "image/png", PIXEL])
    linked = re.compile(r"!\[dot one\]\(<attach:dot one.png>\)")
    expect(page.locator("#content")).to_have_value(linked)
    picture = page.get_by_role("region", name="Preview").get_by_role("img", name="dot one")
    expect(picture).to_have_js_property("naturalWidth", 1)
    save(page)
    expect(page.get_by_role("article").get_by_role("img", name="dot one")).to_be_visible()
    kept = page.request.get("/api/v1/pages/Work.Text/attachments/dot%20one.png").body()
    assert kept == base64.b64decode(PIXEL)


def test_a_new_page_has_its_files_from_the_first_save_on(page: Page) -> None:
    text = edit(page, "/Work.Text/edit")
    expect(page.locator(".attach-field")).to_be_hidden()
    text.evaluate(GIVE, ["drop", "dot.png", "image/png", PIXEL])
    waiting = page.get_by_role("group", name="Attached when you save")
    expect(waiting.get_by_label("dot.png")).to_be_checked()
    picture = page.get_by_role("region", name="Preview").get_by_role("img", name="dot")
    expect(picture).to_have_js_property("naturalWidth", 1)
    expect(page.get_by_text("Draft kept")).to_be_visible()
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/Main.WebHome")
    assert page.request.get("/Work.Text").status == 404
    page.goto("/Work.Text/edit")
    page.get_by_role("button", name="Restore the draft").click()
    expect(page.get_by_label("dot.png")).to_be_checked()
    save(page)
    expect(page.get_by_role("article").get_by_role("img", name="dot")).to_have_js_property(
        "naturalWidth", 1)


def test_a_draft_survives_a_closed_tab_until_it_is_saved(page: Page) -> None:
    edit(page, "/Work.Text/edit")
    page.keyboard.type("not saved yet")
    expect(page.get_by_text("Draft kept")).to_be_visible()
    page.on("dialog", lambda dialog: dialog.accept())  # leave with unsaved text? yes
    page.goto("/Main.WebHome")
    page.goto("/Work.Text/edit")
    expect(page.get_by_text("You have an unsaved draft")).to_be_visible()
    page.get_by_role("button", name="Restore the draft").click()
    assert value(page) == "not saved yet"
    save(page)
    page.goto("/Work.Text/edit")
    expect(page.get_by_role("toolbar")).to_be_visible()
    expect(page.get_by_text("You have an unsaved draft")).to_have_count(0)
    assert value(page) == "not saved yet"


def test_a_section_is_edited_by_itself(page: Page) -> None:
    make(page, "Work.Text", "## One\n\nfirst\n\n## Two\n\nsecond\n")
    page.goto("/Work.Text")
    page.get_by_role("heading", name="Two").get_by_role("link", name="Edit this section").click()
    expect(page.get_by_role("toolbar")).to_be_visible()
    assert value(page) == "## Two\n\nsecond\n"
    text_of(page).click()
    page.keyboard.press("Control+End")
    page.keyboard.type("more")
    save(page)
    assert page.request.get("/api/v1/pages/Work.Text").json()["content"] == (
        "## One\n\nfirst\n\n## Two\n\nsecond\nmore")


def test_lines_that_two_changed_are_chosen_side_by_side(page: Page) -> None:
    make(page, "Work.Text", "first\n\nmiddle\n\nlast\n")
    edit(page, "/Work.Text/edit")
    empty(page)
    page.keyboard.insert_text("my first\n\nmiddle\n\nlast\n")
    make(page, "Work.Text", "their first\n\nmiddle\n\ntheir last\n")
    page.keyboard.press("Control+s")
    expect(page.get_by_text("saved version 2.1 while you edited")).to_be_visible()
    place = page.get_by_role("group", name="Place 1 of 1")
    expect(place.get_by_text("my first", exact=True).first).to_be_visible()
    place.get_by_label("As I write it here").check()
    place.get_by_role("textbox").fill("our first")
    page.get_by_role("button", name="Save what I chose").click()
    expect(page.get_by_text("Saved as version")).to_be_visible()
    assert page.request.get("/api/v1/pages/Work.Text").json()["content"] == (
        "our first\n\nmiddle\n\ntheir last\n")


def test_what_saves_stands_in_one_row(page: Page) -> None:
    edit(page, "/Work.Text/edit")
    boxes = [page.locator(".save-bar").get_by_role(role, name=name, exact=True).bounding_box()
             for role, name in (("textbox", "Comment"), ("button", "Save"),
                                ("button", "Save and go on"), ("link", "Cancel"))]
    middles = [box["y"] + box["height"] / 2 for box in boxes if box]
    assert len(middles) == 4 and max(middles) - min(middles) < 3
    assert max(middles) < 720, "it is on the screen"


def test_the_editor_fits_a_phones_screen(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 700})
    edit(page, "/Work.Text/edit")
    page.keyboard.type("a line that is longer than the screen is wide, by far")
    assert page.evaluate("document.documentElement.scrollWidth") == 360


@needs_bundle
def test_macros_stand_out_but_not_in_code(browse: Callable[..., Page]) -> None:
    page = browse(rich=True)
    edit(page, "/Work.Text/edit")
    page.keyboard.insert_text('<<showlog log="x"/>> and `<<toc/>>` and [[Main.WebHome]]')
    expect(page.locator(".cm-macro")).to_have_text(['<<showlog log="x"/>>'])
    expect(page.locator(".cm-wikilink")).to_have_text(["[[Main.WebHome]]"])
    page.get_by_role("button", name="Plain text field").click()
    expect(page.locator("textarea#content")).to_be_visible()
    assert value(page).startswith("<<showlog")


@needs_bundle
def test_a_script_has_the_rich_editor_too(browse: Callable[..., Page]) -> None:
    page = browse(rich=True)
    page.goto("/Executors.ImportCSV/script")
    content = page.locator(".script-editor .cm-content")
    assert grave(page) == []
    content.click()
    empty(page)
    page.keyboard.insert_text("def run(logger, wiki, task):\n    x = (1,\n")
    expect(page.locator("#problems")).to_contain_text("was never closed")
    expect(page.locator(".cm-lint-marker-error")).to_be_visible()
    page.keyboard.press("Control+s")
    expect(page.get_by_role("button", name="Save anyway")).to_be_visible()
