"""What every store keeps to: the executable form of :mod:`wiki.store.base`."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wiki.errors import (
    AttachmentNotFound,
    Conflict,
    DocumentExists,
    DocumentNotFound,
    InvalidDocument,
    QueryError,
    RevisionNotFound,
    TooLarge,
)
from wiki.model import (
    FIRST,
    Attachment,
    ClassDefinition,
    Document,
    Object,
    Property,
    Version,
)
from wiki.references import Reference
from wiki.store import Store, open_store
from wiki.store.base import Condition, Query
from wiki.store.shadow import ShadowStore

NOW = datetime(2026, 11, 24, 5, 10, 22, 123456, UTC)
TASK = "Code.TaskClass"
BOOK = "Books.BookClass"
def open_shadow(data: Path) -> Store:
    """A store over another, which has nothing in it: it has to do all by itself."""
    return ShadowStore(open_store(data / "wiki"), data / "shadow", "a1")


STORES: dict[str, Callable[[Path], Store]] = {"embedded": open_store, "shadow": open_shadow}


@pytest.fixture(params=sorted(STORES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = STORES[request.param](tmp_path / "data")
    yield opened
    opened.close()


def ref(name: str) -> Reference:
    return Reference.parse(name)


def page(name: str, **fields: Any) -> Document:
    return Document(ref(name), **{"created": NOW, "updated": NOW, **fields})


def task(name: str, status: str, **values: Any) -> Document:
    return page(name, objects=(Object(TASK, 0, {"status": status, **values}),))


def book(name: str, **values: Any) -> Document:
    return page(name, objects=(Object(BOOK, 0, values),))


def names(store: Store, query: Query) -> list[str]:
    return [str(row.reference) for row in store.query(query)]


def where(field: str, operator: Any, value: Any, class_name: str | None = BOOK) -> Query:
    return Query(class_name, (Condition(field, operator, value),))


# -- documents -------------------------------------------------------------------------------


def test_a_page_comes_back_as_it_was_saved(store: Store) -> None:
    document = page(
        "A.B.Dr\\. Nö", title="Title", content="Line\r\n\tπ 𝄞 <<x/>>\x00", parent="A.WebHome",
        hidden=True, tags=("b", "a"), comment="why", minor=True, creator="Users.C",
        author="Users.A", content_author="Users.B", script_author="Users.S",
        objects=(Object(TASK, 3, {"n": 1, "f": 1.5, "t": True, "none": None, "l": ["x", "y"],
                                  "pw": {"hash": "h"}}), Object(BOOK, 0)),
        class_definition=ClassDefinition((Property("p", "StaticList", "P", "help", ["x"], True,
                                                   {"values": ["x"], "multiple": True}),)),
        attachments=(Attachment("a.txt", 3, "text/plain", "0" * 64, "Users.A", NOW),))
    store.save(document, None)
    assert store.get(document.reference) == document
    assert store.exists(document.reference)


def test_a_class_without_properties_is_still_a_class(store: Store) -> None:
    store.save(page("A.Class", class_definition=ClassDefinition()), None)
    store.save(page("A.None"), None)
    assert store.get(ref("A.Class")).class_definition == ClassDefinition()
    assert store.get(ref("A.None")).class_definition is None


def test_a_page_that_is_not_there_is_not_found(store: Store) -> None:
    with pytest.raises(DocumentNotFound, match=r"A\.B"):
        store.get(ref("A.B"))
    with pytest.raises(DocumentNotFound):
        store.delete(ref("A.B"))
    with pytest.raises(DocumentNotFound):
        store.revisions(ref("A.B"))
    with pytest.raises(DocumentNotFound):
        store.rename(ref("A.B"), page("A.C"), FIRST)
    assert not store.exists(ref("A.B"))


def test_a_page_inside_a_page_of_the_space_s_name_is_another(store: Store) -> None:
    for name in ("A.B", "A.B.C", "A.B.C.D", "A.B.WebHome"):
        store.save(page(name, title=name), None)
    store.delete(ref("A.B"))
    assert [store.get(ref(name)).title for name in ("A.B.C", "A.B.C.D", "A.B.WebHome")] == [
        "A.B.C", "A.B.C.D", "A.B.WebHome"]


def test_names_that_differ_in_case_alone_are_different_pages(store: Store) -> None:
    for name in ("A.page", "A.Page", "a.page", "A.PAGE"):
        store.save(page(name, title=name), None)
    assert store.get(ref("A.Page")).title == "A.Page"
    assert store.get(ref("a.page")).title == "a.page"


def test_a_name_may_be_long_or_odd(store: Store) -> None:
    for name in ("A." + "ü" * 127, "A." + "ü" * 126 + "x", "A.con", "A.CON", "A.%2E", "A.~",
                 "A.a\\.json", "A.\\.\\.", "A.a:b*c?d<e>|\"'"):
        store.save(page(name, title=name), None)
        assert store.get(ref(name)).title == name


def test_a_full_name_too_long_for_any_disk_is_refused(store: Store) -> None:
    name = ".".join("ü" * 127 for _ in range(30))
    with pytest.raises(InvalidDocument, match="too long"):
        store.save(page(name), None)
    assert not store.exists(ref(name))
    with pytest.raises(DocumentNotFound):
        store.get(ref(name))


@pytest.mark.parametrize("document", [
    page("A.B", content="\ud800"),
    page("A.B", objects=(Object(TASK, 0, {"n": float("nan")}),)),
    page("A.B", objects=(Object(TASK, 0, {"n": object()}),)),
    page("A.B", objects=(Object(TASK, -1),)),
    page("A.B", title=None),
])
def test_what_cannot_be_kept_is_refused_and_harms_nothing(store: Store,
                                                          document: Document) -> None:
    with pytest.raises(InvalidDocument, match=r"A\.B"):
        store.save(document, None)
    store.save(page("A.B"), None)
    assert list(store.check()) == []


# -- versions --------------------------------------------------------------------------------


def test_a_save_over_another_version_conflicts_and_changes_nothing(store: Store) -> None:
    first = page("A.B", content="one")
    second = replace(first, content="two", version=Version(2, 1))
    store.save(first, None)
    store.save(second, FIRST)
    with pytest.raises(Conflict, match=r"A\.B"):
        store.save(replace(first, content="late", version=Version(2, 1)), FIRST)
    assert store.get(first.reference) == second


def test_a_new_page_of_a_name_that_exists_is_refused(store: Store) -> None:
    store.save(page("A.B"), None)
    with pytest.raises(DocumentExists):
        store.save(page("A.B"), None)


def test_a_save_over_a_deleted_page_conflicts(store: Store) -> None:
    store.save(page("A.B"), None)
    store.delete(ref("A.B"), FIRST)
    with pytest.raises(Conflict, match="deleted"):
        store.save(page("A.B", version=Version(2, 1)), FIRST)
    with pytest.raises(DocumentNotFound):
        store.get(ref("A.B"))


def test_a_delete_of_another_version_conflicts(store: Store) -> None:
    store.save(page("A.B"), None)
    with pytest.raises(Conflict):
        store.delete(ref("A.B"), Version(2, 1))
    assert store.exists(ref("A.B"))


def test_revisions_are_listed_newest_first_and_can_be_read(store: Store) -> None:
    versions = [Version(1, 1), Version(1, 2), Version(2, 1), Version(10, 1)]
    documents = [page("A.B", version=version, content=str(version), comment=f"c{version}",
                      author="Users.A", minor=version.minor > 1) for version in versions]
    for document, expected in zip(documents, [None, *versions], strict=False):
        store.save(document, expected)
    revisions = store.revisions(ref("A.B"))
    assert [revision.version for revision in revisions] == versions[::-1]
    assert (revisions[2].comment, revisions[2].minor, revisions[2].author,
            revisions[2].updated) == ("c1.2", True, "Users.A", NOW)
    for document in documents:
        assert store.revision(ref("A.B"), document.version) == document
    with pytest.raises(RevisionNotFound):
        store.revision(ref("A.B"), Version(3, 1))


def test_a_deleted_page_takes_its_revisions_along(store: Store) -> None:
    store.save(page("A.B"), None)
    store.save(page("A.B", version=Version(2, 1)), FIRST)
    store.delete(ref("A.B"))
    store.save(page("A.B", title="anew"), None)
    assert [revision.version for revision in store.revisions(ref("A.B"))] == [FIRST]


def test_a_renamed_page_keeps_its_revisions(store: Store) -> None:
    store.save(page("A.B", content="[[A.X]]"), None)
    store.save(page("A.B", version=Version(2, 1)), FIRST)
    moved = page("C.D", version=Version(3, 1), title="moved")
    assert store.rename(ref("A.B"), moved, Version(2, 1)) == moved
    assert not store.exists(ref("A.B"))
    assert store.get(ref("C.D")) == moved
    assert [str(revision.version) for revision in store.revisions(ref("C.D"))] == [
        "3.1", "2.1", "1.1"]
    assert store.revision(ref("C.D"), FIRST).content == "[[A.X]]"
    assert names(store, Query()) == ["C.D"]


def test_a_rename_onto_a_page_or_over_another_version_is_refused(store: Store) -> None:
    store.save(page("A.B"), None)
    store.save(page("A.C", title="here"), None)
    with pytest.raises(DocumentExists):
        store.rename(ref("A.B"), page("A.C", version=Version(2, 1)), FIRST)
    with pytest.raises(DocumentExists):
        store.rename(ref("A.B"), page("A.B", version=Version(2, 1)), FIRST)
    with pytest.raises(Conflict):
        store.rename(ref("A.B"), page("A.D", version=Version(3, 1)), Version(2, 1))
    assert store.get(ref("A.C")).title == "here"
    assert names(store, Query()) == ["A.B", "A.C"]


def test_of_many_threads_that_save_over_a_version_one_wins(store: Store) -> None:
    store.save(page("A.B"), None)
    start = threading.Barrier(8)
    won: list[int] = []

    def save(number: int) -> None:
        start.wait(10)
        try:
            store.save(page("A.B", version=Version(2, 1), content=str(number)), FIRST)
        except Conflict:
            return
        won.append(number)

    threads = [threading.Thread(target=save, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(won) == 1
    assert store.get(ref("A.B")).content == str(won[0])


# -- batches ---------------------------------------------------------------------------------


def test_a_batch_s_own_thread_sees_its_saves_and_others_see_them_at_its_end(
        store: Store) -> None:
    store.save(page("A.Old"), None)
    seen: list[bool] = []
    with store.batch():
        store.save(page("A.New", content="one"), None)
        store.save(page("A.New", content="two", version=Version(2, 1)), FIRST)
        store.delete(ref("A.Old"))
        other = threading.Thread(target=lambda: seen.extend(
            [store.exists(ref("A.New")), store.exists(ref("A.Old"))]))
        other.start()
        other.join(10)
        assert store.get(ref("A.New")).content == "two"
        assert store.revision(ref("A.New"), FIRST).content == "one"
        assert [str(item.version) for item in store.revisions(ref("A.New"))] == ["2.1", "1.1"]
        assert not store.exists(ref("A.Old"))
        with pytest.raises(DocumentNotFound):
            store.get(ref("A.Old"))
    assert seen == [False, True]
    assert store.get(ref("A.New")).content == "two"
    assert [str(item.version) for item in store.revisions(ref("A.New"))] == ["2.1", "1.1"]
    assert not store.exists(ref("A.Old"))


def test_a_batch_sees_its_saves_in_queries_and_searches(store: Store) -> None:
    with store.batch():
        store.save(task("A.B", "READY", text="needle"), None)
        assert names(store, where("status", "eq", "READY", TASK)) == ["A.B"]
        assert store.count(Query(TASK)) == 1
        assert [str(hit.reference) for hit in store.search("needle")] == ["A.B"]


def test_a_batch_refuses_a_conflict_at_once(store: Store) -> None:
    with store.batch():
        store.save(page("A.B"), None)
        with pytest.raises(DocumentExists):
            store.save(page("A.B"), None)
        with pytest.raises(Conflict):
            store.save(page("A.B", version=Version(3, 1)), Version(2, 1))
    assert store.get(ref("A.B")).version == FIRST


def test_a_batch_raises_when_somebody_else_saved_meanwhile_and_keeps_the_rest(
        store: Store) -> None:
    store.save(page("A.B"), None)
    theirs = page("A.B", version=Version(2, 1), content="theirs")
    with pytest.raises(Conflict, match=r"A\.B"), store.batch():
        store.save(page("A.B", version=Version(2, 1), content="mine"), FIRST)
        store.save(page("A.C"), None)
        other = threading.Thread(target=store.save, args=(theirs, FIRST))
        other.start()
        other.join(10)
    assert store.get(ref("A.B")) == theirs
    assert store.exists(ref("A.C"))


def test_what_a_batch_saved_before_it_failed_is_kept(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.batch():
        store.save(page("A.B"), None)
        raise ZeroDivisionError
    assert store.exists(ref("A.B"))
    store.save(page("A.C"), None)
    assert store.exists(ref("A.C"))


def test_a_batch_in_a_batch_ends_with_the_outer_one(store: Store) -> None:
    with store.batch():
        with store.batch():
            store.save(page("A.B"), None)
        store.save(page("A.C"), None)
    assert names(store, Query()) == ["A.B", "A.C"]


def test_a_batch_of_many_pages_is_kept_whole_in_order(store: Store) -> None:
    with store.batch():
        for number in range(700):
            store.save(page(f"A.P{number:03}"), None)
        for number in range(0, 700, 2):
            store.delete(ref(f"A.P{number:03}"))
        store.save(page("A.P000", title="anew"), None)
    assert store.count(Query()) == 351
    assert store.get(ref("A.P000")).title == "anew"
    assert list(store.check()) == []


# -- queries ---------------------------------------------------------------------------------


def test_pages_of_a_status_come_in_the_order_of_name_then_full_name(store: Store) -> None:
    for name, status in (("B.two", "READY"), ("A.two", "READY"), ("C.one", "READY"),
                         ("A.done", "DONE")):
        store.save(task(name, status), None)
    ready = where("status", "eq", "READY", TASK)
    assert names(store, ready) == ["C.one", "A.two", "B.two"]
    assert names(store, replace(ready, limit=2)) == ["C.one", "A.two"]
    assert names(store, replace(ready, limit=2, offset=1)) == ["A.two", "B.two"]
    assert store.count(replace(ready, limit=1)) == 3


def test_a_query_goes_on_rightly_while_what_it_finds_is_changed(store: Store) -> None:
    with store.batch():
        for number in range(350):
            store.save(task(f"A.T{number:03}", "READY"), None)
    seen = []
    for row in store.query(where("status", "eq", "READY", TASK)):
        seen.append(row.reference.name)
        store.save(replace(task(str(row.reference), "DONE"), version=Version(2, 1)), FIRST)
    assert seen == [f"T{number:03}" for number in range(350)]


@pytest.mark.parametrize("order", ["", "year", "-year", "doc.title", "-doc.reference"])
def test_a_query_past_one_page_of_the_index_gives_each_page_once(store: Store,
                                                                 order: str) -> None:
    with store.batch():
        for number in range(250):
            store.save(replace(book(f"A.B{number}", year=number % 7), title=str(number % 3)),
                       None)
    found = names(store, Query(BOOK, order_by=(order,) if order else ()))
    assert len(found) == len(set(found)) == 250


def test_numbers_are_compared_and_sorted_as_numbers(store: Store) -> None:
    for name, year in (("A.a", 9), ("A.b", 10), ("A.c", 100.5), ("A.d", -1)):
        store.save(book(name, year=year), None)
    assert names(store, Query(BOOK, order_by=("year",))) == ["A.d", "A.a", "A.b", "A.c"]
    assert names(store, Query(BOOK, order_by=("-year",))) == ["A.c", "A.b", "A.a", "A.d"]
    assert names(store, where("year", "gt", 9)) == ["A.b", "A.c"]
    assert names(store, where("year", "le", "10")) == ["A.a", "A.b", "A.d"]
    assert names(store, where("year", "eq", 10)) == ["A.b"]
    assert names(store, where("year", "eq", "10.0")) == ["A.b"]
    assert names(store, where("year", "ne", 10)) == ["A.a", "A.c", "A.d"]


def test_text_is_compared_as_it_is(store: Store) -> None:
    for name, code in (("A.a", "004"), ("A.b", "4"), ("A.c", "nan"), ("A.d", "Äß_%")):
        store.save(book(name, code=code), None)
    assert names(store, where("code", "eq", "4")) == ["A.b"]
    assert names(store, where("code", "eq", "004")) == ["A.a"]
    assert names(store, where("code", "eq", "nan")) == ["A.c"]
    assert names(store, where("code", "eq", "äß_%")) == []
    assert names(store, where("code", "lt", "05")) == ["A.a"]


def test_contains_and_startswith_know_no_case_and_no_wildcards(store: Store) -> None:
    for name, title in (("A.a", "Ärger 100%_x"), ("A.b", "other"), ("A.c", "x" * 300 + "Needle")):
        store.save(replace(book(name, text=title), title=title), None)
    for field in ("text", "doc.title"):
        assert names(store, where(field, "contains", "%_X")) == ["A.a"]
        assert names(store, where(field, "startswith", "ÄR")) == ["A.a"]
        assert names(store, where(field, "contains", "needle")) == ["A.c"]
        assert names(store, where(field, "contains", "_")) == ["A.a"]


def test_long_values_are_told_apart(store: Store) -> None:
    store.save(book("A.a", text="x" * 255), None)
    store.save(book("A.b", text="x" * 300 + "b"), None)
    store.save(book("A.c", text="x" * 300 + "c"), None)
    assert names(store, where("text", "eq", "x" * 255)) == ["A.a"]
    assert names(store, where("text", "eq", "x" * 300 + "c")) == ["A.c"]


def test_booleans_lists_and_empty_values_can_be_asked_for(store: Store) -> None:
    store.save(book("A.a", good=True, genre=["Sci-Fi", "Epic"], note=""), None)
    store.save(book("A.b", good=False, genre=["Epic"], note="n"), None)
    assert names(store, where("good", "eq", True)) == ["A.a"]
    assert names(store, where("good", "eq", "false")) == ["A.b"]
    assert names(store, where("genre", "eq", "Epic")) == ["A.a", "A.b"]
    assert names(store, where("genre", "eq", "Sci-Fi")) == ["A.a"]
    assert names(store, where("genre", "ne", "Sci-Fi")) == ["A.b"]
    assert names(store, where("note", "eq", "")) == ["A.a"]
    assert names(store, where("note", "ne", None)) == ["A.b"]


def test_one_of_several_values_can_be_asked_for(store: Store) -> None:
    for name, values in (("A.a", {"kind": "x", "n": 1}), ("A.b", {"kind": "y", "n": 2}),
                         ("A.c", {"kind": ["x", "z"], "n": 3}), ("A.d", {})):
        store.save(book(name, **values), None)
    assert names(store, where("kind", "in", ("y", "z"))) == ["A.b", "A.c"]
    assert names(store, where("kind", "in", ["x", ""])) == ["A.a", "A.c", "A.d"]
    assert names(store, where("n", "in", (1, "3.0"))) == ["A.a", "A.c"]
    assert names(store, where("kind", "in", ())) == []
    assert names(store, where("doc.reference", "in", ("A.d", "A.a", "A.z"))) == ["A.a", "A.d"]
    both = Query(BOOK, (Condition("kind", "in", ("x", "y")), Condition("n", "gt", 1)),
                 order_by=("-n",))
    assert names(store, both) == ["A.c", "A.b"] and store.count(both) == 2
    with pytest.raises(QueryError, match="takes a list of values"):
        names(store, where("kind", "in", "x"))


@pytest.mark.parametrize(("operator", "value", "found"), [
    ("eq", "red", ["A.a", "A.b"]), ("ne", "red", ["A.c", "A.d"]), ("eq", "", ["A.d"]),
    ("ne", "", ["A.a", "A.b", "A.c"]), ("in", ("blue", "green"), ["A.a", "A.c"]),
    ("in", ("green", ""), ["A.c", "A.d"]), ("contains", "RE", ["A.a", "A.b", "A.c"]),
    ("startswith", "r", ["A.a", "A.b"])])
@pytest.mark.parametrize("class_name", [None, BOOK])
def test_tags_can_be_asked_for(store: Store, operator: str, value: Any, found: list[str],
                               class_name: str | None) -> None:
    for name, tags in (("A.a", ("red", "blue")), ("A.b", ("red",)), ("A.c", ("green",)),
                       ("A.d", ())):
        store.save(replace(book(name, n=1), tags=tags), None)
    assert names(store, where("doc.tags", operator, value, class_name)) == found


def test_tags_are_counted_among_what_fits(store: Store) -> None:
    store.save(replace(book("A.a", n=1), tags=("red", "blue")), None)
    store.save(replace(book("A.b", n=2), tags=("red",)), None)
    store.save(page("A.c", tags=("green", "red")), None)
    assert store.counts(Query(), "doc.tags") == {"red": 3, "blue": 1, "green": 1}
    assert store.counts(Query(BOOK), "doc.tags") == {"red": 2, "blue": 1}
    assert store.counts(where("n", "ge", 2), "doc.tags") == {"red": 1}
    with pytest.raises(QueryError):
        names(store, Query(order_by=("doc.tags",)))


def test_conditions_are_about_one_object(store: Store) -> None:
    store.save(page("A.a", objects=(Object(BOOK, 0, {"x": "one", "y": "two"}),
                                    Object(BOOK, 1, {"x": "three", "y": "four"}))), None)
    both = Query(BOOK, (Condition("x", "eq", "one"), Condition("y", "eq", "four")))
    assert names(store, both) == []
    assert names(store, replace(both, where=(Condition("x", "eq", "one"),
                                             Condition("y", "eq", "two")))) == ["A.a"]
    assert names(store, Query(BOOK)) == ["A.a"]
    assert store.count(Query(BOOK)) == 1


def test_a_query_can_keep_to_a_space_and_leave_hidden_pages_out(store: Store) -> None:
    for name in ("A.p", "A.B.q", "A.B.C.r", "AB.s"):
        store.save(page(name, hidden=name == "A.B.q"), None)
    assert names(store, Query(space="A")) == ["A.p"]
    assert names(store, Query(space="A", nested=True)) == ["A.p", "A.B.q", "A.B.C.r"]
    assert names(store, Query(space="A", nested=True, hidden=False)) == ["A.p", "A.B.C.r"]


def test_a_row_says_what_the_page_says(store: Store) -> None:
    document = page("A.B", title="T", author="Users.A", version=Version(4, 2), hidden=True)
    store.save(document, None)
    row = next(iter(store.query(Query())))
    assert (row.reference, row.title, row.author, row.updated, row.version, row.hidden) == (
        document.reference, "T", "Users.A", NOW, Version(4, 2), True)


def test_document_fields_can_be_asked_for(store: Store) -> None:
    store.save(page("A.old", updated=NOW - timedelta(days=1), author="Users.A"), None)
    store.save(page("B.new"), None)
    assert names(store, where("doc.updated", "lt", NOW, None)) == ["A.old"]
    assert names(store, where("doc.author", "eq", "Users.A", None)) == ["A.old"]
    assert names(store, where("doc.reference", "startswith", "b.", None)) == ["B.new"]


@pytest.mark.parametrize("query", [
    where("doc.content", "eq", "x"), where("year", "like", "x"), where("year", "eq", 1, None),
    where("doc.title", "like", "x"), Query(order_by=("year",)), Query(order_by=("doc.x",)),
    where("doc.tags", "lt", "x", None),
])
def test_a_query_of_unknown_fields_or_operators_is_refused(store: Store, query: Query) -> None:
    with pytest.raises(QueryError, match=r"takes|operator"):
        list(store.query(query))
    with pytest.raises(QueryError):
        store.count(replace(query, order_by=(), where=query.where or (
            Condition("doc.x", "eq", ""),)))


def test_a_query_is_no_way_to_write_sql(store: Store) -> None:
    store.save(book("A.a", text="x"), None)
    for text in ("' OR 1=1 --", "x'; DROP TABLE documents; --", "\x00"):
        assert names(store, where("text", "eq", text)) == []
        assert names(store, where(text, "eq", "x")) == []
        assert names(store, Query(text)) == []
    assert names(store, Query()) == ["A.a"]


def test_the_index_follows_a_change(store: Store) -> None:
    store.save(page("A.B", title="first", content="[[A.X]]", tags=("old",),
                    objects=(Object(TASK, 0, {"status": "READY"}),)), None)
    store.save(page("A.B", title="second", version=Version(2, 1)), FIRST)
    assert names(store, Query(TASK)) == []
    assert (store.tags(), store.backlinks(ref("A.X")), store.search("first")) == ([], [], [])
    assert [hit.title for hit in store.search("second")] == ["second"]
    store.delete(ref("A.B"))
    assert (store.search("second"), store.spaces(), store.changes()) == ([], [], [])


# -- other ways to find ------------------------------------------------------------------------


def test_a_search_finds_pages_with_all_words_and_marks_them(store: Store) -> None:
    store.save(page("A.B", title="Fruit", content="A *red* apple, a green pear"), None)
    store.save(page("A.C", title="Élan", content="a red car"), None)
    store.save(book("Books.D", author="Herbert"), None)
    assert [str(hit.reference) for hit in store.search("RED apple")] == ["A.B"]
    assert {str(hit.reference) for hit in store.search("red")} == {"A.B", "A.C"}
    assert [str(hit.reference) for hit in store.search("elan")] == ["A.C"]
    assert [str(hit.reference) for hit in store.search("herb")] == ["Books.D"]
    assert store.search("herbert", space="A") == []
    assert "\x02apple\x03" in store.search("apple")[0].snippet
    assert len(store.search("red", limit=1)) == len(store.search("red", offset=1)) == 1


@pytest.mark.parametrize("text", ["", " ", '"', "red AND", "a OR b NOT c", "title:x", "(", "*",
                                  "NEAR(a b)", "-x", "'", "^a", "a\x00b", "{x}:y", "🙂"])
def test_a_search_takes_any_text(store: Store, text: str) -> None:
    store.save(page("Q.P", content="red"), None)
    assert list(store.search(text)) == []


def test_a_page_found_by_its_title_comes_before_one_that_mentions_it(store: Store) -> None:
    store.save(page("A.a", title="Else", content="dune dune " + "word " * 50), None)
    store.save(page("A.b", title="Dune", content="a book"), None)
    assert [hit.title for hit in store.search("dune")] == ["Dune", "Else"]


def test_links_and_parents_lead_back(store: Store) -> None:
    store.save(page("A.a", content="[[label>>B.x#anchor]] [[c]] [text](/B.y) [t](B.z/edit) "
                    "[[https://example.org]] [e](https://example.org/B.w)"), None)
    store.save(page("A.b", parent="B.x"), None)
    assert store.backlinks(ref("B.x")) == [ref("A.a"), ref("A.b")]
    for name in ("A.c", "B.y", "B.z"):
        assert store.backlinks(ref(name)) == [ref("A.a")]
    assert store.backlinks(ref("B.x"), 1) == [ref("A.a")]
    assert store.backlinks(ref("B.w")) == []


def test_tags_spaces_and_changes_are_listed(store: Store) -> None:
    store.save(page("B.a", tags=("x", "y"), updated=NOW), None)
    store.save(page("A.b", tags=("y",), updated=NOW + timedelta(seconds=1)), None)
    store.save(page("A.N.c", updated=NOW - timedelta(seconds=1)), None)
    assert store.tags() == [("x", 1), ("y", 2)]
    assert store.tagged("y") == [ref("A.b"), ref("B.a")]
    assert store.spaces() == [("A", 1), ("A.N", 1), ("B", 1)]
    assert [str(row.reference) for row in store.changes()] == ["A.b", "B.a", "A.N.c"]
    assert [str(row.reference) for row in store.changes(limit=1, offset=1)] == ["B.a"]


def test_a_password_is_in_no_query_and_no_search(store: Store) -> None:
    store.save(page("Users.A", objects=(
        Object("Wiki.UserClass", 0, {"password": {"hash": "topsecret"}, "mail": "m"}),)), None)
    assert store.search("topsecret") == []
    assert store.search("hash") == []
    for operator, value in (("contains", "secret"), ("startswith", "t"), ("ge", "a"),
                            ("eq", "topsecret"), ("contains", "hash")):
        assert names(store, where("password", operator, value, "Wiki.UserClass")) == []


# -- what changed ------------------------------------------------------------------------------


@pytest.fixture(params=sorted(STORES.keys() - {"shadow"}))
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store that others write to as well; a shadow is a run's own."""
    opened = STORES[request.param](tmp_path / "data")
    yield opened
    opened.close()


def leaves(store: Store, parent: str | None, **options: int) -> list[tuple[str, str, bool, bool]]:
    return [(str(leaf.reference), leaf.title, leaf.more, leaf.there)
            for leaf in store.branch(ref(parent) if parent else None, **options)]


def test_the_tree_of_pages_is_told_branch_by_branch(shared: Store) -> None:
    shared.save(page("Main.WebHome", title="Welcome"), None)
    shared.save(page("A.WebHome", title="About", parent="Main.WebHome"), None)
    shared.save(page("A.b", title="Second"), None)
    shared.save(page("A.a", title="First"), None)
    shared.save(page("A.child", parent="A.b"), None)
    shared.save(page("A.secret", parent="A.a", hidden=True), None)
    shared.save(page("A-x.page"), None)
    shared.save(page("A.N.deep.page"), None)
    shared.save(page("A.N.page"), None)
    shared.save(page(r"A\.N.page"), None)
    assert leaves(shared, None) == [
        ("A-x.WebHome", "A-x", True, False), (r"A\.N.WebHome", "A.N", True, False),
        ("Main.WebHome", "Welcome", True, True)]
    assert leaves(shared, "Main.WebHome") == [("A.WebHome", "About", True, True)]
    assert leaves(shared, "A.WebHome") == [
        ("A.N.WebHome", "N", True, False), ("A.a", "First", False, True),
        ("A.b", "Second", True, True)]
    assert leaves(shared, "A.WebHome", limit=1, offset=1) == [("A.b", "Second", True, True)]
    assert leaves(shared, "A.N.WebHome") == [
        ("A.N.deep.WebHome", "deep", True, False), ("A.N.page", "page", False, True)]
    assert leaves(shared, "A.b") == [("A.child", "child", False, True)]


def test_the_pages_above_a_page_are_told_and_a_circle_ends(shared: Store) -> None:
    shared.save(page("Main.WebHome", title="Welcome"), None)
    shared.save(page("A.WebHome", parent="Main.WebHome"), None)
    shared.save(page("A.one", parent="two"), None)
    shared.save(page("A.two", parent="one"), None)

    def above(document: Document) -> list[tuple[str, str]]:
        return [(str(leaf.reference), leaf.title) for leaf in shared.above(document)]
    assert above(page("A.N.new")) == [
        ("Main.WebHome", "Welcome"), ("A.WebHome", "A"), ("A.N.WebHome", "N")]
    assert above(page("Main.WebHome")) == []
    assert above(page("A.one", parent="two")) == [("A.one", "one"), ("A.two", "two")]


def changed(store: Store, mark: str, limit: int = 1000) -> tuple[str, list[tuple[str, bool]]]:
    since = store.changes_since(mark, (TASK, BOOK), limit)
    assert not since.anew
    return since.mark, [(str(page.reference), page.fits) for page in since.pages]


def test_what_changed_since_a_mark_is_told_whoever_changed_it(
        shared: Store, tmp_path: Path) -> None:
    shared.save(task("A.Old", "READY"), None)
    first = shared.changes_since("", (TASK,))
    assert first.anew and not first.pages and not first.more
    mark, pages = changed(shared, first.mark)
    assert (mark, pages) == (first.mark, [])
    other = STORES["embedded"](tmp_path / "data")
    other.save(book("A.Book"), None)
    other.save(page("A.Page"), None)
    other.save(replace(task("A.Old", "DONE"), version=Version(2, 1)), FIRST)
    other.close()
    mark, pages = changed(shared, mark)
    assert pages == [("A.Book", True), ("A.Page", False), ("A.Old", True)]
    assert changed(shared, mark) == (mark, [])
    assert changed(shared, first.mark)[1] == pages


def test_pages_that_are_gone_moved_or_no_longer_what_they_were_have_changed(
        shared: Store) -> None:
    for name in ("A.Gone", "A.Moved", "A.Plain", "A.Back"):
        shared.save(task(name, "READY"), None)
    mark = shared.changes_since("", (TASK,)).mark
    shared.delete(ref("A.Gone"))
    shared.delete(ref("A.Back"))
    shared.rename(ref("A.Moved"), replace(task("A.New", "READY"), version=Version(2, 1)), FIRST)
    shared.save(page("A.Plain", version=Version(2, 1)), FIRST)
    shared.save(task("A.Back", "READY"), None)
    mark, pages = changed(shared, mark)
    assert sorted(pages) == [("A.Back", True), ("A.Gone", False), ("A.Moved", False),
                             ("A.New", True), ("A.Plain", False)]
    shared.delete(ref("A.Back"))  # the newest change of all
    assert changed(shared, mark)[1] == [("A.Back", False)]


def test_changes_come_in_parts_and_those_of_a_batch_once_each(shared: Store) -> None:
    mark = shared.changes_since("", ()).mark
    with shared.batch():
        for number in range(5):
            shared.save(task(f"A.P{number}", "READY"), None)
        shared.save(replace(task("A.P0", "DONE"), version=Version(1, 2)), FIRST)
    found: list[str] = []
    more = True
    while more:
        since = shared.changes_since(mark, (TASK,), 2)
        found += [str(page.reference) for page in since.pages]
        mark, more = since.mark, since.more
    assert sorted(found) == [f"A.P{number}" for number in range(5)]


def test_after_a_reindex_everything_is_to_be_derived_anew(shared: Store) -> None:
    shared.save(task("A.B", "READY"), None)
    mark = shared.changes_since("", (TASK,)).mark
    shared.reindex()
    since = shared.changes_since(mark, (TASK,))
    assert since.anew
    assert changed(shared, since.mark) == (since.mark, [])


def test_objects_are_counted_by_value(store: Store) -> None:
    for number, status in enumerate(("READY", "DONE", "READY")):
        store.save(task(f"A.P{number}", status, year=number % 2), None)
    assert store.tally(TASK, "status") == {"READY": 2, "DONE": 1}
    assert store.tally(TASK, "year") == {"0": 2, "1": 1}
    assert store.tally(BOOK, "status") == {}


def test_the_newest_revisions_can_be_asked_for_alone(store: Store) -> None:
    store.save(page("A.B"), None)
    for number in (2, 3, 4):
        store.save(page("A.B", version=Version(1, number)), Version(1, number - 1))
    for limit, minors in ((1, [4]), (2, [4, 3]), (9, [4, 3, 2, 1])):
        assert [line.version.minor for line in store.revisions(ref("A.B"), limit)] == minors


# -- attachments -------------------------------------------------------------------------------


def test_bytes_come_back_as_they_were_put(store: Store) -> None:
    blob = store.put_blob(io.BytesIO(b"x" * 3_000_000))
    assert blob.size == 3_000_000
    assert store.put_blob(b"x" * 3_000_000) == blob
    with store.open_blob(blob.sha256) as stream:
        stream.seek(2_999_999)
        assert stream.read() == b"x"
    assert store.put_blob(b"").size == 0


def test_too_many_bytes_are_refused(store: Store) -> None:
    assert store.put_blob(b"12345", limit=5).size == 5
    with pytest.raises(TooLarge, match="5"):
        store.put_blob(io.BytesIO(b"123456"), limit=5)


@pytest.mark.parametrize("sha256", ["0" * 64, "", "../../etc/passwd", "A" * 64, "\x00"])
def test_bytes_that_are_not_there_are_not_found(store: Store, sha256: str) -> None:
    with pytest.raises(AttachmentNotFound):
        store.open_blob(sha256)


# -- upkeep ------------------------------------------------------------------------------------


def test_the_index_built_anew_is_the_same(store: Store) -> None:
    with store.batch():
        for number in range(20):
            store.save(replace(task(f"A.T{number}", "READY"), tags=("t",), content="[[A.X]]"),
                       None)
    before = (names(store, Query(TASK)), store.tags(), store.backlinks(ref("A.X")))
    assert store.reindex() == 20
    assert (names(store, Query(TASK)), store.tags(), store.backlinks(ref("A.X"))) == before
    healing = store.heal()
    assert (healing.indexed, healing.dropped, healing.damaged) == (0, 0, [])
    assert list(store.check()) == []


NAME = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"],
                             exclude_characters="/"), min_size=1, max_size=90).map(
    str.strip).filter(bool)
SCALAR = (st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False,
          allow_infinity=False) | st.text(st.characters(exclude_categories=["Cs"])))
VALUES = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
                         SCALAR | st.lists(st.text(st.characters(exclude_categories=["Cs"]))))


@settings(max_examples=60, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(NAME, min_size=2, max_size=4),
       st.text(st.characters(exclude_categories=["Cs"])), VALUES)
def test_any_page_can_be_kept(store: Store, parts: list[str], content: str,
                              values: dict[str, Any]) -> None:
    reference = Reference(tuple(parts[:-1]), parts[-1])
    document = Document(reference, content=content, objects=(Object(TASK, 0, values),))
    if store.exists(reference):
        store.delete(reference)
    store.save(document, None)
    kept = store.get(reference)
    assert (kept.reference, kept.content, dict(kept.objects[0].values)) == (
        reference, content, values)
    assert str(reference) in names(store, Query(TASK, space=reference.space))


# -- marks and runs --------------------------------------------------------------------------


def test_marks_are_kept_in_order_until_their_list_is_dropped(store: Store) -> None:
    for key in ("b", "a", "b", "ü"):
        store.mark("done", key)
    store.mark("other", "c")
    assert list(store.marks("done")) == ["a", "b", "ü"]
    assert store.marked("done", "a") and not store.marked("done", "c")
    store.unmark("done")
    assert list(store.marks("done")) == [] and not store.marked("done", "a")
    assert store.marked("other", "c")


def test_a_batch_sees_its_own_marks(store: Store) -> None:
    with store.batch():
        store.save(page("A.One"), None)
        store.mark("done", "one")
        assert store.marked("done", "one")
        assert list(store.marks("done")) == ["one"]
    assert store.marked("done", "one")


def test_a_run_s_saves_are_listed_with_the_first_and_the_last_version(store: Store) -> None:
    one = page("A.One", run="a1")
    store.save(one, None)
    store.save(replace(one, version=Version(2, 1)), FIRST)
    store.save(page("A.Other", run="b2"), None)
    store.save(page("A.Person"), None)
    assert [(str(row.reference), row.kind, row.before, row.after)
            for row in store.touched("a1")] == [("A.One", "created", None, Version(2, 1))]
    assert store.touched_kinds("a1") == {"created": 1}
    assert store.touched_page("a1", ref("A.Other")) is None
    assert store.touched("a1", after="A.One") == []
    assert [item.run for item in store.revisions(ref("A.One"))] == ["a1", "a1"]
