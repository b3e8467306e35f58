"""``wikimill bin``: the recycle bin."""

from __future__ import annotations

import click

from wiki.commands.door import Door, json_option, pass_door, plain, say_json, say_table
from wiki.errors import RevisionNotFound
from wiki.references import Reference
from wiki.site import Site

#: How many pages are read at once.
PAGE = 500


@click.group("bin")
def bin_() -> None:
    """List what was deleted, bring it back, or remove it for good."""


@bin_.command("list")
@json_option
@pass_door
def bin_list(door: Door, as_json: bool) -> None:
    """List the deleted pages, the last deleted first."""
    with door.site() as site:
        rows, start = site.wiki.bin(PAGE)
        while start is not None:
            more, start = site.wiki.bin(PAGE, start)
            rows += more
    if as_json:
        say_json([{"key": row.key, "reference": str(row.reference), "version": str(row.version),
                   "deleted": row.deleted.isoformat(), "author": row.author,
                   "comment": row.comment} for row in rows])
    else:
        say_table(("Page", "Version", "Deleted", "By", "Key", "Comment"), (
            (row.reference, row.version, f"{row.deleted:%Y-%m-%d %H:%M}", row.author, row.key,
             row.comment) for row in rows))


@bin_.command("restore")
@click.argument("name")
@click.option("--key", help="Which deletion, where there are several; else the last one.")
@click.option("--as", "new_name", metavar="NAME", help="Bring it back under another name.")
@pass_door
def bin_restore(door: Door, name: str, key: str | None, new_name: str | None) -> None:
    """Bring the page NAME back, with its history and attachments."""
    with door.site() as site:
        saved = site.wiki.undelete(key or last_key(site, name), name, new_name)
    click.echo(plain(f"{saved.reference} is back, as version {saved.version}."))


@bin_.command("purge")
@click.argument("name")
@click.option("--key", help="Which deletion, where there are several; else the last one.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_door
def bin_purge(door: Door, name: str, key: str | None, yes: bool) -> None:
    """Remove the deleted page NAME for good."""
    with door.site() as site:
        row, _ = site.wiki.binned(key or last_key(site, name), name)
        if not yes:
            click.confirm(plain(f"Remove {row.reference} for good?"), abort=True)
        site.wiki.purge([(row.key, row.reference)])
    click.echo(plain(f"{row.reference} is gone for good."))


def last_key(site: Site, name: str) -> str:
    """The key of the page's last deletion; raises RevisionNotFound."""
    rows, _ = site.wiki.bin(1, name=Reference.parse(name))
    if not rows:
        raise RevisionNotFound(f"{name} is not in the recycle bin; `wikimill bin list` shows what "
                               "is")
    return rows[0].key
