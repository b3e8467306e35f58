"""A page with all that leads to other pages turned to where those have moved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from wiki.errors import InvalidReference
from wiki.linking import Turn, rewrite
from wiki.model import ClassDefinition, Document, Object, Property
from wiki.references import Reference, join_names, split_names

#: Where each page that moves goes to.
Moves = Mapping[Reference, Reference]
#: Property types that hold a page's name.
PAGE_TYPES = frozenset({"Page", "User"})

#: The class of a name, None where there is none.
ClassOf = Callable[[str], ClassDefinition | None]


def relinked(document: Document, base: Reference, moves: Moves, class_of: ClassOf,
             exists: Callable[[Reference], bool]) -> Document:
    """The document, whose text was written on page ``base`` and which now has its own name, with
    every link, value, class and parent that names a page of ``moves`` naming its new place, and
    all others leading where they led.

    ``exists`` tells pages from what only looks like a name. Raises InvalidReference where a new
    name cannot be written as a link.
    """
    turn = turning(base, document.reference, moves, exists)
    return replace(
        document, content=rewrite(document.content, base, turn),
        parent=_turned(document.parent, base, turn) if document.parent else "",
        objects=tuple(_object(obj, base, moves, class_of, turn) for obj in document.objects),
        class_definition=document.class_definition and ClassDefinition(tuple(
            _property(prop, moves) for prop in document.class_definition.properties)))


def turning(base: Reference, new_base: Reference, moves: Moves,
            exists: Callable[[Reference], bool]) -> Turn:
    """What to write for a name that stood on ``base`` and is to stand on ``new_base``."""
    def turn(kind: str, reference: Reference, name: str) -> str:
        target = moves.get(reference, reference)
        if Reference.parse(name, new_base) == target:
            return name
        bare = len(split_names(name)) == 1
        if kind == "object" and bare and reference not in moves and not exists(reference):
            return name  # a text that only might have been a name
        return join_names((target.name,)) if bare and target.spaces == new_base.spaces else (
            str(target))
    return turn


def _turned(name: str, base: Reference, turn: Turn) -> str:
    try:
        return turn("parent", Reference.parse(name, base), name)
    except InvalidReference:
        return name


def _object(obj: Object, base: Reference, moves: Moves, class_of: ClassOf, turn: Turn) -> Object:
    class_name = _moved(obj.class_name, moves)
    definition = class_of(obj.class_name) or class_of(class_name)
    if definition is None:
        return replace(obj, class_name=class_name)
    values = dict(obj.values)
    for prop in definition.properties:
        if prop.name in values:
            values[prop.name] = _value(values[prop.name], prop, base, moves, turn)
    return replace(obj, class_name=class_name, values=values)


def _value(value: Any, prop: Property, base: Reference, moves: Moves, turn: Turn) -> Any:
    """A value of an object; a text in Markdown has links in it."""
    if isinstance(value, list | tuple):
        return [_value(item, prop, base, moves, turn) for item in value]
    if not isinstance(value, str):
        return value
    if prop.type in PAGE_TYPES:
        return _moved(value, moves)
    if prop.type == "TextArea" and prop.options.get("kind") == "markdown":
        return rewrite(value, base, turn)
    return value


def _property(prop: Property, moves: Moves) -> Property:
    """A property of a class, of which the values may be pages with an object of a class."""
    name = prop.options.get("class")
    if not isinstance(name, str) or _moved(name, moves) == name:
        return prop
    return replace(prop, options={**prop.options, "class": _moved(name, moves)})


def _moved(name: str, moves: Moves) -> str:
    """A whole name, where it has moved to."""
    try:
        reference = Reference.parse(name)
    except InvalidReference:
        return name
    return str(moves[reference]) if reference in moves else name
