"""``/pages/{ref}/attachments``: files, streamed both ways."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, BinaryIO, cast

from flask import Response, jsonify, request, url_for

from wiki import filemoving
from wiki.api import OpenAttachment, OpenDocument
from wiki.errors import AttachmentNotFound, TooLarge
from wiki.filehistory import FileVersion, at_version, history_of
from wiki.model import Attachment, check_filename, media_type
from wiki.references import Reference
from wiki.rights import Right
from wiki.web.rest import json, paging
from wiki.web.rest.body import read_object
from wiki.web.rest.context import site, user, wiki
from wiki.web.rest.routes import Operation
from wiki.web.rest.saving import check_preconditions, save
from wiki.web.sending import send_bytes, send_thumbnail

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
    filemoving.put(wiki(), document, attachment, f"Uploaded {filename}", unchanged(filename))
    return file_response(document, attachment, old is None)


def restore_file_version(ref: str, filename: str, version: str) -> Response:
    """Make an older version of the file, which may be deleted, the newest."""
    document = wiki().get(ref)
    old = check_file(document, filename)
    new = filemoving.restore(wiki(), document, filename, version, unchanged(filename))
    return file_response(document, new, old is None)


def move_file(ref: str, filename: str) -> Response:
    """Move the file to another page, or give it another name."""
    return carried(ref, filename, copy=False)


def copy_file(ref: str, filename: str) -> Response:
    """Copy the file to another page, or under another name."""
    return carried(ref, filename, copy=True)


def carried(ref: str, filename: str, *, copy: bool) -> Response:
    """What the body does not name, page or name, stays as it is."""
    body = read_object()
    json.check_names(body, {"page", "name", "over"})
    document = wiki().get(ref)
    check_file(document, filename)
    record = document.attachment(filename).record
    here = document.record.reference
    target = wiki().get(Reference.parse(json.text({"page": str(here), **body}, "page"), here))
    name = check_filename(json.text({"name": filename, **body}, "name"))
    there = {item.filename for item in target.record.attachments}
    new = filemoving.carry(wiki(), document, target, record, name, copy=copy,
                           over=json.flag(body, "over"))
    return file_response(target, new, name not in there)


def file_response(document: OpenDocument, attachment: Attachment, created: bool) -> Response:
    """The file as it is now on the page, with its ETag."""
    response = jsonify(json.attachment_to_json(attachment))
    response.set_etag(attachment.sha256)
    if created:
        response.status_code = 201
        response.headers["Location"] = url_for(
            "rest.get_attachment", ref=str(document.record.reference),
            filename=attachment.filename)
    return response


def delete_attachment(ref: str, filename: str) -> Response:
    """Take the file off the page."""
    document = wiki().get(ref)
    check_file(document, filename)
    document.remove_attachment(filename)
    save(document, f"Deleted {filename}")
    return Response(status=204)


def check_file(document: OpenDocument, filename: str) -> Attachment | None:
    """The file as it is now, if there is one; raises PreconditionFailed."""
    found = [item for item in document.record.attachments if item.filename == filename]
    check_preconditions(found[0].sha256 if found else None)
    return found[0] if found else None


def unchanged(filename: str) -> filemoving.Check:
    """:func:`check_file` once more, at the save."""
    return lambda fresh: check_file(fresh, filename)


def check_size() -> None:
    """Refuse what says that it is too large before it is sent; raises TooLarge."""
    limit = site().settings.upload_limit
    if (request.content_length or 0) > limit:
        raise TooLarge(f"The file has {request.content_length:,} bytes; this wiki takes at most "
                       f"{limit:,}.")


ONE = "/pages/<ref>/attachments/<filename>"
OPERATIONS = (
    Operation("GET", ONE, get_attachment, "The bytes of a file; takes Range", ("version",),
              answer="file", statuses=(200, 206), errors=(416,),
              conditional=True, asking=("Range",), answering=("ETag",)),
    Operation("GET", ONE + "/versions", list_file_versions,
              "The versions of a file, newest first, as the page's newest 500 revisions have them",
              ("limit", "cursor"), answer="FileVersionList"),
    Operation("GET", ONE + "/thumbnail", get_thumbnail, "A picture small, as WebP",
              ("size", "version"), answer="webp", conditional=True, answering=("ETag",)),
    Operation("PUT", ONE, put_attachment, "Put a file on a page; the body is its bytes",
              body="bytes", answer="Attachment", statuses=(200, 201),
              conditional=True, answering=("ETag", "Location")),
    Operation("DELETE", ONE, delete_attachment, "Take a file off its page", statuses=(204,),
              conditional=True),
    Operation("POST", ONE + "/move", move_file, "Move a file to another page, or rename it",
              body="FileMove", answer="Attachment", statuses=(200, 201),
              conditional=True, answering=("ETag", "Location")),
    Operation("POST", ONE + "/copy", copy_file, "Copy a file to another page or name",
              body="FileMove", answer="Attachment", statuses=(200, 201),
              conditional=True, answering=("ETag", "Location")),
    Operation("POST", ONE + "/versions/<version>/restore", restore_file_version,
              "Make an older version of a file the newest; restores a deleted one too",
              answer="Attachment", statuses=(200, 201),
              conditional=True, answering=("ETag", "Location")),
)
