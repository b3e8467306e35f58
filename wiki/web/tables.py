"""Live tables outside of pages: their rows as files, and the tables of pages of our own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

from flask import Blueprint, Response, request
from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from wiki.api import Wiki
from wiki.errors import MacroError, QueryError
from wiki.language.syntax import escape_value
from wiki.model import Document
from wiki.references import HOME, Reference
from wiki.rendering.renderer import Rendering
from wiki.rendering.tables import exports
from wiki.rendering.tables.livetable import STATE
from wiki.rendering.tables.spec import Spec, State
from wiki.store.base import Query
from wiki.tasks.names import TASK_CLASS
from wiki.web.context import reader, render_request, site
from wiki.web.session import safe_next

blueprint = Blueprint("tables", __name__)
#: Where a table stands that is on no page.
EVERYWHERE = Reference(("Main",), HOME)
#: Of a table, what its part is asked for with.
PARAMETERS = ("class", "columns", "space", "where", "sort", "rows", "id", "hidden", "actions")
Export = Callable[[Wiki, State], Iterator[str]]
KINDS: dict[str, tuple[Export, str]] = {
    "csv": (exports.as_csv, "text/csv"), "json": (exports.as_json, "application/json")}


@blueprint.get("/tables/rows.<any(csv, json):kind>")
def rows(kind: str) -> Response:
    """All rows that fit a table's filters, in its order, with the columns that it shows."""
    wiki = reader()
    state = state_of(request.args)
    make, mimetype = KINDS[kind]
    name = state.spec.class_name.rpartition(".")[2] or "pages"
    response = Response(make(wiki, state), mimetype=mimetype)
    response.headers.set("Content-Disposition", "attachment", filename=f"{name}.{kind}")
    return response


@blueprint.get("/tables/part")
def part() -> str:
    """The table of these parameters alone, as it is on the page at the address ``at``."""
    own = " ".join(f'{name}="{escape_value(request.args[name])}"'
                   for name in PARAMETERS if name in request.args)
    address = urlsplit(safe_next(request.args.get("at", "")))
    args = MultiDict(parse_qsl(address.query, keep_blank_values=True)).to_dict()
    asked = replace(render_request(), path=address.path, args=args)
    return site().renderer.render(Document(EVERYWHERE, content=f"<<livetable {own}/>>"),
                                  asked).html


def state_of(params: Mapping[str, str]) -> State:
    """The table that an address or a form names; raises QueryError, also for a filter that
    cannot be: a file must not have rows that were filtered out."""
    try:
        state = State.read(Spec.sent(reader(), params), params, STATE)
    except MacroError as error:
        raise QueryError(str(error)) from None
    problems: list[str] = []
    state.query(problems)
    if problems:
        raise QueryError("; ".join(problems))
    return state


def instances(document: Document) -> Rendering | None:
    """The pages with an object of the class that the page defines, as a table; None where there
    are none, or where the page has a table itself."""
    if document.class_definition is None or "<<livetable" in document.content:
        return None
    class_name = str(document.reference)
    if not any(reader().rows(Query(class_name, limit=1))):
        return None
    actions = "set, tag, delete" + (", ready" if class_name == TASK_CLASS else "")
    return table(document, f'<<livetable class="{escape_value(class_name)}" actions="{actions}"/>>')


def pages_of(space: str) -> Markup:
    """The pages of a space and those in it, or all, as a table in the page of this request."""
    return table(Document(EVERYWHERE), f'<<livetable space="{escape_value(space)}" '
                 'columns="doc.title, doc.reference, doc.author, doc.updated"/>>').html


def table(document: Document, text: str) -> Rendering:
    """A text with a table, as if it were the document's."""
    shown = replace(document, content=text, objects=(), class_definition=None)
    return site().renderer.render(shown, replace(render_request(), path=request.path))
