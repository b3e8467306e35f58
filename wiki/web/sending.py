"""Attached files as answers, for pages and REST alike.

A browser must never run what somebody uploaded: only harmless types are shown in place.
"""

from __future__ import annotations

from collections.abc import Iterator

from flask import Response, after_this_request, request, send_file
from werkzeug.exceptions import BadRequest, RequestedRangeNotSatisfiable
from zipstream import ZipStream  # type: ignore[import-untyped]

from wiki.documents import OpenAttachment, OpenDocument
from wiki.errors import AttachmentNotFound
from wiki.thumbnails import SIZES, TYPES, Thumbnails
from wiki.translate import gettext

PDF = "application/pdf"
#: Types that are shown in place; all others are downloads.
INLINE = frozenset({
    "image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp",
    "audio/mpeg", "audio/ogg", "audio/wav", "audio/x-wav", "audio/flac", "audio/x-flac",
    "audio/mp4", "audio/aac", "audio/webm", "video/mp4", "video/webm", "video/ogg",
    "text/plain", "text/csv", PDF})
#: The bytes are safe even where a browser takes them for a page.
POLICY = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox"
#: Browsers show no PDF in a sandbox. Its scripts run in the browser's viewer, not on this site.
PDF_POLICY = ("default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; "
              "frame-ancestors 'self'")
CHUNK = 1 << 16


def send_bytes(file: OpenAttachment, download: bool = False) -> Response:
    """The bytes, streamed; ``If-None-Match``, ``Range`` and ``If-Range`` are answered.

    Raises AttachmentNotFound where they are lost, RequestedRangeNotSatisfiable.
    """
    record = file.record
    inline = record.mimetype in INLINE and not download
    response = send_file(file.open(), mimetype=record.mimetype, conditional=False, etag=False,
                         as_attachment=not inline, download_name=record.filename,
                         last_modified=record.created, max_age=0)
    response.content_length = record.size
    response.set_etag(record.sha256)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["X-Content-Type-Options"] = "nosniff"
    framed = inline and record.mimetype == PDF
    response.headers["Content-Security-Policy"] = PDF_POLICY if framed else POLICY
    if framed:
        response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return _conditional(response, record.size)


def _conditional(response: Response, size: int) -> Response:
    asked = _range(size)
    try:
        response.make_conditional({**request.environ, "HTTP_RANGE": asked}, accept_ranges=True,
                                  complete_length=size if asked else None)
    except RequestedRangeNotSatisfiable:
        response.close()  # the answer is another one, and nobody else closes the file
        after_this_request(lambda error: _say_size(error, size))
        raise
    return response


def _range(size: int) -> str:
    """The range that is asked for, or empty: RFC 9110 lets one ignore several ranges and what is
    no range, has one ignore other units, and takes a tail longer than all for all."""
    asked = request.range
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1:
        return ""
    start = asked.ranges[0][0]
    return f"bytes=-{size}" if -start > size else asked.to_header()


def _say_size(response: Response, size: int) -> Response:
    response.headers["Content-Range"] = f"bytes */{size}"
    return response


def send_thumbnail(thumbnails: Thumbnails, file: OpenAttachment, size: str) -> Response:
    """The picture small, as WebP; raises BadRequest or AttachmentNotFound."""
    if size not in map(str, SIZES):
        raise BadRequest(gettext("There is no thumbnail of size %(size)s; there are %(sizes)s.",
                                 size=repr(size[:20]), sizes=", ".join(map(str, SIZES))))
    record = file.record
    path = (thumbnails.get(record.sha256, int(size), file.open)
            if record.mimetype in TYPES else None)
    if path is None:
        raise AttachmentNotFound(gettext("%(filename)s is no picture that can be shown small",
                                         filename=record.filename))
    response = send_file(path, mimetype="image/webp", conditional=False, etag=False, max_age=0)
    response.set_etag(f"{record.sha256}-{size}")
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Content-Security-Policy"] = POLICY
    response.make_conditional(request.environ)
    return response


def send_zip(document: OpenDocument) -> Response:
    """All files of the page in one archive, made while it is sent; raises AttachmentNotFound."""
    archive = ZipStream(sized=True)
    for file in document.attachments:
        file.open().close()  # lost bytes are told of now, not in the middle of the archive
        archive.add(_chunks(file), file.record.filename, size=file.record.size)
    response = Response(iter(archive), mimetype="application/zip")
    response.content_length = len(archive)
    response.headers.set("Content-Disposition", "attachment",
                         filename=f"{document.record.reference}.zip")
    return response


def _chunks(file: OpenAttachment) -> Iterator[bytes]:
    with file.open() as stream:
        while chunk := stream.read(CHUNK):
            yield chunk
