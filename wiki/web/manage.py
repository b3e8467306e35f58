"""Deleting a page: a page that asks, and a POST that does."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response

from wiki.model import Version
from wiki.references import Reference
from wiki.rights import Right
from wiki.translate import gettext
from wiki.web.context import page, reader, show
from wiki.web.session import login_required

blueprint = Blueprint("manage", __name__)
Answer = str | Response | tuple[str, int]


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
    reader().delete(reference, Version.parse(request.form.get("version", "")),
                    request.form.get("comment", "").strip())
    flash(gettext("%(page)s was deleted.", page=reference), "success")
    return redirect("/")
