"""What saves leave in the index, row by row."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from wiki.model import Attachment, Document, Object, Version
from wiki.references import Reference
from wiki.store import Store, open_store

CLASS = "Library.BookClass"
BOOK = Object(CLASS, 0, {"author": "Frank Herbert", "year": 1965, "languages": ["en", "de", "en"],
                         "shelf": "Library.Shelf", "summary": "sand " * 100})
PAGE = Document(Reference.parse("Library.Dune"), title="Dune", content="On [[Library.Arrakis]].",
                tags=("sand", "spice"), objects=(BOOK,), parent="Library.Novels")
Edit = Callable[[Document], Document]


def with_values(**values: Any) -> Edit:
    return lambda page: replace(page, objects=(replace(BOOK, values={**BOOK.values, **values}),))


def fields(**values: Any) -> Edit:
    return lambda page: replace(page, **values)


EDITS: dict[str, Edit] = {
    "nothing": lambda page: page,
    "one value": with_values(year=1966),
    "a value to text": with_values(year="about 1965"),
    "fewer values": with_values(languages=["de"]),
    "more values": with_values(languages=["en", "de", "en", "fr", "fr"]),
    "a long value": with_values(summary="water " * 100),
    "a value gone": with_values(author=None),
    "two objects": fields(objects=(BOOK, replace(BOOK, number=1))),
    "no object": fields(objects=()),
    "the title": fields(title="Dune Messiah"),
    "no title": fields(title=""),
    "the content": fields(content="Back on [[Library.Caladan]] and [[Library.Arrakis]]."),
    "the tags": fields(tags=("spice", "sand", "worm")),
    "the parent": fields(parent=""),
    "hidden": fields(hidden=True),
    "a file": fields(attachments=(Attachment("map.txt", 3, "text/plain", "0" * 64),)),
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def store(data: Path) -> Iterator[Store]:
    with closing(open_store(data)) as store:
        yield store


def save(store: Store, page: Document, version: int) -> None:
    store.save(replace(page, version=Version(version, 1)),
               Version(version - 1, 1) if version > 1 else None)


def rows(data: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the index, by table, without the numbers that it has given."""
    with closing(sqlite3.connect(data / "index.db")) as database:
        found = {}
        for table in ("objects", "properties", "sorts", "links", "tags", "files", "changes",
                      "documents"):
            columns = ", ".join(f'"{name}"' for _, name, *_ in database.execute(
                f"PRAGMA table_info({table})") if name not in ("id", "doc_id", "changed"))
            found[table] = sorted(database.execute(f"SELECT {columns} FROM {table}"), key=repr)
        for table in ("fulltext", "titles"):
            found[table] = sorted(database.execute(
                f"SELECT d.reference, t.* FROM {table} t JOIN documents d ON d.id = t.rowid"))
        for table in ("fulltext", "titles", "filetext"):
            database.execute(f"INSERT INTO {table}({table}) VALUES ('integrity-check')")
        return found


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_a_save_leaves_what_building_the_index_anew_does(store: Store, data: Path,
                                                         edit: Edit) -> None:
    neighbour = replace(PAGE, reference=Reference.parse("Library.Emma"))
    save(store, PAGE, 1)
    save(store, neighbour, 1)
    save(store, edit(PAGE), 2)
    with store.batch():  # a chunk of a page that is known and one that is not
        save(store, edit(neighbour), 2)
        save(store, edit(replace(PAGE, reference=Reference.parse("Library.Ubik"))), 1)
    left = rows(data)
    store.reindex()
    assert left == rows(data)
    save(store, PAGE, 3)
    left = rows(data)
    store.reindex()
    assert left == rows(data)


def test_a_page_deleted_and_made_anew_leaves_no_row_of_the_first(store: Store,
                                                                 data: Path) -> None:
    save(store, PAGE, 1)
    store.delete(PAGE.reference)
    assert not any(rows(data).values())
    save(store, replace(PAGE, objects=(), tags=()), 1)
    left = rows(data)
    store.reindex()
    assert left == rows(data)


def test_a_save_writes_the_rows_that_differ_and_no_others(store: Store, data: Path) -> None:
    def numbers(table: str) -> set[int]:
        with closing(sqlite3.connect(data / "index.db")) as database:
            return {number for (number,) in database.execute(f"SELECT rowid FROM {table}")}

    save(store, PAGE, 1)
    save(store, replace(PAGE, reference=Reference.parse("Library.Emma")), 1)
    before = {table: numbers(table) for table in ("properties", "sorts", "links", "tags")}
    save(store, with_values(year=1966)(PAGE), 2)
    after = {table: numbers(table) for table in before}
    assert {table: len(before[table] - after[table]) for table in before} == {
        "properties": 1, "sorts": 1, "links": 0, "tags": 0}
