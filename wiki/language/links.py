"""URLs of pages and attachments, and the wiki's links: ``[[label>>Space.Name#anchor]]``."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlencode

from markupsafe import Markup, escape

from wiki.errors import InvalidReference
from wiki.references import Reference
from wiki.translate import gettext

ATTACH = "attach:"
#: The attribute in which a wiki link's target travels through Markdown and the sanitiser.
TARGET = "data-wiki"
#: ``[[target]]`` and ``[[label>>target]]``.
WIKI_LINK = r"\[\[(?!\[)(?P<target>[^\[\]\n]{1,2000})\]\]"
#: What an address begins with that is no name of a page.
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")

Exists = Callable[[Reference], bool]


def page_url(reference: Reference | str, action: str = "", **args: object) -> str:
    """``/Space.Name``, ``/Space.Name/edit?x=1``: the address of a page, percent-encoded."""
    path = "/" + quote(str(reference), safe="")
    if action:
        path += "/" + quote(action, safe="/")
    return path + ("?" + urlencode({key: str(value) for key, value in args.items()})
                   if args else "")


def attachment_url(reference: Reference | str, filename: str) -> str:
    """``/Space.Name/attachments/file.csv``."""
    return f"{page_url(reference)}/attachments/{quote(filename, safe='')}"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a link leads: ``css`` is the class it gets, ``missing`` or empty."""

    url: str
    css: str = ""
    title: str = ""


def resolve(text: str, base: Reference, exists: Exists) -> Target:
    """The address of a wiki link's target, written on page ``base``.

    ``Space.Name``, ``Name`` (in the space of ``base``), either with ``#anchor``, ``#anchor``
    alone, or ``attach:file`` with an optional page: ``attach:Space.Name@file``.
    """
    text = text.strip()
    if text.startswith(ATTACH):
        return _attachment(text.removeprefix(ATTACH), base)
    name, mark, anchor = text.partition("#")
    fragment = f"#{quote(anchor)}" if mark else ""
    if not name:
        return Target(fragment or "#")
    try:
        reference = Reference.parse(name, base)
    except InvalidReference as error:
        return Target("#", "missing", str(error))
    if exists(reference):
        return Target(page_url(reference) + fragment)
    return Target(page_url(reference, "edit"), "missing",
                  gettext("%(page)s does not exist yet", page=reference))


def _attachment(text: str, base: Reference) -> Target:
    page, mark, filename = text.rpartition("@")
    if mark:
        try:
            return Target(attachment_url(Reference.parse(page, base), filename))
        except InvalidReference:
            pass  # an at sign in the file's own name
    return Target(attachment_url(base, text))


def resolve_url(url: str, base: Reference, exists: Exists) -> Target | None:
    """A Markdown link's target where it is a page or an attachment; None for another URL."""
    if url.startswith(ATTACH):
        return _attachment(unquote(url.removeprefix(ATTACH)), base)
    if not url or url[0] in "/#?." or SCHEME.match(url) or "/" in url.partition("#")[0]:
        return None
    name = unquote(url.partition("#")[0])
    try:
        Reference.parse(name, base)
    except InvalidReference:
        return None
    return resolve(unquote(url), base, exists)


def safe_address(text: str, base: Reference, exists: Exists) -> str:
    """Where something leads that is written as an address (http, https, mailto), as a path on
    this server, or as a wiki link's target; nothing else, so that no address runs."""
    text = text.strip()
    if re.match(r"(?:https?:|mailto:|/)", text, re.IGNORECASE):
        return text
    return resolve(text, base, exists).url


def page_link(reference: Reference, label: str, exists: bool = True) -> Markup:
    """An ``<a>`` to a page, marked where the page is missing."""
    if exists:
        return Markup('<a href="{}">{}</a>').format(page_url(reference), label)
    return Markup('<a class="missing" href="{}">{}</a>').format(
        page_url(reference, "edit"), label)


def render_tag(name: str, attributes: dict[str, str], base: Reference,
               exists: Exists) -> str:
    """An ``<a>`` or ``<img>`` with its target resolved; attribute values are plain text."""
    key = "href" if name == "a" else "src"
    wiki = attributes.pop(TARGET, None)
    target = (resolve(wiki, base, exists) if wiki is not None
              else resolve_url(attributes.get(key, ""), base, exists))
    if target is not None:
        attributes[key] = target.url
        if target.css:
            attributes["class"] = f"{attributes.get('class', '')} {target.css}".strip()
        if target.title:
            attributes.setdefault("title", target.title)
    elif name == "a" and attributes.get("href", "").startswith(("http:", "https:", "//")):
        attributes["rel"] = "nofollow noopener"
    body = "".join(f' {item}="{escape(value)}"' for item, value in attributes.items())
    return f"<{name}{body}>"
