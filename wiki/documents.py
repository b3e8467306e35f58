"""Documents as scripts, macros and doors work with them: opened by a user, changed, saved.

What keeps them is a :class:`Keeper`; :class:`wiki.api.Wiki` is the one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, BinaryIO, Protocol, Self, cast

from wiki import classes
from wiki.errors import AttachmentNotFound, DocumentNotFound, ObjectNotFound
from wiki.model import (
    Attachment,
    ClassDefinition,
    Document,
    Object,
    Property,
    Revision,
    Version,
    check_filename,
    media_type,
)
from wiki.references import Reference
from wiki.translate import gettext

Name = str | Reference
#: An object of it on a class names the page that shows the class's pages.
SHEET_CLASS = "Wiki.ClassSheetClass"


class Keeper(Protocol):
    """What an open document asks of the wiki that it was opened in."""

    user: str

    def class_definition(self, class_name: Name) -> ClassDefinition | None: ...

    def save(self, document: Document, expected: Version | None, *, comment: str = "",
             minor: bool = False) -> Document: ...

    def delete(self, name: Name, expected: Version | None = None,
               comment: str = "") -> None: ...

    def rename(self, document: Document, expected: Version, name: Name,
               update_links: bool = True) -> Document: ...

    def revisions(self, name: Name, limit: int | None = None) -> list[Revision]: ...

    def put_blob(self, stream: BinaryIO | bytes) -> tuple[str, int]: ...

    def open_blob(self, sha256: str) -> BinaryIO: ...


class OpenDocument:
    """A document opened by a user: reads like :class:`wiki.model.Document`, and takes changes,
    which :meth:`save` keeps."""

    #: The fields that can be set.
    FIELDS = frozenset({"title", "content", "syntax", "parent", "hidden", "tags",
                        "class_definition"})

    record: Document

    def __init__(self, wiki: Keeper, record: Document, expected: Version | None) -> None:
        self._wiki = wiki
        self.record = record
        self._expected = expected

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "record":
            raise AttributeError(name)
        return getattr(self.record, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.FIELDS:
            if name == "tags":
                value = tuple(value)
            object.__setattr__(self, "record", replace(self.record, **{name: value}))
        elif name in ("_wiki", "record", "_expected"):
            object.__setattr__(self, name, value)
        else:
            raise AttributeError(f"a document has no {name!r} to set; it takes "
                                 + ", ".join(sorted(self.FIELDS)))

    def __repr__(self) -> str:
        return f"<Document {self.record.reference} {self.record.version}>"

    @property
    def is_new(self) -> bool:
        return self._expected is None

    # -- objects ---------------------------------------------------------------------------

    def object(self, class_name: Name, number: int | None = None) -> OpenObject | None:
        """The first object of the class (or that with the number), or None."""
        obj = self.record.object(str(reference(class_name)), number)
        return OpenObject(self, obj.class_name, obj.number) if obj else None

    def objects(self, class_name: Name | None = None) -> list[OpenObject]:
        """All objects, or those of a class."""
        wanted = None if class_name is None else str(reference(class_name))
        return [OpenObject(self, obj.class_name, obj.number) for obj in self.record.objects
                if wanted in (None, obj.class_name)]

    def add_object(self, class_name: Name, **values: Any) -> OpenObject:
        """Add an object; properties that are not named get their class's defaults.

        Raises InvalidValue for a wrong value.
        """
        ref = str(reference(class_name))
        definition = self._wiki.class_definition(ref)
        if definition is not None:
            values = {**classes.defaults(definition), **values}
            values = dict(classes.validate(definition, values))
        obj = Object(ref, self.record.next_number(ref), values)
        self.record = self.record.with_object(obj)
        return OpenObject(self, ref, obj.number)

    def remove_object(self, class_name: Name, number: int = 0) -> None:
        """Raises ObjectNotFound."""
        ref = str(reference(class_name))
        if self.record.object(ref, number) is None:
            raise ObjectNotFound(gettext(
                "%(page)s has no object %(ref)s %(number)s", page=self.record.reference, ref=ref,
                number=number))
        self.record = self.record.without_object(ref, number)

    def define_class(self, *properties: Property) -> None:
        """Make this page a class with these properties; raises InvalidDocument."""
        self.class_definition = classes.check_definition(ClassDefinition(properties))

    def add_sheet(self, sheet: Name = "Wiki.ObjectSheet") -> None:
        """Have a page show all pages of this class, by default with a table of their values; a
        class that has a sheet keeps it."""
        if self.object(SHEET_CLASS) is None:
            self.add_object(SHEET_CLASS, sheet=str(sheet))

    # -- attachments -----------------------------------------------------------------------

    def attach(self, filename: str, data: BinaryIO | bytes) -> Attachment:
        """Keep the bytes now; the page names them once it is saved.

        Raises InvalidDocument (the filename), TooLarge or AccessDenied.
        """
        check_filename(filename)
        sha256, size = self._wiki.put_blob(data)
        attachment = Attachment(filename, size, media_type(filename), sha256, self._wiki.user,
                                datetime.now(UTC))
        self.record = self.record.with_attachment(attachment)
        return attachment

    def attachment(self, filename: str) -> OpenAttachment:
        """Raises AttachmentNotFound."""
        return OpenAttachment(self._wiki, self.record.attachment(filename))

    @property
    def attachments(self) -> list[OpenAttachment]:
        return [OpenAttachment(self._wiki, item) for item in self.record.attachments]

    def remove_attachment(self, filename: str) -> None:
        """Raises AttachmentNotFound."""
        self.record = self.record.without_attachment(filename)

    # -- keeping ---------------------------------------------------------------------------

    def save(self, comment: str = "", minor: bool = False) -> Self:
        """Raises Conflict when somebody saved since this was read; see :meth:`Wiki.save`."""
        self.record = self._wiki.save(self.record, self._expected, comment=comment, minor=minor)
        self._expected = self.record.version
        return self

    def delete(self, comment: str = "") -> None:
        """Move the page to the recycle bin. Raises Conflict when somebody saved since this was
        read."""
        self._wiki.delete(self.record.reference, self._expected, comment)

    def rename(self, name: Name, update_links: bool = True) -> Self:
        """Move the page, with its history, and turn the links that lead to it.

        Raises DocumentExists, Conflict, InvalidReference or AccessDenied.
        """
        from_ = self.record.reference
        if self._expected is None:
            raise DocumentNotFound(gettext(
                "%(page)s was never saved; save it under its new name", page=from_))
        self.record = self._wiki.rename(self.record, self._expected, name, update_links)
        self._expected = self.record.version
        return self

    def revisions(self, limit: int | None = None) -> list[Revision]:
        """All of them, or the newest ``limit``, newest first."""
        return self._wiki.revisions(self.record.reference, limit)


class OpenObject:
    """An object of an open document; a value set here is kept by the document's save."""

    def __init__(self, document: OpenDocument, class_name: str, number: int) -> None:
        self._document = document
        self.class_name = class_name
        self.number = number

    @property
    def values(self) -> Mapping[str, Any]:
        """Property name -> value, passwords left out."""
        obj = self._document.record.object(self.class_name, self.number)
        if obj is None:
            raise ObjectNotFound(gettext(
                "%(page)s no longer has the object %(class_name)s %(number)s",
                page=self._document.record.reference, class_name=self.class_name,
                number=self.number))
        return classes.visible(obj.values)

    def __getitem__(self, name: str) -> Any:
        return self.values.get(name)

    def get(self, name: str, default: Any = None) -> Any:
        value = self.values.get(name)
        return default if value is None else value

    def __setitem__(self, name: str, value: Any) -> None:
        self.update(**{name: value})

    def update(self, **values: Any) -> None:
        """Set several; raises InvalidValue for a wrong value."""
        document = self._document
        obj = cast(Object, document.record.object(self.class_name, self.number))
        definition = document._wiki.class_definition(self.class_name)
        if definition is not None:
            values = dict(classes.validate(definition, values, partial=True))
        document.record = document.record.with_object(obj.with_values(**values))

    def __repr__(self) -> str:
        return f"<Object {self.class_name} {self.number}>"


class OpenAttachment:
    """An attachment that can be opened; its other attributes are those of
    :class:`wiki.model.Attachment`."""

    def __init__(self, wiki: Keeper, record: Attachment) -> None:
        self._wiki = wiki
        self.record = record

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "record":
            raise AttributeError(name)
        return getattr(self.record, name)

    def open(self) -> BinaryIO:
        """A seekable binary stream; raises AttachmentNotFound when the bytes are lost."""
        try:
            return self._wiki.open_blob(self.record.sha256)
        except AttachmentNotFound:
            raise AttachmentNotFound(
                gettext(
                    "the bytes of %(filename)s are lost from the store",
                    filename=self.record.filename)) from None

    def read(self) -> bytes:
        with self.open() as stream:
            return stream.read()


def reference(name: Name) -> Reference:
    return name if isinstance(name, Reference) else Reference.parse(name)
