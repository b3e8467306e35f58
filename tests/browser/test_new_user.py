"""A new user's first hour, through what the pages offer: links, buttons and forms, from the front
page on."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from conftest import PASSWORD, Server
from playwright.sync_api import Locator, Page, expect

from wiki.settings import Settings
from wiki.site import Site

#: The properties of the class that the user makes: name, type, label, options.
PROPERTIES = (
    ("author", "String", "Author", {}),
    ("pages", "Number", "Pages", {"Smallest": "1"}),
    ("genre", "StaticList", "Genre", {"Values to choose from": "novel\npoem\nessay"}),
    ("finished", "Date", "Finished", {}),
    ("lent", "Boolean", "Lent", {}),
    ("sequel", "Page", "Sequel", {"Only pages with an object of": "Books.BookClass"}),
)
#: Gives the element a file, as a browser does for one that is dropped on it.
DROP = """(element, [name, text]) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([text], name, {type: "text/plain"}));
    element.dispatchEvent(new DragEvent("drop", {dataTransfer, bubbles: true, cancelable: true}));
}"""


@pytest.fixture
def page(server: Server, browse: Callable[..., Page]) -> Page:
    """The browser of a user who may do what every user may, at the front page."""
    with Site(Settings(data=server.data)) as site:
        for name in ("Jo", "Kim"):
            site.add_user(name, PASSWORD)
    return browse("Jo")


def menu(page: Page, label: str) -> None:
    """Follow a link of the page's menu."""
    tabs = page.get_by_role("navigation", name="This page")
    tabs.get_by_text("More", exact=True).click()
    tabs.get_by_role("link", name=label, exact=True).click()


def tab(page: Page, label: str) -> None:
    page.get_by_role("navigation", name="This page").get_by_role("link", name=label).click()


def title(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


def value_of(page: Page, label: str) -> Locator:
    return page.get_by_role("row", name=label).get_by_role("cell")


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()


def give(page: Page, label: str, given: str) -> None:
    """Fill the field of a form for the values of an object, or choose in it."""
    field = page.get_by_role("main").get_by_label(re.compile(rf"^{label}\b")).first
    if field.evaluate("field => field.localName") == "select":
        field.select_option(given)
    else:
        field.fill(given)


def make_class(page: Page) -> None:
    page.get_by_text("New page", exact=True).click()
    page.get_by_role("link", name="From a template or class").click()
    page.get_by_label("Title").fill("Book")
    page.get_by_label("Space").fill("Books")
    page.get_by_label("Name in addresses").fill("BookClass")
    page.get_by_role("radio", name="A class says").check()
    page.get_by_role("button", name="Go on").click()
    title(page, "Class Books.BookClass")
    for number, (name, kind, label, options) in enumerate(PROPERTIES):
        if number:
            page.get_by_role("button", name="Add a property").click()
        card = page.locator("[data-card]").last
        card.get_by_label("Name", exact=True).fill(name)
        card.get_by_label("Type").select_option(kind)
        card.get_by_label("Label").fill(label)
        for option, given in options.items():
            card.get_by_label(option).fill(given)
    save(page)
    expect(page.get_by_text("Saved as version")).to_be_visible()


def make_book(page: Page, name: str, **values: str) -> None:
    page.get_by_role("link", name="New page of this class").click()
    page.get_by_label("Title").fill(name)
    page.get_by_role("button", name="Go on").click()
    for label, given in values.items():
        give(page, label, given)
    page.get_by_role("button", name="Create", exact=True).click()
    title(page, name)


def to_class(page: Page) -> None:
    page.get_by_role("article").get_by_role("link", name="Books.BookClass").click()
    title(page, "Book")


def test_a_new_user_finds_the_way(page: Page) -> None:
    make_class(page)
    make_book(page, "Dune", Author="Frank Herbert", Pages="412", Genre="novel")
    to_class(page)
    make_book(page, "Emma", Author="Jane Austen", Pages="474", Genre="novel")
    to_class(page)
    make_book(page, "Odes", Author="John Keats", Pages="80", Genre="poem")
    # A value is changed where it stands.
    page.get_by_role("link", name="Change Pages").click()
    page.get_by_role("article").get_by_label("Pages", exact=True).fill("96")
    save(page)
    expect(value_of(page, "Pages")).to_contain_text("96")
    # The table of the class finds what fits.
    to_class(page)
    table = page.locator("[data-livetable]")
    expect(table.get_by_role("status")).to_have_text("1 to 3 of 3")
    table.locator("summary[aria-label^='Filter Genre']").click()
    table.get_by_role("group", name="Filter Genre").get_by_label("novel").check()
    expect(table.get_by_role("status")).to_have_text("1 to 2 of 2")
    table.get_by_label("Pages to").fill("450")
    expect(table.get_by_role("status")).to_have_text("1 to 1 of 1")
    table.get_by_role("link", name="Dune").click()
    # A file is dropped on the page of attachments.
    tab(page, "Attachments")
    page.locator("form[data-upload]").evaluate(DROP, ["notes.txt", "the spice"])
    expect(page.get_by_role("link", name="notes.txt", exact=True)).to_be_visible()
    # A text that leads to the page, from another one.
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Go to a page").fill("emm")
    page.get_by_role("option", name="Emma").click()
    title(page, "Emma")
    tab(page, "Edit")
    page.get_by_role("textbox", name="Content").fill("Quite unlike [[Books.Dune]].")
    save(page)
    article = page.get_by_role("article")
    article.get_by_role("link", name="Dune").click()
    title(page, "Dune")
    # The history shows what was, and brings it back.
    page.get_by_role("link", name="Change Author").click()
    page.get_by_role("article").get_by_label("Author", exact=True).fill("Somebody else")
    save(page)
    expect(value_of(page, "Author")).to_contain_text("Somebody else")
    tab(page, "History")
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("main")).to_contain_text("Somebody else")
    tab(page, "History")
    page.get_by_role("table").get_by_role("row").nth(2).get_by_role("link").first.click()
    page.get_by_role("button", name="Put this version back").click()
    expect(value_of(page, "Author")).to_contain_text("Frank Herbert")
    # A new name; the link to the old one follows.
    menu(page, "Rename")
    page.get_by_role("textbox", name="New name").fill("Books.Arrakis")
    page.get_by_role("button", name="Rename", exact=True).click()
    expect(page).to_have_url(re.compile(r"/Books\.Arrakis"))
    page.get_by_text("1 page links here").click()
    page.get_by_role("contentinfo").get_by_role("link", name="Books.Emma").first.click()
    title(page, "Emma")
    article.get_by_role("link", name=re.compile("Arrakis|Dune")).first.click()
    expect(page).to_have_url(re.compile(r"/Books\.Arrakis$"))
    # It is deleted, and comes back with its file.
    menu(page, "Delete")
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("navigation", name="Wiki").get_by_role("link", name="Recycle bin").click()
    page.get_by_role("main").get_by_role("link", name="Dune").click()
    page.get_by_role("button", name="Restore", exact=True).click()
    title(page, "Dune")
    expect(value_of(page, "Author")).to_contain_text("Frank Herbert")
    tab(page, "Attachments (1)")
    expect(page.get_by_role("link", name="notes.txt", exact=True)).to_be_visible()


def edit(page: Page, old: str, new: str) -> None:
    """Change a word of the text in the open editor."""
    text = page.get_by_role("textbox", name="Content")
    text.fill(text.input_value().replace(old, new))


def test_two_who_edit_at_once_lose_nothing(page: Page, browse: Callable[..., Page]) -> None:
    page.get_by_text("New page", exact=True).click()
    page.get_by_label("Name of the new page").fill("Work.Plan")
    page.get_by_role("button", name="Create").click()
    page.get_by_role("textbox", name="Content").fill("first\n\nmiddle\n\nlast\n")
    save(page)
    expect(page.get_by_role("article")).to_contain_text("middle")
    other = browse("Kim")
    other.get_by_role("main").get_by_role("link", name=re.compile("Plan$")).click()
    for each in (page, other):
        tab(each, "Edit")
        expect(each.get_by_role("toolbar", name="Formatting")).to_be_visible()
    # Where the lines differ, both changes are kept by themselves.
    edit(page, "first", "Jo's first")
    edit(other, "last", "Kim's last")
    for each in (page, other):
        save(each)
    article = other.get_by_role("article")
    expect(article).to_contain_text("Jo's first")
    expect(article).to_contain_text("Kim's last")
    # Where both change one line, whoever saves last chooses, with both in sight.
    page.reload()
    for each in (page, other):
        tab(each, "Edit")
        expect(each.get_by_role("toolbar", name="Formatting")).to_be_visible()
    edit(page, "middle", "Jo's middle")
    edit(other, "middle", "Kim's middle")
    save(page)
    expect(page.get_by_role("article")).to_contain_text("Jo's middle")
    save(other)
    place = other.get_by_role("group", name="Place 1 of 1")
    expect(place.get_by_label("Your lines")).to_have_text("Kim's middle")
    expect(place.get_by_label("Their lines")).to_have_text("Jo's middle")
    place.get_by_label("Both, yours first").check()
    other.get_by_role("button", name="Save what I chose").click()
    for text in ("Jo's first", "Kim's middle", "Jo's middle", "Kim's last"):
        expect(article).to_contain_text(text)


def test_a_server_that_is_away_is_told_of_and_nothing_breaks(server: Server, page: Page) -> None:
    table = page.locator("[data-livetable]").first
    before = table.get_by_role("status").inner_text()
    server.stop()
    away = page.get_by_role("alert").get_by_text("The server does not answer")
    table.get_by_label("Filter Title").fill("import")
    expect(away).to_be_visible()
    page.get_by_role("button", name="Close").click()
    expect(away).to_have_count(0)
    page.locator(".page-tree a.twist[aria-expanded=false]").first.click()
    expect(away).to_be_visible()
    expect(table.get_by_role("status")).to_have_text(before)
    server.start()
    table.get_by_label("Filter Title").fill("countries")
    expect(table.get_by_role("status")).to_have_text("1 to 1 of 1")
