"""Full text of attached files: what is text in them is found as the pages are.

The text of a text file is taken in when a page with it is saved. A document (PDF, HTML, an
office file) waits until :mod:`wiki.store.filereading` has read it, and is found by its name until
then. What was read once is not read again while some page has the file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from wiki.errors import AttachmentNotFound
from wiki.model import Attachment, Document, media_type
from wiki.references import join_names
from wiki.store.base import WaitingFile

#: How many bytes of a text file are taken in, from its beginning.
MOST_BYTES = 1 << 20
Open = Callable[[str], BinaryIO]

metadata = sa.MetaData()
#: The files whose text is known, or waits to be read; the id is the text's rowid.
files = sa.Table(
    "files", metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("doc_id", sa.Integer, nullable=False, index=True),
    sa.Column("filename", sa.Text, nullable=False), sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False), sa.Column("page", sa.Text, nullable=False),
    sa.Column("waiting", sa.Boolean, nullable=False),
    sa.Index("files_by_content", "sha256", "kind"),
    sa.Index("files_waiting", "id", sqlite_where=sa.text("waiting")))
#: ``page`` is the title and name of the file's page: who seeks a file knows some of its words
#: from there.
CREATE = """CREATE VIRTUAL TABLE IF NOT EXISTS filetext USING fts5(
    page, name, body, tokenize = "unicode61 remove_diacritics 2")"""
_KNOWN = sa.text("SELECT id, doc_id, filename, sha256, kind, page FROM files "
                 "WHERE doc_id IN (SELECT value FROM json_each(:ids))")
_DROP = (sa.text("DELETE FROM files WHERE id = :id"),
         sa.text("DELETE FROM filetext WHERE rowid = :id"))
#: A row without text is none to copy: its bytes may not have been there.
_SAME = sa.text("SELECT f.id FROM files f JOIN filetext t ON t.rowid = f.id "
                "WHERE f.sha256 = :sha256 AND f.kind = :kind AND NOT f.waiting AND t.body <> '' "
                "LIMIT 1")
_ADD = sa.insert(files)
_ADD_TEXT = sa.text("INSERT INTO filetext(rowid, page, name, body) "
                    "VALUES (:id, :page, :name, :body)")
_COPY_TEXT = sa.text("INSERT INTO filetext(rowid, page, name, body) "
                     "SELECT :id, :page, :name, body FROM filetext WHERE rowid = :same")
_NEXT = sa.text("SELECT sha256, kind, filename FROM files WHERE waiting ORDER BY id DESC LIMIT 1")
_READ = (sa.text("UPDATE filetext SET body = :body WHERE rowid IN (SELECT id FROM files "
                 "WHERE sha256 = :sha256 AND kind = :kind AND waiting)"),
         sa.text("UPDATE files SET waiting = 0 WHERE sha256 = :sha256 AND kind = :kind"))
#: The numbers of pages with files that fit an expression of :func:`having`.
PAGES_HAVING = ("SELECT f.doc_id FROM filetext CROSS JOIN files f ON f.id = filetext.rowid "
                "WHERE filetext MATCH :having")
#: What the page's title alone has is no hit in the file.
_OWN = "{name body}"
_SNIPPETS = sa.text("""
    SELECT rowid, snippet(filetext, 2, char(2), char(3), '…', 24) FROM filetext
    WHERE filetext MATCH :words AND rowid BETWEEN :first AND :last AND +rowid IN :ids
    """).bindparams(sa.bindparam("ids", expanding=True))
_TEXT_TYPES = re.compile(r"text/.*|application/(json|xml|yaml|x-yaml|toml|x-ndjson)")
_TEXT_NAMES = (".md", ".csv", ".tsv", ".log", ".yaml", ".yml", ".toml", ".jsonl", ".rst")
#: Documents by the end of their names; the kinds are those of :mod:`wiki.store.doctext`.
_DOCUMENTS = {".pdf": "pdf", ".docx": "docx", ".docm": "docx", ".pptx": "pptx", ".pptm": "pptx",
              ".xlsx": "xlsx", ".xlsm": "xlsx", ".odt": "odf", ".ods": "odf", ".odp": "odf",
              ".html": "html", ".htm": "html", ".xhtml": "html"}
#: What no text has, and what the marks of a snippet are made of.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]+")


@dataclass(frozen=True, slots=True)
class Place:
    """A file on a page: the number of its text, and its rank, lower is better."""

    key: int
    filename: str
    rank: float


def update(connection: Connection, pages: Sequence[tuple[int, Document | None]],
           open_blob: Open) -> None:
    """Take in the files of pages, given by their numbers, and drop what they have no longer; all
    of a page's where it is None."""
    wanted = {(number, item.filename, item.sha256, kind, _page(page)): item
              for number, page in pages if page is not None
              for item in page.attachments if (kind := kind_of(item))}
    rows = connection.execute(_KNOWN, {"ids": json.dumps([number for number, _ in pages])}).all()
    known = {tuple(file): key for key, *file in rows}
    for file, item in wanted.items():
        if file not in known:
            _add(connection, file, item, open_blob)
    gone = [{"id": key} for file, key in known.items() if file not in wanted]
    for statement in _DROP if gone else ():
        connection.execute(statement, gone)


def _page(page: Document) -> str:
    name = join_names((*page.reference.spaces, page.reference.name))
    return f"{page.title}\n{name}"


def _add(connection: Connection, file: tuple[int, str, str, str, str], item: Attachment,
         open_blob: Open) -> None:
    number, filename, sha256, kind, page = file
    same = connection.execute(_SAME, {"sha256": sha256, "kind": kind}).scalar()
    waiting = same is None and kind in _DOCUMENTS.values()
    added = connection.execute(_ADD, {
        "doc_id": number, "filename": filename, "sha256": sha256, "kind": kind, "page": page,
        "waiting": waiting}).inserted_primary_key
    row = {"id": added[0] if added else None, "page": page, "name": filename}
    if same is not None:
        connection.execute(_COPY_TEXT, {**row, "same": same})
    else:
        body = "" if waiting else text_of(item, open_blob)
        connection.execute(_ADD_TEXT, {**row, "body": body})


def next_waiting(connection: Connection) -> WaitingFile | None:
    """The document to read next, one that came last; None where none waits."""
    row = connection.execute(_NEXT).first()
    return WaitingFile(*row) if row else None


def keep(connection: Connection, document: WaitingFile, text: str) -> None:
    """Take in what was read of a document, wherever it is attached."""
    values = {"sha256": document.sha256, "kind": document.kind, "body": _clean(text)}
    for statement in _READ:
        connection.execute(statement, values)


def find(connection: Connection, columns: str, words: Sequence[str], where: str,
         values: dict[str, Any], most: int) -> list[tuple[tuple[Any, ...], Place]]:
    """Files with the words (terms of FTS5) in their text and name, some of them maybe in the
    title or name of their page, on pages (``d``) that fit ``where``; up to ``most``, those
    taken in last. Each with the ``columns`` of its page."""
    statement = sa.text(
        f"SELECT f.id, f.filename, bm25(filetext, 0.0, 3.0, 1.0), {columns} FROM filetext "
        "CROSS JOIN files f ON f.id = filetext.rowid CROSS JOIN documents d ON d.id = f.doc_id "
        f"WHERE filetext MATCH :terms{where} ORDER BY filetext.rowid DESC LIMIT :most")
    terms = f"({' AND '.join(words)}) AND {_OWN} : ({' OR '.join(words)})"
    return [(tuple(page), Place(key, filename, rank)) for key, filename, rank, *page in
            connection.execute(statement, {**values, "terms": terms, "most": most})]


def having(words: Sequence[str]) -> str:
    """An expression for files that have any of the words (terms of FTS5) themselves."""
    return f"{_OWN} : ({' OR '.join(words)})"


def snippets(connection: Connection, words: Sequence[str], keys: Iterable[int]) -> dict[int, str]:
    """The part of each text that has the words, marked as in :class:`wiki.store.base.Hit`."""
    ids = sorted(keys)
    if not ids:
        return {}
    return {int(key): str(snippet) for key, snippet in connection.execute(_SNIPPETS, {
        "words": having(words), "first": ids[0], "last": ids[-1], "ids": ids})}


def kind_of(item: Attachment) -> str:
    """How the file's text is read, by its name or its type; empty where it is not."""
    name = item.filename.lower()
    kind = next((kind for end, kind in _DOCUMENTS.items() if name.endswith(end)), "")
    kinds = (item.mimetype, media_type(item.filename))
    if kind or not (name.endswith(_TEXT_NAMES) or any(map(_TEXT_TYPES.fullmatch, kinds))):
        return kind
    return "text"


def text_of(item: Attachment, open_blob: Open) -> str:
    """The text of a text file; empty where it is not text after all, or cannot be read, which
    ``wikimill check`` tells."""
    try:
        with open_blob(item.sha256) as stream:
            data = stream.read(MOST_BYTES)
    except (AttachmentNotFound, OSError):
        return ""
    if b"\0" in data:
        return ""
    return _clean(data.decode("utf-8-sig", errors="replace"))


def _clean(text: str) -> str:
    return _CONTROLS.sub(" ", text)
