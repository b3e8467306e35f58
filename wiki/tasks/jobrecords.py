"""What came of jobs, and requests to run one: files in ``<data>/jobs``.

``records.json`` is written by the scheduler that runs the jobs, and read by every process.
``requests/`` holds a file for each run that somebody asked for; the scheduler takes them.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from wiki.tasks.runs import read_json, write_json

#: The longest message that a record keeps, in characters.
MAX_TEXT = 500


@dataclass(frozen=True, slots=True)
class Record:
    """The last run of a job, and when it is due next (UTC).

    ``outcome`` is ``DONE``, ``ERROR``, ``RUNNING`` or, where it never ran, empty; ``timing``
    is the schedule that ``next_run`` was reckoned by.
    """

    timing: str = ""
    next_run: datetime | None = None
    last_run: datetime | None = None
    outcome: str = ""
    message: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {"timing": self.timing, "next_run": _text(self.next_run),
                "last_run": _text(self.last_run), "outcome": self.outcome,
                "message": self.message}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Record:
        """The record as it was written; what is damaged counts as never written."""
        return cls(str(data.get("timing", "")), _date(data.get("next_run")),
                   _date(data.get("last_run")), str(data.get("outcome", "")),
                   str(data.get("message", "")))


@dataclass(frozen=True, slots=True)
class Request:
    """Somebody asked for a run of a job."""

    job: str
    user: str


class JobRecords:
    """The files; safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "records.json"
        self._requests = folder / "requests"
        self._lock = threading.Lock()
        self._requests.mkdir(parents=True, exist_ok=True)

    def get(self, job: str) -> Record:
        """The job's record, an empty one where there is none."""
        data = (read_json(self._path) or {}).get(job)
        return Record.from_dict(data) if isinstance(data, dict) else Record()

    def change(self, job: str, **changes: Any) -> None:
        """Keep these fields of the job's record; raises OSError."""
        with self._lock:
            data = read_json(self._path) or {}
            old = data.get(job)
            record = Record.from_dict(old) if isinstance(old, dict) else Record()
            if "message" in changes:
                changes["message"] = changes["message"][:MAX_TEXT]
            data[job] = replace(record, **changes).as_dict()
            write_json(self._path, data)

    def interrupt(self) -> None:
        """Close the runs that another scheduler was in when it ended; raises OSError."""
        with self._lock:
            data = read_json(self._path) or {}
            opened = [name for name, record in data.items() if record.get("outcome") == "RUNNING"]
            for name in opened:
                data[name] |= {"outcome": "ERROR", "message": "the server ended meanwhile"}
            if opened:
                write_json(self._path, data)

    def keep_only(self, jobs: set[str]) -> None:
        """Forget all others: their pages are gone."""
        with self._lock:
            data = read_json(self._path) or {}
            if data.keys() - jobs:
                write_json(self._path, {name: data[name] for name in data if name in jobs})

    def request(self, job: str, user: str) -> None:
        """Ask the scheduler, in whatever process, to run the job; raises OSError."""
        write_json(self._requests / f"{uuid.uuid4().hex}.json", {"job": job, "user": user})

    def take_requests(self) -> Iterator[Request]:
        """The requests so far; each is given once."""
        for path in sorted(self._requests.glob("*.json")):
            data = read_json(path)
            path.unlink()
            if data is not None:
                yield Request(str(data.get("job", "")), str(data.get("user", "")))


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="milliseconds")


def _date(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else None
