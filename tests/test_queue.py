"""The queue: the order of the READY tasks, what keeps one from starting, and saying so."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tasking import GOOD, Workshop

from wiki.api import OpenDocument, Wiki
from wiki.errors import DocumentNotFound, TaskError
from wiki.model import GUEST
from wiki.rights import ADMIN_USER
from wiki.tasks.ends import BACKOFF
from wiki.tasks.manager import Waiting
from wiki.tasks.names import TASK_CLASS, Outcome, Status
from wiki.tasks.queue import Entry, Queue
from wiki.tasks.runs import Ending, Progress, Run

BAD = "def run(logger, wiki, task):\n    raise ValueError('so')\n"


class Notebook:
    """A runner that runs nothing: what it is told to start goes on until :meth:`end`."""

    def __init__(self) -> None:
        self.on_end: Callable[[str], None] = lambda _: None
        self.runs: dict[str, Run] = {}
        self.endings: dict[str, Ending] = {}

    def end(self, task: str, outcome: Outcome = Outcome.DONE, ended: float | None = None,
            progress: Progress | None = None) -> None:
        [run_id] = [run.id for run in self.runs.values() if run.task == task]
        self.endings[run_id] = Ending(outcome, "", progress, ended or time.time())
        self.on_end(run_id)

    def start(self, run: Run) -> None:
        self.runs[run.id] = run

    def alive(self, run_id: str) -> bool:
        return run_id in self.runs and run_id not in self.endings

    def heartbeat(self, run_id: str) -> float | None:
        return None

    def cancel(self, run_id: str) -> None:
        self.end(self.runs[run_id].task, Outcome.CANCELLED)

    def progress(self, run_id: str) -> Progress | None:
        return None

    def ending(self, run_id: str) -> Ending:
        return self.endings.get(run_id, Ending(Outcome.INTERRUPTED))

    def load(self, run_id: str) -> Run | None:
        return self.runs.get(run_id)

    def ids(self) -> Iterator[str]:
        return iter(list(self.runs))

    def forget(self, run_id: str) -> None:
        self.runs.pop(run_id, None)

    def close(self, patience: float = 0.0) -> None:
        pass


class Desk(Workshop):
    """A workshop in which nothing runs, and the test says what ends."""

    def __init__(self, data: Path) -> None:
        self.notebook = Notebook()
        super().__init__(data, runner=self.notebook)
        self.executor()
        self.configure(maxConcurrentTasks=9)

    def add(self, name: str, user: str = ADMIN_USER, **values: Any) -> OpenDocument:
        page = self.wiki.as_user(user).new(name)
        page.add_object(TASK_CLASS, **{"taskExecutor": "Executors.Good", "status": "READY",
                                       **values})
        return page.save()

    def change(self, name: str, **values: Any) -> None:
        page = self.admin.get(name)
        page.objects()[0].update(**values)
        page.save()

    def starts(self) -> list[str]:
        """What starts until nothing does."""
        started = []
        while name := self.invoke():
            started.append(name)
        return started

    def why(self, name: str = "Tasks.A") -> str:
        waiting = self.manager.why(name)
        assert waiting is not None
        return waiting.reason

    def run_of(self, name: str = "Tasks.A") -> Run:
        [run] = [run for run in self.notebook.runs.values() if run.task == name]
        return run


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Desk(tmp_path / "data") as opened:
        yield opened


# -- order -------------------------------------------------------------------------------------


def test_a_higher_priority_starts_first_and_an_empty_one_is_zero(desk: Desk) -> None:
    for name, priority in (("Tasks.A", None), ("Tasks.B", -1), ("Tasks.C", 5), ("Tasks.D", 0),
                           ("Apple.C", 5), ("Tasks.E", "damaged")):
        desk.add(name, priority=priority)
    assert desk.starts() == ["Apple.C", "Tasks.C", "Tasks.A", "Tasks.D", "Tasks.E", "Tasks.B"]


def test_a_priority_that_is_changed_while_it_waits_counts(desk: Desk) -> None:
    desk.configure(maxConcurrentTasks=1)
    for name in ("Tasks.A", "Tasks.B", "Tasks.C"):
        desk.add(name)
    assert desk.starts() == ["Tasks.A"]
    assert desk.why("Tasks.C") == (
        "second in the queue; 1 of at most 1 tasks are running: Tasks.A")
    desk.change("Tasks.C", priority=1)
    desk.notebook.end("Tasks.A")
    assert desk.starts() == ["Tasks.C"]
    assert desk.manager.why("Tasks.B") == Waiting(
        1, "first in the queue; 1 of at most 1 tasks are running: Tasks.C")
    assert desk.manager.why("Tasks.A") is None


# -- what holds a task back --------------------------------------------------------------------


def test_a_task_waits_until_its_time(desk: Desk) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    desk.add("Tasks.A", notBefore=soon.isoformat())
    assert desk.starts() == []
    assert desk.why() == f"waits until {soon:%Y-%m-%d %H:%M:%S} UTC"
    assert desk.manager.invoke(soon - timedelta(seconds=1)).started is None
    assert desk.manager.invoke(soon + timedelta(seconds=1)).started == "Tasks.A"


def test_a_task_waits_for_all_that_it_comes_after(desk: Desk) -> None:
    desk.add("Tasks.A", after=["B", "Tasks.C"])
    desk.add("Tasks.B", status="SUSPENDED")
    desk.add("Tasks.C", status="ERROR")
    assert desk.starts() == []
    assert desk.why() == "waits for Tasks.B, which is SUSPENDED"
    desk.change("Tasks.B", status="DONE")
    assert desk.starts() == []
    assert desk.why() == "waits for Tasks.C, which is ERROR"
    desk.change("Tasks.C", status="READY")
    assert desk.starts() == ["Tasks.C"]
    assert desk.why() == "waits for Tasks.C, which is RUNNING"
    desk.notebook.end("Tasks.C")
    assert desk.starts() == ["Tasks.A"]


def test_a_task_that_comes_after_nothing_that_exists_says_so_and_waits_for_it(
        desk: Desk) -> None:
    desk.add("Tasks.A", after=["Tasks.B"])
    assert desk.manager.invoke().skipped == {"Tasks.A": "waits for Tasks.B, which is no task"}
    assert "WARN - Tasks.A is skipped: waits for Tasks.B" in desk.manager_log()
    desk.add("Tasks.B", status="SUSPENDED")
    assert desk.manager.invoke().skipped == {}
    desk.change("Tasks.B", status="DONE")
    assert desk.starts() == ["Tasks.A"]


def test_tasks_that_wait_for_each_other_say_so(desk: Desk) -> None:
    for name, other in (("A", "B"), ("B", "C"), ("C", "A"), ("D", "D"), ("E", "A")):
        desk.add(f"Tasks.{name}", after=[f"Tasks.{other}"])
    assert desk.starts() == []
    assert desk.why("Tasks.A") == (
        "waits for Tasks.B, which is READY, in a circle: "
        "Tasks.A waits for Tasks.B waits for Tasks.C waits for Tasks.A")
    assert desk.why("Tasks.D") == (
        "waits for itself, in a circle: Tasks.D waits for Tasks.D")
    assert desk.why("Tasks.E") == "waits for Tasks.A, which is READY"


def test_no_more_of_a_group_run_than_the_task_that_starts_allows(desk: Desk) -> None:
    for name, most in (("A", None), ("B", None), ("C", 2), ("D", 3)):
        desk.add(f"Tasks.{name}", group="disk", groupLimit=most)
    desk.add("Tasks.E", group="other")
    assert desk.starts() == ["Tasks.A", "Tasks.C", "Tasks.D", "Tasks.E"]
    assert desk.why("Tasks.B") == ("3 of at most 1 tasks of its group disk run: Tasks.A, "
                                   "Tasks.C, Tasks.D")
    for name in ("A", "C"):
        desk.notebook.end(f"Tasks.{name}")
        assert desk.starts() == []
    desk.notebook.end("Tasks.D")
    assert desk.starts() == ["Tasks.B"]


def test_a_broken_executor_is_named_with_its_line_and_mending_it_lets_its_tasks_go(
        desk: Desk) -> None:
    for name in ("Tasks.A", "Tasks.B"):
        desk.add(name)
    desk.change("Executors.Good", script="\n\ndef run(:")
    assert desk.starts() == []
    assert desk.why() == ("its executor Executors.Good is broken: line 3: invalid syntax "
                          "(SyntaxError)")
    desk.change("Executors.Good", script=GOOD)
    assert desk.starts() == ["Tasks.A", "Tasks.B"]


def test_an_executor_that_breaks_while_many_wait_is_told_once(desk: Desk) -> None:
    desk.configure(maxConcurrentTasks=1)
    for number in range(5):
        desk.add(f"Tasks.T{number}", after=["Tasks.T4"] if number == 3 else [])
    assert desk.starts() == ["Tasks.T0"]
    desk.change("Executors.Good", script="def run(:")
    desk.notebook.end("Tasks.T0")
    assert sorted(desk.manager.invoke().skipped) == [f"Tasks.T{number}" for number in (1, 2, 3, 4)]
    assert desk.manager_log().count("WARN") == 1
    desk.change("Executors.Good", script=GOOD)
    for number in (1, 2, 4, 3):
        assert desk.starts() == [f"Tasks.T{number}"]
        desk.notebook.end(f"Tasks.T{number}")


@pytest.mark.parametrize(("line", "reason"), [
    ("no-such-package-at-all", "it needs the package no-such-package-at-all, and "
                               "no-such-package-at-all is not installed"),
    ("# a comment\n\nSQLAlchemy>=900  # from the future",
     "it needs the package SQLAlchemy>=900, and SQLAlchemy 2."),
    ("not a requirement", "its requirement 'not a requirement' cannot be read: "),
])
def test_requirements_that_are_not_met_break_an_executor(
        desk: Desk, line: str, reason: str) -> None:
    desk.change("Executors.Good", requirements=line)
    desk.add("Tasks.A")
    assert desk.starts() == []
    assert desk.why().startswith(f"its executor Executors.Good is broken: {reason}")
    desk.change("Executors.Good", requirements='SQLAlchemy>=2\nno-such; python_version < "3"')
    assert desk.starts() == ["Tasks.A"]
    assert desk.run_of().requirements.startswith("SQLAlchemy>=2")


def test_only_its_runners_start_an_executor(desk: Desk) -> None:
    desk.change("Executors.Good", runners=["Users.Alice"])
    desk.add("Tasks.A", "Users.Eve")
    desk.add("Tasks.B", "Users.Alice")
    desk.add("Tasks.C")
    assert desk.starts() == ["Tasks.B", "Tasks.C"]
    assert desk.why() == ("Users.Eve set it READY, and Executors.Good may be run by Users.Alice")
    page = desk.wiki.as_user("Users.Alice").get("Tasks.A")
    page.content = "Alice saves what Eve has set READY"
    page.save()
    assert desk.starts() == []
    for status in (Status.SUSPENDED, Status.READY):
        desk.manager.set_status(["Tasks.A"], status, "Users.Alice")
    assert desk.starts() == ["Tasks.A"]
    assert desk.run_of().starter == "Users.Alice"


def test_a_run_sets_ready_for_those_only_who_are_behind_it(desk: Desk) -> None:
    desk.executor("Executors.Import")
    desk.change("Executors.Good", runners=["Users.Alice"])
    for importer, user in (("Tasks.ByEve", "Users.Eve"), ("Tasks.ByAlice", "Users.Alice")):
        desk.add(importer, user, taskExecutor="Executors.Import")
        assert desk.starts() == [importer]
        script = Wiki(desk.store, ADMIN_USER, signer=user, run=desk.run_of(importer).id)
        page = script.new(f"{importer}-made")
        page.add_object(TASK_CLASS, taskExecutor="Executors.Good", status="READY")
        page.save()
    assert desk.starts() == ["Tasks.ByAlice-made"]
    assert desk.why("Tasks.ByEve-made").startswith(
        "Users.Eve had a part in the run that set it READY, and Executors.Good may be run by")
    desk.admin.get("Tasks.ByEve").delete()
    desk.change("Executors.Good", runners=["Users.Alice", "Users.Eve"])
    assert desk.starts() == []
    assert desk.why("Tasks.ByEve-made").startswith("Wiki.Guest had a part")


@pytest.mark.parametrize("at", ["READY", "RUNNING"])
def test_a_change_while_a_task_runs_counts_when_it_is_tried_again(desk: Desk, at: str) -> None:
    desk.change("Executors.Good", runners=["Users.Alice"], repeatable=True)
    desk.add("Tasks.A", "Users.Alice", retries=3)
    assert desk.starts() == ["Tasks.A"]
    if at == "RUNNING":
        page = desk.wiki.as_user("Users.Eve").get("Tasks.A")
        page.content = "Eve has a hand in it"
        page.save()
    desk.notebook.end("Tasks.A", Outcome.ERROR)
    later = datetime.now(UTC) + timedelta(seconds=1000)
    assert desk.manager.invoke(later).started == ("Tasks.A" if at == "READY" else None)


def test_more_runners_let_the_task_go(desk: Desk) -> None:
    desk.change("Executors.Good", runners=["Users.Alice"])
    desk.add("Tasks.A", "Users.Eve")
    assert desk.starts() == []
    desk.change("Executors.Good", runners=["Users.Alice", "Users.Eve"])
    assert desk.starts() == ["Tasks.A"]


def test_a_page_that_cannot_be_saved_is_tried_again_after_a_while(desk: Desk) -> None:
    desk.classes()
    page = desk.admin.get(TASK_CLASS)
    desk.add("Tasks.A")
    page.define_class(*[
        prop if prop.name != "status" else prop.__class__(
            "status", "StaticList", options={"values": ["READY"]})
        for prop in page.class_definition.properties])
    page.save()
    now = datetime.now(UTC)
    for seconds in (0, 1, 2, 100, 101):
        skipped = desk.manager.invoke(now + timedelta(seconds=seconds)).skipped
        assert "its page cannot be saved" in skipped["Tasks.A"]
    assert desk.manager_log().count("WARN") == 1
    desk.admin.get(TASK_CLASS).delete()
    assert desk.manager.invoke(now + timedelta(seconds=200)).started == "Tasks.A"


def test_a_ready_task_whose_run_goes_on_says_so(desk: Desk) -> None:
    desk.add("Tasks.A")
    desk.starts()
    desk.change("Tasks.A", status="READY")
    assert desk.starts() == []
    assert desk.why() == "waits for the end of its run, which still goes on"


def test_only_ready_tasks_wait(desk: Desk) -> None:
    desk.add("Tasks.A", status="DONE")
    assert desk.manager.why("Tasks.A") is desk.manager.why("Executors.Good") is None
    with pytest.raises(DocumentNotFound):
        desk.manager.why("Tasks.None")


# -- runs --------------------------------------------------------------------------------------


def test_the_limits_of_executor_and_task_go_into_the_run(desk: Desk) -> None:
    desk.change("Executors.Good", timeLimit=60, memoryLimit=512, cpuLimit=30, fileLimit=64,
                diskLimit=10, logLimit=5)
    desk.add("Tasks.A", timeout=90, dryRun=True)
    desk.add("Tasks.B", timeout=9)
    desk.starts()
    run = desk.run_of()
    assert (run.time_limit, run.memory_limit, run.cpu_limit, run.file_limit, run.disk_limit,
            run.log_limit) == (60, 512, 30, 64, 10, 5)
    assert (run.dry_run, run.starter, run.attempt) == (True, ADMIN_USER, 1)
    assert desk.run_of("Tasks.B").time_limit == 9
    record = desk.last_run("Tasks.A")
    assert (record["dryRun"], record["attempt"], record["checkpoint"]) == (True, 1, run.id)


def test_a_run_tells_how_long_its_task_waited_and_what_became_of_its_items(desk: Desk) -> None:
    page = desk.add("Tasks.A", status="SUSPENDED")
    desk.manager.ready("Tasks.A", ADMIN_USER)
    queued = desk.admin.get("Tasks.A").updated
    desk.invoke()
    page = desk.admin.get("Tasks.A")
    assert datetime.fromisoformat(desk.last_run("Tasks.A")["queued"]) == queued < page.updated
    desk.notebook.end("Tasks.A", progress=Progress(9, 9, ok=5, skipped=3, failed=1))
    record = desk.last_run("Tasks.A")
    assert (record["ok"], record["skipped"], record["failed"]) == (5, 3, 1)


def test_a_run_goes_on_with_the_checkpoint_of_one_that_did_not_end_well(desk: Desk) -> None:
    desk.add("Tasks.A")
    checkpoints, first = [], ""
    for outcome, dry_run in ((Outcome.ERROR, False), (Outcome.DONE, True),
                             (Outcome.CANCELLED, False), (Outcome.DONE, False),
                             (Outcome.DONE, False)):
        desk.change("Tasks.A", status="READY", dryRun=dry_run)
        assert desk.starts() == ["Tasks.A"]
        run = desk.run_of()
        checkpoints.append(run.checkpoint if run.checkpoint != run.id else "own")
        first = first or run.id
        desk.notebook.end("Tasks.A", outcome)
    assert checkpoints == ["own", "own", first, first, "own"]


def test_a_failed_task_is_tried_again_with_growing_pauses(desk: Desk) -> None:
    desk.change("Executors.Good", repeatable=True)
    desk.add("Tasks.A", retries=2)
    now = datetime.now(UTC)
    for attempt in (1, 2, 3):
        assert desk.manager.invoke(now).started == "Tasks.A"
        assert (desk.run_of().attempt, desk.run_of().starter) == (attempt, ADMIN_USER)
        desk.notebook.end("Tasks.A", Outcome.ERROR if attempt != 2 else Outcome.INTERRUPTED,
                          now.timestamp())
        assert desk.status("Tasks.A") == ("READY" if attempt < 3 else "ERROR")
        now += timedelta(seconds=BACKOFF * 2 ** (attempt - 1) - 1)
        assert desk.manager.invoke(now).started is None
        if attempt == 1:
            assert desk.why().startswith("is tried again at ")
            assert "UTC (attempt 2 of 3)" in desk.why()
        now += timedelta(seconds=1)
    assert desk.manager.invoke(now).started is None
    assert "ended: ERROR" in desk.log("Tasks.A")
    assert desk.log("Tasks.A").count("tried again at ") == 2
    desk.manager.ready("Tasks.A", ADMIN_USER)
    assert desk.starts() == ["Tasks.A"] and desk.run_of().attempt == 1


def test_setting_a_task_ready_by_hand_begins_with_the_first_attempt_at_once(desk: Desk) -> None:
    desk.change("Executors.Good", repeatable=True)
    desk.add("Tasks.A", retries=5)
    desk.starts()
    desk.notebook.end("Tasks.A", Outcome.ERROR)
    assert desk.starts() == []
    desk.manager.ready("Tasks.A", "Users.Bob")
    assert desk.starts() == ["Tasks.A"]
    assert desk.run_of().attempt == 1


def test_what_waits_for_another_try_outlives_the_server(desk: Desk, tmp_path: Path) -> None:
    desk.change("Executors.Good", repeatable=True)
    desk.add("Tasks.A", retries=1)
    desk.starts()
    desk.notebook.end("Tasks.A", Outcome.ERROR)
    later = datetime.now(UTC) + timedelta(seconds=BACKOFF + 1)
    (desk.data / "queue.sqlite").unlink()
    with Workshop(desk.data, runner=Notebook()) as other:
        assert other.invoke() is None
        assert other.manager.invoke(later).started == "Tasks.A"


@pytest.mark.parametrize(("repeatable", "retries", "outcome"), [
    (False, 3, Outcome.ERROR), (True, None, Outcome.ERROR), (True, 3, Outcome.CANCELLED),
    (True, 3, Outcome.DONE), (False, 3, Outcome.INTERRUPTED)])
def test_nothing_else_is_ever_tried_again(
        desk: Desk, repeatable: bool, retries: int | None, outcome: Outcome) -> None:
    desk.change("Executors.Good", repeatable=repeatable)
    desk.add("Tasks.A", retries=retries)
    desk.starts()
    desk.notebook.end("Tasks.A", outcome)
    assert desk.status("Tasks.A") == outcome.status
    assert desk.manager.invoke(datetime.now(UTC) + timedelta(days=1)).started is None
    assert ("safe to repeat" in desk.log("Tasks.A")) is (not repeatable)


def test_an_end_that_cannot_be_saved_is_logged_once_and_saved_when_it_can(desk: Desk) -> None:
    desk.classes()
    page = desk.admin.get(TASK_CLASS)
    definition = page.class_definition
    desk.add("Tasks.A")
    desk.starts()
    page.define_class(*[
        prop if prop.name != "status" else prop.__class__(
            "status", "StaticList", options={"values": ["READY", "RUNNING"]})
        for prop in definition.properties])
    page.save()
    desk.notebook.end("Tasks.A")
    for _ in range(5):
        desk.invoke()
    assert desk.log("Tasks.A").count("ended: DONE") == 1
    assert desk.manager_log().count("cannot be recorded") == 1
    page.define_class(*definition.properties)
    page.save()
    assert desk.manager.invoke().recovered == ["Tasks.A"]
    assert desk.status("Tasks.A") == "DONE"
    assert desk.log("Tasks.A").count("ended: DONE") == 1


def test_who_listens_hears_of_each_end_and_harms_nothing(desk: Desk) -> None:
    heard = []

    def broken(sender: object, **_: Any) -> None:
        raise ValueError("not today")

    def listen(sender: object, run: Run, ending: Ending, page: OpenDocument) -> None:
        heard.append((run.number, ending.outcome, page.object(TASK_CLASS)["status"]))

    desk.manager.ended.connect(broken)
    desk.manager.ended.connect(listen)
    desk.add("Tasks.A")
    desk.starts()
    desk.notebook.end("Tasks.A")
    assert heard == [(1, "DONE", "DONE")]
    assert "what was to happen at the end of run 1 failed: ValueError: not today" in (
        desk.manager_log())


# -- lists -------------------------------------------------------------------------------------


def test_tasks_are_counted_by_status_and_listed_by_space_with_what_runs_first(
        desk: Desk) -> None:
    desk.add("Tasks.A", status="DONE")
    desk.add("Tasks.Sub.B", status="SUSPENDED")
    desk.add("Tasks.C")
    desk.add("Other.D")
    desk.configure(maxConcurrentTasks=1)
    assert desk.starts() == ["Tasks.C"]
    assert desk.manager.counts() == {"READY": 1, "RUNNING": 1, "DONE": 1, "ERROR": 0,
                                     "SUSPENDED": 1}
    everything = [str(row.reference) for row in desk.manager.tasks().items]
    assert everything == ["Tasks.C", "Tasks.A", "Tasks.Sub.B", "Other.D"]
    in_pages, cursor = [], "0"
    while cursor:
        page = desk.manager.tasks(limit=1, cursor=cursor, space="Tasks")
        in_pages += [str(row.reference) for row in page.items]
        cursor = page.next_cursor or ""
    assert in_pages == ["Tasks.C", "Tasks.A", "Tasks.Sub.B"]


def test_many_tasks_are_made_ready_and_suspended_together(desk: Desk) -> None:
    desk.add("Tasks.A")
    desk.add("Tasks.B", status="DONE")
    desk.add("Tasks.R")
    desk.change("Tasks.A", status="SUSPENDED")
    assert desk.starts() == ["Tasks.R"]
    errors = desk.manager.set_status(["Tasks.A", "Tasks.B", "Tasks.R", "Tasks.None"],
                                     Status.READY, "Users.Bob")
    assert errors["Tasks.A"] == errors["Tasks.B"] == ""
    assert "RUNNING" in errors["Tasks.R"] and "no page" in errors["Tasks.None"]
    assert desk.starts() == ["Tasks.A", "Tasks.B"]
    assert "guest" in desk.manager.set_status(["Tasks.A"], Status.SUSPENDED, GUEST)["Tasks.A"]
    with pytest.raises(TaskError, match="READY or SUSPENDED"):
        desk.manager.set_status(["Tasks.A"], Status.DONE, ADMIN_USER)


# -- waking ------------------------------------------------------------------------------------


def test_what_may_let_a_task_start_wakes_the_manager(desk: Desk) -> None:
    woken: list[str] = []
    desk.manager.waker.listeners.append(lambda: woken.append("up"))
    for name, wakes in (("Tasks.Ready", "READY"), ("Tasks.Done", "DONE")):
        desk.add(name, status=wakes)
        assert woken.pop() == "up" and not woken
    desk.change("Executors.Good", script=GOOD + "# better\n")
    assert woken.pop() == "up" and not woken
    desk.add("Tasks.Off", status="SUSPENDED")
    desk.admin.new("Main.Page").save()
    assert not woken


def test_a_batch_wakes_the_manager_once_others_see_what_it_saved(desk: Desk) -> None:
    desk.configure(maxConcurrentTasks=1)
    woken: list[str | None] = []
    with desk.wiki.batch():
        with desk.wiki.batch():
            desk.add("Tasks.A")
        desk.manager.waker.listeners.append(lambda: woken.append(desk.invoke()))
    assert woken == ["Tasks.A"]
    with desk.wiki.batch():
        desk.admin.new("Main.Page").save()
    assert woken == ["Tasks.A"]


# -- the queue is derived ----------------------------------------------------------------------


def make_old(path: Path) -> None:
    """As an earlier state of the code may have left it."""
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("""
            CREATE TABLE tasks (id INTEGER PRIMARY KEY AUTOINCREMENT, reference TEXT);
            CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
            INSERT INTO tasks VALUES (1, 'Tasks.Old'); INSERT INTO meta VALUES ('mark', 'x/9');
            ANALYZE;""")


@pytest.mark.parametrize("damage", [
    lambda path: path.unlink(), lambda path: path.write_bytes(b"no database" * 1000), make_old])
def test_a_queue_that_is_lost_is_made_anew(
        tmp_path: Path, damage: Callable[[Path], Any]) -> None:
    with Desk(tmp_path / "data") as desk:
        desk.configure(maxConcurrentTasks=1)
        for name in ("Tasks.A", "Tasks.B", "Tasks.C"):
            desk.add(name)
        assert desk.starts() == ["Tasks.A"]
    for suffix in ("-wal", "-shm"):
        (tmp_path / f"data/queue.sqlite{suffix}").unlink(missing_ok=True)
    damage(tmp_path / "data/queue.sqlite")
    with Workshop(tmp_path / "data", runner=Notebook()) as shop:
        assert shop.manager.invoke().started == "Tasks.B"


def test_what_fails_in_the_midst_leaves_a_task_where_it_stood(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("no space left")

    with closing(Queue(tmp_path / "queue.sqlite")) as queue:
        queue.place(Entry("Tasks.A", 0, "A"))
        with monkeypatch.context() as patched:
            patched.setattr(Queue, "_close", fail)
            with pytest.raises(OSError, match="no space"):
                queue.place(Entry("Tasks.A", 0, "A", "task:Tasks.B"))
        assert [entry.gate for entry in queue.candidates()] == [""]


def test_reindexing_changes_nothing(desk: Desk) -> None:
    desk.configure(maxConcurrentTasks=1)
    for name in ("Tasks.A", "Tasks.B"):
        desk.add(name)
    assert desk.starts() == ["Tasks.A"]
    desk.store.reindex()
    desk.notebook.end("Tasks.A")
    assert desk.starts() == ["Tasks.B"]


def naive(desk: Desk, now: datetime) -> str | None:
    """What the manager ought to start: all pages read, nothing kept."""
    tasks = {str(page.reference): page.objects()[0].values
             for page in desk.wiki.query(TASK_CLASS)}
    executor = desk.wiki.get("Executors.Good").objects()[0]["script"]
    running = [run.task for run in desk.notebook.runs.values()]

    def may(name: str) -> bool:
        values = tasks[name]
        group = [tasks[other] for other in running
                 if other in tasks and tasks[other].get("group") == values["group"]]
        return (values["status"] == "READY" and executor == GOOD and name not in running
                and (not values["notBefore"] or datetime.fromisoformat(values["notBefore"]) <= now)
                and all(tasks.get(other, {}).get("status") == "DONE" for other in values["after"])
                and (not values["group"] or len(group) < values["groupLimit"]))

    def order(name: str) -> tuple[int, str, str]:
        return -tasks[name]["priority"], name.rpartition(".")[2], name

    return min(filter(may, tasks), key=order, default=None) if len(running) < 3 else None


@pytest.mark.parametrize("seed", range(12))
def test_the_queue_agrees_with_a_look_at_all_pages(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    names = [f"{space}.{name}" for space in ("Tasks", "Zoo") for name in "ABCDE"]
    now, started = datetime.now(UTC), 0
    with Desk(tmp_path / "data") as desk:
        desk.configure(maxConcurrentTasks=3)
        for _ in range(150):
            now += timedelta(seconds=chance.choice((0, 0, 30)))
            step(desk, chance, names, now)
            if chance.random() < 0.5:
                expected = naive(desk, now)
                invocation = desk.manager.invoke(now)
                assert invocation.started == expected, invocation
                started += expected is not None
        assert started > 10


def step(desk: Desk, chance: random.Random, names: list[str], now: datetime) -> None:
    """Something that people, scripts and runs do."""
    name, kind = chance.choice(names), chance.random()
    running = [run.task for run in desk.notebook.runs.values()]
    if kind < 0.2 and running:
        desk.notebook.end(chance.choice(running), chance.choice((Outcome.DONE, Outcome.ERROR)))
        return
    if kind < 0.27:
        desk.change("Executors.Good", script=chance.choice((GOOD, GOOD, "def run(:")))
        return
    if kind < 0.28:
        desk.store.reindex()
        return
    values = {
        "taskExecutor": "Executors.Good", "status": chance.choice((
            "READY", "READY", "READY", "DONE", "SUSPENDED")),
        "priority": chance.choice((0, 0, 1, -1)), "group": chance.choice(("", "", "g", "h")),
        "groupLimit": chance.choice((1, 2)),
        "after": chance.sample(names, chance.choice((0, 0, 1))),
        "notBefore": (now + timedelta(seconds=60)).isoformat() if chance.random() < 0.2 else None}
    if name not in desk.wiki:
        desk.add(name, **values)
    elif name in running:
        return
    elif kind < 0.4:
        desk.admin.get(name).delete()
    elif kind < 0.45 and (free := [other for other in names if other not in desk.wiki]):
        desk.admin.get(name).rename(chance.choice(free))
    else:
        desk.change(name, **values)
