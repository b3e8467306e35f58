"""A dry run's store: sees what the run has done, over the wiki, which stays as it is."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from wiki.api import Wiki
from wiki.errors import Conflict, DocumentNotFound, RevisionNotFound, StoreError
from wiki.model import Document, Object, Version
from wiki.references import Reference
from wiki.store import Store, open_store
from wiki.store.base import Condition, Query
from wiki.store.shadow import ShadowStore

RUN = "a1"
BOOK = "Books.BookClass"
NOW = datetime(2026, 11, 24, 5, 10, 22, tzinfo=UTC)
QUERIES = (
    Query(), Query(space="A"), Query("None.Such"), Query(BOOK), Query(BOOK, limit=3, offset=2),
    Query(BOOK, (Condition("year", "gt", 1960),), ("-year",)),
    Query(BOOK, order_by=("year", "-doc.name")), Query(BOOK, order_by=("-title", "doc.author")),
    Query(order_by=("-doc.updated",), limit=4), Query(order_by=("doc.created", "-doc.space")),
    Query(BOOK, (Condition("title", "contains", "e"),), ("-doc.title",), offset=1),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "data")
    yield opened
    opened.close()


@pytest.fixture
def shadow(store: Store, tmp_path: Path) -> Iterator[ShadowStore]:
    opened = ShadowStore(store, tmp_path / "shadow", RUN)
    yield opened
    opened.overlay.close()


@pytest.fixture
def run(shadow: ShadowStore) -> Wiki:
    return Wiki(shadow, "Users.Admin", run=RUN)


def ref(name: str) -> Reference:
    return Reference.parse(name)


def state(store: Store) -> dict[str, Any]:
    """All that can be asked of the pages."""
    rows = list(store.query(Query()))
    return {
        "pages": {str(row.reference): store.get(row.reference) for row in rows},
        "histories": {str(row.reference): [
            store.revision(row.reference, item.version).title
            for item in store.revisions(row.reference)] for row in rows},
        "queries": [list(store.query(query)) for query in QUERIES],
        "counts": [store.count(query) for query in QUERIES],
        "spaces": store.spaces(), "tags": store.tags(), "tagged": store.tagged("red"),
        "backlinks": store.backlinks(ref("A.P1")), "changes": store.changes(),
        "found": {str(hit.reference) for hit in store.search("word", limit=100)},
        "tally": store.tally(BOOK, "year"),
    }


class Author:
    """Does to any store the same things, by the same dice."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.step = 0

    def act(self, store: Store, steps: int) -> None:
        for _ in range(steps):
            self.step += 1
            kind = self.dice.choice(["save", "save", "save", "delete", "rename"])
            name, other = (ref(self.dice.choice("AB") + f".P{self.dice.randrange(12)}")
                           for _ in range(2))
            fields = self.fields(name)
            old = store.get(name) if store.exists(name) else None
            if kind == "save" or old is None:
                version = old.version.next() if old else Version(1, 1)
                store.save(Document(name, version=version, **fields),
                           old.version if old else None)
            elif kind == "delete":
                store.delete(name, old.version)
            elif not store.exists(other):
                store.rename(name, replace(old, reference=other, version=old.version.next(),
                                           **fields), old.version)

    def fields(self, name: Reference) -> dict[str, Any]:
        dice = self.dice
        books = (Object(BOOK, 0, {"year": 1950 + dice.randrange(30), "title": dice.choice(
            ["Dune", "Emma", "Ulysses"])}),) if dice.random() < 0.7 else ()
        return {"title": f"Title {self.step}", "objects": books,
                "content": dice.choice(["word", "[[A.P1]]", "none"]),
                "tags": tuple(dice.sample(["red", "blue"], dice.randrange(3))),
                "author": dice.choice(["Users.A", "Users.B"]),
                "created": NOW, "updated": NOW + timedelta(seconds=dice.randrange(9))}


@pytest.mark.parametrize("seed", range(6))
def test_a_shadow_answers_as_the_wiki_would_after_the_same_changes(
        store: Store, shadow: ShadowStore, tmp_path: Path, seed: int) -> None:
    plain = open_store(tmp_path / "plain")
    for first, second in ((plain, plain), (store, shadow)):
        author = Author(seed)
        author.act(first, 25)
        author.act(second, 25)
    assert state(shadow) == state(plain)
    plain.close()


def test_a_dry_run_leaves_the_wiki_as_it_is(store: Store, shadow: ShadowStore) -> None:
    author = Author(1)
    author.act(store, 25)
    before = state(store)
    author.act(shadow, 25)
    shadow.mark("done", "a")
    assert state(store) == before
    assert not store.marked("done", "a")
    assert store.touched(RUN) == []


def test_what_a_dry_run_would_touch_names_the_versions_of_the_wiki(
        store: Store, shadow: ShadowStore, run: Wiki) -> None:
    wiki = Wiki(store)
    for name in ("A.Changed", "A.Deleted", "A.Moved", "A.Anew"):
        wiki.new(name).save().save()
    run.get("A.Changed").save().save()
    run.new("A.Created").save()
    run.get("A.Deleted").delete()
    run.get("A.Moved").rename("B.Moved")
    run.get("A.Anew").delete()
    run.new("A.Anew").save()
    run.new("A.Passing").save().delete()
    assert [(str(page.reference), page.kind, str(page.before or ""), str(page.after or ""))
            for page in shadow.touched(RUN)] == [
        ("A.Anew", "changed", "2.1", "1.1"), ("A.Changed", "changed", "2.1", "4.1"),
        ("A.Created", "created", "", "1.1"), ("A.Deleted", "deleted", "2.1", ""),
        ("B.Moved", "moved", "2.1", "3.1")]


def test_a_shadow_refuses_what_the_wiki_would_refuse(store: Store, run: Wiki) -> None:
    wiki = Wiki(store)
    page = wiki.new("A.One").save()
    stale = run.get("A.One")
    run.get("A.One").save()
    with pytest.raises(Conflict):
        stale.save()
    run.get("A.One").delete()
    with pytest.raises(DocumentNotFound):
        run.delete("A.One")
    assert "A.One" not in run
    assert wiki.get("A.One").version == page.version


def test_a_page_made_anew_has_no_history_of_the_one_before(
        store: Store, shadow: ShadowStore, run: Wiki) -> None:
    Wiki(store).new("A.One").save().save()
    run.get("A.One").delete()
    run.new("A.One").save()
    assert [str(item.version) for item in shadow.revisions(ref("A.One"))] == ["1.1"]
    with pytest.raises(RevisionNotFound):
        shadow.revision(ref("A.One"), Version(2, 1))


def test_marks_of_the_wiki_are_seen_and_can_be_dropped(store: Store, run: Wiki) -> None:
    for key in ("a", "c"):
        store.mark("done", key)
    for key in ("b", "c"):
        run.mark("done", key)
    assert list(run.marks("done")) == ["a", "b", "c"]
    run.unmark("done")
    assert list(run.marks("done")) == [] and not run.marked("done", "a")
    run.mark("done", "d")
    assert list(run.marks("done")) == ["d"]
    assert list(store.marks("done")) == ["a", "c"]


def test_files_of_the_wiki_are_read_and_new_ones_stay_in_the_shadow(
        store: Store, run: Wiki) -> None:
    page = Wiki(store).new("A.One")
    page.attach("old.txt", b"old")
    page.save()
    shadowed = run.get("A.One")
    shadowed.attach("new.txt", b"new")
    shadowed.save()
    found = run.get("A.One")
    assert [found.attachment(name).read() for name in ("old.txt", "new.txt")] == [b"old", b"new"]
    assert list((store.data / "blobs").rglob("??*/?*")) != []  # type: ignore[attr-defined]
    with pytest.raises(LookupError):
        store.open_blob(found.attachment("new.txt").sha256)


def test_a_dry_run_takes_no_other_run_back(shadow: ShadowStore) -> None:
    with pytest.raises(StoreError, match="dry run"):
        shadow.restore("b2", [(Document(ref("A.One")), Version(1, 1))])
