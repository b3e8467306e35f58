"""Live tables: what they show, what their addresses mean, exports, bulk actions."""

from __future__ import annotations

import csv
import io
import json
import re
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from conftest import Browser
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict

from wiki.api import Wiki
from wiki.model import GUEST, Property
from wiki.rendering.renderer import RenderRequest
from wiki.site import Site

BOOK = "Test.BookClass"
TABLE = f'<<livetable class="{BOOK}" columns="doc.title, year, genre, read, bought"/>>'


@pytest.fixture
def books(wiki: Wiki) -> Wiki:
    page = wiki.new(BOOK, title="Book")
    page.define_class(
        Property("year", "Number", pretty_name="Year"), Property("read", "Boolean"),
        Property("genre", "StaticList", options={"values": ["Novel", "Poem", "Play"]}),
        Property("bought", "Date", options={"time": True}), Property("note", "String"),
        Property("sort", "String"), Property("secret", "Password"))
    page.save()
    with wiki.batch():
        for number in range(30):
            book = wiki.new(f"Books.B{number:02}", title=f"Book {number:02}")
            book.add_object(BOOK, year=2000 + number, read=number % 2 == 0,
                            bought=f"2026-01-{number + 1:02}T10:00:00Z",
                            note="=1+1" if number == 3 else "", sort=f"key {number}",
                            **({"genre": ("Novel", "Poem")[number % 2]} if number < 20 else {}))
            book.tags = {1: ("red",), 2: ("red", "a|b"), 4: ("red",), 5: ("a|b",)}.get(number, ())
            book.save()
    return wiki


def show(site: Site, text: str, user: str = "Users.Admin", **args: str) -> str:
    page = site.wiki.as_user("Users.Admin").get_or_new("Test.Page")
    page.content = text
    page.save()
    return site.renderer.render(page.record, RenderRequest(user, args, "the-token")).html


def titles(html: str) -> list[str]:
    return re.findall(r">(Book \d\d)</a>", html)


def count(html: str) -> str:
    found = re.search(r'<p class="count"[^>]*>([^<]*)<', html)
    assert found
    return found[1]


def values(html: str) -> dict[str, str]:
    """The values that filters of lists offer, with how many rows have each."""
    return dict(re.findall(r'data-value="([^"]*)".*?class="count">([^<]*)<', html))


def links(html: str, rel: str) -> dict[str, list[str]]:
    """What the address of a link says."""
    found = re.search(rf'<a rel="{rel}" href="([^"]*)"', html)
    assert found
    return parse_qs(urlsplit(found[1].replace("&amp;", "&")).query)


@pytest.mark.parametrize(("filters", "number"), [
    ({"doc.title": "book 07"}, 1), ({"genre": "Novel"}, 10), ({"genre": "(empty)"}, 10),
    ({"genre": "Play"}, 0), ({"genre": "Novel|Play"}, 10), ({"genre": "Novel|(empty)"}, 20),
    ({"genre.is.Novel": "1", "genre.is.Poem": "1"}, 20), ({"doc.tags": "red"}, 3),
    ({"doc.tags": "red|a\\|b"}, 4), ({"doc.tags.is.a|b": "1"}, 2), ({"doc.tags": "(empty)"}, 26),
    ({"read": "true"}, 15), ({"year": "2003"}, 1),
    ({"year.from": "2010"}, 20), ({"year.to": "2009.5"}, 10),
    ({"year.from": "2010", "year.to": "2012"}, 3), ({"bought.from": "2026-01-29"}, 2),
    ({"bought.to": "2026-01-02"}, 2), ({"bought": "2026-01-02"}, 1),
    ({"read": "false", "genre": "Poem", "year.from": "2015"}, 3), ({"doc.author": "admin"}, 30),
    ({"doc.updated.from": "2001-01-01"}, 30), ({"doc.updated.to": "2001-01-01"}, 0),
    ({"object.sort": "key 7"}, 1), ({"note": "1+1"}, 1), ({"secret": "x"}, 30),
    ({"nonsense": "x"}, 30),
])
def test_each_type_has_its_filter(site: Site, books: Wiki, filters: dict[str, str],
                                  number: int) -> None:
    html = show(site, TABLE, **{f"BookClass.{key}": value for key, value in filters.items()})
    assert count(html).endswith(f" of {number}")


def test_a_filter_that_cannot_be_is_told_and_passed_by(site: Site, books: Wiki) -> None:
    html = show(site, TABLE, **{"BookClass.year.from": "x<", "BookClass.bought.to": "soon"})
    assert count(html) == "1 to 25 of 30" and html.count("box warning") == 2
    assert "x&lt;" in html and "a day such as" in html


def test_values_are_counted_among_the_rows_that_other_filters_leave(site: Site,
                                                                    books: Wiki) -> None:
    whole = show(site, TABLE)
    assert values(whole) == {"Novel": "10", "Poem": "10", "Play": "0", "(empty)": ""}
    assert ">yes (15)<" in whole
    narrow = show(site, TABLE, **{"BookClass.read": "true", "BookClass.year.to": "2005"})
    assert values(narrow) == {"Novel": "3", "Poem": "0", "Play": "0", "(empty)": ""}
    assert ">yes (3)<" in narrow and ">no (3)<" in narrow  # its own filter does not count


def test_several_values_of_a_list_are_ticked(site: Site, books: Wiki) -> None:
    html = show(site, TABLE, **{"BookClass.genre": "Novel|Poem"})
    assert re.findall(r'data-value="(\w+)" checked', html) == ["Novel", "Poem"]
    assert ">2 chosen</summary>" in html and values(html)["Play"] == "0"
    assert count(html) == "1 to 20 of 20"
    ticked = {"BookClass.genre.is.Novel": "1", "BookClass.genre.is.Poem": "1",
              "BookClass.rows": "10"}
    assert links(show(site, TABLE, **ticked), "next")["BookClass.genre"] == ["Novel|Poem"]


def test_tags_are_a_column_with_a_filter(site: Site, books: Wiki) -> None:
    table = TABLE.replace('bought"', 'bought, doc.tags"')
    html = show(site, table, **{"BookClass.read": "true"})
    assert {"red": "2", "a|b": "1"}.items() <= values(html).items()
    assert '<a class="tag" href="/Main.Tags?tag=a%7Cb">a|b</a>' in html
    assert '<th scope="col">Tags</th>' in html  # nothing is sorted by them
    pages = show(site, '<<livetable space="Books" columns="doc.title, doc.tags"/>>',
                 **{"pages.doc.tags": "red"})
    assert titles(pages) == ["Book 01", "Book 02", "Book 04"] and values(pages)["red"] == "3"


def test_a_table_alone_is_as_it_is_on_its_page(guest: Browser, site: Site, books: Wiki) -> None:
    show(site, f"{TABLE}\n\n{TABLE}")
    address = ("/Test.Page?BookClass.year.from=2010&BookClass-2.genre=Poem%7CNovel"
               "&BookClass-2.page=2&BookClass-2.rows=10&other=x")
    for table in re.findall(r'<section class="livetable".*?</section>', guest.get(address).text,
                            re.DOTALL):
        source = re.search('data-livetable="([^"]*)"', table)
        assert source
        url = f"{source[1].replace('&amp;', '&')}&at={quote(address)}"
        assert guest.get(url).text.strip() == table
    elsewhere = guest.get("/tables/part?columns=doc.title&at=//evil.example/x").text
    assert "evil" not in elsewhere and 'action="/#livetable-pages"' in elsewhere
    assert "has no property" in guest.get(f"/tables/part?class={BOOK}&where=nope%3D1").text


def test_rows_are_sorted_by_a_column_both_ways(site: Site, books: Wiki) -> None:
    html = show(site, TABLE, **{"BookClass.sort": "-year"})
    assert titles(html)[:2] == ["Book 29", "Book 28"]
    assert html.count('aria-sort="descending"') == 1
    assert titles(show(site, TABLE, **{"BookClass.sort": "secret"}))[0] == "Book 00"


def test_a_page_past_the_last_one_is_the_last_one(site: Site, books: Wiki) -> None:
    for page in ("4", "999999999999"):
        html = show(site, TABLE, **{"BookClass.rows": "10", "BookClass.page": page})
        assert titles(html) == [f"Book {number:02}" for number in range(20, 30)]
        assert 'aria-current="page">3<' in html


def test_a_link_keeps_what_was_chosen_and_what_others_have(site: Site, books: Wiki) -> None:
    args = {"BookClass.year.from": "2001", "BookClass.rows": "10", "BookClass.sort": "-year",
            "other.sort": "x", "BookClass.genre": "", "BookClass.show.year": "1"}
    assert links(show(site, TABLE, **args), "next") == {
        "BookClass.year.from": ["2001"], "BookClass.rows": ["10"], "BookClass.sort": ["-year"],
        "other.sort": ["x"], "BookClass.columns": ["year"], "BookClass.page": ["2"]}


def test_columns_can_be_chosen_but_never_a_password(site: Site, books: Wiki) -> None:
    html = show(site, TABLE, **{"BookClass.columns": "note,doc.name,secret,nope,note"})
    assert re.findall(r'data-label="([^"]*)"', html)[:3] == ["note", "Name", "note"]
    assert 'name="BookClass.show.note" value="1" checked' in html
    assert "show.secret" not in html


def test_two_tables_of_one_class_do_not_mix(site: Site, books: Wiki) -> None:
    html = show(site, f"{TABLE}\n\n{TABLE}", **{"BookClass-2.doc.title": "book 11"})
    first, second = html.split('id="livetable-BookClass-2"')
    assert count(first).endswith("of 30") and count(second).endswith("of 1")
    assert "BookClass-2.doc.title=book+11" in first  # a link of one keeps the other's filter


def test_fixed_conditions_and_wrong_parameters(site: Site, books: Wiki) -> None:
    table = TABLE.replace("/>>", ' where="year>2027"/>>')
    assert titles(show(site, table)) == ["Book 28", "Book 29"]
    assert "has no property" in show(site, TABLE.replace("/>>", ' where="nope=1"/>>'))
    assert "there are set, tag" in show(site, TABLE.replace("/>>", ' actions="burn"/>>'))


def test_only_who_may_edit_sees_actions(site: Site, books: Wiki) -> None:
    table = TABLE.replace("/>>", ' actions="set, tag"/>>')
    assert 'action="/tables/bulk"' in show(site, table)
    assert "/tables/bulk" not in show(site, table, user=GUEST)


def test_a_class_lists_its_pages(guest: Browser, books: Wiki) -> None:
    html = guest.get(f"/{BOOK}?BookClass.year.from=2029").text
    assert titles(html) == ["Book 29"] and "Pages of this class" in html


def test_a_space_without_a_home_page_lists_its_pages(guest: Browser, books: Wiki) -> None:
    html = guest.get("/Books").text
    assert count(html) == "1 to 25 of 30"
    assert links(html, "next") == {"pages.page": ["2"]} and 'href="/Books?pages.page=2' in html


def test_the_index_of_pages_is_a_table(guest: Browser, books: Wiki) -> None:
    html = guest.get("/index?space=Books&pages.doc.title=book+1").text
    assert count(html) == "1 to 10 of 10"
    assert "/index?space=Books&amp;pages.doc.title=book+1&amp;pages.sort=" in html


def test_an_export_has_the_rows_that_fit_as_they_are(client: FlaskClient, site: Site,
                                                     books: Wiki) -> None:
    html = show(site, TABLE, **{"BookClass.year.from": "2003", "BookClass.read": "false",
                                "BookClass.sort": "-year", "BookClass.page": "2",
                                "BookClass.columns": "year,read,genre,note,doc.created"})
    found = re.search(r'href="(/tables/rows\.csv[^"]*)"', html)
    assert found
    url = found[1].replace("&amp;", "&")
    answer = client.get(url, buffered=True)
    assert answer.mimetype == "text/csv"
    assert "BookClass.csv" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["reference"] for row in rows] == [f"Books.B{n:02}" for n in range(29, 2, -2)]
    assert rows[-1]["note"] == "=1+1" and rows[-1]["year"] == "2003"
    data = json.loads(client.get(url.replace(".csv", ".json"), buffered=True).text)
    assert data[-1]["year"] == 2003 and data[-1]["read"] is False and data[0]["genre"] is None
    assert data[0]["doc.created"] == books.get("Books.B29").created.isoformat()


def test_an_export_refuses_what_it_cannot_do(client: FlaskClient, books: Wiki) -> None:
    assert json.loads(client.get(f"/tables/rows.json?class={BOOK}&t.note=zzz").text) == []
    for query in ("t.year.from=x", "columns=secret", "columns=nope", "where=(("):
        answer = client.get(f"/tables/rows.csv?class={BOOK}&{query}")
        assert answer.status_code == 400, query


def post(browser: Browser, action: str, *rows: str, **fields: str) -> tuple[int, str]:
    data = MultiDict([("class", BOOK), ("action", action), ("back", f"/{BOOK}"),
                      ("form_token", browser.token()), *(("row", row) for row in rows),
                      *fields.items()])
    answer = browser.client.post("/tables/bulk", data=data, buffered=True)
    return answer.status_code, answer.text


def test_rows_that_were_ticked_are_shown_then_changed(admin: Browser, books: Wiki) -> None:
    rows = ("Books.B00", "Books.B01", "Books.Nope")
    status, html = post(admin, "set:genre", *rows)
    assert status == 200 and "Books.B01" in html and '<option>Play' in html
    assert 'name="row" value="Books.B01"' in html
    assert books.get("Books.B00").object(BOOK)["genre"] == "Novel"  # type: ignore[index]
    status, html = post(admin, "set:genre", *rows, confirm="1", expected="3", value="Opera")
    assert status == 400 and "one of Novel, Poem, Play" in html
    status, html = post(admin, "set:genre", *rows, confirm="1", expected="3", value="Play")
    assert status == 200 and "2 pages changed, 1 not" in html and "Books.Nope" in html
    assert [page.reference.name for page in books.query(BOOK, genre="Play")] == ["B00", "B01"]


def test_all_rows_that_fit_are_changed_in_a_batch(admin: Browser, books: Wiki) -> None:
    with books.batch():
        for number in range(130):
            page = books.new(f"More.P{number}")
            page.add_object(BOOK, year=1900)
            page.save()
    fields = {"scope": "all", "t.year.to": "1900"}
    status, html = post(admin, "tag", **fields)
    assert status == 200 and "Add a tag to 130 pages" in html and "and 110 more" in html
    status, html = post(admin, "tag", **fields, confirm="1", expected="129", value="old")
    assert status == 409 and books.tagged("old") == []
    status, html = post(admin, "tag", **fields, confirm="1", expected="130", value="old")
    assert "130 pages tagged" in html and len(books.tagged("old")) == 130
    post(admin, "untag", "More.P7", confirm="1", expected="1", value="old")
    assert len(books.tagged("old")) == 129


def test_each_page_asks_for_its_right(user: Browser, guest: Browser, site: Site,
                                      books: Wiki) -> None:
    own = site.wiki.as_user("Users.Jo").new("Books.Jo")
    own.add_object(BOOK, year=1)
    own.save()
    status, html = post(user, "delete", "Books.B00", "Books.Jo", confirm="1", expected="2")
    assert status == 200 and "1 page deleted, 1 not" in html and "delete right" in html
    assert "Books.B00" in books and "Books.Jo" not in books
    assert post(guest, "delete", "Books.B00", confirm="1", expected="1")[0] in (401, 403)
    without = user.client.post("/tables/bulk", data={"action": "delete", "row": "Books.B01"})
    assert without.status_code == 403 and "Books.B01" in books


def test_tasks_are_set_ready(admin: Browser, wiki: Wiki) -> None:
    status, html = post(admin, "ready", "Tasks.ImportCountries", "Help.WebHome", confirm="1",
                        expected="2")
    assert status == 200 and "1 page set READY, 1 not" in html
    task = wiki.get("Tasks.ImportCountries").object("TaskExecutorCode.TaskClass")
    assert task is not None and task["status"] == "READY"


@pytest.mark.parametrize(("action", "rows", "status"), [
    ("tag", [], 400), ("burn", ["Books.B00"], 404), ("set:secret", ["Books.B00"], 404)])
def test_what_cannot_be_done_is_refused(admin: Browser, books: Wiki, action: str,
                                        rows: list[str], status: int) -> None:
    assert post(admin, action, *rows)[0] == status
