"""Full text of attached files: what is text in them is found as the pages are.

A file's text is taken in once for each page that has it: a save that leaves the file alone leaves
its text alone too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from html.parser import HTMLParser
from typing import Any, BinaryIO

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from wiki.errors import AttachmentNotFound
from wiki.model import Attachment, Document, media_type
from wiki.references import Reference
from wiki.store.base import FileHit

#: How many bytes of a file are taken in, from its beginning.
MOST_BYTES = 1 << 20
#: How many files a search finds, those taken in last.
MOST_HITS = 10
Open = Callable[[str], BinaryIO]

metadata = sa.MetaData()
#: The files whose text is known; the id is the text's rowid.
files = sa.Table(
    "files", metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("doc_id", sa.Integer, nullable=False, index=True),
    sa.Column("filename", sa.Text, nullable=False), sa.Column("sha256", sa.Text, nullable=False))
CREATE = """CREATE VIRTUAL TABLE IF NOT EXISTS filetext USING fts5(
    name, body, tokenize = "unicode61 remove_diacritics 2")"""
_KNOWN = sa.text("SELECT id, doc_id, filename, sha256 FROM files "
                 "WHERE doc_id IN (SELECT value FROM json_each(:ids))")
_DROP = (sa.text("DELETE FROM files WHERE id = :id"),
         sa.text("DELETE FROM filetext WHERE rowid = :id"))
_ADD = sa.insert(files)
_ADD_TEXT = sa.text("INSERT INTO filetext(rowid, name, body) VALUES (:id, :name, :body)")
_TEXT_TYPES = re.compile(r"text/.*|application/(json|xml|yaml|x-yaml|toml|x-ndjson)")
_SUFFIXES = (".md", ".csv", ".tsv", ".log", ".yaml", ".yml", ".toml", ".jsonl", ".rst")


def update(connection: Connection, pages: Sequence[tuple[int, Document | None]],
           open_blob: Open) -> None:
    """Take in the files of pages, given by their numbers, and drop what they have no longer; all
    of a page's where it is None."""
    wanted = {(number, item.filename, item.sha256): item for number, page in pages
              for item in (page.attachments if page else ()) if is_text(item)}
    rows = connection.execute(_KNOWN, {"ids": json.dumps([number for number, _ in pages])}).all()
    known = {(number, filename, sha256): key for key, number, filename, sha256 in rows}
    gone = [{"id": key} for file, key in known.items() if file not in wanted]
    for statement in _DROP if gone else ():
        connection.execute(statement, gone)
    for (number, filename, sha256), item in wanted.items():
        if (number, filename, sha256) not in known:
            key = connection.execute(_ADD, {"doc_id": number, "filename": filename,
                                            "sha256": sha256}).inserted_primary_key
            connection.execute(_ADD_TEXT, {"id": key[0] if key else None, "name": filename,
                                           "body": text_of(item, open_blob)})


def find(connection: Connection, words: str, where: str, values: dict[str, Any]) -> Iterator[
        FileHit]:
    """Files with the words (an expression of FTS5), on pages (``d``) that fit ``where``."""
    statement = sa.text(
        "SELECT d.reference, d.title, f.filename, "
        "snippet(filetext, 1, char(2), char(3), '…', 24) FROM filetext "
        "CROSS JOIN files f ON f.id = filetext.rowid CROSS JOIN documents d ON d.id = f.doc_id "
        f"WHERE filetext MATCH :words{where} ORDER BY filetext.rowid DESC LIMIT :most")
    for reference, title, filename, snippet in connection.execute(
            statement, {**values, "words": words, "most": MOST_HITS}):
        yield FileHit(Reference.parse(reference), title, filename, snippet)


def is_text(item: Attachment) -> bool:
    """Whether the file is text, by its type or its name."""
    kinds = (item.mimetype, media_type(item.filename))
    return item.filename.lower().endswith(_SUFFIXES) or any(map(_TEXT_TYPES.fullmatch, kinds))


def text_of(item: Attachment, open_blob: Open) -> str:
    """The text of a file, of HTML without its tags; empty where it is not text after all, or
    cannot be read, which ``wikimill check`` tells."""
    try:
        with open_blob(item.sha256) as stream:
            data = stream.read(MOST_BYTES)
    except (AttachmentNotFound, OSError):
        return ""
    if b"\0" in data:
        return ""
    text = data.decode("utf-8-sig", errors="replace")
    if not item.filename.lower().endswith((".html", ".htm", ".xhtml")):
        return text
    page = _Page()
    page.feed(text)
    page.close()
    return " ".join(page.found)


class _Page(HTMLParser):
    """What a reader sees of HTML."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._unseen = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style"):
            self._unseen = tag

    def handle_endtag(self, tag: str) -> None:
        if tag == self._unseen:
            self._unseen = ""

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.found.append(data)
