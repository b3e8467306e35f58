"""A process that renders for a :class:`wiki.rendering.pool.RenderPool`, and can be killed.

``python -m wiki.rendering.worker module:function data`` takes requests on its standard input
and answers on its standard output, each a length of eight bytes and that many bytes. It ends
when its input does.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import pickle
import resource
import struct
import sys
import time
from types import MappingProxyType
from typing import Any, BinaryIO

from wiki.errors import WikiError
from wiki.model import Document
from wiki.rendering.engine import Renderer, Rendering, RenderRequest, error_box

_LENGTH = struct.Struct(">Q")


class _Pickler(pickle.Pickler):
    """Documents hold read-only mappings, which pickle does not know."""

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, MappingProxyType):
            return MappingProxyType, (dict(obj),)
        return NotImplemented


def encode_request(kind: str, document: Document, request: RenderRequest,
                   seconds: float) -> bytes:
    """A request as bytes, its length before it."""
    buffer = io.BytesIO()
    _Pickler(buffer).dump((kind, document, request, seconds))
    return frame(buffer.getvalue())


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
    _answer(answers, {"ready": True})
    while (message := read_frame(sys.stdin.buffer)) is not None:
        kind, document, request, seconds = pickle.loads(message)
        _limit_time(seconds)
        rendering = _render(renderer, kind, document, request)
        _answer(answers, {"html": rendering.html, "kept": rendering.kept})


def _answer(stream: BinaryIO, answer: dict[str, object]) -> None:
    stream.write(frame(json.dumps(answer).encode()))
    stream.flush()


def _limit_time(seconds: float) -> None:
    """Processor time for this request: ends a worker whose parent died under it."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time() + 2 * seconds + 2), hard))


def _render(renderer: Renderer, kind: str, document: Document, request: RenderRequest) -> Rendering:
    try:
        if kind == "content":
            return renderer.render_content(document, request)
        return renderer.render(document, request)
    except WikiError as error:
        return Rendering(error_box(str(error)))
    except MemoryError:
        return Rendering(error_box("The page needs more memory than rendering may use."))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
