"""The language against its conformance files: texts to trees, and texts to HTML."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from wiki.errors import MacroError
from wiki.language.syntax import Broken, Literal, Macro, Node, Text, parse, unparse
from wiki.model import Document
from wiki.references import Reference
from wiki.rendering.macros import MacroContext, Registry, macro
from wiki.rendering.renderer import Renderer, RenderRequest
from wiki.site import Site

DATA = Path(__file__).parent / "data" / "language"
_CASE = re.compile(r"^==== (\d+)\n(.*?)\n\.\n(.*?)(?=\n\n|\n*\Z)", re.DOTALL | re.MULTILINE)
_SIGNS = str.maketrans({"→": "\t", "␍": "\r", "␠": " "})


def cases(name: str) -> list[tuple[int, str, str]]:
    """The numbered cases of a file: number, text, what it gives."""
    text = (DATA / name).read_text(encoding="utf-8")
    return [(int(match[1]), match[2].translate(_SIGNS), match[3].translate(_SIGNS))
            for match in _CASE.finditer(text)]


PARSE, HTML = cases("parse.txt"), cases("html.txt")


def tree(nodes: list[Node]) -> str:
    return "\n".join(line for node in nodes for line in _lines(node))


def _lines(node: Node) -> Iterator[str]:
    if isinstance(node, Text):
        yield f"text {quoted(node.text)}"
    elif isinstance(node, Literal):
        yield "literal"
    elif isinstance(node, Broken):
        yield f"error {quoted(node.message)} {node.line}:{node.column}"
    else:
        params = [key if value is None else f"{key}={quoted(value)}"
                  for key, value in node.params.items()]
        kind = "block" if node.block else "inline"
        yield " ".join([node.name, *params, f"{node.line}:{node.column}", kind])
        if node.body is not None:
            yield f"| {quoted(node.body)} {node.body_line}:{node.body_column}"


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


@pytest.mark.parametrize("file", ["parse.txt", "html.txt"])
def test_every_case_of_a_file_is_read_and_has_a_number_of_its_own(file: str) -> None:
    found = [number for number, _, _ in cases(file)]
    assert len(found) == (DATA / file).read_text(encoding="utf-8").count("\n==== ")
    assert found == sorted(set(found))


@pytest.mark.parametrize(("number", "text", "expected"), PARSE, ids=[str(c[0]) for c in PARSE])
def test_a_text_is_parsed_to_its_tree(number: int, text: str, expected: str) -> None:
    assert tree(parse(text)) == expected


@pytest.mark.parametrize(("number", "text", "expected"), PARSE, ids=[str(c[0]) for c in PARSE])
def test_a_tree_is_printed_as_a_text_of_the_same_tree(number: int, text: str,
                                                      expected: str) -> None:
    nodes = parse(text)
    assert shapes(parse(unparse(nodes))) == shapes(nodes)


# -- HTML --------------------------------------------------------------------------------------

@macro("box", body="rendered")
def box(context: MacroContext, body: Markup, title: str = "") -> Markup:
    """A block."""
    return Markup("<div>{}{}</div>").format(title, body)


@macro("b", body="rendered", inline=True)
def bold(context: MacroContext, body: str = "") -> Markup:
    """Something within a line."""
    return Markup("<u>{}</u>").format(body)


@macro("say", inline=True)
def say(context: MacroContext, text: str = "said", times: int = 1) -> str:
    """Text, to be escaped."""
    return text * times


@macro("code", body="raw")
def code(context: MacroContext, body: str) -> Markup:
    """The body as it is."""
    return Markup("<pre>{}</pre>").format(body)


@macro("fail")
def fail(context: MacroContext) -> str:
    """Raise."""
    raise MacroError("on purpose")


@pytest.fixture
def renderer(site: Site) -> Renderer:
    registry = Registry()
    for function in (box, bold, say, code, fail):
        registry.register(function)
    return Renderer(site.wiki, registry)


def test_a_text_is_rendered_to_its_html(renderer: Renderer) -> None:
    """One test for all: the wiki that it takes is dearer than the cases."""
    wrong = []
    for number, text, expected in HTML:
        document = Document(Reference(("Test",), "Page"), content=text)
        found = str(renderer.render(document, RenderRequest()).html)
        if squeezed(found) != squeezed(expected):
            wrong.append(f"{number}:\n{text}\n-- expected\n{expected}\n-- found\n{found}")
    assert not wrong, "\n\n".join(wrong)


def squeezed(html: str) -> str:
    """HTML without the blanks between tags, and an error box as its text."""
    html = re.sub(r'<(div|span) class="box error macro-error" role="alert">(.*?)</\1>',
                  lambda match: f"({re.sub('<[^>]*>', '', match[2])})", html, flags=re.DOTALL)
    return re.sub(r"\s*\n\s*", "", html).strip()


# -- Properties --------------------------------------------------------------------------------

PIECES = st.lists(st.sampled_from([
    "<<", ">>", "/>>", "<<a", "<<a>>", "<</a>>", "<<b k=", "<<b/>>", '"', "'", "\\", "`", "```",
    "\n", "\r\n", "~", "~<<", " ", "x", "=", "<<code>>", "<</code>>", "    ", "\t", "\n\n", "> ",
    "- ", "1. ", "# ", "|", "<!--", "-->", "é", "\0", "[^1]: ", ": "])).map("".join)


@given(PIECES)
def test_any_text_is_parsed_printed_and_parsed_again_alike(text: str) -> None:
    nodes = parse(text)
    assert shapes(parse(unparse(nodes))) == shapes(nodes)


def shapes(nodes: list[Node]) -> list[tuple[object, ...]]:
    """The nodes without their places and sources."""
    return [(node.name, dict(node.params), node.body, node.block, node.indented)
            if isinstance(node, Macro) else
            (node.message, node.source) if isinstance(node, Broken) else (node,)
            for node in nodes]


@given(PIECES)
def test_a_place_is_where_the_source_stands_in_bodies_too(text: str) -> None:
    check_places(text.split("\n"), parse(text), 0)


def check_places(lines: list[str], nodes: list[Node], depth: int) -> None:
    for node in nodes:
        if isinstance(node, Macro | Broken):
            rest = "\n".join(lines[node.line - 1:])[node.column - 1:]
            first = node.source.split("\n", 1)[0]
            assert rest.startswith(first)
        if isinstance(node, Macro) and node.body and node.name != "code" and depth < 5:
            check_places(lines, parse(node.body, node.body_line, node.body_column,
                                      node.body_margin), depth + 1)


@given(st.integers(1, 12), st.text(" x\n", max_size=5),
       st.sampled_from(["", "> ", "- ", "  ", "> 1. "]))
def test_bodies_nest_to_any_depth(depth: int, text: str, prefix: str) -> None:
    nodes = parse(f"{prefix}{'<<a>>' * depth}{text}{'<</a>>' * depth}")
    for _ in range(depth):
        node = next(node for node in nodes if isinstance(node, Macro))
        assert node.body is not None
        nodes = parse(node.body, node.body_line, node.body_column, node.body_margin)
    assert not [node for node in nodes if isinstance(node, Macro | Broken)]
