"""The items of a run: what became of each, which failed and why, and which are done already.

A run that imports, converts or checks many things says so item by item, with ``task.items`` or
``task.item``. An item that fails does not end the run; one that ended well is passed over by the
run that goes on from this one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Generic, TypeVar

from wiki.api import Wiki
from wiki.errors import DamagedPage, StoreError, TaskFailed, WikiError
from wiki.tasks.checkpoint import Checkpoint
from wiki.tasks.chunk import Chunk
from wiki.tasks.logger import TaskLogger
from wiki.tasks.progressfile import ProgressFile
from wiki.tasks.rejected import Rejected
from wiki.tasks.tracebacks import describe, one_line

T = TypeVar("T")
#: So many failed items are logged one by one, ...
REPORTED = 1000
#: ... and so many of them with a traceback.
TRACED = 20
#: How a value gives its key: by a function, by the name of its column, or by itself.
Key = Callable[[Any], object] | str | None
Row = Mapping[Any, Any] | None


class ItemSkipped(BaseException):
    """Ends an item's block. No ``Exception``, so that ``except Exception`` lets it through."""


class Item(Generic[T]):
    """One item: ``with item:`` around what is done for it."""

    def __init__(self, items: Items, key: str, value: T, row: Row,
                 chunk: Chunk | None = None) -> None:
        self.key = key
        #: What ``task.items`` went through.
        self.value = value
        #: The columns that ``rejected.csv`` shows of it.
        self.row = row
        self.chunk = chunk
        self.mark = items.checkpoint.mark_of(key)
        self._items = items
        self._stack = ExitStack()

    def skip(self, reason: str = "") -> None:
        """End the block here: there is nothing to do for this item. The log has the reason, at
        the level DEBUG."""
        raise ItemSkipped(reason)

    def __enter__(self) -> Item[T]:
        self._stack.enter_context(self._items.wiki.batch())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> bool:
        try:
            with self._stack:  # what the item saved, and its mark, become durable together
                if error is None:
                    self._items.checkpoint.add(self.mark)
        except WikiError as failure:  # a skipped item may have saved something all the same
            error = failure if error is None or isinstance(error, ItemSkipped) else error
        return self._items.settle(self, error)


class Items:
    """The outcomes of a run's items. Safe for several threads, each with items of its own."""

    def __init__(self, wiki: Wiki, logger: TaskLogger, progress: ProgressFile,
                 rejected: Rejected, checkpoint: Checkpoint) -> None:
        self.wiki = wiki
        self.checkpoint = checkpoint
        #: More failed items than this end the run; None for any number.
        self.max_failures: int | None = None
        self._logger = logger
        self._progress = progress
        self._rejected = rejected
        self._chunks: list[Chunk] = []

    def each(self, values: Iterable[T], key: Key, total: int | None,
             message: str) -> Iterator[Item[T]]:
        """An item for each of the values that is not done already, with progress."""
        if total is None and isinstance(values, Sized):
            total = len(values)
        number, chunk = 0, Chunk(self.wiki, self.checkpoint)
        self._chunks.append(chunk)
        try:
            self._logger.progress(0, total, message)
            for number, value in enumerate(values, 1):
                item = self._item(value, key, number, chunk)
                if item is not None:
                    chunk.open()
                    yield item
                    if chunk.full:
                        self._close(chunk)
                self._logger.progress(number, total, message)
        finally:
            self._close(chunk)
            self._chunks.remove(chunk)
        if total is None:
            self._logger.progress(number, number, message)

    def _item(self, value: T, key: Key, number: int, chunk: Chunk) -> Item[T] | None:
        """None for an item that is done, or that has no key to call it by."""
        row = value if isinstance(value, Mapping) else None
        try:
            item = Item(self, _key_of(value, key, number), value, row, chunk)
        except Exception as error:  # noqa: BLE001 - a row without its key is a failed item
            self._fail(f"item {number}", error, row)
            return None
        if not self.checkpoint.has(item.mark):
            return item
        if not self.checkpoint.resumed:
            self._fail(item.key, TaskFailed("an item before it has the same key"), row)
        return None

    def settle(self, item: Item[Any], error: BaseException | None) -> bool:
        """An item's block has ended; whether the run goes on in spite of what it raised."""
        if error is None:
            self._progress.count("ok")
            if item.chunk is not None:
                item.chunk.add(item)
            return True
        if isinstance(error, ItemSkipped):
            self._progress.count("skipped")
            if str(error):
                self._logger.debug("%s is skipped: %s", item.key, error)
            return True
        if not isinstance(error, Exception) or _is_fatal(error):
            return False
        self._fail(item.key, error, item.row)
        return True

    def _fail(self, key: str, error: Exception, row: Row) -> None:
        reason = str(error) if isinstance(error, WikiError) else one_line(error)
        self._rejected.add(key, reason, row)
        self._progress.count("failed")
        failed = self._progress.failed
        self._tell(key, reason, error, failed)
        if self.max_failures is not None and failed > self.max_failures:
            raise TaskFailed(f"{failed} items failed, and the run ends at more than "
                             f"{self.max_failures}; the last one was {key}: {reason}")

    def _tell(self, key: str, reason: str, error: Exception, failed: int) -> None:
        if failed <= REPORTED:
            self._logger.warning("%s failed: %s", key, reason)
            if failed <= TRACED and not isinstance(error, WikiError):
                self._logger.debug("%s", describe(error))
        elif failed == REPORTED + 1:
            self._logger.warning("More than %d items failed; the others are only in the table of "
                                 "those that failed", REPORTED)

    def _close(self, chunk: Chunk) -> None:
        for item, error in chunk.close():
            self._progress.count("ok", -1)
            self._fail(item.key, error, item.row)

    # -- the end of the run ----------------------------------------------------------------

    def report(self, wiki: Wiki, task: str, done: bool) -> None:
        """At the run's end: put what failed on the task's page, and say how many there are of
        each outcome. ``done``: whether the run ended well. Raises WikiError."""
        for chunk in list(self._chunks):
            self._close(chunk)
        progress = self._progress
        if not progress.ok + progress.skipped + progress.failed:
            return
        if progress.failed:
            where = self._rejected.attach(wiki, task, progress.failed, done)
            self._logger.warning("%s ok, %s skipped, %s failed: see %s", f"{progress.ok:,}",
                                 f"{progress.skipped:,}", f"{progress.failed:,}", where)
            return
        if done:
            self._rejected.detach(wiki, task)
        self._logger.info("%s ok, %s skipped, none failed", f"{progress.ok:,}",
                          f"{progress.skipped:,}")


def _key_of(value: Any, key: Key, number: int) -> str:
    if callable(key):
        return str(key(value))
    if key is not None:
        return str(value[key] if isinstance(value, Mapping) else getattr(value, key))
    return str(value) if isinstance(value, str | int) else str(number)


def _is_fatal(error: Exception) -> bool:
    """Whether it is not the item's own trouble."""
    return isinstance(error, TaskFailed | MemoryError) or (
        isinstance(error, StoreError) and not isinstance(error, DamagedPage))
