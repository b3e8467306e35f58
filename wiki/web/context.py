"""What every blueprint needs of the request: the site, the wiki as the reader, page templates."""

from __future__ import annotations

from typing import cast

from flask import current_app, render_template, request

from wiki.api import OpenDocument, Wiki
from wiki.model import Document
from wiki.references import HOME, Reference
from wiki.rendering.links import page_url
from wiki.rendering.parts import waits
from wiki.rendering.renderer import RenderRequest
from wiki.rights import RUNNABLE_CLASSES, Right, allows
from wiki.site import Site
from wiki.web.session import current_user, form_token

__all__ = ["breadcrumbs", "disarmed", "page", "page_url", "reader", "render_request", "runs",
           "show", "site"]


def site() -> Site:
    return cast(Site, current_app.extensions["wikimill"])


def reader() -> Wiki:
    """The wiki as the user of this request."""
    return site().wiki.as_user(current_user())


def page(ref: str) -> OpenDocument:
    """The page that a URL names; raises InvalidReference or DocumentNotFound."""
    return reader().get(Reference.parse(ref))


def render_request() -> RenderRequest:
    """This request, as macros may see it."""
    args = request.args.to_dict()
    return RenderRequest(user=current_user(), args=args, form_token=form_token(),
                         patience=None if waits(args) else site().settings.macro_patience)


def breadcrumbs(ref: Reference) -> list[tuple[str, Reference]]:
    """The spaces above a page, outermost first, each with its home page."""
    crumbs = [(space, Reference(ref.spaces[:depth], HOME))
              for depth, space in enumerate(ref.spaces, 1)]
    return crumbs[:-1] if ref.name == HOME else crumbs


def runs(document: Document) -> bool:
    """Whether the page carries an object that runs."""
    return any(obj.class_name in RUNNABLE_CLASSES for obj in document.objects)


def disarmed(document: Document) -> bool:
    """Whether what the page would run is held back: its script author lacks the right."""
    return runs(document) and not allows(document.script_author, Right.SCRIPT, document)


def show(template: str, document: Document, tab: str, **values: object) -> str:
    """A template of a page, with its tabs and the trail of its spaces."""
    wiki = reader()
    return render_template(
        template, document=document, tab=tab, crumbs=breadcrumbs(document.reference),
        may_edit=wiki.may(Right.EDIT, document), may_delete=wiki.may(Right.DELETE, document),
        **values)
