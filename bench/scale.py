"""What finding costs in a big wiki: ``python -m bench.scale [DIR]``, on what
``python -m bench.bigwiki DIR`` has made (2,000 pages are made where there are none); medians of
time and of processor time, and 95th percentiles, through the application as a server calls it.

Before each request a page with an object of the class is saved, so that no kept view and no kept
count answers it. "New" is what nobody has asked for before, so that no kept set has it either.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median

from flask.testing import FlaskClient

from bench.bigwiki import BOOK, ISSUE, RARE, make
from wiki.api import Wiki
from wiki.settings import Settings
from wiki.site import Site
from wiki.tokens import WRITE, key_of
from wiki.web.app import create_app

ROUNDS = 15
SAVES = 150
TABLES = {"Bench.Books": f'<<livetable class="{BOOK}" id="t" '
                         'columns="doc.title,author,year,published,genre,available"/>>',
          "Bench.Issues": f'<<livetable class="{ISSUE}" id="t" '
                          'columns="doc.name,status,due,priority,assignee"/>>',
          "Bench.Pages": '<<livetable id="t" columns="doc.title,doc.space,doc.updated"/>>',
          "Bench.Tree": '<<tree space="Library"/>>',
          "Bench.Changes": '<<recentchanges limit="50"/>>', "Bench.Tags": "<<tags/>>",
          "Bench.Orphaned": "<<orphaned/>>", "Bench.Wanted": "<<wanted/>>",
          "Bench.Children": '<<children page="People.Town 3.WebHome"/>>',
          "Bench.List": f'<<query class="{BOOK}" where="year>=1990 year<2000" order="-price"/>>',
          "Bench.Rows": f'<<query class="{ISSUE}" where=\'status="Open"\' order="due" '
                        'format="table" columns="doc.title,status,due,assignee"/>>',
          "Bench.Count": f'<<count class="{BOOK}" where=\'genre="Novel" available="true"\'/>>'}
#: How many pages are made where no wiki is given.
SMALL = 2000
API = "/api/v1"
VOWELS, CONSONANTS = "aeiou", "bdfgklmnprstvz"
_numbers = count(1)


def requests() -> Iterator[tuple[str, Callable[[int], str]]]:
    """What is measured: a label, and the address of each turn."""
    yield "view of a page", lambda n: f"/Library.Shelf 1.Board 0.Book {10 + n % 6}?n={n}"
    books, issues, pages = "/Bench.Books?", "/Bench.Issues?", "/Bench.Pages?"
    for label, path in (
            ("table: first page", books), ("table: a deep page", f"{books}t.page=1500&"),
            ("table: the last page", f"{books}t.page=9999999&"),
            ("table: by a number", f"{books}t.sort=year&"),
            ("table: by a number, down", f"{books}t.sort=-year&"),
            ("table: by a number, deep", f"{books}t.sort=-year&t.page=1500&"),
            ("table: by a date", f"{books}t.sort=-published&"),
            ("table: by a text", f"{books}t.sort=author&"),
            ("table: by a boolean", f"{books}t.sort=available&"),
            ("table: by the title", f"{books}t.sort=doc.title&"),
            ("table: by the title, deep", f"{books}t.sort=doc.title&t.page=1500&"),
            ("table: by the change", f"{books}t.sort=-doc.updated&"),
            ("table: by the author", f"{books}t.sort=doc.author&"),
            ("table: by when it was made", f"{books}t.sort=doc.created&"),
            ("table: of one genre", f"{books}t.genre=Novel&"),
            ("table: of one genre by date", f"{books}t.genre=Novel&t.sort=-published&"),
            ("table: text contains", f"{books}t.author=zu&"),
            ("table: text contains, rare", f"{books}t.author=zuzuzu&"),
            ("table: title contains", f"{books}t.doc.title=zu&"),
            ("table: text contains, new", f"{books}t.author={{ab}}&"),
            ("table: title contains, new", f"{books}t.doc.title={{ab}}&"),
            ("table: of a year", f"{books}t.year=1999&"),
            ("table: of a year, new", f"{books}t.year=19{{nn}}&"),
            ("table: of a range of years, new", f"{books}t.year.from=19{{nn}}&t.year.to=20{{nn}}&"),
            ("table: of a range of days, new",
             f"{books}t.published.from=19{{nn}}-01-01&t.published.to=19{{nn}}-06-30&"),
            ("table: three filters, new", f"{books}t.genre=Novel&t.author={{ab}}"
             "&t.year.from=19{nn}&t.sort=year&"),
            ("table: of a range of years", f"{books}t.year.from=1900&t.year.to=1999&"),
            ("table: of a range of days",
             f"{books}t.published.from=1951-01-01&t.published.to=1951-06-30&"),
            ("table: available, the last page", f"{books}t.available=true&t.page=9999999&"),
            ("table: available, by year", f"{books}t.available=true&t.sort=year&"),
            ("table: three filters",
             f"{books}t.genre=Novel&t.available=true&t.author=a&t.sort=year&"),
            ("table: issues by due date", f"{issues}t.sort=due&"),
            ("table: open issues by date", f"{issues}t.status=Open&t.sort=due&"),
            ("table: all pages", pages),
            ("table: all pages by date", f"{pages}t.sort=-doc.updated&"),
            ("table: all pages, title contains", f"{pages}t.doc.title=zu&"),
            ("tree", "/Bench.Tree?"), ("recent changes", "/Bench.Changes?"),
            ("recent changes, all", "/changes?minor=1&"),
            ("recent changes of a space", "/changes?space=Library.Shelf 1&"),
            ("recent changes of a user", "/changes?user=Admin&"),
            ("recent changes, the feed", "/changes/feed?"),
            ("tree: outermost", "/tree?part=1&"),
            ("tree: a space", "/tree?part=1&at=Library.WebHome&"),
            ("tree: pages of a space", "/tree?part=1&at=People.Town 3.WebHome&"),
            ("children", "/Bench.Children?"), ("orphaned pages", "/Bench.Orphaned?"),
            ("wanted pages", "/Bench.Wanted?"),
            ("backlinks", "/Library.Shelf 0.Board 0.Book 1/backlinks?"),
            ("history", "/Library.Shelf 0.Board 0.Book 1/history?"),
            ("query macro: a list", "/Bench.List?"), ("query macro: a table", "/Bench.Rows?"),
            ("count macro", "/Bench.Count?"), ("pages of a tag", "/Bench.Tags?tag=tag7&"),
            ("tags", "/Bench.Tags?"), ("index of all pages", "/index?"),
            ("index of a space", "/index?space=People.Town 3&"),
            ("search: a rare word", f"/search?q={RARE}&"),
            ("search: a common word", "/search?q=the&"),
            ("search: a word of many pages", "/search?q=came&"),
            ("search: two words", "/search?q=came year&"),
            ("search: a phrase", "/search?q=%22of the%22&"),
            ("search: a prefix", "/search?q=zu*&"),
            ("search: within a class", f"/search?q=came&class={BOOK}&"),
            ("search: excluding", "/search?q=came -the&"),
            ("search: by date", "/search?q=came&sort=date&")):
        yield label, partial(numbered, path)
    for label, path in (
            ("REST query: by a property", f"/query?class={BOOK}&isbn=978-000000777"),
            ("REST query: a range", f"/query?class={BOOK}&year__ge=1900&year__lt=1910&limit=50"),
            ("REST query: a date range",
             f"/query?class={BOOK}&published__ge=1951-01-01&published__lt=1951-03-01&limit=50"),
            ("REST search", "/search?q=came&limit=20"),
            ("REST titles: a letter", "/titles?q=b"), ("REST titles: a word", "/titles?q=book 77"),
            ("REST titles: in the middle", "/titles?q=time"),
            ("REST pages: the first 100", "/pages?limit=100")):
        yield label, partial(always, API + path)


def numbered(path: str, number: int) -> str:
    """The address of a turn, another one in each: two letters or digits, if it has a place for
    them."""
    letters = VOWELS[number % len(VOWELS)] + CONSONANTS[number % len(CONSONANTS)]
    return (path.replace("{ab}", letters).replace("{nn}", f"{number % 100:02}")
            + f"n={number}")


def always(path: str, _: int) -> str:
    return path


Cost = tuple[float, float]


def cost(action: Callable[[], object]) -> Cost:
    """Milliseconds, and those of the processor."""
    begin, used = time.perf_counter(), time.process_time()
    action()
    return (time.perf_counter() - begin) * 1000, (time.process_time() - used) * 1000


def report(label: str, found: list[Cost]) -> None:
    times, used = (sorted(column) for column in zip(*found, strict=True))
    p95 = times[min(len(times) - 1, round(0.95 * len(times)))]
    slow = "  slow" if median(times) > 100 else ""
    print(f"{label:<36} {median(times):>8.1f} ms {median(used):>8.1f} ms {p95:>8.1f} ms{slow}",
          flush=True)


def ask(client: FlaskClient, url: str) -> None:
    answer = client.get(url, buffered=True)
    if answer.status_code != 200 or "there is no parameter" in answer.text:
        print(url, answer.status)


def measure(client: FlaskClient, wiki: Wiki, label: str, url: Callable[[int], str]) -> None:
    found = []
    for number in range(ROUNDS + 1):
        change_object(wiki)
        found.append(cost(partial(ask, client, url(number))))
    report(label, found[1:])  # the first one reads what others then find in memory


def through_wiki(wiki: Wiki) -> None:
    calls: tuple[tuple[str, Callable[[], object]], ...] = (
        ("backlinks", lambda: wiki.backlinks("Library.Shelf 0.Board 0.Book 1")),
        ("children of a space", lambda: wiki.children("Library.Shelf 1.WebHome")),
        ("children of a space of pages", lambda: wiki.children("People.Town 3.WebHome")),
        ("orphaned pages", lambda: wiki.orphaned(limit=50)),
        ("wanted pages", lambda: wiki.wanted(limit=50)),
        ("spaces", wiki.spaces), ("tags", wiki.tags),
        ("pages of a tag", lambda: wiki.tagged("tag7")),
        ("last changes", wiki.changes))
    for label, call in calls:
        report(f"wiki: {label}", [cost(call) for _ in range(ROUNDS)])


def change(wiki: Wiki) -> None:
    page = wiki.get_or_new("Bench.Changed")
    page.content = f"Changed {next(_numbers)} times."
    page.save()


def make_page(wiki: Wiki) -> None:
    wiki.new(f"Bench.Saved {next(_numbers)}", content="Some words of a new page.").save()


def change_object(wiki: Wiki) -> None:
    page = wiki.get_or_new("Bench.Object")
    found = page.object(BOOK) or page.add_object(BOOK, author="Nobody", genre="Novel")
    found["year"] = 1900 + next(_numbers) % 100
    page.save()


class Rest:
    """Saves by REST, with a token."""

    def __init__(self, site: Site) -> None:
        self._client = create_app(site=site).test_client()
        self._tokens = site.tokens
        self._token = self._tokens.add("Admin", "bench", WRITE, 1)
        self._headers = {"Authorization": f"Bearer {self._token}"}

    def put(self) -> None:
        answer = self._client.put(f"{API}/pages/Bench.Put", headers=self._headers, json={
            "content": f"Put {next(_numbers)} times, with some words more."})
        if answer.status_code not in (200, 201):
            raise SystemExit(answer.text)

    def close(self) -> None:
        self._tokens.revoke("Admin", key_of(self._token))


def saves(site: Site, big: Wiki) -> None:
    """By turns in the big wiki and in one that has only what a new one has."""
    with tempfile.TemporaryDirectory() as directory, Site(Settings(
            data=Path(directory))) as other:
        other.install()
        list(make(other.wiki, 0))
        empty, rest, other_rest = other.wiki.as_user("Users.Admin"), Rest(site), Rest(other)
        for label, in_big, in_empty in (
                ("a new page", lambda: make_page(big), lambda: make_page(empty)),
                ("a changed page", lambda: change(big), lambda: change(empty)),
                ("a changed object", lambda: change_object(big), lambda: change_object(empty)),
                ("a PUT by REST", rest.put, other_rest.put)):
            both = [(cost(in_big), cost(in_empty)) for _ in range(SAVES)]
            in_turns = [list(column) for column in zip(*both, strict=True)]
            report(f"save: {label}", in_turns[0])
            report(f"save: {label}, in an empty wiki", in_turns[1])
            ratios = (median(one[kind] for one in in_turns[0])
                      / median(one[kind] for one in in_turns[1]) for kind in (0, 1))
            print("  ratio of the medians".ljust(36)
                  + "".join(f" {ratio:>8.2f}   " for ratio in ratios))
        rest.close()


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.gettempdir(), "smallwiki")
    wanted = sys.argv[2] if len(sys.argv) > 2 else ""
    with Site(Settings(data=folder)) as site:
        wiki = site.wiki.as_user("Users.Admin")
        if BOOK not in wiki:
            site.install()
            list(make(wiki, SMALL))
        print(f"{sum(number for _, number in wiki.spaces()):,} pages".ljust(36)
              + "   median   processor         p95")
        for name, content in TABLES.items():
            page = wiki.get_or_new(name)
            page.content = content
            page.save()
        client = create_app(site=site).test_client()
        for label, url in requests():
            if wanted in label:
                measure(client, wiki, label, url)
        if not wanted:
            through_wiki(wiki)
        if wanted in "save":
            saves(site, wiki)


if __name__ == "__main__":
    main()
