"""The task manager: what it starts, what it leaves alone, and what it records."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tasking import GOOD, Workshop, blocking

from wiki.errors import AccessDenied, TaskError
from wiki.model import GUEST
from wiki.rights import ADMIN_USER
from wiki.tasks.log import MANAGER_LOG
from wiki.tasks.manager import Invocation
from wiki.tasks.names import EXECUTOR_CLASS, RUN_CLASS, TASK_CLASS
from wiki.tasks.runs import Run


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    with Workshop(tmp_path / "data") as workshop:
        yield workshop


# -- order and limit ---------------------------------------------------------------------------


def test_tasks_start_in_the_order_of_their_names(shop: Workshop) -> None:
    shop.executor()
    for name in ("Tasks.B", "Tasks.C", "Tasks.A"):
        shop.task(name)
    started = []
    for _ in range(3):
        name = shop.invoke()
        assert name and shop.wait(name) == "DONE"
        started.append(name)
    assert started == ["Tasks.A", "Tasks.B", "Tasks.C"]
    assert shop.invoke() is None


def test_equal_names_go_by_full_name(shop: Workshop) -> None:
    shop.executor()
    for name in ("Zoo.Same", "Apple.Same", "Apple.Z", "Zoo.A"):
        shop.task(name)
    started = []
    while name := shop.invoke():
        shop.wait(name)
        started.append(name)
    assert started == ["Zoo.A", "Apple.Same", "Zoo.Same", "Apple.Z"]


def test_an_invocation_starts_one_task(shop: Workshop, tmp_path: Path) -> None:
    shop.executor(script=blocking(tmp_path / "on", tmp_path / "go"))
    shop.configure(maxConcurrentTasks=5)
    shop.task("Tasks.A")
    shop.task("Tasks.B")
    done = shop.manager.invoke()
    assert (done.started, done.running) == ("Tasks.A", 1)
    assert (shop.status("Tasks.A"), shop.status("Tasks.B")) == ("RUNNING", "READY")
    (tmp_path / "go").touch()
    shop.wait("Tasks.A")


@pytest.mark.parametrize("value", [None, "", 0, -5, "many", 1])
def test_a_limit_below_one_counts_as_one(shop: Workshop, tmp_path: Path, value: object) -> None:
    shop.executor(script=blocking(tmp_path / "on", tmp_path / "go"))
    if value != 1:
        shop.configure(maxConcurrentTasks=value)
    shop.task("Tasks.A")
    shop.task("Tasks.B")
    assert shop.invoke() == "Tasks.A"
    assert shop.manager.invoke().message == "1 of at most 1 tasks are running"
    (tmp_path / "go").touch()
    shop.wait("Tasks.A")
    assert shop.invoke() == "Tasks.B"
    shop.wait("Tasks.B")


COMPETITOR = """
import sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
from tasking import Workshop
with Workshop(Path({data!r})) as shop:
    def finished():
        return next(shop.wiki.query({task!r}, status="READY"), None) is None and (
            next(shop.wiki.query({task!r}, status="RUNNING"), None) is None)
    def turn():
        shop.invoke()
        return finished()
    shop.wait_until(turn)
"""

CROWD = """
import os, time
def run(logger, wiki, task):
    os.mkdir(os.path.join({crowd!r}, task.reference.name))
    logger.info("at once: %d", len(os.listdir({crowd!r})))
    time.sleep(0.02)
    os.rmdir(os.path.join({crowd!r}, task.reference.name))
"""


def test_several_managers_never_pass_the_limit_nor_run_a_task_twice(
        shop: Workshop, tmp_path: Path) -> None:
    crowd = tmp_path / "crowd"
    crowd.mkdir()
    shop.executor(script=CROWD.format(crowd=str(crowd)))
    shop.configure(maxConcurrentTasks=3)
    names = [f"Tasks.T{number:02}" for number in range(50)]
    with shop.wiki.batch():
        for name in names:
            shop.task(name)
    code = COMPETITOR.format(tests=str(Path(__file__).parent), data=str(shop.data),
                             task=TASK_CLASS)
    root = str(Path(__file__).parent.parent)
    managers = [subprocess.Popen([sys.executable, "-c", code],
                                 env={**os.environ, "PYTHONPATH": root}) for _ in range(3)]
    assert [manager.wait(120) for manager in managers] == [0, 0, 0]
    for name in names:
        assert shop.status(name) == "DONE"
        assert [run["number"] for run in shop.wiki.get(name).objects(RUN_CLASS)] == [1]
        assert 1 <= int(shop.log(name).split("at once: ")[1].split()[0]) <= 3


# -- what cannot start -------------------------------------------------------------------------

BROKEN = {
    "missing executor": (None, "does not exist"),
    "syntax error": ("def run(:\n", "line 1: invalid syntax"),
    "no run": ("def ran(logger, wiki, task): pass\n", "defines no function run"),
    "NUL in the script": ("def run(l, w, t): pass\0", "null bytes"),
    "return outside a function": ("return\ndef run(l, w, t): pass", "'return' outside function"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_executor_is_skipped_and_the_next_task_runs(shop: Workshop, case: str) -> None:
    script, reason = BROKEN[case]
    if script is not None:
        shop.executor("Executors.Bad", script)
    shop.executor()
    shop.task("Tasks.A", "Executors.Bad")
    shop.task("Tasks.B")
    done = shop.manager.invoke()
    assert done.started == "Tasks.B" and list(done.skipped) == ["Tasks.A"]
    assert reason in done.skipped["Tasks.A"]
    assert f"WARN - Tasks.A is skipped: {done.skipped['Tasks.A']}" in shop.manager_log()
    assert shop.status("Tasks.A") == "READY"
    assert shop.wait("Tasks.B") == "DONE"


def test_an_executor_page_without_object_is_skipped(shop: Workshop) -> None:
    shop.admin.new("Executors.Bad").save()
    shop.task("Tasks.A", "Executors.Bad")
    assert "is no executor" in shop.manager.invoke().skipped["Tasks.A"]
    assert shop.status("Tasks.A") == "READY"


def test_a_task_without_executor_is_skipped(shop: Workshop) -> None:
    shop.task("Tasks.A", "")
    shop.task("Tasks.B", "no\\name")
    skipped = shop.manager.invoke().skipped
    assert "names no executor" in skipped["Tasks.A"]
    assert "no page name" in skipped["Tasks.B"]


def test_a_script_whose_author_may_not_script_does_not_run(shop: Workshop) -> None:
    page = shop.executor()
    page = shop.wiki.as_user("Users.Eve").get("Executors.Good")
    page.objects()[0]["script"] = GOOD + "# mine\n"
    page.save()
    shop.task()
    assert "Users.Eve, who does not hold the script right" in (
        shop.manager.invoke().skipped["Tasks.One"])


def test_a_broken_task_is_logged_once_until_something_changes(
        shop: Workshop, tmp_path: Path) -> None:
    page = shop.executor("Executors.Bad", "def ran(): pass")
    shop.task("Tasks.A", "Executors.Bad")
    for _ in range(5):
        assert list(shop.manager.invoke().skipped) == ["Tasks.A"]
    with Workshop(shop.data) as other:  # another server knows of the warning too
        other.invoke()
    assert shop.manager_log().count("WARN") == 1
    page.objects()[0]["script"] = "def ran(): return 1"
    page.save()
    shop.invoke()
    shop.invoke()
    assert shop.manager_log().count("WARN") == 2
    page.objects()[0]["script"] = GOOD
    page.save()
    assert shop.invoke() == "Tasks.A"
    assert shop.wait("Tasks.A") == "DONE"


def test_a_bare_executor_name_is_in_the_tasks_own_space(shop: Workshop) -> None:
    shop.executor("Tasks.Mine")
    shop.task("Tasks.A", "Mine")
    assert shop.invoke() == "Tasks.A"
    shop.wait("Tasks.A")
    assert shop.last_run("Tasks.A")["executor"] == "Tasks.Mine"


@pytest.mark.parametrize("status", ["SUSPENDED", "DONE", "ERROR"])
def test_what_is_not_ready_is_left_alone(shop: Workshop, status: str) -> None:
    shop.executor()
    shop.task(status=status)
    assert shop.manager.invoke() == Invocation(message="no READY task can start")
    assert shop.status() == status


# -- runs --------------------------------------------------------------------------------------


def test_a_run_that_returns_is_done_and_recorded(shop: Workshop) -> None:
    shop.executor()
    shop.task()
    shop.invoke()
    assert shop.wait() == "DONE"
    run = shop.last_run()
    assert (run["number"], run["executor"], run["executorVersion"], run["startedBy"],
            run["outcome"], run["error"]) == (1, "Executors.Good", "1.1", ADMIN_USER, "DONE", "")
    assert run["started"] <= run["finished"]
    log = shop.log()
    assert f"INFO - Run 1 of Executors.Good (version 1.1) by {ADMIN_USER} started" in log
    assert "INFO - ran Tasks.One" in log and "INFO - Run 1 ended: DONE in " in log
    assert "INFO - Tasks.One: run 1 ended: DONE" in shop.manager_log()
    assert [(line.author, line.minor) for line in shop.wiki.get("Tasks.One").revisions()[:2]] == [
        ("Wiki.System", True)] * 2


def test_an_exception_is_an_error_with_its_traceback_in_the_tasks_own_log(
        shop: Workshop) -> None:
    assert shop.run("def run(logger, wiki, task):\n    raise ValueError('so')\n") == "ERROR"
    assert ('  File "Executors.It", line 2, in run\n'
            "      raise ValueError('so')\n"
            "  ValueError: so\n") in shop.log()
    assert shop.last_run()["error"] == "ValueError: so"


def test_a_task_set_ready_again_runs_again(shop: Workshop) -> None:
    shop.executor()
    shop.task()
    shop.invoke()
    shop.wait()
    assert shop.invoke() is None
    shop.manager.ready("Tasks.One", ADMIN_USER)
    assert shop.invoke() == "Tasks.One"
    assert shop.wait() == "DONE"
    assert [run["number"] for run in shop.wiki.get("Tasks.One").objects(RUN_CLASS)] == [1, 2]


def test_edits_made_during_a_run_survive_its_end(shop: Workshop, tmp_path: Path) -> None:
    script = blocking(tmp_path / "on", tmp_path / "go") + (
        "    page = wiki.get(task.reference)\n    page.title = 'by the script'\n    page.save()\n")
    shop.executor(script=script)
    shop.task()
    shop.invoke()
    page = shop.admin.get("Tasks.One")
    page.content = "by a person"
    page.add_object("Notes.NoteClass", text="kept")
    page.save()
    (tmp_path / "go").touch()
    assert shop.wait() == "DONE"
    page = shop.admin.get("Tasks.One")
    assert (page.content, page.title) == ("by a person", "by the script")
    assert page.object("Notes.NoteClass")["text"] == "kept"


def test_a_status_set_during_a_run_survives_its_end(shop: Workshop, tmp_path: Path) -> None:
    shop.executor(script=blocking(tmp_path / "on", tmp_path / "go"))
    shop.task()
    shop.invoke()
    page = shop.admin.get("Tasks.One")
    page.object(TASK_CLASS)["status"] = "READY"
    page.save()
    shop.configure(maxConcurrentTasks=3)
    assert shop.invoke() is None  # it still runs, and does not run twice at once
    (tmp_path / "go").touch()
    assert shop.wait() == "READY"
    assert shop.invoke() == "Tasks.One"
    assert shop.wait() == "DONE"


def test_a_page_deleted_during_its_run_stays_deleted(shop: Workshop, tmp_path: Path) -> None:
    shop.executor(script=blocking(tmp_path / "on", tmp_path / "go"))
    shop.task()
    shop.invoke()
    shop.wait_until((tmp_path / "on-One").exists)
    shop.admin.get("Tasks.One").delete()
    (tmp_path / "go").touch()
    shop.wait_until(lambda: "has ended" in (shop.invoke() or shop.manager_log()))
    assert "Tasks.One" not in shop.wiki
    assert list(shop.runner.ids()) == []


def test_a_page_renamed_during_its_run_gets_its_end(shop: Workshop, tmp_path: Path) -> None:
    shop.executor(script=blocking(tmp_path / "on", tmp_path / "go"))
    shop.task()
    shop.invoke()
    shop.wait_until((tmp_path / "on-One").exists)
    shop.admin.get("Tasks.One").rename("Tasks.Two")
    (tmp_path / "go").touch()
    shop.wait_until(lambda: shop.manager.invoke().recovered == ["Tasks.Two"])
    assert shop.status("Tasks.Two") == "DONE"


def test_progress_shows_while_it_runs_and_is_kept_at_the_end(
        shop: Workshop, tmp_path: Path) -> None:
    release = str(tmp_path / "go")
    script = ("import os, time\ndef run(logger, wiki, task):\n"
              "    for item in task.track([1, 2, 3, 4], message='rows'):\n"
              f"        while item == 3 and not os.path.exists({release!r}):\n"
              "            logger.progress(2, 4, 'rows')\n            time.sleep(0.01)\n")
    shop.executor(script=script)
    shop.task()
    shop.invoke()

    def half() -> bool:
        progress = shop.manager.progress("Tasks.One")
        return progress is not None and (progress.done, progress.percent) == (2, 50)

    shop.wait_until(half)
    assert shop.manager.tasks("RUNNING").items[0].progress is not None
    (tmp_path / "go").touch()
    shop.wait()
    assert shop.last_run()["progress"] == "4 of 4 (100 %) rows"
    assert shop.manager.progress("Tasks.One") is None


# -- crashes and cancelling --------------------------------------------------------------------


def test_a_killed_server_leaves_an_interrupted_task(tmp_path: Path) -> None:
    data = tmp_path / "data"
    started = tmp_path / "on"
    with Workshop(data) as shop:
        shop.executor(script=(
            "import os, time\ndef run(logger, wiki, task):\n    logger.progress(7, 10, 'rows')\n"
            f"    open({str(started)!r}, 'w').write(str(os.getpid()))\n"
            "    time.sleep(300)\n"))
        shop.task()
    code = (f"import sys, time\nsys.path.insert(0, {str(Path(__file__).parent)!r})\n"
            "from pathlib import Path\nfrom tasking import Workshop\n"
            f"shop = Workshop(Path({str(data)!r}))\nprint(shop.invoke(), flush=True)\n"
            "time.sleep(300)\n")
    server = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)})
    assert server.stdout and server.stdout.readline() == "Tasks.One\n"
    with Workshop(data) as shop:
        shop.wait_until(lambda: started.exists() and bool(started.read_text()))
        assert shop.manager.invoke().running == 1  # the other server's run lives
        server.send_signal(signal.SIGKILL)
        server.wait()
        server.stdout.close()
        shop.wait_until(lambda: shop.manager.invoke().recovered == ["Tasks.One"])
        assert shop.status() == "ERROR"
        assert shop.last_run()["outcome"] == "INTERRUPTED"
        assert "ERROR - Run 1 ended: INTERRUPTED" in shop.log()
        assert "interrupted" in shop.log() and "(progress: 7 of 10 (70 %) rows)" in shop.log()
        with pytest.raises(ProcessLookupError):
            os.kill(int(started.read_text()), 0)
        assert shop.invoke() is None  # never run again by itself


def test_an_outcome_that_nobody_recorded_is_honoured(shop: Workshop) -> None:
    shop.executor()
    shop.task()
    shop.runner.on_end = lambda _: None  # the server dies just as the run ends
    shop.manager.invoke()
    shop.wait_until(lambda: not any(map(shop.runner.alive, shop.runner.ids())))
    assert shop.status() == "RUNNING"
    assert shop.manager.invoke().recovered == ["Tasks.One"]
    assert shop.status() == "DONE"


def test_running_without_a_run_is_interrupted(shop: Workshop) -> None:
    shop.task(status="RUNNING")
    assert shop.manager.invoke().recovered == ["Tasks.One"]
    assert shop.status() == "ERROR"
    assert "Interrupted" in shop.log()


def test_cancelling_ends_a_run_suspended(shop: Workshop, tmp_path: Path) -> None:
    script = ("import time\ndef run(logger, wiki, task):\n    try:\n        while True:\n"
              "            try:\n                logger.progress(1)\n"
              "                time.sleep(0.01)\n            except Exception:\n"
              "                pass\n    finally:\n        logger.info('tidied up')\n")
    shop.executor(script=script)
    shop.task()
    shop.invoke()
    with Workshop(shop.data) as elsewhere:  # the command line, say
        elsewhere.manager.cancel("Tasks.One", ADMIN_USER)
    assert shop.wait() == "SUSPENDED"
    assert shop.last_run()["outcome"] == "CANCELLED"
    log = shop.log()
    assert f"WARN - {ADMIN_USER} asked for the end of run 1" in log
    assert "tidied up" in log and "Run 1 ended: CANCELLED" in log


def test_cancelling_what_does_not_listen_ends_it_all_the_same(shop: Workshop) -> None:
    script = ("import signal, time\ndef run(logger, wiki, task):\n"
              "    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n    while True: pass\n")
    shop.executor(script=script)
    shop.task()
    shop.invoke()
    shop.manager.cancel("Tasks.One", ADMIN_USER)
    assert shop.wait() == "SUSPENDED"
    assert "SIGTERM" in shop.log() and "SIGKILL" in shop.log()


def test_only_what_can_be_done_is_done(shop: Workshop, tmp_path: Path) -> None:
    shop.executor(script=blocking(tmp_path / "on", tmp_path / "go"))
    shop.task()
    with pytest.raises(TaskError, match="only a RUNNING task"):
        shop.manager.cancel("Tasks.One", ADMIN_USER)
    shop.manager.suspend("Tasks.One", ADMIN_USER)
    assert (shop.invoke(), shop.status()) == (None, "SUSPENDED")
    shop.manager.ready("Tasks.One", "Users.Bob")
    assert shop.invoke() == "Tasks.One"
    assert shop.last_run()["startedBy"] == "Users.Bob"
    for change in (shop.manager.ready, shop.manager.suspend):
        with pytest.raises(TaskError, match="RUNNING"):
            change("Tasks.One", ADMIN_USER)
        with pytest.raises(AccessDenied):
            change("Tasks.One", GUEST)
    with pytest.raises(AccessDenied):
        shop.manager.cancel("Tasks.One", GUEST)
    (tmp_path / "go").touch()
    shop.wait()
    with pytest.raises(TaskError, match="is no task"):
        shop.manager.ready("Executors.Good", ADMIN_USER)


def test_a_run_that_cannot_start_is_an_error(shop: Workshop, monkeypatch: pytest.MonkeyPatch
                                             ) -> None:
    def refuse(run: Run) -> None:
        raise TaskError("no room")

    shop.executor()
    shop.task("Tasks.A")
    shop.task("Tasks.B")
    monkeypatch.setattr(shop.runner, "start", refuse)
    assert shop.invoke() is None
    assert [shop.status(name) for name in ("Tasks.A", "Tasks.B")] == ["ERROR", "ERROR"]
    assert "Run 1 ended: ERROR" in shop.log("Tasks.A") and "no room" in shop.log("Tasks.A")


# -- lists and logs ----------------------------------------------------------------------------


def test_tasks_are_listed_a_page_at_a_time(shop: Workshop) -> None:
    for name in ("Tasks.C", "Tasks.A", "Tasks.B"):
        shop.task(name, status="SUSPENDED")
    first = shop.manager.tasks(limit=2)
    second = shop.manager.tasks(limit=2, cursor=first.next_cursor)
    assert [str(row.reference) for row in first.items + second.items] == [
        "Tasks.A", "Tasks.B", "Tasks.C"]
    assert second.next_cursor is None
    assert shop.manager.tasks("READY").items == []
    with pytest.raises(TaskError):
        shop.manager.tasks(cursor="x")


def test_log_to_file_off_leaves_the_managers_log_unwritten(shop: Workshop) -> None:
    shop.configure(logToFile=False)
    shop.task("Tasks.A", "Executors.Nope")
    shop.invoke()
    assert not shop.logs.exists(MANAGER_LOG)


def test_a_task_that_never_ran_has_a_known_log(shop: Workshop) -> None:
    shop.task()
    shop.admin.new("Main.Page").save()
    assert shop.logs.known(shop.wiki, "Tasks.One.log")
    assert shop.logs.known(shop.wiki, MANAGER_LOG)
    for name in ("Main.Page.log", "Tasks.Two.log", "..log", "/etc/passwd", "a/b.log", "x\0.log"):
        assert not shop.logs.known(shop.wiki, name)


def test_an_end_is_recorded_once(shop: Workshop) -> None:
    shop.executor()
    shop.task()
    shop.invoke()
    shop.wait()
    version = shop.wiki.get("Tasks.One").version
    shop.manager.invoke()
    assert shop.wiki.get("Tasks.One").version == version
    assert shop.log().count("ended") == 1


# -- what an editor can do to a task's objects -------------------------------------------------


def test_a_made_up_run_does_not_stop_the_manager(shop: Workshop) -> None:
    shop.executor()
    for name, status in (("Tasks.A", "READY"), ("Tasks.B", "RUNNING")):
        page = shop.task(name, status=status)
        page.add_object(RUN_CLASS, id="../../made-up")
        page.save()
    assert shop.invoke() == "Tasks.A"
    shop.wait("Tasks.A")
    assert shop.status("Tasks.B") == "ERROR"


def test_a_task_whose_run_was_edited_away_is_not_started_beside_it(
        shop: Workshop, tmp_path: Path) -> None:
    shop.configure(maxConcurrentTasks=3)
    shop.executor(script=blocking(tmp_path / "started", tmp_path / "release"))
    shop.task()
    shop.invoke()
    for status in ("READY", "RUNNING"):
        page = shop.admin.get("Tasks.One")
        for record in page.objects(RUN_CLASS):
            page.remove_object(RUN_CLASS, record.number)
        page.object(TASK_CLASS)["status"] = status
        page.save()
        assert shop.invoke() is None
        assert shop.status() == status
    (tmp_path / "release").touch()


def test_a_run_can_be_cancelled_whatever_the_status_was_set_to(
        shop: Workshop, tmp_path: Path) -> None:
    shop.executor(script=blocking(tmp_path / "started", tmp_path / "never"))
    shop.task()
    shop.invoke()
    page = shop.admin.get("Tasks.One")
    page.object(TASK_CLASS)["status"] = "DONE"
    page.save()
    shop.manager.cancel("Tasks.One", ADMIN_USER)
    assert shop.wait() == "DONE"
    assert shop.last_run()["outcome"] == "CANCELLED"


def test_what_a_run_writes_is_signed_by_the_least_trusted_of_its_task(shop: Workshop) -> None:
    script = ("def run(logger, wiki, task):\n"
              "    page = wiki.new('Made.' + task.reference.name)\n"
              f"    page.add_object({EXECUTOR_CLASS!r}, script='evil')\n"
              "    page.save()\n")
    shop.executor(script=script)
    page = shop.task("Tasks.Bobs", status="SUSPENDED")
    bob = shop.wiki.as_user("Users.Bob").get("Tasks.Bobs")
    bob.content = "Bob was here"
    bob.save()
    shop.task("Tasks.Admins", status="SUSPENDED")
    for name in ("Bobs", "Admins"):
        shop.manager.ready(f"Tasks.{name}", ADMIN_USER)
        assert shop.invoke() == f"Tasks.{name}"
        assert shop.wait(f"Tasks.{name}") == "DONE"
    assert page.script_author == ADMIN_USER
    assert shop.wiki.get("Made.Bobs").script_author == "Users.Bob"
    assert shop.wiki.get("Made.Admins").script_author == ADMIN_USER


@pytest.mark.parametrize("makes_anew", [False, True])
def test_nobody_trusted_signs_for_a_task_whose_page_is_gone(
        shop: Workshop, makes_anew: bool) -> None:
    anew = ("    page = wiki.new(task.reference)\n    page.content = 'anew'\n"
            "    page.save()\n" if makes_anew else "")
    shop.executor(script="def run(logger, wiki, task):\n"
                         f"    wiki.delete(task.reference)\n{anew}"
                         "    page = wiki.new('Made.It')\n"
                         f"    page.add_object({EXECUTOR_CLASS!r}, script='evil')\n"
                         "    page.save()\n")
    shop.task()
    shop.invoke()
    shop.wait_until(lambda: "Made.It" in shop.wiki)
    assert shop.wiki.get("Made.It").script_author == GUEST


def test_who_saves_a_task_during_its_run_counts_for_what_it_writes_from_then_on(
        shop: Workshop, tmp_path: Path) -> None:
    ahead = tmp_path / "ahead"
    shop.executor(script="import os, time\ndef run(logger, wiki, task):\n"
                         f"    while not os.path.exists({str(ahead)!r}):\n"
                         "        time.sleep(0.01)\n"
                         "    page = wiki.new('Made.It')\n"
                         f"    page.add_object({EXECUTOR_CLASS!r}, script='evil')\n"
                         "    page.save()\n")
    shop.task()
    shop.invoke()
    bob = shop.wiki.as_user("Users.Bob").get("Tasks.One")
    bob.content = "Bob was here"
    bob.save()
    ahead.touch()
    assert shop.wait() == "DONE"
    assert shop.wiki.get("Made.It").script_author == "Users.Bob"
