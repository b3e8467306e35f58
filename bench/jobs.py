"""What the queues of :mod:`bench.tasks` run, in a module that their workers can import."""

from __future__ import annotations

import os
import time

from huey import SqliteHuey  # type: ignore[import-untyped]

huey = SqliteHuey(filename=os.environ.get("BENCH_HUEY", ":memory:"))


def note(path: str) -> None:
    """Say that a job runs, and when."""
    with open(path, "a") as file:
        file.write(f"{time.monotonic()}\n")


huey_note = huey.task()(note)
