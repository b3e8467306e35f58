"""A page's history: its versions, what changed between two, an old one shown or put back."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response

from wiki.model import Document, Version
from wiki.rights import Right
from wiki.tasks.written import writers
from wiki.web.changes import compare
from wiki.web.context import page, page_url, reader, render_request, show, site
from wiki.web.session import login_required

blueprint = Blueprint("history", __name__)


@blueprint.get("/<ref>/history")
def versions(ref: str) -> str:
    document = page(ref)
    revisions = document.revisions()
    start = max(request.args.get("start", 0, int), 0)
    size = 100
    shown = revisions[start:start + size]
    return show("history.html", document.record, "history", revisions=shown, start=start,
                size=size, total=len(revisions),
                writers=writers(reader(), (revision.run for revision in shown)))


@blueprint.get("/<ref>/diff")
def diff(ref: str) -> str:
    """What changed; ``from`` is the version before ``to``, ``to`` the newest, if not given."""
    document = page(ref)
    known = [revision.version for revision in document.revisions()]
    new = wanted("to", document.record.version)
    older = [version for version in known if version < new]
    old = wanted("from", older[0] if older else new)
    before, after = at(document.record, old), at(document.record, new)
    return show("diff.html", document.record, "history", old=before, new=after,
                changes=compare(before, after))


def wanted(name: str, default: Version) -> Version:
    """The version that the URL names; raises InvalidDocument."""
    text = request.args.get(name, "")
    return Version.parse(text) if text else default


def at(document: Document, version: Version) -> Document:
    """The page at a version; raises RevisionNotFound."""
    if version == document.version:
        return document
    return reader().revision(document.reference, version)


@blueprint.get("/<ref>/history/<version>")
def old(ref: str, version: str) -> str:
    """The page as it was."""
    current = page(ref).record
    document = at(current, Version.parse(version))
    # The reference as it is now: the page may have been renamed since.
    document = replace(document, reference=current.reference)
    return show("old.html", current, "history", old=document,
                body=site().renderer.render(document, render_request()).html)


@blueprint.post("/<ref>/history/<version>/revert")
@login_required
def revert(ref: str, version: str) -> Response:
    """Save the old version anew, over the one that the form was made from."""
    current = page(ref).record
    reader().require(Right.EDIT, current)
    old_one = replace(at(current, Version.parse(version)), reference=current.reference)
    expected = Version.parse(request.form.get("version", ""))
    saved = reader().save(old_one, expected, comment=f"Put back version {version}")
    flash(f"Version {version} is back, as version {saved.version}.", "success")
    return redirect(page_url(saved.reference))
