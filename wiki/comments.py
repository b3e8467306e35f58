"""Comments on a page: objects of ``Wiki.CommentClass`` on it, read as records; no I/O.

A comment belongs to who wrote it: :func:`guarded` holds every save to that, whichever door it
comes through.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from wiki.classes import moment_of
from wiki.errors import AccessDenied, InvalidReference
from wiki.model import NO_DATE, Document, Object
from wiki.references import Reference
from wiki.rights import Right, allows
from wiki.translate import gettext

COMMENT_CLASS = "Wiki.CommentClass"
#: The longest comment, in characters, and the most comments that a page has.
MAX_TEXT = 10_000
MAX_COMMENTS = 1_000
#: How many people one comment can call.
MAX_MENTIONS = 20
USERS = Reference(("Users",), "WebHome")
#: ``@Users.Name``, but not within a word or an address.
MENTION = re.compile(r"(?<![\w@./])@(Users\.\w[\w-]*)")
_LINK = re.compile(r"\[\[(?:[^\[\]\n]*?>>)?\s*(Users\.[^\[\]\n#?]{1,200})\s*\]\]")


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment. ``reply_to`` is the number of the one that it answers; the text is Markdown
    without macros, and empty where it was deleted and only its answers are left."""

    number: int
    author: str
    date: datetime
    text: str
    reply_to: int | None = None
    edited: datetime | None = None
    mentions: tuple[str, ...] = ()
    #: Of the first of a thread: whether that is settled.
    resolved: bool = False

    @property
    def anchor(self) -> str:
        """What stands behind ``#`` in its permanent address."""
        return f"comment-{self.number}"


@dataclass(frozen=True, slots=True)
class Thread:
    """A comment with the answers to it, oldest first."""

    comment: Comment
    replies: tuple[Comment, ...]


def comments_of(document: Document) -> list[Comment]:
    """The page's comments by number, oldest first."""
    return sorted((_comment(obj) for obj in document.objects_of(COMMENT_CLASS)),
                  key=lambda comment: comment.number)


def _comment(obj: Object) -> Comment:
    values = obj.values
    reply, called = values.get("replyTo"), values.get("mentions") or ()
    return Comment(obj.number, str(values.get("author") or ""),
                   moment_of(values.get("date")) or NO_DATE, str(values.get("text") or ""),
                   int(reply) if isinstance(reply, int | float) else None,
                   moment_of(values.get("edited")),
                   tuple(called) if isinstance(called, list | tuple) else (str(called),),
                   values.get("resolved") is True)


def threads(comments: Sequence[Comment]) -> list[Thread]:
    """The comments as they are shown: an answer to an answer stands beside it."""
    roots: dict[int, int] = {}
    for comment in comments:
        roots[comment.number] = roots.get(comment.reply_to if comment.reply_to is not None else -1,
                                          comment.number)
    return [Thread(first, tuple(other for other in comments if other is not first
                                and roots[other.number] == first.number))
            for first in comments if roots[first.number] == first.number]


def mentions(text: str) -> list[str]:
    """The users that a text calls, by ``@Users.Name`` or a link to their pages, in order."""
    return list(dict.fromkeys(_named(text)))[:MAX_MENTIONS]


def _named(text: str) -> Iterator[str]:
    found = [match for pattern in (MENTION, _LINK) for match in pattern.finditer(text)]
    for match in sorted(found, key=lambda match: match.start()):
        try:
            reference = Reference.parse(match[1].strip(), USERS)
        except InvalidReference:
            continue
        if reference.spaces == USERS.spaces and reference != USERS:
            yield str(reference)


def guarded(document: Document, previous: Document | None, user: str) -> Document:
    """The document as the user may save it over ``previous``: others' comments stay as they are,
    and a new page begins without them.

    Raises AccessDenied where one of another's is added, changed or removed; administrators may.
    """
    if allows(user, Right.ADMIN) or not (
            document.object(COMMENT_CLASS) or (previous and previous.object(COMMENT_CLASS))):
        return document
    if previous is None:
        return replace(document, objects=tuple(
            obj for obj in document.objects
            if obj.class_name != COMMENT_CLASS or obj.values.get("author") == user))
    old = {obj.number: obj for obj in previous.objects_of(COMMENT_CLASS)}
    new = {obj.number: obj for obj in document.objects_of(COMMENT_CLASS)}
    for number in {**old, **new}:
        if old.get(number) != new.get(number):
            _check_own(old.get(number), new.get(number), user)
    return document


def _check_own(old: Object | None, new: Object | None, user: str) -> None:
    """Raises AccessDenied."""
    if old is not None and new is None and not old.values.get("text"):
        return  # it was deleted, and only held the place of its answers
    if old is not None and new is not None and _unresolved(old) == _unresolved(new):
        return  # whoever may edit the page settles a thread, and opens it again
    for obj in (old, new):
        if obj is not None and obj.values.get("author") != user:
            raise AccessDenied(gettext(
                "Comment %(number)s is %(author)s's, and not %(user)s's to write, change or "
                "remove; leave the comments of others as they are", number=obj.number,
                author=obj.values.get('author'), user=user))


def _unresolved(obj: Object) -> dict[str, object]:
    return {name: value for name, value in obj.values.items() if name != "resolved"}


def with_comments_of(document: Document, current: Document) -> Document:
    """The document with the comments that ``current`` has in place of its own: an old version
    that comes back leaves what people have said alone."""
    others = tuple(obj for obj in document.objects if obj.class_name != COMMENT_CLASS)
    return replace(document, objects=(*others, *current.objects_of(COMMENT_CLASS)))
