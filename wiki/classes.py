"""Property types: what a value may be, how text from a form becomes one."""
