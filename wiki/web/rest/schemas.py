"""What the API takes and answers, as JSON Schemas: parameters, bodies, answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wiki.classes import TYPES, TextArea
from wiki.news import Event
from wiki.store.base import ChangeKind
from wiki.thumbnails import SIZES
from wiki.tokens import MAX_DAYS, MAX_NAME, SCOPES
from wiki.watching import Kind

JSON = dict[str, Any]


def schema(kind: str, description: str = "", **more: Any) -> JSON:
    """A schema of a JSON type."""
    return {"type": kind, **({"description": description} if description else {}), **more}


def object_of(properties: JSON, required: Iterable[str] = (), **more: Any) -> JSON:
    """An object with these properties, some of which are always there."""
    made = {"type": "object", "properties": properties, **more}
    return {**made, "required": list(required)} if required else made


def answer_of(properties: JSON, **more: Any) -> JSON:
    """An object with these properties, all of which are always there."""
    return object_of(properties, properties, **more)


def ref(name: str) -> JSON:
    """The schema of that name in :data:`SCHEMAS`."""
    return {"$ref": f"#/components/schemas/{name}"}


def list_of(of: JSON, more: JSON | None = None) -> JSON:
    """One page of a list, with what else its answer holds."""
    return object_of({"items": {"type": "array", "items": of},
                      "next_cursor": {"type": ["string", "null"],
                                      "description": "Send it as cursor for the next page."},
                      **(more or {})},
                     ("items", "next_cursor"))


TEXT: JSON = {"type": "string"}
MAYBE: JSON = {"type": ["string", "null"]}
FLAG: JSON = {"type": "boolean"}
COUNT: JSON = {"type": "integer", "minimum": 0}
DATE: JSON = {"type": "string", "format": "date-time"}
MARKS: JSON = {"type": "array", "items": {"type": "array", "items": COUNT},
               "description": "Begin and end of each word found in snippet"}
TAGS: JSON = {"type": "array", "items": TEXT}
VALUES: JSON = schema("object", "Property name -> value: text, number, true, false, null or a "
                      "list of texts. Passwords are never shown, and kept where not named. A "
                      "property that the class does not have is kept as it is.")

#: Parameters in an address.
PATH: Mapping[str, JSON] = {
    "ref": schema("string", "A page's name, such as Space.Name"),
    "class_name": schema("string", "A class's name, such as Books.BookClass"),
    "number": schema("integer", "The object's number within its class", minimum=0),
    "kind": schema("string", "What is watched or muted", enum=list(Kind)),
    "name": schema("string", "A page's or a space's name"),
    "filename": TEXT,
    "version": schema("string", "A version, such as 2.1"),
    "key": schema("string", "Which of the list's items: its key"),
    "log": schema("string", "A log's name, such as Tasks.SimpleTask.log"),
}
#: Parameters in a query.
PARAMETERS: Mapping[str, JSON] = {
    "version": schema("string", "As it was at this version of the page, such as 2.1"),
    "size": schema("integer", "So many pixels wide or high at most (256 unless told)",
                   enum=list(SIZES)),
    "space": schema("string", "Only pages of this space"),
    "class": schema("string", "Only what has, or is, an object of this class"),
    "prefix": schema("string", "Only pages whose full name begins so"),
    "limit": schema("integer", "At most so many items (100 unless told, at most 1000); of a "
                    "log: bytes, or lines with q", minimum=1),
    "cursor": schema("string", "next_cursor of the answer before"),
    "order_by": schema("string", "Fields of the document or properties, with commas between "
                       "them; - before one turns the order round"),
    "q": schema("string", "What to search for: all the words; \"a b\" is a phrase, wor* a "
                "beginning, -word leaves out"),
    "author": schema("string", "Only what this user changed, or changed last"),
    "year": schema("string", "Only pages that were changed last in this year"),
    "order": schema("string", "rank: best first; date: the last changed first",
                    enum=["rank", "date"]),
    "hidden": schema("string", "true: hidden pages too, for administrators",
                     enum=["true", "false"]),
    "status": schema("string", "Only tasks of this status"),
    "offset": schema("integer", "Begin at this byte of the log", minimum=0),
    "lines": schema("integer", "So many lines: the log's last ones, or those from offset, "
                    "before or at", minimum=0),
    "before": schema("integer", "The lines before this byte of the log", minimum=0),
    "at": schema("integer", "The lines round this byte of the log", minimum=0),
    "back": schema("string", "true: search backwards", enum=["true", "false"]),
    "mark": schema("string", "A text to mark in the HTML"),
    "page": schema("string", "The page that the text is on (Main.WebHome unless told)"),
    "format": schema("string", "text, html, or json: a message a line, with offset, time, level, "
                     "message, fields", enum=["text", "html", "json"]),
}

PAGE_FIELDS: JSON = {
    "title": TEXT, "content": TEXT, "syntax": TEXT, "parent": TEXT, "hidden": FLAG, "tags": TAGS,
    "comment": schema("string", "What the save was about"),
    "class": {"anyOf": [{"type": "null"}, ref("Class")]},
}
READ_ONLY: JSON = {
    "version": TEXT, "author": TEXT, "created": DATE, "updated": DATE,
    "attachments": {"type": "array", "items": ref("Attachment")},
}
ROW: JSON = {"reference": TEXT, "title": TEXT, "author": TEXT, "version": TEXT, "updated": DATE,
             "hidden": FLAG}
TASK: JSON = {
    "reference": TEXT, "title": TEXT, "status": MAYBE, "executor": MAYBE, "version": TEXT,
    "log": TEXT, "progress": {"anyOf": [{"type": "null"}, ref("Progress")]},
    "last_run": {"anyOf": [{"type": "null"}, VALUES]},
    "waiting": {"anyOf": [{"type": "null"}, ref("Waiting")]},
    "last_sign_of_life": {"anyOf": [{"type": "null"}, DATE]},
}
START: JSON = {
    "params": schema("object", "Values of the executor's parameters; in a form, as JSON. What "
                     "is left out has its default, or stays as it is."),
    "dry_run": schema("boolean", "Show what it would change, and change nothing"),
    "ready": schema("boolean", "false: save the task SUSPENDED (default true)"),
}
FILES: JSON = {"file": {
    "type": "array", "items": {"type": "string", "format": "binary"},
    "description": "Files that the task gets as attachments"}}
LATER: JSON = {"anyOf": [{"type": "null"}, DATE]}
TOKEN: JSON = {"key": TEXT, "name": TEXT, "scope": {"enum": list(SCOPES)}, "created": DATE,
               "expires": LATER, "used": {**LATER, "description": "Its last use"}}
NUMBER: JSON = {"type": ["number", "null"]}
RUN_PAGE: JSON = answer_of({
    "reference": TEXT, "origin": {**MAYBE, "description": "Its name before the run moved it"},
    "kind": {"enum": ["created", "changed", "deleted", "moved"]},
    "before": {**MAYBE, "description": "Its version before the run"},
    "after": {**MAYBE, "description": "Its version after the run"},
    "state": {"enum": ["open", "back", "kept"], "description": "As the run left it; as it was "
              "before; or changed by others since"},
    "reason": schema("string", "Why it is kept")})

SCHEMAS: Mapping[str, JSON] = {
    "Page": answer_of({"reference": TEXT, **PAGE_FIELDS, **READ_ONLY,
                       "objects": {"type": "array", "items": ref("Object")}}),
    "PageChange": object_of(
        {"reference": TEXT, **PAGE_FIELDS, "minor": FLAG,
         **{name: {**field, "readOnly": True} for name, field in READ_ONLY.items()},
         "objects": {"type": "array", "items": ref("GivenObject"),
                     "description": "All objects of the page; left out, they stay."}},
        additionalProperties=False),
    "Object": answer_of({"class": TEXT, "number": COUNT, "properties": VALUES}),
    "GivenObject": object_of({"class": TEXT, "number": COUNT, "properties": VALUES}, ("class",),
                             additionalProperties=False),
    "NewObject": object_of({"class": TEXT, "properties": VALUES, "comment": TEXT, "minor": FLAG},
                           ("class",), additionalProperties=False),
    "ObjectChange": object_of({
        "class": schema("string", "As it is: it does not change", readOnly=True),
        "number": {**COUNT, "description": "As it is: it does not change", "readOnly": True},
        "properties": VALUES, "comment": TEXT, "minor": FLAG}, additionalProperties=False),
    "Class": object_of({"properties": {"type": "array", "items": ref("Property")}},
                       ("properties",), additionalProperties=False),
    "Property": object_of({
        "name": TEXT, "type": {"enum": list(TYPES)}, "prettyName": TEXT, "help": TEXT,
        "default": {"description": "What an object has that names no value"}, "required": FLAG,
        "integer": {**FLAG, "description": "Of a Number: a whole one"},
        "min": {"type": "number", "description": "Of a Number: the least"},
        "max": {"type": "number", "description": "Of a Number: the most"},
        "kind": schema("string", "Of a TextArea: what it holds", enum=list(TextArea.KINDS)),
        "time": {**FLAG, "description": "Of a Date: with the time of day"},
        "values": {**TAGS, "description": "Of a StaticList: what there is to choose"},
        "class": schema("string", "Of a Page: one with an object of this class"),
        "multiple": {**FLAG, "description": "Of a StaticList, Page or User: several"}},
        ("name", "type"), additionalProperties=False),
    "Attachment": answer_of({"filename": TEXT, "size": COUNT, "mimetype": TEXT, "sha256": TEXT}),
    "FileVersion": answer_of({
        "filename": TEXT, "size": COUNT, "mimetype": TEXT, "sha256": TEXT, "version": schema(
            "string", "The version of the page that brought it"),
        "author": TEXT, "created": DATE, "current": FLAG}),
    "FileMove": object_of({
        "page": schema("string", "The other page; a bare name is in this page's space. Left "
                       "out, the file stays on its page."),
        "name": schema("string", "Another name for it"),
        "over": schema("boolean", "As a new version of the file of that name there")},
        additionalProperties=False),
    "Token": answer_of(TOKEN),
    "NewToken": object_of({
        "name": schema("string", "What it is for", maxLength=MAX_NAME),
        "scope": schema("string", "What it may do (read unless told)", enum=list(SCOPES)),
        "days": {"type": ["integer", "null"], "minimum": 1, "maximum": MAX_DAYS,
                 "description": "It ends after so many; null or left out: never"}},
        ("name",), additionalProperties=False),
    "MadeToken": answer_of({**TOKEN, "token": schema(
        "string", "The token itself, told this once")}),
    "Revision": answer_of({"version": TEXT, "author": TEXT, "updated": DATE, "comment": TEXT,
                           "minor": FLAG, "run": schema(
                               "string", "The id of the task's run that saved it, or empty")}),
    "Row": answer_of(ROW),
    "Found": object_of({
        **ROW, "objects": {"type": "array", "items": ref("Object"),
                           "description": "Those of the class, where one is asked for"}}, ROW),
    "Hit": answer_of({"reference": TEXT, "title": TEXT,
                      "snippet": schema("string", "Of the page's text; empty where only files "
                                                  "of the page have the words"),
                      "marks": MARKS, "author": TEXT,
                      "updated": {"anyOf": [{"type": "null"}, DATE]},
                      "files": {"type": "array", "items": ref("FileHit"), "description":
                                "Attached files of the page with the words, the best three"}}),
    "FileHit": answer_of({"filename": TEXT, "snippet": TEXT, "marks": MARKS}),
    "Title": object_of({"reference": TEXT, "title": TEXT, "space": TEXT},
                       ("reference", "title", "space")),
    "Progress": answer_of({"done": NUMBER, "total": NUMBER, "message": TEXT, "percent": NUMBER,
                           "elapsed": NUMBER, "remaining": NUMBER, "started": NUMBER,
                           "updated": NUMBER, "steps": TAGS, "ok": COUNT, "skipped": COUNT,
                           "failed": COUNT}),
    "Task": answer_of(TASK),
    "Waiting": object_of({
        "position": {"type": ["integer", "null"], "minimum": 1,
                     "description": "Among the READY tasks that could start; null where it is "
                                    "none of them."},
        "reason": schema("string", "Why the READY task has not started")},
        ("position", "reason")),
    "Invocation": answer_of({
        "started": MAYBE, "skipped": schema("object", "Task -> why it was passed over"),
        "recovered": TAGS, "running": COUNT, "message": TEXT}),
    "Start": object_of({**START, "title": TEXT, "name": schema(
        "string", "The page of the new task; a bare name is in the executor's space for tasks. "
        "Left out, one is made of the executor's name and the time.")},
        additionalProperties=False),
    "StartAgain": object_of(START, additionalProperties=False),
    "Parameters": object_of({
        "class": MAYBE, "properties": {"type": "array", "items": ref("Property")},
        "values": VALUES},
        ("class", "properties", "values")),
    "Script": object_of({
        "script": TEXT, "requirements": schema("string", "Packages that it needs, one a line"),
        "module": schema("boolean", "It is a module, which needs no function run")},
        ("script",), additionalProperties=False),
    "ScriptProblems": object_of({"problems": {"type": "array", "items": object_of({
        "line": {**COUNT, "description": "From 1; 0 where it is about no line"},
        "column": COUNT, "message": TEXT,
        "level": {"enum": ["error", "warning"], "description": "An error keeps it from running"}},
        ("line", "column", "message", "level"))}}, ("problems",)),
    "Run": object_of(
        {"number": COUNT, "outcome": MAYBE, "started": MAYBE, "finished": MAYBE,
         "executor": MAYBE, "executorVersion": MAYBE, "dryRun": {}, "undone": MAYBE,
         "touched": {"type": ["object", "null"], "additionalProperties": COUNT,
                     "description": "Kind -> number of pages; of a single run only"}},
        description="The values of the run's object of TaskExecutorCode.TaskRunClass: what "
                    "that class has is here by its name", additionalProperties=True),
    "RunPage": RUN_PAGE,
    "Undone": answer_of({"back": COUNT, "kept": COUNT,
                         "named": {"type": "array", "items": ref("RunPage")}}),
    "Archive": answer_of({"log": TEXT, "archive": TEXT}),
    "Job": answer_of({
        "reference": TEXT, "name": TEXT, "description": TEXT, "when": TEXT, "time_zone": MAYBE,
        "what": TEXT, "task": MAYBE, "missed": TEXT, "status": TEXT,
        "problem": {**MAYBE, "description": "Why it cannot run"}, "last_run": MAYBE,
        "outcome": MAYBE, "message": TEXT, "next_run": MAYBE}),
    "Macro": object_of({
        "name": TEXT, "summary": TEXT, "help": schema("string", "Markdown"),
        "body": {"enum": ["none", "raw", "rendered", "markup"]}, "body_required": FLAG,
        "inline": {**FLAG, "description": "It may stand within a line"},
        "live": {**NUMBER, "description": "Seconds after which it is brought up to date, or 0"},
        "package": {**MAYBE, "description": "The Python package that it is from"},
        "page": {**MAYBE, "description": "The page that defines it"},
        "parameters": {"type": "array", "items": object_of({
            "name": TEXT, "type": {"enum": ["text", "integer", "number", "boolean", "page"]},
            "takes": TEXT, "default": {}, "required": FLAG, "choices": TAGS, "help": TEXT},
            ("name", "type", "required"))},
        "examples": TAGS}, ("name", "body", "parameters")),
    "Comment": answer_of({
        "number": COUNT, "author": TEXT, "date": DATE, "text": schema(
            "string", "Markdown without macros; empty where it was deleted and has answers"),
        "reply_to": {"type": ["integer", "null"], "description": "The comment that it answers"},
        "mentions": TAGS, "edited": {"anyOf": [{"type": "null"}, DATE]},
        "resolved": schema("boolean", "Of the first of a thread: whether that is settled")}),
    "NewComment": object_of({"text": TEXT, "reply_to": {"type": ["integer", "null"], "minimum": 0}},
                            ("text",), additionalProperties=False),
    "CommentChange": object_of({"text": TEXT, "resolved": {"type": "boolean"}},
                               additionalProperties=False, minProperties=1),
    "CommentList": list_of(ref("Comment")),
    "Watch": object_of({"kind": {"enum": list(Kind)}, "name": TEXT, "since": DATE},
                       ("kind", "name", "since")),
    "TokenList": list_of(ref("Token")),
    "WatchList": list_of(ref("Watch")),
    "NotificationList": list_of(object_of({
        "event": {"enum": list(Event)},
        "reference": TEXT, "title": TEXT, "author": TEXT, "date": DATE, "text": TEXT,
        "place": schema("string", "The anchor of a comment, the version of an edit, or the "
                        "number of a run"), "unread": FLAG}, ("event", "reference", "date")),
        {"unread": {**COUNT, "description": "How many of all are unread"}}),
    "ReadUntil": object_of({"until": schema("string", "Up to this moment; now if left out")},
                           additionalProperties=False),
    "MacroList": list_of(ref("Macro")),
    "PageList": list_of(ref("Row")),
    "DeletedList": list_of(object_of({
        "key": TEXT, "reference": TEXT, "title": TEXT, "version": TEXT, "deleted": DATE,
        "author": schema("string", "Who deleted it"), "comment": TEXT,
        "run": schema("string", "The run that deleted it, or nothing")},
        ("key", "reference", "version", "deleted"))),
    "Restore": object_of({"name": schema("string", "Another name for it"), "comment": TEXT},
                         additionalProperties=False),
    "Move": object_of({
        "name": schema("string", "The new name; of a space, the space's"),
        "space": schema("boolean", "All pages of the space whose home page it is"),
        "links": schema("boolean", "Turn what refers to the pages (default true)"),
        "redirect": schema("boolean", "Leave redirects at the old names")},
        ("name",), additionalProperties=False),
    "Copy": object_of({
        "name": schema("string", "The name of the copy; of a space, the space's"),
        "space": schema("boolean", "All pages of the space whose home page it is"),
        "attachments": schema("boolean", "With attached files (default true)")},
        ("name",), additionalProperties=False),
    "Moved": object_of({
        "done": {**TAGS, "description": "The pages moved, by their old names, or the copies"},
        "turned": {**TAGS, "description": "Other pages whose links were turned"},
        "failed": {"type": "array", "items": object_of({"reference": TEXT, "reason": TEXT},
                                                       ("reference", "reason"))},
        "task": {**MAYBE, "description": "The task that does it"}},
        ("done", "turned", "failed", "task")),
    "BacklinkList": list_of(object_of({
        "reference": TEXT, "kind": {"enum": ["link", "include", "object", "parent"]}},
        ("reference", "kind"))),
    "OrphanedList": list_of(object_of({"reference": TEXT}, ("reference",))),
    "WantedList": list_of(object_of({"reference": TEXT, "pages": COUNT}, ("reference", "pages"))),
    "ChangeList": list_of(answer_of({
        **ROW, "kind": {"enum": list(ChangeKind)}, "minor": FLAG, "comment": TEXT,
        "previous": {**MAYBE, "description": "The version before"}})),
    "SpaceList": list_of(answer_of({"space": TEXT, "pages": COUNT})),
    "TagList": list_of(answer_of({"tag": TEXT, "pages": COUNT})),
    "ChildList": list_of(answer_of({
        "reference": TEXT, "title": TEXT,
        "there": {**FLAG, "description": "false: the home page that a space does not have"},
        "children": {**FLAG, "description": "There are pages below it"}})),
    "RevisionList": list_of(ref("Revision")),
    "FileVersionList": list_of(ref("FileVersion")),
    "ObjectList": list_of(ref("Object")),
    "QueryList": list_of(ref("Found")),
    "SearchList": list_of(ref("Hit"), {
        "total": COUNT,
        "capped": {**FLAG, "description": "There are more pages than total; it and the facets "
                                          "are of the newest"},
        "facets": schema("object", "space, class, author, year -> values with their numbers of "
                         "pages", additionalProperties={"type": "array", "items": object_of(
                             {"value": TEXT, "count": COUNT}, ("value", "count"))}),
        "instead": schema("string", "Where nothing was found: a search with words that are like "
                                    "these and would find something, or empty")}),
    "TitleList": list_of(ref("Title")),
    "RunList": list_of(ref("Run")),
    "RunPageList": list_of(ref("RunPage")),
    "TaskList": list_of(ref("Task"), {"counts": schema(
        "object", "Status -> how many tasks of the whole wiki have it",
        additionalProperties=COUNT)}),
    "JobList": list_of(ref("Job")),
    "OpenAPI": {"type": "object"},
    "Problem": object_of({"type": TEXT, "title": TEXT, "status": COUNT, "detail": TEXT,
                          "instance": TEXT, "property": TEXT, "allowed": TEXT},
                         ("type", "title", "status", "detail")),
}
#: Headers of requests.
ASKING: Mapping[str, JSON] = {
    "If-Match": schema("string", "The ETag that it must have; 412 otherwise"),
    "If-None-Match": schema("string", "GET: 304 where it still has this ETag; else * for what "
                            "must not exist yet"),
    "Range": schema("string", "Only these bytes: 206"),
    "Last-Event-ID": schema("string", "The id of the last event that was seen: the stream goes on "
                            "behind it"),
}
#: Headers of answers.
ANSWERING: Mapping[str, JSON] = {
    "ETag": schema("string", "What If-Match and If-None-Match take"),
    "Location": schema("string", "The address of what was made (201)"),
    "X-Log-Size": schema("integer", "How many bytes the log has", minimum=0),
    "X-Log-Offset": schema("integer", "The byte of the log that the part begins at", minimum=0),
    "X-Log-End": schema("integer", "The byte of the log that the part ends before", minimum=0),
    "X-Log-Next": schema("integer", "The offset at which a search goes on that has not come to "
                         "the log's end", minimum=0),
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
