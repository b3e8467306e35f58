"""``<<runs/>>``: the runs of a task, each with a link to its page."""

from __future__ import annotations

from datetime import datetime

from markupsafe import Markup

from wiki.language.links import page_url
from wiki.rendering.macros import MacroContext, PageName, macro
from wiki.tasks.records import RunRecord, in_words, runs_of
from wiki.tasks.show import badge
from wiki.translate import gettext, marked

#: How often it is looked at while none runs, in seconds.
QUIET = 15
_HEAD = (marked("Run"), marked("Started (UTC)"), marked("By"), marked("Took"), marked("Outcome"),
         marked("Error"))
_ROW = Markup('<tr><td><a href="{}">{}</a></td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>'
              "<td>{}</td></tr>\n")


@macro("runs", live=3)
def runs(context: MacroContext, task: PageName = "", limit: int = 10) -> Markup:
    """List the runs of a task, the newest first, with links to what each did.

    `task` is the task's page (default: this page); `limit` is how many are listed.

    Examples:
        <<runs task="Tasks.ImportCountries" limit="3"/>>
    """
    target = context.reference(task) if task else context.document.reference
    document = context.wiki.get(target).record if task else context.document
    found = runs_of(document)
    if all(run.outcome for run in found):
        context.pace(QUIET)
    if not found:
        return Markup('<p class="empty">{}</p>').format(
            gettext("It has not run yet."))
    rows = Markup("").join(_row(run) for run in found[:max(1, limit)])
    head = Markup("").join(Markup('<th scope="col">{}</th>').format(gettext(name))
                           for name in _HEAD)
    more = Markup('<p><a href="{}">{all_its}</a></p>').format(page_url(target, "runs"),
            all_its=gettext("All its runs"))
    return Markup('<div class="scroll"><table class="runs"><thead><tr>{}</tr></thead>\n'
                  "<tbody>{}</tbody></table></div>{}").format(
        head, rows, more if len(found) > limit else "")


def _row(run: RunRecord) -> Markup:
    return _ROW.format(
        page_url(run.task, f"runs/{run.number}"),
        gettext("Run %(number)s", number=run.number), _when(run.started),
        run.starter, in_words(run.seconds) if run.seconds is not None else "",
        badge(run.outcome or "RUNNING") + (" " + gettext("dry run") if run.dry_run else ""),
        run.error)


def _when(moment: datetime | None) -> Markup:
    if moment is None:
        return Markup("")
    return Markup('<time datetime="{}">{:%Y-%m-%d %H:%M:%S}</time>').format(
        moment.isoformat(), moment)
