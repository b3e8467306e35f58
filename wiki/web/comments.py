"""Comments below a page: written, changed and deleted by forms; each has an address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, flash, redirect, request
from markupsafe import Markup
from werkzeug.wrappers import Response

from wiki import commenting
from wiki.comments import MAX_TEXT, Comment, comments_of, threads
from wiki.errors import InvalidDocument, InvalidValue, ObjectNotFound, WikiError
from wiki.model import Document
from wiki.references import Reference
from wiki.rights import Right
from wiki.translate import gettext
from wiki.web.context import page, page_url, reader, show, site
from wiki.web.errors import status_of
from wiki.web.session import current_user, login_required

blueprint = Blueprint("comments", __name__)
Answer = str | Response | tuple[str, int]


@dataclass(frozen=True, slots=True)
class Shown:
    """A comment as a page shows it, with its text as HTML."""

    comment: Comment
    name: str
    html: Markup
    own: bool
    replies: tuple[Shown, ...] = ()


def shown(document: Document) -> list[Shown]:
    """The page's comments, for a template."""
    wiki = reader()
    seen: dict[Reference, bool] = {}

    def exists(reference: Reference) -> bool:
        if reference not in seen:
            seen[reference] = reference in wiki
        return seen[reference]

    def make(comment: Comment, replies: Sequence[Comment] = ()) -> Shown:
        return Shown(comment, Reference.parse(comment.author).name if comment.author else "",
                     site().comment_texts.html(comment.text, document.reference, exists),
                     commenting.may_change(wiki, document, comment),
                     tuple(make(reply) for reply in replies))

    return [make(thread.comment, thread.replies) for thread in threads(comments_of(document))]


@blueprint.post("/<ref>/comments")
@login_required
def add(ref: str) -> Answer:
    """Comment on the page; ``reply_to`` is the comment that this one answers."""
    document = page(ref).record
    text, reply = request.form.get("text", ""), request.form.get("reply_to", "")
    try:
        made = commenting.add(reader(), document.reference, text, _number(reply))
    except (InvalidValue, InvalidDocument, ObjectNotFound) as error:
        return _form(document, text, error, reply=reply)
    site().watching.took_part(current_user(), document.reference)
    return redirect(page_url(document.reference) + f"#{made.anchor}")


def _number(text: str) -> int | None:
    """Raises InvalidValue."""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidValue("reply_to", text, gettext("the number of a comment"))
    return int(text)


@blueprint.get("/<ref>/comments/<int:number>/edit")
@login_required
def form(ref: str, number: int) -> Answer:
    document = page(ref).record
    comment = commenting.find(document, number)
    if not commenting.may_change(reader(), document, comment):
        reader().require(Right.ADMIN, document)
    return _form(document, comment.text, number=number)


@blueprint.post("/<ref>/comments/<int:number>/edit")
@login_required
def submit(ref: str, number: int) -> Answer:
    document = page(ref).record
    text = request.form.get("text", "")
    try:
        saved = commenting.change(reader(), document.reference, number, text)
    except (InvalidValue, InvalidDocument) as error:
        return _form(document, text, error, number=number)
    return redirect(page_url(document.reference) + f"#{saved.anchor}")


@blueprint.post("/<ref>/comments/<int:number>/resolve")
@login_required
def resolve(ref: str, number: int) -> Response:
    """Mark the comment's thread as resolved, or with ``reopen`` open it again."""
    document = page(ref).record
    first = commenting.resolve(reader(), document.reference, number,
                               resolved="reopen" not in request.form)
    return redirect(page_url(document.reference) + f"#{first.anchor}")


@blueprint.post("/<ref>/comments/<int:number>/delete")
@login_required
def delete(ref: str, number: int) -> Response:
    document = page(ref).record
    commenting.delete(reader(), document.reference, number)
    flash(gettext("The comment is deleted."), "success")
    return redirect(page_url(document.reference) + "#comments")


def _form(document: Document, text: str, error: WikiError | None = None, *,
          number: int | None = None, reply: str = "") -> Answer:
    """The form on a page of its own: to change a comment, or to mend a new one."""
    html = show("comment.html", document, "view", text=text, error=str(error or ""),
                number=number, reply=reply, most=MAX_TEXT)
    return (html, status_of(error)) if error else html
