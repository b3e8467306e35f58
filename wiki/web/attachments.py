"""A page's files: the list, upload of many at once, download, delete.

A browser must never run what somebody uploaded: only harmless types are shown in place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, cast

from flask import Blueprint, Response, flash, jsonify, redirect, request, send_file
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.wrappers import Response as BaseResponse

from wiki.api import OpenDocument
from wiki.errors import InvalidDocument
from wiki.rights import Right
from wiki.tasks.tables import importer_of
from wiki.web.context import page, page_url, reader, show
from wiki.web.session import login_required

blueprint = Blueprint("attachments", __name__)
#: Types that are shown in place; all others are downloads.
INLINE = frozenset({
    "image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp",
    "audio/mpeg", "audio/ogg", "audio/wav", "audio/flac", "video/mp4", "video/webm", "video/ogg",
    "text/plain", "application/pdf"})
#: The bytes are safe even where a browser takes them for a page.
POLICY = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox"
#: Attaching touches nothing else on the page, so it is tried again when another saved first.
TRIES = 20


@blueprint.get("/<ref>/attachments")
def listing(ref: str) -> str:
    return show("attachments.html", page(ref).record, "attachments", importer_of=importer_of)


@blueprint.post("/<ref>/attachments")
@login_required
def upload(ref: str) -> BaseResponse:
    document = page(ref)
    reader().require(Right.EDIT, document)
    files = [file for file in request.files.getlist("file") if file.filename]
    if not files:
        raise InvalidDocument("No file was chosen")
    attached = attach(document, files)
    names = ", ".join(attached)
    if request.accept_mimetypes.best == "application/json":
        return jsonify(attached=attached)
    flash(f"Attached {names}.", "success")
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
def download(ref: str, filename: str) -> Response:
    """The bytes, streamed; ``If-None-Match`` and ``Range`` are answered."""
    attachment = page(ref).attachment(filename)
    record = attachment.record
    inline = record.mimetype in INLINE and "download" not in request.args
    response = send_file(attachment.open(), mimetype=record.mimetype, conditional=False,
                         etag=False, as_attachment=not inline, download_name=record.filename,
                         last_modified=record.created, max_age=0)
    response.content_length = record.size
    response.set_etag(record.sha256)
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = "private, no-cache"
    try:
        response.make_conditional(request.environ, accept_ranges=True,
                                  complete_length=record.size)
    except RequestedRangeNotSatisfiable:
        response.close()  # the answer is another one, and nobody else closes the file
        raise
    return response


@blueprint.post("/<ref>/attachments/<filename>/delete")
@login_required
def delete(ref: str, filename: str) -> BaseResponse:
    document = page(ref)
    reader().require(Right.EDIT, document)
    keep(document, lambda fresh: fresh.remove_attachment(filename), f"Deleted {filename}")
    flash(f"Deleted {filename}.", "success")
    return redirect(page_url(document.record.reference, "attachments"))
