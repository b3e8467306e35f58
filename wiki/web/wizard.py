"""The import wizard: a file, a look at it, what its columns become, a try, and the run.

Each step is kept in a task's page, SUSPENDED, so that nothing is lost when the browser closes.
No step needs JavaScript.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import PurePath
from typing import Any, BinaryIO, cast

from flask import Blueprint, flash, redirect, render_template, request
from werkzeug.wrappers import Response

from wiki.api import OpenDocument, OpenObject
from wiki.errors import (
    AttachmentNotFound,
    InvalidDocument,
    InvalidReference,
    InvalidValue,
    NotFound,
    WikiError,
)
from wiki.references import HOME, Reference
from wiki.rights import Right
from wiki.tasks.log import log_name
from wiki.tasks.names import RUN_CLASS, TASK_CLASS, Status
from wiki.tasks.rejected import DRY_FILENAME, FILENAME
from wiki.tasks.tables import IMPORTERS, READING, Preview, importer_of, look
from wiki.tasks.undo import Change
from wiki.translate import gettext
from wiki.web import mapping
from wiki.web.attachments import clean
from wiki.web.context import page, page_url, reader, show, site
from wiki.web.errors import status_of
from wiki.web.mapping import MappingForm
from wiki.web.runs import changes_of, judged
from wiki.web.session import current_user, login_required

blueprint = Blueprint("wizard", __name__)
Answer = str | Response | tuple[str, int]
#: Spaces whose pages are not what a file that is dropped on them is about.
OWN_SPACES = ("Tasks", "Executors", "Main")
#: Imports that were begun, which the first step offers to go on with.
MAX_DRAFTS = 20
#: Pages and bad rows that a result shows; there is a link to all of them.
LISTED = 20
NO_KIND = "{} cannot be imported here; a file's name ends in one of " + ", ".join(IMPORTERS)


@dataclass(slots=True)
class Wizard:
    """An import: its task, the file, and the form; ``preview`` is None for an unreadable one."""

    task: OpenDocument
    executor: str
    saved: dict[str, Any]
    filename: str
    preview: Preview | None = None
    form: MappingForm | None = None
    error: str = ""
    reading: dict[str, str] = field(default_factory=dict)


# -- the file ----------------------------------------------------------------------------------


@blueprint.get("/import")
@login_required
def begin() -> str:
    return choose()


@blueprint.post("/import")
@login_required
def upload() -> Answer:
    return make_draft(None)


def choose(base: OpenDocument | None = None, error: str = "") -> str:
    """The first step; ``base`` is the page that the wizard was begun on."""
    reader().require(Right.EDIT, base.record if base else None)
    values: dict[str, Any] = {"error": error, "suffixes": ",".join(IMPORTERS), "drafts": drafts()}
    if base is None:
        return render_template("import_choose.html", title=gettext("Import data"), **values)
    files = [item.filename for item in base.attachments if importer_of(item.filename)]
    return show("import_choose.html", base.record, "", files=files,
                wanted=request.args.get("file", ""), **values)


def drafts() -> list[OpenDocument]:
    """The imports that the user has begun, newest first, and not run."""
    begun = [task for executor in sorted(set(IMPORTERS.values()))
             for task in begun_with(executor) if not task.objects(RUN_CLASS)]
    return sorted(begun, key=lambda task: task.updated, reverse=True)[:MAX_DRAFTS]


def begun_with(executor: str) -> Iterator[OpenDocument]:
    conditions: dict[str, Any] = {"taskExecutor": executor, "status": Status.SUSPENDED.value,
                                  "doc.creator": current_user()}
    return reader().query(TASK_CLASS, order_by="-updated", limit=MAX_DRAFTS, **conditions)


def make_draft(base: OpenDocument | None) -> Answer:
    """The task of a new import, with the file that was sent, or one of the page's own."""
    try:
        filename, stream = sent_file(base)
        with stream:
            task = start_draft(base, filename, stream)
    except WikiError as error:
        return choose(base, str(error)), status_of(error)
    return redirect(page_url(task, "import"))


def sent_file(base: OpenDocument | None) -> tuple[str, BinaryIO]:
    """Raises InvalidDocument where none was chosen, AttachmentNotFound."""
    file = request.files.get("file")
    if file is not None and file.filename:
        return clean(file.filename), cast(BinaryIO, file.stream)
    wanted = request.form.get("attachment", "")
    if base is None or not wanted:
        raise InvalidDocument(gettext("No file was chosen; choose a CSV, TSV, Excel or JSON "
                                      "file"))
    return wanted, base.attachment(wanted).open()


def start_draft(base: OpenDocument | None, filename: str, stream: BinaryIO) -> Reference:
    executor = importer_of(filename)
    if not executor:
        raise InvalidDocument(NO_KIND.format(repr(filename)))
    values = {"targetSpace": target_space(base, filename), "file": filename}
    return site().starter.start(current_user(), executor, values, [(filename, stream)],
                                title=f"Import of {filename}"[:255], ready=False)


def target_space(base: OpenDocument | None, filename: str) -> str:
    """The space of the page that the wizard was begun on; else one named after the file."""
    if base is not None and base.reference.spaces[0] not in OWN_SPACES:
        return str(base.reference.space)
    words = re.findall(r"\w+", PurePath(filename).stem)
    return "".join(word[:1].upper() + word[1:] for word in words)[:60] or "Imported"


# -- the table and the mapping -----------------------------------------------------------------


@blueprint.get("/<ref>/import")
@login_required
def form(ref: str) -> Answer:
    document = page(ref)
    if import_object(document) is None:
        return choose(document)
    return show_form(open_wizard(document))


@blueprint.post("/<ref>/import")
@login_required
def submit(ref: str) -> Answer:
    document = page(ref)
    if import_object(document) is None:
        return make_draft(document)
    wizard = open_wizard(document)
    action = request.form.get("action", "save")
    if wizard.form is None or action == "read":
        return read_again(wizard)
    mapping.check(wizard.form)
    if wizard.preview and wizard.preview.problem and action != "save":
        return show_form(wizard, wizard.preview.problem), 400
    if wizard.form.wrong:
        return show_form(wizard, gettext("Some of it is not right; it is marked below.")), 400
    return keep(wizard, wizard.form.parameters() | wizard.reading, action)


@blueprint.post("/<ref>/import/run")
@login_required
def run(ref: str) -> Response:
    """Run what was tried."""
    document = page(ref)
    require_import(document)
    return redirect(start(document, {}, dry_run=False))


@blueprint.get("/<ref>/import/result")
@login_required
def result(ref: str) -> Response:
    """What the last run did or would do; looked at again while it has not ended."""
    document = page(ref)
    require_import(document)
    task = document.object(TASK_CLASS)
    runs = document.objects(RUN_CLASS)
    kinds, pages = touched(document, runs[-1]) if runs else ({}, [])
    rejected = DRY_FILENAME if runs and runs[-1]["dryRun"] else FILENAME
    waiting = task is not None and task["status"] in (Status.READY, Status.RUNNING)
    response = Response(show("import_result.html", document.record, "", task=task,
                             run=runs[-1] if runs else None,
                             kinds=kinds, pages=pages, rejected=rejected,
                             bad=bad_rows(document, rejected),
                             waiting=waiting, log_name=log_name(document.reference)),
                        mimetype="text/html")
    if waiting:
        response.headers["Refresh"] = "2"
    return response


def touched(document: OpenDocument, run: OpenObject) -> tuple[dict[str, int], list[Change]]:
    """How many pages the run made, changed and so on, and the first ones."""
    with changes_of(document, run) as changes:
        if changes is None:
            return {}, []
        return dict(changes.kinds()), list(islice(judged(changes, "", None), LISTED))


def bad_rows(document: OpenDocument, filename: str) -> list[dict[str, str]]:
    """The first rows that a run has rejected, with the reasons."""
    if all(item.filename != filename for item in document.attachments):
        return []
    with (document.attachment(filename).open() as raw,
          io.TextIOWrapper(raw, encoding="utf-8", newline="") as text):
        return list(islice(csv.DictReader(text), LISTED))


def require_import(document: OpenDocument) -> OpenObject:
    """The parameters; raises NotFound where the page is no import's."""
    found = import_object(document)
    if found is None:
        raise NotFound(gettext("%(page)s is no task that imports a table",
                               page=document.reference))
    return found


def import_object(document: OpenDocument) -> OpenObject | None:
    """The object with an import's parameters; None where the page is no such task."""
    task = document.object(TASK_CLASS)
    executor = str(task.get("taskExecutor") or "") if task else ""
    return document.object(f"{executor}Parameters") if executor in READING else None


def open_wizard(document: OpenDocument) -> Wizard:
    """The import as its task has it, with what the request's form changes."""
    obj = require_import(document)
    reader().require(Right.EDIT, document)
    saved = dict(obj.values)
    executor = str(obj.class_name).removesuffix("Parameters")
    sent = request.form
    reading = {name: sent[name].strip() for name in READING[executor] if name in sent}
    wizard = Wizard(document, executor, saved, the_file(document, saved), reading=reading)
    try:
        with document.attachment(wizard.filename).open() as stream:
            wizard.preview = look(stream, wizard.filename, executor, saved | reading)
    except (InvalidDocument, AttachmentNotFound, ValueError) as error:
        wizard.error = str(error)
        return wizard
    wanted = {**saved, "targetSpace": sent.get("targetSpace", saved.get("targetSpace")),
              "targetClass": sent.get("targetClass", saved.get("targetClass"))}
    definition = class_there(wanted)
    wizard.form = mapping.make_form(wizard.preview, saved, definition, is_page)
    mapping.fill(wizard.form, sent)
    return wizard


def the_file(document: OpenDocument, saved: dict[str, Any]) -> str:
    """The file that the parameters name, else the first that can be imported; may be empty."""
    names = [item.filename for item in document.attachments if importer_of(item.filename)]
    return str(saved.get("file") or (names or [""])[0])


def class_there(values: dict[str, Any]) -> Any:
    """The definition of the class that is asked for; None where there is none yet."""
    try:
        name = values.get("targetClass") or class_name(str(values.get("targetSpace") or ""))
        return reader().class_definition(str(name))
    except InvalidReference:
        return None


def class_name(space: str) -> str:
    """The class that an import makes in the space, where none is named."""
    spaces = Reference.parse(f"{space}.{HOME}").spaces
    return str(Reference(spaces, f"{spaces[-1]}Class"))


def is_page(text: str) -> bool:
    """Whether a cell names a page that there is."""
    try:
        return "." in text and Reference.parse(text) in reader()
    except InvalidReference:
        return False


def read_again(wizard: Wizard) -> Answer:
    """Keep how the file is to be read and where its pages go, and show it so."""
    texts = wizard.form.texts if wizard.form else {}
    kept = {name: text for name, text in texts.items() if text or name == "targetClass"}
    if wizard.error:
        return show_form(wizard), 400
    return keep(wizard, kept | wizard.reading, "read")


def keep(wizard: Wizard, values: dict[str, Any], action: str) -> Answer:
    """Save the parameters, and let the task run where that was asked for."""
    if values.get("headerRow"):
        values["headerRow"] = int(values["headerRow"])
    values = {name: None if value == "" else value for name, value in values.items()}
    try:
        if action in ("try", "run"):
            return redirect(start(wizard.task, values, dry_run=action == "try"))
        site().starter.again(current_user(), wizard.task.record.reference, values, ready=False)
    except InvalidValue as error:
        if wizard.form:
            wizard.form.errors[error.property] = str(error)
        return show_form(wizard, str(error)), 400
    except WikiError as error:
        return show_form(wizard, str(error)), status_of(error)
    if action == "save":
        flash(gettext("Saved. Nothing runs until you try or run it."), "success")
    return redirect(page_url(wizard.task.record.reference, "import"))


def start(task: OpenDocument, values: dict[str, Any], *, dry_run: bool) -> str:
    """Set the task READY; the address of what it does."""
    ref = task.record.reference
    site().starter.again(current_user(), ref, values, dry_run=dry_run)
    return page_url(ref, "import/result") if dry_run else page_url(ref)


def show_form(wizard: Wizard, error: str = "") -> str:
    made = wizard.form
    name = made.texts["targetClass"] if made else ""
    try:
        name = name or (class_name(made.texts["targetSpace"]) if made else "")
    except InvalidReference:
        name = ""  # the space is marked as wrong
    return show("import_table.html", wizard.task.record, "", wizard=wizard, made=made,
                preview=wizard.preview, reading=shown_reading(wizard), class_name=name,
                kinds=mapping.KINDS, error=error or wizard.error)


def shown_reading(wizard: Wizard) -> dict[str, str]:
    """How the file was read, or is to be read where that did not work."""
    if wizard.preview:
        return {name: text.replace("\t", "\\t") for name, text in wizard.preview.used.items()}
    return {name: str(wizard.reading.get(name, wizard.saved.get(name) or ""))
            for name in READING[wizard.executor]}
