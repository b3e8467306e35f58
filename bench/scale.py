"""What finding costs in a big wiki: ``python -m bench.scale [DIR]``, on what
``python -m bench.bigwiki DIR`` has made; medians and 95th percentiles, through the application
as a server would call it.

Each request asks for something else, or comes after a save, so that no kept view answers it.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from statistics import median

from flask.testing import FlaskClient

from bench.bigwiki import BOOK, DIRECTORY, ISSUE, RARE, make
from wiki.api import Wiki
from wiki.settings import Settings
from wiki.site import Site
from wiki.web.app import create_app

ROUNDS = 15
TABLES = {"Bench.Books": f'<<livetable class="{BOOK}" id="t" '
                         'columns="doc.title,author,year,published,genre,available"/>>',
          "Bench.Issues": f'<<livetable class="{ISSUE}" id="t" '
                          'columns="doc.name,status,due,priority,assignee"/>>',
          "Bench.Pages": '<<livetable id="t" columns="doc.title,doc.space,doc.updated"/>>',
          "Bench.Tree": '<<tree space="Library"/>>',
          "Bench.Changes": '<<recentchanges limit="50"/>>', "Bench.Tags": "<<tags/>>"}
API = "/api/v1"
_numbers = count(1)


def requests(folder: Path) -> Iterator[tuple[str, Callable[[int], str]]]:
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
            ("table: of one genre", f"{books}t.genre=Novel&"),
            ("table: of one genre by date", f"{books}t.genre=Novel&t.sort=-published&"),
            ("table: text contains", f"{books}t.author=zu&"),
            ("table: text contains, rare", f"{books}t.author=zuzuzu&"),
            ("table: title contains", f"{books}t.doc.title=zu&"),
            ("table: of a year", f"{books}t.year=1999&"),
            ("table: available, by year", f"{books}t.available=true&t.sort=year&"),
            ("table: three filters",
             f"{books}t.genre=Novel&t.available=true&t.author=a&t.sort=year&"),
            ("table: issues by due date", f"{issues}t.sort=due&"),
            ("table: open issues by date", f"{issues}t.status=Open&t.sort=due&"),
            ("table: all pages", pages),
            ("table: all pages by date", f"{pages}t.sort=-doc.updated&"),
            ("table: all pages, title contains", f"{pages}t.doc.title=zu&"),
            ("tree", "/Bench.Tree?"), ("recent changes", "/Bench.Changes?"),
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
        yield label, lambda n, path=path: f"{path}n={n}"
    for label, path in (
            ("REST query: by a property", f"/query?class={BOOK}&isbn=978-000000777"),
            ("REST query: a range", f"/query?class={BOOK}&year__ge=1900&year__lt=1910&limit=50"),
            ("REST query: a date range",
             f"/query?class={BOOK}&published__ge=1951-01-01&published__lt=1951-03-01&limit=50"),
            ("REST search", "/search?q=came&limit=20"),
            ("REST titles: a letter", "/titles?q=b"), ("REST titles: a word", "/titles?q=book 77"),
            ("REST titles: in the middle", "/titles?q=time"),
            ("REST pages: the first 100", "/pages?limit=100")):
        yield label, lambda n, path=path: API + path


def milliseconds(action: Callable[[], object]) -> float:
    begin = time.perf_counter()
    action()
    return (time.perf_counter() - begin) * 1000


def report(label: str, found: list[float]) -> None:
    ordered = sorted(found)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    slow = "  slow" if median(ordered) > 100 else ""
    print(f"{label:<36} {median(ordered):>8.1f} ms {p95:>8.1f} ms{slow}", flush=True)


def ask(client: FlaskClient, url: str) -> None:
    answer = client.get(url, buffered=True)
    if answer.status_code != 200 or "there is no parameter" in answer.text:
        print(url, answer.status)


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
        report(label, [milliseconds(call) for _ in range(ROUNDS)])


def save(wiki: Wiki) -> None:
    page = wiki.get_or_new(f"Bench.Saved {next(_numbers)}")
    page.content = "Some words of a page that was saved."
    page.save()
    page.content += " Some more."
    page.save()


def saves(big: Wiki) -> None:
    """In turns in the big wiki and in one that has only what a new one has."""
    with tempfile.TemporaryDirectory() as directory, Site(Settings(
            data=Path(directory))) as site:
        site.install()
        list(make(site.wiki, 0))
        both = [(milliseconds(lambda: save(big)) / 2, milliseconds(lambda: save(site.wiki)) / 2)
                for _ in range(100)]
    for label, column in zip(("a save in the big wiki", "a save in an empty one"),
                             zip(*both, strict=True), strict=True):
        report(label, list(column))


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DIRECTORY
    wanted = sys.argv[2] if len(sys.argv) > 2 else ""
    with Site(Settings(data=folder)) as site:
        wiki = site.wiki.as_user("Users.Admin")
        print(f"{sum(number for _, number in wiki.spaces()):,} pages".ljust(36)
              + "   median         p95")
        for name, content in TABLES.items():
            page = wiki.get_or_new(name)
            page.content = content
            page.save()
        client = create_app(site=site).test_client()
        for label, url in requests(folder):
            if wanted in label:
                ask(client, url(0))
                report(label, [milliseconds(lambda n=n, url=url: ask(client, url(n)))
                               for n in range(1, ROUNDS + 1)])
        if not wanted:
            through_wiki(wiki)
            saves(wiki)


if __name__ == "__main__":
    main()
