"""The language a visitor reads: chosen here and kept in a cookie, else the browser's, else the
wiki's own."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header, parse_cookie
from werkzeug.wrappers import Response as BaseResponse

from wiki.translate import LANGUAGES, SOURCE, for_browser, gettext
from wiki.web.context import site
from wiki.web.session import safe_next

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

blueprint = Blueprint("language", __name__)
COOKIE = "wikimill_language"
#: How long a choice is kept, in seconds.
KEPT_SECONDS = 365 * 24 * 3600
#: How long a browser goes on with what its scripts say, in seconds.
CATALOGUE_SECONDS = 300
#: Programs read what is below here, in one language.
UNTRANSLATED = "/api/"


def language_of(environ: WSGIEnvironment, default: str) -> str:
    """The language of an answer; ``default`` is the wiki's own."""
    if environ.get("PATH_INFO", "").startswith(UNTRANSLATED):
        return SOURCE
    return _wanted(environ.get("HTTP_COOKIE", "") if COOKIE in environ.get("HTTP_COOKIE", "")
                   else "", environ.get("HTTP_ACCEPT_LANGUAGE", ""), default)


@lru_cache(maxsize=1000)
def _wanted(cookie: str, accepted: str, default: str) -> str:
    chosen = parse_cookie(cookie).get(COOKIE, "")
    if chosen in LANGUAGES:
        return chosen
    for tag, quality in parse_accept_header(accepted, LanguageAccept):  # the best first
        code = default if tag == "*" else tag.partition("-")[0].lower()
        if quality and code in LANGUAGES:
            return code
    return default


@blueprint.get("/language")
def choose() -> str:
    """The languages to choose from."""
    return render_template("language.html", title=gettext("Language"), languages=LANGUAGES,
                           next=safe_next(request.args.get("next", "/")))


@blueprint.post("/language")
def chosen() -> BaseResponse:
    """Keep a choice in the browser, and go back to where it was made."""
    code = request.form.get("language", "")
    if code not in LANGUAGES:
        abort(400, gettext("There is no language %(name)s; there are %(names)s",
                           name=repr(code[:20]), names=", ".join(LANGUAGES)))
    answer = redirect(safe_next(request.form.get("next", "/")), 303)
    answer.set_cookie(COOKIE, code, max_age=KEPT_SECONDS, samesite="Lax", httponly=True,
                      secure=site().settings.secure_cookies)
    return answer


@blueprint.get("/language/<code>.json")
def catalogue(code: str) -> Response:
    """What the scripts in the browser say."""
    if code not in LANGUAGES:
        abort(404)
    answer = jsonify(for_browser(code))
    answer.headers["Cache-Control"] = f"public, max-age={CATALOGUE_SECONDS}"
    return answer
