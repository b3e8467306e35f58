"""``<<timeline/>>``: which runs there were when, as a chart."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from markupsafe import Markup

from wiki.errors import BadValue
from wiki.rendering.charts.svg import Bar, Lane, Tick, gantt
from wiki.rendering.macros import MacroContext, macro
from wiki.tasks.records import RunRecord, in_words, runs_since

MOST_HOURS = 24 * 31
MOST_LANES = 100
#: The steps between labels, in minutes: the first that gives at most :data:`TICKS` of them.
STEPS = (5, 15, 30, 60, 120, 240, 480, 1440, 2880, 10080)
TICKS = 6
LEGEND = Markup('<ul class="legend">{}</ul>').format(Markup("").join(
    Markup('<li class="{}">{}</li>').format(css, label) for css, label in (
        ("waited", "waited"), ("running", "RUNNING"), ("done", "DONE"), ("error", "ERROR"),
        ("cancelled", "CANCELLED"))))


@macro("timeline", live=15)
def timeline(context: MacroContext, hours: float = 24, space: str = "",
             limit: int = 25) -> Markup:
    """Show the runs of the last hours as a chart: a row a task, the time that a run waited in a
    paler bar before it, and below how many ran at once.

    `hours` is how far back it goes; `space` keeps to one space; `limit` is how many tasks are
    shown, the ones that changed last.

    Examples:
        <<timeline hours="2"/>>
    """
    if not 0 < hours <= MOST_HOURS:
        raise BadValue("hours", f"{hours:g} is not between 0 and {MOST_HOURS}")
    context.changing()
    now = datetime.now(UTC)
    window = _Window(now - timedelta(hours=hours), now)
    runs = runs_since(context.wiki, window.start, space.strip())
    if not runs:
        return Markup('<p class="empty">No task ran in the last {}.</p>').format(_span(window))
    return _figure(context, window, runs, max(1, min(limit, MOST_LANES)))


class _Window:
    """The time that is shown."""

    def __init__(self, start: datetime, end: datetime) -> None:
        self.start, self.end = start, end

    def at(self, moment: datetime) -> float:
        """The place of a moment: 0 at the start, 1 at the end."""
        return max(0.0, min(1.0, (moment - self.start) / (self.end - self.start)))

    def ticks(self) -> Iterator[Tick]:
        """The labels, at full minutes and hours (UTC)."""
        minutes = (self.end - self.start).total_seconds() / 60
        step = next((step for step in STEPS if minutes / step <= TICKS), STEPS[-1]) * 60
        seconds = -(-self.start.timestamp() // step) * step
        while seconds <= self.end.timestamp():
            moment = datetime.fromtimestamp(seconds, UTC)
            yield Tick(self.at(moment), f"{moment:%b %d}" if step >= 86400 or (
                moment.hour == moment.minute == 0) else f"{moment:%H:%M}")
            seconds += step


def _figure(context: MacroContext, window: _Window, runs: list[RunRecord], limit: int) -> Markup:
    tasks: dict[str, list[RunRecord]] = {}
    for run in runs:
        tasks.setdefault(str(run.task), []).append(run)
    lanes = [Lane(group[0].title, context.url(name),
                  [_bar(context, window, run) for run in reversed(group)])
             for name, group in list(tasks.items())[:limit]]
    words = _words(window, runs, len(tasks), limit)
    chart = gantt(lanes, list(window.ticks()), list(_load(window, runs)), "Timeline of runs",
                  words)
    return Markup('<figure class="chart-box">{}<figcaption>{} Times are UTC.{}</figcaption>'
                  '</figure>').format(chart, words, LEGEND)


def _bar(context: MacroContext, window: _Window, run: RunRecord) -> Bar:
    started = run.started or window.start
    ended = _end(window, run)
    outcome = run.outcome or "RUNNING"
    took = in_words((ended - started).total_seconds())
    title = f"{run.title}, run {run.number}: {outcome}, {started:%b %d %H:%M:%S}, {took}"
    if run.waited:
        title += f", waited {in_words(run.waited)}"
    return Bar(window.at(run.queued or started), window.at(started), window.at(ended),
               outcome.lower(), title, context.url(run.task, f"runs/{run.number}"))


def _end(window: _Window, run: RunRecord) -> datetime:
    return run.finished or (window.end if not run.outcome else run.started or window.end)


def _load(window: _Window, runs: list[RunRecord]) -> Iterator[tuple[float, int]]:
    """How many ran at once, from which place on."""
    changes = sorted([(window.at(run.started or window.start), 1) for run in runs]
                     + [(window.at(_end(window, run)), -1) for run in runs])
    count = 0
    for at, change in changes:
        count += change
        yield at, count


def _words(window: _Window, runs: list[RunRecord], tasks: int, limit: int) -> str:
    failed = sum(run.outcome not in ("", "DONE") for run in runs)
    text = f"{len(runs)} run{'' if len(runs) == 1 else 's'} of {tasks} task"
    text += f"{'' if tasks == 1 else 's'} in the last {_span(window)}"
    text += f", {failed} of them not DONE" if failed else ""
    return text + (f"; the {limit} tasks that changed last are shown." if tasks > limit else ".")


def _span(window: _Window) -> str:
    hours = (window.end - window.start).total_seconds() / 3600
    return "hour" if hours == 1 else f"{hours:g} hours"
