"""The scheduler: jobs from pages, at their times, and at once when there is news."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
import schedule
from tasking import Workshop

from wiki.errors import TaskError
from wiki.tasks.names import JOB_CLASS, MANAGER_JOB
from wiki.tasks.scheduler import Scheduler
from wiki.tasks.when import add_job, is_due, parse_cron


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    with Workshop(tmp_path / "data") as workshop:
        yield workshop


@pytest.fixture
def scheduler(shop: Workshop) -> Iterator[Scheduler]:
    made = Scheduler(shop.wiki, shop.manager, shop.data)
    yield made
    made.stop()


def job(shop: Workshop, when: str = "every hour", user: str = "Users.Admin",
        **values: str) -> None:
    page = shop.wiki.as_user(user).new(MANAGER_JOB)
    page.add_object(JOB_CLASS, **{"when": when, "what": "manager", "status": "Normal", **values})
    page.save()


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


@pytest.mark.parametrize("values", [None, {"status": "Paused"}, {"when": "now and then"},
                                    {"what": "harm"}, {"user": "Users.Eve"}])
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


def test_a_clock_that_is_set_back_does_not_silence_it(
        shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    job(shop, "every 10 seconds")
    now = [time.time()]
    scheduler = Scheduler(shop.wiki, shop.manager, shop.data, clock=lambda: now[0])
    scheduler.turn(news=True)
    before = scheduler.next_run
    now[0] -= 3600
    scheduler.turn()
    assert before is not None and scheduler.next_run is not None
    assert scheduler.next_run > before  # reckoned anew, from now


def test_it_stops_at_once_and_starts_once(shop: Workshop, scheduler: Scheduler) -> None:
    scheduler.start()
    with pytest.raises(TaskError):
        scheduler.start()
    before = time.monotonic()
    scheduler.stop()
    assert time.monotonic() - before < 5


@pytest.mark.parametrize("when", [
    "every 10 seconds", "every 2 minutes", "every hour", "every day at 12:00",
    "every monday at 06:30", "Every 3 days at 01:02:03", "every week", "30 6 * * 1-5",
    "*/5 0 1,15 * *"])
def test_times_that_can_be(when: str) -> None:
    scheduler = schedule.Scheduler()
    add_job(scheduler, when, lambda: None)
    assert len(scheduler.jobs) == 1


@pytest.mark.parametrize("when", [
    "", "every", "every 0 seconds", "every 2 mondays", "every hour at 12:00", "sometimes",
    "every day at 25:00", "* * * *", "60 * * * *", "5-1 * * * *", "*/0 * * * *", "a b c d e"])
def test_times_that_cannot_be(when: str) -> None:
    with pytest.raises(TaskError):
        add_job(schedule.Scheduler(), when, lambda: None)


def test_cron_expressions_mean_what_cron_means() -> None:
    weekdays = parse_cron("30 6 * * 1-5")
    assert is_due(weekdays, datetime(2026, 11, 24, 6, 30))  # a Tuesday
    assert not is_due(weekdays, datetime(2026, 11, 22, 6, 30))  # a Sunday
    assert is_due(parse_cron("0 0 1 * 7"), datetime(2026, 11, 22))  # the weekday will do
    assert not is_due(weekdays, datetime(2026, 11, 24, 6, 31))
