"""The renderer: a document's text, its macros, its sheet, as HTML."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from html import escape

from markupsafe import Markup

from wiki.api import Wiki
from wiki.documents import SHEET_CLASS
from wiki.errors import MacroError, ParameterError, StoreError, WikiError
from wiki.language import links
from wiki.language.syntax import LITERAL_BODIES, Broken, Macro, parameter_place
from wiki.model import Document
from wiki.references import Reference
from wiki.rendering import limits, scripting
from wiki.rendering.background import Wait
from wiki.rendering.boxes import error_box, missing_page, why
from wiki.rendering.compiled import BLOCK, Compiler, Link, Place, Segment
from wiki.rendering.headings import headings, section_of
from wiki.rendering.live import LiveParts
from wiki.rendering.macros import MacroContext, MacroSpec, Registry, RenderState
from wiki.rendering.parts import Call, Part, whole
from wiki.rendering.request import NeedsWorker, Rendering, RenderRequest, TimeIsOver
from wiki.rendering.timing import Clock
from wiki.rendering.wikimacros import BODY, INLINE_BODY, WikiMacros
from wiki.rights import Right, allows
from wiki.translate import gettext

__all__ = ["NeedsWorker", "RenderRequest", "Renderer", "Rendering", "error_box", "headings",
           "missing_page"]

_ONE_PARAGRAPH = re.compile(r"\A<p>((?:(?!</?p>).)*)</p>\Z", re.DOTALL)


_FORM = Markup('<form id="{}" method="post" action="{}">'
               '<input type="hidden" name="form_token" value="{}"></form>')


class Renderer:
    """Renders documents in this process. Safe for use by several threads.

    ``scripts=False`` gives a renderer that raises :class:`NeedsWorker` at the first script.
    """

    def __init__(self, wiki: Wiki, registry: Registry,
                 services: Mapping[type, object] | None = None, scripts: bool = True) -> None:
        self.wiki = wiki
        self.registry = registry
        self.wiki_macros = WikiMacros(wiki, registry)
        self.services: Mapping[type, object] = {**(services or {}),
                                                WikiMacros: self.wiki_macros}
        self.scripts = scripts
        #: Makes parts that the browser asks for again, where there is somebody to answer.
        self.parts: LiveParts | None = None
        #: Makes a part, which holds a script, where scripts do not run here; None
        #: while it is not there.
        self.elsewhere: Callable[[Part, RenderRequest, Wait], Rendering | None] | None = None
        self._compiler = Compiler(self._inline, self._literal)

    def without_scripts(self) -> Renderer:
        """A renderer for a process that must not run scripts."""
        return Renderer(self.wiki, self.registry, self.services, scripts=False)

    def _inline(self, name: str) -> bool:
        spec = self.registry.get(name)
        return spec.inline if spec is not None else self.wiki_macros.inline(name)

    def _literal(self, name: str) -> bool:
        spec = self.registry.get(name)
        if spec is not None:
            return spec.body in ("raw", "markup")
        return name in LITERAL_BODIES or self.wiki_macros.literal(name)

    # -- doors -----------------------------------------------------------------------------

    def render(self, document: Document, request: RenderRequest) -> Rendering:
        """The document as its class's sheet shows it, or its content where there is none."""
        sheet = self.sheet(document)
        context = self._context(document, request)
        if sheet is None:
            return self._whole(context, document.display_content)
        # The sheet is what is rendered; the page's own content may stand within it.
        context = context.evolve(including=()).within(sheet, sheet.content_author)
        return self._whole(context, sheet.display_content)

    def render_content(self, document: Document, request: RenderRequest) -> Rendering:
        """The document's own content."""
        return self._whole(self._context(document, request), document.display_content)

    def render_part(self, token: str, call: Call, request: RenderRequest) -> Rendering:
        """A macro of a page once more, as the reader of now may see it.

        Raises DocumentNotFound or AccessDenied where the reader may not view the pages that it
        is from, RevisionNotFound where its text is not there any more.
        """
        wiki = self.wiki.as_user(request.user)
        call = whole(call, wiki)
        document, source = wiki.get(call.document).record, wiki.get(call.source).record
        context = self._context(document, replace(request, args=call.args))
        context = context.evolve(
            source=source, author=call.author, path=call.path, scripted=call.scripted,
            inline=call.inline, line=call.line, column=call.column, body_line=call.body_line,
            including=tuple(Reference.parse(name) for name in call.including))
        part = (self.parts.again(token, call, self._seen(context, call.name))
                if self.parts else None)
        context = context.evolve(part=part)
        node = Macro(call.name, call.params, call.body, f"<<{call.name}>>", call.line,
                     call.column, not call.inline, False, call.body_line, call.body_column,
                     call.body_margin)
        rendering = self._finish(context, self._answer(context, node, call.paragraph, part))
        return replace(rendering, every=part.every, busy=part.busy) if part else rendering

    def sheet(self, document: Document) -> Document | None:
        """The page that shows documents of the class of one of its objects, if any."""
        for name in dict.fromkeys(obj.class_name for obj in document.objects):
            marker = self._page(name)
            found = marker.object(SHEET_CLASS) if marker else None
            if found and found.values.get("sheet"):
                sheet = self._page(str(found.values["sheet"]))
                if sheet is not None and sheet.reference != document.reference:
                    return sheet
        return None

    # -- what contexts ask for -------------------------------------------------------------

    def render_text(self, context: MacroContext, text: str, line: int = 1,
                    column: int = 1, margin: int = 0) -> Markup:
        """Markdown with macros, as HTML. A script's text has its values put in, escaped."""
        if context.depth > limits.MAX_DEPTH:
            raise MacroError(gettext("macros nest more than %(most)s deep", most=limits.MAX_DEPTH))
        context = context.evolve(depth=context.depth + 1)
        instead = limits.unread(context.state, text)
        if instead is not None:
            return instead
        if context.state.source > limits.LOCAL_SOURCE and not self.scripts:
            raise NeedsWorker
        stash = context.state.stash if context.scripted else None
        with context.state.clock.measured(context.source.reference):
            segments = self._compiler.compile(text, line, column, margin, stash)
        context.state.anchors.saw(segments)
        return Markup("".join(self._segment(context, segment) for segment in segments))

    def render_script(self, context: MacroContext, text: str) -> Markup:
        """Run Jinja2 with the rights of the text's author, and render what it puts out.

        Raises MacroError.
        """
        _require_script_right(context)
        if context.scripted:
            raise MacroError(gettext("a script cannot stand in what another script puts out"))
        if not self.scripts:
            raise NeedsWorker
        output = scripting.run(text, context, place=str(context.source.reference),
                               line=context.body_line)
        return self.render_text(context.evolve(scripted=True), output)

    def render_code(self, context: MacroContext, code: str, names: Mapping[str, object],
                    inline: bool) -> Markup:
        """A wiki macro's code, which sees ``names`` too, run with the rights of its author.

        Raises MacroError.
        """
        _require_script_right(context)
        if scripting.is_script(code):
            if not self.scripts:
                raise NeedsWorker
            code = scripting.run(code, context, names, f"the code of {context.source.reference}")
            context = context.evolve(scripted=True)
        html = self.render_text(context, code)
        return Markup(_ONE_PARAGRAPH.sub(r"\1", str(html))) if inline else html

    def render_included(self, context: MacroContext, reference: Reference,
                        section: str | None) -> Markup:
        """Another page's content, with its own author's rights; raises MacroError."""
        _refuse_loop(reference, context.including)
        document = context.document
        if reference != document.reference:
            document = context.wiki.get(reference).record
        inner = context.within(document, document.content_author)

        def render() -> str:
            if section is None:
                return self.render_text(inner, document.display_content)
            return section_of(self.render_text(inner, document.content), section, reference)

        return Markup(context.state.anchors.apart(render))

    def render_displayed(self, context: MacroContext, reference: Reference) -> Markup:
        """Another page through its sheet, or its content where there is none; raises
        MacroError."""
        _refuse_loop(reference, (*context.including, *context.displaying))
        document = context.wiki.get(reference).record
        shown = self.sheet(document) or document
        inner = context.evolve(document=document,
                               displaying=(*context.displaying, reference))
        inner = inner.within(shown, shown.content_author)
        return Markup(context.state.anchors.apart(
            lambda: self.render_text(inner, shown.display_content)))

    def call(self, context: MacroContext, spec: MacroSpec, params: Mapping[str, str | None],
             body: str | None) -> Markup:
        """Call a macro; what it returns is escaped unless it is Markup. Raises MacroError."""
        clock = context.state.clock
        begun = clock.begin()
        try:
            arguments = spec.arguments(params)
            spec.check_body(body)
            args = [] if body is None else [body]
            result = spec.function(context, *args, **arguments)
        finally:
            own = clock.end(begun, spec.name, context.source.reference, context.line,
                            context.column)
            if self.parts is not None:
                self.parts.took(spec.name, own)
        return Markup(escape(str(result))) if not isinstance(result, Markup) else result

    def find(self, context: MacroContext, name: str) -> MacroSpec | None:
        """The macro that the text means by the name: one of Python, then the wiki macro that is
        nearest. Raises MacroError where two are as near."""
        spec = self.registry.get(name)
        if spec is not None:
            return spec
        if context.body is not None and name in (BODY, INLINE_BODY):
            return _BODY
        found = self.wiki_macros.find(name, context.source.reference, context.author)
        return found.spec if found else None

    def _seen(self, context: MacroContext, name: str) -> MacroSpec | None:
        """The macro that :meth:`find` finds; None where that raises, as calling it will."""
        try:
            return self.find(context, name)
        except MacroError:
            return None

    def visible_macros(self, source: Reference, author: str) -> list[MacroSpec]:
        """All macros that a text on the page ``source`` by ``author`` can use, by name."""
        self.wiki_macros.refresh()
        return sorted([*self.registry, *self.wiki_macros.visible(source, author)],
                      key=lambda spec: spec.name)

    # -- parts -----------------------------------------------------------------------------

    def _page(self, name: str) -> Document | None:
        try:
            return self.wiki.get(name).record
        except WikiError:
            return None

    def _context(self, document: Document, request: RenderRequest) -> MacroContext:
        if self.wiki_macros.refresh():
            # what is inline or literal is in compiled texts
            self._compiler = Compiler(self._inline, self._literal)
        author = request.user if request.preview else document.content_author
        return MacroContext(
            wiki=self.wiki.as_user(request.user), document=document, source=document,
            author=author, args=dict(request.args), form_token=request.form_token,
            path=request.path or links.page_url(document.reference), engine=self,
            state=RenderState(patience=request.patience, clock=Clock(request.timing),
                              scripts_apart=request.apart, sure_only=request.sure_only),
            including=(document.reference,), displaying=(document.reference,))

    def _whole(self, context: MacroContext, text: str) -> Rendering:
        return self._finish(context, self.render_text(context, text))

    def _finish(self, context: MacroContext, text: Markup) -> Rendering:
        html = str(text)
        deferred = context.state.deferred
        if deferred:
            words = re.compile("|".join(deferred))
            seen = words.sub("", html)
            html = words.sub(lambda match: _finished(context.state, match[0], seen), html)
        html += "".join(_FORM.format(name, action, context.form_token)
                        for name, action in context.state.forms.items())
        if self.parts is not None:
            html = self.parts.finish(html, context.form_token)
        return Rendering(Markup(html), context.state.kept, context.state.clock.timings())

    def _segment(self, context: MacroContext, segment: Segment) -> str:
        if isinstance(segment, str):
            context.state.output += len(segment)
            return segment
        if isinstance(segment, Link):
            return links.render_tag(segment.tag, dict(segment.attributes),
                                    context.source.reference, context.exists)
        html = str(self._place(context, segment))
        breaks_out = segment.ends and BLOCK.search(html)
        return segment.ends + html + segment.begins if breaks_out else html

    def _place(self, context: MacroContext, place: Place) -> Markup:
        state = context.state
        if state.stopped:
            return Markup("")
        state.macros += 1
        before = state.output
        html = self._shown(context, place)
        # What a macro rendered is counted in it, and may not be in what it gave.
        state.output = max(state.output, before + len(html))
        return html

    def _shown(self, context: MacroContext, place: Place) -> Markup:
        node = place.node
        if passed := limits.passed(context.state):
            context.state.stopped = True
            return error_box(gettext(
                "%(passed)s, and no more; what follows is left out", passed=passed),
                             node.source[:80], node.line, node.column, place.paragraph)
        if isinstance(node, Broken):
            return error_box(node.message, node.source[:80], node.line, node.column,
                             place.paragraph)
        context = context.evolve(inline=not node.block, body_line=node.body_line,
                                 line=node.line, column=node.column)
        spec = self._seen(context, node.name)
        node = self._restored(context, spec, node)
        try:
            return self._here(context, spec, node, place.paragraph)
        except NeedsWorker:
            shown = self._elsewhere(context, spec, node, place.paragraph)
            if shown is None:
                raise
            return shown

    def _here(self, context: MacroContext, spec: MacroSpec | None, node: Macro,
              paragraph: bool) -> Markup:
        """What a macro shows that this process calls."""
        part = self.parts.part(context, spec, node, paragraph) if self.parts else None
        if part is None or self.parts is None:
            return self._answer(context, node, paragraph, None)
        html = self._answer(context.evolve(part=part), node, paragraph, part)
        return self.parts.wrap(context, part, html, paragraph)

    def _elsewhere(self, context: MacroContext, spec: MacroSpec | None, node: Macro,
                   paragraph: bool) -> Markup | None:
        """What a macro with a script shows, or what stands in its place until that is there;
        None where it can be no part of its own."""
        state = context.state
        if self.parts is None or self.elsewhere is None or not state.scripts_apart:
            return None
        part = self.parts.part(context, spec, node, paragraph, apart=True)
        if part is None:
            return None
        asked = RenderRequest(context.user, form_token=context.form_token,
                              timing=state.clock.detailed)
        wait = state.wait if state.scripts_apart == "patient" else threading.Event.is_set
        made = self.elsewhere(part, asked, wait)
        state.kept = state.kept and made is not None and made.kept
        if made is None and state.sure_only:  # nobody will ask for it
            return error_box(gettext("it takes longer than the page may wait for it"),
                             f"<<{node.name}>>", node.line, node.column, paragraph)
        if made is None:
            return self.parts.wrap(context, part, part.placeholder(), paragraph)
        part.every = made.every
        state.clock.add(made.timings)
        return self.parts.wrap(context, part, made.html, paragraph)

    def _answer(self, context: MacroContext, node: Macro, paragraph: bool,
                part: Part | None) -> Markup:
        """What the macro gives, or a box that says why there is nothing."""
        try:
            return self._macro(context, node, part)
        except TimeIsOver as error:
            context.changing()  # the next time it may be quicker
            return error_box(str(error), f"<<{node.name}>>", node.line, node.column, paragraph)
        except Exception as error:  # noqa: BLE001 - whatever a macro raises is its box's text
            if not isinstance(error, WikiError) or isinstance(error, StoreError):
                context.changing()  # the next time it may be well
            line, column = node.line, node.column
            if isinstance(error, ParameterError):
                context.pace(0)  # it stays as wrong as it is
                line, column = parameter_place(node, error.parameter)
            return error_box(why(error), f"<<{node.name}>>", line, column, paragraph)

    def _macro(self, context: MacroContext, node: Macro, part: Part | None) -> Markup:
        spec = self.find(context, node.name)
        if spec is None:
            raise MacroError(gettext("there is no macro of this name; a literal << is written ~<<"))
        if context.state.sure_only and self.parts and not self.parts.surely_ends(spec):
            raise NeedsWorker
        body = node.body
        if body is not None and spec.body == "rendered":
            body = self._body(context.evolve(inline=context.inline or spec.inline), node)

        def work(inner: MacroContext) -> Markup:
            return self.call(inner, spec, node.params, body)

        return self.parts.run(context, part, spec, work) if part and self.parts else work(
            context)

    def _restored(self, context: MacroContext, spec: MacroSpec | None, node: Macro) -> Macro:
        """With the values of the script that put it out, as its macro takes them."""
        if not context.scripted or spec is None:
            return node
        stash, body = context.state.stash, node.body
        if body is not None and spec.body in ("raw", "markup"):
            body = stash.restore(body, html=spec.body == "markup")
        return replace(node, body=body, params={
            key: value and stash.restore(value, html=False)
            for key, value in node.params.items()})

    def _body(self, context: MacroContext, node: Macro) -> Markup:
        body = node.body or ""
        html = self.render_text(context, body, node.body_line, node.body_column,
                                node.body_margin)
        if context.inline and "\n\n" not in body:
            html = Markup(_ONE_PARAGRAPH.sub(r"\1", str(html)))
        return html


#: Stands for the body of a wiki macro, in the macro's code.
_BODY = MacroSpec(BODY, lambda context: context.body, (), "The body of the wiki macro.")


def _require_script_right(context: MacroContext) -> None:
    if not allows(context.author, Right.SCRIPT, context.source):
        raise MacroError(gettext(
            "%(author)s, who wrote this text, does not hold the script right, so it is not run; "
            "somebody who does must save it", author=context.author))


def _finished(state: RenderState, word: str, html: str) -> str:
    """What a macro makes from the page's HTML; nothing once there is too much."""
    if state.output > limits.MAX_OUTPUT:
        return error_box(gettext(
            "%(passed)s, and no more; this is left out", passed=limits.passed(state)), inline=True)
    made = str(state.deferred[word](html))
    state.output += len(made)
    return made


def _refuse_loop(reference: Reference, chain: tuple[Reference, ...]) -> None:
    if reference in chain:
        names = " > ".join(str(item) for item in (*chain, reference))
        raise MacroError(gettext("the page includes itself: %(names)s", names=names))


