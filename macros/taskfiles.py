"""``<<taskfiles/>>``: the files of a task, those that its runs made apart from the others."""

from __future__ import annotations

from datetime import UTC

from jinja2.filters import do_filesizeformat
from markupsafe import Markup

from wiki.language.links import attachment_url
from wiki.model import Attachment, Document
from wiki.rendering.macros import MacroContext, macro
from wiki.tasks.records import RunRecord, runs_of
from wiki.translate import gettext

#: How often it is looked at while none runs, in seconds.
QUIET = 15
ROW = Markup('<tr><td><a href="{}">{}</a></td><td class="right">{}</td><td><time datetime="{}">'
             "{:%Y-%m-%d %H:%M}</time></td><td>{}</td></tr>\n")
TABLE = Markup('<h3>{}</h3>\n<table class="files"><thead><tr><th scope="col">{file}</th>'
               '<th scope="col" class="right">{size}</th><th scope="col">{attached}</th>'
               '<th scope="col">{by}</th></tr></thead>\n<tbody>{}</tbody></table>\n')


@macro("taskfiles", live=3)
def taskfiles(context: MacroContext) -> Markup:
    """List the files on this task's page: first those that its runs attached, with the run,
    then those that were given to it.

    Examples:
        <<taskfiles/>>
    """
    document = context.document
    runs = runs_of(document)
    if all(run.outcome for run in runs):
        context.pace(QUIET)
    made = {item.filename: run for item in document.attachments
            if (run := _maker(item, runs)) is not None}
    parts = [_table(document, gettext("Results"), [
        (item, gettext("run %(number)s", number=made[item.filename].number))
                                          for item in document.attachments
                                          if item.filename in made]),
             _table(document, gettext("Input"), [(item, item.author.removeprefix("Users."))
                                        for item in document.attachments
                                        if item.filename not in made])]
    return Markup("").join(parts)


def _maker(item: Attachment, runs: list[RunRecord]) -> RunRecord | None:
    """The run that went on when the file was attached."""
    return next((run for run in runs if run.started and run.started <= item.created
                 and (item.created <= run.finished if run.finished else not run.outcome)), None)


def _table(document: Document, title: str, items: list[tuple[Attachment, str]]) -> Markup:
    if not items:
        return Markup("")
    return TABLE.format(title, Markup("").join(
        ROW.format(attachment_url(document.reference, item.filename), item.filename,
                   do_filesizeformat(item.size), item.created.isoformat(),
                   item.created.astimezone(UTC), by) for item, by in items), file=gettext("File"),
            size=gettext("Size"), attached=gettext("Attached"), by=gettext("By"))
