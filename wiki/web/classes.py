"""The class editor: the table of the properties that a page defines."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import yaml
from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response

from wiki.classes import TYPES, definition_from_dicts, definition_to_dicts
from wiki.errors import Conflict, InvalidDocument, WikiError
from wiki.model import ClassDefinition, Document, Version
from wiki.rights import Right
from wiki.web.context import page, page_url, reader, show
from wiki.web.errors import status_of
from wiki.web.session import login_required

blueprint = Blueprint("classes", __name__)
Answer = str | Response | tuple[str, int]
Row = dict[str, Any]
#: Empty rows at the end of the table, to add properties in.
EMPTY_ROWS = 3
COLUMNS = ("name", "type", "prettyName", "help", "default", "options")
OPTIONS_HELP = {
    "StaticList": "values: [RED, GREEN]   multiple: true",
    "Number": "integer: true   min: 0   max: 100", "TextArea": "kind: text, markdown or code",
    "Date": "time: true", "Page": "class: Space.ClassName   multiple: true",
    "User": "multiple: true"}


@blueprint.get("/<ref>/class")
@login_required
def form(ref: str) -> Answer:
    document = page(ref).record
    reader().require(Right.EDIT, document)
    definition = document.class_definition
    rows = [row_of(data) for data in definition_to_dicts(definition)] if definition else []
    return show_form(document, document.version, rows)


@blueprint.post("/<ref>/class")
@login_required
def submit(ref: str) -> Answer:
    document = page(ref).record
    version = Version.parse(request.form.get("version", ""))
    rows = [row for row in submitted_rows() if row["name"] and not row["remove"]]
    if request.form.get("action") == "add":
        return show_form(document, version, rows)
    try:
        changed = replace(document, class_definition=definition_of(rows))
        saved = reader().save(changed, version, comment=request.form.get("comment", "").strip())
    except Conflict as error:
        current = page(ref).record.version
        return show_form(document, current, rows, error=f"{error} Your table is below; saving it "
                         "now puts it in the place of the other."), 409
    except WikiError as error:
        return show_form(document, version, rows, error=str(error)), status_of(error)
    flash(f"Saved as version {saved.version}.", "success")
    return redirect(page_url(saved.reference, "class"))


def definition_of(rows: list[Row]) -> ClassDefinition | None:
    """The class that the table makes; none where it is empty. Raises InvalidDocument."""
    if not rows:
        return None
    return definition_from_dicts([property_of(row) for row in rows])


def property_of(row: Row) -> dict[str, Any]:
    """A row as :func:`wiki.classes.property_from_dict` reads it."""
    default = read_yaml(row["default"], row["name"], "default")
    if row["type"] not in ("Number", "Boolean", "StaticList"):
        default = row["default"]
    options = read_yaml(row["options"], row["name"], "options")
    if options is not None and not isinstance(options, dict):
        raise InvalidDocument(f"{row['name']}: options are written as {{name: value}}, such as "
                              "{values: [RED, GREEN], multiple: true}")
    clashing = {*(options or {})} & {"name", "type", "prettyName", "help", "default", "required"}
    if clashing:
        raise InvalidDocument(f"{row['name']}: {', '.join(sorted(clashing))} has a column of its "
                              "own")
    return {"name": row["name"], "type": row["type"], "prettyName": row["prettyName"],
            "help": row["help"], "default": default, "required": row["required"],
            **(options or {})}


def read_yaml(text: str, name: str, column: str) -> Any:
    """The cell as YAML (JSON is YAML); raises InvalidDocument."""
    try:
        return yaml.safe_load(text) if text.strip() else None
    except (yaml.YAMLError, RecursionError, ValueError):
        raise InvalidDocument(f"{name}: {column} {text[:80]!r} cannot be read as YAML") from None


def submitted_rows() -> list[Row]:
    """The rows of the form in their order; ``order`` may have been changed by hand."""
    form = request.form
    columns = {name: form.getlist(name) for name in (*COLUMNS, "index")}
    rows = []
    for place, index in enumerate(columns["index"]):
        row: Row = {name: columns[name][place].strip() if place < len(columns[name]) else ""
                    for name in COLUMNS}
        row["required"] = f"required-{index}" in form
        row["remove"] = f"remove-{index}" in form
        order = form.get(f"order-{index}", "")
        row["order"] = int(order) if order.isascii() and order.isdigit() else place + 1
        rows.append(row)
    return sorted(rows, key=lambda row: int(row["order"]))


def row_of(data: dict[str, Any]) -> Row:
    """A property as a row of the table."""
    row: Row = {name: str(data.get(name) or "") for name in COLUMNS}
    default = data.get("default")
    row["default"] = default if isinstance(default, str) else as_yaml(default)
    row["required"] = bool(data.get("required"))
    options = {key: value for key, value in data.items()
               if key not in (*COLUMNS, "required")}
    row["options"] = as_yaml(options or None)
    return row


def as_yaml(value: Any) -> str:
    """A value on one line."""
    if value is None:
        return ""
    text: str = yaml.safe_dump(value, default_flow_style=True, sort_keys=False,
                               allow_unicode=True, width=10_000)
    return text.removesuffix("...\n").strip()


def show_form(document: Document, version: Version, rows: list[Row], **values: object) -> str:
    empty: Row = {**dict.fromkeys(COLUMNS, ""), "type": "String", "required": False}
    filled = rows + [dict(empty) for _ in range(EMPTY_ROWS)]
    return show("class.html", document, "class", version=version, rows=filled,
                type_names=list(TYPES), options_help=OPTIONS_HELP, **values)
