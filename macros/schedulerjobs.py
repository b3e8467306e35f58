"""``<<schedulerjobs/>>``: the scheduler's jobs, with what one can do with them."""

from __future__ import annotations

from datetime import datetime

from markupsafe import Markup

from wiki.rendering.macros import MacroContext, macro
from wiki.tasks.jobs import Job, Jobs, JobState, JobStatus, What
from wiki.tasks.names import JOB_CLASS

TABLE = Markup("""\
<div class="scroll" tabindex="0" role="region" aria-label="Scheduled jobs">
<table class="scheduler-jobs">
<thead><tr><th>Job</th><th>When</th><th>Status</th><th>Last run</th><th>Next run</th></tr></thead>
<tbody>
{}</tbody>
</table></div>""")
ROW = Markup("<tr><td>{}</td><td>{}</td><td>{}{}</td><td>{}</td><td>{}</td></tr>\n")
BUTTON = Markup('<button class="button" name="action" value="{}" title="{}">{}</button> ')
FORM = Markup("""\
<form class="task-action" method="post" action="{}">\
<input type="hidden" name="form_token" value="{}">\
<input type="hidden" name="back" value="{}">{}</form>""")
TRIGGER = ("trigger", "Trigger", "Run it now")
UNSCHEDULE = ("unschedule", "Unschedule", "Do not run it any more")
#: What can be done with a job: action, label, help.
BUTTONS = {
    JobStatus.NORMAL: (TRIGGER, ("pause", "Pause", "Do not run it for now"), UNSCHEDULE),
    JobStatus.PAUSED: (TRIGGER, ("resume", "Resume", "Run it at its times again"), UNSCHEDULE),
    JobStatus.NONE: (TRIGGER, ("schedule", "Schedule", "Run it at its times")),
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
        return Markup('<p class="empty">This page is no job: it has no object of {}.</p>').format(
            context.link(JOB_CLASS))
    jobs = context.service(Jobs)
    states = ([jobs.state(context.document.reference, context.user)] if this
              else list(jobs.states(context.user)))
    if not states:
        return Markup('<p class="empty">There are no jobs.</p>')
    return TABLE.format(Markup("").join(_row(context, state) for state in states))


def _row(context: MacroContext, state: JobState) -> Markup:
    job = state.job
    name = Markup("{}<br>{}<br><small>{}</small>").format(
        context.link(job.reference, job.name), _what(context, job), job.description)
    when = Markup("{} <small>{}</small>").format(job.when, job.zone)
    return ROW.format(name, when, _status(job), _buttons(context, job), _last(state),
                      _time(state.next_run))


def _what(context: MacroContext, job: Job) -> Markup:
    if job.what == What.MANAGER:
        return Markup("invokes the task manager")
    if job.what == What.LOGS:
        return Markup("tidies up the logs")
    if job.what == What.BIN:
        return Markup("empties the recycle bin")
    if job.task is None:
        return Markup("nothing")
    text = "sets {} READY" if job.what == What.TASK else "runs its script as {}"
    return Markup(text).format(context.link(job.task))


def _status(job: Job) -> Markup:
    badge = Markup('<span class="badge">{}</span>').format(job.status)
    if not job.problem:
        return badge
    return badge + Markup(' <strong class="badge error">broken</strong><br><small>{}</small>'
                          ).format(f"It {job.problem}")


def _last(state: JobState) -> Markup:
    record = state.record
    if record.last_run is None:
        return Markup("never")
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
    buttons = Markup("").join(BUTTON.format(action, help, label)
                              for action, label, help in BUTTONS[known])
    return FORM.format(context.url(job.reference, "job"), context.form_token,
                       str(context.document.reference), buttons)
