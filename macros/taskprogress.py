"""``<<taskprogress/>>``: what a task is at, and how far."""

from __future__ import annotations

from datetime import UTC, datetime

from markupsafe import Markup

from wiki.errors import MacroError
from wiki.language.links import page_url
from wiki.model import Document
from wiki.rendering.macros import MacroContext, PageName, macro
from wiki.tasks.board import waiting_reason
from wiki.tasks.manager import Manager
from wiki.tasks.names import TASK_CLASS, Status
from wiki.tasks.records import RunRecord, in_words, runs_of
from wiki.tasks.runs import Progress
from wiki.tasks.show import ago, badge, bar, items, progress_text, rate, run_summary
from wiki.translate import gettext, gettext_html

#: How often it is looked at while the task neither waits nor runs, in seconds.
QUIET = 10
#: Shown by the script that makes it work.
BELL = Markup(' <button type="button" class="plain task-bell" aria-pressed="false" hidden>'
              '{notify_me}</button>')
FACT = Markup("<div><dt>{}</dt><dd>{}</dd></div>")


@macro("taskprogress", live=1)
def taskprogress(context: MacroContext, task: PageName = "") -> Markup:
    """Show a task's status, why it does not run yet, and how far its run is, kept up to date.

    `task` is the task's page (default: this page).

    Examples:
        <<taskprogress task="Tasks.ImportCountries"/>>
    """
    document = _task(context, task)
    name = str(document.reference)
    found = document.object(TASK_CLASS)
    status = str(found.values.get("status") or "") if found else ""
    running = status == Status.RUNNING
    context.changing()
    if status not in (Status.RUNNING, Status.READY):
        context.pace(QUIET)
    progress = context.service(Manager).progress(name) if running else None
    percent = str(int(progress.percent)) if progress and progress.percent is not None else ""
    last = next(iter(runs_of(document)), None)
    return Markup(
        '<div class="task-progress" data-task="{}" data-status="{}" data-percent="{}" '
        'data-page="{}"><p class="task-state"><span role="status">{}</span> '
        '<span class="task-note">{}</span>'
        '{}</p>{} <span class="progress-text">{}</span>{}</div>').format(
            name, status, percent, context.url(document.reference), badge(status),
            _note(context, document, status, last),
            (BELL.format(notify_me=gettext("Notify me at the end"))
             if status in (Status.RUNNING, Status.READY) else ""),
            bar(progress, name, hidden=not running),
            progress_text(progress) if progress else "",
            _facts(context, last, progress) if running else "")


def _task(context: MacroContext, name: str) -> Document:
    target = context.reference(name) if name else context.document.reference
    own = target == context.document.reference
    document = context.document if own else context.wiki.get(target).record
    if document.object(TASK_CLASS) is None:
        raise MacroError(gettext(
            "%(target)s is no task; it has no object of %(task_class)s", target=target,
            task_class=TASK_CLASS))
    return document


def _note(context: MacroContext, document: Document, status: str,
          last: RunRecord | None) -> Markup | str:
    """Why it is not running yet, or how its last run ended."""
    if status == Status.READY:
        return waiting_reason(context.service(Manager), document.reference)
    if last is None:
        return "" if status == Status.RUNNING else gettext("It has not run yet.")
    if status == Status.RUNNING or not last.outcome:
        return gettext("Run %(number)s", number=last.number)
    summary = run_summary(last, datetime.now(UTC))
    if last.dry_run:
        return gettext_html(
            'Dry run %(number)s ended %(outcome)s %(summary)s: '
            '<a href="%(url)s">what it would change</a>', number=last.number,
            outcome=last.outcome, summary=summary,
            url=page_url(last.task, f"runs/{last.number}"))
    return gettext_html("Run %(number)s ended %(outcome)s %(summary)s", number=last.number,
                        outcome=last.outcome, summary=summary)


def _facts(context: MacroContext, run: RunRecord | None, progress: Progress | None) -> Markup:
    """What is known of the run that goes on."""
    now = datetime.now(UTC)
    facts: list[tuple[str, Markup | str]] = []
    if run and run.started:
        facts.append((gettext("Elapsed"), in_words((now - run.started).total_seconds())))
    if progress:
        remaining = progress.remaining
        facts += [(gettext("Time left"), in_words(remaining) if remaining is not None else ""),
                  (gettext("Speed"), rate(progress)),
                  (gettext("Step"), " › ".join(progress.steps)),
                  (gettext("Items"), items(progress))]
    facts.append((gettext("Last sign of life"), _life(context, run, progress, now)))
    if run and run.waited is not None and run.waited >= 1:
        facts.append((gettext("Waited"), in_words(run.waited)))
    return Markup('<dl class="task-facts">{}</dl>').format(Markup("").join(
        FACT.format(name, value) for name, value in facts if value))


def _life(context: MacroContext, run: RunRecord | None, progress: Progress | None,
          now: datetime) -> Markup | str:
    """When its process was last seen alive, or said how far it is."""
    beat = context.service(Manager).runner.heartbeat(run.id) if run and run.id else None
    seen = max(beat or 0.0, progress.updated if progress else 0.0)
    return ago(datetime.fromtimestamp(seen, UTC), now) if seen else ""
