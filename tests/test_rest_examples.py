"""The examples of the JSON API's answers are what a wiki answers.

A wiki answers each operation once, and each answer is compared with the example in
``wiki/web/rest/answers.json``: the same fields, of the same types. Where an answer has changed on
purpose, ``WIKIMILL_WRITE_EXAMPLES=1 pytest tests/test_rest_examples.py`` writes the examples anew.
"""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from conftest import basic, until
from flask import Flask
from jsonschema import Draft202012Validator
from werkzeug.test import TestResponse

from wiki import moving
from wiki.api import Wiki
from wiki.references import Reference
from wiki.site import Site
from wiki.tasks.names import RUN_CLASS
from wiki.web.rest import OPERATIONS, describe_api
from wiki.web.rest.examples import ANSWERS, answers
from wiki.web.rest.schemas import ANSWERING, MEDIA

API = "/api/v1"
Call = Callable[..., TestResponse]
Answers = dict[str, dict[str, dict[str, Any]]]
#: No example: they are bytes, or the whole document itself.
BARE = {"file", "webp", "OpenAPI"}
#: What it holds depends on how far a run is just then.
OF_THE_MOMENT = "/last_run"
SCRIPT = '''\
def run(logger, wiki, task):
    for title in task.track(["Emma", "Ubik"]):
        wiki.new(f"Books.{title}", title=title).save()
    logger.info("two books more")
'''
PATIENT = """\
def run(logger, wiki, task):
    while not task.cancelled:
        task.progress(1, 2, "waiting")
"""


@pytest.fixture
def given() -> Answers:
    return {}


@pytest.fixture
def call(app: Flask, given: Answers) -> Call:
    """Calls the API as Admin, and keeps the first answer of each status of each operation."""
    client = app.test_client()
    routes = app.url_map.bind("localhost")
    described = {operation["operationId"]: operation["responses"]
                 for methods in describe_api()["paths"].values()
                 for operation in methods.values()}

    def made(method: str, path: str, **more: Any) -> TestResponse:
        answer = client.open(API + path, method=method, headers=basic("Admin"), buffered=True,
                             **more)
        name = routes.match(API + path.partition("?")[0], method)[0].rpartition(".")[2]
        if answer.status_code < 300:
            check_headers(answer, described[name])
        if answer.status_code != 204:
            bodies = given.setdefault(name, {}).setdefault(str(answer.status_code), {})
            bodies.setdefault(answer.mimetype, body_of(answer))
        return answer
    return made


def check_headers(answer: TestResponse, responses: Mapping[str, Any]) -> None:
    """The answer has the headers that are described, and no others of ours."""
    told = set(responses[str(answer.status_code)].get("headers", ()))
    there = {name for name in ANSWERING if name in answer.headers}
    assert there - told == set() and told - there <= {"X-Log-Next"}, answer.request.path


def body_of(answer: TestResponse) -> Any:
    """The answer's body, without what is another on each machine or is a secret."""
    if not answer.mimetype.endswith("json") and not answer.mimetype.startswith("text/"):
        return None
    text = answer.text.replace(socket.gethostname(), "wiki.example.org")
    text = re.sub(r"wikimill_\w{8,}", "wikimill_0123456789abcdef", text)
    return json.loads(text) if answer.mimetype.endswith(("/json", "+json")) else text


def ask_pages(call: Call) -> None:
    """All that is about pages, with what they carry."""
    year = {"name": "year", "type": "Number", "integer": True, "prettyName": "Year"}
    call("PUT", "/pages/Books.BookClass", json={"class": {"properties": [
        {"name": "title", "type": "String"}, year]}})
    book = {"class": "Books.BookClass", "properties": {"title": "Dune", "year": 1965}}
    dune = "/pages/Books.Dune"
    call("PUT", dune, json={"title": "Dune", "content": "The spice [[Books.Melange]].",
                            "tags": ["novel"], "comment": "first draft"})
    call("POST", f"{dune}/objects", json=book)
    one = f"{dune}/objects/Books.BookClass/0"
    call("PATCH", one, json={"properties": {"year": 1966}})
    call("GET", one)
    call("GET", f"{dune}/objects")
    cover = f"{dune}/attachments/cover.txt"
    for data in (b"A desert.", b"A desert, and a worm."):
        call("PUT", cover, data=data)
    call("GET", f"{cover}/versions")
    for action, name in (("copy", "back.txt"), ("move", "front.txt")):
        call("POST", f"{cover}/{action}", json={"name": name})
        call("PUT", cover, data=b"A desert.")
        call("POST", f"{cover}/{action}", json={"name": name, "over": True})
    call("POST", f"{cover}/versions/4.1/restore")
    call("POST", f"{cover}/versions/4.1/restore")
    call("PUT", dune, json={"title": "Dune (novel)"})
    call("GET", dune)
    for part in ("html", "revisions?limit=2", "revisions/1.1"):
        call("GET", f"{dune}/{part}")
    call("POST", f"{dune}/comments", json={"text": "I like *this*."})
    call("GET", f"{dune}/comments")
    call("GET", f"{dune}/comments/0")
    call("PATCH", f"{dune}/comments/0", json={"resolved": True})
    call("GET", "/pages?space=Books")
    call("GET", "/pages/Books.None")


def ask_around(call: Call) -> None:
    """What finds pages and moves them, and what is the caller's own."""
    for path in ("/query?class=Books.BookClass&year__gt=1900", "/search?q=spice",
                 "/titles?q=Dune", "/orphaned?limit=2", "/wanted?limit=2", "/macros?limit=1",
                 "/pages/Books.Melange/backlinks", "/changes?space=Books&limit=1", "/tags",
                 "/spaces?limit=2", "/pages/Help.WebHome/children?limit=2"):
        call("GET", path)
    call("PUT", "/watches/page/Books.Dune")
    call("GET", "/watches")
    call("POST", "/tokens", json={"name": "backup", "days": 90})
    call("GET", "/tokens")
    call("POST", "/pages/Books.Dune/copy", json={"name": "Books.Draft"})
    call("POST", "/pages/Books.Draft/move", json={"name": "Books.Sketch", "redirect": True})
    call("DELETE", "/pages/Books.Sketch")
    items = call("GET", "/deleted?limit=1").json["items"]  # type: ignore[index]
    binned = f"/deleted/{items[0]['key']}/Books.Sketch"
    call("GET", binned)
    call("POST", f"{binned}/restore", json={"name": "Books.Restored"})


def ask_tasks(call: Call, site: Site) -> None:
    """Executors, tasks, their runs and logs, and the jobs."""
    call("POST", "/executors/check", json={"script": "def run(logger):\n    return 1 +\n"})
    call("PUT", "/pages/Executors.AddBooks", json={"objects": [{
        "class": "TaskExecutorCode.TaskExecutorClass", "properties": {"script": SCRIPT}}]})
    call("GET", "/executors/Executors.ImportCSV/parameters")
    call("POST", "/tasks/Tasks.ImportCountries/suspend")
    call("POST", "/executors/Executors.AddBooks/run", json={"name": "Tasks.AddBooks"})
    task = "/tasks/Tasks.AddBooks"
    call("POST", "/manager/invoke")
    until(lambda: bool(site.wiki.get("Tasks.AddBooks").objects(RUN_CLASS)[-1]["outcome"]), 30,
          "the run does not end")
    for path in (task, "/tasks?status=DONE&limit=1", f"{task}/runs", f"{task}/runs/1",
                 f"{task}/runs/1/pages"):
        call("GET", path)
    log = "/logs/Tasks.AddBooks.log"
    for form in ("text", "html", "json"):
        call("GET", f"{log}?lines=2&format={form}")
    call("GET", f"{log}/stream?lines=2")
    call("POST", f"{task}/runs/1/undo")
    call("POST", f"{task}/run", json={"dry_run": True})
    call("POST", f"{task}/suspend")
    cancel(call, site)
    call("POST", f"{task}/ready")
    call("POST", f"{log}/archive")
    call("GET", "/jobs?limit=1")
    job = "/jobs/TaskExecutorCode.TaskExecutorManagerJob"
    call("GET", job)
    for action in ("trigger", "pause", "resume", "unschedule", "schedule"):
        call("POST", f"{job}/{action}")


def cancel(call: Call, site: Site) -> None:
    """End a task that runs."""
    call("PUT", "/pages/Executors.Wait", json={"objects": [{
        "class": "TaskExecutorCode.TaskExecutorClass", "properties": {"script": PATIENT}}]})
    call("POST", "/executors/Executors.Wait/run", json={"name": "Tasks.Wait"})
    call("POST", "/manager/invoke")
    until(lambda: site.manager.progress(Reference.parse("Tasks.Wait")) is not None, 30,
          "the run does not begin")
    call("POST", "/tasks/Tasks.Wait/cancel")
    until(lambda: bool(site.wiki.get("Tasks.Wait").objects(RUN_CLASS)[-1]["outcome"]), 30,
          "the run does not end")


def ask_as_others_do(call: Call, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes somebody else's doing, or many pages."""
    page = site.wiki.as_user("Users.Jo").get("Books.Dune")
    page.content = "By somebody else."
    page.save("more of it")
    call("GET", "/notifications?limit=1")
    monkeypatch.setattr(moving, "AT_ONCE", 0)
    call("POST", "/pages/Books.Restored/move", json={"name": "Books.Far"})


@pytest.fixture
def answered(call: Call, site: Site, wiki: Wiki, given: Answers,
             monkeypatch: pytest.MonkeyPatch) -> Answers:
    ask_pages(call)
    ask_around(call)
    ask_tasks(call, site)
    ask_as_others_do(call, site, monkeypatch)
    for name, statuses in given.items():
        for status in [status for status in statuses if int(status) >= 400]:
            assert (name, status) == ("get_page", "404"), statuses[status]
    return given


def test_each_example_of_an_answer_is_what_a_wiki_answers(answered: Answers) -> None:
    taken = {name: {status: {media: body for media, body in bodies.items() if body is not None}
                    for status, bodies in statuses.items()}
             for name, statuses in answered.items()}
    if os.environ.get("WIKIMILL_WRITE_EXAMPLES"):
        ANSWERS.write_text(json.dumps(taken, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
        answers.cache_clear()
    assert list(unlike(json.loads(ANSWERS.read_text()), taken)) == []


def unlike(example: Any, answer: Any, place: str = "") -> Iterator[str]:
    """Where the answer has other fields than the example, or fields of other types; null may stand
    for anything, and a list's first item for all."""
    if example is None or answer is None:
        return
    if isinstance(example, Mapping) and isinstance(answer, Mapping):
        if example.keys() != answer.keys() and not place.endswith(OF_THE_MOMENT):
            yield f"{place}: {sorted(example.keys() ^ answer.keys())}"
        for name in example.keys() & answer.keys():
            yield from unlike(example[name], answer[name], f"{place}/{name}")
    elif isinstance(example, list) and isinstance(answer, list):
        if example and answer:
            yield from unlike(example[0], answer[0], f"{place}/0")
    elif kind(example) != kind(answer):
        yield f"{place}: {example!r}, {answer!r}"


def kind(value: Any) -> str:
    return "number" if type(value) in (int, float) else type(value).__name__


def test_an_example_that_is_no_answer_is_found() -> None:
    example = {"get_page": {"title": "A", "tags": ["a"], "parent": None}}
    assert list(unlike(example, {"get_page": {"title": "B", "tags": [], "parent": "C"}})) == []
    assert list(unlike(example, {"get_page": {"title": "B", "tags": [1], "more": 1}})) == [
        "/get_page: ['more', 'parent']", "/get_page/tags/0: 'a', 1"]


def wanting() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Each answer that has an example: what it is called, the document, its media type's row."""
    described = describe_api()
    rows = [(operation["operationId"], status, media, row)
            for methods in described["paths"].values() for operation in methods.values()
            for status, answer in operation["responses"].items()
            for media, row in answer.get("content", {}).items()]
    bare = {operation.name for operation in OPERATIONS if operation.answer in BARE}
    problem = described["components"]["responses"]["Problem"]["content"]
    for name, status, media, row in rows:
        if name not in bare:
            yield f"{name} {status} {media}", described, row
    yield "Problem", described, problem["application/problem+json"]


def test_every_answer_has_an_example_that_is_as_its_schema_says() -> None:
    problems = {}
    for name, described, row in wanting():
        if "example" not in row:
            problems[name] = ["there is none"]
            continue
        whole = {**row["schema"], "components": described["components"]}
        found = [error.message for error in Draft202012Validator(whole).iter_errors(row["example"])]
        found += undescribed(described, row["schema"], row["example"])
        if found:
            problems[name] = found
    assert problems == {}


def undescribed(described: Mapping[str, Any], schema: Mapping[str, Any], value: Any) -> list[str]:
    """The fields in the value that the schema does not name."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return undescribed(described, described["components"]["schemas"][name], value)
    if "anyOf" in schema and value is not None:
        schema = next(one for one in schema["anyOf"] if one.get("type") != "null")
        return undescribed(described, schema, value)
    if isinstance(value, list):
        return [name for one in value
                for name in undescribed(described, schema.get("items", {}), one)]
    if not isinstance(value, dict) or "properties" not in schema:
        return []
    more = () if schema.get("additionalProperties") else value.keys() - schema["properties"].keys()
    return [f"{name} is not described" for name in more] + [
        found for name in value.keys() & schema["properties"].keys()
        for found in undescribed(described, schema["properties"][name], value[name])]


def test_what_is_not_described_is_found() -> None:
    described = describe_api()
    assert undescribed(described, {"$ref": "#/components/schemas/PageList"},
                       {"items": [{"reference": "A.B", "colour": "red"}], "more": 1}) == [
        "more is not described", "colour is not described"]
    assert {"file", "webp"} <= MEDIA.keys()
