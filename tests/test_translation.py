"""What the wiki says in another language: all of it, and each reader their own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.pofile import read_po
from conftest import Browser
from flask import Flask
from flask.testing import FlaskClient

from wiki import translate
from wiki.api import Wiki
from wiki.rendering.inputs import TEMPLATES
from wiki.tasks.names import TASK_CLASS
from wiki.web.language import COOKIE, language_of

ROOT = Path(__file__).parent.parent
FOLDERS = (ROOT / "wiki/web/templates", TEMPLATES)
GERMAN = {"Accept-Language": "de-DE,de;q=0.9,en;q=0.5"}
#: Names, keys and examples, which are the same everywhere.
NAMES = {"API", "Ctrl K", "Ctrl", "Esc", "Executors.ImportCSV", "Space.ClassName", "Space.Name",
         "UTC", "Users.Admin", "Wikimill", "ms", ".WebHome", "2026-11-24T05:10:00Z", "with-toc"}
JINJA = re.compile(r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
MARKED = re.compile(r"(?:_|ngettext)\((['\"])(?:\\.|(?!\1).)*\1"
                    r"(?:, (['\"])(?:\\.|(?!\2).)*\2)?", re.DOTALL)
UNMARKED = re.compile(r"(['\"])[A-Za-z][a-z]+,? [a-z(][^'\"<>=]*\1")
TAG = re.compile(r"<(?:[^<>\"]|\"[^\"]*\")*>")
ATTRIBUTE = re.compile(r"(?:aria-label|title|placeholder|alt|data-say-[a-z]+)=\"([^\"]*)\"")
PLACEHOLDER = re.compile(r"%\(\w+\)s|%%|</?\w+")


def unmarked(template: str) -> list[str]:
    """The visible texts of a template that no language but English can have."""
    html = re.sub(r"\{% set (\w+) %\}.*?\{% endset %\}|\{% macro mark.*?endmacro %\}", "",
                  template, flags=re.DOTALL)  # attributes of tags
    html = JINJA.sub("\N{BULLET}", html)
    html = re.sub(r"<style.*?</style>|<script.*?</script>", "", html, flags=re.DOTALL)
    texts = TAG.sub("\n", html).split("\n")
    for tag in TAG.findall(html):
        texts += ATTRIBUTE.findall(tag)
    words = [re.sub(r"&\w+;", "", text).strip("\N{BULLET}· \t") for text in texts]
    found = [text for text in words if re.search(r"[^\W\d_]", text) and text not in NAMES]
    code = [part for part in JINJA.findall(template) if not part.startswith("{#")]
    return found + [match[0] for part in code for match in UNMARKED.finditer(
        MARKED.sub("", part))]


@pytest.mark.parametrize("path", sorted(path for folder in FOLDERS
                                        for path in folder.glob("*.html")),
                         ids=lambda path: path.name)
def test_a_template_says_nothing_that_is_not_marked(path: Path) -> None:
    assert unmarked(path.read_text()) == []


@pytest.mark.parametrize("template", [
    "<p>Two words</p>", '<a title="Go on">{{ name }}</a>', "<p>{{ n }} of {{ m }}</p>",
    "{{ 'is one' if n == 1 else _('are many') }}", '<input placeholder="{{ n }} characters">'])
def test_the_look_for_unmarked_texts_finds_them(template: str) -> None:
    assert unmarked(template)


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """What is marked in code, templates and scripts now."""
    path = tmp_path_factory.mktemp("messages") / "messages.pot"
    subprocess.run([sys.executable, "-m", "babel.messages.frontend", "--quiet", "extract",
                    "--mapping-file", "pyproject.toml", "--keywords", "marked",
                    "--keywords", "gettext_html",
                    "--output-file", str(path), "."], cwd=ROOT, check=True)
    with open(path, "rb") as file:
        return read_po(file)


def test_the_catalogue_is_complete(marked: Catalog) -> None:
    german = catalogue()
    wanted, there = ({(message.context, message.id) for message in messages}
                     for messages in (marked, german))
    assert not wanted - there, "run `make translations`, and translate what is new"
    assert not there - wanted
    for message in german:
        if message.id:
            assert not message.fuzzy, message.id
            texts = [message.string] if isinstance(message.string, str) else message.string
            assert texts and all(texts), message.id


def test_a_translation_fills_in_what_its_message_does() -> None:
    for message in catalogue():
        if message.id:
            said = [message.string] if isinstance(message.string, str) else message.string
            ids = [message.id] if isinstance(message.id, str) else message.id
            for text, english in zip(said, ids, strict=True):
                assert sorted(PLACEHOLDER.findall(text)) == sorted(
                    PLACEHOLDER.findall(english)), english


def catalogue() -> Catalog:
    with open(translate.LOCALES / "de/LC_MESSAGES/messages.po", "rb") as file:
        return read_po(file, locale="de")


def test_a_message_is_said_in_the_language_of_now() -> None:
    with translate.using("de"):
        assert translate.gettext("Saved as version %(version)s.", version="2.1") == (
            "Als Version 2.1 gespeichert.")
        assert translate.ngettext("%(num)s page", "%(num)s pages", 2) == "2 Seiten"
    assert translate.ngettext("%(num)s page", "%(num)s pages", 1) == "1 page"


@pytest.mark.parametrize("cookie, accepted, default, expected", [
    ("", "", "en", "en"), ("", "", "de", "de"), ("", "de-AT,en;q=0.5", "en", "de"),
    ("", "en-US", "de", "en"), ("", "fr", "de", "de"), ("", "fr, *", "de", "de"),
    (f"{COOKIE}=en", "de", "de", "en"), (f"a=b; {COOKIE}=de", "en", "en", "de"),
    (f"{COOKIE}=xx", "de", "en", "de")])
def test_the_choice_comes_before_the_browser_and_that_before_the_wiki(
        cookie: str, accepted: str, default: str, expected: str) -> None:
    environ = {"PATH_INFO": "/", "HTTP_COOKIE": cookie, "HTTP_ACCEPT_LANGUAGE": accepted}
    assert language_of(environ, default) == expected


def test_programs_read_english(client: FlaskClient) -> None:
    answer = client.get("/api/v1/pages/Books.None", headers=GERMAN)
    english = client.get("/api/v1/pages/Books.None")
    assert (answer.status_code, answer.json) == (english.status_code, english.json)


def test_a_page_is_in_the_language_of_the_browser(client: FlaskClient) -> None:
    html = client.get("/changes", headers=GERMAN).text
    assert '<html lang="de"' in html
    assert "Letzte Änderungen" in html and "Recent changes" not in html
    assert '<html lang="en"' in client.get("/changes").text


def test_an_error_is_in_the_language_of_the_reader(client: FlaskClient) -> None:
    answer = client.post("/login", headers=GERMAN)
    assert answer.status_code == 403
    assert "Dieses Formular ist veraltet" in answer.text


def test_the_choice_is_kept(admin: Browser) -> None:
    answer = admin.post("/language", language="de", next="/changes")
    assert answer.status_code == 303 and answer.location == "/changes"
    assert "Letzte Änderungen" in admin.get("/changes").text
    admin.post("/language", language="en", next="//elsewhere.example/")
    assert "Recent changes" in admin.get("/changes").text


def test_a_language_that_there_is_not_is_refused(admin: Browser) -> None:
    answer = admin.post("/language", language="xx")
    assert answer.status_code == 400 and "en, de" in answer.text


def test_kept_views_do_not_mix_languages(client: FlaskClient, wiki: Wiki) -> None:
    wiki.new("Books.Dune", content="A *desert* planet.").save()
    for _ in range(2):  # made, then kept
        german = client.get("/Books.Dune", headers=GERMAN).text
        english = client.get("/Books.Dune").text
        assert "angelegt von" in german and "created by" not in german
        assert "created by" in english and "angelegt von" not in english


def test_shipped_pages_are_in_the_language_of_the_reader(client: FlaskClient) -> None:
    html = client.get("/", headers=GERMAN).text
    assert "<h1 class=\"page-title\">Willkommen</h1>" in html and "Das Beispiel" in html
    assert "Nicht vor" in client.get("/TaskExecutorCode.TaskClass", headers=GERMAN).text
    english = client.get("/").text
    assert "The sample" in english and "Willkommen" not in english


def test_what_somebody_wrote_on_a_shipped_page_is_shown_as_it_is(
        client: FlaskClient, wiki: Wiki) -> None:
    page = wiki.get("Main.WebHome")
    page.title, page.content = "Our wiki", page.content.replace("## The sample", "## An example")
    page.save()
    html = client.get("/", headers=GERMAN).text
    assert "Our wiki" in html and "An example" in html and "Zuletzt geändert" in html


def test_a_shipped_page_is_edited_as_it_is_kept(admin: Browser) -> None:
    html = admin.get("/Main.WebHome/edit", headers=GERMAN).text
    assert "## The sample" in html and "## Das Beispiel" not in html
    html = admin.get("/TaskExecutorCode.TaskClass/class", headers=GERMAN).text
    assert 'value="Not before"' in html


def test_a_shipped_page_that_is_shown_in_german_is_kept_in_english(
        admin: Browser, wiki: Wiki) -> None:
    before = wiki.get("Tasks.HelloWorld").record
    admin.post("/language", language="de")
    admin.post("/Tasks.HelloWorld/task", action="ready")
    after = wiki.get("Tasks.HelloWorld").record
    assert after.version != before.version
    assert (after.title, after.content) == (before.title, before.content)


def test_why_a_task_waits_is_in_the_language_of_the_reader(client: FlaskClient, wiki: Wiki,
                                                           ) -> None:
    for name, values in (("One", {}), ("Two", {"after": ["Tasks.One"]})):
        page = wiki.new(f"Tasks.{name}")
        page.add_object(TASK_CLASS, taskExecutor="Executors.HelloWorld", status="READY", **values)
        page.save()
    progress = '<<taskprogress task="Tasks.Two"/>>'
    wiki.new("Main.Waiting", content=progress).save()
    assert "Wartet auf Tasks.One, das READY ist" in client.get("/Main.Waiting",
                                                               headers=GERMAN).text
    assert "Waits for Tasks.One, which is READY" in client.get("/Main.Waiting").text


def test_a_refused_value_is_told_in_the_language_of_the_reader(admin: Browser) -> None:
    admin.post("/language", language="de")
    key = f"{TASK_CLASS}[0]"
    answer = admin.post("/Tasks.HelloWorld/objects", action="save", version="1.1", object=key,
                        **{f"{key}.priority": "5000"})
    assert "möglich: eine ganze Zahl von -1000 bis 1000" in answer.text


def test_a_macro_is_explained_and_refused_in_the_language_of_the_reader(
        client: FlaskClient, wiki: Wiki) -> None:
    wiki.new("Main.Shown", content='<<macros name="image"/>>\n\n<<toc depth="deep"/>>').save()
    html = client.get("/Main.Shown", headers=GERMAN).text
    assert "Zeigt ein Bild" in html and "depth: &#39;deep&#39; ist keine ganze Zahl" in html
    rows = dict(re.findall(r"<tr><td><code>(\w+)</code>.*<td>(.*)</td></tr>", html))
    assert "Größe in Pixeln" in rows["width"] and rows["width"] == rows["height"]


def test_no_answer_leaves_its_language_behind(app: Flask, client: FlaskClient) -> None:
    client.get("/changes", headers=GERMAN)
    assert translate.language() == translate.SOURCE


def test_scripts_in_the_browser_get_what_they_say(client: FlaskClient) -> None:
    assert client.get("/language/en.json").json == {}
    german = client.get("/language/de.json").json
    assert set(german) < {
        message.id if isinstance(message.id, str) else message.id[0] for message in catalogue()}
    assert client.get("/language/xx.json").status_code == 404
