"""Creating and editing a page's text: form, preview, save, and what to do in a conflict."""

from __future__ import annotations

from dataclasses import dataclass, replace

from flask import Blueprint, Response, flash, jsonify, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from wiki.errors import (
    Conflict,
    DocumentExists,
    DocumentNotFound,
    InvalidDocument,
    NotFound,
    RevisionNotFound,
    WikiError,
)
from wiki.model import Attachment, Document, Version
from wiki.references import Reference
from wiki.rendering.sections import Section, sections
from wiki.rights import Right
from wiki.translate import gettext
from wiki.web.attachments import hold, sent_files
from wiki.web.context import held, page_url, reader, render_request, show, site
from wiki.web.errors import status_of
from wiki.web.merging import Merge, merge, resolved
from wiki.web.presence import EVERY, Presence
from wiki.web.session import current_user, login_required

blueprint = Blueprint("edit", __name__)
Answer = str | BaseResponse | tuple[str, int]
#: How often a save is tried again when others save at the same time.
TRIES = 5


@dataclass(frozen=True, slots=True)
class Draft:
    """What an editor's form holds: the page as it would be saved, the version that it began
    with (None for a new page), and the section whose text alone is in the form."""

    page: Document
    version: Version | None
    section: Section | None = None

    @property
    def text(self) -> str:
        """The text in the form."""
        return self.section.cut(self.page.content) if self.section else self.page.content


@blueprint.get("/<ref>/edit")
@login_required
def form(ref: str) -> Answer:
    reference = Reference.parse(ref)
    reader().require(Right.EDIT)
    try:
        document = reader().get(reference).record
    except DocumentNotFound:
        return show_form(Draft(fresh(reference), None))
    number = request.args.get("section", "")
    section = section_of(document.content, number) if number else None
    return show_form(Draft(document, document.version, section))


@blueprint.post("/<ref>/edit")
@login_required
def submit(ref: str) -> Answer:
    reference = Reference.parse(ref)
    try:
        hold(reference, sent_files())
    except WikiError as error:
        return show_form(from_form(reference), error=str(error)), status_of(error)
    draft = from_form(reference)
    if "resolve" in request.form:
        draft = decided(draft)
    action = request.form.get("action", "save")
    if action == "preview":
        return show_form(draft, preview=preview(draft))
    try:
        saved = save(draft)
    except (Conflict, DocumentExists):
        return show_conflict(draft)
    except WikiError as error:
        return show_form(draft, error=str(error)), status_of(error)
    flash(gettext("Saved as version %(version)s.", version=saved.version), "success")
    presence().leave(saved.reference, current_user())
    held().drop(saved.reference, current_user())
    if action != "continue":
        return redirect(page_url(saved.reference))
    number = {"section": request.form["section"]} if draft.section else {}
    return redirect(page_url(saved.reference, "edit", **number))


@blueprint.post("/<ref>/preview")
@login_required
def live_preview(ref: str) -> Response:
    """The form's text as HTML, for an editor that shows it beside the text."""
    draft = from_form(Reference.parse(ref))
    reader().require(Right.EDIT, draft.page)
    return jsonify(title=draft.page.display_title, html=preview(draft))


@blueprint.post("/<ref>/editing")
@login_required
def editing(ref: str) -> Response:
    """Note that the reader has the editor open (or with ``leave``, has closed it); answers who
    else has."""
    reference = Reference.parse(ref)
    reader().require(Right.EDIT)
    if "leave" in request.form:
        presence().leave(reference, current_user())
    else:
        presence().enter(reference, current_user())
    return jsonify(others=presence().others(reference, current_user()))


def presence() -> Presence:
    return Presence(site().settings.data / "editing")


def fresh(reference: Reference) -> Document:
    """A page to be created, with what the URL suggests for it, and the files held for it."""
    return Document(reference, title=request.args.get("title", ""),
                    parent=request.args.get("parent", ""),
                    content=request.args.get("content", ""),
                    attachments=tuple(held().of(reference, current_user())))


def section_of(content: str, number: str) -> Section:
    """Raises NotFound."""
    found = {str(section.number): section for section in sections(content)}
    if number not in found:
        raise NotFound(gettext("The page has no section %(number)s, it has %(num)s; edit the "
                               "whole page", number=repr(number), num=len(found)))
    return found[number]


# -- the form ------------------------------------------------------------------------------------


def from_form(reference: Reference) -> Draft:
    """What the form holds; raises NotFound for a section that its version has not."""
    fields = request.form
    version = Version.parse(fields["version"]) if fields.get("version") else None
    try:
        page = reader().get(reference).record
    except DocumentNotFound:
        page = Document(reference)
    text = fields.get("content", "").replace("\r\n", "\n")
    if fields.get("section"):
        return section_from_form(page, version, text)
    tags = (tag.strip() for tag in fields.get("tags", "").split(","))
    for file in chosen(reference):
        page = page.with_attachment(file)
    changed = replace(page, title=fields.get("title", "").strip(), content=text,
                      parent=fields.get("parent", "").strip(), hidden="hidden" in fields,
                      tags=tuple(tag for tag in tags if tag))
    return Draft(changed, version)


def chosen(reference: Reference) -> list[Attachment]:
    """The files held for the page that the form has ticked or brings."""
    names = {*request.form.getlist("held"), *(name for name, _ in sent_files())}
    return [file for file in held().of(reference, current_user())
            if file.filename in names] if names else []


def section_from_form(page: Document, version: Version | None, text: str) -> Draft:
    """The whole page that the form's version becomes with the section's text."""
    base = began_with(page.reference, version)
    section = section_of(base.content, request.form["section"])
    content = section.put(base.content, text)
    grown = len(content) - len(base.content)
    return Draft(replace(base, content=content), version,
                 replace(section, end=section.end + grown))


def began_with(reference: Reference, version: Version | None) -> Document:
    """The page as it was when the form was made; raises RevisionNotFound or DocumentNotFound."""
    return reader().revision(reference, version) if version else Document(reference)


# -- saving --------------------------------------------------------------------------------------


def save(draft: Draft) -> Document:
    """Save, bringing in what others changed meanwhile where it does not touch.

    Raises Conflict where it does, and all that :meth:`wiki.api.Wiki.save` raises.
    """
    page, version = draft.page, draft.version
    if page.parent:
        check_parent(page)
    comment, minor = request.form.get("comment", "").strip(), "minor" in request.form
    wiki, mine, attempts = reader(), page, TRIES
    while True:
        try:
            return wiki.save(mine, version, comment=comment, minor=minor)
        except Conflict:
            attempts -= 1
            merged = merged_with_theirs(page, draft.version) if attempts else None
            if merged is None or not merged.clean:
                raise
            mine, version = merged.document, merged.document.version


def check_parent(document: Document) -> None:
    """Raises InvalidReference or InvalidDocument."""
    parent = Reference.parse(document.parent, document.reference)
    if parent == document.reference:
        raise InvalidDocument(gettext("%(parent)s cannot be its own parent", parent=parent))


def merged_with_theirs(mine: Document, version: Version | None) -> Merge | None:
    """My changes on top of the newest version; None where the page was not there before."""
    if version is None:
        return None
    try:
        return merge(began_with(mine.reference, version), mine,
                     reader().get(mine.reference).record)
    except (DocumentNotFound, RevisionNotFound):
        return None


def decided(draft: Draft) -> Draft:
    """The draft with the text as the form of a conflict decides it (see :func:`show_conflict`):
    my text, that of the version that it showed, and the one that both began with are merged
    once more."""
    base, ref = request.form.get("base", ""), draft.page.reference
    old = began_with(ref, Version.parse(base) if base else None)
    pieces = merge(old, draft.page, began_with(ref, draft.version)).pieces
    return replace(draft, page=replace(draft.page, content=resolved(pieces, request.form)))


# -- answers -------------------------------------------------------------------------------------


def preview(draft: Draft) -> str:
    """The text as it would show, run with no more rights than its new author has."""
    mine = replace(draft.page, content=draft.text, content_author=current_user(),
                   author=current_user())
    return site().renderer.render_content(mine, render_request()).html


def show_form(draft: Draft, **values: object) -> str:
    document = draft.page
    disarms = not reader().may(Right.SCRIPT, document) and "<<jinja" in document.content
    return show("edit.html", document, "edit", draft=draft, version=draft.version or "",
                is_new=draft.version is None, disarms=disarms, fields=request.form,
                held=held_beside(draft), limit=site().settings.upload_limit,
                others=presence().others(document.reference, current_user()), every=EVERY,
                **values)


def held_beside(draft: Draft) -> list[tuple[Attachment, bool]]:
    """The files that are held for the page, each with whether the save attaches it."""
    if draft.version is not None and "held" not in request.form:
        return []
    return [(file, file in draft.page.attachments)
            for file in held().of(draft.page.reference, current_user())]


def show_conflict(draft: Draft) -> Answer:
    """What both changed, side by side, with a choice for each place; nothing is saved yet."""
    mine = draft.page
    try:
        theirs = reader().get(mine.reference).record
        base = began_with(mine.reference, draft.version)
    except (DocumentNotFound, RevisionNotFound):
        return show_form(Draft(mine, None), error=gettext("The page was deleted while you "
                                                          "edited it; save again to create it "
                                                          "anew.")), 409
    merged = merge(base, mine, theirs)
    return show("merge.html", merged.document, "edit", mine=mine, theirs=theirs, merged=merged,
                base=draft.version or "", fields=request.form, held=held_beside(draft)), 409
