"""The page about an attached file: what is in it, and its versions."""

from __future__ import annotations

from dataclasses import replace

from flask import request
from markupsafe import Markup
from pygments.lexers import find_lexer_class_for_filename

from wiki.documents import OpenAttachment, OpenDocument
from wiki.errors import AttachmentNotFound, MacroError
from wiki.filehistory import history_of
from wiki.language.syntax import escape_value
from wiki.model import Attachment, Document
from wiki.rendering.attached import read_head
from wiki.rendering.markdown import to_html
from wiki.rendering.sanitize import sanitize
from wiki.thumbnails import TYPES
from wiki.translate import gettext
from wiki.web.context import reader, render_request, show, site
from wiki.web.sending import INLINE, PDF

#: How much of a Markdown file is shown, bytes.
MAX_MARKDOWN = 200_000
#: How many rows of a table are shown.
ROWS = 200
_TABLES = (".csv", ".tsv")
_MARKDOWN = (".md", ".markdown")


def show_file(document: OpenDocument, filename: str) -> str:
    """The file as it is now, or at the version that the address names; what was deleted has its
    versions still. Raises AttachmentNotFound, RevisionNotFound or InvalidDocument."""
    start = max(request.args.get("start", 0, int), 0)
    history = history_of(reader(), document, filename, start)
    version = request.args.get("version", "")
    page = reader().revision(document.record.reference, version) if version else document.record
    record = next((item for item in page.attachments if item.filename == filename), None)
    if record is None and (version or not (start or history.versions)):
        raise AttachmentNotFound(gettext("%(page)s has no attachment %(filename)s",
                                         page=document.record.reference, filename=repr(filename)))
    kind = kind_of(record) if record else ""
    return show(
        "attachment.html", document.record, "attachments", file=record, filename=filename,
        version=version, kind=kind, history=history, start=start, pictures=TYPES,
        body=text_of(document.record, record, kind) if record else "")


def kind_of(record: Attachment) -> str:
    """How it can be shown: ``image``, ``pdf``, ``audio``, ``video``, ``table``, ``markdown``,
    ``text``, or empty where it cannot."""
    name = record.filename.lower()
    if record.mimetype == PDF:
        return "pdf"
    main = record.mimetype.partition("/")[0]
    if main in ("image", "audio", "video") and record.mimetype in INLINE:
        return main
    if name.endswith(_TABLES):
        return "table"
    if name.endswith(_MARKDOWN):
        return "markdown"
    if main == "text" or find_lexer_class_for_filename(name) is not None:
        return "text"
    return ""


def text_of(document: Document, record: Attachment, kind: str) -> Markup:
    """The preview of what is text, as HTML."""
    if kind == "table":
        return _by_macro(document, record, "csv", f'limit="{ROWS}"')
    if kind == "text":
        return _by_macro(document, record, "code", 'linenumbers="true"')
    return _markdown(record) if kind == "markdown" else Markup("")


def _by_macro(document: Document, record: Attachment, macro: str, options: str) -> Markup:
    """As the macro shows the file; it meets a page that has this version of it."""
    content = f'<<{macro} attachment="{escape_value(record.filename)}" {options}/>>'
    page = replace(document, content=content, attachments=(record,), class_definition=None)
    return Markup(site().renderer.render_content(page, render_request()).html)


def _markdown(record: Attachment) -> Markup:
    """Markdown only: a file's macros are nobody's, so they are shown as text."""
    try:
        head = read_head(OpenAttachment(reader(), record), MAX_MARKDOWN)
    except MacroError as error:
        return Markup('<p class="box warning">{}</p>').format(error)
    cut = Markup("") if head.whole else Markup(
        '<p class="note">This is the beginning of the file.</p>')
    return Markup(sanitize(to_html(head.text))) + cut
