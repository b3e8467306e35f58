"""``create_app``: the only place where the web application is wired."""

from __future__ import annotations

import hashlib
import os
import secrets
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import Flask, render_template, request
from jinja2 import ChoiceLoader, FileSystemLoader
from werkzeug.exceptions import HTTPException

from wiki import settings as configuration
from wiki import translate
from wiki.errors import (
    AccessDenied,
    DocumentNotFound,
    InvalidReference,
    NotFound,
    WikiError,
)
from wiki.model import GUEST, Document
from wiki.references import HOME, Reference
from wiki.rendering import inputs
from wiki.settings import Settings
from wiki.site import Site
from wiki.translate import gettext, marked
from wiki.web import (
    apidocs,
    attachments,
    auth,
    bin,
    bulk,
    classes,
    comments,
    context,
    create,
    diagrams,
    edit,
    executors,
    exports,
    filemoves,
    forms,
    headers,
    health,
    history,
    keptviews,
    language,
    live,
    manage,
    moving,
    navigation,
    notifications,
    objects,
    pages,
    password,
    property,
    recent,
    run,
    runs,
    scheduler,
    scripts,
    search,
    secret,
    session,
    tables,
    tagging,
    tasks,
    tokens,
    wizard,
)
from wiki.web.errors import status_of
from wiki.web.rest import blueprint as rest

BLUEPRINTS = (apidocs.blueprint, health.blueprint, live.blueprint, diagrams.blueprint,
              auth.blueprint, language.blueprint, search.blueprint, tasks.blueprint,
              run.blueprint, wizard.blueprint, runs.blueprint, scheduler.blueprint,
              scripts.blueprint, executors.blueprint, secret.blueprint, attachments.blueprint,
              filemoves.blueprint, edit.blueprint, objects.blueprint, classes.blueprint,
              create.blueprint, history.blueprint, manage.blueprint, moving.blueprint,
              tagging.blueprint, property.blueprint,
              forms.blueprint, tables.blueprint, bulk.blueprint,
              bin.blueprint, recent.blueprint, navigation.blueprint, exports.blueprint,
              comments.blueprint, notifications.blueprint, tokens.blueprint, password.blueprint,
              pages.blueprint)
#: A form (a page's content in it) is held in memory up to this; files go to disk as they come.
MAX_FORM = 16 * 1024 * 1024
#: What a multipart body may have beyond the files in it.
FORM_OVERHEAD = 1024 * 1024
TITLES = {400: marked("This cannot be"), 401: marked("Log in first"),
          403: marked("This is not allowed"), 404: marked("There is nothing here"),
          405: marked("This is not done this way"), 409: marked("This cannot be done now"),
          413: marked("This is too large"), 500: marked("Something went wrong")}


def create_app(settings: Settings | None = None, site: Site | None = None) -> Flask:
    """The WSGI application; ``app.extensions["wikimill"]`` is its :class:`wiki.site.Site`."""
    if site is None:
        site = Site(settings or configuration.load())
    settings = site.settings
    static = configuration.shipped("static").resolve()
    # In the path, so that the modules that import one another stay in one version.
    app = Flask("wikimill", root_path=str(Path(__file__).parent), static_folder=str(static),
                static_url_path=f"/static/{digest_of(static)}", template_folder="templates")
    app.jinja_loader = ChoiceLoader([FileSystemLoader(folder) for folder in (
        Path(app.root_path, "templates"), inputs.TEMPLATES)])
    app.extensions["wikimill"] = site
    translate.install(app.jinja_env)
    keptviews.KeptViews.install(app, site)
    configure(app, settings)
    site.renderer.sign_with(app.config["SECRET_KEY"])
    app.before_request(session.check_form)
    app.after_request(headers.add_headers)
    app.register_error_handler(WikiError, answer_error)
    app.register_error_handler(HTTPException, answer_http_error)
    app.context_processor(template_values)
    app.add_template_filter(show_date, "date")
    app.add_template_global(context.leaf_url)
    app.add_template_global(translate.language)
    app.add_template_global(translate.weekday)
    app.jinja_env.globals["languages"] = translate.LANGUAGES
    app.add_template_global(navigation.open_tree)
    app.add_template_global(navigation.places)
    app.register_blueprint(rest, url_prefix="/api/v1")
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    return app


def digest_of(folder: Path) -> str:
    """A short text that is another one when a file in the folder is."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def configure(app: Flask, settings: Settings) -> None:
    """Flask's own settings."""
    app.config.update(
        SECRET_KEY=settings.secret_key or own_key(settings.data),
        SESSION_COOKIE_NAME="wikimill",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=settings.session_hours),
        MAX_CONTENT_LENGTH=settings.upload_limit + FORM_OVERHEAD,
        MAX_FORM_MEMORY_SIZE=MAX_FORM,
        MAX_FORM_PARTS=20_000,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True


def own_key(data: Path) -> str:
    """The key that signs sessions, made once and shared by all workers on the data."""
    path = data / "secret_key"
    if not path.exists():
        data.mkdir(parents=True, exist_ok=True)
        made = data / f".secret_key.{secrets.token_hex(8)}"
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
        with suppress(FileExistsError):
            os.link(made, path)  # whole at once, and never over another worker's
        made.unlink()
    return path.read_text()


def template_values() -> dict[str, object]:
    """What every template may use."""
    user = session.current_user()
    return {"user": user, "logged_in": user != GUEST, "nonce": headers.nonce,
            "user_name": Reference.parse(user).name, "form_token": session.form_token,
            "page_token": session.page_token,
            "page_url": context.page_url, "vendored": context.vendored, "GUEST": GUEST,
            "disarmed": context.disarmed}


def show_date(moment: datetime) -> str:
    """A date as pages show it, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def answer_error(error: WikiError) -> tuple[str, int]:
    """An error of the wiki as a page that says what happened and what to do."""
    if isinstance(error, DocumentNotFound):
        return missing_page(error), 404
    status = status_of(error)
    login = isinstance(error, AccessDenied) and session.current_user() == GUEST
    return error_page(status, str(error), login), status


def missing_page(error: WikiError) -> str:
    """A page that does not exist, with the offer to create it."""
    try:
        ref = Reference.parse(str((request.view_args or {})["ref"]))
    except (InvalidReference, KeyError):
        return error_page(404, str(error))
    deleted, _ = context.reader().bin(3, name=ref)
    return render_template("missing.html", reference=ref, deleted=deleted,
                           crumbs=context.breadcrumbs(Document(ref)),
                           title=ref.name if ref.name != HOME else ref.spaces[-1])


def answer_http_error(error: HTTPException) -> tuple[str, int] | HTTPException:
    """Flask's own errors, in the same clothes."""
    if error.code is None or error.code < 400:
        return error
    message = str(NotFound()) if error.code == 404 else (error.description or "")
    return error_page(error.code, message), error.code


def error_page(status: int, message: str, login: bool = False) -> str:
    return render_template("error.html", status=status, message=message, login=login,
                           bare=status >= 500,  # the tree may be what cannot be had
                           title=gettext(TITLES.get(status, marked("This did not work"))),
                           next=request.full_path.rstrip("?") if request.method == "GET" else "/")
