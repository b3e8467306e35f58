"""The parts of a page that the browser brings up to date by themselves: live and slow macros.

A page asks for all of its parts that are due in one request. That is a POST, since their tokens
can be long; it changes nothing.
"""

from __future__ import annotations

import secrets
import time

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import BadRequest

from wiki.rendering.renderer import RenderRequest
from wiki.translate import gettext
from wiki.web.context import site
from wiki.web.session import current_user, form_token

blueprint = Blueprint("live", __name__)
#: How many parts one request asks for.
MOST = 100
#: The size of a request, in bytes.
LARGEST = 1 << 20


@blueprint.post("/parts")
def parts() -> Response:
    """The parts of a page that the form fields ``part`` name, a token each, with the tag of what
    the browser has in ``tag``.

    The answer has an object for each, in their order: ``{"gone": true}`` where there is nothing
    for this reader (any more), ``{"busy": true}`` where it is not there yet, else ``every``
    (seconds until it is worth asking again, 0 for never) and, unless nothing has changed,
    ``tag`` and ``html``.
    """
    request.max_content_length = LARGEST
    tokens, tags = request.form.getlist("part"), request.form.getlist("tag")
    if not 0 < len(tokens) == len(tags) <= MOST:
        raise BadRequest(gettext("ask for 1 to %(most)s parts, with a tag for each", most=MOST))
    # Only where it is in an answer does a guest need a session, and so a cookie.
    word = secrets.token_urlsafe(24)
    end = time.monotonic() + site().settings.macro_patience
    answers = []
    for token, tag in zip(tokens, tags, strict=True):
        asked = RenderRequest(user=current_user(), form_token=word,
                              patience=max(0.0, end - time.monotonic()))
        answers.append(answer(token, tag, asked))
    return jsonify(parts=answers)


def answer(token: str, tag: str, asked: RenderRequest) -> dict[str, object]:
    """The answer for one part."""
    renderer = site().renderer
    made = renderer.render_part(token, asked)
    if made is None:
        return {"gone": True}
    if made.busy:
        return {"busy": True}
    fresh = renderer.part_tag(made.html, asked.form_token)
    if fresh == tag:
        return {"every": made.every}
    html = str(made.html)
    if asked.form_token in html:
        html = html.replace(asked.form_token, form_token())
    return {"every": made.every, "tag": fresh, "html": html}
