"""Processes that a run has left behind whose keeper was killed.

While the keeper lives, it ends them. Where it is killed, the script's process dies with it, and
what the script started falls to the fork server, which kills it. Where that is killed too, they
are found here: by the session that the script's process led, and by the run's id in their
environment (``RUN_ID``).
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

#: The environment variable that marks what a run starts.
MARK = "RUN_ID"
#: How often it looks anew: what it kills may just have started another one.
ROUNDS = 5
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    """A process: its number, its session, and when it started, in ticks since the machine did."""

    pid: int
    session: int
    started: int


def find(pid: int) -> Process | None:
    """The live process of this number; None where there is none, or the system does not tell."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
        return None if fields[0] in "ZX" else Process(pid, int(fields[3]), int(fields[19]))
    except (OSError, IndexError, ValueError):
        return None


def kill_strays(run_id: str, leader: Process | None) -> None:
    """Kill what is left of a run; ``leader`` is what the script's process was."""
    for _ in range(ROUNDS):
        strays = [process for process in _all() if _belongs(process, run_id, leader)]
        if not strays:
            return
        for process in strays:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process.pid, signal.SIGKILL)


def _all() -> list[Process]:
    try:
        pids = [int(name) for name in os.listdir(_PROC) if name.isdigit()]
    except OSError:
        return []
    return [process for process in map(find, pids) if process and process.pid != os.getpid()]


def _belongs(process: Process, run_id: str, leader: Process | None) -> bool:
    if _is_marked(process.pid, run_id):
        return True
    if leader is None or process.session != leader.pid or process.started < leader.started:
        return False
    # A number is given anew only once its session is gone: then another process leads it.
    leads = find(leader.pid)
    return leads is None or leads == leader


def _is_marked(pid: int, run_id: str) -> bool:
    try:
        environment = (_PROC / str(pid) / "environ").read_bytes()
    except OSError:  # another user's, or it has ended
        return False
    return f"{MARK}={run_id}".encode() in environment.split(b"\0")
