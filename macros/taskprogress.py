"""``<<taskprogress/>>``: how far a task is."""

from markupsafe import Markup

from wiki.errors import MacroError
from wiki.rendering.macros import MacroContext, macro
from wiki.tasks.manager import Manager
from wiki.tasks.names import TASK_CLASS


@macro("taskprogress")
def taskprogress(context: MacroContext, task: str = "") -> Markup:
    """Show a task's status and, while it runs, how far it is, kept up to date.

    `task` is the task's page (default: this page).
    """
    target = context.reference(task) if task else context.document.reference
    own = target == context.document.reference
    document = context.document if own else context.wiki.get(target).record
    found = document.object(TASK_CLASS)
    if found is None:
        raise MacroError(f"{target} is no task; it has no object of {TASK_CLASS}")
    status = str(found.values.get("status") or "")
    return Markup(
        '<div class="task-progress" data-task="{}" data-status="{}">'
        '<span class="badge status {}">{}</span> {}</div>').format(
            str(target), status, status.lower(), status or "no status",
            _bar(context, str(target), status))


def _bar(context: MacroContext, task: str, status: str) -> Markup:
    progress = context.service(Manager).progress(task)
    running = status == "RUNNING"
    percent = progress.percent if progress else None
    value = Markup(' value="{}"').format(f"{percent:.1f}") if percent is not None else ""
    hidden = Markup("") if progress or running else Markup(" hidden")
    text = ""
    if progress:
        text = f"{progress.done:g}" + (f" of {progress.total:g}" if progress.total else "")
        text += f" · {progress.message}" if progress.message else ""
    return Markup('<progress max="100"{}{} aria-label="Progress of {}"></progress> '
                  '<span class="progress-text">{}</span>').format(value, hidden, task, text)
