"""What the tests of tasks share: a small wiki with a manager, and waiting for its runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from wiki.api import OpenDocument, OpenObject, Wiki
from wiki.model import Property
from wiki.rights import ADMIN_USER
from wiki.store import open_store
from wiki.tasks.log import MANAGER_LOG, Logs, log_name
from wiki.tasks.manager import Manager
from wiki.tasks.names import (
    CONFIGURATION,
    CONFIGURATION_CLASS,
    EXECUTOR_CLASS,
    RUN_CLASS,
    TASK_CLASS,
)
from wiki.tasks.runner import LocalRunner, Runner

GOOD = "def run(logger, wiki, task):\n    logger.info('ran %s', task.reference)\n"
DEADLINE = 30.0


class Workshop:
    """A wiki in a folder, with all that runs tasks."""

    def __init__(self, data: Path, grace: float = 0.3, runner: Runner | None = None) -> None:
        self.data = data
        self.store = open_store(data)
        self.wiki = Wiki(self.store)
        self.admin = self.wiki.as_user(ADMIN_USER)
        self.logs = Logs(data / "logs")
        self.runner = runner or LocalRunner(data, grace=grace)
        self.manager = Manager(self.wiki, self.logs, self.runner, data)
        self._news = threading.Event()
        self.manager.waker.listeners.append(self._news.set)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.runner.close()
        self.manager.close()
        self.store.close()

    # -- pages -----------------------------------------------------------------------------

    def classes(self) -> None:
        """The classes whose validation a test goes by."""
        statuses = ["SUSPENDED", "READY", "RUNNING", "DONE", "ERROR"]
        page = self.wiki.new(TASK_CLASS)
        page.define_class(Property("taskExecutor", "Page"), Property(
            "status", "StaticList", options={"values": statuses}))
        page.save()

    def executor(self, name: str = "Executors.Good", script: str = GOOD, user: str = ADMIN_USER,
                 **values: Any) -> OpenDocument:
        page = self.wiki.as_user(user).new(name)
        page.add_object(EXECUTOR_CLASS, script=script, **values)
        return page.save()

    def task(self, name: str = "Tasks.One", executor: str = "Executors.Good",
             status: str = "READY") -> OpenDocument:
        page = self.admin.new(name)
        page.add_object(TASK_CLASS, taskExecutor=executor, status=status)
        return page.save()

    def configure(self, **values: Any) -> None:
        page = self.admin.get_or_new(CONFIGURATION)
        obj = page.object(CONFIGURATION_CLASS) or page.add_object(CONFIGURATION_CLASS)
        obj.update(**values)
        page.save()

    # -- what came of it -------------------------------------------------------------------

    def status(self, name: str = "Tasks.One") -> str:
        obj = self.wiki.get(name).object(TASK_CLASS)
        assert obj is not None
        return str(obj["status"])

    def last_run(self, name: str = "Tasks.One") -> OpenObject:
        return self.wiki.get(name).objects(RUN_CLASS)[-1]

    def log(self, name: str = "Tasks.One") -> str:
        return self.logs.read(log_name(name), limit=10_000_000).text

    def manager_log(self) -> str:
        if not self.logs.exists(MANAGER_LOG):
            return ""
        return self.logs.read(MANAGER_LOG, limit=10_000_000).text

    def invoke(self) -> str | None:
        """One invocation; the name of the task that it started."""
        return self.manager.invoke().started

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Until it is so, looking again whenever a run ends, and a few times a second."""
        deadline = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < deadline, f"in vain: {self.manager_log()[-2000:]}"
            self._news.wait(0.05)
            self._news.clear()

    def wait(self, name: str = "Tasks.One") -> str:
        """Until the task's last run has ended; its status then."""
        self.wait_until(lambda: self.last_run(name)["outcome"] is not None)
        return self.status(name)

    def run(self, script: str, **values: Any) -> str:
        """Run a script as ``Tasks.One`` to its end; the status that it ends with."""
        self.executor("Executors.It", script, **values)
        self.task(executor="Executors.It")
        assert self.invoke() == "Tasks.One", self.manager_log()
        return self.wait()


def waiting(path: Path) -> str:
    """Lines of a script that wait until the file is there."""
    return f"    while not os.path.exists({str(path)!r}):\n        time.sleep(0.01)\n"


def blocking(started: Path, release: Path) -> str:
    """A script that says that it runs by one file, and goes on once there is another."""
    return ("import os, time\n"
            "def run(logger, wiki, task):\n"
            f"    open({str(started)!r} + '-' + task.reference.name, 'w').close()\n"
            + waiting(release))
