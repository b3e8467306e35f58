"""Values of properties as HTML, each as its type has it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from markupsafe import Markup

from wiki.classes import TYPES
from wiki.errors import InvalidReference
from wiki.model import Property
from wiki.references import Reference
from wiki.rendering.macros import MacroContext
from wiki.translate import gettext

#: How much of a long text a cell of a table shows, in characters.
SHORT = 200


def show(context: MacroContext, prop: Property, value: Any, short: bool = False) -> Markup:
    """A value; ``short`` is for a cell of a table, in which no block may stand."""
    if value in (None, "", []):
        return Markup("")
    if isinstance(value, bool):
        return Markup.escape(gettext("yes") if value else gettext("no"))
    if prop.type in ("Page", "User"):
        names = value if isinstance(value, list) else [value]
        return Markup(", ").join(link(context, str(name)) for name in names)
    text = TYPES[prop.type].format(value, prop) if prop.type in TYPES else str(value)
    if prop.type == "Date":
        return _date(text)
    if prop.type == "URL":
        return Markup('<a href="{0}" rel="nofollow noopener">{0}</a>').format(text)
    if prop.type == "Email":
        return Markup('<a href="mailto:{0}">{0}</a>').format(text)
    if prop.type == "TextArea":
        return Markup.escape(shortened(text)) if short else _long(context, prop, text)
    return Markup.escape(text)


def _long(context: MacroContext, prop: Property, text: str) -> Markup:
    return (context.render(text) if prop.options.get("kind") == "markdown"
            else Markup("<pre>{}</pre>").format(text))


def _date(text: str) -> Markup:
    try:
        return time(datetime.fromisoformat(text))
    except ValueError:  # a value from before the property was a date
        return Markup.escape(text)


def time(when: datetime) -> Markup:
    """A moment, or a day where it is a day's first one."""
    shown = f"{when:%Y-%m-%d %H:%M}" if when.time() != datetime.min.time() else f"{when:%Y-%m-%d}"
    return Markup('<time datetime="{}">{}</time>').format(when.isoformat(), shown)


def shortened(text: str, length: int = SHORT) -> str:
    """So much of the text as fits, on one line."""
    line = " ".join(text[:length * 2].split())
    return line if len(line) <= length else line[:length - 1] + "…"


def link(context: MacroContext, name: str) -> Markup:
    """A link to the page of that name, if it can be one."""
    try:
        return context.link(Reference.parse(name), name)
    except InvalidReference:
        return Markup.escape(name)


def user(context: MacroContext, name: str) -> Markup:
    """A link to the user's page, where there is one; the wiki itself has none."""
    try:
        reference = Reference.parse(name)
    except InvalidReference:
        return Markup.escape(name)
    return context.link(reference) if context.exists(reference) else Markup.escape(name)
