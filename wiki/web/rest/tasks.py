"""``/tasks`` and ``/manager``: what runs, and what is to run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from flask import request
from werkzeug.exceptions import BadRequest

from wiki.errors import DamagedPage, DocumentNotFound, NotFound
from wiki.model import Document
from wiki.references import Reference
from wiki.rights import Right
from wiki.tasks.log import log_name
from wiki.tasks.names import RUN_CLASS, TASK_CLASS, Status
from wiki.web.rest import json, paging
from wiki.web.rest.context import site, user, wiki
from wiki.web.rest.routes import Operation


def list_tasks() -> dict[str, Any]:
    """Tasks, those that run first, then by name and full name, and how many there are of each
    status in the whole wiki."""
    size, start = paging.limit(), paging.offset()
    status = request.args.get("status") or None
    if status is not None and status not in list(Status):
        raise BadRequest(f"status: {status[:40]!r} is none; there are " + ", ".join(Status))
    manager = site().manager
    found = manager.references(status, request.args.get("space") or None, size + 1, start)
    answer = paging.page_of(list(found), start, size)
    items, running = [], manager.running()
    for name in answer["items"]:
        try:
            items.append(task_to_json(wiki().get(name).record, running))
        except (DocumentNotFound, DamagedPage):  # deleted just now; `check` lists damage
            continue
    return {**answer, "items": items, "counts": manager.counts()}


def get_task(ref: str) -> dict[str, Any]:
    """A task with its progress, its last run, and why it has not started."""
    return task_to_json(task(ref))


def ready_task(ref: str) -> dict[str, Any]:
    """Let the manager start the task."""
    name = task(ref).reference
    site().manager.ready(name, user())
    return get_task(str(name))


def suspend_task(ref: str) -> dict[str, Any]:
    """Let the manager leave the task alone."""
    name = task(ref).reference
    site().manager.suspend(name, user())
    return get_task(str(name))


def cancel_task(ref: str) -> dict[str, Any]:
    """Ask for the end of the task's run; it ends SUSPENDED soon after."""
    name = task(ref).reference
    site().manager.cancel(name, user())
    return get_task(str(name))


def invoke_manager() -> dict[str, Any]:
    """One invocation of the manager; says what it did."""
    wiki().require(Right.EDIT)
    done = site().manager.invoke()
    return {"started": _name(done.started),
            "skipped": {str(ref): str(why) for ref, why in done.skipped.items()},
            "recovered": [str(ref) for ref in done.recovered], "running": done.running,
            "message": done.message}


def task(ref: str) -> Document:
    """The page of a task; raises NotFound where it is none."""
    document = wiki().get(ref).record
    if document.object(TASK_CLASS) is None:
        raise NotFound(f"{document.reference} is no task: it has no object of {TASK_CLASS}")
    return document


def task_to_json(document: Document, alive: Sequence[str] | None = None) -> dict[str, Any]:
    """The task as its page and its run say; ``alive`` is what :meth:`Manager.running` gave."""
    obj = document.object(TASK_CLASS)
    values = obj.values if obj else {}
    runs = document.objects_of(RUN_CLASS)
    running = values.get("status") == Status.RUNNING
    manager = site().manager
    progress = manager.progress(document.reference) if running else None
    beat = manager.heartbeat(document.reference) if running else None
    waiting = manager.why(document.reference, alive)
    return {"reference": str(document.reference), "title": document.display_title,
            "status": values.get("status"), "executor": values.get("taskExecutor"),
            "version": str(document.version), "log": log_name(document.reference),
            "progress": progress.as_dict() if progress else None,
            "last_sign_of_life": beat.isoformat(timespec="milliseconds") if beat else None,
            "waiting": asdict(waiting) if waiting else None,
            "last_run": json.object_to_json(runs[-1])["properties"] if runs else None}


def _name(ref: Reference | str | None) -> str | None:
    return None if ref is None else str(ref)


OPERATIONS = (
    Operation("GET", "/tasks", list_tasks, "Tasks, those that run first, then by name",
              ("status", "space", "limit", "cursor"), answer="TaskList"),
    Operation("GET", "/tasks/<ref>", get_task,
              "A task with its progress, its last run, and why it has not started",
              answer="Task"),
    Operation("POST", "/tasks/<ref>/ready", ready_task, "Let the manager start the task",
              answer="Task"),
    Operation("POST", "/tasks/<ref>/suspend", suspend_task, "Let the manager leave it alone",
              answer="Task"),
    Operation("POST", "/tasks/<ref>/cancel", cancel_task, "Ask for the end of its run",
              answer="Task"),
    Operation("POST", "/manager/invoke", invoke_manager, "One invocation of the manager",
              answer="Invocation"),
)
