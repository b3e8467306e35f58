"""How fast tasks start, and how many a second, beside rq and huey: ``python -m bench.tasks``.

Latency is from READY saved (or the job queued) to the first line of the script, on an idle
queue; the rate is of no-op tasks that wait when it begins. Wikimill and rq have a process a task,
huey one for all. A task of Wikimill ends durable on its page, and has a log; Redis keeps nothing
on disk here. Needs ``pip install '.[bench]'``, and ``redis-server`` for rq.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from wiki.rights import ADMIN_USER
from wiki.settings import Settings
from wiki.site import Site
from wiki.tasks.names import CONFIGURATION, CONFIGURATION_CLASS, EXECUTOR_CLASS, TASK_CLASS, Status

SINGLE = 50
MANY = 200
AT_ONCE = 4
BIN = Path(sys.executable).parent
SCRIPT = """
import time
def run(logger, wiki, task):
    with open({path!r}, "a") as file:
        file.write(f"{{time.monotonic()}}\\n")
"""


def times(path: Path) -> list[float]:
    return [float(line) for line in path.read_text().splitlines()] if path.exists() else []


def wait_for(number: int, path: Path, every: float = 0.002) -> list[float]:
    """The times that so many jobs noted; looks each so many seconds."""
    deadline = time.monotonic() + 120
    while len(found := times(path)) < number:
        if time.monotonic() > deadline:
            raise SystemExit(f"{number - len(found)} of {number} jobs did not run")
        time.sleep(every)
    return found


def latency(path: Path, queue: Callable[[int], None]) -> float:
    """The median from queueing one to its first line, in milliseconds."""
    wait_for(0, path)
    found = []
    for number in range(SINGLE):
        before = len(times(path))
        queue(number)
        queued = time.monotonic()
        found.append(1000 * (wait_for(before + 1, path)[-1] - queued))
        time.sleep(0.1)  # it is to be idle again
    return statistics.median(found)


def rate(path: Path, queue: Callable[[], None]) -> float:
    """Jobs a second, from the first to the last of those that are queued at once."""
    before = len(times(path))
    queue()
    found = wait_for(before + MANY, path, every=0.05)[before:]
    return (MANY - 1) / (found[-1] - found[0])


# -- Wikimill ------------------------------------------------------------------------------


def wikimill(folder: Path) -> tuple[float, float]:
    path = folder / "wikimill"
    with Site(Settings(data=folder / "data")) as site:
        site.install()
        set_up(site, path)
        site.start()
        set_ready(site, "Warm", 1)
        wait_for(1, path)
        return (latency(path, lambda number: set_ready(site, f"Single{number}", 1)),
                rate(path, lambda: set_ready(site, "Many", MANY)))


def set_up(site: Site, path: Path) -> None:
    admin = site.wiki.as_user(ADMIN_USER)
    executor = admin.new("Bench.Executor")
    executor.add_object(EXECUTOR_CLASS, script=SCRIPT.format(path=str(path)))
    executor.save()
    page = admin.get(CONFIGURATION)
    configuration = page.object(CONFIGURATION_CLASS)
    assert configuration is not None
    configuration["maxConcurrentTasks"] = AT_ONCE
    page.save()


def set_ready(site: Site, name: str, number: int) -> None:
    """Make so many tasks READY, durable all at the same time."""
    admin = site.wiki.as_user(ADMIN_USER)
    with admin.batch():
        for count in range(number):
            task = admin.new(f"Bench.{name}x{count:04d}")
            task.add_object(TASK_CLASS, taskExecutor="Bench.Executor",
                            status=Status.READY.value)
            task.save()
    site.manager.waker.wake()


# -- the others ----------------------------------------------------------------------------


@contextmanager
def running(*command: str | Path, **environment: str) -> Iterator[None]:
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, env={**os.environ, **environment})
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def rq(folder: Path) -> tuple[float, float] | None:
    server = shutil.which("redis-server")
    if server is None:
        return None
    from redis import Redis
    from rq import Queue

    path, socket = folder / "rq", folder / "redis.sock"
    with running(server, "--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder):
        connection = Redis(unix_socket_path=str(socket))
        while not socket.exists():
            time.sleep(0.01)
        queue = Queue(connection=connection)

        def put(number: int) -> None:
            queue.enqueue_many([Queue.prepare_data("bench.jobs.note", (str(path),))
                                for _ in range(number)])

        with running(BIN / "rq", "worker", "--url", f"unix://{socket}"):
            put(1)
            wait_for(1, path)
            return latency(path, lambda _: put(1)), rate(path, lambda: put(MANY))


def huey(folder: Path) -> tuple[float, float]:
    path, database = folder / "huey", str(folder / "huey.db")
    os.environ["BENCH_HUEY"] = database
    from bench.jobs import huey_note

    def put(number: int) -> None:
        for _ in range(number):
            huey_note(str(path))

    with running(BIN / "huey_consumer", "bench.jobs.huey", "-k", "process", "-w", "1"):
        put(1)
        wait_for(1, path)
        return latency(path, lambda _: put(1)), rate(path, lambda: put(MANY))


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        ours = wikimill(Path(directory))
        print(f"{'':<12} {'first line':>12} {'tasks':>12}")
        print(f"{'Wikimill':<12} {ours[0]:>9.1f} ms {ours[1]:>10.0f} /s")
        for name, measure in (("rq", rq), ("huey", huey)):
            theirs = measure(Path(directory))
            if theirs is None:
                print(f"{name:<12} is left out: there is no redis-server")
            else:
                print(f"{name:<12} {theirs[0]:>9.1f} ms {theirs[1]:>10.0f} /s"
                      f"   Wikimill: {ours[0] / theirs[0]:.2f} of the latency, "
                      f"{ours[1] / theirs[1]:.2f} of the rate")


if __name__ == "__main__":
    main()
