"""Doors that save for a reader: nobody signs by them what they do not show."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest
from conftest import Browser

from wiki.api import Wiki
from wiki.model import ClassDefinition, Property
from wiki.rendering.renderer import RenderRequest
from wiki.rendering.wikimacros import MACRO_CLASS
from wiki.site import Site

JO = "Users.Jo"
NOTE, SECRET = "Test.NoteClass", "Test.SecretClass"


@pytest.fixture
def jo(site: Site, user: Browser) -> Wiki:
    """The wiki as a user who may edit, and not script."""
    return site.wiki.as_user(JO)


def show(site: Site, page: str) -> str:
    """The page as its author's renderer shows it to Admin."""
    record = site.wiki.get(page).record
    return str(site.local_renderer.render(record, RenderRequest(user="Users.Admin")).html)


def change(browser: Browser, page: str, class_name: str, name: str, value: str) -> int:
    """Change a property by its own form; the status."""
    query = urlencode({"class": class_name, "name": name})
    version = browser.get(f"/{page}/property?{query}").text.partition('name="version" value="')[2]
    answer = browser.post(f"/{page}/property?{query}", value=value,
                          version=version.partition('"')[0])
    return int(answer.status_code)


@pytest.fixture
def trap(jo: Wiki) -> str:
    """A page of Jo's with a macro that is not armed, and an object that is harmless."""
    jo.new(NOTE, class_definition=ClassDefinition((Property("text"),))).save()
    page = jo.new("Test.Trap")
    page.add_object(MACRO_CLASS, name="trap", code="<<html>><u>Jo's</u><</html>>")
    page.add_object(NOTE, text="x")
    page.save()
    jo.new("Test.Use", content="<<trap/>>").save()
    return "Test.Trap"


@pytest.mark.parametrize(("class_name", "name"), [(NOTE, "text"), (MACRO_CLASS, "description")])
def test_changing_one_property_signs_no_script_of_another(
        site: Site, admin: Browser, trap: str, class_name: str, name: str) -> None:
    assert change(admin, trap, class_name, name, "harmless") == 302
    page = site.wiki.get(trap)
    assert page.object(class_name)[name] == "harmless"  # type: ignore[index]
    assert page.script_author == JO and page.author == "Users.Admin"
    assert "<u>" not in show(site, "Test.Use")


def test_a_change_to_many_rows_signs_no_script(site: Site, admin: Browser, trap: str) -> None:
    answer = admin.post("/tables/bulk", **{
        "class": MACRO_CLASS, "columns": "description", "row": trap, "scope": "rows",
        "action": "set:description", "value": "harmless", "confirm": "1", "expected": "1"})
    assert answer.status_code == 200
    page = site.wiki.get(trap)
    assert page.object(MACRO_CLASS)["description"] == "harmless"  # type: ignore[index]
    assert page.script_author == JO and page.author == "Users.Admin"
    assert "<u>" not in show(site, "Test.Use")


def test_a_property_changed_by_who_may_not_script_disarms_the_page(
        site: Site, wiki: Wiki, user: Browser) -> None:
    page = wiki.new("Test.Good", content="<<good/>>")
    page.add_object(MACRO_CLASS, name="good", code="<<html>><u>good</u><</html>>")
    page.save()
    assert "<u>good</u>" in show_content(site, "Test.Good")
    assert change(user, "Test.Good", MACRO_CLASS, "code", "<<html>><u>bad</u><</html>>") == 302
    assert site.wiki.get("Test.Good").script_author == JO
    assert "<u>" not in show_content(site, "Test.Good")


def show_content(site: Site, page: str) -> str:
    record = site.wiki.get(page).record
    return str(site.local_renderer.render_content(record, RenderRequest(user=JO)).html)


def test_a_form_makes_no_page_that_runs(site: Site, jo: Wiki, admin: Browser) -> None:
    shipped = jo.get(MACRO_CLASS)
    shipped.class_definition = ClassDefinition(tuple(
        replace(prop, default="<<html>><u>Jo's</u><</html>>") if prop.name == "code" else prop
        for prop in shipped.class_definition.properties))
    shipped.save()
    jo.new("Test.Form", content=f'<<form class="{MACRO_CLASS}" fields="name"/>>').save()
    assert "a form makes no pages that run" in show(site, "Test.Form")
    for name in (MACRO_CLASS, f" {MACRO_CLASS}", "Wiki.SchedulerJobClass"):
        answer = admin.post("/Test.Form/form", **{
            "plan.class_name": name, "plan.space": "Test", "form.title.of.page": "Made",
            "form.name": "made"})
        assert answer.status_code == 400 and "Test.Made" not in site.wiki


def test_a_password_is_not_shown_whatever_its_class_becomes(
        site: Site, jo: Wiki, user: Browser) -> None:
    made = jo.new(SECRET, class_definition=ClassDefinition((Property("word", "Password"),)))
    made.save()
    page = jo.new("Test.Secret")
    page.add_object(SECRET, word="open sesame")
    page.save()
    made = jo.get(SECRET)
    made.class_definition = ClassDefinition((Property("word"),))
    made.save()
    jo.new("Test.Date", content=f'<<date property="{SECRET}.word" page="Test.Secret"/>> '
                                f'<<property name="word" page="Test.Secret"/>>').save()
    assert "is empty on Test.Secret" in show(site, "Test.Date")
    query = urlencode({"class": SECRET, "name": "word"})
    for html in (show(site, "Test.Date"), user.get(f"/Test.Secret/property?{query}").text,
                 user.get("/Test.Secret/objects").text):
        assert "hash" not in html and "argon2" not in html


HOSTILE = [
    "text {: onclick=alert(1) style=color:red }\n", "# Head {: #x onmouseover=alert(1) }",
    "[a](javascript:alert(1))", "[a]( java\nscript:alert(1))", "[a](data:text/html,x)",
    "![a](javascript:alert(1))", "[[a>>javascript:alert(1)]]", '[a](x "t" ){: href=javascript:x }',
    "![a](x){: onerror=alert(1) }", "$\\href{javascript:alert(1)}{x}$",
    "$\\text{<img src=x onerror=alert(1)>}$", "```{.x\" onclick=alert(1)}\nx\n```",
    "[^a\" onclick=\"alert(1)]: x\n\nsee [^a\" onclick=\"alert(1)]",
    "<<csv>>\na,<img src=x onerror=alert(1)>\n1,<script>alert(1)</script>\n<</csv>>",
    '<<chart title="<script>alert(1)</script>">>\nx,"<img src=x onerror=alert(1)>"\n'
    "<script>alert(1)</script>,1\n<</chart>>",
    '<<box title="<script>x</script>" class="a onclick=x">>x<</box>>',
    "<<tabs>><<tab title='<script>x</script>' id='\" onclick=x'>>x<</tab>><</tabs>>",
    '<<code title="<script>x</script>" language="python">></code><script>x</script><</code>>',
    '<<button action="ready" task="Tasks.ImportCountries" label="<script>x</script>"/>>',
    "```mermaid\n</code></pre><script>x</script>\n```",
    '<<image file="x" link="javascript:alert(1)"/>>',
]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_anybody_writes_puts_nothing_that_runs_into_a_page(
        site: Site, jo: Wiki, text: str) -> None:
    jo.new("Test.Hostile", content=text).save()
    html = parsed(show(site, "Test.Hostile"))
    assert not {"script", "style", "iframe", "object", "embed"} & {name for name, _ in html}
    for name, attributes in html:
        for key, value in attributes:
            assert not key.startswith("on") and key != "style", (name, key)
            assert not (value or "").strip().lower().startswith(("javascript:", "data:text"))


def parsed(html: str) -> list[tuple[str, list[tuple[str, str | None]]]]:
    """The elements with their attributes."""
    found: list[tuple[str, list[tuple[str, str | None]]]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append((tag, attrs))

    Reader().feed(html)
    return found
