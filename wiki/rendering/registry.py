"""The macros that there are, by name."""

from __future__ import annotations

import importlib.util
import sys
import typing
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from wiki.errors import MacroError
from wiki.rendering.declarations import MacroSpec, declared, marked


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
        spec = replace(declared(function), package=package)
        if self._frozen:
            raise MacroError(f"{spec.name}: macros are registered before the start only")
        if spec.name in self._macros:
            raise MacroError(f"there are two macros {spec.name!r}; rename one")
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
