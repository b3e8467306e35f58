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
    # CVE-2016-10745, CVE-2019-10906: str.format and str.format_map
    "{{ '{0.__class__.__mro__}'.format('') }}", "{{ '{a.__class__}'.format_map({'a': ''}) }}",
    "{{ '{0[_wiki]}'.format(wiki) }}", "{{ '{0!r:{1.__class__}}'.format(1, 2) }}",
    "{{ '{0.gi_frame}'.format([1]|map('string')) }}",
    # CVE-2024-56326: a format method that is kept and called by something else
    "{% set f = '{0.__class__}'.format %}{{ ['']|map('x')|list }}{{ f('') }}",
    "{{ ['{0.__class__}']|map('attr', 'format')|first()('') }}",
    "{{ ['']|map('{0.__class__}'.format)|list }}", "{{ {'f': '{0.__class__}'.format}.f('') }}",
    "{{ dict(f='{0.__class__}'.format)['f']('') }}",
    # CVE-2025-27516: |attr gives a format that is not checked
    "{{ ('{0.__class__}'|attr('format'))('') }}",
    "{{ ('{a.__class__}'|attr('format_map'))({'a': ''}) }}",
    "{{ ('{0.__class__}'|attr('for' ~ 'mat'))(wiki) }}",
    # CVE-2024-56201: the template's name in its code
    "{% include '{0.__class__}' %}", "{% from wiki import get %}{{ get }}",
    # CVE-2014-1402, xmlattr of 2024
    "{{ {'a onload': 1}|xmlattr }}", "{{ {'a/b': 1}|xmlattr }}",
    # generators, coroutines and their frames
    "{{ ([1]|map('string')).gi_frame }}", "{{ ([1]|map('string')).gi_code }}",
    "{{ ([1]|select).gi_frame.f_back.f_globals }}", "{{ ([1]|batch(1)).gi_frame }}",
    "{{ ([1]|map('string'))|attr('gi_frame') }}", "{{ ([1]|map('string'))['gi_frame'] }}",
    "{{ [[1]|map('string')]|map(attribute='gi_frame')|list }}",
    # attributes by filters
    "{{ [wiki]|groupby('_wiki')|map(attribute='grouper._store')|list }}",
    "{{ [doc, doc]|sort(attribute='_record')|list }}",
    "{{ [doc, doc]|sort(attribute='_wiki._store') }}",
    "{{ [doc]|unique(attribute='_record')|list }}",
    "{{ [doc, doc]|min(attribute='_record') }}", "{{ [doc]|sum(attribute='_record') }}",
    "{{ [wiki, wiki]|selectattr('_wiki._store')|map(attribute='_wiki')|list }}",
    "{{ [doc]|join(attribute='_record') }}", "{{ [doc]|map(attribute='_record.reference')|list }}",
    "{{ [wiki.get]|map(attribute='__func__.__globals__')|list }}",
    "{{ [doc]|rejectattr('_record', 'nope')|list }}",
    # Jinja2's own objects
    "{{ self.__init__.__globals__ }}", "{{ self._TemplateReference__context.environment }}",
    "{{ self|attr('_TemplateReference__context') }}", "{{ self.x }}",
    "{% for x in [1] %}{{ loop.__init__.__globals__ }}{% endfor %}",
    "{% for x in [1] %}{{ loop|attr('_undefined') }}{% endfor %}",
    "{% macro m() %}{{ caller.__init__ }}{% endmacro %}{% call m() %}{% endcall %}",
    "{% macro m() %}{{ caller._func }}{% endmacro %}{% call m() %}{% endcall %}",
    "{% macro m() %}{% endmacro %}{{ m._environment }}", "{{ m._func.__globals__ }}",
    "{% macro m() %}{% endmacro %}{{ m|attr('_func') }}",
    "{{ namespace()._Namespace__attrs }}", "{{ namespace(a=1).__class__ }}",
    "{% set ns = namespace() %}{% set ns.__class__ = 1 %}{{ ns.__class__.__mro__ }}",
    "{{ cycler('a')._Cycler__x }}", "{{ cycler('a')|attr('__init__') }}", "{{ cycler.__doc__ }}",
    "{{ joiner('a').__init__.__globals__ }}", "{{ dict.__base__ }}", "{{ dict.mro() }}",
    "{{ range.__class__ }}", "{{ undefined_name.__class__ }}", "{{ (none).x }}",
    "{{ undefined_name._undefined_exception }}", "{{ wiki.nope._undefined_name }}",
    "{{ doc.nope|attr('__init__') }}", "{{ (doc.nope|default('')).__class__ }}",
    # what is called indirectly, and the façades' insides
    "{{ [''.__class__]|map('call')|list }}", "{{ ''.join.__self__.__class__ }}",
    "{{ wiki.query.__self__._wiki }}", "{{ wiki.get.__call__ }}", "{{ wiki.get.__code__ }}",
    "{{ wiki.get|attr('__globals__') }}", "{{ doc.__dict__ }}", "{{ doc.__slots__ }}",
    "{{ doc.public }}", "{{ doc['_wiki'] }}", "{{ doc.__getattr__('_record') }}",
    "{{ doc.object.__func__ }}", "{{ request.args.__class__ }}", "{{ request['_args'] }}",
    "{{ user._wiki }}", "{{ user._reference }}", "{{ wiki.user('Users.Admin')._profile() }}",
    "{{ params }}", "{{ body }}", "{{ context }}", "{{ environment }}", "{{ 1|_round._x }}",
    "{{ __import__('os') }}", "{{ globals() }}", "{{ get_flashed_messages }}", "{{ config }}",
    "{% set x = wiki.__class__ %}{{ x }}", "{% do wiki.__init__(doc) %}",
    "{{ doc.created.__class__.__subclasses__() }}", "{{ doc.tags.__add__ }}",
    "{{ (1).to_bytes.__self__.__class__ }}", "{{ 1.0.__class__ }}", "{{ true.__class__ }}",
    "{{ b'' }}", "{{ ''.encode().__class__ }}", "{{ {}.fromkeys.__self__.__mro__ }}",
    "{{ ''.maketrans.__self__ }}", "{{ [].__iter__ }}", "{{ {}.items().__class__ }}",
    "{{ ({}.items()|list).__class__ }}", "{{ ([1]|first).__class__ }}",
    "{% filter attr('__class__') %}x{% endfilter %}",
    "{% set x %}a{% endset %}{{ x.__class__ }}", "{% set x %}a{% endset %}{{ x.__html__ }}",
    "{% set x %}a{% endset %}{{ x|attr('unescape') }}{{ x.__init__ }}",
]

#: Scripts that would take more than a page may.
BOMBS = [
    ("{{ 'a' * 99999999 }}", "longer than"), ("{{ 99999999 * [0] }}", "longer than"),
    ("{{ 9**(9**9) }}", "100,000 bits"), ("{{ 9 ** 9 ** 9 ** 9 ** 9 ** 9 }}", "100,000 bits"),
    ("{% set ns = namespace(n=3) %}{% for i in range(40) %}{% set ns.n = ns.n * ns.n %}"
     "{% endfor %}", "100,000 bits"),
    ("{{ range(999999999)|list }}", "Range too big"),
    ("{{ '%99999999d' % 1 }}", "width"), ("{{ '%*d' % (99999999, 1) }}", "width"),
    ("{{ '%.99999999f' % 1 }}", "width"), ("{{ '%(a)99999999d' % {'a': 1} }}", "width"),
    ("{{ '%99999999d'|format(1) }}", "width"), ("{{ '{:99999999}'.format(1) }}", "width"),
    ("{{ '{:{w}}'.format(1, w=99999999) }}", "width"),
    ("{{ '{a:>99999999}'.format_map({'a': 1}) }}", "width"),
    ("{{ ('{:99999999}'|attr('format'))(1) }}", "width"),
    ("{{ doc.created|date('%99999999d') }}", "width"),
    ("{{ 'a'|center(99999999) }}", "longer than"), ("{{ 'a'.center(99999999) }}", "longer than"),
    ("{{ 'a'.zfill(99999999) }}", "longer than"), ("{{ '\t'.expandtabs(99999999) }}", "longer"),
    ("{{ 'a\\nb'|indent(99999999) }}", "longer than"), ("{{ [1]|tojson(99999999) }}", "longer"),
    ("{{ [1]|batch(99999999, 0)|list }}", "longer"), ("{{ [1]|slice(99999999)|list }}", "longer"),
    ("{{ (1).to_bytes(99999999, 'big') }}", "longer than"),
    ("{% set a = 'a' * 9999 %}{{ a.replace('a', a) }}", "longer than"),
    ("{% set a = 'a' * 9999 %}{{ a|replace('a', a) }}", "longer than"),
    ("{% set ns = namespace(s='a') %}{% for i in range(40) %}{% set ns.s = ns.s ~ ns.s %}"
     "{% endfor %}", "longer than"),
    ("{% set ns = namespace(s=[1]) %}{% for i in range(40) %}{% set ns.s = ns.s + ns.s %}"
     "{% endfor %}", "longer than"),
    ("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
     "1,000,000 rounds"),
    ("{% for i in range(99999) %}{% for j in range(99999) if false %}{% endfor %}{% endfor %}",
     "1,000,000 rounds"),
    ("{% for i in [[0]] recursive %}{{ loop([i, i]) }}{% endfor %}", "too deep"),
    ("{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}"
     "{{ m(60) }}", "1,000,000 rounds"),
    ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "too deep"),
    ("{% set a = 'a' * 999999 %}{{ a }}{{ a }}{{ a }}{{ a }}{{ a }}{{ a }}", "put out more"),
]


def test_the_known_ways_out_of_the_sandbox_are_closed(site: Site, wiki: Wiki) -> None:
    page = wiki.new("Test.Escape")
    for script in ESCAPES:
        page.content = f"<<jinja>>{script}<</jinja>>"
        _stays_inside(site.local_renderer.render(page.save().record, ADMIN).html, script)


def _stays_inside(html: str, script: str) -> None:
    assert "macro-error" in html or html in ("", "<p></p>", "<p>[Undefined]</p>"), (script, html)
    for leak in ("&lt;class", "&lt;module", "object at 0x", "Store"):
        assert leak not in html.partition("macro-error")[0]


def test_a_script_that_runs_for_ever_is_stopped_and_the_wiki_lives(run: Run) -> None:
    started = time.monotonic()
    script = "{% for i in range(99999) %}{% set x = range(99999)|sum %}{% endfor %}"
    assert "the page has taken more than 1.6 seconds" in run(script)
    assert time.monotonic() - started < 30
    assert "<p>42</p>" in run("{{ 6 * 7 }}")


def test_a_script_that_eats_the_memory_or_floods_the_page_is_stopped(run: Run) -> None:
    pile = ("{% set ns = namespace(l=[]) %}{% for i in range(99999) %}"
            "{% set ns.l = [ns.l, [i] * 999999] %}{% endfor %}")
    assert re.search("more memory|took longer|was stopped", run(pile))
    flood = "{% for i in range(999) %}{% for j in range(999) %}xxxxxx{% endfor %}{% endfor %}"
    assert "put out more than" in run(flood)
    assert "larger than" in run("<<html>>" + "{{ '&' * 999999 }}" * 3 + "<</html>>")
    assert "<p>42</p>" in run("{{ 6 * 7 }}")


def test_a_script_that_passes_a_limit_is_told_so_with_its_line(site: Site, wiki: Wiki) -> None:
    page = wiki.new("Test.Bomb")
    for script, why in BOMBS:
        page.content = f"a\n\n<<jinja>>\n{script}<</jinja>>\n\nb"
        html = site.local_renderer.render(page.save().record, ADMIN).html
        assert "line 4 of Test.Bomb" in html and why in html, (script, html[:1000])
        assert "<p>b</p>" in html


def test_the_limits_are_a_pages_not_a_scripts(site: Site, wiki: Wiki) -> None:
    script = "<<jinja>>{% for i in range(99999) %}{% endfor %}<</jinja>>\n\n"
    page = wiki.new("Test.Many", content=script * 11).save()
    assert site.local_renderer.render(page.record, ADMIN).html.count("rounds of") == 1


def test_an_error_in_a_script_names_its_line(run: Run) -> None:
    assert "line 2 of Test.Script" in run("a\n{{ missing }}")
    assert "line 3 of Test.Script" in run("a\n\n{% for %}")
    assert "line 3 of Test.Script" in run(
        "{% macro m() %}\n\n{{ missing }}{% endmacro %}\n{{ m() }}")


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
