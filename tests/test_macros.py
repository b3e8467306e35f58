"""The macros that ship, the registry, and the conversion of parameters."""

from __future__ import annotations

from pathlib import Path

import pytest

from wiki.api import Wiki
from wiki.errors import MacroError
from wiki.model import Property
from wiki.rendering.macrohelp import explain
from wiki.rendering.macros import MacroContext, Registry, macro
from wiki.rendering.renderer import RenderRequest
from wiki.site import Site

DOCS = Path(__file__).parent.parent / "docs" / "macros.md"


def show(site: Site, text: str, **args: str) -> str:
    page = site.wiki.as_user("Users.Admin").get_or_new("Test.Page")
    page.content = text
    page.save()
    return site.renderer.render(page.record, RenderRequest("Users.Admin", args, "the-token")).html


@macro("plain")
def plain(context: MacroContext, text: str, times: int = 1, loud: bool = False) -> str:
    """Say it."""
    return text * times + "!" * loud


def test_a_registry_refuses_a_duplicate_and_a_late_comer() -> None:
    registry = Registry()
    registry.register(plain)
    with pytest.raises(MacroError, match="two macros"):
        registry.register(plain)
    frozen = Registry()
    frozen.freeze()
    with pytest.raises(MacroError, match="before the start"):
        frozen.register(plain)


def test_parameters_are_converted_by_the_signature() -> None:
    spec = Registry().register(plain)
    assert spec.arguments({"text": "a", "times": "3", "loud": None}) == {
        "text": "a", "times": 3, "loud": True}


@pytest.mark.parametrize(("params", "why"), [
    ({}, "text is missing"), ({"text": "a", "x": "1"}, "no parameter 'x'"),
    ({"text": "a", "times": "x"}, "not a whole number"),
    ({"text": "a", "loud": "maybe"}, "neither true nor false"), ({"text": None}, "needs a value"),
])
def test_a_wrong_parameter_says_why(params: dict[str, str | None], why: str) -> None:
    with pytest.raises(MacroError, match=why):
        Registry().register(plain).arguments(params)


def test_a_button_stays_in_its_line_and_its_form_at_the_end(site: Site) -> None:
    html = show(site, 'One <<button action="ready" task="Tasks.HelloWorld"/>> two '
                      '<<button action="ready" task="Tasks.HelloWorld" confirm="Sure?"/>> three.')
    line, _, end = html.partition("three.</p>")
    assert line.startswith("<p>One <button") and "two <button" in line and "<form" not in line
    assert "Sure?" in line and end.count("<form") == 1 and 'value="the-token"' in end
    assert 'action="/Tasks.HelloWorld/task"' in end


def test_every_macro_is_documented(site: Site) -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert [spec.name for spec in site.registry if f"`{spec.name}`" not in text] == []
    assert all(spec.help for spec in site.registry)
    assert [(spec.name, item.name) for spec in site.registry for item in spec.parameters
            if item.name not in explain(spec).parameters] == []


@pytest.mark.parametrize(("text", "why"), [
    ('<<include section="a" page=".."/>>', "page: "),
    ('<<livetable rows="3" class=".."/>>', "class: "),
    ('<<gallery limit="3" width="1"/>>', "width: 1 is not between"),
    ('<<query limit="3" where="??"/>>', "where: "),
    ('<<columns>><<column width="99">>x<</column>><</columns>>', "width: 99 is not between"),
    ('<<date format="%A" zone="Nowhere"/>>', "zone: there is no time zone"),
])
def test_a_value_that_is_wrong_is_pointed_at(site: Site, text: str, why: str) -> None:
    html = show(site, text)
    column = text.index(f"{why.partition(':')[0]}=") + 1
    assert why in html and f"line 1, column {column}<" in html


def test_logs_are_shown_and_an_unknown_one_is_refused(site: Site) -> None:
    site.logs.append("Tasks.X.log", "INFO", "hello <b>")
    html = show(site, '<<showlog log="Tasks.X.log"/>>')
    assert 'data-log="Tasks.X.log"' in html and 'data-follow="true"' in html
    assert 'class="line level-info"' in html and "hello &lt;b&gt;" in html
    for bad in ("../../etc/passwd", "Nope.log", "/etc/passwd", "a\0.log"):
        assert "No such log" in show(site, f'<<showlog log="{bad}"/>>')


def test_toc_lists_the_headings_once(site: Site) -> None:
    html = show(site, "<<toc/>>\n\n# One\n\n## Two *b*")
    assert '<a href="#one">One</a>' in html and ">Two b</a>" in html


def test_messages_code_and_unknown_macros(site: Site) -> None:
    html = show(site, '<<info title="T">>a *b*<</info>>\n\n<<code language="python">>x = "<b>"'
                      '<</code>>\n\n<<nope/>> <<toc depth="x"/>> <<include/>>')
    assert 'class="box info"' in html and "<em>b</em>" in html
    assert "&lt;b&gt;" in html
    for why in ("no macro of this name", "not a whole number", "page is missing"):
        assert why in html


def test_a_task_has_its_progress_and_its_buttons(site: Site) -> None:
    html = show(site, '<<taskprogress task="Tasks.ImportCountries"/>> '
                      '<<button action="ready" task="Tasks.ImportCountries" label="Run"/>>')
    assert 'data-task="Tasks.ImportCountries"' in html and "<progress" in html
    assert 'action="/Tasks.ImportCountries/task"' in html and 'value="the-token"' in html


def test_a_table_sorts_filters_and_pages(site: Site, wiki: Wiki) -> None:
    book = wiki.new("Test.BookClass")
    book.define_class(Property("year", "Number"), Property("read", "Boolean"))
    book.save()
    with wiki.batch():
        for number in range(30):
            page = wiki.new(f"Books.B{number:02}", title=f"Book {number:02}")
            page.add_object("Test.BookClass", year=2000 - number, read=number % 2 == 0)
            page.save()
    text = '<<livetable class="Test.BookClass" columns="doc.title, year, read"/>>'
    first = show(site, text)
    assert "1 to 25 of 30" in first and "Book 00" in first and "Book 29" not in first
    assert "26 to 30 of 30" in show(site, text, **{"BookClass.page": "2"})
    assert "Book 29" in show(site, text, **{"BookClass.sort": "year"})
    assert "1 to 1 of 1" in show(site, text, **{"BookClass.doc.title": "book 07"})
    assert "1 to 15 of 15" in show(site, text, **{"BookClass.read": "true"})
    assert "BookClass.year" in show(site, text, **{"BookClass.year": "x"})
    assert "has no property" in show(site, '<<livetable class="Test.BookClass" columns="nope"/>>')
