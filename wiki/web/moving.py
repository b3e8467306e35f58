"""Renaming and copying pages and spaces: a page that shows what would change, and a POST that does
it; many pages are left to a task."""

from __future__ import annotations

import re
from contextlib import suppress

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response

from wiki.api import runnable
from wiki.errors import DamagedPage, DocumentNotFound, QueryError, WikiError
from wiki.model import Document
from wiki.moving import AT_ONCE, MOVE_EXECUTOR, Mover, Outcome, Plan, destination_of
from wiki.references import HOME, Reference
from wiki.rights import Right
from wiki.store.base import Search
from wiki.translate import gettext, ngettext
from wiki.web.context import page, page_url, reader, show, site
from wiki.web.errors import status_of
from wiki.web.session import current_user, login_required

blueprint = Blueprint("moving", __name__)
Answer = str | Response | tuple[str, int]
#: How many pages a list names.
NAMED = 20
#: Of the pages that have the words of a name, how many are read for scripts that name it.
READ = 50
_JINJA = re.compile(r"<<jinja\b.*?<</jinja>>", re.DOTALL)


# -- renaming ----------------------------------------------------------------------------------


@blueprint.get("/<ref>/rename")
@login_required
def ask_rename(ref: str) -> Answer:
    document, space = chosen(ref)
    if not space:
        reader().require(Right.DELETE, document)
    return show_form("rename.html", document, space, name_of(document, space))


@blueprint.post("/<ref>/rename")
@login_required
def rename(ref: str) -> Answer:
    """Move the page, or with ``space`` its whole space, to ``name``; ``links`` turns what refers
    to it, ``redirect`` leaves a page at the old name."""
    document, space = chosen(ref)
    old, form = document.reference, request.form
    name = form.get("name", "").strip()
    try:
        plan = Mover(reader()).planned(old, name, space)
        if plan.problems:
            return show_form("rename.html", document, space, name, plan), 409
        links, leave = "links" in form, "redirect" in form
        if plan.is_long(links):
            return redirect(page_url(start(old, plan.moves[old], space, links, leave)))
        outcome = Mover(reader()).move(plan, links=links, redirect=leave)
    except WikiError as error:
        return show_form("rename.html", document, space, name, error=error), status_of(error)
    tell(outcome, ngettext("%(num)s page moved", "%(num)s pages moved", len(outcome.done)) if space
         else gettext("%(old)s is now %(new)s", old=old, new=plan.moves[old]))
    return redirect(page_url(place(plan, old)))


def start(old: Reference, new: Reference, space: bool, links: bool, leave: bool) -> Reference:
    """Have a task do it; returns its page."""
    task = site().starter.start(
        current_user(), MOVE_EXECUTOR, title=f"Move {old} to {new}", params={
            "source": str(old), "target": str(new), "space": space, "links": links,
            "redirect": leave})
    flash(gettext("These are many pages: a task moves them."), "info")
    return task


# -- copying -----------------------------------------------------------------------------------


@blueprint.get("/<ref>/copy")
@login_required
def ask_copy(ref: str) -> Answer:
    document, space = chosen(ref)
    reader().require(Right.EDIT)
    return show_form("copy.html", document, space, name_of(document, space))


@blueprint.post("/<ref>/copy")
@login_required
def copy(ref: str) -> Answer:
    """Copy the page, or with ``space`` its whole space, to ``name``; with ``attachments`` too."""
    document, space = chosen(ref)
    name = request.form.get("name", "").strip()
    try:
        plan = Mover(reader()).planned(document.reference, name, space, copying=True)
        if plan.problems:
            return show_form("copy.html", document, space, name, plan), 409
        outcome = Mover(reader()).copy(plan, attachments="attachments" in request.form)
    except WikiError as error:
        return show_form("copy.html", document, space, name, error=error), status_of(error)
    done = (ngettext("%(num)s page copied", "%(num)s pages copied", len(outcome.done)) if space
            else gettext("This is a copy of %(page)s", page=document.reference))
    tell(outcome, done)
    return redirect(page_url(place(plan, document.reference)))


# -- what both share ---------------------------------------------------------------------------


def chosen(ref: str) -> tuple[Document, bool]:
    """The page, and whether its space is meant, which need not have a home page."""
    space = request.values.get("space") == "1" and Reference.parse(ref).name == HOME
    try:
        return page(ref).record, space
    except DocumentNotFound:
        if not space:
            raise
        return Document(Reference.parse(ref)), space


def name_of(document: Document, space: bool) -> str:
    return document.reference.space if space else str(document.reference)


def show_form(template: str, document: Document, space: bool, name: str,
              plan: Plan | None = None, error: WikiError | None = None) -> str:
    """The form, with what would change; ``name`` as it was typed."""
    mover = Mover(reader())
    if plan is None:
        moves = mover.places(document.reference, document.reference, space)
        plan = mover.plan(moves) if template == "rename.html" else mover.plan_copy(moves)
    scripts = in_scripts(document, space) if template == "rename.html" else []
    return show(template, document, template.removesuffix(".html"), space=space, name=name,
                scripts=scripts,
                plan=plan, error=error, named=NAMED, at_once=AT_ONCE, sent=request.form,
                is_new=document.reference not in reader())


def in_scripts(document: Document, space: bool) -> list[Reference]:
    """Pages whose scripts name the page, or a page of its space: a move does not turn those.
    Only some are looked at, those that a search for the name finds first."""
    name = f"{document.reference.space}." if space else str(document.reference)
    wiki, found = reader(), []
    with suppress(QueryError):  # the name has no words
        for hit in wiki.find(Search(f'"{name_of(document, space)}"', hidden=True,
                                    limit=READ)).hits:
            with suppress(DamagedPage, DocumentNotFound):
                scripts = scripts_of(wiki.get(hit.reference).record)
                if any(name in script for script in scripts):
                    found.append(hit.reference)
    return found


def scripts_of(document: Document) -> list[str]:
    """The page's Jinja2, and the values of its objects that run."""
    return _JINJA.findall(document.content) + [
        value for obj in runnable(document) for value in obj.values.values()
        if isinstance(value, str)]


def place(plan: Plan, old: Reference) -> Reference:
    """Where to go on: the page at its new place, or for a space without a home page, its first."""
    return plan.moves.get(old) or next(iter(plan.moves.values()))


def tell(outcome: Outcome, done: str) -> None:
    """Say what came of it."""
    turned = ngettext("; links were turned in %(num)s other page",
                      "; links were turned in %(num)s other pages",
                      len(outcome.turned)) if outcome.turned else ""
    flash(f"{done}{turned}.", "success")
    for name, why in outcome.failed[:NAMED]:
        flash(gettext("%(name)s was left as it is: %(why)s", name=name, why=why), "warning")


# -- what leads to a page ----------------------------------------------------------------------


@blueprint.get("/<ref>/backlinks")
def backlinks(ref: str) -> str:
    """The pages that lead to the page, which may be one that is not there, each with how."""
    name = Reference.parse(ref)
    kinds: dict[Reference, list[str]] = {}
    for link in reader().links_to(name):
        kinds.setdefault(link.reference, []).append(link.kind)
    document = page(ref).record if name in reader() else Document(name)
    return show("backlinks.html", document, "backlinks", kinds=kinds,
                is_new=name not in reader())


def redirected_from(document: Document) -> Reference | None:
    """The redirect that brought the reader here, as the address says; None where none did."""
    name = request.args.get("redirected", "")
    try:
        origin = reader().get(name).record if name else None
    except (WikiError, ValueError):
        return None
    if origin is None or destination_of(reader(), origin) != document.reference:
        return None
    return origin.reference
