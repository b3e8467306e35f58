"""A process that renders for a :class:`wiki.rendering.renderer.RenderPool`, and can be killed.

``python -m wiki.rendering.worker module:function data`` takes requests on its standard input
and answers on its standard output, each a length of eight bytes and that many bytes. It ends
when its input does.
"""

from __future__ import annotations

import gc
import importlib
import io
import json
import os
import pickle
import resource
import signal
import struct
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, Literal, Self

from markupsafe import Markup

from wiki.errors import WikiError
from wiki.rendering.engine import Renderer, Rendering, error_box
from wiki.rendering.live import LiveParts
from wiki.rendering.parts import Signer
from wiki.rendering.request import TimeIsOver
from wiki.rendering.timing import Timing
from wiki.translate import gettext, using

#: The methods of :class:`Renderer` that a worker is asked for.
Kind = Literal["render", "render_content", "render_part"]

#: When the macro that runs is ended, and those after it, in parts of the time that there is.
FIRST_ALARM, NEXT_ALARM = 0.8, 0.05

_LENGTH = struct.Struct(">Q")


class _Pickler(pickle.Pickler):
    """Documents hold read-only mappings, which pickle does not know."""

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, MappingProxyType):
            return MappingProxyType, (dict(obj),)
        return NotImplemented


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker is asked for: a method of :class:`Renderer` and what it is given; the
    processor time that it may take, in seconds; the key that parts are signed with, or empty."""

    kind: Kind
    given: tuple[Any, ...]
    seconds: float
    key: str = ""

    def encode(self) -> bytes:
        """As bytes, their length before them."""
        buffer = io.BytesIO()
        _Pickler(buffer).dump(self)
        return frame(buffer.getvalue())


def encode_rendering(rendering: Rendering) -> bytes:
    """An answer as bytes."""
    return json.dumps(asdict(rendering), ensure_ascii=False).encode(errors="surrogatepass")


def decode_rendering(answer: bytes) -> Rendering:
    values = json.loads(answer.decode(errors="surrogatepass"))
    return Rendering(Markup(values.pop("html")), **{
        **values, "timings": tuple(Timing(**item) for item in values["timings"])})


def frame(message: bytes) -> bytes:
    return _LENGTH.pack(len(message)) + message


def read_frame(stream: BinaryIO) -> bytes | None:
    """The next message; None at the end."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    return stream.read(_LENGTH.unpack(head)[0])


def main(factory: str, data: str, memory: int) -> None:
    """Answer requests until the input ends."""
    # What macros print must not pass for an answer.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    module, _, function = factory.partition(":")
    renderer: Renderer = getattr(importlib.import_module(module), function)(data)
    if memory:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    _answer(answers, b"ready")
    while (message := read_frame(sys.stdin.buffer)) is not None:
        order: Order = pickle.loads(message)
        _limit_time(order.seconds)
        if order.key and renderer.parts is None:
            renderer.parts = LiveParts(Signer(order.key), hurry=False)
        answer = encode_rendering(_render(renderer, order))
        if memory and _address_space() > memory / 2:
            gc.collect()  # what a script piled up may hang in cycles with its error
        _answer(answers, answer)


def _address_space() -> int:
    """What counts against the limit, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def _answer(stream: BinaryIO, answer: bytes) -> None:
    stream.write(frame(answer))
    stream.flush()


def _limit_time(seconds: float) -> None:
    """Processor time for this request: ends a worker whose parent died under it."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time() + 2 * seconds + 2), hard))


class _Alarm:
    """Ends the macro that runs when most of the time is over, and again and again after that those
    that come then, so that the rest of the page is made in time. What does not let itself be
    ended, a single long step of Python's, ends with the process."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.rang = False

    def __enter__(self) -> Self:
        signal.signal(signal.SIGALRM, self._ring)
        signal.setitimer(signal.ITIMER_REAL, FIRST_ALARM * self._seconds,
                         NEXT_ALARM * self._seconds)
        return self

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _ring(self, *_: object) -> None:
        self.rang = True
        raise TimeIsOver(gettext("it was stopped, since the page has taken more than %(seconds)s "
                                 "seconds", seconds=f"{FIRST_ALARM * self._seconds:g}"))


def _render(renderer: Renderer, order: Order) -> Rendering:
    try:
        with using(order.given[-1].language), _Alarm(order.seconds) as alarm:
            rendering: Rendering = getattr(renderer, order.kind)(*order.given)
        return replace(rendering, ended=alarm.rang)
    except TimeIsOver as error:
        return Rendering(error_box(str(error)), ended=True, failed=True)
    except WikiError as error:
        return Rendering(error_box(str(error)))
    except MemoryError:
        return Rendering(error_box("The page needs more memory than rendering may use."))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
