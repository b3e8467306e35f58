"""An import of CSV rows by a task of a real server, and the view of a page before and during it.

Run: ``python -m bench.imports [rows]``; prints rows a second of the whole task, and the median
and 95th percentile of a page view in milliseconds, idle and during the import.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from typing import Any

PASSWORD = "bench-password"
AUTHORIZATION = "Basic " + base64.b64encode(f"Admin:{PASSWORD}".encode()).decode()
TASK = "Tasks.Bench"


def call(base: str, method: str, path: str, body: bytes | dict[str, Any] | None = None) -> Any:
    """One request as Admin; returns the JSON answer, or the text of any other."""
    data = json.dumps(body).encode() if isinstance(body, dict) else body
    kind = "application/json" if isinstance(body, dict) else "application/octet-stream"
    request = urllib.request.Request(base + path, data, method=method, headers={
        "Authorization": AUTHORIZATION, "Content-Type": kind})
    with urllib.request.urlopen(request, timeout=60) as response:
        text = response.read()
        is_json = "json" in response.headers.get("Content-Type", "")
    return json.loads(text) if is_json else text


def wait_for_server(base: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            call(base, "GET", "/healthz")
            return
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def make_task(base: str, rows: int) -> None:
    lines = ["code,title,author,year,price,in_print"]
    lines += [f"B{n:06d},Book number {n},Author {n % 97},{1900 + n % 125},{n % 50}.{n % 100:02d},"
              f"{'true' if n % 3 else 'false'}" for n in range(rows)]
    call(base, "PUT", f"/api/v1/pages/{TASK}", {"title": "Bench", "objects": [
        {"class": "TaskExecutorCode.TaskClass", "number": 0, "properties": {
            "taskExecutor": "Executors.ImportCSV", "status": "SUSPENDED"}},
        {"class": "Executors.ImportCSVParameters", "number": 0, "properties": {
            "targetSpace": "Bench", "nameColumn": "code", "targetClass": "Bench.BookClass"}}]})
    call(base, "PUT", f"/api/v1/pages/{TASK}/attachments/books.csv", "\n".join(lines).encode())


def view(base: str) -> float:
    """Milliseconds of one page view."""
    start = time.perf_counter()
    call(base, "GET", "/Help.Syntax")
    return (time.perf_counter() - start) * 1000


def show(name: str, times: list[float]) -> None:
    ordered = sorted(times)
    print(f"{name}: median {statistics.median(ordered):.1f} ms, 95 % "
          f"{ordered[int(len(ordered) * 0.95)]:.1f} ms, of {len(ordered)} views")


def measure(base: str, rows: int) -> None:
    make_task(base, rows)
    view(base)
    show("view, idle", [view(base) for _ in range(100)])
    start = time.perf_counter()
    call(base, "POST", f"/api/v1/tasks/{TASK}/ready")
    during: list[float] = []
    status = "READY"
    while status in ("READY", "RUNNING"):
        during.append(view(base))
        status = call(base, "GET", f"/api/v1/tasks/{TASK}")["status"]
    seconds = time.perf_counter() - start
    show("view, during the import", during)
    print(f"import: {rows} rows in {seconds:.1f} s, {rows / seconds:.0f} rows/s, ends {status}")


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as data:
        server = subprocess.Popen(
            [sys.executable, "-m", "wiki.cli", "serve", "--data", data, "--port", str(port)],
            env={**os.environ, "WIKIMILL_ADMIN_PASSWORD": PASSWORD},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            base = f"http://127.0.0.1:{port}"
            wait_for_server(base)
            measure(base, rows)
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
