"""Who signs what is put together from somebody's page: a run's results, or a copy of the page."""

from __future__ import annotations

from wiki.api import OpenDocument
from wiki.rights import Right, allows


def signer(page: OpenDocument, author: str) -> str:
    """Who signs the text and the scripts that come out of the page, if ``author`` makes them.

    It is ``author`` only if everybody who saved the page, or signed what it was copied from,
    holds the script right too: the page's values and files may end up in what is made, and
    would otherwise run with rights that whoever gave them does not hold.
    """
    people = (page.content_author, page.script_author,
              *(revision.author for revision in page.revisions()))
    return next((person for person in people if not allows(person, Right.SCRIPT)), author)
