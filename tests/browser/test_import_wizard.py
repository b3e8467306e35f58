"""The import wizard as a person uses it in a browser."""

from __future__ import annotations

from playwright.sync_api import Page, expect

BOOKS = "Title;Year;Kind\nDune;1965;novel\nEmma;1815;novel\nHamlet;1603;play\nFaust;1808;play\n"
#: Drops a file on the form, as a person does from the desktop.
DROP = """(form, [name, text]) => {
    const data = new DataTransfer();
    data.items.add(new File([text], name));
    form.dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true,
                                              cancelable: true}));
}"""


def test_a_dropped_file_is_mapped_tried_and_run(page: Page) -> None:
    page.goto("/Tasks.WebHome")
    page.get_by_role("link", name="Import data…").click()
    page.locator("form[data-import]").evaluate(DROP, ["books.csv", BOOKS])
    expect(page.get_by_role("region", name="The first rows")).to_contain_text("Hamlet")
    kind = page.get_by_label("Type of Kind")
    expect(kind).to_have_value("StaticList")
    expect(page.get_by_label("Values of Kind, for a StaticList")).to_have_value("novel | play")
    kind.select_option("String")
    expect(page.get_by_label("Values of Kind, for a StaticList")).to_be_hidden()
    kind.select_option("StaticList")
    page.get_by_label("Property of Year").fill("published")
    page.get_by_role("button", name="Try it").click()
    run_it = page.get_by_role("button", name="Run it")
    expect(run_it).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("4 good, 0 skipped, 0 bad")
    expect(page.get_by_role("region", name="Pages")).to_contain_text("Books.BooksClass")
    page.get_by_role("link", name="All the pages that it would make and change").click()
    expect(page.get_by_role("region", name="Pages")).to_contain_text("Books.Hamlet")
    page.go_back()
    run_it.click()
    expect(page.locator(".badge.status").first).to_have_text("DONE")
    page.goto("/Books.Hamlet")
    expect(page.get_by_role("main")).to_contain_text("1603")
