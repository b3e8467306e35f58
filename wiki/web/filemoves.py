"""The forms that restore an attached file to an older version, or move or copy it."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response

from wiki import filemoving
from wiki.documents import OpenDocument
from wiki.errors import WikiError
from wiki.filemoving import NameTaken
from wiki.language.links import ATTACH, attachment_url
from wiki.model import check_filename
from wiki.references import Reference
from wiki.translate import gettext
from wiki.web.context import page, reader, show
from wiki.web.errors import status_of
from wiki.web.session import login_required

blueprint = Blueprint("filemoves", __name__)
Answer = str | Response | tuple[str, int]


@blueprint.post("/<ref>/attachments/<filename>/restore")
@login_required
def restore(ref: str, filename: str) -> Response:
    """Make an older version the newest; the others stay in the history."""
    document = page(ref)
    version = request.form.get("version", "")
    filemoving.restore(reader(), document, filename, version)
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
        filemoving.carry(reader(), document, target, record, name, copy="copy" in form,
                         over="over" in form)
    except WikiError as error:
        return show_form(document, filename, error), status_of(error)
    place = {"filename": filename, "page": target.record.reference}
    flash(gettext("Copied %(filename)s to %(page)s.", **place) if "copy" in form
          else gettext("Moved %(filename)s to %(page)s.", **place), "success")
    return redirect(attachment_url(target.record.reference, name) + "?preview=1")


def show_form(document: OpenDocument, filename: str, error: WikiError | None = None) -> str:
    """The form, as it was sent where something is wrong with it."""
    return show("attachment_move.html", document.record, "attachments", error=error,
                file=document.attachment(filename).record, sent=request.form,
                taken=isinstance(error, NameTaken),
                linked=f"{ATTACH}{filename}" in document.record.content)
