"""The rows of a live table as CSV and JSON, made while they are read.

Values are data: a cell that a spreadsheet would take for a formula stays what it is, so that the
file can be imported again without loss.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from wiki import classes
from wiki.api import Wiki
from wiki.errors import DamagedPage, DocumentNotFound
from wiki.model import Document
from wiki.rendering.tables.columns import Column
from wiki.rendering.tables.spec import State

REFERENCE = "reference"


def as_csv(wiki: Wiki, state: State) -> Iterator[str]:
    """A line of names, then one for each row; moments are in UTC."""
    yield _line([REFERENCE, *(column.field for column in state.columns)])
    for document in documents(wiki, state):
        yield _line([str(document.reference), *(
            _text(column, value(document, state.spec.class_name, column))
            for column in state.columns)])


def as_json(wiki: Wiki, state: State) -> Iterator[str]:
    """An array with an object for each row."""
    before = "[\n"
    for document in documents(wiki, state):
        row = {REFERENCE: str(document.reference)}
        row |= {column.field: value(document, state.spec.class_name, column)
                for column in state.columns}
        yield before + json.dumps(row, ensure_ascii=False)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def documents(wiki: Wiki, state: State) -> Iterator[Document]:
    """The pages that fit, in their order; without those that are damaged."""
    for row in wiki.rows(state.query([])):
        try:
            yield wiki.get(row.reference).record
        except (DocumentNotFound, DamagedPage):  # deleted since the index was asked, or damaged
            continue


def value(document: Document, class_name: str, column: Column) -> Any:
    """What a column has for a page, as JSON has it; None where there is nothing."""
    name = column.document_field
    if not name:
        found = document.object(class_name)
        return classes.visible(found.values).get(column.field) if found else None
    if name in ("name", "space"):
        return getattr(document.reference, name)
    if name == "tags":
        return list(document.tags)
    if name in ("created", "updated"):
        return getattr(document, name).isoformat()
    return str(getattr(document, name))


def _text(column: Column, found: Any) -> str:
    if found is None:
        return ""
    if column.prop is not None:
        return classes.type_of(column.prop).format(found, column.prop)
    if column.document_field == "tags":
        return ", ".join(found)  # no tag has a comma in it
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def _line(cells: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()
