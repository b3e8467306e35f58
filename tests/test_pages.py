"""The shipped pages: what a new wiki shows first."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from wiki import classes
from wiki.language.syntax import Broken, Macro, parse
from wiki.model import GUEST, Document
from wiki.pagefile import read_tree
from wiki.references import Reference
from wiki.rendering.macros import Registry
from wiki.rendering.renderer import RenderRequest
from wiki.rights import ADMIN_USER
from wiki.settings import shipped
from wiki.site import Site
from wiki.tasks import names

PAGES = {str(ref): (document, files) for ref, document, files in read_tree(shipped("pages"))}
COUNTRIES = shipped("pages") / "Tasks" / "ImportCountries.files" / "countries.csv"
#: Pages that the sample task or the tour's reader makes.
MADE_LATER = {"Countries.WebHome", "Countries.CountryClass", "Planets.WebHome"}
#: Macros whose bodies are text with macros of its own.
WITH_MACROS_INSIDE = {"jinja", "info", "success", "warning", "error"}


@pytest.fixture(scope="module")
def registry() -> Registry:
    found = Registry()
    found.load_directory(shipped("macros"))
    return found


def macros_in(text: str) -> Iterator[Macro | Broken]:
    for node in parse(text):
        if isinstance(node, Macro | Broken):
            yield node
        if isinstance(node, Macro) and node.body and node.name in WITH_MACROS_INSIDE:
            yield from macros_in(node.body)


def links_of(content: str) -> Iterator[str]:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", content, flags=re.DOTALL)
    for target in re.findall(r"\[\[(?:[^\[\]]*?>>)?([^\[\]]+)\]\]", text):
        if "{{" not in target and not target.startswith("attach:"):
            yield target.partition("#")[0]


@pytest.mark.parametrize("page", PAGES)
def test_a_shipped_page_has_a_title_and_a_parent(page: str) -> None:
    document, _ = PAGES[page]
    assert document.title
    assert page == "Main.WebHome" or document.parent in PAGES


@pytest.mark.parametrize("page", PAGES)
def test_a_shipped_pages_objects_are_as_their_classes_want_them(page: str) -> None:
    document, _ = PAGES[page]
    for obj in document.objects:
        definition = PAGES[obj.class_name][0].class_definition
        assert definition is not None
        classes.validate(definition, obj.values)
        assert set(obj.values) <= {prop.name for prop in definition.properties}


@pytest.mark.parametrize("page", PAGES)
def test_a_shipped_pages_links_lead_somewhere(page: str) -> None:
    document, _ = PAGES[page]
    for target in links_of(document.content):
        name = str(Reference.parse(target, document.reference)) if target else page
        assert name in PAGES or name in MADE_LATER, target


@pytest.mark.parametrize("page", PAGES)
def test_every_macro_on_a_shipped_page_exists_and_takes_its_parameters(
        page: str, registry: Registry) -> None:
    for node in macros_in(PAGES[page][0].content):
        assert isinstance(node, Macro), node
        spec = registry.get(node.name)
        assert spec is not None, node.name
        spec.arguments(node.params)


@pytest.mark.parametrize("user", [GUEST, ADMIN_USER])
def test_every_shipped_page_renders_without_an_error(user: str, site: Site) -> None:
    site.install()
    wrong = {}
    for page in PAGES:
        document = site.wiki.get(page).record
        html = site.local_renderer.render(document, RenderRequest(user=user, form_token="x")).html
        if "box error macro-error" in html:
            wrong[page] = re.findall(r'<\w+ class="box error macro-error.*?</(?:div|span)>', html)
    assert not wrong


def test_the_task_system_finds_its_pages_under_their_names() -> None:
    for name in (names.TASK_CLASS, names.EXECUTOR_CLASS, names.RUN_CLASS, names.JOB_CLASS,
                 names.CONFIGURATION_CLASS):
        assert PAGES[name][0].class_definition is not None
    assert PAGES[names.CONFIGURATION][0].object(names.CONFIGURATION_CLASS) is not None
    job = PAGES[names.MANAGER_JOB][0].object(names.JOB_CLASS)
    assert job is not None
    assert job.values["when"] == "every 10 seconds"


def test_the_statuses_on_the_class_are_those_of_the_manager() -> None:
    definition = PAGES[names.TASK_CLASS][0].class_definition
    status = definition.get("status") if definition else None
    assert status is not None
    assert set(status.options["values"]) == {item.value for item in names.Status}


@pytest.mark.parametrize("page", [page for page, (document, _) in PAGES.items()
                                  if document.object(names.EXECUTOR_CLASS)])
def test_a_shipped_executors_script_is_the_file_beside_it(page: str) -> None:
    document: Document = PAGES[page][0]
    executor = document.object(names.EXECUTOR_CLASS)
    assert executor is not None
    file = Path(shipped("pages"), *document.reference.spaces, f"{document.reference.name}.py")
    assert executor.values["script"] == file.read_text(encoding="utf-8")
    compile(executor.values["script"], page, "exec")


def test_the_sample_task_is_ready_and_has_its_file() -> None:
    document, files = PAGES["Tasks.ImportCountries"]
    task = document.object(names.TASK_CLASS)
    assert task is not None
    assert task.values["status"] == "READY"
    assert files == {"countries.csv": COUNTRIES}


def test_the_countries_are_all_there_once() -> None:
    with COUNTRIES.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 249
    for column, shape in (("code", "[A-Z]{2}"), ("alpha3", "[A-Z]{3}"), ("numeric", "[0-9]{3}"),
                          ("name", r"\S.*\S")):
        values = {row[column] for row in rows}
        assert len(values) == 249
        assert all(re.fullmatch(shape, value) for value in values)
    assert all(set(row) == set(rows[0]) and None not in row.values() for row in rows)


def test_a_countrys_figures_are_numbers_and_the_world_adds_up() -> None:
    with COUNTRIES.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    population = sum(int(row["population"] or 0) for row in rows)
    area = sum(float(row["area_km2"]) for row in rows)
    assert 7.8e9 < population < 8.5e9
    assert 1.45e8 < area < 1.55e8
    regions = {row["region"] for row in rows}
    assert regions == {"Africa", "Americas", "Antarctica", "Asia", "Europe", "Oceania"}
