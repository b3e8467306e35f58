"""An attached file restored to an older version, or moved or copied to another page."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response

from wiki.documents import OpenDocument
from wiki.errors import Conflict, InvalidDocument, WikiError
from wiki.filehistory import as_new, at_version
from wiki.language.links import ATTACH, attachment_url
from wiki.model import Attachment, check_filename
from wiki.references import Reference
from wiki.rights import Right
from wiki.translate import gettext
from wiki.web.attachments import keep
from wiki.web.context import page, reader, show
from wiki.web.errors import status_of
from wiki.web.session import login_required

blueprint = Blueprint("filemoves", __name__)
Answer = str | Response | tuple[str, int]


class NameTaken(Conflict):
    """The other page has a file of that name."""


@blueprint.post("/<ref>/attachments/<filename>/restore")
@login_required
def restore(ref: str, filename: str) -> Response:
    """Make an older version the newest; the others stay in the history."""
    document = page(ref)
    reader().require(Right.EDIT, document)
    version = request.form.get("version", "")
    old = at_version(reader(), document, filename, version).record
    put(document, as_new(old, reader().user), f"Restored {filename} of version {version}")
    flash(gettext("%(filename)s is again as it was in version %(version)s of the page.",
                  filename=filename, version=version), "success")
    return redirect(attachment_url(document.record.reference, filename) + "?preview=1")


@blueprint.get("/<ref>/attachments/<filename>/move")
@login_required
def ask_move(ref: str, filename: str) -> Answer:
    return show_form(page(ref), filename)


@blueprint.post("/<ref>/attachments/<filename>/move")
@login_required
def move(ref: str, filename: str) -> Answer:
    """Put the file on the page that the form names; without ``copy`` take it off this one."""
    document, form = page(ref), request.form
    record = document.attachment(filename).record
    try:
        target = reader().get(Reference.parse(form.get("page", "").strip(),
                                              document.record.reference))
        name = check_filename(form.get("name", "").strip())
        carry(document, target, record, name, copy="copy" in form, over="over" in form)
    except WikiError as error:
        return show_form(document, filename, error), status_of(error)
    place = {"filename": filename, "page": target.record.reference}
    flash(gettext("Copied %(filename)s to %(page)s.", **place) if "copy" in form
          else gettext("Moved %(filename)s to %(page)s.", **place), "success")
    return redirect(attachment_url(target.record.reference, name) + "?preview=1")


def carry(source: OpenDocument, target: OpenDocument, record: Attachment, name: str, *,
          copy: bool, over: bool) -> None:
    """Copy or move the file; ``over``: as a new version of the file of that name there.

    Raises AccessDenied, InvalidDocument, or NameTaken.
    """
    wiki, old = reader(), record.filename
    here, there = source.record.reference, target.record.reference
    wiki.require(Right.EDIT, target)
    if not copy:
        wiki.require(Right.EDIT, source)
    if here == there and name == old:
        raise InvalidDocument(gettext("%(old)s is on this page already; name another page, or "
                                      "another name", old=old))
    if not over and any(item.filename == name for item in target.record.attachments):
        raise NameTaken(gettext("%(there)s has a file %(name)s already: choose another name, "
                                "or make this a new version of it", there=there, name=name))
    new = as_new(record, wiki.user, name)
    if here == there and not copy:
        def rename(fresh: OpenDocument) -> None:
            fresh.remove_attachment(old)
            fresh.record = fresh.record.with_attachment(new)

        keep(source, rename, f"Renamed {old} to {name}")
        return
    put(target, new, f"{'Copied' if copy else 'Moved'} {old} from {here}")
    if not copy:  # it is on the other page by now, so that it is on one of them at any moment
        keep(source, lambda fresh: fresh.remove_attachment(old), f"Moved {old} to {there}")


def put(document: OpenDocument, attachment: Attachment, comment: str) -> None:
    """Save the page with the file."""
    def add(fresh: OpenDocument) -> None:
        fresh.record = fresh.record.with_attachment(attachment)

    keep(document, add, comment)


def show_form(document: OpenDocument, filename: str, error: WikiError | None = None) -> str:
    """The form, as it was sent where something is wrong with it."""
    return show("attachment_move.html", document.record, "attachments", error=error,
                file=document.attachment(filename).record, sent=request.form,
                taken=isinstance(error, NameTaken),
                linked=f"{ATTACH}{filename}" in document.record.content)
