"""All that the files of macros import: how a macro is declared, registered, and given the page.

A macro is a function in a file of its own in ``macros/``::

    @macro("showlog")
    def showlog(context: MacroContext, log: str, lines: int = 200) -> Markup:
        \"\"\"Show the log of a task.\"\"\"

Its signature is its list of parameters, its docstring its help.
"""

from __future__ import annotations

from wiki.rendering.context import MAX_DEFERRED, Engine, MacroContext
from wiki.rendering.declarations import (
    Body,
    Declaration,
    MacroSpec,
    PageName,
    Parameter,
    macro,
    marked,
    split_help,
)
from wiki.rendering.registry import Problem, Registry
from wiki.rendering.state import RenderState, Stash

__all__ = ["MAX_DEFERRED", "Body", "Declaration", "Engine", "MacroContext", "MacroSpec",
           "PageName", "Parameter", "Problem", "Registry", "RenderState", "Stash", "macro",
           "marked", "split_help"]
