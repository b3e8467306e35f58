"""``/tasks/{ref}/runs``: how a task's runs went, what they changed, and taking one back."""

from __future__ import annotations

from typing import Any

from wiki.api import OpenDocument, OpenObject
from wiki.errors import NotFound
from wiki.tasks.names import RUN_CLASS, TASK_CLASS
from wiki.tasks.undo import Change, find_run
from wiki.web.rest import paging
from wiki.web.rest.context import site, user, wiki
from wiki.web.rest.routes import Operation


def list_runs(ref: str) -> dict[str, Any]:
    """The runs that the task's page records, the newest first."""
    size, start = paging.limit(), paging.offset()
    records = task_page(ref).objects(RUN_CLASS)[::-1][start:start + size + 1]
    return paging.page_of([run_to_json(record) for record in records], start, size)


def get_run(ref: str, number: int) -> dict[str, Any]:
    """A run, with the number of pages that it touched, by kind."""
    task = task_page(ref)
    record = find_run(task, number)
    with site().undo.changes(task.reference, record, user()) as changes:
        kinds = changes.kinds() if changes else None
    return {**run_to_json(record), "touched": kinds}


def list_run_pages(ref: str, number: int) -> dict[str, Any]:
    """The pages that a run touched, or a dry run would touch, by reference."""
    task = task_page(ref)
    size, after = paging.limit(), paging.decode_cursor("after", str) or ""
    with site().undo.changes(task.reference, find_run(task, number), user()) as changes:
        if changes is None:
            raise NotFound(f"what the dry run {number} of {task.reference} would touch is not "
                           "kept any more")
        rows = changes.page(after, size + 1)
        items = [change_to_json(changes.judge(row)) for row in rows[:size]]
    return {"items": items, "next_cursor": paging.encode_cursor(
        "after", str(rows[size - 1].reference)) if len(rows) > size else None}


def undo_run(ref: str, number: int) -> dict[str, Any]:
    """Put back what the run changed, but for pages that others changed since."""
    done = site().undo.undo(task_page(ref).reference, number, user())
    return {"back": done.back, "kept": done.kept,
            "named": [change_to_json(change) for change in done.named]}


def task_page(ref: str) -> OpenDocument:
    """Raises NotFound where the page is no task."""
    task = wiki().get(ref)
    if task.object(TASK_CLASS) is None:
        raise NotFound(f"{task.reference} is no task: it has no object of {TASK_CLASS}")
    return task


def run_to_json(record: OpenObject) -> dict[str, Any]:
    """The values of the run's object."""
    return dict(record.values)


def change_to_json(change: Change) -> dict[str, Any]:
    """A page that a run touched; ``state`` is open, back or kept."""
    page = change.touched
    return {"reference": str(page.reference), "kind": page.kind,
            "before": str(page.before) if page.before else None,
            "after": str(page.after) if page.after else None,
            "origin": str(page.origin) if page.origin else None,
            "state": str(change.state), "reason": change.reason}


OPERATIONS = (
    Operation("GET", "/tasks/<ref>/runs", list_runs, "The runs of a task, the newest first",
              ("limit", "cursor"), answer="RunList"),
    Operation("GET", "/tasks/<ref>/runs/<int:number>", get_run, "A run of a task", answer="Run"),
    Operation("GET", "/tasks/<ref>/runs/<int:number>/pages", list_run_pages,
              "The pages that a run touched", ("limit", "cursor"), answer="RunPageList"),
    Operation("POST", "/tasks/<ref>/runs/<int:number>/undo", undo_run, "Take a run back",
              answer="Undone"),
)
