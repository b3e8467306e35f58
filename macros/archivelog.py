"""``<<archivelog/>>``: puts a log away under a name with the time, and lists those put away."""

from __future__ import annotations

import re

from markupsafe import Markup

from wiki.model import GUEST
from wiki.rendering.macros import MacroContext, macro
from wiki.tasks.log import Logs

ACTION = "/logs/archive"
SHOW_LOG = "TaskExecutorCode.ShowLog"
#: What an archived log's name ends with.
ARCHIVED = re.compile(r"-[0-9]{8}-[0-9]{6}(-[0-9]+)?\.log")

FORM = Markup("""\
<form class="archivelog" action="{action}" method="post">
<input type="hidden" name="form_token" value="{token}">
<label for="archivelog-log">Log</label>
<select id="archivelog-log" name="log">
{options}
</select>
<button type="submit">Archive</button>
</form>
""")
OPTION = Markup('<option value="{0}"{1}>{0}</option>')
NONE = Markup('<p class="note">No log was written yet.</p>\n')
LOG_IN = Markup('<p class="note">Log in to archive a log.</p>\n')


@macro("archivelog")
def archivelog(context: MacroContext, log: str = "", limit: int = 500) -> Markup:
    """A form that archives a log, and the list of the archived ones.

    `log` is the one that is chosen at first; without it, the one in the address (`?log=`).
    `limit` is how many logs are offered and listed.
    """
    names = context.service(Logs).names()
    archived = [name for name in names if ARCHIVED.search(name)][:max(0, limit)]
    open_logs = [name for name in names if not ARCHIVED.search(name)][:max(0, limit)]
    chosen = log or context.args.get("log", "")
    return form(context, open_logs, chosen) + listing(context, archived)


def form(context: MacroContext, names: list[str], chosen: str) -> Markup:
    if context.user == GUEST:
        return LOG_IN
    if not names:
        return NONE
    options = Markup("\n").join(
        OPTION.format(name, Markup(" selected") if name == chosen else "") for name in names)
    return FORM.format(action=ACTION, token=context.form_token, options=options)


def listing(context: MacroContext, names: list[str]) -> Markup:
    """The archived logs, each a link to it."""
    items = Markup("\n").join(
        Markup('<li><a href="{}">{}</a></li>').format(context.url(SHOW_LOG, log=name), name)
        for name in names)
    return Markup("<h2>Archived logs</h2>\n<ul>\n{}\n</ul>\n").format(items) if names else Markup()
