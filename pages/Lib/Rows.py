"""Import a table: every row becomes a page with an object.

Where the rows come from is the business of a source, see the page of this module. A table is gone
through twice, as a stream, so its size does not matter: the first time to look at the rows and to
guess the type of every column, the second time to save the pages, an item of the task for every
row.
"""

import re
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass

import yaml

from wiki.classes import definition_from_dicts
from wiki.errors import (
    Conflict,
    InvalidDocument,
    InvalidReference,
    InvalidValue,
    TaskFailed,
    WikiError,
)
from wiki.model import ClassDefinition
from wiki.references import HOME, Reference

columns_of = wiki.load("Lib.Columns")  # noqa: F821 - a module's page is given the wiki
names_of = wiki.load("Lib.Names")  # noqa: F821

#: Names that are taken are reported one by one so often; the others are only counted.
MAX_REPORTED = 1_000
#: The tables of rows that earlier runs could not import.
REJECTED = re.compile(r"rejected(-dry-run|-[0-9]+)?\.csv")
#: Columns in the table on the space's home page, beside the title.
MAX_TABLE = 8
#: The longest name of a page, in bytes; there is room for a number after it.
MAX_NAME = 240
#: A column in a pattern: `{Last name}`.
PLACE = re.compile(r"\{([^{}]+)\}")
#: A line of a mapping; a column's name may have an arrow in it too.
MAPPED = re.compile(r"(.*\S)\s*(?:->|→)\s*(\S+)")


class BadRow(WikiError):
    """A row that cannot be imported; the message says why."""


def import_rows(logger, wiki, task, source):
    """The whole import of a source's rows."""
    parameters = read_parameters(task)
    table = read_table(wiki, source, parameters)
    rows = look_at_rows(logger, source, table, parameters)
    logger.info("%d rows with %d columns", rows, len(table.columns))
    make_class(logger, wiki, table, parameters)
    make_home_page(logger, wiki, table, parameters)
    done = save_rows(logger, wiki, task, Import(source, table, parameters, rows))
    logger.info("%s: %d created, %d updated, %d unchanged", parameters.space,
                done["created"], done["updated"], done["unchanged"])


def find_attachment(task, suffixes):
    """The attachment that the parameter `file` names, or the only one of its kind."""
    filename = task.params.get("file")
    if filename:
        return task.attachment(filename)
    names = [item.filename for item in task.attachments if not is_rejected(item.filename)
             and item.filename.lower().endswith(suffixes)]
    if not names:
        kinds = suffixes[0] if len(suffixes) == 1 else (
            ", ".join(suffixes[:-1]) + " or " + suffixes[-1])
        raise TaskFailed(f"no {kinds} file is attached to the task's page")
    if len(names) > 1:
        raise TaskFailed("several files are attached; say which one in the parameter file: "
                         + ", ".join(names))
    return task.attachment(names[0])


def is_rejected(filename):
    """Whether it is the table of rows that an earlier run could not import."""
    return REJECTED.fullmatch(filename) is not None


# -- the parameters ----------------------------------------------------------------------------


@dataclass
class Parameters:
    """What the task's parameter object says, checked."""

    space: str
    class_name: str
    #: The class to make where there is none; None to make it from the columns.
    new_class: ClassDefinition | None
    #: The column that names the pages, or a pattern such as `{Last}, {First}`; empty for the
    #: first column. Likewise for the titles; empty for the name.
    name_column: str
    title_column: str
    #: Column -> property; empty for all columns.
    mapping: dict
    #: The tags that every page gets.
    tags: tuple
    #: Whether pages that are there already are updated, skipped, or bad rows.
    existing: str
    #: Whether one bad row ends the import.
    strict: bool


def read_parameters(task):
    params = {name: value for name, value in task.params.items() if value}
    space = params.get("targetSpace")
    if not space:
        raise TaskFailed("targetSpace is empty: name the space that the pages go to")
    try:
        spaces = Reference.parse(f"{space}.{HOME}").spaces
        class_name = params.get("targetClass") or str(Reference(spaces, f"{spaces[-1]}Class"))
        class_name = str(Reference.parse(class_name))
    except InvalidReference as error:
        raise TaskFailed(str(error)) from None
    tags = map(str.strip, params.get("tags", "").split(","))
    return Parameters(space=Reference(spaces, HOME).space, class_name=class_name,
                      new_class=read_class(params.get("newClass", "")),
                      name_column=params.get("nameColumn", "").strip(),
                      title_column=params.get("titleColumn", "").strip(),
                      mapping=read_mapping(params.get("mapping", "")),
                      tags=tuple(filter(None, tags)),
                      existing=params.get("existing", "update"),
                      strict=params.get("badRows") == "fail")


def read_class(text):
    """The properties of a class as a page file has them, in YAML or JSON."""
    if not text.strip():
        return None
    try:
        properties = yaml.safe_load(text)
        if not isinstance(properties, list):
            raise TaskFailed("newClass is a list of properties, each with name and type")
        return definition_from_dicts(properties)
    except (yaml.YAMLError, InvalidDocument, RecursionError) as error:
        raise TaskFailed(f"newClass: {error}") from None


def read_mapping(text):
    """Lines such as `Column name -> property`."""
    mapping = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        parts = MAPPED.fullmatch(line)
        if parts is None:
            raise TaskFailed(f"mapping: {line!r} is not of the form: column -> property")
        mapping[parts[1]] = parts[2]
    return mapping


# -- the table ---------------------------------------------------------------------------------


@dataclass
class Row:
    """A row: its number in the file, its cells, what is wrong with it, if anything, and the
    name of its page."""

    number: int
    cells: list
    problem: str = ""
    name: str = ""


@dataclass
class Table:
    """The columns that are imported, and what names the pages."""

    headers: list
    columns: list
    #: Patterns as `Pattern`.
    name: object
    title: object
    #: Whether the class is there already.
    has_class: bool

    @property
    def width(self):
        return len(self.headers)

    def fields(self, row):
        """Header -> text, as `rejected.csv` shows the row; those of a row that has more or
        fewer fields than the header in one column."""
        cells = list(map(columns_of.as_text, row.cells))
        if len(cells) == self.width:
            return dict(zip(self.headers, cells, strict=True))
        return {**dict.fromkeys(self.headers, ""), "fields as read": " | ".join(cells)}

    def values(self, row):
        """Property -> value; raises InvalidValue."""
        return {column.name: columns_of.convert(row.cells[column.index], column.property)
                for column in self.columns}


class Pattern:
    """Makes a text of a row: that of a column, or of several by a pattern."""

    def __init__(self, text, headers, parameter):
        whole = text in headers
        columns = [text] if whole else PLACE.findall(text)
        unknown = [column for column in columns if column not in headers]
        if unknown or not columns:
            raise TaskFailed(f"{parameter}: there is no column {(unknown or [text])[0]!r}; the "
                             "header has " + ", ".join(headers))
        self.indexes = {column: headers.index(column) for column in columns}
        self._pattern = f"{{{text}}}" if whole else text
        self._whole = whole

    def of(self, row):
        """The text; empty where all its columns are."""
        texts = {column: columns_of.as_text(row.cells[index]).strip()
                 for column, index in self.indexes.items()}
        if self._whole or not any(texts.values()):
            return next((text for text in texts.values() if text), "")
        return PLACE.sub(lambda match: texts[match[1]], self._pattern)


def read_table(wiki, source, parameters):
    number, cells, problem = source.header()
    place = f"{source.unit} {number}"
    if problem:
        raise TaskFailed(f"{place}, the header: {problem}")
    if source.headed:
        columns_of.check_header(place, cells)
    headers = columns_of.unique_headers(cells)
    definition = wiki.class_definition(parameters.class_name)
    has_class = definition is not None
    columns = columns_of.choose_columns(headers, parameters.mapping,
                                        definition or parameters.new_class)
    name = Pattern(parameters.name_column or headers[0], headers, "nameColumn")
    title = Pattern(parameters.title_column, headers, "titleColumn") if (
        parameters.title_column) else name
    return Table(headers, columns, name, title, has_class)


def look_at_rows(logger, source, table, parameters):
    """The first pass: guess the types, and count the rows.

    Where bad rows are fatal, they are so here, before any page is saved."""
    count = 0
    for count, row in enumerate(checked_rows(source, table), 1):
        if row.problem and parameters.strict:
            raise TaskFailed(f"{source.unit} {row.number}: {row.problem}; nothing was imported")
        if not row.problem:
            for column in table.columns:
                column.look_at(row.cells[column.index], source.typed)
        if count % 20_000 == 0:
            logger.progress(0, None, f"looked at {count} rows")
    for column in table.columns:
        column.decide()
    return count


def checked_rows(source, table):
    """All rows after the header, each with what is wrong with it."""
    with closing(source.rows()) as rows:
        for number, cells, problem in rows:
            row = Row(number, fit_width(cells, table.width), problem)
            if source.typed:  # texts from a CSV file were looked at where they were decoded
                row.problem = row.problem or columns_of.damage(row.cells)
            row.problem = row.problem or problem_of(row, table)
            yield row


def fit_width(cells, width):
    """Without empty fields past the last column."""
    return cells[:width] if all(map(columns_of.is_empty, cells[width:])) else cells


def problem_of(row, table):
    if len(row.cells) != table.width:
        return f"it has {len(row.cells)} fields, and the header {table.width}"
    name = table.name.of(row)
    if not (name if name.isprintable() else names_of.clean(name)):
        return "the column that names the page is empty"
    try:
        if all(column.property for column in table.columns):
            table.values(row)
    except InvalidValue as error:
        return str(error)
    return ""


# -- the class and the home page ---------------------------------------------------------------


def make_class(logger, wiki, table, parameters):
    """Make the class that is asked for, or that of the columns, where there is none yet."""
    if table.has_class:
        return
    page = wiki.get_or_new(parameters.class_name)
    try:
        properties = parameters.new_class.properties if parameters.new_class else (
            column.property for column in table.columns)
        page.define_class(*properties)
    except InvalidDocument as error:
        raise TaskFailed(f"{parameters.class_name} cannot be made: {error}") from None
    page.title = page.title or Reference.parse(parameters.class_name).name
    page.parent = page.parent or f"{parameters.space}.{HOME}"
    page.content = page.content or (f"The class of the pages in [[{parameters.space}.{HOME}]], "
                                    "made from the header of an imported file.\n\n"
                                    "<<properties/>>\n")
    page.add_sheet()
    page.save(comment="Made by an import")
    logger.info("Made %s: %s", parameters.class_name, ", ".join(
        f"{prop.name} {prop.type}" for prop in page.class_definition.properties))


def make_home_page(logger, wiki, table, parameters):
    """Make the space's home page, where there is none yet."""
    home = f"{parameters.space}.{HOME}"
    if home in wiki:
        return
    named_by = table.name.indexes.values()
    columns = [column.name for column in table.columns if column.index not in named_by
               and column.property.type != "TextArea"]
    page = wiki.new(home, title=Reference.parse(home).spaces[-1], parent=f"Main.{HOME}")
    page.content = (f'<<livetable class="{parameters.class_name}" '
                    f'columns="{", ".join(["doc.title", *columns[:MAX_TABLE]])}"/>>\n')
    page.save(comment="Made by an import")
    logger.info("Made %s", home)


# -- the pages ---------------------------------------------------------------------------------


@dataclass
class Import:
    """What the second pass needs."""

    source: object
    table: Table
    parameters: Parameters
    rows: int


def save_rows(logger, wiki, task, job):
    """The second pass: save the pages, and count what was done."""
    done = Counter()
    unit = job.source.unit
    with closing(PageNames()) as names, closing(Reporter(logger)) as reporter:
        reserve_names(names, job.parameters)
        rows = named_rows(job, names, reporter)
        for item in task.items(rows, key=lambda row: f"{unit} {row.number}", total=job.rows):
            item.row = job.table.fields(item.value)
            with item:
                done[save_row(wiki, item, job)] += 1
    return done


def named_rows(job, names, reporter):
    """All rows, the good ones each with its page's name: also those that an earlier run has
    done, so that the others get the names that they would have had then."""
    for row in checked_rows(job.source, job.table):
        if not row.problem:
            wanted = page_name(job.table.name.of(row))
            row.name = names.claim(wanted)
            if row.name != wanted:
                reporter.warn(f"{job.source.unit} {row.number}: {wanted!r} is taken; this row's "
                              f"page is {row.name!r}")
        yield row


def save_row(wiki, item, job):
    """Save one page; says what became of it. Raises BadRow."""
    row, unit = item.value, job.source.unit
    if row.problem:
        raise BadRow(row.problem)
    ref = Reference(Reference.parse(f"{job.parameters.space}.{HOME}").spaces, row.name)
    if job.parameters.existing != "update" and ref in wiki:
        if job.parameters.existing == "skip":
            item.skip(f"{ref} is there already")
        raise BadRow(f"{ref} is there already")
    try:
        try:
            return save_page(wiki, ref, row, job)
        except Conflict:  # somebody saved it at the same moment: do it again on what they saved
            return save_page(wiki, ref, row, job)
    except (InvalidValue, InvalidDocument) as error:
        if job.parameters.strict:
            raise TaskFailed(f"{unit} {row.number}: {error}") from None
        raise


def save_page(wiki, ref, row, job):
    parameters, values = job.parameters, job.table.values(row)
    page = wiki.get_or_new(ref)
    before = page.record
    if page.is_new:
        page.title = (job.table.title.of(row) or row.name)[:255]
        page.parent = f"{parameters.space}.{HOME}"
    page.tags = tuple(dict.fromkeys((*page.tags, *parameters.tags)))
    obj = page.object(parameters.class_name)
    if obj is None:
        page.add_object(parameters.class_name, **values)
    else:
        obj.update(**values)
    if page.is_new:
        page.save(comment="Imported")
        return "created"
    if page.record == before:
        return "unchanged"
    page.save(comment="Imported again")
    return "updated"


def page_name(text):
    """The text as a page's name, short enough for a number after it."""
    return names_of.shortened(names_of.page_name(text), MAX_NAME)


def reserve_names(names, parameters):
    """No row takes the place of the space's home page or of the class."""
    names.claim(HOME)
    class_page = Reference.parse(parameters.class_name)
    if class_page.space == parameters.space:
        names.claim(class_page.name)


class PageNames:
    """Gives every row a page of its own: the second `Dune` is `Dune (2)`.

    The names are in a temporary database on disk, since there may be millions."""

    def __init__(self):
        self._db = sqlite3.connect("")
        self._db.execute("CREATE TABLE names (name TEXT PRIMARY KEY, uses INTEGER)")

    def claim(self, name):
        """The name, or with a number after it if it was claimed before."""
        cursor = self._db.execute("INSERT INTO names VALUES (?, 1) ON CONFLICT (name) DO UPDATE "
                                  "SET uses = uses + 1 RETURNING uses", (name,))
        uses = cursor.fetchone()[0]
        return name if uses == 1 else self.claim(f"{name} ({uses})")

    def close(self):
        self._db.close()


class Reporter:
    """Warns about rows, the first ones each and the others by number."""

    def __init__(self, logger):
        self._logger = logger
        self._count = 0

    def warn(self, message):
        self._count += 1
        if self._count <= MAX_REPORTED:
            self._logger.warning("%s", message)

    def close(self):
        if self._count > MAX_REPORTED:
            self._logger.warning("... and %d more of that kind", self._count - MAX_REPORTED)
