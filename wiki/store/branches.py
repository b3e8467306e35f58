"""The tree of pages, one branch at a time: what lies right below a page, and what is above it.

Each question is answered by an index and costs what it shows, however many pages there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from wiki.references import HOME, Reference, join_names, split_names
from wiki.store.base import Leaf
from wiki.store.extract import by_spaces
from wiki.store.schema import documents

#: So many pages above a page are looked for; parents may go round in a circle.
MOST_ABOVE = 20
#: So many spaces that have no home page are found in one space.
MOST_SPACES = 200

_below = documents.alias()
_shown = sa.and_(_below.c.parent == documents.c.reference, _below.c.hidden.is_(False))
#: Pages right below a page; whether there are pages below them.
_BRANCH = (sa.select(documents.c.reference, documents.c.title, sa.exists().where(_shown))
           .where(documents.c.parent == sa.bindparam("parent"), documents.c.hidden.is_(False))
           .order_by(documents.c.title, documents.c.name, documents.c.reference)
           .limit(sa.bindparam("limit")).offset(sa.bindparam("offset")))
_PAGE = sa.select(documents.c.title, documents.c.parent).where(
    documents.c.reference == sa.bindparam("reference"))
#: The next space in order, up to an end.
_NEXT = sa.select(sa.func.min(documents.c.space)).where(
    documents.c.space >= sa.bindparam("begin"), documents.c.space < sa.bindparam("end"))
#: Behind all names.
_END = "\U0010ffff"


def branch(connection: Connection, parent: str, limit: int, offset: int) -> list[Leaf]:
    """The pages right below a page, not hidden ones, by title; ``parent`` is empty for the
    outermost ones."""
    return [_leaf(Reference.parse(text), title, bool(more)) for text, title, more in
            connection.execute(_BRANCH, {"parent": parent, "limit": limit, "offset": offset})]


def bare_spaces(connection: Connection, names: tuple[str, ...]) -> list[Leaf]:
    """The spaces right in a space that have no home page, so that no page leads to theirs."""
    homes = (Reference(space, HOME) for space in _spaces(connection, names))
    return [_leaf(home, "", True, there=False) for home in homes
            if _page(connection, home) is None]


def above(connection: Connection, parent: str) -> list[Leaf]:
    """The pages above a page whose parent is given, the outermost first."""
    found: dict[str, Leaf] = {}
    while parent and parent not in found and len(found) < MOST_ABOVE:
        reference = Reference.parse(parent)
        row = _page(connection, reference)
        found[parent] = _leaf(reference, row[0] if row else "", True, there=row is not None)
        parent = row[1] if row else by_spaces(reference)
    return [*found.values()][::-1]


def _page(connection: Connection, reference: Reference) -> Any:
    return connection.execute(_PAGE, {"reference": str(reference)}).first()


def _leaf(reference: Reference, title: str, more: bool, there: bool = True) -> Leaf:
    name = reference.spaces[-1] if reference.name == HOME else reference.name
    return Leaf(reference, title or name, more, there)


def _spaces(connection: Connection, names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The spaces right in a space, with pages in them or further down; each is a few steps
    in the index, past all that lies in it."""
    depth = len(names) + 1
    begin, end = (f"{join_names(names)}.", f"{join_names(names)}/") if names else ("", _END)
    found: set[tuple[str, ...]] = set()
    while len(found) < MOST_SPACES:
        text = connection.execute(_NEXT, {"begin": begin, "end": end}).scalar()
        if text is None:
            return
        space = split_names(text)[:depth]
        if space not in found:
            found.add(space)
            yield space
        name = join_names(space)
        # Past the space itself, or ('/' follows '.' in ASCII, no name has it) all within it.
        begin = f"{text}\x01" if text == name else f"{name}/"
