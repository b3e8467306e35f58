"""Writing, changing and deleting comments: small saves that conflict with nobody's.

Each is a minor edit of the page as it is at that moment; it changes neither the text nor what
runs, and so leaves their authors as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from wiki.api import Name, OpenDocument, Wiki
from wiki.comments import (
    COMMENT_CLASS,
    MAX_COMMENTS,
    MAX_TEXT,
    Comment,
    comments_of,
    mentions,
    threads,
)
from wiki.errors import AccessDenied, InvalidDocument, InvalidValue, ObjectNotFound
from wiki.model import Document
from wiki.rights import Right
from wiki.translate import gettext

ADDED, CHANGED, DELETED = "Comment added", "Comment changed", "Comment deleted"
RESOLVED, REOPENED = "Comments resolved", "Comments reopened"
#: What the history says of saves of comments alone.
SAVES = frozenset({ADDED, CHANGED, DELETED, RESOLVED, REOPENED})


def find(document: Document, number: int) -> Comment:
    """Raises ObjectNotFound."""
    for comment in comments_of(document):
        if comment.number == number:
            return comment
    raise ObjectNotFound(gettext(
        "%(page)s has no comment %(number)s", page=document.reference, number=number))


def may_change(wiki: Wiki, document: Document, comment: Comment) -> bool:
    """Whether the wiki's user may change and delete the comment."""
    own = comment.author == wiki.user and wiki.may(Right.EDIT, document)
    return bool(comment.text) and (own or wiki.may(Right.ADMIN, document))


def add(wiki: Wiki, page: Name, text: str, reply_to: int | None = None) -> Comment:
    """Comment on a page as the wiki's user; returns the comment.

    Raises InvalidValue (an empty or too long text), ObjectNotFound (no such comment to answer),
    InvalidDocument (too many), and what :meth:`wiki.api.Wiki.revise` raises.
    """
    text = _checked(text)

    def change(document: OpenDocument) -> None:
        wiki.require(Right.EDIT, document)
        if len(document.record.objects_of(COMMENT_CLASS)) >= MAX_COMMENTS:
            raise InvalidDocument(gettext(
                "%(page)s has %(most)s comments, and a page takes no more; delete some first",
                page=document.reference, most=MAX_COMMENTS))
        if reply_to is not None:
            find(document.record, reply_to)
        document.add_object(COMMENT_CLASS, author=wiki.user, date=_now(), text=text,
                            replyTo=reply_to, mentions=_called(wiki, text))

    saved = wiki.revise(page, change, comment=ADDED, minor=True)
    return comments_of(saved.record)[-1]


def change(wiki: Wiki, page: Name, number: int, text: str) -> Comment:
    """Give a comment another text; returns it. Raises as :func:`add` does, and AccessDenied for
    another's."""
    text = _checked(text)

    def put(document: OpenDocument) -> None:
        _own(wiki, document, number)
        obj = document.record.object(COMMENT_CLASS, number)
        assert obj is not None
        document.record = document.record.with_object(obj.with_values(
            text=text, edited=_now(), mentions=_called(wiki, text)))

    return find(wiki.revise(page, put, comment=CHANGED, minor=True).record, number)


def resolve(wiki: Wiki, page: Name, number: int, resolved: bool = True) -> Comment:
    """Mark the thread that a comment is in as settled, or open it again; returns its first comment.

    Whoever may edit the page may. Raises ObjectNotFound, AccessDenied, and what
    :meth:`wiki.api.Wiki.revise` raises.
    """
    def mark(document: OpenDocument) -> None:
        wiki.require(Right.EDIT, document)
        obj = document.record.object(COMMENT_CLASS, _first(document.record, number))
        assert obj is not None
        document.record = document.record.with_object(obj.with_values(resolved=resolved))

    saved = wiki.revise(page, mark, comment=RESOLVED if resolved else REOPENED, minor=True)
    return find(saved.record, _first(saved.record, number))


def _first(document: Document, number: int) -> int:
    """The number of the comment that the thread begins with; raises ObjectNotFound."""
    comment = find(document, number)
    return next(thread.comment.number for thread in threads(comments_of(document))
                if comment == thread.comment or comment in thread.replies)


def delete(wiki: Wiki, page: Name, number: int) -> None:
    """Delete a comment; of one that was answered, an empty place stays as long as the answers.

    Raises ObjectNotFound, AccessDenied, and what :meth:`wiki.api.Wiki.revise` raises.
    """
    wiki.revise(page, _removal(wiki, number), comment=DELETED, minor=True)


def _removal(wiki: Wiki, number: int) -> Callable[[OpenDocument], None]:
    def remove(document: OpenDocument) -> None:
        comment = _own(wiki, document, number)
        if _answers(document.record, number):
            obj = document.record.object(COMMENT_CLASS, number)
            assert obj is not None
            document.record = document.record.with_object(obj.with_values(
                text="", edited=None, mentions=[]))
            return
        document.remove_object(COMMENT_CLASS, number)
        _tidy(document, comment.reply_to)
    return remove


def _tidy(document: OpenDocument, number: int | None) -> None:
    """Take away deleted comments that no answer is left of, from this one upwards."""
    while number is not None:
        obj = document.record.object(COMMENT_CLASS, number)
        if obj is None or obj.values.get("text") or _answers(document.record, number):
            return
        answered = find(document.record, number).reply_to
        document.remove_object(COMMENT_CLASS, number)
        number = answered


def _answers(document: Document, number: int) -> bool:
    return any(comment.reply_to == number for comment in comments_of(document))


def _own(wiki: Wiki, document: OpenDocument, number: int) -> Comment:
    """The comment, which the user may change; raises ObjectNotFound or AccessDenied."""
    comment = find(document.record, number)
    if not may_change(wiki, document.record, comment):
        raise AccessDenied(gettext(
            "Comment %(number)s is %(author)s's; only who wrote a comment, and administrators, "
            "may change or delete it", number=number, author=comment.author))
    return comment


def _checked(text: str) -> str:
    text = text.replace("\r\n", "\n").strip()
    if not 1 <= len(text) <= MAX_TEXT:
        shown = f"{len(text)} characters" if text else text
        raise InvalidValue("text", shown, gettext("1 to %(most)s characters", most=MAX_TEXT))
    return text


def _called(wiki: Wiki, text: str) -> list[str]:
    return [name for name in mentions(text) if name in wiki]


def _now() -> datetime:
    return datetime.now(UTC)
