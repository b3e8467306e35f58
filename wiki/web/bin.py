"""The recycle bin: what was deleted, shown, brought back, or removed for good."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from wiki import classes
from wiki.api import OpenAttachment
from wiki.errors import DocumentExists, InvalidDocument
from wiki.model import ClassDefinition, Document, Object, Revision
from wiki.references import Reference
from wiki.rights import Right
from wiki.store.base import Binned
from wiki.translate import gettext
from wiki.web import changes
from wiki.web.context import page_url, reader
from wiki.web.sending import send_bytes
from wiki.web.session import login_required

blueprint = Blueprint("bin", __name__)
#: How many deleted pages, and how many versions of one, are listed at once.
SIZE = 100


@dataclass(frozen=True, slots=True)
class ShownObject:
    """An object as the page had it: the labels of its properties and their values, but those
    that are empty or passwords."""

    name: str
    values: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Shown:
    """A page in the bin, with what it was and whether its name is taken again."""

    row: Binned
    document: Document
    objects: list[ShownObject]
    revisions: list[Revision]
    taken: bool


@blueprint.get("/bin")
@login_required
def listed() -> str:
    start = max(request.args.get("start", 0, int), 0)
    rows, following = reader().bin(SIZE, start)
    return render_template("bin.html", title=gettext("Recycle bin"), rows=rows, start=start,
                           following=following)


@blueprint.get("/bin/<key>/<ref>")
@login_required
def shown(key: str, ref: str) -> str:
    """What the page was: its text is shown as it was written, and nothing in it runs."""
    return _show(key, ref)


@blueprint.get("/bin/<key>/<ref>/attachments/<filename>")
@login_required
def download(key: str, ref: str, filename: str) -> Response:
    """A file that the page had."""
    wiki = reader()
    _, document = wiki.binned(key, ref)
    return send_bytes(OpenAttachment(wiki, document.attachment(filename)),
                      "download" in request.args)


@blueprint.post("/bin/<key>/<ref>/restore")
@login_required
def restore(key: str, ref: str) -> Response | tuple[str, int]:
    name = request.form.get("name", "").strip() or ref
    try:
        saved = reader().undelete(key, ref, Reference.parse(name, Reference.parse(ref)))
    except DocumentExists as error:
        return _show(key, ref, name, str(error)), 409
    flash(gettext("%(page)s is back, with its history.", page=saved.reference), "success")
    return redirect(page_url(saved.reference))


@blueprint.post("/bin/<key>/<ref>/purge")
@login_required
def purge(key: str, ref: str) -> Response:
    """Remove it for good, where the form says that this is meant."""
    reader().binned(key, ref)
    if "sure" not in request.form:
        raise InvalidDocument(gettext("Nothing was removed: tick that you are sure, since a "
                                      "page that is removed for good cannot come back"))
    reader().purge([(key, ref)])
    flash(gettext("%(ref)s is gone for good.", ref=ref), "success")
    return redirect(url_for("bin.listed"))


def _show(key: str, ref: str, name: str = "", error: str = "") -> str:
    wiki = reader()
    row, document = wiki.binned(key, ref)
    revisions = wiki.binned_revisions(key, ref, SIZE)
    item = Shown(row, document, [_object(obj) for obj in document.objects], revisions,
                 row.reference in wiki)
    return render_template("binned.html", title=gettext("Deleted: %(title)s",
                                                        title=document.display_title), item=item,
                           name=name or str(row.reference), error=error,
                           may_purge=wiki.may(Right.ADMIN))


def _object(obj: Object) -> ShownObject:
    """The object as its class, if that is still there, names its values."""
    definition = reader().class_definition(obj.class_name) or ClassDefinition()
    labels = {prop.name: prop.label for prop in definition.properties}
    return ShownObject(f"{obj.class_name} {obj.number}", [
        (labels.get(name, name), changes.show(value))
        for name, value in classes.visible(obj.values).items() if not classes.is_empty(value)])
