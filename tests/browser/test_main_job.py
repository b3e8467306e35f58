"""The main job as a person does it: in a browser, against the real server."""

from __future__ import annotations

import re
from pathlib import Path

from conftest import PATIENCE, Server
from playwright.sync_api import Page, expect

SCRIPT = '''\
import csv, io, time

def run(logger, wiki, task):
    rows = list(csv.DictReader(io.TextIOWrapper(task.attachment("books.csv").open(), "utf-8")))
    for row in task.track(rows):
        logger.info("reading %s", row["title"])
        time.sleep(0.7)
        page = wiki.get_or_new("Shelf." + row["title"])
        page.content = "By " + row["author"]
        page.save()
'''
BOOKS = "title,author\n" + "".join(f"Book {n},Author {n}\n" for n in range(1, 7))
SLOW = '''\
import time

def run(logger, wiki, task):
    logger.info("the long work begins")
    for number in task.track(range(1000)):
        time.sleep(0.1)
'''

MOVED = """first => document.querySelector('.task-progress progress').value > first
    || document.querySelector('.task-progress .badge').textContent === 'DONE'"""


def make_page(page: Page, name: str, title: str) -> None:
    """Create a page with the box in the head of every page."""
    page.get_by_text("New page", exact=True).click()
    page.get_by_label("Name of the new page").fill(name)
    page.get_by_role("button", name="Create").click()
    page.get_by_label("Title").fill(title)
    page.get_by_label("Content", exact=False).first.fill(f"The page of {title}.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()


def add_object(page: Page, class_name: str, **values: str) -> None:
    """Add an object in the objects editor, and save it."""
    page.get_by_role("link", name="Objects", exact=True).click()
    page.get_by_label("Class", exact=True).fill(class_name)
    page.get_by_role("button", name="Add", exact=True).click()
    for name, value in values.items():
        field = page.locator(f'[name="{class_name}[0].{name}"]')
        if field.evaluate("field => field.localName") == "select":
            field.select_option(value)
        else:
            field.fill(value)
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text("Saved as version")).to_be_visible()


def make_task(page: Page, script: str) -> None:
    make_page(page, "Executors.Mine", "My executor")
    add_object(page, "TaskExecutorCode.TaskExecutorClass", name="Mine", script=script)
    make_page(page, "Tasks.Mine", "My task")
    add_object(page, "TaskExecutorCode.TaskClass", taskExecutor="Executors.Mine",
               status="SUSPENDED")


def test_a_task_is_made_run_and_watched_in_the_browser(page: Page, tmp_path: Path) -> None:
    make_task(page, SCRIPT)
    file = tmp_path / "books.csv"
    file.write_text(BOOKS)
    page.get_by_role("link", name=re.compile("^Attachments")).click()
    page.get_by_label("Attach files", exact=False).set_input_files(file)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("link", name="books.csv", exact=True)).to_be_visible()
    page.get_by_role("link", name="View", exact=True).click()
    page.get_by_role("button", name="Run").click()
    page.evaluate("window.sameLoad = true")

    status = page.locator(".task-progress .badge")
    expect(status).to_have_text("RUNNING", timeout=PATIENCE)
    log = page.locator("section.log pre")
    expect(log).to_contain_text("reading Book 1", timeout=PATIENCE)
    seen = page.locator(".task-progress progress")
    expect(seen).to_have_attribute("value", re.compile("[1-9]"), timeout=PATIENCE)
    first = float(seen.get_attribute("value") or 0)
    page.wait_for_function(MOVED, arg=first)
    expect(log).to_contain_text("reading Book 6", timeout=PATIENCE)
    expect(status).to_have_text("DONE", timeout=PATIENCE)
    assert page.evaluate("window.sameLoad") is True
    assert page.locator("section.log .level-info").count() > 5

    page.goto("/Shelf.Book 3")
    expect(page.get_by_text("By Author 3")).to_be_visible()
    page.goto("/TaskExecutorCode.ShowLog?log=Tasks.Mine.log")
    expect(page.locator("section.log pre")).to_contain_text("reading Book 6")
    page.goto("/TaskExecutorCode.WebHome")
    expect(page.get_by_role("row", name=re.compile("My task"))).to_contain_text("DONE")


def test_a_task_whose_server_was_killed_is_interrupted_and_keeps_its_log(
        page: Page, server: Server) -> None:
    make_task(page, SLOW)
    page.get_by_role("button", name="Run").click()
    expect(page.locator("section.log pre")).to_contain_text("the long work begins",
                                                            timeout=PATIENCE)
    server.kill()
    server.start()
    page.goto("/Tasks.Mine")
    expect(page.locator(".task-progress .badge")).to_have_text("ERROR", timeout=PATIENCE)
    log = page.locator("section.log pre")
    expect(log).to_contain_text("the long work begins")
    expect(log).to_contain_text("interrupted", ignore_case=True)
