"""Bar, line and pie charts of tables of numbers, as SVG that the style sheet colours.

As in :mod:`wiki.rendering.charts.svg` everything is in per cent sideways and in pixels upwards, so
that a chart fills any width and its letters keep their size.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from wiki.rendering.charts.svg import LINE, RECT, SVG, TEXT, Tick
from wiki.translate import gettext

#: Pixels of the plot, of what is above it, and of the labels below it.
HEIGHT, TOP, FOOT = 220, 14, 24
#: Where the plot begins, in per cent: left of it stand the labels of its ticks.
LEFT = 11.0
#: Pixels of a bar of a chart that lies on its side, and of the label above its bars.
LYING, HEAD = 12, 20
#: Colours, after which they begin anew.
COLOURS = 8
#: How many characters all labels under a bar chart may have; one with more lies on its side.
MOST_LABELS = 40
#: How many labels stand under a line, and points that are marked on it.
MOST_TICKS, MOST_POINTS = 8, 100
#: Slices of a pie; what is beyond them is one slice.
MOST_SLICES = 8
#: The smallest step between two ticks.
SMALLEST = 1e-300
_MARKED = Markup("<g><title>{}</title>{}</g>\n")


@dataclass(frozen=True, slots=True)
class Series:
    """Numbers of one kind, None where there is none."""

    label: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Data:
    """Series over common labels. ``places`` are where the labels lie on a scale of their own;
    without them they are evenly spaced."""

    labels: tuple[str, ...]
    series: tuple[Series, ...]
    places: tuple[float, ...] = ()

    def numbers(self) -> list[float]:
        """All numbers."""
        return [value for row in self.series for value in row.values if value is not None]


def bars(data: Data, title: str, desc: str) -> Markup:
    """A group of bars for each label; on its side where the labels would not fit below."""
    if sum(map(len, data.labels)) > MOST_LABELS:
        return _lying(data, title, desc)
    scale = Scale.of(data.numbers())
    width = (100 - LEFT) / len(data.labels)
    body = _grid(scale)
    for position, label in enumerate(data.labels):
        left = LEFT + position * width
        body += _group(data, position, left + width * .1, width * .8, scale)
        body += TEXT.format("tick", left + width / 2, TOP + HEIGHT + 17, "middle", label)
    return _svg("plot", TOP + HEIGHT + FOOT, title, desc, body)


def _group(data: Data, position: int, left: float, width: float, scale: Scale) -> Markup:
    each = width / len(data.series)
    return Markup("").join(
        _MARKED.format(_title(data, row, position), _rect(
            number, left + number * each, scale.down(max(value, 0)), each * .92,
            abs(scale.down(value) - scale.down(0))))
        for number, row in enumerate(data.series)
        if (value := row.values[position]) is not None)


def _rect(number: int, left: float, top: float, width: float, height: float) -> Markup:
    return RECT.format(f"series {colour(number)}", left, top, width, max(height, 1))


def _lying(data: Data, title: str, desc: str) -> Markup:
    """Each label with its bars below it; the values stand beside the label."""
    scale = Scale.of(data.numbers())
    each = HEAD + LYING * len(data.series) + 6
    body = Markup("")
    for position, label in enumerate(data.labels):
        top = position * each
        shown = ", ".join(number(row.values[position]) for row in data.series)
        body += TEXT.format("label", 0, top + 14, "start", Markup(
            '{} <tspan class="value">{}</tspan>').format(shortened(label), shown))
        for place, row in enumerate(data.series):
            value = row.values[position]
            if value is not None:
                left, right = sorted((scale.part(0), scale.part(value)))
                body += _MARKED.format(_title(data, row, position), _rect_lying(
                    place, left, right, top + HEAD + place * LYING))
    zero = scale.part(0) * 100
    height = each * len(data.labels)
    return _svg("plot", height, title, desc,
                body + LINE.format("axis", zero, 0, zero, height))


def _rect_lying(number: int, left: float, right: float, top: float) -> Markup:
    return RECT.format(f"series {colour(number)}", left * 100, top,
                       max(right - left, .002) * 100, LYING - 2)


def lines(data: Data, title: str, desc: str) -> Markup:
    """A line for each series, broken where it has no number."""
    scale = Scale.of(data.numbers(), zero=False)
    places = _places(data)
    paths = Markup("").join(_path(row, number, places, scale)
                            for number, row in enumerate(data.series))
    plot = Markup('<svg x="{}%" width="{}%" height="{}" viewBox="0 0 1000 {}" '
                  'preserveAspectRatio="none" overflow="visible">{}</svg>').format(
        LEFT, 100 - LEFT, TOP + HEIGHT, TOP + HEIGHT, paths)
    points = Markup("")
    if len(data.labels) <= MOST_POINTS:
        points = Markup("").join(_points(data, row, number, places, scale)
                                 for number, row in enumerate(data.series))
    return _svg("plot", TOP + HEIGHT + FOOT, title, desc,
                _grid(scale) + _below(data, places) + plot + points)


def _places(data: Data) -> list[float]:
    """Where each label lies: 0 at the left, 1 at the right."""
    if not data.places:
        return [(position + .5) / len(data.labels) for position in range(len(data.labels))]
    low, high = min(data.places), max(data.places)
    return [(place - low) / (high - low) if high > low else .5 for place in data.places]


def _path(row: Series, number: int, places: Sequence[float], scale: Scale) -> Markup:
    path, pen = "", "M"
    for place, value in zip(places, row.values, strict=True):
        if value is None:
            pen = "M"
            continue
        path += f"{pen}{place * 1000:.1f} {scale.down(value):.1f}"
        pen = "L"
    return Markup('<path class="line {}" d="{}" vector-effect="non-scaling-stroke"/>').format(
        colour(number), path)


def _points(data: Data, row: Series, number: int, places: Sequence[float],
            scale: Scale) -> Markup:
    return Markup("").join(
        _MARKED.format(_title(data, row, position), Markup(
            '<circle class="series {}" cx="{:.3f}%" cy="{:.1f}" r="3.5"/>').format(
                colour(number), LEFT + place * (100 - LEFT), scale.down(value)))
        for position, (place, value) in enumerate(zip(places, row.values, strict=True))
        if value is not None)


def _below(data: Data, places: Sequence[float]) -> Markup:
    """As many labels as have room under a line."""
    longest = max(len(shortened(label, 12)) for label in data.labels) or 1
    step = -(-len(data.labels) // max(2, min(MOST_TICKS, 30 // longest)))
    return Markup("").join(
        TEXT.format("tick", LEFT + place * (100 - LEFT), TOP + HEIGHT + 17,
                    "start" if place < .04 else "end" if place > .96 else "middle",
                    shortened(label, 12))
        for position, (label, place) in enumerate(zip(data.labels, places, strict=True))
        if position % step == 0)


def pie(data: Data, title: str, desc: str) -> Markup:
    """The parts of the first series, each at least nought, as slices; ``data`` as :func:`slices`
    gives it."""
    values = [value or 0.0 for value in data.series[0].values]
    total, angle = math.fsum(values), 0.0
    body = Markup("")
    for position, value in enumerate(values):
        end = angle + value / total
        if value:
            body += _MARKED.format(_title(data, data.series[0], position),
                                   _slice(position, angle, end))
        angle = end
    return Markup('<svg class="chart pie" viewBox="-102 -102 204 204" role="img" '
                  'aria-label="{0}"><title>{0}</title><desc>{1}</desc>\n{2}</svg>').format(
        title, desc, body)


def _slice(number: int, start: float, end: float) -> Markup:
    if end - start > .9999:
        return Markup('<circle class="series {}" r="100"/>').format(colour(number))
    (x, y), (to_x, to_y) = (
        (100 * math.sin(at * math.tau), -100 * math.cos(at * math.tau)) for at in (start, end))
    return Markup('<path class="series {}" d="M0 0L{:.2f} {:.2f}A100 100 0 {} 1 {:.2f} {:.2f}Z"/>'
                  ).format(colour(number), x, y, int(end - start > .5), to_x, to_y)


def slices(data: Data) -> Data:
    """The parts of the first series that a pie shows: the largest, and the others together."""
    parts = sorted(zip(data.labels, data.series[0].values, strict=True),
                   key=lambda part: -(part[1] or 0))
    if len(parts) > MOST_SLICES:
        rest = math.fsum(value or 0 for _, value in parts[MOST_SLICES - 1:])
        parts = [*parts[:MOST_SLICES - 1], (
            gettext("%(num)s others", num=len(parts) - MOST_SLICES + 1), rest)]
    return Data(tuple(label for label, _ in parts),
                (Series(data.series[0].label, tuple(value for _, value in parts)),))


# -- scales and labels ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scale:
    """From ``low`` to ``high``, with ``step`` between two ticks."""

    low: float
    high: float
    step: float

    @classmethod
    def of(cls, numbers: Sequence[float], zero: bool = True) -> Scale:
        """A scale with round ends that holds all numbers, and nought where ``zero``, or where it
        is near them."""
        low, high = min(numbers, default=0.0), max(numbers, default=0.0)
        if zero or 0 < low < high / 2:
            low = min(low, 0.0)
        if zero or low / 2 < high < 0:
            high = max(high, 0.0)
        if low == high:
            low, high = (low - .5, high + .5) if low else (0.0, 1.0)
        step = _step(max(high / 5 - low / 5, SMALLEST))
        return cls(math.floor(low / step) * step, math.ceil(high / step) * step, step)

    def part(self, value: float) -> float:
        """Where the value lies: 0 at the low end, 1 at the high end."""
        return (value / self.step - self.low / self.step) / (
            self.high / self.step - self.low / self.step)

    def down(self, value: float) -> float:
        """The value's place in pixels from the top."""
        return TOP + HEIGHT * (1 - self.part(value))

    def ticks(self) -> Iterator[Tick]:
        """Each step with its label."""
        count = round(self.high / self.step - self.low / self.step)
        for position in range(count + 1):
            value = self.low + position * self.step
            yield Tick(value, compact(0.0 if abs(value) < self.step / 1e6 else value))


def _step(rough: float) -> float:
    """A round number, 1, 2 or 5 with noughts, not below ``rough``."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next((factor * power for factor in (1, 2, 5) if factor * power >= rough), 10 * power)


def _grid(scale: Scale) -> Markup:
    return Markup("").join(
        LINE.format("axis" if tick.at == 0 else "grid", LEFT, scale.down(tick.at), 100,
                    scale.down(tick.at))
        + TEXT.format("tick", LEFT - 1, f"{scale.down(tick.at) + 4:.1f}", "end", tick.label)
        for tick in scale.ticks())


def colour(number: int) -> str:
    """The class of a series."""
    return f"s{number % COLOURS}" + (" again" if number >= COLOURS else "")


def number(value: float | None) -> str:
    """The number as people write it; a dash where there is none."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:,.6g}"


def compact(value: float) -> str:
    """The number in a few characters: ``1.5M``."""
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if size <= abs(value) < 1e15 and not (letter == "k" and abs(value) < 10_000):
            return f"{value / size:g}{letter}"
    return f"{value:,.4g}" if 1e-4 <= abs(value) < 1e5 or not value else f"{value:.2g}"


def shortened(label: str, length: int = 60) -> str:
    return label if len(label) <= length else label[:length - 1] + "…"


def _title(data: Data, row: Series, position: int) -> str:
    name = f" · {row.label}" if len(data.series) > 1 else ""
    return f"{data.labels[position]}{name}: {number(row.values[position])}"


def _svg(css: str, height: float, title: str, desc: str, body: Markup) -> Markup:
    return SVG.format(css=css, height=round(height), title=title, desc=desc, body=body)
