"""Telling people and programs of the end of a run: what a task's ``notify`` asks for.

A message is kept in the outbox when the run's end has been recorded, and delivered by a thread
of the server, again and again at growing intervals until it gets through or is given up.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from wiki.api import OpenDocument, Wiki
from wiki.model import Document
from wiki.settings import Settings
from wiki.store.base import Condition, Query
from wiki.tasks.delivery import NotDelivered, deliver, is_mail, is_web, shown
from wiki.tasks.names import RUN_CLASS, TASK_CLASS, Outcome, Status
from wiki.tasks.outbox import Message, Outbox
from wiki.tasks.records import moment, open_rows
from wiki.tasks.runs import Ending, Run

#: Seconds after each failed delivery; past the last one it is given up.
INTERVALS = (10, 60, 300, 1800, 7200, 6 * 3600, 24 * 3600)
#: Seconds after which the thread looks for messages that another process has kept.
LOOK = 15.0
#: Seconds that the end of the server waits for a delivery.
ENDS_WITHIN = 2.0
#: How far back a start looks for ends whose message a crash has lost.
CATCH_UP = timedelta(hours=1)
_TOLD = ("number", "id", "executor", "executorVersion", "startedBy", "started", "finished",
         "outcome", "error", "progress", "attempt", "dryRun", "ok", "skipped", "failed")

Log = Callable[[str, str], None]


class Notifier:
    """Keeps what is to be told, and delivers it. ``log`` takes a level and a line."""

    def __init__(self, wiki: Wiki, settings: Settings, data: Path, log: Log) -> None:
        self._wiki = wiki
        self._settings = settings
        self._log = log
        self.outbox = Outbox(data / "outbox.sqlite")
        self._news = threading.Condition()
        self._closed = False
        self._woken = False
        self._thread: threading.Thread | None = None

    # -- keeping ---------------------------------------------------------------------------

    def ended(self, sender: object, *, run: Run, ending: Ending, page: OpenDocument) -> None:
        """Keep a message for each address that wants to hear of this end: a listener of
        :attr:`wiki.tasks.ends.Ends.ended`."""
        self.keep(page.record, run.id, time.time())

    def keep(self, page: Document, run_id: str, now: float) -> None:
        """Keep what the page's task wants to have told of the run, once."""
        targets = self._targets(page, run_id)
        if targets and self.outbox.add(run_id, targets, self._body(page, run_id), now):
            self._wake()

    def _targets(self, page: Document, run_id: str) -> list[str]:
        task, run = page.object(TASK_CLASS), _run(page, run_id)
        if task is None or not run or not _is_told(task.values.get("notifyWhen"), run):
            return []
        given = str(task.values.get("notify") or "").replace(",", " ").split()
        good = [target for target in given if is_mail(target) or is_web(target)]
        for target in given:
            if target not in good:
                self._log("WARN", f"{page.reference}: notify: {target!r} is neither a mail "
                                  "address nor an http or https address")
        return good

    def _body(self, page: Document, run_id: str) -> str:
        run = _run(page, run_id)
        base = self._settings.base_url.rstrip("/")
        task = page.object(TASK_CLASS)
        return json.dumps({
            "type": "task.ended", "task": str(page.reference), "title": page.display_title,
            "url": f"{base}/{quote(str(page.reference), safe='')}" if base else "",
            "status": task.values.get("status") if task else None,
            "run": {name: run.get(name) for name in _TOLD}})

    def catch_up(self, now: datetime) -> None:
        """Keep the messages about ends that were recorded just before a crash."""
        since = now - CATCH_UP
        recent = Query(TASK_CLASS, (Condition("notify", "ne", ""),
                                    Condition("doc.updated", "ge", since)))
        for page in open_rows(self._wiki, self._wiki.rows(recent)):
            for run in page.objects_of(RUN_CLASS)[-1:]:
                finished = moment(run.values.get("finished"))
                if finished and finished >= since:
                    self.keep(page, str(run.values.get("id")), now.timestamp())

    # -- delivering ------------------------------------------------------------------------

    def deliver_due(self, now: float) -> int:
        """Deliver all messages that are due; returns how many were tried."""
        tried = 0
        while not self._closed and (message := self.outbox.claim(now)) is not None:
            self._deliver(message, now)
            tried += 1
        return tried

    def _deliver(self, message: Message, now: float) -> None:
        try:
            deliver(message, self._settings, now)
        except NotDelivered as error:
            self._failed(message, error, now)
        else:
            self.outbox.settle(message)

    def _failed(self, message: Message, error: NotDelivered, now: float) -> None:
        task = json.loads(message.body)["task"]
        line = f"{task}: {shown(message.target)} could not be notified: {error}"
        if error.final or message.attempts > len(INTERVALS):
            self.outbox.settle(message, str(error))
            self._log("ERROR", f"{line}; given up after attempt {message.attempts}")
            return
        wait = INTERVALS[message.attempts - 1]
        self.outbox.settle(message, str(error), now + wait)
        self._log("WARN", f"{line}; tried again in {wait} s")

    # -- the thread ------------------------------------------------------------------------

    def start(self) -> None:
        """Start the thread that delivers."""
        self._thread = threading.Thread(target=self._run, name="notifier", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread, after the delivery that goes on; one that takes longer than
        :data:`ENDS_WITHIN` is left behind, and made anew when its lease is over."""
        with self._news:
            self._closed = True
            self._news.notify_all()
        if self._thread is not None:
            self._thread.join(ENDS_WITHIN)

    def _run(self) -> None:
        self._guarded(lambda: self.catch_up(datetime.now(UTC)))
        while not self._closed:
            self._guarded(lambda: self.deliver_due(time.time()))
            self._rest()

    def _guarded(self, act: Callable[[], Any]) -> None:
        try:
            act()
        except Exception as error:  # noqa: BLE001 - the thread must go on; the log says why
            self._log("ERROR", f"Notifying: {type(error).__name__}: {error}")

    def _rest(self) -> None:
        """Sleep until a message is due, or another process may have kept one."""
        try:
            due = self.outbox.next_due()
        except sqlite3.Error:  # the next delivery says what is wrong with it
            due = None
        wait = LOOK if due is None else min(LOOK, max(0.1, due - time.time()))
        with self._news:
            self._news.wait_for(lambda: self._closed or self._woken, wait)
            self._woken = False

    def _wake(self) -> None:
        with self._news:
            self._woken = True
            self._news.notify_all()


def _run(page: Document, run_id: str) -> dict[str, Any]:
    """The values of the run's object; empty where the page has it no more."""
    return next((dict(run.values) for run in page.objects_of(RUN_CLASS)
                 if run.values.get("id") == run_id), {})


def _is_told(when: object, run: dict[str, Any]) -> bool:
    """Of errors always, but for those after which it is tried again; of the rest on demand."""
    if when == "end":
        return True
    outcome = str(run.get("outcome") or "")
    failed = outcome in list(Outcome) and Outcome(outcome).status is Status.ERROR
    return failed and not run.get("retryAt")
