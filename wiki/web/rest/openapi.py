"""The OpenAPI 3.1 document, made from the table of operations."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from wiki.news import Event
from wiki.thumbnails import SIZES
from wiki.tokens import MAX_DAYS, MAX_NAME, SCOPES
from wiki.watching import Kind
from wiki.web.rest import examples, groups
from wiki.web.rest.routes import Operation

JSON = dict[str, Any]


def _schema(kind: str, description: str = "", **more: Any) -> JSON:
    return {"type": kind, **({"description": description} if description else {}), **more}


def _object(properties: JSON, required: Iterable[str] = (), **more: Any) -> JSON:
    made = {"type": "object", "properties": properties, **more}
    return {**made, "required": list(required)} if required else made


def _ref(name: str) -> JSON:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(of: JSON, more: JSON | None = None) -> JSON:
    return _object({"items": {"type": "array", "items": of},
                    "next_cursor": {"type": ["string", "null"],
                                    "description": "Send it as cursor for the next page."},
                    **(more or {})},
                   ("items", "next_cursor"))


TEXT: JSON = {"type": "string"}
MAYBE: JSON = {"type": ["string", "null"]}
FLAG: JSON = {"type": "boolean"}
COUNT: JSON = {"type": "integer", "minimum": 0}
DATE: JSON = {"type": "string", "format": "date-time"}
TAGS: JSON = {"type": "array", "items": TEXT}
VALUES: JSON = _schema("object", "Property name -> value: text, number, true, false, null or a "
                       "list of texts. Passwords are never shown, and kept where not named.")

#: Parameters in an address.
PATH: Mapping[str, JSON] = {
    "ref": _schema("string", "A page's name, such as Space.Name"),
    "class_name": _schema("string", "A class's name, such as Books.BookClass"),
    "number": _schema("integer", "The object's number within its class", minimum=0),
    "kind": _schema("string", "What is watched or muted", enum=list(Kind)),
    "name": _schema("string", "A page's or a space's name"),
    "filename": TEXT,
    "version": _schema("string", "A version, such as 2.1"),
    "key": _schema("string", "Which of the list's items: its key"),
    "log": _schema("string", "A log's name, such as Tasks.SimpleTask.log"),
}
#: Parameters in a query.
PARAMETERS: Mapping[str, JSON] = {
    "version": _schema("string", "As it was at this version of the page, such as 2.1"),
    "size": _schema("integer", "So many pixels wide or high at most (256 unless told)",
                    enum=list(SIZES)),
    "space": _schema("string", "Only pages of this space"),
    "class": _schema("string", "Only what has, or is, an object of this class"),
    "prefix": _schema("string", "Only pages whose full name begins so"),
    "limit": _schema("integer", "At most so many items (100 unless told, at most 1000); of a "
                     "log: bytes, or lines with q", minimum=1),
    "cursor": _schema("string", "next_cursor of the answer before"),
    "order_by": _schema("string", "Fields of the document or properties, with commas between "
                        "them; - before one turns the order round"),
    "q": _schema("string", "What to search for: all the words; \"a b\" is a phrase, wor* a "
                 "beginning, -word leaves out"),
    "author": _schema("string", "Only pages that this user changed last"),
    "year": _schema("string", "Only pages that were changed last in this year"),
    "order": _schema("string", "rank: best first; date: the last changed first",
                     enum=["rank", "date"]),
    "hidden": _schema("string", "true: hidden pages too, for administrators",
                      enum=["true", "false"]),
    "status": _schema("string", "Only tasks of this status"),
    "offset": _schema("integer", "Begin at this byte of the log", minimum=0),
    "lines": _schema("integer", "So many lines: the log's last ones, or those from offset, "
                     "before or at", minimum=0),
    "before": _schema("integer", "The lines before this byte of the log", minimum=0),
    "at": _schema("integer", "The lines round this byte of the log", minimum=0),
    "back": _schema("string", "true: search backwards", enum=["true", "false"]),
    "mark": _schema("string", "A text to mark in the HTML"),
    "page": _schema("string", "The page that the text is on (Main.WebHome unless told)"),
    "format": _schema("string", "text, html, or json: a message a line, with offset, time, level, "
                      "message, fields", enum=["text", "html", "json"]),
}

PAGE_FIELDS: JSON = {
    "title": TEXT, "content": TEXT, "syntax": TEXT, "parent": TEXT, "hidden": FLAG, "tags": TAGS,
    "comment": _schema("string", "What the save was about"),
    "class": {"anyOf": [{"type": "null"}, _ref("Class")]},
}
READ_ONLY: JSON = {
    "version": TEXT, "author": TEXT, "created": DATE, "updated": DATE,
    "attachments": {"type": "array", "items": _ref("Attachment")},
}
ROW: JSON = {"reference": TEXT, "title": TEXT, "author": TEXT, "version": TEXT, "updated": DATE,
             "hidden": FLAG}
TASK: JSON = {
    "reference": TEXT, "title": TEXT, "status": MAYBE, "executor": MAYBE, "version": TEXT,
    "log": TEXT, "progress": {"anyOf": [{"type": "null"}, _ref("Progress")]},
    "last_run": {"anyOf": [{"type": "null"}, VALUES]},
    "waiting": {"anyOf": [{"type": "null"}, _ref("Waiting")]},
    "last_sign_of_life": {"anyOf": [{"type": "null"}, DATE]},
}
START: JSON = {
    "params": _schema("object", "Values of the executor's parameters; in a form, as JSON. What "
                      "is left out has its default, or stays as it is."),
    "dry_run": _schema("boolean", "Show what it would change, and change nothing"),
    "ready": _schema("boolean", "false: save the task SUSPENDED (default true)"),
}
FILES: JSON = {"file": {
    "type": "array", "items": {"type": "string", "format": "binary"},
    "description": "Files that the task gets as attachments"}}
LATER: JSON = {"anyOf": [{"type": "null"}, DATE]}
TOKEN: JSON = {"key": TEXT, "name": TEXT, "scope": {"enum": list(SCOPES)}, "created": DATE,
               "expires": LATER, "used": {**LATER, "description": "Its last use"}}
NUMBER: JSON = {"type": ["number", "null"]}
RUN_PAGE: JSON = _object({
    "reference": TEXT, "origin": {**MAYBE, "description": "Its name before the run moved it"},
    "kind": {"enum": ["created", "changed", "deleted", "moved"]},
    "before": {**MAYBE, "description": "Its version before the run"},
    "after": {**MAYBE, "description": "Its version after the run"},
    "state": {"enum": ["open", "back", "kept"], "description": "As the run left it; as it was "
              "before; or changed by others since"},
    "reason": _schema("string", "Why it is kept")})

SCHEMAS: Mapping[str, JSON] = {
    "Page": _object({"reference": TEXT, **PAGE_FIELDS, **READ_ONLY,
                     "objects": {"type": "array", "items": _ref("Object")}},
                    ("reference", "title", "content", "version", "objects", "attachments")),
    "PageChange": _object(
        {"reference": TEXT, **PAGE_FIELDS, "minor": FLAG,
         **{name: {**schema, "readOnly": True} for name, schema in READ_ONLY.items()},
         "objects": {"type": "array", "items": _ref("GivenObject"),
                     "description": "All objects of the page; left out, they stay."}},
        additionalProperties=False),
    "Object": _object({"class": TEXT, "number": COUNT, "properties": VALUES},
                      ("class", "number", "properties")),
    "GivenObject": _object({"class": TEXT, "number": COUNT, "properties": VALUES}, ("class",)),
    "NewObject": _object({"class": TEXT, "properties": VALUES, "comment": TEXT, "minor": FLAG},
                         ("class",)),
    "ObjectChange": _object({"properties": VALUES, "comment": TEXT, "minor": FLAG}),
    "Class": _object({"properties": {"type": "array", "items": _object(
        {"name": TEXT, "type": TEXT, "prettyName": TEXT, "help": TEXT, "default": {},
         "required": FLAG}, ("name", "type"))}}, ("properties",)),
    "Attachment": _object({"filename": TEXT, "size": COUNT, "mimetype": TEXT, "sha256": TEXT},
                          ("filename", "size", "mimetype", "sha256")),
    "FileVersion": _object({
        "filename": TEXT, "size": COUNT, "mimetype": TEXT, "sha256": TEXT, "version": _schema(
            "string", "The version of the page that brought it"),
        "author": TEXT, "created": DATE, "current": FLAG},
        ("filename", "size", "mimetype", "sha256", "version", "author", "created", "current")),
    "FileMove": _object({
        "page": _schema("string", "The other page; a bare name is in this page's space. Left "
                        "out, the file stays on its page."),
        "name": _schema("string", "Another name for it"),
        "over": _schema("boolean", "As a new version of the file of that name there")},
        additionalProperties=False),
    "Token": _object(TOKEN, TOKEN),
    "NewToken": _object({
        "name": _schema("string", "What it is for", maxLength=MAX_NAME),
        "scope": _schema("string", "What it may do (read unless told)", enum=list(SCOPES)),
        "days": {"type": ["integer", "null"], "minimum": 1, "maximum": MAX_DAYS,
                 "description": "It ends after so many; null or left out: never"}},
        ("name",), additionalProperties=False),
    "MadeToken": _object({**TOKEN, "token": _schema(
        "string", "The token itself, told this once")}, (*TOKEN, "token")),
    "Revision": _object({"version": TEXT, "author": TEXT, "updated": DATE, "comment": TEXT,
                         "minor": FLAG, "run": _schema(
                             "string", "The id of the task's run that saved it, or empty")}),
    "Row": _object(ROW),
    "Found": _object({**ROW, "objects": {"type": "array", "items": _ref("Object")}}),
    "Hit": _object({"reference": TEXT, "title": TEXT, "snippet": TEXT,
                    "marks": {"type": "array", "items": {"type": "array", "items": COUNT},
                              "description": "Begin and end of each word found in snippet"},
                    "author": TEXT, "updated": {"anyOf": [{"type": "null"}, DATE]}}),
    "FileHit": _object({"reference": TEXT, "title": TEXT, "filename": TEXT, "snippet": TEXT,
                        "marks": {"type": "array", "items": {"type": "array", "items": COUNT},
                                  "description": "Begin and end of each word found in snippet"}}),
    "Title": _object({"reference": TEXT, "title": TEXT, "space": TEXT},
                     ("reference", "title", "space")),
    "Progress": _object({"done": NUMBER, "total": NUMBER, "message": TEXT, "percent": NUMBER,
                         "elapsed": NUMBER, "remaining": NUMBER, "started": NUMBER,
                         "updated": NUMBER, "steps": TAGS, "ok": COUNT, "skipped": COUNT,
                         "failed": COUNT}),
    "Task": _object(TASK),
    "Waiting": _object({
        "position": {"type": ["integer", "null"], "minimum": 1,
                     "description": "Among the READY tasks that could start; null where it is "
                                    "none of them."},
        "reason": _schema("string", "Why the READY task has not started")},
        ("position", "reason")),
    "Invocation": _object({
        "started": MAYBE, "skipped": _schema("object", "Task -> why it was passed over"),
        "recovered": TAGS, "running": COUNT, "message": TEXT}),
    "Start": _object({**START, "title": TEXT, "name": _schema(
        "string", "The page of the new task; a bare name is in the executor's space for tasks. "
        "Left out, one is made of the executor's name and the time.")},
        additionalProperties=False),
    "StartAgain": _object(START, additionalProperties=False),
    "Parameters": _object({
        "class": MAYBE, "properties": {"type": "array", "items": _object(
            {"name": TEXT, "type": TEXT}, ("name", "type"))}, "values": VALUES},
        ("class", "properties", "values")),
    "Script": _object({
        "script": TEXT, "requirements": _schema("string", "Packages that it needs, one a line"),
        "module": _schema("boolean", "It is a module, which needs no function run")},
        ("script",), additionalProperties=False),
    "ScriptProblems": _object({"problems": {"type": "array", "items": _object({
        "line": {**COUNT, "description": "From 1; 0 where it is about no line"},
        "column": COUNT, "message": TEXT,
        "level": {"enum": ["error", "warning"], "description": "An error keeps it from running"}},
        ("line", "column", "message", "level"))}}, ("problems",)),
    "Run": _object({"number": COUNT, "outcome": MAYBE, "started": MAYBE, "finished": MAYBE,
                    "executor": MAYBE, "executorVersion": MAYBE, "dryRun": {}, "undone": MAYBE,
                    "touched": {"type": ["object", "null"], "additionalProperties": COUNT,
                                "description": "Kind -> number of pages"}}),
    "RunPage": RUN_PAGE,
    "Undone": _object({"back": COUNT, "kept": COUNT,
                       "named": {"type": "array", "items": _ref("RunPage")}}),
    "Archive": _object({"log": TEXT, "archive": TEXT}),
    "Job": _object({
        "reference": TEXT, "name": TEXT, "description": TEXT, "when": TEXT, "time_zone": MAYBE,
        "what": TEXT, "task": MAYBE, "missed": TEXT, "status": TEXT,
        "problem": {**MAYBE, "description": "Why it cannot run"}, "last_run": MAYBE,
        "outcome": MAYBE, "message": TEXT, "next_run": MAYBE}),
    "Macro": _object({
        "name": TEXT, "summary": TEXT, "help": _schema("string", "Markdown"),
        "body": {"enum": ["none", "raw", "rendered", "markup"]}, "body_required": FLAG,
        "inline": {**FLAG, "description": "It may stand within a line"},
        "live": {**NUMBER, "description": "Seconds after which it is brought up to date, or 0"},
        "package": {**MAYBE, "description": "The Python package that it is from"},
        "page": {**MAYBE, "description": "The page that defines it"},
        "parameters": {"type": "array", "items": _object({
            "name": TEXT, "type": {"enum": ["text", "integer", "number", "boolean", "page"]},
            "takes": TEXT, "default": {}, "required": FLAG, "choices": TAGS, "help": TEXT},
            ("name", "type", "required"))},
        "examples": TAGS}, ("name", "body", "parameters")),
    "Comment": _object({
        "number": COUNT, "author": TEXT, "date": DATE, "text": _schema(
            "string", "Markdown without macros; empty where it was deleted and has answers"),
        "reply_to": {"type": ["integer", "null"], "description": "The comment that it answers"},
        "mentions": TAGS, "edited": {"anyOf": [{"type": "null"}, DATE]},
        "resolved": _schema("boolean", "Of the first of a thread: whether that is settled")},
        ("number", "author", "date", "text")),
    "NewComment": _object({"text": TEXT, "reply_to": {"type": ["integer", "null"], "minimum": 0}},
                          ("text",), additionalProperties=False),
    "CommentChange": _object({"text": TEXT, "resolved": {"type": "boolean"}},
                             additionalProperties=False, minProperties=1),
    "CommentList": _list(_ref("Comment")),
    "Watch": _object({"kind": {"enum": list(Kind)}, "name": TEXT, "since": DATE},
                     ("kind", "name", "since")),
    "TokenList": _list(_ref("Token")),
    "WatchList": _list(_ref("Watch")),
    "NotificationList": _list(_object({
        "event": {"enum": list(Event)},
        "reference": TEXT, "title": TEXT, "author": TEXT, "date": DATE, "text": TEXT,
        "place": _schema("string", "The anchor of a comment, the version of an edit, or the "
                         "number of a run"), "unread": FLAG}, ("event", "reference", "date")),
        {"unread": {**COUNT, "description": "How many of all are unread"}}),
    "ReadUntil": _object({"until": _schema("string", "Up to this moment; now if left out")},
                         additionalProperties=False),
    "MacroList": _list(_ref("Macro")),
    "PageList": _list(_ref("Row")),
    "DeletedList": _list(_object({
        "key": TEXT, "reference": TEXT, "title": TEXT, "version": TEXT, "deleted": DATE,
        "author": _schema("string", "Who deleted it"), "comment": TEXT,
        "run": _schema("string", "The run that deleted it, or nothing")},
        ("key", "reference", "version", "deleted"))),
    "Restore": _object({"name": _schema("string", "Another name for it"), "comment": TEXT},
                       additionalProperties=False),
    "Move": _object({
        "name": _schema("string", "The new name; of a space, the space's"),
        "space": _schema("boolean", "All pages of the space whose home page it is"),
        "links": _schema("boolean", "Turn what refers to the pages (default true)"),
        "redirect": _schema("boolean", "Leave redirects at the old names")},
        ("name",), additionalProperties=False),
    "Copy": _object({
        "name": _schema("string", "The name of the copy; of a space, the space's"),
        "space": _schema("boolean", "All pages of the space whose home page it is"),
        "attachments": _schema("boolean", "With attached files (default true)")},
        ("name",), additionalProperties=False),
    "Moved": _object({
        "done": {**TAGS, "description": "The pages moved, by their old names, or the copies"},
        "turned": {**TAGS, "description": "Other pages whose links were turned"},
        "failed": {"type": "array", "items": _object({"reference": TEXT, "reason": TEXT},
                                                     ("reference", "reason"))},
        "task": {**MAYBE, "description": "The task that does it"}},
        ("done", "turned", "failed", "task")),
    "BacklinkList": _list(_object({
        "reference": TEXT, "kind": {"enum": ["link", "include", "object", "parent"]}},
        ("reference", "kind"))),
    "OrphanedList": _list(_object({"reference": TEXT}, ("reference",))),
    "WantedList": _list(_object({"reference": TEXT, "pages": COUNT}, ("reference", "pages"))),
    "RevisionList": _list(_ref("Revision")),
    "FileVersionList": _list(_ref("FileVersion")),
    "ObjectList": _list(_ref("Object")),
    "QueryList": _list(_ref("Found")),
    "SearchList": _list(_ref("Hit"), {
        "total": COUNT,
        "capped": {**FLAG, "description": "There are more pages than total; it and the facets "
                                          "are of the newest"},
        "facets": _schema("object", "space, class, author, year -> values with their numbers of "
                          "pages", additionalProperties={"type": "array", "items": _object(
                              {"value": TEXT, "count": COUNT}, ("value", "count"))}),
        "files": {"type": "array", "items": _ref("FileHit"), "description":
                  "Attached files with the words, some of the newest; with the first page only"}}),
    "TitleList": _list(_ref("Title")),
    "RunList": _list(_ref("Run")),
    "RunPageList": _list(_ref("RunPage")),
    "TaskList": _list(_ref("Task"), {"counts": _schema(
        "object", "Status -> how many tasks of the whole wiki have it",
        additionalProperties=COUNT)}),
    "JobList": _list(_ref("Job")),
    "OpenAPI": {"type": "object"},
    "Problem": _object({"type": TEXT, "title": TEXT, "status": COUNT, "detail": TEXT,
                        "instance": TEXT, "property": TEXT, "allowed": TEXT},
                       ("type", "title", "status", "detail")),
}
#: What is no JSON: its media types, each with its schema.
MEDIA: Mapping[str, Mapping[str, JSON]] = {
    "bytes": {"application/octet-stream": {}},
    "file": {"*/*": {}},
    "webp": {"image/webp": {}},
    "text": {"text/plain": TEXT},
    "log": {"text/plain": TEXT, "text/html": TEXT, "application/x-ndjson": TEXT},
    "html": {"text/html": TEXT},
    "events": {"text/event-stream": TEXT},
}
PHRASES = {200: "Done", 201: "Created", 202: "Begun", 204: "Done; no body",
           206: "A part of the bytes"}
CONDITIONS: tuple[JSON, ...] = (
    {"name": "If-Match", "in": "header", "schema": TEXT,
     "description": "The ETag that it must have; 412 otherwise"},
    {"name": "If-None-Match", "in": "header", "schema": TEXT,
     "description": "GET: 304 where it still has this ETag; else * for what must not exist yet"},
)


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
                "content": {"application/problem+json": {"schema": _ref("Problem")}}}},
        },
    }


def template(rule: str) -> str:
    """Flask's rule as OpenAPI writes it: ``/pages/{ref}``."""
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule)


def describe(operation: Operation) -> JSON:
    """An operation object."""
    made: JSON = {
        "operationId": operation.name, "summary": operation.summary,
        "tags": [groups.tag(operation)],
        "parameters": [
            *({"name": name, "in": "path", "required": True, "schema": PATH[name],
               **examples.parameter(operation, name)}
              for name in re.findall(r"<(?:\w+:)?(\w+)>", operation.rule)),
            *({"name": name, "in": "query", "schema": PARAMETERS[name],
               **examples.parameter(operation, name)}
              for name in operation.query),
            *({**condition, **examples.parameter(operation, condition["name"])}
              for condition in (CONDITIONS if operation.conditional else ()))],
        "responses": {**{str(status): answer(operation, status)
                         for status in operation.statuses},
                      **{str(status): failure(status) for status in operation.failures}},
    }
    if operation.open_query:
        made["parameters"].append({
            "name": "conditions", "in": "query", "style": "form", "explode": True,
            **examples.parameter(operation, "conditions"),
            "schema": {"type": "object", "additionalProperties": TEXT}})
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


def failure(status: int) -> JSON:
    if status == 304:
        return {"description": "It still has that ETag; no body"}
    return {"$ref": "#/components/responses/Problem"}


def answer(operation: Operation, status: int) -> JSON:
    made: JSON = {"description": PHRASES[status]}
    if operation.answer and status != 204:
        made["content"] = content(operation.answer)
    return made


def content(name: str) -> JSON:
    return {media: {"schema": schema} for media, schema in
            MEDIA.get(name, {"application/json": _ref(name)}).items()}
