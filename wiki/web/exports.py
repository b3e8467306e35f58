"""A page to take along: one HTML file with its style and its pictures in it."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from functools import lru_cache
from html import unescape
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

from flask import Blueprint, Response, current_app, render_template, request

from wiki.api import OpenDocument
from wiki.errors import AttachmentNotFound, DocumentNotFound, InvalidReference
from wiki.references import Reference
from wiki.web.context import page, reader, render_request, site
from wiki.web.pages import filename

blueprint = Blueprint("exports", __name__)
#: Pictures up to so many bytes, each and all, go into the file; others stay links.
LARGEST, IN_ALL = 2 << 20, 20 << 20
#: SVG too: a browser runs no script in a picture.
PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml")
_PICTURE = re.compile(r'(<img\b[^>]*?\bsrc=")([^"]*)"')
_LINK = re.compile(r'(<a\b[^>]*?\bhref=")(/[^"]*)"')
_ATTACHED = re.compile(r"/([^/]+)/attachments/([^/]+)")


@blueprint.get("/<ref>/page.html")
def html(ref: str) -> Response:
    """The page alone, as a file; links in it lead back to this wiki."""
    document = page(ref).record
    asked = replace(render_request(), form_token="", patience=None)  # no session in a file
    body = str(site().renderer.render(document, asked).html)
    text = render_template("standalone.html", document=document, styles=_styles(),
                           address=request.url_root.rstrip("/") + f"/{ref}",
                           body=_absolute(_with_pictures(body)))
    response = Response(text, mimetype="text/html")
    response.headers.set("Content-Disposition", "attachment", filename=filename(document, "html"))
    return response


@lru_cache(maxsize=1)
def _styles() -> str:
    """The style sheets of every page."""
    folder = Path(str(current_app.static_folder))
    return "\n".join((folder / name).read_text() for name in ("style.css", "pygments.css"))


def _absolute(body: str) -> str:
    """Links to this wiki with its address."""
    return _LINK.sub(lambda match: f'{match[1]}{urljoin(request.url_root, match[2])}"', body)


def _with_pictures(body: str) -> str:
    """Attached pictures as data in place of their addresses, as many as there is room for."""
    left = IN_ALL

    def put_in(match: re.Match[str]) -> str:
        nonlocal left
        data = _picture(urlsplit(unescape(match[2])).path, min(left, LARGEST))
        if not data:
            return f'{match[1]}{urljoin(request.url_root, match[2])}"'
        left -= len(data)
        return f'{match[1]}{data}"'
    return _PICTURE.sub(put_in, body)


def _picture(path: str, limit: int) -> str:
    """The attachment at a path as a ``data:`` address; empty where it is no picture, not there
    or too large."""
    match = _ATTACHED.fullmatch(path)
    if match is None:
        return ""
    try:
        found: OpenDocument = reader().get(Reference.parse(unquote(match[1])))
        attachment = found.attachment(unquote(match[2]))
    except (AttachmentNotFound, DocumentNotFound, InvalidReference):
        return ""
    if attachment.mimetype not in PICTURES or attachment.size > limit:
        return ""
    with attachment.open() as file:
        return f"data:{attachment.mimetype};base64,{base64.b64encode(file.read()).decode()}"
