"""The renderer: a document's text, its macros, its sheet, as HTML."""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from html import escape, unescape

from markupsafe import Markup

from wiki.api import Wiki
from wiki.errors import MacroError, NotFound, WikiError
from wiki.model import GUEST, Document
from wiki.references import Reference
from wiki.rendering import links, scripting
from wiki.rendering.compiled import Compiler, Link, Place, Segment
from wiki.rendering.macros import MacroContext, MacroSpec, Registry, RenderState
from wiki.rendering.syntax import Broken, Macro
from wiki.rights import Right, allows

#: The class of the object by which a class's page names its sheet.
SHEET_CLASS = "Wiki.ClassSheetClass"
#: How deep macros and includes nest.
MAX_DEPTH = 15
#: How many macros a page runs.
MAX_MACROS = 10_000

_HEADING = re.compile(r"<h([1-6])([^>]*)>(.*?)</h\1>", re.DOTALL)
_TAGS = re.compile(r"<[^>]*>")
_ONE_PARAGRAPH = re.compile(r"\A<p>((?:(?!</?p>).)*)</p>\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class RenderRequest:
    """Who reads, and what the page's address said. Plain data, to be sent to a worker.

    ``preview``: the content is the reader's own, not yet saved, whatever the document says.
    """

    user: str = GUEST
    args: Mapping[str, str] = field(default_factory=dict)
    form_token: str = ""
    preview: bool = False


@dataclass(frozen=True, slots=True)
class MacroHelp:
    """A line of the listing of macros."""

    name: str
    help: str
    parameters: tuple[tuple[str, str, str], ...]
    body: bool


@dataclass(frozen=True, slots=True)
class Rendering:
    """A page as HTML. ``kept``: it stays right until some page, account or right changes, for
    the same request; else it is made anew for each view."""

    html: Markup
    kept: bool = False


class NeedsWorker(BaseException):
    """The page holds a script, and this process may not run any.

    Not an Exception, so that no macro's error box holds it.
    """


class Renderer:
    """Renders documents in this process. Safe for use by several threads.

    ``scripts=False`` gives a renderer that raises :class:`NeedsWorker` at the first script.
    """

    def __init__(self, wiki: Wiki, registry: Registry,
                 services: Mapping[type, object] | None = None, scripts: bool = True) -> None:
        self.wiki = wiki
        self.registry = registry
        self.services: Mapping[type, object] = dict(services or {})
        self.scripts = scripts
        self._compiler = Compiler(self._inline)

    def without_scripts(self) -> Renderer:
        """A renderer for a process that must not run scripts."""
        return Renderer(self.wiki, self.registry, self.services, scripts=False)

    def _inline(self, name: str) -> bool:
        spec = self.registry.get(name)
        return spec is not None and spec.inline

    # -- doors -----------------------------------------------------------------------------

    def render(self, document: Document, request: RenderRequest) -> Rendering:
        """The document as its class's sheet shows it, or its content where there is none."""
        sheet = self.sheet(document)
        context = self._context(document, request)
        if sheet is None:
            return self._whole(context, document.content)
        # The sheet is what is rendered; the page's own content may stand within it.
        context = replace(context, including=()).within(sheet, sheet.content_author)
        return self._whole(context, sheet.content)

    def render_content(self, document: Document, request: RenderRequest) -> Rendering:
        """The document's own content."""
        return self._whole(self._context(document, request), document.content)

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

    def macros(self) -> list[MacroHelp]:
        """Every macro with its parameters: name, what it takes, default."""
        return [MacroHelp(spec.name, spec.help, tuple(
            (item.name, item.takes, "required" if item.required else str(item.default))
            for item in spec.parameters), spec.body != "none") for spec in self.registry]

    # -- what contexts ask for -------------------------------------------------------------

    def render_text(self, context: MacroContext, text: str, line: int = 1,
                    column: int = 1) -> Markup:
        """Markdown with macros, as HTML. A script's text has its values put in, escaped."""
        if context.depth > MAX_DEPTH:
            raise MacroError(f"macros nest more than {MAX_DEPTH} deep")
        context = replace(context, depth=context.depth + 1)
        stash = context.state.stash if context.scripted else None
        segments = self._compiler.compile(text, line, column, stash)
        return Markup("".join(self._segment(context, segment) for segment in segments))

    def render_script(self, context: MacroContext, text: str) -> Markup:
        """Run Jinja2 with the rights of the text's author, and render what it puts out.

        Raises MacroError.
        """
        if not allows(context.author, Right.SCRIPT, context.source):
            raise MacroError(f"{context.author}, who wrote this text, does not hold the script "
                             "right, so it is not run; somebody who does must save it")
        if context.scripted:
            raise MacroError("a script cannot stand in what another script puts out")
        if not self.scripts:
            raise NeedsWorker
        return self.render_text(replace(context, scripted=True), scripting.run(text, context))

    def render_included(self, context: MacroContext, reference: Reference,
                        section: str | None) -> Markup:
        """Another page's content, with its own author's rights; raises MacroError."""
        if reference in context.including:
            chain = " > ".join(str(item) for item in (*context.including, reference))
            raise MacroError(f"the page includes itself: {chain}")
        document = context.document
        if reference != document.reference:
            document = context.wiki.get(reference).record
        inner = context.within(document, document.content_author)
        html = self.render_text(inner, document.content)
        return html if section is None else _section(html, section, reference)

    def call(self, context: MacroContext, spec: MacroSpec, params: Mapping[str, str | None],
             body: str | None) -> Markup:
        """Call a macro; what it returns is escaped unless it is Markup. Raises MacroError."""
        arguments = spec.arguments(params)
        if spec.body == "none" and body is not None:
            raise MacroError(f"it takes no body; write <<{spec.name}/>>")
        if spec.body != "none" and spec.body_required and body is None:
            raise MacroError(f"it needs a body: <<{spec.name}>>...<</{spec.name}>>")
        args = [] if body is None else [body]
        result = spec.function(context, *args, **arguments)
        return Markup(escape(str(result))) if not isinstance(result, Markup) else result

    # -- parts -----------------------------------------------------------------------------

    def _page(self, name: str) -> Document | None:
        try:
            return self.wiki.get(name).record
        except WikiError:
            return None

    def _context(self, document: Document, request: RenderRequest) -> MacroContext:
        author = request.user if request.preview else document.content_author
        return MacroContext(
            wiki=self.wiki.as_user(request.user), document=document, source=document,
            author=author, args=dict(request.args), form_token=request.form_token,
            path=links.page_url(document.reference), engine=self, state=RenderState(),
            including=(document.reference,))

    def _whole(self, context: MacroContext, text: str) -> Rendering:
        html = str(self.render_text(context, text))
        deferred = context.state.deferred
        if deferred:
            words = re.compile("|".join(deferred))
            seen = words.sub("", html)
            html = words.sub(lambda match: str(deferred[match[0]](seen)), html)
        return Rendering(Markup(html), context.state.kept)

    def _segment(self, context: MacroContext, segment: Segment) -> str:
        if isinstance(segment, str):
            return segment
        if isinstance(segment, Link):
            return links.render_tag(segment.tag, dict(segment.attributes),
                                    context.source.reference, context.exists)
        return str(self._place(context, segment))

    def _place(self, context: MacroContext, place: Place) -> Markup:
        node = place.node
        context.state.macros += 1
        if context.state.macros > MAX_MACROS:
            return Markup(escape(node.source[:200]))
        if isinstance(node, Broken):
            return error_box(node.message, node.source[:80], node.line, node.column,
                             place.paragraph)
        try:
            return self._macro(replace(context, inline=not node.block), node)
        except Exception as error:  # noqa: BLE001 - whatever a macro raises is its box's text
            return error_box(_why(error), f"<<{node.name}>>", node.line, node.column,
                             place.paragraph)

    def _macro(self, context: MacroContext, node: Macro) -> Markup:
        spec = self.registry.get(node.name)
        if spec is None:
            raise MacroError("there is no macro of this name; a literal << is written ~<<")
        params, body = node.params, node.body
        if context.scripted:
            stash = context.state.stash
            params = {key: value and stash.restore(value, html=False)
                      for key, value in params.items()}
            if body is not None and spec.body in ("raw", "markup"):
                body = stash.restore(body, html=spec.body == "markup")
        if body is not None and spec.body == "rendered":
            body = self._body(context, node)
        return self.call(context, spec, params, body)

    def _body(self, context: MacroContext, node: Macro) -> Markup:
        body = node.body or ""
        html = self.render_text(context, body, node.body_line, node.body_column)
        if context.inline and "\n\n" not in body:
            html = Markup(_ONE_PARAGRAPH.sub(r"\1", str(html)))
        return html


def error_box(message: str, what: str = "", line: int = 0, column: int = 0,
              inline: bool = False) -> Markup:
    """The box that stands in the place of what cannot be shown, and says why."""
    place = Markup(' <small>line {}, column {}</small>').format(line, column) if line else ""
    tag = "span" if inline else "div"
    return Markup('<{} class="box error macro-error" role="alert"><strong>{}</strong> {}{}</{}>'
                  ).format(Markup(tag), what, message, place, Markup(tag))


def _why(error: Exception) -> str:
    if isinstance(error, WikiError):
        return str(error)
    if isinstance(error, RecursionError):
        return "it nests too deep"
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({frame.name}, line {frame.lineno})"


def headings(html: str) -> list[tuple[int, str, str]]:
    """The headings that can be linked to: level, id, text."""
    found = []
    for match in _HEADING.finditer(html):
        anchor = re.search(r'\bid="([^"]*)"', match[2])
        if anchor:
            found.append((int(match[1]), unescape(anchor[1]), _text(match[3])))
    return found


def _text(html: str) -> str:
    return unescape(_TAGS.sub("", html)).strip()


def _section(html: str, name: str, reference: Reference) -> Markup:
    """The part of the HTML under a heading, up to the next one as high."""
    start, level = -1, 0
    for match in _HEADING.finditer(html):
        if start >= 0 and int(match[1]) <= level:
            return Markup(html[start:match.start()])
        anchor = re.search(r'\bid="([^"]*)"', match[2])
        if start < 0 and (_text(match[3]) == name or (anchor and anchor[1] == name)):
            start, level = match.start(), int(match[1])
    if start < 0:
        raise NotFound(f"{reference} has no section {name!r}")
    return Markup(html[start:])
