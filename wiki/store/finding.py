"""What is asked of the index: the half of the embedded store that opens no page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

import sqlalchemy as sa

from wiki.errors import QueryError
from wiki.model import Document
from wiki.references import HOME, Reference
from wiki.store import branches, changelog, extract, filetexts
from wiki.store import query as queries
from wiki.store.base import (
    ChangedPage,
    Found,
    Hit,
    Leaf,
    Link,
    Logged,
    Query,
    Row,
    Search,
    Since,
    State,
    WaitingFile,
)
from wiki.store.index import Index
from wiki.store.schema import documents, links, properties, tags

#: Made once, since each view asks for it; SQLite takes -1 for no limit.
_BACKLINKS = (sa.select(links.c.doc_ref).distinct()
              .where(links.c.target == sa.bindparam("target"), links.c.kind != "object")
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

    def counts(self, query: Query, name: str) -> dict[str, int]:
        """How many documents that fit have each value of a property; raises QueryError."""
        self._flush()
        return queries.counts(self._index, query, name)

    def spaces(self) -> list[tuple[str, int]]:
        """Every space that holds pages, with their number, in order."""
        self._flush()
        column = documents.c.space
        return [(space, number) for space, number in self._index.rows(
            sa.select(column, sa.func.count()).group_by(column).order_by(column))]

    def search(self, text: str, space: str | None = None, limit: int = 20,
               offset: int = 0) -> Sequence[Hit]:
        """Pages with all the words, best first; the last word may be a beginning."""
        with suppress(QueryError):
            return list(self.find(Search(text, space, limit=limit, offset=offset)).hits)
        return []

    def find(self, search: Search) -> Found:
        """Full text with filters, counts and one page of hits; raises QueryError."""
        self._flush()
        return self._index.find(search)

    def titles(self, text: str, limit: int = 20) -> list[tuple[Reference, str]]:
        """Pages whose title begins so, then those with words that begin so, or like these."""
        self._flush()
        return self._index.titles(text, limit)

    def waiting_file(self) -> WaitingFile | None:
        """An attached document to read next; None where none waits."""
        with self._index.reading() as connection:
            return filetexts.next_waiting(connection)

    def backlinks(self, reference: Reference, limit: int | None = None) -> list[Reference]:
        """The pages that link to the page, or have it for a parent, in order."""
        self._flush()
        with self._index.reading() as connection:
            rows = connection.execute(_BACKLINKS, {
                "target": str(reference), "limit": -1 if limit is None else limit})
            return [Reference.parse(text) for (text,) in rows]

    def links_to(self, reference: Reference) -> list[Link]:
        """The pages that lead to the page, each with how, in order."""
        self._flush()
        return [Link(Reference.parse(text), kind) for text, kind in self._index.rows(
            sa.select(links.c.doc_ref, links.c.kind).where(links.c.target == str(reference))
            .order_by(links.c.doc_ref, links.c.kind))]

    def orphaned(self, limit: int = 100, offset: int = 0) -> list[Reference]:
        """Pages that nothing leads to, hidden ones and home pages aside, in order."""
        self._flush()
        leads = sa.exists().where(links.c.target == documents.c.reference,
                                  links.c.doc_id != documents.c.id)
        return self._references(
            sa.select(documents.c.reference).order_by(documents.c.reference)
            .where(~leads, documents.c.hidden.is_(False), documents.c.name != HOME)
            .limit(limit).offset(offset))

    def wanted(self, limit: int = 100, offset: int = 0) -> list[tuple[Reference, int]]:
        """Pages that are not there, with how many lead to each, most first."""
        self._flush()
        number, target = sa.func.count(links.c.doc_id.distinct()), links.c.target
        there = sa.exists().where(documents.c.reference == target)
        return [(Reference.parse(text), int(pages)) for text, pages in self._index.rows(
            sa.select(target, number).where(links.c.kind != "object", ~there).group_by(target)
            .order_by(number.desc(), target).limit(limit).offset(offset))]

    def branch(self, parent: Reference | None, limit: int = 100,
               offset: int = 0) -> list[Leaf]:
        """The pages right below a page, or the outermost ones; see
        :meth:`wiki.store.base.Store.branch`."""
        self._flush()
        with self._index.reading() as connection:
            bare: list[Leaf] = []
            if not offset and (parent is None or parent.name == HOME):
                bare = branches.bare_spaces(connection, parent.spaces if parent else ())
            return [*bare, *branches.branch(
                connection, str(parent) if parent else "", limit, offset)]

    def above(self, document: Document) -> list[Leaf]:
        """The pages above a page, kept or not, the outermost first."""
        self._flush()
        with self._index.reading() as connection:
            return branches.above(connection, extract.parent(document))

    def tags(self) -> list[tuple[str, int]]:
        """Every tag with its number of pages, in order."""
        self._flush()
        return [(tag, number) for tag, number in self._index.rows(
            sa.select(tags.c.tag, sa.func.count()).group_by(tags.c.tag).order_by(tags.c.tag))]

    def tagged(self, tag: str) -> list[Reference]:
        self._flush()
        return self._references(sa.select(tags.c.doc_ref).where(tags.c.tag == tag)
                                .order_by(tags.c.doc_ref))

    def changes(self, limit: int = 50, offset: int = 0, *, space: str | None = None,
                author: str | None = None, minor: bool = True,
                hidden: bool = True) -> list[Logged]:
        """All saves, moves and deletions, newest first; see :meth:`wiki.store.base.Store`."""
        self._flush()
        statement = changelog.select(limit, offset, space=space, author=author, minor=minor,
                                     hidden=hidden)
        return [changelog.to_logged(row) for row in self._index.rows(statement)]

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
