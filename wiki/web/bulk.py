"""One change to many rows of a live table: shown first, then made, then told row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from flask import Blueprint, render_template, request

from wiki.api import Wiki
from wiki.documents import OpenDocument
from wiki.errors import InvalidDocument, NotFound, ObjectNotFound
from wiki.model import Property
from wiki.references import Reference
from wiki.rendering.tables.spec import State
from wiki.tasks.names import Status
from wiki.translate import gettext, ngettext
from wiki.web import fields
from wiki.web.context import reader, site
from wiki.web.fields import Field
from wiki.web.session import current_user, login_required, safe_next
from wiki.web.tables import state_of
from wiki.web.tagging import check_tag, retagging

blueprint = Blueprint("bulk", __name__)
Answer = str | tuple[str, int]
#: How many pages may be changed at once.
MAX_ROWS = 10_000
#: How many pages are named before the change, and how many that could not be changed after it.
NAMED = 20
KEY = "value"
#: What the form of the confirmation has itself.
OWN = frozenset({"form_token", "confirm", "expected", KEY})
TAG = Property("tag", "String", required=True, pretty_name="Tag")


@dataclass(frozen=True, slots=True)
class Action:
    """What is done with each page; ``field`` asks for the value that it takes."""

    label: str
    done: str
    field: Field | None = None
    #: The property that is set.
    prop: Property | None = None
    danger: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the change: how many pages it was made to, and why not to others."""

    changed: int
    refused: Sequence[tuple[Reference, str]]


@blueprint.post("/tables/bulk")
@login_required
def bulk() -> Answer:
    """Do ``action`` with the rows ``row``, or with all rows of the table where ``scope`` is
    ``all``; without ``confirm`` it is only shown what would be done."""
    state = state_of(request.form)
    name = request.form.get("action", "")
    action = action_of(name, state)
    chosen = list(rows(state))
    if not chosen:
        return ask(action, chosen, gettext(
            "No row was chosen; tick some, or choose all of them.")), 400
    if "confirm" not in request.form:
        return ask(action, chosen)
    if request.form.get("expected") != str(len(chosen)):
        return ask(action, chosen, gettext(
            "There are now %(num)s such rows; look again. Nothing was changed.",
            num=f"{len(chosen):,}")), 409
    value = read(action)
    if action.field is not None and action.field.error:
        return ask(action, chosen, gettext("This value is not allowed.")), 400
    outcome = act(name, action, state.spec.class_name, chosen, value)
    return render_template("table_result.html", title=gettext("What came of it"), action=action,
                           outcome=outcome, named=NAMED * 5, back=back())


def action_of(name: str, state: State) -> Action:
    """Raises NotFound for one that there is not."""
    if name == "ready":
        return Action(gettext("Set READY"), gettext("set READY"))
    if name == "delete":
        return Action(gettext("Delete"), gettext("deleted"), danger=True)
    if name in ("tag", "untag"):
        label, done = ((gettext("Add a tag to"), gettext("tagged")) if name == "tag"
                       else (gettext("Remove a tag from"), gettext("rid of the tag")))
        return Action(label, done, fields.make_field(KEY, TAG, None))
    prop = next((column.prop for column in state.spec.offered if column.prop is not None
                 and f"set:{column.field}" == name), None)
    if prop is None:
        raise NotFound(gettext("%(name)s cannot be done with these rows; there are ready, "
                               "delete, tag, untag and set:<property>", name=repr(name)))
    return Action(gettext("Set %(label)s of", label=prop.label), gettext("changed"),
                  fields.make_field(KEY, prop, prop.default), prop)


def rows(state: State) -> Iterator[Reference]:
    """The pages chosen; raises InvalidDocument where they are too many, InvalidReference."""
    if request.form.get("scope") == "all":
        found = [row.reference for row in islice(reader().rows(state.query([])), MAX_ROWS + 1)]
    else:
        found = [Reference.parse(name) for name in dict.fromkeys(request.form.getlist("row"))]
    if len(found) > MAX_ROWS:
        raise InvalidDocument(gettext("At most %(most)s pages are changed at once; filter "
                                      "the table until it has no more", most=f"{MAX_ROWS:,}"))
    yield from found


def read(action: Action) -> object:
    """The value that was typed; notes on the field what is wrong with it."""
    if action.field is None:
        return None
    fields.fill([action.field], request.form)
    values = fields.read([action.field], request.form)
    fields.need([action.field], values)
    return values.get(action.field.prop.name)


def ask(action: Action, chosen: Sequence[Reference], error: str = "") -> str:
    kept = [(key, value) for key, value in request.form.items(multi=True) if key not in OWN]
    if action.field is not None and KEY in request.form:
        fields.fill([action.field], request.form)
    return render_template("table_bulk.html", title=ngettext(
        "%(label)s %(num)s page", "%(label)s %(num)s pages", len(chosen), label=action.label,
        num=f"{len(chosen):,}"), action=action, chosen=chosen, named=NAMED, kept=kept, error=error,
                           back=back(),
                           offers=fields.offers([action.field] if action.field else []))


def back() -> str:
    """The page with the table."""
    return safe_next(request.form.get("back", "/"))


def act(name: str, action: Action, class_name: str, chosen: Sequence[Reference],
        value: object) -> Outcome:
    """Do it; each page for itself, so that one that refuses leaves the others alone."""
    if name == "ready":
        errors = site().manager.set_status(chosen, Status.READY, current_user())
        refused = [(Reference.parse(str(page)), error) for page, error in errors.items() if error]
        return Outcome(len(chosen) - len(refused), refused)
    wiki = reader()
    refused = wiki.change_each(chosen, change_of(name, action, class_name, value, wiki))
    return Outcome(len(chosen) - len(refused), refused)


def change_of(name: str, action: Action, class_name: str, value: object,
              wiki: Wiki) -> Callable[[Reference], object]:
    """What is done with a page."""
    if name == "delete":
        return wiki.delete
    if action.prop is None:
        tag = str(value).strip()
        if name == "tag":
            check_tag(tag)
        edit = retagging([tag]) if name == "tag" else retagging([], tag)
        comment = f"{name.capitalize()}: {tag}"
    else:
        edit, comment = setting(class_name, action.prop.name, value), f"Set {action.prop.label}"
    return lambda reference: wiki.revise(reference, edit, comment=comment, signs=False)


def setting(class_name: str, name: str, value: object) -> Callable[[OpenDocument], None]:
    def edit(page: OpenDocument) -> None:
        found = page.object(class_name)
        if found is None:
            raise ObjectNotFound(gettext("%(page)s has no object of %(class_name)s",
                                         page=page.reference, class_name=class_name))
        found[name] = value
    return edit
