"""Inside a run: the process that a script lives in.

The keeper forks it (:mod:`wiki.tasks.keeper`); it compiles the script, calls
``run(logger, wiki, task)``, and writes the outcome once, from its own process only.
"""

from __future__ import annotations

import ctypes
import io
import linecache
import logging
import os
import resource
import signal
import sys
import time
import traceback
import types
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import wiki as package
from wiki.api import OpenDocument, Wiki
from wiki.errors import TaskError, WikiError
from wiki.rights import Right, allows
from wiki.store import open_store
from wiki.tasks.api import (
    Cancellation,
    ProgressFile,
    RunLog,
    Task,
    TaskCancelled,
    TaskLogger,
    level_name,
)
from wiki.tasks.log import Logs, format_message, log_name
from wiki.tasks.names import Outcome
from wiki.tasks.runs import Run, Runs, read_json, write_json
from wiki.tasks.wake import Waker

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

ENGINE = str(Path(package.__file__).parent) + os.sep
#: The module that a script is, so that dataclasses and pickle find its classes.
MODULE = "wiki_executor"
#: A line that a script prints is cut into pieces of this size.
MAX_LINE = 64 * 1024
#: How much a run yields to the server where both want the processor.
NICENESS = 5
PR_SET_PDEATHSIG = 1


def isolate(keeper: int) -> None:
    """Make this process one of its own: session, signals, limits; it dies with its keeper."""
    os.setsid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        with suppress(OSError):  # when memory runs out, this one goes first
            Path("/proc/self/oom_score_adj").write_text("500")
    if os.getppid() != keeper:
        os._exit(1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(NICENESS)


def execute(data: Path, run: Run) -> None:
    """Run the script and write the outcome; never returns."""
    own = os.getpid()
    runs = Runs(data / "runs")
    folder = runs.path(run.id)
    log = RunLog(Logs(data / "logs"), log_name(run.task), run.log_limit)
    cancellation = Cancellation(folder / "cancel")
    progress = ProgressFile(folder / "progress.json", run.started)
    redirect(log)
    signal.signal(signal.SIGTERM, lambda *_: _terminated(cancellation))
    outcome, error = Outcome.ERROR, ""
    try:
        outcome, error = _attempt(data, run, folder, log, progress, cancellation)
    finally:
        _flush()
        if os.getpid() == own and read_json(folder / "outcome.json") is None:
            progress.flush()
            write_json(folder / "outcome.json",
                       {"outcome": outcome, "error": error, "ended": time.time()})
        os._exit(0)  # threads that the script left end here


def _attempt(data: Path, run: Run, folder: Path, log: RunLog, progress: ProgressFile,
             cancellation: Cancellation) -> tuple[Outcome, str]:
    """Run the script; whatever it raises becomes an outcome and a message in the log."""
    logger = TaskLogger(log, progress, cancellation, describe)
    try:
        limit_memory(run.memory_limit)
        _call(data, run, folder, logger, cancellation)
    except TaskCancelled:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        return Outcome.CANCELLED, ""
    except SystemExit as error:
        return _left(error, log)
    except BaseException as error:  # noqa: BLE001 - the boundary between a script and us
        limit_memory(None)
        log.append("ERROR", describe(error))
        return Outcome.ERROR, one_line(error)
    return Outcome.DONE, ""


def _call(data: Path, run: Run, folder: Path, logger: TaskLogger,
          cancellation: Cancellation) -> None:
    os.chdir(folder / "work")
    wiki = Wiki(open_store(data), run.author)
    wiki.signer = signer(wiki.get(run.task), run.author)
    waker = Waker(data)
    waker.watch(wiki)
    task = Task(wiki.get(run.task), logger, cancellation, folder / "work")
    module = load_script(run.executor, run.script)
    function = getattr(module, "run", None)
    if not callable(function):
        raise TaskError(f"{run.executor} defines no function run(logger, wiki, task)")
    function(logger, wiki, task)


def signer(task: OpenDocument, author: str) -> str:
    """Who signs the text and the scripts that a run writes.

    It is the executor's script author only if everybody who saved the task holds the script
    right too: a task's parameters and files may end up in what the run writes, and would
    otherwise run with rights that whoever gave them does not hold.
    """
    savers = (revision.author for revision in task.revisions())
    return next((saver for saver in savers if not allows(saver, Right.SCRIPT)), author)


def load_script(name: str, script: str) -> types.ModuleType:
    """Execute the script as a module whose tracebacks show its lines under its page's name."""
    linecache.cache[name] = (len(script), None, script.splitlines(keepends=True), name)
    module = types.ModuleType(MODULE)
    module.__file__ = name
    sys.modules[MODULE] = module
    exec(compile(script, name, "exec", dont_inherit=True), module.__dict__)
    return module


def _left(error: SystemExit, log: RunLog) -> tuple[Outcome, str]:
    """``sys.exit()`` and ``sys.exit(0)`` are a good end, as everywhere; others are not."""
    if error.code is None or (isinstance(error.code, int) and error.code == 0):
        log.append("INFO", "The script ended itself with sys.exit()")
        return Outcome.DONE, ""
    message = f"The script ended itself with sys.exit({error.code!r:.200})"
    log.append("ERROR", f"{message}\n{describe(error)}")
    return Outcome.ERROR, message


def _terminated(cancellation: Cancellation) -> None:
    """SIGTERM: the end of a cancelled run, with its ``finally`` blocks; else as ever."""
    if cancellation.look():
        raise TaskCancelled
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTERM)


def limit_memory(megabytes: float | None) -> None:
    """Let the process take so much memory, or as much as there is."""
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    soft = hard if megabytes is None else int(megabytes * 1_000_000)
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


# -- tracebacks ----------------------------------------------------------------------------


def describe(error: BaseException) -> str:
    """The traceback, with the script's lines and without those of the engine."""
    try:
        report = traceback.TracebackException.from_exception(error)
        _leave_out_engine(report)
        return "".join(report.format()).rstrip("\n")
    except Exception as failure:  # noqa: BLE001 - an exception whose own str() raises
        return f"{type(error).__name__} (which cannot be shown: {type(failure).__name__})"


def one_line(error: BaseException) -> str:
    """``ValueError: wrong``, short enough for a property."""
    try:
        text = "".join(traceback.format_exception_only(type(error), error)).strip()
    except Exception:  # noqa: BLE001 - an exception whose own str() raises
        text = type(error).__name__
    # The module that the script runs as is ours; its user knows the class by its name.
    return (text.splitlines() or [""])[-1].removeprefix(f"{MODULE}.")[:500]


def _leave_out_engine(report: traceback.TracebackException) -> None:
    pending: list[traceback.TracebackException | None] = [report]
    while pending:
        part = pending.pop()
        if part is None:
            continue
        kept = [frame for frame in part.stack if not frame.filename.startswith(ENGINE)]
        part.stack = traceback.StackSummary.from_list(kept)
        pending += [part.__cause__, part.__context__, *(part.exceptions or ())]


# -- output --------------------------------------------------------------------------------


class LineWriter:
    """Turns output into log lines, each with a header of its own."""

    def __init__(self, log: RunLog, level: str) -> None:
        self._log = log
        self._level = level
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Log the lines that are whole now."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        while len(self._rest) > MAX_LINE:
            lines.append(self._rest[:MAX_LINE])
            self._rest = self._rest[MAX_LINE:]
        self._write(lines)

    def close(self) -> None:
        """Log what is left of the last line."""
        if self._rest:
            self._write([self._rest])
            self._rest = b""

    def _write(self, lines: list[bytes]) -> None:
        if lines and not self._log.full:
            self._log.write(b"".join(
                format_message(self._level, line.rstrip(b"\r").decode(errors="replace"))
                for line in lines))


class LogStream(io.RawIOBase):
    """``sys.stdout`` of a script, at the bottom: in order with what the logger writes."""

    def __init__(self, log: RunLog, level: str, descriptor: int) -> None:
        self._lines = LineWriter(log, level)
        self._descriptor = descriptor

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def write(self, data: ReadableBuffer, /) -> int:
        raw = bytes(data)
        self._lines.feed(raw)
        return len(raw)

    def finish(self) -> None:
        """Log an unfinished line."""
        self._lines.close()


class LogHandler(logging.Handler):
    """What a script, or a library that it uses, logs with ``logging``."""

    def __init__(self, log: RunLog) -> None:
        super().__init__(logging.INFO)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
            if record.exc_info and record.exc_info[1]:
                message += "\n" + describe(record.exc_info[1])
            self._log.append(level_name(record.levelno), message)
        except Exception:  # noqa: BLE001 - as in every handler of logging
            self.handleError(record)


_streams: list[tuple[TextIO, LogStream]] = []


def redirect(log: RunLog) -> None:
    """Send ``print``, ``sys.stderr`` and ``logging`` to the log."""
    sys.stdout = _text_stream(LogStream(log, "OUT", 1))
    sys.stderr = _text_stream(LogStream(log, "ERR", 2))
    root = logging.getLogger()
    root.handlers[:] = [LogHandler(log)]
    root.setLevel(logging.INFO)


def _text_stream(raw: LogStream) -> TextIO:
    stream = io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8",
                              errors="backslashreplace", line_buffering=True)
    _streams.append((stream, raw))
    return stream


def _flush() -> None:
    for stream, raw in _streams:
        with suppress(OSError, ValueError, WikiError):  # the script may have closed it
            stream.flush()
        with suppress(OSError, WikiError):
            raw.finish()
