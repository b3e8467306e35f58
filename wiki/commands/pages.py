"""``wikimill import``, ``export`` and ``page``: pages and page files."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from wiki import pagefile, transfer
from wiki.commands.door import (
    Door,
    json_option,
    pass_door,
    progress,
    say_json,
    say_table,
    warn,
)
from wiki.commands.dumps import executor_for, import_dump
from wiki.errors import PageFileError
from wiki.moving import Mover
from wiki.references import HOME, Reference
from wiki.store.base import Query
from wiki.web.rest.json import document_to_json, row_to_json


@click.command("import")
@click.argument("paths", nargs=-1, required=True,
                type=click.Path(exists=True, path_type=Path))
@click.option("--space", help="Put the pages into this space.")
@click.option("--comment", default="Imported", help="What the pages' history says.")
@pass_door
def import_(door: Door, paths: tuple[Path, ...], space: str | None, comment: str) -> None:
    """Import page files: PATHS are .md files, or folders whose folders are spaces.

    Or one file of another wiki: an XWiki archive (.xar), or the dump of a MediaWiki (.xml,
    .xml.gz, .xml.bz2), which a task imports.
    """
    dumps = [(path, executor) for path in paths if (executor := executor_for(path))]
    if dumps:
        if len(paths) > 1:
            raise click.UsageError(f"{dumps[0][0].name} is imported by a task: name it alone")
        with door.site(create=True) as site:
            import_dump(site, *dumps[0], space)
        return
    counts = dict.fromkeys(transfer.Change, 0)
    with door.site(create=True) as site:
        done = transfer.import_pages(site.wiki, paths, spaces_of(space), comment)
        for _, change in progress(done, "Importing"):
            counts[change] += 1
    click.echo(", ".join(f"{count} {change}" for change, count in counts.items()))


@click.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--space", help="Only the pages of this space, and of those in it.")
@pass_door
def export(door: Door, directory: Path, space: str | None) -> None:
    """Write all pages as page files below DIRECTORY."""
    count = 0
    damaged = []
    with door.site() as site:
        for _, problem in progress(transfer.export_pages(site.wiki, directory, space),
                                   "Exporting"):
            count += problem is None
            damaged += [problem] if problem else []
    for problem in damaged:
        warn(str(problem))
    click.echo(f"Exported {count} pages to {directory}")
    if damaged:
        raise click.ClickException(f"{len(damaged)} pages are damaged, and were left out")


@click.group()
def page() -> None:
    """Read, write, list, move and delete pages."""


@page.command("get")
@click.argument("name")
@json_option
@pass_door
def page_get(door: Door, name: str, as_json: bool) -> None:
    """Print the page NAME as a page file."""
    with door.site() as site:
        document = site.wiki.get(name).record
    if as_json:
        say_json(document_to_json(document))
    else:
        click.echo(pagefile.dumps(document), nl=False)


@page.command("put")
@click.argument("name")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True,
                                        path_type=Path))
@click.option("--comment", default="", help="What the page's history says.")
@pass_door
def page_put(door: Door, name: str, file: Path, comment: str) -> None:
    """Make the page NAME what the page file FILE (- for the input) says."""
    ref = Reference.parse(name)
    files: dict[str, Path] = {}
    if str(file) == "-":
        read = pagefile.parse(read_input(), ref)
    else:
        read, files = pagefile.read_page(file, ref)
    keep = [filename for filename in read.attachments if filename not in files]
    with door.site(create=True) as site:
        change = transfer.put_page(site.wiki, read.document, files, keep=keep, comment=comment)
    click.echo(f"{read.document.reference}: {change}")


@page.command("delete")
@click.argument("name")
@click.confirmation_option("--yes", prompt="Delete the page, with its history?")
@pass_door
def page_delete(door: Door, name: str) -> None:
    """Delete the page NAME, with its history."""
    with door.site() as site:
        site.wiki.delete(name)
    click.echo(f"{name}: deleted")


@page.command("move")
@click.argument("name")
@click.argument("new_name")
@click.option("--space", "as_space", is_flag=True,
              help="NAME and NEW_NAME are spaces: move all pages in it.")
@click.option("--no-links", is_flag=True, help="Leave the links that lead there as they are.")
@click.option("--redirect", is_flag=True, help="Leave redirects at the old names.")
@pass_door
def page_move(door: Door, name: str, new_name: str, as_space: bool, no_links: bool,
              redirect: bool) -> None:
    """Move the page NAME to NEW_NAME, with its history, and turn the links that lead to it."""
    old = Reference.parse(f"{name}.{HOME}" if as_space else name)
    with door.site() as site:
        mover = Mover(site.wiki)
        plan = mover.planned(old, new_name, as_space)
        for ref, problem in plan.problems:
            warn(f"{ref}: {problem}")
        if plan.problems:
            raise click.ClickException("nothing was moved")
        outcome = mover.move(plan, links=not no_links, redirect=redirect)
    for ref, problem in outcome.failed:
        warn(f"{ref}: {problem}")
    click.echo(f"Moved {len(outcome.done)} pages, turned links in {len(outcome.turned)}")
    if outcome.failed:
        raise click.ClickException(f"{len(outcome.failed)} pages could not be changed")


@page.command("list")
@click.option("--space", help="Only the pages of this space.")
@click.option("--class", "class_name", help="Only pages with an object of this class.")
@json_option
@pass_door
def page_list(door: Door, space: str | None, class_name: str | None, as_json: bool) -> None:
    """List pages."""
    if class_name is not None:
        class_name = str(Reference.parse(class_name))
    with door.site() as site:
        rows = list(site.wiki.rows(Query(class_name, space=space,
                                         order_by=("doc.reference",))))
    if as_json:
        say_json([row_to_json(row) for row in rows])
    else:
        say_table(("Page", "Title", "Version", "Author"),
                  ((row.reference, row.title, row.version, row.author) for row in rows))


def read_input() -> str:
    """The whole of the input; raises PageFileError where it is no text."""
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError:
        raise PageFileError("the input is not text in UTF-8") from None


def spaces_of(space: str | None) -> tuple[str, ...]:
    """The spaces that a name such as ``A.B`` says."""
    if space is None:
        return ()
    home = Reference.parse(f"{space}.WebHome")
    return home.spaces
