"""Read the archives of XWiki (XAR): zip files with a file of XML for each document."""

import zipfile
from contextlib import contextmanager
from dataclasses import dataclass, field

from wiki.references import HOME

load = wiki.load  # noqa: F821 - a module's page is given the wiki
xml = load("Lib.SafeXML")
classes = load("Lib.XWikiClasses")
references = load("Lib.XWikiReferences")
BadXML = xml.BadXML

#: The longest document of an archive, and all of them together, unpacked, in bytes.
LARGEST = 100_000_000
ALL = 10_000_000_000
#: An archive that grows by more than this, and past so many bytes, was made to do harm.
GROWTH, HARMLESS = 200, 100_000_000

class BadArchive(ValueError):
    """The file is no archive of XWiki that can be read; the message says why."""


@contextmanager
def open_archive(attachment):
    """The zip file, once it is known to do no harm."""
    with attachment.open() as stream:
        try:
            archive = zipfile.ZipFile(stream)
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise BadArchive(f"this is no archive of XWiki: {error}") from None
        with archive:
            size = sum(entry.file_size for entry in archive.infolist())
            if size > ALL or size > max(HARMLESS, attachment.size * GROWTH):
                raise BadArchive(f"it unpacks to {size:,} bytes, which no archive of its size "
                                 "does")
            yield archive


@dataclass
class XObject:
    """An object: its class as the archive has it, and the texts of its properties."""

    definition: object
    values: dict = field(default_factory=dict)


@dataclass
class XDocument:
    """A document as the archive has it."""

    fields: dict = field(default_factory=dict)
    definition: object = None
    objects: list = field(default_factory=list)
    #: (filename, its bytes in base 64)
    attachments: list = field(default_factory=list)
    names: tuple = ()


class Reader:
    """Reads the documents of an archive."""

    def __init__(self, archive):
        self.archive = archive

    def document(self, name):
        """The document in a file of the archive; None where it holds none. Raises BadXML."""
        entry = self.archive.getinfo(name)
        if entry.file_size > LARGEST:
            raise BadArchive(f"{name} holds more than {LARGEST:,} bytes")
        try:
            with self.archive.open(entry) as stream:
                return self.read(xml.events(stream))
        except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError) as error:
            raise xml.BadXML(f"it cannot be unpacked: {error}") from None

    def read(self, events):
        kind, tag, attributes = next(events)
        if tag != "xwikidoc":
            return None
        document = XDocument()
        for kind, tag, value in events:
            if kind == "start" and tag == "class":
                document.definition = self.definition(events)
            elif kind == "start" and tag == "object":
                document.objects.append(self.object(events))
            elif kind == "start" and tag == "attachment":
                document.attachments.append(self.attachment(events))
            elif kind == "end":
                document.fields[tag] = value
        document.names = self.names(attributes.get("reference", ""), document.fields)
        return document

    def names(self, reference, fields):
        """The names of its spaces and its own."""
        if reference:
            return references.split(reference, ())
        space = references.split(fields.get("web", ""), ())
        return (*space, fields.get("name", "").strip() or HOME)

    def definition(self, events):
        """A class: an element for each property, with elements for what it says."""
        found = classes.Definition()
        path = []
        for kind, tag, value in events:
            if kind == "start":
                path.append(tag)
                continue
            if not path:
                break
            if path == ["name"]:
                found.name = value.strip()
            elif len(path) == 2:
                found.properties.setdefault(path[0], {})[tag] = value
            path.pop()
        found.properties = {name: spec for name, spec in found.properties.items()
                            if spec.get("classType")}
        return found

    def object(self, events):
        found = XObject(classes.Definition())
        class_name, path = "", []
        for kind, tag, value in events:
            if kind == "start" and tag == "class" and not path:
                found.definition = self.definition(events)
                continue
            if kind == "start":
                path.append(tag)
                continue
            if not path:
                break
            if path == ["className"]:
                class_name = value.strip()
            elif path[0] == "property" and len(path) >= 2:
                self.value(found.values, path, value)
            path.pop()
        found.definition.name = class_name or found.definition.name
        return found

    def value(self, values, path, text):
        """A property's text, or one of its texts: `<tags><value>a</value>…</tags>`."""
        texts = values.setdefault(path[1], [])
        if len(path) == 3 or (len(path) == 2 and not texts and text.strip()):
            texts.append(text)

    def attachment(self, events):
        fields = {}
        for kind, tag, value in events:
            if (kind, tag) == ("end", "attachment"):
                break
            if kind == "end":
                fields.setdefault(tag, value)
        return fields.get("filename", ""), fields.get("content", "")
