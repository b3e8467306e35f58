"""Import a JSON or NDJSON file: every record becomes a page with an object.

The file is attached to the task's page, and is read as a stream. What is done with its records is
in `Lib.Rows`, which other imports share. The task's parameters are those of
`Executors.ImportJSONParameters`.
"""

import codecs
import io
import json
import math
from contextlib import closing, contextmanager
from dataclasses import dataclass
from decimal import Decimal

import ijson

from wiki.errors import TaskFailed

#: Objects in a record that are deeper than this become text.
MAX_DEPTH = 8
#: How many keys the records may have together.
MAX_COLUMNS = 2_000
#: The longest line of an NDJSON file, in bytes.
MAX_LINE = 10_000_000
#: The column of the keys, where the records are the values of an object.
KEY = "key"
#: How much of a file is looked at to find out what it is.
HEAD = 1_000_000
WHITE = b" \t\r\n"
#: What ijson calls values that are neither objects nor arrays.
SIMPLE = ("null", "boolean", "integer", "double", "number", "string")


def run(logger, wiki, task):
    """What the task manager calls: the whole import."""
    rows = wiki.load("Lib.Rows")
    attachment = rows.find_attachment(task, (".json", ".ndjson", ".jsonl"))
    records = open_records(attachment, task.params.get("records") or "")
    logger.info("%s: %s", attachment.filename, records.shape)
    rows.import_rows(logger, wiki, task, records)


@dataclass
class Records:
    """The records of the file."""

    attachment: object
    #: Where they are: a path of keys, "" for the file itself.
    path: str
    #: What they are: `lines`, `array`, `object` of objects, or one `record`.
    shape: str
    unit = "record"
    #: A text is meant as one, and keys are no data.
    typed = True
    headed = False

    def __post_init__(self):
        self._columns = None

    @property
    def filename(self):
        return self.attachment.filename

    def header(self):
        """The keys of all the records, for which they are gone through once."""
        columns = {}
        with closing(self._flat()) as records:
            for _, fields, _ in records:
                columns.update(dict.fromkeys(fields))
                if len(columns) > MAX_COLUMNS:
                    raise TaskFailed(f"the records have more than {MAX_COLUMNS} different keys")
        if not columns:
            raise TaskFailed("there is no record in the file")
        self._columns = list(columns)
        return 0, self._columns, ""

    def rows(self):
        for number, fields, problem in self._flat():
            yield number, [fields.get(column) for column in self._columns], problem

    def _flat(self):
        """Number, path -> value, and what is wrong, of every record."""
        with closing(self._read()) as records:
            for number, (record, problem) in enumerate(records, 1):
                if not problem and not isinstance(record, dict):
                    problem = f"it is no object with keys, but {shown(record)}"
                fields = {}
                if not problem:
                    problem = flatten(record, fields)
                yield number, fields, problem

    def _read(self):
        """Every record, and what is wrong with it."""
        with open_bytes(self.attachment) as stream:
            if self.shape == "lines":
                yield from read_lines(stream)
                return
            try:
                yield from ((record, "") for record in self._parse(stream))
            except (ijson.JSONError, UnicodeError) as error:
                raise not_json(self.filename, error) from None

    def _parse(self, stream):
        if self.shape == "array":
            return ijson.items(stream, f"{self.path}.item".lstrip("."))
        if self.shape == "record":
            return ijson.items(stream, self.path)
        return ({KEY: key, **value} if isinstance(value, dict) else value
                for key, value in ijson.kvitems(stream, self.path))


# -- What kind of file it is -------------------------------------------------------------------


def open_records(attachment, path):
    """The records, after a look at the whole file; raises TaskFailed where it is no JSON."""
    try:
        if not path and is_lines(attachment):
            return Records(attachment, "", "lines")
        shape = shape_at(attachment, path)
        if not path and shape in ("record", "object"):
            path = only_array(attachment, wrapped(attachment))
            shape = "array" if path else shape
    except (ijson.JSONError, UnicodeError) as error:
        raise not_json(attachment.filename, error) from None
    if not shape:
        raise TaskFailed(f"records: there is no object or array at {path!r} in the file")
    return Records(attachment, path, shape)


def not_json(filename, error):
    said = " ".join(str(error).split())
    return TaskFailed(f"{filename} is no JSON that can be read: {said[:200]}")


@contextmanager
def open_bytes(attachment):
    """The file as a stream of UTF-8 without a byte order mark."""
    with attachment.open() as stream:
        head = stream.read(4)
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            stream.seek(0)
            with io.TextIOWrapper(stream, encoding="utf-16", newline="\n") as text:
                yield AsUTF8(text)
            return
        stream.seek(len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0)
        yield stream


class AsUTF8:
    """A stream of text as one of bytes in UTF-8."""

    def __init__(self, text):
        self._text = text

    def read(self, size=-1):
        return self._text.read(size).encode()

    def readline(self, size=-1):
        return self._text.readline(size).encode()


def is_lines(attachment):
    """Whether the file is NDJSON: by its name, or since each of its first lines is an object."""
    if attachment.filename.lower().endswith((".ndjson", ".jsonl")):
        return True
    with open_bytes(attachment) as stream:
        head = stream.read(HEAD)
    if not head.strip(WHITE):
        raise TaskFailed("the file is empty")
    lines = [line for line in head.split(b"\n") if line.strip(WHITE)][:2]
    return len(lines) == 2 and all(is_object(line) for line in lines)


def is_object(line):
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def shape_at(attachment, path):
    """What is at the path: an array, an object of objects, or one record; empty for neither.

    The file is gone through to its end, so that one with a fault changes nothing in the wiki."""
    shape, others = "", 0
    with open_bytes(attachment) as stream:
        for prefix, event, _ in ijson.parse(stream):
            if prefix == path and event in ("start_array", "start_map") and not shape:
                shape = "array" if event == "start_array" else "object"
            elif is_child(prefix, path) and event not in ("start_map", "end_map", "map_key"):
                others += 1
    return "record" if shape == "object" and others else shape


def is_child(prefix, path):
    """Whether something lies right within what the path leads to."""
    if path and not prefix.startswith(path + "."):
        return False
    rest = prefix[len(path) + 1:] if path else prefix
    return bool(rest) and "." not in rest


def wrapped(attachment):
    """The path of the innermost object that lies alone in those around it, as `data` does in
    `{"data": {"items": [...]}}`; empty for the file's own object."""
    chain, keys = [""], {"": []}
    with open_bytes(attachment) as stream:
        for prefix, event, value in ijson.parse(stream):
            if event == "map_key" and len(keys.get(prefix, "..")) < 2:
                keys[prefix].append(value)
            elif event == "start_map" and is_child(prefix, chain[-1]) and len(
                    keys[chain[-1]]) == 1:
                chain.append(prefix)
                keys[prefix] = []
    return next((path for path in chain if len(keys[path]) > 1), chain[-1])


def only_array(attachment, path):
    """The path of the only array within an object that is not one of simple values, as
    `{"count": 2, "items": [...]}` has it; empty where there is none or several."""
    arrays, simple_ones = set(), set()
    with open_bytes(attachment) as stream:
        for prefix, event, _ in ijson.parse(stream):
            if event == "start_array" and is_child(prefix, path):
                arrays.add(prefix)
            elif prefix.removesuffix(".item") in arrays and event in SIMPLE:
                simple_ones.add(prefix.removesuffix(".item"))
    found = arrays - simple_ones
    return found.pop() if len(found) == 1 else ""


# -- Records -----------------------------------------------------------------------------------


def read_lines(stream):
    """The records of an NDJSON file, and what is wrong with each; empty lines are none."""
    for number, line in enumerate(iter(lambda: stream.readline(MAX_LINE), b""), 1):
        if len(line) >= MAX_LINE:
            raise TaskFailed(f"line {number} is longer than {MAX_LINE} bytes; the file is no "
                             "NDJSON")
        if line.strip(WHITE):
            yield read_line(line)


def read_line(line):
    try:
        return json.loads(line, parse_float=Decimal), ""
    except (ValueError, RecursionError) as error:
        return None, f"it is no JSON: {error}"


def shown(value):
    try:
        text = json.dumps(value, default=str, ensure_ascii=False)
    except RecursionError:
        return "nested too deep"
    return text if len(text) < 80 else text[:80] + "…"


def flatten(record, fields, path="", depth=0):
    """Put path -> value of all that is in the record into `fields`; returns what is wrong."""
    for key, value in record.items():
        name = f"{path}.{key}" if path else key
        if isinstance(value, dict) and value and depth < MAX_DEPTH:
            problem = flatten(value, fields, name, depth + 1)
        else:
            fields[name], problem = simple(value, name)
        if problem:
            return problem
    return ""


def simple(value, name):
    """The value as a cell, and what is wrong with it."""
    if isinstance(value, Decimal):
        number = float(value)
        return (number, "") if math.isfinite(number) else (None, f"{name}: {value} is too large")
    if isinstance(value, float) and not math.isfinite(value):
        return None, f"{name}: {value} is no number"
    if isinstance(value, list) and not any(isinstance(item, dict | list) for item in value):
        return [simple(item, name)[0] for item in value if item is not None], ""
    if isinstance(value, dict | list):
        try:
            return json.dumps(value, default=float, ensure_ascii=False), ""
        except RecursionError:
            return None, f"{name} is nested too deep"
    return value, ""
