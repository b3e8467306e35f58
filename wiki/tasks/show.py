"""The small pieces of HTML in which several macros show tasks: badges, bars, moments."""

from __future__ import annotations

from datetime import UTC, datetime

from markupsafe import Markup

from wiki.tasks.records import RunRecord, in_words
from wiki.tasks.runs import Progress
from wiki.translate import gettext, marked

_WORDS = {"SUSPENDED": marked("Suspended"), "READY": marked("Ready"), "RUNNING": marked("Running"),
          "DONE": marked("Done"), "ERROR": marked("Error")}


def badge(status: str) -> Markup:
    """A task's status, or a run's outcome."""
    return Markup('<span class="badge status {}">{}</span>').format(
        status.lower(), status or gettext("no status"))


def status_word(status: str) -> str:
    """A task's status, or a run's outcome, as a word of the reader's language."""
    return gettext(_WORDS.get(status, status))


def bar(progress: Progress | None, label: str, hidden: bool = False) -> Markup:
    """A bar that moves to and fro where nobody knows how much there is to do."""
    percent = progress.percent if progress else None
    value = Markup(' value="{}"').format(f"{percent:.1f}") if percent is not None else ""
    return Markup('<progress max="100"{}{} aria-label="{}"></progress>').format(
        value, Markup(" hidden") if hidden else "", gettext("Progress of %(label)s", label=label))


def progress_text(progress: Progress) -> str:
    """``42 % · 420 of 1,000 · reading``."""
    percent, parts = progress.percent, []
    if percent is not None:
        parts.append(f"{int(percent)} %")
    if progress.total:
        parts.append(gettext("%(done)s of %(total)s", done=amount(progress.done),
                             total=amount(progress.total)))
    elif progress.done:
        parts.append(amount(progress.done))
    if progress.message:
        parts.append(progress.message)
    return " · ".join(parts)


def rate(progress: Progress) -> str:
    """``3.5 per second``; empty where there is nothing to tell it from."""
    if progress.done <= 0 or progress.elapsed <= 0:
        return ""
    units = ((1, gettext("second")), (60, gettext("minute")), (3600, gettext("hour")))
    speeds = [(progress.done / progress.elapsed * each, unit) for each, unit in units]
    speed, unit = next((found for found in speeds if found[0] >= 1), speeds[-1])
    return gettext("%(speed)s per %(unit)s", unit=unit,
                   speed=f"{speed:,.0f}" if speed >= 10 else f"{speed:.1f}")


def items(progress: Progress) -> str:
    """``980 ok, 12 skipped, 8 failed``; empty where none are counted."""
    counted = ((progress.ok, gettext("ok")), (progress.skipped, gettext("skipped")),
               (progress.failed, gettext("failed")))
    return ", ".join(f"{count:,} {name}" for count, name in counted if count)


def amount(number: float) -> str:
    """``1,000``, ``2.5``."""
    return f"{number:,.0f}" if float(number).is_integer() else f"{number:,.1f}"


def ago(when: datetime, now: datetime) -> Markup:
    """``3 min ago``, with the moment itself as its title."""
    seconds = (now - when).total_seconds()
    text = (gettext("just now") if seconds < 1
            else gettext("%(time)s ago", time=_about(seconds)))
    return Markup('<time datetime="{}" title="{:%Y-%m-%d %H:%M:%S} UTC">{}</time>').format(
        when.isoformat(), when.astimezone(UTC), text)


def run_summary(run: RunRecord, now: datetime) -> Markup:
    """``in 12 s, 3 min ago``: how long an ended run took, and when it ended."""
    parts = ([Markup.escape(gettext("in %(time)s", time=in_words(run.seconds)))]
             if run.seconds is not None else [])
    if run.finished:
        parts.append(ago(run.finished, now))
    return Markup(", ").join(parts)


def _about(seconds: float) -> str:
    """A duration, to its larger unit alone."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"
