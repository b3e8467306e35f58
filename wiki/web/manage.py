"""Renaming and deleting a page: a page that asks, and a POST that does."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response

from wiki.errors import WikiError
from wiki.model import Version
from wiki.references import Reference
from wiki.rights import Right
from wiki.web.context import page, page_url, reader, show
from wiki.web.errors import status_of
from wiki.web.session import login_required

blueprint = Blueprint("manage", __name__)
Answer = str | Response | tuple[str, int]


@blueprint.get("/<ref>/rename")
@login_required
def ask_rename(ref: str) -> Answer:
    document = page(ref)
    reader().require(Right.DELETE, document)
    return show("rename.html", document.record, "rename", name=str(document.record.reference),
                backlinks=reader().backlinks(document.record.reference))


@blueprint.post("/<ref>/rename")
@login_required
def rename(ref: str) -> Answer:
    document = page(ref)
    old = document.record.reference
    name = request.form.get("name", "").strip()
    try:
        document.rename(Reference.parse(name, old), update_links="links" in request.form)
    except WikiError as error:
        return show("rename.html", document.record, "rename", name=name, error=str(error),
                    backlinks=reader().backlinks(old)), status_of(error)
    flash(f"{old} is now {document.record.reference}.", "success")
    return redirect(page_url(document.record.reference))


@blueprint.get("/<ref>/delete")
@login_required
def ask_delete(ref: str) -> Answer:
    document = page(ref)
    reader().require(Right.DELETE, document)
    return show("delete.html", document.record, "delete",
                backlinks=reader().backlinks(document.record.reference))


@blueprint.post("/<ref>/delete")
@login_required
def delete(ref: str) -> Answer:
    """Delete the version that the asking page showed, no newer one."""
    reference = Reference.parse(ref)
    reader().delete(reference, Version.parse(request.form.get("version", "")))
    flash(f"{reference} was deleted.", "success")
    return redirect("/")
