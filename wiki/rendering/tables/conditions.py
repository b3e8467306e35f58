"""Conditions as a macro's parameter: ``status="READY" year>=1960 doc.title~"dune"``.

    conditions = condition (("and")? condition)*
    condition  = field operator value
    field      = a property of the class, or doc.<field of the page>
    operator   = "=" | "!=" | "<" | "<=" | ">" | ">=" | "~" (contains) | "^=" (begins with)
    value      = text in quotes, where a backslash escapes the quote and itself, or a bare word

All of them must hold. An empty value, ``field=""``, asks for pages where the field is empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from wiki import classes
from wiki.errors import BadValue, InvalidValue
from wiki.model import ClassDefinition, Property
from wiki.rendering.macros import MacroContext
from wiki.store.base import DOCUMENT_FIELDS, Condition, Operator, Query

OPERATORS: dict[str, Operator] = {
    "=": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge", "~": "contains",
    "^=": "startswith"}
_CONDITION = re.compile(
    r"""\s*(?:and\s+)?(?P<field>[\w.-]+)\s*(?P<operator>!=|<=|>=|\^=|=|<|>|~)\s*"""
    r"""(?:"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>(?:[^'\\]|\\.)*)'|(?P<bare>[^\s"']+))"""
    r"""(?=\s|\Z)""", re.DOTALL | re.IGNORECASE)
#: Types whose values are compared as what they are, not as text.
_TYPED = ("Number", "Boolean", "Date")


def parse(text: str, definition: ClassDefinition | None, name: str = "where") -> tuple[
        Condition, ...]:
    """The conditions of the macro's parameter ``name``; raises MacroError, which says where the
    text cannot be read, or which field or value the class does not have."""
    return tuple(_conditions(text, definition, name))


def _conditions(text: str, definition: ClassDefinition | None, name: str) -> Iterator[Condition]:
    place, end = 0, len(text.rstrip())
    while place < end:
        match = _CONDITION.match(text, place)
        if match is None:
            raise BadValue(
                name, f"a condition such as year>=1960 or title=\"Dune\" is wanted at "
                f"{text[place:place + 30].strip()!r}; the operators are " + " ".join(OPERATORS))
        place = match.end()
        field, operator = match["field"], OPERATORS[match["operator"]]
        yield Condition(field, operator, _value(field, operator, _text(match), definition, name))


def _text(match: re.Match[str]) -> str:
    if match["bare"] is not None:
        return str(match["bare"])
    quoted = match["double"] if match["double"] is not None else match["single"]
    return re.sub(r"\\(.)", r"\1", str(quoted), flags=re.DOTALL)


def _value(field: str, operator: Operator, text: str, definition: ClassDefinition | None,
           name: str) -> Any:
    if field.startswith("doc."):
        if field.removeprefix("doc.") not in (*DOCUMENT_FIELDS, "parent"):
            raise BadValue(name, f"a page has no field {field!r}; there are "
                             + ", ".join(f"doc.{item}" for item in (*DOCUMENT_FIELDS, "parent")))
        return text
    prop = property_of(field, definition, name)
    if not text or prop.type not in _TYPED or operator in ("contains", "startswith"):
        return text
    try:
        return classes.type_of(prop).parse(text, prop)
    except InvalidValue as error:
        raise BadValue(name, f"{error}") from None


def property_of(field: str, definition: ClassDefinition | None, name: str) -> Property:
    """The property of the class; raises MacroError where there is no class, the class has no
    such property, or it is one that is never shown."""
    if definition is None:
        raise BadValue(name, f"{field!r} is a property; name its class with class=\"...\"")
    prop = definition.get(field)
    if prop is None:
        raise BadValue(name, f"the class has no property {field!r}; it has "
                         + ", ".join(item.name for item in definition.properties))
    if prop.type == "Password":
        raise BadValue(name, f"{field} is a password, which is never shown")
    return prop


def class_named(context: MacroContext, name: str) -> tuple[str, ClassDefinition | None]:
    """The full name of the class that a parameter names, and what it defines; raises MacroError
    where there is no such class. Nothing for an empty name."""
    if not name.strip():
        return "", None
    full = str(context.reference(name))
    definition = context.wiki.class_definition(full)
    if definition is None:
        raise BadValue("class", f"{full} is no class; name a page that defines one")
    return full, definition


def asked(context: MacroContext, class_name: str, where: str,
          space: str) -> tuple[Query, ClassDefinition | None]:
    """The query of a macro's parameters ``class``, ``where`` and ``space``, and the class; hidden
    pages are found by their class only. Raises MacroError."""
    name, definition = class_named(context, class_name)
    return Query(name or None, parse(where, definition), (), space.strip() or None, nested=True,
                 hidden=bool(name)), definition
