"""Limits of a run: setting them in its process, and what to say when one is reached."""

from __future__ import annotations

import errno
import math
import os
import resource
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from wiki.tasks.runs import Run

MEGABYTE = 1_000_000
#: A run that has used up its processor time is told; so many seconds of it later it is killed.
CPU_MARGIN = 5
#: The most files that a measurement of a folder looks at.
MAX_ENTRIES = 100_000


class ProcessorLimit(BaseException):
    """The run has used up its processor time.

    Not an ``Exception``, so that a script's ``except Exception`` lets it through.
    """


def impose(run: Run) -> None:
    """Limit this process as the run says, up to :func:`lift`."""
    _limit(resource.RLIMIT_AS, int((run.memory_limit or 0) * MEGABYTE))
    _limit(resource.RLIMIT_NOFILE, int(run.file_limit or 0))
    if run.cpu_limit:
        signal.signal(signal.SIGXCPU, _processor_limit)
        soft = max(1, math.ceil(time.process_time() + run.cpu_limit))
        resource.setrlimit(resource.RLIMIT_CPU, (soft, soft + CPU_MARGIN))


def lift() -> None:
    """Take away the limits that would keep the engine from writing down the end."""
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    _limit(resource.RLIMIT_AS, 0)
    _limit(resource.RLIMIT_NOFILE, 0)


def _limit(kind: int, soft: int) -> None:
    """Set a soft limit, as far as the hard one lets; 0 is none."""
    hard = resource.getrlimit(kind)[1]
    possible = soft and (hard == resource.RLIM_INFINITY or soft < hard)
    resource.setrlimit(kind, (soft if possible else hard, hard))


def _processor_limit(*_: object) -> None:
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)  # it comes every second from now on
    raise ProcessorLimit


def reached_by(run: Run, error: BaseException) -> str:
    """Which limit made a script raise this, in words; ``""`` for none."""
    for cause in _causes(error):
        if isinstance(cause, ProcessorLimit):
            return _processor(run)
        if isinstance(cause, MemoryError) and run.memory_limit:
            return f"the memory limit of {run.memory_limit:g} MB was reached"
        if isinstance(cause, OSError) and cause.errno == errno.EMFILE and run.file_limit:
            return f"the limit of {run.file_limit} open files was reached"
    return ""


def reached_at(run: Run, status: int, cpu: float) -> str:
    """Which limit killed a process, in words; ``""`` for none. ``status`` is what ``wait`` said,
    ``cpu`` the seconds of processor time that the process took."""
    if not run.cpu_limit or not os.WIFSIGNALED(status):
        return ""
    killed = os.WTERMSIG(status) == signal.SIGKILL and cpu >= run.cpu_limit + CPU_MARGIN - 1
    return _processor(run) if killed or os.WTERMSIG(status) == signal.SIGXCPU else ""


def _processor(run: Run) -> str:
    return f"the processor limit of {run.cpu_limit:g} s was reached"


def time_reached(run: Run) -> str:
    """What to say of a run that took too long."""
    return f"the time limit of {run.time_limit:g} s was reached"


def disk_reached(run: Run) -> str:
    """What to say of a run whose working directory is too large."""
    return f"the disk limit of {run.disk_limit:g} MB was reached"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception and those that led to it."""
    seen: set[int] = set()
    pending: BaseException | None = error
    while pending is not None and id(pending) not in seen:
        seen.add(id(pending))
        yield pending
        pending = pending.__cause__ or pending.__context__


def folder_size(folder: Path, enough: int) -> int:
    """How many bytes of disk the files below take; stops counting past ``enough`` bytes, or
    :data:`MAX_ENTRIES` files. Links are not followed, and what vanishes meanwhile is left out."""
    total = seen = 0
    pending = [str(folder)]
    while pending and total <= enough and seen < MAX_ENTRIES:
        try:
            entries = list(os.scandir(pending.pop()))
        except OSError:
            continue
        for entry in entries:
            seen += 1
            try:
                total += entry.stat(follow_symlinks=False).st_blocks * 512
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
            except OSError:
                continue
    return total
