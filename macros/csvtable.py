"""``<<csv>>``: a table from a CSV file, or from CSV in the page."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from markupsafe import Markup

from wiki.errors import BadValue
from wiki.language.links import attachment_url
from wiki.rendering.attached import attachment as attached
from wiki.rendering.attached import read_head, shown_page
from wiki.rendering.macros import MacroContext, PageName, macro
from wiki.rendering.tables.csvtext import rows
from wiki.translate import gettext

#: How much of a file is read, bytes; past that, the number of rows is an estimate.
MAX_READ = 1_000_000
MOST_ROWS, MOST_COLUMNS = 1_000, 60
_NUMBER = re.compile(r"[-+−]?[\d.,'\u00a0\u202f ]*\d[\d.,]*(?:[eE][-+]?\d+)?\s?[%€$£]?")
_LONGEST_NUMBER = 40

Rows = list[list[str]]


@dataclass(frozen=True, slots=True)
class Table:
    """The rows to show, and how many more there are; ``about`` where that is an estimate."""

    rows: Rows
    more: int
    about: bool


@macro("csv", body="raw")
def csv(context: MacroContext, body: str = "", attachment: str = "", page: PageName = "",
        columns: str = "", limit: int = 100, header: bool = True, delimiter: str = "",
        encoding: str = "", caption: str = "") -> Markup:
    r"""Show CSV as a table: that in the body, or in an attached file.

    `attachment` is the file's name; `page` is the page that it is on (default: this one);
    `columns` are those to show, in order, by name or number, as
    in `name, code`; `limit` is how many rows are shown (at most 1000); `header="false"` tells
    that the first row is no header; `delimiter` is what stands between the cells (`\t` is a tab);
    `encoding` is the file's, such as `cp1252`; both are found out where they are not given.
    `caption` stands above.

    Examples:
        <<csv>>
        planet,moons
        Mars,2
        Saturn,274
        <</csv>>
        ---
        <<csv attachment="countries.csv" page="Tasks.ImportCountries" limit="3"/>>
    """
    limit = max(1, min(limit, MOST_ROWS)) + header
    if attachment:
        table = _of_file(context, attachment, page, limit, delimiter, encoding)
    else:
        table = _of_rows(rows(body.strip("\r\n"), delimiter), limit, None)
    if not table.rows:
        return Markup('<p class="empty">{}</p>').format(
            gettext("There are no rows."))
    heads, cells, left_out = _chosen(table.rows, header, columns)
    html = _table(heads, cells, caption)
    notes = [_more_rows(table, len(cells)),
             gettext("%(num)s more columns are not shown.",
                     num=f"{left_out:,}") if left_out else ""]
    note = " ".join(part for part in notes if part)
    if not note:
        return html
    url = (attachment_url(shown_page(context, page).record.reference, attachment)
           if attachment else "")
    link = Markup(' <a href="{}">{the_whole}</a>').format(url,
            the_whole=gettext("The whole file")) if url else ""
    return html + Markup('<p class="note">{}{}</p>').format(note, link)


def _of_file(context: MacroContext, filename: str, page: str, limit: int, delimiter: str,
             encoding: str) -> Table:
    file = attached(context, filename, page)
    head = read_head(file, MAX_READ, encoding)
    share = None if head.whole else file.record.size / head.size
    return _of_rows(rows(head.text, delimiter), limit, share)


def _of_rows(found: Iterator[list[str]], limit: int, share: float | None) -> Table:
    """``share``: how many times larger the file is than what was read of it."""
    shown = list(islice(found, limit))
    rest = sum(1 for _ in found)
    if share is None:
        return Table(shown, rest, False)
    if not rest:  # the last row may be a part of one
        del shown[-1:]
    return Table(shown, max(1, round((len(shown) + rest) * share) - len(shown)), True)


def _chosen(table: Rows, header: bool, columns: str) -> tuple[list[str], Rows, int]:
    """The heads and cells of the wanted columns, and how many columns are left out."""
    width = max(len(row) for row in table)
    heads = [cell.strip() for cell in table[0]] if header else []
    cells = table[1:] if header else table
    wanted = _wanted(columns, heads, width) if columns.strip() else range(width)
    shown = wanted[:MOST_COLUMNS]

    def pick(row: Sequence[str]) -> list[str]:
        return [row[index] if index < len(row) else "" for index in shown]

    return pick(heads) if header else [], [pick(row) for row in cells], len(wanted) - len(shown)


def _wanted(columns: str, heads: list[str], width: int) -> list[int]:
    found = []
    for name in (part.strip() for part in columns.split(",")):
        if name in heads:
            found.append(heads.index(name))
        elif name.isdecimal() and len(name) < 6 and 1 <= int(name) <= width:
            found.append(int(name) - 1)
        else:
            there = ", ".join(heads[:MOST_COLUMNS]) or f"1 to {width}"
            raise BadValue("columns", gettext(
                "there is no %(name)s; there are %(there)s", name=repr(name[:40]),
                there=there[:500]))
    return found


def _table(heads: list[str], cells: Rows, caption: str) -> Markup:
    count = len(cells[0]) if cells else len(heads)
    kinds = [Markup(' class="right"') if _numeric(row[index] for row in cells) else Markup("")
             for index in range(count)]
    head = Markup("<thead><tr>{}</tr></thead>\n").format(Markup("").join(
        Markup('<th scope="col"{}>{}</th>').format(kind, text)
        for kind, text in zip(kinds, heads, strict=True))) if heads else ""
    body = Markup("\n").join(
        Markup("<tr>{}</tr>").format(Markup("").join(
            Markup("<td{}>{}</td>").format(kind, text)
            for kind, text in zip(kinds, row, strict=True))) for row in cells)
    title = Markup("<caption>{}</caption>").format(caption) if caption else ""
    return Markup('<div class="scroll"><table class="csv">{}{}<tbody>{}</tbody></table></div>'
                  ).format(title, head, body)


def _numeric(texts: Iterable[str]) -> bool:
    filled = [text.strip() for text in texts if text.strip()]
    return bool(filled) and all(len(text) <= _LONGEST_NUMBER and _NUMBER.fullmatch(text)
                                for text in filled)


def _more_rows(table: Table, shown: int) -> str:
    if not table.more:
        return ""
    values = {"shown": f"{shown:,}", "more": f"{table.more:,}"}
    if table.about:
        return gettext("These are the first %(shown)s rows; there are about %(more)s more.",
                       **values)
    return gettext("These are the first %(shown)s rows; there are %(more)s more.", **values)
