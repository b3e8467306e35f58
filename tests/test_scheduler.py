"""The scheduler: jobs from pages, at their times, and at once when there is news."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from conftest import Browser
from flask.testing import FlaskClient
from tasking import GOOD, Workshop

from wiki.api import OpenDocument, Wiki
from wiki.cli import main
from wiki.errors import AccessDenied, NotFound, TaskError
from wiki.rights import ADMIN_USER
from wiki.site import Site
from wiki.tasks.jobs import JobState
from wiki.tasks.log import Logs
from wiki.tasks.manager import Invocation
from wiki.tasks.names import EXECUTOR_CLASS, JOB_CLASS, MANAGER_JOB, TASK_CLASS
from wiki.tasks.scheduler import Scheduler

JOB = "Jobs.Nightly"
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    with Workshop(tmp_path / "data") as workshop:
        yield workshop


@pytest.fixture
def scheduler(shop: Workshop) -> Iterator[Scheduler]:
    made = Scheduler(shop.wiki, shop.manager, shop.data)
    yield made
    made.stop()


class Clock:
    """A clock that a test sets."""

    def __init__(self, moment: datetime = NOON) -> None:
        self.moment = moment

    def __call__(self) -> float:
        return self.moment.timestamp()

    def forward(self, **step: float) -> None:
        self.moment += timedelta(**step)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timed(shop: Workshop, clock: Clock) -> Iterator[Scheduler]:
    """A scheduler without its thread, which goes by the test's clock."""
    made = Scheduler(shop.wiki, shop.manager, shop.data, clock=clock)
    yield made
    made.stop()


def job(shop: Workshop, when: str = "every hour", user: str = ADMIN_USER, name: str = MANAGER_JOB,
        **values: Any) -> OpenDocument:
    page = shop.wiki.as_user(user).get_or_new(name)
    page.add_object(JOB_CLASS, **{"when": when, "what": "manager", "status": "Normal", **values})
    return page.save()


def task_job(shop: Workshop, when: str = "every hour", **values: Any) -> None:
    """A job that sets Tasks.One READY, which has no executor that would change that."""
    shop.task(status="DONE")
    job(shop, when, name=JOB, what="task", task="Tasks.One", **values)


def state(scheduler: Scheduler, name: str = JOB) -> JobState:
    return scheduler.jobs.state(name, ADMIN_USER)


def set_status(shop: Workshop, status: str) -> None:
    page = shop.admin.get("Tasks.One")
    obj = page.object(TASK_CLASS)
    assert obj is not None
    obj["status"] = status
    page.save()


# -- the manager ---------------------------------------------------------------------------

def test_ready_tasks_start_at_once_and_one_after_the_other(
        shop: Workshop, scheduler: Scheduler) -> None:
    job(shop)
    shop.executor()
    scheduler.start()
    for name in ("Tasks.A", "Tasks.B", "Tasks.C"):
        shop.task(name)
    shop.wait_until(lambda: {shop.status(f"Tasks.{name}") for name in "ABC"} == {"DONE"})


def test_another_process_wakes_the_scheduler(shop: Workshop, scheduler: Scheduler) -> None:
    job(shop)
    shop.executor()
    scheduler.start()
    with Workshop(shop.data) as elsewhere:
        elsewhere.task()
    shop.wait_until(lambda: shop.status() == "DONE")


@pytest.mark.parametrize("values", [None, {"status": "Paused"}, {"status": "None"},
                                    {"when": "now and then"}, {"what": "harm"},
                                    {"user": "Users.Eve"}])
def test_without_a_job_that_may_run_nothing_runs(
        shop: Workshop, scheduler: Scheduler, values: dict[str, str] | None) -> None:
    if values is not None:
        job(shop, **values)
    shop.executor()
    shop.task()
    for _ in range(3):
        scheduler.turn(news=True)
    assert shop.status() == "READY"
    assert shop.manager_log().count("does not run") == int(
        values is not None and "status" not in values)


def test_it_stops_at_once_and_starts_once(shop: Workshop, scheduler: Scheduler) -> None:
    scheduler.start()
    with pytest.raises(TaskError):
        scheduler.start()
    threads = {thread.name for thread in threading.enumerate()}
    assert {"scheduler", "invoker"} <= threads
    scheduler.stop()
    left = {thread.name for thread in threading.enumerate()}
    assert not left & {"scheduler", "invoker"}


# -- times ---------------------------------------------------------------------------------

def test_a_job_runs_when_its_time_comes_and_not_before(
        shop: Workshop, timed: Scheduler, clock: Clock) -> None:
    task_job(shop, "every day at 13:00 UTC")
    timed.turn()
    assert timed.next_run == NOON + timedelta(hours=1)
    clock.forward(minutes=59)
    timed.turn()
    assert shop.status() == "DONE"
    clock.forward(minutes=1)
    timed.turn()
    assert shop.status() == "READY"
    found = state(timed).record
    assert (found.outcome, found.last_run) == ("DONE", clock.moment)
    assert found.next_run == NOON + timedelta(days=1, hours=1)


def test_a_clock_that_is_set_back_does_not_silence_it(
        shop: Workshop, timed: Scheduler, clock: Clock) -> None:
    job(shop, "every 10 seconds")
    timed.turn(news=True)
    clock.forward(hours=-1)
    timed.turn()
    assert timed.next_run is not None
    assert clock.moment < timed.next_run <= clock.moment + timedelta(seconds=10)
    assert state(timed, MANAGER_JOB).record.next_run == timed.next_run


def test_what_runs_every_so_often_keeps_its_step_over_a_restart(
        shop: Workshop, timed: Scheduler, clock: Clock) -> None:
    task_job(shop, "every 3 days")
    timed.turn()
    timed.stop()
    clock.forward(days=2)
    again = Scheduler(shop.wiki, shop.manager, shop.data, clock=clock)
    again.turn()
    assert again.next_run == NOON + timedelta(days=3)
    again.stop()


@pytest.mark.parametrize(("missed", "down", "status"), [
    ("skip", {"hours": 5}, "DONE"), ("run once", {"hours": 5}, "READY"),
    ("skip", {"minutes": 60, "seconds": 5}, "READY")])
def test_a_run_that_was_missed_is_skipped_or_made_up_for(
        shop: Workshop, timed: Scheduler, clock: Clock, missed: str, down: dict[str, float],
        status: str) -> None:
    task_job(shop, missed=missed)
    timed.turn()
    timed.stop()
    clock.forward(**down)
    again = Scheduler(shop.wiki, shop.manager, shop.data, clock=clock)
    again.turn()
    assert shop.status() == status
    assert again.next_run is not None and again.next_run > clock.moment
    again.stop()


def test_a_run_that_the_server_did_not_survive_is_closed(
        shop: Workshop, timed: Scheduler) -> None:
    task_job(shop)
    timed.turn()
    timed.jobs.records.change(JOB, outcome="RUNNING")
    timed.stop()
    timed.turn()
    assert state(timed).record.outcome == "ERROR"
    assert "server ended" in state(timed).record.message


def test_a_pause_is_no_time_in_which_runs_are_missed(
        shop: Workshop, timed: Scheduler, clock: Clock) -> None:
    task_job(shop, missed="run once")
    timed.turn()
    timed.jobs.act(JOB, ADMIN_USER, "pause")
    timed.turn(news=True)
    assert timed.next_run is None and state(timed).next_run is None
    clock.forward(hours=5)
    timed.jobs.act(JOB, ADMIN_USER, "resume")
    timed.turn(news=True)
    assert shop.status() == "DONE"
    assert timed.next_run == clock.moment + timedelta(hours=1)


def test_another_jobs_change_loses_no_run_that_is_due(
        shop: Workshop, timed: Scheduler, clock: Clock) -> None:
    task_job(shop)
    timed.turn()
    clock.forward(hours=1, minutes=30)
    job(shop)
    timed.turn(news=True)
    assert shop.status() == "READY"


def test_one_of_several_servers_runs_the_jobs_and_another_takes_over(
        shop: Workshop, timed: Scheduler, clock: Clock) -> None:
    task_job(shop)
    timed.turn()
    other = Scheduler(shop.wiki, shop.manager, shop.data, clock=clock)
    other.turn(news=True)
    assert other.next_run is None
    timed.stop()
    other.turn()
    assert other.next_run == NOON + timedelta(hours=1)
    other.stop()


# -- what jobs do --------------------------------------------------------------------------

@pytest.mark.parametrize("status", ["READY", "RUNNING"])
def test_a_task_that_goes_on_is_left_alone(
        shop: Workshop, timed: Scheduler, clock: Clock, status: str) -> None:
    task_job(shop)
    set_status(shop, status)
    version = shop.wiki.get("Tasks.One").version
    timed.turn()
    clock.forward(hours=1)
    timed.turn()
    assert shop.wiki.get("Tasks.One").version == version
    assert f"Tasks.One is still {status}" in state(timed).record.message
    assert f"Tasks.One is still {status}" in shop.manager_log()


def test_a_script_runs_as_a_task_of_its_own_which_is_made_once(
        shop: Workshop, scheduler: Scheduler) -> None:
    job(shop)
    page = shop.admin.new(JOB, title="The night")
    page.add_object(EXECUTOR_CLASS, script=GOOD)
    page.save()
    job(shop, name=JOB, what="script")
    scheduler.start()
    scheduler.jobs.act(JOB, ADMIN_USER, "trigger")
    shop.wait_until(lambda: "Tasks.Nightly" in shop.wiki)
    shop.wait_until(lambda: shop.status("Tasks.Nightly") == "DONE")
    assert "ran Tasks.Nightly" in shop.log("Tasks.Nightly")
    scheduler.jobs.act(JOB, ADMIN_USER, "trigger")
    shop.wait_until(lambda: shop.log("Tasks.Nightly").count("ran Tasks.Nightly") == 2)


def test_a_script_takes_no_task_that_is_not_its_own(shop: Workshop, timed: Scheduler) -> None:
    shop.task("Tasks.Nightly", status="DONE")
    page = shop.admin.new(JOB)
    page.add_object(EXECUTOR_CLASS, script=GOOD)
    page.save()
    job(shop, name=JOB, what="script")
    timed.jobs.act(JOB, ADMIN_USER, "trigger")
    timed.turn()
    assert state(timed).record.outcome == "ERROR"
    assert "is no task of Jobs.Nightly" in state(timed).record.message
    assert shop.status("Tasks.Nightly") == "DONE"


def test_a_damaged_page_keeps_no_other_job_from_being_listed(
        shop: Workshop, timed: Scheduler) -> None:
    task_job(shop)
    job(shop)
    assert len(list(timed.jobs.states(ADMIN_USER))) == 2
    path = next((shop.data / "pages").rglob("Nightly*.json"))
    path.write_text(path.read_text()[:-9])
    assert [str(item.job.reference) for item in timed.jobs.states(ADMIN_USER)] == [MANAGER_JOB]


@pytest.mark.parametrize(("values", "why"), [
    ({"what": "task"}, "names no task"), ({"what": "script"}, "no object of"),
    ({"when": "at times"}, "'at times' says no time"), ({"user": "Users.Eve"}, "script right"),
    ({"timeZone": "Mars/Phobos"}, "is no time zone")])
def test_a_job_that_cannot_run_says_why(
        shop: Workshop, timed: Scheduler, values: dict[str, str], why: str) -> None:
    job(shop, name=JOB, **values)
    found = state(timed)
    assert why in found.job.problem and found.next_run is None
    with pytest.raises(TaskError, match="does not run"):
        timed.jobs.act(JOB, ADMIN_USER, "trigger")


def test_a_failing_job_says_so_and_keeps_no_other_from_running(
        shop: Workshop, timed: Scheduler, clock: Clock) -> None:
    job(shop, name="Jobs.A", what="task", task="Tasks.Missing")
    task_job(shop)
    timed.turn()
    for _ in range(2):
        clock.forward(hours=1)
        timed.turn()
    assert shop.status() == "READY"
    failed = state(timed, "Jobs.A").record
    assert failed.outcome == "ERROR" and "Tasks.Missing" in failed.message
    assert failed.next_run == NOON + timedelta(hours=3)
    assert shop.manager_log().count("job Jobs.A failed") == 1


def test_a_slow_manager_keeps_no_job_waiting(
        shop: Workshop, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    job(shop)
    task_job(shop)
    inside, release = threading.Event(), threading.Event()

    def slow() -> Invocation:
        inside.set()
        assert release.wait(30)
        return Invocation()

    monkeypatch.setattr(shop.manager, "invoke", slow)
    scheduler.start()
    assert inside.wait(30)
    scheduler.jobs.act(JOB, ADMIN_USER, "trigger")
    shop.wait_until(lambda: shop.status() == "READY")
    release.set()


def test_a_slow_job_keeps_no_other_waiting_and_runs_once_at_a_time(
        shop: Workshop, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    job(shop, name="Jobs.Logs", what="logs")
    task_job(shop)
    inside, release = threading.Event(), threading.Event()

    def slow(logs: Logs, wiki: Wiki) -> str:
        inside.set()
        assert release.wait(30)
        return "tidied"

    monkeypatch.setattr("wiki.tasks.jobwork.tidy_logs", slow)
    scheduler.start()
    scheduler.jobs.act("Jobs.Logs", ADMIN_USER, "trigger")
    assert inside.wait(30)
    scheduler.jobs.act("Jobs.Logs", ADMIN_USER, "trigger")
    scheduler.jobs.act(JOB, ADMIN_USER, "trigger")
    shop.wait_until(lambda: shop.status() == "READY")
    shop.wait_until(lambda: "still goes on" in shop.manager_log())
    assert state(scheduler, "Jobs.Logs").record.outcome == "RUNNING"
    release.set()
    shop.wait_until(lambda: state(scheduler, "Jobs.Logs").record.message == "tidied")


# -- people --------------------------------------------------------------------------------

def test_a_request_reaches_the_scheduler_of_another_process_and_serves_once(
        shop: Workshop, timed: Scheduler) -> None:
    task_job(shop, status="Paused")
    timed.turn()
    with Workshop(shop.data) as elsewhere:
        other = Scheduler(elsewhere.wiki, elsewhere.manager, elsewhere.data)
        other.jobs.act(JOB, ADMIN_USER, "trigger")
    timed.turn()
    assert shop.status() == "READY"
    set_status(shop, "DONE")
    timed.turn(news=True)
    assert shop.status() == "DONE"


def test_a_job_is_steered_by_who_holds_the_script_right_only(
        shop: Workshop, timed: Scheduler) -> None:
    task_job(shop)
    for action in ("trigger", "pause", "resume", "schedule", "unschedule"):
        with pytest.raises(AccessDenied):
            timed.jobs.act(JOB, "Users.Eve", action)
    with pytest.raises(TaskError, match="'burn' is nothing to do"):
        timed.jobs.act(JOB, ADMIN_USER, "burn")
    with pytest.raises(NotFound, match="no scheduled job"):
        timed.jobs.act("Tasks.One", ADMIN_USER, "pause")
    timed.jobs.act(JOB, ADMIN_USER, "unschedule")
    assert state(timed).job.status == "None"


def test_resuming_does_not_sign_what_somebody_else_wrote(shop: Workshop, timed: Scheduler) -> None:
    job(shop, name=JOB, user="Users.Eve", status="Paused")
    with pytest.raises(TaskError, match=r"last changed by Users\.Eve"):
        timed.jobs.act(JOB, ADMIN_USER, "resume")
    assert state(timed).job.author == "Users.Eve"


# -- doors ---------------------------------------------------------------------------------

def test_the_overview_shows_the_jobs_and_its_buttons_work(
        site: Site, admin: Browser, user: Browser) -> None:
    page = admin.get("/Wiki.Scheduler").text
    assert "Task executor manager" in page and "every 10 seconds" in page
    assert f'action="/{MANAGER_JOB}/job"' in page and "<time datetime=" in page
    assert f'action="/{MANAGER_JOB}/job"' not in user.get("/Wiki.Scheduler").text
    answer = admin.post(f"/{MANAGER_JOB}/job", action="pause", back="Wiki.Scheduler")
    assert answer.location == "/Wiki.Scheduler"
    shown = admin.get(f"/{MANAGER_JOB}").text  # by the sheet of jobs
    assert "Paused" in shown and 'value="resume"' in shown and 'value="pause"' not in shown
    assert 'value="resume"' in admin.get("/Wiki.Scheduler").text
    assert user.post(f"/{MANAGER_JOB}/job", action="resume").status_code == 403
    assert admin.post(f"/{MANAGER_JOB}/job", action="burn").status_code == 409


def test_rest_lists_and_steers_jobs(site: Site, client: FlaskClient) -> None:
    as_admin = {"auth": ("Admin", "correct horse")}
    listed = client.get("/api/v1/jobs").json
    assert listed is not None
    item = {item["reference"]: item for item in listed["items"]}[MANAGER_JOB]
    assert (item["when"], item["what"]) == ("every 10 seconds", "manager")
    assert item["status"] == "Normal" and item["next_run"] and item["outcome"] is None
    url = f"/api/v1/jobs/{MANAGER_JOB}"
    assert client.post(f"{url}/pause").status_code == 401
    paused = client.post(f"{url}/pause", **as_admin)  # type: ignore[arg-type]
    assert paused.json is not None and paused.json["status"] == "Paused"
    assert client.get(url).json == paused.json
    assert client.post("/api/v1/jobs/Main.WebHome/pause",
                       **as_admin).status_code == 404  # type: ignore[arg-type]


def test_the_command_line_lists_and_steers_jobs(site: Site) -> None:
    def run(*args: str) -> str:
        result = CliRunner().invoke(main, ["--data", str(site.settings.data), "job", *args])
        assert result.exit_code == 0, result.output
        return result.output

    assert MANAGER_JOB in run("list")
    assert "Paused" in run("pause", MANAGER_JOB)
    assert '"status": "Paused"' in run("list", "--json")
    assert "Normal" in run("resume", MANAGER_JOB)
    assert "asked to run" in run("trigger", MANAGER_JOB)
    before = site.scheduler.jobs.state(MANAGER_JOB, ADMIN_USER).record.last_run
    site.scheduler.turn()
    assert before is None
    assert site.scheduler.jobs.state(MANAGER_JOB, ADMIN_USER).record.last_run is not None
    site.scheduler.stop()


def test_a_jobs_times_are_kept_for_who_reads_them_later(
        shop: Workshop, timed: Scheduler, clock: Clock) -> None:
    clock.moment = datetime.fromtimestamp(time.time(), UTC)
    task_job(shop)
    timed.turn()
    with Workshop(shop.data) as elsewhere:
        other = Scheduler(elsewhere.wiki, elsewhere.manager, elsewhere.data)
        found = other.jobs.state(JOB, ADMIN_USER).next_run
    assert found is not None and timed.next_run is not None
    assert abs(found - timed.next_run) < timedelta(milliseconds=1)
