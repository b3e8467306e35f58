"""Tabs, pictures and columns as a reader sees them in a browser."""

from __future__ import annotations

from conftest import Server
from playwright.sync_api import Page, expect


def test_tabs_are_chosen_by_click_by_key_and_by_address(page: Page) -> None:
    page.goto("/Help.Files")
    first = page.get_by_role("tab", name="You get")
    second = page.get_by_role("tab", name="You write")
    expect(first).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("tabpanel", name="You get")).to_be_visible()
    expect(page.get_by_role("tabpanel", name="You write")).to_be_hidden()
    second.click()
    expect(page.get_by_role("tabpanel", name="You write")).to_be_visible()
    expect(page.get_by_role("tabpanel", name="You get")).to_be_hidden()
    assert page.url.endswith("#tab-you-write")
    page.keyboard.press("ArrowRight")
    expect(first).to_be_focused()
    expect(first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowLeft")
    expect(second).to_be_focused()
    page.goto("/Help.Syntax")
    page.goto("/Help.Files#tab-you-write")
    expect(page.get_by_role("tabpanel", name="You write")).to_be_visible()
    page.evaluate("location.hash = 'tab-you-get'")
    expect(first).to_have_attribute("aria-selected", "true")


def test_without_scripts_all_parts_are_seen(server: Server, page: Page) -> None:
    context = page.context.browser
    assert context is not None
    plain = context.new_page(base_url=server.url, java_script_enabled=False)
    plain.goto("/Help.Files")
    expect(plain.get_by_role("region", name="You get")).to_be_visible()
    expect(plain.get_by_role("region", name="You write")).to_be_visible()
    expect(plain.get_by_role("tab")).to_have_count(0)
