"""Charts as SVG that the style sheet colours: classes and presentation attributes only.

Sideways everything is in per cent and upwards in pixels, so that a chart fills any width and
its letters keep their size. Positions are fractions, 0 at the left and 1 at the right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from wiki.translate import gettext

#: Pixels of a lane of a Gantt chart, of its bar within it, and of the band of labels above.
LANE, BAR, HEAD = 36, 12, 22
#: Pixels of the line below a Gantt chart, with the gap before it, and of a column chart.
LOAD, GAP, COLUMNS = 44, 26, 120
#: The narrowest bar of a Gantt chart, a fraction of its width: a short run in a long time is seen.
NARROWEST = 0.002
SVG = Markup('<svg class="chart {css}" width="100%" height="{height}" role="group" '
              'aria-label="{title}"><title>{title}</title><desc>{desc}</desc>\n{body}</svg>')
RECT = Markup('<rect class="{}" x="{:.3f}%" y="{:.1f}" width="{:.3f}%" height="{:.1f}"/>')
_LINK = Markup('<a href="{}"><title>{}</title>{}</a>\n')
TEXT = Markup('<text class="{}" x="{:.3f}%" y="{}" text-anchor="{}">{}</text>')
LINE = Markup('<line class="{}" x1="{:.3f}%" y1="{:.1f}" x2="{:.3f}%" y2="{:.1f}"/>')


@dataclass(frozen=True, slots=True)
class Bar:
    """From ``start`` to ``end`` in a lane; what comes before it, from ``since``, is paler."""

    since: float
    start: float
    end: float
    css: str
    title: str
    href: str


@dataclass(frozen=True, slots=True)
class Lane:
    """A row of a Gantt chart."""

    label: str
    href: str
    bars: Sequence[Bar]


@dataclass(frozen=True, slots=True)
class Column:
    """A column with what comes before it, ``before``, on top of it and paler."""

    value: float
    before: float
    css: str
    title: str
    href: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled place."""

    at: float
    label: str


def gantt(lanes: Sequence[Lane], ticks: Sequence[Tick], load: Sequence[tuple[float, int]],
          title: str, desc: str) -> Markup:
    """Bars in lanes over a common time. ``load`` are the steps of the line below them: from
    which place on, how many there are at once."""
    bottom = HEAD + LANE * len(lanes)
    grid = Markup("").join(LINE.format("grid", tick.at * 100, HEAD, tick.at * 100,
                                        bottom + GAP + LOAD)
                           + TEXT.format("tick", tick.at * 100, 14, _anchor(tick.at), tick.label)
                           for tick in ticks)
    body = Markup("").join(_lane(lane, HEAD + LANE * number)
                           for number, lane in enumerate(lanes))
    return SVG.format(css="gantt", height=bottom + GAP + LOAD + 2, title=title, desc=desc,
                       body=grid + body + _load(load, bottom + GAP))


def columns(items: Sequence[Column], mark: float, title: str, desc: str) -> Markup:
    """Columns side by side, and a dashed line at the value ``mark``."""
    highest = max((item.value + item.before for item in items), default=0.0) or 1.0
    width = 100 / max(len(items), 12)
    body = Markup("").join(_column(item, number * width, width * 0.8, highest)
                           for number, item in enumerate(items))
    height = COLUMNS - mark / highest * COLUMNS
    return SVG.format(css="columns", height=COLUMNS + 1, title=title, desc=desc, body=body
                       + LINE.format("mark", 0, height, 100, height)
                       + LINE.format("grid", 0, COLUMNS + .5, 100, COLUMNS + .5))


def _lane(lane: Lane, top: int) -> Markup:
    label = Markup('<a href="{}">{}</a>\n').format(
        lane.href, TEXT.format("label", 0, top + 15, "start", lane.label))
    line = LINE.format("grid", 0, top + LANE - .5, 100, top + LANE - .5)
    return line + label + Markup("").join(_bar(bar, top + 20) for bar in lane.bars)


def _bar(bar: Bar, top: int) -> Markup:
    before = (RECT.format("before", bar.since * 100, top + BAR / 3,
                           (bar.start - bar.since) * 100, BAR / 3)
              if bar.since < bar.start else "")
    width = max(bar.end - bar.start, NARROWEST)
    start = min(bar.start, 1 - width)
    return _LINK.format(bar.href, bar.title, Markup("{}{}").format(before, RECT.format(
        f"bar {bar.css}", start * 100, top, width * 100, BAR)))


def _column(item: Column, left: float, width: float, highest: float) -> Markup:
    value = max(1.5, item.value / highest * COLUMNS)
    before = item.before / highest * COLUMNS
    return _LINK.format(item.href, item.title, Markup("").join((
        RECT.format("space", left, 0, width, COLUMNS),
        RECT.format("before", left, COLUMNS - value - before, width, before),
        RECT.format(f"bar {item.css}", left, COLUMNS - value, width, value))))


def _load(steps: Sequence[tuple[float, int]], top: int) -> Markup:
    highest = max((count for _, count in steps), default=0)
    if not highest:
        return Markup("")
    path, level = f"M0 {LOAD}", 0.0
    for at, count in steps:
        level = LOAD - count / highest * (LOAD - 3)
        path += f"H{at * 1000:.1f}V{level:.1f}"
    return Markup(
        '<svg y="{}" width="100%" height="{}" viewBox="0 0 1000 {}" preserveAspectRatio="none">'
        '<path class="load" d="{}H1000V{}Z" vector-effect="non-scaling-stroke"/></svg>{}').format(
            top, LOAD, LOAD, path, LOAD,
            TEXT.format("tick", 0, top - 5, "start",
                        gettext("At once: at most %(most)s", most=highest)))


def _anchor(at: float) -> str:
    return "start" if at < 0.04 else "end" if at > 0.96 else "middle"
