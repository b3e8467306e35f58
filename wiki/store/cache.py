"""Parsed pages in memory, so that reading one again costs a look at its file's stamp."""

from __future__ import annotations

import threading
from collections import OrderedDict

from wiki.model import Document
from wiki.references import Reference
from wiki.store.files import Stamp


class PageCache:
    """Parsed pages, the least recently used dropped first; each good while its file is."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._entries: OrderedDict[Reference, tuple[Stamp, Document]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, reference: Reference, stamp: Stamp) -> Document | None:
        with self._lock:
            entry = self._entries.get(reference)
            if entry is None or entry[0] != stamp:
                return None
            self._entries.move_to_end(reference)
            return entry[1]

    def put(self, reference: Reference, stamp: Stamp, document: Document) -> None:
        with self._lock:
            self._entries[reference] = (stamp, document)
            self._entries.move_to_end(reference)
            while len(self._entries) > self._size:
                self._entries.popitem(last=False)
