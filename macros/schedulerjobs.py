"""``<<schedulerjobs/>>``: the scheduler's jobs, with what one can do with them."""

from __future__ import annotations

from datetime import datetime

from markupsafe import Markup

from wiki.rendering.macros import MacroContext, macro
from wiki.tasks.jobs import Job, Jobs, JobState, JobStatus, What
from wiki.tasks.names import JOB_CLASS
from wiki.translate import gettext, gettext_html, marked

TABLE = Markup("""\
<div class="scroll" tabindex="0" role="region" aria-label="{scheduled_jobs}">
<table class="scheduler-jobs">
<thead><tr>{}</tr></thead>
<tbody>
{}</tbody>
</table></div>""")
#: The columns; on a narrow screen each value has its column's name in front.
COLUMNS = (marked("Job"), marked("When"), marked("Status"), marked("Last run"),
           marked("Next run"))
BUTTON = Markup('<button class="button" name="action" value="{}" title="{}">{}</button> ')
FORM = Markup("""\
<form class="task-action" method="post" action="{}">\
<input type="hidden" name="form_token" value="{}">\
<input type="hidden" name="back" value="{}">{}</form>""")
TRIGGER = ("trigger", marked("Trigger"), marked("Run it now"))
UNSCHEDULE = ("unschedule", marked("Unschedule"), marked("Do not run it any more"))
#: What can be done with a job: action, label, help.
BUTTONS = {
    JobStatus.NORMAL: (TRIGGER, ("pause", marked("Pause"), marked("Do not run it for now")),
                       UNSCHEDULE),
    JobStatus.PAUSED: (TRIGGER, ("resume", marked("Resume"),
                                 marked("Run it at its times again")), UNSCHEDULE),
    JobStatus.NONE: (TRIGGER, ("schedule", marked("Schedule"), marked("Run it at its times"))),
}


@macro("schedulerjobs")
def schedulerjobs(context: MacroContext, this: bool = False) -> Markup:
    """The jobs of the scheduler: when each runs, what it does, how its last run went, and buttons.

    `this` shows only the job of the viewed page. Only readers who hold the script right see the
    buttons.

    Examples:
        <<schedulerjobs/>>
    """
    if this and context.document.object(JOB_CLASS) is None:
        return Markup('<p class="empty">{}</p>').format(gettext_html(
            "This page is no job: it has no object of %(link)s.", link=context.link(JOB_CLASS)))
    jobs = context.service(Jobs)
    states = ([jobs.state(context.document.reference, context.user)] if this
              else list(jobs.states(context.user)))
    if not states:
        return Markup('<p class="empty">{}</p>').format(
            gettext("There are no jobs."))
    heads = Markup("").join(Markup('<th scope="col">{}</th>').format(gettext(label))
                            for label in COLUMNS)
    return TABLE.format(heads, Markup("").join(_row(context, state) for state in states),
                        scheduled_jobs=gettext("Scheduled jobs"))


def _row(context: MacroContext, state: JobState) -> Markup:
    job = state.job
    name = Markup("{}<br><small>{}</small><br><small>{}</small>").format(
        context.link(job.reference, job.name), _what(context, job), job.description)
    when = Markup("<span>{} <small>{}</small></span>").format(job.when, job.zone)
    status = Markup("<div>{}{}</div>").format(_status(job), _buttons(context, job))
    last = Markup("<div>{}</div>").format(_last(state))
    cells = (name, when, status, last, _time(state.next_run))
    return Markup("<tr>{}</tr>\n").format(Markup("").join(
        Markup('<td data-label="{}">{}</td>').format(gettext(label), cell)
        for label, cell in zip(COLUMNS, cells, strict=True)))


def _what(context: MacroContext, job: Job) -> Markup:
    if job.what == What.MANAGER:
        return Markup.escape(gettext("invokes the task manager"))
    if job.what == What.LOGS:
        return Markup.escape(gettext("tidies up the logs"))
    if job.what == What.BIN:
        return Markup.escape(gettext("empties the recycle bin"))
    if job.task is None:
        return Markup.escape(gettext("nothing"))
    link = context.link(job.task)
    return (gettext_html("sets %(task)s READY", task=link) if job.what == What.TASK
            else gettext_html("runs its script as %(task)s", task=link))


def _status(job: Job) -> Markup:
    badge = Markup('<span class="badge">{}</span>').format(job.status)
    if not job.problem:
        return badge
    return badge + Markup(' <strong class="badge error">{broken}</strong><br><small>{}</small>'
                          ).format(gettext("It %(problem)s", problem=job.problem),
                                   broken=gettext("broken"))


def _last(state: JobState) -> Markup:
    record = state.record
    if record.last_run is None:
        return Markup.escape(gettext("never"))
    return Markup('{} <span class="badge {}">{}</span><br><small>{}</small>').format(
        _time(record.last_run), record.outcome.lower(), record.outcome, record.message)


def _time(moment: datetime | None) -> Markup:
    if moment is None:
        return Markup("–")
    return Markup('<time class="local" datetime="{}">{}</time>').format(
        moment.isoformat(timespec="seconds"), f"{moment:%Y-%m-%d %H:%M:%S} UTC")


def _buttons(context: MacroContext, job: Job) -> Markup:
    if not context.wiki.may("script", context.wiki.get(job.reference)):
        return Markup("")
    known = JobStatus(job.status) if job.status in list(JobStatus) else JobStatus.NONE
    buttons = Markup("").join(BUTTON.format(action, gettext(help), gettext(label))
                              for action, label, help in BUTTONS[known])
    return FORM.format(context.url(job.reference, "job"), context.form_token,
                       str(context.document.reference), buttons)
