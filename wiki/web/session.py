"""Who is logged in, and the token that proves that a form is ours.

The session is Flask's signed cookie (HttpOnly, SameSite); the CSRF token lives in it, and is
made anew at login and logout.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar
from urllib.parse import urlsplit

from flask import current_app, g, redirect, request, session, url_for
from werkzeug.wrappers import Response

from wiki.accounts import Accounts
from wiki.errors import AccessDenied
from wiki.model import GUEST
from wiki.references import Reference
from wiki.translate import gettext

P = ParamSpec("P")
R = TypeVar("R")
#: The name of the form field, and of the header that scripts may send in its place.
TOKEN_FIELD = "form_token"
TOKEN_HEADER = "X-CSRF-Token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: Asks by POST since what it asks with is long, and changes nothing.
ASKING = "live.parts"
#: The blueprint that guards itself: REST takes credentials with every call.
UNGUARDED = "rest"


def current_user() -> str:
    """The user of this request's session, such as ``Users.Admin``; the guest otherwise."""
    if "user" not in g:
        user = str(session.get("user", GUEST))
        accounts: Accounts = current_app.extensions["wikimill"].accounts
        known = user != GUEST and has_stamp(accounts, user, session.get("stamp"))
        g.user = user if known else GUEST
    return str(g.user)


def log_in(user: str) -> None:
    """Begin a new session as the user."""
    session.clear()
    session.permanent = True
    session["user"] = user
    session["stamp"] = stamp(user)
    g.user = user


def stamp(user: str) -> str | None:
    """What a session of the user ends with: it is another one once the password changes."""
    accounts: Accounts = current_app.extensions["wikimill"].accounts
    return accounts.stamp(Reference.parse(user).name)


def has_stamp(accounts: Accounts, user: str, given: object) -> bool:
    """Whether the account is there still, with the password of the session's beginning."""
    return given is not None and accounts.stamp(Reference.parse(user).name) == given


def log_out() -> None:
    """End the session."""
    session.clear()
    g.user = GUEST


def form_token() -> str:
    """The session's CSRF token, made where there is none; while a page is made that may be kept
    (see :mod:`wiki.web.viewcache`), the word that stands for it."""
    if "token_word" in g:
        return str(g.token_word)
    if not has_token():
        session["token"] = secrets.token_urlsafe(24)
    return str(session["token"])


def has_token() -> bool:
    """Whether the session has a CSRF token already."""
    return "token" in session


def page_token() -> str:
    """The token for the scripts of a page; empty where a guest only reads, who so gets no
    cookie."""
    only_reads = "token_word" in g and not has_token() and current_user() == GUEST
    return "" if only_reads else form_token()


def check_form() -> None:
    """Raises AccessDenied for a change that does not carry the session's token."""
    if request.method in SAFE_METHODS or request.blueprint in (UNGUARDED, None):
        return
    if request.endpoint == ASKING:
        return
    if not token_is_right(request.headers.get(TOKEN_HEADER) or request.form.get(TOKEN_FIELD, "")):
        raise AccessDenied(gettext("This form is out of date, or is not one of this wiki's "
                                   "own; nothing was changed. Go back, load the page again "
                                   "and send it anew."))


def token_is_right(token: str) -> bool:
    """Whether the token is the session's (REST asks too, when it trusts a session)."""
    own = session.get("token", "")
    return bool(own) and hmac.compare_digest(str(own).encode(), token.encode(errors="replace"))


def login_required(view: Callable[P, R]) -> Callable[P, R | Response]:
    """Send a guest to the login page first (and refuse a guest's POST)."""
    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Response:
        if current_user() != GUEST:
            return view(*args, **kwargs)
        if request.method in SAFE_METHODS:
            return redirect(url_for("auth.login", next=request.full_path.rstrip("?")))
        raise AccessDenied
    return guarded


def safe_next(target: str) -> str:
    """The target where it is a path of this site, ``/`` otherwise."""
    parts = urlsplit(target.replace("\\", "/"))
    ours = (target.startswith("/") and not target.startswith(("//", "/\\"))
            and not parts.scheme and not parts.netloc and target.isprintable())
    return target if ours else "/"
