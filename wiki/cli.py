"""``wikimill``: the command line. It acts as the wiki itself, with every right."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from wiki import settings
from wiki.commands import bin as recycle_bin
from wiki.commands import jobs, pages, secrets, tasks
from wiki.commands.door import (
    Commands,
    Door,
    json_option,
    pass_door,
    plain,
    say_installed,
    say_json,
)
from wiki.errors import WikiError
from wiki.serving import Server, listen, serving, url_of
from wiki.site import Site
from wiki.tokens import MAX_DAYS, READ, SCOPES

PATH = click.Path(file_okay=False, path_type=Path)
FLAGS = {row.name: row for row in settings.SETTINGS}


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="wikimill", prog_name="wikimill")
@click.option("--data", type=PATH, help=FLAGS["data"].help)
@click.pass_context
def main(ctx: click.Context, data: Path | None) -> None:
    """Wikimill: a wiki whose pages can work."""
    ctx.obj = Door({} if data is None else {"data": data})


@main.command()
@click.option("--data", type=PATH, help=FLAGS["data"].help)
@click.option("--host", help=FLAGS["host"].help)
@click.option("--port", type=int, help=FLAGS["port"].help)
@click.option("--workers", type=int, help=FLAGS["workers"].help)
@pass_door
def serve(door: Door, /, **flags: object) -> None:
    """Serve the wiki to browsers, and run its tasks."""
    chosen = door.settings(**flags)
    listener = listen(chosen.host, chosen.port)
    with Site(chosen) as site:
        say_installed(site.install())
    url = url_of(listener)
    with listener, serving(chosen.data):
        Server(chosen, listener, lambda: click.echo(f"Wikimill is at {url}")).run()


@main.command()
@pass_door
def reindex(door: Door) -> None:
    """Build the index anew from the pages."""
    with door.site() as site:
        click.echo(f"Indexed {site.store.reindex()} pages.")


@main.command()
@json_option
@pass_door
def check(door: Door, as_json: bool) -> None:
    """Look at every page and file for damage, and at the packages that add macros; exit code 1
    if there is any."""
    with door.site() as site:
        problems = [(problem.where, problem.what) for problem in site.store.check()]
        problems += [(f"macros of {problem.package}", problem.reason)
                     for problem in site.registry.problems]
    if as_json:
        say_json([{"where": where, "what": what} for where, what in problems])
    else:
        for where, what in problems:
            click.echo(plain(f"{where}: {what}"))
    if problems:
        raise click.ClickException(f"{len(problems)} problems")
    if not as_json:
        click.echo("All is well.")


@main.command()
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@pass_door
def clean(door: Door, dry_run: bool) -> None:
    """Remove the bytes of attachments that no page, no version of one and nothing deleted that
    can come back refers to."""
    with door.site() as site:
        if dry_run:
            click.echo(f"{len(site.store.orphans()):,} files would be removed.")
            return
        removed = site.store.collect()
        site.thumbnails.forget(removed)
    click.echo(f"Removed {len(removed):,} files with {sum(removed.values()):,} bytes.")


@main.group()
def user() -> None:
    """Add and list users, and set passwords."""


@user.command("add")
@click.argument("name")
@pass_door
def user_add(door: Door, name: str) -> None:
    """Make the user NAME; the password is asked for, or read from the input's first line."""
    with door.site(create=True) as site:
        click.echo(f"Made {site.add_user(name, ask_password())}")


@user.command("passwd")
@click.argument("name")
@pass_door
def user_passwd(door: Door, name: str) -> None:
    """Set the password of the user NAME, asked for as by `user add`."""
    with door.site() as site:
        site.accounts.set_password(name, ask_password())
    click.echo(f"{name}: password set")


@user.command("list")
@json_option
@pass_door
def user_list(door: Door, as_json: bool) -> None:
    """List the users that can log in."""
    with door.site() as site:
        names = site.accounts.names()
    if as_json:
        say_json(names)
    else:
        for name in names:
            click.echo(name)


@user.group("token")
def user_token() -> None:
    """Make, list and revoke a user's API tokens."""


@user_token.command("add")
@click.argument("user")
@click.argument("name")
@click.option("--scope", type=click.Choice(SCOPES), default=READ, show_default=True)
@click.option("--days", type=click.IntRange(1, MAX_DAYS),
              help="It expires then; never unless told.")
@pass_door
def token_add(door: Door, user: str, name: str, scope: str, days: int | None) -> None:
    """Make a token of USER's, called NAME, and print it: it is not shown again."""
    with door.site() as site:
        click.echo(site.tokens.add(user, name, scope, days))


@user_token.command("list")
@click.argument("user")
@json_option
@pass_door
def token_list(door: Door, user: str, as_json: bool) -> None:
    """List USER's tokens: key, scope, name."""
    with door.site() as site:
        tokens = site.tokens.of(user)
    if as_json:
        say_json([{"key": token.key, "name": token.name, "scope": token.scope,
                   "created": token.created, "expires": token.expires, "used": token.used}
                  for token in tokens])
    else:
        for token in tokens:
            click.echo(f"{token.key}  {token.scope:5}  {token.name}")


@user_token.command("revoke")
@click.argument("user")
@click.argument("key")
@pass_door
def token_revoke(door: Door, user: str, key: str) -> None:
    """Revoke the token KEY of USER's, as `user token list` names it."""
    with door.site() as site:
        site.tokens.revoke(user, key)
    click.echo(f"{key}: revoked")


def ask_password() -> str:
    """From a terminal twice and unseen, else the input's first line."""
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    try:
        return sys.stdin.readline().rstrip("\r\n")
    except UnicodeDecodeError:
        raise WikiError("the password is not text in UTF-8") from None


for _command in (pages.import_, pages.export, pages.page, tasks.task, jobs.job, secrets.secret,
                 recycle_bin.bin_):
    main.add_command(_command)


if __name__ == "__main__":
    main()
