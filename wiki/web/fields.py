"""A property as a field of a form: what is typed into it, read, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from wiki import classes
from wiki.errors import InvalidValue
from wiki.model import Property
from wiki.store.base import Query
from wiki.web.context import reader

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
    def shown(self) -> str:
        """The text as :attr:`input` takes it: a moment without its zone, which is UTC."""
        moment = MOMENT.fullmatch(self.text) if self.prop.type == "Date" else None
        return moment[1] if moment else self.text


def make_field(key: str, prop: Property, value: Any) -> Field:
    """The field of a property with its value."""
    kind = classes.type_of(prop)
    chosen = value if isinstance(value, list) else [str(value)] if value is not None else []
    return Field(prop, key, kind.format(value, prop), chosen, kind.allowed(prop))


def fill(fields: Iterable[Field], form: MultiDict[str, str]) -> None:
    """Take over what was typed; a field that the form does not have stays as it is."""
    for item in fields:
        if item.key in form:
            texts = form.getlist(item.key)
            item.text, item.chosen = texts[-1], [text for text in texts if text]


def read(fields: Iterable[Field], form: MultiDict[str, str]) -> dict[str, Any]:
    """The values that were typed, by property; notes on each field what is wrong with it."""
    values = {}
    for item in fields:
        if item.key not in form:
            continue
        if item.prop.type == "Password" and not item.text:
            continue  # left empty: the password stays
        try:
            values[item.prop.name] = classes.type_of(item.prop).parse(
                form.getlist(item.key), item.prop)
        except InvalidValue as error:
            item.error = str(error)
    return values


def mark(fields: Iterable[Field], error: InvalidValue) -> None:
    """Put a refusal beside the empty or wrong fields that it names."""
    for item in fields:
        if item.prop.name == error.property and (not item.text or error.value):
            item.error = item.error or str(error)


def offers(fields: Iterable[Field]) -> dict[str, list[str]]:
    """Field key -> the pages that it may well name."""
    known: dict[str, list[str]] = {}
    found = {}
    for item in fields:
        wanted = "Wiki.UserClass" if item.prop.type == "User" else (
            item.prop.options.get("class") if item.prop.type == "Page" else None)
        if wanted:
            if wanted not in known:
                rows = reader().rows(Query(class_name=wanted, limit=OFFERED))
                known[wanted] = [str(row.reference) for row in rows]
            found[item.key] = known[wanted]
    return found
