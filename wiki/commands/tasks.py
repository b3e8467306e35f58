"""``wikimill task``: run tasks and watch them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from wiki.commands.door import (
    Door,
    json_option,
    pass_door,
    plain,
    say_json,
    say_table,
)
from wiki.commands.following import UNFINISHED, follow, set_ready_and_follow, status_of
from wiki.commands.starting import parse_params
from wiki.errors import LogNotFound
from wiki.model import SYSTEM
from wiki.references import Reference
from wiki.site import Site
from wiki.tasks.log import SUFFIX as LOG_SUFFIX
from wiki.tasks.log import log_name
from wiki.tasks.names import RUN_CLASS, TASK_CLASS, Status


@click.group()
def task() -> None:
    """List, run and watch tasks."""


@task.command("list")
@click.option("--status", type=click.Choice(list(Status), case_sensitive=False),
              help="Only the tasks with this status.")
@click.option("--executor", help="Only the tasks of this executor.")
@click.option("--space", help="Only the tasks in this space.")
@json_option
@pass_door
def task_list(door: Door, status: str | None, executor: str | None, space: str | None,
              as_json: bool) -> None:
    """List the tasks in the order in which they are taken."""
    with door.site() as site:
        rows = [row for row in tasks(site, status)
                if executor in (None, row["executor"])
                and space in (None, Reference.parse(row["reference"]).space)]
    if as_json:
        say_json(rows)
    else:
        say_table(("Task", "Status", "Executor", "Progress"),
                  ((row["reference"], row["status"], row["executor"],
                    row["progress_text"]) for row in rows))


@task.command("show")
@click.argument("name")
@json_option
@pass_door
def task_show(door: Door, name: str, as_json: bool) -> None:
    """Show the task NAME with its last run."""
    with door.site() as site:
        described = describe(site, name)
    if as_json:
        say_json(described)
        return
    run = described.pop("run") or {}
    for key, value in {**described, **{f"run {key}": value for key, value in run.items()}}.items():
        if value not in (None, "") and not isinstance(value, Mapping):
            click.echo(plain(f"{key}: {value}"))


@task.command("run")
@click.argument("name")
@pass_door
def task_run(door: Door, name: str) -> None:
    """Set the task NAME to READY, and follow its log until it ends."""
    with door.site() as site:
        set_ready_and_follow(site, Reference.parse(name))


@task.command("start")
@click.argument("executor")
@click.argument("params", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("--file", "paths", multiple=True, help="A file that the task gets.",
              type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", default="", help="The page of the task; else one is named for it.")
@click.option("--title", default="", help="The title of the page.")
@click.option("--dry-run", is_flag=True, help="Show what it would change, and change nothing.")
@click.option("--wait", is_flag=True, help="Follow its log; exit code 0 if it ends DONE.")
@pass_door
def task_start(door: Door, executor: str, params: tuple[str, ...], paths: tuple[Path, ...],
               name: str, title: str, dry_run: bool, wait: bool) -> None:
    """Make a task of EXECUTOR, with these parameters, and let it run."""
    with door.site() as site, ExitStack() as opened:
        files = [(path.name, opened.enter_context(path.open("rb"))) for path in paths]
        ref = site.starter.start(SYSTEM, executor, parse_params(site, executor, params), files,
                                 name=name, title=title, dry_run=dry_run, ready=not wait)
        click.echo(str(ref), err=wait)
        if wait:
            set_ready_and_follow(site, ref)


@task.command("ready")
@click.argument("name")
@pass_door
def task_ready(door: Door, name: str) -> None:
    """Let the task NAME run when its turn comes."""
    change(door, name, lambda site: site.manager.ready(name, SYSTEM))


@task.command("suspend")
@click.argument("name")
@pass_door
def task_suspend(door: Door, name: str) -> None:
    """Have the manager leave the task NAME alone."""
    change(door, name, lambda site: site.manager.suspend(name, SYSTEM))


@task.command("cancel")
@click.argument("name")
@pass_door
def task_cancel(door: Door, name: str) -> None:
    """Ask for the end of the task NAME, which runs."""
    change(door, name, lambda site: site.manager.cancel(name, SYSTEM))


@task.command("log")
@click.argument("name")
@click.option("-f", "--follow", "following", is_flag=True, help="Go on while the task runs.")
@click.option("-n", "--lines", default=200, show_default=True, type=click.IntRange(0, 1_000_000),
              help="How many lines from the end.")
@pass_door
def task_log(door: Door, name: str, following: bool, lines: int) -> None:
    """Print the log of the task NAME, or the log of this name (Tasks.Import.log)."""
    of_task = not name.endswith(LOG_SUFFIX)
    with door.site() as site:
        log = log_name(Reference.parse(name)) if of_task else name
        if not site.logs.known(site.wiki, log):
            raise LogNotFound(f"there is no log {log!r}")
        end = 0
        if site.logs.exists(log):
            part = site.logs.tail(log, lines)
            end = part.end
            click.echo(part.text, nl=False)
        if following:
            follow(site, log, end, lambda: not of_task or status_of(
                site, Reference.parse(name)) in UNFINISHED)


def tasks(site: Site, status: str | None) -> Iterator[dict[str, Any]]:
    """All tasks as JSON has them."""
    cursor: str | None = None
    while True:
        found = site.manager.tasks(status, cursor=cursor)
        for row in found.items:
            yield {"reference": str(row.reference), "title": row.title, "status": row.status,
                   "executor": row.executor, "progress_text": str(row.progress or ""),
                   "progress": row.progress.as_dict() if row.progress else None}
        cursor = found.next_cursor
        if cursor is None:
            return


def describe(site: Site, name: str) -> dict[str, Any]:
    """A task and its last run, as JSON has them."""
    document = site.wiki.get(name)
    status = status_of(site, document.reference)
    obj = document.object(TASK_CLASS)
    runs = document.objects(RUN_CLASS)
    current = site.manager.progress(name) if status == Status.RUNNING else None
    return {"reference": str(document.reference), "title": document.display_title,
            "status": status, "executor": obj["taskExecutor"] if obj else None,
            "log": log_name(document.reference), "progress_text": str(current or ""),
            "progress": current.as_dict() if current else None,
            "run": dict(max(runs, key=lambda run: run["number"] or 0).values) if runs else None}


def change(door: Door, name: str, act: Callable[[Site], None]) -> None:
    """Do it, and say the status that the task has then."""
    with door.site() as site:
        act(site)
        click.echo(f"{name}: {status_of(site, Reference.parse(name))}")
