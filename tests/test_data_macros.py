"""The macros about pages and their data: queries, trees, charts, forms."""

from __future__ import annotations

import re

import pytest
from conftest import Browser

from wiki.api import Wiki
from wiki.model import ClassDefinition, Property
from wiki.rendering.charts.plots import Scale, compact
from wiki.rendering.renderer import RenderRequest
from wiki.site import Site

BOOK = "Books.BookClass"
TASK = "TaskExecutorCode.TaskClass"


def show(site: Site, text: str, user: str = "Users.Admin", page: str = "Test.Page",
         **args: str) -> str:
    """The text on a page of Admin's, as the user sees it."""
    document = site.wiki.as_user("Users.Admin").get_or_new(page)
    document.content = text
    document.save()
    return str(site.renderer.render(document.record, RenderRequest(user, args, "the-token")).html)


def titles(html: str) -> list[str]:
    return re.findall(r'<li><a href="[^"]*">([^<]*)</a>', html)


@pytest.fixture
def books(wiki: Wiki) -> Wiki:
    """Five books, one of them without a year."""
    page = wiki.new(BOOK)
    page.define_class(
        Property("year", "Number", options={"integer": True}), Property("read", "Boolean"),
        Property("genre", "StaticList", options={"values": ["novel", "poem", "play"]}),
        Property("author", required=True), Property("secret", "Password"))
    page.save()
    for name, values in {
            "Dune": {"year": 1965, "genre": "novel", "author": 'Frank "F" Herbert', "read": True},
            "Solaris": {"year": 1961, "genre": "novel", "author": "Lem"},
            "Faust": {"year": 1808, "genre": "play", "author": "Goethe"},
            "Howl": {"year": 1956, "genre": "poem", "author": "Ginsberg"},
            "Edda": {"genre": "poem", "author": "<b>"}}.items():
        book = wiki.new(f"Books.{name}", title=name, tags=[str(values["genre"]), "book"])
        book.add_object(BOOK, **values)
        book.save()
    return wiki


# -- query and count --------------------------------------------------------------------------


@pytest.mark.parametrize(("where", "found"), [
    ("year>=1960", ["Dune", "Solaris"]), ("year < 1956", ["Faust"]), ("year=1956", ["Howl"]),
    ('genre="novel" read=true', ["Dune"]), ("genre!=novel and year>1900", ["Howl"]),
    ("author~lem", ["Solaris"]), ('author="Frank \\"F\\" Herbert"', ["Dune"]),
    ("author^='G'", ["Faust", "Howl"]), ('year=""', ["Edda"]), ('doc.title~"OW"', ["Howl"]),
    ("", ["Dune", "Edda", "Faust", "Howl", "Solaris"])])
def test_a_query_finds_what_fits_all_conditions(site: Site, books: Wiki, where: str,
                                                found: list[str]) -> None:
    quoted = where.replace("\\", "\\\\").replace('"', '\\"')
    assert titles(show(site, f'<<query class="{BOOK}" where="{quoted}"/>>')) == found


@pytest.mark.parametrize(("where", "why"), [
    ("yaer=1", "no property &#39;yaer&#39;; it has year"), ("year=soon", "takes a whole number"),
    ("year 1960", "is wanted at &#39;year 1960&#39;"), ('author="open', "is wanted at"),
    ("secret=x", "is a password"), ("doc.color=red", "no field &#39;doc.color&#39;"),
    ("year=1 ,", "is wanted at &#39;,&#39;")])
def test_a_wrong_condition_says_why(site: Site, books: Wiki, where: str, why: str) -> None:
    quoted = where.replace('"', '\\"')
    assert why in show(site, f'<<query class="{BOOK}" where="{quoted}"/>>').replace("&#x27;",
                                                                                   "&#39;")


def test_a_query_has_four_formats_an_order_and_a_limit(site: Site, books: Wiki) -> None:
    newest = show(site, f'<<query class="{BOOK}" order="-year" limit="2" where="year>0"/>>')
    assert titles(newest) == ["Dune", "Solaris"] and "2 more." in newest
    table = show(site, f'<<query class="{BOOK}" format="table" columns="doc.title, author, read" '
                       'order="author"/>>')
    assert "&lt;b&gt;" in table and "<td data-label=\"read\">yes</td>" in table
    assert table.index("Edda") < table.index("Dune") < table.index("Solaris")
    assert "<p>5</p>" in show(site, f'<<query class="{BOOK}" format="count"/>>')
    assert ">Dune</a>, <a" in show(site, f'<<query class="{BOOK}" format="titles"/>>')
    assert "There are 2 of them." in show(
        site, f"There are <<count class=\"{BOOK}\" where='genre=poem'/>> of them.")
    assert "no class" in show(site, '<<query class="Nope.Class"/>>')
    assert "order: " in show(site, f'<<query class="{BOOK}" order="nope"/>>')


# -- children, tree, changes, tags --------------------------------------------------------------


def test_children_go_by_the_parent_and_else_by_the_space(site: Site, wiki: Wiki) -> None:
    for name, parent in (("A.WebHome", ""), ("A.One", ""), ("A.Two", "A.One"), ("B.Far", "A.One"),
                         ("A.Sub.WebHome", ""), ("A.Bare.Page", ""), ("A.Loop", "A.Knot"),
                         ("A.Knot", "A.Loop")):
        page = wiki.new(name, title=name)
        page.parent = parent
        page.save()
    home = show(site, '<<children page="A.WebHome"/>>')
    assert titles(home) == ["A.One", "A.Sub.WebHome", "Bare"] and 'href="/A.Bare"' in home
    assert titles(show(site, '<<children page="A.One"/>>')) == ["A.Two", "B.Far"]
    deep = show(site, '<<children page="A.WebHome" depth="3"/>>')
    assert "A.Two" in deep and "B.Far" in deep
    assert titles(show(site, '<<children page="A.Knot" depth="6"/>>')) == ["A.Loop"]
    assert "no pages below" in show(site, '<<children page="A.Two"/>>')
    assert "There are more." in show(site, '<<children page="A.WebHome" limit="1"/>>')


def test_a_page_that_moves_has_another_parent(site: Site, wiki: Wiki) -> None:
    wiki.new("A.One", title="One").save()
    page = wiki.new("A.Two", title="Two").save()
    page.parent = "A.One"
    page.save()
    assert titles(show(site, '<<children page="A.One"/>>')) == ["Two"]
    page.rename("B.Two")
    page.parent = ""
    page.save()
    assert titles(show(site, '<<children page="A.One"/>>')) == []
    assert titles(show(site, '<<children page="B.WebHome"/>>')) == ["Two"]


def test_a_tree_shows_spaces_to_a_depth_and_so_many_pages(site: Site, wiki: Wiki) -> None:
    for name in ("T.WebHome", "T.One", "T.Two", "T.Sub.P", "T.Sub.Deep.Q", "T.Sub.Deep.Down.R"):
        wiki.new(name, title=f"<{name}>").save()
    html = show(site, '<<tree space="T" depth="2" limit="2"/>>')
    assert "<summary>Sub" in html and "&lt;T.Sub.P&gt;" in html and "&lt;T.Sub.Deep.Q&gt;" in html
    assert html.count("&lt;T.") == 4 and "more of 3" in html  # WebHome and One of T, P, Q
    assert 'href="/Test.Page?tree=T.Sub.Deep.Down"' in html and "Down.R" not in html
    below = show(site, '<<tree space="T"/>>', tree="T.Sub.Deep")
    assert "&lt;T.Sub.Deep.Q&gt;" in below and "the whole tree" in below


def test_recent_changes_keep_to_a_space_and_a_user(site: Site, books: Wiki) -> None:
    site.wiki.as_user("Users.Jo").new("Books.Jo", title="By Jo").save()
    assert titles(show(site, '<<recentchanges space="Books" limit="2"/>>'))[0] == "By Jo"
    assert titles(show(site, '<<recentchanges user="Users.Jo"/>>')) == ["By Jo"]
    assert len(titles(show(site, '<<recentchanges limit="3"/>>'))) == 3


def test_tags_lead_to_their_pages(site: Site, books: Wiki) -> None:
    cloud = show(site, "<<tags/>>")
    assert 'class="size-5"><a class="tag" href="/Test.Page?tag=book"' in cloud
    assert "Pages with the tag poem" in show(site, "<<tags/>>", tag="poem")
    assert titles(show(site, '<<tags tag="poem"/>>')) == ["Edda", "Howl"]
    assert "3 more tags" in show(site, '<<tags limit="1"/>>')
    assert "No page has the tag &lt;x&gt;" in show(site, "<<tags/>>", tag="<x>")


# -- charts -----------------------------------------------------------------------------------


def test_a_chart_of_a_table_has_its_numbers_beside_it(site: Site) -> None:
    html = show(site, '<<chart title="T & U">>\nkind,a,b\nx,"1,500",-2\n<y>,nan,oops\n'
                      'z,3,\n<</chart>>')
    assert "<title>T &amp; U</title>" in html and html.count('class="series s0"') == 2
    assert "<title>x · a: 1,500</title>" in html and "<title>x · b: -2</title>" in html
    assert "3 cells are no numbers" in html and "&lt;y&gt;" in html and "<y>" not in html
    assert '<th scope="row">z</th><td class="number">3</td>' in html
    assert "style=" not in html and "nan%" not in html


def test_a_line_breaks_at_a_gap_and_keeps_the_distances_of_numbers(site: Site) -> None:
    html = show(site, '<<chart type="line">>\n| year | n |\n|---|---|\n| 2000 | 1 |\n'
                      '| 2010 | 3 |\n| 2005 | |\n| 2020 | 2 |\n<</chart>>')
    path = re.search(r' d="([^"]*)"', html)
    assert path and re.findall(r"([ML])([\d.]+) ", path[1]) == [
        ("M", "0.0"), ("M", "500.0"), ("L", "1000.0")]


def test_charts_of_pages_count_sum_and_average(site: Site, books: Wiki) -> None:
    chart = f'<<chart class="{BOOK}" x="genre" '
    counted = show(site, chart + "/>>")
    assert re.findall(r"<title>(\w+: \d+)</title>", counted) == ["novel: 2", "poem: 2", "play: 1"]
    where = show(site, chart + 'where="year>1900"/>>')
    assert re.findall(r"<title>(\w+: \d+)</title>", where) == ["novel: 2", "poem: 1"]
    assert "novel: 1,963" in show(site, chart + 'y="year" aggregate="avg"/>>')
    assert "novel: 3,926" in show(site, chart + 'y="year" aggregate="sum"/>>')
    assert "novel · true: 1" in show(site, chart + 'by="read"/>>')
    pie = show(site, chart + 'type="pie" sort="value"/>>')
    assert 'class="chart pie"' in pie and "play: 1 (20%)" in pie


@pytest.mark.parametrize(("text", "why"), [
    ("<<chart/>>", "from one place"), ('<<chart class="Books.BookClass"/>>', "x is missing"),
    ("<<chart>>a,b<</chart>>", "rows below it"), ("<<chart>>a,b\nx,y<</chart>>", "no numbers to"),
    ('<<chart y="c">>a,b\nx,1<</chart>>', "no column &#39;c&#39;; it has a, b"),
    ('<<chart type="pie">>a,b\nx,-1\ny,2<</chart>>', "a pie shows parts of a whole"),
    ('<<chart class="Books.BookClass" x="author" y="genre" aggregate="sum"/>>', "is no Number"),
    ('<<chart class="Books.BookClass" x="secret"/>>', "is a password"),
    ('<<chart attachment="no.csv"/>>', "no attachment")])
def test_a_chart_that_cannot_be_says_why(site: Site, books: Wiki, text: str, why: str) -> None:
    assert why in show(site, text).replace("&#x27;", "&#39;")


def test_many_labels_lie_and_many_slices_are_put_together(site: Site) -> None:
    rows = "\n".join(f"a long label {number},{number}" for number in range(40))
    bars = show(site, f'<<chart limit="30">>x,n\n{rows}<</chart>>')
    assert bars.count('class="label"') == 30 and "10 more are not shown" in bars
    pie = show(site, f'<<chart type="pie">>x,n\n{rows}<</chart>>')
    assert pie.count('<path class="series') == 8 and "33 others" in pie


@pytest.mark.parametrize(("numbers", "labels"), [
    ([0, 97], ["0", "20", "40", "60", "80", "100"]), ([-3, 4], ["-4", "-2", "0", "2", "4"]),
    ([5], ["0", "1", "2", "3", "4", "5"]), ([0], ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
    ([0, 2_400_000], ["0", "500k", "1M", "1.5M", "2M", "2.5M"]),
    ([1e-9], ["0", "2e-10", "4e-10", "6e-10", "8e-10", "1e-09"])])
def test_ticks_are_round_numbers(numbers: list[float], labels: list[str]) -> None:
    assert [tick.label for tick in Scale.of(numbers).ticks()] == labels


@pytest.mark.parametrize("numbers", [[1e308, -1e308], [1e-300, 2e-300], [1.0, 1.0 + 1e-15],
                                     [-5e-324, 5e-324], [1e17, 1e17 + 16]])
def test_a_scale_holds_whatever_numbers(numbers: list[float]) -> None:
    scale = Scale.of(numbers, zero=False)
    assert all(-1e-6 <= scale.part(value) <= 1 + 1e-6 for value in numbers)
    assert len(list(scale.ticks())) < 20 and compact(numbers[0])


# -- a property in place --------------------------------------------------------------------------


def test_a_property_is_shown_by_its_type_and_changed_by_who_may(
        site: Site, books: Wiki, user: Browser, guest: Browser) -> None:
    text = '<<property name="year" page="Books.Dune" edit="true"/>>'
    html = show(site, text)
    link = re.search(r'class="property-edit" href="([^"]*)"', html)
    assert link and ">1965 <a" in html
    url = link[1].replace("&amp;", "&")
    assert "property-edit" not in show(site, text, user="Wiki.Guest")
    form = user.get(url).text
    version = re.search(r'name="version" value="([^"]*)"', form)
    assert version and 'value="1965"' in form
    answer = user.post(url, value="1966", version=version[1])
    assert answer.status_code == 302 and answer.location == "/Test.Page"
    obj = books.get("Books.Dune").object(BOOK)
    assert obj and obj["year"] == 1966 and obj["author"] == 'Frank "F" Herbert'
    wrong = user.post(url, value="soon", version="1.2")
    assert wrong.status_code == 400 and "takes a whole number" in wrong.text
    assert 'value="soon"' in wrong.text
    late = user.post(url, value="1967", version=version[1])
    assert late.status_code == 409 and 'value="1967"' in late.text
    assert guest.post(url, value="1", version="1.2").status_code == 403
    assert user.client.post(url, data={"value": "1", "version": "1.2"}).status_code == 403


def test_a_property_saves_over_a_change_of_something_else(books: Wiki, user: Browser) -> None:
    page = books.get("Books.Dune")
    page.content = "changed meanwhile"
    page.save()
    url = f"/Books.Dune/property?class={BOOK}&number=0&name=genre"
    assert user.post(url, value="poem", version="1.1").status_code == 302
    page = books.get("Books.Dune")
    obj = page.object(BOOK)
    assert page.content == "changed meanwhile" and obj and obj["genre"] == "poem"


def test_a_property_that_is_required_stays_and_a_password_is_not_shown(
        site: Site, books: Wiki, user: Browser) -> None:
    url = f"/Books.Dune/property?class={BOOK}&number=0&name="
    assert user.post(url + "author", value="", version="1.1").status_code == 400
    assert user.get(url + "secret").status_code == 400
    assert user.get(url + "nope").status_code == 404
    assert "is a password" in show(site, '<<property name="secret" page="Books.Dune"/>>')
    assert "no object with a property" in show(site, '<<property name="x" page="Books.Dune"/>>')
    assert user.post(url + "year", value="1", version="1.1", back="//evil").location == (
        "/Books.Dune")


# -- forms ------------------------------------------------------------------------------------


def fields_of(html: str) -> dict[str, str]:
    """The hidden fields of the form."""
    return dict(re.findall(r'type="hidden" name="(plan[^"]*)" value="([^"]*)"', html))


def test_a_form_makes_a_page_and_keeps_what_was_typed(site: Site, books: Wiki, user: Browser
                                                      ) -> None:
    html = show(site, f'<<form class="{BOOK}" space="Shelf" fields="author, year"/>>', "Users.Jo")
    assert 'action="/Test.Page/form"' in html and 'name="form.genre"' not in html
    sent = fields_of(html) | {"form.title.of.page": "A/B", "form.author": "Me & <i>"}
    bad = user.post("/Test.Page/form", **sent, **{"form.year": "x"})
    assert bad.status_code == 400 and "takes a whole number" in bad.text
    assert 'value="Me &amp; &lt;i&gt;"' in bad.text and 'value="A/B"' in bad.text
    assert fields_of(bad.text) == fields_of(html)
    for name in ("Shelf.A-B", "Shelf.A-B-2"):
        assert user.post("/Test.Page/form", **sent).location == f"/{name}"
    page = books.get("Shelf.A-B")
    obj = page.object(BOOK)
    assert obj and obj["author"] == "Me & <i>" and page.title == "A/B"
    assert page.creator == "Users.Jo"


def test_a_form_names_pages_by_patterns(site: Site, books: Wiki, user: Browser) -> None:
    html = show(site, f'<<form class="{BOOK}" space="Shelf" name="{{author}}-{{year}}" '
                      'title="By {author}"/>>', "Users.Jo")
    answer = user.post("/Test.Page/form", **fields_of(html),
                       **{"form.author": "{year}", "form.year": "1"})
    assert answer.location == "/Shelf.%7Byear%7D-1"
    assert books.get("Shelf.{year}-1").title == "By {year}"
    assert "nothing to put in for {x}" in show(site, f'<<form class="{BOOK}" name="{{x}}"/>>')


def test_forms_are_for_who_may(site: Site, books: Wiki, guest: Browser) -> None:
    text = f'<<form class="{BOOK}"/>>'
    assert "Log in" in show(site, text, "Wiki.Guest")
    sent = fields_of(show(site, text))
    answer = guest.post("/Test.Page/form", **sent, **{"form.title.of.page": "X",
                                                       "form.author": "y"})
    assert answer.status_code == 403 and "Test.X" not in books


def test_a_form_starts_a_task_from_a_template(site: Site, books: Wiki, user: Browser) -> None:
    template = books.new("Tasks.Template", content="Text")
    template.add_object(TASK, taskExecutor="Executors.HelloWorld", status="DONE")
    template.add_object(BOOK, author="Preset")
    template.save()
    text = (f'<<form class="{BOOK}" template="Tasks.Template" title="Run {{author}}" '
            'space="Tasks" name="{author}" ')
    html = show(site, text + 'ready="true"/>>', "Users.Jo")
    assert 'value="Preset"' in html
    assert user.post("/Test.Page/form", **fields_of(html),
                     **{"form.author": "Go"}).location == "/Tasks.Go"
    task = books.get("Tasks.Go").object(TASK)
    assert task and task["status"] == "READY" and books.get("Tasks.Go").content == "Text"
    held = fields_of(show(site, text + "/>>", "Users.Jo"))
    assert user.post("/Test.Page/form", **held, **{"form.author": "Wait"}).status_code == 302
    task = books.get("Tasks.Wait").object(TASK)
    assert task and task["status"] == "SUSPENDED"


def test_a_form_does_not_start_what_its_sender_may_not_run(site: Site, books: Wiki,
                                                           user: Browser) -> None:
    executor = books.get("Executors.HelloWorld")
    obj = executor.object("TaskExecutorCode.TaskExecutorClass")
    assert obj
    obj["runners"] = ["Users.Admin"]
    executor.save()
    assert "may not run" in show(site, '<<form executor="Executors.HelloWorld"/>>', "Users.Jo")
    template = books.new("Tasks.Template")
    template.add_object(TASK, taskExecutor="Executors.HelloWorld")
    template.add_object(BOOK, author="x")
    template.save()
    html = show(site, f'<<form class="{BOOK}" template="Tasks.Template" ready="true"/>>',
                "Users.Jo")
    answer = user.post("/Test.Page/form", **fields_of(html),
                       **{"form.title.of.page": "No", "form.author": "y"})
    assert answer.status_code == 403 and "Test.No" not in books
    assert "may not run" in answer.text and 'value="No"' in answer.text


def test_a_form_of_an_executor_is_its_run_form(site: Site, wiki: Wiki, user: Browser) -> None:
    html = show(site, '<<form executor="Executors.ImportCSV" fields="targetSpace" files="true" '
                      'ready="true" title="My import"/>>', "Users.Jo")
    assert 'action="/Executors.ImportCSV/run"' in html and 'type="file"' in html
    assert html.count('name="param.') == 1
    answer = user.post("/Executors.ImportCSV/run", action="run", title="My import",
                       **{"param.targetSpace": "Data"})
    assert answer.status_code == 302
    page = wiki.get(answer.location.removeprefix("/"))
    task = page.object(TASK)
    assert page.title == "My import" and task and task["status"] == "READY"
    wrong = user.post("/Executors.ImportCSV/run", action="run", **{"param.targetSpace": ""})
    assert wrong.status_code == 400 and "is required" in wrong.text


def test_two_forms_on_a_page_have_inputs_of_their_own(site: Site, books: Wiki) -> None:
    html = show(site, f'<<form class="{BOOK}"/>>\n\n<<form class="{BOOK}"/>>')
    ids = re.findall(r' id="([^"]*)"', html)
    assert len(ids) == len(set(ids)) and len(ids) > 10


def test_a_button_asks_before_it_acts(site: Site) -> None:
    html = show(site, '<<button action="ready" task="Tasks.HelloWorld" confirm="Sure <x>?"/>>')
    assert "popovertarget" in html and "Sure &lt;x&gt;?" in html and 'value="ready"' in html
    assert "popovertarget" not in show(site, '<<button action="ready" task="Tasks.HelloWorld"/>>')


@pytest.mark.parametrize("name", [
    "button", "chart", "children", "count", "form", "livetable", "objects", "property", "query",
    "recentchanges", "tags", "tree"])
def test_the_examples_work_on_any_page(site: Site, name: str) -> None:
    spec = site.registry.get(name)
    assert spec and spec.examples
    for example in spec.examples:
        assert "macro-error" not in show(site, example)


def test_a_property_called_title_is_not_the_pages_title(site: Site, wiki: Wiki, user: Browser
                                                        ) -> None:
    made = wiki.new("Test.FilmClass", class_definition=ClassDefinition((
        Property("title"), Property("year", "Number"))))
    made.save()
    html = show(site, '<<form class="Test.FilmClass" space="Shelf"/>>', "Users.Jo")
    sent = fields_of(html) | {"form.title.of.page": "The page", "form.title": "The film"}
    assert user.post("/Test.Page/form", **sent).location == "/Shelf.The%20page"
    page = wiki.get("Shelf.The page")
    assert page.title == "The page"
    assert page.object("Test.FilmClass")["title"] == "The film"  # type: ignore[index]
