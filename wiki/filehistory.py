"""The versions of an attached file, as the page's revisions tell them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from wiki.api import OpenAttachment, OpenDocument, Wiki
from wiki.errors import DamagedPage, RevisionNotFound
from wiki.model import Attachment, Document, Version, media_type

#: How many of a page's newest revisions are looked at.
LOOKED_AT = 500


@dataclass(frozen=True, slots=True)
class FileVersion:
    """A file as one save of its page brought it; ``version`` is the page's then."""

    version: Version
    attachment: Attachment
    current: bool


@dataclass(frozen=True, slots=True)
class FileHistory:
    """Versions of a file, newest first; ``whole`` tells that the page has no older revisions
    than those that were looked at."""

    versions: tuple[FileVersion, ...]
    whole: bool


def at_version(wiki: Wiki, document: OpenDocument, filename: str,
               version: str = "") -> OpenAttachment:
    """The file at a version of its page, the newest where it is empty.

    Raises AttachmentNotFound, RevisionNotFound or InvalidDocument.
    """
    if not version:
        return document.attachment(filename)
    then = wiki.revision(document.record.reference, version)
    return OpenAttachment(wiki, then.attachment(filename))


def history_of(wiki: Wiki, document: OpenDocument, filename: str) -> FileHistory:
    """All versions of the file that the page's newest revisions had; none where it never was."""
    found: list[FileVersion] = []
    last: Attachment | None = None
    looked = 0
    for looked, page in enumerate(_pages(wiki, document), 1):
        record = _file(page, filename)
        if record is not None:
            current = looked == 1
            if record == last:  # the save that brought it is an older one
                current = found.pop().current
            found.append(FileVersion(page.version, record, current))
        last = record
    return FileHistory(tuple(found), looked < LOOKED_AT)


def deleted_files(wiki: Wiki, document: OpenDocument) -> list[FileVersion]:
    """The last version of each file that the page had once and has no more, by name."""
    there = {item.filename for item in document.record.attachments}
    found: dict[str, FileVersion] = {}
    for page in _pages(wiki, document):
        for item in page.attachments:
            if item.filename not in there:
                found.setdefault(item.filename, FileVersion(page.version, item, False))
    return [found[name] for name in sorted(found)]


def as_new(attachment: Attachment, user: str, filename: str = "") -> Attachment:
    """The same bytes, put on a page by the user now, maybe under another name."""
    made = replace(attachment, author=user, created=datetime.now(UTC))
    if filename in ("", attachment.filename):
        return made
    return replace(made, filename=filename, mimetype=media_type(filename))


def _pages(wiki: Wiki, document: OpenDocument) -> Iterator[Document]:
    """The page at its newest versions, newest first; damaged revisions are left out."""
    yield document.record
    reference = document.record.reference
    for revision in document.revisions(LOOKED_AT)[1:]:
        try:
            yield wiki.revision(reference, revision.version)
        except (RevisionNotFound, DamagedPage):  # `wikimill check` tells of it
            continue


def _file(page: Document, filename: str) -> Attachment | None:
    return next((item for item in page.attachments if item.filename == filename), None)
