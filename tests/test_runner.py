"""Runs from within: what a script sees, and how runs lie on disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tasking import Workshop

from wiki.errors import TaskError
from wiki.tasks.logger import level_name
from wiki.tasks.names import Outcome
from wiki.tasks.runs import Progress, Run, Runs, describe_exit, write_json

HEAD = "import os, sys, logging\ndef run(logger, wiki, task):\n"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    with Workshop(tmp_path / "data") as workshop:
        yield workshop


def test_the_logger_writes_each_level(shop: Workshop) -> None:
    body = ("    logger.debug('a')\n    logger.info('b %s', 1)\n    logger.warn('c')\n"
            "    logger.warning('d %d%%', 5)\n    logger.error('e')\n"
            "    logger.log('INFO', '%(x)s', {'x': 'f'})\n    logger.log(logging.ERROR, 'g')\n"
            "    try:\n        1 / 0\n    except ArithmeticError:\n"
            "        logger.exception('h')\n")
    assert shop.run(HEAD + body) == "DONE"
    lines = [line.split("] ", 1)[1] for line in shop.log().splitlines() if line[0] == "["]
    assert lines[1:-1] == [
        "DEBUG - a", "INFO - b 1", "WARN - c", "WARN - d 5%", "ERROR - e", "INFO - f",
        "ERROR - g", "ERROR - h"]
    assert '    File "Executors.It", line 11, in run\n      1 / 0' in shop.log()


def test_print_and_logging_come_in_order(shop: Workshop) -> None:
    body = ("    print('one\\ntwo')\n    logger.info('three')\n    print('four', end='')\n"
            "    print(' still', file=sys.stderr)\n    logging.getLogger('lib').warning('five')\n")
    assert shop.run(HEAD + body) == "DONE"
    lines = [line.split("] ", 1)[1] for line in shop.log().splitlines()]
    assert lines[1:-1] == ["OUT - one", "OUT - two", "INFO - three", "ERR -  still",
                           "WARN - five", "OUT - four"]


def test_the_script_acts_as_its_author(shop: Workshop) -> None:
    body = "    page = wiki.new('Made.Page')\n    page.save()\n    print(wiki.user)\n"
    assert shop.run(HEAD + body) == "DONE"
    assert shop.wiki.get("Made.Page").author == "Users.Admin"


def test_the_task_has_parameters_attachments_and_a_folder(shop: Workshop) -> None:
    shop.executor("Executors.It", HEAD + (
        "    print(task.params, task.attachment('a.csv').read(), len(task.attachments))\n"
        "    assert os.getcwd() == str(task.workdir)\n    open('x', 'w').close()\n"
        "    task.title = 'Named by its script'\n    task.save()\n"))
    page = shop.task(executor="Executors.It")
    page.add_object("Executors.Parameters", targetSpace="Books", badRows="skip")
    page.attach("a.csv", b"a,b")
    page.save()
    shop.invoke()
    assert shop.wait() == "DONE"
    assert "OUT - {'targetSpace': 'Books', 'badRows': 'skip'} b'a,b' 1" in shop.log()
    assert shop.wiki.get("Tasks.One").title == "Named by its script"


def test_a_task_without_parameters_has_none(shop: Workshop) -> None:
    assert shop.run(HEAD + "    assert task.params == {}\n") == "DONE"


def test_a_script_can_have_dataclasses_and_pickle_them(shop: Workshop) -> None:
    script = ("import pickle\nfrom dataclasses import dataclass\n@dataclass\nclass Row:\n"
              "    name: 'str'\ndef run(logger, wiki, task):\n"
              "    assert pickle.loads(pickle.dumps(Row('a'))) == Row('a')\n")
    assert shop.run(script) == "DONE"


def test_a_script_that_makes_a_task_ready_wakes_the_manager(
        shop: Workshop, tmp_path: Path) -> None:
    ahead = tmp_path / "ahead"
    body = ("    page = wiki.new('Tasks.Next')\n    page.add_object("
            "'TaskExecutorCode.TaskClass', taskExecutor='Executors.It', status='READY')\n"
            "    with wiki.batch():\n        page.save()\n"
            f"    import os, time\n    while not os.path.exists({str(ahead)!r}):\n"
            "        time.sleep(0.01)\n")
    shop.executor("Executors.It", HEAD + body)
    shop.task(executor="Executors.It")
    shop.invoke()
    waker = shop.manager.waker
    waker.news()
    shop.wait_until(waker.news)  # while it runs
    assert shop.status() == "RUNNING"
    ahead.touch()
    assert shop.wait() == "DONE"
    assert shop.invoke() == "Tasks.Next"
    shop.wait("Tasks.Next")


def test_tracking_what_has_no_length_counts_up(shop: Workshop) -> None:
    assert shop.run(HEAD + "    for _ in task.track(iter('abc')): pass\n") == "DONE"
    assert shop.last_run()["progress"] == "3 of 3 (100 %)"


def test_no_setting_of_the_server_reaches_a_script(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIKIMILL_SECRET_KEY", "hush")
    with Workshop(tmp_path) as shop:
        assert shop.run(HEAD + "    print('hush' in str(os.environ))\n") == "DONE"
        assert "OUT - False" in shop.log()


def test_a_run_whose_page_is_missing_is_an_error(shop: Workshop) -> None:
    run = Run("abc", "Tasks.One", 1, "Executors.It", "1.1", "Users.Admin", "", 0.0)
    shop.runner.start(run)
    shop.wait_until(lambda: not shop.runner.alive("abc"))
    assert shop.runner.ending("abc").outcome is Outcome.ERROR
    assert "no such page" in shop.runner.ending("abc").error or (
        "Tasks.One" in shop.runner.ending("abc").error)


@pytest.mark.parametrize("name", ["..", "../x", "", "a/b", "a.b"])
def test_a_runs_id_is_no_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(TaskError):
        Runs(tmp_path).path(name)


def test_progress_speaks() -> None:
    assert str(Progress(3, 12, "rows")) == "3 of 12 (25 %) rows"
    assert str(Progress(3)) == "3"
    progress = Progress(5, 10, "", 100.0, 110.0)
    assert (progress.percent, progress.elapsed, progress.remaining) == (50.0, 10.0, 10.0)
    assert (Progress(1, 0).percent, Progress(20, 10).percent) == (None, 100.0)


def test_an_ending_is_read_from_what_is_there(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    path = runs.create(Run("a1", "T.A", 1, "E.A", "1.1", "Users.Admin", "", 0.0))
    assert runs.ending("a1").outcome is Outcome.INTERRUPTED
    write_json(path / "exit.json", {"status": 9, "ended": 5.0, "cancelled": False})
    assert "SIGKILL" in runs.ending("a1").error
    write_json(path / "outcome.json", {"outcome": "DONE", "error": "", "ended": 4.0})
    assert runs.ending("a1").outcome is Outcome.DONE
    write_json(path / "exit.json", {"status": 0, "ended": 5.0, "cancelled": True})
    assert runs.ending("a1").outcome is Outcome.CANCELLED
    (path / "outcome.json").write_text("{torn")
    (path / "exit.json").write_text("")
    assert runs.ending("a1").outcome is Outcome.INTERRUPTED


def test_exit_codes_and_signals_are_told_apart() -> None:
    assert "exit code 3" in describe_exit(3 << 8)
    assert "SIGTERM" in describe_exit(15)


@pytest.mark.parametrize(("level", "name"), [
    ("warning", "WARN"), (30, "WARN"), (50, "ERROR"), (25, "INFO"), (5, "DEBUG"),
    ("critical", "ERROR"), ("] INFO - forged", "INFO")])
def test_levels_go_by_name_and_number(level: str | int, name: str) -> None:
    assert level_name(level) == name
