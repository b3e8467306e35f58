"""Files for a page that is not there yet: held for who writes it, until the first save.

Their bytes are in the store as any attachment's are. What names them is a note below
``data/held``, one for each user, page and filename, so that they are still there when a form
comes back with an error, or another day. Notes that are never used go after a month, and what
nothing names any more is cleared away with all such bytes (see :mod:`wiki.store.orphans`).
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from wiki.model import Attachment, media_type
from wiki.references import Reference
from wiki.web.presence import digest

#: How long a file is held, in seconds: as long as an editor keeps a draft.
HELD = 30 * 86_400


class Held:
    """The notes in a folder. ``clock`` gives seconds since the epoch."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock

    def keep(self, page: Reference, user: str, file: Attachment) -> None:
        """Hold a file whose bytes the store has, in place of another of its name."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._clear()
        fresh = self._folder / uuid.uuid4().hex
        fresh.write_text(json.dumps({"filename": file.filename, "size": file.size,
                                     "sha256": file.sha256}))
        os.replace(fresh, self._folder / f"{_prefix(page, user)}{digest(file.filename)}")

    def of(self, page: Reference, user: str) -> list[Attachment]:
        """What the user's page is going to have, by filename."""
        found = []
        for note in self._notes(page, user):
            with suppress(FileNotFoundError):  # dropped just now
                if self._is_old(note):
                    continue
                kept = json.loads(note.read_text())
                found.append(Attachment(
                    kept["filename"], kept["size"], media_type(kept["filename"]), kept["sha256"],
                    user, datetime.fromtimestamp(note.stat().st_mtime, UTC)))
        return sorted(found, key=lambda file: file.filename)

    def drop(self, page: Reference, user: str) -> None:
        """Hold nothing for the user's page any more."""
        for note in self._notes(page, user):
            note.unlink(missing_ok=True)

    def _notes(self, page: Reference, user: str) -> list[Path]:
        return list(self._folder.glob(f"{_prefix(page, user)}*"))

    def _clear(self) -> None:
        for note in self._folder.iterdir():
            with suppress(FileNotFoundError):
                if self._is_old(note):
                    note.unlink()

    def _is_old(self, note: Path) -> bool:
        return note.stat().st_mtime < self._clock() - HELD


def _prefix(page: Reference, user: str) -> str:
    return f"{digest(f'{user} {page}')}-"
