"""Macros from packages, the list of all macros, and what an editor is told of them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from click.testing import CliRunner
from conftest import Server
from flask.testing import FlaskClient
from test_macros import show

from wiki.api import Wiki
from wiki.cli import main
from wiki.rendering.macrohelp import explain
from wiki.rendering.macros import MacroContext, Registry, macro
from wiki.rendering.packages import load_packages
from wiki.rendering.renderer import RenderRequest
from wiki.settings import Settings
from wiki.site import Site

GUIDE = Path(__file__).parent.parent / "docs" / "macro-packages.md"
FILE = re.compile(r"^`([\w./]+)`\n\n```\w+\n(.*?)^```", re.DOTALL | re.MULTILINE)
#: A module's text -> what is said of the package.
BROKEN = {
    "import nowhere_to_be_found": "ModuleNotFoundError: No module named 'nowhere_to_be_found'",
    "raise SystemExit('enough')": "cannot be imported: SystemExit: enough",
    "def shout(): pass": "is no module with functions that are marked with @macro",
    "@macro('toc')\ndef mine(context: MacroContext) -> str:\n    return ''":
        "mine: there are two macros 'toc'",
    "@macro('odd')\ndef odd(context: MacroContext, when: list[str]) -> str:\n    return ''":
        "odd: when: a macro's parameter is str, int, float, bool or Literal",
    "@macro('odd')\ndef odd(context: MacroContext, when) -> str:\n    return ''":
        "odd: when: a macro's parameter is",
    "@macro('odd')\ndef odd(context: MacroContext, when: 'Nothing') -> str:\n    return ''":
        "odd: name 'Nothing' is not defined",
}
IMPORT = "from wiki.rendering.macros import MacroContext, macro\n"


def install_by_hand(folder: Path, name: str, source: str) -> None:
    """A package as pip leaves it, with one module."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[wikimill.macros]\nmacros = {name}\n")
    (folder / f"{name}.py").write_text(IMPORT + source + "\n")


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that Python looks for packages in."""
    folder = tmp_path / "packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    yield folder
    for name in [name for name in sys.modules if (folder / f"{name}.py").exists()]:
        del sys.modules[name]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The guide's package, built and installed by pip where a process started from here looks."""
    source, target = tmp_path / "source", tmp_path / "target"
    for name, text in FILE.findall(GUIDE.read_text(encoding="utf-8")):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(text, encoding="utf-8")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps",
         "--no-build-isolation", "--disable-pip-version-check", "--target", str(target),
         str(source)], check=True, timeout=300)
    before = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(target), before))))
    return target


def read(url: str) -> str:
    with urlopen(url, timeout=60) as response:
        return str(response.read().decode())


# -- packages ----------------------------------------------------------------------------------

def test_the_guides_package_works_in_a_server(installed: Path,
                                              request: pytest.FixtureRequest) -> None:
    install_by_hand(installed, "broken", "import nowhere_to_be_found")
    server: Server = request.getfixturevalue("server")
    answer = json.loads(read(f"{server.url}/api/v1/macros"))
    listed = {item["name"]: item for item in answer["items"]}
    assert listed["shout"]["package"] == listed["whisper"]["package"] == "wikimill-shouting 1.0"
    assert listed["shout"]["parameters"][2]["choices"] == ["!", "?"]
    page = read(f"{server.url}/Help.Macros")
    assert "<strong>HELLO! HELLO!</strong>" in page and "It is <strong>late</strong>" in page
    assert "broken 1.0: broken cannot be imported" in page
    assert "macros of broken 1.0: broken cannot be imported" in server.log.read_text()


def test_a_packages_macros_are_there_after_our_own(packages: Path, settings: Settings) -> None:
    install_by_hand(packages, "shouting", "@macro('shout')\ndef shout(context: MacroContext, "
                    "text: str) -> str:\n    \"\"\"Say it.\"\"\"\n    return text.upper() + '<'")
    with Site(settings) as site:
        site.install()
        assert "HELLO&lt;" in show(site, '<<shout text="hello"/>>')
        # A page with a script is rendered in a process of its own.
        assert "HELLO&lt;" in show(site, '<<jinja>>{{ 1 }}<</jinja>> <<shout text="hello"/>>')
        html = show(site, '<<macros name="shout"/>>')
        assert "shouting 1.0" in html and "Say it." in html


def test_a_module_may_gather_macros_from_below_but_not_from_elsewhere(packages: Path) -> None:
    loud = "@macro('loud')\ndef loud(context: MacroContext) -> str:\n    return ''"
    install_by_hand(packages, "elsewhere", loud.replace("loud", "other"))
    install_by_hand(packages, "gathering", loud + "\nfrom elsewhere import other")
    registry = Registry()
    load_packages(registry)
    assert [(spec.name, spec.package) for spec in registry] == [
        ("loud", "gathering 1.0"), ("other", "elsewhere 1.0")]
    assert registry.problems == []


@pytest.mark.parametrize("source", BROKEN)
def test_a_broken_package_is_left_out_with_the_reason(packages: Path, settings: Settings,
                                                      source: str) -> None:
    install_by_hand(packages, "broken", source)
    with Site(settings) as site:
        (problem,) = site.registry.problems
        assert problem.package == "broken 1.0" and BROKEN[source] in problem.reason
        toc = site.registry.get("toc")
        assert toc is not None and toc.package == "" and "headings" in toc.help
        assert site.registry.get("odd") is None


def test_a_macro_beside_a_broken_one_works(packages: Path, settings: Settings) -> None:
    good = "@macro('good')\ndef good(context: MacroContext) -> str:\n    return 'all is well'"
    install_by_hand(packages, "mixed", f"{good}\n{good.replace('good', 'toc')}")
    with Site(settings) as site:
        site.install()
        assert "all is well" in show(site, "<<good/>>")
        assert "mixed 1.0: toc: there are two macros" in show(site, "<<macros/>>")


def test_check_names_a_broken_package(packages: Path, settings: Settings) -> None:
    install_by_hand(packages, "broken", "import nowhere_to_be_found")
    with Site(settings) as site:
        site.install()
    result = CliRunner().invoke(main, ["--data", str(settings.data), "check"])
    assert result.exit_code == 1
    assert "macros of broken 1.0: broken cannot be imported: ModuleNotFoundError" in result.output


# -- the list of macros ------------------------------------------------------------------------

def test_every_macro_has_examples_and_each_works(site: Site, wiki: Wiki) -> None:
    assert [spec.name for spec in site.registry if not spec.examples] == []
    page = wiki.get("Help.Macros")
    html = site.renderer.render(page.record, RenderRequest("Users.Admin", {}, "token")).html
    assert re.findall(r'class="box error macro-error".{0,300}', html, re.DOTALL) == []
    ids = re.findall(r'id="(macro-[^"]*)"', html)
    assert len(ids) == len(set(ids))
    outputs = html.count('<div class="macro-output"')
    assert outputs >= sum(len(spec.examples) for spec in site.registry) > 30


def test_every_macro_of_ours_has_its_group(site: Site) -> None:
    html = show(site, "<<macros/>>")
    assert ">Tasks</h2>" in html and ">Others</h2>" not in html
    names = html[:html.index("</nav>")]
    assert [spec.name for spec in site.registry if f'href="#macro-{spec.name}"' not in names] == []


def test_one_macro_is_shown_alone_and_an_unknown_one_is_refused(site: Site) -> None:
    html = show(site, '<<macros name="logpicker"/>>')
    assert html.count("macro-entry") == 1 and "<td><code>limit</code></td>" in html
    assert "there is no macro &#39;nope&#39;" in show(site, '<<macros name="nope"/>>')


def test_an_example_has_no_more_rights_than_the_text_that_lists_it(site: Site) -> None:
    site.add_user("Jo", "correct horse")
    page = site.wiki.as_user("Users.Jo").new("Test.Jo", content='<<macros name="html"/>>')
    page.save()
    html = site.renderer.render(page.record, RenderRequest("Users.Admin")).html
    assert "does not hold the script right" in html and "<meter" not in html


@macro("told")
def told(context: MacroContext, text: str, times: int = 1, loud: bool = False) -> str:
    """Say it. `text` is what.

    It is said at once; `times` is how often: `3` is usual. `loud="true"` cries.

    It ends here, with `doc` and `times`.
    """
    return text


def test_a_docstring_tells_what_each_parameter_is_for() -> None:
    spec = Registry().register(told)
    explained = explain(spec)
    assert spec.summary == "Say it."
    assert explained.parameters == {
        "text": "`text` is what.", "times": "`times` is how often: `3` is usual.",
        "loud": '`loud="true"` cries.'}
    assert explained.text == (
        "Say it.\n\nIt is said at once;\n\nIt ends here, with `doc` and `times`.")


# -- what an editor is told --------------------------------------------------------------------

def test_an_editor_is_told_of_every_macro(client: FlaskClient, site: Site) -> None:
    answer = client.get("/api/v1/macros?page=Tasks.WebHome").json
    names = [item["name"] for item in answer["items"]]
    assert names == sorted(names) and set(names) >= set(site.registry.names())
    showlog = next(item for item in answer["items"] if item["name"] == "showlog")
    assert (showlog["body"], showlog["package"], showlog["page"]) == ("none", None, None)
    follow = next(item for item in showlog["parameters"] if item["name"] == "follow")
    assert follow["choices"] == ["true", "false"] and follow["default"] is True
    assert (follow["type"], follow["required"]) == ("boolean", False)
    assert client.get("/api/v1/macros?page=A..B").status_code == 400
    assert client.get("/api/v1/macros?pge=A.B").status_code == 400


def test_a_wiki_macro_is_offered_where_it_can_be_seen(client: FlaskClient, wiki: Wiki) -> None:
    page = wiki.new("Work.Greet")
    page.add_object("Wiki.MacroClass", name="greet", description="Greet somebody.", body="none",
                    visibility="space", code="Hello {{ params.who }}")
    page.add_object("Wiki.MacroParameterClass", name="who", type="string", required=True,
                    description="Whom to greet.")
    page.save()

    def offered(text_page: str) -> list[dict[str, object]]:
        answer = client.get(f"/api/v1/macros?page={text_page}").json
        return [item for item in answer["items"] if item["name"] == "greet"]

    (greet,) = offered("Work.Other")
    assert greet["page"] == "Work.Greet" and greet["summary"] == "Greet somebody."
    assert greet["parameters"][0]["help"] == "Whom to greet."  # type: ignore[index]
    assert offered("Main.WebHome") == []
