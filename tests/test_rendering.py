"""Texts to HTML: Markdown, links, sanitising, sheets, includes, the pool."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from wiki.api import Wiki
from wiki.language.links import attachment_url, page_url
from wiki.model import GUEST, Property
from wiki.references import Reference
from wiki.rendering.markdown import to_html
from wiki.rendering.renderer import RenderRequest
from wiki.rendering.sanitize import sanitize
from wiki.site import Site

Show = Callable[..., str]
ADMIN = RenderRequest(user="Users.Admin")


@pytest.fixture
def show(site: Site, wiki: Wiki) -> Show:
    """Save a text as the content of a page, by a user, and render it."""
    def render(text: str, user: str = "Users.Admin", name: str = "Test.Page",
               **args: str) -> str:
        page = wiki.as_user(user).get_or_new(name)
        page.content = text
        page.save()
        return site.renderer.render(page.record, RenderRequest(user, args, "token")).html
    return render


@pytest.mark.parametrize(("text", "html"), [
    ("a | b\n--|--\n1 | 2", "<td>1</td>"),
    ("```python\nx = 1\n```", '<span class="n">x</span>'),
    ("x[^1]\n\n[^1]: note", 'class="footnote"'),
    ("Term\n:   meaning", "<dt>Term</dt>"),
    ("- [x] done", 'type="checkbox"'),
    ("# Heading", '<h1 id="heading">'),
    ("x {.lead}", "x"),
    ("~~gone~~", "<del>gone</del>"),
])
def test_markdown_has_its_extensions(show: Show, text: str, html: str) -> None:
    assert html in show(text)


def test_a_link_to_a_page_leads_to_it(show: Show, wiki: Wiki) -> None:
    wiki.new("Test.Other").save()
    html = show("[[Test.Other]] [[label>>Other#top]] [text](Test.Other)")
    assert '<a href="/Test.Other">Test.Other</a>' in html
    assert '<a href="/Test.Other#top">label</a>' in html
    assert '<a href="/Test.Other">text</a>' in html


def test_a_link_to_a_missing_page_looks_so_until_it_is_made(show: Show, wiki: Wiki) -> None:
    text = "[[Test.Later]]"
    assert 'href="/Test.Later/edit" class="missing"' in show(text)
    wiki.new("Test.Later").save()
    assert '<a href="/Test.Later">' in show(text)


def test_attachments_are_linked_and_embedded(show: Show) -> None:
    html = show("[[attach:a b.csv]] ![logo](attach:logo.png) [[x>>attach:Other@c.txt]]")
    assert 'href="/Test.Page/attachments/a%20b.csv"' in html
    assert 'src="/Test.Page/attachments/logo.png"' in html
    assert 'href="/Test.Other/attachments/c.txt"' in html


def test_addresses_are_percent_encoded() -> None:
    reference = Reference(("A b",), "Dr. No?#")
    assert page_url(reference, "edit", x="1&2") == "/A%20b.Dr%5C.%20No%3F%23/edit?x=1%262"
    assert attachment_url(reference, "a/b") == "/A%20b.Dr%5C.%20No%3F%23/attachments/a%2Fb"


def test_a_reference_with_an_escaped_dot_is_linked(show: Show, wiki: Wiki) -> None:
    wiki.new(r"Test.Dr\. No").save()
    assert '<a href="/Test.Dr%5C.%20No">Test.Dr. No</a>' in show(r"[[Test.Dr\. No]]")


@pytest.mark.parametrize("attack", [
    "<script>alert(1)</script>", '<img src=x onerror="alert(1)">', "<svg onload=alert(1)>",
    "[x](javascript:alert(1))", "<a href='jAvascript:alert(1)'>x</a>", "<iframe src=/x></iframe>",
    '<p style="position:fixed">x</p>', "[x](data:text/html,<script>)", "<form action=/x><button>",
    '<a href="&#106;avascript:alert(1)">x</a>', "<base href=//evil>", "<style>*{}</style>",
    '![x](javascript:alert(1))', "<math><mi xlink:href='x'>",
    '<input type="password" name="password">', "<meta http-equiv=refresh content=0>",
])
def test_what_could_run_is_gone_whoever_wrote_it(show: Show, attack: str) -> None:
    html = show(attack).lower()
    for bad in ("<script", "onerror", "onload", "javascript:alert", "<iframe", "style=", "data:",
                "<form", "<base", "<svg", "<math", "password", "<meta", "<style", "<button"):
        assert bad not in html.replace("javascript:alert(1)</a>", "").replace(
            'title="', ""), html


@pytest.mark.parametrize("text", [
    "[" * 20_000, "![" * 10_000, "<![CDATA[" * 1_000, "<a " * 20_000, "- " * 500 + "x",
    "> " * 500 + "x", "<!--" * 5_000, "[a](" * 5_000, "*a **b " * 5_000, "`" * 20_000,
    "\n".join(" " * (4 * depth) + "- x" for depth in range(300))])
def test_a_hostile_text_takes_no_long_time(text: str) -> None:
    started = time.perf_counter()
    sanitize(to_html(text))
    assert time.perf_counter() - started < 5


def test_a_text_past_the_parsers_depth_is_shown_plainly() -> None:
    assert to_html("> " * 500 + "<b>") == (
        '<pre class="plain">' + "&gt; " * 500 + "&lt;b&gt;</pre>")


def test_a_block_macro_in_a_paragraph_splits_it(show: Show) -> None:
    html = show("a **b <<box>>c<</box>> d** e")
    assert '<p>a <strong>b </strong></p><div class="box">' in html
    assert "</div><p><strong> d</strong> e</p>" in html


def test_a_macro_in_an_attribute_puts_nothing_there(show: Show) -> None:
    html = show("[x](http://a \"<<box>>'onclick=x<</box>>\")")
    assert 'title=""' in html
    assert "box" not in html


def test_a_page_runs_at_most_so_many_macros(show: Show) -> None:
    html = show("<<attachments/>> " * 5_050)
    assert html.count("There are no attachments") == 5_000


def test_macros_nest_to_a_depth_and_say_so(show: Show) -> None:
    html = show("<<box>>" * 40 + "x" + "<</box>>" * 40)
    assert "macros nest more than" in html


def test_an_unchanged_page_costs_a_look_up(site: Site, wiki: Wiki) -> None:
    page = wiki.new("Test.Long", content="*word* [[Main.WebHome]] " * 2_000).save().record
    site.renderer.render(page, ADMIN)
    started = time.perf_counter()
    site.renderer.render(page, ADMIN)
    assert time.perf_counter() - started < 0.2


# -- scripts, sheets, includes ---------------------------------------------------------------

def test_a_script_puts_out_markdown_and_its_values_are_inert(show: Show) -> None:
    html = show("<<jinja>>\n{% for x in [1, 2] %}\n- **{{ x }}** {{ '*a* <<box/>> <b>' }}\n"
                "{% endfor %}\n<</jinja>>")
    assert "<strong>2</strong> *a* &lt;&lt;box/&gt;&gt; &lt;b&gt;" in html


def test_a_value_in_a_macros_parameter_is_the_value_itself(show: Show) -> None:
    html = show("<<jinja>><<box title=\"{{ request.args.get('q') }}\">>x<</box>><</jinja>>",
                q='"/>> <b>')
    assert "<strong>&#34;/&gt;&gt; &lt;b&gt;</strong>" in html


def test_a_script_sees_the_wiki(show: Show, wiki: Wiki) -> None:
    html = show("<<jinja>>{{ doc.reference }} {{ wiki.exists('Nope.Nope') }} "
                "{{ wiki.get('Wiki.UserClass').title }} {{ user.name }} "
                "{{ wiki.url('A.B', 'edit', x=1) }} {{ wiki.query(space='Help')|length }}"
                "<</jinja>>")
    assert "Test.Page False " in html
    assert "Admin /A.B/edit?x=1" in html


def test_a_script_by_somebody_without_the_right_does_not_run(show: Show) -> None:
    html = show("before <<jinja>>{{ 6 * 7 }}<</jinja>> after", user="Users.Jo")
    assert "42" not in html
    assert "does not hold the script right" in html
    assert "before" in html and "after" in html


def test_an_edit_without_the_right_disarms_a_script(show: Show) -> None:
    assert "42" in show("<<jinja>>{{ 6 * 7 }}<</jinja>>")
    assert "42" not in show("<<jinja>>{{ 6 * 7 }}<</jinja>> more", user="Users.Jo")


def test_a_preview_runs_with_its_readers_rights(site: Site, wiki: Wiki) -> None:
    page = wiki.new("Test.P", content="<<jinja>>{{ 6 * 7 }}<</jinja>>").save().record
    html = site.renderer.render_content(page, RenderRequest(user=GUEST, preview=True)).html
    assert "42" not in html


def test_an_included_page_runs_with_its_own_authors_rights(show: Show) -> None:
    show("<<jinja>>{{ 6 * 7 }}<</jinja>>", user="Users.Jo", name="Test.Bad")
    show("<<jinja>>{{ 6 * 8 }}<</jinja>>", name="Test.Good")
    assert "42" not in show('<<include page="Bad"/>>')
    assert "48" in show('<<include page="Test.Good"/>>', user="Users.Jo")


def test_a_page_that_includes_itself_says_so(show: Show) -> None:
    show('<<include page="Test.B"/>>', name="Test.A")
    html = show('b <<include page="Test.A"/>>', name="Test.B")
    assert "includes itself: Test.B &gt; Test.A &gt; Test.B" in html


def test_a_section_of_a_page_is_included(show: Show) -> None:
    show("# A\none\n## B\ntwo\n# C\nthree", name="Test.S")
    html = show('<<include page="S" section="A"/>>')
    assert "one" in html and "two" in html and "three" not in html
    assert "has no section" in show('<<include page="S" section="Z"/>>')


def test_relative_links_in_an_included_page_are_its_own(show: Show) -> None:
    show("[[Name]]", name="Other.Page")
    assert "/Other.Name/edit" in show('<<include page="Other.Page"/>>')


def test_a_class_can_have_a_sheet(show: Show, site: Site, wiki: Wiki) -> None:
    show("<<jinja>>Year: {{ doc.object('Test.BookClass')['year'] }} <<content/>><</jinja>>",
         name="Test.BookSheet")
    book = wiki.new("Test.BookClass")
    book.define_class(Property("year", "Number"))
    book.add_object("Wiki.ClassSheetClass", sheet="Test.BookSheet")
    book.save()
    dune = wiki.new("Test.Dune", content="*sand*")
    dune.add_object("Test.BookClass", year=1965)
    dune.save()
    html = site.renderer.render(dune.record, ADMIN).html
    assert "Year: 1965" in html and "<em>sand</em>" in html
    assert "Year" not in site.renderer.render_content(dune.record, ADMIN).html


def test_a_propertys_text_runs_nothing(show: Show, site: Site, wiki: Wiki) -> None:
    page = wiki.new("Test.NoteClass")
    page.define_class(Property("text", "TextArea", options={"kind": "markdown"}))
    page.save()
    show("<<objects/>> <<jinja>>{{ doc.object('Test.NoteClass')['text'] }}<</jinja>>",
         name="Test.NoteSheet")
    page.add_object("Wiki.ClassSheetClass", sheet="Test.NoteSheet")
    page.save()
    note = wiki.as_user("Users.Jo").new("Test.Note")
    note.add_object("Test.NoteClass", text="<<jinja>>{{ 6 * 7 }}<</jinja>> <<html>>&lt;<</html>>")
    note.save()
    assert "42" not in site.renderer.render(note.record, ADMIN).html


def test_many_threads_render_at_once(site: Site, wiki: Wiki) -> None:
    pages = [wiki.new(f"Test.T{number}", content=f"<<jinja>>n{{{{ {number} }}}}<</jinja>>").save()
             for number in range(16)]
    shown: dict[int, str] = {}

    def render(number: int) -> None:
        shown[number] = site.renderer.render(pages[number].record, ADMIN).html
    threads = [threading.Thread(target=render, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert shown == {number: f"<p>n{number}</p>" for number in range(16)}
