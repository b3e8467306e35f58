"""What every answer says to the browser about trust and caching."""

from __future__ import annotations

import secrets

from flask import Response, g, request

#: What a page may load, with a place for its nonce: only a script that carries it runs,
#: and only a style sheet within the page that does counts (the editor makes one).
POLICY = ("default-src 'none'; script-src 'nonce-{0}'; style-src 'self' 'nonce-{0}'; "
          "font-src 'self'; img-src 'self' data:; media-src 'self'; connect-src 'self'; "
          "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
          "manifest-src 'self'")
TRUST = (("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "DENY"),
         ("Referrer-Policy", "same-origin"), ("Cross-Origin-Opener-Policy", "same-origin"))
#: What depends on the reader: asked for anew each time, and in no shared cache.
PRIVATE = (("Cache-Control", "private, no-cache"), ("Vary", "Cookie"))
#: How long a browser keeps what never changes at its address: a year.
FOREVER = "public, max-age=31536000, immutable"


def new_nonce() -> str:
    return secrets.token_urlsafe(16)


def nonce() -> str:
    """This answer's nonce."""
    if "nonce" not in g:
        g.nonce = new_nonce()
    return str(g.nonce)


def add_headers(response: Response) -> Response:
    """Add what the answer does not say for itself."""
    headers = response.headers
    # With 304, the page that the browser has goes on with its policy, which names its nonce.
    if response.status_code != 304 and "Content-Security-Policy" not in headers:
        headers["Content-Security-Policy"] = POLICY.format(nonce())
    for name, value in TRUST:
        headers.setdefault(name, value)
    if request.endpoint == "static":
        if response.status_code < 400:
            headers["Cache-Control"] = FOREVER  # another version has another address
            headers["Access-Control-Allow-Origin"] = "*"  # for frames in a sandbox; all public
    elif "Cache-Control" not in headers:
        headers["Cache-Control"] = "private, no-cache"
        response.vary.add("Cookie")
    return response
