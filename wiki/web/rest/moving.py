"""Pages moved and copied, and what leads to them."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, url_for

from wiki.errors import Conflict, DocumentExists, InvalidDocument
from wiki.model import Document
from wiki.moving import MOVE_EXECUTOR, Mover, Outcome, Plan
from wiki.references import HOME, Reference
from wiki.rights import Right
from wiki.web.rest import json, paging
from wiki.web.rest.body import read_object
from wiki.web.rest.context import site, user, wiki
from wiki.web.rest.pages import existing
from wiki.web.rest.routes import Operation
from wiki.web.rest.saving import racing


def move_page(ref: str) -> Response:
    """Move the page, or its whole space; many pages are left to a task."""
    body = read_object()
    json.check_names(body, {"name", "space", "links", "redirect"})
    page, plan = planned(ref, body)
    old = page.reference
    links = json.flag(body, "links") if "links" in body else True
    leave = json.flag(body, "redirect")
    if plan.is_long(links):
        task = site().starter.start(user(), MOVE_EXECUTOR, params={
            "source": str(old), "target": str(plan.moves[old]), "space": len(plan.moves) > 1,
            "links": links, "redirect": leave})
        return answer(Outcome(), task, 202)
    with racing(Conflict):
        return answer(Mover(wiki()).move(plan, links=links, redirect=leave,
                                         expected={old: page.version}))


def copy_page(ref: str) -> Response:
    """Copy the page, or its whole space."""
    body = read_object()
    json.check_names(body, {"name", "space", "attachments"})
    wiki().require(Right.EDIT)
    page, plan = planned(ref, body, copying=True)
    with_files = json.flag(body, "attachments") if "attachments" in body else True
    with racing(Conflict):
        done = Mover(wiki()).copy(plan, attachments=with_files,
                                  expected={page.reference: page.version})
    response = answer(done, status=201)
    response.headers["Location"] = url_for("rest.get_page", ref=str(next(iter(
        plan.moves.values()))))
    return response


def planned(ref: str, body: dict[str, Any], copying: bool = False) -> tuple[Document, Plan]:
    """The page as it was read, and what is to be done; raises DocumentExists and InvalidDocument
    where it cannot be."""
    name, space = json.text(body, "name"), json.flag(body, "space")
    page = existing(ref).record
    old = page.reference
    if space and old.name != HOME:
        raise InvalidDocument(f"space: {old} is no home page of a space")
    if not copying:
        wiki().require(Right.DELETE, wiki().get(old))
    plan = Mover(wiki()).planned(old, name, space, copying)
    if plan.problems:
        raise DocumentExists("; ".join(f"{page}: {why}" for page, why in plan.problems[:10]))
    return page, plan


def answer(outcome: Outcome, task: Reference | None = None, status: int = 200) -> Response:
    response = jsonify({
        "done": [str(page) for page in outcome.done],
        "turned": sorted(str(page) for page in outcome.turned),
        "failed": [{"reference": str(page), "reason": why} for page, why in outcome.failed],
        "task": str(task) if task else None})
    response.status_code = status
    return response


def list_backlinks(ref: str) -> dict[str, Any]:
    """The pages that lead to a page, which need not be there, each with how."""
    size, start = paging.limit(), paging.offset()
    found = wiki().links_to(Reference.parse(ref))[start:start + size + 1]
    return paging.page_of([{"reference": str(link.reference), "kind": link.kind}
                           for link in found], start, size)


def list_orphaned() -> dict[str, Any]:
    """Pages that nothing leads to."""
    size, start = paging.limit(), paging.offset()
    return paging.page_of([{"reference": str(page)} for page in wiki().orphaned(size + 1, start)],
                          start, size)


def list_wanted() -> dict[str, Any]:
    """Pages that others lead to, and that are not there."""
    size, start = paging.limit(), paging.offset()
    return paging.page_of([{"reference": str(page), "pages": number}
                           for page, number in wiki().wanted(size + 1, start)], start, size)


OPERATIONS = (
    Operation("POST", "/pages/<ref>/move", move_page,
              "Move a page or a space, and turn what refers to it; many pages are left to a task",
              body="Move", answer="Moved", statuses=(200, 202), conditional=True),
    Operation("POST", "/pages/<ref>/copy", copy_page, "Copy a page or a space",
              body="Copy", answer="Moved", statuses=(201,),
              conditional=True, answering=("Location",)),
    Operation("GET", "/pages/<ref>/backlinks", list_backlinks, "What leads to a page",
              ("limit", "cursor"), answer="BacklinkList"),
    Operation("GET", "/orphaned", list_orphaned, "Pages that nothing leads to",
              ("limit", "cursor"), answer="OrphanedList"),
    Operation("GET", "/wanted", list_wanted, "Pages that others lead to, and that are not there",
              ("limit", "cursor"), answer="WantedList"),
)
