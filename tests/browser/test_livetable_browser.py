"""Live tables in a browser: no new page for each step, and all of it without a script too."""

from __future__ import annotations

import re

import pytest
from conftest import PATIENCE, Server
from playwright.sync_api import Locator, Page, expect

TABLES = ('<<livetable class="Shop.ItemClass" columns="doc.title, price, kind" rows="10" '
          'actions="set, tag, delete"/>>\n\n'
          '<<livetable class="Shop.ItemClass" id="other" columns="doc.title, kind" rows="10"/>>')
KIND = "summary[aria-label^='Filter Kind']"
FILL = """async (tables) => {
    const token = document.querySelector("meta[name=csrf-token]").content;
    const put = async (name, page) => {
        const answer = await fetch(`/api/v1/pages/${name}`, {
            method: "PUT", body: JSON.stringify(page),
            headers: {"Content-Type": "application/json", "X-CSRF-Token": token}});
        if (answer.status !== 201) throw new Error(`${name}: ${await answer.text()}`);
    };
    await put("Shop.ItemClass", {title: "Item", class: {properties: [
        {name: "price", type: "Number", prettyName: "Price"},
        {name: "kind", type: "StaticList", prettyName: "Kind", values: ["Tool", "Toy"]}]}});
    for (let n = 0; n < 25; n++) {
        await put(`Shop.I${n}`, {title: `Item ${String(n).padStart(2, "0")}`, objects: [
            {class: "Shop.ItemClass", properties: {price: n, kind: n % 5 ? "Tool" : "Toy"}}]});
    }
    await put("Shop.Tables", {content: tables});
}"""


@pytest.fixture
def page(page: Page) -> Page:
    page.evaluate(FILL, TABLES)
    page.goto("/Shop.Tables")
    page.evaluate("window.sameLoad = true")
    return page


def table(page: Page, name: str = "ItemClass") -> Locator:
    return page.locator(f"#livetable-{name}")


def test_a_table_filters_sorts_and_pages_in_place(page: Page) -> None:
    shown, other = table(page), table(page, "other")
    expect(shown.get_by_role("status")).to_have_text("1 to 10 of 25")
    field = shown.get_by_label("Filter Title")
    field.press_sequentially("item 1")
    expect(shown.get_by_role("status")).to_have_text("1 to 10 of 10", timeout=PATIENCE)
    expect(field).to_be_focused()
    expect(page).to_have_url(re.compile(r"ItemClass\.doc\.title=item\+1$"))
    shown.get_by_role("link", name="Price").click()
    expect(shown.locator("th[aria-sort=ascending]")).to_have_text("Price", timeout=PATIENCE)
    shown.get_by_role("link", name="Price").click()
    expect(shown.locator("tbody tr").first).to_contain_text("Item 19", timeout=PATIENCE)
    expect(shown.locator("th[aria-sort=descending]")).to_have_text("Price")
    other.locator(KIND).click()
    with page.expect_response(lambda answer: answer.url.startswith(
            f"{page.url.partition('/Shop')[0]}/tables/part?")):  # not the whole page
        other.get_by_role("checkbox", name="Toy").check()
    expect(other.get_by_role("status")).to_have_text("1 to 5 of 5", timeout=PATIENCE)
    expect(shown.get_by_role("status")).to_have_text("1 to 10 of 10")
    expect(shown.locator("tbody tr").first).to_contain_text("Item 19")
    other.get_by_role("checkbox", name="Tool").check()
    expect(other.get_by_role("status")).to_have_text("1 to 10 of 25", timeout=PATIENCE)
    expect(page).to_have_url(re.compile(r"other\.kind=Tool%7CToy"))
    expect(other.locator(KIND)).to_have_text("2 chosen")
    page.go_back()
    expect(other.get_by_role("status")).to_have_text("1 to 5 of 5", timeout=PATIENCE)
    expect(other.get_by_role("checkbox", name="Tool")).not_to_be_checked()
    page.go_back()
    expect(other.get_by_role("status")).to_have_text("1 to 10 of 25", timeout=PATIENCE)
    expect(other.locator(KIND)).to_have_text("All")
    shown.get_by_role("link", name="Clear filters").click()
    expect(shown.get_by_role("status")).to_have_text("1 to 10 of 25", timeout=PATIENCE)
    expect(field).to_have_value("")
    shown.get_by_role("link", name="Next").click()
    expect(shown.get_by_role("status")).to_have_text("11 to 20 of 25", timeout=PATIENCE)
    shown.get_by_text("Columns", exact=True).click()
    shown.get_by_role("checkbox", name="Author").check()
    expect(shown.get_by_role("columnheader", name="Author")).to_be_visible(timeout=PATIENCE)
    assert page.evaluate("window.sameLoad") is True
    page.reload()
    expect(shown.get_by_role("columnheader", name="Author")).to_be_visible()


def test_rows_that_are_ticked_are_changed_after_a_question(page: Page) -> None:
    shown = table(page)
    shown.get_by_role("checkbox", name="Choose all rows shown").check()
    expect(shown.get_by_role("checkbox", name="Choose Item 00")).to_be_checked()
    shown.get_by_role("checkbox", name="Choose Item 00").uncheck()
    expect(shown.get_by_text("the 9 rows ticked")).to_be_attached()
    shown.get_by_label("What to do").select_option("Set Kind…")
    shown.get_by_role("button", name="Continue").click()
    page.get_by_label("Kind").select_option("Toy")
    page.get_by_role("button", name="Set Kind of 9 pages").click()
    expect(page.get_by_text("9 pages changed.")).to_be_visible()
    page.get_by_role("link", name="Back to the table").click()
    expect(shown.locator(".choices-menu label")).to_have_text(
        ["Tool 13", "Toy 12", "(empty)"])


def test_a_table_works_without_scripts(server: Server, page: Page) -> None:
    browser = page.context.browser
    assert browser is not None
    context = browser.new_context(base_url=server.url, java_script_enabled=False)
    plain = context.new_page()
    plain.goto("/Shop.Tables")
    shown = table(plain)
    shown.locator(KIND).click()
    shown.get_by_role("checkbox", name="Toy").check()
    shown.get_by_label("Price from").fill("5")
    shown.get_by_role("button", name="Filter").click()
    expect(shown.get_by_role("status")).to_have_text("1 to 4 of 4")
    shown.get_by_role("link", name="Price").click()
    expect(shown.locator("tbody tr").first).to_contain_text("Item 05")
    shown.get_by_text("Columns", exact=True).click()
    shown.get_by_role("checkbox", name="Kind").uncheck()
    shown.get_by_role("button", name="Show").click()
    expect(shown.get_by_role("columnheader", name="Kind")).to_have_count(0)
    expect(shown.get_by_role("status")).to_have_text("1 to 4 of 4")
    context.close()
