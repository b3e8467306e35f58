"""Executors: finding a task's script, and telling without running it whether it can run."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from wiki.api import OpenDocument, Wiki
from wiki.errors import DamagedPage, DocumentNotFound, InvalidReference, TaskError
from wiki.references import Reference
from wiki.rights import Right, allows
from wiki.tasks.names import EXECUTOR_CLASS, TASK_CLASS

#: What a script must define.
ENTRY = "run"


@dataclass(frozen=True, slots=True)
class Executor:
    """A script that can run, as it is at one version of its page."""

    reference: Reference
    version: str
    author: str
    script: str
    time_limit: float | None
    memory_limit: float | None
    log_limit: float | None


class BadExecutor(TaskError):
    """The task's executor cannot run. ``version`` is that of its page, if there is one."""

    def __init__(self, reason: str, version: str = "") -> None:
        super().__init__(reason)
        self.version = version


def find_executor(wiki: Wiki, task: OpenDocument) -> Executor:
    """The executor that the task names; a bare name is in the task's own space.

    Raises BadExecutor, which says what is wrong with it.
    """
    page = _page(wiki, task)
    version = str(page.version)
    obj = page.object(EXECUTOR_CLASS)
    if obj is None:
        raise BadExecutor(f"{page.reference} is no executor: it has no object of "
                          f"{EXECUTOR_CLASS}", version)
    script = str(obj.get("script", ""))
    problem = check_script(script, str(page.reference))
    if problem:
        raise BadExecutor(f"{page.reference}: {problem}", version)
    if not allows(page.script_author, Right.SCRIPT):
        raise BadExecutor(f"{page.reference} was last changed by {page.script_author}, who does "
                          "not hold the script right", version)
    return Executor(page.reference, version, page.script_author, script,
                    _limit(obj["timeLimit"]), _limit(obj["memoryLimit"]),
                    _limit(obj["logLimit"]))


def _page(wiki: Wiki, task: OpenDocument) -> OpenDocument:
    obj = task.object(TASK_CLASS)
    name = str(obj.get("taskExecutor", "")) if obj else ""
    if not name:
        raise BadExecutor("the task names no executor")
    try:
        return wiki.get(Reference.parse(name, task.reference))
    except InvalidReference as error:
        raise BadExecutor(f"its executor is no page name: {error}") from None
    except DocumentNotFound:
        raise BadExecutor(f"its executor {name} does not exist") from None
    except DamagedPage as error:
        raise BadExecutor(f"its executor cannot be read: {error}") from None


@lru_cache(maxsize=64)
def check_script(script: str, name: str) -> str:
    """What keeps the script from running, as far as that shows without running it, or ``""``."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an old escape sequence is the script's own affair
            tree = ast.parse(script, name)
            compile(script, name, "exec", dont_inherit=True)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg} ({type(error).__name__})"
    except (ValueError, OverflowError, MemoryError, RecursionError) as error:
        return f"it cannot be compiled: {type(error).__name__}: {error}"
    if not any(_defines(node) for node in _statements(tree.body)):
        return f"it defines no function {ENTRY}(logger, wiki, task)"
    return ""


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


def _limit(value: Any) -> float | None:
    """A limit from an object; empty, damaged and 0 are none."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if number > 0 else None
