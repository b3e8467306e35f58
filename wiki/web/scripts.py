"""The script editor of a page, and trying the script before it is saved.

Without JavaScript it is a form that checks when it is sent; ``static/script.js`` adds line
numbers, indenting, and a check while one types.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import BinaryIO, cast

from flask import Blueprint, flash, redirect, request
from markupsafe import Markup
from werkzeug.wrappers import Response

from wiki.api import OpenDocument
from wiki.errors import Conflict, InvalidValue, NotFound, WikiError
from wiki.language.syntax import escape_value
from wiki.model import GUEST, Document, Object, Version
from wiki.references import Reference
from wiki.rights import Right
from wiki.store.base import Condition, Query
from wiki.tasks.log import log_name
from wiki.tasks.names import EXECUTOR_CLASS, RUN_CLASS, TASK_CLASS, Status
from wiki.tasks.scriptcheck import Problem
from wiki.tasks.undo import find_run
from wiki.translate import gettext
from wiki.web import fields
from wiki.web.attachments import clean
from wiki.web.changes import Change, compare
from wiki.web.context import page, page_url, reader, render_request, show, site
from wiki.web.errors import status_of
from wiki.web.fields import Field
from wiki.web.run import PREFIX
from wiki.web.runs import changes_of
from wiki.web.saving import save_objects
from wiki.web.scriptpages import problems_of, script_object
from wiki.web.session import current_user, login_required

blueprint = Blueprint("scripts", __name__)
Answer = str | Response | tuple[str, int]
#: How many tasks are offered as samples.
SAMPLES = 50
#: How many pages that a trial would touch are listed.
TOUCHED = 100


@dataclass(slots=True)
class ScriptForm:
    """What the form shows; ``version`` is the page's when it began."""

    document: Document
    obj: Object
    version: Version
    script: str
    problems: list[Problem] = field(default_factory=list)
    fields: list[Field] = field(default_factory=list)
    sample: str = ""
    #: What keeps it from being tried.
    untried: str = ""
    open_trial: bool = False

    @property
    def errors(self) -> list[Problem]:
        """What must be mended before it is saved, unless one insists."""
        return [item for item in self.problems if item.level == "error"]

    @property
    def lines(self) -> Sequence[str]:
        return self.script.split("\n")


@blueprint.get("/<ref>/script")
@login_required
def form(ref: str) -> Answer:
    """``sample`` is a task whose parameters a trial begins with."""
    document = page(ref).record
    reader().require(Right.EDIT, document)
    made = make_form(document, document.version)
    made.sample = request.args.get("sample", "").strip()
    take_sample(made)
    made.problems = check(made) if made.script else []
    return show_form(made)


@blueprint.post("/<ref>/script")
@login_required
def submit(ref: str) -> Answer:
    document = page(ref).record
    reader().require(Right.EDIT, document)
    made = make_form(document, Version.parse(request.form.get("version", "")))
    made.script = request.form.get("script", "").replace("\r\n", "\n")
    made.sample = request.form.get("sample", "").strip()
    made.problems = check(made)
    action = request.form.get("action", "save")
    if action in ("try", "sample"):
        made.open_trial = True
        take_sample(made)
        return try_it(made) if action == "try" else show_form(made)
    if action == "check":
        return show_form(made, checked=True)
    if made.errors and action != "save-anyway":
        return show_form(made, error=gettext(
            "It is not saved: the script cannot run as it is.")), 400
    return save(made)


@blueprint.get("/<ref>/trial")
@login_required
def trial(ref: str) -> str:
    """What a trial is at, and what its last run would have changed."""
    task = page(ref)
    executor = site().trials.origin(task)
    if executor is None:
        raise NotFound(gettext("%(page)s is no trial of a script", page=task.reference))
    runs = task.objects(RUN_CLASS)
    number = int(runs[-1]["number"]) if runs else 0
    ended = bool(runs) and runs[-1]["outcome"] is not None
    return show("trial.html", task.record, "", executor=executor, number=number, ended=ended,
                changes=would_change(task, number) if ended else None, live=live(task))


def make_form(document: Document, version: Version) -> ScriptForm:
    """The form of a page's script; raises NotFound where it has none."""
    obj = script_object(document)
    return ScriptForm(document, obj, version, str(obj.values.get("script") or ""))


def check(made: ScriptForm) -> list[Problem]:
    return problems_of(made.obj, made.document.reference, made.script)


def save(made: ScriptForm) -> Answer:
    """Save the text over the version that the form began with, as the objects form does."""
    changed = replace(made.obj, values={**made.obj.values, "script": made.script})
    document = made.document.with_object(changed)
    try:
        saved = save_objects(document, made.version, request.form.get("comment", "").strip(),
                             "minor" in request.form)
    except Conflict as error:
        theirs = page(str(document.reference)).record
        made.document, made.version = theirs, theirs.version
        return show_form(made, error=str(error), differences=compare(theirs, document)), 409
    except WikiError as error:
        return show_form(made, error=str(error)), status_of(error)
    flash(gettext("Saved as version %(version)s.", version=saved.version)
          + (gettext(" Its tasks wait: the script cannot run as it is.") if made.errors else ""),
          "warning" if made.errors else "success")
    return redirect(page_url(saved.reference, "script"))


# -- trying it ----------------------------------------------------------------------------------


def take_sample(made: ScriptForm) -> None:
    """The fields of a trial: the sample's values where the form does not show them yet, else
    what was typed."""
    if made.obj.class_name != EXECUTOR_CLASS:
        return
    executor = page(str(made.document.reference))
    try:
        like = page(made.sample) if made.sample else None
        asked = site().starter.parameters(executor, like)
    except WikiError as error:
        made.untried = str(error)
        return
    made.fields = [] if asked is None else [
        fields.make_field(PREFIX + prop.name, prop, asked.values.get(prop.name))
        for prop in asked.definition.properties]
    if request.form.get("sample_shown", "").strip() == made.sample:
        fields.fill(made.fields, request.form)


def try_it(made: ScriptForm) -> Answer:
    """Run the text as a dry run, and lead to what comes of it."""
    values = fields.read(made.fields, request.form)
    if made.errors:
        return show_form(made, error=gettext(
            "It is not tried: the script cannot run as it is.")), 400
    if made.untried or any(item.error for item in made.fields):
        return show_form(made, error=made.untried or gettext("Some values of the trial are "
                                                             "not allowed; they are marked "
                                                             "below.")), 400
    if request.form.get("sample_shown", "").strip() != made.sample:
        values = {}  # the form has not shown the sample's own
    files = [(clean(file.filename), cast(BinaryIO, file.stream))
             for file in request.files.getlist("file") if file.filename]
    try:
        task = site().trials.begin(current_user(), made.document.reference, made.script, values,
                                   files, like=made.sample or None)
    except InvalidValue as error:
        fields.mark(made.fields, error)
        return show_form(made, error=str(error)), 400
    except WikiError as error:
        return show_form(made, error=str(error)), status_of(error)
    return redirect(page_url(task, "trial"))


def samples(executor: Reference) -> list[str]:
    """Tasks of the executor, the newest first."""
    asked = Query(TASK_CLASS, (Condition("taskExecutor", "eq", str(executor)),),
                  ("-doc.updated",), limit=SAMPLES, hidden=False)
    return [str(row.reference) for row in reader().rows(asked)]


def live(task: OpenDocument) -> Markup:
    """The state and the log of the trial, which keep themselves up to date."""
    obj = task.object(TASK_CLASS)
    running = obj is not None and obj["status"] == Status.RUNNING
    text = "\n\n".join((
        "<<taskprogress/>>", '<<button action="cancel"/>>' if running else "",
        f'<<showlog log="{escape_value(log_name(task.reference))}"/>>'))
    # With a guest's rights: it is no text of the task's author.
    return site().renderer.render_content(
        replace(task.record, content=text, content_author=GUEST), render_request()).html


def would_change(task: OpenDocument, number: int) -> list[tuple[str, str, list[Change]]] | None:
    """Page, kind and differences of what the trial's run would have changed; None where that is
    not kept."""
    with changes_of(task, find_run(task, number)) as changes:
        if changes is None:
            return None
        found = []
        for touched in islice(changes.all(), TOUCHED):
            empty = Document(touched.reference)
            before, after = changes.before(touched), changes.after(touched)
            found.append((str(touched.reference), touched.kind,
                          compare(before or empty, after or empty)))
        return found


def show_form(made: ScriptForm, **values: object) -> str:
    wiki = reader()
    executor = made.obj.class_name == EXECUTOR_CLASS
    if executor and not made.fields and not made.untried:
        take_sample(made)
    return show("script.html", made.document, "script", form=made, executor=executor,
                may_try=executor and wiki.may(Right.SCRIPT, made.document),
                disarms=not wiki.may(Right.SCRIPT, made.document),
                samples=samples(made.document.reference) if executor else [],
                offers=fields.offers(made.fields), **values)
