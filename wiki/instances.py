"""What a change of a class does to its objects: values carried along, values that no longer fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from wiki import classes
from wiki.api import Wiki
from wiki.errors import (
    Conflict,
    DamagedPage,
    DocumentNotFound,
    InvalidDocument,
    InvalidValue,
)
from wiki.model import ClassDefinition, Document, Object, Property
from wiki.references import Reference
from wiki.store.base import Condition, Query
from wiki.translate import gettext

#: How many pages one step changes, durable together.
CHUNK = 500
#: How often a page is read again that others save at the same moment.
ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class ClassChange:
    """What becomes of an object's values: ``renamed`` properties by their old names, and the old
    forms of those that have another type or other options now (``retyped``, by their new names).
    """

    definition: ClassDefinition
    renamed: Mapping[str, str] = field(default_factory=dict)
    retyped: Mapping[str, Property] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.renamed or self.retyped)

    @classmethod
    def between(cls, old: ClassDefinition | None, new: ClassDefinition,
                renamed: Mapping[str, str]) -> ClassChange:
        """Raises InvalidDocument for a new name that another property had, and for an old one
        that another has now: values could not be told apart while only some objects are
        changed."""
        before = {prop.name: prop for prop in old.properties} if old else {}
        for name, new_name in renamed.items():
            if new_name in before:
                raise InvalidDocument(gettext(
                    "%(name)s cannot become %(new_name)s in the same save that renames or "
                    "removes %(new_name)s; do that one first", name=name, new_name=new_name))
            if name not in before or new.get(name) or not new.get(new_name):
                raise InvalidDocument(gettext(
                    "%(name)s cannot become %(new_name)s: one goes and the other comes in the "
                    "same save", name=name, new_name=new_name))
        came_from = {new_name: name for name, new_name in renamed.items()}
        retyped = {}
        for prop in new.properties:
            was = before.get(came_from.get(prop.name, prop.name))
            if was and (was.type, was.options) != (prop.type, prop.options):
                retyped[prop.name] = was
        return cls(new, dict(renamed), retyped)

    def carry(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values under their new names, converted where they can be. A value stays under its
        old name where the new one holds another already, so that none is lost."""
        made = dict(values)
        for old, new in self.renamed.items():
            if not classes.is_empty(made.get(old)) and classes.is_empty(made.get(new)):
                made[new] = made.pop(old)
        return {name: self._converted(name, value) for name, value in made.items()}

    def _converted(self, name: str, value: Any) -> Any:
        prop = self.definition.get(name)
        if name not in self.retyped or prop is None or classes.is_empty(value):
            return value
        try:
            return convert(value, self.retyped[name], prop)
        except InvalidValue:
            return value  # kept, and listed by problems()


def convert(value: Any, old: Property, new: Property) -> Any:
    """The value of a property as one of another type has it; raises InvalidValue. Passwords are
    never made of anything else, nor anything else of them."""
    kind = classes.type_of(new)
    if new.type == "Password" or classes.is_password(value):
        return checked(value, new)
    try:
        return kind.check(value, new)
    except InvalidValue:
        text = value if isinstance(value, str) else classes.type_of(old).format(value, old)
        return kind.parse(text, new)


def checked(value: Any, prop: Property) -> Any:
    """The value as it is stored; raises InvalidValue. No password is hashed for that."""
    kind = classes.type_of(prop)
    if classes.is_password(value) != (prop.type == "Password"):
        raise InvalidValue(prop.name, "(not shown)", kind.allowed(prop))
    return kind.check(value, prop)


@dataclass(frozen=True, slots=True)
class Problem:
    """A value that its class does not allow (any more)."""

    page: Reference
    number: int
    property: str
    #: As text; a password is not shown.
    value: str
    allowed: str


def problems(definition: ClassDefinition, page: Reference, obj: Object) -> Iterator[Problem]:
    """What is wrong with an object's values."""
    for prop in definition.properties:
        value = obj.values.get(prop.name)
        allowed = classes.type_of(prop).allowed(prop)
        if classes.is_empty(value):
            if prop.required:
                yield Problem(page, obj.number, prop.name, "", f"{allowed}; it is required")
            continue
        try:
            checked(value, prop)
        except InvalidValue:
            shown = "(not shown)" if "Password" in prop.type or classes.is_password(value) else (
                ", ".join(map(str, value)) if isinstance(value, list) else str(value))
            yield Problem(page, obj.number, prop.name, shown, allowed)


@dataclass(frozen=True, slots=True)
class Step:
    """A part of the pages with an object of a class: up to :data:`CHUNK`, in their order."""

    pages: Sequence[Reference]
    #: The last page of this step, where there are more behind it.
    last: str = ""


def count(wiki: Wiki, class_name: str, after: str = "") -> int:
    """How many pages have an object of the class, those up to ``after`` aside."""
    return wiki.count(Query(class_name, where=_behind(after)))


def step(wiki: Wiki, class_name: str, after: str = "", size: int = CHUNK) -> Step:
    """The next pages with an object of the class."""
    rows = list(wiki.rows(Query(class_name, where=_behind(after), order_by=("doc.reference",),
                                limit=size + 1)))
    pages = [row.reference for row in rows[:size]]
    return Step(pages, str(pages[-1]) if len(rows) > size else "")


def _behind(after: str) -> tuple[Condition, ...]:
    return (Condition("doc.reference", "gt", after),) if after else ()


def records(wiki: Wiki, found: Step) -> Iterator[Document]:
    """The pages of a step; those that cannot be read are for ``wikimill check`` to tell."""
    for reference in found.pages:
        try:
            yield wiki.get(reference).record
        except (DocumentNotFound, DamagedPage):
            continue


def unfit(wiki: Wiki, class_name: str, definition: ClassDefinition,
          found: Step) -> list[Problem]:
    """What is wrong with the objects of a step."""
    return [problem for document in records(wiki, found)
            for obj in document.objects_of(class_name)
            for problem in problems(definition, document.reference, obj)]


def unconverted(wiki: Wiki, class_name: str, change: ClassChange, found: Step) -> int:
    """How many objects of a step would have a value that the changed class does not allow."""
    return sum(any(problems(change.definition, document.reference,
                            replace(obj, values=change.carry(obj.values))))
               for document in records(wiki, found) for obj in document.objects_of(class_name))


def carry(wiki: Wiki, class_name: str, change: ClassChange,
          found: Step) -> tuple[int, list[tuple[Reference, str]]]:
    """Bring the pages of a step to the changed class; returns how many changed, and which did
    not and why. A page that is so already is not saved, so that a step may be done twice."""
    changed: list[Reference] = []

    def carry_page(reference: Reference) -> None:
        if _carry_page(wiki, reference, class_name, change):
            changed.append(reference)

    refused = wiki.change_each(found.pages, carry_page, CHUNK)
    return len(changed), refused


def _carry_page(wiki: Wiki, reference: Reference, class_name: str, change: ClassChange) -> bool:
    for attempt in range(ATTEMPTS):
        page = wiki.get(reference).record
        made = page
        for obj in page.objects_of(class_name):
            values = change.carry(obj.values)
            if values != obj.values:
                made = made.with_object(replace(obj, values=values))
        if made == page:
            return False
        try:
            wiki.leaving_disarmed(page).save(
                made, page.version, comment=f"{class_name} was changed", minor=True, lenient=True)
        except Conflict:
            if attempt == ATTEMPTS - 1:
                raise
            continue
        return True
    return False
