"""Bringing the queue up to date with the pages: what was saved since the last time, by whom ever.

Which gate a task stands at is found out here, once for each change of its page or of what it
waits for, and not at each invocation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import islice

from wiki.api import OpenDocument, Wiki
from wiki.errors import DamagedPage, DocumentNotFound
from wiki.model import Document
from wiki.references import Reference
from wiki.store.base import ChangedPage, Condition, Query
from wiki.tasks.executors import BadExecutor, Executor, executor_name, open_executor
from wiki.tasks.names import EXECUTOR_CLASS, RUN_CLASS, TASK_CLASS, Status
from wiki.tasks.obstacles import (
    BAD,
    EXECUTOR,
    MANY_SAVES,
    MISSING,
    RUNNING,
    TASK,
    TROUBLE,
    Obstacles,
    Waits,
    group_gate,
    rank,
    retry_at,
)
from wiki.tasks.queue import Entry, Queue, kind

#: After so many seconds trouble with a page and a broken executor are looked at again: a full
#: disk, a package that is missing and a right tell nobody when they change.
AGAIN = 60.0
#: How many tasks are taken in together.
PART = 500
_CLASSES = (TASK_CLASS, EXECUTOR_CLASS)

Warn = Callable[[str], None]


class Intake:
    """Needs the manager's lock."""

    def __init__(self, wiki: Wiki, queue: Queue, obstacles: Obstacles, warn: Warn) -> None:
        self._wiki = wiki
        self._queue = queue
        self._obstacles = obstacles
        self._warn = warn

    def catch_up(self, now: float) -> None:
        """Take in all that was saved, and what the clock lets through."""
        with self._queue.changing():
            self._queue.free_due(now)
            executor = self._queue.stale_executor(now, AGAIN)
            if executor is not None:
                self._look_again(Reference.parse(executor))
        more = True
        while more:
            since = self._wiki.changes_since(self._queue.mark, _CLASSES)
            if since.anew:
                self._build(now)
            if since.anew or since.pages:
                with self._queue.changing():
                    self._take(since.pages, now)
                    self._queue.mark = since.mark
            more = since.more

    def place(self, task: OpenDocument, now: float,
              groups: Mapping[str, list[str]] | None = None) -> Executor | None:
        """Let the READY task stand where it belongs; its executor, if nothing holds it back."""
        entry = self._entry(task)
        try:
            executor = self._obstacles.check(task, now, groups)
        except Waits as obstacle:
            self._hold(task, entry, obstacle)
            return None
        self._queue.place(entry)
        return executor

    def hold_for_trouble(self, task: OpenDocument | Reference, reason: str, now: float) -> None:
        """Its page cannot be read or saved: leave it alone for a while."""
        obstacle = Waits(reason, TROUBLE, now + AGAIN)
        if isinstance(task, OpenDocument):
            self._hold(task, self._entry(task), obstacle)
        elif (entry := self._queue.get(task)) is not None:
            self._hold(None, entry, obstacle)

    # -- what has changed ------------------------------------------------------------------

    def _build(self, now: float) -> None:
        """In parts, so that whoever asks the queue meanwhile need not wait for all of it."""
        with self._queue.changing():
            self._queue.clear()
        for status in (Status.RUNNING, Status.READY):
            rows = self._wiki.rows(Query(TASK_CLASS, (Condition("status", "eq", status.value),)))
            while part := list(islice(rows, PART)):
                with self._queue.changing():
                    for row in part:
                        self._look_at_task(row.reference, self._open(row.reference), now)

    def _take(self, pages: Iterable[ChangedPage], now: float) -> None:
        others = [str(page.reference) for page in pages if not page.fits]
        known = self._queue.knows(others) if others else set()
        for page in pages:
            if page.fits or str(page.reference) in known:
                self._look(page.reference, now)

    def _look(self, name: Reference, now: float) -> None:
        """The page has changed: what does that mean for the queue?"""
        page = self._open(name)
        status = self._look_at_task(name, page, now)
        self._queue.set_open(f"{TASK}:{name}", status == Status.DONE)
        if status:
            self._queue.free(f"{MISSING}:{name}")
        if self._queue.is_executor(str(name)):
            self._look_at_executor(name)

    def _look_at_task(self, name: Reference, page: OpenDocument | None, now: float) -> str:
        """Take the task in or out; returns its status, empty where the page is no task."""
        obj = page.object(TASK_CLASS) if page else None
        status = str(obj.get("status", "")) if obj else ""
        if page is None or status not in (Status.READY, Status.RUNNING):
            self._queue.remove(name)
        elif status == Status.READY:
            self.place(page, now)
        else:
            self._queue.place(Entry(str(name), rank(page), name.name, RUNNING))
        return status

    def _look_again(self, name: Reference) -> None:
        """A broken executor has not changed: is it still broken as it was?"""
        try:
            open_executor(self._wiki, name)
        except BadExecutor as error:
            if not self._queue.noted(f"{EXECUTOR}:{name}", f"{error.version} {error}"):
                self._look_at_executor(name)
        else:
            self._look_at_executor(name)

    def _look_at_executor(self, name: Reference) -> None:
        try:
            open_executor(self._wiki, name)
        except BadExecutor as error:
            held = self._queue.close_executor(str(name), str(error))
            if self._queue.note(f"{EXECUTOR}:{name}", f"{error.version} {error}"):
                self._warn(f"READY tasks that cannot start: {held}. {error}")
        else:
            self._queue.open_executor(str(name))
            self._queue.forget(f"{EXECUTOR}:{name}")

    def _open(self, name: Reference) -> OpenDocument | None:
        try:
            return self._wiki.get(name)
        except DocumentNotFound:
            return None
        except DamagedPage as error:
            if self._queue.note(f"{PAGE_NOTE} {name}", str(error)):
                self._warn(f"{name} cannot be read: {error}")
            return None

    # -- entries ---------------------------------------------------------------------------

    def _entry(self, task: OpenDocument) -> Entry:
        """The task as it stands where nothing holds it back."""
        name = str(task.reference)
        entry = Entry(name, rank(task), task.reference.name, group_gate(task),
                      executor=_executor(task), version=str(task.version))
        before = self._queue.get(name)
        if before is None or before.gate == RUNNING:
            return _since(entry, task, task.record)
        entry = replace(entry, queued=before.queued, starter=before.starter, warned=before.warned)
        if before.version == entry.version:
            return entry
        saves = self._obstacles.ready_saves(task)
        return entry if len(saves) in (0, MANY_SAVES) else _since(entry, task, saves[-1])

    def _hold(self, task: OpenDocument | None, entry: Entry, obstacle: Waits) -> None:
        """Let it stand at its obstacle's gate; warn of what does not go away by itself."""
        signature = f"{task.version if task else ''} {obstacle.version} {obstacle}"
        bad = kind(obstacle.gate) in BAD
        if bad and signature != entry.warned:
            self._warn(f"{entry.reference} is skipped: {obstacle}")
            entry = replace(entry, warned=signature)
            if kind(obstacle.gate) == EXECUTOR:
                self._queue.note(obstacle.gate, f"{obstacle.version} {obstacle}")
        self._queue.place(replace(entry, gate=obstacle.gate, until=obstacle.until,
                                  reason=str(obstacle)))


#: Before a page's name in a note.
PAGE_NOTE = "page"


def _executor(task: OpenDocument) -> str:
    try:
        return str(executor_name(task))
    except BadExecutor:  # named in the task's obstacle
        return ""


def _since(entry: Entry, task: OpenDocument, saved: Document) -> Entry:
    """The entry of a task that was set READY by a save; where the manager tries it anew by
    itself, whoever had set it READY before counts as having done so."""
    starter = task.objects(RUN_CLASS)[-1]["startedBy"] if retry_at(task) else saved.author
    return replace(entry, queued=saved.updated.isoformat(), starter=str(starter or ""))
