"""Finding pages among others: search with its counts, titles, links, and orders by a property."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Browser
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wiki.api import Wiki
from wiki.errors import QueryError
from wiki.model import Attachment, Document, Object, media_type
from wiki.references import Reference
from wiki.store import Store, filetexts, fulltext, open_store, query
from wiki.store.base import Condition, Link, Query, Search

CLASS = "Books.BookClass"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "data")
    yield opened
    opened.close()


def ref(name: str) -> Reference:
    return Reference.parse(name)


def keep(store: Store, name: str, content: str = "", **fields: object) -> None:
    store.save(Document(ref(name), content=content, **fields), None)  # type: ignore[arg-type]


def found(store: Store, text: str, **options: object) -> list[str]:
    search = Search(text, **options)  # type: ignore[arg-type]
    return sorted(str(hit.reference) for hit in store.find(search).hits)


@pytest.mark.parametrize(("text", "names"), [
    ("red apple", ["A.Both"]), ('"red apple"', ["A.Both"]), ('"apple red"', []),
    ("red -apple", ["A.Red"]), ("app* x*", []), ("app*", ["A.Apple", "A.Both"]),
    ("app ", []), ("app", ["A.Apple", "A.Both"]), ('-"red apple" apple', ["A.Apple"]),
    ("...", []),
])
def test_a_search_knows_phrases_beginnings_and_exclusions(
        store: Store, text: str, names: list[str]) -> None:
    keep(store, "A.Both", "one red apple")
    keep(store, "A.Apple", "an apple")
    keep(store, "A.Red", "it is red")
    assert found(store, text) == names


@pytest.mark.parametrize(("text", "says"), [('"red', "missing"), ("-red", "search for")])
def test_a_search_that_cannot_be_read_says_why(store: Store, text: str, says: str) -> None:
    with pytest.raises(QueryError, match=says):
        store.find(Search(text))
    assert store.search(text) == []


@given(st.text())
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    try:
        assert isinstance(fulltext.expression(text), str)
    except QueryError as error:
        assert str(error)


def test_a_search_counts_by_space_class_author_and_year(store: Store) -> None:
    keep(store, "A.One", "word", author="Users.Jo", objects=(Object(CLASS, 0, {}),))
    keep(store, "A.B.Two", "word", author="Users.Jo")
    keep(store, "C.Three", "word", author="Users.Al")
    keep(store, "C.Hidden", "word", hidden=True)
    answer = store.find(Search("word", limit=1))
    assert (len(answer.hits), answer.total, answer.capped) == (1, 3, False)
    assert {name: dict(values) for name, values in answer.facets.items()} == {
        "space": {"A": 1, "A.B": 1, "C": 1}, "class": {CLASS: 1},
        "author": {"Users.Jo": 2, "Users.Al": 1}, "year": {"1970": 3}}
    assert found(store, "word", space="A") == ["A.B.Two", "A.One"]
    assert found(store, "word", class_name=CLASS) == ["A.One"]
    assert found(store, "word", author="Users.Al") == ["C.Three"]
    assert found(store, "word", year="1971") == []
    assert "C.Hidden" in found(store, "word", hidden=True)


def test_of_many_pages_the_newest_are_ranked_and_those_with_the_word_in_their_title(
        store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fulltext, "LOOKED_AT", 2)
    keep(store, "A.Titled", title="Word")
    for number in range(4):
        keep(store, f"A.P{number}", "a word among others")
    answer = store.find(Search("word"))
    assert [str(hit.reference) for hit in answer.hits] == ["A.Titled", "A.P2", "A.P3"]
    assert (answer.total, answer.capped) == (2, True)


def test_titles_are_found_by_their_beginning_and_by_their_words(store: Store) -> None:
    keep(store, "A.one", title="Dune Messiah")
    keep(store, "A.two", title="The dune")
    keep(store, "A.three", title="Dune", hidden=True)
    keep(store, "A.Dunes")
    assert [str(page) for page, _ in store.titles("dun")] == ["A.one", "A.Dunes", "A.two"]
    assert [str(page) for page, _ in store.titles("mess du")] == ["A.one"]
    assert store.titles("dun", 1) == [(ref("A.one"), "Dune Messiah")]
    assert store.titles("") == []


def test_links_have_kinds(store: Store) -> None:
    keep(store, "A.Goal")
    keep(store, "A.Link", "[[A.Goal]] [[A.Goal]] [[A.Missing]]")
    keep(store, "A.Include", '<<include page="A.Goal"/>>')
    keep(store, "A.Object", objects=(Object(CLASS, 0, {"next": "A.Goal", "price": "3.50"}),))
    keep(store, "A.Child", parent="A.Goal")
    assert store.links_to(ref("A.Goal")) == [
        Link(ref("A.Child"), "parent"), Link(ref("A.Include"), "include"),
        Link(ref("A.Link"), "link"), Link(ref("A.Object"), "object")]
    assert store.wanted() == [(ref("A.Missing"), 1)]
    assert store.orphaned() == [ref(f"A.{name}") for name in ("Child", "Include", "Link",
                                                              "Object")]


VALUES = st.lists(st.sampled_from([None, "", "a", "b", "B", 1, 2.5, True, ["a", "c"], ["c"]]),
                  max_size=8)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(values=VALUES, descending=st.booleans(), offset=st.integers(0, 4),
       limit=st.none() | st.integers(1, 4), condition=st.sampled_from([
           None, ("eq", "a"), ("ne", "a"), ("eq", ""), ("ne", ""), ("ge", 2), ("contains", "B")]))
def test_an_order_is_the_same_whether_few_or_many_fit(
        tmp_path_factory: pytest.TempPathFactory, values: list[object], descending: bool,
        offset: int, limit: int | None, condition: tuple[str, object] | None) -> None:
    opened = open_store(tmp_path_factory.mktemp("order") / "data")
    for number, value in enumerate(values):
        keep(opened, f"A.P{number}", objects=(Object(CLASS, 0, {"key": value}),))
    where = (Condition("key", *condition),) if condition else ()  # type: ignore[arg-type]
    asked = Query(CLASS, where, ("-key" if descending else "key",), limit=limit, offset=offset)
    few = list(opened.query(asked))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(query, "FEW", -1)
        assert list(opened.query(asked)) == few
        whole = list(opened.query(replace(asked, limit=None, offset=0)))
        patch.setattr(query, "DEEP", 0)
        assert list(opened.query(asked)) == few
    assert opened.count(asked) == len(whole)
    opened.close()


def test_the_page_of_a_search_narrows_and_keeps_what_was_asked(guest: Browser,
                                                               wiki: Wiki) -> None:
    for name in ("One.a", "Two.b"):
        wiki.new(name, content="quagga <b>").save()
    wiki.new("Two.secret", content="quagga", hidden=True).save()
    page = guest.get("/search?q=quagga&sort=date&hidden=1").text
    assert "2 pages" in page and "<mark>quagga</mark> &lt;b&gt;" in page
    assert "Two.secret" not in page
    assert 'href="/search?q=quagga&amp;sort=date&amp;hidden=1&amp;space=One"' in page
    narrowed = guest.get("/search?q=quagga&space=One").text
    assert "1 page" in narrowed and "Two.b" not in narrowed
    refused = guest.get('/search?q="quagga')
    assert refused.status_code == 400 and "missing" in refused.text


def test_titles_and_counts_come_by_rest(guest: Browser, wiki: Wiki) -> None:
    wiki.new("One.a", title="Quagga tales", content="quagga").save()
    assert guest.get("/api/v1/titles?q=quag").json["items"] == [
        {"reference": "One.a", "title": "Quagga tales", "space": "One"}]
    answer = guest.get("/api/v1/search?q=quagga&space=One&order=date").json
    assert answer["total"] == 1 and answer["facets"]["space"] == [{"value": "One", "count": 1}]
    assert guest.get("/api/v1/search?q=quagga&order=x").status_code == 400
    assert guest.get("/api/v1/search?q=-quagga").status_code == 400


def attached(store: Store, filename: str, data: bytes) -> Attachment:
    blob = store.put_blob(data)
    return Attachment(filename, blob.size, media_type(filename), blob.sha256)


def files(store: Store, text: str, **options: object) -> list[tuple[str, str]]:
    search = Search(text, **options)  # type: ignore[arg-type]
    return sorted((str(hit.reference), hit.filename) for hit in store.find(search).files)


@pytest.mark.parametrize(("filename", "data", "there"), [
    ("notes.txt", b"a quagga", True), ("notes.md", "ein Quägga".encode(), True),
    ("table.csv", b"animal;n\nquagga;1", True), ("data.json", b'{"animal": "quagga"}', True),
    ("page.html", b"<p>a <b>quagga</b></p>", True),
    ("page.html", b"<script>quagga</script><p title='quagga'>none</p>", False),
    ("picture.png", b"quagga", False), ("broken.txt", b"quagga\0", False),
    ("latin.txt", b"quagga \xe4\xf6", True),
    ("long.txt", b"x " * (filetexts.MOST_BYTES // 2) + b"quagga", False),
])
def test_a_search_finds_the_text_of_files(store: Store, filename: str, data: bytes,
                                          there: bool) -> None:
    keep(store, "A.Page", attachments=(attached(store, filename, data),))
    assert files(store, "quagga") == ([("A.Page", filename)] if there else [])


def test_the_text_of_a_file_goes_with_its_page(store: Store) -> None:
    old = attached(store, "a.txt", b"quagga")
    keep(store, "A.Page", attachments=(old,))
    assert files(store, "quagga", space="A") == [("A.Page", "a.txt")]
    assert files(store, "quagga", space="B") == []
    page = store.get(ref("A.Page"))
    second = replace(page, version=page.version.next(), hidden=True)
    store.save(second, page.version)
    assert files(store, "quagga") == []
    assert files(store, "quagga", hidden=True) == [("A.Page", "a.txt")]
    new = attached(store, "a.txt", b"zebra")
    third = replace(second, version=second.version.next(), hidden=False, attachments=(new,))
    store.save(third, second.version)
    assert files(store, "quagga") == [] and files(store, "zebra") == [("A.Page", "a.txt")]
    store.rename(third.reference, replace(third, reference=ref("B.Page"),
                                          version=third.version.next()), third.version)
    assert files(store, "zebra") == [("B.Page", "a.txt")]
    store.delete(ref("B.Page"))
    assert files(store, "zebra") == []


def test_files_are_found_again_when_the_index_is_built_anew(tmp_path: Path) -> None:
    first = open_store(tmp_path / "data")
    keep(first, "A.Page", attachments=(attached(first, "a.txt", b"quagga"),))
    first.close()
    (tmp_path / "data" / "index.db").unlink()
    second = open_store(tmp_path / "data")
    assert files(second, "quagga") == [("A.Page", "a.txt")]
    second.close()


def test_a_search_leads_to_the_file(guest: Browser, wiki: Wiki) -> None:
    page = wiki.new("One.a", title="Animals")
    page.attach("old <b>.txt", b"a quagga <i>")
    page.save()
    html = guest.get("/search?q=quagga").text
    assert 'href="/One.a/attachments/old%20%3Cb%3E.txt"' in html
    assert "<mark>quagga</mark> &lt;i&gt;" in html
    found = guest.get("/api/v1/search?q=quagga").json["files"]
    assert found == [{"reference": "One.a", "title": "Animals", "filename": "old <b>.txt",
                      "snippet": "a quagga <i>", "marks": [[2, 8]]}]


def test_what_was_counted_is_counted_anew_after_a_change(store: Store) -> None:
    for number in range(3):
        keep(store, f"A.P{number}", objects=(Object(CLASS, 0, {"key": "a", "n": number}),
                                             Object(CLASS, 1, {"key": "a"})))
    asked = Query(CLASS, (Condition("n", "ge", 1),))
    assert (store.count(Query(CLASS)), store.count(asked)) == (3, 2)
    assert store.counts(Query(CLASS), "key") == {"a": 3}
    assert store.counts(asked, "n") == {"1": 1, "2": 1}
    store.delete(ref("A.P2"))
    assert (store.count(Query(CLASS)), store.count(asked)) == (2, 1)
    assert store.counts(asked, "key") == {"a": 1}


@pytest.mark.parametrize("order", [
    ("doc.title",), ("-doc.title",), ("doc.updated",), ("doc.author",), ("doc.creator",), ()])
@pytest.mark.parametrize("condition", [None, Condition("n", "lt", 7),
                                       Condition("doc.title", "contains", "T")])
def test_pages_of_a_class_come_in_the_order_of_fields(
        store: Store, monkeypatch: pytest.MonkeyPatch, order: tuple[str, ...],
        condition: Condition | None) -> None:
    for number in range(9):
        keep(store, f"A.P{number}", title=f"t{number * 5 % 7}", author=f"U.U{number % 2}",
             objects=(Object(CLASS, 0, {"n": number}),) if number != 4 else ())
    asked = Query(CLASS, (condition,) if condition else (), order)
    few = [row.reference for row in store.query(asked)]
    monkeypatch.setattr(query, "FEW", 2)
    assert [row.reference for row in store.query(asked)] == few
    monkeypatch.setattr(query, "DEEP", 1)
    assert [row.reference for row in store.query(replace(asked, offset=3, limit=4))] == few[3:7]
