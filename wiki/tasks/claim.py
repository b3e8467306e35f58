"""The claim of a task: READY -> RUNNING, with the record of the run that begins."""

from __future__ import annotations

import socket
import uuid

from wiki.api import OpenDocument, OpenObject
from wiki.tasks.ends import run_number, task_object
from wiki.tasks.executors import Executor, limit
from wiki.tasks.names import RUN_CLASS, Outcome, Status
from wiki.tasks.obstacles import number, retry_at
from wiki.tasks.queue import Entry
from wiki.tasks.runs import Run, timestamp

#: Runs that a task's page keeps; older ones are in its history.
KEPT_RUNS = 50


def claim(task: OpenDocument, executor: Executor, entry: Entry, now: float) -> Run:
    """Claim the task, by a save that only one manager can make; ``now`` is in seconds since
    1970.

    Raises Conflict where somebody saved the task since it was read, or another WikiError.
    """
    run = _new_run(task, executor, entry, now)
    runs = task.objects(RUN_CLASS)
    for old in runs[:max(0, len(runs) - KEPT_RUNS + 1)]:
        task.remove_object(RUN_CLASS, old.number)
    task.add_object(RUN_CLASS, number=run.number, executor=run.executor,
                    executorVersion=run.version, startedBy=run.starter, queued=entry.queued,
                    started=timestamp(now), attempt=run.attempt, dryRun=run.dry_run,
                    checkpoint=run.checkpoint, host=socket.gethostname(), id=run.id)
    task_object(task)["status"] = Status.RUNNING.value
    task.save(comment=f"Run {run.number} started", minor=True)
    return run


def _new_run(task: OpenDocument, executor: Executor, entry: Entry, now: float) -> Run:
    """The run that the task asks for, at the executor's version of now."""
    obj, runs = task_object(task), task.objects(RUN_CLASS)
    run_id = uuid.uuid4().hex
    dry_run = obj["dryRun"] is True
    return Run(
        id=run_id, task=str(task.reference),
        number=1 + max((run_number(record) for record in runs), default=0),
        executor=str(executor.reference), version=executor.version, author=executor.author,
        script=executor.script, started=now,
        time_limit=min(filter(None, (executor.time_limit, limit(obj["timeout"]))), default=None),
        memory_limit=executor.memory_limit, log_limit=executor.log_limit,
        cpu_limit=executor.cpu_limit, file_limit=executor.file_limit,
        disk_limit=executor.disk_limit, starter=entry.starter,
        attempt=int(number(runs[-1]["attempt"])) + 1 if retry_at(task) else 1,
        dry_run=dry_run, checkpoint=run_id if dry_run else _checkpoint(runs) or run_id,
        requirements=executor.requirements)


def _checkpoint(runs: list[OpenObject]) -> str:
    """The checkpoint of the last run that was no dry one, unless that run was DONE."""
    real = [record for record in runs if record["dryRun"] is not True]
    if not real or real[-1]["outcome"] == Outcome.DONE:
        return ""
    return str(real[-1]["checkpoint"] or "")
