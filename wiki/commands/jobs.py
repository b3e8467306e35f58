"""``wikimill job``: the scheduler's jobs."""

from __future__ import annotations

import click

from wiki.commands.door import Door, json_option, pass_door, plain, say_json, say_table, warn
from wiki.model import SYSTEM
from wiki.serving import is_served


@click.group()
def job() -> None:
    """List, trigger, pause and resume the scheduler's jobs."""


@job.command("list")
@json_option
@pass_door
def job_list(door: Door, as_json: bool) -> None:
    """List the jobs with their last and their next run (UTC)."""
    with door.site() as site:
        rows = [state.as_dict() for state in site.scheduler.jobs.states(SYSTEM)]
    if as_json:
        say_json(rows)
        return
    say_table(("Job", "When", "Does", "Status", "Last run", "Outcome", "Next run"),
              ((row["reference"], row["when"], row["what"], row["problem"] or row["status"],
                row["last_run"] or "never", row["outcome"] or "",
               row["next_run"] or "-")
               for row in rows))


def act(door: Door, name: str, action: str) -> None:
    """Do it with the job, and say what came of it."""
    with door.site() as site:
        click.echo(plain(site.scheduler.jobs.act(name, SYSTEM, action)))
        if action == "trigger" and not is_served(site.settings.data):
            warn("No server runs on this machine; it runs when one does.")


@job.command("trigger")
@click.argument("name")
@pass_door
def job_trigger(door: Door, name: str) -> None:
    """Ask for a run of the job NAME now."""
    act(door, name, "trigger")


@job.command("pause")
@click.argument("name")
@pass_door
def job_pause(door: Door, name: str) -> None:
    """Do not run the job NAME for now."""
    act(door, name, "pause")


@job.command("resume")
@click.argument("name")
@pass_door
def job_resume(door: Door, name: str) -> None:
    """Run the job NAME at its times again."""
    act(door, name, "resume")


@job.command("schedule")
@click.argument("name")
@pass_door
def job_schedule(door: Door, name: str) -> None:
    """Run the job NAME at its times."""
    act(door, name, "schedule")


@job.command("unschedule")
@click.argument("name")
@pass_door
def job_unschedule(door: Door, name: str) -> None:
    """Do not run the job NAME any more."""
    act(door, name, "unschedule")
