"""``Executors.ImportXAR`` on archives as XWiki writes them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wiki.api import OpenDocument
from wiki.language.syntax import Literal, Text, parse
from wiki.settings import shipped
from wiki.tasks.tablelook import load
from wiki.testing import Result, run_executor

FOLDER = Path(__file__).parent / "data" / "xar"


def archive(**changed: bytes | None) -> bytes:
    """The sample archive; ``changed``: files to add or replace."""
    files: dict[str, bytes] = {str(path.relative_to(FOLDER)): path.read_bytes()
                               for path in sorted(FOLDER.rglob("*.xml"))}
    files |= {name.replace("__", "/") + ".xml": data for name, data in changed.items()
              if data is not None}
    return packed(files)


def packed(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
        for name, data in files.items():
            target.writestr(name, data)
    return stream.getvalue()


def import_xar(data: bytes | None = None, filename: str = "export.xar", *,
               after: Result | None = None, dry_run: bool = False, **params: Any) -> Result:
    return run_executor("Executors.ImportXAR",
                        pages=[shipped("pages")] if after is None else (),
                        attachments={filename: archive() if data is None else data},
                        params=params, after=after, dry_run=dry_run)


def page(result: Result, name: str) -> OpenDocument:
    assert result.outcome == "DONE", result.text
    return result.wiki.get(name)


@pytest.fixture(scope="module")
def imported() -> Result:
    return import_xar()


def test_documents_keep_their_place_title_parent_and_tags(imported: Result) -> None:
    home = page(imported, "Sandbox.WebHome")
    assert (home.title, home.parent, home.tags) == (
        "Sandbox & more", "Main.WebHome", ("sand", "play"))
    assert not imported.rejected
    sub = page(imported, "Sandbox.Sub.WebHome")
    assert (sub.title, sub.parent, sub.hidden) == ("", "Sandbox.WebHome", True)
    assert sub.comment == "Version 3.1 by XWiki.Ada: tidied up"


def test_the_content_becomes_markdown_with_macros(imported: Result) -> None:
    content = page(imported, "Sandbox.WebHome").content
    for expected in ("<<toc/>>\n\n# Welcome\n",
                     "Read **[[the *sub* page>>Sandbox.Sub.WebHome]]**, [[Html>>Sandbox.Html]]",
                     "[[first>>Blog.Dr\\. First]]", "![logo.png](attach:logo.png)",
                     "[[Ada>>Users.Ada]], not &lt;&lt;jinja>>1&lt;&lt;/jinja>>",
                     "| Name | Age |\n| --- | --- |\n| Bob | 12 |",
                     "<<warning>>A script in Velocity stood here.",
                     "```\n$doc.name <<toc/>>\n```"):
        assert expected in content
    assert [node.name for node in parse(content) if not isinstance(node, Text | Literal)] == [
        "toc", "warning"]
    assert "velocity scripts, kept as code that does not run (1)" in imported.text


def test_html_becomes_markdown_without_what_runs(imported: Result) -> None:
    content = page(imported, "Sandbox.Html").content
    assert content == ("## Title\n\nA **bold** bad [link](https://x.org), &lt;&lt;toc/>>")


def test_attachments_are_taken_and_their_names_cleaned(imported: Result) -> None:
    home = page(imported, "Sandbox.WebHome")
    assert home.attachment("logo.png").read() == b"\x89PNG a picture"
    assert home.attachment("..-etc-pass wd").read() == b"secret"
    assert "the file '../etc/pass wd' is called ..-etc-pass wd" in imported.text


def test_classes_become_ours(imported: Result) -> None:
    definition = page(imported, "Blog.PostClass").class_definition
    assert {prop.name: prop.type for prop in definition.properties} == {
        "headline": "String", "text": "TextArea", "stars": "Number", "price": "Number",
        "published": "Boolean", "when": "Date", "day": "Date", "kind": "StaticList",
        "colours": "StaticList", "category": "String", "see": "Page", "writers": "User",
        "mail": "Email", "my_odd_name": "String"}


def test_objects_keep_their_values(imported: Result) -> None:
    first, second = page(imported, "Blog.Dr\\. First").objects("Blog.PostClass")
    assert dict(first.values) == {
        "headline": "On <<macros>>", "text": "**bold** *it*", "stars": 5, "price": 1.5,
        "published": True, "when": "2021-12-31T23:59:00Z", "day": "2022-01-02", "kind": "news",
        "colours": ["red", "blue"], "category": "a, b", "see": "Sandbox.Sub.WebHome",
        "writers": ["Users.Ada", "Users.Bob"], "my_odd_name": "odd"}
    assert dict(second.values) == {"headline": "Second"}
    assert "values that their class refuses (2)" in imported.text


def test_nothing_of_an_archive_starts_or_runs(imported: Result) -> None:
    old = page(imported, "Tasks.Old")
    task = old.object("TaskExecutorCode.TaskClass")
    assert task is not None
    assert task["status"] == "SUSPENDED"
    assert old.object("TaskExecutorCode.TaskExecutorClass") is None
    assert 'print("<<toc/>>")' in old.content
    assert [node.name for node in parse(old.content) if not isinstance(node, Text)] == ["warning"]


def test_the_wikis_own_pages_and_those_of_xwiki_stay_out(imported: Result) -> None:
    assert page(imported, "TaskExecutorCode.TaskClass").content != "evil"
    assert "XWiki.Ada" not in imported.wiki
    assert "XWiki.Ada" in import_xar(systemPages=True).wiki


def test_translations_are_pages_of_their_own(imported: Result) -> None:
    assert page(imported, "Sandbox.WebHome (fr)").title == "Bac à sable"
    assert "Sandbox.WebHome (fr)" not in import_xar(translations="skip").wiki


def test_all_can_go_below_a_space() -> None:
    result = import_xar(targetSpace="Old")
    assert "[[the *sub* page>>Old.Sandbox.Sub.WebHome]]" in page(
        result, "Old.Sandbox.WebHome").content
    assert page(result, "Old.Blog.Dr\\. First").object("Old.Blog.PostClass")
    assert page(result, "Old.Tasks.Old").object("TaskExecutorCode.TaskClass")


def test_a_second_import_saves_only_what_has_changed() -> None:
    first = import_xar()
    changed = (FOLDER / "Sandbox/Html.xml").read_bytes().replace(b"bold", b"strong")
    second = import_xar(archive(Sandbox__Html=changed), after=first)
    assert "strong" in page(second, "Sandbox.Html").content
    assert second.progress.ok == 1, second.text


def test_a_dry_run_writes_nothing() -> None:
    result = import_xar(dry_run=True)
    assert "Sandbox.WebHome" in result.wiki
    again = import_xar(after=result)
    assert str(page(again, "Sandbox.WebHome").version) == "1.1"


def test_a_damaged_document_fails_alone() -> None:
    result = import_xar(archive(Sandbox__Bad=b"<xwikidoc><web>Sandbox"))
    assert page(result, "Sandbox.WebHome")
    assert [row["key"] for row in result.rejected] == ["Sandbox/Bad.xml"]
    assert "no sound XML" in result.rejected[0]["reason"]


def test_hostile_xml_is_refused() -> None:
    bomb = (b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
            b"<xwikidoc><web>A</web><name>B</name><content>&a;</content></xwikidoc>")
    result = import_xar(archive(A__B=bomb))
    assert "A.B" not in result.wiki
    assert "document type declaration" in result.rejected[0]["reason"]


@pytest.mark.parametrize(("data", "message"), [
    (b"", "no archive of XWiki"),
    (b"PK\x03\x04 nonsense", "no archive of XWiki"),
    (packed({"readme.txt": b"x"}), "holds no document"),
])
def test_what_is_no_archive_is_refused_in_plain_words(data: bytes, message: str) -> None:
    result = import_xar(data)
    assert result.outcome == "ERROR"
    assert message in result.error
    assert "Traceback" not in result.text


def test_an_archive_that_unpacks_to_fill_the_disk_is_refused() -> None:
    result = import_xar(packed({"A/B.xml": b" " * 150_000_000}))
    assert "unpacks to 150,000,000 bytes" in result.error


# -- The syntax itself -------------------------------------------------------------------------

SYNTAX = load("Lib.XWikiSyntax")
BASE = ("A", "WebHome")
PLACES = load("Lib.XWikiReferences").Places((), [BASE, ("A", "B"), ("A", "C", "WebHome")])


def markdown(text: str) -> str:
    return str(SYNTAX.convert(text, BASE, PLACES).markdown)


@pytest.mark.parametrize(("text", "expected"), [
    ("== Two ==", "## Two"),
    ("**b** //i// __u__ --s-- ##m##", "**b** *i* <u>u</u> ~~s~~ <code>m</code>"),
    ("a -- b http://x.org/a//b", "a -- b <http://x.org/a//b>"),
    ("~**not~**", r"\*\*not\*\*"),
    ("{{{**x**}}}", "`**x**`"),
    ("* a\n** b\n*1. c", "- a\n\n    - b\n\n    1. c"),
    ("1. a\n11. b", "1. a\n    1. b"),
    ("; t\n: d", "t\n:   d"),
    ("> a\n>> b", "> a\n>\n> > b"),
    ("(% class='x' %)\ntext", "text"),
    ("(((\nin **it**\n)))", "in **it**"),
    ("|=a|=b\n|c|d", "| a | b |\n| --- | --- |\n| c | d |"),
    ("[[B]] [[C]] [[x>>.C#HPart]]", "[[B>>A.B]] [[C>>A.C.WebHome]] [[x>>A.C.WebHome#part]]"),
    ("[[l>>attach:A.B@f.txt]]", "[l](attach:A.B%40f.txt)"),
    ("[[l>>https://x.org||rel='y']]", "[l](https://x.org)"),
    ("{{info}}**x**{{/info}}", "<<info>>\n**x**\n<</info>>"),
    ('{{box title="A ~"b~""}}x{{/box}}', '<<box title="A \\"b\\"">>\nx\n<</box>>'),
    ("{{code language='java'}}\nint x;\n{{/code}}", "```java\nint x;\n```"),
    ("a {{code}}x{{/code}} b", "a `x` b"),
    ("{{include reference='A.B'/}}", '<<include page="A.B"/>>'),
    ("x{{footnote}}note{{/footnote}}", "x[^1]\n\n[^1]: note"),
    ("{{children/}}", "<<children/>>"),
    ("{{odd p='1'/}}", "```\n{{odd p='1'/}}\n```"),
])
def test_what_xwikis_syntax_becomes(text: str, expected: str) -> None:
    assert markdown(text) == expected


OURS = {"info", "warning", "error", "success", "box", "toc", "include", "children", "attachments"}
SNIPPETS = ["<<jinja>>", "<</jinja>>", "<<html>>", "~", "`", "```", "\n", "\n\n", " ", "\\", "**",
            "//", "__", "--", "##", "^^", "(((", ")))", "(%", "%)", "[[", "]]", ">>", "{{{", "}}}",
            "{{code}}", "{{/code}}", "{{info}}", "{{/info}}", "{{velocity}}", "{{/velocity}}",
            "{{html}}", "{{/html}}", "{{toc/}}", "{{x a='", "'/}}", "|", "|=", "* ", "1. ", "; ",
            "= ", "attach:", "image:", "http://x", "||", "a", "<", ">", "&lt;", "\x00", "\x02",
            "\ue000", "0\ue001", "\ud800", '"', "{{footnote}}", "{{/footnote}}", "{{include "
            "reference='", "> ", "----"]


@given(st.lists(st.one_of(st.sampled_from(SNIPPETS), st.text(max_size=4)), max_size=30))
def test_nothing_of_a_text_becomes_a_macro_that_was_none(parts: list[str]) -> None:
    todo = [markdown("".join(parts))]
    while todo:
        content = todo.pop()
        content.encode()
        for node in parse(content):
            if not isinstance(node, Text | Literal):
                assert getattr(node, "name", "broken") in OURS, content
                todo += [node.body] if node.body else []
