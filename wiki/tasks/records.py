"""The runs of tasks as their pages record them, for whoever shows them."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from wiki.api import Name, Wiki
from wiki.errors import DamagedPage, DocumentNotFound
from wiki.model import Document, Object
from wiki.references import Reference
from wiki.store.base import Condition, Query, Row
from wiki.tasks.names import RUN_CLASS, TASK_CLASS, Status


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run, as an object of ``TaskRunClass`` tells it. Dates have time zones."""

    task: Reference
    title: str
    number: int
    executor: str = ""
    starter: str = ""
    #: When the task became READY for it.
    queued: datetime | None = None
    started: datetime | None = None
    finished: datetime | None = None
    #: Empty while it runs.
    outcome: str = ""
    error: str = ""
    attempt: int = 1
    dry_run: bool = False
    #: By which its process is found.
    id: str = ""

    @property
    def seconds(self) -> float | None:
        """How long it ran; None where it has not ended, or nobody knows."""
        return _between(self.started, self.finished)

    @property
    def waited(self) -> float | None:
        """Seconds from READY to its start; None where nobody knows."""
        return _between(self.queued, self.started)


@dataclass(frozen=True, slots=True)
class Durations:
    """What some runs say together, in seconds."""

    count: int
    median: float
    p95: float

    @classmethod
    def of(cls, seconds: Iterable[float | None]) -> Durations | None:
        """None where none of them is known."""
        known = sorted(value for value in seconds if value is not None)
        if not known:
            return None
        position = min(len(known) - 1, -(-95 * len(known) // 100) - 1)
        return cls(len(known), statistics.median(known), known[position])


def runs_of(document: Document) -> list[RunRecord]:
    """The runs that the page records, the newest first."""
    found = [_record(document, obj) for obj in document.objects_of(RUN_CLASS)]
    return sorted(found, key=lambda run: run.number, reverse=True)


def runs_since(wiki: Wiki, since: datetime, space: str | None = None,
               limit: int = 1000) -> list[RunRecord]:
    """The runs that went on at ``since`` or after, the newest of the tasks that changed last
    first. ``limit`` is the most pages that are opened."""
    # A run's start and its end each save the page; one that has run since before is RUNNING.
    changed = Query(RUN_CLASS, (Condition("doc.updated", "ge", since),), ("-doc.updated",),
                    space or None, nested=True, limit=limit)
    running = Query(TASK_CLASS, (Condition("status", "eq", Status.RUNNING.value),), (),
                    space or None, nested=True, limit=limit)
    rows = {row.reference: row for query in (running, changed) for row in wiki.rows(query)}
    return [run for document in open_rows(wiki, rows.values()) for run in runs_of(document)
            if run.started and ((run.finished is None and not run.outcome)
                                or (run.finished or run.started) >= since)]


def executor_runs(wiki: Wiki, executor: Reference, limit: int) -> list[RunRecord]:
    """The newest runs of an executor, from the tasks that changed last."""
    query = Query(TASK_CLASS, (Condition("taskExecutor", "eq", str(executor)),),
                  ("-doc.updated",), limit=limit)
    found = [run for document in open_rows(wiki, wiki.rows(query)) for run in runs_of(document)
             if run.executor == str(executor)]
    return sorted(found, key=_when, reverse=True)[:limit]


def open_rows(wiki: Wiki, rows: Iterable[Row]) -> Iterator[Document]:
    """The pages of the index's rows, those left out that are gone or damaged meanwhile."""
    return open_pages(wiki, (row.reference for row in rows))


def open_pages(wiki: Wiki, names: Iterable[Name]) -> Iterator[Document]:
    """The pages of these names, those left out that are gone or damaged."""
    for name in names:
        try:
            yield wiki.get(name).record
        except (DocumentNotFound, DamagedPage):  # `wikimill check` lists damage
            continue


def in_words(seconds: float) -> str:
    """A duration for people: ``0.4 s``, ``12 s``, ``3 min 20 s``, ``1 h 02 min``."""
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 86400} d {whole % 86400 // 3600:02} h"


def moment(value: object) -> datetime | None:
    """A Date property's value with its time zone; None for what is none."""
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found if found.tzinfo else None


def _record(document: Document, obj: Object) -> RunRecord:
    values = obj.values
    return RunRecord(
        document.reference, document.display_title, _whole(values.get("number")),
        str(values.get("executor") or ""), str(values.get("startedBy") or ""),
        moment(values.get("queued")), moment(values.get("started")),
        moment(values.get("finished")), str(values.get("outcome") or ""),
        str(values.get("error") or ""), _whole(values.get("attempt")) or 1,
        bool(values.get("dryRun")), str(values.get("id") or ""))


def _whole(value: object) -> int:
    return int(value) if isinstance(value, int | float) else 0


def _between(first: datetime | None, last: datetime | None) -> float | None:
    return max(0.0, (last - first).total_seconds()) if first and last else None


def _when(run: RunRecord) -> float:
    return run.started.timestamp() if run.started else 0.0
