"""What a macro is, the registry that holds them, and the context that they are given.

A macro is a function in a file of its own in ``macros/``::

    @macro("showlog")
    def showlog(context: MacroContext, log: str, lines: int = 200) -> Markup:
        \"\"\"Show the log of a task.\"\"\"

Its signature is its list of parameters, its docstring its help.
"""

from __future__ import annotations

import importlib.util
import inspect
import re
import secrets
import sys
import threading
import time
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from markupsafe import Markup

from wiki.api import Wiki
from wiki.errors import MacroError
from wiki.model import GUEST, Document
from wiki.references import Reference
from wiki.rendering import links
from wiki.rendering.anchors import Anchors
from wiki.rendering.budget import Budget
from wiki.rendering.parts import Part
from wiki.rendering.timing import Clock

#: What a macro does with its body: has none; takes the text as it is; takes HTML, rendered;
#: takes the text as markup of its author's, values of scripts in it escaped.
Body = Literal["none", "raw", "rendered", "markup"]
F = TypeVar("F", bound=Callable[..., object])
T = TypeVar("T")
_MARK = "__wiki_macro__"
#: How many macros are made from the whole page: each looks through all of its HTML.
MAX_DEFERRED = 20
_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})


@dataclass(frozen=True, slots=True)
class Declaration:
    """What :func:`macro` was given."""

    name: str
    body: Body
    inline: bool
    live: float


def macro(name: str, *, body: Body = "none", inline: bool = False,
          live: float = 0.0) -> Callable[[F], F]:
    """Mark a function as the macro ``name``; it is registered when its file is loaded.

    ``body``: ``rendered`` gives the function a second argument ``body``, Markup; ``raw`` and
    ``markup`` give it text. ``inline``: the output may stand inside a paragraph. ``live``: the
    browser brings the output up to date each so many seconds; 0 for what changes with pages
    only.
    """
    def mark(function: F) -> F:
        setattr(function, _MARK, Declaration(name, body, inline, live))
        return function
    return mark


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a macro. ``type`` is ``str``, ``int``, ``float`` or ``bool``; ``choices``
    are the allowed texts, where there are only some."""

    name: str
    argument: str
    type: type
    default: Any = None
    required: bool = False
    choices: tuple[str, ...] = ()
    #: Whether it takes the name of a page.
    page: bool = False
    help: str = ""

    def convert(self, macro_name: str, value: str | None) -> Any:
        """The value from its text (None for a flag); raises MacroError."""
        if value is None:
            if self.type is bool:
                return True
            raise MacroError(f'{self.name} needs a value: <<{macro_name} {self.name}="..."')
        if self.choices and value not in self.choices:
            raise MacroError(f"{self.name}: {value!r} is not one of {', '.join(self.choices)}")
        return self._typed(value)

    def _typed(self, value: str) -> Any:
        text = value.strip()
        if self.type is bool:
            if text.lower() not in _TRUE | _FALSE:
                raise MacroError(f"{self.name}: {_short(value)} is neither true nor false")
            return text.lower() in _TRUE
        if self.type is int or self.type is float:
            if not text and not self.required:
                return self.default
            try:
                return self.type(text[:40])
            except ValueError:
                kind = "a whole number" if self.type is int else "a number"
                raise MacroError(f"{self.name}: {_short(value)} is not {kind}") from None
        return value

    @property
    def takes(self) -> str:
        """What it takes, for the help."""
        if self.choices:
            return " or ".join(self.choices)
        if self.page:
            return "page"
        return {bool: "true or false", int: "whole number", float: "number"}.get(
            self.type, "text")


@dataclass(frozen=True, slots=True)
class MacroSpec:
    """A registered macro."""

    name: str
    function: Callable[..., object]
    parameters: tuple[Parameter, ...]
    help: str
    body: Body = "none"
    body_required: bool = False
    inline: bool = False
    live: float = 0.0
    #: Markup that shows it at work, from its docstring.
    examples: tuple[str, ...] = ()
    #: The Python package that it is from, with its version; empty for one of our own.
    package: str = ""
    #: The page that defines it; None for one of Python.
    page: Reference | None = None

    @property
    def summary(self) -> str:
        """The first sentence of the help, as plain text."""
        first = re.split(r"(?<=[.;])\s", self.help, maxsplit=1)[0]
        return " ".join(first.split()).replace("`", "")

    def arguments(self, params: Mapping[str, str | None]) -> dict[str, Any]:
        """Convert what was written; raises MacroError for unknown, missing or wrong ones."""
        known = {parameter.name: parameter for parameter in self.parameters}
        for name in params:
            if name not in known:
                raise MacroError(f"there is no parameter {name!r}; {self._takes()}")
        for parameter in self.parameters:
            if parameter.required and parameter.name not in params:
                raise MacroError(f"the parameter {parameter.name} is missing; {self._takes()}")
        return {known[name].argument: known[name].convert(self.name, value)
                for name, value in params.items()}

    def _takes(self) -> str:
        if not self.parameters:
            return f"{self.name} takes none"
        return f"{self.name} takes " + ", ".join(item.name for item in self.parameters)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a package, or one macro of it, is left out."""

    package: str
    reason: str


class Registry:
    """The macros by name. A duplicate, or a registration after :meth:`freeze`, raises."""

    def __init__(self) -> None:
        self._macros: dict[str, MacroSpec] = {}
        self._frozen = False
        #: What is wrong with the packages that add macros.
        self.problems: list[Problem] = []

    def register(self, function: Callable[..., object], package: str = "") -> MacroSpec:
        """Register a function that :func:`macro` marked; raises MacroError."""
        declaration = getattr(function, _MARK, None)
        if not isinstance(declaration, Declaration):
            raise MacroError(f"{function!r} is no macro; mark it with @macro(name)")
        if self._frozen:
            raise MacroError(f"{declaration.name}: macros are registered before the start only")
        if declaration.name in self._macros:
            raise MacroError(f"there are two macros {declaration.name!r}; rename one")
        spec = replace(_spec(declaration, function), package=package)
        self._macros[spec.name] = spec
        return spec

    def load_directory(self, directory: Path) -> None:
        """Import every file in the directory and register the macros in it."""
        for path in sorted(directory.glob("*.py")):
            if not path.name.startswith("_"):
                self._load(path)

    def _load(self, path: Path) -> None:
        name = f"wikimill_macros_{path.stem}"
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise MacroError(f"{path} cannot be imported")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        for function in marked(module):
            self.register(function)

    def freeze(self) -> None:
        """Take no more macros."""
        self._frozen = True

    def get(self, name: str) -> MacroSpec | None:
        return self._macros.get(name)

    def names(self) -> list[str]:
        return sorted(self._macros)

    def __iter__(self) -> typing.Iterator[MacroSpec]:
        return iter(self._macros[name] for name in self.names())


class Engine(Protocol):
    """What a context asks of the renderer."""

    wiki: Wiki
    registry: Registry
    services: Mapping[type, object]

    def find(self, context: MacroContext, name: str) -> MacroSpec | None:
        """The macro that the text means by the name; raises MacroError where two fit."""

    def visible_macros(self, source: Reference, author: str) -> list[MacroSpec]:
        """All that a text on the page ``source`` by ``author`` can use, by name."""

    def render_code(self, context: MacroContext, code: str, names: Mapping[str, object],
                    inline: bool) -> Markup: ...

    def render_text(self, context: MacroContext, text: str, line: int = 1,
                    column: int = 1, margin: int = 0) -> Markup: ...

    def render_script(self, context: MacroContext, text: str) -> Markup: ...

    def render_included(self, context: MacroContext, reference: Reference,
                        section: str | None) -> Markup: ...

    def render_displayed(self, context: MacroContext, reference: Reference) -> Markup: ...

    def call(self, context: MacroContext, spec: MacroSpec, params: Mapping[str, str | None],
             body: str | None) -> Markup: ...


class Stash:
    """Values put away under words that nobody can guess, so that Markdown and the macro parser
    pass them by."""

    def __init__(self) -> None:
        self._prefix = f"v{secrets.token_hex(10)}"
        self._values: list[str] = []

    def __len__(self) -> int:
        return len(self._values)

    def put(self, value: str) -> str:
        """The word that stands for the value."""
        self._values.append(value)
        return f"{self._prefix}i{len(self._values) - 1}z"

    def restore(self, text: str, html: bool) -> str:
        """The text with its values back, escaped if it is ``html``."""
        head, *parts = text.split(self._prefix + "i")
        restored = [head]
        for part in parts:
            number, mark, rest = part.partition("z")
            if mark and number.isdigit() and int(number) < len(self._values):
                value = self._values[int(number)]
                restored.append((escape(value) if html else value) + rest)
            else:
                restored.append(part)
        return "".join(restored)


@dataclass(slots=True)
class RenderState:
    """What the parts of one rendering share."""

    stash: Stash = field(default_factory=Stash)
    #: Word in the output -> what it becomes once the whole page's HTML is there.
    deferred: dict[str, Callable[[str], Markup]] = field(default_factory=dict)
    #: What was rendered so far: macros, characters of text, characters of HTML.
    macros: int = 0
    source: int = 0
    output: int = 0
    #: Whether one of them passed its limit, so that no further macro is run.
    stopped: bool = False
    budget: Budget = field(default_factory=Budget)
    #: Whether the HTML depends on nothing but pages, the reader and the address.
    kept: bool = True
    missing: dict[Reference, bool] = field(default_factory=dict)
    #: The ids that are taken in the HTML.
    anchors: Anchors = field(default_factory=Anchors)
    #: How long slow macros may still hold the page, in seconds; None: as long as they take.
    patience: float | None = None
    clock: Clock = field(default_factory=Clock)

    def wait(self, ended: threading.Event) -> bool:
        """Wait for a slow macro as long as the page still may; whether it has ended."""
        begun = time.monotonic()
        done = ended.wait(self.patience)
        if self.patience is not None:
            self.patience = max(0.0, self.patience - (time.monotonic() - begun))
        return done

    def apart(self) -> RenderState:
        """The state of a part that another thread makes: it starts as this one, and goes on for
        itself."""
        return replace(self, deferred=dict(self.deferred), missing=dict(self.missing),
                       anchors=self.anchors.copy(), patience=None,
                       clock=Clock(self.clock.detailed))

    def adopt(self, part: RenderState) -> None:
        """Take over what came of a part that is put in place."""
        self.deferred.update(part.deferred)
        self.missing.update(part.missing)
        self.macros = max(self.macros, part.macros)
        self.source = max(self.source, part.source)
        self.output = max(self.output, part.output)
        self.stopped = self.stopped or part.stopped
        self.kept = self.kept and part.kept
        self.anchors = part.anchors
        self.clock.adopt(part.clock)


@dataclass(frozen=True, slots=True)
class MacroContext:
    """What a macro sees: the wiki as the reader, the page that is viewed, the page that its
    text is from, and ways to render and to link. Never the store, never Flask."""

    wiki: Wiki
    #: The page that is viewed.
    document: Document
    #: The page that the macro's text is from: another one in an include or a sheet.
    source: Document
    #: Whose rights the text runs with: the one who last changed it.
    author: str
    args: Mapping[str, str]
    form_token: str
    path: str
    engine: Engine
    state: RenderState
    #: Whether the macro stands within a line.
    inline: bool = False
    #: Whether the text came out of a script, whose values may be in it.
    scripted: bool = False
    depth: int = 0
    including: tuple[Reference, ...] = ()
    #: The pages that are viewed one in another, each through its sheet.
    displaying: tuple[Reference, ...] = ()
    #: The line of the page on which the macro's body begins.
    body_line: int = 1
    #: The pages of the wiki macros whose code the text is in.
    calling: tuple[Reference, ...] = ()
    #: The body of the wiki macro whose code the text is.
    body: Markup | None = None
    #: Where the macro stands in its page.
    line: int = 0
    column: int = 0
    #: The live part of the page that the macro is, or stands in.
    part: Part | None = None

    @property
    def user(self) -> str:
        """The reader."""
        return self.wiki.user

    def render(self, text: str) -> Markup:
        """Markdown with macros, as HTML.

        The text may be anybody's (a property's value, say), so nothing in it runs with more
        rights than a guest has. A macro whose body runs with its author's rights asks for it
        with ``body="rendered"``.
        """
        return self.engine.render_text(replace(self, author=GUEST, scripted=False), text)

    def render_document(self, reference: Reference | str, section: str | None = None) -> Markup:
        """Another page's content, run with its own author's rights; ``section`` is the heading
        of the part to show.

        Raises MacroError where the page includes itself, or has no such section.
        """
        return self.engine.render_included(self, self.reference(reference), section)

    def display_document(self, reference: Reference | str) -> Markup:
        """Another page as its own view shows it: through its sheet, or else its content.

        Raises MacroError where the page shows itself.
        """
        return self.engine.render_displayed(self, self.reference(reference))

    def anchor(self, wanted: str) -> str:
        """An id that no other element of the page has: the wanted one, if it is free."""
        return self.state.anchors.claim(wanted)

    def service(self, kind: type[T]) -> T:
        """The running service of this type; raises MacroError where there is none."""
        self.changing()
        found = self.engine.services.get(kind)
        if not isinstance(found, kind):
            raise MacroError(f"no {kind.__name__} is running here")
        return found

    def changing(self) -> None:
        """What is shown depends on more than pages, the reader and the address, so that it is
        made anew for each view: on the clock, say. Asking for a service says so too."""
        self.state.kept = False

    def pace(self, seconds: float) -> None:
        """A live macro asks to be brought up to date each so many seconds from now on, and not
        as often as its declaration says: while nothing moves, say."""
        if self.part is not None and self.part.live:
            self.part.every = seconds

    def reference(self, name: Reference | str) -> Reference:
        """A page name as written in the text, which may be relative to its page."""
        if isinstance(name, Reference):
            return name
        return Reference.parse(name.strip(), self.source.reference)

    def exists(self, reference: Reference) -> bool:
        """Whether there is such a page; asked once a rendering."""
        known = self.state.missing.get(reference)
        if known is None:
            known = self.state.missing[reference] = reference in self.wiki
        return known

    def url(self, reference: Reference | str, action: str = "", **args: object) -> str:
        """The address of a page; ``args`` become the query string."""
        return links.page_url(self.reference(reference), action, **args)

    def link(self, reference: Reference | str, label: str = "") -> Markup:
        """A link to a page, marked where the page is missing."""
        target = self.reference(reference)
        return links.page_link(target, label or str(target), self.exists(target))

    def macro(self, name: str, **params: object) -> Markup:
        """What another macro gives; raises MacroError."""
        spec = self.engine.find(self, name)
        if spec is None:
            raise MacroError(f"there is no macro {name!r}")
        texts = {key: str(value) for key, value in params.items()}
        return self.engine.call(self, spec, texts, None)

    def defer(self, finish: Callable[[str], Markup]) -> Markup:
        """Put something in this place that is made from the whole page's HTML at the end.

        Raises MacroError where the page does so too often.
        """
        if len(self.state.deferred) >= MAX_DEFERRED:
            raise MacroError(f"a page holds at most {MAX_DEFERRED} macros that are made from "
                             "all of it")
        word = f"d{secrets.token_hex(12)}z"
        self.state.deferred[word] = finish
        return Markup(word)

    def within(self, source: Document, author: str) -> MacroContext:
        """The context of another page's text."""
        return replace(self, source=source, author=author, scripted=False, body=None,
                       including=(*self.including, source.reference))


def marked(module: types.ModuleType) -> list[Callable[..., object]]:
    """The functions of a module, and of those below it, that :func:`macro` marked."""
    return [value for value in vars(module).values()
            if isinstance(getattr(value, _MARK, None), Declaration)
            and f"{value.__module__}.".startswith(f"{module.__name__}.")]


def _spec(declaration: Declaration, function: Callable[..., object]) -> MacroSpec:
    hints = typing.get_type_hints(function)
    parameters = list(inspect.signature(function).parameters.values())[1:]
    body_required = False
    if declaration.body != "none":
        if not parameters or parameters[0].name != "body":
            raise MacroError(f"{declaration.name}: its second parameter must be 'body'")
        body_required = parameters.pop(0).default is inspect.Parameter.empty
    text, examples = split_help(inspect.getdoc(function) or "")
    return MacroSpec(declaration.name, function,
                     tuple(_parameter(item, hints.get(item.name)) for item in parameters),
                     text, declaration.body, body_required, declaration.inline,
                     declaration.live, examples)


def split_help(text: str) -> tuple[str, tuple[str, ...]]:
    """A macro's help, and the examples at its end: indented after a line ``Examples:``, with
    a line ``---`` between two of them."""
    help_text, _, block = text.partition("\nExamples:\n")
    examples = inspect.cleandoc("\n" + block).split("\n---\n") if block else []
    return help_text.rstrip(), tuple(example.strip("\n") for example in examples)


def _parameter(item: inspect.Parameter, hint: Any) -> Parameter:
    required = item.default is inspect.Parameter.empty
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        hint = next(kind for kind in typing.get_args(hint) if kind is not type(None))
    choices: tuple[str, ...] = ()
    if typing.get_origin(hint) is Literal:
        choices, hint = typing.get_args(hint), str
    if hint not in (str, int, float, bool):
        raise MacroError(f"{item.name}: a macro's parameter is str, int, float, bool or Literal")
    return Parameter(item.name.rstrip("_"), item.name, hint, None if required else item.default,
                     required, choices)


def _short(value: str) -> str:
    return repr(value if len(value) <= 60 else value[:57] + "...")
