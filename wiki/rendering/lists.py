"""Lists in what macros put out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from markupsafe import Markup

Item = TypeVar("Item")
#: The most items that a reader may ask for.
MOST = 1000


def first_of(find: Callable[[int], Sequence[Item]], limit: int, item: Callable[[Item], Markup],
             empty: str) -> Markup:
    """A list of the first ``limit`` items that ``find`` gives of as many as it is asked for, each
    as ``item`` makes it, with a note where there are more; ``empty`` says that there are none."""
    size = max(1, min(limit, MOST))
    found = find(size + 1)
    if not found:
        return Markup('<p class="empty">{}</p>').format(empty)
    items = Markup("").join(Markup("<li>{}</li>\n").format(item(one)) for one in found[:size])
    more = Markup('<p class="note">There are more.</p>' if len(found) > size else "")
    return Markup("<ul>\n{}</ul>{}").format(items, more)
