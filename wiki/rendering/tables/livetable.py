"""A table of pages that readers sort, filter and page through; it needs no script for that.

Its state is in the page's address, under names that begin with the table's own, so that two
tables on a page do not mix. Only the rows that are shown are opened. Where there are scripts,
``static/livetable.js`` exchanges the table in place for what :data:`PART` answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlencode

from markupsafe import Markup

from wiki.errors import MacroError
from wiki.rendering.macros import MacroContext
from wiki.rendering.tables import filters
from wiki.rendering.tables.columns import Column, cells
from wiki.rendering.tables.spec import MAX_ROWS, SHOW, Spec, State, keys_of
from wiki.rights import Right
from wiki.store.base import Row
from wiki.translate import gettext

#: Where rows are exported, where something is done with them, and where the table alone is.
EXPORT, BULK, PART = "/tables/rows", "/tables/bulk", "/tables/part"
#: Where pages are made.
CREATE = "/create"
#: Before the names of a state in the address of an export.
STATE = "t."
#: What can be done with many rows at once.
ACTIONS = ("set", "tag", "delete", "ready")
SIZES = (10, 25, 50, 100, MAX_ROWS)
#: How many pages of the table are linked before and behind the one that is shown.
NEAR = 2
_HIDDEN = Markup('<input type="hidden" name="{}" value="{}">')
_OPTION = Markup('<option value="{}"{}>{}</option>')


class LiveTable:
    """One table of one view."""

    def __init__(self, context: MacroContext, spec: Spec, name: str = "",
                 actions: Sequence[str] = ()) -> None:
        self.context, self.spec, self.actions = context, spec, actions
        wanted = name.strip() or spec.class_name.rpartition(".")[2] or "pages"
        self.id = context.anchor("livetable-" + "-".join(wanted.replace(".", " ").split()))
        self.prefix = self.id.removeprefix("livetable-") + "."
        self.state = State.read(spec, context.args, self.prefix)
        self.problems: list[str] = []
        self.query = self.state.query(self.problems)
        self.total = context.wiki.count(self.query)
        self.pages = max(1, -(-self.total // self.state.size))
        self.page = min(self.state.page, self.pages)
        self.acts = bool(actions) and context.wiki.may(Right.EDIT)

    # -- addresses -------------------------------------------------------------------------

    def _others(self) -> dict[str, str]:
        """What the address says to others than this table."""
        return {key: value for key, value in self.context.args.items()
                if not key.startswith(self.prefix)}

    def _url(self, state: State) -> str:
        args = urlencode({**self._others(), **state.args(self.prefix)})
        return f"{self.context.path}{'?' if args else ''}{args}#{self.id}"

    def _export(self, kind: str) -> str:
        args = {**self.spec.params(), **self.state.changed().args(STATE)}
        return f"{EXPORT}.{kind}?{urlencode(args)}"

    def _part(self) -> str:
        """Where the table is to be had alone, but for the address that it is at."""
        args = {**self.spec.params(), "id": self.prefix.removesuffix("."),
                "actions": ",".join(self.actions)}
        return f"{PART}?{urlencode({key: value for key, value in args.items() if value})}"

    def _kept(self, *without: str) -> Markup:
        """What a form sends along, but for names that its own fields have."""
        args = {**self._others(), **self.state.changed().args(self.prefix)}
        return _hidden({key: value for key, value in args.items()
                        if key.removeprefix(self.prefix) not in without})

    # -- the table -------------------------------------------------------------------------

    def render(self) -> Markup:
        """The table with its filters, its rows and the way to the next ones."""
        problems = Markup("").join(Markup('<p class="box warning">{}</p>').format(problem)
                                   for problem in self.problems)
        own = [key for column in self.state.columns for key in keys_of(column)]
        return Markup(
            '<section class="livetable" id="{0}" data-livetable="{1}" '
            'aria-label="{2}">'
            '<div class="table-bar">{3}{4}</div>{5}'
            '<form class="table-filters" method="get" action="{6}#{0}">{7}'
            '<div class="table-scroll" tabindex="0" role="group" aria-label="{2}"><table>'
            '<thead><tr>{8}</tr><tr class="filter-row">{9}</tr></thead>'
            "<tbody>{10}</tbody></table></div>{11}</form>{12}</section>").format(
                self.id, self._part(), self._label(), self._count(), self._tools(), problems,
                self.context.path, self._kept("rows", *own), self._heads(), self._filters(),
                self._body(), self._footer(), self._bulk())

    def _label(self) -> str:
        said = (gettext("Pages with %(name)s", name=self.spec.class_name) if self.spec.class_name
                else gettext("Pages"))
        return f"{said} ({self.prefix.removesuffix('.')})"  # two tables are told apart

    def _count(self) -> Markup:
        first = (self.page - 1) * self.state.size + 1 if self.total else 0
        last = min(self.page * self.state.size, self.total)
        return Markup('<p class="count" role="status" aria-live="polite">{}</p>').format(gettext(
            "%(first)s to %(last)s of %(total)s", first=f"{first:,}", last=f"{last:,}",
            total=f"{self.total:,}"))

    def _heads(self) -> Markup:
        heads = [self._head(column) for column in self.state.columns]
        if self.acts:
            heads.insert(0, Markup(
                '<th class="choose" scope="col"><input type="checkbox" data-choose-all hidden '
                'form="{}-bulk" aria-label="{choose_all}"></th>').format(self.id,
                    choose_all=gettext("Choose all rows shown")))
        return Markup("").join(heads)

    def _head(self, column: Column) -> Markup:
        if not column.sortable:
            return Markup('<th scope="col">{}</th>').format(column.label)
        sorts = {column.field: "ascending", f"-{column.field}": "descending"}
        sort = f"-{column.field}" if self.state.sort == column.field else column.field
        return Markup('<th scope="col" aria-sort="{}"{}><a href="{}" data-table-link>{}</a></th>'
                      ).format(sorts.get(self.state.sort, "none"),
                               Markup(' class="right"') if column.kind == "number" else "",
                               self._url(self.state.changed(sort=sort)), column.label)

    def _filters(self) -> Markup:
        fields = [Markup("<td></td>")] if self.acts else []
        fields += [Markup("<td>{}</td>").format(
            filters.draw(column, self.state, self._counts(column), self.prefix))
            for column in self.state.columns]
        return Markup("").join(fields)

    def _counts(self, column: Column) -> Mapping[str, int]:
        """Of the rows that all other filters leave, how many have each value."""
        if column.kind not in ("list", "boolean"):
            return {}
        return self.context.wiki.counts(self.state.query([], column), column.field)

    def _body(self) -> Markup:
        query = replace(self.query, limit=self.state.size,
                        offset=(self.page - 1) * self.state.size)
        rows = (cells(self.context, row, self.state.columns, self.spec.class_name,
                      self._chooser(row)) for row in self.context.wiki.rows(query))
        body = Markup("").join(row for row in rows if row is not None)
        return body or Markup('<tr class="empty"><td colspan="{}">{}</td></tr>').format(
            len(self.state.columns) + self.acts, self._empty())

    def _empty(self) -> Markup | str:
        """Why there are no rows, and what to do about it."""
        if self.state.filters:
            return gettext("Nothing fits these filters.")
        said = gettext("Nothing here yet.")
        if not self.spec.class_name or not self.context.wiki.may(Right.EDIT):
            return said
        return Markup('{} <a href="{}?{}">{}</a>').format(
            said, CREATE, urlencode({"class": self.spec.class_name, "choose": 1}),
            gettext("Make the first one"))

    def _chooser(self, row: Row) -> Markup:
        if not self.acts:
            return Markup("")
        return Markup('<td class="choose"><input type="checkbox" name="row" value="{}" '
                      'form="{}-bulk" aria-label="{}"></td>').format(
            row.reference, self.id,
            gettext("Choose %(title)s", title=row.title or str(row.reference)))

    # -- above and below it ----------------------------------------------------------------

    def _tools(self) -> Markup:
        """Clear, columns, export."""
        clear = Markup('<a class="button" href="{}" data-table-link>{clear_filters}</a>').format(
            self._url(self.state.changed(filters={})),
            clear_filters=gettext("Clear filters")) if self.state.filters else Markup("")
        ticks = Markup("").join(
            Markup('<label><input type="checkbox" name="{}" value="1"{}> {}</label>').format(
                f"{self.prefix}{SHOW}{column.field}",
                Markup(" checked") if column in self.state.columns else "", column.label)
            for column in self.spec.offered)
        return Markup(
            '<div class="table-tools">{0}<details class="menu"><summary class="button">{columns}'
            '</summary><form class="popup table-columns" method="get" action="{1}#{2}">{3}'
            '<div class="table-ticks" role="group" aria-label="{columns}">{4}</div>'
            '<button>{show}</button></form></details>'
            '<details class="menu"><summary class="button">{export}</summary><div class="popup">'
            '<a href="{5}" download>CSV</a><a href="{6}" download>JSON</a></div></details></div>'
        ).format(clear, self.context.path, self.id, self._kept("columns"), ticks,
                 self._export("csv"), self._export("json"), columns=gettext("Columns"),
                show=gettext("Show"), export=gettext("Export"))

    def _footer(self) -> Markup:
        """The pages of the table, how many rows one has, and a button for who has no script."""
        options = Markup("").join(
            _OPTION.format(size, Markup(" selected") if size == self.state.size else "", size)
            for size in sorted({*SIZES, self.spec.size, self.state.size}))
        rows = Markup('<label class="table-rows">{rows} <select name="{}rows" '
                      'data-default="{}">{}</select></label>'
                      ).format(self.prefix, self.spec.size, options, rows=gettext("Rows"))
        return Markup('<div class="table-foot">{}{}<button class="table-send">{filter}</button>'
                      "</div>").format(self._pager(), rows, filter=gettext("Filter"))

    def _pager(self) -> Markup:
        if self.pages == 1:
            return Markup("")
        near = range(self.page - NEAR, self.page + NEAR + 1)
        shown = sorted({1, self.pages, *(page for page in near if 1 <= page <= self.pages)})
        parts = [self._step(gettext("Previous"), "prev", self.page - 1)]
        for before, page in zip([0, *shown], shown, strict=False):
            if page > before + 1:
                parts.append(Markup('<span class="gap" aria-hidden="true">…</span>'))
            parts.append(self._to(page))
        parts.append(self._step(gettext("Next"), "next", self.page + 1))
        return Markup('<nav class="pager" aria-label="{pages_of}">{}</nav>').format(
            Markup("").join(parts), pages_of=gettext("Pages of the table"))

    def _step(self, label: str, rel: str, page: int) -> Markup:
        if not 1 <= page <= self.pages:
            return Markup('<span class="off" aria-hidden="true">{}</span>').format(label)
        return Markup('<a rel="{}" href="{}" data-table-link>{}</a>').format(
            rel, self._url(self.state.changed(page=page)), label)

    def _to(self, page: int) -> Markup:
        here = Markup(' aria-current="page"') if page == self.page else Markup("")
        return Markup('<a href="{}" data-table-link aria-label="{}"{}>{:,}</a>').format(
            self._url(self.state.changed(page=page)), gettext("Page %(number)s", number=page),
            here, page)

    def _bulk(self) -> Markup:
        """What can be done with the rows that are ticked, or with all that fit."""
        if not self.acts:
            return Markup("")
        args = {**self.spec.params(), **self.state.changed().args(STATE),
                "back": self._url(self.state), "form_token": self.context.form_token}
        groups = Markup("").join(
            Markup('<optgroup label="{}">{}</optgroup>').format(label, Markup("").join(
                _OPTION.format(value, "", text) for value, text in choices))
            for label, choices in self._choices())
        return Markup(
            '<form class="table-bulk" id="{0}-bulk" method="post" action="{1}">{2}'
            '<label>{with_} <select name="scope"><option value="">{the_rows}</option>'
            '<option value="all">{all_rows}</option></select></label> '
            '<select name="action" aria-label="{what_to}" required>'
            '<option value="">{do}</option>{3}</select> '
            "<button>{continue_}</button></form>").format(
                self.id, BULK, _hidden(args), groups,
                all_rows=gettext("all %(num)s rows that fit", num=f"{self.total:,}"),
                what_to=gettext("What to do"),
                with_=gettext("With"), the_rows=gettext("the rows ticked"), do=gettext("do…"),
                continue_=gettext("Continue…"))

    def _choices(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """Group -> the actions in it, with what they are called."""
        groups = []
        if "ready" in self.actions:
            groups.append((gettext("Task"), [("ready", gettext("Set READY"))]))
        if "set" in self.actions:
            groups.append((gettext("Property"), [
                (f"set:{column.field}", gettext("Set %(label)s…", label=column.label))
                for column in self.spec.offered if column.prop is not None]))
        if "tag" in self.actions:
            groups.append((gettext("Tags"), [("tag", gettext("Add a tag…")),
                                           ("untag", gettext("Remove a tag…"))]))
        if "delete" in self.actions:
            groups.append((gettext("Page"), [("delete", gettext("Delete…"))]))
        return [(label, choices) for label, choices in groups if choices]


def actions_of(text: str) -> tuple[str, ...]:
    """The actions that a macro's parameter names; raises MacroError."""
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    for name in names:
        if name not in ACTIONS:
            raise MacroError(gettext(
                "actions: %(name)s is none; there are %(names)s", name=repr(name),
                names=", ".join(ACTIONS)))
    return names


def _hidden(values: Mapping[str, str]) -> Markup:
    return Markup("").join(_HIDDEN.format(key, value) for key, value in values.items())
