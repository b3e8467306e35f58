"""``<<taskstats/>>``: how long the runs of a task or an executor took."""

from __future__ import annotations

from markupsafe import Markup

from wiki.errors import MacroError
from wiki.rendering.charts.svg import Column, columns
from wiki.rendering.macros import MacroContext, PageName, macro
from wiki.tasks.records import Durations, RunRecord, executor_runs, in_words, runs_of
from wiki.translate import gettext, ngettext

MOST = 500
#: Runs that are worth a chart.
FEWEST = 3


@macro("taskstats", live=20)
def taskstats(context: MacroContext, task: PageName = "", executor: PageName = "",
              limit: int = 50) -> Markup:
    """Show how long the last runs took and how long they waited, with their median and the time
    within which 95 of 100 ended.

    `task` is the task's page (default: this page); `executor` instead is an executor's; `limit` is
    how many runs count.

    Examples:
        <<taskstats task="Tasks.ImportCountries"/>>
    """
    if task and executor:
        raise MacroError(gettext("it takes a task or an executor, not both"))
    size = max(1, min(limit, MOST))
    if executor:
        found = executor_runs(context.wiki, context.reference(executor), size)
    else:
        document = context.wiki.get(context.reference(task)).record if task else context.document
        found = runs_of(document)[:size]
    ended = [run for run in found if run.seconds is not None]
    if not ended:
        return Markup('<p class="empty">{}</p>').format(
            gettext("No run has ended yet."))
    return _figure(context, list(reversed(ended)))


def _figure(context: MacroContext, runs: list[RunRecord]) -> Markup:
    words = _words(runs)
    if len(runs) < FEWEST:
        return Markup('<p class="note">{}</p>').format(words)
    took = Durations.of(run.seconds for run in runs)
    longest = max(run.seconds or 0 for run in runs)
    chart = columns([_column(context, run, longest) for run in runs], took.median if took else 0,
                    gettext("Durations of the last runs"),
                    gettext("A column a run, the newest at the right; the paler part on top is how "
                            "long it waited.") + " " + words)
    return Markup('<figure class="chart-box">{}<figcaption>{}</figcaption></figure>').format(
        chart, words)


def _column(context: MacroContext, run: RunRecord, longest: float) -> Column:
    """A wait is drawn no longer than the longest run, so that it does not dwarf all runs."""
    title = gettext("%(title)s, run %(number)s: %(outcome)s in %(time)s", title=run.title,
                    number=run.number, outcome=run.outcome, time=in_words(run.seconds or 0))
    if run.waited:
        title += gettext(", waited %(time)s", time=in_words(run.waited))
    return Column(run.seconds or 0, min(run.waited or 0, longest), run.outcome.lower(), title,
                  context.url(run.task, f"runs/{run.number}"))


def _words(runs: list[RunRecord]) -> str:
    """``12 runs, 2 of them not DONE. They took 3 min 10 s (median) …``"""
    failed = sum(run.outcome != "DONE" for run in runs)
    text = ngettext("%(num)s run", "%(num)s runs", len(runs))
    text += gettext(", %(num)s of them not DONE", num=failed) if failed else ""
    for verb, durations in ((gettext("took"), Durations.of(run.seconds for run in runs)),
                            (gettext("waited"), Durations.of(run.waited for run in runs))):
        if durations is not None:
            text += f"; {verb} {in_words(durations.median)}"
            text += (gettext(" in the median, 95 %% at most %(time)s",
                             time=in_words(durations.p95)) if durations.count > 1 else "")
    return text + "."
