"""Who signs what is put together from somebody's page: a run's results, or a copy of the page."""

from __future__ import annotations

from collections.abc import Iterator

from wiki.api import OpenDocument
from wiki.rights import Right, allows


def signer(page: OpenDocument, author: str) -> str:
    """Who signs the text and the scripts that come out of the page, if ``author`` makes them.

    It is ``author`` only if everybody who saved the page, or signed what it was copied from,
    holds the script right too: the page's values and files may end up in what is made, and
    would otherwise run with rights that whoever gave them does not hold.
    """
    return next((person for person in people(page) if not allows(person, Right.SCRIPT)), author)


def people(page: OpenDocument) -> Iterator[str]:
    """Everybody who saved the page, or signed what it was copied from."""
    yield from (page.content_author, page.script_author)
    yield from (revision.author for revision in page.revisions())
