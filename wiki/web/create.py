"""Making a page: empty, as a copy of a template, or with an object of a class."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request
from markupsafe import Markup
from werkzeug.wrappers import Response

from wiki.errors import (
    DamagedPage,
    DocumentExists,
    DocumentNotFound,
    InvalidDocument,
    WikiError,
)
from wiki.model import Document
from wiki.references import HOME, Reference, join_names
from wiki.rendering.pageforms import PageForm, Plan, page_name
from wiki.rights import RUNNABLE_CLASSES, Right
from wiki.store.base import Query
from wiki.tasks.making import TEMPLATE_CLASS, make_page
from wiki.translate import gettext
from wiki.web.context import page_url, reader, site
from wiki.web.errors import status_of
from wiki.web.fields import OFFERED
from wiki.web.objects import class_names
from wiki.web.session import current_user, form_token, login_required

blueprint = Blueprint("create", __name__)
Answer = str | Response | tuple[str, int]
MAIN = "Main.WebHome"
#: What a new page can begin as: nothing, an object of a class, a class itself, or
#: (``template:Space.Name``) a copy.
EMPTY, OF_CLASS, A_CLASS, COPY = "", "class", "definition", "template:"


@dataclass(frozen=True, slots=True)
class Template:
    """A page that new ones may be copies of, as its object says."""

    reference: Reference
    name: str
    description: str
    #: The class whose properties are asked for, and the space that it is meant for; or empty.
    class_name: str
    space: str

    def fits(self, space: str, class_name: str) -> bool:
        """Whether it is offered for a page of the space; of the class, where one is given."""
        here = not self.space or f"{space}.".startswith(f"{self.space}.")
        return here and (not class_name or self.class_name == class_name)


@dataclass(slots=True)
class Wish:
    """What the form asks for."""

    space: str
    name: str = ""
    title: str = ""
    start: str = EMPTY
    class_name: str = ""

    @classmethod
    def asked(cls) -> Wish:
        """What the address suggests: ``base`` is the page that one comes from (default: the
        class), ``name`` may be a whole reference."""
        args = request.args
        class_name, name = args.get("class", "").strip(), args.get("name", "").strip()
        base = Reference.parse(args.get("base") or class_name or MAIN)
        ref = Reference.parse(name, base) if name else base
        return cls(args.get("space", ref.space), join_names((ref.name,)) if name else "",
                   args.get("title", ""), OF_CLASS if class_name else EMPTY, class_name)

    @classmethod
    def sent(cls) -> Wish:
        form = request.form
        return cls(*(form.get(name, "").strip() for name in (
            "space", "name", "title", "start", "class")))

    def reference(self) -> Reference:
        """The page's name, made of its title where none is given; raises InvalidReference or
        InvalidDocument."""
        home = Reference.parse(f"{self.space}.{HOME}")
        if self.name:
            return Reference.parse(self.name, home)
        return Reference(home.spaces, page_name(self.title))


@blueprint.get("/create")
@login_required
def form() -> Answer:
    """The form; with ``name`` alone (the box "New page") straight on to that page's editor."""
    reader().require(Right.EDIT)
    if request.args.get("name", "").strip() and "choose" not in request.args:
        return to_editor(Reference.parse(request.args["name"].strip(),
                                         Reference.parse(request.args.get("base") or MAIN)))
    return show_form(Wish.asked())


def to_editor(ref: Reference, **suggested: str) -> Response:
    if ref in reader():
        flash(gettext("%(ref)s exists already; this is its editor.", ref=ref), "info")
    return redirect(page_url(ref, "edit", **suggested))


@blueprint.post("/create")
@login_required
def submit() -> Answer:
    """Make a copy of a template, or go on to the editor, or to the form of the class."""
    reader().require(Right.EDIT)
    wish = Wish.sent()
    try:
        ref = wish.reference()
        if ref in reader():
            raise DocumentExists(gettext("%(ref)s exists already; give the new page another "
                                         "name", ref=ref))
        return begin(wish, ref)
    except WikiError as error:
        return show_form(wish, str(error)), status_of(error)


def begin(wish: Wish, ref: Reference) -> Answer:
    if wish.start == OF_CLASS:
        return class_form(wish, ref)
    if wish.start == A_CLASS:
        reader().new(ref, title=wish.title).save(comment="Made, to become a class")
        return redirect(page_url(ref, "class"))
    if not wish.start.startswith(COPY):
        return to_editor(ref, title=wish.title, parent=str(ref.home) if ref != ref.home else "")
    template = template_of(wish.start.removeprefix(COPY))
    if template.class_name:
        return class_form(wish, ref, template)
    made = make_page(site().wiki, current_user(), [ref], wish.title, "", {},
                     str(template.reference))
    flash(gettext("%(page)s is made from %(name)s.", page=made, name=template.name), "success")
    return redirect(page_url(made, "edit"))


def class_form(wish: Wish, ref: Reference, template: Template | None = None) -> str:
    """The form for the properties of the class; what it sends makes the page."""
    class_name = template.class_name if template else str(Reference.parse(
        wish.class_name)) if wish.class_name else ""
    if not class_name:
        raise InvalidDocument(gettext("Name the class that the page is to have an object of"))
    made = PageForm.of(Plan(class_name, ref.space, wish.name and ref.name,
                            template=str(template.reference) if template else ""), reader())
    if made.title is not None:
        made.title.text = wish.title
    html = made.html(page_url(class_name, "form"), form_token(), reader())
    return show_form(wish, values=html, place=ref.space)


def show_form(wish: Wish, error: str = "", values: Markup | None = None, place: str = "") -> str:
    wanted = wish.class_name if wish.start == OF_CLASS else ""
    offered = [] if values else [item for item in templates() if item.fits(wish.space, wanted)]
    return render_template(
        "create.html", title=gettext("New page"), wish=wish, error=error, values=values,
        place=place,
        templates=offered, class_names=[name for name in class_names()
                                        if name not in RUNNABLE_CLASSES],
        spaces=[space for space, _ in reader().spaces()][:OFFERED])


def makes_pages(document: Document) -> bool:
    """Whether the page is a class that pages are made of here: none that run are."""
    return (document.class_definition is not None
            and str(document.reference) not in RUNNABLE_CLASSES)


# -- templates -----------------------------------------------------------------------------------


def templates() -> list[Template]:
    """The pages that offer themselves as templates, by title."""
    wiki = reader()
    rows = wiki.rows(Query(TEMPLATE_CLASS, order_by=("doc.title",), limit=OFFERED))
    found = []
    for row in rows:
        with suppress(DamagedPage, DocumentNotFound):  # `check` lists damage; or deleted just now
            found.append(template_of(str(row.reference)))
    return found


def template_of(name: str) -> Template:
    """Raises DocumentNotFound, or InvalidDocument for a page that is no template."""
    document = reader().get(Reference.parse(name)).record
    obj = document.object(TEMPLATE_CLASS)
    if obj is None:
        raise InvalidDocument(gettext("%(page)s is no template: it has no object of "
                                      "%(class_name)s", page=document.reference,
                                      class_name=TEMPLATE_CLASS))
    values = obj.values
    return Template(document.reference, values.get("name") or document.display_title,
                    values.get("description") or "", values.get("class") or "",
                    values.get("space") or "")
