"""Page files: a page as Markdown with YAML front matter, lossless in both directions."""

from __future__ import annotations

import hashlib
import math
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import quote, unquote

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from wiki.classes import definition_from_dicts, definition_to_dicts, visible
from wiki.errors import InvalidDocument, InvalidReference, PageFileError
from wiki.frontmatter import NULL, STRING, FileName, Flow, Loader, dump
from wiki.model import MARKDOWN, Attachment, ClassDefinition, Document, Object, check_filename
from wiki.references import Reference

SUFFIX = ".md"
FILES_SUFFIX = ".files"
KEYS = ("reference", "title", "parent", "hidden", "syntax", "tags", "class", "objects",
        "attachments")
OBJECT_KEYS = ("class", "number", "properties")
#: A property's text of more lines than this is exported as a file of its own.
MAX_INLINE_LINES = 20
#: A longer encoded name is cut, and the page file says its reference itself.
MAX_COMPONENT = 180
_FRONT = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
_SAFE_IN_FILE_NAMES = " !#$&'()+,-;=@[]^_`{}~"
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])", re.IGNORECASE)

LoadFile = Callable[[str], str | bytes]
OpenAttachment = Callable[[Attachment], BinaryIO]


@dataclass(frozen=True, slots=True)
class PageFile:
    """A page file as read: the document, the names of its attachments (whose bytes lie beside
    it), and the names of the files that hold properties."""

    document: Document
    attachments: tuple[str, ...] = ()
    property_files: tuple[str, ...] = ()


# -- text <-> document -------------------------------------------------------------------------

def parse(text: str, ref: Reference, load_file: LoadFile | None = None, *,
          source: str = "") -> PageFile:
    """Read a page file's text as the page ``ref``; ``load_file`` gives the text of a ``!file``.

    Raises:
        PageFileError: names the ``source`` and the line, and says what is allowed.
    """
    return _Reader(ref, load_file, source or str(ref)).read(text)


def dumps(document: Document) -> str:
    """The document as one page file, with all its properties inline; passwords are left out."""
    return _dumps(document, {})


def _dumps(document: Document, external: Mapping[tuple[str, int, str], str],
           reference: str = "") -> str:
    fields: dict[str, Any] = {
        "reference": reference,
        "title": document.title,
        "parent": document.parent,
        "hidden": document.hidden,
        "syntax": "" if document.syntax == MARKDOWN else document.syntax,
        "tags": Flow(document.tags),
        "class": None if document.class_definition is None else [
            {key: _inline(value) for key, value in prop.items()}
            for prop in definition_to_dicts(document.class_definition)],
        "objects": list(_object_dicts(document.objects, external)),
        "attachments": Flow(item.filename for item in document.attachments)}
    front = {key: value for key, value in fields.items()
             if value or (key == "class" and value is not None)}
    return f"---\n{dump(front)}---\n{document.content}"


def _object_dicts(objects: Iterable[Object],
                  external: Mapping[tuple[str, int, str], str]) -> Iterator[dict[str, Any]]:
    following: dict[str, int] = {}
    for obj in objects:
        item: dict[str, Any] = {"class": obj.class_name}
        if obj.number != following.get(obj.class_name, 0):
            item["number"] = obj.number
        following[obj.class_name] = max(obj.number + 1, following.get(obj.class_name, 0))
        values = {name: FileName(external[obj.class_name, obj.number, name])
                  if (obj.class_name, obj.number, name) in external else _inline(value)
                  for name, value in visible(obj.values).items()}
        if values.keys().isdisjoint(OBJECT_KEYS):
            item.update(values)
        else:
            item["properties"] = values
        yield item


def _inline(value: Any) -> Any:
    return Flow(value) if isinstance(value, list | tuple) else value


class _Reader:
    """Reads one page file, keeping line numbers for its errors."""

    def __init__(self, ref: Reference, load_file: LoadFile | None, source: str) -> None:
        self._ref = ref
        self._load_file = load_file
        self._source = source
        self._files: list[str] = []
        self._loader = Loader("")

    def read(self, text: str) -> PageFile:
        match = _FRONT.match(text)
        if match is None:
            if re.match(r"\ufeff?---[ \t]*\r?\n", text):
                raise self._error(None, "the front matter has no end: a line of its own, ---")
            return PageFile(Document(self._ref, content=text))
        nodes = self._compose(match[1])
        read = self._document(nodes, text[match.end():])
        attachments = tuple(self._filename(node) for node in self._items(nodes, "attachments"))
        return PageFile(read, attachments, tuple(self._files))

    def _document(self, nodes: Mapping[str, Node], content: str) -> Document:
        ref = self._ref
        if "reference" in nodes:
            ref = self._reference(nodes["reference"])
        return Document(
            ref, content=content,
            title=self._text(nodes, "title"), parent=self._text(nodes, "parent"),
            hidden=self._flag(nodes, "hidden"), syntax=self._text(nodes, "syntax") or MARKDOWN,
            tags=tuple(self._string(node, "a tag") for node in self._items(nodes, "tags")),
            class_definition=self._class(nodes.get("class")),
            objects=self._objects(nodes))

    def _compose(self, front: str) -> Mapping[str, Node]:
        try:
            root = yaml.compose(front, Loader=Loader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = None if mark is None else mark.line + 2
            said = ", ".join(filter(None, (error.context, error.problem)))
            raise self._error(line, said) from None
        except yaml.YAMLError as error:
            raise self._error(None, str(error)) from None
        except RecursionError:
            raise self._error(None, "the YAML is nested too deep") from None
        if root is None:
            return {}
        return self._mapping(root, "the front matter", KEYS)

    def _mapping(self, node: Node, what: str, allowed: tuple[str, ...] = ()) -> dict[str, Node]:
        if not isinstance(node, MappingNode):
            raise self._error(node, f"{what} is a mapping of keys to values")
        found: dict[str, Node] = {}
        for key_node, value in node.value:
            key = self._string(key_node, f"a key of {what}")
            if allowed and key not in allowed:
                raise self._error(key_node, f"there is no key {key!r}; {what} takes "
                                  + ", ".join(allowed))
            if key in found:
                raise self._error(key_node, f"{key!r} stands twice")
            found[key] = value
        return found

    def _objects(self, nodes: Mapping[str, Node]) -> tuple[Object, ...]:
        objects: list[Object] = []
        following: dict[str, int] = {}
        for node in self._items(nodes, "objects"):
            obj = self._object(node, following)
            if any((old.class_name, old.number) == (obj.class_name, obj.number)
                   for old in objects):
                raise self._error(node, f"{obj.class_name} {obj.number} stands twice")
            following[obj.class_name] = max(obj.number + 1, following.get(obj.class_name, 0))
            objects.append(obj)
        return tuple(objects)

    def _object(self, node: Node, following: Mapping[str, int]) -> Object:
        fields = self._mapping(node, "an object")
        if "class" not in fields:
            raise self._error(node, "an object names its class: class: Space.SomeClass")
        class_name = str(self._reference(fields.pop("class")))
        number = following.get(class_name, 0)
        if "number" in fields:
            number = self._value(fields.pop("number"))
            if isinstance(number, bool) or not isinstance(number, int) or number < 0:
                raise self._error(node, "an object's number is a whole number from 0; a property "
                                  "named number goes under properties:")
        if "properties" in fields:
            nested = self._mapping(fields.pop("properties"), "properties")
            if fields:
                raise self._error(node, "an object has its properties either beside the class or "
                                  "all under properties:")
            fields = nested
        return Object(class_name, number, {name: self._property(value, name)
                                           for name, value in fields.items()})

    def _property(self, node: Node, name: str) -> Any:
        if node.tag == "!file":
            return self._load(self._filename(node), node)
        value = self._value(node)
        if isinstance(value, list):
            return [self._string(item, f"an item of {name}") for item in node.value]
        if (value is None or isinstance(value, str | int)
                or (isinstance(value, float) and math.isfinite(value))):
            return value
        raise self._error(node, f"{name} is a text, a number, true, false, a list of texts "
                          "or !file NAME")

    def _load(self, filename: str, node: Node) -> str:
        if self._load_file is None:
            raise self._error(node, "!file works only where the files lie beside the page")
        try:
            data = self._load_file(filename)
            text = data if isinstance(data, str) else data.decode()
        except OSError as error:
            raise self._error(node, f"{filename}: {error.strerror or error}") from None
        except UnicodeDecodeError:
            raise self._error(node, f"{filename} is not text in UTF-8") from None
        self._files.append(filename)
        return text

    def _class(self, node: Node | None) -> ClassDefinition | None:
        if node is None:
            return None
        if isinstance(node, MappingNode):  # as REST has it
            node = self._mapping(node, "class", ("properties",)).get("properties", node)
        if not isinstance(node, SequenceNode):
            raise self._error(node, "class is a list of properties, each with name and type")
        try:
            return definition_from_dicts(self._value(node))
        except InvalidDocument as error:
            raise self._error(node, str(error)) from None

    def _items(self, nodes: Mapping[str, Node], key: str) -> list[Node]:
        node = nodes.get(key)
        if node is None or (isinstance(node, ScalarNode) and node.tag == NULL):
            return []
        if not isinstance(node, SequenceNode):
            raise self._error(node, f"{key} is a list: [one, two], or lines that begin with '- '")
        return cast(list[Node], node.value)

    def _text(self, nodes: Mapping[str, Node], key: str) -> str:
        return self._string(nodes[key], key) if key in nodes else ""

    def _string(self, node: Node, what: str) -> str:
        if isinstance(node, ScalarNode) and node.tag == STRING:
            return cast(str, node.value)
        shown = node.value if isinstance(node, ScalarNode) else "this"
        raise self._error(node, f"{what} is text; put {shown!r} in quotes" if shown != "this"
                          else f"{what} is text")

    def _flag(self, nodes: Mapping[str, Node], key: str) -> bool:
        value = self._value(nodes[key]) if key in nodes else False
        if not isinstance(value, bool):
            raise self._error(nodes[key], f"{key} is true or false")
        return value

    def _filename(self, node: Node) -> str:
        if not isinstance(node, ScalarNode):
            raise self._error(node, "this is a file's name")
        try:
            return check_filename(node.value)
        except InvalidDocument as error:
            raise self._error(node, str(error)) from None

    def _reference(self, node: Node) -> Reference:
        try:
            return Reference.parse(self._string(node, "a page's name"), self._ref)
        except InvalidReference as error:
            raise self._error(node, str(error)) from None

    def _value(self, node: Node) -> Any:
        try:
            return self._loader.construct_document(node)
        except yaml.MarkedYAMLError as error:
            raise self._error(node, str(error.problem)) from None
        except RecursionError:
            raise self._error(node, "the YAML is nested too deep") from None

    def _error(self, where: Node | int | None, message: str) -> PageFileError:
        # The front matter begins in line 2 of the file, and marks count from 0.
        line = where.start_mark.line + 2 if isinstance(where, Node) else where
        place = self._source if line is None else f"{self._source}, line {line}"
        return PageFileError(f"{place}: {message}")


# -- folders -----------------------------------------------------------------------------------

def page_path(ref: Reference) -> Path:
    """Where the page's file lies below a tree's root: ``Space/Sub/Name.md``."""
    return Path(*(_component(space) for space in ref.spaces), _component(ref.name) + SUFFIX)


def _component(name: str) -> str:
    """The name as a file name that every file system takes; cut where it is too long."""
    encoded = "".join(char if char.isalnum() or char in _SAFE_IN_FILE_NAMES
                      or (char > "\x7f" and char.isprintable()) else
                      quote(char, safe="").replace(".", "%2E") for char in name)
    if _RESERVED.fullmatch(encoded):
        encoded = f"%{ord(encoded[0]):02X}{encoded[1:]}"
    if len(encoded.encode()) > MAX_COMPONENT:
        return _cut(encoded, name)
    return encoded


def _cut(encoded: str, name: str) -> str:
    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    start = encoded.encode()[:MAX_COMPONENT - 20].decode(errors="ignore")
    return f"{re.sub('%[0-9A-F]?$', '', start)}~{digest}"


def read_file(path: Path, ref: Reference) -> tuple[Reference, Document, dict[str, Path]]:
    """Read one page file: the page, and its attachments by file name.

    A page file that says its ``reference`` itself is that page. Raises PageFileError.
    """
    page, attached = read_page(path, ref)
    for name in page.attachments:
        if name not in attached:
            raise PageFileError(f"{path}: the attachment {name!r} is not there; it goes to "
                                f"{_files_of(path) / name}")
    return page.document.reference, page.document, attached


def read_page(path: Path, ref: Reference) -> tuple[PageFile, dict[str, Path]]:
    """Read one page file, and find those of its attachments that are there."""
    files = _files_of(path)

    def load(filename: str) -> bytes:
        inside = files / filename
        return (inside if inside.is_file() else path.with_name(filename)).read_bytes()

    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError:
        raise PageFileError(f"{path}: this is not text in UTF-8") from None
    except OSError as error:
        raise PageFileError(f"{path}: {error.strerror or error}") from None
    page = parse(text, ref, load, source=str(path))
    return page, {name: files / name for name in page.attachments if (files / name).is_file()}


def _files_of(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(SUFFIX) + FILES_SUFFIX)


def read_tree(root: Path, spaces: tuple[str, ...] = ()
              ) -> Iterator[tuple[Reference, Document, dict[str, Path]]]:
    """Read all page files below ``root``, whose folders are spaces, below those of ``spaces``.

    Raises PageFileError at the first file that is none.
    """
    for path in sorted(root.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir() and not path.name.endswith(FILES_SUFFIX):
            yield from read_tree(path, (*spaces, unquote(path.name)))
        elif path.name.endswith(SUFFIX):
            yield read_file(path, reference_of(path, spaces))


def reference_of(path: Path, spaces: tuple[str, ...]) -> Reference:
    """The page that the file holds by its name; raises PageFileError."""
    try:
        return Reference(spaces, unquote(path.name.removesuffix(SUFFIX)))
    except InvalidReference as error:
        raise PageFileError(f"{path}: {error}") from None


def write_file(root: Path, document: Document, open_attachment: OpenAttachment) -> Path:
    """Write a page's file, its attachments and its long properties; returns the file's path."""
    ref = document.reference
    path = root / page_path(ref)
    path.parent.mkdir(parents=True, exist_ok=True)
    files = _files_of(path)
    external = _external(document, path.name.removesuffix(SUFFIX))
    if external or document.attachments:
        files.mkdir(exist_ok=True)
    for attachment in document.attachments:
        with open_attachment(attachment) as stream, (files / attachment.filename).open("wb") as to:
            shutil.copyfileobj(stream, to)
    for key, filename in external.items():
        (files / filename).write_bytes(_value_of(document, key).encode())
    cut = any(unquote(_component(name)) != name for name in (*ref.spaces, ref.name))
    text = _dumps(document, external, reference=str(ref) if cut else "")
    path.write_bytes(text.encode())
    return path


def _external(document: Document, stem: str) -> dict[tuple[str, int, str], str]:
    """The properties that are exported as files, with the files' names."""
    taken = {attachment.filename.lower() for attachment in document.attachments}
    external: dict[tuple[str, int, str], str] = {}
    for obj in document.objects:
        for name, value in obj.values.items():
            if (not isinstance(value, str) or value.count("\n") <= MAX_INLINE_LINES):
                continue
            suffix = ".py" if name == "script" else ".txt"
            number = 1
            filename = stem + suffix
            while filename.lower() in taken:
                number += 1
                filename = f"{stem}-{number}{suffix}"
            taken.add(filename.lower())
            external[obj.class_name, obj.number, name] = filename
    return external


def _value_of(document: Document, key: tuple[str, int, str]) -> str:
    class_name, number, name = key
    obj = document.object(class_name, number)
    return cast(str, obj.values[name]) if obj else ""
