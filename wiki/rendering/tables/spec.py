"""What a live table shows: what its page says of it, and what its reader has chosen.

The first is a :class:`Spec`, the second a :class:`State`, which lives in addresses. Tables in
pages, exports and bulk actions read both in the same way, so that they mean the same rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from wiki import classes
from wiki.api import Wiki
from wiki.errors import InvalidValue
from wiki.model import ClassDefinition
from wiki.rendering.tables import conditions
from wiki.rendering.tables.columns import FIELDS, Column, columns_of
from wiki.store.base import Condition, Query
from wiki.translate import gettext

#: How many rows one page of a table has where nobody says so, and the most that it may have.
SIZE = 25
MAX_ROWS = 200
#: The names of a state in an address, beside those of filters.
KEYS = ("sort", "page", "rows", "columns")
#: Before the name of a column that the form of columns has ticked.
SHOW = "show."
#: Between the name of a list's filter and a value of it that its form has ticked.
IS = ".is."
#: What a list's filter is where the property has no value.
EMPTY = "(empty)"


@dataclass(frozen=True, slots=True)
class Spec:
    """A table as its page describes it."""

    class_name: str
    definition: ClassDefinition | None
    #: The columns shown at first, and all that may be.
    columns: tuple[Column, ...]
    offered: tuple[Column, ...]
    space: str
    where: str
    hidden: bool
    sort: str = ""
    size: int = SIZE

    @classmethod
    def of(cls, wiki: Wiki, class_name: str, columns: str = "", space: str = "",
           where: str = "", hidden: bool = True, sort: str = "", size: int = SIZE) -> Spec:
        """``class_name`` is a full name, or empty for all pages. Raises MacroError."""
        definition = wiki.class_definition(class_name) if class_name else None
        shown = columns_of(columns, class_name, definition)
        conditions.parse(where, definition)
        return cls(class_name, definition, tuple(shown),
                   _offered(shown, class_name, definition), space.strip(), where, hidden,
                   sort.strip(), max(1, min(size, MAX_ROWS)))

    @classmethod
    def sent(cls, wiki: Wiki, params: Mapping[str, str]) -> Spec:
        """The one whose :meth:`params` these are; raises MacroError."""
        return cls.of(wiki, params.get("class", ""), params.get("columns", ""),
                      params.get("space", ""), params.get("where", ""),
                      params.get("hidden", "true") != "false", params.get("sort", ""),
                      _number(params.get("rows"), SIZE, MAX_ROWS))

    def params(self) -> dict[str, str]:
        """What :meth:`sent` makes it of again; parameters with a value only."""
        found = {"class": self.class_name, "space": self.space, "where": self.where,
                 "columns": ",".join(column.field for column in self.columns),
                 "sort": self.sort, "hidden": "" if self.hidden else "false",
                 "rows": "" if self.size == SIZE else str(self.size)}
        return {key: value for key, value in found.items() if value}

    def query(self) -> Query:
        """All its rows; hidden pages are found by their class only."""
        return Query(self.class_name or None, conditions.parse(self.where, self.definition), (),
                     self.space or None, nested=True,
                     hidden=self.hidden and bool(self.class_name))


def _offered(shown: list[Column], class_name: str,
             definition: ClassDefinition | None) -> tuple[Column, ...]:
    names = [prop.name for prop in definition.properties
             if prop.type != "Password"] if definition else []
    names += [f"doc.{name}" for name in FIELDS]
    known = {column.field for column in shown}
    more = columns_of(",".join(name for name in names if name not in known), class_name,
                      definition) if set(names) - known else []
    return (*shown, *more)


@dataclass(frozen=True, slots=True)
class State:
    """What a reader has made of a table: filters by key, order, place, columns."""

    spec: Spec
    filters: Mapping[str, str] = field(default_factory=dict)
    sort: str = ""
    page: int = 1
    size: int = SIZE
    columns: tuple[Column, ...] = ()

    @classmethod
    def read(cls, spec: Spec, args: Mapping[str, str], prefix: str = "") -> State:
        """The state in an address, where each name has the prefix; what makes no sense there
        is passed by."""
        own = {key.removeprefix(prefix): value.strip() for key, value in args.items()
               if key.startswith(prefix)}
        columns = _chosen(spec, own)
        own |= _ticked(spec, own)
        keys = {key for column in spec.offered for key in keys_of(column)}
        fields = {column.field for column in spec.offered if column.sortable}
        sort = next((wanted for wanted in (own.get("sort", ""), spec.sort)
                     if wanted.removeprefix("-") in fields), "")
        return cls(spec, {key: value for key, value in own.items() if key in keys and value},
                   sort, _number(own.get("page"), 1, 10_000_000),
                   _number(own.get("rows"), spec.size, MAX_ROWS), columns)

    def args(self, prefix: str = "") -> dict[str, str]:
        """What :meth:`read` makes it of again, as short as can be."""
        found = dict(self.filters)
        if self.sort != self.spec.sort:
            found["sort"] = self.sort
        if self.page > 1:
            found["page"] = str(self.page)
        if self.size != self.spec.size:
            found["rows"] = str(self.size)
        if self.columns != self.spec.columns:
            found["columns"] = ",".join(column.field for column in self.columns)
        return {prefix + key: value for key, value in found.items()}

    def changed(self, **values: object) -> State:
        """The state with other values, from its first page on unless that is one of them."""
        return replace(self, **{"page": 1, **values})  # type: ignore[arg-type]

    def query(self, problems: list[str], without: Column | None = None) -> Query:
        """The rows that fit, in their order; a filter that cannot be is noted in ``problems``.
        ``without``: a column whose filter does not count."""
        base = self.spec.query()
        where = [condition for column in self.spec.offered if column != without
                 for condition in _conditions(column, self.filters, problems)]
        return replace(base, where=(*base.where, *where),
                       order_by=(self.sort,) if self.sort else ())


def key_of(column: Column) -> str:
    """The name of a column's filter in an address."""
    return f"object.{column.field}" if column.field in KEYS else column.field


def keys_of(column: Column) -> tuple[str, ...]:
    """All names that a column's filter may have."""
    key = key_of(column)
    return (key, f"{key}.from", f"{key}.to") if column.kind in ("number", "date") else (key,)


def _chosen(spec: Spec, own: Mapping[str, str]) -> tuple[Column, ...]:
    """The columns to show: those ticked, or listed, or else the first ones."""
    by_name = {column.field: column for column in spec.offered}
    ticked = tuple(column for column in spec.offered if SHOW + column.field in own)
    listed = tuple(by_name[name] for name in dict.fromkeys(own.get("columns", "").split(","))
                   if name in by_name)
    return ticked or listed or spec.columns


def _ticked(spec: Spec, own: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Filters of lists, where a form has ticked some of their values."""
    for column in spec.offered:
        begin = key_of(column) + IS
        if values := [key.removeprefix(begin) for key in own if key.startswith(begin)]:
            yield key_of(column), conditions.together(values)


def _number(text: str | None, default: int, most: int) -> int:
    if not text or not (text.isascii() and text.isdigit()):
        return default
    return max(1, min(int(text[:20]), most))


def _conditions(column: Column, filters: Mapping[str, str],
                problems: list[str]) -> Iterator[Condition]:
    key = key_of(column)
    if text := filters.get(key, ""):
        try:
            yield from _single(column, text)
        except InvalidValue as error:
            problems.append(str(error))
    for end in ("from", "to"):
        if text := filters.get(f"{key}.{end}", ""):
            try:
                yield _end(column, end, text)
            except InvalidValue as error:
                problems.append(str(error))


def _single(column: Column, text: str) -> Iterator[Condition]:
    prop = column.prop
    if column.kind == "list":
        values = tuple("" if value == EMPTY else value for value in conditions.several(text))
        yield (Condition(column.field, "in", values) if len(values) > 1
               else Condition(column.field, "eq", values[0]))
    elif column.kind == "number":
        yield Condition(column.field, "eq", _typed(column, text))
    elif column.kind == "boolean" and prop is not None:
        value = "" if text == EMPTY else classes.type_of(prop).parse(text, prop)
        yield Condition(column.field, "eq", value)
    elif column.kind == "date":
        yield _end(column, "from", text)
        yield _end(column, "to", text)
    elif column.kind == "text":
        yield Condition(column.field, "contains", text)


def _end(column: Column, end: str, text: str) -> Condition:
    """An end of a range, which belongs to it."""
    if column.kind == "number":
        return Condition(column.field, "ge" if end == "from" else "le", _typed(column, text))
    try:
        day = date.fromisoformat(text)
        after = day + timedelta(days=1)
    except (ValueError, OverflowError):
        raise InvalidValue(column.field, text, gettext("a day such as 2026-11-24")) from None
    if end == "from":
        return Condition(column.field, "ge", day.isoformat())
    return Condition(column.field, "lt", after.isoformat())  # a moment of that day fits too


def _typed(column: Column, text: str) -> object:
    if column.prop is None:
        return text
    bare = replace(column.prop, options={})  # a limit of the property is none of the filter
    return classes.type_of(bare).parse(text, bare)
