"""Macros and sheets that people make on pages, and what scripts on pages see."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from wiki.api import OpenDocument, Wiki
from wiki.model import Property
from wiki.references import Reference
from wiki.rendering import facades
from wiki.rendering.renderer import RenderRequest
from wiki.rendering.wikimacros import MACRO_CLASS, PARAMETER_CLASS
from wiki.settings import shipped
from wiki.site import Site
from wiki.store import open_store

ADMIN = RenderRequest(user="Users.Admin")
Define = Callable[..., OpenDocument]
Show = Callable[..., str]


@pytest.fixture
def define(wiki: Wiki) -> Define:
    """Make a page with a macro; parameters are the values of their objects."""
    def make(name: str, code: str, *parameters: dict[str, Any], page: str = "",
             user: str = "Users.Admin", **values: Any) -> OpenDocument:
        document = wiki.as_user(user).get_or_new(page or f"Macros.{name.title()}")
        document.add_object(MACRO_CLASS, name=name, code=code, **values)
        for parameter in parameters:
            document.add_object(PARAMETER_CLASS, **parameter)
        return document.save()
    return make


@pytest.fixture
def show(site: Site, wiki: Wiki) -> Show:
    """Save a text by a user and render it."""
    def render(text: str, user: str = "Users.Admin", page: str = "Test.Page",
               reader: str = "Users.Admin") -> str:
        document = wiki.as_user(user).get_or_new(page)
        document.content = text
        document.save()
        return str(site.local_renderer.render(document.record, RenderRequest(user=reader)).html)
    return render


# -- parameters and bodies -------------------------------------------------------------------


def test_a_macro_on_a_page_works_from_its_first_save_to_its_deletion(
        define: Define, show: Show) -> None:
    assert "no macro of this name" in show("<<greet/>>")
    page = define("greet", "Good *day*")
    assert "<p>Good <em>day</em></p>" in show("<<greet/>>")
    page.object(MACRO_CLASS)["code"] = "Good *night*"  # type: ignore[index]
    page.save()
    assert "<em>night</em>" in show("<<greet/>>")
    page.delete()
    assert "no macro of this name" in show("<<greet/>>")


def test_parameters_come_as_their_types_with_their_defaults(define: Define, show: Show) -> None:
    define("typed", "{{ params.n + 1 }} {{ params.x * 2 }} {{ not params.b }} {{ params.p }} "
           "{{ params.c }} {{ params.missing is none }} {{ params.s|length }}",
           {"name": "n", "type": "integer", "default": "41"},
           {"name": "x", "type": "number", "default": "0.5"},
           {"name": "b", "type": "boolean"}, {"name": "p", "type": "page"},
           {"name": "c", "type": "list", "choices": "red\ngreen", "default": "green"},
           {"name": "missing"}, {"name": "s", "required": True})
    assert "42 1.0 False Test.Other green True 3" in show('<<typed b p="Other" s="abc"/>>')
    assert "8 3.0 True" in show('<<typed n="7" x="1.5" b="no" p="A.B" s=""/>>')


WRONG_USES = [
    ("<<typed/>>", "parameter n is missing; typed takes n, c"),
    ('<<typed n="x"/>>', "&#x27;x&#x27; is not a whole number"),
    ('<<typed n="1" c="blue"/>>', "is not one of red, green"),
    ('<<typed n="1" z="1"/>>', "there is no parameter &#x27;z&#x27;"),
    ('<<typed n="1">>x<</typed>>', "it takes no body"),
]


def test_a_wrong_use_says_what_is_allowed(define: Define, show: Show) -> None:
    define("typed", "x", {"name": "n", "type": "integer", "required": True},
           {"name": "c", "type": "list", "choices": "red\ngreen"})
    for use, why in WRONG_USES:
        assert why in show(use).replace("&#39;", "&#x27;")


def test_a_rendered_body_is_its_authors_and_stands_where_the_code_says(
        define: Define, show: Show) -> None:
    define("frame", "before\n\n{{ body }}\n\n**{{ body|length }}**", body="rendered")
    html = show("<<frame>>a *b*\n\n- one <<info>>in<</info>>\n<</frame>>")
    assert re.search(r"<p>before</p>\s*<p>a <em>b</em></p>\s*<ul>.*info.*</ul>", html, re.DOTALL)
    # The macro's rights are not the body's.
    html = show("<<frame>><<jinja>>{{ 6 * 7 }}<</jinja>><</frame>>", user="Users.Jo")
    assert "Users.Jo, who wrote this text" in html and "42" not in html


def test_a_raw_body_and_a_value_are_shown_as_they_are(define: Define, show: Show) -> None:
    define("plain", "{{ body }} {{ params.v }} <<box title=\"{{ params.v }}\">>x<</box>>",
           {"name": "v"}, body="raw")
    html = show('<<plain v="*v* <<toc/>> {{ 1 + 1 }} <i>">>*b* <<html>><script>x<</html>>'
                '<</plain>>')
    assert "*b* &lt;&lt;html&gt;&gt;&lt;script&gt;" in html
    assert "*v* &lt;&lt;toc/&gt;&gt; {{ 1 + 1 }} &lt;i&gt;" in html
    assert "<em>" not in html and "macro-error" not in html


def test_an_inline_macro_stays_in_its_paragraph_as_soon_as_it_says_so(
        define: Define, show: Show) -> None:
    page = define("mark", "**{{ body }}**", body="rendered", inline=True)
    assert "<p>a <strong>b <em>c</em></strong> d</p>" in show("a <<mark>>b *c*<</mark>> d")
    page.object(MACRO_CLASS)["inline"] = False  # type: ignore[index]
    page.save()
    html = show("a <<mark>>b *c*<</mark>> d")
    assert "<p>a </p>" in html and "<p> d</p>" in html


def test_macros_use_each_other_with_bodies_of_their_own(define: Define, show: Show) -> None:
    define("inner", "[ {{ body }} ]", body="rendered", inline=True)
    define("outer", "<<inner>>{{ body }}!<</inner>>", body="rendered", inline=True)
    assert "<p>[ x! ]</p>" in show("<<outer>>x<</outer>>")


def test_a_macro_in_what_a_script_puts_out_gets_its_values(define: Define, show: Show) -> None:
    define("echo", "{{ params.v }}|{{ body }}", {"name": "v"}, body="raw")
    html = show('<<jinja>><<echo v="{{ 6 * 7 }}">>{{ "*x*" }}<</echo>><</jinja>>')
    assert "42|*x*" in html


# -- who sees it, and with whose rights --------------------------------------------------------


def test_the_nearest_macro_of_a_name_is_meant(define: Define, show: Show) -> None:
    define("near", "of the wiki")
    define("near", "of the space", page="Deep.Near", visibility="space")
    define("near", "of the inner space", page="Deep.In.Near", visibility="space")
    assert "of the wiki" in show("<<near/>>", page="Test.A")
    assert "of the space" in show("<<near/>>", page="Deep.A")
    assert "of the inner space" in show("<<near/>>", page="Deep.In.Side.A")
    assert "of the wiki" in show("<<near/>>", page="Deeper.A")
    define("near", "of Admin", page="Own.Near", visibility="user")
    assert "of Admin" in show("<<near/>>", page="Deep.In.Side.A")
    assert "of the inner space" in show("<<near/>>", page="Deep.In.Side.B", user="Users.Jo")


def test_an_included_text_sees_the_macros_of_its_own_space(define: Define, show: Show) -> None:
    define("local", "home", page="Far.Local", visibility="space")
    show("<<local/>>", page="Far.Text")
    assert "home" in show('<<include page="Far.Text"/>>', page="Test.A")


def test_two_of_a_name_as_near_are_an_error_with_both_pages(define: Define, show: Show) -> None:
    define("twin", "a", page="Macros.A")
    define("twin", "b", page="Macros.B")
    assert "two macros of this name, Macros.A and Macros.B" in show("<<twin/>>")
    assert "two macros of this name" in show("", page="Macros.A")


def test_a_macro_shadows_none_of_the_wikis_own(define: Define, show: Show) -> None:
    define("toc", "mine", page="Macros.Toc")
    assert "mine" not in show("<<toc/>>\n\n# A")
    assert "comes first; give this one another name" in show("", page="Macros.Toc")


def test_a_name_that_is_none_is_said_on_the_page(wiki: Wiki, show: Show) -> None:
    page = wiki.new("Macros.Bad")
    obj = page.add_object(MACRO_CLASS, name="good", code="x")
    page.save()
    assert "Works in all pages" in show("", page="Macros.Bad")
    for name in (" ", "a b", "1a", "body", "a.b"):
        page = wiki.get("Macros.Bad")
        page.object(obj.class_name)["name"] = name  # type: ignore[index]
        page.save()
        assert "cannot be a macro" in show("", page="Macros.Bad")


def test_broken_code_or_a_wrong_default_is_said_on_the_page(define: Define, show: Show) -> None:
    define("bad", "a\n{% if %}")
    assert "It does not work: line 2" in show("", page="Macros.Bad")
    assert "Macros.Bad cannot be run: line 2" in show("<<bad/>>")
    define("worse", "a", {"name": "n", "type": "integer", "default": "many"})
    assert "the default of n" in show("", page="Macros.Worse")


def test_only_who_holds_the_script_right_arms_a_macro(
        define: Define, show: Show, wiki: Wiki) -> None:
    define("risky", "{{ 6 * 7 }}", user="Users.Jo")
    assert "Users.Jo, who wrote this text, does not hold the script right" in show("<<risky/>>")
    assert "Users.Jo, who changed it last" in show("", page="Macros.Risky", user="Users.Jo")
    page = wiki.get("Macros.Risky")
    page.object(MACRO_CLASS)["code"] = "{{ 6 * 7 }}!"  # type: ignore[index]
    page.save()
    assert "42!" in show("<<risky/>>", user="Users.Jo", page="Test.Jo")
    page = wiki.as_user("Users.Jo").get("Macros.Risky")
    page.add_object(PARAMETER_CLASS, name="x")
    page.save()
    assert "does not hold the script right" in show("<<risky/>>")


def test_an_unarmed_macro_takes_no_name_from_an_armed_one(define: Define, show: Show) -> None:
    define("shared", "right")
    define("shared", "wrong", page="Test.Shared", user="Users.Jo", visibility="space")
    define("shared", "wrong", page="Macros.Shared2", user="Users.Jo")
    assert "right" in show("<<shared/>>")


def test_the_code_reads_the_wiki_as_the_reader(define: Define, show: Show) -> None:
    define("who", "{{ user.name }} on {{ doc.reference }}")
    assert "Jo on Test.Page" in show("<<who/>>", reader="Users.Jo")


def test_recursion_ends_in_a_box(define: Define, show: Show) -> None:
    define("ping", "x <<pong/>>")
    define("pong", "y <<ping/>><<ping/>>")
    html = show("<<ping/>>")
    assert html.count("the macro calls itself: Macros.Ping &gt; Macros.Pong &gt; Macros.Ping") == 2


def test_a_macro_with_a_script_renders_in_a_worker(
        define: Define, show: Show, site: Site, wiki: Wiki) -> None:
    define("slow", "{% for i in range(99999) %}{% set x = range(99999)|sum %}{% endfor %}")
    define("quick", "{{ 6 * 7 }}")
    show("<<quick/>>")
    page = wiki.get("Test.Page").record
    assert "42" in site.renderer.render(page, ADMIN).html
    page = wiki.get("Test.Page")
    page.content = "<<slow/>>"
    assert "it was stopped" in site.renderer.render(page.save().record, ADMIN).html


def test_what_another_process_saves_is_seen(define: Define, show: Show, site: Site) -> None:
    assert "no macro of this name" in show("<<other/>>")
    store = open_store(site.settings.data)
    try:
        page = Wiki(store, "Users.Admin").new("Macros.Other")
        page.add_object(MACRO_CLASS, name="other", code="*new*")
        page.save()
    finally:
        store.close()
    assert "<em>new</em>" in show("<<other/>>")


def test_the_macros_that_a_text_can_use_are_listed(define: Define, site: Site) -> None:
    define("mine", "x", {"name": "n", "type": "page", "description": "Which."},
           description="Shows it.\n\nAll of it.", page="Deep.Mine", visibility="space",
           examples='<<mine n="A"/>>\n---\n<<mine n="B"/>>')
    def listed(page: str) -> dict[str, Any]:
        found = site.local_renderer.visible_macros(Reference.parse(page), "Users.Jo")
        assert [spec.name for spec in found] == sorted(spec.name for spec in found)
        return {spec.name: spec for spec in found}
    spec = listed("Deep.In.Page")["mine"]
    assert spec.help.startswith("Shows it.") and spec.page == Reference.parse("Deep.Mine")
    assert spec.examples == ('<<mine n="A"/>>', '<<mine n="B"/>>')
    assert (spec.parameters[0].takes, spec.parameters[0].help) == ("page", "Which.")
    others = listed("Test.Page")
    assert "mine" not in others and {"toc", "taskcard"} <= set(others)


# -- the shipped pages -------------------------------------------------------------------------


def test_the_sheet_shows_use_parameters_rights_and_examples(site: Site) -> None:
    page = site.wiki.get("Macros.TaskCard").record
    html = site.local_renderer.render(page, ADMIN).html
    assert "&lt;&lt;taskcard task=" in html and "Whether to show how far it is." in html
    assert 'data-task="Tasks.ImportCountries"' in html and "macro-error" not in html
    assert "Works in all pages" in html and "params.progress" in html


def test_the_shipped_macros_work_for_a_guest(show: Show) -> None:
    html = show('<<taskcard task="Tasks.HelloWorld" progress="no"/>> a '
                '<<person name="Users.Admin"/>> b', reader="XWiki.Guest")
    assert "Hello" in html and "<progress" not in html
    assert re.search(r'<p>\s*a <a href="/Users.Admin">Admin</a> b</p>', html)


# -- sheets ------------------------------------------------------------------------------------


def test_a_user_makes_a_sheet_by_pages_alone(wiki: Wiki, site: Site) -> None:
    book = wiki.new("Books.BookClass")
    book.define_class(Property("year", "Number"))
    book.add_object("Wiki.ClassSheetClass", sheet="Books.BookSheet")
    book.save()
    wiki.new("Books.BookSheet", content="<<jinja>>Year **{{ doc.object('Books.BookClass').year }}"
             "**<</jinja>>\n\n<<content/>>").save()
    dune = wiki.as_user("Users.Jo").new("Books.Dune", content="A *planet*")
    dune.add_object("Books.BookClass", year=1965)
    dune.save()
    html = site.renderer.render(dune.record, ADMIN).html
    assert "<p>Year <strong>1965</strong></p>" in html and "<em>planet</em>" in html


# -- what scripts see --------------------------------------------------------------------------

FACADES = {
    "wiki": facades.WikiFacade, "doc": facades.DocumentFacade, "object": facades.ObjectFacade,
    "attachment": facades.AttachmentFacade, "request": facades.RequestFacade,
    "args": facades.ArgumentsFacade, "user": facades.UserFacade}


def test_what_scripts_see_is_documented_and_nothing_else_is() -> None:
    text = (shipped("pages") / "Help" / "Scripting.md").read_text(encoding="utf-8")
    for name, facade in FACADES.items():
        section = re.search(rf"^### {name}\n(.*?)(?=^##)", text, re.MULTILINE | re.DOTALL)
        assert section
        told = re.findall(r"^- `(\w+)", section[1], re.MULTILINE)
        assert sorted(told) == sorted(facade.public)


def test_no_facade_is_left_out_of_the_help() -> None:
    public = {kind for kind in facades.Facade.__subclasses__() if kind.public}
    assert public == set(FACADES.values())


SCRIPTS = [
    ('{{ "2026-11-24"|date("%d.%m.%Y") }}', "24.11.2026"),
    ('{{ "2026-11-24T05:10:00Z"|date }}', "2026-11-24 05:10"),
    ('{{ none|date }}.', "<p>.</p>"),
    ('{{ doc.created|date("%Y") == doc.created.year|string }}', "True"),
    ('{{ wiki.user("Users.Ada").full_name }} {{ wiki.user("Users.Ada").exists }}', "Ada True"),
    ('{{ wiki.user("Users.Nobody").full_name }} {{ wiki.user("Users.No").exists }}',
     "Nobody False"),
    ('{{ user.name }} {{ user.url }}', "Admin /Users.Admin"),
]


def test_scripts_get_people_and_dates(site: Site, show: Show, wiki: Wiki) -> None:
    site.add_user("Ada", "correct horse")
    for script, shown in SCRIPTS:
        assert shown in show(f"<<jinja>>{script}<</jinja>>")
    page = wiki.get("Users.Ada")
    page.object("Wiki.UserClass").update(  # type: ignore[union-attr]
        firstName="Ada", lastName="Lovelace")
    page.save()
    assert "Ada Lovelace" in show('<<person name="Users.Ada"/>>')


def test_a_raw_body_is_no_markup_to_the_parser(define: Define, show: Show) -> None:
    define("verse", "{{ body }}", body="raw")
    html = show("<<verse>>a ` b <<box>> ```<</verse>> after <<version/>>")
    assert "a ` b &lt;&lt;box&gt;&gt; ```" in html and "never closed" not in html
    assert "macro-error" not in html


def test_blocks_in_a_macro_within_a_line_end_the_paragraph(define: Define, show: Show) -> None:
    define("note", "[{{ body }}]", body="rendered", inline=True)
    html = show("Before *it <<note>>one\n\ntwo<</note>> after*.")
    assert re.search(r"<p>Before <em>it \[?</em></p>.*<p>one</p>\s*<p>two</p>.*"
                     r"<p><em>\]? after</em>\.</p>", html, re.DOTALL), html
    assert "<p>Before [one] after.</p>" in show("Before <<note>>one<</note>> after.")
