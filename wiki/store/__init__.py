"""Where documents are kept: the protocol and its stores."""

from __future__ import annotations

from pathlib import Path

from wiki.store.base import Store
from wiki.store.tinydb import TinyDBStore

__all__ = ["Store", "open_store"]


def open_store(data: Path) -> Store:
    """The store of a data directory, which is made where there is none.

    Raises StoreError when the directory cannot be used.
    """
    return TinyDBStore(data)
