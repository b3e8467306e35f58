"""The frame in which the browser draws diagrams, with a policy of its own."""

from __future__ import annotations

from flask import Blueprint, Response, render_template
from werkzeug.exceptions import NotFound

from wiki.web import headers
from wiki.web.context import vendored

blueprint = Blueprint("diagrams", __name__)
#: The file of the library that draws.
LIBRARY = "mermaid/mermaid.esm.min.mjs"
#: Styles written by its script count here, since a sandbox keeps all of the wiki from it.
POLICY = ("default-src 'none'; script-src 'nonce-{}'; style-src 'unsafe-inline'; "
          "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox allow-scripts")


@blueprint.get("/diagrams")
def frame() -> Response:
    """The frame; 404 where the library is not there."""
    if not vendored(LIBRARY):
        raise NotFound
    response = Response(render_template("diagrams.html"), mimetype="text/html")
    response.headers["Content-Security-Policy"] = POLICY.format(headers.nonce())
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response
