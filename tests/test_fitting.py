"""What queries find after any changes, against a plain look through all pages."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wiki.model import Document, Object, Version
from wiki.references import Reference
from wiki.store import Store, bits, kept, open_store, query
from wiki.store.base import Condition, Query, Row
from wiki.store.index import Index
from wiki.store.order import sort_key

CLASS, OTHER = "Code.C", "Code.D"
NOW = datetime(2026, 11, 24, 5, 10, 22, 123456, UTC)
REFERENCES = [Reference.parse(name) for name in ("A.p", "A.q", "A.r", "A.B.p", "A.B.s", "C.p")]
NUMBERS = st.integers(0, 3)
TEXTS = st.sampled_from(["", "a", "b", "Ab", "2"])

values = st.fixed_dictionaries({}, optional={
    "n": NUMBERS, "t": TEXTS, "yes": st.booleans(), "many": st.lists(TEXTS, max_size=2)})
an_object = st.builds(Object, st.sampled_from([CLASS, CLASS, OTHER]), st.integers(0, 2), values)
pages = st.builds(
    Document, st.sampled_from(REFERENCES), title=TEXTS, hidden=st.booleans(),
    tags=st.lists(st.sampled_from("xyz"), max_size=2, unique=True).map(tuple),
    objects=st.lists(an_object, max_size=3,
                     unique_by=lambda obj: (obj.class_name, obj.number)).map(tuple),
    created=st.just(NOW), updated=st.just(NOW))
#: What becomes of pages between two looks: saved, or by its name deleted.
changes = st.lists(pages | st.sampled_from(REFERENCES), min_size=1, max_size=6)
OPERATORS = ("eq", "ne", "lt", "le", "gt", "ge")
of_properties = st.one_of(
    st.builds(Condition, st.just("n"), st.sampled_from(OPERATORS), NUMBERS),
    st.builds(Condition, st.just("n"), st.sampled_from(["eq", "ne"]), st.just("")),
    st.builds(Condition, st.sampled_from(["t", "many"]), st.sampled_from(["eq", "ne"]), TEXTS),
    st.builds(Condition, st.sampled_from(["t", "many"]),
              st.sampled_from(["contains", "startswith"]), st.sampled_from("ab")),
    st.builds(Condition, st.sampled_from(["t", "many"]), st.just("in"),
              st.lists(TEXTS, max_size=2)),
    st.builds(Condition, st.just("yes"), st.just("eq"), st.booleans()))
of_documents = st.one_of(
    st.builds(Condition, st.just("doc.title"), st.sampled_from(["eq", "ne", "contains"]), TEXTS),
    st.builds(Condition, st.just("doc.name"), st.sampled_from(OPERATORS), st.sampled_from("pr")),
    st.builds(Condition, st.just("doc.name"), st.just("in"), st.lists(st.sampled_from("pr"))),
    st.builds(Condition, st.just("doc.tags"), st.sampled_from(["eq", "ne"]),
              st.sampled_from(["", "x", "y"])),
    st.builds(Condition, st.just("doc.tags"), st.just("in"),
              st.lists(st.sampled_from(["", "x", "y"]), max_size=2)))
PLACES = ({}, {"hidden": False}, {"space": "A"}, {"space": "A", "nested": True, "hidden": False})
OF_DOCUMENTS = ("doc.title", "-doc.title", "doc.updated")
asked = st.one_of(
    st.builds(lambda where, order, place: Query(CLASS, where, order, **place),
              st.lists(of_properties | of_documents, max_size=3).map(tuple),
              st.lists(st.sampled_from(["n", "-n", "t", "-t", "many", *OF_DOCUMENTS]),
                       max_size=2).map(tuple), st.sampled_from(PLACES)),
    st.builds(lambda where, order, place: Query(None, where, order, **place),
              st.lists(of_documents, max_size=2).map(tuple),
              st.lists(st.sampled_from(OF_DOCUMENTS), max_size=1).map(tuple),
              st.sampled_from(PLACES)))


def items(value: Any) -> list[Any]:
    listed = value if isinstance(value, list) else [value]
    return [item for item in listed if item not in (None, "")]


def has(present: list[Any], operator: str, value: Any) -> bool:
    """Whether one of some values fits a condition, or for ``ne`` none."""
    if operator == "in":
        return any(has(present, "eq", choice) for choice in value)
    if operator == "ne":
        return not has(present, "eq", value)
    if value == "" and operator == "eq":
        return not present
    compare: Mapping[str, Callable[[Any, Any], bool]] = {
        "eq": lambda a, b: a == b, "lt": lambda a, b: a < b, "le": lambda a, b: a <= b,
        "gt": lambda a, b: a > b, "ge": lambda a, b: a >= b,
        "contains": lambda a, b: b.casefold() in a.casefold(),
        "startswith": lambda a, b: a.casefold().startswith(b.casefold())}
    return any(compare[operator](item, value) for item in present)


def fits(page: Document, wanted: Query) -> bool:
    space = page.reference.space
    if wanted.space is not None and space != wanted.space and not (
            wanted.nested and space.startswith(f"{wanted.space}.")):
        return False
    if page.hidden and not wanted.hidden:
        return False
    of_page = [one for one in wanted.where if one.field.startswith("doc.")]
    of_object = [one for one in wanted.where if not one.field.startswith("doc.")]
    return all(fits_page(page, one) for one in of_page) and (wanted.class_name is None or any(
        all(has(items(obj.values.get(one.field)), one.operator, one.value) for one in of_object)
        for obj in page.objects_of(wanted.class_name)))


def fits_page(page: Document, one: Condition) -> bool:
    if one.field == "doc.tags":
        return has(list(page.tags), one.operator, one.value)
    text = page.title if one.field == "doc.title" else page.reference.name
    if one.value == "":  # a title is never without a value
        return (text != "") if one.operator == "ne" else one.operator == "contains" or text == ""
    return has([text], one.operator, one.value)


def found(pages: Mapping[Reference, Document], wanted: Query) -> list[Reference]:
    fit = [page for page in pages.values() if fits(page, wanted)]
    fit.sort(key=lambda page: sort_key(
        Row(page.reference, page.title, page.author, page.updated, page.version), wanted,
        pages.__getitem__))
    return [page.reference for page in fit]


def counted(pages: Mapping[Reference, Document], wanted: Query, name: str) -> dict[str, int]:
    """How many pages that fit have each text as a value, or as a tag."""
    total: Counter[str] = Counter()
    for reference in found(pages, replace(wanted, order_by=())):
        page = pages[reference]
        total.update(page.tags if name == "doc.tags" else {
            item for obj in page.objects_of(CLASS) for item in items(obj.values.get(name))})
    return dict(total)


def change(store: Store, pages: dict[Reference, Document], what: Document | Reference) -> None:
    if isinstance(what, Reference):
        if pages.pop(what, None) is not None:
            store.delete(what)
        return
    before = pages.get(what.reference)
    made = what if before is None else replace(
        what, version=Version(before.version.major + 1, 1))
    pages[made.reference] = store.save(made, before.version if before else None)


@contextmanager
def opened(number: int = 1) -> Iterator[list[Store]]:
    """Stores of one wiki, as several processes have it open."""
    with tempfile.TemporaryDirectory() as folder:
        stores = [open_store(Path(folder)) for _ in range(number)]
        yield stores
        for store in stores:
            store.close()


@pytest.mark.parametrize(("few", "deep", "many", "again"), [
    (query.FEW, query.DEEP, bits.MANY, kept.FEW), (0, 0, 0, 1), (1, 1, bits.MANY, 3)])
@settings(deadline=None, max_examples=10)
@given(rounds=st.lists(changes, min_size=1, max_size=4),
       queries=st.lists(asked, min_size=1, max_size=5), offset=st.integers(0, 4))
def test_what_fits_is_found_after_any_changes(
        few: int, deep: int, many: int, again: int, rounds: list[list[Document | Reference]],
        queries: list[Query], offset: int) -> None:
    pages: dict[Reference, Document] = {}
    with opened(2) as stores, pytest.MonkeyPatch.context() as patch:
        patch.setattr(query, "FEW", few)  # more documents are looked through in order
        patch.setattr(query, "DEEP", deep)  # further rows are found by their keys first
        patch.setattr(bits, "MANY", many)  # of more values no sets are kept
        patch.setattr(kept, "FEW", again)  # after more changes, all is looked at again
        for made in rounds:
            for what in made:
                change(stores[0], pages, what)
            for store, wanted in ((store, wanted) for wanted in queries for store in stores):
                expected = found(pages, wanted)
                assert [row.reference for row in store.query(wanted)] == expected
                part = replace(wanted, offset=offset, limit=2)
                assert [row.reference for row in store.query(part)] == expected[offset:offset + 2]
                assert store.count(wanted) == len(expected)
                assert store.counts(wanted, "doc.tags") == counted(pages, wanted, "doc.tags")
                if wanted.class_name is not None:
                    assert store.counts(wanted, "many") == counted(pages, wanted, "many")


def test_a_page_made_anew_under_its_old_name_is_another_document() -> None:
    """The last number is given again, others are not: neither may be mistaken for the old."""
    two = (Object(CLASS, 0, {"t": "a"}), Object(CLASS, 1, {"t": "a"}))
    first, last = (Document(reference, created=NOW, updated=NOW, objects=two)
                   for reference in REFERENCES[:2])
    both = Query(CLASS, (Condition("t", "eq", "a"), Condition("t", "ne", "b")))
    with opened() as (store,):
        for page in (first, last):
            store.save(page, None)
        assert (store.count(both), store.count(Query())) == (2, 2)
        for page in (first, last):
            store.delete(page.reference)
            store.save(replace(page, objects=()), None)
            store.delete(page.reference)
            store.save(page, None)
            assert (store.count(both), store.count(Query())) == (2, 2)
        store.save(replace(first, version=Version(2, 1), objects=()), first.version)
        assert (store.count(both), store.count(Query())) == (1, 2)
        store.reindex()
        assert [row.reference for row in store.query(both)] == [last.reference]


@given(st.sets(st.integers(0, 300)), st.sets(st.integers(0, 300)))
def test_sets_as_bits_are_sets(one: set[int], other: set[int]) -> None:
    first, second = bits.to_bits(one), bits.to_bits(other)
    assert bits.to_numbers(first & second) == sorted(one & other)
    assert bits.to_numbers(first & ~second) == sorted(one - other)
    assert [n for n, digit in enumerate(bits.to_digits(first)) if digit == ord("1")] == sorted(one)
    assert list(bits.to_flags(first, 400)) == [n in one for n in range(401)]
    objects = [bits.Objects(first, frozenset(bits.APART * n + 7 for n in given))
               for given in (one, other)]
    assert bits.to_numbers(objects[0].documents) == sorted(one)
    assert reduce(bits.Objects.__and__, objects).others == objects[0].others & objects[1].others
    assert bits.to_numbers(objects[0].within(second).documents) == sorted(one & other)


def test_what_is_kept_takes_no_more_memory_than_it_may(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = Index(tmp_path / "index.db", open)
    index.create()
    sets, looks = kept.Kept(index), Counter[int]()

    def ask(number: int) -> None:
        def find(_: object) -> bits.Objects:
            looks[number] += 1
            return bits.Objects(1 << 8000)

        assert sets.get(number, find).first == 1 << 8000

    monkeypatch.setattr(kept, "MOST", 5000)  # three of them
    for number in (0, 1, 2, 0, 3, 0, 2, 1):  # 1 is the one that was not asked for lately
        ask(number)
        assert sets.size <= kept.MOST
    assert looks == {0: 1, 1: 2, 2: 1, 3: 1}
    index.close()


@pytest.mark.parametrize("offset", range(7))
def test_rows_by_a_property_are_passed_over_part_by_part(
        monkeypatch: pytest.MonkeyPatch, offset: int) -> None:
    """Numbers come first, then pages without a value, then texts."""
    monkeypatch.setattr(query, "FEW", 0)
    pages = {reference: Document(reference, created=NOW, updated=NOW, objects=(
        Object(CLASS, 0, {"n": value} if value != "" else {}),)) for reference, value in zip(
            REFERENCES, ("b", 2, "", 1, "", "a"), strict=True)}
    with opened() as (store,):
        for page in pages.values():
            store.save(page, None)
        for order in ("n", "-n"):
            wanted = Query(CLASS, order_by=(order,))
            assert [row.reference for row in store.query(replace(wanted, offset=offset))] == found(
                pages, wanted)[offset:]
