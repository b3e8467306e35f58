"""``<<executorstate/>>``: whether an executor can run, who may run it, and the way to do it."""

from __future__ import annotations

from markupsafe import Markup

from wiki.api import OpenDocument
from wiki.errors import MacroError
from wiki.rendering.macros import MacroContext, PageName, macro
from wiki.tasks.executors import may_run, runners
from wiki.tasks.names import EXECUTOR_CLASS
from wiki.tasks.requirements import missing
from wiki.tasks.scriptcheck import fatal_problem
from wiki.translate import gettext, gettext_html

BROKEN = Markup('<div class="box warning" role="note"><p class="box-title"><strong>{}'
                '</strong></p>{}<p>{its_ready}</p></div>')
LINE = Markup("<pre><code>{}</code></pre>")


@macro("executorstate")
def executorstate(context: MacroContext, executor: PageName = "") -> Markup:
    """Show what keeps an executor from running, with the line of its script; the button that
    leads to its form, for those who may run it; and who they are, where it names them.

    `executor` is the executor's page (default: this page).

    Examples:
        <<executorstate executor="Executors.ImportCSV"/>>
    """
    target = context.reference(executor) if executor else context.document.reference
    page = context.wiki.get(target)
    if page.object(EXECUTOR_CLASS) is None:
        raise MacroError(gettext(
            "%(target)s is no executor; it has no object of %(executor_class)s", target=target,
            executor_class=EXECUTOR_CLASS))
    return Markup("\n").join((problem(page), button(context, page), named(context, page)))


def problem(page: OpenDocument) -> Markup:
    """What is wrong with the script, as far as that shows without running it."""
    obj = page.object(EXECUTOR_CLASS)
    script = str(obj.get("script", "")) if obj else ""
    if not script:
        return Markup("")  # the sheet says how to begin
    needs = str(obj.get("requirements", "")) if obj else ""
    fatal = fatal_problem(script, str(page.reference))
    wrong = str(fatal) if fatal else missing(needs)
    if not wrong:
        return Markup("")
    lines = script.splitlines()
    number = fatal.line if fatal else 0
    line = LINE.format(f"{number}: {lines[number - 1]}") if 0 < number <= len(lines) else ""
    return BROKEN.format(gettext("It cannot run: %(why)s", why=wrong), line,
            its_ready=gettext("Its READY tasks wait until this is mended."))


def button(context: MacroContext, page: OpenDocument) -> Markup:
    """The way to the form, for those who may run it."""
    if not (context.wiki.may("edit", page) and may_run(page, context.user)):
        return Markup("")
    return Markup('<p><a class="button primary" href="{}">{run}</a></p>').format(
        context.url(page.reference, "run"), run=gettext("Run…"))


def named(context: MacroContext, page: OpenDocument) -> Markup:
    """Who may run it, where the executor names them."""
    users = runners(page)
    if not users:
        return Markup("")
    return Markup("<p>{}</p>").format(gettext_html(
        "May be run by %(users)s, and by who may write scripts.",
        users=Markup(", ").join(context.link(user) for user in users)))
