"""What is wrong with a script, as far as that shows without running it."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from pyflakes import checker, messages

from wiki.tasks.requirements import missing
from wiki.translate import gettext, language

#: What the script of an executor must define.
ENTRY = "run"
#: The longest script that is looked at for more than whether it runs, in characters.
MOST = 200_000
#: At most so many warnings are told.
MANY = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a script. An ``error`` keeps it from running, a ``warning`` does not.

    ``line`` and ``column`` count from 1; both are 0 where it is not about a line.
    """

    line: int
    column: int
    message: str
    level: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        return (gettext("line %(line)s: %(message)s", line=self.line, message=self.message)
                if self.line else self.message)


def problems(script: str, name: str, requirements: str = "", *,
             module: bool = False) -> list[Problem]:
    """All that is wrong with it, errors first; ``name`` is that of its page. A ``module`` is
    loaded by other scripts, and needs no function ``run``."""
    fatal = fatal_problem(script, name, module)
    unmet = missing(requirements)
    found = [fatal] if fatal else []
    found += [Problem(0, 0, unmet)] if unmet else []
    if len(script) <= MOST and not (fatal and fatal.line):
        found += _warnings(script, name, module)
    return found


def fatal_problem(script: str, name: str, module: bool = False) -> Problem | None:
    """What keeps the script from running, its requirements apart."""
    return _fatal_problem(script, name, module, language())


@lru_cache(maxsize=64)
def _fatal_problem(script: str, name: str, module: bool, _: str) -> Problem | None:
    """Kept by the language too."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an old escape sequence is the script's own affair
            tree = ast.parse(script, name)
            compile(script, name, "exec", dont_inherit=True)
    except SyntaxError as error:
        line = error.lineno or 0
        return Problem(line, max(error.offset or 1, 1) if line else 0,
                       f"{error.msg} ({type(error).__name__})")
    except (ValueError, OverflowError, MemoryError, RecursionError) as error:
        return Problem(0, 0, gettext("it cannot be compiled: %(error)s",
                                     error=f"{type(error).__name__}: {error}"))
    if not module and not any(_defines(node) for node in _statements(tree.body)):
        return Problem(0, 0, gettext("it defines no function %(function)s",
                                     function=f"{ENTRY}(logger, wiki, task)"))
    return None


def _warnings(script: str, name: str, module: bool) -> list[Problem]:
    """What pyflakes finds: names that are not defined, imports that are not used, and the like."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # A module has the wiki of the run that loads it.
            looked = checker.Checker(ast.parse(script, name), name,
                                     builtins={"wiki"} if module else None)
    except (SyntaxError, ValueError, OverflowError, MemoryError, RecursionError):
        return []  # it does not compile, as fatal_problem says
    found = sorted(looked.messages, key=lambda message: (message.lineno, message.col))
    return [_warning(message) for message in found[:MANY]]


def _warning(message: messages.Message) -> Problem:
    return Problem(message.lineno, message.col + 1, message.message % message.message_args,
                   "warning")


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of the module, those within ``if``, ``try``, ``with`` and loops too."""
    for statement in body:
        yield statement
        for inner in ("body", "orelse", "finalbody"):
            if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield from _statements(getattr(statement, inner, []))
        for handler in getattr(statement, "handlers", []):
            yield from _statements(handler.body)


def _defines(node: ast.stmt) -> bool:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return node.name == ENTRY
    if isinstance(node, ast.Import | ast.ImportFrom):
        return any((alias.asname or alias.name) in (ENTRY, "*") for alias in node.names)
    targets = node.targets if isinstance(node, ast.Assign) else (
        [node.target] if isinstance(node, ast.AnnAssign) else [])
    return any(isinstance(name, ast.Name) and name.id == ENTRY
               for target in targets for name in ast.walk(target))
