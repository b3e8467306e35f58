"""The password changed, and used, by a browser that runs no scripts, on a telephone."""

from __future__ import annotations

from collections.abc import Callable

from conftest import PASSWORD
from playwright.sync_api import Page, expect


def test_a_password_is_changed_without_scripts(browse: Callable[..., Page]) -> None:
    page = browse(java_script_enabled=False, color_scheme="dark",
                  viewport={"width": 360, "height": 740})
    page.get_by_role("banner").locator("summary", has_text="Admin").click()
    page.get_by_role("link", name="Password").click()
    for label, text in (("Current password", "wrong"), ("New password", "another one"),
                        ("New password again", "another one")):
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_role("alert")).to_contain_text("not your current password")
    for label, text in (("Current password", PASSWORD), ("New password", "another one"),
                        ("New password again", "another one")):
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_text("Your password is changed")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_role("banner").locator("summary", has_text="Admin").click()
    page.get_by_role("button", name="Log out").click()
    page.goto("/login")
    page.get_by_label("Name", exact=True).fill("Admin")
    page.get_by_label("Password").fill("another one")
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    expect(page.get_by_role("banner").locator("summary", has_text="Admin")).to_be_visible()
