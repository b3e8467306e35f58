"""``task``, as a script sees it: ``run(logger, wiki, task)``.

``logger`` is :class:`wiki.tasks.logger.TaskLogger`, ``wiki`` is
:class:`wiki.tasks.runwiki.RunWiki`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sized
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from wiki.api import OpenAttachment, OpenDocument
from wiki.errors import TaskFailed
from wiki.tasks.cancellation import Cancellation
from wiki.tasks.items import Item, Items, Key, Row
from wiki.tasks.logger import TaskLogger
from wiki.tasks.names import OWN_CLASSES
from wiki.tasks.progressfile import ProgressFile
from wiki.tasks.tracebacks import notes

T = TypeVar("T")
#: Between the steps that are within one another.
WITHIN = " › "


class Task:
    """The task's page, as :class:`wiki.api.OpenDocument`, and what its script needs besides."""

    def __init__(self, document: OpenDocument, logger: TaskLogger, progress: ProgressFile,
                 cancellation: Cancellation, items: Items, workdir: Path, read: set[str],
                 dry_run: bool, parameter_class: str = "") -> None:
        """``read`` takes the names of the attachments that the script asks for;
        ``parameter_class`` is the executor's, if it names one."""
        self.document = document
        #: A folder of the run's own, removed after it; the script starts in it.
        self.workdir = workdir
        #: Whether the run only tries: it works on a shadow of the wiki. What it does elsewhere,
        #: a script leaves out then.
        self.dry_run = dry_run
        self._logger = logger
        self._progress = progress
        self._cancellation = cancellation
        self._items = items
        self._read = read
        self._parameter_class = parameter_class

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "document":
            raise AttributeError(name)
        return getattr(self.document, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in OpenDocument.FIELDS:
            setattr(self.document, name, value)
        else:
            object.__setattr__(self, name, value)

    @property
    def params(self) -> Mapping[str, Any]:
        """The values of the page's object of the executor's ``parameterClass``, else of the
        first one that is not of the classes that make it a task."""
        wanted = self.document.objects(self._parameter_class) if self._parameter_class else []
        for obj in wanted or self.document.objects():
            if obj.class_name not in OWN_CLASSES:
                return dict(obj.values)
        return {}

    def attachment(self, filename: str) -> OpenAttachment:
        """A file of the task's page; raises AttachmentNotFound."""
        found = self.document.attachment(filename)
        self._read.add(filename)
        return found

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked for the run's end."""
        return self._cancellation.check()

    def fail(self, message: str) -> NoReturn:
        """End the run as ERROR with a message for its user, and without a traceback."""
        raise TaskFailed(message)

    # -- how far it is ---------------------------------------------------------------------

    def progress(self, done: float, total: float | None = None, message: str = "") -> None:
        """As :meth:`wiki.tasks.logger.TaskLogger.progress`."""
        self._logger.progress(done, total, message)

    def track(self, items: Iterable[T], total: int | None = None,
              message: str = "") -> Iterator[T]:
        """The items, with progress as the loop over them goes on."""
        if total is None and isinstance(items, Sized):
            total = len(items)
        done = 0
        self._logger.progress(0, total, message)
        for done, item in enumerate(items, 1):
            yield item
            self._logger.progress(done, total, message)
        if total is None:
            self._logger.progress(done, done, message)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """A part of the work, which the task's page shows while it lasts and the log times.

        Steps may be within one another. An error inside says in which step it was.
        """
        self._progress.enter(name)
        path = WITHIN.join(self._progress.steps)
        started = time.monotonic()
        try:
            self._logger.info("%s …", path)
            yield
            self._logger.info("%s: done in %s", path, _duration(time.monotonic() - started))
        except Exception as error:
            if not any(note.startswith("in the step ") for note in notes(error)):
                error.add_note(f"in the step {path}")
            raise
        finally:
            self._progress.leave()

    # -- items -----------------------------------------------------------------------------

    @property
    def max_failures(self) -> int | None:
        """More failed items than this end the run as ERROR; None, as at first, for any number."""
        return self._items.max_failures

    @max_failures.setter
    def max_failures(self, number: int | None) -> None:
        self._items.max_failures = number

    def items(self, values: Iterable[T], key: Key = None, total: int | None = None,
              message: str = "") -> Iterator[Item[T]]:
        """Go through the values item by item, with progress::

            for item in task.items(rows, key="id"):
                with item:
                    save(item.value)

        ``key`` names an item, the same in every run: a function of the value, or a column or
        attribute of it. Without one, a text or a whole number names itself, and other values are
        counted. What an earlier run did that did not end well is passed over.
        """
        return self._items.each(values, key, total, message)

    def item(self, key: object, row: Row = None) -> Item[None]:
        """One item: ``with task.item(key):`` around what is done for it. An exception inside
        counts it as failed and goes to ``rejected.csv``, with the columns of ``row``; the run
        goes on."""
        return Item(self._items, str(key), None, row)

    def done(self, key: object) -> bool:
        """Whether an item has ended well in a run that this one goes on from, or in this."""
        checkpoint = self._items.checkpoint
        return checkpoint.has(checkpoint.mark_of(str(key)))


def _duration(seconds: float) -> str:
    """``2.4 s``, ``3 min 5 s``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
