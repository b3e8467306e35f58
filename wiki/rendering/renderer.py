"""The door to rendering: :class:`Renderer` in this process, :class:`RenderPool` safely.

No limit inside a Python process stops ``{{ 9**(9**9) }}``: what holds a script, and what is
very big, is rendered by a worker process that is killed when its time is over.
"""

from __future__ import annotations

import hashlib
import os
import queue
import select
import struct
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import IO, Any, Literal, cast

from markupsafe import Markup

from wiki.errors import AccessDenied, DamagedPage, NotFound, WikiError
from wiki.model import Document, Version
from wiki.references import Reference
from wiki.rendering.background import Background, Wait
from wiki.rendering.engine import NeedsWorker, Renderer, Rendering, RenderRequest, error_box
from wiki.rendering.live import LiveParts
from wiki.rendering.parts import Call, Part, Signer
from wiki.rendering.worker import Kind, Order, decode_rendering
from wiki.translate import gettext

__all__ = ["Limits", "NeedsWorker", "RenderPool", "RenderRequest", "Renderer", "Rendering"]

#: Of how many pages it is known that a script is in what they include.
SCRIPTED = 1_000
#: How many threads wait for a worker, or for what it makes.
THREADS_PER_WORKER = 4

_LENGTH = struct.Struct(">Q")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one page may cost."""

    #: Rendering in a worker, seconds.
    seconds: float = 5.0
    #: The same for what no reader waits for, and what holds no script, seconds.
    unhurried_seconds: float = 30.0
    #: A worker's start, seconds.
    start_seconds: float = 60.0
    #: A worker's address space, bytes.
    memory: int = 1 << 30
    #: HTML, bytes.
    output: int = 10_000_000
    #: Worker processes.
    workers: int = 2
    #: A text that is larger is rendered by a worker, characters.
    local_text: int = 200_000


class WorkerFailed(WikiError):
    """The page could not be rendered: its worker process ended."""


class _Found:
    """Pages of which something was found out on the way, until they are changed."""

    def __init__(self) -> None:
        self._pages: set[tuple[Kind, Reference, Version]] = set()

    def __contains__(self, page: tuple[Kind, Document]) -> bool:
        return (page[0], page[1].reference, page[1].version) in self._pages

    def add(self, kind: Kind, document: Document) -> None:
        """Nothing is known any more of the pages before, once there are too many."""
        if len(self._pages) >= SCRIPTED:
            self._pages.clear()
        self._pages.add((kind, document.reference, document.version))


class RenderPool:
    """Renders in this process what holds no script, and the rest in worker processes.

    ``factory`` is ``module:function``; it makes the worker's :class:`Renderer` from ``data``.
    Safe for use by several threads. Workers start when they are needed.
    """

    def __init__(self, factory: str, data: str, local: Renderer,
                 limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._local = local.without_scripts()
        self._command = [sys.executable, "-m", "wiki.rendering.worker", factory, data,
                         str(self._limits.memory)]
        #: A script is in what they include, say: they go to a worker at once, and are not begun
        #: here in vain.
        self._scripted = _Found()
        #: Their scripts take longer than a page may wait: each is a part of its own.
        self._slow = _Found()
        #: Whether a worker has started, and made something.
        self._warm = False
        self._background = Background(THREADS_PER_WORKER * self._limits.workers)
        self._local.elsewhere = self._script
        self._slots: queue.LifoQueue[_Worker] = queue.LifoQueue()
        self._workers = [_Worker(self._command, self._limits)
                         for _ in range(self._limits.workers)]
        for worker in self._workers:
            self._slots.put(worker)

    def render(self, document: Document, request: RenderRequest) -> Rendering:
        """See :meth:`Renderer.render`; never raises for what a page holds."""
        return self._rendered("render", self._local.sheet(document) or document, document, request)

    def render_content(self, document: Document, request: RenderRequest) -> Rendering:
        """See :meth:`Renderer.render_content`."""
        return self._rendered("render_content", document, document, request)

    def sign_with(self, key: str) -> None:
        """From now on live and slow macros are parts, which the browser asks for with
        :meth:`render_part`. ``key``: what their tokens are signed with."""
        self._local.parts = LiveParts(Signer(key))

    def render_part(self, token: str, request: RenderRequest) -> Rendering | None:
        """The part of a page that a token stands for, as the reader of now may see it; its
        address is the page's. None where there is none (any more) for this reader."""
        parts = self._local.parts
        call = parts.signer.call(token) if parts else None
        if call is None or call.user != request.user:
            return None
        try:
            return self._local.render_part(token, call, request)
        except NeedsWorker:
            made = self._made(token, call, request, lambda ended: ended.wait(request.patience))
            return made or Rendering(Markup(""), busy=True)
        except (NotFound, AccessDenied, DamagedPage):
            return None

    def part_tag(self, html: str, form_token: str) -> str:
        """What the browser knows a part's content by."""
        return self._local.parts.tag(html, form_token) if self._local.parts else ""

    def close(self) -> None:
        """End the workers and the threads of slow macros."""
        if self._local.parts is not None:
            self._local.parts.close()
        self._background.close()
        for worker in self._workers:
            worker.stop()

    def __enter__(self) -> RenderPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _rendered(self, kind: Literal["render", "render_content"], shown: Document,
                  document: Document, request: RenderRequest) -> Rendering:
        """``shown`` is the page whose text is rendered."""
        if request.patience is None and self._local.parts is not None:
            return self._unhurried(kind, shown, document, request)
        if not self._heavy(shown) and (kind, document) not in self._scripted:
            try:
                rendering: Rendering = getattr(self._local, kind)(document, request)
                return rendering
            except NeedsWorker:
                self._scripted.add(kind, document)
        if request.patience is None or self._local.parts is None or self._large(shown):
            return self._remote(kind, document, request)
        return self._patient(kind, document, request)

    def _unhurried(self, kind: Literal["render", "render_content"], shown: Document,
                   document: Document, request: RenderRequest) -> Rendering:
        """A page that may take its time, but not for ever: where one of its macros may do so, it is
        rendered by a worker, which can be killed. Where it had to be, the page is made here, and
        each such macro by a worker."""
        sure = replace(request, sure_only=True)
        scripted = self._heavy(shown) or (kind, document) in self._scripted
        if not scripted:
            try:
                rendering: Rendering = getattr(self._local, kind)(document, sure)
                return rendering
            except NeedsWorker:
                pass
        seconds = self._limits.seconds if scripted else self._limits.unhurried_seconds
        made = self._measured(kind, document, request, seconds)
        if not made.failed or self._large(shown):
            return made
        with suppress(NeedsWorker):  # of what can be no part of its own
            made = getattr(self._local, kind)(document, replace(
                sure, apart="patient", patience=self._limits.unhurried_seconds))
        return made

    def _measured(self, kind: Kind, document: Document, request: RenderRequest,
                  seconds: float) -> Rendering:
        """As a worker makes it; what its macros took is taken note of."""
        made = self._remote(kind, document, replace(request, timing=True), seconds=seconds)
        if self._local.parts is not None:
            for item in made.timings:
                self._local.parts.took(item.name, item.own / max(1, item.calls))
        return made if request.timing else replace(made, timings=())

    def _patient(self, kind: Literal["render", "render_content"], document: Document,
                 request: RenderRequest) -> Rendering:
        """A page with scripts as a worker makes it; where that takes longer than a page may
        wait, the rest of the page as this process makes it, and its scripts as parts."""
        page = repr((kind, document, replace(request, form_token="", patience=None)))
        key = hashlib.sha256(page.encode(errors="surrogatepass")).hexdigest()

        def made(wait: Wait) -> Rendering | None:
            return self._background.made(
                key, request, lambda asked: self._remote(kind, document, asked), wait)

        waited = False
        if (kind, document) not in self._slow:
            whole = made(lambda ended: ended.wait(request.patience))
            if whole is not None:
                return whole
            if self._warm:  # else it waited for the worker to start
                self._slow.add(kind, document)
            waited = True
        try:
            rendering: Rendering = getattr(self._local, kind)(
                document, replace(request, apart="at once" if waited else "patient"))
            return rendering
        except NeedsWorker:  # a script that is too long for a part
            return made(threading.Event.wait) or self._remote(kind, document, request)

    def _script(self, part: Part, request: RenderRequest, wait: Wait) -> Rendering | None:
        """A part of a page as a worker makes it; None while it is not there."""
        return self._made(part.token, part.call, request, wait)

    def _made(self, token: str, call: Call, request: RenderRequest,
              wait: Wait) -> Rendering | None:
        return self._background.made(
            f"{token} {request.language}", request,
            lambda asked: self._remote("render_part", token, call, asked), wait)

    def _heavy(self, document: Document) -> bool:
        return "<<jinja" in document.content or self._large(document)

    def _large(self, document: Document) -> bool:
        return len(document.content) > self._limits.local_text

    def _remote(self, kind: Kind, *given: Any, seconds: float | None = None) -> Rendering:
        """``seconds`` are what it may take, the usual ones unless told."""
        key = self._local.parts.signer.key if self._local.parts else ""
        order = Order(kind, given, self._limits.seconds if seconds is None else seconds, key)
        try:
            worker = self._slots.get(timeout=self._limits.start_seconds)
        except queue.Empty:
            return Rendering(error_box(
                gettext("The wiki is busy rendering other pages; try again in a moment.")))
        try:
            made = worker.ask(order)
            self._warm = True
            return made
        except WorkerFailed as error:
            return Rendering(error_box(str(error)), failed=True)
        finally:
            self._slots.put(worker)


class _Worker:
    """One worker process; used by one thread at a time."""

    def __init__(self, command: list[str], limits: Limits) -> None:
        self._command = command
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        self._starting = threading.Lock()
        self._closed = False

    def ask(self, order: Order) -> Rendering:
        """What the worker answers; raises WorkerFailed, and then its process is gone."""
        try:
            process = self._running()
            stdin = cast(IO[bytes], process.stdin)
            stdin.write(order.encode())
            stdin.flush()
            answer = self._read(process, order.seconds)
        except (OSError, ValueError) as error:
            self._kill()
            raise WorkerFailed(gettext(
                "the process that rendered it ended: %(error)s", error=error)) from error
        except WorkerFailed:
            self._kill()
            raise
        made = decode_rendering(answer)
        if made.ended:
            self._kill()  # who knows in what state that left it
        return made

    def stop(self) -> None:
        """End the process, and start no other."""
        with self._starting:
            self._closed = True
        self._kill()

    def _running(self) -> subprocess.Popen[bytes]:
        process = self._process
        if process is not None and process.poll() is None:
            return process
        self._kill()
        with self._starting:
            if self._closed:
                raise WorkerFailed(gettext("the wiki is being stopped"))
            paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
            process = self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": paths})
        self._read(process, self._limits.start_seconds)
        return process

    def _read(self, process: subprocess.Popen[bytes], seconds: float) -> bytes:
        deadline = time.monotonic() + seconds
        try:
            return self._read_until(process, deadline)
        except TimeoutError:
            raise WorkerFailed(gettext(
                "rendering it took longer than %(seconds)s seconds, and was stopped",
                seconds=f"{seconds:g}")) from None

    def _read_until(self, process: subprocess.Popen[bytes], deadline: float) -> bytes:
        size = _LENGTH.unpack(self._read_exactly(process, _LENGTH.size, deadline))[0]
        if size > self._limits.output:
            raise WorkerFailed(gettext(
                "its HTML is larger than %(output)s bytes", output=f"{self._limits.output:,}"))
        return self._read_exactly(process, size, deadline)

    def _read_exactly(self, process: subprocess.Popen[bytes], size: int,
                      deadline: float) -> bytes:
        stdout = cast(IO[bytes], process.stdout).fileno()
        parts: list[bytes] = []
        while size:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([stdout], [], [], left)[0]:
                raise TimeoutError
            part = os.read(stdout, min(size, 1 << 20))
            if not part:
                raise WorkerFailed(gettext(
                    "the process that rendered it ended without an answer; it may have used too "
                    "much memory"))
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except OSError:  # what was still to be written to the dead process
                    continue
        process.wait()
