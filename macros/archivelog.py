"""``<<archivelog/>>``: puts a log away under a name with the time, and lists those put away."""

from __future__ import annotations

from markupsafe import Markup

from wiki.model import GUEST
from wiki.rendering.macros import MacroContext, macro
from wiki.tasks.log import PACKED, Archive, Logs
from wiki.tasks.loghtml import api_url, viewer_url
from wiki.translate import gettext

ACTION = "/logs/archive"

FORM = Markup("""\
<form class="archivelog" action="{action}" method="post">
<input type="hidden" name="form_token" value="{token}">
<label for="archivelog-log">{log}</label>
<select id="archivelog-log" name="log">
{options}
</select>
<label><input type="checkbox" name="compress" value="true"> {compress_it}</label>
<button type="submit">{archive}</button>
</form>
""")
OPTION = Markup('<option value="{0}"{1}>{0}</option>')
ROW = Markup('<tr><td>{name}</td><td>{size:,}</td>'
             '<td><a href="{download}" download>{download2}</a></td></tr>')
TABLE = Markup("""\
<h2>{archived_logs}</h2>
<table><thead><tr><th>{log}</th><th>{bytes}</th><th></th></tr></thead>
<tbody>
{rows}
</tbody></table>
""")
NONE = Markup('<p class="note">{no_log}</p>\n')
LOG_IN = Markup('<p class="note">{log_in}</p>\n')


@macro("archivelog")
def archivelog(context: MacroContext, log: str = "", limit: int = 500) -> Markup:
    """A form that archives a log, and the list of the archived ones.

    `log` is the one that is chosen at first; without it, the one in the address (`?log=`).
    `limit` is how many logs are offered and listed.

    Examples:
        <<archivelog limit="10"/>>
    """
    logs = context.service(Logs)
    archives = logs.archives()
    put_away = {archive.name for archive in archives}
    names = [name for name in logs.names() if name not in put_away]
    chosen = log or context.args.get("log", "")
    return (form(context, known(context, names, limit), chosen)
            + listing(context, archives, limit))


def known(context: MacroContext, names: list[str], limit: int) -> list[str]:
    """The first of the logs that the reader may know of."""
    logs = context.service(Logs)
    found: list[str] = []
    for name in names:
        if len(found) >= limit:
            break
        if logs.known(context.wiki, name):
            found.append(name)
    return found


def form(context: MacroContext, names: list[str], chosen: str) -> Markup:
    if context.user == GUEST:
        return LOG_IN.format(log_in=gettext("Log in to archive a log."))
    if not names:
        return NONE.format(no_log=gettext("No log was written yet."))
    options = Markup("\n").join(
        OPTION.format(name, Markup(" selected") if name == chosen else "") for name in names)
    return FORM.format(action=ACTION, token=context.form_token, options=options,
            log=gettext("Log"), compress_it=gettext("Compress it"), archive=gettext("Archive"))


def listing(context: MacroContext, archives: list[Archive], limit: int) -> Markup:
    """The archived logs, each a link to it; compressed ones can be downloaded."""
    shown = set(known(context, [archive.name for archive in archives], limit))
    rows = Markup("\n").join(
        ROW.format(name=label(archive.name), size=archive.size,
                   download=api_url(archive.name, "/download"), download2=gettext("Download"))
        for archive in archives if archive.name in shown)
    return TABLE.format(rows=rows, archived_logs=gettext("Archived logs"), log=gettext("Log"),
            bytes=gettext("Bytes")) if rows else Markup()


def label(name: str) -> Markup | str:
    if name.endswith(PACKED):
        return name
    return Markup('<a href="{}">{}</a>').format(viewer_url(name), name)
