"""A property as a field of a form: what its HTML input is, and what is wrong with what was typed.

Forms of macros and of the web's own pages are made of these; ``templates/inputs.html`` draws
them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, Template
from markupsafe import Markup

from wiki import classes
from wiki.api import Wiki
from wiki.errors import InvalidDocument
from wiki.model import Property
from wiki.store.base import Query
from wiki.translate import gettext, install

#: Where the template lies.
TEMPLATES = Path(__file__).parent / "templates"
#: The class of users' pages.
USER_CLASS = "Wiki.UserClass"
#: How many pages or users a field offers while one types.
OFFERED = 200
#: What the browsers' own inputs can show; any other text is shown as it is, and so kept.
NUMBER = re.compile(r"-?([0-9]+(\.[0-9]+)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MOMENT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,3})?)?)Z?")


@dataclass(slots=True)
class Field:
    """A property in the form: its text (or list of texts), and what is wrong with it."""

    prop: Property
    key: str
    text: str = ""
    chosen: list[str] = field(default_factory=list)
    allowed: str = ""
    error: str = ""
    #: Whether there is a password, which stays while the field is left empty.
    is_set: bool = False
    #: Before the id of the input, where several forms of a page have the same keys.
    scope: str = ""

    @property
    def id(self) -> str:
        return self.scope + self.key

    @property
    def input(self) -> str:
        """The ``type`` of an HTML input that can hold the text."""
        kind, text = self.prop.type, self.text
        if kind == "Number" and (not text or NUMBER.fullmatch(text)):
            return "number"
        if kind == "Date":
            return self._date_input()
        return {"Email": "email", "URL": "url"}.get(kind, "text")

    def _date_input(self) -> str:
        if MOMENT.fullmatch(self.text) or (not self.text and self.prop.options.get("time")):
            return "datetime-local"
        return "date" if not self.text or DAY.fullmatch(self.text) else "text"

    @property
    def picks(self) -> str:
        """The class of the pages that it names, where it names one."""
        return USER_CLASS if self.prop.type == "User" else str(self.prop.options.get("class", ""))

    @property
    def shown(self) -> str:
        """The text as :attr:`input` takes it: a moment without its zone, which is UTC."""
        moment = MOMENT.fullmatch(self.text) if self.prop.type == "Date" else None
        return moment[1] if moment else self.text


def chosen(names: str, properties: Sequence[Property], owner: str, kind: str) -> list[Property]:
    """Of the properties those that ``names`` lists, separated by commas, in its order; all where
    it is empty.

    Raises InvalidDocument, which says that ``owner`` has no such ``kind``.
    """
    known = {prop.name: prop for prop in properties}
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    for name in wanted:
        if name not in known:
            raise InvalidDocument(gettext(
                "fields: %(owner)s has no %(kind)s %(name)s; it has %(value)s", owner=owner,
                kind=kind, name=repr(name), value=", ".join(known) or gettext("none")))
    return [known[name] for name in wanted or known]


def make_field(key: str, prop: Property, value: Any, scope: str = "") -> Field:
    """The field of a property with its value; empty for a password, whatever its class has
    become."""
    is_set = classes.is_password(value)
    if is_set:
        value = None
    kind = classes.type_of(prop)
    chosen = value if isinstance(value, list) else [str(value)] if value is not None else []
    return Field(prop, key, kind.format(value, prop), chosen, kind.allowed(prop),
                 is_set=is_set, scope=scope)


def offers(fields: Iterable[Field], wiki: Wiki) -> dict[str, list[str]]:
    """Field key -> the pages that it may well name."""
    known: dict[str, list[str]] = {}
    found = {}
    for item in fields:
        wanted = item.picks
        if wanted:
            if wanted not in known:
                rows = wiki.rows(Query(class_name=wanted, limit=OFFERED))
                known[wanted] = [str(row.reference) for row in rows]
            found[item.key] = known[wanted]
    return found


def draw(fields: Sequence[Field], offered: Mapping[str, list[str]]) -> Markup:
    """The fields as HTML, each with its label, its help and what is wrong with it."""
    module: Any = _template().module
    return Markup("").join(module.field(item, offered, named=False, strict=True)
                           for item in fields)


@cache
def _template() -> Template:
    """Made once; it has no state, and so serves all threads."""
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True,
                              trim_blocks=True, lstrip_blocks=True)
    install(environment)
    return environment.get_template("inputs.html")
