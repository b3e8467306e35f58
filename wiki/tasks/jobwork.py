"""What a job of the scheduler does: sets a task READY, runs its page's script as a task,
tidies up the logs, or empties the recycle bin.

(Invoking the manager is the scheduler's own affair.)
"""

from __future__ import annotations

from wiki.api import OpenDocument, Wiki
from wiki.errors import TaskError
from wiki.references import Reference
from wiki.tasks.binprune import prune_bin
from wiki.tasks.executors import BadExecutor, executor_name
from wiki.tasks.jobs import Job, What
from wiki.tasks.manager import Manager
from wiki.tasks.names import TASK_CLASS, Status
from wiki.tasks.retention import tidy_logs

#: A task with one of these is left alone: it runs, or is about to.
GOES_ON = (Status.READY, Status.RUNNING)


def do_work(job: Job, wiki: Wiki, manager: Manager, deleted_days: int = 0) -> str:
    """Do what the job is for; returns what was done. ``deleted_days``: how long deleted pages
    are kept, 0 for good. Raises WikiError or OSError."""
    if job.what == What.BIN:
        return prune_bin(wiki, deleted_days)
    if job.what == What.LOGS:
        return tidy_logs(manager.logs, wiki)
    return set_ready(job, wiki, manager)


def set_ready(job: Job, wiki: Wiki, manager: Manager) -> str:
    """Let the job's task run, with the rights of who saved the job; returns what was done.

    A task that is READY or RUNNING is left. Raises WikiError.
    """
    if job.task is None:
        raise TaskError(f"{job.reference} names no task")
    if job.what == What.SCRIPT:
        _make_task(job, job.task, wiki.as_user(job.author))
    obj = wiki.get(job.task).object(TASK_CLASS)
    status = obj["status"] if obj else None
    if status in GOES_ON:
        return f"{job.task} is still {status}, and is left alone"
    manager.ready(job.task, job.author)
    return f"{job.task} is set READY"


def _make_task(job: Job, ref: Reference, wiki: Wiki) -> None:
    """The task page of a script, made once and then used again; raises TaskError where the page
    is something else."""
    page = wiki.get_or_new(ref)
    if page.is_new:
        page.title, page.parent = job.name, str(job.reference)
        page.add_object(TASK_CLASS, taskExecutor=str(job.reference),
                        status=Status.SUSPENDED.value)
        page.save(comment=f"The task of the job {job.reference}")
    elif _executor(page) != job.reference:
        raise TaskError(f"{ref} exists, and is no task of {job.reference}; name another page as "
                        "the job's task")


def _executor(page: OpenDocument) -> Reference | None:
    try:
        return executor_name(page)
    except BadExecutor:
        return None
