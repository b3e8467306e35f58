"""Import a sheet of an Excel workbook: every row becomes a page with an object.

The workbook is attached to the task's page, and is read as a stream. What is done with its rows
is in `Lib.Rows`, which other imports share. The task's parameters are those of
`Executors.ImportExcelParameters`.
"""

import datetime
import warnings
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass

import openpyxl
from openpyxl.utils import get_column_letter

from wiki.errors import TaskFailed

#: The largest table of texts, which is read into memory.
MAX_TEXTS = 500_000_000
#: The most columns that Excel itself has.
MAX_COLUMNS = 16_384
OLD_FORMAT = b"\xd0\xcf\x11\xe0"
SHARED_TEXTS = "xl/sharedStrings.xml"


def run(logger, wiki, task):
    """What the task manager calls: the whole import."""
    rows = wiki.load("Lib.Rows")
    attachment = rows.find_attachment(task, (".xlsx", ".xlsm"))
    check_workbook(attachment, wiki.load("Lib.Archives"))
    source = Sheet(attachment, choose_sheet(logger, attachment, task.params.get("sheet") or ""),
                   task.params.get("headerRow") or 0)
    rows.import_rows(logger, wiki, task, source)


# -- The workbook ------------------------------------------------------------------------------


def check_workbook(attachment, archives):
    """Raises TaskFailed for a file that is none, or that was made to fill the memory."""
    with attachment.open() as stream:
        if stream.read(4) == OLD_FORMAT:
            raise TaskFailed(f"{attachment.filename} is an old workbook (.xls), or has a password; "
                             "save it as .xlsx without one")
        with archives.open_zip(stream, attachment.filename, "Excel workbook (.xlsx)") as archive:
            parts = {item.filename: item.file_size for item in archive.infolist()}
    if "xl/workbook.xml" not in parts:
        raise TaskFailed(f"{attachment.filename} is no Excel workbook (.xlsx); if it is a sheet of "
                         "another kind, save it as .xlsx")
    if parts.get(SHARED_TEXTS, 0) > MAX_TEXTS:
        raise TaskFailed(f"{attachment.filename} has more text than fits into memory; it is "
                         "refused")


@contextmanager
def open_workbook(attachment):
    """The workbook, read as a stream, with the values that its formulas had when it was saved."""
    with attachment.open() as stream:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of styles and extensions that openpyxl skips
                workbook = openpyxl.load_workbook(stream, read_only=True, data_only=True)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a damaged file makes openpyxl raise
            raise TaskFailed(f"{attachment.filename} cannot be read: {error}") from None
        try:
            yield workbook
        finally:
            workbook.close()


def choose_sheet(logger, attachment, wanted):
    """The name of the sheet that is to be read."""
    with open_workbook(attachment) as workbook:
        sheets = [sheet for sheet in workbook.worksheets if hasattr(sheet, "iter_rows")]
        names = [sheet.title for sheet in sheets]
        if wanted and wanted not in names:
            raise TaskFailed(f"sheet: there is no sheet {wanted!r}; there are "
                             + ", ".join(names))
        shown = [sheet.title for sheet in sheets if sheet.sheet_state == "visible"]
    if not names:
        raise TaskFailed("the workbook has no sheet with cells")
    chosen = wanted or (shown or names)[0]
    others = [name for name in names if name != chosen]
    logger.info("%s: the sheet %r%s", attachment.filename, chosen,
                f"; there are also {', '.join(others)}" if others else "")
    return chosen


@dataclass
class Sheet:
    """The rows of one sheet."""

    attachment: object
    name: str
    #: The number of the header's row; 0 for the first that is not empty.
    header_row: int
    unit = "row"
    #: A text is meant as one, and the first row may be a row of data.
    typed = True
    headed = True

    @property
    def filename(self):
        return self.attachment.filename

    def header(self):
        found = next(self._from_header(), None)
        if found is None:
            raise TaskFailed(f"the sheet {self.name!r} has no header: it is empty"
                             + (f" from row {self.header_row} on" if self.header_row else ""))
        return found

    def rows(self):
        rows = self._from_header()
        width = len(next(rows)[1])
        for number, cells, problem in rows:
            yield number, cells + [None] * (width - len(cells)), problem

    def _from_header(self):
        for number, cells, problem in self._all():
            if number >= self.header_row and (cells or problem):
                yield number, cells, problem

    def _all(self):
        """Number, cells without the empty ones at the end, and what is wrong, of every row."""
        with open_workbook(self.attachment) as workbook:
            sheet = workbook[self.name]
            sheet.reset_dimensions()  # what it says of its size is often wrong
            try:
                for number, row in enumerate(sheet.iter_rows(max_col=MAX_COLUMNS), 1):
                    yield number, *read_row(row)
            except (ValueError, TypeError, KeyError, SyntaxError, zipfile.BadZipFile) as error:
                raise TaskFailed(f"the sheet {self.name!r} is damaged: {error}") from None


def read_row(row):
    """Its cells, and what is wrong with it."""
    cells, problem = [], ""
    for place, cell in enumerate(row, 1):
        if cell.data_type == "e":
            problem = problem or f"column {get_column_letter(place)} holds {cell.value}"
        cells.append(value_of(cell.value))
    while cells and cells[-1] in (None, ""):
        cells.pop()
    return cells, problem


def value_of(value):
    """What a cell holds, with dates and times as texts."""
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time()
        return value.date().isoformat() if midnight else value.isoformat(timespec="seconds")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, bool | int | float) or value is None:
        return value
    return str(value).strip()
