"""Documents and what they carry: pure, frozen data, no I/O.

A change makes a new value with :func:`dataclasses.replace` or an ``with_...`` method, so a
document can be shared between threads and caches without a copy.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from wiki.errors import AttachmentNotFound, InvalidDocument
from wiki.references import Reference
from wiki.translate import gettext, is_shipped, shipped, shipped_lines

#: The user as whom the wiki itself acts: installs pages, records runs. Holds every right.
SYSTEM = "Wiki.System"
#: The author of what nobody logged in did.
GUEST = "Wiki.Guest"
MARKDOWN = "markdown/1.0"
#: The date of what has none yet.
NO_DATE = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """``major.minor`` as in XWiki: ``1.1``, then ``1.2`` for a minor edit, ``2.1`` otherwise."""

    major: int
    minor: int

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read ``2.1``; raises :class:`InvalidDocument` for anything else."""
        match = re.fullmatch(r"([0-9]{1,9})\.([0-9]{1,9})", text)
        if not match:
            raise InvalidDocument(gettext("%(text)s is not a version; one looks like 2.1",
                                          text=repr(text)))
        return cls(int(match[1]), int(match[2]))

    def next(self, minor: bool = False) -> Version:
        """The version of the save after this one."""
        return Version(self.major, self.minor + 1) if minor else Version(self.major + 1, 1)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


#: The version of a page's first save.
FIRST = Version(1, 1)


@dataclass(frozen=True, slots=True)
class Property:
    """A typed property of a class; what the type means is in :mod:`wiki.classes`.

    ``options`` are the type's own: ``values`` and ``multiple`` of a StaticList, ``min``, ``max``
    and ``integer`` of a Number, ``kind`` (``text``, ``markdown``, ``code``) of a TextArea,
    ``class`` of a Page.
    """

    name: str
    type: str = "String"
    pretty_name: str = ""
    help: str = ""
    default: Any = None
    required: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        return self.pretty_name or self.name


@dataclass(frozen=True, slots=True)
class ClassDefinition:
    """An ordered set of properties."""

    properties: tuple[Property, ...] = ()

    def get(self, name: str) -> Property | None:
        return next((prop for prop in self.properties if prop.name == name), None)


@dataclass(frozen=True, slots=True)
class Object:
    """An instance of a class on a document: class page, number within that class, values.

    Values are JSON scalars or lists of strings; a Date is an ISO 8601 string; a Password is
    ``{"hash": "..."}``, which no door shows. Objects are numbered from 0 within their class,
    and keep their number when another is removed.
    """

    class_name: str
    number: int
    values: Mapping[str, Any] = field(default_factory=dict)

    def with_values(self, **values: Any) -> Object:
        return replace(self, values={**self.values, **values})


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file on a document; its bytes lie in the store under their SHA-256 (hex)."""

    filename: str
    size: int
    mimetype: str
    sha256: str
    author: str = GUEST
    created: datetime = NO_DATE


def media_type(filename: str) -> str:
    """The type that a file's name tells, such as ``text/csv``."""
    return mimetypes.guess_type(filename)[0] or "application/octet-stream"


def check_filename(filename: str) -> str:
    """Return the attachment name; raises :class:`InvalidDocument` if it cannot be one."""
    bad = (not filename or filename in (".", "..") or filename != filename.strip()
           or re.search(r'[/\\\x00-\x1f\x7f\ud800-\udfff]', filename)
           or len(filename.encode(errors="replace")) > 255)
    if bad:
        raise InvalidDocument(gettext(
            "%(name)s cannot be an attachment's name: it takes 1 to 255 bytes without '/', '\\' "
            "and control characters", name=repr(filename)))
    return filename


@dataclass(frozen=True, slots=True)
class Document:
    """A page at one version. ``tags`` and ``objects`` are kept in order; dates are UTC.

    ``content_author`` last changed the content, ``script_author`` last changed anything else
    that runs (see :data:`wiki.rights.RUNNABLE_CLASSES`), ``author`` last changed anything.
    """

    reference: Reference
    title: str = ""
    content: str = ""
    syntax: str = MARKDOWN
    parent: str = ""
    hidden: bool = False
    tags: tuple[str, ...] = ()
    objects: tuple[Object, ...] = ()
    class_definition: ClassDefinition | None = None
    attachments: tuple[Attachment, ...] = ()
    version: Version = FIRST
    comment: str = ""
    minor: bool = False
    creator: str = GUEST
    author: str = GUEST
    content_author: str = GUEST
    script_author: str = GUEST
    created: datetime = NO_DATE
    updated: datetime = NO_DATE
    #: The id of the task's run that saved it; empty where a person did.
    run: str = ""

    @property
    def display_title(self) -> str:
        """The title, in the language shown now where the wiki has it so, or the name where there
        is none (the space's for a home page)."""
        if self.title:
            return shipped(str(self.reference), self.title)
        return self.reference.spaces[-1] if self.reference.name == "WebHome" else (
            self.reference.name)

    @property
    def display_content(self) -> str:
        """The text, in the language shown now where the wiki has lines of it so."""
        return shipped_lines(str(self.reference), self.content)

    @property
    def display_class(self) -> ClassDefinition | None:
        """The class with labels and help in the language shown now, where the wiki has them so."""
        name = str(self.reference)
        if self.class_definition is None or not is_shipped(name):
            return self.class_definition
        return ClassDefinition(tuple(
            replace(prop, pretty_name=shipped(name, prop.pretty_name),
                    help=shipped(name, prop.help))
            for prop in self.class_definition.properties))

    def objects_of(self, class_name: str) -> tuple[Object, ...]:
        return tuple(obj for obj in self.objects if obj.class_name == class_name)

    def object(self, class_name: str, number: int | None = None) -> Object | None:
        """The object of that number, or the first of the class; None where there is none."""
        return next((obj for obj in self.objects if obj.class_name == class_name
                     and number in (None, obj.number)), None)

    def with_object(self, obj: Object) -> Document:
        """Put the object in the place of the one with its class and number, or at the end."""
        kept = list(self.objects)
        for index, old in enumerate(kept):
            if (old.class_name, old.number) == (obj.class_name, obj.number):
                kept[index] = obj
                break
        else:
            kept.append(obj)
        return replace(self, objects=tuple(kept))

    def without_object(self, class_name: str, number: int) -> Document:
        return replace(self, objects=tuple(
            obj for obj in self.objects if (obj.class_name, obj.number) != (class_name, number)))

    def next_number(self, class_name: str) -> int:
        return max((obj.number for obj in self.objects_of(class_name)), default=-1) + 1

    def attachment(self, filename: str) -> Attachment:
        """Raises :class:`AttachmentNotFound`."""
        for attachment in self.attachments:
            if attachment.filename == filename:
                return attachment
        raise AttachmentNotFound(gettext("%(page)s has no attachment %(name)s",
                                         page=self.reference, name=repr(filename)))

    def with_attachment(self, attachment: Attachment) -> Document:
        """Add or replace by filename, in order of filename."""
        others = [old for old in self.attachments if old.filename != attachment.filename]
        return replace(self, attachments=tuple(
            sorted([*others, attachment], key=lambda item: item.filename)))

    def without_attachment(self, filename: str) -> Document:
        self.attachment(filename)
        return replace(self, attachments=tuple(
            old for old in self.attachments if old.filename != filename))


@dataclass(frozen=True, slots=True)
class Revision:
    """A line of a page's history."""

    version: Version
    author: str
    updated: datetime
    comment: str
    minor: bool
    #: The id of the task's run that saved it; empty where a person did.
    run: str = ""
    #: The content's length in characters.
    size: int = 0
