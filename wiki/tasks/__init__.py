"""Pages that work: the manager, the runner, the logs."""
