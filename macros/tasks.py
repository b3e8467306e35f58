"""``<<tasks/>>``: the board of all tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import urlencode

from markupsafe import Markup

from wiki.model import Document
from wiki.rendering.macros import MacroContext, macro
from wiki.tasks.board import Board, View, waiting_reason
from wiki.tasks.manager import Manager
from wiki.tasks.names import TASK_CLASS, Status
from wiki.tasks.records import RunRecord, runs_of
from wiki.tasks.show import badge, bar, progress_text, run_summary, status_word
from wiki.translate import gettext

#: How often it is looked at while no task waits or runs, in seconds.
QUIET = 15
#: The reader's choices stand in the page's address under these names.
STATUS, TEXT, PAGE = "tasks.status", "tasks.find", "tasks.page"
BOARD = Markup(
    '<section class="board" aria-label="{tasks}">\n'
    '<div class="board-head">{tabs}{find}</div>\n'
    '<form class="board-rows" method="post" action="/tasks/bulk">{token}\n'
    '<div class="scroll"><table><thead><tr>{heads}</tr></thead>\n<tbody>{rows}</tbody></table>'
    '</div>\n<div class="board-foot">{bulk}{pager}</div></form></section>')
FIND = Markup(
    '<form class="board-find" method="get" action="{path}" role="search">{kept}'
    '<input type="search" name="{name}" value="{text}" placeholder="{find_tasks}" '
    'aria-label="{find_tasks2}"><button>{find}</button></form>')
ROW = Markup(
    '<tr data-key="{name}" data-status="{status}">{choose}'
    '<td class="board-task"><a href="{url}">{title}</a> <span class="ref">{name}</span></td>'
    '<td class="board-status">{badge}</td><td class="board-now">{now}</td>'
    '<td class="board-last">{last}</td><td class="board-executor">{executor}</td></tr>\n')
CHOOSE = Markup('<td class="board-choose"><input type="checkbox" name="task" value="{}" '
                'aria-label="{}"></td>')
BULK = Markup(
    '<div class="board-bulk" role="group" aria-label="{the_chosen}"><span>{chosen}</span> '
    '<button name="action" value="ready">{set_ready}</button> '
    '<button name="action" value="suspend">{suspend}</button> '
    '<details class="confirm"><summary class="button danger">{cancel}</summary>'
    '<div class="popup"><p>{the_runs}</p>'
    '<button class="danger" name="action" value="cancel">{cancel_their}</button></div>'
    '</details></div>')


@macro("tasks", live=2)
def tasks(context: MacroContext, space: str = "",
          status: Literal["", "RUNNING", "READY", "DONE", "ERROR", "SUSPENDED"] = "",
          limit: int = 25) -> Markup:
    """Show the board of all tasks: those that run first, then those that wait, in the order in
    which they will start, then the others, the newest first. It keeps itself up to date.

    `space` keeps to one space; `status` is the one that it begins with (default: all); `limit`
    is how many tasks one page of it shows.

    Examples:
        <<tasks space="Tasks" limit="3"/>>
    """
    return _Table(context, space, status, limit).render()


class _Table:
    """One board of one view."""

    def __init__(self, context: MacroContext, space: str, status: str, limit: int) -> None:
        self.context = context
        self.manager = context.service(Manager)
        args = context.args
        chosen = args.get(STATUS, status).upper()
        page = args.get(PAGE, "")
        view = View(space.strip(), chosen if chosen in list(Status) else "",
                    args.get(TEXT, "").strip(), int(page[:9]) if page.isdecimal() else 1, limit)
        self.board = Board(context.wiki, self.manager, view)
        self.editor = context.wiki.may("edit")
        self.now = datetime.now(UTC)
        #: What runs, asked once for all rows; None until a row needs it.
        self.running: list[str] | None = None

    def render(self) -> Markup:
        counts, view = self.board.counts, self.board.view
        if not counts[Status.RUNNING] + counts[Status.READY]:
            self.context.pace(QUIET)
        rows = Markup("").join(self._row(document) for document in self.board.documents())
        return BOARD.format(
            tabs=self._tabs(), find=FIND.format(
                path=self.context.path, name=TEXT, text=view.text,
                kept=_hidden(self._args(**{TEXT: "", PAGE: ""})),
                    find_tasks=gettext("Find tasks"),
                    find_tasks2=gettext("Find tasks by title or name"), find=gettext("Find")),
            token=_hidden({"form_token": self.context.form_token, "next": self._url()}),
            heads=self._heads(), rows=rows or self._empty(),
            bulk=_bulk() if self.editor and rows else "", pager=self._pager(),
            tasks=gettext("Tasks"))

    # -- addresses -------------------------------------------------------------------------

    def _args(self, **changes: str) -> dict[str, str]:
        """The page's arguments, changed; what is empty is left out, but for the status, which
        the macro may begin with another of."""
        args = {**self.context.args, **changes}
        return {key: value for key, value in args.items() if value or key == STATUS}

    def _url(self, **changes: str) -> str:
        args = self._args(**changes)
        return self.context.path + ("?" + urlencode(args) if args else "")

    # -- head ------------------------------------------------------------------------------

    def _tabs(self) -> Markup:
        counts = self.board.counts
        tabs = [("", gettext("All"), sum(counts.values())),
                *((status.value, status_word(status), counts[status]) for status in (
                    Status.RUNNING, Status.READY, Status.ERROR, Status.DONE, Status.SUSPENDED))]
        return Markup('<nav class="board-tabs" aria-label="{by_status}">{}</nav>').format(
            Markup("").join(self._tab(*tab) for tab in tabs), by_status=gettext("By status"))

    def _tab(self, status: str, label: str, count: int) -> Markup:
        here = Markup(' aria-current="true"') if status == self.board.view.status else ""
        return Markup('<a class="tab-{}" href="{}"{}>{} <span class="tab-count">{:,}</span></a>'
                      ).format(status.lower() or "all", self._url(**{STATUS: status, PAGE: ""}),
                               here, label, count)

    def _heads(self) -> Markup:
        choose = Markup('<th><input type="checkbox" class="board-all" hidden '
                        'aria-label="{}"></th>').format(
                            gettext("Choose all on this page of the board"))
        return (choose if self.editor else Markup("")) + Markup("").join(
            Markup('<th scope="col">{}</th>').format(label)
            for label in (gettext("Task"), gettext("Status"), gettext("Now"), gettext("Last run"),
                          gettext("Executor")))

    # -- rows ------------------------------------------------------------------------------

    def _row(self, document: Document) -> Markup:
        found = document.object(TASK_CLASS)
        values: Mapping[str, object] = found.values if found else {}
        status, name = str(values.get("status") or ""), str(document.reference)
        executor = str(values.get("taskExecutor") or "")
        runs = runs_of(document)
        choose = CHOOSE.format(
            name, gettext("Choose %(title)s", title=document.display_title)) if self.editor else ""
        return ROW.format(
            name=name, status=status, choose=choose, url=self.context.url(document.reference),
            title=document.display_title, badge=badge(status),
            now=self._now(document, status, runs),
            last=self._last([run for run in runs if run.outcome]),
            executor=self.context.link(executor, executor.rpartition(".")[2]) if executor else "")

    def _now(self, document: Document, status: str, runs: list[RunRecord]) -> Markup | str:
        """What the task is at: its progress, why it waits, or what went wrong."""
        if status == Status.RUNNING:
            progress = self.manager.progress(document.reference)
            return Markup('{} <span class="progress-text">{}</span>').format(
                bar(progress, document.display_title),
                progress_text(progress) if progress else "")
        if status == Status.READY:
            if self.running is None:
                self.running = self.manager.running()
            return waiting_reason(self.manager, document.reference, self.running)
        if status == Status.ERROR and runs:
            return Markup('<span class="board-error">{}</span>').format(_short(runs[0].error))
        return ""

    def _last(self, ended: list[RunRecord]) -> Markup:
        if not ended:
            return Markup('<span class="faint">{}</span>').format(
                gettext("none yet"))
        return Markup('<span class="outcome {}">{}</span> {}').format(
            ended[0].outcome.lower(), status_word(ended[0].outcome),
            run_summary(ended[0], self.now))

    def _empty(self) -> Markup:
        view = self.board.view
        text = (gettext("No task fits.") if view.text or view.status
                else gettext("There are no tasks yet."))
        return Markup('<tr class="empty"><td colspan="{}">{}</td></tr>').format(
            6 if self.editor else 5, text)

    def _pager(self) -> Markup:
        return Markup('<nav class="pager" aria-label="{pages_of}">{}</nav>').format(
            Markup(" ").join(self._pages()), pages_of=gettext("Pages of tasks"))

    def _pages(self) -> Iterator[Markup]:
        board = self.board
        if board.view.page > 1:
            yield Markup('<a rel="prev" href="{}">{previous}</a>').format(
                self._url(**{PAGE: str(board.view.page - 1)}), previous=gettext("Previous"))
        yield Markup('<span class="count">{}</span>').format(gettext(
            "%(first)s to %(last)s of %(total)s", first=f"{board.first:,}",
            last=f"{board.last:,}", total=f"{board.total:,}"))
        if board.view.page < board.pages:
            yield Markup('<a rel="next" href="{}">{next}</a>').format(
                self._url(**{PAGE: str(board.view.page + 1)}), next=gettext("Next"))


def _bulk() -> Markup:
    """What can be done with the tasks that are ticked."""
    return BULK.format(
        the_chosen=gettext("The chosen tasks"), chosen=gettext("Chosen:"),
        set_ready=gettext("Set READY"), suspend=gettext("Suspend"), cancel=gettext("Cancel…"),
        the_runs=gettext("The runs of the chosen tasks are asked to end."),
        cancel_their=gettext("Cancel their runs"))


def _hidden(values: Mapping[str, str]) -> Markup:
    return Markup("").join(Markup('<input type="hidden" name="{}" value="{}">').format(key, value)
                           for key, value in values.items())


def _short(text: str, length: int = 160) -> str:
    line = text.strip().rpartition("\n")[2]
    return line if len(line) <= length else line[:length - 1] + "…"
