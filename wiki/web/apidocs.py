"""``/api/docs``: the API as a page to read and to try, made from its own OpenAPI document."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from itertools import groupby
from typing import Any
from urllib.parse import quote, urlencode

from flask import Blueprint, render_template, request
from markupsafe import Markup

from wiki.translate import gettext
from wiki.web.rest import describe_api

JSON = Mapping[str, Any]
blueprint = Blueprint("apidocs", __name__)
#: What a schema allows besides its type, as the page says it.
LIMITS = {"minimum": "at least {}", "maximum": "at most {}", "default": "default {}",
          "minProperties": "at least {} field", "readOnly": "only read"}
JSON_BODY = "application/json"


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter, or a field of a schema; ``fields`` are those of an object within it."""

    name: str
    kind: Markup
    description: str
    limits: tuple[str, ...]
    required: bool
    fields: tuple[Field, ...] = ()
    #: Of a parameter: path, query or header, and its example as text.
    place: str = ""
    example: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """A body of one media type; ``example`` is one, to read, or empty."""

    media: str
    kind: Markup
    fields: tuple[Field, ...]
    example: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What statuses (``404 Not Found``) stand for, with the bodies and headers that they may
    have."""

    statuses: tuple[str, ...]
    description: str
    contents: tuple[Content, ...]
    headers: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """An operation as the page shows it; ``example`` is the JSON of its body, or empty."""

    name: str
    method: str
    path: str
    summary: str
    parameters: tuple[Field, ...]
    bodies: tuple[Content, ...]
    answers: tuple[Answer, ...]
    example: str
    curl: str

    @property
    def words(self) -> str:
        """What the search field looks in."""
        names = " ".join(item.name for item in self.parameters)
        return f"{self.method} {self.path} {self.summary} {self.name} {names}".lower()

    @property
    def uploads(self) -> bool:
        """The body is a file's bytes."""
        return any(body.media == "application/octet-stream" for body in self.bodies)


@blueprint.get("/api/docs")
def docs() -> str:
    """All operations by their groups, and the schemas that they name."""
    described = describe_api()
    base = described["servers"][0]["url"]
    calls = [(operation["tags"][0], call(described, base, path, method, operation))
             for path, methods in described["paths"].items()
             for method, operation in methods.items()]
    groups = [(tag, [one for name, one in calls if name == tag["name"]])
              for tag in described["tags"]]
    schemas = [(name, schema, fields(schema), examples(schema))
               for name, schema in sorted(described["components"]["schemas"].items())]
    return render_template("apidocs.html", title=gettext("The API"), base=base, groups=groups,
                           schemas=schemas, kind=kind, count=len(calls))


def call(described: JSON, base: str, path: str, method: str, operation: JSON) -> Call:
    """An operation of the document, ready to show."""
    bodies = operation.get("requestBody", {}).get("content", {})
    example = body_example(described, bodies.get(JSON_BODY, {}).get("schema", {}))
    return Call(
        operation["operationId"], method.upper(), base + path, operation["summary"],
        tuple(parameter(one) for one in operation["parameters"]),
        contents(described, bodies),
        tuple(answers(described, operation["responses"])),
        example, curl(base + path, method.upper(), operation, example))


def parameter(described: JSON) -> Field:
    example = described.get("example", "")
    return Field(described["name"], kind(described["schema"]),
                 described.get("description") or described["schema"].get("description", ""),
                 limits(described["schema"]), described.get("required", False),
                 place=described["in"],
                 example=urlencode(example) if isinstance(example, dict) else str(example))


def answers(described: JSON, responses: JSON) -> Iterator[Answer]:
    """Statuses that say the same, such as all errors, as one."""
    for response, alike in groupby(responses, lambda status: responses[status]):
        found = resolve(described, response)
        yield Answer(tuple(f"{status} {HTTPStatus(int(status)).phrase}" for status in alike),
                     found["description"], contents(described, found.get("content", {})),
                     fields({"properties": {name: header["schema"] for name, header in
                                            found.get("headers", {}).items()}}))


def contents(described: JSON, content: JSON) -> tuple[Content, ...]:
    """Bodies; the fields of a named schema are shown with it where it is what is sent or got."""
    return tuple(Content(media, kind(item["schema"]), fields(resolve(described, item["schema"])),
                         readable(item.get("example", "")))
                 for media, item in content.items())


def resolve(described: JSON, item: JSON) -> JSON:
    """What a ``$ref`` refers to in the document; anything else is itself."""
    if "$ref" not in item:
        return item
    found: JSON = described
    for step in item["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return found


# -- schemas ---------------------------------------------------------------------------------


def kind(schema: JSON) -> Markup:
    """A schema's type in a few words, with links to the named ones."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return Markup('<a href="#schema-{0}">{0}</a>').format(name)
    if "enum" in schema:
        return Markup(" | ").join(Markup("<code>{}</code>").format(one) for one in schema["enum"])
    if "anyOf" in schema:
        nulls_last = sorted(schema["anyOf"], key=lambda one: one.get("type") == "null")
        return Markup(" or ").join(kind(one) for one in nulls_last)
    if schema.get("type") == "array":
        return Markup("list of {}").format(kind(schema["items"]))
    if isinstance(schema.get("additionalProperties"), dict):
        return Markup("object of {}").format(kind(schema["additionalProperties"]))
    names = schema.get("type", "any value")
    text = names if isinstance(names, str) else " or ".join(names)
    return Markup("{} ({})" if "format" in schema else "{}").format(text, schema.get("format"))


def fields(schema: JSON) -> tuple[Field, ...]:
    """The fields of the object that the schema is, or is made of."""
    within = inner(schema)
    required = within.get("required", ())
    return tuple(Field(name, kind(one), one.get("description", ""), limits(one), name in required,
                       fields(one))
                 for name, one in within.get("properties", {}).items())


def inner(schema: JSON) -> JSON:
    """The object in a list, or among the alternatives; else the schema."""
    if "items" in schema:
        return inner(schema["items"])
    if isinstance(schema.get("additionalProperties"), dict):
        return inner(schema["additionalProperties"])
    return next((one for one in schema.get("anyOf", ()) if "properties" in one), schema)


def limits(schema: JSON) -> tuple[str, ...]:
    return tuple(text.format(schema[name]) for name, text in LIMITS.items() if name in schema)


# -- examples ----------------------------------------------------------------------------------


def examples(schema: JSON) -> list[str]:
    """The schema's examples as JSON to read."""
    return [readable(one) for one in schema.get("examples", ())]


def readable(example: object) -> str:
    """Text as it is, anything else as JSON on several lines."""
    return (example if isinstance(example, str)
            else json.dumps(example, indent=2, ensure_ascii=False))


def body_example(described: JSON, schema: JSON) -> str:
    return next(iter(examples(resolve(described, schema))), "")


def curl(path: str, method: str, operation: JSON, example: str) -> str:
    """A command that makes the call, with a token from the environment."""
    parts = ['curl -H "Authorization: Bearer $TOKEN"']
    if method != "GET":
        parts[0] += f" -X {method}"
    if example:
        parts += ["-H 'Content-Type: application/json'",
                  f"-d {shlex.quote(json.dumps(json.loads(example), ensure_ascii=False))}"]
    elif "requestBody" in operation:
        parts.append("--data-binary @countries.csv")
    address = request.host_url.rstrip("/") + filled(path, operation["parameters"])
    return " \\\n  ".join([*parts, shlex.quote(address)])


def filled(path: str, parameters: Iterable[JSON]) -> str:
    """The address with the examples of its own parameters, and of the first in its query."""
    query = [one for one in parameters if one["in"] == "query" and one.get("example")]
    for one in parameters:
        if one["in"] == "path":
            value = quote(str(one.get("example", "")), safe="")
            path = path.replace(f"{{{one['name']}}}", value)
    first = {one["name"]: one["example"] for one in query[:1]}
    return f"{path}?{urlencode(first)}" if first else path
