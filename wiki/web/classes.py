"""The class editor: the properties that a page defines, and what a change does to its objects."""

from __future__ import annotations

from dataclasses import dataclass, replace

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response

from wiki import instances
from wiki.api import OpenDocument
from wiki.classes import TYPES, TextArea
from wiki.errors import Conflict, WikiError
from wiki.instances import CHUNK, ClassChange, Problem
from wiki.model import ClassDefinition, Document, Version
from wiki.references import Reference
from wiki.rights import Right
from wiki.translate import gettext, ngettext
from wiki.web import classform
from wiki.web.classform import Row
from wiki.web.context import page, page_url, reader, show
from wiki.web.create import makes_pages
from wiki.web.errors import status_of
from wiki.web.session import login_required

blueprint = Blueprint("classes", __name__)
Answer = str | Response | tuple[str, int]
MOVES = {"up": -1, "down": 1}
#: How many pages that could not be changed are named.
NAMED = 5


@dataclass(frozen=True, slots=True)
class Check:
    """What is wrong with the objects of some pages; ``last``: go on behind this one."""

    pages: int
    problems: list[Problem]
    #: How many pages were looked at.
    looked: int = 0
    last: str = ""


@blueprint.get("/<ref>/class")
@login_required
def form(ref: str) -> Answer:
    document = page(ref).record
    reader().require(Right.EDIT, document)
    return show_form(document, document.version, classform.rows_of(document.class_definition))


@blueprint.post("/<ref>/class")
@login_required
def submit(ref: str) -> Answer:
    document = page(ref).record
    version = Version.parse(request.form.get("version", ""))
    rows = classform.rows_sent(request.form)
    action, _, key = request.form.get("action", "save").partition(":")
    if action in ("add", "remove", *MOVES):
        return show_form(document, version, rearranged(rows, action, key))
    try:
        return save(document, version, rows, confirmed=action == "confirm")
    except Conflict as error:
        current = page(ref).record.version
        return show_form(document, current, rows, error=gettext(
            "%(error)s Your properties are below; saving them now puts them in the place of the "
            "others.", error=error)), 409
    except WikiError as error:
        return show_form(document, version, rows, error=str(error)), status_of(error)


def rearranged(rows: list[Row], action: str, key: str) -> list[Row]:
    """The rows after one of the buttons that save nothing."""
    if action == "add":
        return [*rows, classform.new_row(rows)]
    if action == "remove":
        return [row for row in rows if row.key != key]
    return classform.moved(rows, key, MOVES[action])


def save(document: Document, version: Version, rows: list[Row], confirmed: bool) -> Answer:
    """Save the class and what it does to its objects; where that is something, only once it was
    shown."""
    wiki, name = reader(), str(document.reference)
    made = classform.definition_of(rows)
    change = ClassChange.between(document.class_definition, made or ClassDefinition(),
                                 classform.renamed(rows, document.class_definition))
    pages = instances.count(wiki, name) if change else 0
    if pages and not confirmed:
        first = instances.step(wiki, name)
        return show_form(document, version, rows, change=change, looked=len(first.pages),
                         unfit=instances.unconverted(wiki, name, change, first))
    changed = OpenDocument(wiki, replace(document, class_definition=made), version)
    if made is not None and document.class_definition is None:
        changed.add_sheet()
    saved = changed.save(request.form.get("comment", "").strip())
    flash(gettext("Saved as version %(version)s.", version=saved.version), "success")
    if pages > CHUNK:
        return redirect(carry_url(document.reference, version, change))
    if pages:
        tell(*instances.carry(wiki, name, change, instances.step(wiki, name)))
    return redirect(page_url(saved.reference, "class"))


def tell(changed: int, refused: list[tuple[Reference, str]]) -> None:
    """Say how many pages follow the class now, and which do not."""
    flash(ngettext("%(num)s page changed with the class.", "%(num)s pages changed with the class.",
                   changed, num=f"{changed:,}"), "success")
    for reference, problem in refused[:NAMED]:
        flash(gettext("%(page)s could not be changed: %(problem)s", page=reference,
                      problem=problem), "error")
    if len(refused) > NAMED:
        flash(gettext("%(num)s more pages could not be changed.",
                      num=f"{len(refused) - NAMED:,}"), "error")


# -- a change of very many objects, step by step -------------------------------------------------


def carry_url(reference: Reference, version: Version, change: ClassChange) -> str:
    """Where the change is carried to the objects: ``from`` is the class's version before it."""
    return page_url(reference, "class/carry", **{
        "from": version, "rename": ",".join(f"{old}:{new}" for old, new
                                            in change.renamed.items())})


@blueprint.get("/<ref>/class/carry")
@login_required
def carrying(ref: str) -> Answer:
    """How far the change is; once begun, a script sends the form again and again."""
    document = page(ref).record
    reader().require(Right.EDIT, document)
    wiki, name, after = reader(), str(document.reference), request.args.get("after", "")
    asked_change(document)  # raises for an address that names none
    total = instances.count(wiki, name)
    left = instances.count(wiki, name, after)
    return show("class_carry.html", document, "class", total=total, done=total - left,
                action=request.full_path.rstrip("?"))


@blueprint.post("/<ref>/class/carry")
@login_required
def carry(ref: str) -> Answer:
    """The next step of the change."""
    document = page(ref).record
    reader().require(Right.EDIT, document)
    wiki, name, args = reader(), str(document.reference), request.args.to_dict()
    found = instances.step(wiki, name, args.pop("after", ""))
    changed, refused = instances.carry(wiki, name, asked_change(document), found)
    if refused or not found.last:
        tell(changed, refused)
    if not found.last:
        return redirect(page_url(document.reference, "class"))
    return redirect(page_url(document.reference, "class/carry", **args, after=found.last))


def asked_change(document: Document) -> ClassChange:
    """The change that the address names; raises RevisionNotFound or InvalidDocument."""
    before = reader().revision(document.reference, Version.parse(request.args.get("from", "")))
    pairs = (pair.partition(":") for pair in request.args.get("rename", "").split(",") if pair)
    return ClassChange.between(before.class_definition,
                               document.class_definition or ClassDefinition(),
                               {old: new for old, _, new in pairs})


# -- answers -------------------------------------------------------------------------------------


def check(document: Document) -> Check:
    """What is wrong with the objects of the class as it is, from the page behind ``after`` on."""
    wiki, name = reader(), str(document.reference)
    if document.class_definition is None:
        return Check(instances.count(wiki, name), [])
    found = instances.step(wiki, name, request.args.get("after", ""))
    return Check(instances.count(wiki, name),
                 instances.unfit(wiki, name, document.class_definition, found),
                 len(found.pages), found.last)


def show_form(document: Document, version: Version, rows: list[Row], **values: object) -> str:
    return show("class.html", document, "class", version=version, check=check(document),
                rows=rows or [Row("1")], empty=Row("NEW"), type_names=list(TYPES),
                kinds=TextArea.KINDS, makes_pages=makes_pages(document), **values)
