"""Jinja2 in pages: a sandbox in which a script sees façades with a list of what they show.

:mod:`wiki.rendering.budget` limits what a script may use, with an error that names its line.
What stops one that runs for ever or eats the memory all the same is the process that it runs
in (:mod:`wiki.rendering.renderer`); nothing inside Python can.
"""

from __future__ import annotations

import functools
import json
import traceback
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from jinja2 import (
    StrictUndefined,
    Template,
    TemplateError,
    TemplateSyntaxError,
    nodes,
    pass_context,
)
from jinja2.runtime import BlockReference, Context, LoopContext, Macro, TemplateReference
from jinja2.sandbox import ImmutableSandboxedEnvironment, SandboxedFormatter
from jinja2.utils import Cycler, Joiner, Namespace
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from wiki.errors import MacroError, WikiError
from wiki.rendering.budget import (
    Budget,
    check_numbers,
    check_operation,
    check_percent,
    check_width,
    sized,
)
from wiki.rendering.facades import BodyFacade, Facade, variables
from wiki.rendering.macros import MacroContext, Stash
from wiki.translate import gettext

_PLAIN = (str, bytes, int, float, bool, type(None), list, tuple, dict, set, frozenset, date,
          datetime, timedelta, range)
_RUNTIME = (LoopContext, Macro, Cycler, Joiner, Namespace, TemplateReference, BlockReference)
_UNSAFE_FILTERS = ("urlize", "xmlattr", "pprint", "random")
_TEMPLATE = "<jinja>"
#: The rounds of a loop that a call of a Jinja2 macro counts as, being as slow.
CALL = 10
#: Filters that the metering of loops and texts calls.
_ROUND, _SIZED = "_round", "_sized"


@dataclass(frozen=True, slots=True)
class _Run:
    """What a script that runs now puts its values into, and what it may use."""

    stash: Stash
    budget: Budget


_run: ContextVar[_Run] = ContextVar("run")


class _Metering(NodeTransformer):
    """Has each round of a loop and each call of a macro counted, each concatenation measured."""

    def visit_For(self, node: nodes.For) -> nodes.Node:
        self.generic_visit(node)
        count = _filter(nodes.Const(1), _ROUND, node.lineno)
        if node.test is not None:
            node.test = nodes.And(count, node.test, lineno=node.lineno)
        else:
            node.body.insert(0, nodes.ExprStmt(count, lineno=node.lineno))
        return node

    def visit_Macro(self, node: nodes.Macro) -> nodes.Node:
        self.generic_visit(node)
        count = _filter(nodes.Const(CALL), _ROUND, node.lineno)
        node.body.insert(0, nodes.ExprStmt(count, lineno=node.lineno))
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        return _filter(node, _SIZED, node.lineno)


def _filter(node: nodes.Expr, name: str, line: int) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=line)


class _Formatter(SandboxedFormatter):
    def format_field(self, value: Any, format_spec: str) -> Any:
        check_width(format_spec)
        return super().format_field(value, format_spec)


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2 without a loader, without attributes that are not listed, and without a way to
    put out a value that Markdown or the macro parser would read."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

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
        self.filters.update(tojson=_to_json, format=_format, date=_date)
        for name, function in self.filters.items():
            self.filters[name] = _measured(function)
        self.filters.update({_ROUND: _count_round, _SIZED: _measured(_as_it_is)})
        self.globals.pop("lipsum", None)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        metered: nodes.Template = _Metering().visit(tree)
        metered.set_environment(self)
        return metered

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if isinstance(obj, Facade):
            return attr in obj.public
        return isinstance(obj, (*_PLAIN, *_RUNTIME)) and super().is_safe_attribute(
            obj, attr, value)

    def is_safe_callable(self, obj: Any) -> bool:
        owner = getattr(obj, "__self__", None)
        known = (isinstance(obj, _RUNTIME) or isinstance(owner, (Facade, *_PLAIN, *_RUNTIME))
                 or getattr(obj, "formats", None) is self or obj in self.globals.values())
        return known and super().is_safe_callable(obj)

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        if isinstance(getattr(obj, "__self__", None), str | bytes | int):
            check_numbers(*args, *kwargs.values())
        return sized(super().call(context, obj, *args, **kwargs))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        check_operation(operator, left, right)
        return sized(super().call_binop(context, operator, left, right))

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        if super().wrap_str_format(value) is None:
            return None
        text, mapped = str(value.__self__), value.__name__ == "format_map"

        def format_text(*args: Any, **kwargs: Any) -> str:
            if mapped:
                args, kwargs = (), dict(*args)
            return str(sized(_Formatter(self).vformat(text, args, kwargs)))

        format_text.formats = self  # type: ignore[attr-defined]
        return format_text


def _measured(function: Callable[..., Any]) -> Callable[..., Any]:
    """The filter with what it is given and what it gives held to the budget."""
    if not hasattr(function, "__dict__"):  # a type or a builtin, which a wrapper cannot follow
        return lambda value, *args, **kwargs: sized(function(value, *args, **kwargs))

    @functools.wraps(function)
    def measured(*args: Any, **kwargs: Any) -> Any:
        check_numbers(*args[1:], *kwargs.values())
        return sized(function(*args, **kwargs))
    return measured


@pass_context
def _count_round(context: Context, rounds: int) -> int:
    """So many more rounds of a loop."""
    _run.get().budget.spend_rounds(rounds)
    return rounds


@pass_context
def _as_it_is(context: Context, value: Any) -> Any:
    return value


@pass_context
def _inert(context: Context, value: Any) -> Any:
    """Put a value away under a word. Text of the template's own (a ``{% macro %}``'s, say) is
    the only Markup there is, and stays."""
    if isinstance(value, BodyFacade) and value.placeholder is not None:
        return value.placeholder
    if isinstance(value, Markup):
        return value
    run = _run.get()
    text = "" if value is None else str(value)
    run.budget.spend_output(len(text))
    return run.stash.put(text)


def _to_json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, indent=indent, ensure_ascii=False, default=str)


def _format(value: Any, *args: Any, **kwargs: Any) -> str:
    """``"%s"|format(x)``."""
    text = str(value)
    check_percent(text)
    return text % (kwargs or args)


def _date(value: date | str | None, pattern: str = "%Y-%m-%d %H:%M") -> str:
    """A date or a moment, also as the text that a property has, as text."""
    if not value:
        return ""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    check_percent(pattern)
    return moment.strftime(pattern)


@lru_cache(maxsize=1)
def _sandbox() -> Sandbox:
    return Sandbox()


@lru_cache(maxsize=256)
def _compile(text: str) -> Template:
    return _sandbox().from_string(text)


def is_script(text: str) -> bool:
    """Whether there is any Jinja2 in the text."""
    return any(mark in text for mark in ("{{", "{%", "{#"))


def problem(text: str) -> str:
    """What is wrong with a script, as far as that shows without running it, or empty."""
    try:
        _compile(text)
    except TemplateSyntaxError as error:
        return f"line {error.lineno}: {error.message}"
    except (TemplateError, RecursionError, MemoryError, SyntaxError, ValueError) as error:
        return str(error) or "it nests too deep"
    return ""


def run(text: str, context: MacroContext, names: Mapping[str, object] | None = None,
        place: str = "the script", line: int = 1) -> str:
    """Run a script; returns Markdown with macros, every value in it a word of the stash.

    ``names`` are seen beside what every script sees. Raises MacroError with the line of
    ``place``, where the script begins at ``line``.
    """
    state = context.state
    token = _run.set(_Run(state.stash, state.budget))
    try:
        return _output(_compile(text).generate({**variables(context), **(names or {})}))
    except TemplateSyntaxError as error:
        raise MacroError(_at(error.lineno, place, line, error.message or "")) from error
    except MacroError as error:
        raise MacroError(_at(_line_of(error), place, line, str(error))) from error
    except (TemplateError, WikiError, ArithmeticError, LookupError, TypeError, ValueError,
            AttributeError) as error:
        raise MacroError(_at(_line_of(error), place, line,
                             f"{type(error).__name__}: {error}")) from error
    except RecursionError as error:
        raise MacroError(_at(_line_of(error), place, line,
                             gettext("it nests too deep"))) from error
    except MemoryError as error:
        traceback.clear_frames(error.__traceback__)  # what it piled up goes at once
        raise MacroError(gettext("the script needs more memory than a page may use")) from None
    finally:
        _run.reset(token)


def _output(parts: Iterable[str]) -> str:
    output: list[str] = []
    budget = _run.get().budget
    for part in parts:
        budget.spend_output(len(part))
        output.append(part)
    return "".join(output)


def _line_of(error: BaseException) -> int | None:
    """The script's line that raised it; None where that cannot be told."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__)
              if frame.filename in (_TEMPLATE, "<template>", "<unknown>")]
    return frames[-1].lineno if frames else None


def _at(number: int | None, place: str, line: int, message: str) -> str:
    """The message, with the line of ``place``, where the script begins at ``line``."""
    if not number:
        return message
    return gettext("line %(line)s of %(place)s: %(message)s", line=number + line - 1,
                   place=place, message=message)
