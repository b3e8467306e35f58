"""What a rendering is asked with, and what it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from markupsafe import Markup

from wiki.model import GUEST
from wiki.rendering.timing import Timing
from wiki.translate import language

#: How a page waits for scripts that are parts; empty where they are none.
Apart = Literal["", "patient", "at once"]


@dataclass(frozen=True, slots=True)
class RenderRequest:
    """Who reads, and what the page's address said. Plain data, to be sent to a worker.

    ``preview``: the content is the reader's own, not yet saved, whatever the document says.
    ``patience``: how long slow macros may hold the page, in seconds; None: as long as they take.
    ``timing``: measure what each macro takes.
    ``language``: what macros say is in it, a code of :data:`wiki.translate.LANGUAGES`.
    ``apart``: its scripts are parts, each made by a worker; with ``patient`` it waits for them as
    for slow macros, with ``at once`` not at all.
    ``path``: the path of the page's address, where it is not the document's own.
    ``sure_only``: :class:`NeedsWorker` is raised at a macro that may go on for ever, which nothing
    could end here.
    """

    user: str = GUEST
    args: Mapping[str, str] = field(default_factory=dict)
    form_token: str = ""
    preview: bool = False
    patience: float | None = None
    timing: bool = False
    apart: Apart = ""
    language: str = field(default_factory=language)
    path: str = ""
    sure_only: bool = False


@dataclass(frozen=True, slots=True)
class Rendering:
    """A page, or a part of one, as HTML.

    ``kept``: it stays right until some page, account or right changes, for the same request;
    else it is made anew for each view. ``timings``: what took how long, where that was asked
    for. Of a part: ``every`` is in how many seconds it is to be asked for again (0: not), and
    ``busy`` tells that it is not there yet. ``ended``: a macro in it was stopped since its time was
    over; ``failed``: the whole of it was, so that it is but a box that says why.
    """

    html: Markup
    kept: bool = False
    timings: tuple[Timing, ...] = ()
    every: float = 0.0
    busy: bool = False
    ended: bool = False
    failed: bool = False


class NeedsWorker(BaseException):
    """The page holds a script, or a macro that may take long, and this process may not run it.

    Not an Exception, so that no macro's error box holds it.
    """


class TimeIsOver(BaseException):
    """What runs has had the time that there is.

    Not an Exception, so that what a macro catches does not hold it.
    """
