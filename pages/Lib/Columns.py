"""The columns of a table: what they hold, and the properties of a class that they become.

A cell is text, a number, true or false, a list of texts, or None where it is empty.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from wiki.classes import MAX_PROPERTIES, TYPES
from wiki.errors import InvalidValue, TaskFailed
from wiki.model import Property

#: The longest text of a cell, in characters.
MAX_FIELD = 500_000
#: What no property is called, since these are parameters of the wiki's own functions.
RESERVED = ("self", "class_name")


def as_text(cell):
    """The cell as text, which `TYPES[...].parse` reads as the same value."""
    if isinstance(cell, str):
        return cell
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, list):
        return ", ".join(map(as_text, cell))
    return str(cell)


def is_empty(cell):
    return cell is None or cell == "" or cell == []


def damage(cells):
    """What is wrong with the cells, whatever the property that they go to."""
    for text in map(as_text, cells):
        if "\0" in text:
            return "there is a NUL byte in it"
        if re.search("[\ud800-\udfff]", text):
            return "there is half a character in it"
        if len(text) > MAX_FIELD:
            return f"field larger than {MAX_FIELD} characters"
    return ""


# -- what a column may hold --------------------------------------------------------------------


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
#: Those that a text in a file with types of its own is not.
NOT_TEXT = ("integer", "number", "Boolean")


def may_be(cell, guess, typed):
    """Whether the guess fits the cell; `typed`: of a file whose texts are meant as texts."""
    if isinstance(cell, bool):
        return guess == "Boolean"
    if isinstance(cell, int):
        return guess in ("integer", "number") and abs(cell) < 10**15
    if isinstance(cell, float):
        return guess == "number"
    if isinstance(cell, list) or (typed and guess in NOT_TEXT):
        return False
    return GUESSES[guess](cell)


def guessed(column, guess):
    """The property for what a column holds."""
    if guess in ("integer", "number"):
        options = {"integer": True} if guess == "integer" else {}
        return Property(column.name, "Number", column.header, options=options)
    if guess:
        return Property(column.name, guess, column.header)
    return Property(column.name, "TextArea" if column.long else "String", column.header)


def fits(cell, prop):
    """Whether the wiki takes the cell for this property."""
    try:
        convert(cell, prop)
    except InvalidValue:
        return False
    return True


def convert(cell, prop):
    """The cell as a value of the property; raises InvalidValue."""
    if is_empty(cell):
        return None
    if isinstance(cell, list) and prop.options.get("multiple"):
        return TYPES[prop.type].parse(list(map(as_text, cell)), prop)
    return TYPES[prop.type].parse(as_text(cell), prop)


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

    def look_at(self, cell, typed=False):
        """Forget the types that this cell does not fit."""
        if is_empty(cell):
            return
        text = as_text(cell)
        self.filled = True
        self.long = self.long or len(text) > 200 or "\n" in text
        self.guesses = [guess for guess in self.guesses
                        if may_be(cell, guess, typed) and fits(cell, guessed(self, guess))]

    def decide(self):
        best = self.guesses[0] if self.filled and self.guesses else ""
        self.property = self.property or guessed(self, best)


# -- headers -----------------------------------------------------------------------------------


def check_header(place, cells):
    """Raises TaskFailed where the first row holds data and no names of columns."""
    all_numbers = all(is_number(as_text(cell)) for cell in cells)
    for cell in cells:
        if all_numbers or looks_like_data(as_text(cell)):
            raise TaskFailed(f"{place} holds data ({as_text(cell)!r}) and no column names: "
                             "put a header before it")


def looks_like_data(text):
    """Years and small numbers do name columns; dates, addresses and other numbers do not."""
    if is_integer(text):
        return len(text) > 4
    return any(test(text) for test in (is_number, is_date, is_url, is_email))


def unique_headers(cells):
    """The header with a name for every column: `column 3` where it has none, `Name (2)` where
    one comes again."""
    while cells and is_empty(cells[-1]):
        cells = cells[:-1]
    headers = {}
    for number, cell in enumerate(cells, 1):
        base = " ".join(as_text(cell).split()) or f"column {number}"
        headers[numbered(base, headers, "{} ({})")] = None
    return list(headers)


def numbered(base, taken, form):
    """The name, or with the first number that makes it one that is not taken."""
    name, again = base, 1
    while name in taken:
        again += 1
        name = form.format(base, again)
    return name


def choose_columns(headers, mapping, definition):
    """The columns to import, with their properties where there is a class already."""
    unknown = [column for column in mapping if column not in headers]
    if unknown:
        raise TaskFailed(f"mapping: there is no column {unknown[0]!r}; the header has "
                         + ", ".join(headers))
    names = dict(mapping) or property_names(headers, definition)
    if len(names) > MAX_PROPERTIES:
        raise TaskFailed(f"there are {len(names)} columns, and a class has at most "
                         f"{MAX_PROPERTIES} properties; choose some by a mapping")
    places = {header: index for index, header in enumerate(headers)}
    columns = [Column(places[header], header, name) for header, name in names.items()]
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
        raise TaskFailed(f"the class has no property {column.name!r} for the column "
                         f"{column.header!r}; it has {has}")
    if column.property.type == "Password":
        raise TaskFailed(f"{column.name} is a password; passwords are not imported")


def property_names(headers, definition):
    """Header -> property: that of the class with this name or label, else a name made of it.

    Columns that an existing class has no property for are left out."""
    if definition is not None:
        known = {prop.label: prop.name for prop in definition.properties}
        known |= {prop.name: prop.name for prop in definition.properties}
        found = {header: known[header] for header in headers if header in known}
        if not found:
            raise TaskFailed("the class has none of the file's columns; write a mapping. It "
                             "has " + ", ".join(known))
        return found
    names, taken = {}, set()
    for number, header in enumerate(headers, 1):
        names[header] = numbered(property_name(header, number), taken, "{}_{}")
        taken.add(names[header])
    return names


def property_name(header, number):
    """A header as an identifier: `Área (km²)` -> `Area_km2`."""
    plain = unicodedata.normalize("NFKD", header)
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    name = re.sub(r"[\W_]+", "_", plain).strip("_")[:60]
    if not name:
        return f"column_{number}"
    return name if name.isidentifier() and name not in RESERVED else f"c_{name}"
