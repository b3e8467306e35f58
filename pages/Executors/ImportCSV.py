"""Import a CSV or TSV file: every row becomes a page with an object.

The file is attached to the task's page. What is done with its rows is in `Lib.Rows`, which other
imports share; here is what there is to know about CSV: its encoding, its delimiter, and rows that
are damaged. The task's parameters are those of `Executors.ImportCSVParameters`.
"""

import codecs
import csv
import io
import re
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from itertools import islice

from charset_normalizer import from_bytes

from wiki.errors import TaskFailed

#: The longest field and line, in characters: more is a quote that was never closed, or no CSV.
MAX_FIELD = 500_000
MAX_LINE = 5_000_000
#: The first columns of a table of rows that an earlier run could not import: they are not the
#: file's own.
REJECTED_COLUMNS = ["key", "reason"]
DELIMITERS = ",;\t|"
#: Code pages of Latin letters, the most usual first.
WESTERN = ("cp1252", "cp1250", "cp1254", "cp1257")


def run(logger, wiki, task):
    """What the task manager calls: the whole import."""
    rows = wiki.load("Lib.Rows")
    attachment = rows.find_attachment(task, (".csv", ".tsv", ".txt"))
    if rows.is_rejected(attachment.filename):
        # The encoding and the delimiter of the parameters are those of the file that it is from.
        source = replace(open_source(attachment, "", ""), rejected=True)
    else:
        source = open_source(attachment, task.params.get("encoding") or "",
                             task.params.get("delimiter") or "")
    logger.info("%s: %s, fields separated by %r", source.filename, source.encoding,
                source.delimiter)
    rows.import_rows(logger, wiki, task, source)


# -- The file ----------------------------------------------------------------------------------


@dataclass
class Source:
    """The attached file, and how it is to be read."""

    attachment: object
    encoding: str
    delimiter: str
    #: Whether it is a table of rows that an earlier run could not import.
    rejected: bool = False
    unit = "line"
    #: All that a CSV file holds is text, and its first line may be a row of data.
    typed = False
    headed = True

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

    def header(self):
        """The first line that is not empty: its number, the names of the columns, and what is
        wrong with it."""
        with closing(read_rows(self)) as rows:
            found = next(rows, None)
        if found is None:
            raise TaskFailed("the file is empty")
        return found

    def rows(self):
        """All rows after the header."""
        with closing(read_rows(self)) as rows:
            next(rows)
            yield from rows


def open_source(attachment, encoding, delimiter):
    """The file with its encoding and delimiter, which are found out where they are empty."""
    source = Source(attachment, encoding, delimiter.replace("\\t", "\t"))
    if not encoding:
        with attachment.open() as stream:
            source.encoding = detect_encoding(stream)
    try:
        codecs.lookup(source.encoding)
    except LookupError:
        raise TaskFailed(f"there is no encoding {source.encoding!r}") from None
    with source.open() as text:
        sample = read_sample(text)
    source.delimiter = source.delimiter or detect_delimiter(sample)
    if len(source.delimiter) != 1:
        raise TaskFailed(f"delimiter: {source.delimiter!r} is not one character")
    return source


BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"),
                    (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"),
                    (codecs.BOM_UTF16_BE, "utf-16"))


def detect_encoding(stream):
    """By the byte order mark; else UTF-8 if most lines are; else what they look like."""
    head = stream.read(4096)
    if not head.strip(b"\r\n\t "):
        raise TaskFailed("the file is empty")
    if head.startswith((b"PK\x03\x04", b"%PDF", b"\xd0\xcf\x11\xe0")):
        raise TaskFailed("this is a workbook or a document, not CSV; save it as CSV first")
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
        raise TaskFailed("cannot tell the file's encoding; save it as UTF-8, or name it in "
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
        raise TaskFailed(f"the file cannot be read: {error}") from None
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


def read_rows(source):
    """All rows that are not empty, the header first: the line that each starts on, its fields,
    and what is wrong with it, if anything."""
    csv.field_size_limit(MAX_FIELD)
    with source.open() as text:
        # Strict, so that a quote which is never closed is an error and swallows no rows unsaid.
        reader = csv.reader(bounded_lines(text), delimiter=source.delimiter, strict=True)
        skip = 0
        while True:
            line = reader.line_num + 1
            try:
                cells = [cell.strip() for cell in next(reader)]
            except StopIteration:
                return
            except csv.Error as error:
                yield line, [], f"{error}; is a quote not closed?"
                continue
            if line == 1 and source.rejected and cells[:2] == REJECTED_COLUMNS:
                skip = len(REJECTED_COLUMNS)
            if any(cells):
                yield line, cells[skip:], damage(cells, source.encoding)


def bounded_lines(text):
    """The lines; a file without line ends is never read into memory whole."""
    try:
        while line := text.readline(MAX_LINE):
            if len(line) == MAX_LINE:
                raise TaskFailed(f"a line is longer than {MAX_LINE} characters; "
                                   "this is no CSV file")
            yield line
    except UnicodeError as error:
        raise TaskFailed(f"the file cannot be read: {error}") from None


def damage(cells, encoding):
    """What no value may hold."""
    text = "".join(cells)
    if "\0" in text:
        return "there is a NUL byte in it"
    wrong = re.search("[\ud800-\udfff]", text)
    if wrong:
        return f"the byte 0x{ord(wrong[0]) & 0xFF:02x} is not {encoding}"
    return ""
