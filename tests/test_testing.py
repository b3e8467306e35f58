"""``wiki.testing``: an executor's script run in a test, outside of a server."""

from __future__ import annotations

import logging
import re
import sys
from pathlib import Path

import pytest

from wiki.api import Wiki
from wiki.errors import WikiError
from wiki.store import open_store
from wiki.tasks.names import EXECUTOR_CLASS
from wiki.testing import run_executor

ROOT = Path(__file__).parent.parent
GREET = """
import logging, pathlib
def run(logger, wiki, task):
    logger.info("hello %s", task.params["name"])
    print("printed")
    logging.getLogger("lib").warning("from a library")
    pathlib.Path("scratch").write_text("here")
    assert task.workdir == pathlib.Path.cwd()
    wiki.new("Greetings.One", title=wiki.secret("WORD")).save()
    logger.progress(1, 2, "half")
"""


def test_a_script_is_given_what_a_run_has() -> None:
    stdout, here, handlers = sys.stdout, Path.cwd(), logging.getLogger().handlers[:]
    result = run_executor(GREET, params={"name": "Ada"}, secrets={"WORD": "welcome"})
    assert (result.outcome, result.error, result.exception) == ("DONE", "", None)
    assert result.log == [("INFO", "hello Ada"), ("OUT", "printed"), ("WARN", "from a library")]
    assert result.text.startswith("INFO - hello Ada\n")
    assert (result.progress.done, result.progress.total) == (1, 2)
    assert result.wiki.get("Greetings.One").title == "welcome"
    assert (sys.stdout, Path.cwd(), logging.getLogger().handlers) == (stdout, here, handlers)


def test_what_a_script_raises_is_in_the_result() -> None:
    result = run_executor("def run(logger, wiki, task):\n    {}['x']\n")
    assert result.outcome == "ERROR" and result.error == "KeyError: 'x'"
    assert isinstance(result.exception, KeyError)
    assert 'File "Executors.Test", line 2, in run' in result.text


def test_a_script_that_cannot_run_is_refused() -> None:
    with pytest.raises(WikiError, match="line 1"):
        run_executor("def run(\n\n")


def test_a_run_goes_on_after_another() -> None:
    script = ("def run(logger, wiki, task):\n"
              "    for item in task.items(['a', 'b']):\n        with item:\n"
              "            if item.key == 'b' and 'A.a' not in wiki:\n"
              "                wiki.new('A.a').save()\n                task.fail('once')\n")
    first = run_executor(script)
    assert (first.outcome, first.error, first.progress.ok) == ("ERROR", "once", 1)
    second = run_executor(script, after=first)
    assert second.outcome == "DONE" and "resumes: 1 items done already" in second.text
    third = run_executor(script, after=second)
    assert third.progress.ok == 2


def test_failed_items_are_in_the_result() -> None:
    script = ("def run(logger, wiki, task):\n"
              "    with task.item('a', row={'n': 1}): raise ValueError('no')\n")
    assert run_executor(script).rejected == [
        {"key": "a", "reason": "ValueError: no", "n": "1"}]


def test_a_dry_run_shows_what_would_be_and_changes_nothing() -> None:
    script = ("def run(logger, wiki, task):\n    wiki.new('A.One').save()\n"
              "    logger.info('dry: %s', task.dry_run)\n")
    result = run_executor(script, dry_run=True)
    assert "A.One" in result.wiki and "dry: True" in result.text
    assert "A.One" not in run_executor("def run(l, w, t):\n    pass\n", after=result).wiki


def test_a_dry_runs_failed_items_are_on_the_tasks_own_page() -> None:
    script = ("def run(logger, wiki, task):\n"
              "    with task.item('a'): raise ValueError('no')\n"
              "    with task.item('b'): wiki.new('A.One').save()\n")
    first = run_executor(script, dry_run=True)
    assert [row["key"] for row in first.rejected] == ["a"]
    second = run_executor(script, after=first)
    assert second.progress.ok == 1 and "A.One" in second.wiki


def test_a_wiki_on_the_disk_is_worked_on_and_stays_as_it_is(tmp_path: Path) -> None:
    store = open_store(tmp_path / "data")
    page = Wiki(store, "Users.Admin").new("Executors.It")
    page.add_object(EXECUTOR_CLASS, script="def run(logger, wiki, task):\n"
                    "    wiki.get('Executors.It').save()\n    wiki.new('A.One').save()\n")
    page.save()
    result = run_executor("Executors.It", data=tmp_path / "data")
    assert result.outcome == "DONE" and "A.One" in result.wiki
    assert str(store.get(page.reference).version) == "1.1"
    assert len(list(Wiki(store).query(space="A"))) == 0
    store.close()


def test_a_python_file_runs_with_a_parameter_class(tmp_path: Path) -> None:
    pages = tmp_path / "pages" / "Executors"
    pages.mkdir(parents=True)
    (pages / "CountParameters.md").write_text(
        "---\nclass:\n- name: last\n  type: Number\n  default: 3\n---\n")
    script = tmp_path / "Count.py"
    script.write_text("def run(logger, wiki, task):\n    logger.info('%s', task.params['last'])\n")
    result = run_executor(script, pages=[tmp_path / "pages"], params={},
                          parameter_class="Executors.CountParameters")
    assert result.log == [("INFO", "3")]
    assert str(result.task.object("TaskExecutorCode.TaskClass")["taskExecutor"]
               ) == "Executors.Count"


def test_the_examples_of_the_documentation_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    text = (ROOT / "docs" / "executors.md").read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(from wiki\.testing.*?)```", text, re.DOTALL)
    assert examples
    for example in examples:
        names: dict[str, object] = {}
        exec(example, names)
        for name, function in names.items():
            if name.startswith("test_") and callable(function):
                function()
