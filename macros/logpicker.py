"""``<<logpicker/>>``: a form that picks a task and shows its log."""

from __future__ import annotations

from markupsafe import Markup

from wiki.api import make_query
from wiki.rendering.macros import MacroContext, macro
from wiki.tasks.log import MANAGER_LOG, log_name
from wiki.tasks.names import TASK_CLASS
from wiki.translate import gettext

SHOW_LOG = "TaskExecutorCode.ShowLog"

FORM = Markup("""\
<form class="logpicker" action="{action}" method="get">
<label for="logpicker-log">{log_of}</label>
<select id="logpicker-log" name="log">
{options}
</select>
<button type="submit">{show}</button>
</form>""")
OPTION = Markup('<option value="{}"{}>{}</option>')


@macro("logpicker")
def logpicker(context: MacroContext, limit: int = 500) -> Markup:
    """A form that picks a task, or the manager, and shows its log.

    `limit` is how many tasks it offers; the ones that changed last come first.

    Examples:
        <<logpicker limit="10"/>>
    """
    query = make_query(TASK_CLASS, {}, "-updated", max(1, limit), 0, None)
    choices = [(log_name(row.reference), f"{row.title or row.reference.name} ({row.reference})")
               for row in context.wiki.rows(query)]
    choices.append((MANAGER_LOG, gettext("The task manager")))
    chosen = context.args.get("log", "")
    options = Markup("\n").join(
        OPTION.format(log, Markup(" selected") if log == chosen else "", label)
        for log, label in choices)
    return FORM.format(action=context.url(SHOW_LOG), options=options, log_of=gettext("Log of"),
            show=gettext("Show"))
