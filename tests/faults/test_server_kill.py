"""The server is really killed: nothing that it acknowledged is lost, nothing stays RUNNING."""

from __future__ import annotations

import json
import os
import random
import threading
import time
from collections.abc import Callable
from http.client import HTTPException
from typing import Any
from urllib.request import Request, urlopen

from conftest import Server, basic, until

from wiki.model import Version
from wiki.references import Reference
from wiki.store import open_store

KILLS = 20 if "CI" in os.environ else 50  # a start of the server each
SLOW = """
import time
def run(logger, wiki, task):
    logger.info("before the kill")
    for number in task.track(range(10_000)):
        time.sleep(0.01)
"""


def call(server: Server, method: str, path: str, body: object = None) -> Any:
    """One REST call as Admin; the JSON answer, or the text of any other."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode() if body else None
    request = Request(f"{server.url}/api/v1{path}", data, method=method, headers={
        **basic("Admin"),
        "Content-Type": "application/octet-stream" if isinstance(body, bytes)
        else "application/json"})
    with urlopen(request, timeout=20) as answer:
        text = answer.read().decode()
        return json.loads(text) if "json" in answer.headers["Content-Type"] else text


def make_task(server: Server, name: str, executor: str, *objects: object) -> None:
    call(server, "PUT", f"/pages/{name}", {"objects": [
        {"class": "TaskExecutorCode.TaskClass", "number": 0,
         "properties": {"taskExecutor": executor, "status": "SUSPENDED"}}, *objects]})


def status(server: Server, task: str) -> str:
    return str(call(server, "GET", f"/tasks/{task}")["status"])


def test_a_task_whose_server_is_killed_is_interrupted_and_keeps_its_log(server: Server) -> None:
    call(server, "PUT", "/pages/Executors.Slow", {"objects": [
        {"class": "TaskExecutorCode.TaskExecutorClass", "number": 0,
         "properties": {"name": "Slow", "script": SLOW}}]})
    make_task(server, "Tasks.Slow", "Executors.Slow")
    call(server, "POST", "/tasks/Tasks.Slow/ready")
    until(lambda: "before the kill" in call(server, "GET", "/logs/Tasks.Slow.log"), 60,
          "the task does not start")
    until(lambda: bool(call(server, "GET", "/tasks/Tasks.Slow")["progress"]), 60,
          "the task shows no progress")
    server.kill()
    server.start()
    until(lambda: status(server, "Tasks.Slow") == "ERROR", 30, "the task is not found dead")
    log = call(server, "GET", "/logs/Tasks.Slow.log")
    assert "before the kill" in log
    assert "INTERRUPTED" in log
    assert "progress" in log
    assert log.count("before the kill") == 1, "it was run again by itself"


class Writer:
    """Saves pages through REST, over and over, and remembers what was acknowledged."""

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        self.reference = f"Kill.{name}"
        self.acknowledged: dict[str, str] = {}
        self.stopped = False

    def run(self) -> None:
        """Until the server is gone."""
        number = 0
        while not self.stopped:
            number += 1
            page = f"{self.reference}{number % 7}"
            try:
                saved = call(self.server, "PUT", f"/pages/{page}",
                             {"content": f"text {number} of {time.monotonic_ns()}"})
            except (OSError, HTTPException):
                return
            self.acknowledged[page] = saved["version"]


def test_what_was_acknowledged_survives_kills_at_random_moments(server: Server) -> None:
    rows = "code,title\n" + "".join(f"R{n},Row {n}\n" for n in range(3000))
    make_task(server, "Tasks.Kill", "Executors.ImportCSV",
              {"class": "Executors.ImportCSVParameters", "number": 0,
               "properties": {"targetSpace": "Rows", "nameColumn": "code",
                              "targetClass": "Rows.RowClass"}})
    call(server, "PUT", "/pages/Tasks.Kill/attachments/rows.csv", rows.encode())
    chance = random.Random(20261124)
    for _ in range(KILLS):
        writers = [Writer(server, name) for name in "ab"]
        threads = [threading.Thread(target=writer.run) for writer in writers]
        ignore_refusal(lambda: call(server, "POST", "/tasks/Tasks.Kill/ready"))
        for thread in threads:
            thread.start()
        time.sleep(chance.uniform(0.0, 0.5))  # the moment of the kill
        server.kill()
        for thread in threads:
            thread.join()
        assert_whole(server, writers)
        server.start()
    until(lambda: status(server, "Tasks.Kill") != "RUNNING", 120, "the task is stuck in RUNNING")


def ignore_refusal(act: Callable[[], object]) -> None:
    """The task may be RUNNING or READY already, which is a conflict and no failure here."""
    try:
        act()
    except OSError as error:
        assert getattr(error, "code", None) in (409, 422), error


def assert_whole(server: Server, writers: list[Writer]) -> None:
    """Every acknowledged save is there, every page parses, the index agrees."""
    store = open_store(server.data)
    try:
        for writer in writers:
            for page, version in writer.acknowledged.items():
                kept = store.get(Reference.parse(page)).version
                assert kept >= Version.parse(version), f"{page}: {version} was lost"
        assert list(store.check()) == []
    finally:
        store.close()
