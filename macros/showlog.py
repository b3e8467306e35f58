"""``<<showlog/>>``: a log's last lines, followed live; other parts of it by links and a form."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from markupsafe import Markup

from wiki.errors import LogNotFound, MacroError
from wiki.rendering.macros import MacroContext, macro
from wiki.tasks import loghtml
from wiki.tasks.log import Logs
from wiki.tasks.loghtml import LEVELS, api_url, viewer_url
from wiki.tasks.logview import Screen, choose, hidden_levels, hidden_lines
from wiki.translate import gettext

#: The page that puts a log away.
ARCHIVE = "/TaskExecutorCode.ArchiveLog"
MAX_LINES = 5000
#: How many of a log's last runs there are to choose from.
MAX_RUNS = 100

SECTION = Markup("""\
<section class="log" data-log="{log}" data-offset="{end}" data-size="{size}" data-q="{q}" \
data-follow="{follow}" data-hide="{hide}">
<header class="log-head"><span class="log-name">{log}</span> <span class="log-size">{bytes}</span> \
<a href="{download}" download>{download2}</a> <a href="{archive}">{archive2}</a>{runs}\
<span class="log-state" aria-live="polite"></span></header>
{form}{note}{older}{empty}<pre tabindex="0" role="log" aria-label="{log}">{lines}</pre>{newer}
</section>""")
FORM = Markup("""\
<form class="log-bar log-filter" action="{action}" method="get">
<input type="hidden" name="log" value="{log}"><input type="hidden" name="filter" value="1">{at}
<input type="search" name="q" value="{q}" placeholder="{search_this}" \
aria-label="{search_this}">
<button name="find" value="previous">{previous}</button>
<button name="find" value="next">{next}</button>
<button name="find" value="previous-error">{previous_error}</button>
<button name="find" value="next-error">{next_error}</button>
<fieldset class="log-levels"><legend class="visually-hidden">{shown_levels}</legend>{levels}
<button>{filter}</button></fieldset>
<span class="log-hidden" aria-live="polite">{hidden}</span></form>
""")
LEVEL = Markup(' <label class="level-{0}"><input type="checkbox" name="{0}" value="1"{1}>'
               '{2}</label>')
RUNS = Markup("""\
<form class="log-runs" action="{action}" method="get"><input type="hidden" name="log" value="{log}">
<select name="run" aria-label="{run}">{options}</select><button>{go}</button></form>""")
OPTION = Markup('<option value="{0}"{1}>{2}</option>')
LINK = Markup('<a href="{}">{}</a>')


@macro("showlog")
def showlog(context: MacroContext, log: str = "", lines: int = 200,
            follow: bool = True) -> Markup:
    """Show the last lines of a log, and follow it while it grows.

    `log` is its name, `Tasks.SimpleTask.log` for the log of that task; without it, the one in
    the address (`?log=`). `lines` how many are shown; `follow="false"` shows it as it is now.

    An address may ask for another part of the log: `at` an offset in bytes, `before` or `after`
    one, `run` by its number, or the `find=next` or `find=previous` line with the text `q`;
    `next-error` and `previous-error` find errors.

    Examples:
        <<showlog log="Tasks.ImportCountries.log" lines="5" follow="false"/>>
    """
    asked = context.args.get("log", "")
    name = log or asked
    if not name:
        return Markup("")
    logs = context.service(Logs)
    if not logs.known(context.wiki, name):
        raise MacroError(gettext(
            "No such log: %(name)s. A task's log is named as its page, with .log after it",
            name=repr(name[:200])))
    args = context.args if name == asked else {}
    try:
        screen = choose(logs, name, args, max(1, min(lines, MAX_LINES)))
    except LogNotFound as error:  # a compressed one
        return Markup('<p>{} <a href="{}" download>{download}</a></p>').format(
            error, api_url(name, "/download"), download=gettext("Download"))
    return section(logs, name, screen, args, follow)


def section(logs: Logs, log: str, screen: Screen, args: Mapping[str, str],
            follow: bool) -> Markup:
    """A log's part with what one can do about it."""
    part, hide = screen.part, hidden_levels(args)
    older = part.offset > 0
    newer = part.end < part.size
    return SECTION.format(
        log=log, end=part.end, size=part.size, q=screen.q,
        follow=str(follow and screen.live).lower(), hide=" ".join(hide),
        bytes=gettext("%(num)s bytes", num=f"{part.size:,}"),
        download=api_url(log, "/download"),
        archive=f"{ARCHIVE}?{urlencode({'log': log})}",
        runs=runs_form(logs, log, args.get("run", "")), form=filter_form(log, screen, hide),
        note=note(log, screen),
        older=links(log, screen, (gettext("Oldest"), "after", 0),
                    (gettext("Older"), "before", part.offset))
        if older else "",
        newer=links(log, screen, (gettext("Newer"), "after", part.end), (gettext("Newest"), "", 0))
        if newer else "",
        empty="" if part.data else Markup('<p class="empty">{}</p>').format(
            gettext("Nothing was logged yet.")),
        lines=loghtml.render(log, part.data, part.offset, screen.q, screen.at),
            download2=gettext("Download"), archive2=gettext("Archive"))


def filter_form(log: str, screen: Screen, hide: list[str]) -> Markup:
    """Search, and which levels are shown."""
    at = (Markup('<input type="hidden" name="at" value="{}">').format(screen.at)
          if screen.at is not None else "")
    boxes = Markup("").join(
        LEVEL.format(name.lower(), "" if name.lower() in hide else Markup(" checked"), name)
        for name in (*LEVELS, "fields"))
    count = hidden_lines(screen.part, hide)
    return FORM.format(action=loghtml.VIEWER, log=log, at=at, q=screen.q, levels=boxes,
                       hidden=gettext("%(num)s lines hidden", num=f"{count:,}") if count else "",
            search_this=gettext("Search this log"), previous=gettext("Previous"),
            next=gettext("Next"), previous_error=gettext("Previous error"),
            next_error=gettext("Next error"), shown_levels=gettext("Shown levels"),
            filter=gettext("Filter"))


def runs_form(logs: Logs, log: str, chosen: str) -> Markup:
    """A choice of the runs in this log, the last one first."""
    runs = logs.runs(log)[-MAX_RUNS:] if logs.exists(log) else []
    options = Markup("").join(OPTION.format(
        run.number, Markup(" selected") if str(run.number) == chosen else "",
        gettext("Run %(number)s", number=run.number))
        for run in reversed(runs))
    return RUNS.format(action=loghtml.VIEWER, log=log, options=options, run=gettext("Run"),
            go=gettext("Go")) if runs else Markup("")


def note(log: str, screen: Screen) -> Markup:
    """What came of a search or a choice, where that is not the part itself."""
    if not screen.note:
        return Markup("")
    more = Markup("")
    if screen.go_on is not None:
        kind = "-error" if screen.errors else ""
        ways = ((gettext("Search on forwards"), "next"),
                (gettext("Search on backwards"), "previous"))
        more = Markup(" ").join(LINK.format(viewer_url(
            log, q=screen.q, find=way + kind, **{"from": screen.go_on}), label)
            for label, way in ways)
    return Markup('<p class="log-note">{}. {}</p>').format(screen.note, more)


def links(log: str, screen: Screen, *targets: tuple[str, str, int]) -> Markup:
    """Links to other parts: label, argument, offset."""
    kept = {"q": screen.q} if screen.q else {}
    made = Markup(" ").join(
        LINK.format(viewer_url(log, **kept, **({name: place} if name else {})), label)
        for label, name, place in targets)
    return Markup('<nav class="log-bar log-pages" aria-label="{parts_of}">{}</nav>'
                  ).format(made, parts_of=gettext("Parts of the log"))
