"""Measure the embedded store: ``python -m bench.store [pages]``; prints medians.

A page has a title, 20 words of content and one object of 8 properties, as a CSV row makes it.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from wiki.model import Document, Object
from wiki.references import Reference
from wiki.store import Store, open_store
from wiki.store.base import Condition, Query

CLASS = "Bench.RowClass"
ROUNDS = 5


def page(space: str, number: int) -> Document:
    values = {"status": "READY" if number % 2 else "DONE", "number": number,
              **{f"text{column}": f"value {column} of {number}" for column in range(6)}}
    return Document(Reference((space,), f"Page {number}"), title=f"Page {number}",
                    content="some words of content " * 5 + str(number),
                    updated=datetime.now(UTC), objects=(Object(CLASS, 0, values),))


def seconds(action: Callable[[], object]) -> float:
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def rate(label: str, number: int, action: Callable[[int], object]) -> None:
    """Print the median of the rounds, in actions a second."""
    found = median(number / seconds(lambda turn=turn: action(turn))  # type: ignore[misc]
                   for turn in range(ROUNDS))
    print(f"{label:<52} {found:>10,.0f} /s")


def milliseconds(label: str, action: Callable[[], object]) -> None:
    found = median(1000 * seconds(action) for _ in range(21))
    print(f"{label:<52} {found:>10,.2f} ms")


def save_single(store: Store, turn: int, number: int) -> None:
    for row in range(number):
        store.save(page(f"Single{turn}", row), None)


def save_batch(store: Store, turn: int, number: int) -> None:
    with store.batch():
        for row in range(number):
            store.save(page(f"Batch{turn}", row), None)


def read(store: Store, number: int) -> None:
    for row in range(number):
        store.get(Reference(("Batch0",), f"Page {row}"))


def read_anew(data: Path, number: int) -> None:
    store = open_store(data)
    read(store, number)
    store.close()


def measure(data: Path, pages: int) -> None:
    store = open_store(data)
    each = max(pages // ROUNDS, 1000)
    rate("saves, one at a time", 200, lambda turn: save_single(store, turn, 200))
    rate(f"saves in a batch of {each:,}", each, lambda turn: save_batch(store, turn, each))
    total = store.count(Query())
    print(f"{total:,} pages:")
    rate("  reads of pages that were read before", 1000, lambda _: read(store, 1000))
    rate("  reads of pages never read", 1000, lambda _: read_anew(data, 1000))
    ready = (Condition("status", "eq", "READY"),)
    milliseconds("  the first 20 READY in order", lambda: list(
        store.query(Query(CLASS, ready, limit=20))))
    milliseconds("  the first 20 by a number, descending", lambda: list(
        store.query(Query(CLASS, order_by=("-number",), limit=20))))
    milliseconds("  the number of READY", lambda: store.count(Query(CLASS, ready)))
    milliseconds("  a search with 20 results", lambda: store.search("content 777"))
    milliseconds("  the 50 last changes", store.changes)
    milliseconds("  opening the wiki", lambda: open_store(data).close())
    print(f"  looking for changed files: {seconds(store.heal):.2f} s")
    print(f"  reindex: {seconds(store.reindex):.2f} s")
    store.close()


def main() -> None:
    pages = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as directory:
        measure(Path(directory) / "data", pages)


if __name__ == "__main__":
    main()
