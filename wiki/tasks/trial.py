"""Trying a script before it is saved: a hidden task in the space ``Scratch``, run as a dry run.

The script as it is typed goes on a draft of its executor, one for each executor and user, which
the next trial writes over. The ordinary manager runs it, with the executor's own limits, on a
shadow of the wiki. What a trial leaves is deleted by the same user's later trials.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from wiki.api import Name, OpenDocument, Wiki, make_query
from wiki.errors import Conflict, DocumentNotFound, LogNotFound, NotFound
from wiki.references import Reference
from wiki.rights import Right
from wiki.tasks.log import Logs, log_name
from wiki.tasks.names import EXECUTOR_CLASS, TASK_CLASS, Status
from wiki.tasks.starting import Files, Starter

SPACE = "Scratch"
#: How long a trial can be looked at.
KEPT = timedelta(days=7)
#: A page's name has at most 255 bytes, and a task's name gets the time added to the draft's.
MOST_BYTES = 150


class Trials:
    """Tries scripts as a user, who must hold the script right."""

    def __init__(self, wiki: Wiki, starter: Starter, logs: Logs) -> None:
        self._wiki = wiki
        self._starter = starter
        self._logs = logs

    def begin(self, user: str, executor: Name, script: str,
              params: Mapping[str, Any] | None = None, files: Files = (), *,
              like: Name | None = None) -> Reference:
        """Make the task that runs the script in place of the executor's; returns its name.

        Parameters and files are those of the task ``like`` unless ``params`` and ``files`` say
        otherwise. Raises AccessDenied without the script right, and what
        :meth:`wiki.tasks.starting.Starter.start` raises.
        """
        page = self._starter.look_up(user, executor)
        self._wiki.as_user(user).require(Right.SCRIPT, page)
        self._tidy(user)
        draft = self._draft(user, page, script)
        return self._starter.start(user, draft, params, files, title=f"Try of {_title(page)}",
                                   dry_run=True, like=like, trial=True)

    def origin(self, task: OpenDocument) -> Reference | None:
        """The executor that the page is a trial of; None where it is no trial."""
        obj = task.object(TASK_CLASS)
        if obj is None or task.reference.space != SPACE or not obj.get("taskExecutor"):
            return None
        try:
            draft = self._wiki.get(Reference.parse(str(obj["taskExecutor"]), task.reference))
        except DocumentNotFound:
            return None
        return Reference.parse(draft.parent) if draft.parent else None

    def _draft(self, user: str, page: OpenDocument, script: str) -> Reference:
        """Write the executor's draft, with the script, signed by the user."""
        wiki = self._wiki.as_user(user)
        draft = wiki.get_or_new(draft_name(user, page.reference))
        # Whatever else somebody has put on the draft goes: the user signs all that runs on it.
        draft.record = replace(
            draft.record, hidden=True, objects=(), parent=str(page.reference),
            title=f"Draft of {_title(page)}", content=f"What {user} last tried in place of the "
            f"script of [[{page.reference}]]. The next trial writes over it.")
        draft.add_object(EXECUTOR_CLASS, **_values(page, script))
        expected = None if draft.is_new else draft.record.version
        return wiki.save(draft.record, expected, comment=f"A trial of {page.reference}",
                         vouch=True).reference

    def _tidy(self, user: str) -> None:
        """Delete the user's trials of long ago, with their logs."""
        for task in list(self._old(user)):
            try:
                task.delete()
            except (Conflict, NotFound):  # somebody is at work on it
                continue
            try:
                self._logs.remove(self._logs.archive(log_name(task.reference)))
            except LogNotFound:  # it never ran
                continue

    def _old(self, user: str) -> Iterator[OpenDocument]:
        before = (datetime.now(UTC) - KEPT).isoformat()
        found = make_query(TASK_CLASS, {"doc.creator": user, "doc.updated__lt": before},
                           (), None, 0, SPACE)
        for row in self._wiki.as_user(user).rows(found):
            task = self._wiki.as_user(user).get(row.reference)
            obj = task.object(TASK_CLASS)
            if obj is not None and obj["status"] not in (Status.READY, Status.RUNNING):
                yield task


def draft_name(user: str, executor: Reference) -> Reference:
    """The page of the user's draft of the executor."""
    stem = "-".join((*executor.spaces, executor.name, Reference.parse(user).name))
    return Reference((SPACE,), stem.encode()[-MOST_BYTES:].decode(errors="ignore"))


def _title(page: OpenDocument) -> str:
    return str(page.title or page.reference.name)


def _values(page: OpenDocument, script: str) -> dict[str, Any]:
    """What the draft has of the executor: limits and parameters, not its script."""
    record = page.record.object(EXECUTOR_CLASS)
    return {**(record.values if record else {}), "script": script, "taskSpace": SPACE}
