"""Following a task to its end, whether a server runs it or this command does."""

from __future__ import annotations

import time
from collections.abc import Callable

import click

from wiki.commands.door import warn
from wiki.errors import TaskError
from wiki.model import SYSTEM
from wiki.references import Reference
from wiki.serving import is_served
from wiki.site import Site
from wiki.tasks.log import log_name
from wiki.tasks.names import TASK_CLASS, Status
from wiki.tasks.obstacles import BAD, TASK, Obstacles, Waits

#: How often a log that is followed is looked at, in seconds.
LOOK_EVERY = 0.2
#: While a task has one of these, there is more of its log to come.
UNFINISHED = (Status.READY, Status.RUNNING)


def set_ready_and_follow(site: Site, ref: Reference) -> None:
    """Set the task READY, and print what comes to its log until the run has ended.

    Raises TaskError where the task cannot start, and ClickException where it does not end DONE.
    """
    log = log_name(ref)
    offset = site.logs.size(log) if site.logs.exists(log) else 0
    site.manager.ready(ref, SYSTEM)
    watch = Watch(site, ref)
    if is_served(site.settings.data):
        follow(site, log, offset, watch.goes_on_elsewhere)
    else:
        warn("No server runs on this machine; the task runs in this command, after those "
             "that are before it.")
        follow(site, log, offset, watch.goes_on_here)
        wait_for_runs(site)
    status = status_of(site, ref)
    if status != Status.DONE:
        raise click.ClickException(f"{ref} ended with the status {status}")
    click.echo(f"{ref}: {status}", err=True)


def follow(site: Site, log: str, offset: int, going: Callable[[], bool]) -> None:
    """Print what comes to the log until it is all there."""
    while True:
        still = going()
        while site.logs.exists(log):
            part = site.logs.read(log, offset)
            offset = part.end
            if not part.data:
                break
            click.echo(part.text, nl=False)
        if not still:
            return
        time.sleep(LOOK_EVERY)


class Watch:
    """Looks at a task that is to run, until it has; says why it waits, once for each reason."""

    def __init__(self, site: Site, ref: Reference) -> None:
        self.site = site
        self.ref = ref
        self._said = ""

    def goes_on_elsewhere(self) -> bool:
        """Whether there is more to come of a task that a server runs; raises TaskError where
        it cannot start before somebody mends something."""
        status = status_of(self.site, self.ref)
        if status == Status.READY:
            self._look()
        return status in UNFINISHED

    def goes_on_here(self) -> bool:
        """The same after one turn of the manager in this process."""
        if status_of(self.site, self.ref) == Status.READY:
            self._refuse(self.site.manager.invoke().skipped.get(str(self.ref), ""))
        return self.goes_on_elsewhere()

    def _look(self) -> None:
        self._refuse(parked(self.site, self.ref))
        waiting = self.site.manager.why(self.ref)
        if waiting and waiting.position is None and waiting.reason != self._said:
            self._said = waiting.reason
            warn(f"{self.ref} {waiting.reason}")

    def _refuse(self, reason: str) -> None:
        if reason:
            raise TaskError(f"{self.ref} cannot start: {reason}; it stays READY")


def parked(site: Site, ref: Reference) -> str:
    """What keeps the task from starting until somebody mends it; empty where nothing does, or
    where it has only to wait."""
    task, obstacles = site.wiki.get(ref), Obstacles(site.wiki)
    try:
        obstacles.check(task, time.time())
    except Waits as wait:
        kind, _, name = wait.gate.partition(":")
        stuck = kind == TASK and (obstacles.status(Reference.parse(name)) not in UNFINISHED
                                  or obstacles.circle(task))
        return str(wait) if kind in BAD or stuck else ""
    return ""


def wait_for_runs(site: Site) -> None:
    """Runs end with the process that started them: let the others finish."""
    while any(site.runner.alive(run) for run in list(site.runner.ids())):
        time.sleep(LOOK_EVERY)


def status_of(site: Site, ref: Reference) -> str:
    """The task's status; raises TaskError where the page is no task."""
    obj = site.wiki.get(ref).object(TASK_CLASS)
    if obj is None:
        raise TaskError(f"{ref} is not a task: it has no {TASK_CLASS} object")
    return str(obj.get("status", ""))
