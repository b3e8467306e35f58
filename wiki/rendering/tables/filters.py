"""The filters of a live table: for each column the fields of a form that its type wants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from wiki.rendering.tables import conditions
from wiki.rendering.tables.columns import Column
from wiki.rendering.tables.spec import EMPTY, IS, State, key_of
from wiki.translate import gettext, marked, ngettext

#: Of tags, so many are offered, the most used.
MOST_TAGS = 100

_INPUT = Markup('<input type="{}" name="{}" value="{}" aria-label="{}" placeholder="{}"{}>')
_SELECT = Markup('<select name="{}" aria-label="{}"{}>{}</select>')
_OPTION = Markup('<option value="{}"{}>{}</option>')
_BOX = Markup('<label><input type="checkbox" name="{}" value="1" data-filter="{}" '
              'data-value="{}"{}> <span>{}</span> <span class="count">{}</span></label>')
_MENU = Markup('<details class="menu choices-menu"><summary aria-label="{0}: {2}"{1}>{2}</summary>'
               '<div class="popup" role="group" aria-label="{0}">{3}</div></details>')
_BOOLEAN = {"true": marked("yes"), "false": marked("no")}


def draw(column: Column, state: State, counts: Mapping[str, int], prefix: str) -> Markup:
    """The filter of a column; nothing for one that cannot be filtered. ``counts`` are those of
    its values, where it is one of a list."""
    if column.kind == "boolean":
        return _choice(column, state, counts, prefix)
    if column.kind == "list":
        return _choices(column, state, counts, prefix)
    if column.kind in ("number", "date"):
        return _range(column, state, prefix)
    if column.kind == "text":
        key = key_of(column)
        text = state.filters.get(key, "")
        return _INPUT.format("search", prefix + key, text, _label(column), gettext("Filter…"),
                             _active(text))
    return Markup("")


def _label(column: Column) -> str:
    return gettext("Filter %(label)s", label=column.label)


def _range(column: Column, state: State, prefix: str) -> Markup:
    key = key_of(column)
    kind = "number" if column.kind == "number" else "date"
    whole = state.filters.get(key, "")
    ends = Markup("").join(
        _INPUT.format(kind, f"{prefix}{key}.{end}", text, f"{column.label} {word}", word,
                      (Markup(' step="any"') if kind == "number" else Markup(""))
                      + _active(text))
        for end, word in (("from", gettext("from")), ("to", gettext("to")))
        for text in [state.filters.get(f"{key}.{end}", whole)])
    return Markup('<span class="range {}" role="group" aria-label="{}">{}</span>').format(
        kind, _label(column), ends)


def _choice(column: Column, state: State, counts: Mapping[str, int], prefix: str) -> Markup:
    key = key_of(column)
    chosen = state.filters.get(key, "")
    options = [_OPTION.format("", "", gettext("All"))]
    for value, label in {**{value: gettext(said) for value, said in _BOOLEAN.items()},
                         EMPTY: gettext(EMPTY)}.items():
        options.append(_OPTION.format(
            value, Markup(" selected") if value == chosen else "",
            label if value == EMPTY else f"{label} ({counts.get(value, 0):,})"))
    return _SELECT.format(prefix + key, _label(column), _active(chosen), Markup("").join(options))


def _choices(column: Column, state: State, counts: Mapping[str, int], prefix: str) -> Markup:
    """Several values to tick, in a menu that says what is ticked."""
    key = key_of(column)
    text = state.filters.get(key, "")
    chosen = conditions.several(text) if text else ()
    boxes = Markup("").join(
        _BOX.format(f"{prefix}{key}{IS}{value}", prefix + key, value,
                    Markup(" checked") if value in chosen else "", _said(value),
                    "" if value == EMPTY else f"{counts.get(value, 0):,}")
        for value in _values(column, counts, chosen))
    said = (ngettext("%(num)s chosen", "%(num)s chosen", len(chosen), num=len(chosen))
            if len(chosen) > 1 else _said(chosen[0]) if chosen else gettext("All"))
    return _MENU.format(_label(column), _active(text), said, boxes)


def _said(value: str) -> str:
    return gettext(EMPTY) if value == EMPTY else value


def _values(column: Column, counts: Mapping[str, int], chosen: Sequence[str]) -> list[str]:
    """Those of the class, then others that objects still have; of tags the most used."""
    listed = column.prop.options.get("values", ()) if column.prop else ()
    others = sorted(counts) if column.prop else sorted(
        sorted(counts, key=lambda tag: -counts[tag])[:MOST_TAGS], key=str.casefold)
    return list(dict.fromkeys((*listed, *others, *chosen, EMPTY)))


def _active(text: str) -> Markup:
    return Markup(' class="active"') if text else Markup("")
