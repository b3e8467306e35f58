"""What the parts of one rendering share."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from html import escape

from markupsafe import Markup

from wiki.references import Reference
from wiki.rendering.anchors import Anchors
from wiki.rendering.budget import Budget
from wiki.rendering.timing import Clock


class Stash:
    """Values put away under words that nobody can guess, so that Markdown and the macro parser
    pass them by."""

    def __init__(self) -> None:
        self._prefix = f"v{secrets.token_hex(10)}"
        self._values: list[str] = []

    def __len__(self) -> int:
        return len(self._values)

    def put(self, value: str) -> str:
        """The word that stands for the value."""
        self._values.append(value)
        return f"{self._prefix}i{len(self._values) - 1}z"

    def holds(self, text: str) -> bool:
        """Whether one of the words may be in the text."""
        return self._prefix in text

    def restore(self, text: str, html: bool) -> str:
        """The text with its values back, escaped if it is ``html``."""
        head, *parts = text.split(self._prefix + "i")
        restored = [head]
        for part in parts:
            number, mark, rest = part.partition("z")
            if mark and number.isdigit() and int(number) < len(self._values):
                value = self._values[int(number)]
                restored.append((escape(value) if html else value) + rest)
            else:
                restored.append(part)
        return "".join(restored)


@dataclass(slots=True)
class RenderState:
    """What the parts of one rendering share."""

    stash: Stash = field(default_factory=Stash)
    #: Word in the output -> what it becomes once the whole page's HTML is there.
    deferred: dict[str, Callable[[str], Markup]] = field(default_factory=dict)
    #: What was rendered so far: macros, ``<<`` in texts, characters of text, characters of HTML.
    macros: int = 0
    marks: int = 0
    source: int = 0
    output: int = 0
    #: Whether one of them passed its limit, so that no further macro is run.
    stopped: bool = False
    budget: Budget = field(default_factory=Budget)
    #: Whether the HTML depends on nothing but pages, the reader and the address.
    kept: bool = True
    missing: dict[Reference, bool] = field(default_factory=dict)
    #: The ids that are taken in the HTML.
    anchors: Anchors = field(default_factory=Anchors)
    #: How long slow macros may still hold the page, in seconds; None: as long as they take.
    patience: float | None = None
    clock: Clock = field(default_factory=Clock)
    #: The forms at the end of the page, whose buttons stand in it: id -> address.
    forms: dict[str, str] = field(default_factory=dict)
    #: Whether scripts are parts, and waited for: ``apart`` of the request.
    scripts_apart: str = ""
    #: Whether only macros are called that surely end.
    sure_only: bool = False

    def wait(self, ended: threading.Event) -> bool:
        """Wait for a slow macro as long as the page still may; whether it has ended."""
        begun = time.monotonic()
        done = ended.wait(self.patience)
        if self.patience is not None:
            self.patience = max(0.0, self.patience - (time.monotonic() - begun))
        return done

    def apart(self) -> RenderState:
        """The state of a part that another thread makes: it starts as this one, and goes on for
        itself."""
        return replace(self, deferred=dict(self.deferred), forms=dict(self.forms),
                       missing=dict(self.missing), anchors=self.anchors.copy(),
                       patience=None, clock=Clock(self.clock.detailed))

    def adopt(self, part: RenderState) -> None:
        """Take over what came of a part that is put in place."""
        self.deferred.update(part.deferred)
        self.forms.update(part.forms)
        self.missing.update(part.missing)
        self.macros = max(self.macros, part.macros)
        self.marks = max(self.marks, part.marks)
        self.source = max(self.source, part.source)
        self.output = max(self.output, part.output)
        self.stopped = self.stopped or part.stopped
        self.kept = self.kept and part.kept
        self.anchors = part.anchors
        self.clock.adopt(part.clock)
