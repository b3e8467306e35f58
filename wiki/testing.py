"""Testing executors outside of a server::

    from wiki.testing import run_executor

    def test_every_row_becomes_a_page():
        result = run_executor("Executors.ImportCSV", pages=["pages"],
                              params={"targetSpace": "Books"},
                              attachments={"books.csv": b"name,year\\nDune,1965\\n"})
        assert result.outcome == "DONE", result.log
        assert result.wiki.get("Books.Dune").title == "Dune"

The script runs in the test's own process, on a wiki of its own in a temporary folder, with the
``logger``, ``wiki`` and ``task`` of a real run. Limits, and what a run's own process is good for,
are not there.
"""

from __future__ import annotations

import csv
import io
import shutil
import tempfile
import time
import uuid
import weakref
from collections.abc import Callable, Iterable, Mapping
from contextlib import chdir
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from wiki.api import OpenDocument, Wiki
from wiki.rights import ADMIN_USER
from wiki.secrets import Secrets
from wiki.store import Store, open_store
from wiki.store.shadow import ShadowStore
from wiki.tasks.executors import Executor, open_executor, parameter_class
from wiki.tasks.log import Logs, log_name
from wiki.tasks.logline import messages, parse_lines
from wiki.tasks.names import EXECUTOR_CLASS, TASK_CLASS, Outcome, Status
from wiki.tasks.rejected import DRY_FILENAME, FILENAME
from wiki.tasks.runs import Progress, Run, Runs
from wiki.tasks.scriptrun import ScriptRun
from wiki.tasks.streams import Streams
from wiki.transfer import import_pages

#: The class of the parameters where none is named: one without a definition.
PARAMETERS = "Testing.Parameters"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a run."""

    outcome: Outcome
    #: In a line; empty for a good end.
    error: str
    #: What ended the run, if anything was raised.
    exception: BaseException | None
    #: (level, message), in order.
    log: list[tuple[str, str]]
    progress: Progress
    #: The wiki after the run, with Admin's rights; of a dry run, as it would be. It is there as
    #: long as this result, or one that was made after it.
    wiki: Wiki
    #: The task's page after the run.
    task: OpenDocument
    #: The rows of ``rejected.csv``.
    rejected: list[dict[str, str]]
    _bench: Bench

    @property
    def text(self) -> str:
        """The log, a line for each message: ``INFO - read 3 rows``."""
        return "\n".join(f"{level} - {message}" for level, message in self.log)


class Bench:
    """A temporary folder with a wiki in it, for one run or several; removed when nothing needs
    it any more."""

    def __init__(self, data: Path | None) -> None:
        """``data``: a wiki that the runs see, without changing it."""
        self.folder = Path(tempfile.mkdtemp(prefix="wikimill-test-"))
        self.store = open_store(self.folder) if data is None else ShadowStore(
            open_store(data), self.folder / "shadow", uuid.uuid4().hex)
        self.wiki = Wiki(self.store, ADMIN_USER)
        self.runs = 0
        #: What a run that did not end well has left for the next.
        self.checkpoint = ""
        weakref.finalize(self, _remove, self.store, self.folder)


def _remove(store: Store, folder: Path) -> None:
    store.close()
    shutil.rmtree(folder, ignore_errors=True)


def run_executor(executor: str | Path, *, params: Mapping[str, Any] | None = None,
                 attachments: Mapping[str, bytes] | None = None,
                 pages: Iterable[str | Path] = (), setup: Callable[[Wiki], None] | None = None,
                 secrets: Mapping[str, str] | None = None, parameter_class: str = "",
                 task: str = "Tasks.Test", dry_run: bool = False,
                 data: str | Path | None = None, after: Result | None = None) -> Result:
    """Run an executor's script to its end.

    Args:
        executor: A Python file, the script itself, or the name of an executor's page.
        params: The values of the task's parameter object.
        attachments: The files of the task's page: name -> bytes.
        pages: Page files, or folders of them whose folders are spaces, put into the wiki first.
        setup: Called with the wiki before the run.
        secrets: What ``wiki.secret`` gives: name -> value.
        parameter_class: The class of the parameters, to have its defaults and validation; it
            must be among the pages. The executor's own where its page names one.
        task: The name of the task's page.
        dry_run: Whether the run works on a shadow of the wiki.
        data: The data directory of a wiki to work on. It stays as it is: a shadow takes what
            the run writes.
        after: An earlier result, to run again on the same wiki, as the task's next run.

    Raises WikiError where the run cannot begin; what the script raises is in the result.
    """
    bench = after._bench if after is not None else Bench(Path(data) if data else None)
    list(import_pages(bench.wiki, [Path(page) for page in pages]))
    if setup is not None:
        setup(bench.wiki)
    for name, value in (secrets or {}).items():
        Secrets(bench.folder / "secrets").set(name, value)
    chosen = _executor(bench.wiki, executor)
    _task(bench.wiki, task, str(chosen.reference), params, attachments or {},
          parameter_class or _parameter_class(bench.wiki, chosen))
    run = _new_run(bench, chosen, task, dry_run)
    return _run(bench, run)


def _executor(wiki: Wiki, executor: str | Path) -> Executor:
    """The executor, its page made where there is only a script."""
    name, script = str(executor), ""
    if name.endswith(".py"):
        name, script = f"Executors.{Path(name).stem}", Path(name).read_text(encoding="utf-8")
    elif "\n" in name:
        name, script = "Executors.Test", name
    if script:
        page = wiki.get_or_new(name)
        _put(page, EXECUTOR_CLASS, {"script": script})
        page.save()
    return open_executor(wiki, wiki.get(name).reference)


def _parameter_class(wiki: Wiki, executor: Executor) -> str:
    return parameter_class(wiki.get(executor.reference)) or PARAMETERS


def _task(wiki: Wiki, name: str, executor: str, params: Mapping[str, Any] | None,
          attachments: Mapping[str, bytes], parameter_class: str) -> None:
    page = wiki.get_or_new(name)
    _put(page, TASK_CLASS, {"taskExecutor": executor, "status": Status.RUNNING.value})
    if params is not None:
        _put(page, parameter_class, params)
    for filename, content in attachments.items():
        page.attach(filename, content)
    page.save()


def _put(page: OpenDocument, class_name: str, values: Mapping[str, Any]) -> None:
    """Set values of the page's first object of the class, or add one with them."""
    obj = page.object(class_name)
    if obj is None:
        page.add_object(class_name, **values)
    else:
        obj.update(**values)


def _new_run(bench: Bench, executor: Executor, task: str, dry_run: bool) -> Run:
    bench.runs += 1
    run = Run(id=uuid.uuid4().hex, task=task, number=bench.runs,
              executor=str(executor.reference), version=executor.version,
              author=executor.author, script=executor.script, started=time.time(),
              starter=ADMIN_USER, dry_run=dry_run)
    return replace(run, checkpoint=run.id if dry_run else bench.checkpoint or run.id)


def _run(bench: Bench, run: Run) -> Result:
    Runs(bench.folder / "runs").create(run)
    logs, name = Logs(bench.folder / "logs"), log_name(run.task)
    before = logs.size(name) if logs.exists(name) else 0
    script = ScriptRun(bench.folder, bench.store, run)
    outcome, error, exception = _call(script)
    if not run.dry_run:
        bench.checkpoint = "" if outcome is Outcome.DONE else run.checkpoint
    log: list[tuple[str, str]] = []
    if logs.exists(name):
        with logs.open_binary(name) as stream:
            stream.seek(before)
            log = [(item["level"], item["message"])
                   for item in messages(parse_lines(stream.read()))]
    wiki = bench.wiki
    if run.dry_run and script.wiki is not None:
        wiki = script.wiki.as_user(ADMIN_USER)
    page = bench.wiki.get(run.task)
    return Result(outcome, error, exception, log, script.progress.last, wiki, page,
                  _rejected(page, DRY_FILENAME if run.dry_run else FILENAME), bench)


def _call(script: ScriptRun) -> tuple[Outcome, str, BaseException | None]:
    streams = Streams(script.log)
    exception: BaseException | None = None
    outcome, error = Outcome.DONE, ""
    try:
        with chdir(script.workdir):
            script.call()
    except KeyboardInterrupt:
        raise
    except BaseException as failure:  # noqa: BLE001 - as in a run, all is an outcome
        exception = failure
        outcome, error = script.judge(failure)
    finally:
        streams.flush()
        streams.restore()
    outcome, error = script.conclude(outcome, error)
    if outcome is Outcome.DONE:
        script.forget()
    return outcome, error, exception


def _rejected(page: OpenDocument, filename: str) -> list[dict[str, str]]:
    if not any(item.filename == filename for item in page.attachments):
        return []
    text = page.attachment(filename).read().decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))
