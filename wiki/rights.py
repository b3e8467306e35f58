"""Who may do what: the single place where rights are asked.

The rules are the default ones: everyone views, registered users edit, a page's creator and
Admin delete, Admin scripts and administers.
"""

from __future__ import annotations

from enum import StrEnum

from wiki.errors import AccessDenied
from wiki.model import GUEST, SYSTEM, Document
from wiki.translate import gettext, marked

ADMIN_USER = "Users.Admin"

#: Classes whose objects run: changing one makes the saver the page's script author.
RUNNABLE_CLASSES = frozenset({
    "TaskExecutorCode.ModuleClass", "TaskExecutorCode.TaskExecutorClass", "Wiki.MacroClass",
    "Wiki.MacroParameterClass", "Wiki.SchedulerJobClass",
})


class Right(StrEnum):
    VIEW = "view"
    EDIT = "edit"
    DELETE = "delete"
    SCRIPT = "script"
    ADMIN = "admin"


#: What who lacks the right is told, by whether it is about a page.
_DENIED = {True: marked("%(user)s may not %(right)s %(page)s; it needs the %(right)s right"),
           False: marked("%(user)s may not %(right)s; it needs the %(right)s right")}
_DENIED_GUEST = {
    True: marked("Nobody is logged in, and a guest may not %(right)s %(page)s; it needs the "
                 "%(right)s right"),
    False: marked("Nobody is logged in, and a guest may not %(right)s; it needs the %(right)s "
                  "right")}


def allows(user: str, right: Right, document: Document | None = None) -> bool:
    """Whether the user (a page name such as ``Users.Admin``) holds the right, on the document
    if one is given."""
    if user in (SYSTEM, ADMIN_USER) or right is Right.VIEW:
        return True
    if user == GUEST:
        return False
    if right is Right.EDIT:
        return True
    return right is Right.DELETE and document is not None and document.creator == user


def require(user: str, right: Right, document: Document | None = None) -> None:
    """Raises :class:`AccessDenied` where :func:`allows` says no."""
    if not allows(user, right, document):
        messages = _DENIED_GUEST if user == GUEST else _DENIED
        raise AccessDenied(gettext(messages[document is not None], user=user, right=right.value,
                                   page=document.reference if document else ""))
