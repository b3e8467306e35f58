"""Export a space: its pages as page files in a zip file, attached to the task's page.

The page files are as `wikimill export` writes them. The task's parameters are those of
`Executors.ExportSpaceParameters`.
"""

import shutil
import zipfile
from dataclasses import replace

from wiki import pagefile
from wiki.api import make_query
from wiki.errors import DamagedPage, DocumentNotFound, InvalidReference, TaskFailed
from wiki.references import HOME, Reference


def run(logger, wiki, task):
    """What the task manager calls: the whole export."""
    names = wiki.load("Lib.Names")
    space = space_of(task.params.get("space"))
    filename = names.filename(task.params.get("filename") or space)
    if not filename.lower().endswith(".zip"):
        filename += ".zip"
    query = replace(make_query(None, {}, ("reference",), None, 0, space),
                    nested=task.params.get("nested") is not False)
    total = wiki.count(query)
    if not total:
        raise TaskFailed(f"there is no page in the space {space}")
    path = task.workdir / "export.zip"
    written = write_archive(logger, wiki, task, path, filename,
                            task.track(wiki.rows(query), total))
    wiki.load("Lib.Results").attach(task, {filename: path}, comment=f"Exported {space}")
    logger.info("%s: %d pages, %d bytes", filename, written, path.stat().st_size)


def space_of(text):
    if not text:
        raise TaskFailed("space is empty: name the space to export")
    try:
        return Reference.parse(f"{text}.{HOME}").space
    except InvalidReference as error:
        raise TaskFailed(str(error)) from None


def write_archive(logger, wiki, task, path, filename, rows):
    """Write the pages of the rows; returns how many they were."""
    written = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for row in rows:
            try:
                document = wiki.get(row.reference).record
            except DocumentNotFound:  # deleted since the list was made
                continue
            except DamagedPage as error:
                logger.warning("%s is left out: %s", row.reference, error)
                continue
            if document.reference == task.reference:
                document = without_export(document, filename)
            add_page(wiki, task, archive, document)
            written += 1
    return written


def without_export(document, filename):
    """The task's own page without what an earlier run exported, or each export would hold the
    ones before it."""
    if any(item.filename == filename for item in document.attachments):
        return document.without_attachment(filename)
    return document


def add_page(wiki, task, archive, document):
    """Put the page's file, and those beside it, into the archive."""
    folder = task.workdir / "page"
    pagefile.write_file(folder, document, lambda item: wiki.open_blob(item.sha256))
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            archive.write(file, file.relative_to(folder).as_posix())
    shutil.rmtree(folder)
