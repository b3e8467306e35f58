"""A page's files: the list, upload of many at once, download, delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, cast

from flask import Blueprint, flash, jsonify, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from wiki.api import OpenAttachment, OpenDocument
from wiki.errors import DocumentNotFound, InvalidDocument
from wiki.filehistory import at_version, deleted_files
from wiki.model import Document
from wiki.references import Reference
from wiki.rights import Right
from wiki.tasks.tables import importer_of
from wiki.thumbnails import TYPES
from wiki.translate import gettext
from wiki.web import previews
from wiki.web.context import held, page, page_url, reader, show, site
from wiki.web.sending import send_bytes, send_thumbnail, send_zip
from wiki.web.session import current_user, login_required

blueprint = Blueprint("attachments", __name__)
#: Attaching touches nothing else on the page, so it is tried again when another saved first.
TRIES = 20


@blueprint.get("/<ref>/attachments")
def listing(ref: str) -> str | BaseResponse:
    """``?zip``: all of them in one archive; ``?deleted``: those that the page had once, of its
    newest versions or of those from the ``start``-th on."""
    document = page(ref)
    if "zip" in request.args:
        return send_zip(document)
    deleted, older = None, 0
    if "deleted" in request.args:
        start = max(request.args.get("start", 0, int), 0)
        deleted, older = deleted_files(reader(), document, start)
    return show("attachments.html", document.record, "attachments", importer_of=importer_of,
                pictures=TYPES, deleted=deleted, older=older, limit=site().settings.upload_limit)


@blueprint.post("/<ref>/attachments")
@login_required
def upload(ref: str) -> BaseResponse:
    """Attach the files. For a script, the editor's, of a page that is not there yet hold them for
    its first save."""
    reference, files = Reference.parse(ref), sent_files()
    by_script = request.accept_mimetypes.best == "application/json"
    if not files:
        raise InvalidDocument(gettext("No file was chosen"))
    try:
        document = page(ref)
    except DocumentNotFound:
        if not by_script:
            raise
        return jsonify(attached=hold(reference, files), held=True)
    reader().require(Right.EDIT, document)
    attached = attach(document, files)
    names = ", ".join(attached)
    if by_script:
        return jsonify(attached=attached)
    flash(gettext("Attached %(names)s.", names=names), "success")
    return redirect(page_url(reference, "attachments"))


def sent_files() -> list[tuple[str, BinaryIO]]:
    """The files in a form's field ``file``, each with its name."""
    return [(clean(file.filename), cast(BinaryIO, file.stream))
            for file in request.files.getlist("file") if file.filename]


def hold(reference: Reference, files: list[tuple[str, BinaryIO]]) -> list[str]:
    """Hold the files for a page that the user is writing; returns their names.

    Raises AccessDenied, InvalidDocument (the filename) or TooLarge.
    """
    document = OpenDocument(reader(), Document(reference), None)
    for filename, stream in files:
        reader().require(Right.EDIT, document)
        held().keep(reference, current_user(), document.attach(filename, stream))
    return [filename for filename, _ in files]


def attach(document: OpenDocument, files: list[tuple[str, BinaryIO]]) -> list[str]:
    """Keep the files' bytes, then name them all on the page in one save."""
    kept = [document.attach(filename, stream) for filename, stream in files]

    def add(fresh: OpenDocument) -> None:
        for attachment in kept:
            fresh.record = fresh.record.with_attachment(attachment)

    names = [attachment.filename for attachment in kept]
    keep(document, add, f"Attached {', '.join(names)}"[:200])
    return names


def clean(filename: str) -> str:
    """The file's own name: some browsers send the folder too."""
    return filename.replace("\\", "/").rpartition("/")[2].strip()


def keep(document: OpenDocument, change: Callable[[OpenDocument], None], comment: str) -> None:
    """Save a change of the attachments, on top of what others save meanwhile."""
    reader().revise(document.record.reference, change, comment=comment, attempts=TRIES)


@blueprint.get("/<ref>/attachments/<filename>")
def download(ref: str, filename: str) -> str | BaseResponse:
    """The bytes, or with ``?preview`` the page about the file, with ``?thumbnail=SIZE`` the
    picture small; with ``?version=`` the file as it was at that version of the page. Of a page
    that its writer has not saved yet, what is held for it, for the preview."""
    try:
        document = page(ref)
    except DocumentNotFound:
        file = held_file(Reference.parse(ref), filename)
        if file is None:
            raise
    else:
        if "preview" in request.args:
            return previews.show_file(document, filename)
        file = at_version(reader(), document, filename, request.args.get("version", ""))
    if "thumbnail" in request.args:
        return send_thumbnail(site().thumbnails, file, request.args["thumbnail"])
    return send_bytes(file, "download" in request.args)


def held_file(reference: Reference, filename: str) -> OpenAttachment | None:
    """A file that is held for the user's new page."""
    return next((OpenAttachment(reader(), file) for file in held().of(reference, current_user())
                 if file.filename == filename), None)


@blueprint.get("/<ref>/attachments/<filename>/delete")
@login_required
def ask_delete(ref: str, filename: str) -> str:
    document = page(ref)
    reader().require(Right.EDIT, document)
    return show("attachment_delete.html", document.record, "attachments",
                file=document.attachment(filename).record)


@blueprint.post("/<ref>/attachments/<filename>/delete")
@login_required
def delete(ref: str, filename: str) -> BaseResponse:
    document = page(ref)
    reader().require(Right.EDIT, document)
    keep(document, lambda fresh: fresh.remove_attachment(filename), f"Deleted {filename}")
    flash(gettext("Deleted %(filename)s. Deleted files can be restored from the list of them.",
                  filename=filename), "success")
    return redirect(page_url(document.record.reference, "attachments"))
