"""Full text: the pages that a search finds, best first, and their titles.

A page is found where its text has all the words, or one of its files does, some of them maybe in
the page's title or name. Ranking all pages with a word that most of them have takes long and
helps nobody: of more than :data:`LOOKED_AT` pages the newest are counted and ranked, and beside
them the best of those that have the words in their title.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from wiki.references import Reference
from wiki.store import filetexts, spelling
from wiki.store.base import FileHit, Found, Hit, Search
from wiki.store.terms import Words, parse

#: How many pages with the words are counted and ranked, and how many files with them.
LOOKED_AT, FILES_LOOKED_AT = 3_000, 1_000
#: How many values of a facet are told, those of most pages first.
VALUES = 20
#: How many files of a page are told, the best.
FILES = 3
#: How many pieces of words a title is looked for by.
MOST_PIECES = 6
#: What a word in a file's text counts, where one in a page's text counts 1.
FILE_WEIGHT = 0.5
#: Markup that tells nothing in a snippet, where no found word stands in it: rules of tables,
#: headings, bold, fences, macros, the bars between cells.
_MARKUP = re.compile(r"^[-:| ]*-{3}[-:| ]*$|^ {0,3}#{1,6} +|\*\*|^(```|~~~).*$"
                     r"|<</?\w[^<>\x02\x03]*>>|\|", re.MULTILINE)
#: By the columns: title, name, tags, headings, body.
_RANK = "bm25(fulltext, 10.0, 8.0, 6.0, 3.0, 1.0)"
_COLUMNS = "d.id, d.space, d.author, d.updated, d.reference, d.title, d.name"
_FROM = ("FROM fulltext CROSS JOIN documents d ON d.id = fulltext.rowid "
         "WHERE fulltext MATCH :words")
_CLASSES = sa.text("""
    SELECT class, COUNT(DISTINCT doc_id) FROM objects
    WHERE doc_id IN (SELECT value FROM json_each(:ids)) GROUP BY class""")
_SOME = sa.text("SELECT 1 FROM fulltext WHERE fulltext MATCH :words LIMIT :cap")
_SNIPPET = sa.text("""
    SELECT rowid, highlight(fulltext, 2, char(2), char(3)),
        snippet(fulltext, 4, char(2), char(3), '…', 24) FROM fulltext
    WHERE fulltext MATCH :words AND rowid BETWEEN :first AND :last AND +rowid IN :ids
    """).bindparams(sa.bindparam("ids", expanding=True))
_TITLES = sa.text("""
    SELECT d.reference, d.title FROM titles CROSS JOIN documents d ON d.id = titles.rowid
    WHERE titles MATCH :words AND NOT d.hidden ORDER BY titles.rowid DESC LIMIT :limit""")
_BEGINNINGS = sa.text("""
    SELECT reference, title FROM documents
    WHERE folded >= :text AND folded < :text || char(1114111) AND NOT hidden
    ORDER BY folded, reference LIMIT :limit""")
_REFERENCES = sa.text("""
    SELECT reference, title FROM documents
    WHERE reference >= :text AND reference < :text || char(1114111) AND NOT hidden
    ORDER BY reference LIMIT :limit""")


class Page(NamedTuple):
    """A page that was found, with its rank, lower is better."""

    id: int
    space: str
    author: str
    updated: str
    reference: str
    title: str
    name: str
    rank: float


def find(connection: Connection, search: Search) -> Found:
    """Raises QueryError."""
    words = parse(search.text)
    if not words.wanted:
        return Found()
    search = replace(search, **words.narrowing)
    if words.whole != words.wanted and _fill(connection, search, words.whole):
        words = replace(words, wanted=words.whole)
    where, values = _filters(search, words)
    pool, floor = _pool(connection, search, where, values)
    if words.unwanted:  # which the text of a page may have that has a file, or a title
        where += " AND d.id NOT IN (SELECT rowid FROM fulltext WHERE fulltext MATCH :unwanted)"
    infiles = filetexts.find(connection, _COLUMNS, words.wanted, where, values,
                             FILES_LOOKED_AT + 1)
    found = {page.id: page for page in pool}
    files: dict[int, list[filetexts.Place]] = {}
    for columns, place in infiles[:FILES_LOOKED_AT]:
        files.setdefault(columns[0], []).append(place)
        rank = 0 if search.by_date else FILE_WEIGHT * place.rank
        _put(found, Page._make((*columns, rank)))
    facets = _facets(connection, found.values())
    capped = bool(floor) or len(infiles) > FILES_LOOKED_AT
    total = min(len(found), LOOKED_AT) if capped else len(found)
    if search.by_date:
        pages = sorted(found.values(), key=lambda page: (page.updated, page.reference),
                       reverse=True)
    else:
        for page in _titled(connection, search, words, where, values) if floor else ():
            _put(found, page)
        pages = sorted(found.values(), key=lambda page: (page.rank, page.name, page.reference))
    pages = pages[search.offset:search.offset + search.limit]
    return Found(tuple(_hits(connection, words, pages, files)), total, capped, facets,
                 "" if found else _instead(connection, search))


def _fill(connection: Connection, search: Search, words: Sequence[str]) -> bool:
    """Whether there are more pages with the words than are looked at, which leaves no room for
    those with words that only begin so."""
    if search.space or search.class_name or search.author or search.year:
        return False
    return len(connection.execute(_SOME, {
        "words": " AND ".join(words), "cap": LOOKED_AT + 1}).all()) > LOOKED_AT


def _pool(connection: Connection, search: Search, where: str,
          values: dict[str, Any]) -> tuple[list[Page], int]:
    """The newest pages with ``:words``, and the number before which more of them are, or 0."""
    pool = [Page._make(row) for row in connection.execute(sa.text(
        f"SELECT {_COLUMNS}, {0 if search.by_date else _RANK} {_FROM}{where} "
        "ORDER BY fulltext.rowid DESC LIMIT :cap"), {**values, "cap": LOOKED_AT + 1}).all()]
    return pool[:LOOKED_AT], pool[LOOKED_AT].id if len(pool) > LOOKED_AT else 0


def _put(found: dict[int, Page], page: Page) -> None:
    """A page that was found twice has the better of its ranks."""
    known = found.get(page.id)
    if known is None or page.rank < known.rank:
        found[page.id] = page


def _filters(search: Search, words: Words) -> tuple[str, dict[str, Any]]:
    """What else a page must fit, as SQL, and the values of that and of ``:words``."""
    parts: list[str] = [] if search.hidden else ["NOT d.hidden"]
    values: dict[str, Any] = {"words": words.expression()}
    if search.space:
        parts.append("(d.space = :space OR (d.space >= :below AND d.space < :behind))")
        # '/' follows '.' in ASCII, and no name has one in it.
        values |= {"space": search.space, "below": f"{search.space}.",
                   "behind": f"{search.space}/"}
    if search.author:
        parts.append("d.author = :author")
        values["author"] = search.author
    if search.year:
        parts.append("substr(d.updated, 1, 4) = :year")
        values["year"] = search.year
    if search.class_name:
        parts.append("EXISTS (SELECT 1 FROM objects o WHERE o.doc_id = d.id "
                     "AND o.class = :class_name)")
        values["class_name"] = search.class_name
    if words.unwanted:
        parts.append(f"d.id NOT IN ({filetexts.PAGES_HAVING})")
        values |= {"unwanted": " OR ".join(words.unwanted),
                   "having": filetexts.having(words.unwanted)}
    return "".join(f" AND {part}" for part in parts), values


def _titled(connection: Connection, search: Search, words: Words, where: str,
            values: dict[str, Any]) -> Iterator[Page]:
    """The best pages that have the words in their title or name."""
    for row in connection.execute(sa.text(
            f"SELECT {_COLUMNS}, titled.rank FROM (SELECT rowid, bm25(titles, 10.0, 8.0) AS rank "
            "FROM titles WHERE titles MATCH :titled ORDER BY rowid DESC LIMIT :most) titled "
            f"CROSS JOIN documents d ON d.id = titled.rowid WHERE true{where} "
            "ORDER BY titled.rank, d.name, d.reference LIMIT :limit"), {
                **values, "titled": " AND ".join(words.wanted), "most": LOOKED_AT,
                "limit": search.offset + search.limit}):
        yield Page._make(row)


def _hits(connection: Connection, words: Words, pages: Sequence[Page],
          files: dict[int, list[filetexts.Place]]) -> Iterator[Hit]:
    ids = sorted(page.id for page in pages)
    found = connection.execute(_SNIPPET, {
        "words": words.expression(), "first": ids[0], "last": ids[-1], "ids": ids}) if ids else ()
    snippets = {int(number): _readable(tags, text) for number, tags, text in found}
    best = {number: sorted(files.get(number, ()), key=lambda place: place.rank)[:FILES]
            for number in ids}
    texts = filetexts.snippets(connection, words.wanted,
                               (place.key for places in best.values() for place in places))
    for page in pages:
        yield Hit(Reference.parse(page.reference), page.title, snippets.get(page.id, ""),
                  page.author, datetime.fromisoformat(page.updated),
                  tuple(FileHit(place.filename, texts.get(place.key, ""))
                        for place in best[page.id]))


def _readable(tags: str, text: str) -> str:
    """A snippet of a page, with its tags where only they have the words."""
    plain = _MARKUP.sub("", text).strip()
    return f"{' '.join(tags.split())} · {plain}" if "\x02" in tags and "\x02" not in text else plain


def _facets(connection: Connection,
            pages: Iterable[Page]) -> dict[str, tuple[tuple[str, int], ...]]:
    pages = list(pages)
    classes = Counter({str(name): int(number) for name, number in connection.execute(
        _CLASSES, {"ids": json.dumps([page.id for page in pages])})})
    counted = {"space": Counter(page.space for page in pages), "class": classes,
               "author": Counter(page.author for page in pages),
               "year": Counter(page.updated[:4] for page in pages)}
    return {name: tuple(values.most_common(VALUES)) for name, values in counted.items()}


def _instead(connection: Connection, search: Search) -> str:
    """A search that would find something, with words that are like these; empty for none."""
    better = spelling.corrected(connection, search.text)
    found = better and find(connection, replace(search, text=better, limit=1, offset=0)).total
    return better if found else ""


def titles(connection: Connection, text: str, limit: int) -> list[tuple[Reference, str]]:
    """Pages whose title begins so, whose whole reference does where the text has a dot, then those
    whose title or name has words that begin so, then those that have all the pieces of the text
    somewhere in them; where there are none, those with words that are like these."""
    found = _titles(connection, text, limit)
    if not found and (better := spelling.corrected(connection, text)):
        found = _titles(connection, better, limit)
    return [(Reference.parse(ref), title) for ref, title in found.items()][:limit]


def _titles(connection: Connection, text: str, limit: int) -> dict[str, str]:
    words = " AND ".join(f'"{word}"*' for word in re.findall(r"\w+", text))
    if not words:
        return {}
    found = connection.execute(_BEGINNINGS, {
        "text": text.strip().casefold(), "limit": limit}).all()
    if "." in text:
        found = [*found, *connection.execute(
            _REFERENCES, {"text": text.strip(), "limit": limit}).all()]
    if len(found) < limit:
        found = [*found, *connection.execute(
            _TITLES, {"words": words, "limit": 2 * limit}).all()]
    if len(found) < limit:
        found = [*found, *_with_pieces(connection, text, 2 * limit)]
    return {str(ref): str(title) for ref, title in found}


def _with_pieces(connection: Connection, text: str, limit: int) -> Sequence[Any]:
    """Pages with each piece of the text within their title and reference."""
    pieces = {f"piece{number}": piece for number, piece in
              enumerate(text.casefold().split()[:MOST_PIECES])}
    fit = " AND ".join(f"instr(label, :{name})" for name in pieces)
    return connection.execute(sa.text(
        f"SELECT reference, title FROM documents WHERE {fit} AND NOT hidden "
        "ORDER BY label LIMIT :limit"), {**pieces, "limit": limit}).all()
