"""Where dry runs keep what they would have written: the last one of each task."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from wiki.store import Store
from wiki.store.shadow import ShadowStore
from wiki.tasks.runs import is_run_id


class Shadows:
    """The folder ``shadows`` of a data directory, with a folder for each task."""

    def __init__(self, data: Path) -> None:
        self._directory = data / "shadows"

    def begin(self, store: Store, task: str, run: str) -> ShadowStore:
        """A shadow of the wiki for a dry run, in place of that of the task's last one."""
        folder = self._folder(task)
        shutil.rmtree(folder, ignore_errors=True)
        return ShadowStore(store, folder / run, run)

    def open(self, store: Store, task: str, run: str) -> ShadowStore | None:
        """What the dry run left, over the wiki as it is now; None where it is not kept. Its
        overlay has to be closed."""
        folder = self._folder(task) / run
        return ShadowStore(store, folder, run) if is_run_id(run) and folder.is_dir() else None

    def _folder(self, task: str) -> Path:
        return self._directory / hashlib.sha256(task.encode()).hexdigest()[:32]
