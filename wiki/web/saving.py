"""Saving the objects of a page over a version that may not be the newest any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from wiki import classes
from wiki.model import Document, Object, Version
from wiki.web.context import page, reader


def save_objects(changed: Document, version: Version, comment: str, minor: bool, *,
                 shown: bool = True) -> Document:
    """Save over the version that a form began with, or over a newer one in which nobody touched
    the same objects: a run that started or ended meanwhile, say. Returns the page as saved.

    ``shown``: the form showed all of the page's scripts, so that its user signs them; else a page
    that is disarmed stays so.

    Raises Conflict, and all that :meth:`wiki.api.Wiki.save` raises.
    """
    base = objects_at(changed, version)
    theirs = page(str(changed.reference)).record
    merged = merge(base, changed.objects, theirs.objects)
    newest = replace(changed, objects=merged) if merged is not None else changed
    # Nobody signs a script that the form did not show.
    seen = shown and theirs.version == version
    writer = reader() if shown else reader().leaving_disarmed(theirs)
    return writer.save(newest, version if merged is None else theirs.version, comment=comment,
                       minor=minor, vouch=seen)


def objects_at(document: Document, version: Version) -> tuple[Object, ...]:
    """The objects that the form began with."""
    return reader().revision(document.reference, version).objects


def identity(obj: Object) -> tuple[str, int]:
    """What tells an object of a page from its others."""
    return obj.class_name, obj.number


def merge(base: Sequence[Object], mine: Sequence[Object],
          theirs: Sequence[Object]) -> tuple[Object, ...] | None:
    """Both changes since ``base``, or None where they changed the same object."""
    bases, ours, others = ({identity(obj): obj for obj in side} for side in (base, mine, theirs))
    merged = []
    for key in dict.fromkeys([*others, *ours]):
        old, my, their = bases.get(key), ours.get(key), others.get(key)
        if same(my, old):
            kept = their
        elif same(their, old) or same(my, their):
            kept = my
        else:
            return None
        if kept is not None:
            merged.append(kept)
    return tuple(merged)


def same(one: Object | None, other: Object | None) -> bool:
    """Whether two states of an object differ in no value; an empty one counts as none."""
    if one is None or other is None:
        return one is other
    values = [{name: value for name, value in obj.values.items() if not classes.is_empty(value)}
              for obj in (one, other)]
    return values[0] == values[1]
