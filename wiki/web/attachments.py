"""A page's files: the list, upload of many at once, download, delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, cast

from flask import Blueprint, flash, jsonify, redirect, request
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as BaseResponse

from wiki.api import OpenDocument
from wiki.errors import InvalidDocument
from wiki.filehistory import at_version, deleted_files
from wiki.rights import Right
from wiki.tasks.tables import importer_of
from wiki.thumbnails import TYPES
from wiki.translate import gettext
from wiki.web import previews
from wiki.web.context import page, page_url, reader, show, site
from wiki.web.sending import send_bytes, send_thumbnail, send_zip
from wiki.web.session import login_required

blueprint = Blueprint("attachments", __name__)
#: Attaching touches nothing else on the page, so it is tried again when another saved first.
TRIES = 20


@blueprint.get("/<ref>/attachments")
def listing(ref: str) -> str | BaseResponse:
    """``?zip``: all of them in one archive; ``?deleted``: those that the page had once."""
    document = page(ref)
    if "zip" in request.args:
        return send_zip(document)
    deleted = deleted_files(reader(), document) if "deleted" in request.args else None
    return show("attachments.html", document.record, "attachments", importer_of=importer_of,
                pictures=TYPES, deleted=deleted, limit=site().settings.upload_limit)


@blueprint.post("/<ref>/attachments")
@login_required
def upload(ref: str) -> BaseResponse:
    document = page(ref)
    reader().require(Right.EDIT, document)
    files = [file for file in request.files.getlist("file") if file.filename]
    if not files:
        raise InvalidDocument(gettext("No file was chosen"))
    attached = attach(document, files)
    names = ", ".join(attached)
    if request.accept_mimetypes.best == "application/json":
        return jsonify(attached=attached)
    flash(gettext("Attached %(names)s.", names=names), "success")
    return redirect(page_url(document.record.reference, "attachments"))


def attach(document: OpenDocument, files: list[FileStorage]) -> list[str]:
    """Keep the files' bytes, then name them all on the page in one save."""
    kept = [document.attach(clean(file.filename or ""), cast(BinaryIO, file.stream))
            for file in files]

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
    picture small; with ``?version=`` the file as it was at that version of the page."""
    document = page(ref)
    if "preview" in request.args:
        return previews.show_file(document, filename)
    file = at_version(reader(), document, filename, request.args.get("version", ""))
    if "thumbnail" in request.args:
        return send_thumbnail(site().thumbnails, file, request.args["thumbnail"])
    return send_bytes(file, "download" in request.args)


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
