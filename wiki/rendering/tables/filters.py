"""The filters of a live table: for each column the fields of a form that its type wants."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from wiki.rendering.tables.columns import Column
from wiki.rendering.tables.spec import EMPTY, State, key_of
from wiki.translate import gettext, marked

_INPUT = Markup('<input type="{}" name="{}" value="{}" aria-label="{}" placeholder="{}"{}>')
_SELECT = Markup('<select name="{}" aria-label="{}"{}>{}</select>')
_OPTION = Markup('<option value="{}"{}>{}</option>')
_BOOLEAN = {"true": marked("yes"), "false": marked("no")}


def draw(column: Column, state: State, counts: Mapping[str, int], prefix: str) -> Markup:
    """The filter of a column; nothing for one that cannot be filtered. ``counts`` are those of
    its values, where it is one of a list."""
    if column.kind in ("list", "boolean"):
        return _choice(column, state, counts, prefix)
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
    for value, label in _values(column, counts, chosen).items():
        number = counts.get(value, 0)
        options.append(_OPTION.format(
            value, Markup(" selected") if value == chosen else "",
            label if value == EMPTY else f"{label} ({number:,})"))
    return _SELECT.format(prefix + key, _label(column), _active(chosen), Markup("").join(options))


def _values(column: Column, counts: Mapping[str, int], chosen: str) -> dict[str, str]:
    """Value -> label: those of the class, then others that objects still have."""
    listed = column.prop.options.get("values", ()) if column.prop else ()
    known = ({value: gettext(said) for value, said in _BOOLEAN.items()}
             if column.kind == "boolean" else {value: value for value in listed})
    for value in (*counts, chosen, EMPTY):
        if value:
            known.setdefault(value, value)
    return known


def _active(text: str) -> Markup:
    return Markup(' class="active"') if text else Markup("")
