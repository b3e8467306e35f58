"""Jinja2 in pages: a sandbox in which a script sees façades with a list of what they show.

What stops a script that runs for ever or eats the memory is the process that it runs in
(:mod:`wiki.rendering.pool`); nothing inside Python can.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, ClassVar

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, pass_context
from jinja2.runtime import BlockReference, Context, LoopContext, Macro, TemplateReference
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Cycler, Joiner, Namespace
from markupsafe import Markup

from wiki import classes
from wiki.api import Wiki, make_query
from wiki.errors import MacroError, WikiError
from wiki.model import Attachment, Document, Object
from wiki.references import Reference
from wiki.rendering import links
from wiki.rendering.macros import MacroContext, Stash

#: The most text that a script puts out.
MAX_OUTPUT = 5_000_000
#: The most documents that one query gives.
MAX_ROWS = 1_000

_PLAIN = (str, bytes, int, float, bool, type(None), list, tuple, dict, set, frozenset, date,
          datetime, timedelta, range)
_RUNTIME = (LoopContext, Macro, Cycler, Joiner, Namespace, TemplateReference, BlockReference)
_UNSAFE_FILTERS = ("urlize", "xmlattr", "pprint", "random")
_TEMPLATE = "<jinja>"

_stash: ContextVar[Stash] = ContextVar("stash")


class Facade:
    """An object that shows a script only the attributes in ``public``."""

    public: ClassVar[frozenset[str]] = frozenset()
    __slots__ = ()


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2 without a loader, without attributes that are not listed, and without a way to
    put out a value that Markdown or the macro parser would read."""

    def __init__(self) -> None:
        super().__init__(autoescape=True, undefined=StrictUndefined, loader=None, cache_size=0,
                         finalize=_inert, trim_blocks=True, lstrip_blocks=True,
                         extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"])
        for name in _UNSAFE_FILTERS:
            self.filters.pop(name, None)
        # A value is escaped where it is put out; these must not make it pass for a template's
        # own text.
        for name in ("safe", "e", "escape", "forceescape"):
            self.filters[name] = str
        self.filters["tojson"] = _to_json
        self.globals.pop("lipsum", None)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if isinstance(obj, Facade):
            return attr in obj.public
        return isinstance(obj, (*_PLAIN, *_RUNTIME)) and super().is_safe_attribute(
            obj, attr, value)

    def is_safe_callable(self, obj: Any) -> bool:
        owner = getattr(obj, "__self__", None)
        known = (isinstance(obj, _RUNTIME) or isinstance(owner, (Facade, *_PLAIN, *_RUNTIME))
                 or obj in self.globals.values())
        return known and super().is_safe_callable(obj)


@pass_context
def _inert(context: Context, value: Any) -> Any:
    """Put a value away under a word. Text of the template's own (a ``{% macro %}``'s, say) is
    the only Markup there is, and stays."""
    if isinstance(value, Markup):
        return value
    return _stash.get().put("" if value is None else str(value))


def _to_json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, indent=indent, ensure_ascii=False, default=str)


@lru_cache(maxsize=1)
def _sandbox() -> Sandbox:
    return Sandbox()


@lru_cache(maxsize=256)
def _compile(text: str) -> Template:
    return _sandbox().from_string(text)


def run(text: str, context: MacroContext) -> str:
    """Run a script; returns Markdown with macros, every value in it a word of the stash.

    Raises MacroError with the line of the script.
    """
    token = _stash.set(context.state.stash)
    try:
        return _output(_compile(text).generate(**_variables(context)))
    except MacroError:
        raise
    except TemplateSyntaxError as error:
        raise MacroError(f"line {error.lineno} of the script: {error.message}") from error
    except (TemplateError, WikiError, ArithmeticError, LookupError, TypeError, ValueError,
            AttributeError, RecursionError) as error:
        raise MacroError(f"{_line(error)}{type(error).__name__}: {error}") from error
    except MemoryError:
        raise MacroError("the script needs more memory than a page may use") from None
    finally:
        _stash.reset(token)


def _output(parts: Iterable[str]) -> str:
    output: list[str] = []
    size = 0
    for part in parts:
        size += len(part)
        if size > MAX_OUTPUT:
            raise MacroError(f"the script puts out more than {MAX_OUTPUT} characters")
        output.append(part)
    return "".join(output)


def _line(error: BaseException) -> str:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__)
              if frame.filename in (_TEMPLATE, "<template>", "<unknown>")]
    return f"line {frames[-1].lineno} of the script: " if frames else ""


def _variables(context: MacroContext) -> dict[str, object]:
    return {"wiki": WikiFacade(context), "request": RequestFacade(context.args),
            "doc": DocumentFacade(context.wiki, context.document),
            "user": UserFacade(context.user)}


class WikiFacade(Facade):
    """``wiki``: documents, as the reader may see them."""

    public = frozenset({"get", "exists", "query", "count", "search", "url", "spaces", "changes",
                        "backlinks", "tags", "tagged"})
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
                 "snippet": hit.snippet.replace("\x02", "").replace("\x03", "")}
                for hit in self._wiki.search(text, space, min(limit, MAX_ROWS))]

    def url(self, name: object, action: str = "", **args: object) -> str:
        return links.page_url(self._reference(name), action, **args)

    def spaces(self) -> list[tuple[str, int]]:
        return self._wiki.spaces()

    def changes(self, limit: int = 20) -> list[dict[str, object]]:
        return [{"reference": str(row.reference), "title": row.title, "author": row.author,
                 "updated": row.updated} for row in self._wiki.changes(min(limit, MAX_ROWS))]

    def backlinks(self, name: object) -> list[str]:
        return [str(item) for item in self._wiki.backlinks(self._reference(name))]

    def tags(self) -> list[tuple[str, int]]:
        return self._wiki.tags()

    def tagged(self, tag: str) -> list[str]:
        return [str(item) for item in self._wiki.tagged(tag)]


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
    """``user``: the reader."""

    public = frozenset({"reference", "name"})
    __slots__ = ("name", "reference")

    def __init__(self, user: str) -> None:
        self.reference = user
        self.name = Reference.parse(user).name
