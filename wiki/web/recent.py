"""What changed last: a page with filters, and the same as an Atom feed (RFC 4287)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin
from xml.etree import ElementTree as ET

from flask import Blueprint, Response, render_template, request, url_for

from wiki.recent import by_day
from wiki.references import Reference
from wiki.store.base import ChangeKind, Logged
from wiki.web.context import page_url, reader, site

blueprint = Blueprint("recent", __name__)
#: How many changes a page of the list, and the feed, show.
SIZE = 100
MAX_START = 1_000_000
ATOM = "http://www.w3.org/2005/Atom"
#: What XML 1.0 cannot hold.
_NO_XML = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 65534, 65535), "�")


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
        where = f" in {self.space}" if self.space else ""
        return f"Recent changes{where}{f' by {self.user}' if self.user else ''}"


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
    rows = wanted.rows(SIZE)
    response = Response(atom(wanted, rows), mimetype="application/atom+xml")
    response.add_etag()
    if rows:
        response.last_modified = rows[0].updated
    response.headers["Cache-Control"] = "private, no-cache"
    response.make_conditional(request)
    return response


def atom(wanted: Filter, rows: list[Logged]) -> bytes:
    """The feed's document; an entry is one version of a page, or its deletion."""
    root = ET.Element("feed", xmlns=ATOM)
    own = absolute(url_for("recent.feed", **wanted.query))
    add_text(root, "id", own)
    add_text(root, "title", f"{wanted.title} · Wikimill")
    updated = rows[0].updated if rows else datetime.fromtimestamp(0, UTC)
    add_text(root, "updated", updated.isoformat())
    ET.SubElement(root, "link", rel="self", href=own)
    ET.SubElement(root, "link", href=absolute(url_for("recent.changes", **wanted.query)))
    for row in rows:
        _entry(ET.SubElement(root, "entry"), row)
    made: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return made


def _entry(entry: ET.Element, row: Logged) -> None:
    deleted = row.kind == ChangeKind.DELETED
    title = row.title or str(row.reference)
    add_text(entry, "id", absolute(
        url_for("bin.shown", key=row.key, ref=row.reference) if deleted
        else page_url(row.reference, f"history/{row.version}")))
    add_text(entry, "title", f"{title} (deleted)" if deleted else title)
    add_text(entry, "updated", row.updated.isoformat())
    add_text(ET.SubElement(entry, "author"), "name", Reference.parse(row.author).name)
    ET.SubElement(entry, "link", href=absolute(page_url(row.reference)))
    add_text(entry, "summary", row.comment or f"{row.reference} was {row.kind}")


def add_text(parent: ET.Element, name: str, text: str) -> None:
    """Add an element with a text, without what XML cannot hold."""
    ET.SubElement(parent, name).text = text.translate(_NO_XML)


def absolute(path: str) -> str:
    """The address with the host: the one that the settings name, or else the request's."""
    return urljoin(site().settings.base_url or request.host_url, path)
