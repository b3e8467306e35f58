"""Pages that work: the manager, the runner, the logs."""

from wiki.tasks.names import (
    CONFIGURATION,
    CONFIGURATION_CLASS,
    EXECUTOR_CLASS,
    JOB_CLASS,
    MANAGER_JOB,
    RUN_CLASS,
    TASK_CLASS,
    Outcome,
    Status,
)

__all__ = ["CONFIGURATION", "CONFIGURATION_CLASS", "EXECUTOR_CLASS", "JOB_CLASS", "MANAGER_JOB",
           "RUN_CLASS", "TASK_CLASS", "Outcome", "Status"]
