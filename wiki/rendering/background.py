"""Scripts that take long: threads wait for the workers that run them, and the page does not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from markupsafe import Markup

from wiki.rendering.request import Rendering, RenderRequest
from wiki.rendering.slow import SlowRuns

#: Waits for the end of a run as long as its page still may; whether it has ended.
Wait = Callable[[threading.Event], bool]


class Background:
    """Renderings by the key of what they are asked with. Safe for several threads."""

    def __init__(self, threads: int) -> None:
        self._runs: SlowRuns[Rendering] = SlowRuns(threads, lambda made: len(made.html))

    def made(self, key: str, request: RenderRequest, work: Callable[[RenderRequest], Rendering],
             wait: Wait) -> Rendering | None:
        """What ``work(request)`` gives; None where it is not there yet, or all threads wait."""
        token = self._runs.form_token
        asked = replace(request, form_token=token, patience=None)
        run = self._runs.start(key, lambda: work(asked))
        if run is None or not wait(run.ended):
            return None
        made = self._runs.take(run)
        return replace(made, html=Markup(made.html.replace(token, request.form_token)))

    def close(self) -> None:
        """See :meth:`wiki.rendering.slow.SlowRuns.close`."""
        self._runs.close()
