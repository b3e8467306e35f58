"""The YAML of page files: a safe loader and the dumper whose output it reads to the same values.

It is that of version 1.2's core: only ``true`` and ``false`` are booleans, and dates, times and
numbers with a leading zero are text, so what a person writes without quotes stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml
from yaml.events import AliasEvent
from yaml.nodes import Node, ScalarNode

STRING = "tag:yaml.org,2002:str"
NULL = "tag:yaml.org,2002:null"
_RESOLVERS = (
    (NULL, r"~|null|", "~n\0"),
    ("tag:yaml.org,2002:bool", r"true|false", "tf"),
    # At most 19 digits and no exponent past a float: a longer number is text.
    ("tag:yaml.org,2002:int", r"[-+]?(?:0|[1-9][0-9]{0,18})", "-+0123456789"),
    ("tag:yaml.org,2002:float",
     r"[-+]?(?:(?:0|[1-9][0-9]*)\.[0-9]*(?:[eE][-+]?[0-9]{1,3})?|[1-9][0-9]*[eE][-+]?[0-9]{1,3})",
     "-+0123456789"),
)


class Flow(list[Any]):
    """A list that is written on one line."""


class FileName(str):
    """The value of a ``!file``."""


class Loader(yaml.SafeLoader):
    """Safe, without aliases (which can blow up), with the resolvers of YAML 1.2."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own name and kind

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        if self.check_event(AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="an alias (*name) is not taken here",
                                       problem_mark=mark)
        return super().compose_node(parent, index)


class Dumper(yaml.SafeDumper):
    """Writes what :class:`Loader` reads to the same values."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own name and kind

    def ignore_aliases(self, data: Any) -> bool:
        return True


for _tag, _pattern, _first in _RESOLVERS:
    for _class in (Loader, Dumper):
        _class.add_implicit_resolver(
            _tag, re.compile(rf"(?:{_pattern})\Z"), ["" if c == "\0" else c for c in _first])


def _represent_string(dumper: Dumper, text: str) -> ScalarNode:
    style = None
    if re.search(r"[\r\x85\u2028\u2029\ufeff]", text):
        style = '"'  # other line ends than \n pass unchanged only when escaped
    elif "\n" in text:
        style = "|"
    return dumper.represent_scalar(STRING, text, style=style)


Dumper.add_representer(str, _represent_string)
Dumper.add_representer(FileName, lambda dumper, name: dumper.represent_scalar(
    "!file", str(name), style=None if re.fullmatch(r"[\w.%-]+", name) else '"'))
Dumper.add_representer(Flow, lambda dumper, items: dumper.represent_sequence(
    "tag:yaml.org,2002:seq", items, flow_style=True))


def dump(fields: Mapping[str, Any]) -> str:
    """The mapping as YAML lines, keys in their order; nothing for an empty one."""
    if not fields:
        return ""
    return yaml.dump(dict(fields), Dumper=Dumper, sort_keys=False, allow_unicode=True,
                     width=float("inf"), default_flow_style=False)
