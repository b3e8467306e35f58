"""``<<timeline/>>``: which runs there were when, as a chart."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from markupsafe import Markup

from wiki.errors import BadValue
from wiki.rendering.charts.svg import Bar, Lane, Tick, gantt
from wiki.rendering.macros import MacroContext, macro
from wiki.tasks.records import RunRecord, in_words, runs_since
from wiki.translate import gettext, marked, ngettext

MOST_HOURS = 24 * 31
MOST_LANES = 100
#: The steps between labels, in minutes: the first that gives at most :data:`TICKS` of them.
STEPS = (5, 15, 30, 60, 120, 240, 480, 1440, 2880, 10080)
TICKS = 6
LEGEND = {"waited": marked("waited"), "running": "RUNNING", "done": "DONE", "error": "ERROR",
          "cancelled": "CANCELLED"}


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
        raise BadValue("hours", gettext(
            "%(hours)s is not between 0 and %(most)s", hours=f"{hours:g}", most=MOST_HOURS))
    context.changing()
    now = datetime.now(UTC)
    window = _Window(now - timedelta(hours=hours), now)
    runs = runs_since(context.wiki, window.start, space.strip())
    if not runs:
        return Markup('<p class="empty">{}</p>').format(
            gettext("No task ran in the last hour.") if window.hours == 1
            else gettext("No task ran in the last %(hours)s hours.", hours=f"{window.hours:g}"))
    return _figure(context, window, runs, max(1, min(limit, MOST_LANES)))


class _Window:
    """The time that is shown."""

    def __init__(self, start: datetime, end: datetime) -> None:
        self.start, self.end = start, end

    @property
    def hours(self) -> float:
        """How long it is."""
        return (self.end - self.start).total_seconds() / 3600

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
    chart = gantt(lanes, list(window.ticks()), list(_load(window, runs)),
                  gettext("Timeline of runs"), words)
    return Markup('<figure class="chart-box">{}<figcaption>{} {}{}</figcaption>'
                  '</figure>').format(chart, words, gettext("Times are UTC."), _legend())


def _legend() -> Markup:
    return Markup('<ul class="legend">{}</ul>').format(Markup("").join(
        Markup('<li class="{}">{}</li>').format(css, gettext(label))
        for css, label in LEGEND.items()))


def _bar(context: MacroContext, window: _Window, run: RunRecord) -> Bar:
    started = run.started or window.start
    ended = _end(window, run)
    outcome = run.outcome or "RUNNING"
    took = in_words((ended - started).total_seconds())
    title = gettext("%(title)s, run %(number)s: %(outcome)s, %(started)s, %(took)s",
                    title=run.title, number=run.number, outcome=outcome,
                    started=f"{started:%b %d %H:%M:%S}", took=took)
    if run.waited:
        title += gettext(", waited %(time)s", time=in_words(run.waited))
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
    said = {"runs": ngettext("%(num)s run", "%(num)s runs", len(runs)),
            "tasks": ngettext("%(num)s task", "%(num)s tasks", tasks)}
    text = (gettext("%(runs)s of %(tasks)s in the last hour", **said) if window.hours == 1
            else gettext("%(runs)s of %(tasks)s in the last %(hours)s hours",
                         hours=f"{window.hours:g}", **said))
    if failed:
        text += gettext(", %(num)s of them not DONE", num=failed)
    return text + (gettext("; the %(num)s tasks that changed last are shown.", num=limit)
                   if tasks > limit else ".")
