"""The API against its own OpenAPI document: whatever is sent, it answers as that says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from conftest import basic
from flask import Flask
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks

from wiki.site import Site

CHECKS = [not_a_server_error, checks.status_code_conformance, checks.content_type_conformance,
          checks.response_schema_conformance]
CALLERS = {"Admin": basic("Admin"), "a guest": {}}
#: Requests of each operation by each caller.
EXAMPLES = 10
#: What there is, in place of most of the names that are made up: those only get a 404.
KNOWN = {"ref": ("Tasks.ImportCountries", "Help.Tour", "Executors.ImportCSV", "Wiki.UserClass",
                 "TaskExecutorCode.TaskExecutorManagerJob"),
         "filename": ("countries.csv",), "class_name": ("TaskExecutorCode.TaskClass",),
         "version": ("1.1",), "number": (0, 1), "log": ("TaskExecutorManagerJob.log",),
         "name": ("Help.Tour", "Help")}
#: An answer to this goes on for as long as one listens, or until the server ends: it comes last.
ENDLESS = "stream_log"
#: What takes pages away comes last.
ORDER = ("get", "post", "patch", "put", "delete")


def with_known_names(case: schemathesis.Case) -> schemathesis.Case:
    """Three of four values in the address are of something that there is."""
    for name, value in (case.path_parameters or {}).items():
        choice = len(repr(value)) + len(repr(case.body)) + len(repr(case.query))
        if name in KNOWN and choice % 4:
            case.path_parameters[name] = KNOWN[name][choice % len(KNOWN[name])]
    return case


def place(operation: Any) -> tuple[bool, int]:
    """When an operation has its turn."""
    return (operation.definition.raw["operationId"] == ENDLESS,
            ORDER.index(operation.method.lower()))


# Its client does not close the files that are sent to it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("caller", CALLERS)
def test_every_answer_is_one_that_the_document_tells_of(
        site: Site, app: Flask, caller: str) -> None:
    site.logs.append("TaskExecutorManagerJob.log", "INFO", "a line to read")
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    found: dict[str, str] = {}
    seen: set[int] = set()

    def asking(operation: Any) -> Callable[[], None]:
        @given(case=operation.as_strategy())
        @hypothesis_settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=True,
                             suppress_health_check=list(HealthCheck), phases=[Phase.generate])
        def ask(case: schemathesis.Case) -> None:
            response = with_known_names(case).call(headers=CALLERS[caller])
            seen.add(response.status_code)
            try:
                case.validate_response(response, checks=CHECKS)
            except FailureGroup as error:  # all of them are told, not the first alone
                found.setdefault(operation.label, "\n".join(map(str, error.exceptions)))
        return ask

    operations = [result.ok() for result in schema.get_all_operations()]
    for operation in sorted(operations, key=place):
        if operation.definition.raw["operationId"] == ENDLESS:
            site.stop_starting()
        asking(operation)()
    assert found == {}
    assert {200, 404} <= seen if caller == "Admin" else {200, 401} <= seen
