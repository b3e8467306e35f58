"""Scripts of pages as Python modules: a run's executor, and what it loads from other pages."""

from __future__ import annotations

import linecache
import sys
import types
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING

from wiki.errors import AccessDenied, TaskError
from wiki.references import Reference
from wiki.rights import Right, allows
from wiki.tasks.names import EXECUTOR_CLASS, MODULE_CLASS
from wiki.tasks.tracebacks import MODULE
from wiki.translate import gettext

if TYPE_CHECKING:
    from wiki.api import OpenDocument, Wiki

#: Before the name of a page in the name of its module, so that it is no installed package's.
PREFIX = "wiki:"


def load_script(name: str, script: str) -> types.ModuleType:
    """Execute the script as a module whose tracebacks show its lines under its page's name."""
    module = types.ModuleType(MODULE)
    _execute(module, name, script)
    return module


def _execute(module: types.ModuleType, page: str, script: str) -> None:
    linecache.cache[page] = (len(script), None, script.splitlines(keepends=True), page)
    module.__file__ = page
    sys.modules[module.__name__] = module
    exec(compile(script, page, "exec", dont_inherit=True), module.__dict__)


class Modules:
    """The modules that a run has loaded from pages, each once."""

    def __init__(self, executor: str, say: Callable[[str], None]) -> None:
        """``say``: takes a line for the log with each page that is loaded."""
        self._base = Reference.parse(executor)
        self._say = say
        self._loaded: dict[Reference, types.ModuleType] = {}

    def load(self, wiki: Wiki, name: str) -> types.ModuleType:
        """The page's script as a module, with ``wiki`` in it. A page that is just being loaded
        gives its module as far as it is, as Python does with modules that import one another.

        Raises InvalidReference, DocumentNotFound, TaskError where the page has no script,
        AccessDenied where its script author does not hold the script right, and whatever the
        script raises.
        """
        reference = Reference.parse(name, self._base)
        if reference not in self._loaded:
            self._load(wiki, wiki.get(reference))
        return self._loaded[reference]

    def _load(self, wiki: Wiki, page: OpenDocument) -> None:
        script = _script_of(page)
        self._say(f"Loaded {page.reference}, version {page.version} by {page.script_author}")
        module = types.ModuleType(f"{PREFIX}{page.reference}")
        module.__spec__ = spec = ModuleSpec(module.__name__, None)
        spec._initializing = True  # type: ignore[attr-defined]
        vars(module)["wiki"] = wiki
        self._loaded[page.reference] = module
        try:
            _execute(module, str(page.reference), script)
        except BaseException:
            del self._loaded[page.reference]
            sys.modules.pop(module.__name__, None)
            raise
        spec._initializing = False  # type: ignore[attr-defined]


def _script_of(page: OpenDocument) -> str:
    obj = page.object(MODULE_CLASS) or page.object(EXECUTOR_CLASS)
    if obj is None:
        raise TaskError(gettext(
            "%(page)s is no module: it has no object of %(module_class)s or %(executor_class)s",
            page=page.reference, module_class=MODULE_CLASS, executor_class=EXECUTOR_CLASS))
    if not allows(page.script_author, Right.SCRIPT):
        raise AccessDenied(gettext(
            "%(page)s was last changed by %(script_author)s, who does not hold the script right; "
            "who holds it arms it again by saving it", page=page.reference,
            script_author=page.script_author))
    return str(obj.get("script", ""))
