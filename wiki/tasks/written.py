"""Which run stands behind an id that a page's version carries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wiki.api import Wiki
from wiki.model import SYSTEM
from wiki.references import Reference
from wiki.store.base import Condition, Query
from wiki.tasks.names import RUN_CLASS


@dataclass(frozen=True, slots=True)
class Writer:
    """A run: its task and number."""

    task: Reference
    number: int

    def __str__(self) -> str:
        return f"run {self.number} of {self.task}"


def writers(wiki: Wiki, ids: Iterable[str]) -> dict[str, Writer]:
    """The runs with these ids, as far as their tasks' pages record them still."""
    found = ((run, writer(wiki, run)) for run in dict.fromkeys(ids) if run)
    return {run: known for run, known in found if known is not None}


def writer(wiki: Wiki, run: str) -> Writer | None:
    """The run with this id, if its task's page records it still."""
    for row in wiki.rows(Query(RUN_CLASS, (Condition("id", "eq", run),), limit=1)):
        for record in wiki.get(row.reference).objects(RUN_CLASS):
            if record["id"] == run and isinstance(record["number"], int):
                return Writer(row.reference, record["number"])
    return None


def claimed_version(wiki: Wiki, task: Reference, number: int) -> str | None:
    """The task's version at the beginning of the run; None where it is not in its history."""
    comment = f"Run {number} started"
    return next((str(item.version) for item in wiki.get(task).revisions()
                 if item.comment == comment and item.author == SYSTEM), None)
