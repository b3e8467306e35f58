"""``/pages/{ref}/attachments``: files, streamed both ways."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, BinaryIO, cast

from flask import Response, jsonify, request, url_for

from wiki.api import OpenAttachment, OpenDocument
from wiki.errors import AttachmentNotFound, Conflict, TooLarge
from wiki.filehistory import FileVersion, at_version, history_of
from wiki.model import Attachment, check_filename, media_type
from wiki.rights import Right
from wiki.web.rest import json, paging
from wiki.web.rest.context import site, user, wiki
from wiki.web.rest.routes import Operation
from wiki.web.rest.saving import check_preconditions, is_conditional, save
from wiki.web.sending import send_bytes, send_thumbnail

#: How often a file is put on a page that others save at the same moment.
ATTEMPTS = 20
#: How many pixels wide or high a thumbnail is that the request says no size of.
DEFAULT_SIZE = "256"


def get_attachment(ref: str, filename: str) -> Response:
    """The bytes; a part of them where the request has a Range."""
    return send_bytes(chosen(ref, filename))


def get_thumbnail(ref: str, filename: str) -> Response:
    """A picture small, as WebP."""
    return send_thumbnail(site().thumbnails, chosen(ref, filename),
                          request.args.get("size", DEFAULT_SIZE))


def list_file_versions(ref: str, filename: str) -> dict[str, Any]:
    """The versions of a file, newest first; of a deleted one too."""
    size, start = paging.limit(), paging.offset()
    history = history_of(wiki(), wiki().get(ref), filename)
    if not history.versions:
        raise AttachmentNotFound(f"{ref} has no attachment {filename!r}")
    items = [version_to_json(item) for item in history.versions[start:start + size + 1]]
    return paging.page_of(items, start, size)


def version_to_json(item: FileVersion) -> dict[str, Any]:
    """A version of a file; its ``version`` is the page's."""
    record = item.attachment
    return {**json.attachment_to_json(record), "version": str(item.version),
            "author": record.author, "created": json.moment(record.created),
            "current": item.current}


def chosen(ref: str, filename: str) -> OpenAttachment:
    """The file, as it was at the version of its page that the request names, if it does.

    Raises AttachmentNotFound, RevisionNotFound or InvalidDocument.
    """
    return at_version(wiki(), wiki().get(ref), filename, request.args.get("version", ""))


def put_attachment(ref: str, filename: str) -> Response:
    """Keep the request's body as a file on the page."""
    check_filename(filename)
    document = wiki().get(ref)
    wiki().require(Right.EDIT, document)
    old = check_file(document, filename)
    check_size()
    sha256, size = wiki().put_blob(cast(BinaryIO, request.stream))
    attachment = Attachment(filename, size, media_type(filename), sha256, user(),
                            datetime.now(UTC))
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
    Operation("GET", ONE, get_attachment, "The bytes of a file; takes Range", ("version",),
              answer="bytes", statuses=(200, 206), conditional=True),
    Operation("GET", ONE + "/versions", list_file_versions,
              "The versions of a file, newest first, as the page's newest 500 revisions have them",
              ("limit", "cursor"), answer="FileVersionList"),
    Operation("GET", ONE + "/thumbnail", get_thumbnail, "A picture small, as WebP",
              ("size", "version"), answer="webp", conditional=True),
    Operation("PUT", ONE, put_attachment, "Put a file on a page; the body is its bytes",
              body="bytes", answer="Attachment", statuses=(200, 201), conditional=True),
    Operation("DELETE", ONE, delete_attachment, "Take a file off its page", statuses=(204,),
              conditional=True),
)
