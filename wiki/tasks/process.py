"""Inside a run: the process that a script lives in.

The keeper forks it (:mod:`wiki.tasks.keeper`); it compiles the script, calls
``run(logger, wiki, task)``, and writes the outcome once, from its own process only.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from wiki.store import Store
from wiki.tasks import limits
from wiki.tasks.cancellation import Cancellation, TaskCancelled
from wiki.tasks.names import Outcome
from wiki.tasks.runs import Run, Runs, read_json, write_json
from wiki.tasks.scriptrun import ScriptRun
from wiki.tasks.strays import MARK
from wiki.tasks.streams import Streams

#: How much a run yields to the server where both want the processor.
NICENESS = 5
PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


def isolate(keeper: int) -> None:
    """Make this process one of its own: session, signals, limits; it dies with its keeper."""
    os.setsid()
    if sys.platform == "linux":
        _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        with suppress(OSError):  # when memory runs out, this one goes first
            Path("/proc/self/oom_score_adj").write_text("500")
    if os.getppid() != keeper:
        os._exit(1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(NICENESS)


def execute(data: Path, store: Store, run: Run) -> NoReturn:
    """Run the script and write the outcome; ``store`` is the wiki's."""
    own = os.getpid()
    os.environ[MARK] = run.id
    script = ScriptRun(data, store, run)
    streams = Streams(script.log)
    signal.signal(signal.SIGTERM, lambda *_: _terminated(script.cancellation))
    outcome, error = Outcome.ERROR, ""
    try:
        outcome, error = _attempt(script, run)
    finally:
        try:
            limits.lift()
            streams.flush()
            if os.getpid() == own:
                _write_down(script, Runs(data / "runs").path(run.id), outcome, error)
        finally:
            os._exit(0)  # threads that the script left end here


def _write_down(script: ScriptRun, folder: Path, outcome: Outcome, error: str) -> None:
    """The outcome, once; what is remembered for a next run goes only after it."""
    if read_json(folder / "outcome.json") is not None:
        return
    script.progress.flush()
    write_json(folder / "outcome.json",
               {"outcome": outcome, "error": error, "ended": time.time()})
    if outcome is Outcome.DONE:
        script.forget()


def _attempt(script: ScriptRun, run: Run) -> tuple[Outcome, str]:
    """Run the script; whatever it raises becomes an outcome and a message in the log."""
    own = os.getpid()
    outcome, error = Outcome.DONE, ""
    try:
        limits.impose(run)
        os.chdir(script.workdir)
        script.call()
    except BaseException as failure:  # noqa: BLE001 - the boundary between a script and us
        if isinstance(failure, TaskCancelled):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        else:
            limits.lift()
        outcome, error = script.judge(failure)
    limits.lift()
    return script.conclude(outcome, error) if os.getpid() == own else (outcome, error)


def _terminated(cancellation: Cancellation) -> None:
    """SIGTERM: the end of a cancelled run, with its ``finally`` blocks; else as ever."""
    if cancellation.look():
        raise TaskCancelled
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTERM)
