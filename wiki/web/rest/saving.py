"""Conditional requests: a save that names the version it read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import request
from werkzeug.exceptions import BadRequest, PreconditionFailed

from wiki.api import OpenDocument
from wiki.errors import Conflict, DocumentExists, WikiError


def check_preconditions(etag: str | None) -> None:
    """Compare ``If-Match`` and ``If-None-Match`` with what is there (None: nothing).

    Raises PreconditionFailed, or BadRequest where a header says nothing readable.
    """
    for header, tags in (("If-Match", request.if_match), ("If-None-Match", request.if_none_match)):
        if header in request.headers and not tags:
            raise BadRequest(f'{header} is an ETag in quotes, such as "2.1", or *.')
    if request.if_match and (etag is None or not request.if_match.contains(etag)):
        there = "it does not exist" if etag is None else f'it is at "{etag}"'
        raise PreconditionFailed(f"If-Match does not fit: {there}; nothing was changed.")
    if request.if_none_match and etag is not None and request.if_none_match.contains_weak(etag):
        raise PreconditionFailed(f'If-None-Match does not fit: it exists, at "{etag}"; nothing '
                                 "was changed.")


def check_page(document: OpenDocument) -> None:
    """:func:`check_preconditions` on a page, by its version."""
    check_preconditions(None if document.is_new else str(document.record.version))


def is_conditional() -> bool:
    """Whether the request says on what it depends."""
    return bool(request.if_match or request.if_none_match)


def save(document: OpenDocument, comment: str = "", minor: bool = False) -> None:
    """Save; where somebody was faster, a conditional request has failed its condition.

    Raises PreconditionFailed, and all that :meth:`wiki.api.Wiki.save` raises.
    """
    with racing(Conflict, DocumentExists):
        document.save(comment, minor)


@contextmanager
def racing(*lost: type[WikiError]) -> Iterator[None]:
    """Where one of these errors tells that somebody was faster, and the request said on what it
    depends, raises PreconditionFailed in its place."""
    try:
        yield
    except lost as error:
        if is_conditional():
            raise PreconditionFailed(str(error)) from error
        raise
