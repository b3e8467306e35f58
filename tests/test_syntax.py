"""The macro parser."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wiki.language.syntax import Broken, Literal, Macro, Node, Text, parse, unparse


def only(source: str) -> Node:
    nodes = parse(source)
    assert len(nodes) == 1, nodes
    return nodes[0]


def macro(source: str) -> Macro:
    node = only(source)
    assert isinstance(node, Macro), node
    return node


def broken(source: str) -> list[Broken]:
    return [node for node in parse(source) if isinstance(node, Broken)]


def test_a_macro_has_quoted_parameters_and_flags() -> None:
    node = macro("""<<name key="value" other='v"w' flag/>>""")
    assert node.name == "name"
    assert node.params == {"key": "value", "other": 'v"w', "flag": None}
    assert node.body is None


def test_a_backslash_escapes_the_quote() -> None:
    assert macro(r'<<a k="say \"hi\" to C:\dir"/>>').params == {"k": r'say "hi" to C:\dir'}


def test_a_parameter_may_hold_what_closes_a_tag() -> None:
    assert macro('<<a k="x/>> y"/>>').params == {"k": "x/>> y"}


def test_bodies_nest_the_same_name_included() -> None:
    node = macro("<<a>>x <<a>>y<</a>> z<</a>>")
    assert node.body == "x <<a>>y<</a>> z"


def test_a_macro_alone_on_its_line_is_a_block() -> None:
    nodes = parse("text\n<<a/>>\nmore <<a/>> text\n  <<a>>\nbody\n<</a>>\n")
    assert [(node.block, node.indented) for node in nodes if isinstance(node, Macro)] == [
        (True, False), (False, False), (True, True)]


def test_a_tilde_writes_the_opening_itself() -> None:
    assert parse("x ~<<a/>>") == [Text("x "), Literal(), Text("a/>>")]


@pytest.mark.parametrize("source", [
    "`<<a/>>`", "``x ` <<a/>> ``", "```\n<<a/>>\n```", "~~~ python\n<<a>>\n~~~\n",
    "> ```\n> <<a/>>\n> ```", "a < b << c", "cout <<x;", "1 << 2",
])
def test_nothing_is_a_macro_in_code_or_in_a_comparison(source: str) -> None:
    assert only(source) == Text(source)


def test_nothing_is_a_macro_in_the_body_of_code() -> None:
    assert macro("<<code>><<a>> ` <<code>><</code>>").body == "<<a>> ` <<code>>"


def test_a_span_that_is_not_closed_in_its_paragraph_is_no_code() -> None:
    assert any(isinstance(node, Macro) for node in parse("a ` b\n\n<<a/>> `"))
    assert any(isinstance(node, Macro) for node in parse("```\n<<a/>>"))


def test_an_error_says_what_and_where_and_the_rest_goes_on() -> None:
    nodes = parse('one\n two <<a k=v/>> <<b/>>\n<<c>> <<d/>>')
    errors = [node for node in nodes if isinstance(node, Broken)]
    assert [(error.line, error.column) for error in errors] == [(2, 6), (3, 1)]
    assert "needs quotes" in errors[0].message
    assert "never closed" in errors[1].message
    assert [node.name for node in nodes if isinstance(node, Macro)] == ["b", "d"]


@pytest.mark.parametrize(("source", "why"), [
    ('<<a k="x', "no closing quote"), ("<<a ", "never closed"), ("<</a>>", "closes nothing"),
    ('<<a k="1" k="2"/>>', "given twice"), ("<<a ?/>>", "'?' cannot stand"),
    ("<<code>>x", "never closed"),
])
def test_what_is_wrong_is_said(source: str, why: str) -> None:
    assert why in broken(source)[0].message


def test_a_macro_in_an_unclosed_one_keeps_its_body() -> None:
    nodes = parse("<<a>> <<b>>body<</b>>")
    assert [node.body for node in nodes if isinstance(node, Macro)] == ["body"]


def test_a_body_knows_its_place_in_the_page() -> None:
    node = macro("<<a>>x\ny <<b/>><</a>>")
    inner = parse(node.body or "", node.body_line, node.body_column)[-1]
    assert isinstance(inner, Macro)
    assert (inner.line, inner.column) == (2, 3)


PIECES = st.lists(st.sampled_from([
    "<<", ">>", "/>>", "<<a", "<<a>>", "<</a>>", "<<b k=", '"', "'", "\\", "`", "```", "\n", "~",
    "~<<", " ", "x", "=", "<<code>>", "<</code>>", "    ", "\n\n", "> ", "é", "\0"])).map("".join)


@given(st.one_of(st.text(), PIECES))
def test_it_never_raises_and_loses_nothing_of_a_text(source: str) -> None:
    assert unparse_exactly(source, parse(source)) == source


def unparse_exactly(source: str, nodes: list[Node]) -> str:
    """As :func:`unparse`, a macro by its source."""
    return "".join(node.source if isinstance(node, (Macro, Broken)) else unparse([node])
                   for node in nodes)


NAMES = st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True).filter(lambda name: name != "code")
PARAMS = st.dictionaries(st.from_regex(r"[a-zA-Z_][a-z0-9_-]{0,8}", fullmatch=True),
                         st.one_of(st.none(), st.text()), max_size=4)


@given(NAMES, PARAMS, st.one_of(st.none(), st.from_regex(r"[a-z ]{0,20}", fullmatch=True)))
def test_what_is_printed_is_parsed_as_it_was(
        name: str, params: dict[str, str | None], body: str | None) -> None:
    node = macro(unparse([Macro(name, params, body, "")]))
    assert (node.name, node.params, node.body) == (name, params, body)


@pytest.mark.parametrize("piece", [
    "<<a", "<<a>>", "<<a ", '<<a k="', "<<a k='\"", "<</a>>", "`", "`` ", "```\n", "~~~", "<<a/>>",
    "<<code>>", "<<a>><</a>>", "\n\n", " \t", "<<a b c d ", "\\`", "~<<", "<<a k=\"<<b k='"])
def test_it_takes_time_linear_in_the_text(piece: str) -> None:
    source = piece * (200_000 // len(piece))
    started = time.perf_counter()
    parse(source)
    assert time.perf_counter() - started < 4
