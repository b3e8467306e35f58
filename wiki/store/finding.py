"""What is asked of the index: the half of the embedded store that opens no page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from wiki.references import Reference
from wiki.store import query as queries
from wiki.store.base import ChangedPage, Hit, Query, Row, Since, State
from wiki.store.index import ROW, Index, documents, links, properties, tags, to_row

#: Made once, since each view asks for it; SQLite takes -1 for no limit.
_BACKLINKS = (sa.select(links.c.doc_ref).where(links.c.target == sa.bindparam("target"))
              .order_by(links.c.doc_ref).limit(sa.bindparam("limit")))


class Finding:
    """Answers from the index, once what a batch holds back is in it."""

    _index: Index
    #: The boot of the machine in which the store was opened.
    _boot: str

    def _flush(self) -> None:
        """Commit what this thread's batch holds back."""
        raise NotImplementedError

    def query(self, query: Query) -> Iterator[Row]:
        """Rows, fetched as they are asked for; raises QueryError."""
        self._flush()
        return queries.run(self._index, query)

    def count(self, query: Query) -> int:
        """How many documents fit, ``limit`` and ``offset`` aside; raises QueryError."""
        self._flush()
        return queries.count(self._index, query)

    def spaces(self) -> list[tuple[str, int]]:
        """Every space that holds pages, with their number, in order."""
        self._flush()
        column = documents.c.space
        return [(space, number) for space, number in self._index.rows(
            sa.select(column, sa.func.count()).group_by(column).order_by(column))]

    def search(self, text: str, space: str | None = None, limit: int = 20,
               offset: int = 0) -> Sequence[Hit]:
        """Pages with all the words, best first; the last word may be a beginning."""
        self._flush()
        return self._index.search(text, space, limit, offset)

    def backlinks(self, reference: Reference, limit: int | None = None) -> list[Reference]:
        """The pages that link to the page, or have it for a parent, in order."""
        self._flush()
        with self._index.reading() as connection:
            rows = connection.execute(_BACKLINKS, {
                "target": str(reference), "limit": -1 if limit is None else limit})
            return [Reference.parse(text) for (text,) in rows]

    def tags(self) -> list[tuple[str, int]]:
        """Every tag with its number of pages, in order."""
        self._flush()
        return [(tag, number) for tag, number in self._index.rows(
            sa.select(tags.c.tag, sa.func.count()).group_by(tags.c.tag).order_by(tags.c.tag))]

    def tagged(self, tag: str) -> list[Reference]:
        self._flush()
        return self._references(sa.select(tags.c.doc_ref).where(tags.c.tag == tag)
                                .order_by(tags.c.doc_ref))

    def changes(self, limit: int = 50, offset: int = 0) -> list[Row]:
        """Pages by their last change, newest first."""
        self._flush()
        return [to_row(row) for row in self._index.rows(
            sa.select(*ROW).order_by(documents.c.updated.desc(), documents.c.reference)
            .limit(limit).offset(offset))]

    def changes_since(self, mark: str, classes: Sequence[str], limit: int = 1000) -> Since:
        """Up to ``limit`` pages that changed since the mark of an earlier answer."""
        self._flush()
        era, _, number = mark.rpartition("/")
        generation, last, rows = self._index.changes_since(int(number or 0), classes, limit)
        # After the machine went down, what the journal replays is numbered anew.
        now = f"{self._boot}/{generation}"
        if era != now:
            return Since(f"{now}/{last}", anew=True)
        return Since(f"{era}/{rows[-1][1]}" if rows else mark, tuple(
            ChangedPage(Reference.parse(ref), fits) for ref, _, fits in rows), len(rows) == limit)

    def state(self) -> State:
        """See :meth:`wiki.store.base.Store.state`."""
        return self._index.state()

    def tally(self, class_name: str, name: str) -> dict[str, int]:
        """How many objects of a class have each value of a property, numbers as text."""
        self._flush()
        column = properties.c.text
        return {str(text): int(number) for text, number in self._index.rows(
            sa.select(column, sa.func.count()).group_by(column)
            .where(properties.c["class"] == class_name, properties.c.name == name))}

    def _references(self, statement: sa.Select[tuple[str]]) -> list[Reference]:
        return [Reference.parse(text) for (text,) in self._index.rows(statement)]
