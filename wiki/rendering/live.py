"""Which macros of a page are parts of their own, and which the page does not wait for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup

from wiki.errors import MacroError
from wiki.language.syntax import Macro
from wiki.rendering import slow
from wiki.rendering.macros import MacroContext, MacroSpec, RenderState
from wiki.rendering.parts import (
    MAX_TOKEN,
    Call,
    Part,
    Signer,
    shortened,
    tag_of,
    waiting_address,
)
from wiki.rendering.slow import QUICK, Run, SlowRuns
from wiki.translate import language

#: Calls the macro in the context that it is given.
Work = Callable[[MacroContext], Markup]


@dataclass(frozen=True, slots=True)
class Made:
    """What a thread made: HTML, the state of the rendering, and how often it is asked for."""

    html: Markup
    state: RenderState
    every: float


class LiveParts:
    """Makes parts of live and slow macros. ``hurry=False``: none is called slow."""

    def __init__(self, signer: Signer, hurry: bool = True) -> None:
        self.signer = signer
        self.slow: SlowRuns[Made] | None = (
            SlowRuns(size_of=lambda made: len(made.html)) if hurry else None)

    def close(self) -> None:
        if self.slow is not None:
            self.slow.close()

    def is_quick(self, spec: MacroSpec) -> bool:
        """Whether the macro is known to take no time worth speaking of. Of one on a page, what it
        is made of is asked."""
        return self.slow is None or spec.page is not None or self.slow.quick(spec.name)

    def surely_ends(self, spec: MacroSpec) -> bool:
        """Whether this process may call the macro where nothing could end it: one of the wiki's
        own that is known to be quick. One of a package may be quick today, and endless with other
        parameters."""
        return not spec.package and self.is_quick(spec)

    def took(self, name: str, seconds: float) -> None:
        """Take note of how long a macro's call took by itself."""
        if self.slow is not None:
            self.slow.took(name, seconds)

    # -- parts -----------------------------------------------------------------------------

    def part(self, context: MacroContext, spec: MacroSpec | None, node: Macro,
             paragraph: bool, apart: bool = False) -> Part | None:
        """The part that a macro of a page is; None for one within a live part, and, unless it is
        to be made ``apart``, for one that is always quick and shows the same."""
        if spec is None or (context.part is not None and context.part.live):
            return None
        if not (apart or spec.live or self._slow(context, spec)):
            return None
        call = self._call(context, spec, node, paragraph)
        token = self.signer.token(call) if call else ""
        if call and len(token) > MAX_TOKEN:
            call = shortened(call, context.source, context.wiki)
            token = self.signer.token(call) if call else ""
        return self.again(token, call, spec) if call and len(token) <= MAX_TOKEN else None

    def again(self, token: str, call: Call, spec: MacroSpec | None) -> Part:
        """The part of a call that is made once more."""
        return Part(token, call, spec.live if spec else 0.0,
                    waiting_address(call.path, call.args))

    def wrap(self, context: MacroContext, part: Part, html: Markup, paragraph: bool) -> Markup:
        """The part's element, where it needs one."""
        if not part.stands_alone:
            return html
        return part.wrap(html, self.tag(html, context.form_token), paragraph)

    def tag(self, html: str, form_token: str) -> str:
        """See :func:`wiki.rendering.parts.tag_of`."""
        return tag_of(html, form_token, self.slow.form_token if self.slow else "")

    def _call(self, context: MacroContext, spec: MacroSpec, node: Macro,
              paragraph: bool) -> Call | None:
        if context.scripted and spec.body == "rendered" and node.body is not None:
            return None  # the values of the script that are in it are gone with the page
        if context.body and node.body is not None:
            return None  # so is the body of the wiki macro around it
        return Call(
            context.user, str(context.document.reference), str(context.source.reference),
            context.author, context.path, dict(context.args), node.name, dict(node.params),
            node.body, node.line, node.column, node.body_line, node.body_column,
            node.body_margin, context.inline, paragraph, context.scripted,
            [str(reference) for reference in context.including])

    # -- slow macros -----------------------------------------------------------------------

    def _slow(self, context: MacroContext, spec: MacroSpec) -> bool:
        # What a wiki macro takes, its code does: a script's worker has a limit of its own.
        return context.state.patience is not None and not self.is_quick(spec)

    def run(self, context: MacroContext, part: Part | None, spec: MacroSpec, work: Work) -> Markup:
        """What the macro gives, or what stands in its place until it is there; raises what it
        raises."""
        if part is None or self.slow is None or not (
                self._slow(context, spec) or self.slow.has(_key(part))):
            return work(context)
        page = str(context.document.reference)
        run = self.slow.start(_key(part), lambda: self._apart(context, part, work), page,
                              context.user)
        if run is None and not (self.slow.knows(spec.name) or self.slow.holds(page)):
            return work(context)  # all threads are at work
        if run is None or not context.state.wait(run.ended):
            context.state.kept = False
            self.took(spec.name, QUICK)
            self._check_stuck(run, page, context.user)
            return part.placeholder()
        try:
            made = self.slow.take(run)
        except Exception:
            context.state.kept = False  # whether it would be, is gone with the thread's state
            raise
        context.state.adopt(made.state)
        part.every = made.every
        return made.html

    def _check_stuck(self, run: Run[Made] | None, page: str, reader: str) -> None:
        """Raises MacroError where waiting has no sense."""
        assert self.slow is not None
        if run is not None and run.is_stuck:
            raise MacroError(
                f"it has run for more than {slow.STUCK_SECONDS:g} seconds and goes on, so the page "
                "waits for it no longer; view the page again once it may have ended")
        if run is None and self.slow.stuck(page, reader):
            raise MacroError(
                "there is no thread free for it: all that this page or its reader may have are "
                f"held by macros that have run for more than {slow.STUCK_SECONDS:g} seconds; take "
                "those off the page, and have the server restarted if they do not end")

    def _apart(self, context: MacroContext, part: Part, work: Work) -> Made:
        """In the thread. Nothing that is shared with the page's own is written, and no session's
        form token is in what is made: another session of the user's may come for it."""
        assert self.slow is not None
        state = context.state.apart()
        html = work(context.evolve(state=state, form_token=self.slow.form_token))
        if context.form_token:  # in a body that was rendered before
            html = Markup(html.replace(context.form_token, self.slow.form_token))
        return Made(html, state, part.every)

    def finish(self, html: str, form_token: str) -> str:
        """The page's HTML with the reader's form token in what threads made."""
        return html.replace(self.slow.form_token, form_token) if self.slow else html


def _key(part: Part) -> str:
    """What a run is found by: readers of another language get another."""
    return f"{language()} {part.token}"
