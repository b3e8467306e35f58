"""What a script is given in a real run: steps, items, what is done already, modules, secrets."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from tasking import Workshop, waiting

from wiki.cli import main
from wiki.errors import InvalidValue, SecretNotFound, StoreError
from wiki.secrets import Secrets
from wiki.tasks.names import MODULE_CLASS, TASK_CLASS
from wiki.tasks.runs import Progress

#: An executor that makes a page of each of the numbers, and of those in `fails` does not.
NUMBERS = """
import os, time
def run(logger, wiki, task):
    fails = [int(word) for word in task.params.get("fails", "").split()]
    for item in task.items(range(int(task.params.get("last", 10)))):
        with item:
            page = wiki.get_or_new(f"Numbers.N{item.key}")
            page.title += "x"
            page.save()
            if item.value in fails:
                raise ValueError(f"no {item.value}")
            BODY
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    with Workshop(tmp_path / "data") as opened:
        yield opened


def numbers(shop: Workshop, body: str = "pass", **params: str) -> str:
    """Run NUMBERS as ``Tasks.One``, again if it has run already; its status at the end."""
    if "Tasks.One" not in shop.wiki:
        shop.executor("Executors.It", "")
        shop.task(executor="Executors.It", status="SUSPENDED")
    executor = shop.admin.get("Executors.It")
    executor.objects()[0]["script"] = NUMBERS.replace("BODY", body)
    executor.save()
    page = shop.admin.get("Tasks.One")
    obj = page.object("Tasks.Params") or page.add_object("Tasks.Params")
    obj.update(**params)
    page.objects()[0]["status"] = "READY"
    page.save()
    assert shop.invoke() == "Tasks.One", shop.manager_log()
    return shop.wait()


def progress(shop: Workshop) -> Progress:
    """How far the run that lives is."""
    found = shop.runner.progress(shop.last_run()["id"])
    assert found is not None
    return found


def rejected(shop: Workshop) -> list[dict[str, str]]:
    text = shop.wiki.get("Tasks.One").attachment("rejected.csv").read().decode()
    return list(csv.DictReader(io.StringIO(text)))


def titles(shop: Workshop, last: int = 10) -> list[str]:
    return [shop.wiki.get(f"Numbers.N{number}").title for number in range(last)]


# -- steps -----------------------------------------------------------------------------------


def test_steps_show_while_they_last_and_the_log_times_them(shop: Workshop, tmp_path: Path) -> None:
    release = tmp_path / "release"
    shop.executor("Executors.It", (
        "import os, time\ndef run(logger, wiki, task):\n"
        "  with task.step('Import'):\n   with task.step('Reading'):\n"
        "    logger.info('reads')\n") + waiting(release))
    shop.task(executor="Executors.It")
    shop.invoke()
    shop.wait_until(lambda: shop.wiki.get("Tasks.One").objects() and "reads" in shop.log())
    assert progress(shop).steps == ("Import", "Reading")
    release.touch()
    assert shop.wait() == "DONE"
    log = shop.log()
    for line in ("Import …", "Import › Reading …", "Import › Reading: done in ",
                 "Import: done in "):
        assert f"INFO - {line}" in log


def test_parameters_are_those_of_the_executor_s_class(shop: Workshop) -> None:
    page = shop.executor("Executors.It", "def run(logger, wiki, task):\n"
                         "    logger.info('%s', task.params)\n")
    obj = page.object("TaskExecutorCode.TaskExecutorClass")
    assert obj is not None
    obj["parameterClass"] = "Parameters"
    page.save()
    task = shop.task(executor="Executors.It")
    task.add_object("Books.BookClass", title="none of them")
    task.add_object("Executors.Parameters", year=1965)
    task.save()
    shop.invoke()
    assert shop.wait() == "DONE" and "INFO - {'year': 1965}" in shop.log()


def test_an_error_says_in_which_step_it_was(shop: Workshop) -> None:
    script = ("def run(logger, wiki, task):\n"
              " with task.step('Outer'):\n  with task.step('Inner'):\n   1 / 0\n")
    assert shop.run(script) == "ERROR"
    assert shop.last_run()["error"] == (
        "ZeroDivisionError: division by zero (in the step Outer › Inner)")
    assert "in the step Outer › Inner" in shop.log()


def test_a_script_that_gives_up_leaves_a_message_and_no_traceback(shop: Workshop) -> None:
    script = "def run(logger, wiki, task):\n    task.fail('the file is empty')\n"
    assert shop.run(script) == "ERROR"
    assert shop.last_run()["error"] == "the file is empty"
    assert "ERROR - the file is empty\n" in shop.log() and "Traceback" not in shop.log()


def test_fields_of_a_message_are_kept_beside_it(shop: Workshop) -> None:
    script = ("import logging\ndef run(logger, wiki, task):\n"
              "    logger.info('row %d', 7, extra={'row': 7})\n"
              "    logging.getLogger('lib').warning('slow', extra={'seconds': 2})\n")
    assert shop.run(script) == "DONE"
    assert 'INFO - row 7\n {"row": 7}\n' in shop.log()
    assert 'WARN - slow\n {"seconds": 2}\n' in shop.log()


# -- items -----------------------------------------------------------------------------------


def test_failed_items_do_not_end_the_run_and_go_to_a_table(shop: Workshop) -> None:
    assert numbers(shop, fails="3 7") == "DONE"
    assert rejected(shop) == [{"key": "3", "reason": "ValueError: no 3"},
                              {"key": "7", "reason": "ValueError: no 7"}]
    record = shop.last_run()
    assert (record["ok"], record["skipped"], record["failed"]) == (8, 0, 2)
    assert "WARN - 3 failed: ValueError: no 3\n" in shop.log()
    assert "WARN - 8 ok, 0 skipped, 2 failed: see rejected.csv\n" in shop.log()


def test_a_skipped_item_ends_its_block_and_counts(shop: Workshop) -> None:
    body = "item.skip('as it was') if item.value == 4 else None; logger.info('past %s', item.key)"
    assert numbers(shop, body) == "DONE"
    assert (shop.last_run()["ok"], shop.last_run()["skipped"]) == (9, 1)
    assert "DEBUG - 4 is skipped: as it was" in shop.log() and "past 4" not in shop.log()


def test_a_run_without_failed_items_takes_the_old_table_away(shop: Workshop) -> None:
    numbers(shop, fails="3")
    numbers(shop, fails="")
    assert not shop.wiki.get("Tasks.One").attachments
    assert "INFO - 10 ok, 0 skipped, none failed\n" in shop.log()


def test_a_table_has_the_columns_of_the_rows(shop: Workshop) -> None:
    script = ("def run(logger, wiki, task):\n"
              "    for row in ({'id': 'a', 'x': 1}, {'id': 'b', 'y': 'ü, \"q\"'}):\n"
              "        with task.item(row['id'], row=row):\n            raise KeyError('gone')\n")
    assert shop.run(script) == "DONE"
    assert rejected(shop) == [
        {"key": "a", "reason": "KeyError: 'gone'", "id": "a", "x": "1", "y": ""},
        {"key": "b", "reason": "KeyError: 'gone'", "id": "b", "x": "", "y": 'ü, "q"'}]


def test_too_many_failures_end_the_run(shop: Workshop) -> None:
    script = ("def run(logger, wiki, task):\n    task.max_failures = 2\n"
              "    for item in task.items(range(9)):\n        with item:\n            1 / 0\n")
    shop.executor("Executors.Bad", script)
    shop.task("Tasks.Bad", "Executors.Bad")
    shop.invoke()
    assert shop.wait("Tasks.Bad") == "ERROR"
    assert "3 items failed, and the run ends at more than 2" in shop.last_run("Tasks.Bad")["error"]
    assert shop.wiki.get("Tasks.Bad").attachment("rejected.csv").read().count(b"\n") == 4


def test_items_with_the_same_key_fail_but_in_another_step(shop: Workshop) -> None:
    script = ("def run(logger, wiki, task):\n"
              "    for name in ('Pages', 'Links'):\n        with task.step(name):\n"
              "            for item in task.items(['a', 'b', 'a']):\n"
              "                with item: logger.info('did %s', item.key)\n")
    assert shop.run(script) == "DONE"
    assert (shop.last_run()["ok"], shop.last_run()["failed"]) == (4, 2)
    assert "WARN - a failed: an item before it has the same key" in shop.log()


def test_a_row_without_its_key_is_a_failed_item(shop: Workshop) -> None:
    script = ("def run(logger, wiki, task):\n"
              "    for item in task.items([{'id': 1}, {'no': 2}], key='id'):\n"
              "        with item: pass\n")
    assert shop.run(script) == "DONE"
    assert rejected(shop) == [{"key": "item 2", "reason": "KeyError: 'id'", "no": "2"}]


def test_a_conflict_inside_a_chunk_fails_its_items_and_no_more(shop: Workshop) -> None:
    other = ("from pathlib import Path; from wiki.api import Wiki; from wiki.store import "
             f"open_store; store = open_store(Path({str(shop.data)!r})); "
             "Wiki(store).new('Numbers.N5', title='mine').save(); store.close()")
    body = ("if item.value == 5:\n                import subprocess, sys\n"
            f"                subprocess.run([sys.executable, '-c', {other!r}], check=True)\n")
    assert numbers(shop, body, last="12") == "DONE"
    assert titles(shop, 5) == ["x"] * 5 and shop.wiki.get("Numbers.N5").title == "mine"
    assert "5" in [row["key"] for row in rejected(shop)]
    record = shop.last_run()
    assert record["ok"] + record["failed"] == 12 and record["ok"] >= 5


# -- going on --------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["task.fail('enough')", "os.kill(os.getpid(), 9)"])
def test_a_run_goes_on_where_the_one_before_ended_badly(shop: Workshop, end: str) -> None:
    assert numbers(shop, f"if item.value == 1000: {end}", last="1500") == "ERROR"
    assert numbers(shop, last="1500") == "DONE"
    done = int(shop.log().split("resumes: ")[1].split(" ")[0].replace(",", ""))
    assert 200 <= done <= 1000
    assert shop.last_run()["ok"] == 1500 - done
    assert all(title in ("x", "xx") for title in titles(shop, 1500))
    assert titles(shop, 1500)[:done] == ["x"] * done


def test_a_cancelled_run_reports_and_the_next_goes_on(shop: Workshop) -> None:
    cancel = f"{shop.data}/runs/' + wiki.run + '/cancel"
    body = ("if item.value == 6:\n"
            f"                open('{cancel}', 'w').close()\n"
            "                while True:\n                    time.sleep(0.01)\n"
            "                    logger.debug('waits')")
    assert numbers(shop, body, fails="2") == "SUSPENDED"
    assert [row["key"] for row in rejected(shop)] == ["2"]
    assert numbers(shop, fails="2") == "DONE"
    assert "resumes: 5 items done already" in shop.log()
    assert titles(shop) == ["x", "x", "xx", "x", "x", "x", "xx", "x", "x", "x"]


def test_a_dry_run_leaves_the_table_of_the_last_real_one_alone(shop: Workshop) -> None:
    numbers(shop, fails="2")
    shop.executor("Executors.Other", "def run(logger, wiki, task):\n"
                  "    with task.item(7): raise ValueError('no')\n")
    task = shop.wiki.get("Tasks.One")
    obj = task.object(TASK_CLASS)
    assert obj is not None
    obj.update(status="READY", dryRun=True, taskExecutor="Executors.Other")
    task.save()
    shop.invoke()
    shop.wait()
    assert "1 failed: see rejected-dry-run.csv" in shop.log()
    assert [row["key"] for row in rejected(shop)] == ["2"]
    files = shop.wiki.get("Tasks.One")
    assert b"7,ValueError: no" in files.attachment("rejected-dry-run.csv").read()


def test_a_table_of_failed_items_is_text_whatever_failed(shop: Workshop) -> None:
    shop.run("def run(logger, wiki, task):\n    with task.item('a', {'n': '=1\\ud800'}):\n"
             "        raise ValueError('not\\nso \\ud800')\n")
    assert rejected(shop) == [{"key": "a", "reason": "ValueError: not so \\ud800",
                               "n": "=1\\ud800"}]


def test_a_skipped_item_whose_page_somebody_else_saved_has_failed(shop: Workshop) -> None:
    assert shop.run("def run(logger, wiki, task):\n    wiki.new('A.One').save()\n"
                    "    with task.item('a') as item:\n"
                    "        wiki.get('A.One').save()\n"
                    "        import threading\n"
                    "        other = threading.Thread(target=lambda: wiki.get('A.One').save())\n"
                    "        other.start(); other.join()\n"
                    "        item.skip()\n") == "DONE"
    assert (shop.last_run()["skipped"], shop.last_run()["failed"]) == (0, 1)


def test_after_a_good_end_everything_is_done_anew(shop: Workshop) -> None:
    numbers(shop)
    numbers(shop)
    assert titles(shop) == ["xx"] * 10
    assert "resumes" not in shop.log()
    assert not list(shop.data.glob("runs/*/rejected*"))


def test_other_parameters_begin_anew(shop: Workshop) -> None:
    numbers(shop, "if item.value == 5: task.fail('enough')")
    assert numbers(shop, other="yes") == "DONE"
    assert "begins anew: the parameters changed" in shop.log()
    assert titles(shop)[:3] == ["xx"] * 3


def test_a_file_that_was_replaced_begins_anew(shop: Workshop) -> None:
    numbers(shop)  # makes the page
    page = shop.admin.get("Tasks.One")
    page.attach("data.csv", b"old")
    page.save()
    numbers(shop, "if item.value == 5: task.fail('enough')")
    page = shop.admin.get("Tasks.One")
    page.attach("data.csv", b"new")
    page.attach("more.csv", b"is no matter")
    page.save()
    numbers(shop)
    assert "begins anew: data.csv changed" in shop.log()


def test_single_items_are_durable_one_by_one(shop: Workshop) -> None:
    again = shop.data / "again"
    script = ("import os\ndef run(logger, wiki, task):\n"
              "    for key in ('a', 'b\\0\\ud800' * 3000, 'c'):\n"
              "        if task.done(key):\n            logger.info('has %s', key[0])\n"
              "            continue\n"
              "        with task.item(key):\n            wiki.new('N.' + key[0]).save()\n"
              f"        if key[0] == 'b' and not os.path.exists({str(again)!r}): os._exit(3)\n")
    shop.executor("Executors.It", script)
    shop.task(executor="Executors.It")
    shop.invoke()
    assert shop.wait() == "ERROR"
    again.touch()
    page = shop.admin.get("Tasks.One")
    page.objects()[0]["status"] = "READY"
    page.save()
    shop.invoke()
    assert shop.wait() == "DONE"
    assert "has a" in shop.log() and "has b" in shop.log() and "has c" not in shop.log()


# -- modules ---------------------------------------------------------------------------------


def module(shop: Workshop, name: str, script: str, user: str = "Users.Admin") -> None:
    page = shop.wiki.as_user(user).new(name)
    page.add_object(MODULE_CLASS, script=script)
    page.save()


def test_a_page_is_loaded_as_a_module_once(shop: Workshop) -> None:
    module(shop, "Lib.Geo", "print('loads')\nimport dataclasses\n@dataclasses.dataclass\n"
                            "class Place:\n    name: str\n")
    script = ("def run(logger, wiki, task):\n    geo = wiki.load('Lib.Geo')\n"
              "    assert wiki.load('Lib.Geo') is geo\n    logger.info('%s', geo.Place('Rome'))\n")
    assert shop.run(script) == "DONE", shop.log()
    assert shop.log().count("OUT - loads") == 1 and "Place(name='Rome')" in shop.log()
    assert "DEBUG - Loaded Lib.Geo, version 1.1 by Users.Admin" in shop.log()


def test_a_bare_name_is_in_the_executors_space_and_executors_load_too(shop: Workshop) -> None:
    shop.executor("Executors.Other", "def run(logger, wiki, task): logger.info('the other')\n")
    script = "def run(logger, wiki, task):\n    wiki.load('Other').run(logger, wiki, task)\n"
    assert shop.run(script) == "DONE"
    assert "the other" in shop.log()


def test_a_modules_errors_show_its_own_lines(shop: Workshop) -> None:
    module(shop, "Lib.Bad", "def fail():\n    raise LookupError('nowhere')\n")
    assert shop.run("def run(logger, wiki, task):\n    wiki.load('Lib.Bad').fail()\n") == "ERROR"
    assert 'File "Lib.Bad", line 2, in fail\n      raise LookupError' in shop.log()


def test_modules_may_load_one_another(shop: Workshop) -> None:
    module(shop, "Lib.A", "b = wiki.load('Lib.B')\ndef a(): return b.b()\n")
    module(shop, "Lib.B", "a = wiki.load('Lib.A')\ndef b(): return 'from b'\nback = a.a\n")
    module(shop, "Lib.C", "d = wiki.load('Lib.D')\n")
    module(shop, "Lib.D", "c = wiki.load('Lib.C')\n")
    script = ("def run(logger, wiki, task):\n    logger.info('%s', wiki.load('Lib.C').d.c.d)\n"
              "    wiki.load('Lib.A')\n")
    assert shop.run(script) == "ERROR"
    assert "circular import" in shop.last_run()["error"] and "Lib.B" in shop.log()
    assert "wiki:Lib.D" in shop.log()


@pytest.mark.parametrize(("name", "what"), [
    ("Lib.Free", "does not hold the script right"), ("Lib.None", "there is no page Lib.None"),
    ("Lib.Plain", "is no module")])
def test_what_cannot_be_loaded_says_why(shop: Workshop, name: str, what: str) -> None:
    module(shop, "Lib.Free", "x = 1", user="Users.Jo")
    shop.admin.new("Lib.Plain").save()
    assert shop.run(f"def run(logger, wiki, task):\n    wiki.load({name!r})\n") == "ERROR"
    assert what in shop.last_run()["error"]


# -- secrets ---------------------------------------------------------------------------------


SECRET = "s3cr3t/with=signs"


@pytest.fixture
def vault(shop: Workshop) -> Secrets:
    secrets = Secrets(shop.data / "secrets")
    secrets.set("TOKEN", SECRET)
    return secrets


def test_a_secret_is_read_and_shown_nowhere(shop: Workshop, vault: Secrets) -> None:
    script = (
        "import logging, subprocess, urllib.parse, json\ndef run(logger, wiki, task):\n"
        "    value = wiki.secret('TOKEN')\n    assert value == " + repr(SECRET[::-1]) + "[::-1]\n"
        "    logger.info('is %s', value, extra={'token': value})\n    print('prints', value)\n"
        "    logging.warning(value)\n"
        "    logger.info(urllib.parse.quote(value, safe=''))\n"
        "    subprocess.run(['echo', 'child', value])\n"
        "    logger.progress(1, 2, value)\n"
        "    with task.step('with ' + value):\n"
        "        with task.item(value, row={'v': value}): raise ValueError(value)\n"
        "        raise ValueError('ends with ' + value)\n")
    assert shop.run(script) == "ERROR"
    assert "OUT - prints ***\n" in shop.log() and "OUT - child ***\n" in shop.log()
    assert '{"token": "***"}' in shop.log()
    assert "ends with ***" in shop.last_run()["error"]
    for folder, _, names in os.walk(shop.data):  # a run's folder may go meanwhile
        for path in (Path(folder) / name for name in names):
            assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path
    assert rejected(shop)[0]["key"] == "***"


def test_a_secret_of_many_lines_is_masked_line_by_line(shop: Workshop, vault: Secrets) -> None:
    vault.set("KEY", "-----BEGIN KEY-----\nabcdefgh\nijkl\n")
    script = "def run(logger, wiki, task):\n    logger.info(wiki.secret('KEY')); print('ijkl')\n"
    assert shop.run(script) == "DONE"
    assert "abcdefgh" not in shop.log() and "OUT - ***\n" in shop.log()


@pytest.mark.parametrize(("name", "what"), [
    ("OTHER", "wikimill secret set OTHER"), ("MINE", "may not read the secret MINE"),
    ("lower", "capital letters")])
def test_a_secret_that_may_not_be_read_says_why(
        shop: Workshop, vault: Secrets, name: str, what: str) -> None:
    vault.set("MINE", "value", ["Executors.Other"])
    assert shop.run(f"def run(logger, wiki, task):\n    wiki.secret({name!r})\n") == "ERROR"
    assert what in shop.last_run()["error"]


def test_secrets_are_for_their_owner_only_and_told_to_be_damaged(vault: Secrets,
                                                                 shop: Workshop) -> None:
    folder = shop.data / "secrets"
    assert folder.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())
    (folder / "TOKEN.secret").write_bytes(b"rubbish")
    with pytest.raises(StoreError, match="set it anew"):
        vault.get("TOKEN")
    with pytest.raises(InvalidValue, match="1 to"):
        vault.set("TOKEN", "")


def test_the_command_line_keeps_lists_and_removes_secrets(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    with Workshop(Path(data)) as shop:
        shop.executor("Executors.Good")

    def call(*words: str, value: str = "") -> str:
        result = CliRunner().invoke(main, ["--data", data, "secret", *words], input=value)
        return result.output if result.exit_code == 0 else f"!{result.output}"

    assert "kept" in call("set", "TOKEN", "--for", "Executors.Good", value="line\nother\n")
    assert Secrets(Path(data) / "secrets").get("TOKEN").value == "line\nother"
    assert json.loads(call("list", "--json")) == [
        {"name": "TOKEN", "executors": ["Executors.Good"]}]
    assert "line" not in call("list")
    assert "no page Executors.None" in call("set", "B", "--for", "Executors.None", value="x")
    assert "removed" in call("remove", "TOKEN")
    assert call("remove", "TOKEN").startswith("!")
    with pytest.raises(SecretNotFound):
        Secrets(Path(data) / "secrets").get("TOKEN")
