"""Live parts of a page in a browser: they follow what changes, rest while hidden, and go on."""

from __future__ import annotations

import re

from conftest import PATIENCE, Server, until
from playwright.sync_api import Page, Request, expect
from test_board import WAITS, save
from test_main_job import make_task

HIDE = """hidden => {
    Object.defineProperty(document, 'hidden', {configurable: true, get: () => hidden});
    document.dispatchEvent(new Event('visibilitychange'));
}"""
#: Parts that refresh: one that was filled in for once does not.
LIVE = "[...document.querySelectorAll('[data-part]')].filter((part) => Number(part.dataset.every))"
RUN = """async () => (await fetch("/api/v1/tasks/Tasks.Mine/ready", {method: "POST", headers: {
    "X-CSRF-Token": document.querySelector("meta[name=csrf-token]").content}})).status"""
STATUS = """async () => (await (await fetch("/api/v1/tasks/Tasks.Mine")).json()).status"""


def asked(request: Request) -> bool:
    return request.url.endswith("/parts")


def test_a_board_follows_a_task_over_a_restart_of_the_server(page: Page, server: Server) -> None:
    make_task(page, WAITS)
    page.goto("/Tasks.WebHome")
    page.evaluate("window.sameLoad = true")
    row = page.get_by_role("row", name=re.compile("My task"))
    with page.expect_request(asked, timeout=PATIENCE):
        pass
    server.kill()
    server.start()
    assert page.evaluate(RUN) == 200
    expect(row.locator(".badge")).to_have_text("RUNNING", timeout=PATIENCE)
    save(page, "Work.Go")
    expect(row.locator(".badge")).to_have_text("DONE", timeout=PATIENCE)
    assert page.evaluate("window.sameLoad") is True


def test_all_parts_of_a_page_are_asked_for_in_one_request(page: Page) -> None:
    page.goto("/Tasks.ImportCountries")
    page.wait_for_function(f"() => {LIVE}.length > 2")
    count = page.evaluate(f"{LIVE}.length")

    def for_all(request: Request) -> bool:
        return asked(request) and (request.post_data or "").count("part=") == count

    with page.expect_request(for_all, timeout=PATIENCE) as caught:
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    answer = caught.value.response()
    assert answer is not None and answer.status == 200


def test_a_hidden_page_does_not_ask_and_one_that_is_shown_again_asks_at_once(page: Page) -> None:
    make_task(page, WAITS)
    page.get_by_role("link", name="View", exact=True).click()
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator(".task-progress .badge")).to_have_text("RUNNING", timeout=PATIENCE)
    page.evaluate(HIDE, True)
    page.wait_for_load_state("networkidle")
    requests: list[Request] = []
    page.on("request", lambda request: requests.append(request) if asked(request) else None)
    save(page, "Work.Go")
    until(lambda: page.evaluate(STATUS) == "DONE", PATIENCE / 1000, "the task does not end")
    assert requests == []
    assert page.locator(".task-progress .badge").first.inner_text() == "RUNNING"
    page.evaluate(HIDE, False)
    expect(page.locator(".task-progress .badge")).to_have_text("DONE", timeout=PATIENCE)
    assert requests


def test_what_is_open_stays_open_and_a_part_that_is_gone_is_left_alone(page: Page) -> None:
    page.goto("/Tasks.WebHome")
    page.get_by_text("Cancel…").first.click()
    with page.expect_response(lambda answer: asked(answer.request), timeout=PATIENCE):
        page.evaluate("""() => {
            const part = document.querySelector('[data-part]');
            part.dataset.tag = 'old';
            document.dispatchEvent(new Event('visibilitychange'));
        }""")
    page.wait_for_function("() => document.querySelector('[data-part]').dataset.tag !== 'old'")
    expect(page.get_by_role("button", name="Cancel their runs")).to_be_visible()
    page.evaluate("""() => {
        document.querySelector('[data-part]').dataset.part += 'x';
        document.dispatchEvent(new Event('visibilitychange'));
    }""")
    page.wait_for_function(
        "() => !document.querySelector('.live:has(.board)').hasAttribute('data-part')")
    expect(page.locator(".board")).to_be_visible()


def test_a_part_that_is_not_there_yet_is_filled_in(page: Page) -> None:
    page.goto("/Tasks.WebHome")
    page.wait_for_load_state("networkidle")
    answers = iter(({"busy": True}, {"busy": True},
                    {"every": 0, "tag": "t", "html": "<b id=filled>there</b>"}))
    page.route("**/parts", lambda route: route.fulfill(json={"parts": [next(answers)]}))
    page.evaluate("""() => {
        for (const part of document.querySelectorAll('[data-part]')) part.remove();
        document.querySelector('article.content').innerHTML =
            '<div class="live" data-part="x" data-every="0" data-tag="" aria-busy="true">…</div>';
        document.dispatchEvent(new CustomEvent('wikimill:text'));
    }""")
    expect(page.locator("#filled")).to_have_text("there", timeout=PATIENCE)
    expect(page.locator("[data-part]")).not_to_have_attribute("aria-busy", "true")
