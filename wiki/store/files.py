"""Where pages and their revisions lie on disk, and how a commit changes them.

Every step can be done again after a crash in the middle: the journal's records are applied to
what is there, and what is there already is left alone. A page's file is never changed in place.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from wiki.errors import InvalidDocument, RevisionNotFound
from wiki.model import Version
from wiki.references import Reference
from wiki.store import names
from wiki.store.journal import Rename, Restore, Write
from wiki.store.pagedb import version_of
from wiki.translate import gettext

SUFFIX = ".json"
#: Marks a page's folder of revisions; no encoded name has a dot in it.
HISTORY_SUFFIX = ".d"


@dataclass(frozen=True, slots=True)
class Stamp:
    """Tells whether a file has changed: its time in nanoseconds, size and inode."""

    mtime_ns: int
    size: int
    inode: int = 0

    @classmethod
    def of(cls, result: os.stat_result) -> Stamp:
        return cls(result.st_mtime_ns, result.st_size, result.st_ino)


class PageFiles:
    """The folders ``pages`` and ``history``; writing needs the writer's lock.

    ``deleted`` has a folder with both for each key of the bin: a run that deleted pages, or
    another deletion.
    """

    def __init__(self, pages: Path, history: Path, temporary: Path,
                 deleted: Path | None = None) -> None:
        self.pages = pages
        self.history = history
        self._deleted = deleted
        # One name suffices, since there is one writer; a crash leaves one file at most.
        self._temporary = temporary / "page"
        self._folders: set[Path] = set()
        #: The page's file, or InvalidDocument where its name is too long for one. Making a path
        #: takes longer than asking whether the file is there.
        self.path = lru_cache(maxsize=2048)(self._path)

    def folders(self) -> list[Path]:
        """Where the files lie, with all that is below."""
        return [folder for folder in (self.pages, self.history, self._temporary.parent,
                                      self._deleted) if folder is not None and folder.is_dir()]

    def _path(self, reference: Reference) -> Path:
        return self.pages / f"{names.page_path(reference)}{SUFFIX}"

    def exists(self, reference: Reference) -> bool:
        """Whether the page has a file, damaged or not."""
        try:
            return self.path(reference).exists()
        except InvalidDocument:  # too long to be kept
            return False

    def history_folder(self, reference: Reference) -> Path:
        return self.history / f"{names.page_path(reference)}{HISTORY_SUFFIX}"

    def revision_path(self, reference: Reference, version: Version) -> Path:
        return self.history_folder(reference) / f"{version}{SUFFIX}"

    def read(self, path: Path) -> tuple[bytes, Stamp]:
        """A file with the stamp that it had; raises FileNotFoundError."""
        with path.open("rb") as file:
            stamp = Stamp.of(os.fstat(file.fileno()))
            return file.read(), stamp

    def versions(self, reference: Reference) -> list[Version]:
        """The versions kept as revisions, newest first."""
        try:
            found = os.listdir(self.history_folder(reference))
        except FileNotFoundError:
            return []
        return sorted((Version.parse(name.removesuffix(SUFFIX)) for name in found
                       if name.endswith(SUFFIX)), reverse=True)

    def revision(self, reference: Reference, version: Version) -> bytes:
        """Raises RevisionNotFound."""
        try:
            return self.revision_path(reference, version).read_bytes()
        except FileNotFoundError:
            raise RevisionNotFound(gettext(
                "%(page)s has no revision %(version)s", page=reference, version=version)) from None

    def walk(self) -> Iterator[tuple[Path, dict[str, Stamp]]]:
        """Every folder of pages with its files' names and stamps."""
        for folder, folders, found in os.walk(self.pages):
            folders.sort()
            files = {}
            for name in found:
                if name.endswith(SUFFIX):
                    with suppress(FileNotFoundError):  # deleted since the folder was read
                        files[name] = Stamp.of(os.stat(os.path.join(folder, name)))
            if files:
                yield Path(folder), files

    # -- changes ---------------------------------------------------------------------------

    def write(self, chain: Sequence[Write], replay: bool = False) -> Stamp:
        """Bring a page through the successive writes; what each replaces becomes a revision."""
        last = chain[-1]
        path = self.path(last.reference)
        if replay:
            present = self._keep_replayed(path, chain)
            if present is not None:
                return present
        elif chain[0].previous is not None:
            self._link(path, chain[0].reference, chain[0].previous)
        for earlier in chain[:-1]:
            self._put(self.revision_path(earlier.reference, earlier.version), earlier.text)
        return self._put(path, last.text)

    def kept(self, run: str) -> PageFiles:
        """What the run deleted."""
        if self._deleted is None:
            raise RevisionNotFound(gettext(
                "nothing is kept here of what run %(run)s deleted", run=run))
        return PageFiles(self._deleted / run / "pages", self._deleted / run / "history",
                         self._temporary.parent)

    def keep(self, reference: Reference, run: str) -> None:
        """Move the page with its revisions to what the run deleted, the page itself last, which
        says that this is done; what the run made and deleted there after that is not kept."""
        bin_ = self.kept(run)
        if not bin_.exists(reference):
            self._move_history(self.history_folder(reference), bin_.history_folder(reference))
            with suppress(FileNotFoundError):
                bin_._folder(bin_.path(reference).parent)
                os.replace(self.path(reference), bin_.path(reference))
        self.remove(reference)

    def restore(self, restore: Restore) -> Stamp:
        """Bring back a page that was deleted, with its revisions, and write over it."""
        write, name = restore.write, restore.name
        bin_ = self.kept(restore.run)
        self._move_history(bin_.history_folder(name), self.history_folder(write.reference))
        if write.previous is not None:
            self._link(bin_.path(name), write.reference, write.previous)
        stamp = self._put(self.path(write.reference), write.text)
        self.purge(restore.run, name)
        return stamp

    def purge(self, key: str, reference: Reference) -> None:
        """Remove a deleted page for good, with the key's folders where it was the last."""
        bin_ = self.kept(key)
        bin_.remove(reference)
        with suppress(OSError):  # another page is in them
            for folder in (bin_.history, bin_.pages, bin_.pages.parent):
                if folder.exists():
                    folder.rmdir()

    def remove(self, reference: Reference) -> None:
        with suppress(FileNotFoundError):
            self.path(reference).unlink()
        with suppress(FileNotFoundError):
            shutil.rmtree(self.history_folder(reference))
        self._prune(self.path(reference).parent, self.pages)
        self._prune(self.history_folder(reference).parent, self.history)

    def move(self, rename: Rename) -> Stamp:
        """Move a page with its revisions; its last version becomes one of them."""
        old, new = rename.old, rename.write.reference
        if rename.write.previous is not None:
            self._link(self.path(old), old, rename.write.previous)
        self._move_history(self.history_folder(old), self.history_folder(new))
        stamp = self._put(self.path(new), rename.write.text)
        self.remove(old)
        return stamp

    def _move_history(self, source: Path, target: Path) -> None:
        if source.is_dir():
            self._folder(target)
            for entry in os.listdir(source):
                os.replace(source / entry, target / entry)

    def _keep_replayed(self, path: Path, chain: Sequence[Write]) -> Stamp | None:
        """What stands there after a crash: the last text (its stamp is returned), or the version
        before the chain, which is kept; anything else is torn, or stands in the chain itself."""
        try:
            text, stamp = self.read(path)
        except FileNotFoundError:
            return None
        if text == chain[-1].text:
            for earlier in chain[:-1]:
                self._put(self.revision_path(earlier.reference, earlier.version), earlier.text)
            return stamp
        version = version_of(text)
        if version is not None and version == chain[0].previous:
            self._link(path, chain[0].reference, version)
        return None

    def _link(self, path: Path, reference: Reference, version: Version) -> None:
        target = self.revision_path(reference, version)
        self._folder(target.parent)
        with suppress(FileExistsError, FileNotFoundError):
            os.link(path, target)

    def _put(self, path: Path, text: bytes) -> Stamp:
        self._folder(path.parent)
        with self._temporary.open("wb") as file:
            file.write(text)
            file.flush()
            stamp = Stamp.of(os.fstat(file.fileno()))
        os.replace(self._temporary, path)
        return stamp

    def _folder(self, folder: Path) -> None:
        if folder not in self._folders or not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            self._folders.add(folder)

    def _prune(self, folder: Path, root: Path) -> None:
        """Remove the folders that have become empty."""
        while folder != root:
            try:
                folder.rmdir()
            except OSError:
                return
            self._folders.discard(folder)
            folder = folder.parent
