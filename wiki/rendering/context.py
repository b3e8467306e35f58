"""What a macro is given: the page, its reader, and ways to render and to link."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from markupsafe import Markup

from wiki.api import Wiki
from wiki.errors import MacroError
from wiki.language import links
from wiki.model import GUEST, Document
from wiki.references import Reference
from wiki.rendering.declarations import MacroSpec
from wiki.rendering.parts import Part
from wiki.rendering.registry import Registry
from wiki.rendering.state import RenderState
from wiki.translate import gettext

T = TypeVar("T")
#: How many macros are made from the whole page: each looks through all of its HTML.
MAX_DEFERRED = 20


class Engine(Protocol):
    """What a context asks of the renderer."""

    wiki: Wiki
    registry: Registry
    services: Mapping[type, object]

    def find(self, context: MacroContext, name: str) -> MacroSpec | None:
        """The macro that the text means by the name; raises MacroError where two fit."""

    def visible_macros(self, source: Reference, author: str) -> list[MacroSpec]:
        """All that a text on the page ``source`` by ``author`` can use, by name."""

    def render_code(self, context: MacroContext, code: str, names: Mapping[str, object],
                    inline: bool) -> Markup: ...

    def render_text(self, context: MacroContext, text: str, line: int = 1,
                    column: int = 1, margin: int = 0) -> Markup: ...

    def render_script(self, context: MacroContext, text: str) -> Markup: ...

    def render_included(self, context: MacroContext, reference: Reference,
                        section: str | None) -> Markup: ...

    def render_displayed(self, context: MacroContext, reference: Reference) -> Markup: ...

    def call(self, context: MacroContext, spec: MacroSpec, params: Mapping[str, str | None],
             body: str | None) -> Markup: ...


@dataclass(frozen=True)
class MacroContext:
    """What a macro sees: the wiki as the reader, the page that is viewed, the page that its
    text is from, and ways to render and to link. Never the store, never Flask."""

    wiki: Wiki
    #: The page that is viewed.
    document: Document
    #: The page that the macro's text is from: another one in an include or a sheet.
    source: Document
    #: Whose rights the text runs with: the one who last changed it.
    author: str
    args: Mapping[str, str]
    form_token: str
    path: str
    engine: Engine
    state: RenderState
    #: Whether the macro stands within a line.
    inline: bool = False
    #: Whether the text came out of a script, whose values may be in it.
    scripted: bool = False
    depth: int = 0
    including: tuple[Reference, ...] = ()
    #: The pages that are viewed one in another, each through its sheet.
    displaying: tuple[Reference, ...] = ()
    #: The line of the page on which the macro's body begins.
    body_line: int = 1
    #: The pages of the wiki macros whose code the text is in.
    calling: tuple[Reference, ...] = ()
    #: The body of the wiki macro whose code the text is.
    body: Markup | None = None
    #: Where the macro stands in its page.
    line: int = 0
    column: int = 0
    #: The live part of the page that the macro is, or stands in.
    part: Part | None = None

    def evolve(self, **changes: Any) -> MacroContext:
        """The context with some of its fields changed; what ``dataclasses.replace`` gives, in a
        tenth of the time, since each macro of a page has one or two of its own."""
        other = object.__new__(MacroContext)
        other.__dict__.update(self.__dict__)
        other.__dict__.update(changes)
        return other

    @property
    def user(self) -> str:
        """The reader."""
        return self.wiki.user

    def render(self, text: str) -> Markup:
        """Markdown with macros, as HTML.

        The text may be anybody's (a property's value, say), so nothing in it runs with more
        rights than a guest has. A macro whose body runs with its author's rights asks for it
        with ``body="rendered"``.
        """
        return self.engine.render_text(self.evolve(author=GUEST, scripted=False), text)

    def render_document(self, reference: Reference | str, section: str | None = None) -> Markup:
        """Another page's content, run with its own author's rights; ``section`` is the heading
        of the part to show.

        Raises MacroError where the page includes itself, or has no such section.
        """
        return self.engine.render_included(self, self.reference(reference), section)

    def display_document(self, reference: Reference | str) -> Markup:
        """Another page as its own view shows it: through its sheet, or else its content.

        Raises MacroError where the page shows itself.
        """
        return self.engine.render_displayed(self, self.reference(reference))

    def anchor(self, wanted: str) -> str:
        """An id that no other element of the page has: the wanted one, if it is free."""
        return self.state.anchors.claim(wanted)

    def service(self, kind: type[T]) -> T:
        """The running service of this type; raises MacroError where there is none."""
        self.changing()
        found = self.engine.services.get(kind)
        if not isinstance(found, kind):
            raise MacroError(f"no {kind.__name__} is running here")
        return found

    def changing(self) -> None:
        """What is shown depends on more than pages, the reader and the address, so that it is
        made anew for each view: on the clock, say. Asking for a service says so too."""
        self.state.kept = False

    def pace(self, seconds: float) -> None:
        """A live macro asks to be brought up to date each so many seconds from now on, and not
        as often as its declaration says: while nothing moves, say."""
        if self.part is not None and self.part.live:
            self.part.every = seconds

    def form(self, action: str) -> str:
        """The id of a form that posts to an address of this server, for the attribute ``form`` of
        a button: the form itself stands at the end of the page, since no paragraph holds one."""
        name = f"form-{hashlib.blake2b(action.encode(), digest_size=6).hexdigest()}"
        self.state.forms[name] = action
        return name

    def reference(self, name: Reference | str) -> Reference:
        """A page name as written in the text, which may be relative to its page."""
        if isinstance(name, Reference):
            return name
        return Reference.parse(name.strip(), self.source.reference)

    def exists(self, reference: Reference) -> bool:
        """Whether there is such a page; asked once a rendering."""
        known = self.state.missing.get(reference)
        if known is None:
            known = self.state.missing[reference] = reference in self.wiki
        return known

    def url(self, reference: Reference | str, action: str = "", **args: object) -> str:
        """The address of a page; ``args`` become the query string."""
        return links.page_url(self.reference(reference), action, **args)

    def link(self, reference: Reference | str, label: str = "") -> Markup:
        """A link to a page, marked where the page is missing."""
        target = self.reference(reference)
        return links.page_link(target, label or str(target), self.exists(target))

    def macro(self, name: str, **params: object) -> Markup:
        """What another macro gives; raises MacroError."""
        spec = self.engine.find(self, name)
        if spec is None:
            raise MacroError(gettext("there is no macro %(name)s", name=repr(name)))
        texts = {key: str(value) for key, value in params.items()}
        return self.engine.call(self, spec, texts, None)

    def defer(self, finish: Callable[[str], Markup]) -> Markup:
        """Put something in this place that is made from the whole page's HTML at the end.

        Raises MacroError where the page does so too often.
        """
        if len(self.state.deferred) >= MAX_DEFERRED:
            raise MacroError(gettext(
                "a page holds at most %(most)s macros that are made from all of it",
                most=MAX_DEFERRED))
        word = f"d{secrets.token_hex(12)}z"
        self.state.deferred[word] = finish
        return Markup(word)

    def within(self, source: Document, author: str) -> MacroContext:
        """The context of another page's text."""
        return self.evolve(source=source, author=author, scripted=False, body=None,
                           including=(*self.including, source.reference))
