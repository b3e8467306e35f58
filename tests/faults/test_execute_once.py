"""Work is done once: server, fork server, keepers and scripts are killed at random, over and over,
and what the tasks did is counted.

``SOAK_ROUNDS`` makes it go on for longer (``make soak``), ``SOAK_SEED`` repeats a run.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from conftest import Server, until
from test_server_kill import call

from wiki.tasks.names import Status
from wiki.tasks.runs import Runs

ROUNDS = int(os.environ.get("SOAK_ROUNDS", "4"))
SEED = int(os.environ.get("SOAK_SEED", "20261124"))
#: Tasks that are set READY in each round.
BATCH = 6
AT_ONCE = 3
#: A task may say RUNNING for so long while no process runs it and the server answers, in
#: seconds; it takes 1.6 s on two cores with ten processes that want them.
NOTICED_WITHIN = 6.0
#: How long all tasks may take in the end, a task, in seconds.
ENDS_WITHIN = 3.0
#: Notes in one file, durably, when it starts and when it ends.
SCRIPT = """
import os, time
def run(logger, wiki, task):
    def note(word):
        file = os.open({path!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, f"{{word}} {{task.reference}} {{time.monotonic_ns()}}\\n".encode())
        os.fsync(file)
        os.close(file)
    note("start")
    time.sleep(0.15)
    note("end")
"""


@dataclass
class Chaos:
    """The server, and what kills parts of it."""

    server: Server
    chance: random.Random
    work: Path

    def make_ready(self, round_: int) -> list[str]:
        """Make tasks and set them READY; returns those whose READY was acknowledged."""
        names = [f"Once.T{round_:04d}x{number}" for number in range(BATCH)]
        for name in names:
            call(self.server, "PUT", f"/pages/{name}", {"objects": [
                {"class": "TaskExecutorCode.TaskClass", "number": 0, "properties": {
                    "taskExecutor": "Executors.Once", "status": "READY"}}]})
        return names

    def strike(self) -> None:
        """Kill something, at a random moment."""
        time.sleep(self.chance.uniform(0.0, 0.4))  # the moment of the kill
        kind = self.chance.choice(["script", "keeper", "fork server", "worker", "server", "all"])
        if kind in ("server", "all"):
            self._kill_server(kind == "all")
            return
        victims = processes(self.server)[kind]
        if victims:
            kill(self.chance.choice(victims))

    def _kill_server(self, all_: bool) -> None:
        """The server's own group, or all that descends from it too, at the same time."""
        found = processes(self.server)
        self.server.kill()
        if all_:
            for pid in (*found["fork server"], *found["keeper"]):
                kill(pid)
        self.server.start()

    def statuses(self) -> dict[str, str]:
        """Every task's status."""
        found, cursor = {}, ""
        while cursor is not None:
            page = call(self.server, "GET", f"/tasks?limit=100&cursor={cursor}")
            found.update({item["reference"]: item["status"] for item in page["items"]
                          if item["reference"].startswith("Once.")})
            cursor = page["next_cursor"]
        return found

    def none_is_stale(self) -> bool:
        """Whether a process runs each task that says RUNNING."""
        runs = Runs(self.server.data / "runs")
        living = {run.task for run in map(runs.load, filter(runs.alive, runs.ids())) if run}
        running = {name for name, status in self.statuses().items() if status == Status.RUNNING}
        return running <= living

    def settled(self, names: list[str]) -> bool:
        """Whether all have ended. The list of tasks is no snapshot: one that starts while it is
        made may be missing."""
        statuses = self.statuses()
        return set(names) <= set(statuses) and not (
            {Status.READY, Status.RUNNING} & set(statuses.values()))


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):  # it has just ended by itself
        os.kill(pid, signal.SIGKILL)


def children(pid: int) -> list[int]:
    try:
        return [int(child) for child in
                Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def processes(server: Server) -> dict[str, list[int]]:
    """The processes below the server by what they are, those in reserve included."""
    assert server.process is not None
    # The main thread's children only: the fork server may be another thread's.
    workers = children(server.process.pid)
    below = [int(path.name) for path in Path("/proc").glob("[0-9]*")
             if parent(int(path.name)) in workers]
    forks = [pid for pid in below if "wiki.tasks.forkserver" in command(pid)]
    keepers = [keeper for fork in forks for keeper in children(fork)]
    scripts = [script for keeper in keepers for script in children(keeper)]
    return {"worker": workers, "fork server": forks, "keeper": keepers, "script": scripts}


def parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def test_no_work_is_done_twice_or_lost_whatever_is_killed(
        server: Server, tmp_path: Path) -> None:
    chaos = Chaos(server, random.Random(SEED), tmp_path / "work")
    chaos.work.touch()
    set_up(chaos)
    names: list[str] = []
    for round_ in range(ROUNDS):
        names += chaos.make_ready(round_)
        chaos.strike()
        until(server.answers, 60, "the server does not come back")
        until(chaos.none_is_stale, NOTICED_WITHIN, "a task stays RUNNING without a process")
        assert_each_ran_once(chaos)
    until(partial(chaos.settled, names), ENDS_WITHIN * len(names),
          f"tasks are lost, or RUNNING without a process; the data is in {server.data}")
    assert_all_is_told(chaos, names)
    print(f"{ROUNDS} rounds, {len(names)} tasks, seed {SEED}: "
          f"{dict(Counter(chaos.statuses().values()))}")


def set_up(chaos: Chaos) -> None:
    call(chaos.server, "PUT", "/pages/Executors.Once", {"objects": [
        {"class": "TaskExecutorCode.TaskExecutorClass", "number": 0,
         "properties": {"name": "Once", "script": SCRIPT.format(path=str(chaos.work))}}]})
    call(chaos.server, "PATCH", "/pages/TaskExecutorCode.TaskExecutorManagerJobConfiguration"
         "/objects/TaskExecutorCode.TaskExecutorManagerJobConfigurationClass/0",
         {"properties": {"maxConcurrentTasks": AT_ONCE}})


def notes(chaos: Chaos) -> list[tuple[str, str, int]]:
    """What the tasks noted: word, task, and when."""
    lines = [line.split() for line in chaos.work.read_text().splitlines()]
    return [(word, name, int(when)) for word, name, when in lines]


def assert_each_ran_once(chaos: Chaos) -> None:
    starts = Counter(name for word, name, _ in notes(chaos) if word == "start")
    assert all(number == 1 for number in starts.values()), f"run twice: {starts}"


def assert_all_is_told(chaos: Chaos, names: list[str]) -> None:
    """Every task ended, each DONE one did its work, and no more ran at once than may."""
    statuses = chaos.statuses()
    assert set(statuses) == set(names), "tasks are lost"
    assert set(statuses.values()) <= {Status.DONE, Status.ERROR}
    words = {(word, name) for word, name, _ in notes(chaos)}
    for name, status in statuses.items():
        if status == Status.DONE:
            assert {("start", name), ("end", name)} <= words, f"{name} is DONE without its work"
    assert_each_ran_once(chaos)
    assert most_at_once(chaos, statuses) <= AT_ONCE
    assert Status.DONE in statuses.values()


def most_at_once(chaos: Chaos, statuses: dict[str, str]) -> int:
    """How many of the tasks that nothing killed ran at one time."""
    running, most = 0, 0
    for word, name, _ in sorted(notes(chaos), key=lambda note: note[2]):
        if statuses[name] == Status.DONE:
            running += 1 if word == "start" else -1
            most = max(most, running)
    return most
