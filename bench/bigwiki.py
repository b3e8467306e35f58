"""Make a big wiki: ``python -m bench.bigwiki [DIR] [pages]``; 100,000 pages in ``/tmp/bigwiki``
unless told otherwise. A second call finds it made; one that was interrupted goes on.

Books, issues and persons, each with an object of its class, in some hundred spaces that nest;
with dates, numbers, booleans, lists, tags, parents, links and text whose words are as unequally
frequent as those of a language. The same pages each time.
"""

from __future__ import annotations

import re
import sys
import time
from bisect import bisect
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any

from wiki.api import Wiki
from wiki.model import ClassDefinition, Property
from wiki.settings import Settings
from wiki.site import Site

DIRECTORY, PAGES = Path("/tmp/bigwiki"), 100_000
#: How many pages are made durable together, with a mark that they are.
CHUNK = 1000
MARKS = "bigwiki"
BOOK, ISSUE, PERSON = "Library.BookClass", "Projects.IssueClass", "People.PersonClass"
#: A word that three pages have.
RARE = "quagga"
GENRES = ("Novel", "Poetry", "Science", "History", "Travel", "Children", "Reference", "Essay")
STATES = ("Open", "In progress", "Blocked", "Done", "Rejected")
LANGUAGES = ("German", "English", "French", "Spanish", "Polish", "Turkish")
COMMON = re.findall(r"\w+", """
    the of and to in is that for it as was with be by on not this are or from at have an
    which but all were when we there can more if no time new about who other these two may
    first then do any my now such like our over man me even most made after also did many
    before must through years where much your way well down should because each just those
    people how too little state good very make world still own see men work long here get
    both between life being under never day same another know while last might us great
    old year off come since against go came right used take three""")

CLASSES = {
    BOOK: ClassDefinition((
        Property("author"), Property("year", "Number", options={"integer": True}),
        Property("price", "Number"), Property("published", "Date"),
        Property("available", "Boolean"), Property("isbn"),
        Property("genre", "StaticList", options={"values": list(GENRES)}),
        Property("languages", "StaticList",
                 options={"values": list(LANGUAGES), "multiple": True}),
        Property("summary", "TextArea"))),
    ISSUE: ClassDefinition((
        Property("status", "StaticList", options={"values": list(STATES)}),
        Property("priority", "Number", options={"integer": True}), Property("due", "Date"),
        Property("estimate", "Number"), Property("urgent", "Boolean"),
        Property("assignee", "Page"))),
    PERSON: ClassDefinition((
        Property("firstName"), Property("lastName"), Property("email", "Email"),
        Property("born", "Date"), Property("retired", "Boolean"), Property("manager", "Page"))),
}


class Words:
    """Text whose words are as unequally frequent as those of a language."""

    def __init__(self) -> None:
        random = Random(1)
        syllables = [consonant + vowel for consonant in "bdfghklmnprstvwz" for vowel in "aeiou"]
        made = {"".join(random.choices(syllables, k=random.randint(2, 4))) for _ in range(20_000)}
        self.words = [*COMMON, *sorted(made, key=lambda word: (len(word), word))]
        self.weights = list(accumulate(1 / rank for rank in range(1, len(self.words) + 1)))

    def some(self, random: Random, number: int) -> list[str]:
        total, words, last = self.weights[-1], self.words, len(self.words) - 1
        return [words[min(bisect(self.weights, random.random() * total), last)]
                for _ in range(number)]

    def sentence(self, random: Random) -> str:
        return " ".join(self.some(random, random.randint(6, 16))).capitalize() + "."

    def title(self, random: Random) -> str:
        return " ".join(random.sample(self.words[100:6000], random.randint(1, 4))).title()


class Maker:
    """The pages, each made of nothing but its number."""

    def __init__(self) -> None:
        self.words = Words()

    def name(self, number: int) -> str:
        """Of ten pages six are books, three are issues and one is a person."""
        kind, group = number % 10, number // 10
        if kind < 6:
            return f"Library.Shelf {group % 40}.Board {group // 40 % 8}.Book {number}"
        if kind < 9:
            return f"Projects.Team {group % 25}.Project {group // 25 % 6}.Issue {number}"
        return f"People.Town {group % 60}.Person {number}"

    def page(self, number: int) -> tuple[str, str, dict[str, Any], dict[str, Any]]:
        """The name, the class, the fields and the object's values."""
        random, name = Random(number), self.name(number)
        fields = {"title": self.words.title(random), "content": self.content(random, number),
                  "tags": tuple(random.sample([f"tag{n}" for n in range(50)],
                                              random.choice((0, 0, 1, 2, 3)))),
                  "hidden": random.random() < 0.01}
        if number > 100 and number % 4 == 0:
            fields["parent"] = self.name(number // 10)
        class_name = next(cls for cls in CLASSES if name.startswith(cls.partition(".")[0]))
        values = {BOOK: self.book, ISSUE: self.issue, PERSON: self.person}[class_name](
            random, number)
        return name, class_name, fields, values

    def content(self, random: Random, number: int) -> str:
        paragraphs = []
        for _ in range(random.randint(1, 4)):
            sentences = [self.words.sentence(random) for _ in range(random.randint(2, 6))]
            if number and random.random() < 0.5:
                sentences.append(f"See [[{self.name(random.randrange(number))}]].")
            paragraphs.append(" ".join(sentences))
        if number in (7, 777, 7777):
            paragraphs.append(f"A {RARE} was here.")
        return f"## {self.words.title(random)}\n\n" + "\n\n".join(paragraphs) + "\n"

    def book(self, random: Random, number: int) -> dict[str, Any]:
        return {"author": self.words.title(random), "year": random.randint(1700, 2026),
                "price": round(random.uniform(1, 200), 2), "published": _day(random, 1950),
                "available": random.random() < 0.7, "isbn": f"978-{number:09d}",
                "genre": random.choice(GENRES),
                "languages": random.sample(LANGUAGES, random.randint(1, 3)),
                "summary": self.words.sentence(random)}

    def issue(self, random: Random, number: int) -> dict[str, Any]:
        return {"status": random.choice(STATES), "priority": random.randint(1, 5),
                "due": _day(random, 2024), "estimate": random.randint(1, 80) / 2,
                "urgent": random.random() < 0.1, "assignee": self.name(random.randrange(
                    max(1, number // 10)) * 10 + 9)}

    def person(self, random: Random, number: int) -> dict[str, Any]:
        first, last = self.words.title(random), self.words.title(random)
        return {"firstName": first, "lastName": last, "email": f"person{number}@example.org",
                "born": _day(random, 1940), "retired": random.random() < 0.2,
                "manager": self.name(number // 10 * 10 + 9)}


def _day(random: Random, first: int) -> str:
    """A day from the year on, as a Date is kept."""
    return (date(first, 1, 1) + timedelta(days=random.randrange(900))).isoformat()


def make(wiki: Wiki, pages: int) -> Iterator[int]:
    """Make what is missing of so many pages; the number of those there, after each chunk."""
    for name, definition in CLASSES.items():
        if name not in wiki:
            wiki.new(name, title=name.rpartition(".")[2], class_definition=definition).save()
    maker = Maker()
    for start in range(0, pages, CHUNK):
        end = min(start + CHUNK, pages)
        if not wiki.marked(MARKS, str(end)):
            make_chunk(wiki, maker, range(start, end))
            yield end


def make_chunk(wiki: Wiki, maker: Maker, numbers: range) -> None:
    with wiki.batch():
        for number in numbers:
            name, class_name, fields, values = maker.page(number)
            if name in wiki:  # a longer wiki goes on in the middle of a chunk
                continue
            page = wiki.new(name, **fields)
            page.add_object(class_name, **values)
            page.save()
        wiki.mark(MARKS, str(numbers.stop))


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DIRECTORY
    pages = int(sys.argv[2]) if len(sys.argv) > 2 else PAGES
    begin = time.monotonic()
    with Site(Settings(data=folder)) as site:
        site.install()
        for done in make(site.wiki.as_user("Users.Admin"), pages):
            print(f"\r{done:,} of {pages:,} pages, {time.monotonic() - begin:.0f} s", end="",
                  flush=True)
    print(f"\nthe wiki is in {folder}")


if __name__ == "__main__":
    main()
