"""Starting work: the Run form, its like in REST and on the command line, copies, bulk changes."""

from __future__ import annotations

import io
import json
import re
import threading
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import PASSWORD, Browser, until
from wiki.api import OpenDocument, Wiki
from wiki.cli import main
from wiki.errors import AccessDenied, DocumentExists, InvalidDocument, InvalidValue, TaskError
from wiki.model import Property
from wiki.serving import serving
from wiki.site import Site
from wiki.tasks.names import EXECUTOR_CLASS, RUN_CLASS, TASK_CLASS

ADMIN, JO = "Users.Admin", "Users.Jo"
PARAMETERS = "Executors.GreetParameters"
SCRIPT = """def run(logger, wiki, task):
    logger.info("%s %s", task.params["greeting"], [file.filename for file in task.attachments])
"""


@pytest.fixture
def executor(wiki: Wiki) -> OpenDocument:
    """An executor with parameters of several types, and a template for its tasks."""
    asked = wiki.new(PARAMETERS)
    asked.define_class(
        Property("greeting", required=True, pretty_name="Greeting", help="What it says."),
        Property("times", "Number", default=1,
                 options={"integer": True, "min": 1, "max": 9}),
        Property("when", "Date", options={"time": True}), Property("day", "Date"),
        Property("tone", "StaticList", default="kind", options={"values": ["kind", "loud"]}),
        Property("marks", "StaticList", options={"values": ["a", "b"], "multiple": True}),
        Property("target", "Page", options={"class": EXECUTOR_CLASS}),
        Property("text", "TextArea", options={"kind": "code"}))
    asked.save()
    page = wiki.new("Executors.Greet", title="Greet")
    page.add_object(EXECUTOR_CLASS, script=SCRIPT, parameterClass=PARAMETERS, taskSpace="Work")
    return page.save()


@pytest.fixture
def jo(site: Site, app: Flask) -> Browser:
    """The browser of a user who may edit, and no more."""
    site.add_user("Jo", PASSWORD)
    browser = Browser(app.test_client())
    assert browser.log_in("Jo").status_code == 302
    return browser


def change(executor: OpenDocument, **values: Any) -> None:
    obj = executor.object(EXECUTOR_CLASS)
    assert obj is not None
    obj.update(**values)
    executor.save()


def values(wiki: Wiki, name: object, class_name: str = TASK_CLASS) -> dict[str, Any]:
    obj = wiki.get(str(name)).object(class_name)
    assert obj is not None
    return dict(obj.values)


# -- the service ------------------------------------------------------------------------------


def test_a_task_is_made_in_one_save_with_parameters_files_and_status(
        site: Site, wiki: Wiki, executor: OpenDocument) -> None:
    ref = site.starter.start(JO, "Executors.Greet", {"greeting": "Hi", "times": 2},
                             [("a.txt", io.BytesIO(b"one"))])
    page = wiki.get(ref)
    assert re.fullmatch(r"Work\.Greet-\d{8}-\d{6}", str(ref))
    assert str(page.version) == "1.1" and page.author == JO
    task = values(wiki, ref)
    assert (task["taskExecutor"], task["status"], task["dryRun"]) == (
        "Executors.Greet", "READY", False)
    assert values(wiki, ref, PARAMETERS) == {"greeting": "Hi", "times": 2, "tone": "kind"}
    assert page.attachment("a.txt").read() == b"one"


def test_two_tasks_of_the_same_second_get_names_of_their_own(
        site: Site, executor: OpenDocument) -> None:
    refs = {site.starter.start(JO, "Executors.Greet", {"greeting": "Hi"}) for _ in range(3)}
    assert len(refs) == 3


def test_a_named_task_is_never_put_over_a_page(
        site: Site, wiki: Wiki, executor: OpenDocument) -> None:
    ref = site.starter.start(JO, "Executors.Greet", {"greeting": "Hi"}, name="Mine",
                             ready=False, dry_run=True)
    assert str(ref) == "Work.Mine"
    task = values(wiki, ref)
    assert (task["status"], task["dryRun"]) == ("SUSPENDED", True)
    with pytest.raises(DocumentExists):
        site.starter.start(JO, "Executors.Greet", {"greeting": "Ho"}, name="Mine")
    assert values(wiki, ref, PARAMETERS)["greeting"] == "Hi"


@pytest.mark.parametrize("params", [
    {}, {"greeting": ""}, {"greeting": "Hi", "times": 10}, {"greeting": "Hi", "tone": "mean"},
    {"greeting": "Hi", "gretting": "typo"}])
def test_wrong_missing_and_unknown_parameters_make_no_task(
        site: Site, wiki: Wiki, executor: OpenDocument, params: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue):
        site.starter.start(JO, "Executors.Greet", params, name="Never")
    assert "Work.Never" not in wiki


def test_an_executor_without_parameters_takes_none(site: Site, wiki: Wiki) -> None:
    ref = site.starter.start(ADMIN, "Executors.HelloWorld")
    assert ref.space == "Tasks"
    with pytest.raises(InvalidValue, match="no parameters"):
        site.starter.start(ADMIN, "Executors.HelloWorld", {"speed": 1})


def test_two_files_of_one_name_are_refused(site: Site, executor: OpenDocument) -> None:
    files = [("a.txt", io.BytesIO(b"1")), ("a.txt", io.BytesIO(b"2"))]
    with pytest.raises(InvalidDocument, match=r"a\.txt"):
        site.starter.start(JO, "Executors.Greet", {"greeting": "Hi"}, files)


def test_a_template_gives_text_values_and_files_but_no_runs(
        site: Site, wiki: Wiki, executor: OpenDocument) -> None:
    template = wiki.new("Work.Template", content="How to greet", title="A template")
    template.add_object(TASK_CLASS, taskExecutor="Executors.Greet", status="DONE", priority=7)
    template.add_object(PARAMETERS, greeting="Hello", times=3)
    template.add_object(RUN_CLASS, number=1)
    template.attach("logo.png", b"png")
    template.save()
    change(executor, template="Work.Template")
    page = wiki.get(site.starter.start(JO, "Executors.Greet", {"times": 4}))
    assert page.content == "How to greet" and page.attachment("logo.png").read() == b"png"
    assert page.object(PARAMETERS)["greeting"] == "Hello"
    assert page.object(PARAMETERS)["times"] == 4
    task = page.object(TASK_CLASS)
    assert (task["status"], task["priority"]) == ("READY", 7)
    assert page.object(RUN_CLASS) is None
    change(wiki.get("Executors.Greet"), template="Work.Gone")
    with pytest.raises(TaskError, match=r"Work\.Gone"):
        site.starter.start(JO, "Executors.Greet", {"greeting": "Hi"})


def test_who_may_run_it_is_asked_of_everybody_but_who_may_script(
        site: Site, executor: OpenDocument) -> None:
    change(executor, runners=["Users.Ann"])
    site.starter.start("Users.Ann", "Executors.Greet", {"greeting": "Hi"})
    site.starter.start(ADMIN, "Executors.Greet", {"greeting": "Hi"})
    with pytest.raises(AccessDenied, match=r"Users\.Ann"):
        site.starter.start(JO, "Executors.Greet", {"greeting": "Hi"})
    with pytest.raises(AccessDenied):
        site.starter.start("Wiki.Guest", "Executors.HelloWorld")


def test_again_keeps_what_is_not_changed_and_refuses_a_running_task(
        site: Site, wiki: Wiki, executor: OpenDocument) -> None:
    ref = site.starter.start(JO, "Executors.Greet", {"greeting": "Hi", "times": 2}, ready=False)
    site.starter.again(JO, ref, {"times": 3}, [("b.txt", io.BytesIO(b"b"))], dry_run=True)
    assert values(wiki, ref, PARAMETERS) == {"greeting": "Hi", "times": 3, "tone": "kind"}
    task = values(wiki, ref)
    assert (task["status"], task["dryRun"]) == ("READY", True)
    page = wiki.get(ref)
    assert page.attachment("b.txt").read() == b"b"
    page.object(TASK_CLASS)["status"] = "RUNNING"
    page.save()
    with pytest.raises(TaskError, match="RUNNING"):
        site.starter.again(JO, ref)


def test_a_duplicate_is_suspended_and_has_no_runs(
        site: Site, wiki: Wiki, executor: OpenDocument) -> None:
    ref = site.starter.start(JO, "Executors.Greet", {"greeting": "Hi"}, name="One")
    page = wiki.get(ref)
    page.add_object(RUN_CLASS, number=1)
    page.attach("a.txt", b"a")
    page.save()
    copy = site.starter.duplicate(JO, ref)
    assert str(copy) == "Work.One-2"
    assert str(site.starter.duplicate(JO, ref)) == "Work.One-3"
    made = wiki.get(copy)
    assert made.object(RUN_CLASS) is None and made.attachment("a.txt").read() == b"a"
    assert values(wiki, copy)["status"] == "SUSPENDED"
    assert values(wiki, copy, PARAMETERS)["greeting"] == "Hi"
    with pytest.raises(DocumentExists):
        site.starter.duplicate(JO, ref, "One")
    long = site.starter.duplicate(JO, ref, "ü" * 127)
    assert str(site.starter.duplicate(JO, long)) == f"Work.{'ü' * 100}-2"


def test_a_copy_is_not_signed_by_who_makes_it_where_another_wrote_it(
        site: Site, wiki: Wiki, executor: OpenDocument) -> None:
    evil = wiki.as_user(JO).new("Work.Evil", content="<<jinja>>{{ 1 }}<</jinja>>")
    evil.add_object(TASK_CLASS, taskExecutor="Executors.Greet", status="SUSPENDED")
    evil.add_object(PARAMETERS, greeting="<<jinja>>")
    evil.save()
    change(executor, template="Work.Evil")
    made = [site.starter.start(ADMIN, "Executors.Greet", {"times": 2}),
            site.starter.duplicate(ADMIN, "Work.Evil")]
    made.append(site.starter.duplicate(ADMIN, made[1]))
    for ref in made:
        assert wiki.get(ref).author == ADMIN
        assert wiki.get(ref).content_author == JO


def test_a_run_of_a_copied_task_is_signed_by_who_gave_its_values(
        site: Site, wiki: Wiki, executor: OpenDocument) -> None:
    change(executor, script="def run(logger, wiki, task):\n"
                            "    wiki.new('Work.Made', content=task.params['greeting']).save()\n")
    ref = site.starter.start(JO, "Executors.Greet", {"greeting": "<<jinja>>"}, ready=False)
    copy = site.starter.duplicate(ADMIN, ref)
    page = wiki.get(copy)
    page.content = "seen"
    page.save()
    site.starter.again(ADMIN, copy)
    run_to_its_end(site, str(copy))
    assert wiki.get("Work.Made").content_author == JO


def run_to_its_end(site: Site, task: str) -> str:
    """Let the manager run the task; its status then."""
    news = threading.Event()
    site.manager.waker.listeners.append(news.set)
    site.manager.suspend("Tasks.ImportCountries", ADMIN)
    site.manager.invoke()

    def ended() -> bool:
        news.wait(0.05)
        news.clear()
        return values(site.wiki, task)["status"] not in ("READY", "RUNNING")

    until(ended, 30, "it does not end")
    return str(values(site.wiki, task)["status"])


# -- the form ---------------------------------------------------------------------------------


def fields(**params: Any) -> dict[str, Any]:
    return {f"param.{name}": value for name, value in params.items()}


def test_the_form_is_made_from_the_parameter_class(jo: Browser, executor: OpenDocument) -> None:
    form = jo.get("/Executors.Greet/run").text
    greeting = tag(form, "param.greeting")
    assert " required" in greeting and 'type="text"' in greeting
    assert "What it says." in form
    times = tag(form, "param.times")
    for part in ('type="number"', 'min="1"', 'max="9"', 'step="1"', 'value="1"'):
        assert part in times
    assert 'type="datetime-local"' in tag(form, "param.when")
    assert 'type="date"' in tag(form, "param.day")
    assert "<option selected>kind</option>" in form
    assert form.count('type="checkbox" name="param.marks"') == 2
    assert '<option value="Executors.Greet">' in form
    assert 'class="code"' in tag(form, "param.text")
    assert 'type="file"' in tag(form, "file") and " multiple" in tag(form, "file")
    assert re.search(r'value="Work\.Greet-\d{8}-\d{6}"', tag(form, "name"))
    assert 'value="Hello"' in tag(jo.get("/Executors.Greet/run?greeting=Hello").text,
                                  "param.greeting")


def tag(html: str, name: str) -> str:
    """The tag of the form's field."""
    form = html.partition('class="run-form"')[2]
    found = re.search(rf'<[^>]*name="{re.escape(name)}"[^>]*>', form)
    assert found, f"no field {name}"
    return found[0]


def test_the_form_makes_the_task_and_leads_to_it(
        jo: Browser, wiki: Wiki, executor: OpenDocument) -> None:
    answer = jo.post("/Executors.Greet/run", name="Mine", title="My task", dry_run="1",
                     action="run", file=[(io.BytesIO(b"1"), "folder/a.txt"),
                                         (io.BytesIO(b"2"), "b.txt")],
                     **fields(greeting="Hi", times="3", when="2026-11-24T05:10",
                              day="2026-11-24", marks=["", "a", "b"], text="x\r\ny"))
    assert answer.status_code == 302 and answer.location == "/Work.Mine"
    assert values(wiki, "Work.Mine", PARAMETERS) == {
        "greeting": "Hi", "times": 3, "when": "2026-11-24T05:10:00Z", "day": "2026-11-24",
        "tone": "kind", "marks": ["a", "b"], "text": "x\ny"}
    page = wiki.get("Work.Mine")
    assert page.title == "My task" and page.author == JO
    assert [item.filename for item in page.attachments] == ["a.txt", "b.txt"]
    task = values(wiki, "Work.Mine")
    assert (task["status"], task["dryRun"]) == ("READY", True)
    assert "is READY" in jo.get("/Work.Mine").text


def test_what_is_wrong_shows_at_its_field_and_nothing_typed_is_lost(
        jo: Browser, wiki: Wiki, executor: OpenDocument) -> None:
    answer = jo.post("/Executors.Greet/run", name="Mine", title="My <b>", dry_run="1",
                     file=(io.BytesIO(b"1"), "a.txt"),
                     **fields(greeting="", times="many", day="soon", tone="mean", text="kept"))
    assert answer.status_code == 400 and "Work.Mine" not in wiki
    for text in ("Greeting is required", "a whole number from 1 to 9", "one of kind, loud",
                 "Choose your files again", "kept</textarea>"):
        assert text in answer.text
    assert 'value="many"' in tag(answer.text, "param.times")
    assert 'type="number"' not in tag(answer.text, "param.times"), "a browser would drop it"
    assert 'value="soon"' in tag(answer.text, "param.day")
    assert 'value="Mine"' in tag(answer.text, "name")
    assert 'value="My &lt;b&gt;"' in tag(answer.text, "title")
    assert " checked" in tag(answer.text, "dry_run")


def test_pressing_run_twice_makes_one_task(jo: Browser, executor: OpenDocument) -> None:
    assert jo.post("/Executors.Greet/run", name="One", **fields(greeting="Hi")).status_code == 302
    again = jo.post("/Executors.Greet/run", name="One", **fields(greeting="Hi"))
    assert again.status_code == 409
    assert "Work.One exists already" in again.text


def test_save_without_running(jo: Browser, wiki: Wiki, executor: OpenDocument) -> None:
    jo.post("/Executors.Greet/run", name="Later", action="save", **fields(greeting="Hi"))
    assert values(wiki, "Work.Later")["status"] == "SUSPENDED"


def test_a_task_is_run_again_with_other_parameters_or_as_a_new_one(
        jo: Browser, wiki: Wiki, site: Site, executor: OpenDocument) -> None:
    ref = site.starter.start(JO, "Executors.Greet", {"greeting": "Hi", "times": 4}, [
        ("a.txt", io.BytesIO(b"a"))], name="One", ready=False)
    form = jo.get("/Work.One/run").text
    assert 'value="Hi"' in tag(form, "param.greeting") and "<code>a.txt</code>" in form
    assert jo.post("/Work.One/run", target="again", action="run",
                   **fields(greeting="Ho", times="4")).location == "/Work.One"
    assert values(wiki, ref, PARAMETERS)["greeting"] == "Ho"
    assert values(wiki, ref)["status"] == "READY"
    jo.post("/Work.One/run", target="new", name="Two", **fields(greeting="He", times="5"))
    assert values(wiki, "Work.Two", PARAMETERS)["greeting"] == "He"
    assert wiki.get("Work.Two").attachment("a.txt").read() == b"a"
    assert values(wiki, ref, PARAMETERS)["greeting"] == "Ho"


def test_a_running_task_is_not_changed_but_can_be_made_anew(
        jo: Browser, wiki: Wiki, site: Site, executor: OpenDocument) -> None:
    ref = site.starter.start(JO, "Executors.Greet", {"greeting": "Hi"}, name="One", ready=False)
    page = wiki.get(ref)
    page.object(TASK_CLASS)["status"] = "RUNNING"
    page.save()
    assert "RUNNING" in jo.get("/Work.One/run").text
    jo.post("/Work.One/run", target="again", name="Two", **fields(greeting="Ho"))
    assert values(wiki, ref, PARAMETERS)["greeting"] == "Hi"
    assert values(wiki, "Work.Two", PARAMETERS)["greeting"] == "Ho"


def test_a_task_is_duplicated(jo: Browser, wiki: Wiki, site: Site,
                              executor: OpenDocument) -> None:
    site.starter.start(JO, "Executors.Greet", {"greeting": "Hi"}, name="One")
    assert jo.post("/Work.One/duplicate").location == "/Work.One-2"
    assert jo.post("/Work.One/duplicate", name="Other").location == "/Work.Other"
    assert values(wiki, "Work.Other")["status"] == "SUSPENDED"
    assert jo.post("/Work.One/duplicate", name="Other").status_code == 409


def test_only_its_runners_get_the_form(
        jo: Browser, admin: Browser, guest: Browser, executor: OpenDocument) -> None:
    assert "/login" in guest.get("/Executors.Greet/run").location
    assert guest.post("/Executors.Greet/run", **fields(greeting="Hi")).status_code == 403
    change(executor, runners=["Users.Ann"])
    refused = jo.get("/Executors.Greet/run")
    assert refused.status_code == 403 and "Users.Ann" in refused.text
    assert jo.post("/Executors.Greet/run", **fields(greeting="Hi")).status_code == 403
    assert admin.get("/Executors.Greet/run").status_code == 200


def test_what_cannot_be_run_says_so(jo: Browser, wiki: Wiki, executor: OpenDocument) -> None:
    assert "neither a task nor an executor" in jo.get("/Main.WebHome/run").text
    assert jo.get("/Books.None/run").status_code == 404
    change(executor, script="def run(logger, wiki, task)\n    pass\n")
    assert "line 1" in jo.get("/Executors.Greet/run").text


def test_a_task_or_an_executor_that_names_what_is_not_there_says_so(
        jo: Browser, wiki: Wiki, executor: OpenDocument) -> None:
    task = wiki.new("Work.Lost")
    task.add_object(TASK_CLASS, taskExecutor="Executors.Gone", status="SUSPENDED")
    task.save()
    lost = jo.get("/Work.Lost/run")
    assert lost.status_code == 409 and "Executors.Gone" in lost.text
    change(executor, parameterClass="Executors.NoClass")
    wrong = jo.get("/Executors.Greet/run")
    assert wrong.status_code == 409 and "Executors.NoClass" in wrong.text


def test_the_sheet_of_an_executor_shows_what_is_wrong_and_the_way_to_run_it(
        jo: Browser, guest: Browser, wiki: Wiki, executor: OpenDocument) -> None:
    sheet = jo.get("/Executors.Greet").text
    assert 'href="/Executors.Greet/run"' in sheet and "What it says." in sheet
    assert 'href="/Executors.Greet/run"' not in guest.get("/Executors.Greet").text
    change(executor, script="def run(logger, wiki, task):\n    a = = <1>\n", cpuLimit=7,
           requirements="no-such-package>=1", runners=["Users.Ann"])
    sheet = jo.get("/Executors.Greet").text
    assert "line 2" in sheet and "2:     a = = &lt;1&gt;" in sheet
    assert "processor time 7 s" in sheet and "no-such-package" in sheet
    assert "Users.Ann" in sheet and 'href="/Executors.Greet/run"' not in sheet
    assert "macro-error" not in sheet
    change(wiki.get("Executors.Greet"), script=SCRIPT)
    assert "no-such-package is not installed" in jo.get("/Executors.Greet").text


# -- many at once -----------------------------------------------------------------------------


def test_many_tasks_are_changed_and_each_says_what_came_of_it(
        jo: Browser, wiki: Wiki, site: Site, executor: OpenDocument) -> None:
    for name in ("A", "B"):
        site.starter.start(JO, "Executors.Greet", {"greeting": "Hi"}, name=name, ready=False)
    answer = jo.post("/tasks/bulk", action="ready",
                     task=["Work.A", "Work.B", "Work.Gone", "Main.WebHome", "a..b"])
    assert answer.status_code == 200 and "2 done, 3 not" in answer.text
    assert {values(wiki, f"Work.{name}")["status"] for name in "AB"} == {"READY"}
    jo.post("/tasks/bulk", action="suspend", task=["Work.A"])
    assert values(wiki, "Work.A")["status"] == "SUSPENDED"
    assert "only a RUNNING" in jo.post("/tasks/bulk", action="cancel", task=["Work.A"]).text


def test_a_change_of_many_tasks_needs_tasks_a_known_action_and_a_user(
        jo: Browser, guest: Browser) -> None:
    assert jo.post("/tasks/bulk", action="ready").status_code == 409
    assert jo.post("/tasks/bulk", action="delete", task=["Tasks.HelloWorld"]).status_code == 409
    assert guest.post("/tasks/bulk", action="ready", task=["Tasks.A"]).status_code == 403
    assert jo.client.post("/tasks/bulk", data={"action": "ready"}).status_code == 403


# -- REST -------------------------------------------------------------------------------------

API = "/api/v1"
JO_BASIC = ("Jo", PASSWORD)


def test_rest_makes_a_task(client: FlaskClient, jo: Browser, wiki: Wiki,
                           executor: OpenDocument) -> None:
    answer = client.post(f"{API}/executors/Executors.Greet/run", auth=JO_BASIC, json={
        "params": {"greeting": "Hi", "marks": ["a"]}, "name": "Mine", "title": "T",
        "dry_run": True, "ready": False})
    assert answer.status_code == 201, answer.text
    assert answer.location.endswith("/api/v1/tasks/Work.Mine")
    assert answer.json["reference"] == "Work.Mine" and answer.json["status"] == "SUSPENDED"
    assert values(wiki, "Work.Mine", PARAMETERS)["marks"] == ["a"]
    assert values(wiki, "Work.Mine")["dryRun"] is True
    again = client.post(f"{API}/tasks/Work.Mine/run", auth=JO_BASIC,
                        json={"params": {"greeting": "Ho"}})
    assert (again.status_code, again.json["status"]) == (200, "READY")
    assert values(wiki, "Work.Mine", PARAMETERS) == {
        "greeting": "Ho", "times": 1, "tone": "kind", "marks": ["a"]}
    assert values(wiki, "Work.Mine")["dryRun"] is False
    bare = client.post(f"{API}/tasks/Work.Mine/run", auth=JO_BASIC, data='{"ready": false}',
                       content_type="application/x-www-form-urlencoded")  # as curl -d says
    assert (bare.status_code, bare.json["status"]) == (200, "SUSPENDED")


def test_rest_takes_files_with_a_form(client: FlaskClient, jo: Browser, wiki: Wiki,
                                      executor: OpenDocument) -> None:
    answer = client.post(f"{API}/executors/Executors.Greet/run", auth=JO_BASIC, data={
        "params": json.dumps({"greeting": "Hi"}), "ready": "false",
        "file": [(io.BytesIO(b"1"), "a.txt"), (io.BytesIO(b"2"), "b.txt")]})
    assert answer.status_code == 201, answer.text
    made = answer.json["reference"]
    assert {item.filename: item.read() for item in wiki.get(made).attachments} == {
        "a.txt": b"1", "b.txt": b"2"}
    assert values(wiki, made)["status"] == "SUSPENDED"
    again = client.post(f"{API}/tasks/{made}/run", auth=JO_BASIC,
                        data={"file": (io.BytesIO(b"3"), "a.txt")})
    assert again.status_code == 200 and wiki.get(made).attachment("a.txt").read() == b"3"


@pytest.mark.parametrize(("given", "status"), [
    ({"params": {"greeting": 1}}, 400), ({"params": {}}, 400), ({"params": []}, 400),
    ({"params": {"greeting": "Hi"}, "redy": False}, 400),
    ({"params": {"greeting": "Hi"}, "ready": "no"}, 400),
    ({"params": {"greeting": "Hi", "other": 1}}, 400),
    ({"params": {"greeting": "Hi"}, "name": "Main.WebHome"}, 409)])
def test_rest_refuses_what_is_wrong(
        client: FlaskClient, jo: Browser, wiki: Wiki, executor: OpenDocument,
        given: dict[str, Any], status: int) -> None:
    answer = client.post(f"{API}/executors/Executors.Greet/run", auth=JO_BASIC, json=given)
    assert answer.status_code == status and answer.mimetype == "application/problem+json"
    assert not list(wiki.query(TASK_CLASS, space="Work"))


def test_rest_refuses_who_may_not_and_what_is_no_executor(
        client: FlaskClient, jo: Browser, executor: OpenDocument) -> None:
    run = f"{API}/executors/Executors.Greet/run"
    assert client.post(run, json={"params": {"greeting": "Hi"}}).status_code == 401
    assert client.post(f"{API}/executors/Main.WebHome/run", auth=JO_BASIC).status_code == 404
    wrong = client.post(run, auth=JO_BASIC, data={"upload": (io.BytesIO(b"1"), "a.txt")})
    assert wrong.status_code == 400 and "file" in wrong.json["detail"]
    change(executor, runners=["Users.Ann"])
    assert client.post(run, auth=JO_BASIC,
                       json={"params": {"greeting": "Hi"}}).status_code == 403


def test_rest_tells_what_an_executor_asks_for(
        client: FlaskClient, executor: OpenDocument) -> None:
    asked = client.get(f"{API}/executors/Executors.Greet/parameters").json
    assert asked["class"] == PARAMETERS and asked["values"] == {"times": 1, "tone": "kind"}
    assert asked["properties"][0] == {"name": "greeting", "type": "String", "required": True,
                                      "prettyName": "Greeting", "help": "What it says."}
    none = client.get(f"{API}/executors/Executors.HelloWorld/parameters").json
    assert none == {"class": None, "properties": [], "values": {}}


# -- the command line -------------------------------------------------------------------------


def command(site: Site, *words: str, fails: int = 0) -> Result:
    result = CliRunner().invoke(main, ["--data", str(site.settings.data), "task", *words])
    assert result.exit_code == fails, result.output
    return result


def test_the_command_starts_a_task_and_waits_for_its_end(
        site: Site, wiki: Wiki, executor: OpenDocument, tmp_path: Path) -> None:
    site.manager.suspend("Tasks.ImportCountries", ADMIN)
    file = tmp_path / "list.txt"
    file.write_text("x")
    result = command(site, "start", "Executors.Greet", "greeting=a=b", "times=2", "marks=a",
                     "marks=b", "--file", str(file), "--name", "Mine", "--wait")
    assert "a=b ['list.txt']" in result.stdout
    assert values(wiki, "Work.Mine")["status"] == "DONE"
    assert values(wiki, "Work.Mine", PARAMETERS) == {
        "greeting": "a=b", "times": 2, "tone": "kind", "marks": ["a", "b"]}
    change(wiki.get("Executors.Greet"), script="def run(logger, wiki, task):\n    1 / 0\n")
    command(site, "start", "Executors.Greet", "greeting=x", "--wait", fails=1)


def test_the_command_names_the_task_and_leaves_it_to_the_server(
        site: Site, wiki: Wiki, executor: OpenDocument) -> None:
    name = command(site, "start", "Executors.Greet", "greeting=x", "--dry-run").stdout.strip()
    task = values(wiki, name)
    assert (task["status"], task["dryRun"]) == ("READY", True)
    listed = command(site, "list", "--executor", "Executors.Greet", "--space", "Work").stdout
    assert listed.startswith(name) and listed.count("\n") == 1


@pytest.mark.parametrize(("words", "code"), [
    (["greeting"], 2), (["greeting=x", "times=ten"], 1), (["other=x"], 1), ([], 1),
    (["greeting=x", "--name", "Main.WebHome"], 1)])
def test_the_command_says_what_is_wrong(
        site: Site, executor: OpenDocument, words: list[str], code: int) -> None:
    command(site, "start", "Executors.Greet", *words, fails=code)
    command(site, "start", "Main.WebHome", fails=1)


@pytest.mark.parametrize("served", [True, False])
def test_a_task_that_cannot_start_ends_the_command_with_the_reason(
        site: Site, wiki: Wiki, executor: OpenDocument, served: bool) -> None:
    change(executor, script="def run(:\n")
    with serving(site.settings.data) if served else nullcontext():
        result = command(site, "start", "Executors.Greet", "greeting=x", "--name", "Parked",
                         "--wait", fails=1)
    assert "line 1" in result.stderr and "stays READY" in result.stderr
    assert values(wiki, "Work.Parked")["status"] == "READY"


def test_a_task_that_waits_for_what_never_comes_ends_the_command(
        site: Site, wiki: Wiki, executor: OpenDocument) -> None:
    for name in ("A", "B"):
        site.starter.start(ADMIN, "Executors.Greet", {"greeting": "x"}, name=name, ready=False)
    page = wiki.get("Work.A")
    page.object(TASK_CLASS)["after"] = ["Work.B"]
    page.save()
    with serving(site.settings.data):
        result = command(site, "run", "Work.A", fails=1)
    assert "waits for Work.B, which is SUSPENDED" in result.stderr
