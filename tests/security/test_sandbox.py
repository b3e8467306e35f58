"""Scripts in pages stay in their sandbox; what is stored in a page runs nowhere."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

import pytest

from wiki.api import Wiki
from wiki.model import Property
from wiki.rendering.renderer import Limits, RenderPool, RenderRequest
from wiki.site import Site

ADMIN = RenderRequest(user="Users.Admin")
Run = Callable[[str], str]


@pytest.fixture
def run(site: Site, wiki: Wiki) -> Iterator[Run]:
    """Run a script in a page of Admin's, with little time."""
    with RenderPool("wiki.site:open_renderer", str(site.settings.data), site.local_renderer,
                    Limits(seconds=2)) as pool:
        def render(script: str) -> str:
            page = wiki.get_or_new("Test.Script")
            page.content = f"<<jinja>>{script}<</jinja>>"
            page.save()
            return pool.render(page.record, ADMIN).html
        yield render


ESCAPES = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ''['__class__'] }}", "{{ ''|attr('__class__') }}",
    "{{ ''|attr('\\x5f\\x5fclass\\x5f\\x5f') }}",
    "{{ ['__class__']|map(attribute='__class__')|list }}",
    "{{ [wiki]|map(attribute='_wiki')|list }}", "{{ [wiki]|map('attr', '_wiki')|list }}",
    "{{ wiki._wiki._store }}", "{{ wiki['_context'] }}", "{{ wiki|attr('_context') }}",
    "{{ wiki.get.__globals__ }}", "{{ wiki.get.__func__ }}", "{{ doc._record }}",
    "{{ doc.save }}", "{{ doc.object.__self__ }}", "{{ doc.display_title }}",
    "{{ request.args._args }}", "{{ request.environ }}", "{{ self._TemplateReference__context }}",
    "{{ cycler.__init__.__globals__.os }}", "{{ joiner.__init__.__globals__ }}",
    "{{ namespace.__init__.__globals__ }}", "{{ range.__self__ }}", "{{ lipsum.__globals__ }}",
    "{{ '{0.__class__}'.format(doc) }}", "{{ '{0._record}'.format(doc) }}",
    "{{ '{x._wiki}'.format_map({'x': wiki}) }}", "{{ ('{0._record}'|safe).format(doc) }}",
    "{% set f = '{0._wiki}'.format %}{{ f(doc) }}",
    "{{ ['{0._wiki}'.format]|map('attr', '__self__')|list }}",
    "{{ {}.__class__ }}", "{{ (1).__class__ }}", "{{ doc.created.__reduce__() }}",
    "{% macro m() %}{% endmacro %}{{ m.__init__.__globals__ }}", "{{ m.x.y.z }}",
    "{% include 'x' %}", "{% import 'os' as os %}", "{% extends 'base.html' %}",
    "{{ doc.attachments.append(1) }}", "{{ ().__getattribute__('x') }}",
    "{{ dict(a=1).update(b=2) }}", "{% do [].append(1) %}",
    "{{ loop.__class__ }}", "{{ none.__class__ }}", "{{ doc|pprint }}",
    "{% for x in [1] %}{{ loop._iterator.gi_frame }}{% endfor %}",
    "{{ (doc.objects())[0].__init__ }}", "{{ wiki.query.__wrapped__ }}",
]


def test_the_known_ways_out_of_the_sandbox_are_closed(site: Site, wiki: Wiki) -> None:
    page = wiki.new("Test.Escape")
    for script in ESCAPES:
        page.content = f"<<jinja>>{script}<</jinja>>"
        _stays_inside(site.local_renderer.render(page.save().record, ADMIN).html)


def _stays_inside(html: str) -> None:
    assert "macro-error" in html or html in ("", "<p></p>", "<p>[Undefined]</p>"), html
    for leak in ("&lt;class", "&lt;module", "object at 0x", "Store"):
        assert leak not in html.partition("macro-error")[0]


def test_a_script_that_runs_for_ever_is_stopped_and_the_wiki_lives(run: Run) -> None:
    started = time.monotonic()
    assert "took longer than 2 seconds" in run("{{ 9**(9**9) }}")
    assert time.monotonic() - started < 30
    assert "<p>42</p>" in run("{{ 6 * 7 }}")


def test_a_script_that_eats_the_memory_or_floods_the_page_is_stopped(run: Run) -> None:
    assert "memory" in run("{{ 'a' * (2 ** 31) }}")
    flood = "{% for i in range(99999) %}{% for j in range(99999) %}xxxx{% endfor %}{% endfor %}"
    assert "puts out more than" in run(flood)
    assert "larger than" in run("{{ 'a' * 4000000 }}{{ 'b' * 4000000 }}")
    assert "<p>42</p>" in run("{{ 6 * 7 }}")


def test_an_error_in_a_script_names_its_line(run: Run) -> None:
    assert "line 2 of the script" in run("a\n{{ missing }}")
    assert "line 3 of the script" in run("a\n\n{% for %}")


XSS = ['<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', "javascript:alert(1)",
       "<<html>><script>alert(1)</script><</html>>", "{{ 6 * 7777 }}", "<</jinja>>{{ 6 * 7777 }}",
       "<<jinja>>{{ 6 * 7777 }}<</jinja>>", "[x](javascript:alert(1))", "' onclick='alert(1)"]


@pytest.mark.parametrize("value", XSS)
def test_what_is_stored_is_shown_and_never_run(run: Run, wiki: Wiki, value: str) -> None:
    page = wiki.new("Test.XssClass")
    page.define_class(Property("text", "String"))
    page.save()
    bad = wiki.as_user("Users.Jo").new("Test.Bad", title=value, tags=(value,))
    bad.add_object("Test.XssClass", text=value)
    bad.save()
    html = run(
        "{% set b = wiki.get('Test.Bad') %}{% set v = b.object('Test.XssClass').text %}"
        "{{ v }} {{ v|safe }} {{ v|e }} {{ b.title }} [l]({{ v }}) [[{{ v }}]] "
        '<a title="{{ v }}" href="{{ v }}">x</a> <<box title="{{ v }}">>{{ v }}<</box>> '
        '<<html>><i title="{{ v }}">{{ v }}</i><</html>> <<code>>{{ v }}<</code>> '
        '<<{{ v }}/>> <<include page="{{ v }}"/>> <<livetable class="Test.XssClass" '
        'columns="doc.title, text"/>>')
    assert "<script" not in html and "<img" not in html
    assert 'href="javascript' not in html and "46662" not in html
    attributes = re.sub(r'"[^"]*"', "", html)  # what stands in quotes is a value, and inert
    assert not re.search(r"<[a-z][^>]*\son[a-z]+=", attributes)


def test_a_pages_html_needs_the_script_right(site: Site, wiki: Wiki) -> None:
    text = "<<html>><video controls></video><</html>>"
    ours = wiki.new("Test.Html", content=text).save()
    theirs = wiki.as_user("Users.Jo").new("Test.Html2", content=text).save()
    assert "<video controls>" in site.renderer.render(ours.record, ADMIN).html
    assert "<video" not in site.renderer.render(theirs.record, ADMIN).html


def test_a_password_is_not_to_be_read_by_a_script(run: Run, wiki: Wiki) -> None:
    page = wiki.new("Test.SecretClass")
    page.define_class(Property("secret", "Password"))
    page.add_object("Test.SecretClass", secret="hunter2hunter2")
    page.save()
    html = run("{{ wiki.get('Test.SecretClass').object('Test.SecretClass').items() }} "
               "{{ wiki.get('Test.SecretClass').object('Test.SecretClass')['secret'] }}")
    assert "hash" not in html and "argon" not in html
