"""The modules of the shipped pages in the space Lib, as executors load them."""

from __future__ import annotations

import sys
import types
from functools import cache
from types import SimpleNamespace

from wiki.settings import shipped


@cache
def load(name: str) -> types.ModuleType:
    """The module of a page such as ``Lib.Wikitext``, without a wiki."""
    path = shipped("pages").joinpath(*name.split(".")).with_suffix(".py")
    module = types.ModuleType(f"shipped:{name}")
    sys.modules[module.__name__] = module
    vars(module)["wiki"] = SimpleNamespace(load=load)
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), vars(module))
    return module
