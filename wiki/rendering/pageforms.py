"""A form that makes a page with an object of a class: what it asks for, and its HTML.

What it makes is in hidden fields, since it is no secret and nothing that who sends the form
could not do otherwise: the page is made with the sender's rights.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup

from wiki import classes
from wiki.api import Wiki
from wiki.errors import InvalidDocument
from wiki.model import ClassDefinition, Property
from wiki.references import HOME, Reference, check_name
from wiki.rendering import inputs
from wiki.rendering.inputs import Field
from wiki.rights import RUNNABLE_CLASSES
from wiki.translate import gettext

#: The fields of properties are named so, that none is taken for one of the form's own.
PREFIX = "form."
#: What the field of the page's title is called: no property of a class can be.
TITLE = "title.of.page"
#: Names that are tried, the next with a number behind it, before it is given up.
NAMES_TRIED = 1000
_HOLE = re.compile(r"\{([^{}]*)\}")
#: What a name cannot have in it.
_NO_NAME = re.compile(r"[/\x00-\x1f\x7f\u2028\u2029]+")
_FORM = Markup(
    '<form class="macro-form" method="post" action="{action}">{error}'
    '<input type="hidden" name="form_token" value="{token}">{hidden}\n{fields}'
    '<div class="buttons"><button class="primary">{label}</button></div></form>\n')


@dataclass(frozen=True, slots=True)
class Plan:
    """What a form makes, as its macro says.

    ``name`` and ``title`` are patterns such as ``{title}`` or ``Order {date}``; without a
    pattern for the title the form asks for one. ``template`` is a page that the new one is a copy
    of; ``ready`` lets the task that it then is run; ``only`` names the properties that are asked
    for, separated by commas (all, where it is empty).
    """

    class_name: str = ""
    space: str = ""
    name: str = ""
    title: str = ""
    template: str = ""
    ready: str = ""
    only: str = ""
    label: str = ""

    @classmethod
    def sent(cls, form: Mapping[str, str]) -> Plan:
        """The plan in the hidden fields of a form."""
        return cls(**{item.name: form.get(f"plan.{item.name}", "") for item in fields(cls)})

    def hidden(self) -> Markup:
        """The plan as hidden fields."""
        return Markup("").join(
            Markup('<input type="hidden" name="plan.{}" value="{}">').format(
                item.name, getattr(self, item.name))
            for item in fields(self) if getattr(self, item.name))


@dataclass(slots=True)
class PageForm:
    """The form of a plan; ``fields`` begin with the title where that is asked for."""

    plan: Plan
    definition: ClassDefinition
    fields: list[Field] = field(default_factory=list)
    title: Field | None = None

    @classmethod
    def of(cls, plan: Plan, wiki: Wiki, scope: str = "") -> PageForm:
        """The form with the values of the template, else the defaults of the class.

        Raises InvalidDocument for a plan that cannot be, DocumentNotFound for a template that is
        missing, InvalidReference.
        """
        if str(Reference.parse(plan.class_name)) in RUNNABLE_CLASSES:
            # Who sends the form would sign what it does not show: other defaults, say.
            raise InvalidDocument(gettext(
                "class: a form makes no pages that run, and those with an object of "
                "%(class_name)s do", class_name=plan.class_name))
        definition = wiki.class_definition(plan.class_name)
        if definition is None:
            raise InvalidDocument(gettext(
                "class: %(class_name)s is no class; name a page that defines one",
                class_name=plan.class_name))
        made = cls(plan, definition)
        made._check_patterns()
        values = made._values(wiki)
        if not plan.title:
            made.title = inputs.make_field(
                PREFIX + TITLE, Property(TITLE, pretty_name=gettext("Title"), required=True,
                                         help=gettext("The title of the new page.")), "", scope)
        made.fields = [
            *([made.title] if made.title else []),
            *(inputs.make_field(f"{PREFIX}{prop.name}", prop, values.get(prop.name), scope)
              for prop in inputs.chosen(plan.only, definition.properties, plan.class_name,
                                        "property"))]
        return made

    def _values(self, wiki: Wiki) -> Mapping[str, Any]:
        if self.plan.template:
            obj = wiki.get(self.plan.template).record.object(self.plan.class_name)
            if obj is not None:
                return classes.visible(obj.values)
        return classes.defaults(self.definition)

    def _check_patterns(self) -> None:
        known = {prop.name for prop in self.definition.properties
                 if prop.type != "Password"} | {"title", "user", "date", "time"}
        for parameter in ("name", "title"):
            for hole in _HOLE.findall(getattr(self.plan, parameter)):
                if hole not in known:
                    raise InvalidDocument(gettext(
                        "%(parameter)s: there is nothing to put in for {%(hole)s}; there are "
                        "%(names)s", parameter=parameter, hole=hole,
                        names=", ".join(sorted(known))))

    def html(self, action: str, token: str, wiki: Wiki, error: str = "") -> Markup:
        """The form, sent to the address ``action``."""
        box = Markup('<div class="box error" role="alert">{}</div>').format(error) if (
            error) else Markup("")
        return _FORM.format(
            action=action, error=box, token=token, hidden=self.plan.hidden(),
            fields=inputs.draw(self.fields, inputs.offers(self.fields, wiki)),
            label=self.plan.label or ("Run" if self.plan.ready else "Create"))

    def title_of(self, values: Mapping[str, Any], user: str) -> str:
        """The new page's title."""
        if self.title is not None:
            return self.title.text.strip()
        return _filled(self.plan.title, self._words(values, user, "")).strip()

    def names_of(self, values: Mapping[str, Any], user: str, title: str) -> list[Reference]:
        """Names for the new page, the best first; raises InvalidReference or InvalidDocument."""
        words = self._words(values, user, title)
        stem = page_name(_filled(self.plan.name or "{title}", words))
        spaces = Reference.parse(f"{self.plan.space}.{HOME}").spaces
        return [Reference(spaces, stem if number == 1 else f"{stem}-{number}")
                for number in range(1, NAMES_TRIED)]

    def _words(self, values: Mapping[str, Any], user: str, title: str) -> dict[str, str]:
        now = datetime.now(UTC)
        words = {prop.name: classes.type_of(prop).format(values.get(prop.name), prop)
                 for prop in self.definition.properties if prop.type != "Password"}
        known = {"title": title, "user": Reference.parse(user).name, "date": f"{now:%Y-%m-%d}",
                 "time": f"{now:%H%M%S}", **words}
        return {**known, "title": title or known["title"]}


def page_name(text: str) -> str:
    """A page's name made of a text, a title say; raises InvalidReference or InvalidDocument."""
    name = _NO_NAME.sub("-", text).strip()
    if not name:
        raise InvalidDocument(gettext(
            "The new page would have no name; fill in what it is named after"))
    return check_name(name.encode()[:200].decode(errors="ignore").strip())


def _filled(pattern: str, words: Mapping[str, str]) -> str:
    return _HOLE.sub(lambda match: words.get(match[1], ""), pattern)
