"""``/macros``: what a page's text can use, for editors that complete it."""

from __future__ import annotations

from typing import Any

from flask import request

from wiki.references import Reference
from wiki.rendering.macrohelp import Explained, explain
from wiki.rendering.macros import MacroSpec, Parameter
from wiki.web.rest import paging
from wiki.web.rest.context import site, user, wiki
from wiki.web.rest.routes import Operation

#: The page whose view of the macros is told where none is named.
MAIN = "Main.WebHome"


def list_macros() -> dict[str, Any]:
    """The macros that a text of the caller's on the page can use, by name."""
    size, start = paging.limit(), paging.offset()
    page = Reference.parse(request.args.get("page") or MAIN)
    specs = site().local_renderer.visible_macros(page, user())
    # A page that one may not view is not told of, nor is the macro on it.
    known = [spec for spec in specs if spec.page is None or spec.page in wiki()]
    return paging.page_of([macro_to_json(spec) for spec in known[start:start + size + 1]],
                          start, size)


def macro_to_json(spec: MacroSpec) -> dict[str, Any]:
    explained = explain(spec)
    return {
        "name": spec.name, "summary": spec.summary, "help": spec.help, "body": spec.body,
        "body_required": spec.body_required, "inline": spec.inline, "live": spec.live,
        "package": spec.package or None, "page": str(spec.page) if spec.page else None,
        "parameters": [parameter_to_json(item, explained) for item in spec.parameters],
        "examples": list(spec.examples),
    }


def parameter_to_json(item: Parameter, explained: Explained) -> dict[str, Any]:
    choices = item.choices or (("true", "false") if item.type is bool else ())
    kind = "page" if item.page else {str: "text", int: "integer", float: "number",
                                     bool: "boolean"}[item.type]
    return {"name": item.name, "type": kind, "takes": item.takes, "default": item.default,
            "required": item.required, "choices": list(choices),
            "help": explained.parameters.get(item.name, "")}


OPERATIONS = (
    Operation("GET", "/macros", list_macros, "The macros that a page's text can use",
              ("page", "limit", "cursor"), answer="MacroList"),
)
