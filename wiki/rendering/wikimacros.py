"""Wiki macros: macros that people write on pages.

A page with an object of ``Wiki.MacroClass`` is one; objects of ``Wiki.MacroParameterClass`` are
its parameters. What the pages say is read once and kept; a question to the index tells what has
changed since, by whatever process.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from markupsafe import Markup

from wiki.api import Wiki
from wiki.errors import MacroError, WikiError
from wiki.model import Document
from wiki.references import Reference
from wiki.rendering import scripting
from wiki.rendering.facades import BodyFacade, ParamsFacade
from wiki.rendering.macros import Body, MacroContext, MacroSpec, Parameter, Registry
from wiki.rights import Right, allows
from wiki.store.base import Query, State

MACRO_CLASS = "Wiki.MacroClass"
PARAMETER_CLASS = "Wiki.MacroParameterClass"
#: In a wiki macro's code, where its body is to stand: on a line of its own, and within one.
BODY, INLINE_BODY = "body", "inlinebody"
#: How often a live one is asked for at most, in seconds.
QUICKEST = 1.0

_CLASSES = (MACRO_CLASS, PARAMETER_CLASS)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,99}")
_TYPES: Mapping[str, type] = {"string": str, "list": str, "page": str, "integer": int,
                              "number": float, "boolean": bool}
_BODIES: tuple[Body, ...] = ("none", "rendered", "raw")


@dataclass(frozen=True, slots=True)
class WikiMacro:
    """A macro as its page defines it."""

    page: Reference
    name: str
    #: ``wiki``, ``space`` (with the spaces below it), or ``user`` (its script author's texts).
    visibility: str
    author: str
    code: str
    spec: MacroSpec
    #: What keeps it from working, or empty.
    problem: str = ""

    @property
    def armed(self) -> bool:
        """Whether its script author may script."""
        return allows(self.author, Right.SCRIPT)

    def nearness(self, source: Reference, author: str) -> int | None:
        """How near it is to a text on the page ``source`` by ``author``; None where the text
        does not see it."""
        spaces = self.page.spaces
        if self.visibility == "user":
            return 1000 if author == self.author else None
        if self.visibility == "space":
            return len(spaces) if source.spaces[:len(spaces)] == spaces else None
        return 0


@dataclass(frozen=True, slots=True)
class _Index:
    """All macros of the wiki as of one moment."""

    mark: str = ""
    pages: Mapping[Reference, WikiMacro] = field(default_factory=dict)
    names: Mapping[str, tuple[WikiMacro, ...]] = field(default_factory=dict)


class WikiMacros:
    """The macros on the wiki's pages. Safe for use by several threads."""

    def __init__(self, wiki: Wiki, registry: Registry) -> None:
        """``wiki``: as who may read every page."""
        self._wiki = wiki
        self._registry = registry
        self._index = _Index()
        self._state: State | None = None
        self._lock = threading.Lock()

    def refresh(self) -> bool:
        """Take in what was saved since the last time; whether that changed any macro."""
        state = self._wiki.state()
        if state == self._state:
            return False
        with self._lock:
            before = self._index
            more = True
            while more:
                since = self._wiki.changes_since(self._index.mark, _CLASSES)
                if since.anew:
                    pages = {row.reference: None
                             for row in self._wiki.rows(Query(MACRO_CLASS))}
                    self._index = self._read({}, pages, since.mark)
                elif since.pages:
                    changed = (page.reference for page in since.pages
                               if page.fits or page.reference in self._index.pages)
                    self._index = self._read(self._index.pages, changed, since.mark)
                more = since.more
            self._state = state
            return self._index.pages != before.pages

    def _read(self, known: Mapping[Reference, WikiMacro], changed: Iterable[Reference],
              mark: str) -> _Index:
        references = list(changed)
        if not references and self._index.mark:
            return replace(self._index, mark=mark)
        pages = dict(known)
        for reference in references:
            pages.pop(reference, None)
            found = self._open(reference)
            if found is not None:
                pages[reference] = found
        names: dict[str, list[WikiMacro]] = {}
        for reference in sorted(pages):
            names.setdefault(pages[reference].name, []).append(pages[reference])
        return _Index(mark, pages, {name: tuple(found) for name, found in names.items()})

    def _open(self, reference: Reference) -> WikiMacro | None:
        try:
            return read_macro(self._wiki.get(reference).record)
        except WikiError:  # deleted since, or damaged: then it is no macro until it is mended
            return None

    def inline(self, name: str) -> bool:
        """Whether the output of a macro of this name may stand in a paragraph."""
        return name == INLINE_BODY or any(
            item.spec.inline for item in self._index.names.get(name, ()))

    def literal(self, name: str) -> bool:
        """Whether every macro of this name takes its body as the text that it is."""
        found = self._index.names.get(name, ())
        return bool(found) and all(item.spec.body == "raw" for item in found)

    def find(self, name: str, source: Reference, author: str) -> WikiMacro | None:
        """The macro that a text on the page ``source`` by ``author`` means by the name.

        The nearest one wins, and one that is not armed only where no armed one is. Raises
        MacroError where two are as near.
        """
        seen = [(near, item) for item in self._index.names.get(name, ())
                if (near := item.nearness(source, author)) is not None]
        armed = [(near, item) for near, item in seen if item.armed] or seen
        if not armed:
            return None
        nearest = max(near for near, _ in armed)
        found = [item for near, item in armed if near == nearest]
        if len(found) > 1 and found[0].armed:
            raise MacroError(f"there are two macros of this name, {found[0].page} and "
                             f"{found[1].page}; rename one")
        return found[0]

    def visible(self, source: Reference, author: str) -> list[MacroSpec]:
        """The wiki macros that such a text can use, by name."""
        specs = []
        for name in sorted(self._index.names):
            if self._registry.get(name) is not None:
                continue
            try:
                found = self.find(name, source, author)
            except MacroError:  # two of one name: neither can be used
                continue
            if found is not None and found.armed and not found.problem:
                specs.append(found.spec)
        return specs

    def trouble(self, macro: WikiMacro) -> str:
        """Why a macro cannot be used, or empty."""
        if macro.problem:
            return macro.problem
        if self._registry.get(macro.name) is not None:
            return (f"the wiki has a macro {macro.name} of its own, which comes first; give this "
                    "one another name")
        if not macro.armed:
            return (f"{macro.author}, who changed it last, does not hold the script right; "
                    "somebody who does must look at it and save it")
        try:
            self.find(macro.name, macro.page, macro.author)
        except MacroError as error:
            return str(error)
        return ""


def read_macro(document: Document) -> WikiMacro | None:
    """The macro that the page defines; None where it has no object of the class. What is wrong
    with the definition is its ``problem``."""
    obj = document.object(MACRO_CLASS)
    if obj is None:
        return None
    values = obj.values
    name = str(values.get("name") or "").strip()
    code = str(values.get("code") or "")
    body = str(values.get("body") or "none")
    parameters, problem = _parameters(document)
    if body not in _BODIES:
        problem = f"its body is one of {', '.join(_BODIES)}, not {body!r}"
    if not _NAME.fullmatch(name) or name in (BODY, INLINE_BODY):
        problem = (f"{name!r} cannot be a macro's name; one has letters, digits, - and _, begins "
                   f"with a letter, and is not {BODY} or {INLINE_BODY}")
    problem = problem or scripting.problem(code)
    run = _Run(document.reference, document.script_author, code, parameters,
               values.get("inline") is True, problem)
    spec = MacroSpec(
        name, run, parameters, str(values.get("description") or "").strip(),
        cast(Body, body), body_required=False, inline=values.get("inline") is True,
        live=_every(values.get("live")), examples=_examples(str(values.get("examples") or "")),
        page=document.reference)
    return WikiMacro(document.reference, name, str(values.get("visibility") or "wiki"),
                     document.script_author, code, spec, problem)


def _every(value: object) -> float:
    """How often a live macro is asked for, in seconds; 0 for one that is not live."""
    return max(QUICKEST, float(value)) if isinstance(value, int | float) and value > 0 else 0.0


def _examples(text: str) -> tuple[str, ...]:
    parts = re.split(r"^---[ \t]*$", text.replace("\r\n", "\n"), flags=re.MULTILINE)
    return tuple(part.strip("\n") for part in parts if part.strip())


def _parameters(document: Document) -> tuple[tuple[Parameter, ...], str]:
    """The parameters in their order, and what is wrong with one."""
    found: dict[str, Parameter] = {}
    for obj in document.objects:
        if obj.class_name != PARAMETER_CLASS:
            continue
        try:
            parameter = _parameter(obj.values)
        except MacroError as error:
            return tuple(found.values()), str(error)
        if parameter.name in found:
            return tuple(found.values()), f"it has two parameters {parameter.name}"
        found[parameter.name] = parameter
    return tuple(found.values()), ""


def _parameter(values: Mapping[str, Any]) -> Parameter:
    name, kind = str(values.get("name") or "").strip(), str(values.get("type") or "string")
    if not _NAME.fullmatch(name):
        raise MacroError(f"{name!r} cannot be a parameter's name; one has letters, digits, - and "
                         "_, and begins with a letter")
    if kind not in _TYPES:
        raise MacroError(f"{name}: {kind!r} is no type; there are {', '.join(_TYPES)}")
    choices = tuple(line.strip() for line in str(values.get("choices") or "").splitlines()
                    if line.strip()) if kind == "list" else ()
    if kind == "list" and not choices:
        raise MacroError(f"{name}: a list needs its choices, one a line")
    parameter = Parameter(name, name, _TYPES[kind], None, values.get("required") is True, choices,
                          page=kind == "page", help=str(values.get("description") or "").strip())
    default = str(values.get("default") or "")
    if not default:
        return parameter
    try:
        return replace(parameter, default=parameter.convert("", default))
    except MacroError as error:
        raise MacroError(f"the default of {error}") from None


@dataclass(frozen=True, slots=True)
class _Run:
    """What a wiki macro's spec calls: runs its code for one place of a page."""

    page: Reference
    author: str
    code: str
    parameters: tuple[Parameter, ...]
    inline: bool
    problem: str

    def __call__(self, context: MacroContext, body: str | Markup = "", /,
                 **given: Any) -> Markup:
        if self.problem:
            raise MacroError(f"{self.page} cannot be run: {self.problem}")
        if self.page in context.calling:
            chain = " > ".join(str(item) for item in (*context.calling, self.page))
            raise MacroError(f"the macro calls itself: {chain}")
        values = {item.name: self._value(context, item, given) for item in self.parameters}
        inner = replace(
            context.within(context.engine.wiki.get(self.page).record, self.author),
            calling=(*context.calling, self.page), including=context.including,
            body=body if isinstance(body, Markup) else Markup.escape(body))
        names = {"params": ParamsFacade(values),
                 "body": BodyFacade(body, INLINE_BODY if self.inline else BODY)}
        return context.engine.render_code(inner, self.code, names, self.inline)

    @staticmethod
    def _value(context: MacroContext, item: Parameter, given: Mapping[str, Any]) -> Any:
        value = given.get(item.name, item.default)
        # A page is named as seen from where the macro is used.
        return str(context.reference(value)) if item.page and value else value
