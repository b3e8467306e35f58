"""The viewer of logs in a browser, against the real server."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conftest import Server, until
from playwright.sync_api import Page, expect

from wiki.tasks.log import MANAGER_LOG, Logs

VIEWER = "/TaskExecutorCode.ShowLog?log="
#: A log that was put aside: nothing comes to it but what a test writes.
LOG = "Tasks.ImportCountries-20260101-000000.log"
AT_END = "pre => pre.scrollHeight - pre.scrollTop - pre.clientHeight < 40"


@pytest.fixture
def logs(server: Server) -> Logs:
    """The server's logs, to which nothing comes by itself: the sample task has ended."""
    manager = server.data / "logs" / MANAGER_LOG
    until(lambda: manager.exists() and "run 1 ended" in manager.read_text("utf-8"), 60,
          "the sample task does not end")
    return Logs(server.data / "logs")


@pytest.fixture
def page(browse: Callable[..., Page]) -> Page:
    """A guest's browser in New York."""
    return browse(None, timezone_id="America/New_York")


def fill(logs: Logs, log: str, count: int) -> None:
    for number in range(count):
        logs.append(log, "DEBUG" if number % 2 else "INFO", f"row {number}.", {"row": number})


def test_the_end_is_followed_until_one_scrolls_up_and_again_at_the_end(
        page: Page, logs: Logs) -> None:
    fill(logs, MANAGER_LOG, 300)
    page.goto(VIEWER + MANAGER_LOG)
    pre = page.locator("section.log pre")
    expect(page.locator(".log-state")).to_have_text("live")
    logs.append(MANAGER_LOG, "WARN", "news one")
    expect(pre.locator(".level-warn")).to_contain_text("news one")
    assert pre.evaluate(AT_END)
    size = logs.size(MANAGER_LOG)
    expect(page.locator(".log-size")).to_have_text(f"{size:,} bytes")

    pre.evaluate("pre => { pre.scrollTop -= 300 }")
    page.wait_for_function("() => !document.querySelector('section.log').logView.sticky")
    logs.append(MANAGER_LOG, "WARN", "news two")
    expect(pre).to_contain_text("news two")
    assert not pre.evaluate(AT_END)

    pre.evaluate("pre => { pre.scrollTop = pre.scrollHeight }")
    page.wait_for_function("() => document.querySelector('section.log').logView.sticky")
    logs.append(MANAGER_LOG, "WARN", "news three")
    expect(pre).to_contain_text("news three")
    assert pre.evaluate(AT_END)


def test_what_is_older_comes_where_one_scrolls_up(page: Page, logs: Logs) -> None:
    fill(logs, LOG, 1000)
    page.goto(VIEWER + LOG)
    pre = page.locator("section.log pre")
    expect(pre).to_contain_text("row 999.")
    expect(pre).not_to_contain_text("row 850.")
    pre.evaluate("pre => { pre.scrollTop = 0 }")
    expect(pre).to_contain_text("row 850.")
    shown = pre.locator(".line:not(.more)").all_inner_texts()
    rows = [text.rpartition("row ")[2] for text in shown]
    assert rows == sorted(rows, key=lambda text: float(text))


def test_levels_are_hidden_and_counted_and_times_are_the_readers(
        page: Page, logs: Logs) -> None:
    fill(logs, LOG, 10)
    page.goto(VIEWER + LOG)
    page.get_by_label("DEBUG").uncheck()
    expect(page.locator(".log-hidden")).to_have_text("5 lines hidden")
    expect(page.get_by_text("row 1.")).to_be_hidden()
    expect(page.get_by_text('{"row": 2}')).to_be_hidden()
    page.get_by_label("fields").check()
    expect(page.get_by_text('{"row": 2}')).to_be_visible()

    time = page.locator("section.log time").first
    local = time.evaluate("""time => new Date(time.dateTime).toLocaleTimeString(
        "en-GB", {timeZone: "America/New_York"})""")
    expect(time).to_contain_text(local)
    page.get_by_role("button", name="Local time").click()
    utc = str(time.get_attribute("datetime"))
    expect(time).to_have_text(utc.replace("T", " ").replace("Z", ""))


def test_a_hit_and_a_long_line_are_shown(page: Page, logs: Logs) -> None:
    fill(logs, LOG, 1000)
    logs.append(LOG, "OUT", "long " + "y" * 10_000)
    fill(logs, LOG, 300)
    page.goto(VIEWER + LOG)
    page.get_by_label("Search this log").fill("LONG YY")
    page.get_by_role("button", name="Previous", exact=True).click()
    here = page.locator(".log-here")
    expect(here.locator("mark")).to_have_text("long yy")
    expect(here).to_be_in_viewport()
    here.get_by_role("link", name="show all").click()
    page.wait_for_function(
        "() => document.querySelector('.line.level-out').textContent.includes('y'.repeat(9990))")
    page.locator(".level-info .log-at").first.click()
    expect(page.locator(".log-here")).to_be_in_viewport()


def test_a_log_that_is_archived_meanwhile_is_followed_from_its_new_begin(
        page: Page, logs: Logs) -> None:
    fill(logs, MANAGER_LOG, 300)
    page.goto(VIEWER + MANAGER_LOG)
    pre = page.locator("section.log pre")
    expect(page.locator(".log-state")).to_have_text("live")
    logs.archive(MANAGER_LOG)
    expect(pre.locator(".line")).to_have_count(0)
    logs.append(MANAGER_LOG, "WARN", "begins anew")
    expect(pre.locator(".line")).to_have_count(1)
    for number in range(100):
        logs.append(MANAGER_LOG, "INFO", f"again {number}.")
    expect(pre).to_contain_text("again 99.")
    assert pre.locator(".line").count() == 101
    page.wait_for_function(f"({AT_END})(document.querySelector('section.log pre'))")


def test_a_stream_that_is_refused_when_it_comes_back_is_tried_again(
        page: Page, logs: Logs) -> None:
    answers = [{"status": 200, "content_type": "text/event-stream", "body": "retry: 10\n\n"},
               {"status": 502, "body": "the server is starting"}]
    page.route("**/stream?*", lambda route: route.fulfill(**answers.pop(0))
               if answers else route.continue_())
    page.goto(VIEWER + MANAGER_LOG)
    page.wait_for_function("document.querySelector('.log-state').textContent !== ''")
    expect(page.locator("section.log")).to_have_attribute("data-live", "true")
    while answers:
        page.wait_for_timeout(20)
    logs.append(MANAGER_LOG, "INFO", "after the restart")
    expect(page.locator("section.log pre")).to_contain_text("after the restart")
