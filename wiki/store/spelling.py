"""Words that are like those that no page has, so that a slip of the keys does not end a search."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from wiki.store.terms import NARROWING

#: The words of titles and names, and of whole pages, as the search knows them.
CREATE = ("CREATE VIRTUAL TABLE IF NOT EXISTS titlewords USING fts5vocab(titles, row)",
          "CREATE VIRTUAL TABLE IF NOT EXISTS pagewords USING fts5vocab(fulltext, row)")
#: How like a word must be, where 1 is the same; how long it is, and the most that are looked at.
LIKENESS, SHORTEST, LONGEST, MOST = 0.75, 4, 40, 5_000
#: Of a search with more words none is looked at.
MOST_WORDS = 10
#: A word, or what narrows a search or leaves pages out, which stays as it is.
_PIECE = re.compile(rf'(?:(?<!\S)-|\b(?:{"|".join(NARROWING)}):)(?:"[^"]*"|\S+)|(\w+)')
#: Titles are few, so that the first letter is enough; of pages only words that begin with two.
_LIKE = [(sa.text(f"SELECT term FROM {table} WHERE term >= :begin "
                  "AND term < :begin || char(1114111) "
                  "AND length(term) BETWEEN :length - 2 AND :length + 2 LIMIT :most"), letters)
         for table, letters in (("titlewords", 1), ("pagewords", 2))]
_KNOWN = [sa.text(f"SELECT 1 FROM {table} WHERE {table} MATCH :word LIMIT 1")
          for table in ("titles", "fulltext", "filetext")]


def corrected(connection: Connection, text: str) -> str:
    """The search's text with each of its words that nothing has, also as a beginning, put right;
    empty where one has none that is like it, all are known, or they are too many."""
    pieces: list[str] = []
    end = 0
    words = [match for match in _PIECE.finditer(text) if match[1]]
    for match in words if len(words) <= MOST_WORDS else []:
        word = match[0].casefold()
        known = len(word) > LONGEST or _is_known(connection, word)
        other = None if known else next(_similar(connection, word), None)
        if not known and other is None:
            return ""
        pieces += [text[end:match.start()], other or match[0]]
        end = match.end()
    better = "".join(pieces) + text[end:]
    return better if better != text else ""


def _is_known(connection: Connection, word: str) -> bool:
    return any(connection.execute(statement, {"word": f'"{word}"*'}).first()
               for statement in _KNOWN)


def _similar(connection: Connection, word: str) -> Iterator[str]:
    """The words of titles, then of pages, that are most like the word."""
    if len(word) < SHORTEST:
        return
    for statement, letters in _LIKE:
        words = connection.execute(statement, {
            "begin": word[:letters], "length": len(word), "most": MOST}).scalars()
        yield from get_close_matches(word, words.all(), 1, LIKENESS)
