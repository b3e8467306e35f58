"""The board of tasks and the state of a task, as they keep themselves up to date in a browser."""

from __future__ import annotations

import re

from conftest import PATIENCE
from playwright.sync_api import Page, expect
from test_main_job import make_task

#: Runs until the page ``Work.Go`` is there.
WAITS = '''\
import time

def run(logger, wiki, task):
    logger.progress(1, 4, "waiting")
    while "Work.Go" not in wiki:
        time.sleep(0.05)
        logger.progress(1, 4, "waiting")
'''


def save(page: Page, name: str) -> None:
    """Make a page beside what the browser shows."""
    status = page.evaluate("""async (name) => (await fetch(`/api/v1/pages/${name}`, {
        method: "PUT", body: JSON.stringify({content: "go"}), headers: {
            "Content-Type": "application/json",
            "X-CSRF-Token": document.querySelector("meta[name=csrf-token]").content}})).status""",
                           name)
    assert status == 201


def test_a_board_follows_its_tasks_and_keeps_what_is_ticked(page: Page) -> None:
    make_task(page, WAITS)
    page.goto("/Tasks.WebHome")
    page.evaluate("window.sameLoad = true")
    row = page.get_by_role("row", name=re.compile("My task"))
    row.get_by_role("checkbox").check()
    page.locator(".board-foot").get_by_role("button", name="Set READY").click()
    page.goto("/Tasks.WebHome")
    expect(row.locator(".badge")).to_have_text("RUNNING", timeout=PATIENCE)
    expect(row).to_contain_text("25 % · 1 of 4 · waiting", timeout=PATIENCE)
    expect(row.get_by_role("progressbar")).to_have_attribute("value", "25.0")
    page.evaluate("window.sameLoad = true")
    row.get_by_role("checkbox").check()
    row.get_by_role("checkbox").focus()
    save(page, "Work.Go")
    expect(row.locator(".badge")).to_have_text("DONE", timeout=PATIENCE)
    expect(row.get_by_role("checkbox")).to_be_checked()
    expect(row.get_by_role("checkbox")).to_be_focused()
    assert page.evaluate("window.sameLoad") is True


def test_the_filters_of_a_board_are_links(page: Page) -> None:
    page.goto("/Tasks.WebHome")
    page.get_by_role("link", name=re.compile("^Suspended")).click()
    expect(page.get_by_role("link", name=re.compile("^Suspended"))).to_have_attribute(
        "aria-current", "true")
    expect(page.locator(".board tbody tr")).to_have_count(1)
    page.get_by_label("Find tasks by title or name").fill("countries")
    page.get_by_role("button", name="Find").click()
    expect(page.locator(".board tbody")).to_contain_text("No task fits")
    assert "tasks.status=SUSPENDED" in page.url and "tasks.find=countries" in page.url


def test_the_tab_shows_a_tasks_state_and_cancelling_asks_once_more(page: Page) -> None:
    make_task(page, WAITS)
    page.get_by_role("link", name="View", exact=True).click()
    icon = page.locator("link[rel=icon]")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page).to_have_title(re.compile(r"^25 % · My task"), timeout=PATIENCE)
    expect(icon).to_have_attribute("href", re.compile("favicon-running.svg$"))
    expect(page.locator(".task-facts")).to_contain_text("Time left")
    page.get_by_text("Cancel…").click()
    page.get_by_role("button", name="Cancel the run").click()
    expect(page).to_have_title(re.compile("^SUSPENDED · My task"), timeout=PATIENCE)
    expect(page.get_by_role("button", name="Run again")).to_be_visible()
    expect(icon).to_have_attribute("href", re.compile("favicon.svg$"))


def test_a_phone_needs_not_scroll_sideways(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    for address in ("/Tasks.WebHome", "/TaskExecutorCode.WebHome", "/Tasks.ImportCountries"):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") == 390
