"""What is to be translated and Babel cannot find: docstrings that people read, shipped pages.

Babel calls these functions, which ``pyproject.toml`` names; nothing else does.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from babel.messages.extract import extract_python

from wiki.pagefile import read_page, reference_of
from wiki.references import HOME
from wiki.rendering.declarations import split_help

#: A line, the function that would be called with it, what it would be given, comments.
Found = tuple[int, Any, Any, Any]

#: Spaces whose pages are a manual: their titles are translated, their texts are not, but for
#: those of pages that readers see daily.
MANUALS = ("Executors", "Help", "Lib")
DAILY = (HOME, "Macros")
#: Classes whose objects lists show by a name and a description, which are these properties.
LISTED = ("TaskExecutorCode.TaskExecutorClass", "Wiki.SchedulerJobClass")
SHOWN = ("name", "description")
_FENCE = "```"
_TAGS = re.compile(r"<<.*?>>|\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}|\]\([^)]*\)|>>[^\]]*\]\]"
                   r"|\[\[[^\]>]*\]\]|`[^`]*`")
_WORD = re.compile(r"[^\W\d_]{2}")
#: Words within a tag: a title, or a phrase of a script.
_SAID = re.compile(r"""(?:title|label)="[^"{]|['"][A-Za-z][a-z]+,? [a-z(][^'"=]*['"]""")


def docstrings(source: IO[bytes], keywords: Mapping[str, Any], comment_tags: Collection[str],
               options: Any) -> Iterator[Found]:
    """What is marked in a Python file, the docstrings of its errors, which are their messages,
    and those of its macros, which are their help."""
    yield from extract_python(source, keywords, comment_tags, options)
    source.seek(0)
    for node in ast.parse(source.read()).body:
        text = ast.get_docstring(node) if isinstance(node, ast.ClassDef | ast.FunctionDef) else ""
        if not text:
            continue
        if isinstance(node, ast.ClassDef) and _is_message(node):
            yield node.lineno, "gettext", text, []
        elif isinstance(node, ast.FunctionDef) and (name := _macro(node)):
            yield node.lineno, "pgettext", (f"<<{name}>>", split_help(text)[0]), []


def _is_message(node: ast.ClassDef) -> bool:
    """Whether the class is of errors that say their docstring, since they are given no words."""
    return bool(node.bases) and not any(isinstance(part, ast.FunctionDef) for part in node.body)


def _macro(node: ast.FunctionDef) -> str:
    for mark in node.decorator_list:
        if isinstance(mark, ast.Call) and isinstance(mark.func, ast.Name) and (
                mark.func.id == "macro") and isinstance(mark.args[0], ast.Constant):
            return str(mark.args[0].value)
    return ""


def page(source: IO[bytes], keywords: Mapping[str, Any], comment_tags: Collection[str],
         options: Any) -> Iterator[Found]:
    """A shipped page's title, the labels and help of its class, names and descriptions in its
    objects, and the lines of its text in which there are words."""
    path = Path(source.name)
    spaces = path.parts[path.parts.index("pages") + 1:-1]
    document = read_page(path, reference_of(path, spaces))[0].document
    texts = [document.title]
    for prop in document.class_definition.properties if document.class_definition else ():
        texts += [prop.pretty_name, prop.help]
    texts += [str(obj.values[name]) for obj in document.objects
              for name in SHOWN if obj.values.get(name) and obj.class_name in LISTED]
    if spaces[0] not in MANUALS or path.stem in DAILY:
        texts += _lines(document.content)
    where = source.read().decode().splitlines()
    for text in dict.fromkeys(filter(None, texts)):
        line = next((number for number, shown in enumerate(where, 1) if text in shown), 1)
        yield line, "pgettext", (str(document.reference), text), []


def _lines(text: str) -> Iterator[str]:
    fenced = False
    for line in text.split("\n"):
        if line.startswith(_FENCE):
            fenced = not fenced
        elif not fenced and (_WORD.search(_TAGS.sub(" ", line)) or _SAID.search(line)):
            yield line

