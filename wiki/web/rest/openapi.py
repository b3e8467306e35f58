"""The OpenAPI 3.1 document, made from the table of operations."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from wiki.web.rest import examples, groups
from wiki.web.rest.routes import Operation
from wiki.web.rest.schemas import (
    ANSWERING,
    ASKING,
    FILES,
    JSON,
    MEDIA,
    PARAMETERS,
    PATH,
    SCHEMAS,
    TEXT,
    ref,
)

PHRASES = {200: "Done", 201: "Created", 202: "Begun", 204: "Done; no body",
           206: "A part of the bytes"}
PROBLEM = "application/problem+json"
CONDITIONS = ("If-Match", "If-None-Match")


def document(operations: Collection[Operation], version: str) -> JSON:
    """The API as OpenAPI describes one."""
    paths: dict[str, JSON] = {}
    for operation in operations:
        paths.setdefault(template(operation.rule), {})[operation.method.lower()] = (
            describe(operation))
    return {
        "openapi": "3.1.0",
        "info": {"title": "Wikimill", "version": version,
                 "description": "Pages, what they carry, and the tasks that they are."},
        "servers": [{"url": "/api/v1"}],
        "security": [{}, {"basic": []}, {"token": []}],
        "tags": groups.tags(operations),
        "paths": paths,
        "components": {
            "schemas": {name: examples.schema(name, schema)
                        for name, schema in SCHEMAS.items()},
            "securitySchemes": {"basic": {"type": "http", "scheme": "basic"},
                                "token": {"type": "http", "scheme": "bearer"}},
            "responses": {"Problem": {
                "description": "What went wrong, and how to mend it (RFC 9457)",
                "content": {PROBLEM: {"schema": ref("Problem"),
                                      **examples.answer("get_page", 404, PROBLEM)}}}},
        },
    }


def template(rule: str) -> str:
    """Flask's rule as OpenAPI writes it: ``/pages/{ref}``."""
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule)


def describe(operation: Operation) -> JSON:
    """An operation object."""
    made: JSON = {
        "operationId": operation.name, "summary": operation.summary,
        "tags": [groups.tag(operation)], "parameters": list(parameters(operation)),
        "responses": {**{str(status): answer(operation, status)
                         for status in operation.statuses},
                      **{str(status): failure(status) for status in operation.failures}},
    }
    if operation.method != "GET":
        made["security"] = [{"basic": []}, {"token": []}]
    if operation.body:
        made["requestBody"] = {"required": not operation.files,
                               "content": content(operation.body)}
    if operation.files:
        schema = SCHEMAS[operation.body]
        made["requestBody"]["content"]["multipart/form-data"] = {
            "schema": {**schema, "properties": {**schema["properties"], **FILES}}}
    return made


def parameters(operation: Operation) -> Iterator[JSON]:
    """What the operation takes beside its body: in its address, and in headers."""
    for name in re.findall(r"<(?:\w+:)?(\w+)>", operation.rule):
        yield parameter(operation, name, "path", PATH, required=True)
    for name in operation.query:
        yield parameter(operation, name, "query", PARAMETERS,
                        required=name in operation.required)
    for name in (*(CONDITIONS if operation.conditional else ()), *operation.asking):
        yield parameter(operation, name, "header", ASKING)
    if operation.open_query:
        yield {"name": "conditions", "in": "query", "style": "form", "explode": True,
               **examples.parameter(operation, "conditions"),
               "schema": {"type": "object", "additionalProperties": TEXT}}


def parameter(operation: Operation, name: str, place: str, schemas: Mapping[str, JSON],
              required: bool = False) -> JSON:
    """A parameter object."""
    return {"name": name, "in": place, "schema": schemas[name],
            **({"required": True} if required else {}), **examples.parameter(operation, name)}


def failure(status: int) -> JSON:
    if status == 304:
        return {"description": "It still has that ETag; no body"}
    return {"$ref": "#/components/responses/Problem"}


def answer(operation: Operation, status: int) -> JSON:
    made: JSON = {"description": PHRASES[status]}
    headers = {name: {"schema": ANSWERING[name]} for name in operation.answering
               if name != "Location" or status == 201}
    if headers:
        made["headers"] = headers
    if operation.answer and status != 204:
        made["content"] = {
            media: {**described, **examples.answer(operation.name, status, media)}
            for media, described in content(operation.answer).items()}
    return made


def content(name: str) -> JSON:
    return {media: {"schema": schema} for media, schema in
            MEDIA.get(name, {"application/json": ref(name)}).items()}
