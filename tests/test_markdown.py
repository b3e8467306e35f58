"""Markdown: the specification's examples, and what the wiki adds."""

from __future__ import annotations

import json
import sys

import pytest
from commonmark_examples import DATA, examples, normal, passing

from wiki.rendering.markdown import to_html
from wiki.rendering.sanitize import sanitize

RECORD = DATA / "commonmark-passing.json"


def test_the_specifications_examples_pass_as_recorded() -> None:
    """Fails on an example that passed and does not, and on one to be added to the record."""
    found, total = passing(to_html), len(examples())
    print(f"CommonMark 0.31: {len(found)} of {total} examples, {100 * len(found) / total:.1f} %")
    recorded = set(json.loads(RECORD.read_text(encoding="utf-8")))
    assert sorted(recorded - found) == []
    assert sorted(found - recorded) == [], f"new passes: add them to {RECORD.name}"


def test_the_comparison_sees_what_matters() -> None:
    assert normal("<p>a  b</p>\n<hr />") == normal("<p>a b</p><hr>")
    assert normal("<p>a b</p>") != normal("<p>ab</p>")
    assert normal("<pre>a  b</pre>") != normal("<pre>a b</pre>")
    assert normal("<h1>a</h1>") == normal('<h1 id="a">a</h1>')
    assert normal('<p id="a">a</p>') != normal("<p>a</p>")
    assert normal("<p>&lt;b&gt;</p>") != normal("<p><b></p>")


# -- GitHub's additions ----------------------------------------------------------------------

@pytest.mark.parametrize(("text", "html"), [
    ("| a | b |\n|:--|--:|\n| 1 | `x\\|y` |",
     '<th align="left">a</th>\n<th align="right">b</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n'
     '<td align="left">1</td>\n<td align="right"><code>x|y</code></td>'),
    ("text\n| a | b |\n|---|---|\n| 1 | 2 |", "<p>text</p>\n<table>"),
    ("~~gone~~ and ~gone~", "<p><del>gone</del> and <del>gone</del></p>"),
    ("~~~a~~", '<pre><code class="language-a~~">'),
    ("see https://a.org/b_c_d?x=1&y=2.",
     '<p>see <a href="https://a.org/b_c_d?x=1&amp;y=2">https://a.org/b_c_d?x=1&amp;y=2</a>.</p>'),
    ("(www.a.org/x_(y))",
     '<p>(<a href="http://www.a.org/x_(y)">www.a.org/x_(y)</a>)</p>'),
    ("mail me_too@a.org.",
     '<p>mail <a href="mailto:me_too@a.org">me_too@a.org</a>.</p>'),
    ("[https://a.org](https://b.org)", '<p><a href="https://b.org">https://a.org</a></p>'),
    ('<a href="/x">https://a.org</a>', '<p><a href="/x">https://a.org</a></p>'),
    ("--a@b.c---_", "<p>--a@b.c---_</p>"),
    ("`https://a.org`", "<p><code>https://a.org</code></p>"),
    ("> [!WARNING]\n> Mind *this*.",
     '<div class="box warning warning">\n<p class="box-title"><strong>Warning</strong></p>\n'
     "<p>Mind <em>this</em>.</p>"),
])
def test_what_github_adds(text: str, html: str) -> None:
    assert html in to_html(text)


def test_tasks_are_boxes_in_tight_and_loose_lists() -> None:
    tight = to_html("- [x] done\n- [ ] *not*\n- [x]no")
    assert tight.count("<input") == 2
    assert ('<li class="task-list-item"><input type="checkbox" aria-label="done" disabled checked>'
            " done</li>") in tight
    assert "<em>not</em>" in tight and "[x]no" in tight
    assert ('<p><input type="checkbox" aria-label="done" disabled> a</p>'
            in to_html("- [ ] a\n\n- [ ] b"))


# -- what Python-Markdown's extensions add ---------------------------------------------------

def test_footnotes_stand_at_the_end_in_the_order_of_their_marks() -> None:
    html = to_html("a[^two] b[^one]\n\n[^one]: first\n[^two]: second\n    - with a list\n\nend")
    assert html.index("second") < html.index("first")
    assert html.index("end") < html.index("second")
    assert "<li>with a list</li>" in html
    assert 'href="#fnref2:a"' in to_html("x[^a] y[^a]\n\n[^a]: z")
    assert 'href="#fnref:a"' in to_html("x[^a]\n\n[^a]:")
    assert "[^none]" in to_html("x[^none]")


def test_terms_are_defined() -> None:
    assert to_html("Term\nOther\n: what it *means*\n: more\n\nNext\n\n: loose\n\n    second") == (
        "<dl>\n<dt>Term</dt>\n<dt>Other</dt>\n<dd>what it <em>means</em></dd>\n<dd>more</dd>\n"
        "<dt>Next</dt>\n<dd><p>loose</p>\n<p>second</p>\n</dd>\n</dl>")
    assert to_html(": no term") == "<p>: no term</p>"


def test_an_admonition_holds_what_is_indented() -> None:
    html = to_html('!!! tip "So *this*"\n    one\n\n    - two\n\nout')
    assert html == ('<div class="box success tip">\n<p class="box-title"><strong>So <em>this</em>'
                    "</strong></p>\n"
                    "<p>one</p>\n<ul>\n<li>two</li>\n</ul>\n</div>\n<p>out</p>")
    assert "box-title" not in to_html('!!! note ""\n    x')


def test_attributes_are_given_in_braces() -> None:
    assert '<p class="lead">a</p>' in to_html("a\n{.lead}")
    assert '<h2 id="here" class="big">A</h2>' in to_html("## A {#here .big}")
    assert to_html("a\n{x}") == "<p x>a</p>"
    assert '<a href="/x" class="button">a</a>' in to_html("[a](/x){.button}")


def test_headings_have_ids_of_their_text() -> None:
    assert to_html("# A & *b*\n\nA & b\n===").count('id="a-b') == 2


# -- code ------------------------------------------------------------------------------------

def test_code_has_numbers_and_marks_on_lines_and_a_title() -> None:
    html = sanitize(to_html('```python linenums="3" hl_lines="2" title="a <b>.py"\n'
                            "x = 1\ny = 2\n```"))
    assert "<figcaption>a &lt;b&gt;.py</figcaption>" in html
    assert '<span class="normal">3</span>\n<span class="normal">4</span>' in html
    assert '<span class="hll"><span class="n">y</span>' in html


def test_code_keeps_its_tabs_and_stands_in_lists() -> None:
    html = to_html("- a\n\n  ```make\n  all:\n  \techo\n  ```\n- b")
    assert "\techo" in html or "\t</span>" in html
    assert html.count("<li>") == 2


def test_an_unknown_language_is_shown_plain() -> None:
    assert to_html("```nope\n<b>\n```") == (
        '<pre><code class="language-nope">&lt;b&gt;\n</code></pre>')


def test_a_diagram_is_code_that_a_script_may_draw() -> None:
    assert sanitize(to_html("```mermaid\na --> b\n```")) == (
        '<pre class="mermaid"><code>a --&gt; b\n</code></pre>')


# -- formulas --------------------------------------------------------------------------------

def test_formulas_become_mathml() -> None:
    html = sanitize(to_html(r"so $a_1^2 \le b$, and $$\frac{1}{2}$$"))
    assert '<math display="inline"><mrow><msubsup><mi>a</mi>' in html
    assert "<mo>≤</mo>" in html
    assert '<math display="block">' in html and "<mfrac>" in html


def test_a_formula_may_stand_on_lines_of_its_own() -> None:
    html = sanitize(to_html("$$\na \\\\ b < c\n\n+ d\n$$\nafter"))
    assert '<math display="block">' in html and "&lt;" in html
    assert "<p>after</p>" in html


@pytest.mark.parametrize("text", ["costs $5 and $10", "$ a $", r"\$a\$", "a$", "`$a$`", "$a$5"])
def test_prices_are_no_formulas(text: str) -> None:
    assert "math" not in to_html(text)


@pytest.mark.parametrize("formula", ["a_b_c", "a^", r"\begin{x}", "{" * 100 + "}" * 100])
def test_a_faulty_formula_is_shown_as_it_is_written(formula: str) -> None:
    html = sanitize(to_html(f"${formula}$"))
    assert html == f'<p><span class="math">{formula}</span></p>'


@pytest.mark.parametrize("formula", [
    r"\href{javascript:alert(1)}{x}", r"\text{<img src=x onerror=alert(1)>}",
    r"\style{position:fixed}{x}", r"\class{x}{<script>}", r"\text{</math><b>}"])
def test_a_formula_puts_out_mathml_only(formula: str) -> None:
    html = sanitize(to_html(f"${formula}$"))
    for bad in ("<img", "<script", "href=", "style=", "<b>", "onerror=alert(1)>"):
        assert bad not in html


def test_mathml_of_an_author_does_not_pass() -> None:
    html = sanitize(to_html('<math><mi href="x">a</mi></math> <span data-math="inline">b</span>'))
    assert html.count("<math") == 1 and "<mi>b</mi>" in html


# -- the wiki's own --------------------------------------------------------------------------

def test_wiki_links_stand_anywhere_in_a_text() -> None:
    html = to_html("**[[A.B]]** | [[*x*>>A.C#d]]\n\n| a | b |\n|--|--|\n| [[A.D]] | `[[A.E]]` |")
    assert '<strong><a data-wiki="A.B">A.B</a></strong>' in html
    assert '<a data-wiki="A.C#d">*x*</a>' in html
    assert '<a data-wiki="A.D">' in html
    assert "<code>[[A.E]]</code>" in html


def test_attachments_are_shown() -> None:
    assert to_html('![a *b*](attach:a%20b.png "t")') == (
        '<p><img src="attach:a%20b.png" alt="a b" title="t"></p>')


def test_no_marks_of_the_engine_come_from_a_text() -> None:
    assert to_html("a\x02wzxhzdk:0\x03b\0") == "<p>awzxhzdk:0b\ufffd</p>"


# -- hostile texts ---------------------------------------------------------------------------

@pytest.mark.parametrize("unit", [
    "[", "![", "[[", "[a](", "[a][", '[a](b "', "<a b='", "<!A ", "<?", "*a **b ", "a**", "_a_ ",
    "`a", "$a", "www.", "http://a.b)", "a@", "&a", "<div>\n", "[a]: <b> \"c\n", "[^a]: b\n",
    "[^a]\n\n[^a]: b\n\n", "> a\n", "a\n: b\n", "| a |\n|--|\n", "{.a}"])
def test_reading_takes_linear_work(unit: str) -> None:
    """Sixteen times the text takes about sixteen times the steps, not 256 times."""
    small, large = (_steps(unit * count) for count in (60, 960))
    assert large < 40 * small


def _steps(text: str) -> int:
    count = 0

    def step(frame: object, event: str, arg: object) -> None:
        nonlocal count
        count += 1

    to_html("warm")
    sys.setprofile(step)
    try:
        to_html(text)
    finally:
        sys.setprofile(None)
    return count


def test_deep_containers_are_text_at_last() -> None:
    html = to_html("\n".join(" " * (2 * depth) + "- x" for depth in range(300)))
    assert html.count("<ul>") <= 60
    assert html.count("x") == 300


def test_emphasis_that_nests_too_deep_costs_no_other_paragraph() -> None:
    deep = "*a " * 1_000 + "b" + " c*" * 1_000
    html = to_html(f"# Before\n\n{deep}\n\n*After*")
    assert "<h1" in html and "<em>After</em>" in html
    assert 'class="plain"' not in html
    assert html.count(" c") == 1_000 and "*" not in html
    assert html.count("<em>") == html.count("</em>") <= 60


def test_emphasis_nests_as_people_nest_it() -> None:
    assert to_html("*a **b *c ~~d~~* e** f*") == (
        "<p><em>a <strong>b <em>c <del>d</del></em> e</strong> f</em></p>")
