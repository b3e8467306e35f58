"""Full text: what a reader types as an expression of FTS5, and the pages that it finds.

Ranking all pages with a word that most of them have takes long and helps nobody: of more than
:data:`LOOKED_AT` pages the newest are counted and ranked, and beside them those that have the
words in their title.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from wiki.errors import QueryError
from wiki.references import Reference
from wiki.store import filetexts
from wiki.store.base import Found, Hit, Search

#: How many pages with the words are counted and ranked.
LOOKED_AT = 3_000
#: How many values of a facet are told, those of most pages first.
VALUES = 20
_TERM = re.compile(r'(-?)(?:"([^"]*)"|(\S+))')
_RANK = "bm25(fulltext, 10.0, 8.0, 1.0)"
_COLUMNS = "d.id, d.space, d.author, d.updated, d.reference, d.title, d.name"
_FROM = ("FROM fulltext CROSS JOIN documents d ON d.id = fulltext.rowid "
         "WHERE fulltext MATCH :words")
_CLASSES = sa.text("""
    SELECT class, COUNT(DISTINCT doc_id) FROM objects
    WHERE doc_id IN (SELECT value FROM json_each(:ids)) GROUP BY class""")
_SNIPPET = sa.text("""
    SELECT rowid, snippet(fulltext, 2, char(2), char(3), '…', 24) FROM fulltext
    WHERE fulltext MATCH :words AND +rowid IN :ids""").bindparams(
        sa.bindparam("ids", expanding=True))
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


def expression(text: str) -> str:
    """An FTS5 expression for a search; empty where there is no word in it.

    All words are wanted; ``"a b"`` is a phrase, ``wor*`` a beginning, ``-word`` leaves out what
    has it; the last word may be only begun. Raises QueryError.
    """
    text = text.replace("\x00", " ")
    if text.count('"') % 2:
        raise QueryError('a phrase stands between two quotes ("), and one of them is missing')
    wanted: list[str] = []
    unwanted: list[str] = []
    for match in _TERM.finditer(text):
        term = _term(match, last=match.end() == len(text))
        if term:
            (unwanted if match[1] else wanted).append(term)
    if unwanted and not wanted:
        raise QueryError("say also which words to search for; -word only leaves pages out")
    joined = " AND ".join(wanted)
    return f"({joined}) NOT ({' OR '.join(unwanted)})" if unwanted else joined


def _term(match: re.Match[str], last: bool) -> str:
    phrase, word = match[2], match[3]
    bare = phrase if phrase is not None else word.rstrip("*")
    if not any(char.isalnum() for char in bare):
        return ""
    begun = phrase is None and (word.endswith("*") or (last and not match[1]))
    return '"' + bare.replace('"', '""') + '"' + ("*" if begun else "")


def find(connection: Connection, search: Search) -> Found:
    """Raises QueryError."""
    words = expression(search.text)
    if not words:
        return Found()
    where, values = _filters(search)
    values["words"] = words
    pool = connection.execute(sa.text(
        f"SELECT {_COLUMNS}, {0 if search.by_date else _RANK} {_FROM}{where} "
        "ORDER BY fulltext.rowid DESC LIMIT :cap"), {**values, "cap": LOOKED_AT + 1}).all()
    files = () if search.offset else tuple(filetexts.find(connection, words, where, values))
    capped = len(pool) > LOOKED_AT
    pool = pool[:LOOKED_AT]
    if search.by_date:
        rows = sorted(pool, key=lambda row: (row[3], row[4]), reverse=True)
    else:
        rows = _ranked(connection, search, where, values, pool, pool[-1][0] if capped else 0)
    rows = rows[search.offset:search.offset + search.limit]
    return Found(tuple(_hits(connection, words, rows)), len(pool), capped,
                 _facets(connection, pool), files)


def _filters(search: Search) -> tuple[str, dict[str, Any]]:
    """What else a page must fit, as SQL, and its values."""
    parts: list[str] = [] if search.hidden else ["NOT d.hidden"]
    values: dict[str, Any] = {}
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
    return "".join(f" AND {part}" for part in parts), values


def _ranked(connection: Connection, search: Search, where: str, values: dict[str, Any],
            pool: Sequence[Any], floor: int) -> list[Any]:
    """The pool, best first; with pages from before the number ``floor`` that have the words in
    their title."""
    older: Sequence[Any] = ()
    if floor:
        titled = {**values, "words": f"{{title name}} : ({values['words']})", "floor": floor,
                  "limit": search.offset + search.limit}
        older = connection.execute(sa.text(
            f"SELECT {_COLUMNS}, {_RANK} {_FROM}{where} AND fulltext.rowid < :floor "
            f"ORDER BY {_RANK}, d.name, d.reference LIMIT :limit"), titled).all()
    return sorted([*pool, *older], key=lambda row: (row[-1], row[6], row[4]))


def _hits(connection: Connection, words: str, rows: Sequence[Any]) -> Iterator[Hit]:
    found = connection.execute(_SNIPPET, {"words": words, "ids": [row[0] for row in rows]})
    snippets = {int(number): str(snippet) for number, snippet in found}
    for number, _, author, updated, reference, title, *_ in rows:
        yield Hit(Reference.parse(reference), title, snippets.get(number, ""), author,
                  datetime.fromisoformat(updated))


def _facets(connection: Connection, pool: Sequence[Any]) -> dict[str, tuple[tuple[str, int], ...]]:
    ids = json.dumps([row[0] for row in pool])
    classes = Counter({str(name): int(number) for name, number in connection.execute(
        _CLASSES, {"ids": ids})})
    counted = {"space": Counter(row[1] for row in pool), "class": classes,
               "author": Counter(row[2] for row in pool),
               "year": Counter(row[3][:4] for row in pool)}
    return {name: tuple(values.most_common(VALUES)) for name, values in counted.items()}


def titles(connection: Connection, text: str, limit: int) -> list[tuple[Reference, str]]:
    """Pages whose title begins so, whose whole reference does where the text has a dot, then those
    whose title or name has words that begin so."""
    words = " AND ".join(f'"{word}"*' for word in re.findall(r"\w+", text))
    if not words:
        return []
    found = connection.execute(_BEGINNINGS, {
        "text": text.strip().casefold(), "limit": limit}).all()
    if "." in text:
        found = [*found, *connection.execute(
            _REFERENCES, {"text": text.strip(), "limit": limit}).all()]
    if len(found) < limit:
        found = [*found, *connection.execute(
            _TITLES, {"words": words, "limit": 2 * limit}).all()]
    pages = {str(ref): str(title) for ref, title in found}
    return [(Reference.parse(ref), title) for ref, title in pages.items()][:limit]
