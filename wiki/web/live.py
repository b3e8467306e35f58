"""The parts of a page that keep themselves up to date, each for itself: what a script in the
browser asks for again and again instead of the whole page."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, request
from markupsafe import Markup

from wiki.model import GUEST, Document
from wiki.web.context import page, render_request, site

blueprint = Blueprint("live", __name__)


@blueprint.get("/<ref>/progress")
def progress(ref: str) -> Markup:
    """What the task is at: ``<<taskprogress/>>`` of that page."""
    return _macro(ref, "<<taskprogress/>>")


@blueprint.get("/<ref>/board")
def board(ref: str) -> Markup:
    """The board of tasks on that page, with the macro's parameters in the query."""
    given = ((name, request.args[name]) for name in ("space", "status", "limit")
             if request.args.get(name))
    params = "".join(f' {name}="{quoted(value)}"' for name, value in given)
    return _macro(ref, f"<<tasks{params}/>>")


def _macro(ref: str, text: str) -> Markup:
    return render_macros(page(ref).record, text)


def render_macros(document: Document, text: str) -> Markup:
    """The text as the page shows it; it has a guest's rights, since the address may be
    anybody's."""
    wanted = render_request()
    args = {name: value for name, value in wanted.args.items()
            if name not in ("space", "status", "limit")}
    return site().renderer.render_content(
        replace(document, content=text, content_author=GUEST), replace(wanted, args=args)).html


def quoted(value: str) -> str:
    """A value as it stands between a macro's quotes."""
    return value.replace("\\", "\\\\").replace('"', '\\"')
