"""``wikimill import`` of what another wiki exported: a task of the executor that reads it."""

from __future__ import annotations

from pathlib import Path

import click

from wiki.commands.following import set_ready_and_follow
from wiki.model import SYSTEM
from wiki.site import Site

#: What a file's name ends with -> the executor that imports it.
EXECUTORS = {
    ".xar": "Executors.ImportXAR",
    ".xml": "Executors.ImportMediaWiki",
    ".xml.gz": "Executors.ImportMediaWiki",
    ".xml.bz2": "Executors.ImportMediaWiki",
}


def executor_for(path: Path) -> str | None:
    """The executor that imports the file; None for one that is no dump."""
    name = path.name.lower()
    return next((executor for ending, executor in EXECUTORS.items()
                 if name.endswith(ending) and path.is_file()), None)


def import_dump(site: Site, path: Path, executor: str, space: str | None) -> None:
    """Make a task that imports the file, and follow it to its end.

    Raises InvalidValue where the executor asks for a space and none is given, and what
    :func:`set_ready_and_follow` raises.
    """
    params = {"targetSpace": space} if space else {}
    with path.open("rb") as stream:
        ref = site.starter.start(SYSTEM, executor, params, [(path.name, stream)],
                                 title=f"Import {path.name}", ready=False)
    click.echo(f"The task is {ref}", err=True)
    set_ready_and_follow(site, ref)
