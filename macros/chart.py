"""``<<chart/>>``: numbers as bars, lines or a pie."""

from __future__ import annotations

from typing import Literal

from markupsafe import Markup

from wiki.errors import MacroError
from wiki.rendering.attached import attachment as attached
from wiki.rendering.attached import read_head
from wiki.rendering.charts import plots
from wiki.rendering.charts.data import (
    Asked,
    Found,
    by_value,
    from_pages,
    from_text,
    picked,
    placed,
)
from wiki.rendering.charts.plots import Data, number
from wiki.rendering.macros import MacroContext, PageName, macro
from wiki.rendering.tables import conditions
from wiki.translate import gettext

#: The largest attachment that is read, in bytes.
MOST_BYTES = 5_000_000
#: How many labels a chart shows, and how many rows the table below it has.
MOST_LABELS, MOST_ROWS = 1000, 200
_FIGURE = Markup(
    '<figure class="chart-box">{title}{chart}\n{legend}<figcaption>{notes}'
    '<details class="chart-data"><summary>{the_numbers}</summary><div class="scroll">{table}</div>'
    '</details></figcaption></figure>\n')


@macro("chart", body="raw")
def chart(context: MacroContext, body: str = "", type: Literal["bar", "line", "pie"] = "bar",
          title: str = "", class_: PageName = "", x: str = "", y: str = "", by: str = "",
          aggregate: Literal["count", "sum", "avg"] = "count", where: str = "", space: str = "",
          attachment: str = "", page: PageName = "", sort: Literal["x", "value"] = "x",
          limit: int = 50) -> Markup:
    """Draw numbers as a chart: bars, lines or a pie. They come from a table in the body (CSV or a
    Markdown table), from an attached CSV file, or from the pages with objects of a class.

    `type` is how they are drawn; `title` stands above. `attachment` is the file's name; `page` is
    the page that it is on (default: this one). `x` is the column or property of the
    labels; `y` are the columns of the numbers, or the property.

    `class` is the class of the pages that are drawn; `aggregate` is what each value of `x` gets:
    the `count` of pages, or the `sum` or `avg` of `y`; `by` is a property of which each value is a
    series of its own; `where` and `space` choose the pages, as in `query`. `sort` puts the highest
    `value` first; `limit` is how many labels are shown.

    Examples:
        <<chart type="line" title="Two series">>
        year, planned, done
        2021, 4, 3
        2022, 6, 7
        2023, 9, -2
        2026, 12, 14
        <</chart>>
        ---
        <<chart type="pie" title="Tasks by status" class="TaskExecutorCode.TaskClass"
          x="status"/>>
        ---
        <<chart title="The most people" attachment="countries.csv" page="Tasks.ImportCountries"
          x="name" y="population" sort="value" limit="8"/>>
    """
    if sum(map(bool, (body.strip(), class_.strip(), attachment.strip()))) != 1:
        raise MacroError(gettext(
            'it takes its numbers from one place: a table in the body, attachment="..." or '
            'class="..."'))
    if class_.strip():
        query, definition = conditions.asked(context, class_, where, space)
        if not x.strip() or definition is None:
            raise MacroError(gettext(
                "x is missing: which property of %(name)s are the labels?", name=class_))
        found = from_pages(context, Asked(query, definition, x.strip(), y.strip(), by.strip(),
                                          aggregate))
    else:
        text = body
        if attachment.strip():
            text = read_head(attached(context, attachment.strip(), page), MOST_BYTES).text
        found = from_text(text, x, y)
    return _figure(_limited(found, type, sort, max(1, min(limit, MOST_LABELS))), type, title)


def _limited(found: Found, kind: str, sort: str, limit: int) -> Found:
    """The labels that are shown, in their order."""
    data = found.data
    if sort == "value":
        data = by_value(data)
    elif kind == "line":
        data = placed(data)
    if len(data.labels) > limit and kind != "pie":
        found.notes.append(gettext("%(num)s more are not shown.",
                                   num=f"{len(data.labels) - limit:,}"))
        data = picked(data, range(limit))
    found.data = data
    return found


def _figure(found: Found, kind: str, title: str) -> Markup:
    numbers = found.data.numbers()
    if not numbers:
        return Markup('<p class="empty">{}</p>').format(
            gettext("There are no numbers to draw: %(title)s.", title=title) if title
            else gettext("There are no numbers to draw."))
    data = plots.slices(found.data) if kind == "pie" else found.data
    heading = Markup('<p class="chart-title" aria-hidden="true">{}</p>').format(
        title) if title else Markup("")
    return _FIGURE.format(
        title=heading, legend=_legend(data, kind), table=_table(data),
        chart=_draw(data, kind, title or gettext("A %(kind)s chart", kind=kind), numbers),
        notes=Markup("").join(Markup("<p>{}</p>").format(note) for note in found.notes),
            the_numbers=gettext("The numbers"))


def _draw(data: Data, kind: str, title: str, numbers: list[float]) -> Markup:
    desc = gettext("%(labels)s labels, %(series)s series, from %(least)s to %(most)s. The numbers "
                   "are in the table below.", labels=len(data.labels), series=len(data.series),
                   least=number(min(numbers)), most=number(max(numbers)))
    if kind == "line":
        return plots.lines(data, title, desc)
    if kind == "bar":
        return plots.bars(data, title, desc)
    if min(numbers) < 0 or not any(numbers):
        raise MacroError(gettext(
            "a pie shows parts of a whole: numbers of at least 0, and one above"))
    return plots.pie(data, title, desc)


def _legend(data: Data, kind: str) -> Markup:
    """What each colour means; nothing where there is only one."""
    if kind == "pie":
        values = [value or 0.0 for value in data.series[0].values]
        names = [f"{label}: {number(value)} ({value / sum(values):.0%})"
                 for label, value in zip(data.labels, values, strict=True)]
    elif len(data.series) > 1:
        names = [row.label for row in data.series]
    else:
        return Markup("")
    return Markup('<ul class="legend series-legend">{}</ul>').format(Markup("").join(
        Markup('<li class="{}">{}</li>').format(plots.colour(place), name)
        for place, name in enumerate(names)))


def _table(data: Data) -> Markup:
    heads = Markup("").join(Markup('<th scope="col">{}</th>').format(row.label)
                            for row in data.series)
    rows = Markup("").join(
        Markup('<tr><th scope="row">{}</th>{}</tr>\n').format(label, Markup("").join(
            Markup('<td class="number">{}</td>').format(number(row.values[place]))
            for row in data.series))
        for place, label in enumerate(data.labels[:MOST_ROWS]))
    return Markup('<table><thead><tr><th></th>{}</tr></thead>\n<tbody>{}</tbody></table>').format(
        heads, rows)
