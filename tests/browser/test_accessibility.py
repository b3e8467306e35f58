"""Every kind of page, looked over by axe-core: light and dark, wide and narrow."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize, expect

TASK = "Tasks.ImportCountries"
KINDS = {
    "home": "/", "text": "/Help.Syntax", "editor": "/Help.Tour/edit", "new page": "/A.New/edit",
    "objects": f"/{TASK}/objects", "class": "/Wiki.UserClass/class",
    "history": f"/{TASK}/history", "changes": f"/{TASK}/diff", "old": f"/{TASK}/history/1.1",
    "attachments": f"/{TASK}/attachments", "attachment": (
        f"/{TASK}/attachments/countries.csv?preview=1"),
    "all pages": "/index", "search": "/search?q=task", "task": f"/{TASK}",
    "board": "/Tasks.WebHome",
    "run": f"/{TASK}/runs/1", "log": f"/TaskExecutorCode.ShowLog?log={TASK}.log",
    "scheduler": "/Wiki.Scheduler", "macros": "/Help.Macros",
    "script": "/Executors.ImportCSV/script",
    "wizard": "/import", "missing": "/No.Such", "bin": "/bin", "recent changes": "/changes",
    "tree": "/tree", "rename": "/Tasks.HelloWorld/rename", "delete": "/Tasks.HelloWorld/delete",
    "source": "/Tasks.HelloWorld/source", "user": "/Users.Admin", "tags": "/Main.Tags"}
GRAVE = {"moderate", "serious", "critical"}
WIDE, NARROW = ViewportSize(width=1280, height=900), ViewportSize(width=360, height=740)


@pytest.fixture
def page(page: Page) -> Page:
    page.goto(f"/{TASK}")
    expect(page.locator(".task-progress .badge")).to_have_text("DONE")
    return page


def grave(page: Page) -> list[str]:
    """What axe-core finds that keeps people out."""
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['help']}, at {node['target']} ({node['failureSummary']})"
            for one in found if one["impact"] in GRAVE for node in one["nodes"][:3]]


@pytest.mark.parametrize(("scheme", "size"), [("light", WIDE), ("dark", NARROW)],
                         ids=["light and wide", "dark and narrow"])
def test_every_kind_of_page_is_open_to_everyone(page: Page, scheme: str,
                                                size: ViewportSize) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size(size)
    problems = {}
    for kind, url in KINDS.items():
        page.goto(url)
        expect(page.get_by_role("heading", level=1).first).to_be_visible()
        if found := grave(page):
            problems[kind] = found
        wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wider > 0:
            problems.setdefault(kind, []).append(f"{wider} pixels wider than the screen")
    assert problems == {}


def test_the_login_and_the_open_dialog_are_open_to_everyone(page: Page) -> None:
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Go to a page")).to_be_focused()
    page.keyboard.type("tour")
    expect(page.get_by_role("option", name="A tour in five minutes")).to_be_visible()
    assert grave(page) == []
    page.context.clear_cookies()
    page.goto("/login")
    assert grave(page) == []
