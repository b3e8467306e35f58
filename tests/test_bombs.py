"""Pages made to take for ever: each ends as a page or as an error box, after bounded work.

What bounds the work is counted, not timed.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from markupsafe import Markup

from wiki.api import Wiki
from wiki.model import Document
from wiki.rendering import limits
from wiki.rendering.macros import MAX_DEFERRED, MacroContext
from wiki.rendering.renderer import NeedsWorker, Renderer, RenderRequest
from wiki.site import Site

ADMIN = RenderRequest(user="Users.Admin")
Save = Callable[[str, str], Document]


class Counted(Renderer):
    """A renderer that counts what it is asked to do."""

    texts = characters = 0

    def render_text(self, context: MacroContext, text: str, line: int = 1, column: int = 1,
                    margin: int = 0) -> Markup:
        self.texts += 1
        self.characters += len(text)
        return super().render_text(context, text, line, column, margin)


@pytest.fixture
def renderer(site: Site) -> Counted:
    return Counted(site.wiki, site.registry)


@pytest.fixture
def save(wiki: Wiki) -> Save:
    def keep(name: str, text: str) -> Document:
        page = wiki.get_or_new(name)
        page.content = text
        page.save()
        return page.record
    return keep


def show(renderer: Renderer, document: Document) -> str:
    return str(renderer.render(document, ADMIN).html)


def test_a_page_that_includes_itself_says_so(renderer: Counted, save: Save) -> None:
    html = show(renderer, save("Test.A", '<<include page="Test.A"/>>'))
    assert "includes itself: Test.A &gt; Test.A" in html
    assert renderer.texts == 1


def test_pages_that_include_each_other_say_so(renderer: Counted, save: Save) -> None:
    for name, other in ("AB", "BC", "CA"):
        save(f"Test.{name}", f'{name} <<include page="Test.{other}"/>>')
    html = show(renderer, save("Test.A", 'A <<include page="Test.B"/>>'))
    assert "includes itself: Test.A &gt; Test.B &gt; Test.C &gt; Test.A" in html
    assert renderer.texts == 3


def test_a_billion_laughs_stop_at_the_limit_of_macros(renderer: Counted, save: Save,
                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty pages, each of which includes all of them."""
    monkeypatch.setattr(limits, "MAX_MACROS", 500)
    for number in range(50):
        save(f"Test.L{number}", "".join(f'<<include page="Test.L{other}"/>>\n\n'
                                        for other in range(50)))
    html = show(renderer, save("Test.Page", '<<include page="Test.L0"/>>'))
    assert html.count("a page runs 500 macros, and no more") == 1
    assert renderer.texts <= 501


def test_included_text_is_bounded(renderer: Counted, save: Save,
                                  monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_SOURCE", 100_000)
    save("Test.Note", "<<comment>>" + "x" * 30_000 + "<</comment>>")
    html = show(renderer, save("Test.Page", '<<include page="Test.Note"/>>\n\n' * 1_000))
    assert html.count("a page renders 100,000 characters of text, and no more") == 1
    assert renderer.characters < 100_000 + 2 * 31_000


def test_much_included_text_is_left_to_a_worker(renderer: Counted, save: Save,
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LOCAL_SOURCE", 100_000)
    save("Test.Note", "<<comment>>" + "x" * 30_000 + "<</comment>>")
    page = save("Test.Page", '<<include page="Test.Note"/>>\n\n' * 1_000)
    with pytest.raises(NeedsWorker):
        renderer.without_scripts().render(page, ADMIN)


def test_html_is_bounded(renderer: Counted, save: Save,
                         monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_OUTPUT", 100_000)
    save("Test.Long", "> x\n\n" * 1_000)
    html = show(renderer, save("Test.Page", '<<include page="Test.Long"/>>\n\n' * 1_000))
    assert html.count("a page gives 100,000 characters of HTML, and no more") == 1
    assert len(html) < 200_000


def test_what_a_macro_gives_counts_as_html(renderer: Counted, save: Save,
                                           monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_OUTPUT", 100_000)
    html = show(renderer, save("Test.Page", f'<<code>>{"x" * 30_000}<</code>>\n\n' * 20))
    assert "a page gives 100,000 characters of HTML" in html
    assert len(html) < 200_000


def test_tables_of_contents_are_bounded(renderer: Counted, save: Save,
                                        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_OUTPUT", 200_000)
    html = show(renderer, save("Test.Page", "<<toc/>>\n\n" * 30 + "# Heading\n\n" * 1_000))
    assert html.count(f"at most {MAX_DEFERRED} macros that are made from all of it") == 30 - 20
    assert len(html) < 500_000


@pytest.mark.parametrize("macros", [10_000, 100_000])
def test_a_page_of_macros_shows_a_page(site: Site, save: Save, macros: int) -> None:
    html = site.renderer.render(save("Test.Page", "<<id/>> " * macros), ADMIN).html
    assert 0 < len(html) < 6_000_000


@pytest.mark.parametrize("value", ["x" * 999_000, '\\"' * 499_000, "<<a>> | ` " * 30_000])
def test_a_parameter_of_a_megabyte_is_a_parameter(renderer: Counted, save: Save,
                                                  value: str) -> None:
    html = show(renderer, save("Test.Page", f'<<box title="{value}">>the body<</box>>'))
    assert "<p>the body</p></div>" in html
    assert "macro-error" not in html


def test_a_megabyte_without_a_closing_quote_is_an_error(renderer: Counted, save: Save) -> None:
    html = show(renderer, save("Test.Page", '<<box title="' + "x" * 999_000))
    assert "the value of title has no closing quote" in html


def test_ten_thousand_nested_bodies_end_at_the_depth(renderer: Counted, save: Save) -> None:
    html = show(renderer, save("Test.Page",
                               "<<box>>" * 10_000 + "x" + "<</box>>" * 10_000))
    assert html.count("hold &lt;&lt; 40,000 times, and no more") == 1
    assert renderer.texts <= 3


def test_nested_bodies_end_at_the_depth(renderer: Counted, save: Save) -> None:
    html = show(renderer, save("Test.Page", "<<box>>" * 100 + "x" + "<</box>>" * 100))
    assert html.count(f"macros nest more than {limits.MAX_DEPTH} deep") == 1
    assert renderer.texts == limits.MAX_DEPTH + 2


def test_a_body_with_too_many_macros_is_shown_as_it_is(
        renderer: Counted, save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_MARKS", 100)
    html = show(renderer, save(
        "Test.Page", f"*one*\n\n<<box>>{'<<id/>>' * 90}<</box>>\n\n<<box>>*two*<</box>>"))
    assert html.count("hold &lt;&lt; 100 times, and no more") == 1
    assert html.count("&lt;&lt;id/&gt;&gt;") == 90
    assert "<em>one</em>" in html and "<em>two</em>" in html


def test_what_a_script_puts_out_as_text_is_shown_with_its_values(
        renderer: Counted, save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_MARKS", 100)
    html = show(renderer, save("Test.Page", "<<jinja>>{% for x in range(200) %}<<box>>"
                                            "{{ '<b>' }}{{ x }}<</box>>{% endfor %}<</jinja>>"))
    assert "&lt;&lt;box&gt;&gt;&lt;b&gt;199&lt;&lt;/box&gt;&gt;" in html


def test_a_script_that_puts_out_macros_is_bounded(renderer: Counted, save: Save,
                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_MACROS", 200)
    html = show(renderer, save("Test.Page", "<<jinja>>{% for x in range(5000) %}"
                                            "<<box>>{{ x }}<</box>>{% endfor %}<</jinja>>"))
    assert "a page runs 200 macros, and no more" in html
    assert renderer.texts <= 202


def test_a_script_puts_out_no_script(renderer: Counted, save: Save) -> None:
    html = show(renderer, save(
        "Test.Page", "<<jinja>><<jin{# #}ja>>{{ 1 }}<</jin{# #}ja>><</jinja>>"))
    assert "a script cannot stand in what another script puts out" in html
    assert renderer.texts == 2


def test_blocks_in_deep_elements_do_not_multiply_these(renderer: Counted, save: Save) -> None:
    """A block ends the elements around it, and they begin again behind it."""
    html = show(renderer, save("Test.Page", "<span>" * 400 + "<<box>>x<</box>>" * 400))
    assert html.count("<span>") < 5_000
