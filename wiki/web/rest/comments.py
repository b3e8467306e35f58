"""``/pages/{ref}/comments``: what people say about a page."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, url_for

from wiki import commenting
from wiki.comments import Comment, comments_of
from wiki.errors import InvalidValue
from wiki.web.rest import json, paging
from wiki.web.rest.body import read_object
from wiki.web.rest.context import site, user, wiki
from wiki.web.rest.routes import Operation


def list_comments(ref: str) -> dict[str, Any]:
    """All comments of the page, oldest first."""
    size, start = paging.limit(), paging.offset()
    found = comments_of(wiki().get(ref).record)
    return paging.page_of([comment_to_json(comment) for comment in found[start:start + size + 1]],
                          start, size)


def post_comment(ref: str) -> Response:
    """Comment on the page, or answer one of its comments."""
    body = read_object()
    json.check_names(body, {"text", "reply_to"})
    reply = body.get("reply_to")
    if reply is not None and (type(reply) is not int or not 0 <= reply <= json.MAX_NUMBER):
        raise InvalidValue("reply_to", reply, "the number of a comment, or null")
    page = wiki().get(ref).record.reference
    made = commenting.add(wiki(), page, json.text(body, "text"), reply)
    site().watching.took_part(user(), page)
    response = jsonify(comment_to_json(made))
    response.status_code = 201
    response.headers["Location"] = url_for("rest.get_comment", ref=ref, number=made.number)
    return response


def get_comment(ref: str, number: int) -> dict[str, Any]:
    """One comment."""
    return comment_to_json(commenting.find(wiki().get(ref).record, number))


def patch_comment(ref: str, number: int) -> dict[str, Any]:
    """Give a comment another text, or mark its thread as resolved or not."""
    body = read_object()
    json.check_names(body, {"text", "resolved"})
    resolved = json.flag(body, "resolved")
    if "text" in body or "resolved" not in body:
        commenting.change(wiki(), ref, number, json.text(body, "text"))
    if "resolved" in body:
        commenting.resolve(wiki(), ref, number, resolved)
    return get_comment(ref, number)


def delete_comment(ref: str, number: int) -> Response:
    """Delete a comment."""
    commenting.delete(wiki(), ref, number)
    return Response(status=204)


def comment_to_json(comment: Comment) -> dict[str, Any]:
    """A comment as the API shows it."""
    return {"number": comment.number, "author": comment.author,
            "date": json.moment(comment.date), "text": comment.text,
            "reply_to": comment.reply_to, "mentions": list(comment.mentions),
            "edited": json.moment(comment.edited) if comment.edited else None,
            "resolved": comment.resolved}


ONE = "/pages/<ref>/comments/<int:number>"
OPERATIONS = (
    Operation("GET", "/pages/<ref>/comments", list_comments, "The comments on a page, oldest "
              "first", ("limit", "cursor"), answer="CommentList"),
    Operation("POST", "/pages/<ref>/comments", post_comment, "Comment on a page",
              body="NewComment", answer="Comment", statuses=(201,), answering=("Location",)),
    Operation("GET", ONE, get_comment, "One comment", answer="Comment"),
    Operation("PATCH", ONE, patch_comment, "Give your comment another text, "
              "or resolve its thread",
              body="CommentChange", answer="Comment"),
    Operation("DELETE", ONE, delete_comment, "Delete your comment", statuses=(204,)),
)
