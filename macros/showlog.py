"""``<<showlog/>>``: a log's last lines, followed live."""

import re

from markupsafe import Markup

from wiki.errors import LogNotFound, MacroError
from wiki.rendering.macros import MacroContext, macro
from wiki.tasks.log import LogPart, Logs

MAX_LINES = 5000
_HEADER = re.compile(r"\[[^\]]{10,30}\] ([A-Z]+) - ")


@macro("showlog")
def showlog(context: MacroContext, log: str, lines: int = 200, follow: bool = True) -> Markup:
    """Show the last lines of a log, and follow it while it grows.

    `log` is its name, `Tasks.SimpleTask.log` for the log of that task; `lines` how many are
    shown; `follow="false"` shows it as it is now.
    """
    logs = context.service(Logs)
    if not logs.known(context.wiki, log):
        raise MacroError(f"No such log: {log[:200]!r}. A task's log is named as its page, "
                         "with .log after it")
    part = _tail(logs, log, max(1, min(lines, MAX_LINES)))
    empty = Markup('<p class="empty">Nothing was logged yet.</p>') if not part.data else ""
    return Markup(
        '<section class="log" data-log="{}" data-offset="{}" data-follow="{}">'
        '<header class="log-head"><span class="log-name">{}</span> '
        '<span class="log-state" aria-live="polite"></span></header>'
        '{}<pre tabindex="0" role="log">{}</pre></section>').format(
            log, part.end, str(follow).lower(), log, empty, _lines(part.text))


def _tail(logs: Logs, log: str, lines: int) -> LogPart:
    try:
        return logs.tail(log, lines)
    except LogNotFound:  # a task that has not run yet
        return LogPart(b"", 0, 0)


def _lines(text: str) -> Markup:
    shown, level = [], ""
    for line in text.removesuffix("\n").split("\n") if text else []:
        header = _HEADER.match(line)
        level = f"level-{header[1].lower()}" if header else level
        css = f"line {level}" if header else f"line {level} more"
        shown.append(Markup('<span class="{}">{}\n</span>').format(css, line))
    return Markup("").join(shown)
