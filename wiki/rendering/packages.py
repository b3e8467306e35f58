"""Macros from Python packages, which name a module of theirs in the entry point group
``wikimill.macros``.

A package that cannot be used never keeps the wiki from starting: what is wrong with it is
kept in ``registry.problems``.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points

from wiki.rendering.macros import Problem, Registry, marked

#: A value of this group is a module whose functions are marked with ``@macro``.
GROUP = "wikimill.macros"


def load_packages(registry: Registry) -> None:
    """Register the macros of the installed packages, in the order of the packages' names.

    To be called once the wiki's own macros are there: a name that is taken stays as it is.
    """
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: (_package(entry), entry.name)):
        _load(registry, entry)


def _load(registry: Registry, entry: EntryPoint) -> None:
    package = _package(entry)
    try:
        module = entry.load()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever its import does
        registry.problems.append(Problem(package, _why(entry, error)))
        return
    functions = marked(module) if isinstance(module, types.ModuleType) else []
    if not functions:
        registry.problems.append(Problem(
            package, f"{entry.value} is no module with functions that are marked with @macro"))
    for function in functions:
        _register(registry, function, package)


def _register(registry: Registry, function: Callable[..., object], package: str) -> None:
    try:
        registry.register(function, package)
    except Exception as error:  # noqa: BLE001 - a signature's annotations run the package's code
        registry.problems.append(Problem(package, f"{function.__name__}: {error}"))


def _why(entry: EntryPoint, error: BaseException) -> str:
    return f"{entry.value} cannot be imported: {type(error).__name__}: {error}"


def _package(entry: EntryPoint) -> str:
    """``shouting 1.0``, or the entry point's own name where its package has none."""
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.name
