"""Fields of a form that was sent: read, and marked with what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from werkzeug.datastructures import MultiDict

from wiki import classes
from wiki.errors import InvalidValue
from wiki.rendering import inputs
from wiki.rendering.inputs import OFFERED, Field, make_field
from wiki.translate import gettext, marked
from wiki.web.context import reader

__all__ = ["OFFERED", "Field", "fill", "make_field", "mark", "need", "offers", "read"]
REQUIRED = marked("%(label)s is required; it takes %(allowed)s")


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


def need(fields: Iterable[Field], values: dict[str, Any]) -> None:
    """Note on each required field that is empty that it is needed."""
    for item in fields:
        empty = classes.is_empty(values.get(item.prop.name))
        if item.prop.required and empty and not (item.error or item.prop.type == "Password"):
            item.error = gettext(REQUIRED, label=item.prop.label, allowed=item.allowed)


def mark(fields: Iterable[Field], error: InvalidValue) -> None:
    """Put a refusal beside the empty or wrong fields that it names."""
    for item in fields:
        if item.prop.name == error.property and (not item.text or error.value):
            item.error = item.error or str(error)


def offers(fields: Iterable[Field]) -> dict[str, list[str]]:
    """Field key -> the pages that it may well name."""
    return inputs.offers(fields, reader())
