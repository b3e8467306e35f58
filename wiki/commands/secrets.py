"""``wikimill secret``: what executors read with ``wiki.secret``."""

from __future__ import annotations

import sys

import click

from wiki.commands.door import Door, json_option, pass_door, say_json, say_table
from wiki.errors import WikiError
from wiki.references import Reference
from wiki.secrets import Secrets


@click.group()
def secret() -> None:
    """Keep, list and remove the secrets of executors."""


@secret.command("set")
@click.argument("name")
@click.option("--for", "executors", multiple=True, metavar="EXECUTOR",
              help="An executor that may read it; may be given again. Without, all may.")
@pass_door
def secret_set(door: Door, name: str, executors: tuple[str, ...]) -> None:
    """Keep the secret NAME; its value is asked for, or read from the input."""
    pages = [str(Reference.parse(executor)) for executor in executors]
    with door.site() as site:
        unknown = [page for page in pages if page not in site.wiki]
        if unknown:
            raise WikiError(f"--for: there is no page {unknown[0]}")
        vault = Secrets(site.settings.data / "secrets")
        vault.set(name, ask_value(), pages)
    click.echo(f"{name}: kept, for {', '.join(pages) or 'all executors'}")


@secret.command("list")
@json_option
@pass_door
def secret_list(door: Door, as_json: bool) -> None:
    """List the names of the secrets, and the executors that may read them; no values."""
    with door.site() as site:
        vault = Secrets(site.settings.data / "secrets")
        found = [vault.get(name) for name in vault.names()]
    if as_json:
        say_json([{"name": item.name, "executors": list(item.executors)} for item in found])
    else:
        say_table(("Secret", "For"), ((item.name, ", ".join(item.executors) or "all executors")
                                      for item in found))


@secret.command("remove")
@click.argument("name")
@pass_door
def secret_remove(door: Door, name: str) -> None:
    """Forget the secret NAME."""
    with door.site() as site:
        Secrets(site.settings.data / "secrets").remove(name)
    click.echo(f"{name}: removed")


def ask_value() -> str:
    """From a terminal twice and unseen, else all of the input but its last line end."""
    if sys.stdin.isatty():
        return str(click.prompt("Value", hide_input=True, confirmation_prompt=True))
    try:
        return sys.stdin.read().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise WikiError("the value is not text in UTF-8") from None
