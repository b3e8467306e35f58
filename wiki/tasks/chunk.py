"""Items that are made durable together, so that many small ones are fast."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from wiki.api import Wiki
from wiki.errors import Conflict, DocumentExists, DocumentNotFound, WikiError
from wiki.tasks.checkpoint import Checkpoint

if TYPE_CHECKING:
    from wiki.tasks.items import Item

#: How many items wait for one another, and for how long, in seconds.
SIZE = 200
SECONDS = 0.5


class Chunk:
    """A batch around some items, and which of them ended well."""

    def __init__(self, wiki: Wiki, checkpoint: Checkpoint) -> None:
        self._wiki = wiki
        self._checkpoint = checkpoint
        self._batch: ExitStack | None = None
        self._items: list[Item[Any]] = []
        self._until = 0.0

    def open(self) -> None:
        """Begin a batch, unless one is begun."""
        if self._batch is None:
            self._batch = ExitStack()
            self._batch.enter_context(self._wiki.batch())
            self._until = time.monotonic() + SECONDS

    def add(self, item: Item[Any]) -> None:
        """An item that ended well."""
        self._items.append(item)

    @property
    def full(self) -> bool:
        return len(self._items) >= SIZE or time.monotonic() >= self._until

    def close(self) -> list[tuple[Item[Any], WikiError]]:
        """End the batch. Returns the items that were not kept, and why: somebody may have saved
        one of their pages before the batch ended."""
        batch, items = self._batch, self._items
        self._batch, self._items = None, []
        error: WikiError = Conflict("one of its pages, or of an item's that was saved together "
                                    "with it, was saved by somebody else at the same moment")
        try:
            if batch is not None:
                batch.close()
        except (Conflict, DocumentExists, DocumentNotFound) as conflict:
            error = conflict
        return [(item, error) for item in items if not self._checkpoint.has(item.mark)]
