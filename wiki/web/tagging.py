"""Tags: put on a page or taken off where it is read, and renamed on all pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flask import Blueprint, flash, redirect, render_template, request
from werkzeug.wrappers import Response

from wiki.documents import OpenDocument
from wiki.errors import InvalidDocument, WikiError
from wiki.references import Reference
from wiki.rendering.tables.columns import TAGS
from wiki.rights import Right
from wiki.translate import gettext
from wiki.web.context import page, page_url, reader
from wiki.web.session import login_required

blueprint = Blueprint("tagging", __name__)
#: How many pages that could not be changed are named.
NAMED = 20
MAX_TAG = 255


@blueprint.post("/<ref>/tags")
@login_required
def change(ref: str) -> Response:
    """Add the tags ``add``, with commas between them, or take off the tag ``remove``."""
    added = [tag.strip() for tag in request.form.get("add", "").split(",") if tag.strip()]
    removed = request.form.get("remove", "").strip()
    if not added and not removed:
        raise InvalidDocument(gettext("A tag has at least one character; nothing was changed"))
    for tag in added:
        check_tag(tag)

    document = page(ref)
    reader().require(Right.EDIT, document)
    said = f"Tagged {', '.join(added)}" if added else f"Took off the tag {removed}"
    reader().revise(document.record.reference, retagging(added, removed),
                    comment=said[:250], minor=True)
    return redirect(page_url(document.record.reference) + "#tags")


def retagging(added: Sequence[str], removed: str = "") -> Callable[[OpenDocument], None]:
    """What adds tags to a page, and takes one off."""
    def edit(document: OpenDocument) -> None:
        document.tags = tuple(dict.fromkeys(
            [*(tag for tag in document.tags if tag != removed), *added]))
    return edit


@blueprint.get("/tags/rename")
@login_required
def ask_rename() -> str:
    tag = request.args.get("tag", "").strip()
    return show_form(tag, tag)


@blueprint.post("/tags/rename")
@login_required
def rename() -> str | Response | tuple[str, int]:
    """Give ``tag`` the name ``name`` on all its pages; one that is there already takes it in."""
    tag, name = request.form.get("tag", "").strip(), request.form.get("name", "").strip()
    try:
        check_tag(name)
    except InvalidDocument as error:
        return show_form(tag, name, error), 400
    refused = rename_all(tag, name)
    flash(gettext("%(tag)s is now %(name)s.", tag=tag, name=name) if not refused else
          gettext("%(tag)s is now %(name)s, but not on %(num)s pages.", tag=tag, name=name,
                  num=len(refused)),
          "warning" if refused else "success")
    for page_name, why in refused[:NAMED]:
        flash(f"{page_name}: {why}", "warning")
    return redirect(page_url(TAGS, tag=name))


def rename_all(tag: str, name: str) -> list[tuple[Reference, str]]:
    """Returns the pages that keep the tag, each with why."""
    def edit(document: OpenDocument) -> None:
        document.tags = tuple(dict.fromkeys(
            name if item == tag else item for item in document.tags))

    wiki = reader()
    return wiki.change_each(wiki.tagged(tag), lambda reference: wiki.revise(
        reference, edit, comment=f"The tag {tag} is now {name}"[:250], minor=True))


def show_form(tag: str, name: str, error: WikiError | None = None) -> str:
    pages = reader().tagged(tag)
    return render_template("tag_rename.html", title=gettext("Rename the tag %(tag)s", tag=tag),
                           tag=tag, name=name,
                           number=len(pages), error=error, tags=page_url(TAGS, tag=tag),
                           taken=dict(reader().tags()))


def check_tag(tag: str) -> None:
    """Raises InvalidDocument for what cannot be a tag."""
    if not tag or "," in tag or len(tag) > MAX_TAG or not tag.isprintable():
        raise InvalidDocument(gettext("%(tag)s cannot be a tag: one has 1 to %(most)s "
                                      "characters, in one line and without a comma",
                                      tag=repr(tag[:60]), most=MAX_TAG))
