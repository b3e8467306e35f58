"""The script editor as a person uses it: numbers, indenting, the live check, and a trial."""

from __future__ import annotations

import re

from conftest import PATIENCE
from playwright.sync_api import Page, expect

SCRIPT = '''\
def run(logger, wiki, task):
    logger.info("a trial speaks")
    wiki.new("Made.ByTrial", content="Hello").save()
'''


def make_executor(page: Page) -> None:
    page.goto("/Executors.WebHome")
    page.get_by_role("link", name="New executor").click()
    main = page.get_by_role("main")
    main.get_by_label("Name").fill("Mine")
    main.get_by_label("Title").fill("My executor")
    main.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", name="Script of My executor")).to_be_visible()
    expect(page.locator(".script-lines")).to_be_visible()


def test_an_executor_is_made_written_and_tried(page: Page) -> None:
    make_executor(page)
    area = page.locator("#script")
    lines = page.locator(".script-lines li")
    area.fill("")
    area.type("def run(logger, wiki, task):\nx = (1,")
    assert area.input_value() == "def run(logger, wiki, task):\n    x = (1,"
    expect(lines).to_have_count(2)
    expect(page.locator("#problems")).to_contain_text("was never closed", timeout=PATIENCE)
    expect(lines.nth(1)).to_have_class("error")
    page.get_by_role("button", name="Try it").click()
    expect(area).to_be_focused()
    assert len(page.context.pages) == 1
    page.keyboard.press("Control+s")
    expect(page.get_by_role("button", name="Save anyway")).to_be_visible()
    expect(area).to_be_focused()
    area.fill(SCRIPT)
    expect(page.locator("#problems li")).to_have_count(0, timeout=PATIENCE)
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Try it").click()
    trial = opened.value
    expect(trial.locator("article")).to_contain_text("a trial speaks", timeout=PATIENCE)
    expect(trial.get_by_role("heading", name="What it would change")).to_be_visible(
        timeout=PATIENCE)
    expect(trial.locator(".trial-change")).to_contain_text("Made.ByTrial")
    assert page.request.get("/api/v1/pages/Made.ByTrial").status == 404
    assert area.input_value() == SCRIPT
    page.keyboard.press("Control+s")
    expect(page.get_by_text(re.compile("Saved as version"))).to_be_visible()


def test_tab_indents_lines_and_escape_lets_the_focus_go(page: Page) -> None:
    make_executor(page)
    area = page.locator("#script")
    area.fill("a\nb")
    page.keyboard.press("Control+a")
    page.keyboard.press("Tab")
    assert area.input_value() == "    a\n    b"
    page.keyboard.press("Control+a")
    page.keyboard.press("Shift+Tab")
    assert area.input_value() == "a\nb"
    page.keyboard.press("Control+z")
    assert area.input_value() == "    a\n    b"
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(area).not_to_be_focused()
