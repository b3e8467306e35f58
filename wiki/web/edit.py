"""Creating and editing a page's text: form, preview, save, and what to do in a conflict."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response

from wiki.errors import (
    Conflict,
    DocumentExists,
    DocumentNotFound,
    InvalidDocument,
    RevisionNotFound,
    WikiError,
)
from wiki.model import Document, Version
from wiki.references import Reference
from wiki.rights import Right
from wiki.web.changes import compare, merge
from wiki.web.context import page_url, reader, render_request, show, site
from wiki.web.errors import status_of
from wiki.web.session import current_user, login_required

blueprint = Blueprint("edit", __name__)
Answer = str | Response | tuple[str, int]


@blueprint.get("/create")
@login_required
def create() -> Answer:
    """The box "new page": on to the editor of the page that is named."""
    base = request.args.get("base", "Main.WebHome")
    ref = Reference.parse(request.args.get("name", "").strip(), Reference.parse(base))
    if ref in reader():
        flash(f"{ref} exists already; this is its editor.", "info")
    return redirect(page_url(ref, "edit"))


@blueprint.get("/<ref>/edit")
@login_required
def form(ref: str) -> Answer:
    reference = Reference.parse(ref)
    reader().require(Right.EDIT)
    try:
        document = reader().get(reference).record
    except DocumentNotFound:
        return show_form(fresh(reference), None)
    return show_form(document, document.version)


@blueprint.post("/<ref>/edit")
@login_required
def submit(ref: str) -> Answer:
    mine, expected = from_form(Reference.parse(ref))
    action = request.form.get("action", "save")
    if action == "preview":
        return show_form(mine, expected, preview=preview(mine))
    try:
        saved = save(mine, expected)
    except (Conflict, DocumentExists):
        return show_conflict(mine)
    except WikiError as error:
        return show_form(mine, expected, error=str(error)), status_of(error)
    flash(f"Saved as version {saved.version}.", "success")
    return redirect(page_url(saved.reference, "edit" if action == "continue" else ""))


def fresh(reference: Reference) -> Document:
    """A page to be created, with what the URL suggests for it."""
    return Document(reference, title=request.args.get("title", ""),
                    parent=request.args.get("parent", ""),
                    content=request.args.get("content", ""))


def from_form(reference: Reference) -> tuple[Document, Version | None]:
    """The page as the form has it, and the version that the form was made from."""
    fields = request.form
    expected = Version.parse(fields["version"]) if fields.get("version") else None
    try:
        base = reader().get(reference).record
    except DocumentNotFound:
        base = Document(reference)
    parent = fields.get("parent", "").strip()
    document = replace(
        base, title=fields.get("title", "").strip(), parent=parent,
        content=fields.get("content", "").replace("\r\n", "\n"), hidden="hidden" in fields,
        tags=tuple(tag.strip() for tag in fields.get("tags", "").split(",") if tag.strip()))
    return document, expected


def save(mine: Document, expected: Version | None) -> Document:
    """Save, bringing in what another changed meanwhile where the two do not touch."""
    if mine.parent:
        mine = replace(mine, parent=check_parent(mine))
    wiki = reader()
    comment, minor = request.form.get("comment", "").strip(), "minor" in request.form
    try:
        return wiki.save(mine, expected, comment=comment, minor=minor)
    except Conflict:
        merged = merged_with_theirs(mine, expected)
        if merged is None:
            raise
        return wiki.save(merged, merged.version, comment=comment, minor=minor)


def check_parent(document: Document) -> str:
    """The parent's full name; raises InvalidReference or InvalidDocument."""
    parent = Reference.parse(document.parent, document.reference)
    if parent == document.reference:
        raise InvalidDocument(f"{parent} cannot be its own parent")
    return document.parent


def merged_with_theirs(mine: Document, expected: Version | None) -> Document | None:
    """My changes on top of the newest version, or None where they touch."""
    if expected is None:
        return None
    wiki = reader()
    try:
        base = wiki.revision(mine.reference, expected)
        return merge(base, mine, wiki.get(mine.reference).record)
    except (DocumentNotFound, RevisionNotFound):
        return None


def preview(document: Document) -> str:
    """The text as it would show, run with no more rights than its new author has."""
    mine = replace(document, content_author=current_user(), author=current_user())
    return site().renderer.render_content(mine, render_request()).html


def show_form(document: Document, expected: Version | None, **values: object) -> str:
    wiki = reader()
    disarms = not wiki.may(Right.SCRIPT, document) and "<<jinja" in document.content
    return show("edit.html", document, "edit", version=expected or "", is_new=expected is None,
                disarms=disarms, fields=request.form, **values)


def show_conflict(mine: Document) -> Answer:
    """Both versions, with mine still in the form; saving it again is then a decision."""
    try:
        theirs = reader().get(mine.reference).record
    except DocumentNotFound:
        return show_form(mine, None, error="The page was deleted while you edited it; save again "
                                           "to create it anew."), 409
    return show_form(mine, theirs.version, theirs=theirs,
                     differences=compare(theirs, mine)), 409
