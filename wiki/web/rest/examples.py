"""Examples of what operations take and answer: for the OpenAPI document, and so for the page that
it is shown as.

What is read names pages that ship with the wiki; what is changed, a page of its own. The answers
were given by a wiki: ``tests/test_rest_examples.py`` keeps them true, and writes them anew.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from wiki.web.rest.routes import Operation

#: Page to read, by how the address begins.
REFERENCES: Mapping[str, str] = {
    "/executors/": "Executors.HelloWorld", "/tasks/": "Tasks.HelloWorld",
    "/jobs/": "TaskExecutorCode.TaskExecutorManagerJob", "/deleted/": "Sandbox.Example",
    "/pages/": "Tasks.ImportCountries"}
#: Page to change.
SANDBOX = "Sandbox.Example"
#: Of all other parameters, by name.
PARAMETERS: Mapping[str, Any] = {
    "class_name": "TaskExecutorCode.TaskClass", "number": 0, "kind": "page", "name": "Help.Tour",
    "filename": "countries.csv", "version": "1.1", "key": "1764033600000",
    "log": "Tasks.HelloWorld.log",
    "size": 256, "space": "Tasks", "class": "TaskExecutorCode.TaskClass", "prefix": "Help.",
    "limit": 20, "cursor": "", "order_by": "-updated", "q": "task", "author": "Users.Admin",
    "year": "2026", "order": "date", "hidden": "true", "status": "DONE", "offset": 0, "lines": 50,
    "before": 4096, "at": 4096, "back": "true", "mark": "error", "page": "Main.WebHome",
    "format": "text", "If-Match": '"1.1"', "If-None-Match": '"1.1"',
    "Range": "bytes=0-99", "Last-Event-ID": "0",
    "conditions": {"status": "DONE"},
}
#: Bodies, by the name of their schema.
BODIES: Mapping[str, Any] = {
    "PageChange": {"title": "An example", "content": "A page that was *put* here.",
                   "tags": ["example"], "comment": "by the API"},
    "NewObject": {"class": "Books.BookClass", "properties": {"title": "Dune", "year": 1965},
                  "comment": "a book more"},
    "ObjectChange": {"properties": {"year": 1966}, "comment": "the right year", "minor": True},
    "Start": {"params": {}, "title": "Hello from the API", "dry_run": False, "ready": True},
    "StartAgain": {"params": {}, "dry_run": True},
    "Script": {"script": "def run(logger, wiki, task):\n    logger.info('Hello')\n",
               "requirements": "", "module": False},
    "NewComment": {"text": "I like *this*."},
    "CommentChange": {"text": "I like this **much**.", "resolved": False},
    "ReadUntil": {"until": "2026-11-24T05:10:00Z"},
    "Restore": {"name": "Sandbox.Restored", "comment": "still needed"},
    "Move": {"name": "Sandbox.Moved", "links": True, "redirect": True},
    "FileMove": {"page": "Sandbox.Other", "name": "cities.csv"},
    "NewToken": {"name": "backup", "scope": "read", "days": 90},
    "Copy": {"name": "Sandbox.Copied", "attachments": True},
}


#: Answers: operation -> status -> media type -> example.
ANSWERS = Path(__file__).with_name("answers.json")


@cache
def answers() -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    """What :data:`ANSWERS` holds."""
    read: dict[str, dict[str, dict[str, Any]]] = json.loads(ANSWERS.read_text("utf-8"))
    return read


def answer(name: str, status: int, media: str) -> dict[str, Any]:
    """``{"example": …}`` for an answer of the operation of that name; nothing where there is
    none."""
    found = answers().get(name, {}).get(str(status), {})
    return {"example": found[media]} if media in found else {}


def parameter(operation: Operation, name: str) -> dict[str, Any]:
    """``{"example": …}`` for the description of a parameter; nothing where there is none."""
    if name == "ref":
        return {"example": reference(operation)}
    if name == "number" and "/runs/" in operation.rule:
        return {"example": 1}  # runs are counted from 1, all else from 0
    if name == "If-None-Match" and operation.method == "PUT":
        return {"example": "*"}
    example = PARAMETERS.get(name)
    return {} if example is None else {"example": example}


def reference(operation: Operation) -> str:
    """A page to ask for, or to change."""
    if operation.rule.startswith("/pages/") and operation.method != "GET":
        return SANDBOX
    return next((page for start, page in REFERENCES.items() if operation.rule.startswith(start)),
                SANDBOX)


def schema(name: str, described: Mapping[str, Any]) -> dict[str, Any]:
    """The named schema with its example, where it has one."""
    return {**described, **({"examples": [BODIES[name]]} if name in BODIES else {})}
