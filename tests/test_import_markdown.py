"""``Executors.ImportMarkdown`` on vaults and sites as people have them."""

from __future__ import annotations

import io
import re
import stat
import sys
import zipfile
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wiki.language.syntax import Broken, Macro, parse
from wiki.model import Document
from wiki.settings import shipped
from wiki.testing import Result, run_executor

PAGES = [shipped("pages") / name for name in (
    "Executors/ImportMarkdown.md", "Executors/ImportMarkdownParameters.md",
    "Executors/FrontMatterClass.md", "Lib/MarkdownFiles.md", "Lib/MarkdownText.md",
    "Lib/Names.md", "Lib/Archives.md")]
PNG = b"\x89PNG\r\n\x1a\n"


def archive(files: dict[str, str | bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return stream.getvalue()


def load(files: dict[str, str | bytes] | bytes, after: Result | None = None,
         dry_run: bool = False, **params: Any) -> Result:
    data = files if isinstance(files, bytes) else archive(files)
    return run_executor("Executors.ImportMarkdown", pages=() if after else PAGES, after=after,
                        params={"targetSpace": "Notes", **params}, dry_run=dry_run,
                        attachments={"vault.zip": data})


def done(files: dict[str, str | bytes] | bytes, **params: Any) -> Result:
    result = load(files, **params)
    assert result.outcome == "DONE" and not result.rejected, result.text
    return result


def page(result: Result, name: str) -> Document:
    return result.wiki.get(name).record


def content(text: str, **others: str | bytes) -> str:
    """What becomes of a page's text, beside a note `Other` and a picture."""
    files: dict[str, str | bytes] = {"Page.md": text, "Other.md": "x", "sub/Deep.md": "y",
                                     "sub/pic.png": PNG, **others}
    return page(done(files), "Notes.Page").content


def test_folders_become_spaces_and_index_files_their_home_pages() -> None:
    result = done({"vault/README.md": "# My vault\n\nHello.\n", "vault/A.md": "text\n",
                   "vault/sub/index.md": "sub", "vault/sub/Dr. No.md": "no",
                   "vault/empty/x/Note.md": "deep", "vault/.obsidian/x.md": "hidden"})
    home = page(result, "Notes.WebHome")
    assert (home.title, home.content, home.parent) == ("My vault", "Hello.\n", "Main.WebHome")
    assert page(result, "Notes.A").parent == "Notes.WebHome"
    assert page(result, "Notes.sub.WebHome").content == "sub"
    assert page(result, r"Notes.sub.Dr\. No").title == "Dr. No"
    assert page(result, "Notes.empty.WebHome").content == "<<children/>>\n"
    assert page(result, "Notes.empty.x.Note").parent == "Notes.empty.x.WebHome"
    assert [str(row.reference) for row in result.wiki.changes(100)
            if "obsidian" in str(row.reference)] == []


def test_front_matter_gives_title_tags_and_an_object() -> None:
    result = done({"A.md": "---\ntitle: 'The: A'\ntags: [one, '#two']\ndate: 2024-05-01\n"
                   "aliases:\n  - Ay\ndraft: true\n---\n# Heading\ntext\n",
                   "B.md": "+++\ntitle = 'B'\ntags = ['x']\n+++\ntext\n",
                   "C.md": "---\nbroken: [\n---\ntext\n"})
    a = page(result, "Notes.A")
    assert (a.title, a.tags, a.content) == ("The: A", ("one", "two"), "# Heading\ntext\n")
    assert dict(a.objects[0].values) == {"aliases": "Ay", "date": "2024-05-01",
                                         "description": "", "other": "draft: true\n"}
    assert (page(result, "Notes.B").title, page(result, "Notes.B").tags) == ("B", ("x",))
    assert "broken: [" in page(result, "Notes.C").content


@pytest.mark.parametrize(("text", "expected"), [
    ("[x](Other.md)", "[[x>>Notes.Other]]"),
    ("[x](./sub/Deep.md#a-b)", "[[x>>Notes.sub.Deep#a-b]]"),
    ("[x](/sub/Deep.md)", "[[x>>Notes.sub.Deep]]"),
    ("[x](sub/)", "[[x>>Notes.sub.WebHome]]"),
    ("[**x**](other.md)", "[**x**](Notes.Other)"),
    ("[[Other]]", "[[Other>>Notes.Other]]"),
    ("[[deep|label]]", "[[label>>Notes.sub.Deep]]"),
    ("[[sub/Deep#Some Heading]]", "[[sub/Deep#Some Heading>>Notes.sub.Deep#some-heading]]"),
    ("[[New note]]", "[[New note>>Notes.New note]]"),
    ("![alt](sub/pic.png)", "![alt](attach:pic.png)"),
    ("![[pic.png|300]]", "![pic.png](attach:pic.png)"),
    ("![[Other]]", '<<include page="Notes.Other"/>>'),
    ('<img src="sub/pic.png" width=3>', "![pic.png](attach:pic.png)"),
    ("[x](https://example.org/a.md)", "[x](https://example.org/a.md)"),
    ("[x](#here) [y](missing.md)", "[x](#here) [y](missing.md)"),
    ("[x](../../etc/passwd)", "[x](../../etc/passwd)"),
    ("`[[Other]]`\n\n```\n[[Other]]\n```\n", "`[[Other]]`\n\n```\n[[Other]]\n```\n"),
    ("<<jinja>>{{ 1 }}<</jinja>>", "~<<jinja>>{{ 1 }}~<</jinja>>"),
    ("`<<code/>>`", "`<<code/>>`"),
])
def test_links_and_macros_are_turned(text: str, expected: str) -> None:
    assert content(text) == expected


def test_pictures_are_attached_to_the_pages_that_show_them() -> None:
    result = done({"A.md": "![](img/x.png) ![](other/x.png)", "B.md": "![[x@2.png]]",
                   "img/x.png": PNG, "other/x.png": PNG + b"2", "x@2.png": PNG,
                   "img/unused.pdf": b"%PDF"})
    a = page(result, "Notes.A")
    assert [item.filename for item in a.attachments] == ["x (2).png", "x.png"]
    assert a.content == "![x.png](attach:x.png) ![x (2).png](attach:x%20%282%29.png)"
    assert [item.filename for item in page(result, "Notes.B").attachments] == ["x-2.png"]
    assert [item.filename for item in page(result, "Notes.WebHome").attachments] == ["unused.pdf"]


def test_a_second_run_saves_only_what_changed_and_skip_leaves_pages_alone() -> None:
    files: dict[str, str | bytes] = {"A.md": "one ![](p.png)", "B.md": "b", "p.png": PNG}
    first = done(files)
    again = load({**files, "B.md": "b2"}, after=first)
    assert [str(page(again, f"Notes.{name}").version) for name in ("A", "B", "WebHome")] == [
        "1.1", "2.1", "1.1"]
    skipped = load({**files, "B.md": "b3"}, after=again, existing="skip")
    assert page(skipped, "Notes.B").content == "b2"


def test_names_that_collide_get_numbers_and_bad_ones_are_cleaned() -> None:
    result = done({"Foo.md": "1", "foo.md": "2", "README.md": "r", "index.md": "i",
                   "a\x01b.md": "c"})
    assert page(result, "Notes.Foo").content == "1"
    assert page(result, "Notes.foo (2)").content == "2"
    assert page(result, "Notes.a b").content == "c"
    assert page(result, "Notes.WebHome").content == "r"
    assert page(result, "Notes.index").content == "i"
    assert "is taken" in result.text


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_texts_are_read_in_their_encoding(encoding: str) -> None:
    text = "Die Größe des Gebäudes überraschte die Käufer; später müssen sie prüfen.\n"
    assert page(done({"A.md": text.encode(encoding)}), "Notes.A").content == text


def test_what_leads_out_of_the_archive_is_refused_and_the_rest_imported() -> None:
    link = zipfile.ZipInfo("link.md")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        packed.writestr("../evil.md", "x")
        packed.writestr("/etc/evil.md", "x")
        packed.writestr("C:\\evil.md", "x")
        packed.writestr(link, "/etc/passwd")
        packed.writestr("Good.md", "good")
    result = done(stream.getvalue())
    assert page(result, "Notes.Good").content == "good"
    assert result.text.count("is refused") == 4
    assert not [row for row in result.wiki.changes(100) if "evil" in str(row.reference)]


@pytest.mark.parametrize(("data", "what"), [
    (b"no zip", "no zip file"), (archive({}), "no Markdown file"),
    (archive({"a.md": "x", "b.bin": b"\0" * 130_000_000}), "too large"),
], ids=["no zip", "empty", "bomb"])
def test_an_archive_that_cannot_be_imported_fails_and_says_why(data: bytes, what: str) -> None:
    result = load(data)
    assert result.outcome == "ERROR" and what in result.error, result.text
    assert "Traceback" not in result.text


def test_page_files_are_taken_as_such_only_where_that_is_asked_for() -> None:
    files: dict[str, str | bytes] = {
        "KClass.md": "---\ntitle: K\nclass:\n- name: n\n  type: Number\n---\n",
        "A.md": "---\ntitle: A\nobjects:\n- class: Notes.KClass\n  n: 7\n"
                "attachments: [x.txt]\n---\n<<toc/>>\n", "A.files/x.txt": "data"}
    result = done(files, pageFiles=True)
    a = page(result, "Notes.A")
    assert (a.content, dict(a.objects[0].values)) == ("<<toc/>>\n", {"n": 7})
    assert [item.filename for item in a.attachments] == ["x.txt"]
    foreign = page(done(files), "Notes.A")
    assert foreign.content == "~<<toc/>>\n"
    assert [obj.class_name for obj in foreign.objects] == ["Executors.FrontMatterClass"]


def test_files_attached_one_by_one_are_taken_too_and_a_dry_run_changes_nothing() -> None:
    attachments = {"A.md": b"![](p.png)", "p.png": PNG}
    result = run_executor("Executors.ImportMarkdown", pages=PAGES, attachments=attachments,
                          params={"targetSpace": "Notes"}, dry_run=True)
    assert result.outcome == "DONE", result.text
    assert page(result, "Notes.A").content == "![p.png](attach:p.png)"
    assert result.progress.ok >= 1


SNIPPETS = st.lists(st.sampled_from([
    "<<", ">>", "<<jinja>>", "<</jinja>>", "~", "`", "```", "\n", "[[", "]]", "![[Other]]",
    "[a](Other.md)", "<", "/>>", "x", "[", "](", ")", "<<code>>", "|", '<img src="sub/pic.png">',
    "\\", " "]), max_size=14).map("".join)


@pytest.fixture(scope="module")
def files_module() -> Any:
    """``Lib.MarkdownFiles``, as a run loads it."""
    run_executor("def run(logger, wiki, task):\n    wiki.load('Lib.MarkdownFiles')\n", pages=PAGES)
    return sys.modules["wiki:Lib.MarkdownFiles"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(SNIPPETS)
def test_no_text_at_all_becomes_a_macro(files_module: Any, text: str) -> None:
    def resolve(target: str, kind: str) -> Any:
        return files_module.Found(filename="pic.png") if "pic" in target else None

    turned = files_module.convert_links(files_module.escape_macros(text), resolve)
    safe = files_module.escape_macros(turned, but="include")
    assert not [node for node in parse(safe) if isinstance(node, Macro | Broken)]


def test_the_converter_takes_time_linear_in_hostile_text(files_module: Any) -> None:
    for text in ("[" * 20_000, "`" * 20_000, "![[" * 10_000, "[a](" * 10_000, "<img " * 10_000,
                 "` " * 10_000, "[[a]](" * 5_000):
        assert re.sub(r"\s", "", files_module.convert_links(text, lambda *_: None))
