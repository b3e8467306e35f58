"""What was found in the index, kept for as long as nothing changes there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sized
from typing import Any, TypeVar

from wiki.store.base import State

Found = TypeVar("Found", bound=Sized)
#: How many members all that is kept may have; then it is forgotten.
MOST = 2_000_000


class Kept:
    """Answers by what was asked for. Safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state: State = ()
        self._answers: dict[Any, Any] = {}
        self._members = 0

    def get(self, state: State, key: Any, make: Callable[[], Found]) -> Found:
        """The answer, made where it is not that of this ``state``, which is to be asked for
        before."""
        with self._lock:
            if state != self._state:
                self._forget(state)
            if key in self._answers:
                found: Found = self._answers[key]
                return found
        made = make()
        with self._lock:
            if state == self._state:
                if self._members + len(made) > MOST:
                    self._forget(state)
                self._answers[key] = made
                self._members += len(made)
        return made

    def after_fork(self) -> None:
        """In a forked child: the lock may be another thread's."""
        self._lock = threading.Lock()

    def _forget(self, state: State) -> None:
        self._state, self._answers, self._members = state, {}, 0
