"""Ways about the wiki in a browser: Ctrl+K, the sidebar, its tree, by keys alone."""

from __future__ import annotations

import re

from conftest import Server
from playwright.sync_api import Page, ViewportSize, expect

NARROW = ViewportSize(width=360, height=740)


def test_quick_open_goes_to_a_page_a_new_one_and_a_search_by_keys(page: Page) -> None:
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Go to a page")
    page.keyboard.type("tour in")
    expect(page.get_by_role("option", name="A tour in five minutes")).to_have_attribute(
        "aria-selected", "true")
    page.keyboard.press("Enter")
    page.wait_for_url("**/Help.Tour")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("option")).to_have_text([re.compile("^Welcome")])  # read lately
    page.keyboard.type("Nothing Like It")
    create = page.get_by_role("option", name="Create the page “Nothing Like It”")
    expect(create).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option", name="Search for “Nothing Like It”")).to_have_attribute(
        "aria-selected", "true")
    page.keyboard.press("Escape")
    expect(field).to_be_hidden()
    page.keyboard.press("Control+k")
    page.keyboard.type("Nothing Like It")
    expect(create).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("Nothing(%20|\\+| )Like"))


def test_a_branch_of_the_tree_is_fetched_once_and_stays_open(page: Page) -> None:
    tree = page.get_by_role("navigation", name="Pages")
    twist = tree.get_by_role("button", name="Pages below Executors")
    expect(twist).to_have_attribute("aria-expanded", "false")
    twist.focus()
    page.keyboard.press("Enter")
    leaf = tree.get_by_role("link", name="Import CSV")
    expect(leaf).to_be_visible()
    page.keyboard.press("Space")
    expect(leaf).to_be_hidden()
    page.keyboard.press("Space")
    page.goto("/Help.Tour")
    expect(leaf).to_be_visible()
    expect(tree.get_by_role("link", name="A tour in five minutes")).to_have_attribute(
        "aria-current", "page")


def test_the_sidebar_stays_closed_and_is_a_drawer_where_it_is_narrow(page: Page) -> None:
    sidebar = page.locator("#sidebar")
    page.get_by_role("button", name="Navigation").click()
    expect(sidebar).to_be_hidden()
    page.reload()
    expect(sidebar).to_be_hidden()
    page.set_viewport_size(NARROW)
    expect(sidebar).to_be_hidden()
    toggle = page.get_by_role("button", name="Navigation")
    toggle.click()
    expect(sidebar).to_be_focused()
    expect(sidebar.get_by_role("link", name="Recent changes")).to_be_visible()
    page.keyboard.press("Escape")
    expect(sidebar).to_be_hidden()
    expect(toggle).to_be_focused()


def test_without_a_script_the_drawer_and_the_tree_are_links(page: Page, server: Server) -> None:
    browser = page.context.browser
    assert browser is not None
    plain = browser.new_page(base_url=server.url, java_script_enabled=False, viewport=NARROW)
    plain.goto("/")
    plain.get_by_role("link", name="Navigation").click()
    plain.get_by_role("link", name="Pages below Help").click()
    branch = plain.get_by_role("main")
    expect(branch.get_by_role("link", name="The syntax of pages")).to_be_visible()
    plain.close()
