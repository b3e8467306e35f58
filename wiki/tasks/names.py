"""Names of the pages, classes and statuses that the task system goes by."""

from __future__ import annotations

from enum import StrEnum

TASK_CLASS = "TaskExecutorCode.TaskClass"
EXECUTOR_CLASS = "TaskExecutorCode.TaskExecutorClass"
RUN_CLASS = "TaskExecutorCode.TaskRunClass"
#: Code that executors share.
MODULE_CLASS = "TaskExecutorCode.ModuleClass"
CONFIGURATION = "TaskExecutorCode.TaskExecutorManagerJobConfiguration"
CONFIGURATION_CLASS = "TaskExecutorCode.TaskExecutorManagerJobConfigurationClass"
MANAGER_JOB = "TaskExecutorCode.TaskExecutorManagerJob"
JOB_CLASS = "Wiki.SchedulerJobClass"
#: Where the tasks of an executor or a job go that names no other place.
TASK_SPACE = "Tasks"
#: Objects that say what a page is, and so hold no parameters of a task.
OWN_CLASSES = frozenset({TASK_CLASS, RUN_CLASS, EXECUTOR_CLASS, "Wiki.ClassSheetClass"})


class Status(StrEnum):
    """The status of a task, kept in its ``TaskClass`` object."""

    #: Waits for the manager to start it.
    READY = "READY"
    #: A process runs it.
    RUNNING = "RUNNING"
    #: Its last run returned.
    DONE = "DONE"
    #: Its last run failed, or died with the server.
    ERROR = "ERROR"
    #: The manager leaves it alone.
    SUSPENDED = "SUSPENDED"


class Outcome(StrEnum):
    """How a run ended, kept in its ``TaskRunClass`` object."""

    #: ``run`` returned.
    DONE = "DONE"
    #: It raised, was killed, or left without a word.
    ERROR = "ERROR"
    #: Somebody asked for its end.
    CANCELLED = "CANCELLED"
    #: The server went down under it.
    INTERRUPTED = "INTERRUPTED"

    @property
    def status(self) -> Status:
        """The status of a task whose run ended so."""
        if self is Outcome.DONE:
            return Status.DONE
        return Status.SUSPENDED if self is Outcome.CANCELLED else Status.ERROR
