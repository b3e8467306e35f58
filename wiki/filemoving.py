"""An attached file restored to an older version, or moved or copied to another page."""

from __future__ import annotations

from collections.abc import Callable

from wiki.api import OpenDocument, Wiki
from wiki.errors import Conflict, InvalidDocument
from wiki.filehistory import as_new, at_version
from wiki.model import Attachment
from wiki.rights import Right
from wiki.translate import gettext

#: Raises where the page, as it is at the save, is not one to change.
Check = Callable[[OpenDocument], object]


class NameTaken(Conflict):
    """The other page has a file of that name."""


def restore(wiki: Wiki, document: OpenDocument, filename: str, version: str,
            check: Check | None = None) -> Attachment:
    """Make the file of an older version of the page the newest; the others stay in the history.

    Raises AccessDenied, AttachmentNotFound, RevisionNotFound or InvalidDocument.
    """
    wiki.require(Right.EDIT, document)
    new = as_new(at_version(wiki, document, filename, version).record, wiki.user)
    put(wiki, document, new, f"Restored {filename} of version {version}", check)
    return new


def carry(wiki: Wiki, source: OpenDocument, target: OpenDocument, record: Attachment, name: str,
          *, copy: bool, over: bool) -> Attachment:
    """Copy or move the file; ``over``: as a new version of the file of that name there.

    Raises AccessDenied, InvalidDocument, or NameTaken.
    """
    old, here, there = record.filename, source.record.reference, target.record.reference
    wiki.require(Right.EDIT, target)
    if not copy:
        wiki.require(Right.EDIT, source)
    if here == there and name == old:
        raise InvalidDocument(gettext("%(old)s is on this page already; name another page, or "
                                      "another name", old=old))
    if not over and any(item.filename == name for item in target.record.attachments):
        raise NameTaken(gettext("%(there)s has a file %(name)s already: choose another name, "
                                "or make this a new version of it", there=there, name=name))
    new = as_new(record, wiki.user, name)
    if here == there and not copy:
        def rename(fresh: OpenDocument) -> None:
            fresh.remove_attachment(old)
            fresh.record = fresh.record.with_attachment(new)

        wiki.revise(here, rename, comment=f"Renamed {old} to {name}")
        return new
    put(wiki, target, new, f"{'Copied' if copy else 'Moved'} {old} from {here}")
    if not copy:  # it is on the other page by now, so that it is on one of them at any moment
        wiki.revise(here, lambda fresh: fresh.remove_attachment(old),
                    comment=f"Moved {old} to {there}")
    return new


def put(wiki: Wiki, document: OpenDocument, attachment: Attachment, comment: str,
        check: Check | None = None) -> None:
    """Save the page with the file, on top of what others save meanwhile."""
    def add(fresh: OpenDocument) -> None:
        if check is not None:
            check(fresh)
        fresh.record = fresh.record.with_attachment(attachment)

    wiki.revise(document.record.reference, add, comment=comment)
