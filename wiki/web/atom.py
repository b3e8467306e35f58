"""Atom feeds (RFC 4287)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urljoin
from xml.etree import ElementTree as ET

from flask import Response, request

from wiki.web.context import site

NAMESPACE = "http://www.w3.org/2005/Atom"
#: What XML 1.0 cannot hold.
_NO_XML = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 65534, 65535),
                        "\N{REPLACEMENT CHARACTER}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a feed; ``id`` and ``link`` are whole addresses."""

    id: str
    title: str
    updated: datetime
    author: str
    link: str
    summary: str


def feed(own: str, title: str, entries: Iterable[Entry], page: str = "") -> Response:
    """The answer with a feed, newest entry first: its own address, a title, and the address of the
    page that shows the same, where there is one."""
    listed = list(entries)
    updated = listed[0].updated if listed else datetime.fromtimestamp(0, UTC)
    root = ET.Element("feed", xmlns=NAMESPACE)
    _add(root, "id", own)
    _add(root, "title", f"{title} · Wikimill")
    _add(root, "updated", updated.isoformat())
    ET.SubElement(root, "link", rel="self", href=own)
    if page:
        ET.SubElement(root, "link", href=page)
    for entry in listed:
        _entry(ET.SubElement(root, "entry"), entry)
    response = Response(ET.tostring(root, encoding="utf-8", xml_declaration=True),
                        mimetype="application/atom+xml")
    response.add_etag()
    if listed:
        response.last_modified = updated
    response.headers["Cache-Control"] = "private, no-cache"
    response.make_conditional(request)
    return response


def _entry(element: ET.Element, entry: Entry) -> None:
    _add(element, "id", entry.id)
    _add(element, "title", entry.title)
    _add(element, "updated", entry.updated.isoformat())
    _add(ET.SubElement(element, "author"), "name", entry.author)
    ET.SubElement(element, "link", href=entry.link)
    _add(element, "summary", entry.summary)


def _add(parent: ET.Element, name: str, text: str) -> None:
    """Add an element with a text, without what XML cannot hold."""
    ET.SubElement(parent, name).text = text.translate(_NO_XML)


def absolute(path: str) -> str:
    """The address with the host: the one that the settings name, or else the request's."""
    return urljoin(site().settings.base_url or request.host_url, path)
