"""Whatever of a run is killed, nothing of it survives, and its task is found interrupted."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tasking import Workshop

from wiki.errors import TaskError
from wiki.references import Reference
from wiki.secrets import Secrets
from wiki.tasks.claim import claim
from wiki.tasks.executors import open_executor
from wiki.tasks.queue import Entry
from wiki.tasks.runner import LocalRunner
from wiki.tasks.runs import Runs

#: A script that leaves processes of every kind, says which there are, and goes on for long.
SCRIPT = """
import os, subprocess, sys, time
def run(logger, wiki, task):
    pids = [os.getpid(), os.getppid()]
    pids.append(subprocess.Popen(["sleep", "600"]).pid)
    pids.append(subprocess.Popen(["sleep", "600"], start_new_session=True).pid)
    child = os.fork()
    if child == 0:
        time.sleep(600)
    pids.append(child)
    with open("pids.new", "w") as file:
        file.write(" ".join(map(str, pids)))
    os.rename("pids.new", {path!r})
    time.sleep(600)
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    with Workshop(tmp_path / "data") as workshop:
        yield workshop


def started(shop: Workshop) -> list[int]:
    """Start the task; returns its processes: script, keeper, and what the script started."""
    path = shop.data / "pids"
    shop.executor("Executors.It", SCRIPT.format(path=str(path)))
    shop.task(executor="Executors.It")
    shop.invoke()
    shop.wait_until(path.exists)
    return [int(pid) for pid in path.read_text().split()]


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def state(pid: int) -> str:
    """The letter of ``/proc``: T where it is halted, Z or X where it is dead."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def lives(pid: int) -> bool:
    return state(pid) not in "ZX"


@pytest.mark.parametrize("victims", [
    ("script",), ("keeper",), ("fork server",), ("script", "keeper"), ("keeper", "fork server"),
    ("fork server", "keeper"), ("script", "keeper", "fork server")])
def test_nothing_of_a_run_survives(shop: Workshop, victims: tuple[str, ...]) -> None:
    pids = started(shop)
    named = {"script": pids[0], "keeper": pids[1], "fork server": parent(pids[1])}
    for victim in victims:
        os.kill(named[victim], signal.SIGKILL)
    assert shop.wait() == "ERROR"
    expected = "ERROR" if victims == ("script",) else "INTERRUPTED"
    assert shop.last_run()["outcome"] == expected
    if victims == ("script",):  # the keeper goes on to another run
        pids.pop(1)
    shop.wait_until(lambda: not any(map(lives, pids)))
    shop.executor()
    shop.task("Tasks.Two")
    assert shop.invoke() == "Tasks.Two"
    assert shop.wait("Tasks.Two") == "DONE"


#: A script that leaves a process, and says who its keeper is and how many files that has open.
FAMILY = """
import os, subprocess
def run(logger, wiki, task):
    subprocess.Popen(["sleep", "600"], start_new_session=True)
    keeper = os.getppid()
    logger.info("keeper %s has %s files", keeper, len(os.listdir(f"/proc/{keeper}/fd")))
"""


def keepers(shop: Workshop, script: str) -> dict[int, list[int]]:
    """Run the script a dozen times; returns for each keeper how many files it had open."""
    shop.executor("Executors.It", script)
    found: dict[int, list[int]] = {}
    for number in range(12):
        name = f"Tasks.Number{number:02}"
        shop.task(name, executor="Executors.It")
        assert shop.invoke() == name
        assert shop.wait(name) == "DONE"
        said = re.search(r"keeper (\d+) has (\d+) files", shop.log(name))
        assert said is not None
        found.setdefault(int(said[1]), []).append(int(said[2]))
    return found


def test_a_keeper_goes_on_to_other_runs_and_keeps_no_file_open(shop: Workshop) -> None:
    open_files = max(keepers(shop, FAMILY).values(), key=len)
    assert len(open_files) > 1
    assert len(set(open_files)) == 1


def test_a_keeper_that_has_seen_a_secret_ends_with_its_run(shop: Workshop) -> None:
    Secrets(shop.data / "secrets").set("TOKEN", "only for some")
    found = keepers(shop, FAMILY + "    wiki.secret('TOKEN')\n    os.write(1, b'for the keeper')\n")
    assert {len(runs) for runs in found.values()} == {1}


def test_a_halted_keeper_does_not_outlive_the_fork_server(shop: Workshop) -> None:
    pids = started(shop)
    fork_server = parent(pids[1])
    os.kill(pids[1], signal.SIGSTOP)
    shop.wait_until(lambda: state(pids[1]) == "T")
    os.kill(fork_server, signal.SIGKILL)
    assert shop.wait() == "ERROR"
    assert shop.last_run()["outcome"] == "INTERRUPTED"
    shop.wait_until(lambda: not any(map(lives, pids)))


def test_a_run_whose_end_was_recorded_does_not_start_after_all(shop: Workshop) -> None:
    shop.executor("Executors.It", SCRIPT.format(path=str(shop.data / "pids")))
    page = shop.task(executor="Executors.It")
    executor = open_executor(shop.wiki, Reference.parse("Executors.It"))
    run = claim(page, executor, Entry("Tasks.One", 0, "One"), 0)
    Runs(shop.data / "runs").create(run)  # as far as a server came that died then
    assert shop.runner.ending(run.id).outcome == "INTERRUPTED"
    assert isinstance(shop.runner, LocalRunner)
    with pytest.raises(TaskError, match="recorded already"):
        shop.runner._fork_server().start(run.id)
    assert shop.manager.invoke().recovered == ["Tasks.One"]


def test_a_halted_script_gives_no_sign_of_life_and_is_left_alone(
        shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    script, *_ = started(shop)
    run_id = next(iter(shop.runner.ids()))
    first = shop.runner.heartbeat(run_id)
    assert first is not None
    shop.wait_until(lambda: (shop.runner.heartbeat(run_id) or 0) > first)
    os.kill(script, signal.SIGSTOP)
    shop.wait_until(lambda: "is halted by a signal" in shop.log())
    last = shop.runner.heartbeat(run_id)
    os.kill(script, signal.SIGCONT)
    shop.wait_until(lambda: "goes on" in shop.log())
    shop.wait_until(lambda: (shop.runner.heartbeat(run_id) or 0) > (last or 0))
    assert shop.status() == "RUNNING"
    os.kill(script, signal.SIGSTOP)
    shop.manager.cancel("Tasks.One", "Users.Admin")
    assert shop.wait() == "SUSPENDED"


def test_a_run_that_has_not_started_has_no_heartbeat(shop: Workshop) -> None:
    assert shop.runner.heartbeat("abc") is None


def test_a_dead_process_in_reserve_costs_no_run(shop: Workshop) -> None:
    keeper = started(shop)[1]
    server = parent(keeper)
    shop.configure(maxConcurrentTasks=3)

    def reserve() -> list[int]:
        text = Path(f"/proc/{server}/task/{server}/children").read_text()
        return [int(pid) for pid in text.split() if int(pid) != keeper]

    shop.wait_until(lambda: len(reserve()) == 2)
    spares = reserve()
    for pid in spares:
        os.kill(pid, signal.SIGKILL)
    shop.wait_until(lambda: not any(lives(pid) for pid in spares))
    shop.executor()
    shop.task("Tasks.Two")
    assert shop.invoke() == "Tasks.Two"
    assert shop.wait("Tasks.Two") == "DONE"
    shop.wait_until(lambda: not any(map(lives, spares)))


def test_a_server_that_stops_asks_politely_and_interrupts(tmp_path: Path) -> None:
    body = ("import time\ndef run(logger, wiki, task):\n    logger.info('begun')\n    try:\n"
            "        while True:\n            time.sleep(0.01)\n            logger.debug('on')\n"
            "    finally:\n        logger.info('cleaned up')\n")
    with Workshop(tmp_path / "data", grace=30) as shop:
        shop.executor("Executors.It", body)
        shop.task(executor="Executors.It")
        shop.invoke()
        shop.wait_until(lambda: "begun" in shop.log())
        shop.runner.close()
        assert shop.status() == "ERROR"
        assert shop.last_run()["outcome"] == "INTERRUPTED"
        assert "cleaned up" in shop.log()


def test_a_server_that_stops_lets_a_run_end_that_is_quick_enough(tmp_path: Path) -> None:
    with Workshop(tmp_path / "data", grace=30) as shop:
        shop.executor("Executors.It", "import time\ndef run(logger, wiki, task):\n"
                      "    logger.info('begun')\n    time.sleep(0.5)\n")
        shop.task(executor="Executors.It")
        shop.invoke()
        shop.wait_until(lambda: "begun" in shop.log())
        shop.runner.close(60)
        assert shop.status() == "DONE"


def test_a_cancelled_run_stays_so_when_the_server_stops(tmp_path: Path) -> None:
    with Workshop(tmp_path / "data") as shop:
        started(shop)
        shop.manager.cancel("Tasks.One", "Users.Admin")
        shop.runner.close()
        assert shop.last_run()["outcome"] == "CANCELLED"
        assert shop.status() == "SUSPENDED"


def test_strays_are_known_by_session_and_mark_alone(tmp_path: Path) -> None:
    with Workshop(tmp_path / "data") as shop:
        started(shop)
        run_id = next(iter(shop.runner.ids()))
        shop.runner.ending("0" * 32)  # of another run, that is not there
        assert shop.runner.alive(run_id)
        assert shop.status() == "RUNNING"
