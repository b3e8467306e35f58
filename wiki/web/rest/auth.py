"""Who calls: a bearer token or Basic credentials with every call, or a browser's session."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import g, request
from werkzeug.exceptions import Forbidden

from wiki.accounts import user_page
from wiki.errors import AccessDenied, AuthenticationFailed
from wiki.model import GUEST
from wiki.web import session
from wiki.web.rest.context import caller, site


def authenticate() -> None:
    """Find out who calls; before every call of the API.

    Raises AuthenticationFailed for wrong credentials, AccessDenied for a change by nobody,
    Forbidden for one by a page of another site.
    """
    changes = request.method not in session.SAFE_METHODS
    if changes and is_cross_site():
        raise Forbidden("Another site's page may not change this wiki.")
    if "Authorization" in request.headers:
        g.rest_user = user_of_header(changes)
    else:
        g.rest_user = session.current_user()
        if changes and g.rest_user != GUEST:
            check_token()
    if changes:
        caller("may change something")


def user_of_header(changes: bool) -> str:
    """The user whose credentials the request carries; raises AuthenticationFailed, or Forbidden
    for a change with a token that only reads."""
    given = request.authorization
    if given is not None and given.type == "bearer":
        token = site().tokens.verify(given.token or "")
        if changes and not token.writes:
            raise Forbidden(f"The token {token.name!r} may only read; make one that may change "
                            "pages too, at /tokens.")
        return user_page(token.user)
    if given is None or given.type != "basic":
        raise AuthenticationFailed("The Authorization header is neither Bearer nor Basic auth.")
    return site().accounts.verify(given.username or "", given.password or "",
                                  request.remote_addr or "")


def check_token() -> None:
    """Raises AccessDenied where a session's change lacks the session's token."""
    if not session.token_is_right(request.headers.get(session.TOKEN_HEADER, "")):
        raise AccessDenied(f"A change by a browser's session needs its token in "
                           f"{session.TOKEN_HEADER}; load the page again, or use Basic auth.")


def is_cross_site() -> bool:
    """Whether a browser says that another site's page makes it call: it would send along Basic
    credentials that it remembers."""
    fetch_site = request.headers.get("Sec-Fetch-Site")
    if fetch_site is not None:
        return fetch_site not in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc != request.host
