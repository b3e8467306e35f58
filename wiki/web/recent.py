"""What changed last: a page with filters, and the same as an Atom feed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for

from wiki.recent import by_day
from wiki.references import Reference
from wiki.store.base import ChangeKind, Logged
from wiki.translate import gettext, marked
from wiki.web import atom
from wiki.web.atom import Entry, absolute
from wiki.web.context import page_url, reader

blueprint = Blueprint("recent", __name__)
#: How many changes a page of the list, and the feed, show.
SIZE = 100
MAX_START = 1_000_000
#: What a feed says of a change that its author said nothing of.
_WAS = {ChangeKind.CREATED: marked("%(page)s was created"),
        ChangeKind.EDITED: marked("%(page)s was edited"),
        ChangeKind.MOVED: marked("%(page)s was moved"),
        ChangeKind.DELETED: marked("%(page)s was deleted"),
        ChangeKind.RESTORED: marked("%(page)s was restored")}


@dataclass(frozen=True, slots=True)
class Filter:
    """What the address asks for."""

    space: str
    user: str
    minor: bool

    @classmethod
    def of_request(cls) -> Filter:
        args = request.args
        user = args.get("user", "").strip()
        return cls(args.get("space", "").strip(),
                   f"Users.{user}" if user and "." not in user else user, "minor" in args)

    def rows(self, limit: int, start: int = 0) -> list[Logged]:
        return reader().changes(limit, start, space=self.space or None, author=self.user or None,
                                minor=self.minor, hidden=False)

    @property
    def query(self) -> dict[str, Any]:
        """As parameters of an address; what is not asked for is left out."""
        return {"space": self.space or None, "user": self.user or None,
                "minor": "1" if self.minor else None}

    @property
    def title(self) -> str:
        if self.space and self.user:
            return gettext("Recent changes in %(space)s by %(user)s", space=self.space,
                           user=self.user)
        if self.space:
            return gettext("Recent changes in %(space)s", space=self.space)
        if self.user:
            return gettext("Recent changes by %(user)s", user=self.user)
        return gettext("Recent changes")


@blueprint.get("/changes")
def changes() -> str:
    wanted = Filter.of_request()
    start = min(max(request.args.get("start", 0, int), 0), MAX_START)
    rows = wanted.rows(SIZE + 1, start)
    return render_template("changes.html", title=wanted.title, filter=wanted,
                           groups=by_day(rows[:SIZE]), start=start, size=SIZE,
                           more=len(rows) > SIZE, spaces=reader().spaces())


@blueprint.get("/changes/feed")
def feed() -> Response:
    wanted = Filter.of_request()
    return atom.feed(absolute(url_for("recent.feed", **wanted.query)), wanted.title,
                     map(entry, wanted.rows(SIZE)),
                     absolute(url_for("recent.changes", **wanted.query)))


def entry(row: Logged) -> Entry:
    """One version of a page, or its deletion."""
    deleted = row.kind == ChangeKind.DELETED
    title = row.title or str(row.reference)
    where = (url_for("bin.shown", key=row.key, ref=row.reference) if deleted
             else page_url(row.reference, f"history/{row.version}"))
    return Entry(absolute(where),
                 gettext("%(title)s (deleted)", title=title) if deleted else title, row.updated,
                 Reference.parse(row.author).name, absolute(page_url(row.reference)),
                 row.comment or gettext(_WAS[row.kind], page=row.reference))
