"""The tables of the index."""

from __future__ import annotations

import sqlalchemy as sa

#: Changed with the tables below, so that an older index is built anew.
SCHEMA = "9"

metadata = sa.MetaData()
meta = sa.Table(
    "meta", metadata,
    sa.Column("key", sa.Text, primary_key=True), sa.Column("value", sa.Text))
documents = sa.Table(
    "documents", metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("reference", sa.Text, nullable=False, unique=True),
    sa.Column("space", sa.Text, nullable=False), sa.Column("name", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False), sa.Column("author", sa.Text, nullable=False),
    sa.Column("creator", sa.Text, nullable=False), sa.Column("created", sa.Text, nullable=False),
    sa.Column("updated", sa.Text, nullable=False), sa.Column("version", sa.Text, nullable=False),
    sa.Column("hidden", sa.Boolean, nullable=False),
    sa.Column("minor", sa.Boolean, nullable=False), sa.Column("comment", sa.Text, nullable=False),
    sa.Column("parent", sa.Text, nullable=False),
    #: The title, or the name where there is none, and what lists show, without regard to case.
    sa.Column("folded", sa.Text, nullable=False), sa.Column("label", sa.Text, nullable=False),
    sa.Column("mtime_ns", sa.BigInteger, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    #: A number that grows with each change of any page.
    sa.Column("changed", sa.BigInteger, nullable=False, index=True),
    sa.Index("documents_by_name", "name", "reference"),
    sa.Index("documents_by_space", "space", "name", "reference"),
    sa.Index("documents_by_created", "created", "name", "reference"),
    sa.Index("documents_by_updated", "updated", "name", "reference"),
    sa.Index("documents_by_author", "author", "name", "reference"),
    sa.Index("documents_by_creator", "creator", "name", "reference"),
    sa.Index("documents_by_label", "label"),
    sa.Index("documents_by_title", "title", "name", "reference"),
    sa.Index("documents_by_folded", "folded", "reference"),
    sa.Index("documents_by_parent", "parent", "title", "name", "reference"))
#: Pages that are gone, and the number of that change.
removals = sa.Table(
    "removals", metadata,
    sa.Column("reference", sa.Text, primary_key=True),
    sa.Column("changed", sa.BigInteger, nullable=False, index=True))
objects = sa.Table(
    "objects", metadata,
    sa.Column("doc_id", sa.Integer, nullable=False),
    sa.Column("class", sa.Text, nullable=False), sa.Column("number", sa.Integer, nullable=False),
    sa.Column("doc_name", sa.Text, nullable=False), sa.Column("doc_ref", sa.Text, nullable=False),
    #: Whether the document has another one of the class before this.
    sa.Column("again", sa.Boolean, nullable=False),
    sa.Index("objects_by_document", "doc_id", "class"),
    sa.Index("objects_by_class", "class", "doc_name", "doc_ref", "doc_id", "number", "again"))
properties = sa.Table(
    "properties", metadata,
    sa.Column("doc_id", sa.Integer, nullable=False),
    sa.Column("class", sa.Text, nullable=False), sa.Column("object", sa.Integer, nullable=False),
    sa.Column("name", sa.Text, nullable=False), sa.Column("text", sa.Text, nullable=False),
    sa.Column("whole", sa.Text), sa.Column("number", sa.Float),
    #: The text without regard to case; null where there is a whole one.
    sa.Column("folded", sa.Text),
    sa.Column("doc_name", sa.Text, nullable=False), sa.Column("doc_ref", sa.Text, nullable=False),
    #: Whether the document has the same value of the property before this.
    sa.Column("again", sa.Boolean, nullable=False),
    sa.Index("properties_by_value", "class", "name", "text", "doc_name", "doc_ref", "doc_id",
             "object", "number", "again"),
    sa.Index("properties_by_number", "class", "name", "number", "doc_id", "object"),
    sa.Index("properties_by_folded", "class", "name", "folded", "doc_id", "object"),
    sa.Index("properties_by_document", "doc_id", "class", "name"))
#: A row for each property of a class that a document has values of: the lowest of them, to sort
#: by. Text is behind the numbers.
sorts = sa.Table(
    "sorts", metadata,
    sa.Column("doc_id", sa.Integer, nullable=False, index=True),
    sa.Column("class", sa.Text, nullable=False), sa.Column("name", sa.Text, nullable=False),
    sa.Column("number", sa.Float, nullable=False), sa.Column("text", sa.Text, nullable=False),
    sa.Column("doc_name", sa.Text, nullable=False), sa.Column("doc_ref", sa.Text, nullable=False),
    sa.Index("sorts_by_value", "class", "name", "number", "text", "doc_name", "doc_ref", "doc_id"))
links = sa.Table(
    "links", metadata,
    sa.Column("doc_id", sa.Integer, nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False), sa.Column("target", sa.Text, nullable=False),
    sa.Column("doc_ref", sa.Text, nullable=False),
    sa.Index("links_by_target", "target", "doc_ref", "kind"))
tags = sa.Table(
    "tags", metadata,
    sa.Column("doc_id", sa.Integer, nullable=False, index=True),
    sa.Column("tag", sa.Text, nullable=False), sa.Column("doc_ref", sa.Text, nullable=False),
    sa.Index("tags_by_tag", "tag", "doc_ref"))
#: rowid is the document's id: a row is deleted by it and by nothing else.
fulltext = sa.table("fulltext", sa.column("rowid"), sa.column("title"), sa.column("name"),
                    sa.column("tags"), sa.column("headings"), sa.column("body"))
#: As small as titles are, so that words that are only begun are found at once.
titles = sa.table("titles", sa.column("rowid"), sa.column("title"), sa.column("name"))
CREATE_FULLTEXT = """CREATE VIRTUAL TABLE IF NOT EXISTS fulltext USING fts5(
    title, name, tags, headings, body, tokenize = "unicode61 remove_diacritics 2")"""
CREATE_TITLES = """CREATE VIRTUAL TABLE IF NOT EXISTS titles USING fts5(
    title, name, prefix = '1 2 3', tokenize = "unicode61 remove_diacritics 2")"""
