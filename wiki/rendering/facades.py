"""What scripts in pages see: façades, each with a list of what it shows.

``Help.Scripting`` documents them; a test holds it to the lists here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from markupsafe import Markup

from wiki import classes
from wiki.api import Wiki, make_query
from wiki.errors import DocumentNotFound
from wiki.language import links
from wiki.model import Attachment, Document, Object
from wiki.recent import last_changed
from wiki.references import Reference
from wiki.rendering.macros import MacroContext

#: The most documents that one query gives.
MAX_ROWS = 1_000
USER_CLASS = "Wiki.UserClass"


class Facade:
    """An object that shows a script only the attributes in ``public``."""

    public: ClassVar[frozenset[str]] = frozenset()
    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__.removesuffix('Facade')}>"


def variables(context: MacroContext) -> dict[str, object]:
    """What every script sees, by name."""
    return {"wiki": WikiFacade(context), "request": RequestFacade(context.args),
            "doc": DocumentFacade(context.wiki, context.document),
            "user": UserFacade(context.wiki, Reference.parse(context.user))}


class WikiFacade(Facade):
    """``wiki``: documents, as the reader may see them."""

    public = frozenset({"get", "exists", "query", "count", "search", "url", "spaces", "changes",
                        "backlinks", "tags", "tagged", "user"})
    __slots__ = ("_context", "_wiki")

    def __init__(self, context: MacroContext) -> None:
        self._context = context
        self._wiki = context.wiki

    def _reference(self, name: object) -> Reference:
        return self._context.reference(str(name))

    def get(self, name: object) -> DocumentFacade:
        return DocumentFacade(self._wiki, self._wiki.get(self._reference(name)).record)

    def exists(self, name: object) -> bool:
        return self._context.exists(self._reference(name))

    def query(self, class_name: str | None = None, *, order_by: str | list[str] = "",
              limit: int = 100, offset: int = 0, space: str | None = None,
              **conditions: object) -> list[DocumentFacade]:
        orders = (order_by or ()) if isinstance(order_by, str) else tuple(order_by)
        found = self._wiki.query(class_name, order_by=orders, limit=min(limit, MAX_ROWS),
                                 offset=offset, space=space, **conditions)
        return [DocumentFacade(self._wiki, document.record) for document in found]

    def count(self, class_name: str | None = None, space: str | None = None,
              **conditions: object) -> int:
        return self._wiki.count(make_query(class_name, conditions, (), None, 0, space))

    def search(self, text: str, space: str | None = None,
               limit: int = 20) -> list[dict[str, str]]:
        return [{"reference": str(hit.reference), "title": hit.title,
                 "snippet": (hit.snippet or " ".join(file.snippet for file in hit.files))
                 .replace("\x02", "").replace("\x03", "")}
                for hit in self._wiki.search(text, space, min(limit, MAX_ROWS))]

    def url(self, name: object, action: str = "", **args: object) -> str:
        return links.page_url(self._reference(name), action, **args)

    def spaces(self) -> list[tuple[str, int]]:
        return self._wiki.spaces()

    def changes(self, limit: int = 20) -> list[dict[str, object]]:
        return [{"reference": str(row.reference), "title": row.title, "author": row.author,
                 "updated": row.updated} for row in last_changed(self._wiki, min(limit, MAX_ROWS))]

    def backlinks(self, name: object) -> list[str]:
        return [str(item) for item in self._wiki.backlinks(self._reference(name))]

    def tags(self) -> list[tuple[str, int]]:
        return self._wiki.tags()

    def tagged(self, tag: str) -> list[str]:
        return [str(item) for item in self._wiki.tagged(tag)]

    def user(self, name: object) -> UserFacade:
        return UserFacade(self._wiki, self._reference(name))


class DocumentFacade(Facade):
    """A document as a script reads it."""

    public = frozenset({
        "reference", "name", "space", "title", "content", "author", "creator", "content_author",
        "created", "updated", "version", "tags", "parent", "hidden", "comment", "object",
        "objects", "attachments", "url"})
    __slots__ = ("_record", "_wiki")

    def __init__(self, wiki: Wiki, record: Document) -> None:
        self._wiki = wiki
        self._record = record

    def __getattr__(self, name: str) -> object:
        if name not in self.public or name in type(self).__dict__:
            raise AttributeError(name)
        return getattr(self._record, name)

    @property
    def reference(self) -> str:
        return str(self._record.reference)

    @property
    def name(self) -> str:
        return self._record.reference.name

    @property
    def space(self) -> str:
        return self._record.reference.space

    @property
    def title(self) -> str:
        return self._record.display_title

    @property
    def version(self) -> str:
        return str(self._record.version)

    @property
    def url(self) -> str:
        return links.page_url(self._record.reference)

    @property
    def attachments(self) -> list[AttachmentFacade]:
        return [AttachmentFacade(self._record.reference, item)
                for item in self._record.attachments]

    def object(self, class_name: str, number: int | None = None) -> ObjectFacade | None:
        found = self._record.object(str(Reference.parse(class_name)), number)
        return ObjectFacade(found) if found else None

    def objects(self, class_name: str | None = None) -> list[ObjectFacade]:
        return [ObjectFacade(item) for item in self._record.objects
                if class_name in (None, item.class_name)]


class ObjectFacade(Facade):
    """An object: ``obj["property"]``, ``obj.get("property", default)``."""

    public = frozenset({"class_name", "number", "get", "items", "keys"})
    __slots__ = ("_values", "class_name", "number")

    def __init__(self, record: Object) -> None:
        self._values = dict(classes.visible(record.values))
        self.class_name = record.class_name
        self.number = record.number

    def __getitem__(self, name: str) -> object:
        return self._values.get(name)

    def get(self, name: str, default: object = None) -> object:
        value = self._values.get(name)
        return default if value is None else value

    def keys(self) -> list[str]:
        return list(self._values)

    def items(self) -> list[tuple[str, object]]:
        return list(self._values.items())


class AttachmentFacade(Facade):
    """An attachment."""

    public = frozenset({"filename", "size", "mimetype", "author", "created", "url"})
    __slots__ = ("author", "created", "filename", "mimetype", "size", "url")

    def __init__(self, reference: Reference, record: Attachment) -> None:
        self.filename, self.size = record.filename, record.size
        self.mimetype, self.author = record.mimetype, record.author
        self.created = record.created
        self.url = links.attachment_url(reference, record.filename)


class ArgumentsFacade(Facade):
    """``request.args``: the values in the page's address."""

    public = frozenset({"get", "keys"})
    __slots__ = ("_args",)

    def __init__(self, args: Mapping[str, str]) -> None:
        self._args = dict(args)

    def __getitem__(self, name: str) -> str:
        return self._args[name]

    def __contains__(self, name: object) -> bool:
        return name in self._args

    def get(self, name: str, default: str = "") -> str:
        return self._args.get(name, default)

    def keys(self) -> list[str]:
        return list(self._args)


class RequestFacade(Facade):
    """``request``."""

    public = frozenset({"args"})
    __slots__ = ("args",)

    def __init__(self, args: Mapping[str, str]) -> None:
        self.args = ArgumentsFacade(args)


class UserFacade(Facade):
    """``user``, the reader, and what ``wiki.user(name)`` gives."""

    public = frozenset({"reference", "name", "full_name", "exists", "url"})
    __slots__ = ("_reference", "_wiki", "name", "reference", "url")

    def __init__(self, wiki: Wiki, reference: Reference) -> None:
        self._wiki, self._reference = wiki, reference
        self.reference, self.name = str(reference), reference.name
        self.url = links.page_url(reference)

    @property
    def exists(self) -> bool:
        return self._profile() is not None

    @property
    def full_name(self) -> str:
        """First and last name as the user's page has them; else the name."""
        profile = self._profile()
        parts = [profile.values.get(key) for key in ("firstName", "lastName")] if profile else []
        return " ".join(str(part) for part in parts if part) or self.name

    def _profile(self) -> Object | None:
        try:
            return self._wiki.get(self._reference).record.object(USER_CLASS)
        except DocumentNotFound:
            return None


class ParamsFacade(Facade):
    """``params``: the parameters of a wiki macro, each of its type; None where not given."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> object:
        return self._values[name]

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)


class BodyFacade(Facade):
    """``body``: the body of a wiki macro. Put out, it stands for what it is; else it is text."""

    __slots__ = ("_text", "placeholder")

    def __init__(self, body: str, macro: str) -> None:
        self._text = str(body.striptags()) if isinstance(body, Markup) else body
        #: Markup that shows the body, with macros; a value that is put out has none.
        self.placeholder = Markup(f"<<{macro}/>>") if isinstance(body, Markup) else None

    def __str__(self) -> str:
        return self._text

    def __len__(self) -> int:
        return len(self._text)
