"""Classes and objects in a browser: the class editor, pickers, values changed where they stand."""

from __future__ import annotations

import pytest
from conftest import PATIENCE, Server
from playwright.sync_api import Page, expect

from wiki.instances import CHUNK
from wiki.settings import Settings
from wiki.site import Site

FILL = """async () => {
    const token = document.querySelector("meta[name=csrf-token]").content;
    const put = async (name, page) => {
        const answer = await fetch(`/api/v1/pages/${name}`, {
            method: "PUT", body: JSON.stringify(page),
            headers: {"Content-Type": "application/json", "X-CSRF-Token": token}});
        if (answer.status !== 201) throw new Error(`${name}: ${await answer.text()}`);
    };
    await put("Books.BookClass", {title: "Book", class: {properties: [
        {name: "year", type: "Number", prettyName: "Year"},
        {name: "sequel", type: "Page", class: "Books.BookClass", prettyName: "Sequel"},
        {name: "similar", type: "Page", multiple: true, prettyName: "Similar"}]},
        objects: [{class: "Wiki.ClassSheetClass", properties: {sheet: "Wiki.ObjectSheet"}}]});
    for (const title of ["Dune", "Dune Messiah", "Emma"]) {
        await put(`Books.${title.replace(" ", "")}`, {title, objects: [
            {class: "Books.BookClass", properties: {year: 1965}}]});
    }
    await put("Books.Dunes", {title: "Dunes of the coast"});
}"""


@pytest.fixture
def page(page: Page) -> Page:
    page.evaluate(FILL)
    return page


def test_a_class_is_edited_in_place_and_its_objects_follow(page: Page) -> None:
    page.goto("/Books.BookClass/class")
    page.evaluate("window.sameLoad = true")
    page.get_by_role("button", name="Add a property").click()
    new = page.locator("[data-card]").last
    expect(new.get_by_label("Name", exact=True)).to_be_focused()
    page.keyboard.type("genre")
    new.get_by_label("Type").select_option("StaticList")
    expect(new.get_by_label("Smallest")).to_be_hidden()
    new.get_by_label("Values to choose from").fill("novel\npoem")
    new.get_by_role("button", name="Move").first.press("Enter")
    expect(page.locator("[data-said]")).to_have_text("genre is now number 3 of 4.")
    page.locator("[data-card]").first.get_by_label("Name", exact=True).fill("published")
    assert page.evaluate("window.sameLoad") is True
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Save and change 3 pages").click()
    expect(page.get_by_text("3 pages changed with the class")).to_be_visible(timeout=PATIENCE)
    names = page.locator("[data-card] input[name^=name-]")
    assert [names.nth(at).input_value() for at in range(4)] == [
        "published", "sequel", "genre", "similar"]
    page.goto("/Books.Emma/objects")
    expect(page.get_by_label("Year")).to_have_value("1965")


def test_what_a_changed_class_allows_no_more_is_kept_listed_and_mended(page: Page) -> None:
    page.goto("/Books.BookClass/class")
    year = page.locator("[data-card]").first
    year.get_by_text("Help, default and options").click()
    year.get_by_label("Greatest").fill("1900")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("3 objects will have a value")
    page.get_by_role("button", name="Save and change 3 pages").click()
    wrong = page.get_by_role("region", name="Values that the class does not allow")
    expect(wrong.get_by_role("row")).to_have_count(4, timeout=PATIENCE)
    wrong.get_by_role("link", name="Books.Emma").click()
    field = page.get_by_label("Year")
    expect(field).to_have_value("1965")
    expect(page.get_by_text("is not allowed; it takes")).to_be_visible()
    field.fill("1815")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("row", name="Year")).to_contain_text("1815", timeout=PATIENCE)
    page.goto("/Books.BookClass/class")
    expect(wrong.get_by_role("row")).to_have_count(3)


def test_a_change_goes_to_very_many_pages_by_itself(page: Page, server: Server) -> None:
    with Site(Settings(data=server.data)) as site:
        wiki = site.wiki.as_user("Users.Admin")
        with wiki.batch():
            for number in range(CHUNK):
                book = wiki.new(f"Many.Book{number}")
                book.add_object("Books.BookClass", year=number)
                book.save()
    page.goto("/Books.BookClass/class")
    page.locator("[data-card]").first.get_by_label("Name", exact=True).fill("published")
    page.get_by_role("button", name="Save", exact=True).click()
    with page.expect_request("**/class/carry?*after=*"):  # the second step
        page.get_by_role("button", name=f"Save and change {CHUNK + 3} pages").click()
    page.wait_for_url("**/Books.BookClass/class")
    last = page.request.get("/api/v1/pages/Many.Book99").json()
    assert last["objects"][0]["properties"] == {"published": 99}


def test_a_page_is_picked_by_the_keyboard(page: Page) -> None:
    page.goto("/Books.Dune/objects")
    sequel = page.get_by_role("combobox", name="Sequel")
    page.get_by_label("Sequel").focus()
    expect(sequel).to_be_focused()
    page.keyboard.type("dune")
    options = page.get_by_role("option")
    expect(options).to_have_text(["Dune Books.Dune", "Dune Messiah Books.DuneMessiah"])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(sequel).to_have_value("Books.DuneMessiah")
    expect(options).to_have_count(0)
    page.get_by_label("Similar").focus()
    page.keyboard.type("Books.Emma\ndunes")
    page.get_by_role("option", name="Dunes of the coast").click()
    expect(page.get_by_label("Similar")).to_have_value("Books.Emma\nBooks.Dunes")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("row", name="Sequel")).to_contain_text("Messiah", timeout=PATIENCE)


def test_a_value_is_changed_in_the_sheet(page: Page) -> None:
    page.goto("/Books.Dune")
    page.evaluate("window.sameLoad = true")
    page.get_by_role("link", name="Change Sequel").click()
    field = page.get_by_label("Sequel", exact=True)
    expect(field).to_be_focused()
    page.keyboard.type("emm")
    expect(page.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(field).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.get_by_role("option").click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("row", name="Sequel").get_by_role("link", name="Emma")).to_be_visible(
        timeout=PATIENCE)
    assert page.evaluate("window.sameLoad") is True
