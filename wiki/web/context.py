"""What every blueprint needs of the request: the site, the wiki as the reader, page templates."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from flask import current_app, render_template, request, url_for

from wiki.api import OpenDocument, Wiki
from wiki.language.links import page_url
from wiki.model import Document
from wiki.references import Reference
from wiki.rendering.parts import waits
from wiki.rendering.renderer import RenderRequest
from wiki.rendering.slow import STUCK_SECONDS
from wiki.rights import RUNNABLE_CLASSES, Right, allows
from wiki.site import Site
from wiki.store.base import Leaf
from wiki.web.held import Held
from wiki.web.session import current_user, form_token

__all__ = ["breadcrumbs", "disarmed", "held", "leaf_url", "page", "page_url", "reader",
           "render_request", "runs", "show", "site", "vendored"]


def site() -> Site:
    return cast(Site, current_app.extensions["wikimill"])


def reader() -> Wiki:
    """The wiki as the user of this request."""
    return site().wiki.as_user(current_user())


def held() -> Held:
    """The files that wait for the first save of their pages."""
    return Held(site().settings.data / "held")


def page(ref: str) -> OpenDocument:
    """The page that a URL names; raises InvalidReference or DocumentNotFound."""
    return reader().get(Reference.parse(ref))


def render_request() -> RenderRequest:
    """This request, as macros may see it."""
    args = request.args.to_dict()
    return RenderRequest(user=current_user(), args=args, form_token=form_token(),
                         patience=(STUCK_SECONDS if waits(args)
                                   else site().settings.macro_patience))


def breadcrumbs(document: Document) -> list[Leaf]:
    """The pages above a page, the outermost first."""
    return [leaf for leaf in reader().above(document) if leaf.reference != document.reference]


def leaf_url(leaf: Leaf) -> str:
    """The address of a page of the tree: for the home page that a space does not have, that of
    the list of its pages."""
    return page_url(leaf.reference) if leaf.there else url_for(
        "search.index", space=leaf.reference.space)


def vendored(filename: str) -> str:
    """The address of a file of a third party's that `make vendor` brings; empty where it is
    not there."""
    static = Path(str(current_app.static_folder), "vendor", filename)
    return url_for("static", filename=f"vendor/{filename}") if static.is_file() else ""


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
        template, document=document, tab=tab, crumbs=breadcrumbs(document),
        may_edit=wiki.may(Right.EDIT, document), may_delete=wiki.may(Right.DELETE, document),
        **values)
