"""The parameters of a new task, as typed on the command line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from wiki import classes
from wiki.errors import InvalidValue
from wiki.model import SYSTEM
from wiki.site import Site


def parse_params(site: Site, executor: str, words: Iterable[str]) -> dict[str, Any]:
    """The values that ``key=value`` words give to the executor's parameters; a key that stands
    twice has both values, where its property takes several.

    Raises UsageError for a word that is none, InvalidValue, NotFound.
    """
    texts: dict[str, list[str]] = {}
    for word in words:
        key, mark, text = word.partition("=")
        if not mark:
            raise click.UsageError(f"{word!r} is no parameter; write key=value")
        texts.setdefault(key, []).append(text)
    asked = site.starter.parameters(site.starter.look_up(SYSTEM, executor))
    known = {prop.name: prop for prop in asked.definition.properties} if asked else {}
    values = {}
    for key, given in texts.items():
        if key not in known:
            raise InvalidValue(key, given[-1], "one of the parameters: " + ", ".join(known)
                               if known else "no parameters at all")
        prop = known[key]
        several = prop.options.get("multiple") and len(given) > 1
        values[key] = classes.type_of(prop).parse(given if several else given[-1], prop)
    return values
