"""``Wiki``: the one door to documents, as a given user, with rights checked on every call.

The web, REST, the command line, macros and executor scripts all come through here::

    doc = wiki.get("Books.Dune")
    doc.object("Books.BookClass")["year"] = 1966
    doc.save(comment="the right year")
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, BinaryIO, cast, get_args

from blinker import Signal

from wiki import classes, comments
from wiki.documents import Name, OpenAttachment, OpenDocument, OpenObject, reference
from wiki.errors import (
    AccessDenied,
    Conflict,
    DamagedPage,
    DocumentExists,
    DocumentNotFound,
    InvalidDocument,
    QueryError,
    RevisionNotFound,
    WikiError,
)
from wiki.model import FIRST, SYSTEM, ClassDefinition, Document, Object, Revision, Version
from wiki.references import Reference
from wiki.relinking import Moves, relinked
from wiki.rights import RUNNABLE_CLASSES, Right, allows, require
from wiki.store.base import (
    DOCUMENT_FIELDS,
    Binned,
    Condition,
    Found,
    Hit,
    Leaf,
    Link,
    Logged,
    Operator,
    Query,
    Row,
    Search,
    Since,
    State,
    Store,
    Touched,
)
from wiki.store.bin import revision_of
from wiki.translate import gettext, titled

__all__ = ["MAX_CONTENT", "OPERATORS", "Name", "OpenAttachment", "OpenDocument", "OpenObject",
           "Wiki", "make_query", "reference", "runnable"]

#: The largest content, in characters (Python-Markdown is quadratic on some inputs).
MAX_CONTENT = 1_000_000
OPERATORS: tuple[str, ...] = get_args(Operator)
#: How often the recycle bin is read on for what a user may bring back.
BIN_SCANS = 20


class Wiki:
    """Documents as ``user`` may see and change them.

    Signals, sent with this wiki as sender after the change is made: ``saved`` (``document``,
    ``previous`` or None; ``origin`` where it was renamed) and ``deleted`` (``reference``); in a
    batch that is before the change is durable and others see it: ``kept`` is sent when the batch
    has ended. One set serves all users of a store.
    """

    def __init__(self, store: Store, user: str = SYSTEM, *,
                 signer: str | Callable[[], str] | None = None,
                 saved: Signal | None = None, deleted: Signal | None = None,
                 kept: Signal | None = None, upload_limit: int | None = None,
                 run: str = "") -> None:
        """``signer``: who is named as the author of text and scripts, where not ``user``, or
        what finds that out when it is first needed. What somebody without the script right has
        put together must not be signed by who has it.
        ``run``: the id of the task's run that all changes are made by."""
        self._store = store
        self.user = user
        self._signer = signer or user
        self.run = run
        self.saved = saved or Signal()
        self.deleted = deleted or Signal()
        self.kept = kept or Signal()
        self.upload_limit = upload_limit

    @property
    def signer(self) -> str:
        """Who is named as the author of text and scripts."""
        if not isinstance(self._signer, str):
            self._signer = self._signer()
        return self._signer

    def as_user(self, user: str, signer: str | None = None) -> Wiki:
        """The same wiki through another user's eyes."""
        return Wiki(self._store, user, signer=signer, saved=self.saved, deleted=self.deleted,
                    kept=self.kept, upload_limit=self.upload_limit, run=self.run)

    def leaving_disarmed(self, page: Document) -> Wiki:
        """This wiki for a change of which the user sees a part of the page only: scripts on it
        that are disarmed stay so, and nobody signs them by it."""
        disarmed = not allows(page.script_author, Right.SCRIPT, page)
        return self.as_user(self.user, page.script_author) if disarmed else self

    def may(self, right: Right | str, document: Document | OpenDocument | None = None) -> bool:
        """Whether this user holds the right, on the document if one is given."""
        record = document.record if isinstance(document, OpenDocument) else document
        return allows(self.user, Right(right), record)

    def require(self, right: Right | str, document: Document | OpenDocument | None = None) -> None:
        """Raises AccessDenied unless :meth:`may`."""
        record = document.record if isinstance(document, OpenDocument) else document
        require(self.user, Right(right), record)

    # -- reading ---------------------------------------------------------------------------

    def __contains__(self, name: Name) -> bool:
        require(self.user, Right.VIEW)
        return self._store.exists(reference(name))

    def get(self, name: Name) -> OpenDocument:
        """Raises DocumentNotFound, InvalidReference, DamagedPage or AccessDenied."""
        record = self._store.get(reference(name))
        require(self.user, Right.VIEW, record)
        return OpenDocument(self, record, record.version)

    def new(self, name: Name, **fields: Any) -> OpenDocument:
        """A page to fill and save; ``fields`` are those of :class:`wiki.model.Document`.

        Raises DocumentExists or InvalidReference.
        """
        ref = reference(name)
        if self._store.exists(ref):
            raise DocumentExists(gettext("%(ref)s exists already; get it to change it", ref=ref))
        document = OpenDocument(self, Document(ref), None)
        for field, value in fields.items():
            setattr(document, field, value)
        return document

    def revise(self, name: Name, change: Callable[[OpenDocument], object], *, comment: str = "",
               minor: bool = False, attempts: int = 20, signs: bool = True) -> OpenDocument:
        """Change a page as it is now, and save it; anew where somebody saves it at that moment.

        ``change`` is given the open page, one that was just read each time. With ``signs=False``
        what is disarmed on it stays so (see :meth:`leaving_disarmed`). Raises what :meth:`get`
        and :meth:`save` do, Conflict only after so many attempts.
        """
        while True:
            attempts -= 1
            page = self.get(name)
            if not signs:
                page = OpenDocument(self.leaving_disarmed(page.record), page.record, page.version)
            change(page)
            try:
                return page.save(comment=comment, minor=minor)
            except Conflict:
                if attempts <= 0:
                    raise

    def get_or_new(self, name: Name) -> OpenDocument:
        """The page, or a new one of that name."""
        try:
            return self.get(name)
        except DocumentNotFound:
            return self.new(name)

    def revision(self, name: Name, version: str | Version) -> Document:
        """The page as it was; raises RevisionNotFound or DocumentNotFound."""
        wanted = Version.parse(version) if isinstance(version, str) else version
        self.get(name)
        return self._store.revision(reference(name), wanted)

    def revisions(self, name: Name, limit: int | None = None) -> list[Revision]:
        """The page's versions, all of them or the newest ``limit``, newest first."""
        return self._store.revisions(reference(name), limit)

    def history(self, name: Name, limit: int, start: int = 0, *,
                minor: bool = True) -> tuple[list[Revision], bool]:
        """A part of the page's history, newest first, from the ``start``-th version on, without
        minor edits if asked, and whether there are older ones. Only that part is read; damaged
        revisions are left out."""
        found = [version for version in self.versions(name) if minor or version.minor == 1]
        revisions = []
        for version in found[start:start + limit]:
            with suppress(DamagedPage, RevisionNotFound):
                revisions.append(revision_of(self._store.revision(reference(name), version)))
        return revisions, len(found) > start + limit

    def versions(self, name: Name) -> list[Version]:
        """The numbers of the page's versions, newest first, without reading them; raises
        DocumentNotFound."""
        ref = reference(name)
        self.get(ref)
        return self._store.versions(ref)

    def class_definition(self, class_name: Name) -> ClassDefinition | None:
        """The class that the page defines, with labels and help in the language shown now; None
        where there is no such page or class."""
        try:
            return self._store.get(reference(class_name)).display_class
        except DocumentNotFound:
            return None

    # -- finding ---------------------------------------------------------------------------

    def query(self, class_name: Name | None = None, *, order_by: str | tuple[str, ...] = (),
              limit: int | None = None, offset: int = 0, space: str | None = None,
              **conditions: Any) -> Iterator[OpenDocument]:
        """Documents by class and property, lazily.

        ``status="READY"`` compares a property, ``year__gt=1965`` with an operator (``ne lt le
        gt ge contains startswith``), and ``status__in=["READY", "ERROR"]`` with several values,
        of which one fits; ``order_by`` takes ``name`` and the document's other
        fields, or a property; ``-`` before it turns the order round. A property named as a
        document's field is ordered by as ``object.name``.

        Raises QueryError.
        """
        rows = self.rows(make_query(class_name, conditions, order_by, limit, offset, space))
        for row in rows:
            try:
                yield self.get(row.reference)
            except DocumentNotFound:  # deleted since the index was asked
                continue

    def rows(self, query: Query) -> Iterator[Row]:
        """The index's rows for a query, without opening the pages. Titles of shipped pages, here
        and below, are in the language shown now."""
        require(self.user, Right.VIEW)
        return iter(titled(self._store.query(query)))

    def count(self, query: Query) -> int:
        require(self.user, Right.VIEW)
        return self._store.count(query)

    def counts(self, query: Query, name: str) -> dict[str, int]:
        """How many documents that fit have each value of a property of the query's class,
        numbers as text, or each tag where ``name`` is ``doc.tags``."""
        require(self.user, Right.VIEW)
        return self._store.counts(query, name)

    def search(self, text: str, space: str | None = None, limit: int = 20,
               offset: int = 0) -> list[Hit]:
        """Pages with all the words in their text or in an attached file, best first, without
        hidden ones."""
        require(self.user, Right.VIEW)
        return list(titled(self._store.search(text, space, limit, offset)))

    def find(self, search: Search) -> Found:
        """Full text with filters, the number of pages and counts by space, class, author and
        year. Hidden pages are found where the search says so and this user administers.

        Raises QueryError for a search that cannot be read.
        """
        require(self.user, Right.VIEW)
        found = self._store.find(replace(
            search, hidden=search.hidden and self.may(Right.ADMIN)))
        return replace(found, hits=tuple(titled(found.hits)))

    def titles(self, text: str, limit: int = 20) -> list[tuple[Reference, str]]:
        """Pages, not hidden ones, whose title begins so, then those whose title or name has
        words that begin so; each with its title."""
        require(self.user, Right.VIEW)
        return self._store.titles(text, limit)

    def children(self, name: Name, limit: int = 100, offset: int = 0) -> list[Row]:
        """The pages right below a page, not hidden ones, by title: those that name it as their
        parent, and of a space's home page those of the space that name none, and the home pages
        of the spaces in it."""
        return list(self.rows(Query(
            where=(Condition("doc.parent", "eq", str(reference(name))),), hidden=False,
            order_by=("doc.title",), limit=limit, offset=offset)))

    def branch(self, name: Name | None = None, limit: int = 100, offset: int = 0) -> list[Leaf]:
        """One branch of the tree of pages: those right below a page, or the outermost ones, by
        title. Each says whether there are pages below it in turn."""
        require(self.user, Right.VIEW)
        return list(titled(self._store.branch(None if name is None else reference(name), limit,
                                              offset)))

    def above(self, document: Document) -> list[Leaf]:
        """The pages above a page, which need not be kept yet, the outermost first."""
        require(self.user, Right.VIEW)
        return list(titled(self._store.above(document)))

    def links_to(self, name: Name) -> list[Link]:
        """The pages that lead to the page, each with how: ``link``, ``include``, ``object`` (a
        value that reads like its name) or ``parent``."""
        require(self.user, Right.VIEW)
        return self._store.links_to(reference(name))

    def orphaned(self, limit: int = 100, offset: int = 0) -> list[Reference]:
        """Pages that nothing leads to, hidden ones and home pages aside, in order."""
        require(self.user, Right.VIEW)
        return self._store.orphaned(limit, offset)

    def wanted(self, limit: int = 100, offset: int = 0) -> list[tuple[Reference, int]]:
        """Pages that are not there, with how many lead to each, most first."""
        require(self.user, Right.VIEW)
        return self._store.wanted(limit, offset)

    def spaces(self) -> list[tuple[str, int]]:
        """Spaces with their number of pages."""
        return self._store.spaces()

    def changes(self, limit: int = 50, offset: int = 0, *, space: str | None = None,
                author: str | None = None, minor: bool = True,
                hidden: bool = True) -> list[Logged]:
        """All saves, moves and deletions, newest first: of all pages or those of a space and
        below it, by anybody or by ``author`` (such as ``Users.Admin``), and with
        ``minor=False`` without minor edits. A page comes once for each; see
        :func:`wiki.recent.by_day`."""
        require(self.user, Right.VIEW)
        return list(titled(self._store.changes(limit, offset, space=space, author=author,
                                               minor=minor, hidden=hidden)))

    def changes_since(self, mark: str, classes: Sequence[str]) -> Since:
        """What changed since an earlier answer's mark; see :meth:`wiki.store.base.Store`."""
        require(self.user, Right.VIEW)
        return self._store.changes_since(mark, classes)

    def state(self) -> State:
        """Another one after each change by anybody; see :meth:`wiki.store.base.Store.state`."""
        return self._store.state()

    def tally(self, class_name: Name, name: str) -> dict[str, int]:
        """How many objects of a class have each value of a property, numbers as text."""
        require(self.user, Right.VIEW)
        return self._store.tally(str(reference(class_name)), name)

    def backlinks(self, name: Name, limit: int | None = None) -> list[Reference]:
        """The pages that link to the page, or have it for a parent, in order."""
        return self._store.backlinks(reference(name), limit)

    def tags(self) -> list[tuple[str, int]]:
        return self._store.tags()

    def tagged(self, tag: str) -> list[Reference]:
        return self._store.tagged(tag)

    # -- writing ---------------------------------------------------------------------------

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Many saves made durable together when the block ends: the fast path of imports."""
        outermost = False
        try:
            with self._store.batch() as outermost:
                yield
        finally:
            if outermost:
                self.kept.send(self)

    def change_each(self, pages: Sequence[Reference], change: Callable[[Reference], object],
                    size: int = 100) -> list[tuple[Reference, str]]:
        """Do ``change`` to each page, ``size`` of them durable together. One that raises a
        WikiError leaves the others alone; returns those, each with why."""
        refused = []
        for start in range(0, len(pages), size):
            with self.batch():
                for page in pages[start:start + size]:
                    try:
                        change(page)
                    except WikiError as error:
                        refused.append((page, str(error)))
        return refused

    def save(self, document: Document, expected: Version | None, *, comment: str = "",
             minor: bool = False, vouch: bool = False, lenient: bool = False) -> Document:
        """Validate and keep the document as this user, over the version ``expected`` (None for
        a new page); returns it as saved. ``vouch``: the user has seen the page's scripts and
        signs them, changed or not. ``lenient``: its class has changed, and values that it no
        longer allows are kept.

        Raises AccessDenied, InvalidValue, InvalidDocument, Conflict or DocumentExists.
        """
        previous = self._current(document.reference) if expected else None
        require(self.user, Right.EDIT, previous)
        if previous is None and expected is not None:
            raise Conflict(gettext(
                "%(page)s was deleted since version %(expected)s was read", page=document.reference,
                expected=expected))
        if previous is not None and previous.version != expected:
            raise Conflict(gettext(
                "%(page)s is at version %(version)s by %(author)s, and no longer at "
                "%(expected)s; nothing was saved", page=document.reference,
                version=previous.version, author=previous.author, expected=expected))
        checked = document if lenient else self._validated(document, previous)
        record = self._stamp(checked, previous, comment, minor)
        if vouch and allows(self.signer, Right.SCRIPT) and runnable(record):
            record = replace(record, script_author=self.signer)
        saved = self._store.save(record, expected)
        self.saved.send(self, document=saved, previous=previous)
        return saved

    def _current(self, ref: Reference) -> Document | None:
        try:
            return self._store.get(ref)
        except DocumentNotFound:
            return None

    def _validated(self, document: Document, previous: Document | None) -> Document:
        """An object that is as it was stays so, whatever has become of its class: a save
        answers for what it changes, and nobody signs what another has written."""
        if len(document.content) > MAX_CONTENT:
            raise InvalidDocument(gettext(
                "the content has %(num)s characters; a page takes at most %(most)s",
                num=len(document.content), most=MAX_CONTENT))
        document = comments.guarded(document, previous, self.user)
        kept = previous.objects if previous else ()
        objects = tuple(obj if obj in kept else self._validated_object(obj, document)
                        for obj in document.objects)
        definition = document.class_definition
        if definition is not None:
            definition = classes.check_definition(definition)
        return replace(document, objects=objects, class_definition=definition,
                       tags=tuple(dict.fromkeys(tag.strip() for tag in document.tags
                                                if tag.strip())))

    def _validated_object(self, obj: Object, document: Document) -> Object:
        ref = reference(obj.class_name)
        definition = (document.class_definition if ref == document.reference
                      else self.class_definition(ref))
        if definition is None:
            return obj  # an object outlives its class, as its values outlive a property
        return replace(obj, values=classes.validate(definition, obj.values))

    def _stamp(self, document: Document, previous: Document | None, comment: str,
               minor: bool) -> Document:
        now, user = datetime.now(UTC), self.user
        if previous is None:
            return replace(document, version=FIRST, creator=user, author=user,
                           content_author=self.signer, script_author=self.signer, created=now,
                           updated=now, comment=comment, minor=minor, run=self.run)
        same_content = document.content == previous.content
        same_scripts = runnable(document) == runnable(previous)
        return replace(
            document, version=previous.version.next(minor), creator=previous.creator,
            author=user, created=previous.created, updated=now, comment=comment, minor=minor,
            run=self.run,
            content_author=previous.content_author if same_content else self.signer,
            script_author=previous.script_author if same_scripts else self.signer)

    def delete(self, name: Name, expected: Version | None = None, comment: str = "") -> None:
        """Move the page, with its history, to the recycle bin; see :meth:`undelete`. Raises
        DocumentNotFound, AccessDenied or Conflict."""
        ref = reference(name)
        document = self._store.get(ref)
        require(self.user, Right.DELETE, document)
        binned = Binned(self.run or uuid.uuid4().hex, ref, document.title, document.version,
                        self.user, datetime.now(UTC), comment, self.run)
        self._store.delete(ref, expected, self.run, binned)
        self.deleted.send(self, reference=ref)

    def rename(self, document: Document, expected: Version, name: Name,
               update_links: bool = True) -> Document:
        """Move the document, with its history, over its version ``expected``, and turn the links
        that lead to it, and its own that are written without a space; returns it as saved.

        Pages that the user may not edit are left alone. Raises DocumentExists, DocumentNotFound,
        Conflict, InvalidReference or AccessDenied.
        """
        old, new = document.reference, reference(name)
        moves = {old: new}
        referring = self.referring(old) if update_links else []
        saved = self.move(document, expected, moves, turn=update_links)
        for ref in referring:
            with suppress(AccessDenied, DocumentNotFound):
                self.relink(ref, moves)
        return saved

    def move(self, document: Document, expected: Version, moves: Moves, *,
             turn: bool = True) -> Document:
        """Move the document to where ``moves`` says, its own links turned to match; those of
        other pages are for :meth:`relink`. Raises as :meth:`rename`."""
        old = document.reference
        require(self.user, Right.DELETE, document)
        previous = self._store.get(old)
        moved = self._validated(replace(document, reference=moves[old]), previous)
        record = self._stamp(moved, previous, f"Renamed from {old}", False)
        if turn:
            record = self.relinked(record, old, moves)
        saved = self._store.rename(old, record, expected)
        self.deleted.send(self, reference=old)
        self.saved.send(self, document=saved, previous=None, origin=old)
        return saved

    def referring(self, name: Name) -> list[Reference]:
        """The pages that name the page: in links, values, as their parent or an object's class;
        in order, without the page itself."""
        ref = reference(name)
        found = {link.reference for link in self.links_to(ref)}
        found.update(row.reference for row in self.rows(Query(str(ref))))
        return sorted(found - {ref})

    def relink(self, name: Name, moves: Moves, attempts: int = 20) -> bool:
        """Turn what a page says of pages that have moved, as a minor edit; returns whether there
        was anything. Its authors stay: whoever turns links does not vouch for the text.

        Raises AccessDenied, DocumentNotFound, InvalidReference, and Conflict only after so many
        attempts.
        """
        page = self.get(name).record
        turned = self.relinked(page, page.reference, moves)
        if turned == page:
            return False
        require(self.user, Right.EDIT, page)
        old, new = next(iter(moves.items()))
        comment = (f"{old} was renamed to {new}" if len(moves) == 1
                   else f"{len(moves)} pages were moved")
        record = replace(self._stamp(turned, page, comment, True),
                         content_author=page.content_author, script_author=page.script_author)
        try:
            saved = self._store.save(record, page.version)
        except Conflict:
            if attempts <= 1:
                raise
            return self.relink(name, moves, attempts - 1)
        self.saved.send(self, document=saved, previous=page)
        return True

    def relinked(self, document: Document, base: Reference, moves: Moves) -> Document:
        """The document, written on page ``base``, with its links turned, not saved; see
        :func:`wiki.relinking.relinked`."""
        return relinked(document, base, moves, self.class_definition, self._store.exists)

    # -- lists of keys, for runs -------------------------------------------------------------

    def mark(self, name: str, key: str) -> None:
        """Put a key on a list that outlives this process, such as the items that a run has done.

        In a :meth:`batch` the mark becomes durable together with the saves made before it,
        never without them; outside of one it is when this returns. Raises InvalidDocument (1 to
        4000 characters), or AccessDenied without the edit right.
        """
        require(self.user, Right.EDIT)
        self._store.mark(name, key)

    def marked(self, name: str, key: str) -> bool:
        """Whether the key is on the list."""
        return self._store.marked(name, key)

    def marks(self, name: str) -> Iterator[str]:
        """The keys on a list, in order."""
        return self._store.marks(name)

    def unmark(self, name: str) -> None:
        """Drop a list; raises AccessDenied without the edit right."""
        require(self.user, Right.EDIT)
        self._store.unmark(name)

    # -- what runs did -----------------------------------------------------------------------

    def touched(self, run: str, after: str = "", limit: int = 100) -> list[Touched]:
        """Pages that a run changed, by reference, from the one behind ``after`` on."""
        require(self.user, Right.VIEW)
        return self._store.touched(run, after, limit)

    def touched_page(self, run: str, name: Name) -> Touched | None:
        """What a run did to a page; None where it did not touch it."""
        require(self.user, Right.VIEW)
        return self._store.touched_page(run, reference(name))

    def touched_kinds(self, run: str) -> dict[str, int]:
        """How many pages the run created, changed, deleted and moved."""
        return self._store.touched_kinds(run)

    def deleted_by(self, run: str, name: Name, version: Version | None = None) -> Document:
        """A page that the run deleted, as it was then or at a version; raises
        RevisionNotFound."""
        require(self.user, Right.VIEW)
        return self._store.deleted(run, reference(name), version)

    def restore(self, run: str, documents: Sequence[Document], comment: str = "",
                origin: Reference | None = None) -> None:
        """Bring back pages that the run deleted, with their history, and with these documents
        as their newest versions; ``origin`` is the name of the only one, where it comes back
        under another.

        Raises AccessDenied, RevisionNotFound, DocumentExists or InvalidValue.
        """
        saves = []
        for document in documents:
            last = self._store.deleted(run, origin or document.reference)
            require(self.user, Right.EDIT, last)
            record = self._stamp(self._validated(document, last), last, comment, False)
            if not allows(self.signer, Right.SCRIPT):  # nothing is armed without that right
                record = replace(record, content_author=self.signer, script_author=self.signer)
            saves.append((record, last.version))
        self._store.restore(run, saves, origin)
        for record, _ in saves:
            self.saved.send(self, document=record, previous=None)

    # -- the recycle bin ---------------------------------------------------------------------

    def bin(self, limit: int = 100, start: int = 0,
            name: Name | None = None) -> tuple[list[Binned], int | None]:
        """Up to ``limit`` deleted pages that this user may bring back, of one name if given, the
        last deleted first, and where to go on: None at the end. Whoever may bring back few of
        many may get fewer than there are, with a place to go on."""
        ref = None if name is None else reference(name)
        found: list[Binned] = []
        for _ in range(BIN_SCANS):
            rows = self._store.bin(limit, start, ref)
            for row in rows:
                if len(found) == limit:
                    return found, start
                start += 1
                if self._may_undelete(row):
                    found.append(row)
            if len(rows) < limit:
                return found, None
        return found, start

    def binned(self, key: str, name: Name) -> tuple[Binned, Document]:
        """A page in the recycle bin, and what it was; raises RevisionNotFound or AccessDenied
        (it takes the right to delete the page)."""
        ref = reference(name)
        row = self._store.binned(key, ref)
        if row is None:
            raise RevisionNotFound(gettext(
                "%(ref)s is not in the recycle bin under %(key)s: it is back, or was purged",
                ref=ref, key=f"{key!r:.80}"))
        document = self._store.deleted(key, ref)
        require(self.user, Right.DELETE, document)
        return row, document

    def binned_revisions(self, key: str, name: Name, limit: int | None = None) -> list[Revision]:
        """The history of a page in the recycle bin, newest first; raises as :meth:`binned`."""
        self.binned(key, name)
        return self._store.deleted_revisions(key, reference(name), limit)

    def undelete(self, key: str, name: Name, new_name: Name | None = None,
                 comment: str = "Restored from the recycle bin") -> Document:
        """Bring a page back from the recycle bin with its history and attachments, under its
        own name or another one; returns it as saved.

        Raises RevisionNotFound, AccessDenied, or DocumentExists where the name is taken.
        """
        _, document = self.binned(key, name)
        old = reference(name)
        new = old if new_name is None else reference(new_name)
        self.restore(key, [replace(document, reference=new)], comment, None if new == old else old)
        return self._store.get(new)

    def purge(self, pages: Sequence[tuple[str, Name]]) -> None:
        """Remove pages, named by key and name, from the recycle bin for good; raises
        AccessDenied without the admin right."""
        require(self.user, Right.ADMIN)
        self._store.purge([(key, reference(name)) for key, name in pages])

    def prune_bin(self, before: datetime) -> int:
        """Remove for good what was deleted before that moment; returns how many pages that were.
        Raises AccessDenied without the admin right."""
        require(self.user, Right.ADMIN)
        number = 0
        while rows := self._store.bin(1000, before=before):
            self._store.purge([(row.key, row.reference) for row in rows])
            number += len(rows)
        return number

    def _may_undelete(self, row: Binned) -> bool:
        if allows(self.user, Right.ADMIN):
            return True
        try:
            return allows(self.user, Right.DELETE, self._store.deleted(row.key, row.reference))
        except (RevisionNotFound, DamagedPage):
            return False

    # -- attachments' bytes ------------------------------------------------------------------

    def put_blob(self, stream: BinaryIO | bytes) -> tuple[str, int]:
        """Keep an attachment's bytes before a document names them: (sha256, size)."""
        require(self.user, Right.EDIT)
        blob = self._store.put_blob(stream, self.upload_limit)
        return blob.sha256, blob.size

    def open_blob(self, sha256: str) -> BinaryIO:
        return self._store.open_blob(sha256)


def runnable(document: Document) -> tuple[Object, ...]:
    """The objects of the document that run."""
    return tuple(obj for obj in document.objects if obj.class_name in RUNNABLE_CLASSES)


def make_query(class_name: Name | None, conditions: Mapping[str, Any],
               order_by: str | tuple[str, ...], limit: int | None, offset: int,
               space: str | None) -> Query:
    """A store's query from keyword conditions (``year__gt=1965``); raises QueryError."""
    orders = (order_by,) if isinstance(order_by, str) else tuple(order_by)
    return Query(None if class_name is None else str(reference(class_name)),
                 tuple(_condition(key, value) for key, value in conditions.items()),
                 tuple(_order_field(field) for field in orders), space, limit=limit,
                 offset=offset)


def _condition(key: str, value: Any) -> Condition:
    field, separator, operator = key.rpartition("__")
    if not separator:
        return Condition(key, "eq", value)
    if operator not in OPERATORS:
        raise QueryError(gettext(
            "%(key)s: %(operator)s is no operator; there are %(names)s", key=key,
            operator=repr(operator), names=", ".join(OPERATORS)))
    return Condition(field, cast(Operator, operator), value)


def _order_field(field: str) -> str:
    sign, name = ("-", field[1:]) if field.startswith("-") else ("", field)
    if name.startswith("object."):
        return sign + name.removeprefix("object.")
    return sign + (f"doc.{name}" if name in DOCUMENT_FIELDS else name)
