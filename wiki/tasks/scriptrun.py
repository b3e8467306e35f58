"""One run of a script in this process: what it is given, its call, and what is said at its end."""

from __future__ import annotations

from pathlib import Path

from wiki.api import Wiki
from wiki.errors import TaskError, TaskFailed
from wiki.store import Store
from wiki.tasks import limits
from wiki.tasks.api import Task
from wiki.tasks.cancellation import Cancellation, TaskCancelled
from wiki.tasks.checkpoint import Checkpoint
from wiki.tasks.executors import parameter_class
from wiki.tasks.items import Items
from wiki.tasks.logger import TaskLogger
from wiki.tasks.modules import load_script
from wiki.tasks.names import Outcome
from wiki.tasks.progressfile import ProgressFile
from wiki.tasks.rejected import Rejected
from wiki.tasks.runlog import open_run_log
from wiki.tasks.runs import Run, Runs
from wiki.tasks.runwiki import RunWiki, open_wiki
from wiki.tasks.tracebacks import describe, one_line


class ScriptRun:
    """A run of the wiki in ``data``, whose folder there is."""

    def __init__(self, data: Path, store: Store, run: Run) -> None:
        """``store``: the wiki's."""
        self._data = data
        self._store = store
        self._run = run
        self._folder = Runs(data / "runs").path(run.id)
        self.log = open_run_log(data, run)
        self.cancellation = Cancellation(self._folder / "cancel")
        self.progress = ProgressFile(self._folder / "progress.json", run.started, self.log.masks)
        self._logger = TaskLogger(self.log, self.progress, self.cancellation)
        #: There once the script was called.
        self.wiki: RunWiki | None = None
        self._items: Items | None = None

    @property
    def workdir(self) -> Path:
        """The working directory of the script."""
        return self._folder / "work"

    def call(self) -> None:
        """Load the script and call its function ``run``; raises what that raises."""
        run = self._run
        self.wiki = open_wiki(self._data, self._store, run, self.log)
        read: set[str] = set()
        checkpoint = Checkpoint(self.wiki, run, self._logger, self.progress, read)
        rejected = Rejected(self._folder, self.log.masks, read, run)
        self._items = Items(self.wiki, self._logger, self.progress, rejected, checkpoint)
        task = Task(self.wiki.get(run.task), self._logger, self.progress, self.cancellation,
                    self._items, self.workdir, read, run.dry_run,
                    parameter_class(self.wiki.get_or_new(run.executor)))
        function = getattr(load_script(run.executor, run.script), "run", None)
        if not callable(function):
            raise TaskError(f"{run.executor} defines no function run(logger, wiki, task)")
        function(self._logger, self.wiki, task)

    def judge(self, error: BaseException) -> tuple[Outcome, str]:
        """What a run has come to that raised this, and its error in a line; the log gets it."""
        if isinstance(error, TaskCancelled):
            return Outcome.CANCELLED, ""
        if isinstance(error, SystemExit):
            return self._left(error)
        self.log.append("ERROR", describe(error))
        text = limits.reached_by(self._run, error) or one_line(error)
        return Outcome.ERROR, self.log.masks.hide(text)

    def _left(self, error: SystemExit) -> tuple[Outcome, str]:
        """``sys.exit()`` and ``sys.exit(0)`` are a good end, as everywhere; others are not."""
        if error.code is None or (isinstance(error.code, int) and error.code == 0):
            self.log.append("INFO", "The script ended itself with sys.exit()")
            return Outcome.DONE, ""
        message = self.log.masks.hide(
            f"The script ended itself with sys.exit({error.code!r:.200})")
        self.log.append("ERROR", f"{message}\n{describe(error)}")
        return Outcome.ERROR, message

    def conclude(self, outcome: Outcome, error: str) -> tuple[Outcome, str]:
        """Make durable what waits for that, and report the items that failed. Returns how the
        run has ended, which is worse where this cannot be done."""
        if self._items is None:
            return outcome, error
        done = outcome is Outcome.DONE
        try:
            # The report is no part of the work: whoever takes that back keeps it.
            self._items.report(Wiki(self._store, self._run.author), self._run.task, done)
        except TaskCancelled:
            return Outcome.CANCELLED, ""
        except Exception as failure:  # noqa: BLE001 - the run's outcome must not get lost
            text = failure if isinstance(failure, TaskFailed) else (
                f"the items that failed could not be reported: {one_line(failure)}")
            self.log.append("ERROR", str(text))
            return (Outcome.ERROR, self.log.masks.hide(str(text))) if done else (outcome, error)
        return outcome, error

    def forget(self) -> None:
        """After the end of a run that ended well was written down: the next one begins anew."""
        if self._items is not None:
            self._items.checkpoint.clear()
