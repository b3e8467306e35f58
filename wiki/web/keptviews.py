"""Views answered from the cache: before Flask where that can be, else by the view's decorator.

An answer is found again by who asks and for what address, as long as :meth:`wiki.api.Wiki.state`
is the one that was asked before the page was made.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import TYPE_CHECKING, ParamSpec

from flask import Flask, Response, current_app, g, request, session
from werkzeug.wrappers import Response as BaseResponse

from wiki.errors import StoreError
from wiki.model import GUEST
from wiki.site import Site
from wiki.translate import language, using
from wiki.web.context import site
from wiki.web.headers import nonce
from wiki.web.language import language_of
from wiki.web.session import current_user, form_token, has_stamp, has_token
from wiki.web.viewcache import Answer, Entry, Key, ViewCache, Visitor, Visitors

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

P = ParamSpec("P")
EXTENSION = "wikimill.views"


@dataclass(frozen=True, slots=True)
class Page:
    """HTML of a view; ``kept``: it is the same while nothing in the wiki changes."""

    html: str
    kept: bool


class KeptViews:
    """Stands before the application, and answers what it has kept for a visitor whom it knows;
    from here on the answer is in the visitor's language.

    Everything else, and each visitor again after a minute, goes to the application.
    """

    def __init__(self, app: Flask, opened: Site) -> None:
        self.cache = ViewCache()
        self.visitors = Visitors()
        self._site = opened
        self._application: WSGIApplication = app.wsgi_app

    @classmethod
    def install(cls, app: Flask, opened: Site) -> None:
        """Put it before the application."""
        views = app.extensions[EXTENSION] = cls(app, opened)
        app.wsgi_app = views  # type: ignore[method-assign]

    def __call__(self, environ: WSGIEnvironment,
                 start_response: StartResponse) -> Iterable[bytes]:
        with using(language_of(environ, self._site.settings.language)):
            answer = self._kept(environ) if environ["REQUEST_METHOD"] == "GET" else None
            if answer is None:
                return self._application(environ, start_response)
        status = HTTPStatus(answer.status)
        start_response(f"{status.value} {status.phrase}", answer.headers)
        return [answer.body]

    def _kept(self, environ: WSGIEnvironment) -> Answer | None:
        cookie = environ.get("HTTP_COOKIE", "")
        visitor = self.visitors.get(cookie) if cookie else Visitor()
        if visitor is None:
            return None
        key = key_of(visitor, environ)
        if key not in self.cache or not self._lasts(visitor):
            return None
        try:
            state = self._site.wiki.state()
        except StoreError:  # the application meets it too, and says what is wrong
            return None
        entry = self.cache.get(key, state)
        if entry is None or (entry.token and not visitor.token):
            return None
        return entry.answer(visitor.token, environ.get("HTTP_IF_NONE_MATCH", ""))

    def _lasts(self, visitor: Visitor) -> bool:
        return visitor.user == GUEST or has_stamp(self._site.accounts, visitor.user, visitor.stamp)


def key_of(visitor: Visitor, environ: WSGIEnvironment) -> Key:
    """What a kept page depends on, besides the wiki."""
    return (visitor.user, bool(visitor.token), language(), environ.get("SCRIPT_NAME", ""),
            environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", ""))


def may_be_kept(view: Callable[P, Page | BaseResponse]) -> Callable[P, BaseResponse]:
    """Answer a view from the cache, or keep what it makes where its :class:`Page` says so.

    What is shown once (a flashed message) neither comes from the cache nor goes into it.
    """
    @wraps(view)
    def answered(*args: P.args, **kwargs: P.kwargs) -> BaseResponse:
        views: KeptViews = current_app.extensions[EXTENSION]
        repeatable = "_flashes" not in session
        visitor = Visitor(current_user(), form_token() if has_token() else "",
                          session.get("stamp", ""))
        key = key_of(visitor, request.environ)
        state = site().wiki.state()  # asked first: what changes from here on makes it old
        entry = views.cache.get(key, state) if repeatable else None
        if entry is None:
            page, word = _made(view, *args, **kwargs)
            if not isinstance(page, Page):
                return page
            if not (page.kept and repeatable):
                return _once(page, word)
            entry = Entry.of(state, page.html, nonce(), word)
            views.cache.put(key, entry)
        if request.headers.get("Cookie") and not session.modified:
            views.visitors.remember(request.headers["Cookie"], visitor)
        return _response(entry)
    return answered


def _made(view: Callable[P, Page | BaseResponse], *args: P.args,
          **kwargs: P.kwargs) -> tuple[Page | BaseResponse, str]:
    """What the view gives, with a word in place of the form token, and that word."""
    word = g.token_word = secrets.token_urlsafe(24)
    try:
        return view(*args, **kwargs), word
    finally:
        del g.token_word


def _once(page: Page, word: str) -> Response:
    html = page.html.replace(word, form_token()) if word in page.html else page.html
    return Response(html, mimetype="text/html")


def _response(entry: Entry) -> Response:
    token = form_token() if entry.token else ""
    answer = entry.answer(token, request.headers.get("If-None-Match", ""))
    return Response(answer.body, answer.status, answer.headers)
