"""Runs as they lie on disk: what is to run, how far it is, how it ended.

Each run has a folder ``<data>/runs/<id>`` with these files:

* ``run.json``: what runs, written before it starts.
* ``lock``: held by the run's keeper for as long as the run lives, and freed by the operating
  system when that dies. Whether a run lives is told by this lock alone. Its time is the last
  sign of life, and it says which process the script's is, so that what that leaves is found.
* ``progress.json``: how far it is, written by the run's process.
* ``cancel``: is there once somebody asked for the run's end; it says so where it was the
  server, which stops.
* ``outcome.json``: written once by the run's own process when ``run`` has ended.
* ``barred``: is there where its end is recorded though no keeper told of it; it may not start
  any more.
* ``exit.json``: written by the keeper when the process has ended, before it frees the lock.
* ``secrets.json``: the names of the secrets that it has fetched, whose values no log shows.
* ``rejected.jsonl``, ``rejected.csv``: its items that failed.
* ``work/``: the working directory of the script.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wiki.errors import TaskError
from wiki.store.lock import is_locked
from wiki.tasks.names import Outcome
from wiki.tasks.strays import Process, kill_strays

#: What the file ``cancel`` says where it was the server that asked.
STOPPING = "the server stops"


@dataclass(frozen=True, slots=True)
class Run:
    """What is to run: all that its process needs to know."""

    id: str
    task: str
    number: int
    executor: str
    version: str
    #: The script author of the executor, as whom the script acts.
    author: str
    script: str
    #: When it started: seconds since 1970.
    started: float
    time_limit: float | None = None
    #: In megabytes.
    memory_limit: float | None = None
    #: In megabytes.
    log_limit: float | None = None
    #: Seconds of processor time, of each of its processes.
    cpu_limit: float | None = None
    #: Files that are open at once.
    file_limit: int | None = None
    #: In megabytes, in its working directory.
    disk_limit: float | None = None
    #: Who set the task READY.
    starter: str = ""
    #: 1, or more where a failed task is tried anew.
    attempt: int = 1
    #: Whether it works on a shadow of the wiki.
    dry_run: bool = False
    #: Which list of done items it goes by: its own id, or that of a run that did not end.
    checkpoint: str = ""
    #: Python packages that its script needs, a line each.
    requirements: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. ``total`` is None where nobody knows; times are seconds since 1970."""

    done: float
    total: float | None = None
    message: str = ""
    started: float = 0.0
    updated: float = 0.0
    #: The steps that it is in, the outermost first.
    steps: tuple[str, ...] = ()
    #: Items by outcome.
    ok: int = 0
    skipped: int = 0
    failed: int = 0

    @property
    def percent(self) -> float | None:
        """From 0 to 100, or None where there is no total."""
        if not self.total or self.total < 0:
            return None
        return max(0.0, min(100.0, 100.0 * self.done / self.total))

    @property
    def elapsed(self) -> float:
        """Seconds from the start to the last news."""
        return max(0.0, self.updated - self.started)

    @property
    def remaining(self) -> float | None:
        """Seconds that are left at the speed so far, or None where that cannot be told."""
        percent = self.percent
        return self.elapsed * (100.0 - percent) / percent if percent else None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "percent": self.percent, "elapsed": self.elapsed,
                "remaining": self.remaining}

    def __str__(self) -> str:
        percent = self.percent
        parts = [f"{self.done:g}" if self.total is None else f"{self.done:g} of {self.total:g}"]
        if percent is not None:
            parts.append(f"({percent:.0f} %)")
        return " ".join(parts) + (f" {self.message}" if self.message else "")


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended, what to say about it, and when."""

    outcome: Outcome
    error: str = ""
    progress: Progress | None = None
    ended: float | None = None


class Runs:
    """The folder of all runs."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def path(self, run_id: str) -> Path:
        """The folder of a run; raises TaskError for what can be no run's id."""
        if not is_run_id(run_id):
            raise TaskError(f"{run_id!r} is not the id of a run")
        return self.directory / run_id

    def create(self, run: Run) -> Path:
        """Write down what is to run."""
        path = self.path(run.id)
        path.mkdir()
        (path / "work").mkdir()
        (path / "run.json").write_text(json.dumps(asdict(run)), encoding="utf-8")
        return path

    def load(self, run_id: str) -> Run | None:
        """What runs; None where nobody knows any more."""
        data = read_json(self.path(run_id) / "run.json")
        return Run(**data) if data else None

    def ids(self) -> Iterator[str]:
        """The ids of all runs that have a folder."""
        for path in sorted(self.directory.iterdir()):
            if path.is_dir() and path.name.isalnum():
                yield path.name

    def alive(self, run_id: str) -> bool:
        """Whether something holds the run's lock."""
        return is_run_id(run_id) and is_locked(self.path(run_id) / "lock")

    def wait(self, run_id: str) -> None:
        """Until nothing holds the run's lock any more."""
        try:
            descriptor = os.open(self.path(run_id) / "lock", os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        finally:
            os.close(descriptor)

    def heartbeat(self, run_id: str) -> float | None:
        """When the run last gave a sign of life, in seconds since 1970; None where it has not
        started. It gives none while its script is halted by a signal."""
        try:
            return (self.path(run_id) / "lock").stat().st_mtime
        except (FileNotFoundError, TaskError):
            return None

    def cancel(self, run_id: str) -> None:
        """Ask for the run's end, from whichever process."""
        with suppress(FileNotFoundError):  # it has ended, and was put away
            (self.path(run_id) / "cancel").touch()

    def ask_to_stop(self, run_id: str) -> None:
        """Ask for the run's end because the server stops, unless somebody cancelled it."""
        with suppress(FileExistsError), (self.path(run_id) / "cancel").open("x") as stream:
            stream.write(STOPPING)

    def is_cancelled(self, run_id: str) -> bool:
        """Whether a person, or a script, asked for the run's end."""
        try:
            return (self.path(run_id) / "cancel").read_text() != STOPPING
        except FileNotFoundError:
            return False

    def withdraw(self, run_id: str) -> None:
        """See that a run which has not started does not do so later."""
        self.cancel(run_id)
        (self.path(run_id) / "run.json").unlink(missing_ok=True)

    def bar(self, run_id: str) -> None:
        """See that a run whose end nobody told does not start later: whoever starts one looks
        for this after it has taken the lock, so that one of the two sees the other."""
        path = self.path(run_id)
        if path.is_dir() and not (path / "exit.json").exists():
            with suppress(FileNotFoundError):
                (path / "barred").touch()

    def is_barred(self, run_id: str) -> bool:
        """Whether the run may not start any more."""
        return (self.path(run_id) / "barred").exists()

    def progress(self, run_id: str) -> Progress | None:
        """How far the run is; None while it has not said."""
        data = read_json(self.path(run_id) / "progress.json")
        return Progress(**{**data, "steps": tuple(data.get("steps", ()))}) if data else None

    def ending(self, run_id: str) -> Ending:
        """How a run ended that lives no more."""
        path = self.path(run_id)
        progress = self.progress(run_id)
        outcome = read_json(path / "outcome.json") or {}
        left = read_json(path / "exit.json") or {}
        kind, error = _judge(outcome, left, (path / "cancel").exists()
                             and not self.is_cancelled(run_id))
        return Ending(kind, error, progress, left.get("ended") or outcome.get("ended"))

    def kill_strays(self, run_id: str) -> None:
        """Where the keeper was killed: kill what the script has left."""
        path = self.path(run_id)
        if path.is_dir() and not (path / "exit.json").exists():
            leader = read_json(path / "lock")
            kill_strays(run_id, Process(**leader) if leader else None)

    def remove(self, run_id: str) -> None:
        """Put the run's folder away, with what its script left in its working directory."""
        path = self.path(run_id)
        try:  # as it mostly is, in a tenth of the time
            (path / "work").rmdir()
            for name in os.listdir(path):
                (path / name).unlink()
            path.rmdir()
        except OSError:
            shutil.rmtree(path, ignore_errors=True)


def is_run_id(text: str) -> bool:
    """Whether this can be a run's id: ASCII letters and digits, so that a path is safe."""
    return text.isascii() and text.isalnum()


def _judge(outcome: Mapping[str, Any], left: Mapping[str, Any],
           asked_to_stop: bool) -> tuple[Outcome, str]:
    if left.get("cancelled"):
        return Outcome.CANCELLED, str(outcome.get("error", ""))
    if outcome.get("outcome") != Outcome.DONE and (asked_to_stop or left.get("stopped")):
        return Outcome.INTERRUPTED, "interrupted: the server was stopped"
    if outcome:
        return Outcome(outcome["outcome"]), str(outcome.get("error", ""))
    if left.get("limit"):
        return Outcome.ERROR, str(left["limit"])
    if left:
        return Outcome.ERROR, describe_exit(int(left["status"]))
    return Outcome.INTERRUPTED, "interrupted: the server went away while it ran"


def describe_exit(status: int) -> str:
    """What a process that gave no outcome ended with, from what ``waitpid`` said."""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return (f"the process ended with exit code {code} before run() returned; "
                "os._exit or a crash ends it so")
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = "; the system does so when memory runs out" if name == "SIGKILL" else ""
    return f"the process was killed by {name}{hint}"


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write the file in one step, so that no reader sees a part of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        with open(descriptor, "w", encoding="utf-8") as stream:
            json.dump(data, stream)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    temporary.replace(path)


def read_json(path: Path) -> dict[str, Any] | None:
    """The file's object; None where there is none, or it is damaged."""
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) else None


def timestamp(moment: float) -> str:
    """A moment as a Date property has it."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
