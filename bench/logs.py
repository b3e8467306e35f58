"""Logs: the first screen of a large one, how soon a line is with its readers, what many of them
cost, and what a script that writes without end costs those who view pages.

Run: ``python -m bench.logs``. The large log is sparse but for its ends, so it takes no disk.
"""

from __future__ import annotations

import os
import resource
import select
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.imports import PASSWORD, call, wait_for_server
from wiki.tasks.log import MANAGER_LOG, Logs, format_message

SMALL, LARGE = "Small.log", "Large.log"
GIGABYTES = 10
FOLLOWERS = 100
VIEWED = "/Help.WebHome"
NOISY = """\
def run(logger, wiki, task):
    while not task.cancelled:
        print("\\n".join(["a line of what goes on, as long as such lines are"] * 100))
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as (base, pid):
        logs = Logs(Path(folder) / "logs")
        first_screen(base, logs, pid)
        back_paging(base, logs)
        latency(base, logs)
        many_followers(base, logs, pid)
        noisy_script(base, logs)


@contextmanager
def serving(data: Path) -> Iterator[tuple[str, int]]:
    """A server; its address and the process that answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [sys.executable, "-m", "wiki.cli", "serve", "--data", str(data), "--port", str(port)],
        env={**os.environ, "WIKIMILL_ADMIN_PASSWORD": PASSWORD},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for_server(base)
        yield base, worker_of(server.pid)
    finally:
        server.terminate()
        server.wait()


def worker_of(pid: int) -> int:
    """The child that answers requests: the one with the most memory."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return max((int(child) for child in children), key=memory)


def memory(pid: int) -> int:
    """Its memory in bytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def processor(pid: int) -> float:
    """The processor time that it has used, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def milliseconds(action: Callable[[], object], times: int) -> float:
    """The median time of it."""
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        action()
        took.append(1000 * (time.perf_counter() - begun))
    return statistics.median(took)


def first_screen(base: str, logs: Logs, pid: int) -> None:
    lines = b"".join(format_message("INFO", f"row {number} is imported") for number in range(250))
    logs.write(SMALL, lines)
    logs.write(LARGE, lines)
    os.truncate(logs.directory / LARGE, GIGABYTES * 10**9)
    logs.write(LARGE, b"\n" + lines)
    for name in (SMALL, LARGE) * 10:  # warm
        call(base, "GET", f"/TaskExecutorCode.ShowLog?log={name}")
    before = memory(pid)
    rounds = [tuple(milliseconds(lambda log=name: call(  # type: ignore[misc]
        base, "GET", f"/TaskExecutorCode.ShowLog?log={log}"), 5) for name in (SMALL, LARGE))
        for _ in range(8)]
    small, large = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"first screen: {len(lines) / 1000:.0f} kB {small:.1f} ms, {GIGABYTES} GB {large:.1f} ms,"
          f" ratio {large / small:.2f}; memory grew by {(memory(pid) - before) / 1e6:.1f} MB")


def back_paging(base: str, logs: Logs) -> None:
    size = logs.size(LARGE)
    took = [milliseconds(lambda at=place: call(  # type: ignore[misc]
        base, "GET", f"/api/v1/logs/{LARGE}?before={at}&lines=100"), 5)
        for place in (size, size - 5_000, 10_000)]
    print("100 lines before a place: " + ", ".join(f"{ms:.1f} ms" for ms in took))


def follow(base: str, query: str = "") -> socket.socket:
    """A connection that follows the manager's log, from its end."""
    host, _, port = base.removeprefix("http://").partition(":")
    connection = socket.create_connection((host, int(port)), timeout=20)
    connection.sendall(f"GET /api/v1/logs/{MANAGER_LOG}/stream?lines=0{query} HTTP/1.1\r\n"
                       "Host: bench\r\n\r\n".encode())
    read_until(connection, b"retry: ")
    return connection


def read_until(connection: socket.socket, word: bytes) -> None:
    data = b""
    while word not in data:
        more = connection.recv(65536)
        if not more:
            raise ConnectionError("the stream ended")
        data = data[-100:] + more


def latency(base: str, logs: Logs) -> None:
    took = []
    with follow(base, "&format=html") as connection:
        for number in range(40):
            time.sleep(0.037)  # at another moment of the server's turns each time
            word = f"mark {number}."
            begun = time.perf_counter()
            logs.append(MANAGER_LOG, "INFO", word)
            read_until(connection, word.encode())
            took.append(1000 * (time.perf_counter() - begun))
    print(f"a line is with its reader after {statistics.median(took):.0f} ms (median), "
          f"{max(took):.0f} ms (most)")


def many_followers(base: str, logs: Logs, pid: int) -> None:
    alone = views(base, 4)
    with ExitStack() as stack:
        connections = [stack.enter_context(follow(base, "&format=html"))
                       for _ in range(FOLLOWERS)]
        begun, used = time.perf_counter(), processor(pid)
        time.sleep(3)
        idle = (processor(pid) - used) / (time.perf_counter() - begun)
        stop = threading.Event()
        threads = [threading.Thread(target=write_lines, args=(logs, stop)),
                   threading.Thread(target=drain, args=(connections, stop))]
        for thread in threads:
            thread.start()
        begun, used = time.perf_counter(), processor(pid)
        time.sleep(3)
        busy = (processor(pid) - used) / (time.perf_counter() - begun)
        beside = views(base, 4)
        stop.set()
        for thread in threads:
            thread.join()
    print(f"{FOLLOWERS} followers: {100 * idle:.1f} % of a processor while the log is silent, "
          f"{100 * busy:.1f} % at 20 lines a second; page views {beside:.0f} a second beside them, "
          f"{alone:.0f} without, ratio {beside / alone:.2f}")


def write_lines(logs: Logs, stop: threading.Event) -> None:
    while not stop.wait(0.05):
        logs.append(MANAGER_LOG, "INFO", "a line for all who follow")


def drain(connections: list[socket.socket], stop: threading.Event) -> None:
    """Read what comes, as browsers do."""
    while not stop.is_set():
        for connection in select.select(connections, [], [], 0.1)[0]:
            connection.recv(65536)


def views(base: str, seconds: float) -> float:
    """Page views a second, one after the other."""
    call(base, "GET", VIEWED)
    count, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < seconds:
        call(base, "GET", VIEWED)
        count += 1
    return count / (time.perf_counter() - begun)


def noisy_script(base: str, logs: Logs) -> None:
    alone = views(base, 4)
    call(base, "PUT", "/api/v1/pages/Executors.Noisy", {"objects": [
        {"class": "TaskExecutorCode.TaskExecutorClass", "properties": {"script": NOISY}}]})
    call(base, "PUT", "/api/v1/pages/Tasks.Noisy", {"objects": [
        {"class": "TaskExecutorCode.TaskClass", "properties": {
            "taskExecutor": "Executors.Noisy", "status": "READY"}}]})
    while not logs.exists("Tasks.Noisy.log") or logs.size("Tasks.Noisy.log") < 1_000_000:
        time.sleep(0.1)
    begun, size = time.perf_counter(), logs.size("Tasks.Noisy.log")
    beside = views(base, 4)
    line = len(logs.tail("Tasks.Noisy.log", 1).data)
    rate = (logs.size("Tasks.Noisy.log") - size) / line / (time.perf_counter() - begun)
    call(base, "POST", "/api/v1/tasks/Tasks.Noisy/cancel")
    print(f"a script that writes {rate:,.0f} lines a second: page views {beside:.0f} a second "
          f"beside it, {alone:.0f} without, ratio {beside / alone:.2f}")


if __name__ == "__main__":
    main()
