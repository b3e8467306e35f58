"""Page files into a wiki and out of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from urllib.parse import unquote

from wiki import pagefile
from wiki.api import OpenDocument, Wiki
from wiki.classes import is_password
from wiki.errors import DamagedPage, DocumentNotFound, PageFileError, WikiError
from wiki.model import Document, Object
from wiki.references import Reference
from wiki.store.base import Query

Page = tuple[Reference, Document, dict[str, Path]]


class Change(StrEnum):
    """What putting a page did."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


def import_pages(wiki: Wiki, paths: Sequence[Path], spaces: tuple[str, ...] = (),
                 comment: str = "Imported") -> Iterator[tuple[Reference, Change]]:
    """Put all page files of the paths (files, or folders whose folders are spaces) into the wiki,
    below ``spaces``; those that say what the wiki has already are left alone.

    All files are read once before the first is written, so that one that is none changes
    nothing. Raises PageFileError, or another WikiError that names the page.
    """
    classes = [page for page in read(paths, spaces) if page[1].class_definition is not None]
    with wiki.batch():
        # Classes first: the objects of the other pages are validated against them.
        for page in classes:
            yield page[0], _put(wiki, page, comment)
    with wiki.batch():
        for page in read(paths, spaces):
            if page[1].class_definition is None:
                yield page[0], _put(wiki, page, comment)


def read(paths: Sequence[Path], spaces: tuple[str, ...]) -> Iterator[Page]:
    """The pages of files and folders."""
    for path in paths:
        if path.is_dir():
            yield from pagefile.read_tree(path, spaces)
        elif path.name.endswith(pagefile.SUFFIX):
            within = spaces or (unquote(path.resolve().parent.name),)
            yield pagefile.read_file(path, pagefile.reference_of(path, within))
        else:
            raise PageFileError(f"{path}: this is neither a folder nor a page file (.md)")


def _put(wiki: Wiki, page: Page, comment: str) -> Change:
    ref, document, files = page
    try:
        return put_page(wiki, document, files, comment=comment)
    except WikiError as error:
        raise WikiError(f"{ref}: {error}") from error


def put_page(wiki: Wiki, document: Document, files: Mapping[str, Path], *,
             keep: Sequence[str] = (), comment: str = "") -> Change:
    """Make the wiki's page what the document says, with the ``files`` as its attachments and
    those that it has and ``keep`` names.

    Raises what :meth:`wiki.api.Wiki.save` does, and AttachmentNotFound for one to keep.
    """
    page = wiki.get_or_new(document.reference)
    before = page.record
    page.record = replace(
        before, title=document.title, content=document.content, syntax=document.syntax,
        parent=document.parent, hidden=document.hidden, tags=document.tags,
        class_definition=document.class_definition,
        attachments=tuple(before.attachment(name) for name in keep),
        objects=tuple(_with_passwords(obj, before) for obj in document.objects))
    for filename, path in files.items():
        _attach(page, before, filename, path)
    if page.is_new:
        page.save(comment=comment)
        return Change.NEW
    if page.record == before:
        return Change.UNCHANGED
    page.save(comment=comment)
    return Change.CHANGED


def _with_passwords(obj: Object, before: Document) -> Object:
    """A page file has no passwords; those that the page has stay."""
    old = before.object(obj.class_name, obj.number)
    kept = {} if old is None else {name: value for name, value in old.values.items()
                                   if is_password(value) and name not in obj.values}
    return replace(obj, values={**obj.values, **kept})


def _attach(page: OpenDocument, before: Document, filename: str, path: Path) -> None:
    with path.open("rb") as stream:
        new = page.attach(filename, stream)
    for old in before.attachments:
        if (old.filename, old.sha256) == (filename, new.sha256):
            page.record = page.record.with_attachment(old)


def export_pages(wiki: Wiki, root: Path, space: str | None = None
                 ) -> Iterator[tuple[Reference, DamagedPage | None]]:
    """Write all pages, or those of a space and the spaces in it, as page files below ``root``;
    a damaged page is passed over, and said."""
    for row in wiki.rows(Query(space=space, nested=True, order_by=("doc.reference",))):
        try:
            document = wiki.get(row.reference).record
        except DocumentNotFound:  # deleted since the index was asked
            continue
        except DamagedPage as error:
            yield row.reference, error
            continue
        pagefile.write_file(root, document, lambda item: wiki.open_blob(item.sha256))
        yield row.reference, None
