"""Where the numbers of a chart come from: pages of the wiki, or a table of text."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Any

from wiki.classes import visible
from wiki.errors import MacroError
from wiki.model import ClassDefinition, Property
from wiki.rendering.charts.plots import Data, Series
from wiki.rendering.macros import MacroContext
from wiki.rendering.tables import conditions, csvtext
from wiki.store.base import Query
from wiki.translate import gettext, marked, ngettext

#: The most rows of a table, and pages of a query, that are read.
MOST_ROWS, MOST_PAGES = 10_000, 5_000
#: How many series a table may have.
MOST_SERIES = 24
#: What each value of x gets, in words.
_WORDS = {"count": marked("count"), "sum": marked("sum"), "avg": marked("average")}
_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?")
_RULE = re.compile(r"\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*")


@dataclass(slots=True)
class Found:
    """The numbers of a chart, and what is to be said about them."""

    data: Data
    notes: list[str] = field(default_factory=list)


# -- a table of text --------------------------------------------------------------------------


def from_text(text: str, x: str, y: str) -> Found:
    """The numbers of a table: CSV, or a Markdown table. Its first row names the columns; ``x`` is
    the column of the labels (the first), ``y`` those of the numbers (all others), separated by
    commas. Raises MacroError."""
    rows = table(text)
    if len(rows) < 2:
        raise MacroError(gettext("the table needs a row that names its columns, and rows below it"))
    heads = rows[0]
    label = _column(heads, x, "x") if x.strip() else 0
    chosen = [_column(heads, name, "y") for name in y.split(",") if name.strip()] or [
        place for place in range(len(heads)) if place != label]
    if not chosen:
        raise MacroError(gettext("the table has one column only; it needs labels and numbers"))
    if len(chosen) > MOST_SERIES:
        raise MacroError(gettext(
            "%(num)s columns are too many; y names at most %(most)s", num=len(chosen),
            most=MOST_SERIES))
    body = rows[1:MOST_ROWS + 1]
    found = Found(Data(tuple(row[label] for row in body), tuple(
        Series(heads[place], tuple(number_of(row[place]) for row in body)) for place in chosen)))
    bad = sum(number_of(row[place]) is None for row in body for place in chosen)
    if bad:
        found.notes.append(ngettext("%(num)s cell is no number, and left out.",
                                    "%(num)s cells are no numbers, and left out.", bad,
                                    num=f"{bad:,}"))
    if len(rows) - 1 > MOST_ROWS:
        found.notes.append(gettext(
            "Only the first %(most)s rows are shown.", most=f"{MOST_ROWS:,}"))
    return found


def table(text: str) -> list[list[str]]:
    """The rows of CSV or of a Markdown table, all as long as the first; raises MacroError."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    if len(lines) > 1 and "|" in lines[0] and _RULE.fullmatch(lines[1]):
        rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
                for line in (lines[0], *lines[2:])]
    else:
        rows = [[cell.strip() for cell in row]
                for row in islice(csvtext.rows(text), MOST_ROWS + 2)]
    width = len(rows[0]) if rows else 0
    return [(row + [""] * width)[:width] for row in rows]


def number_of(text: str) -> float | None:
    """The number that the text is; None for any other text, and for what is not finite."""
    bare = text.strip().removesuffix("%").strip()
    if _THOUSANDS.fullmatch(bare):
        bare = bare.replace(",", "")
    try:
        value = float(bare[:400])
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in bare else None


def _column(heads: Sequence[str], name: str, parameter: str) -> int:
    if name.strip() not in heads:
        raise MacroError(gettext(
            "%(parameter)s: the table has no column %(name)s; it has %(names)s",
            parameter=parameter, name=repr(name.strip()), names=", ".join(heads)))
    return heads.index(name.strip())


# -- pages ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """What is counted, summed or averaged of the pages that a query finds."""

    query: Query
    definition: ClassDefinition
    x: str
    y: str = ""
    by: str = ""
    aggregate: str = "count"


def from_pages(context: MacroContext, asked: Asked) -> Found:
    """The numbers of the pages, by the property ``x`` and, a series each, by ``by``. Raises
    MacroError for a property that the class does not have."""
    for name, parameter in ((asked.x, "x"), (asked.by, "by")):
        if name:
            conditions.property_of(name, asked.definition, parameter)
    if asked.aggregate != "count" and conditions.property_of(
            asked.y, asked.definition, "y").type != "Number":
        raise MacroError(gettext(
            "y: %(y)s is no Number, and so has no %(aggregate)s", y=asked.y,
            aggregate=asked.aggregate))
    notes: list[str] = []
    query = asked.query
    if asked.aggregate == "count" and not (query.where or query.space or asked.by):
        groups: dict[tuple[str, str], list[float]] = {
            ("", text): [float(count)]
            for text, count in context.wiki.tally(query.class_name or "", asked.x).items()}
        return Found(_grouped(groups, replace(asked, aggregate="sum"), _what(asked)), notes)
    groups = {}
    for position, values in enumerate(_values(context, asked)):
        if position == MOST_PAGES:
            notes.append(gettext(
                "Only the first %(most)s pages are counted.", most=f"{MOST_PAGES:,}"))
            break
        amount = 1.0 if asked.aggregate == "count" else values.get(asked.y)
        if isinstance(amount, int | float):
            for label in _labels(values.get(asked.x)):
                for series in _labels(values.get(asked.by)) if asked.by else [""]:
                    groups.setdefault((series, label), []).append(float(amount))
    return Found(_grouped(groups, asked, _what(asked)), notes)


def _values(context: MacroContext, asked: Asked) -> Iterator[Mapping[str, Any]]:
    """The values of each page's object, no more than one page beyond those that count."""
    class_name = asked.query.class_name or ""
    for row in context.wiki.rows(replace(asked.query, limit=MOST_PAGES + 1)):
        found = context.wiki.get(row.reference).record.object(class_name)
        yield visible(found.values) if found else {}


def _labels(value: Any) -> list[str]:
    if isinstance(value, list | tuple):
        return [str(item) for item in value] or [gettext("(empty)")]
    if value in (None, ""):
        return [gettext("(empty)")]
    return [str(value).lower() if isinstance(value, bool) else str(value)]


def _grouped(groups: Mapping[tuple[str, str], list[float]], asked: Asked, what: str) -> Data:
    prop = conditions.property_of(asked.x, asked.definition, "x")
    labels = sorted({label for _, label in groups}, key=lambda label: _place(label, prop))
    names = sorted({series for series, _ in groups})[:MOST_SERIES]
    missing = None if asked.aggregate == "avg" else 0.0
    return Data(tuple(labels), tuple(
        Series(name or what, tuple(
            _aggregate(groups.get((name, label)), asked.aggregate, missing) for label in labels))
        for name in names))


def _what(asked: Asked) -> str:
    """What the numbers are, in words."""
    word = gettext(_WORDS[asked.aggregate])
    return gettext("%(what)s of %(property)s", what=word, property=asked.y) if asked.y else word


def _aggregate(numbers: list[float] | None, how: str, missing: float | None) -> float | None:
    if not numbers:
        return missing
    total = math.fsum(numbers)
    return total / len(numbers) if how == "avg" else total


def _place(label: str, prop: Property) -> tuple[float, str]:
    """The order of labels: as the class has its values, by number, or by text."""
    choices = list(prop.options.get("values", ()))
    if label in choices:
        return choices.index(label), ""
    number = number_of(label)
    return (math.inf if number is None else number, label.casefold())


# -- what is shown of them --------------------------------------------------------------------


def placed(data: Data) -> Data:
    """The data with its labels on a scale of their own, if all are numbers or all are dates, in
    their order."""
    places = [number_of(label) for label in data.labels]
    if None in places:
        places = [_moment(label) for label in data.labels]
    if None in places or len(places) < 2:
        return data
    known = [place for place in places if place is not None]
    order = sorted(range(len(known)), key=known.__getitem__)
    return picked(replace(data, places=tuple(known)), order)


def _moment(label: str) -> float | None:
    try:
        when = datetime.fromisoformat(label)
    except ValueError:
        return None
    return when.toordinal() + (when.hour * 60 + when.minute) / 1440 + when.second / 86400


def picked(data: Data, order: Sequence[int]) -> Data:
    """The labels at these positions, in this order."""
    return Data(tuple(data.labels[place] for place in order),
                tuple(Series(row.label, tuple(row.values[place] for place in order))
                      for row in data.series),
                tuple(data.places[place] for place in order) if data.places else ())


def by_value(data: Data) -> Data:
    """The labels with the highest numbers first."""
    def total(place: int) -> float:
        return math.fsum(row.values[place] or 0 for row in data.series)
    return picked(data, sorted(range(len(data.labels)), key=lambda place: -total(place)))
