"""Measure the task manager: ``python -m bench.queue [tasks]``; prints medians of an invocation.

Nothing runs: a runner that only takes note stands in, so that what is measured is the manager's
own part, its two durable saves a run included. Each line is measured with few READY tasks and
with many, and gives the ratio.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from wiki.api import Wiki
from wiki.model import SYSTEM, Document, Object
from wiki.references import Reference
from wiki.store import Store, open_store
from wiki.tasks.log import Logs
from wiki.tasks.manager import Manager
from wiki.tasks.names import EXECUTOR_CLASS, TASK_CLASS, Outcome
from wiki.tasks.runner import ignore
from wiki.tasks.runs import Ending, Progress, Run

FEW, MANY = 100, 100_000
ROUNDS = 51
GOOD = "def run(logger, wiki, task):\n    pass\n"
#: What holds all tasks back, by name: their values.
WAITING: dict[str, dict[str, Any]] = {
    "parked: their executor is broken": {"taskExecutor": "Executors.Broken"},
    "parked: not before next year": {"notBefore": "2999-01-01T00:00:00Z"},
    "parked: after a task that is SUSPENDED": {"after": ["Other.First"]},
    "parked: their group is full": {"group": "g"},
}


class Notebook:
    """A runner that runs nothing."""

    def __init__(self) -> None:
        self.on_end: Callable[[str], None] = ignore
        self.runs: dict[str, Run] = {}
        self.ended: set[str] = set()

    def start(self, run: Run) -> None:
        self.runs[run.id] = run

    def end(self) -> None:
        """All that run end."""
        for run_id in list(self.runs):
            self.ended.add(run_id)
            self.on_end(run_id)

    def alive(self, run_id: str) -> bool:
        return run_id in self.runs and run_id not in self.ended

    def heartbeat(self, run_id: str) -> float | None:
        return None

    def cancel(self, run_id: str) -> None:
        self.ended.add(run_id)

    def progress(self, run_id: str) -> Progress | None:
        return None

    def ending(self, run_id: str) -> Ending:
        return Ending(Outcome.DONE, ended=time.time())

    def load(self, run_id: str) -> Run | None:
        return self.runs.get(run_id)

    def ids(self) -> Iterator[str]:
        return iter(list(self.runs))

    def forget(self, run_id: str) -> None:
        self.runs.pop(run_id, None)

    def close(self, patience: float = 0.0) -> None:
        pass


def page(name: str, class_name: str, **values: Any) -> Document:
    now = datetime.now(UTC)
    return Document(Reference.parse(name), creator=SYSTEM, author=SYSTEM, script_author=SYSTEM,
                    created=now, updated=now, objects=(Object(class_name, 0, values),))


def fill(store: Store, number: int, **values: Any) -> None:
    store.save(page("Executors.Good", EXECUTOR_CLASS, script=GOOD), None)
    store.save(page("Executors.Broken", EXECUTOR_CLASS, script="def run(:"), None)
    store.save(page("Other.First", TASK_CLASS, status="SUSPENDED"), None)
    store.save(page("Other.Running", TASK_CLASS, status="READY", group="g", priority=9,
                    taskExecutor="Executors.Good"), None)
    with store.batch():
        for task in range(number):
            store.save(page(f"Tasks.T{task:06}", TASK_CLASS, **{
                "status": "READY", "taskExecutor": "Executors.Good", **values}), None)


def milliseconds(action: Callable[[], object]) -> float:
    begin = time.perf_counter()
    action()
    return 1000 * (time.perf_counter() - begin)


def measure(number: int, waiting: bool, values: dict[str, Any]) -> tuple[float, float, float]:
    """Medians of an invocation and of the end of a run, in ms, and the first invocation, which
    takes all tasks in, in s. Where the tasks wait, one other task runs all the time."""
    with tempfile.TemporaryDirectory() as directory:
        data = Path(directory)
        store, runner = open_store(data), Notebook()
        manager = Manager(Wiki(store), Logs(data / "logs"), runner, data)
        fill(store, number, **values)
        first = milliseconds(manager.invoke) / 1000
        manager.limit = lambda: 2  # type: ignore[method-assign]
        invocations, ends = [], []
        for _ in range(ROUNDS):
            if not waiting:
                ends.append(milliseconds(runner.end))
            invocations.append(milliseconds(manager.invoke))
        manager.close()
        store.close()
    return median(invocations), median(ends or [0.0]), first


def line(label: str, few: float, many: float, unit: str = "ms") -> None:
    print(f"  {label:<46} {few:>8.2f} {many:>8.2f} {unit}  ratio {many / few:.2f}", flush=True)


def main() -> None:
    many = int(sys.argv[1]) if len(sys.argv) > 1 else MANY
    print(f"An invocation with {FEW:,} and with {many:,} READY tasks:")
    results = [measure(number, False, {}) for number in (FEW, many)]
    line("candidates: starts one", results[0][0], results[1][0])
    line("the end of a run, recorded", results[0][1], results[1][1])
    line("the first one, which takes all in", results[0][2], results[1][2], "s ")
    for label, values in WAITING.items():
        line(label, *(measure(number, True, values)[0] for number in (FEW, many)))


if __name__ == "__main__":
    main()
