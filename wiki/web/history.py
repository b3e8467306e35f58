"""A page's history: its versions, what changed between two, an old one shown or put back."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, flash, redirect, request
from markupsafe import Markup
from werkzeug.wrappers import Response

from wiki.comments import with_comments_of
from wiki.errors import InvalidDocument, TooLarge
from wiki.model import GUEST, Document, Version
from wiki.rendering.htmldiff import marked
from wiki.rendering.renderer import RenderRequest
from wiki.rights import Right
from wiki.tasks.written import writers
from wiki.translate import gettext
from wiki.web.changes import compare
from wiki.web.context import page, page_url, reader, render_request, show, site
from wiki.web.session import login_required

blueprint = Blueprint("history", __name__)
#: How many versions are listed at once.
SIZE = 100
#: Ways to show what changed, the first if none is asked for.
VIEWS = ("inline", "side", "page")


@blueprint.get("/<ref>/history")
def versions(ref: str) -> str:
    document = page(ref)
    start = min(max(request.args.get("start", 0, int), 0), 1_000_000)
    hide_minor = "normal" in request.args
    revisions, more = reader().history(document.reference, SIZE, start, minor=not hide_minor)
    return show("history.html", document.record, "history", revisions=revisions, start=start,
                size=SIZE, more=more, hide_minor=hide_minor,
                writers=writers(reader(), (revision.run for revision in revisions)))


@blueprint.get("/<ref>/diff")
def diff(ref: str) -> str:
    """What changed; ``from`` is the version before ``to``, ``to`` the newest, if not given.
    ``view`` is ``inline``, ``side`` (by side) or ``page``: the text as it looks."""
    document = page(ref)
    known = reader().versions(document.reference)
    new = wanted("to", document.record.version)
    old = wanted("from", next((version for version in known if version < new), new))
    before, after = at(document.record, old), at(document.record, new)
    view = request.args.get("view", VIEWS[0])
    if view not in VIEWS:
        raise InvalidDocument(gettext("%(view)s is no view of changes; there are %(names)s",
                                      view=f"{view!r:.40}", names=', '.join(VIEWS)))
    changes = compare(before, after)
    looks, problem = as_it_looks(before, after) if view == "page" else (None, "")
    return show("diff.html", document.record, "history", old=before, new=after, view=view,
                looks=looks, problem=problem, changes=[
                    change for change in changes if looks is None or change.name != "Content"],
                **neighbours(known, old, new))


def neighbours(known: list[Version], old: Version, new: Version) -> dict[str, Version | None]:
    """The version before the older one of the two, and the one behind the newer."""
    low, high = sorted((old, new))
    return {"earlier": next((version for version in known if version < low), None),
            "later": next((version for version in reversed(known) if version > high), None)}


def as_it_looks(before: Document, after: Document) -> tuple[Markup | None, str]:
    """Both texts as a guest sees them, none of their scripts run, in one; or why not."""
    asked = RenderRequest(user=GUEST)
    old, new = (site().renderer.render_content(unsigned(page), asked).html
                for page in (before, after))
    try:
        return marked(old, new), ""
    except TooLarge as error:
        return None, str(error)


def unsigned(document: Document) -> Document:
    """The page as if a guest had written it: what ran in an old version is not run again by who
    only looks at it."""
    return replace(document, content_author=GUEST, script_author=GUEST)


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
    if document.version != current.version:
        document = unsigned(document)
    return show("old.html", current, "history", old=document,
                body=site().renderer.render(document, render_request()).html)


@blueprint.post("/<ref>/history/<version>/revert")
@login_required
def revert(ref: str, version: str) -> Response:
    """Save the old version anew, over the one that the form was made from."""
    current = page(ref).record
    reader().require(Right.EDIT, current)
    old_one = with_comments_of(replace(at(current, Version.parse(version)),
                                       reference=current.reference), current)
    expected = Version.parse(request.form.get("version", ""))
    saved = reader().save(old_one, expected, comment=f"Put back version {version}")
    flash(gettext("Version %(version)s is back, as version %(version2)s.", version=version,
                  version2=saved.version), "success")
    return redirect(page_url(saved.reference))
