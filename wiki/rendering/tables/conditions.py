"""Conditions as a macro's parameter: ``status="READY" year>=1960 doc.title~"dune"``.

    conditions = condition (("and")? condition)*
    condition  = field operator value ("|" value)*
    field      = a property of the class, or doc.<field of the page>
    operator   = "=" | "!=" | "<" | "<=" | ">" | ">=" | "~" (contains) | "^=" (begins with)
    value      = text in quotes, where a backslash escapes the quote and itself, or a bare word

All of them must hold. Of several values one must fit with ``=``, and none with ``!=``. An empty
value, ``field=""``, asks for pages where the field is empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from wiki import classes
from wiki.errors import BadValue, InvalidValue
from wiki.model import ClassDefinition, Property
from wiki.rendering.macros import MacroContext
from wiki.store.base import CONDITION_FIELDS, Condition, Operator, Query
from wiki.translate import gettext

OPERATORS: dict[str, Operator] = {
    "=": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge", "~": "contains",
    "^=": "startswith"}
_VALUE = re.compile(
    r"""\s*(?:"(?P<double>(?:[^"\\]|\\.)*+)"|'(?P<single>(?:[^'\\]|\\.)*+)'|(?P<bare>[^\s"'|]+))"""
    r"""(?:\s*(?P<more>\|)|(?=\s|\Z))""", re.DOTALL)
_BEGIN = re.compile(
    r"""\s*(?:and\s+)?(?P<field>[\w.-]+)\s*(?P<operator>!=|<=|>=|\^=|=|<|>|~)""", re.IGNORECASE)
#: One of several values that stand in one text.
_ITEM = re.compile(r"(?:\A|\|)((?:[^|\\]|\\.?)*+)", re.DOTALL)
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
        begin = place
        match = _BEGIN.match(text, begin)
        texts, place = _texts(text, match.end()) if match else ([], begin)
        if match is None or not texts:
            raise BadValue(
                name, gettext(
                    'a condition such as year>=1960 or title="Dune" is wanted at %(name)s; the '
                    "operators are %(names)s", name=repr(text[begin:begin + 30].strip()),
                    names=" ".join(OPERATORS)))
        field, operator = match["field"], OPERATORS[match["operator"]]
        values = [_value(field, operator, item, definition, name) for item in texts]
        if len(values) > 1 and operator == "eq":
            yield Condition(field, "in", tuple(values))
        elif len(values) > 1 and operator != "ne":
            raise BadValue(name, gettext(
                "%(condition)s takes one value; several, with | between them, go with = and != "
                "only", condition=field + match["operator"]))
        else:
            yield from (Condition(field, operator, value) for value in values)


def _texts(text: str, place: int) -> tuple[list[str], int]:
    """The values at a place, and where they end; none where there is something else."""
    found: list[str] = []
    while match := _VALUE.match(text, place):
        found.append(_text(match))
        place = match.end()
        if match["more"] is None:
            return found, place
    return [], place


def _text(match: re.Match[str]) -> str:
    if match["bare"] is not None:
        return str(match["bare"])
    quoted = match["double"] if match["double"] is not None else match["single"]
    return re.sub(r"\\(.)", r"\1", str(quoted), flags=re.DOTALL)


def _value(field: str, operator: Operator, text: str, definition: ClassDefinition | None,
           name: str) -> Any:
    if field.startswith("doc."):
        if field.removeprefix("doc.") not in CONDITION_FIELDS:
            raise BadValue(name, gettext(
                "a page has no field %(field)s; there are %(names)s", field=repr(field),
                names=", ".join(f"doc.{item}" for item in CONDITION_FIELDS)))
        return text
    prop = property_of(field, definition, name)
    if not text or prop.type not in _TYPED or operator in ("contains", "startswith"):
        return text
    try:
        return classes.type_of(prop).parse(text, prop)
    except InvalidValue as error:
        raise BadValue(name, f"{error}") from None


def several(text: str) -> tuple[str, ...]:
    """The values of a text such as ``READY|RUNNING``, in which a backslash keeps a ``|``."""
    return tuple(re.sub(r"\\(.)", r"\1", item, flags=re.DOTALL) for item in _ITEM.findall(text))


def together(values: Iterable[str]) -> str:
    """The text that :func:`several` makes the values of again."""
    return "|".join(re.sub(r"([\\|])", r"\\\1", value) for value in values)


def property_of(field: str, definition: ClassDefinition | None, name: str) -> Property:
    """The property of the class; raises MacroError where there is no class, the class has no
    such property, or it is one that is never shown."""
    if definition is None:
        raise BadValue(name, gettext(
            '%(field)s is a property; name its class with class="..."', field=repr(field)))
    prop = definition.get(field)
    if prop is None:
        raise BadValue(name, gettext(
            "the class has no property %(field)s; it has %(names)s", field=repr(field),
            names=", ".join(item.name for item in definition.properties)))
    if prop.type == "Password":
        raise BadValue(name, gettext("%(field)s is a password, which is never shown", field=field))
    return prop


def class_named(context: MacroContext, name: str) -> tuple[str, ClassDefinition | None]:
    """The full name of the class that a parameter names, and what it defines; raises MacroError
    where there is no such class. Nothing for an empty name."""
    if not name.strip():
        return "", None
    full = str(context.reference(name))
    definition = context.wiki.class_definition(full)
    if definition is None:
        raise BadValue("class", gettext(
            "%(full)s is no class; name a page that defines one", full=full))
    return full, definition


def asked(context: MacroContext, class_name: str, where: str,
          space: str) -> tuple[Query, ClassDefinition | None]:
    """The query of a macro's parameters ``class``, ``where`` and ``space``, and the class; hidden
    pages are found by their class only. Raises MacroError."""
    name, definition = class_named(context, class_name)
    return Query(name or None, parse(where, definition), (), space.strip() or None, nested=True,
                 hidden=bool(name)), definition
