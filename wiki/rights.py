"""Who may do what: the single place where rights are asked.

The rules are the default ones: everyone views, registered users edit, a page's creator and
Admin delete, Admin scripts and administers.
"""

from __future__ import annotations

from enum import StrEnum

from wiki.errors import AccessDenied
from wiki.model import GUEST, SYSTEM, Document

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
        who = "Nobody is logged in, and a guest" if user == GUEST else user
        where = f" {document.reference}" if document else ""
        raise AccessDenied(f"{who} may not {right}{where}; it needs the {right} right")
