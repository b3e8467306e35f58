"""Import a CSV or TSV file: every row becomes a page with an object.

The file is attached to the task's page. It is read twice, as a stream, so its size does not
matter: the first time to look at the rows and to guess the type of every column, the second
time to save the pages. What the task's `Executors.ImportCSVParameters` object says is in
`Parameters`, just below.
"""

import codecs
import csv
import io
import re
import sqlite3
import unicodedata
from collections import Counter
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from urllib.parse import urlsplit

from charset_normalizer import from_bytes

from wiki.classes import TYPES
from wiki.errors import Conflict, InvalidDocument, InvalidReference, InvalidValue
from wiki.model import Property
from wiki.references import HOME, Reference

#: Rows whose pages are made durable together.
BATCH = 500
#: The longest field and line, in characters: more is a quote that was never closed, or no CSV.
MAX_FIELD = 500_000
MAX_LINE = 5_000_000
#: Bad rows that are reported one by one; the others are only counted.
MAX_REPORTED = 1_000
#: Columns in the table on the space's home page, beside the title.
MAX_TABLE = 8
DELIMITERS = ",;\t|"
#: Code pages of Latin letters, the most usual first.
WESTERN = ("cp1252", "cp1250", "cp1254", "cp1257")
#: What no property is called, since these are parameters of the wiki's own functions.
RESERVED = ("self", "class_name")


class CannotImport(Exception):
    """The file or the parameters are wrong; the message says what to mend."""


def run(logger, wiki, task):
    """What the task manager calls: the whole import."""
    parameters = read_parameters(task)
    source = open_source(task, parameters)
    logger.info("%s: %s, fields separated by %r", source.filename, source.encoding,
                source.delimiter)
    table = read_header(wiki, source, parameters)
    rows = look_at_rows(logger, source, table, parameters)
    logger.info("%d rows with %d columns", rows, len(table.columns))
    make_class(logger, wiki, table, parameters)
    make_home_page(logger, wiki, table, parameters)
    summary = save_rows(logger, wiki, task, Import(source, table, parameters, rows))
    logger.info("%s: %d created, %d updated, %d unchanged, %d skipped", parameters.space,
                summary["created"], summary["updated"], summary["unchanged"], summary["skipped"])


# -- The parameters ----------------------------------------------------------------------------


@dataclass
class Parameters:
    """What the task's parameter object says, checked."""

    space: str
    class_name: str
    #: The column that names the pages; empty for the first.
    name_column: str
    #: Column -> property; empty for all columns.
    mapping: dict
    #: Whether one bad row ends the import.
    strict: bool
    #: The attachment, its encoding and its delimiter; empty where they are to be found out.
    filename: str
    encoding: str
    delimiter: str


def read_parameters(task):
    params = {name: value for name, value in task.params.items() if value}
    space = params.get("targetSpace")
    if not space:
        raise CannotImport("targetSpace is empty: name the space that the pages go to")
    try:
        spaces = Reference.parse(f"{space}.{HOME}").spaces
        class_name = params.get("targetClass") or str(Reference(spaces, f"{spaces[-1]}Class"))
        class_name = str(Reference.parse(class_name))
    except InvalidReference as error:
        raise CannotImport(str(error)) from None
    return Parameters(space=Reference(spaces, HOME).space, class_name=class_name,
                      name_column=params.get("nameColumn", "").strip(),
                      mapping=read_mapping(params.get("mapping", "")),
                      strict=params.get("badRows") == "fail",
                      filename=params.get("file", ""), encoding=params.get("encoding", ""),
                      delimiter=params.get("delimiter", "").replace("\\t", "\t"))


def read_mapping(text):
    """Lines such as `Column name -> property`."""
    mapping = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        column, arrow, name = (part.strip() for part in line.replace("→", "->").partition("->"))
        if not (column and arrow and name):
            raise CannotImport(f"mapping: {line!r} is not of the form: column -> property")
        mapping[column] = name
    return mapping


# -- The file ----------------------------------------------------------------------------------


@dataclass
class Source:
    """The attached file, and how it is to be read."""

    attachment: object
    encoding: str
    delimiter: str

    @property
    def filename(self):
        return self.attachment.filename

    @contextmanager
    def open(self):
        """The file as text; a byte that is wrong in the encoding becomes a lone surrogate,
        so that it spoils its row and not the whole file."""
        with self.attachment.open() as raw, io.TextIOWrapper(
                raw, encoding=self.encoding, errors="surrogateescape", newline="") as text:
            yield text


def open_source(task, parameters):
    source = Source(find_attachment(task, parameters.filename), "", "")
    with source.attachment.open() as stream:
        source.encoding = parameters.encoding or detect_encoding(stream)
    try:
        codecs.lookup(source.encoding)
    except LookupError:
        raise CannotImport(f"there is no encoding {source.encoding!r}") from None
    with source.open() as text:
        sample = read_sample(text)
    source.delimiter = parameters.delimiter or detect_delimiter(sample)
    if len(source.delimiter) != 1:
        raise CannotImport(f"delimiter: {source.delimiter!r} is not one character")
    return source


def find_attachment(task, filename):
    """The attachment of that name, or the only one there is."""
    if filename:
        return task.attachment(filename)
    names = [item.filename for item in task.attachments
             if item.filename.lower().endswith((".csv", ".tsv", ".txt"))]
    if not names:
        raise CannotImport("no .csv, .tsv or .txt file is attached to the task's page")
    if len(names) > 1:
        raise CannotImport("several files are attached; say which one in the parameter file: "
                           + ", ".join(names))
    return task.attachment(names[0])


BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"),
                    (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"),
                    (codecs.BOM_UTF16_BE, "utf-16"))


def detect_encoding(stream):
    """By the byte order mark; else UTF-8 if most lines are; else what they look like."""
    head = stream.read(4096)
    if not head.strip(b"\r\n\t "):
        raise CannotImport("the file is empty")
    if head.startswith((b"PK\x03\x04", b"%PDF", b"\xd0\xcf\x11\xe0")):
        raise CannotImport("this is a workbook or a document, not CSV; save it as CSV first")
    for mark, name in BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return name
    if head.count(0) > len(head) // 4:
        return "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"
    stream.seek(0)
    return encoding_of_lines(lines_beyond_ascii(stream))


def lines_beyond_ascii(stream, limit=1_000):
    """The first lines that tell something about the encoding."""
    lines = iter(lambda: stream.readline(MAX_LINE), b"")
    return list(islice((line for line in lines if not line.isascii()), limit))


def encoding_of_lines(lines):
    if sum(is_utf8(line) for line in lines) * 2 >= len(lines):
        return "utf-8-sig"
    sample = b"".join(lines)[:200_000]
    runs = re.findall(rb"[\x80-\xff]+", sample)
    if sum(map(len, runs)) < 1.5 * len(runs):
        return western_encoding(sample)
    best = from_bytes(sample).best()
    if best is None:
        raise CannotImport("cannot tell the file's encoding; save it as UTF-8, or name it in "
                           "the parameter encoding")
    return best.encoding


def western_encoding(sample):
    """Latin letters with single others between them fit many code pages: the one without
    symbols inside words, then the one whose letters look most like a language, then the most
    usual one."""
    matches = from_bytes(sample, cp_isolation=list(WESTERN))
    coherence = {match.encoding: match.coherence for match in matches}

    def badness(encoding):
        text = sample.decode(encoding, errors="replace")
        symbols = re.findall(r"[^\W\d_][^\w\s\x00-\x7f\u2010-\u201f]|"
                             r"[^\w\s\x00-\x7f\u2010-\u201f][^\W\d_]", text)
        return (len(symbols), -coherence.get(encoding, 0))

    return min(WESTERN, key=badness)


def is_utf8(line):
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def read_sample(text):
    """The first lines, whole ones, to find the delimiter in."""
    try:
        sample = text.read(100_000)
    except UnicodeError as error:
        raise CannotImport(f"the file cannot be read: {error}") from None
    whole = sample.rfind("\n") + 1
    return sample[:whole] if len(sample) == 100_000 and whole else sample


def detect_delimiter(sample):
    """The character that splits the header, and the most lines into just as many fields."""
    return max(DELIMITERS, key=lambda delimiter: fitness(sample, delimiter))


def fitness(sample, delimiter):
    try:
        rows = list(islice(csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter), 200))
    except csv.Error:
        return (0, 0)
    widths = [len(row) for row in rows if any(row)]
    if not widths or widths[0] < 2:
        return (0, 0)
    return (widths.count(widths[0]) / len(widths), widths[0])


@dataclass
class Row:
    """A row: the line it starts on, its fields, and what is wrong with it, if anything."""

    line: int
    cells: list
    problem: str = ""


def read_rows(source):
    """All rows that are not empty, the header first."""
    csv.field_size_limit(MAX_FIELD)
    with source.open() as text:
        # Strict, so that a quote which is never closed is an error and swallows no rows unsaid.
        reader = csv.reader(bounded_lines(text), delimiter=source.delimiter, strict=True)
        while True:
            line = reader.line_num + 1
            try:
                cells = [cell.strip() for cell in next(reader)]
            except StopIteration:
                return
            except csv.Error as error:
                yield Row(line, [], f"{error}; is a quote not closed?")
                continue
            if any(cells):
                yield Row(line, cells, damage(cells, source.encoding))


def bounded_lines(text):
    """The lines; a file without line ends is never read into memory whole."""
    try:
        while line := text.readline(MAX_LINE):
            if len(line) == MAX_LINE:
                raise CannotImport(f"a line is longer than {MAX_LINE} characters; "
                                   "this is no CSV file")
            yield line
    except UnicodeError as error:
        raise CannotImport(f"the file cannot be read: {error}") from None


def damage(cells, encoding):
    """What no value may hold."""
    text = "".join(cells)
    if "\0" in text:
        return "there is a NUL byte in it"
    wrong = re.search("[\ud800-\udfff]", text)
    if wrong:
        return f"the byte 0x{ord(wrong[0]) & 0xFF:02x} is not {encoding}"
    return ""


# -- The header, the columns and their types ---------------------------------------------------


def is_boolean(text):
    return text.lower() in ("true", "false", "yes", "no")


def is_integer(text):
    """Leading zeros make a code (a postcode, say), and so do very many digits."""
    return re.fullmatch(r"-?(0|[1-9]\d{0,14})", text, re.ASCII) is not None


def is_number(text):
    return is_integer(text) or (len(text) <= 17 and re.fullmatch(
        r"-?(0|[1-9]\d*)\.\d+([eE][-+]?\d{1,2})?", text, re.ASCII) is not None)


def is_date(text):
    if not re.match(r"\d{4}-\d\d-\d\d($|[T ]\d\d:\d\d)", text, re.ASCII):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_url(text):
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and not re.search(r"\s", text)


def is_email(text):
    return re.fullmatch(r"[^@\s<>\"]+@[^@\s<>\"]+\.[^@\s<>\".]+", text) is not None


#: What a column may hold, the narrowest first; text where nothing fits.
GUESSES = {
    "integer": is_integer, "number": is_number, "Boolean": is_boolean, "Date": is_date,
    "URL": is_url, "Email": is_email,
}


@dataclass
class Column:
    """A column that is imported: where it stands, its property, and what it may hold."""

    index: int
    header: str
    name: str
    guesses: list = field(default_factory=lambda: list(GUESSES))
    filled: bool = False
    long: bool = False
    #: The property: the class's own, or once all the rows were seen, the guessed one.
    property: Property | None = None

    def look_at(self, text):
        """Forget the types that this value does not fit."""
        if text:
            self.filled = True
            self.long = self.long or len(text) > 200 or "\n" in text
            self.guesses = [guess for guess in self.guesses
                            if GUESSES[guess](text) and fits(text, guessed(self, guess))]

    def decide(self):
        best = self.guesses[0] if self.filled and self.guesses else ""
        self.property = self.property or guessed(self, best)


def guessed(column, guess):
    """The property for what a column holds."""
    if guess in ("integer", "number"):
        options = {"integer": True} if guess == "integer" else {}
        return Property(column.name, "Number", column.header, options=options)
    if guess:
        return Property(column.name, guess, column.header)
    return Property(column.name, "TextArea" if column.long else "String", column.header)


def fits(text, prop):
    """Whether the wiki takes the text for this property."""
    try:
        TYPES[prop.type].parse(text, prop)
    except InvalidValue:
        return False
    return True


@dataclass
class Table:
    """The columns that are imported, how wide a row is, and which field names its page."""

    columns: list
    width: int
    name_index: int
    #: Whether the class is there already.
    has_class: bool

    def values(self, row):
        """Property -> value; raises InvalidValue."""
        return {column.name: convert(row.cells[column.index], column.property)
                for column in self.columns}


def convert(text, prop):
    return TYPES[prop.type].parse(text, prop) if text else None


def read_header(wiki, source, parameters):
    with closing(read_rows(source)) as rows:
        header = next(rows, None)
    if header is None:
        raise CannotImport("the file is empty")
    if header.problem:
        raise CannotImport(f"line {header.line}, the header: {header.problem}")
    all_numbers = all(map(is_number, header.cells))
    for cell in header.cells:
        if all_numbers or looks_like_data(cell):
            raise CannotImport(f"line {header.line} holds data ({cell!r}) and no column names: "
                               "put a header before it")
    headers = unique_headers(header.cells)
    definition = wiki.class_definition(parameters.class_name)
    columns = choose_columns(headers, parameters.mapping, definition)
    return Table(columns, len(headers), name_index(headers, parameters.name_column),
                 has_class=definition is not None)


def looks_like_data(cell):
    """Years and small numbers do name columns; dates, addresses and other numbers do not."""
    if is_integer(cell):
        return len(cell) > 4
    return any(test(cell) for test in (is_number, is_date, is_url, is_email))


def unique_headers(cells):
    """The header with a name for every column: `column 3` where it has none, `Name (2)` where
    one comes again."""
    while cells and not cells[-1]:
        cells = cells[:-1]
    headers = []
    for number, cell in enumerate(cells, 1):
        header = base = " ".join(cell.split()) or f"column {number}"
        again = 1
        while header in headers:
            again += 1
            header = f"{base} ({again})"
        headers.append(header)
    return headers


def name_index(headers, name_column):
    if not name_column:
        return 0
    if name_column not in headers:
        raise CannotImport(f"nameColumn: there is no column {name_column!r}; the header has "
                           + ", ".join(headers))
    return headers.index(name_column)


def choose_columns(headers, mapping, definition):
    unknown = [column for column in mapping if column not in headers]
    if unknown:
        raise CannotImport(f"mapping: there is no column {unknown[0]!r}; the header has "
                           + ", ".join(headers))
    names = dict(mapping) or property_names(headers, definition)
    columns = [Column(headers.index(header), header, name) for header, name in names.items()]
    for column in columns:
        check_column(column, definition)
    return columns


def check_column(column, definition):
    """Give the column the property of the class that there is."""
    if definition is None:
        return
    column.property = definition.get(column.name)
    if column.property is None:
        has = ", ".join(prop.name for prop in definition.properties)
        raise CannotImport(f"the class has no property {column.name!r} for the column "
                           f"{column.header!r}; it has {has}")
    if column.property.type == "Password":
        raise CannotImport(f"{column.name} is a password; passwords are not imported")


def property_names(headers, definition):
    """Header -> property: that of the class with this name or label, else a name made of it.

    Columns that an existing class has no property for are left out."""
    if definition is not None:
        known = {prop.label: prop.name for prop in definition.properties}
        known |= {prop.name: prop.name for prop in definition.properties}
        found = {header: known[header] for header in headers if header in known}
        if not found:
            raise CannotImport("the class has none of the file's columns; write a mapping. It "
                               "has " + ", ".join(known))
        return found
    names = {}
    for number, header in enumerate(headers, 1):
        name = base = property_name(header, number)
        again = 1
        while name in names.values():
            again += 1
            name = f"{base}_{again}"
        names[header] = name
    return names


def property_name(header, number):
    """A header as an identifier: `Área (km²)` -> `Area_km2`."""
    plain = unicodedata.normalize("NFKD", header)
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    name = re.sub(r"[\W_]+", "_", plain).strip("_")[:60]
    if not name:
        return f"column_{number}"
    return name if name.isidentifier() and name not in RESERVED else f"c_{name}"


def look_at_rows(logger, source, table, parameters):
    """The first pass: guess the types, and count the rows that can be imported.

    Where bad rows are fatal, they are so here, before any page is saved."""
    count = 0
    for row in checked_rows(source, table):
        if row.problem:
            if parameters.strict:
                raise CannotImport(f"line {row.line}: {row.problem}; nothing was imported")
            continue
        for column in table.columns:
            column.look_at(row.cells[column.index])
        count += 1
        if count % 20_000 == 0:
            logger.progress(0, None, f"looked at {count} rows")
    for column in table.columns:
        column.decide()
    return count


def checked_rows(source, table):
    """All rows after the header, each with what is wrong with it."""
    rows = read_rows(source)
    next(rows)
    for row in rows:
        row.cells = fit_width(row.cells, table.width)
        row.problem = row.problem or problem_of(row, table)
        yield row


def fit_width(cells, width):
    """Without empty fields past the last column."""
    return cells[:width] if not any(cells[width:]) else cells


def problem_of(row, table):
    if len(row.cells) != table.width:
        return f"it has {len(row.cells)} fields, and the header {table.width}"
    if not page_name(row.cells[table.name_index]):
        return "the column that names the page is empty"
    try:
        if table.has_class:
            table.values(row)
    except InvalidValue as error:
        return str(error)
    return ""


# -- The pages ---------------------------------------------------------------------------------


def make_class(logger, wiki, table, parameters):
    """Make the class of the columns, where there is none yet."""
    if table.has_class:
        return
    page = wiki.get_or_new(parameters.class_name)
    try:
        page.define_class(*(column.property for column in table.columns))
    except InvalidDocument as error:
        raise CannotImport(f"{parameters.class_name} cannot be made: {error}") from None
    page.title = page.title or Reference.parse(parameters.class_name).name
    page.parent = page.parent or f"{parameters.space}.{HOME}"
    page.content = page.content or (f"The class of the pages in [[{parameters.space}.{HOME}]], "
                                    "made from the header of an imported file.\n\n"
                                    "<<properties/>>\n")
    if page.object("Wiki.ClassSheetClass") is None:
        page.add_object("Wiki.ClassSheetClass", sheet="Wiki.ObjectSheet")
    page.save(comment="Made by an import")
    logger.info("Made %s: %s", parameters.class_name, ", ".join(
        f"{column.name} {column.property.type}" for column in table.columns))


def make_home_page(logger, wiki, table, parameters):
    """Make the space's home page, where there is none yet."""
    home = f"{parameters.space}.{HOME}"
    if home in wiki:
        return
    columns = [column.name for column in table.columns if column.index != table.name_index
               and column.property.type != "TextArea"]
    page = wiki.new(home, title=Reference.parse(home).spaces[-1], parent=f"Main.{HOME}")
    page.content = (f'<<livetable class="{parameters.class_name}" '
                    f'columns="{", ".join(["doc.title", *columns[:MAX_TABLE]])}"/>>\n')
    page.save(comment="Made by an import")
    logger.info("Made %s", home)


@dataclass
class Import:
    """What the second pass needs."""

    source: Source
    table: Table
    parameters: Parameters
    rows: int


def save_rows(logger, wiki, task, job):
    """The second pass: save the pages, and count what was done."""
    done = Counter()
    reporter = Reporter(logger)
    with closing(PageNames()) as names:
        reserve_names(names, job.parameters)
        good = good_rows(job, done, reporter)
        rows = iter(task.track(good, total=job.rows))
        while batch := list(islice(rows, BATCH)):
            with wiki.batch():
                for row in batch:
                    done[save_row(wiki, row, job, names, reporter)] += 1
    reporter.close()
    return done


def good_rows(job, done, reporter):
    """The rows that can be imported; the others are reported."""
    for row in checked_rows(job.source, job.table):
        if row.problem:
            reporter.warn(row.line, f"skipped: {row.problem}")
            done["skipped"] += 1
        else:
            yield row


def save_row(wiki, row, job, names, reporter):
    """Save one page; says what became of it."""
    title = row.cells[job.table.name_index]
    wanted = page_name(title)
    name = names.claim(wanted)
    if name != wanted:
        reporter.warn(row.line, f"{wanted!r} is taken; this row's page is {name!r}")
    ref = Reference(Reference.parse(f"{job.parameters.space}.{HOME}").spaces, name)
    try:
        return save_page(wiki, ref, title, job.parameters, job.table.values(row))
    except Conflict:  # somebody saved it at the same moment: do it again on what they saved
        return save_page(wiki, ref, title, job.parameters, job.table.values(row))
    except (InvalidValue, InvalidDocument) as error:
        if job.parameters.strict:
            raise CannotImport(f"line {row.line}: {error}") from None
        reporter.warn(row.line, f"skipped: {error}")
        return "skipped"


def save_page(wiki, ref, title, parameters, values):
    page = wiki.get_or_new(ref)
    before = page.record
    if page.is_new:
        page.title = title[:255]
        page.parent = f"{parameters.space}.{HOME}"
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
    """The text as a page's name: without what no name may hold, and not too long."""
    text = unicodedata.normalize("NFC", text).replace("/", "-")
    text = "".join(" " if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") else char
                   for char in text)
    return " ".join(text.split()).encode(errors="ignore")[:200].decode(errors="ignore").strip()


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
    """Warns about rows by their line, the first ones each and the others by number."""

    def __init__(self, logger):
        self._logger = logger
        self._count = 0

    def warn(self, line, message):
        self._count += 1
        if self._count <= MAX_REPORTED:
            self._logger.warning("line %d: %s", line, message)

    def close(self):
        if self._count > MAX_REPORTED:
            self._logger.warning("... and %d more lines of that kind",
                                 self._count - MAX_REPORTED)
