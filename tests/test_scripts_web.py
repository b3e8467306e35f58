"""Writing executors in the browser: the script editor, its check, trials, and secrets."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.conftest import Browser, until
from wiki.api import OpenDocument, Wiki
from wiki.model import Property
from wiki.secrets import Secrets
from wiki.site import Site
from wiki.tasks.names import EXECUTOR_CLASS, MODULE_CLASS, RUN_CLASS, TASK_CLASS
from wiki.tasks.scriptcheck import problems

GOOD = "def run(logger, wiki, task):\n    logger.info('hi')\n"
BROKEN = "def run(logger, wiki, task):\n    x = (1,\n    y = 2\n"
PARAMETERS = "Executors.MineParameters"
WRITES = """def run(logger, wiki, task):
    names = sorted(file.filename for file in task.attachments)
    logger.info("tried %s %s", task.params["greeting"], names)
    wiki.new("Made." + task.params["greeting"], content="Hello").save()
"""


@pytest.fixture
def executor(wiki: Wiki) -> OpenDocument:
    asked = wiki.new(PARAMETERS)
    asked.define_class(Property("greeting", required=True, default="Hi"),
                       Property("times", "Number", options={"min": 1}))
    asked.save()
    page = wiki.new("Executors.Mine", title="Mine")
    page.add_object(EXECUTOR_CLASS, script=GOOD, parameterClass=PARAMETERS, timeLimit=20)
    return page.save()


def script(wiki: Wiki, name: str = "Executors.Mine") -> str:
    obj = wiki.get(name).object(EXECUTOR_CLASS)
    assert obj is not None
    return str(obj["script"])


def send(browser: Browser, version: object, text: str, action: str = "save",
         **more: object) -> TestResponse:
    return browser.post("/Executors.Mine/script", version=str(version), script=text,
                        action=action, **more)


# -- what is wrong with a script ----------------------------------------------------------------


@pytest.mark.parametrize(("text", "expected"), [
    (GOOD, []),
    (BROKEN, [(2, "error", "'(' was never closed")]),
    ("x = 1\n", [(0, "error", "defines no function run")]),
    ("def run(a, wiki, c):\n    return wikki\n", [(2, "warning", "undefined name 'wikki'")]),
    ("import os\n\ndef run(*_):\n    pass\n", [(1, "warning", "'os' imported but unused")]),
    ("x = '\0'\n", [(0, "error", "null bytes")]),
    ("(" * 5000, [(1, "error", "nested")]),
])
def test_problems_have_their_line_and_level(text: str,
                                            expected: list[tuple[int, str, str]]) -> None:
    found = problems(text, "Executors.Mine")
    assert [(item.line, item.level) for item in found] == [row[:2] for row in expected]
    for item, row in zip(found, expected, strict=True):
        assert row[2] in item.message


def test_a_module_needs_no_run_and_has_the_wiki() -> None:
    assert problems("def names():\n    return list(wiki.spaces())\n", "Lib.X", module=True) == []


def test_requirements_that_are_not_met_are_an_error_of_no_line() -> None:
    found = problems(GOOD, "X", "no-such-package-here>=1")
    assert [(item.line, item.level) for item in found] == [(0, "error")]
    assert "no-such-package-here" in found[0].message


# -- REST ---------------------------------------------------------------------------------------


def test_a_script_is_checked_over_rest(client: FlaskClient, site: Site) -> None:
    answer = client.post("/api/v1/executors/check", json={"script": BROKEN},
                         auth=("Admin", "correct horse"))
    assert answer.status_code == 200
    assert answer.json["problems"][0]["line"] == 2
    assert client.post("/api/v1/executors/check", json={"script": GOOD}).status_code in (401, 403)


def test_a_checked_script_is_text_of_a_known_shape(client: FlaskClient, site: Site) -> None:
    for body in ({"script": 1}, {"script": GOOD, "wrong": 1}, {"script": GOOD, "module": "yes"}):
        answer = client.post("/api/v1/executors/check", json=body,
                             auth=("Admin", "correct horse"))
        assert 400 <= answer.status_code < 500


# -- the editor ---------------------------------------------------------------------------------


def test_the_editor_shows_and_saves_the_script(admin: Browser, wiki: Wiki,
                                               executor: OpenDocument) -> None:
    shown = admin.get("/Executors.Mine/script")
    assert shown.status_code == 200 and "logger.info(&#39;hi&#39;)" in shown.text
    answer = send(admin, executor.version, GOOD.replace("hi", "ho").replace("\n", "\r\n"))
    assert answer.status_code == 302 and answer.location.endswith("/Executors.Mine/script")
    page = wiki.get("Executors.Mine")
    assert script(wiki) == GOOD.replace("hi", "ho")
    assert page.object(EXECUTOR_CLASS)["timeLimit"] == 20
    assert page.script_author == "Users.Admin"


def test_a_broken_script_is_saved_only_by_insisting(admin: Browser, wiki: Wiki,
                                                    executor: OpenDocument) -> None:
    refused = send(admin, executor.version, BROKEN)
    assert refused.status_code == 400 and "Save anyway" in refused.text
    assert 'data-line="2"' in refused.text and "x = (1," in refused.text
    assert script(wiki) == GOOD
    assert send(admin, executor.version, BROKEN, "save-anyway").status_code == 302
    assert script(wiki) == BROKEN


def test_checking_saves_nothing(admin: Browser, wiki: Wiki, executor: OpenDocument) -> None:
    shown = send(admin, executor.version, BROKEN, "check")
    assert shown.status_code == 200 and "was never closed" in shown.text
    assert "Nothing is wrong" in send(admin, executor.version, GOOD, "check").text
    assert wiki.get("Executors.Mine").version == executor.version


def test_nobody_writes_over_anothers_script(admin: Browser, wiki: Wiki,
                                            executor: OpenDocument) -> None:
    began = executor.version
    executor.object(EXECUTOR_CLASS)["script"] = GOOD + "# theirs\n"
    executor.save()
    answer = send(admin, began, GOOD + "# mine\n")
    assert answer.status_code == 409 and "theirs" in answer.text and "# mine" in answer.text
    assert script(wiki).endswith("# theirs\n")
    version = re.search(r'name="version" value="([^"]+)"', answer.text)
    assert version and send(admin, version[1], GOOD + "# mine\n").status_code == 302
    assert script(wiki).endswith("# mine\n")


def test_who_has_no_script_right_is_warned_and_disarms(user: Browser, wiki: Wiki,
                                                       executor: OpenDocument) -> None:
    shown = user.get("/Executors.Mine/script").text
    assert "disarmed" in shown and 'value="try"' not in shown
    assert send(user, executor.version, GOOD + "# mine\n").status_code == 302
    assert wiki.get("Executors.Mine").script_author == "Users.Jo"
    assert "Try it" not in user.get("/Executors.Mine").text


def test_a_module_is_edited_too_and_cannot_be_tried(admin: Browser, wiki: Wiki) -> None:
    page = wiki.new("Lib.Mine")
    page.add_object(MODULE_CLASS, script="X = 1\n")
    page.save()
    shown = admin.get("/Lib.Mine/script").text
    assert "X = 1" in shown and "defines no function" not in shown and 'value="try"' not in shown


def test_a_page_without_a_script_has_no_editor(admin: Browser, guest: Browser) -> None:
    answer = admin.get("/Main.WebHome/script")
    assert answer.status_code == 404 and "has no script" in answer.text
    assert "/login" in guest.get("/Executors.HelloWorld/script").location


def test_the_objects_form_tells_of_a_broken_script(admin: Browser, wiki: Wiki,
                                                   executor: OpenDocument) -> None:
    key = f"{EXECUTOR_CLASS}[0]"
    answer = admin.post("/Executors.Mine/objects", version=str(executor.version), object=key,
                        **{f"{key}.script": BROKEN})
    assert answer.status_code == 302
    assert "cannot run, line 2" in admin.get("/Executors.Mine").text
    assert script(wiki) == BROKEN


def test_the_sheet_leads_to_the_editor(admin: Browser, executor: OpenDocument) -> None:
    shown = admin.get("/Executors.Mine").text
    assert 'href="/Executors.Mine/script"' in shown and 'href="/Executors.Mine/script#try"' in shown


# -- trials -------------------------------------------------------------------------------------


def run_to_end(site: Site, task: str) -> None:
    assert site.manager.invoke().started == task
    until(lambda: site.wiki.get(task).objects(RUN_CLASS)[-1]["outcome"] is not None, 30,
          "the trial does not end")


def test_a_script_is_tried_as_it_stands_and_changes_nothing(
        admin: Browser, site: Site, wiki: Wiki, executor: OpenDocument) -> None:
    answer = send(admin, executor.version, WRITES, "try",
                  **{"param.greeting": "Ahoy", "file": (io.BytesIO(b"x"), "a.txt")})
    assert answer.status_code == 302, answer.text
    task = answer.location.split("/")[1]
    assert task.startswith("Scratch.") and "Executors-Mine-Admin" in task
    page = wiki.get(task)
    assert page.hidden and page.object(TASK_CLASS)["dryRun"] is True
    run_to_end(site, task)
    assert page.reference in wiki and "Made.Ahoy" not in wiki and script(wiki) == GOOD
    assert "tried Ahoy ['a.txt']" in site.logs.read(f"{task}.log").text
    shown = admin.get(f"/{task}/trial").text
    assert "Made.Ahoy" in shown and "created" in shown and f"/{task}/runs/1" in shown
    draft = wiki.get(str(page.object(TASK_CLASS)["taskExecutor"]))
    assert draft.hidden and draft.object(EXECUTOR_CLASS)["timeLimit"] == 20
    assert "Draft of Mine" not in admin.get("/Executors.WebHome").text


def test_a_trial_takes_a_samples_parameters_and_files_but_not_its_timetable(
        admin: Browser, site: Site, wiki: Wiki, executor: OpenDocument) -> None:
    sample = site.starter.start("Users.Admin", "Executors.Mine", {"greeting": "Salut"},
                                [("b.txt", io.BytesIO(b"x"))], name="Sample", ready=False)
    page = wiki.get(sample)
    page.object(TASK_CLASS).update(notBefore="2099-01-01T00:00:00Z", group="g", priority=3)
    page.save()
    shown = send(admin, executor.version, WRITES, "sample", sample=str(sample)).text
    assert 'value="Salut"' in shown and WRITES.splitlines()[0] in shown
    answer = send(admin, executor.version, WRITES, "try", sample=str(sample))
    task = answer.location.split("/")[1]
    obj = wiki.get(task).object(TASK_CLASS)
    assert not obj["notBefore"] and not obj["group"] and not obj["priority"]
    run_to_end(site, task)
    assert "tried Salut ['b.txt']" in site.logs.read(f"{task}.log").text


def test_a_draft_is_signed_anew_and_keeps_nothing_of_others(
        admin: Browser, site: Site, wiki: Wiki, executor: OpenDocument) -> None:
    task = send(admin, executor.version, GOOD, "try",
                **{"param.greeting": "A"}).location.split("/")[1]
    name = str(wiki.get(task).object(TASK_CLASS)["taskExecutor"])
    theirs = site.wiki.as_user("Users.Jo").get(name)
    theirs.object(EXECUTOR_CLASS)["script"] = "import os\n" + GOOD
    theirs.add_object(MODULE_CLASS, script="evil = 1")
    theirs.save()
    assert send(admin, executor.version, GOOD, "try", **{"param.greeting": "A"}).status_code == 302
    draft = wiki.get(name)
    assert draft.script_author == "Users.Admin" and script(wiki, name) == GOOD
    assert draft.object(MODULE_CLASS) is None


def test_what_cannot_be_tried_says_why(admin: Browser, user: Browser, site: Site, wiki: Wiki,
                                       executor: OpenDocument) -> None:
    refused = send(admin, executor.version, BROKEN, "try")
    assert refused.status_code == 400 and "not tried" in refused.text
    refused = send(admin, executor.version, GOOD, "try", **{"param.greeting": "A",
                                                            "param.times": "0"})
    assert refused.status_code == 400 and "Some values" in refused.text
    assert send(admin, executor.version, GOOD, "try", sample="No.Such").status_code == 400
    assert send(user, executor.version, GOOD, "try",
                **{"param.greeting": "A"}).status_code == 403
    assert list(wiki.query(TASK_CLASS, space="Scratch")) == []


def test_an_ordinary_task_is_no_trial(admin: Browser) -> None:
    assert admin.get("/Tasks.HelloWorld/trial").status_code == 404


def test_trials_of_long_ago_are_deleted_with_their_logs(
        admin: Browser, site: Site, wiki: Wiki, executor: OpenDocument,
        monkeypatch: pytest.MonkeyPatch) -> None:
    def begin() -> str:
        return send(admin, executor.version, WRITES, "try",
                    **{"param.greeting": "A"}).location.split("/")[1]

    first = begin()
    run_to_end(site, first)
    made = wiki.get(first).created
    waiting = begin()
    assert first in wiki
    monkeypatch.setattr("wiki.tasks.trial.KEPT", timedelta(days=-1))
    last = begin()
    # Within the same second the last one takes the name that has become free.
    assert wiki.get(last).created > made if last == first else first not in wiki
    assert waiting in wiki
    assert not site.logs.exists(f"{first}.log")


# -- a new executor -----------------------------------------------------------------------------


def test_a_new_executor_gets_a_page_with_a_script_that_runs(admin: Browser, site: Site,
                                                            wiki: Wiki) -> None:
    assert "/executors/new" in admin.get("/Executors.WebHome").text
    answer = admin.post("/executors/new", name="Fresh", title="Fresh one", description="It does.")
    assert answer.location.endswith("/Executors.Fresh/script")
    obj = wiki.get("Executors.Fresh").object(EXECUTOR_CLASS)
    assert obj["name"] == "Fresh one" and obj["description"] == "It does."
    assert problems(obj["script"], "X") == []
    task = str(site.starter.start("Users.Admin", "Executors.Fresh"))
    run_to_end(site, task)
    assert wiki.get(task).object(TASK_CLASS)["status"] == "DONE"


def test_a_new_executor_takes_no_page_that_exists(admin: Browser) -> None:
    answer = admin.post("/executors/new", name="HelloWorld", description="kept text")
    assert answer.status_code == 409 and "kept text" in answer.text
    assert admin.post("/executors/new", name="").status_code == 400


def test_a_template_that_another_changed_is_not_signed_by_who_copies_it(
        admin: Browser, site: Site, wiki: Wiki) -> None:
    template = site.wiki.as_user("Users.Jo").get("TaskExecutorCode.ExecutorTemplate")
    template.object(EXECUTOR_CLASS)["script"] = "import os\n" + GOOD
    template.save()
    admin.post("/executors/new", name="Fresh")
    assert wiki.get("Executors.Fresh").script_author == "Users.Jo"


# -- secrets ------------------------------------------------------------------------------------


def test_secrets_are_set_and_removed_and_never_shown(admin: Browser, site: Site) -> None:
    vault = Secrets(site.settings.data / "secrets")
    assert admin.post("/secrets", action="set", name="API_TOKEN", value="s3cret!",
                      executors="Executors.HelloWorld").status_code == 302
    assert vault.read("API_TOKEN", "Executors.HelloWorld") == "s3cret!"
    shown = admin.get("/secrets").text
    assert "API_TOKEN" in shown and "Users.Admin" in shown and "s3cret!" not in shown
    assert admin.post("/secrets", action="remove", name="API_TOKEN").status_code == 302
    assert vault.names() == []


def test_a_wrong_secret_is_refused_without_its_value(admin: Browser, site: Site) -> None:
    for fields in ({"name": "bad name"}, {"name": "OK", "executors": "No.Such"}):
        answer = admin.post("/secrets", action="set", value="s3cret!", **fields)
        assert 400 <= answer.status_code < 500 and "s3cret!" not in answer.text
    assert Secrets(site.settings.data / "secrets").names() == []


def test_secrets_are_for_administrators(user: Browser, guest: Browser) -> None:
    assert user.get("/secrets").status_code == 403
    assert user.post("/secrets", action="set", name="X", value="y").status_code == 403
    assert "/login" in guest.get("/secrets").location
