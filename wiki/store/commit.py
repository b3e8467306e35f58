"""The one way to write: journal, files, index; and how an interrupted commit is finished.

All of it needs the writer's lock.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from wiki.errors import StoreError
from wiki.model import Document, Version
from wiki.references import Reference
from wiki.store import pagedb
from wiki.store.base import Binned
from wiki.store.batch import Removal, Save
from wiki.store.changelog import Log
from wiki.store.entries import Entry
from wiki.store.files import PageFiles, Stamp
from wiki.store.index import Index
from wiki.store.journal import (
    Delete,
    Header,
    Journal,
    Note,
    Operation,
    Position,
    Purge,
    Rename,
    Restore,
    SyncError,
    Touch,
    Unbin,
    Write,
    boot_id,
    sync_file_systems,
)
from wiki.store.marks import Marks

#: Past this many bytes the page files are made durable and the journal begins anew.
CHECKPOINT = 16 << 20


class Committer:
    """Applies changes; refuses to once a sync has failed."""

    def __init__(self, journal: Path, files: PageFiles, index: Index, marks: Marks) -> None:
        self._folder = journal.parent
        self._journal = Journal(journal)
        self._files = files
        self._index = index
        self._marks = marks
        #: The journal's position that this process left applied.
        self._applied: Position | None = None
        self._failed: SyncError | None = None

    def is_applied(self) -> bool:
        """Whether nothing waits to be applied. May be asked without the lock."""
        header = self._journal.header()
        return (header is not None and header.boot == boot_id() != ""
                and self._mark() == Position(header.generation, self._journal.size()))

    def recover(self) -> None:
        """Apply what a crash left unapplied; all of the journal after the machine went down,
        since page files are made durable only at checkpoints.

        Raises StoreError when this cannot be done now.
        """
        if self._failed is not None:
            raise StoreError("a write to this disk failed, so nothing more is written until the "
                             f"wiki is opened anew ({self._failed})")
        header = self._journal.header()
        if header is None:
            header = self._journal.begin()
        position = Position(header.generation, self._journal.size())
        same_boot = header.boot == boot_id() != ""
        if same_boot and position == self._applied:
            return
        mark = self._mark()
        if not same_boot:
            self._replay(header, header.end)
            self.checkpoint()
        elif mark is None or mark.generation != header.generation:
            self._replay(header, header.end)
        elif mark != position:
            self._replay(header, mark.offset)
        else:
            self._applied = position

    def save(self, saves: Sequence[tuple[Save, bytes]],
             asides: Sequence[Note] = ()) -> None:
        """Commit saves that are known to fit, and what is noted with them; raises StoreError."""
        writes = [Write(save.reference, save.document.version, save.expected, text)
                  for save, text in saves]
        touches = [Touch(save.document.run, save.reference, save.expected, save.document.version)
                   for save, _ in saves if save.document.run]
        latest = {save.reference: save.document for save, _ in saves}
        self._commit([*writes, *asides, *touches], latest)
        if self._applied is not None and self._applied.offset > CHECKPOINT:
            self.checkpoint()

    def delete(self, removals: Sequence[Removal], asides: Sequence[Note] = ()) -> None:
        """Commit removals, and what is noted with them; raises StoreError."""
        touches = [Touch(removal.run, removal.reference, removal.expected, None)
                   for removal in removals if removal.run]
        binned = [removal.binned for removal in removals if removal.binned is not None]
        self._commit([*(Delete(removal.reference, removal.kept) for removal in removals),
                      *asides, *touches, *binned], {})
        self.checkpoint()

    def rename(self, old: Reference, new: Document, expected: Version) -> None:
        """Commit a move; raises StoreError."""
        self._files.path(new.reference)
        touches = [Touch(new.run, new.reference, expected, new.version, old)] if new.run else []
        self._commit([Rename(old, _write(new, expected)), *touches], {new.reference: new})
        self.checkpoint()

    def restore(self, run: str, saves: Sequence[tuple[Document, Version]],
                origin: Reference | None = None) -> None:
        """Commit the return of what was deleted; raises StoreError."""
        for document, _ in saves:
            self._files.path(document.reference)
        restores = [Restore(run, _write(document, expected), origin)
                    for document, expected in saves]
        self._commit([*restores, *(Unbin(run, restore.name) for restore in restores)],
                     {document.reference: document for document, _ in saves})
        self.checkpoint()

    def purge(self, pages: Sequence[tuple[str, Reference]]) -> None:
        """Commit the end of what is in the bin; raises StoreError."""
        self._commit([operation for page in pages for operation in (Purge(*page), Unbin(*page))],
                     {})
        self.checkpoint()

    def checkpoint(self) -> None:
        """Make the page files durable and empty the journal.

        A removal or a move is always followed by one: a replay from the journal's beginning
        then never sees a page's name stand for two different pages. Raises StoreError; what was
        committed is durable then all the same.
        """
        try:
            sync_file_systems([self._folder, *self._files.folders()])
            header = self._journal.begin()
        except SyncError as error:
            self._failed = error
            raise
        except OSError as error:
            raise StoreError(f"the journal could not be begun anew: {error}") from error
        self._applied = Position(header.generation, header.end)
        self._index.set_meta("journal", str(self._applied))

    def mark_applied(self) -> None:
        """Note in a new index that it holds all that the journal does."""
        header = self._journal.header() or self._journal.begin()
        self._applied = Position(header.generation, self._journal.size())
        self._index.set_meta("journal", str(self._applied))

    def _mark(self) -> Position | None:
        return Position.parse(self._index.get_meta("journal"))

    def _commit(self, operations: Sequence[Operation],
                latest: dict[Reference, Document]) -> None:
        header = self._journal.header()
        if header is None:
            raise StoreError("the journal has vanished; open the wiki anew")
        self._applied = None
        try:
            end = self._journal.append(operations)
        except SyncError as error:
            self._failed = error
            raise
        except OSError as error:
            raise StoreError(f"nothing was saved: {error}") from error
        position = Position(header.generation, end)
        try:
            self._apply(operations, latest, position)
        except OSError as error:
            raise StoreError("the save is in the journal and will be done as soon as it can be; "
                             f"it could not be done now: {error}") from error
        self._applied = position

    def _replay(self, header: Header, start: int) -> None:
        end = start
        operations: list[Operation] = []
        for record, record_end in self._journal.read(start):
            operations.extend(record)
            end = record_end
        if end < self._journal.size():
            self._journal.cut(end)
        position = Position(header.generation, end)
        try:
            self._apply(operations, None, position)
        except OSError as error:
            raise StoreError(f"an interrupted save could not be finished: {error}") from error
        self._applied = position
        if any(isinstance(operation, Delete | Rename | Restore | Purge)
               for operation in operations):
            self.checkpoint()

    def _apply(self, operations: Sequence[Operation],
               latest: dict[Reference, Document] | None, position: Position) -> None:
        """Do it to the files and then to the index. ``latest`` is None in a replay: the
        documents are then read from the journal, and the files looked at before."""
        chains: dict[Reference, list[Write]] = {}
        removed: list[Reference] = []
        for operation in operations:
            if isinstance(operation, Write):
                chains.setdefault(operation.reference, []).append(operation)
        entries = {reference: Entry(_document(writes[-1], latest, self._files),
                                    self._files.write(writes, replay=latest is None))
                   for reference, writes in chains.items()}
        for operation in operations:
            if isinstance(operation, Delete):
                self._delete(operation)
                removed.append(operation.reference)
            elif isinstance(operation, Rename | Restore):
                write = operation.write
                entries[write.reference] = Entry(_document(write, latest, self._files),
                                                 self._bring(operation))
                if isinstance(operation, Rename):
                    removed.append(operation.old)
            elif isinstance(operation, Purge):
                self._files.purge(operation.key, operation.reference)
        self._marks.apply([operation for operation in operations
                           if isinstance(operation, Note)])
        kept = [entry for reference, entry in entries.items() if reference not in removed]
        self._index.update(kept, removed, str(position), self._log(operations, latest, entries))

    def _log(self, operations: Sequence[Operation], latest: dict[Reference, Document] | None,
             entries: dict[Reference, Entry]) -> Log:
        """What the log of changes tells of what was done, in order."""
        log = Log()
        for operation in operations:
            match operation:
                case Write():
                    log.saved(_document(operation, latest, self._files), operation.previous)
                case Binned():
                    log.deleted(operation)
                case Unbin(key, reference):
                    log.unbinned(key, reference)
                case Delete(reference):
                    log.gone(reference)
                case Rename(old, write):
                    log.gone(old)
                    log.anew(self._files, entries[write.reference].document)
                case Restore(_, write):
                    log.anew(self._files, entries[write.reference].document, restored=True)
        return log

    def _delete(self, operation: Delete) -> None:
        if operation.kept:
            self._files.keep(operation.reference, operation.kept)
        else:
            self._files.remove(operation.reference)

    def _bring(self, operation: Rename | Restore) -> Stamp:
        if isinstance(operation, Rename):
            return self._files.move(operation)
        return self._files.restore(operation)


def _write(document: Document, previous: Version) -> Write:
    return Write(document.reference, document.version, previous, pagedb.dumps(document))


def _document(write: Write, latest: dict[Reference, Document] | None,
              files: PageFiles) -> Document:
    """What is written, which is often the page's latest and need not be parsed."""
    known = latest.get(write.reference) if latest is not None else None
    if known is not None and known.version == write.version:
        return known
    return pagedb.loads(write.text, files.path(write.reference))


