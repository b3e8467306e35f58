"""Exceptions of scripts, as their log and their run say them."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

import wiki as package
from wiki.errors import TaskFailed

ENGINE = str(Path(package.__file__).parent) + os.sep
#: The module that a script is, so that dataclasses and pickle find its classes.
MODULE = "wiki_executor"
#: The longest error in a line, in characters.
MAX_LINE = 500


def describe(error: BaseException) -> str:
    """The traceback, with the script's lines and without those of the engine; only the message
    where the script itself gave up."""
    if isinstance(error, TaskFailed):
        return one_line(error)
    try:
        report = traceback.TracebackException.from_exception(error)
        _leave_out_engine(report)
        return "".join(report.format()).rstrip("\n")
    except Exception as failure:  # noqa: BLE001 - an exception whose own str() raises
        return f"{type(error).__name__} (which cannot be shown: {type(failure).__name__})"


def one_line(error: BaseException) -> str:
    """``ValueError: wrong (in the step Reading)``, short enough for a property."""
    try:
        text = str(error) if isinstance(error, TaskFailed) else _headline(error)
    except Exception:  # noqa: BLE001 - an exception whose own str() raises
        text = type(error).__name__
    return (text + "".join(f" ({note})" for note in notes(error)))[:MAX_LINE]


def notes(error: BaseException) -> list[str]:
    """What :meth:`BaseException.add_note` added."""
    return [note for note in getattr(error, "__notes__", ()) if isinstance(note, str)]


def _headline(error: BaseException) -> str:
    report = traceback.TracebackException.from_exception(error)
    report.__notes__ = None
    *_, headline = report.format_exception_only()  # before it, the place of a syntax error
    # The module that the script runs as is ours; its user knows the class by its name.
    return " ".join(headline.split()).removeprefix(f"{MODULE}.")


def _leave_out_engine(report: traceback.TracebackException) -> None:
    pending: list[traceback.TracebackException | None] = [report]
    while pending:
        part = pending.pop()
        if part is None:
            continue
        kept = [frame for frame in part.stack if not frame.filename.startswith(ENGINE)]
        part.stack = traceback.StackSummary.from_list(kept)
        pending += [part.__cause__, part.__context__, *(part.exceptions or ())]
