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
from wiki.model import Document, Object
from wiki.references import Reference
from wiki.store import Store, fulltext, open_store, query, terms
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


@pytest.mark.parametrize(("text", "says"), [
    ('"red', "missing"), ("-red", "search for"), ("space:A", "search for"),
    ("red -space:A", "narrows")])
def test_a_search_that_cannot_be_read_says_why(store: Store, text: str, says: str) -> None:
    with pytest.raises(QueryError, match=says):
        store.find(Search(text))
    assert store.search(text) == []


@given(st.text())
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    try:
        assert isinstance(terms.parse(text), terms.Words)
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
    assert found(store, "space:A word") == ["A.B.Two", "A.One"]
    assert found(store, f'wor* class:{CLASS} author:"Users.Jo" year:1970') == ["A.One"]
    assert found(store, '"space:A" word') == []


def test_of_many_pages_the_newest_are_ranked_and_those_with_the_word_in_their_title(
        store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fulltext, "LOOKED_AT", 2)
    keep(store, "A.Titled", title="Word")
    for number in range(4):
        keep(store, f"A.P{number}", "a word among others")
    answer = store.find(Search("word"))
    assert [str(hit.reference) for hit in answer.hits] == ["A.Titled", "A.P2", "A.P3"]
    assert (answer.total, answer.capped) == (2, True)


def test_of_many_pages_those_with_the_whole_word_are_found(
        store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fulltext, "LOOKED_AT", 2)
    for number in range(3):
        keep(store, f"A.Whole{number}", "an apple")
    keep(store, "B.Longer", "apples")
    assert found(store, "apple") == ["A.Whole1", "A.Whole2"]
    assert "B.Longer" in found(store, "apple*")
    assert found(store, "apple", space="B") == ["B.Longer"]


def test_words_in_titles_come_before_those_in_tags_headings_and_texts(store: Store) -> None:
    filler = " and some more words that stand here" * 3
    keep(store, "A.Text", f"a quagga{filler}", title="One")
    keep(store, "A.Heading", f"# Quagga\n\n{filler}", title="Two")
    keep(store, "A.Tag", f"none{filler}", title="Three", tags=("quagga",))
    keep(store, "A.Title", f"none{filler}", title="The quagga")
    hits = store.find(Search("quagga")).hits
    assert [hit.reference.name for hit in hits] == ["Title", "Tag", "Heading", "Text"]
    assert hits[1].snippet.startswith("\x02quagga\x03 · none")


def test_a_snippet_is_without_markup(store: Store) -> None:
    keep(store, "A.One", "## A **quagga**\n\n| a | b |\n|---|---|\n<<info>>x<</info>>")
    [hit] = store.find(Search("quagga")).hits
    assert hit.snippet.split() == ["A", "\x02quagga\x03", "a", "b", "x"]


@pytest.mark.parametrize(("text", "instead"), [
    ("quaga", "quagga"), ("striped quaga", "striped quagga"), ("xylophon", ""), ("hiden", ""),
    ("zebras quaga", ""), ("space:A quaga", "space:A quagga"), ("space:B quaga", ""),
    ("quaga -zzzqqq", "quagga -zzzqqq"), (" ".join(["quaga"] * 20), "")])
def test_a_search_that_finds_nothing_tells_what_would_find_something(
        store: Store, text: str, instead: str) -> None:
    keep(store, "A.One", "a striped animal", title="Quagga")
    keep(store, "A.Two", "zebras")
    keep(store, "A.Three", title="Hidden", hidden=True)
    answer = store.find(Search(text))
    assert (answer.hits, answer.instead) == ((), instead)


def test_titles_are_found_by_pieces_and_in_spite_of_a_slip(store: Store) -> None:
    keep(store, "Books.Dune", title="The desert planet")
    keep(store, "Books.Secret", title="Plan", hidden=True)
    for text in ("lanet", "ser anet", "books.du", "BOOKS.dune", "dessert", "plannet de"):
        assert [str(page) for page, _ in store.titles(text)] == ["Books.Dune"], text
    assert store.titles("bicycle") == []


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
    nothing = guest.get("/search?q=quaga&space=Two").text
    assert 'href="/search?q=quagga&amp;space=Two"' in nothing
    assert 'href="/search?q=quaga"' in nothing and "name=quaga" not in nothing
    refused = guest.get('/search?q="quagga')
    assert refused.status_code == 400 and "missing" in refused.text


def test_a_search_that_finds_nothing_offers_the_page(admin: Browser) -> None:
    assert 'href="/create?name=Xylophon+music"' in admin.get("/search?q=Xylophon music").text
    assert "Create the page" not in admin.get('/search?q="a+b"').text.split("<dialog")[0]


def test_titles_and_counts_come_by_rest(guest: Browser, wiki: Wiki) -> None:
    wiki.new("One.a", title="Quagga tales", content="quagga").save()
    assert guest.get("/api/v1/titles?q=quag").json["items"] == [
        {"reference": "One.a", "title": "Quagga tales", "space": "One"}]
    answer = guest.get("/api/v1/search?q=quagga&space=One&order=date").json
    assert answer["total"] == 1 and answer["facets"]["space"] == [{"value": "One", "count": 1}]
    assert guest.get("/api/v1/search?q=quagga&order=x").status_code == 400
    assert guest.get("/api/v1/search?q=-quagga").status_code == 400


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
