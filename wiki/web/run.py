"""The Run form: of an executor, to make a task; of a task, to run it again or to copy it.

It is made from the executor's parameter class, and needs no JavaScript. What is wrong shows at
its field, and nothing that was typed is lost; only files must be chosen anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast

from flask import Blueprint, flash, redirect, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from wiki.api import OpenDocument
from wiki.errors import InvalidValue, TaskError, WikiError
from wiki.references import Reference
from wiki.tasks.executors import BadExecutor, read_executor
from wiki.tasks.names import EXECUTOR_CLASS, TASK_CLASS, Status
from wiki.tasks.starting import Starter
from wiki.translate import gettext
from wiki.web import fields
from wiki.web.attachments import clean
from wiki.web.context import page, page_url, show, site
from wiki.web.errors import status_of
from wiki.web.fields import Field
from wiki.web.session import current_user, login_required

blueprint = Blueprint("run", __name__)
Answer = str | Response | tuple[str, int]
#: The fields of parameters are named so, that none is taken for one of the form's own.
PREFIX = "param."


@dataclass(slots=True)
class RunForm:
    """What the form shows; ``task`` is the page that is run again, None for a new task."""

    page: OpenDocument
    executor: OpenDocument
    task: OpenDocument | None
    fields: list[Field] = field(default_factory=list)
    name: str = ""
    title: str = ""
    dry_run: bool = False
    new: bool = True
    problem: str = ""

    @property
    def running(self) -> bool:
        """Whether the task runs just now, so that only a new one can be made."""
        obj = self.task.object(TASK_CLASS) if self.task else None
        return obj is not None and obj["status"] == Status.RUNNING


@blueprint.get("/<ref>/run")
@login_required
def form(ref: str) -> Answer:
    """The form; a query such as ``?targetSpace=Books`` fills its fields."""
    made = make_form(page(ref))
    fields.fill(made.fields, MultiDict((PREFIX + name, text)
                                       for name, text in request.args.items(multi=True)))
    return show_form(made)


@blueprint.post("/<ref>/run")
@login_required
def submit(ref: str) -> Answer:
    made = make_form(page(ref))
    values = take(made)
    if any(item.error for item in made.fields):
        return show_form(made, error=gettext("Some values are not allowed; they are marked "
                                             "below.")), 400
    ready = request.form.get("action", "run") == "run"
    try:
        started = start(made, values, ready)
    except InvalidValue as error:
        fields.mark(made.fields, error)
        return show_form(made, error=str(error)), 400
    except WikiError as error:
        return show_form(made, error=str(error)), status_of(error)
    flash(gettext("%(started)s is READY; the manager starts it when its turn comes.",
                  started=started) if ready
          else gettext("%(started)s is saved, SUSPENDED: nothing runs until it is set READY.",
                       started=started), "success")
    return redirect(page_url(started))


@blueprint.post("/<ref>/duplicate")
@login_required
def duplicate(ref: str) -> Response:
    """A copy of the task, SUSPENDED, on the page ``name`` or one named after the task's."""
    copy = starter().duplicate(current_user(), page(ref).record.reference,
                               request.form.get("name", "").strip())
    flash(gettext("%(copy)s is a copy, SUSPENDED: change what should differ, then run it.",
                  copy=copy), "success")
    return redirect(page_url(copy))


def starter() -> Starter:
    return site().starter


def make_form(document: OpenDocument) -> RunForm:
    """The form of an executor's or a task's page; raises TaskError for any other."""
    user, is_task = current_user(), document.object(TASK_CLASS) is not None
    if not is_task and document.object(EXECUTOR_CLASS) is None:
        raise TaskError(gettext("%(page)s cannot be run: it is neither a task nor an executor",
                                page=document.reference))
    executor = (starter().executor_of(user, document) if is_task
                else starter().executor(user, document.reference))
    made = RunForm(document, executor, document if is_task else None, new=not is_task,
                   name=str(starter().suggest_name(executor)), problem=problem_of(executor))
    if asked := starter().parameters(executor, made.task):
        made.fields = [fields.make_field(PREFIX + prop.name, prop, asked.values.get(prop.name))
                       for prop in asked.definition.properties]
    made.new = made.new or made.running
    return made


def problem_of(executor: OpenDocument) -> str:
    """What keeps the executor from running; empty where nothing does."""
    try:
        read_executor(executor)
    except BadExecutor as error:
        return str(error)
    return ""


def take(made: RunForm) -> dict[str, Any]:
    """The values of the submitted form, which the form takes over as they were typed."""
    sent = request.form
    made.name, made.title = sent.get("name", "").strip(), sent.get("title", "").strip()
    made.dry_run = "dry_run" in sent
    made.new = made.task is None or made.running or sent.get("target") == "new"
    fields.fill(made.fields, sent)
    values = fields.read(made.fields, sent)
    fields.need(made.fields, values)
    return values


def start(made: RunForm, values: Mapping[str, Any], ready: bool) -> Reference:
    """Do what the form says; returns the task's name."""
    user = current_user()
    files = [(clean(file.filename), cast(BinaryIO, file.stream))
             for file in request.files.getlist("file") if file.filename]
    if made.task is not None and not made.new:
        return starter().again(user, made.task.record.reference, values, files,
                               dry_run=made.dry_run, ready=ready)
    like = made.task.record.reference if made.task else None
    return starter().start(user, made.executor.record.reference, values, files, name=made.name,
                           title=made.title, dry_run=made.dry_run, ready=ready, like=like)


def show_form(made: RunForm, error: str = "") -> str:
    return show("run.html", made.page.record, "run", run=made, error=error,
                offers=fields.offers(made.fields),
                lost_files=any(file.filename for file in request.files.getlist("file")))
