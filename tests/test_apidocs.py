"""The page of the API, and the examples that it shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from conftest import Browser
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from wiki.api import Wiki
from wiki.model import Property
from wiki.references import Reference
from wiki.web.rest import OPERATIONS
from wiki.web.rest.groups import GROUPS

JSON = dict[str, Any]


@pytest.fixture
def described(client: FlaskClient) -> JSON:
    answer = client.get("/api/v1/openapi.json").json
    assert answer is not None
    return answer


def operations(described: JSON) -> Iterator[tuple[str, JSON]]:
    for methods in described["paths"].values():
        for method, operation in methods.items():
            yield method.upper(), operation


def wrong(described: JSON, schema: JSON, value: Any) -> list[str]:
    """What the schema, whose references are into the document, has against the value."""
    whole = {**schema, "components": described["components"]}
    return [error.message for error in Draft202012Validator(whole).iter_errors(value)]


def test_every_operation_is_on_the_page_for_everybody(client: FlaskClient) -> None:
    page = client.get("/api/docs")
    assert page.status_code == 200
    shown = re.findall(r'<details class="api-operation" id="(\w+)"', page.text)
    assert sorted(shown) == sorted(operation.name for operation in OPERATIONS)
    for operation in OPERATIONS:
        assert operation.summary in unescape(page.text)


def test_an_answers_example_is_on_the_page(client: FlaskClient, described: JSON) -> None:
    page = unescape(client.get("/api/docs").text)
    answer = described["paths"]["/pages/{ref}/comments"]["post"]["responses"]["201"]
    example = answer["content"]["application/json"]["example"]
    assert json.dumps(example, indent=2) in page


def test_nothing_in_the_page_needs_an_inline_script_or_style(client: FlaskClient) -> None:
    page = client.get("/api/docs").text
    assert not re.findall(r"<script(?![^>]* src=)", page)
    assert not re.findall(r"<[^>]* (?:style|on\w+)=", page)


def test_every_link_within_the_page_leads_somewhere(client: FlaskClient) -> None:
    page = client.get("/api/docs").text
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)
    assert set(re.findall(r'<label for="([^"]+)"', page)) <= set(ids)


def test_every_operation_is_in_a_group_with_a_description(described: JSON) -> None:
    titles = {group.title for group in GROUPS if group.description}
    assert {tag for _, operation in operations(described) for tag in operation["tags"]} <= titles


def test_every_parameter_but_the_cursor_has_an_example_that_is_valid(described: JSON) -> None:
    problems = {}
    for _, operation in operations(described):
        for one in operation["parameters"]:
            if one["name"] == "cursor":  # nobody can make one up
                continue
            if "example" not in one or wrong(described, one["schema"], one["example"]):
                problems[operation["operationId"], one["name"]] = one.get("example")
    assert problems == {}


def test_every_json_body_has_an_example_that_is_valid(described: JSON) -> None:
    schemas = described["components"]["schemas"]
    missing, problems = [], {}
    for _, operation in operations(described):
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" not in content:
            continue
        reference = content["application/json"]["schema"]
        examples = schemas[reference["$ref"].rpartition("/")[2]].get("examples")
        if not examples:
            missing.append(operation["operationId"])
        for example in examples or ():
            if found := wrong(described, reference, example):
                problems[operation["operationId"]] = found
    assert (missing, problems) == ([], {})


def test_the_check_of_examples_finds_a_wrong_one(described: JSON) -> None:
    assert wrong(described, {"$ref": "#/components/schemas/Move"}, {"nmae": "A.B"})


def test_the_document_with_examples_is_valid(described: JSON) -> None:
    validate(described)


def test_the_wiki_takes_the_examples(admin: Browser, wiki: Wiki, described: JSON) -> None:
    book = wiki.new("Books.BookClass")
    book.define_class(Property("title"), Property("year", "Number"))
    book.save()
    headers = {"X-CSRF-Token": admin.token()}

    def call(method: str, path: str, schema: str) -> int:
        example = described["components"]["schemas"][schema]["examples"][0]
        return admin.client.open(f"/api/v1{path}", method=method, json=example,
                                 headers=headers).status_code

    page = "/pages/Sandbox.Example"
    assert call("PUT", page, "PageChange") == 201
    assert call("POST", f"{page}/objects", "NewObject") == 201
    assert call("PATCH", f"{page}/objects/Books.BookClass/0", "ObjectChange") == 200
    assert call("POST", f"{page}/comments", "NewComment") == 201
    assert call("PATCH", f"{page}/comments/0", "CommentChange") == 200
    assert call("POST", f"{page}/copy", "Copy") == 201
    assert call("POST", f"{page}/move", "Move") == 200
    assert call("POST", "/executors/check", "Script") == 200
    assert call("POST", "/executors/Executors.HelloWorld/run", "Start") == 201
    assert call("POST", "/notifications/read", "ReadUntil") == 204
    wiki.delete(Reference.parse("Sandbox.Copied"))
    key = admin.client.get("/api/v1/deleted").json["items"][0]["key"]  # type: ignore[index]
    assert call("POST", f"/deleted/{key}/Sandbox.Copied/restore", "Restore") == 201


def test_the_examples_of_what_is_read_are_there(admin: Browser, described: JSON) -> None:
    """All but those that need something to be there first: a run, a log, a picture…"""
    later = {"get_run", "list_run_pages", "get_deleted", "get_comment", "get_thumbnail"}
    missing = {}
    for path, methods in described["paths"].items():
        operation = methods.get("get")
        if operation is None or operation["operationId"] in later or path.startswith("/logs"):
            continue
        for one in operation["parameters"]:
            if one["in"] == "path":
                path = path.replace(f"{{{one['name']}}}", str(one["example"]))
        answer = admin.get(f"/api/v1{path}", query_string={"q": "task"}
                           if path == "/search" else {})
        if answer.status_code != 200:
            missing[operation["operationId"]] = answer.text[:200]
    assert missing == {}
