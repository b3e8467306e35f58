"""``Executors.ImportMediaWiki`` on dumps as MediaWiki writes them."""

from __future__ import annotations

import bz2
import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wiki.api import OpenDocument
from wiki.language.syntax import Literal, Text, parse
from wiki.rendering.markdown import to_html
from wiki.settings import shipped
from wiki.tasks.tablelook import load
from wiki.testing import Result, run_executor

DUMP = (Path(__file__).parent / "data" / "mediawiki-0.11.xml").read_bytes()
PICTURE = b"\xff\xd8 a picture"


def import_dump(data: bytes = DUMP, filename: str = "dump.xml", *,
                files: dict[str, bytes] | None = None, after: Result | None = None,
                dry_run: bool = False, **params: Any) -> Result:
    return run_executor("Executors.ImportMediaWiki",
                        pages=[shipped("pages")] if after is None else (),
                        attachments={filename: data, **(files or {})},
                        params={"targetSpace": "Docs", **params}, after=after,
                        dry_run=dry_run)


def page(result: Result, name: str) -> OpenDocument:
    assert result.outcome == "DONE", result.text
    return result.wiki.get(name)


@pytest.fixture(scope="module")
def imported() -> Result:
    return import_dump(files={"Mars moons.jpg": PICTURE})


def test_a_title_becomes_a_page_and_stays_its_title(imported: Result) -> None:
    mars = page(imported, "Docs.Mars")
    assert (mars.title, mars.parent) == ("Mars", "Docs.WebHome")
    phobos = page(imported, "Docs.Mars.Phobos")
    assert (phobos.title, phobos.parent) == ("Mars/Phobos", "Docs.Mars")
    assert page(imported, "Docs.Help.Editing").title == "Help:Editing"


def test_wikitext_becomes_markdown(imported: Result) -> None:
    content = page(imported, "Docs.Mars").content
    for expected in ("**Mars** is the *fourth* [[planets>>Docs.Planet]] of the "
                     "[[system>>Docs.Solar system]] of &lt;&lt;jinja>>Mars.[^1]",
                     "[[help>>Docs.Help.Editing#how-to-do-it]]",
                     "[Wikipedia](https://en.wikipedia.org/wiki/Mars).[^1]",
                     "[^1]: [NASA](https://nasa.gov), *Facts*",
                     "\n## Moons\n",
                     "![The two moons](attach:Mars%20moons.jpg)",
                     "- [[Phobos>>Docs.Mars.Phobos]]\n",
                     "    - the inner one\n", "    1. is doomed\n",
                     "Stickney\n:   a crater\n:   on Phobos",
                     "**Moons of Mars**\n\n| Name | Size |\n| --- | --- |\n",
                     "| Deimos | `{{convert|12|km}}` |",
                     "```\n{{Infobox planet\n| name = Mars\n| moons = 2\n}}\n```",
                     '```python\nprint("<<toc/>>")\n```'):
        assert expected in content


def test_categories_become_tags(imported: Result) -> None:
    assert page(imported, "Docs.Mars").tags == ("Planets", "Red things")
    assert "Category" not in page(imported, "Docs.Mars").content


def test_files_of_the_task_go_to_the_pages_that_show_them(imported: Result) -> None:
    assert page(imported, "Docs.Mars").attachment("Mars moons.jpg").read() == PICTURE
    phobos = page(imported, "Docs.Mars.Phobos")
    assert "[this file](attach:Mars%20moons.jpg)" in phobos.content.replace("!", "")
    assert "*lost picture*" in phobos.content
    assert "files that are not attached (1)" in imported.text


def test_the_log_counts_the_templates(imported: Result) -> None:
    assert "Calls of templates, kept as code: 3, of 3 templates" in imported.text


def test_templates_can_be_dropped() -> None:
    content = page(import_dump(templates="drop"), "Docs.Mars").content
    assert "{{" not in content
    assert "| Deimos |  |" in content


def test_other_namespaces_and_deleted_texts_are_left_out(imported: Result) -> None:
    for name in ("Docs.User.Ada", "Docs.Module.Sizes", "Docs.Forgotten"):
        assert name not in imported.wiki
    result = import_dump(namespaces="User, 828")
    assert page(result, "Docs.Module.Sizes").content.startswith("```lua\nlocal p")
    assert page(result, "Docs.User.Ada").content == "Hello"
    assert "Docs.Mars" not in result.wiki


def test_an_unknown_namespace_is_refused_with_those_that_there_are() -> None:
    result = import_dump(namespaces="Nonsense")
    assert result.outcome == "ERROR"
    assert "no namespace 'Nonsense'; it has 0, 1 Talk" in result.error


def test_redirects_become_links_or_nothing(imported: Result) -> None:
    assert page(imported, "Docs.The red planet").content == "See [[Mars>>Docs.Mars]]."
    assert "Docs.The red planet" not in import_dump(redirects="skip").wiki


def test_the_history_is_taken_where_asked(imported: Result) -> None:
    assert len(page(imported, "Docs.Mars").revisions()) == 1
    result = import_dump(revisions="history")
    assert [item.comment for item in page(result, "Docs.Mars").revisions()] == [
        "By Ada, 2020-01-09T18:05:31Z: /* Moons */ a table",
        "By 192.0.2.7, 2019-03-02T10:00:00Z: first words"]
    short = import_dump(revisions="history", revisionLimit=1)
    assert len(page(short, "Docs.Mars").revisions()) == 1


def test_a_second_import_saves_only_what_has_changed() -> None:
    first = import_dump()
    changed = DUMP.replace(b"A moon of", b"The larger moon of")
    second = import_dump(changed, after=first)
    assert second.progress.ok == 1
    assert str(page(second, "Docs.Mars").version) == "1.1"
    assert "The larger moon" in page(second, "Docs.Mars.Phobos").content


def test_pages_that_exist_can_be_kept() -> None:
    first = import_dump()
    changed = DUMP.replace(b"A moon of", b"The larger moon of")
    second = import_dump(changed, after=first, existing="keep")
    assert "A moon" in page(second, "Docs.Mars.Phobos").content


@pytest.mark.parametrize(("pack", "filename"), [(gzip.compress, "dump.xml.gz"),
                                                (bz2.compress, "dump.xml.bz2")])
def test_packed_dumps_are_read(pack: Any, filename: str) -> None:
    assert page(import_dump(pack(DUMP), filename), "Docs.Mars").title == "Mars"


def test_an_older_format_is_read() -> None:
    older = DUMP.replace(b"export-0.11", b"export-0.3")
    older = re.sub(rb"<(ns|model|format|origin|sha1)>[^<]*</\1>", b"", older)
    assert page(import_dump(older), "Docs.Mars").tags == ("Planets", "Red things")


def test_a_dry_run_writes_nothing() -> None:
    result = import_dump(dry_run=True)
    assert "Docs.Mars" in result.wiki
    again = import_dump(after=result)
    assert str(page(again, "Docs.Mars").version) == "1.1"


@pytest.mark.parametrize(("data", "filename", "message"), [
    (b"<html></html>", "dump.xml", "no dump of a MediaWiki"),
    (b"", "dump.xml", "no sound XML"),
    (DUMP[:5000], "dump.xml", "no sound XML"),
    (gzip.compress(DUMP)[:500], "dump.xml.gz", "cannot be unpacked"),
    (b'<!DOCTYPE m [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><mediawiki>&b;</mediawiki>',
     "dump.xml", "document type declaration"),
    (b'<!DOCTYPE m [<!ENTITY a SYSTEM "file:///etc/passwd">]><mediawiki>&a;</mediawiki>',
     "dump.xml", "document type declaration"),
    (b"<mediawiki>" + b"<a>" * 5000, "dump.xml", "deep"),
    (b"PK\x03\x04", "dump.xml", "way of packing is not read"),
])
def test_what_is_no_dump_is_refused_in_plain_words(data: bytes, filename: str,
                                                   message: str) -> None:
    result = import_dump(data, filename)
    assert result.outcome == "ERROR"
    assert message in result.error
    assert "Traceback" not in result.text


def test_a_file_that_unpacks_to_fill_the_disk_is_refused() -> None:
    bomb = bz2.compress(b"<mediawiki><page>" + b" " * 150_000_000)
    assert "more than 500 times its size" in import_dump(bomb, "dump.xml.bz2").error


def test_an_import_goes_on_where_it_ended() -> None:
    broken = DUMP.partition(b"<title>The red planet")[0]
    first = import_dump(broken)
    assert (first.outcome, first.progress.ok) == ("ERROR", 3)
    second = import_dump(broken, after=first)
    assert "resumes: 3 items done already" in second.text
    assert second.progress.ok == 0
    assert str(second.wiki.get("Docs.Mars").version) == "1.1"


def test_a_dump_in_utf_16_is_counted_too() -> None:
    text = ("<mediawiki><page><title>Зима</title><revision><text>Снег</text></revision></page>"
            "</mediawiki>")
    result = import_dump(text.encode("utf-16"))
    assert page(result, "Docs.Зима").content == "Снег"
    assert "1 pages" in result.text


def test_without_a_dump_the_run_says_what_to_attach() -> None:
    assert "attach a file .xml" in import_dump(b"", "notes.txt").error
    assert "name the space" in import_dump(targetSpace=" ").error
    two = import_dump(files={"other.xml": DUMP})
    assert "Several dumps are attached" in two.error


# -- The wikitext itself -----------------------------------------------------------------------

WIKITEXT = load("Lib.Wikitext")
TITLES = load("Lib.WikitextTitles").Titles(("Docs",))


def markdown(text: str) -> str:
    return str(WIKITEXT.convert(text, "Test", TITLES).markdown)


@pytest.mark.parametrize(("text", "expected"), [
    ("'''''both'''''", "***both***"),
    ("a '''b '''c", "a **b** c"),
    ("----\ntext", "---\n\ntext"),
    ("* a\n\n* b", "- a\n\n- b"),
    (": indented\n:: more", "> indented\n>\n> > more"),
    ("# a\n#* b\n# c", "1. a\n    - b\n2. c"),
    ("{| \n| a || b\n|-\n| colspan=2 | c\n|}",
     "|  |  |\n| --- | --- |\n| a | b |\n| c |  |"),
    ("{|\n! H\n|-\n| rowspan=2 | a\n| b\n|-\n| c\n|}",
     "| H |  |\n| --- | --- |\n| a | b |\n|  | c |"),
    ('{|\n| bgcolor=red colspan="2" {{yes}}\n|-\n| a = {{b}} || c\n|}',
     "|  |  |\n| --- | --- |\n| `{{yes}}` |  |\n| a = `{{b}}` | c |"),
    ("<pre>\n''x''\n</pre>", "```\n''x''\n```"),
    ("H<sub>2</sub>O <s>no</s>", "H<sub>2</sub>O ~~no~~"),
    ("<script>alert(1)</script>", ""),
    ("[javascript:alert(1) x]", r"\[javascript:alert(1) x\]"),
    ("http://a.example/b_c", "<http://a.example/b_c>"),
    ("[[:Category:Planets]]", "[[Category:Planets>>Docs.Category.Planets]]"),
    ("[[St. John's/a.b]]", r"[[St. John's/a.b>>Docs.St\. John's.a\.b]]"),
    ("[[#Some Place|there]]", "[there](#some-place)"),
    ("{{lc:x}} {{{1|y}}}", "`{{lc:x}}` `{{{1|y}}}`"),
    ("{{short}}\n{{two}} \n'''A''' is {{b}}.", "`{{short}}`\n\n`{{two}}`\n\n**A** is `{{b}}`."),
    ("[[File:A.png|thumb|A hill]]\nText", "*A hill*\n\nText"),
    ("[[File:A.png|20px|flag]] Text", "*flag* Text"),
    ("{{Main|Hill#Top|Dale}}\nText",
     "*Main article:* [[Hill#Top>>Docs.Hill#top]], [[Dale>>Docs.Dale]]\n\nText"),
    ("in {{lang|grc|''lógos''}} {{lang}}", "in *lógos* `{{lang}}`"),
    ("{{cite web |last=Hill |first=Ann |last2=Dale |title=On ''tops'' |url=http://a.example/x"
     " |work=Hills |date=2 May 2001 |pages=3–4 |archiveurl=http://b.example}}",
     "Hill, Ann; Dale. [On *tops*](http://a.example/x). *Hills*. 2 May 2001. p. 3–4."),
    ("{{Citation|title=[[Hill]]|url=http://a.example}}",
     "[[Hill>>Docs.Hill]] (<http://a.example>)."),
    ("{{cite book|author=A}}", "`{{cite book|author=A}}`"),
    ("<!-- gone -->here", "here"),
    ("# not `code` <<x/>>", "1. not &#96;code&#96; &lt;`<x/>`>"),
    ("2. no list\n> no quote", "2\\. no list\n\\> no quote"),
])
def test_what_wikitext_becomes(text: str, expected: str) -> None:
    assert markdown(text) == expected


SNIPPETS = ["<<toc/>>", "<<jinja>>", "<</jinja>>", "~<<x/>>", "`", "```", "~~~", "\n", "\n\n", " ",
            "\\", "'''", "''", "[[", "]]", "{{", "}}", "{|", "|}", "|-", "|", "!", "*", "#", ":",
            ";", "==", "<ref>", "</ref>", "<pre>", "</pre>", "<nowiki>", "</nowiki>", "<", ">",
            "&lt;&lt;", "&#60;", "<b>", "</b>", "<code>", "</code>", "[http://x ", "]", "a", "_",
            "<syntaxhighlight>", "</syntaxhighlight>", "<gallery>", "</gallery>", "File:A.png",
            "Category:", "\x00", "\x02", "\ud800", "-{", "}-", "----", "<div>", "</div>", "/"]


@given(st.lists(st.one_of(st.sampled_from(SNIPPETS), st.text(max_size=5)), max_size=30))
def test_nothing_of_a_wikitext_becomes_a_macro_and_no_text_fails(parts: list[str]) -> None:
    content = markdown("".join(parts))
    assert all(isinstance(node, Text | Literal) for node in parse(content)), content
    content.encode()


def test_a_text_that_nests_too_deep_is_shown_as_code() -> None:
    content = markdown("{{a|" * 3000 + "<<toc/>>" + "}}" * 3000)
    assert all(isinstance(node, Text) for node in parse(content))
    to_html(content)
