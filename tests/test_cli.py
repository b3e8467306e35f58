"""The command line: what a person or a script types, and what comes back."""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from click.testing import CliRunner, Result

from wiki.classes import TYPES
from wiki.cli import main
from wiki.model import SYSTEM
from wiki.serving import is_served, serving
from wiki.site import Site
from wiki.tasks.names import EXECUTOR_CLASS, TASK_CLASS

Run = Callable[..., Result]
BOOK_CLASS = """---
class:
- name: year
  type: Number
  integer: true
- name: secret
  type: Password
---
"""
DUNE = """---
title: Dune
tags: [novel]
objects:
- class: Books.BookClass
  year: 1965
attachments: [cover.txt]
---
A novel.
"""


@pytest.fixture
def run(site: Site) -> Run:
    """Types ``wikimill --data ...`` for the wiki of ``site``, and expects it to go well."""
    def type_in(*words: str, fails: int = 0, given: str = "") -> Result:
        result = CliRunner().invoke(main, ["--data", str(site.settings.data), *words],
                                    input=given)
        assert result.exit_code == fails, result.output
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result
    return type_in


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder of page files."""
    books = tmp_path / "tree" / "Books"
    (books / "Dune.files").mkdir(parents=True)
    (books / "Dune.md").write_text(DUNE)
    (books / "Dune.files" / "cover.txt").write_text("a cover")
    (books / "BookClass.md").write_text(BOOK_CLASS)
    return books.parent


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes()
            for path in root.rglob("*") if path.is_file()}


def test_page_files_are_imported_and_exported_unchanged(
        run: Run, tree: Path, tmp_path: Path, site: Site) -> None:
    assert run("import", str(tree)).stdout == "2 new, 0 changed, 0 unchanged\n"
    dune = site.wiki.get("Books.Dune")
    assert dune.object("Books.BookClass")["year"] == 1965
    assert dune.attachments[0].read() == b"a cover"
    assert run("import", str(tree)).stdout == "0 new, 0 changed, 2 unchanged\n"
    run("export", str(tmp_path / "out"), "--space", "Books")
    assert contents(tmp_path / "out") == contents(tree)


def test_the_whole_wiki_is_the_same_after_export_and_import(
        run: Run, tmp_path: Path, site: Site) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    run("export", str(first))
    result = CliRunner().invoke(main, ["--data", str(tmp_path / "other"), "import", str(first)])
    assert result.exit_code == 0, result.output
    result = CliRunner().invoke(main, ["--data", str(tmp_path / "other"), "export", str(second)])
    assert result.exit_code == 0, result.output
    assert contents(first) == contents(second)
    assert len(contents(first)) > 20


def test_a_file_goes_into_the_space_of_its_folder_or_the_one_that_is_named(
        run: Run, tree: Path, site: Site) -> None:
    run("import", str(tree / "Books" / "Dune.md"))
    run("import", "--space", r"Old.A\.B", str(tree / "Books" / "Dune.md"))
    assert "Books.Dune" in site.wiki
    assert r"Old.A\.B.Dune" in site.wiki


def test_an_import_with_a_bad_file_changes_nothing_and_names_it(
        run: Run, tree: Path, site: Site) -> None:
    (tree / "Books" / "Zed.md").write_text("---\ntitel: x\n---\n")
    result = run("import", str(tree), fails=1)
    assert "Zed.md, line 2: there is no key 'titel'" in result.stderr
    assert "Books.Dune" not in site.wiki
    (tree / "Books" / "Zed.md").write_text("---\nobjects:\n- class: Books.BookClass\n  year: x\n"
                                           "---\n")
    assert "Books.Zed: year: 'x' is not allowed; it takes a whole number" in run(
        "import", str(tree), fails=1).stderr
    assert "neither a folder nor a page file" in run(
        "import", str(tree / "Books" / "Dune.files" / "cover.txt"), fails=1).stderr


def test_the_dump_of_another_wiki_is_imported_by_a_task_that_is_followed(
        run: Run, tree: Path, site: Site) -> None:
    site.manager.suspend("Tasks.ImportCountries", SYSTEM)
    dump = tree / "wiki.XML.gz"
    dump.write_bytes(gzip.compress(b"<mediawiki><page><title>Hill</title><ns>0</ns><revision>"
                                   b"<text>A '''hill'''.</text></revision></page></mediawiki>"))
    assert "targetSpace" in run("import", str(dump), fails=1).stderr
    result = run("import", str(dump), "--space", "Old")
    assert "1 ok, 0 skipped, none failed" in result.stdout
    assert site.wiki.get("Old.Hill").content == "A **hill**."


def test_a_dump_that_cannot_be_read_fails_and_goes_alone(
        run: Run, tree: Path, site: Site) -> None:
    site.manager.suspend("Tasks.ImportCountries", SYSTEM)
    archive = tree / "wiki.xar"
    archive.write_bytes(b"no archive")
    assert "ended with the status ERROR" in run("import", str(archive), fails=1).stderr
    assert "name it alone" in run("import", str(archive), str(tree), fails=2).stderr


def test_a_page_is_put_got_listed_and_deleted(run: Run, tree: Path) -> None:
    run("import", str(tree / "Books" / "BookClass.md"))
    assert run("page", "put", "Books.Dune",
               str(tree / "Books" / "Dune.md")).stdout == "Books.Dune: new\n"
    assert run("page", "get", "Books.Dune").stdout == DUNE
    changed = DUNE.replace("A novel.", "A long novel.")
    assert run("page", "put", "Books.Dune", "-", given=changed).stdout == "Books.Dune: changed\n"
    assert run("page", "get", "Books.Dune").stdout == changed
    shown = json.loads(run("page", "get", "Books.Dune", "--json").stdout)
    assert shown["objects"][0]["properties"] == {"year": 1965}
    assert shown["attachments"][0]["filename"] == "cover.txt"
    listed = json.loads(run("page", "list", "--class", "Books.BookClass", "--json").stdout)
    assert [row["reference"] for row in listed] == ["Books.Dune"]
    assert "Books.Dune\tDune\t2.1\t" in run("page", "list", "--space", "Books").stdout
    assert "Moved 1 pages" in run("page", "move", "Books.Dune", "Sand", "--redirect").stdout
    assert run("page", "get", "Books.Sand").stdout
    assert "nothing was moved" in run("page", "move", "Books.Sand", "Main.WebHome", fails=1).stderr
    run("page", "move", "Books.Sand", "Books.Dune")
    run("page", "delete", "Books.Dune", given="n\n", fails=1)
    run("page", "delete", "Books.Dune", "--yes")
    assert "Books.Dune" in run("page", "get", "Books.Dune", fails=1).stderr


def test_a_password_of_a_page_outlives_an_import(run: Run, tree: Path, site: Site) -> None:
    run("import", str(tree))
    dune = site.wiki.get("Books.Dune")
    dune.object("Books.BookClass")["secret"] = "hidden"
    dune.save()
    run("page", "put", "Books.Dune", "-", given=DUNE.replace("1965", "1966"))
    values = site.wiki.get("Books.Dune").record.objects[0].values
    assert values["year"] == 1966
    assert values["secret"]["hash"].startswith("$argon2id$")


@pytest.mark.parametrize(("words", "said"), [
    (("page", "get", "Nowhere"), "names no space"), (("page", "get", "A.B"), "A.B"),
    (("page", "delete", "--yes", "A.B"), "A.B"), (("task", "show", "Main.WebHome"), "not a task"),
    (("task", "run", "Main.WebHome"), "no task"), (("task", "log", "../x.log"), "no log"),
    (("task", "log", "A.B"), "no log"), (("user", "passwd", "Admin"), "UTF-8"),
    (("page", "put", "A.B", "-"), "UTF-8"),
])
def test_an_error_is_one_line_and_exit_code_1(
        site: Site, words: tuple[str, ...], said: str) -> None:
    result = CliRunner().invoke(main, ["--data", str(site.settings.data), *words], input=b"\xff")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert said in result.stderr


def test_wrong_use_is_exit_code_2(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("page", "got", fails=2)
    run("task", "list", "--status", "LATE", fails=2)
    run("serve", "--port", "http", fails=2)
    monkeypatch.setenv("WIKIMILL_WORKERS", "many")
    assert "WIKIMILL_WORKERS" in run("page", "list", fails=2).stderr


def test_a_folder_without_a_wiki_is_said_and_not_made(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["--data", str(tmp_path / "typo"), "page", "list"])
    assert result.exit_code == 1
    assert "there is no wiki in" in result.stderr
    assert not (tmp_path / "typo").exists()


def test_users_are_added_listed_and_get_passwords(run: Run, site: Site) -> None:
    assert run("user", "add", "Jo", given="secret\n").stdout == "Made Users.Jo\n"
    assert site.accounts.verify("Jo", "secret") == "Users.Jo"
    run("user", "passwd", "Jo", given="other\n")
    assert site.accounts.verify("Jo", "other") == "Users.Jo"
    assert json.loads(run("user", "list", "--json").stdout) == ["Admin", "Jo"]
    assert "already" in run("user", "add", "Jo", given="secret\n", fails=1).stderr


def make_task(site: Site, script: str, name: str = "Tasks.Mine") -> None:
    executor = site.wiki.new("Executors.Mine")
    executor.add_object(EXECUTOR_CLASS, script=script)
    executor.save()
    task = site.wiki.new(name)
    task.add_object(TASK_CLASS, taskExecutor="Executors.Mine", status="SUSPENDED")
    task.save()


def test_a_task_runs_in_the_command_where_no_server_does(run: Run, site: Site) -> None:
    make_task(site, "def run(logger, wiki, task):\n    logger.info('at work')\n")
    for name in ("Tasks.ImportCountries", "Tasks.HelloWorld"):
        site.manager.suspend(name, site.wiki.user)
    result = run("task", "run", "Tasks.Mine")
    assert "INFO - at work" in result.stdout
    assert "ended: DONE" in result.stdout
    assert "No server runs" in result.stderr
    shown = json.loads(run("task", "show", "Tasks.Mine", "--json").stdout)
    assert (shown["status"], shown["run"]["outcome"]) == ("DONE", "DONE")
    assert run("task", "log", "Tasks.Mine", "-f").stdout == result.stdout
    assert run("task", "log", "Tasks.Mine.log", "-n", "1").stdout.count("\n") == 1


def test_a_task_that_fails_or_cannot_start_is_exit_code_1(run: Run, site: Site) -> None:
    make_task(site, "def run(logger, wiki, task):\n    1 / 0\n")
    site.manager.suspend("Tasks.ImportCountries", site.wiki.user)
    result = run("task", "run", "Tasks.Mine", fails=1)
    assert "ZeroDivisionError" in result.stdout
    assert "Tasks.Mine ended with the status ERROR" in result.stderr
    executor = site.wiki.get("Executors.Mine")
    executor.object(EXECUTOR_CLASS)["script"] = "def run(:"
    executor.save()
    assert "cannot start" in run("task", "run", "Tasks.Mine", fails=1).stderr


def test_a_task_is_set_ready_and_suspended(run: Run, site: Site) -> None:
    make_task(site, "def run(logger, wiki, task): pass\n")
    assert run("task", "ready", "Tasks.Mine").stdout == "Tasks.Mine: READY\n"
    listed = json.loads(run("task", "list", "--status", "READY", "--json").stdout)
    assert "Tasks.Mine" in [row["reference"] for row in listed]
    assert run("task", "suspend", "Tasks.Mine").stdout == "Tasks.Mine: SUSPENDED\n"
    assert "Tasks.Mine\tSUSPENDED\tExecutors.Mine" in run("task", "list").stdout
    assert "cancel" in run("task", "cancel", "Tasks.Mine", fails=1).stderr


def test_the_index_is_built_anew_and_damage_is_found(run: Run, site: Site) -> None:
    assert run("reindex").stdout.startswith("Indexed ")
    assert run("check").stdout == "All is well.\n"
    assert json.loads(run("check", "--json").stdout) == []


def test_a_served_wiki_is_known_to_be(tmp_path: Path) -> None:
    assert not is_served(tmp_path)
    with serving(tmp_path), serving(tmp_path):
        assert is_served(tmp_path)
    assert not is_served(tmp_path)


def test_the_server_says_its_address_and_the_password_and_ends_when_told(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith("WIKIMILL_")}
    command = [sys.executable, "-m", "wiki.cli", "serve", "--data", str(tmp_path / "data"),
               "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env={**environment, "PYTHONUNBUFFERED": "1"}) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "Wikimill is at" in line:
                break
        said = "".join(lines)
        assert "Made the user Admin with the password" in said
        url = said.split("Wikimill is at ")[1].strip()
        assert url.startswith("http://127.0.0.1:")
        try:
            with urlopen(url, timeout=30) as response:
                assert response.status == 200
        except HTTPError as error:
            pytest.fail(f"{url} answers {error.code}")
        assert is_served(tmp_path / "data")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert process.stdout.read() == ""


def test_every_command_is_documented() -> None:
    text = (Path(__file__).parent.parent / "docs" / "cli.md").read_text()
    for name, command in main.commands.items():
        for word in getattr(command, "commands", {}) or [""]:
            assert name in text
            assert word in text


def test_every_property_type_is_documented() -> None:
    text = (Path(__file__).parent.parent / "docs" / "page-files.md").read_text()
    for name, kind in TYPES.items():
        [row] = [line for line in text.splitlines() if line.startswith(f"| `{name}` |")]
        assert all(f"`{option}`" in row for option in kind.options)


def test_a_port_that_is_taken_is_said(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"cannot listen at 127.0.0.1:{port}" in run("serve", "--port", port,
                                                           fails=2).stderr
