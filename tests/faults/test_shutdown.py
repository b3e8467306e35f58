"""SIGTERM to the server: nothing starts any more, tasks may end, the others are interrupted."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Server, until
from test_server_kill import call, make_task, status

from wiki.references import Reference
from wiki.store import open_store

#: Says that it has begun, and ends once a file is there.
SCRIPT = """
import os, time
def run(logger, wiki, task):
    logger.info("begun")
    while not os.path.exists({release!r}):
        time.sleep(0.01)
"""


@pytest.fixture
def patient(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], Server]]:
    """The server, started anew with a grace time."""
    def restart(seconds: int) -> Server:
        server.stop()
        monkeypatch.setenv("WIKIMILL_SHUTDOWN_GRACE", str(seconds))
        monkeypatch.setenv("WIKIMILL_CANCEL_GRACE", "1")
        server.start()
        return server
    yield restart


def begin(server: Server, release: Path) -> subprocess.Popen[bytes]:
    """Have a task begin that waits for the file, with another one READY behind it."""
    call(server, "PUT", "/pages/Executors.Wait", {"objects": [
        {"class": "TaskExecutorCode.TaskExecutorClass", "number": 0,
         "properties": {"name": "Wait", "script": SCRIPT.format(release=str(release))}}]})
    for name in ("Tasks.First", "Tasks.Second"):
        make_task(server, name, "Executors.Wait")
        call(server, "POST", f"/tasks/{name}/ready")
    until(lambda: status(server, "Tasks.First") == "RUNNING"
          and "begun" in call(server, "GET", "/logs/Tasks.First.log"), 60, "it does not begin")
    assert server.process is not None
    return server.process


def kept_status(server: Server, name: str) -> str:
    """What the page says, without a server."""
    store = open_store(server.data)
    try:
        task = store.get(Reference.parse(name)).object("TaskExecutorCode.TaskClass")
        assert task is not None
        return str(task.values["status"])
    finally:
        store.close()


def log_of(server: Server, name: str) -> str:
    return (server.data / "logs" / f"{name}.log").read_text()


def test_a_task_that_ends_in_time_is_done_and_the_next_one_stays_ready(
        patient: Callable[[int], Server], tmp_path: Path) -> None:
    server = patient(60)
    process = begin(server, tmp_path / "release")
    process.terminate()
    until(lambda: not server_listens(server), 30, "it goes on answering")
    (tmp_path / "release").touch()
    assert process.wait(60) == 0
    server.process = None
    assert kept_status(server, "Tasks.First") == "DONE"
    assert kept_status(server, "Tasks.Second") == "READY"


def test_a_task_that_does_not_is_interrupted(
        patient: Callable[[int], Server], tmp_path: Path) -> None:
    server = patient(0)
    process = begin(server, tmp_path / "release")
    process.terminate()
    assert process.wait(60) == 0
    server.process = None
    assert kept_status(server, "Tasks.First") == "ERROR"
    assert "INTERRUPTED" in log_of(server, "Tasks.First")
    assert "the server was stopped" in log_of(server, "Tasks.First")
    assert kept_status(server, "Tasks.Second") == "READY"


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_at_once(
        patient: Callable[[int], Server], tmp_path: Path, second: signal.Signals) -> None:
    server = patient(86400)
    process = begin(server, tmp_path / "release")
    process.terminate()
    until(lambda: not server_listens(server), 30, "it goes on answering")
    time.sleep(1.5)  # within a second of the first it is the same wish
    process.send_signal(second)
    assert process.wait(60) == 0
    server.process = None
    assert kept_status(server, "Tasks.First") == "ERROR"
    assert "INTERRUPTED" in log_of(server, "Tasks.First")


def server_listens(server: Server) -> bool:
    try:
        call(server, "GET", "/tasks")
    except OSError:
        return False
    return True
