"""``/pages/{ref}/attachments``: files, streamed both ways."""

from __future__ import annotations

import mimetypes
from datetime import UTC, datetime
from typing import BinaryIO, cast

from flask import Response, jsonify, request, url_for
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.wsgi import wrap_file

from wiki.api import OpenDocument
from wiki.errors import Conflict, TooLarge
from wiki.model import Attachment, check_filename
from wiki.rights import Right
from wiki.web.rest import json
from wiki.web.rest.context import site, user, wiki
from wiki.web.rest.routes import Operation
from wiki.web.rest.saving import check_preconditions, is_conditional, save

#: What a browser may show in its place; anything else (HTML, SVG, XML...) it downloads.
SHOWN = frozenset({"text/plain", "text/csv", "image/png", "image/jpeg", "image/gif", "image/webp",
                   "image/avif", "audio/mpeg", "audio/ogg", "video/mp4", "video/webm"})
#: How often a file is put on a page that others save at the same moment.
ATTEMPTS = 20


def get_attachment(ref: str, filename: str) -> Response:
    """The bytes; a part of them where the request has a Range."""
    attachment = wiki().get(ref).attachment(filename)
    record = attachment.record
    stream = attachment.open()
    response = Response(wrap_file(request.environ, stream), mimetype=record.mimetype,
                        direct_passthrough=True)
    response.call_on_close(stream.close)
    response.content_length = record.size
    response.last_modified = record.created
    response.set_etag(record.sha256)
    how = "inline" if record.mimetype in SHOWN else "attachment"
    response.headers.set("Content-Disposition", how, filename=record.filename)
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["X-Content-Type-Options"] = "nosniff"
    try:
        response.make_conditional(request, accept_ranges=True, complete_length=record.size)
    except RequestedRangeNotSatisfiable:
        response.close()
        raise
    return response


def put_attachment(ref: str, filename: str) -> Response:
    """Keep the request's body as a file on the page."""
    check_filename(filename)
    document = wiki().get(ref)
    wiki().require(Right.EDIT, document)
    old = check_file(document, filename)
    check_size()
    sha256, size = wiki().put_blob(cast(BinaryIO, request.stream))
    kind = mimetypes.guess_type(filename)[0] or "application/octet-stream"
    attachment = Attachment(filename, size, kind, sha256, user(), datetime.now(UTC))
    put_on_page(document, attachment)
    response = jsonify(json.attachment_to_json(attachment))
    response.set_etag(sha256)
    if old is None:
        response.status_code = 201
        response.headers["Location"] = url_for("rest.get_attachment", ref=ref, filename=filename)
    return response


def delete_attachment(ref: str, filename: str) -> Response:
    """Take the file off the page."""
    document = wiki().get(ref)
    check_file(document, filename)
    document.remove_attachment(filename)
    save(document, f"Deleted {filename}")
    return Response(status=204)


def put_on_page(document: OpenDocument, attachment: Attachment) -> None:
    """Save the page with the file. Files that come at once do not hinder each other: the page is
    read again and the file put on it anew, unless the request says what it depends on."""
    for attempt in range(ATTEMPTS):
        document.record = document.record.with_attachment(attachment)
        try:
            document.save(f"Uploaded {attachment.filename}")
        except Conflict:
            if attempt == ATTEMPTS - 1:
                raise
            document = wiki().get(document.record.reference)
        else:
            return
        if is_conditional():
            check_file(document, attachment.filename)


def check_file(document: OpenDocument, filename: str) -> Attachment | None:
    """The file as it is now, if there is one; raises PreconditionFailed."""
    found = [item for item in document.record.attachments if item.filename == filename]
    check_preconditions(found[0].sha256 if found else None)
    return found[0] if found else None


def check_size() -> None:
    """Refuse what says that it is too large before it is sent; raises TooLarge."""
    limit = site().settings.upload_limit
    if (request.content_length or 0) > limit:
        raise TooLarge(f"The file has {request.content_length:,} bytes; this wiki takes at most "
                       f"{limit:,}.")


ONE = "/pages/<ref>/attachments/<filename>"
OPERATIONS = (
    Operation("GET", ONE, get_attachment, "The bytes of a file; takes Range", answer="bytes",
              statuses=(200, 206), conditional=True),
    Operation("PUT", ONE, put_attachment, "Put a file on a page; the body is its bytes",
              body="bytes", answer="Attachment", statuses=(200, 201), conditional=True),
    Operation("DELETE", ONE, delete_attachment, "Take a file off its page", statuses=(204,),
              conditional=True),
)
