"""The versions of an attached file, as the page's revisions tell them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from wiki.api import OpenAttachment, OpenDocument, Wiki
from wiki.errors import DamagedPage, RevisionNotFound
from wiki.model import Attachment, Document, Version, media_type

#: How many of a page's revisions are looked at in one go.
LOOKED_AT = 500


@dataclass(frozen=True, slots=True)
class FileVersion:
    """A file as one save of its page brought it; ``version`` is the page's then."""

    version: Version
    attachment: Attachment
    current: bool


@dataclass(frozen=True, slots=True)
class FileHistory:
    """Versions of a file, newest first, as a part of the page's revisions has them; the next
    part starts at the ``following``-th, 0 where there are no older ones."""

    versions: tuple[FileVersion, ...]
    following: int


def at_version(wiki: Wiki, document: OpenDocument, filename: str,
               version: str = "") -> OpenAttachment:
    """The file at a version of its page, the newest where it is empty.

    Raises AttachmentNotFound, RevisionNotFound or InvalidDocument.
    """
    if not version:
        return document.attachment(filename)
    then = wiki.revision(document.record.reference, version)
    return OpenAttachment(wiki, then.attachment(filename))


def history_of(wiki: Wiki, document: OpenDocument, filename: str, start: int = 0) -> FileHistory:
    """The versions of the file that a part of the page's revisions had, the newest part unless
    ``start`` says how many newer ones to pass over. A version that a newer part has shown is not
    shown again."""
    found: list[FileVersion] = []
    last: Attachment | None = None
    numbers = wiki.versions(document.record.reference)
    for place in range(max(start - 1, 0), min(start + LOOKED_AT, len(numbers))):
        page = _page(wiki, document, numbers[place])
        if page is None:
            continue
        record = _file(page, filename)
        if record is not None and place >= start:
            if record != last:
                found.append(FileVersion(page.version, record, place == 0))
            elif found:  # the save that brought it is an older one
                found.append(replace(found.pop(), version=page.version))
        last = record
    following = start + LOOKED_AT
    return FileHistory(tuple(found), following if following < len(numbers) else 0)


def deleted_files(wiki: Wiki, document: OpenDocument,
                  start: int = 0) -> tuple[list[FileVersion], int]:
    """The last version of each file that a part of the page's revisions had and the page has no
    more, by name; and where the next part starts, 0 for nowhere."""
    there = {item.filename for item in document.record.attachments}
    found: dict[str, FileVersion] = {}
    numbers = wiki.versions(document.record.reference)
    following = start + LOOKED_AT
    for number in numbers[start:following]:
        page = _page(wiki, document, number)
        for item in page.attachments if page else ():
            if item.filename not in there:
                found.setdefault(item.filename, FileVersion(number, item, False))
    return [found[name] for name in sorted(found)], following if following < len(numbers) else 0


def as_new(attachment: Attachment, user: str, filename: str = "") -> Attachment:
    """The same bytes, put on a page by the user now, maybe under another name."""
    made = replace(attachment, author=user, created=datetime.now(UTC))
    if filename in ("", attachment.filename):
        return made
    return replace(made, filename=filename, mimetype=media_type(filename))


def _page(wiki: Wiki, document: OpenDocument, version: Version) -> Document | None:
    """The page at a version; None where that is damaged, which ``wikimill check`` tells of."""
    if version == document.record.version:
        return document.record
    with suppress(RevisionNotFound, DamagedPage):
        return wiki.revision(document.record.reference, version)
    return None


def _file(page: Document, filename: str) -> Attachment | None:
    return next((item for item in page.attachments if item.filename == filename), None)
