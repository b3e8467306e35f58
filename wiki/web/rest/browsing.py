"""``/changes``, ``/spaces``, ``/tags`` and ``/pages/{ref}/children``: what one looks through."""

from __future__ import annotations

from typing import Any

from flask import request

from wiki.references import Reference
from wiki.rights import Right
from wiki.store.base import Leaf, Logged
from wiki.web.rest import json, paging
from wiki.web.rest.context import wiki
from wiki.web.rest.routes import Operation


def list_changes() -> dict[str, Any]:
    """All saves, moves and deletions, newest first; of a deleted page its deletion alone."""
    size, start, args = paging.limit(), paging.offset(), request.args
    author = args.get("author")
    found = wiki().changes(size + 1, start, space=args.get("space") or None,
                           author=str(Reference.parse(author)) if author else None)
    return paging.page_of([change_to_json(change) for change in found], start, size)


def list_spaces() -> dict[str, Any]:
    """The spaces by name, each with how many pages are in it."""
    wiki().require(Right.VIEW)
    size, start = paging.limit(), paging.offset()
    found = wiki().spaces()[start:start + size + 1]
    return paging.page_of([{"space": space, "pages": pages} for space, pages in found],
                          start, size)


def list_tags() -> dict[str, Any]:
    """The tags by name, each with how many pages have it."""
    wiki().require(Right.VIEW)
    size, start = paging.limit(), paging.offset()
    found = wiki().tags()[start:start + size + 1]
    return paging.page_of([{"tag": tag, "pages": pages} for tag, pages in found], start, size)


def list_children(ref: str) -> dict[str, Any]:
    """The pages right below a page in the tree, not hidden ones, by title."""
    size, start = paging.limit(), paging.offset()
    found = wiki().branch(ref, size + 1, start)
    return paging.page_of([leaf_to_json(leaf) for leaf in found], start, size)


def change_to_json(change: Logged) -> dict[str, Any]:
    """A change; the page under the name that it has now."""
    return {**json.row_to_json(change), "kind": change.kind.value, "minor": change.minor,
            "comment": change.comment,
            "previous": str(change.previous) if change.previous else None}


def leaf_to_json(leaf: Leaf) -> dict[str, Any]:
    """A page in the tree."""
    return {"reference": str(leaf.reference), "title": leaf.title, "there": leaf.there,
            "children": leaf.more}


OPERATIONS = (
    Operation("GET", "/changes", list_changes, "All saves, moves and deletions, newest first",
              ("space", "author", "limit", "cursor"), answer="ChangeList"),
    Operation("GET", "/spaces", list_spaces, "The spaces, with their numbers of pages",
              ("limit", "cursor"), answer="SpaceList"),
    Operation("GET", "/tags", list_tags, "The tags, with their numbers of pages",
              ("limit", "cursor"), answer="TagList"),
    Operation("GET", "/pages/<ref>/children", list_children,
              "The pages right below a page in the tree, by title", ("limit", "cursor"),
              answer="ChildList"),
)
