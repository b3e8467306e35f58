"""The runs of tasks as the browser and the JSON API show them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import PASSWORD, Browser, until
from flask import Flask

from wiki.api import Wiki
from wiki.site import Site
from wiki.tasks.names import EXECUTOR_CLASS, RUN_CLASS, TASK_CLASS

SCRIPT = """
def run(logger, wiki, task):
    page = wiki.get("A.Changed")
    page.content = "by the run"
    page.save()
    wiki.new("A.Created", content="<b>new</b>").save()
    wiki.get("A.Deleted").delete()
    edited = wiki.get("A.Edited")
    edited.title = "By the run"
    edited.save()
"""


@pytest.fixture
def ran(site: Site, wiki: Wiki) -> Iterator[Site]:
    """``Tasks.One`` has run once, and ``A.Edited`` was saved since."""
    site.manager.suspend("Tasks.ImportCountries", "Users.Admin")
    for name in ("A.Changed", "A.Deleted", "A.Edited"):
        wiki.new(name, content="by a person").save()
    executor = wiki.new("Executors.It")
    executor.add_object(EXECUTOR_CLASS, script=SCRIPT)
    executor.save()
    run(site, wiki)
    wiki.get("A.Edited").save()
    yield site


def run(site: Site, wiki: Wiki, **values: Any) -> None:
    task = wiki.get_or_new("Tasks.One")
    obj = task.object(TASK_CLASS) or task.add_object(TASK_CLASS, taskExecutor="Executors.It")
    obj.update(status="READY", **values)
    task.save()
    assert site.manager.invoke().started == "Tasks.One"
    until(lambda: bool(site.wiki.get("Tasks.One").objects(RUN_CLASS)[-1]["outcome"]), 30,
          "the run does not end")


def rest(app: Flask, path: str, method: str = "GET") -> Any:
    credentials = b64encode(f"Admin:{PASSWORD}".encode()).decode()
    return app.test_client().open(f"/api/v1/tasks/Tasks.One/runs{path}", method=method,
                                  headers={"Authorization": f"Basic {credentials}"})


def test_a_run_s_page_tells_what_it_did(ran: Site, guest: Browser) -> None:
    assert "/Tasks.One/runs/1" in guest.get("/Tasks.One/runs").text
    answer = guest.get("/Tasks.One/runs/1")
    assert answer.status_code == 200
    for text in ("DONE", "Users.Admin", "/Executors.It/history/1.1", "A.Changed", "A.Deleted",
                 "2 changed", "1 created", "1 deleted", "changed since: version 3.1",
                 "/Tasks.One/history/1.2"):
        assert text in answer.text, text
    assert "A.Edited" in guest.get("/Tasks.One/runs/1?state=kept").text
    assert "A.Changed" not in guest.get("/Tasks.One/runs/1?state=kept").text
    assert ">A.Created<" not in guest.get("/Tasks.One/runs/1?after=A.Created").text


def test_a_run_s_change_of_a_page_shows_as_a_diff(ran: Site, guest: Browser) -> None:
    changed = guest.get("/Tasks.One/runs/1/pages/A.Changed").text
    assert "<del>by a person</del>" in changed and "<ins>by the run</ins>" in changed
    assert "&lt;b&gt;new" in guest.get("/Tasks.One/runs/1/pages/A.Created").text
    assert "<del>by a person</del>" in guest.get("/Tasks.One/runs/1/pages/A.Deleted").text


@pytest.mark.parametrize("path", ["/Tasks.One/runs/9", "/Tasks.One/runs/1/pages/A.None",
                                  "/A.Changed/runs", "/A.Changed/runs/1", "/A.None/runs"])
def test_what_is_no_run_is_not_found(ran: Site, guest: Browser, path: str) -> None:
    assert guest.get(path).status_code == 404


def test_the_history_names_the_run_that_saved_a_version(ran: Site, guest: Browser) -> None:
    text = guest.get("/A.Changed/history").text
    assert '<a href="/Tasks.One/runs/1">run 1 of Tasks.One</a>' in text


def test_taking_a_run_back_asks_first_and_says_what_it_did(
        ran: Site, admin: Browser, wiki: Wiki) -> None:
    asked = admin.get("/Tasks.One/runs/1/undo").text
    assert "3 pages are put back" in asked and "1 page stays as it is" in asked
    assert wiki.get("A.Changed").content == "by the run"
    answer = admin.post("/Tasks.One/runs/1/undo")
    assert answer.status_code == 302
    assert wiki.get("A.Changed").content == "by a person"
    assert "A.Created" not in wiki and "A.Deleted" in wiki
    shown = admin.get("/Tasks.One/runs/1").text
    assert "3 pages put back, 1 page kept" in shown and "taken back" in shown
    assert "Take back the rest" not in shown  # what is left was kept


def test_a_guest_takes_nothing_back(ran: Site, guest: Browser, wiki: Wiki) -> None:
    assert guest.post("/Tasks.One/runs/1/undo").status_code in (302, 401, 403)
    assert "Take this run back" not in guest.get("/Tasks.One/runs/1").text
    assert wiki.get("A.Changed").content == "by the run"


def test_a_dry_run_s_page_shows_what_it_would_do(
        ran: Site, admin: Browser, wiki: Wiki) -> None:
    admin.post("/Tasks.One/runs/1/undo")
    run(ran, wiki, dryRun=True)
    text = admin.get("/Tasks.One/runs/2").text
    assert "Pages that it would touch" in text and "it changed nothing" in text
    assert "Take this run back" not in text
    assert "<ins>by the run</ins>" in admin.get("/Tasks.One/runs/2/pages/A.Changed").text
    assert wiki.get("A.Changed").content == "by a person"
    assert admin.post("/Tasks.One/runs/2/undo").status_code == 409
    task = admin.get("/Tasks.One").text
    assert "Dry run 2 ended DONE" in task
    assert '<a href="/Tasks.One/runs/2">what it would change</a>' in task
    assert "started, as a dry run" in ran.logs.read("Tasks.One.log").text


def test_rest_lists_runs_and_what_they_touched(ran: Site, app: Flask) -> None:
    runs = rest(app, "").json
    assert [item["number"] for item in runs["items"]] == [1] and runs["next_cursor"] is None
    one = rest(app, "/1").json
    assert one["outcome"] == "DONE" and one["touched"] == {
        "changed": 2, "created": 1, "deleted": 1}
    first = rest(app, "/1/pages?limit=3").json
    rest_ = rest(app, f"/1/pages?limit=3&cursor={first['next_cursor']}").json
    assert [(item["reference"], item["kind"], item["state"])
            for item in [*first["items"], *rest_["items"]]] == [
        ("A.Changed", "changed", "open"), ("A.Created", "created", "open"),
        ("A.Deleted", "deleted", "open"), ("A.Edited", "changed", "kept")]
    assert rest_["next_cursor"] is None
    assert rest(app, "/9").status_code == 404


def test_rest_takes_a_run_back(ran: Site, app: Flask, wiki: Wiki) -> None:
    done = rest(app, "/1/undo", "POST").json
    assert (done["back"], done["kept"]) == (3, 1)
    assert done["named"][0]["reference"] == "A.Edited"
    assert wiki.get("A.Changed").content == "by a person"
    assert app.test_client().post("/api/v1/tasks/Tasks.One/runs/1/undo").status_code in (401, 403)


def test_the_runs_macro_links_each_run(ran: Site, guest: Browser, wiki: Wiki) -> None:
    wiki.new("A.Board", content='<<runs task="Tasks.One"/>>\n\n<<runs task="Tasks.Two"/>>').save()
    task = wiki.new("Tasks.Two")
    task.add_object(TASK_CLASS, taskExecutor="Executors.It")
    task.save()
    text = guest.get("/A.Board").text
    assert '<a href="/Tasks.One/runs/1">Run 1</a>' in text
    assert "It has not run yet." in text
