"""The page of the API in a browser: found, tried, and open to everyone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

GRAVE = {"serious", "critical"}


def opened(page: Page, name: str) -> Locator:
    page.goto(f"/api/docs#{name}")
    form = page.locator(f"#{name} .api-try")
    expect(form).to_be_visible()
    return form


def test_operations_are_found_and_tried(page: Page) -> None:
    page.goto("/api/docs")
    page.get_by_label("Find an operation").fill("titles")
    expect(page.locator(".api-operation[data-words]:visible")).to_have_count(1)
    page.keyboard.press("Control+a")
    page.keyboard.type("put page content")
    expect(page.locator("#api-found")).to_have_text("0 operations")

    form = opened(page, "put_page")
    form.get_by_role("textbox", name="Body").fill('{"content": "tried"}')
    form.get_by_role("button", name="Send").click()
    expect(form.locator(".api-status")).to_have_text("201 CREATED")
    expect(form.get_by_role("region", name="Body of the answer")).to_contain_text(
        '"content": "tried"')
    form.get_by_text("Headers").click()
    expect(form.locator(".api-headers")).to_contain_text('etag: "1.1"')

    form = opened(page, "delete_page")
    form.get_by_role("button", name="Send").click()
    expect(form.locator(".api-status")).to_have_text("204 NO CONTENT")

    page.get_by_label("Token to try with").fill("nothing of the kind")
    form = page.locator("#list_pages .api-try")
    page.locator("#list_pages > summary").click()
    form.get_by_label("limit").fill("1")
    form.get_by_role("button", name="Send").click()
    expect(form.locator(".api-status")).to_have_text("401 UNAUTHORIZED")


def test_a_log_is_shown_as_it_comes_and_a_file_by_its_size(page: Page) -> None:
    form = opened(page, "get_attachment")
    form.get_by_label("version").fill("")
    form.get_by_role("button", name="Send").click()
    expect(form.locator(".api-status")).to_have_text("200 OK")
    form = opened(page, "find_titles")
    form.get_by_label("q", exact=True).fill("tour")
    form.get_by_role("button", name="Send").click()
    expect(form.locator(".api-body")).to_contain_text('"reference": "Help.Tour"')


def test_it_is_open_to_everyone(browse: Callable[..., Page]) -> None:
    for profile in ({"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
                    {"color_scheme": "dark", "viewport": {"width": 360, "height": 740}}):
        page = browse(None, **profile)
        opened(page, "put_page")
        page.locator("#schema-Task > summary").click()
        found = Axe().run(page).response["violations"]
        assert [one["help"] for one in found if one["impact"] in GRAVE] == []
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_it_is_read_without_scripts(browse: Callable[..., Page]) -> None:
    profile: dict[str, Any] = {"java_script_enabled": False}
    page = browse(None, **profile)
    page.goto("/api/docs")
    page.locator("#get_page > summary").click()
    expect(page.locator("#get_page .api-curl").last).to_contain_text("curl -H")
    expect(page.locator("#get_page .api-try")).to_be_hidden()
