"""Who has a page's editor open now: notes that all workers on the data share.

A note is a file below ``data/editing``, one for each page and user; its time of change says when
the user was last heard of. It is a hint for people, and holds up nobody.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from wiki.references import Reference

#: How often an open editor tells that it is open, in seconds.
EVERY = 20
#: After so many seconds without a word, nobody is there any more.
GONE = 60


class Presence:
    """The notes in a folder. ``clock`` gives seconds since the epoch."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock

    def enter(self, page: Reference, user: str) -> None:
        """Note that the user has the page's editor open."""
        note = self._note(page, user)
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(user)

    def leave(self, page: Reference, user: str) -> None:
        """Take the note away, where there is one."""
        self._note(page, user).unlink(missing_ok=True)

    def others(self, page: Reference, user: str) -> list[str]:
        """Who else has it open, by name; notes of those who are gone are cleared away."""
        names = []
        for note in self._pages_folder(page).glob("*"):
            with suppress(FileNotFoundError):  # somebody left just now
                if note.stat().st_mtime < self._clock() - GONE:
                    note.unlink()
                elif (name := note.read_text()) and name != user:
                    names.append(name)
        return sorted(names)

    def _pages_folder(self, page: Reference) -> Path:
        return self._folder / digest(str(page))

    def _note(self, page: Reference, user: str) -> Path:
        return self._pages_folder(page) / digest(user)


def digest(name: str) -> str:
    """A name of any length and letters as one that a file may have."""
    return hashlib.blake2b(name.encode(), digest_size=16).hexdigest()
