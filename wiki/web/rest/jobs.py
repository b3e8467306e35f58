"""``/jobs``: what the scheduler runs, and when."""

from __future__ import annotations

from typing import Any

from wiki.web.rest import paging
from wiki.web.rest.context import site, user
from wiki.web.rest.routes import Operation


def list_jobs() -> dict[str, Any]:
    """The jobs by name."""
    size, start = paging.limit(), paging.offset()
    states = list(site().scheduler.jobs.states(user()))
    answer = paging.page_of(states[start:start + size + 1], start, size)
    return {**answer, "items": [state.as_dict() for state in answer["items"]]}


def get_job(ref: str) -> dict[str, Any]:
    """A job with its last and its next run."""
    return site().scheduler.jobs.state(ref, user()).as_dict()


def trigger_job(ref: str) -> dict[str, Any]:
    """Ask the scheduler to run the job now; it does so soon after."""
    return change(ref, "trigger")


def pause_job(ref: str) -> dict[str, Any]:
    """Do not run it for now."""
    return change(ref, "pause")


def resume_job(ref: str) -> dict[str, Any]:
    """Run it at its times again."""
    return change(ref, "resume")


def schedule_job(ref: str) -> dict[str, Any]:
    """Run it at its times."""
    return change(ref, "schedule")


def unschedule_job(ref: str) -> dict[str, Any]:
    """Do not run it any more."""
    return change(ref, "unschedule")


def change(ref: str, action: str) -> dict[str, Any]:
    site().scheduler.jobs.act(ref, user(), action)
    return get_job(ref)


OPERATIONS = (
    Operation("GET", "/jobs", list_jobs, "The scheduler's jobs", ("limit", "cursor"),
              answer="JobList"),
    Operation("GET", "/jobs/<ref>", get_job, "A job with its last and its next run",
              answer="Job"),
    Operation("POST", "/jobs/<ref>/trigger", trigger_job, "Ask for a run of the job now",
              answer="Job"),
    Operation("POST", "/jobs/<ref>/pause", pause_job, "Do not run it for now", answer="Job"),
    Operation("POST", "/jobs/<ref>/resume", resume_job, "Run it at its times again",
              answer="Job"),
    Operation("POST", "/jobs/<ref>/schedule", schedule_job, "Run it at its times",
              answer="Job"),
    Operation("POST", "/jobs/<ref>/unschedule", unschedule_job, "Do not run it any more",
              answer="Job"),
)
