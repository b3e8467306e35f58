"""What lies beside a page and follows it where it moves: its log, and the notes of who watches."""

from __future__ import annotations

from typing import Any

from wiki.api import Wiki
from wiki.model import Document
from wiki.references import Reference
from wiki.tasks.log import Logs, log_name
from wiki.watching import Watching


class Followers:
    """Hears of moves through every wiki that it watches: a server's, and that of a run."""

    def __init__(self, logs: Logs, watching: Watching) -> None:
        self._logs, self._watching = logs, watching

    def watch(self, wiki: Wiki) -> None:
        wiki.saved.connect(self._saved, weak=False)  # for as long as the wiki lives

    def _saved(self, sender: Wiki, document: Document, origin: Reference | None = None,
               **_: Any) -> None:
        if origin is not None:
            self._watching.moved(origin, document.reference)
            self._logs.move(log_name(origin), log_name(document.reference))
