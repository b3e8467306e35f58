"""What a macro is: a function's name, parameters and help, as its author declared them."""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from wiki.errors import BadValue, InvalidReference, MacroError, ParameterError
from wiki.references import Reference
from wiki.translate import gettext, shipped

#: What a macro does with its body: has none; takes the text as it is; takes HTML, rendered;
#: takes the text as markup of its author's, values of scripts in it escaped.
Body = Literal["none", "raw", "rendered", "markup"]
_PAGE = "page"
#: A parameter that takes the name of a page, as seen from the page that the macro stands on.
PageName = Annotated[str, _PAGE]
F = TypeVar("F", bound=Callable[..., object])
_MARK = "__wiki_macro__"
_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})
#: A relative name is as right or wrong here as anywhere.
_ANYWHERE = Reference(("Any",), "Where")


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
            raise ParameterError(self.name, gettext(
                '%(name)s needs a value: <<%(macro_name)s %(name)s="..."', name=self.name,
                macro_name=macro_name))
        if self.choices and value not in self.choices:
            named = ", ".join(choice or '""' for choice in self.choices)
            raise self._refused(gettext(
                "%(value)s is not one of %(named)s", value=repr(value), named=named))
        if self.page and value.strip():
            self._check_page(value)
        return self._typed(value)

    def _check_page(self, value: str) -> None:
        try:
            Reference.parse(value, _ANYWHERE)
        except InvalidReference as error:
            raise self._refused(str(error)) from None

    def _typed(self, value: str) -> Any:
        text = value.strip()
        if self.type is bool:
            if text.lower() not in _TRUE | _FALSE:
                raise self._refused(gettext(
                    "%(value)s is neither true nor false", value=_short(value)))
            return text.lower() in _TRUE
        if self.type is int or self.type is float:
            if not text and not self.required:
                return self.default
            try:
                return self.type(text[:40])
            except ValueError:
                message = (gettext("%(value)s is not a whole number", value=_short(value))
                           if self.type is int
                           else gettext("%(value)s is not a number", value=_short(value)))
                raise self._refused(message) from None
        return value

    def _refused(self, why: str) -> BadValue:
        return BadValue(self.name, why)

    @property
    def takes(self) -> str:
        """What it takes, for the help, in the language shown now."""
        if self.choices:
            return gettext(" or ").join(filter(None, self.choices))
        if self.page:
            return gettext("page")
        return {bool: gettext("true or false"), int: gettext("whole number"),
                float: gettext("number")}.get(self.type, gettext("text"))


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
    def told(self) -> str:
        """The help in the language shown now."""
        return shipped(f"<<{self.name}>>", self.help)

    @property
    def summary(self) -> str:
        """The first sentence of the help, as plain text."""
        first = re.split(r"(?<=[.;])\s", self.told, maxsplit=1)[0]
        return " ".join(first.split()).replace("`", "")

    def arguments(self, params: Mapping[str, str | None]) -> dict[str, Any]:
        """Convert what was written; raises MacroError for unknown, missing or wrong ones."""
        known = {parameter.name: parameter for parameter in self.parameters}
        for name in params:
            if name not in known:
                raise ParameterError(name, gettext(
                    "there is no parameter %(name)s; %(takes)s", name=repr(name),
                    takes=self._takes()))
        for parameter in self.parameters:
            if parameter.required and parameter.name not in params:
                raise MacroError(gettext(
                    "the parameter %(name)s is missing; %(takes)s", name=parameter.name,
                    takes=self._takes()))
        return {known[name].argument: known[name].convert(self.name, value)
                for name, value in params.items()}

    def check_body(self, body: str | None) -> None:
        """Raises MacroError for a body that it does not take, and for none where it needs one."""
        if self.body == "none" and body is not None:
            raise MacroError(gettext("it takes no body; write <<%(name)s/>>", name=self.name))
        if self.body != "none" and self.body_required and body is None:
            raise MacroError(gettext(
                "it needs a body: <<%(name)s>>...<</%(name)s>>", name=self.name))

    def _takes(self) -> str:
        if not self.parameters:
            return gettext("%(name)s takes none", name=self.name)
        return gettext("%(name)s takes %(names)s", name=self.name,
                       names=", ".join(item.name for item in self.parameters))


def declared(function: Callable[..., object]) -> MacroSpec:
    """The macro that a function is, which :func:`macro` marked; raises MacroError."""
    declaration = getattr(function, _MARK, None)
    if not isinstance(declaration, Declaration):
        raise MacroError(f"{function!r} is no macro; mark it with @macro(name)")
    return _spec(declaration, function)


def marked(module: types.ModuleType) -> list[Callable[..., object]]:
    """The functions of a module, and of those below it, that :func:`macro` marked."""
    return [value for value in vars(module).values()
            if isinstance(getattr(value, _MARK, None), Declaration)
            and f"{value.__module__}.".startswith(f"{module.__name__}.")]


def _spec(declaration: Declaration, function: Callable[..., object]) -> MacroSpec:
    hints = typing.get_type_hints(function, include_extras=True)
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
    page = hint == PageName
    if page:
        hint = str
    choices: tuple[str, ...] = ()
    if typing.get_origin(hint) is Literal:
        choices, hint = typing.get_args(hint), str
    if hint not in (str, int, float, bool):
        raise MacroError(f"{item.name}: a macro's parameter is str, int, float, bool or Literal")
    return Parameter(item.name.rstrip("_"), item.name, hint, None if required else item.default,
                     required, choices, page)


def _short(value: str) -> str:
    return repr(value if len(value) <= 60 else value[:57] + "...")
