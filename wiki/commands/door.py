"""What all commands share: the way to the wiki, errors in one line, and how they speak."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

from wiki import settings
from wiki.errors import SettingError, WikiError
from wiki.settings import Settings
from wiki.site import Installation, Site

T = TypeVar("T")


class Commands(click.Group):
    """Shows the errors of the wiki as one line, with exit code 1 (2 for a wrong setting)."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SettingError as error:
            raise click.UsageError(str(error)) from error
        except WikiError as error:
            raise click.ClickException(plain(str(error))) from error
        except BrokenPipeError:
            raise
        except OSError as error:
            raise click.ClickException(plain(str(error))) from error


@dataclass
class Door:
    """What every command starts from: the flags that the group was given."""

    flags: dict[str, object] = field(default_factory=dict)

    def settings(self, **flags: object) -> Settings:
        """All settings, the command's own flags first; raises SettingError."""
        given = {name: value for name, value in flags.items() if value is not None}
        return settings.load({**self.flags, **given})

    @contextmanager
    def site(self, create: bool = False) -> Iterator[Site]:
        """The wiki, open; with ``create`` it is made where there is none."""
        chosen = self.settings()
        fresh = not chosen.data.is_dir()
        if fresh and not create:
            raise WikiError(f"there is no wiki in {chosen.data}; `wikimill serve` makes one, and "
                            "--data names another folder")
        with Site(chosen) as site:
            if fresh:
                say_installed(site.install())
            yield site


pass_door = click.make_pass_decorator(Door)
json_option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")


def say_installed(done: Installation) -> None:
    """Tell what a first start made, and the password that nobody will be told again."""
    if done.healing:
        for problem in done.healing.damaged:
            warn(f"{problem.where}: {problem.what}")
    if done.pages:
        click.echo(f"Installed {len(done.pages)} pages.")
    if done.password:
        click.echo(f"Made the user Admin with the password {done.password}\n"
                   "It is shown only now; `wikimill user passwd Admin` sets another.")


def plain(text: str) -> str:
    """Text that can do nothing to a terminal."""
    return "".join(char if char.isprintable() or char in "\n\t" else f"\\x{ord(char):02x}"
                   for char in text)


def warn(text: str) -> None:
    """A line beside the output."""
    click.echo(plain(text), err=True)


def say_json(value: object) -> None:
    """The value for a script."""
    click.echo(json.dumps(value, indent=2))


def say_table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Rows for a person; where the output is no terminal, a line each, with tabs."""
    if not sys.stdout.isatty():
        for row in rows:
            click.echo("\t".join(plain(str(cell)).replace("\n", " ") for cell in row))
        return
    table = Table(*head, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(plain(str(cell))) for cell in row))
    Console().print(table)


def progress(items: Iterable[T], text: str) -> Iterable[T]:
    """The items, with a bar on a terminal."""
    console = Console(stderr=True)
    return track(items, text, console=console, disable=not console.is_terminal)
