"""Which column of a table becomes which property: the form of an import, read and checked.

What the form says is kept in the parameters of the import's task, and read from there again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from werkzeug.datastructures import MultiDict

from wiki import classes
from wiki.errors import InvalidDocument, InvalidReference
from wiki.model import ClassDefinition, Property
from wiki.references import HOME, Reference
from wiki.tasks.tables import Column, Preview
from wiki.translate import gettext

#: What a column can become in a new class; a number is whole or any.
WHOLE = "Whole number"
KINDS = ("String", "TextArea", "Number", WHOLE, "Boolean", "Date", "StaticList", "Page", "User",
         "Email", "URL")
#: The parameters that are plain texts of the form.
TEXTS = ("targetSpace", "targetClass", "nameColumn", "titleColumn", "existing", "tags",
         "badRows")
PLACE = re.compile(r"\{([^{}]+)\}")
ARROW = re.compile(r"(.*\S)\s*->\s*(\S+)")


@dataclass(slots=True)
class ColumnField:
    """A column in the form: the property that it goes to, empty where it is left out."""

    column: Column
    key: str
    property: str = ""
    kind: str = "String"
    required: bool = False
    #: The values of a list, as they are typed: ``a | b``.
    values: str = ""
    error: str = ""

    def made(self) -> Property:
        """The property of a new class; raises InvalidDocument."""
        options: dict[str, Any] = {}
        if self.kind == WHOLE:
            options["integer"] = True
        if self.kind == "StaticList":
            options["values"] = [text.strip() for text in self.values.split("|") if text.strip()]
        return classes.property_from_dict({
            "name": self.property, "type": "Number" if self.kind == WHOLE else self.kind,
            "prettyName": self.column.header, "required": self.required, **options})


@dataclass(slots=True)
class MappingForm:
    """The form; ``definition`` is that of the class that there is, None where one is made."""

    definition: ClassDefinition | None
    columns: list[ColumnField]
    texts: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def headers(self) -> list[str]:
        return [item.column.header for item in self.columns]

    @property
    def chosen(self) -> list[ColumnField]:
        return [item for item in self.columns if item.property]

    @property
    def wrong(self) -> bool:
        return bool(self.errors) or any(item.error for item in self.columns)

    def parameters(self) -> dict[str, Any]:
        """The values for the task's parameters; the form has been checked."""
        made = [] if self.definition else [classes.property_to_dict(item.made())
                                           for item in self.chosen]
        return {**self.texts,
                "mapping": "\n".join(f"{item.column.header} -> {item.property}"
                                     for item in self.chosen),
                "newClass": yaml.safe_dump(made, allow_unicode=True, sort_keys=False)
                if made else ""}


def make_form(preview: Preview, saved: Mapping[str, Any],
              definition: ClassDefinition | None,
              is_page: Callable[[str], bool]) -> MappingForm:
    """The form with what the task's parameters say, else with what can be guessed."""
    texts = {name: str(saved.get(name) or "") for name in TEXTS}
    for name in ("nameColumn", "titleColumn"):
        if pattern_problem(texts[name], preview.headers):
            texts[name] = ""  # of a file that was read in another way
    texts["nameColumn"] = texts["nameColumn"] or (preview.headers or [""])[0]
    fields = [_guessed(number, column, is_page) for number, column in enumerate(preview.columns)]
    mapping = {header: name for header, name in
               read_mapping(str(saved.get("mapping") or "")).items() if header in preview.headers}
    if definition is not None:
        names = [prop.name for prop in definition.properties]
        guesses = match(preview.headers, definition)
        for item in fields:
            item.property = guesses.get(item.column.header, "")
            if mapping:
                wanted = mapping.get(item.column.header, "")
                item.property = wanted if wanted in names else item.property
    elif mapping:
        _restore(fields, mapping, _read_properties(str(saved.get("newClass") or "")))
    return MappingForm(definition, fields, texts)


def _guessed(number: int, column: Column, is_page: Callable[[str], bool]) -> ColumnField:
    kind = WHOLE if column.options.get("integer") else column.type
    if kind in ("String", "StaticList") and column.examples and all(
            map(is_page, column.examples)):
        kind = "Page"
    values = " | ".join(column.options.get("values", ()))
    return ColumnField(column, f"column{number}", column.name, kind, values=values)


def _restore(fields: list[ColumnField], mapping: Mapping[str, str],
             properties: Mapping[str, Property]) -> None:
    for item in fields:
        item.property = mapping.get(item.column.header, "")
        prop = properties.get(item.property)
        if prop is not None:
            item.kind = WHOLE if prop.options.get("integer") else prop.type
            item.required = prop.required
            item.values = " | ".join(prop.options.get("values", ())) or item.values


def _read_properties(text: str) -> dict[str, Property]:
    """Those that were saved; none where somebody has changed them to what is no class."""
    try:
        made = classes.definition_from_dicts(yaml.safe_load(text) or [])
    except (yaml.YAMLError, InvalidDocument, TypeError):
        return {}
    return {prop.name: prop for prop in made.properties}


def read_mapping(text: str) -> dict[str, str]:
    """Column -> property, of lines such as ``Column name -> property``."""
    found = (ARROW.fullmatch(line.strip()) for line in text.splitlines())
    return {line[1]: line[2] for line in found if line}


def match(headers: list[str], definition: ClassDefinition) -> dict[str, str]:
    """Header -> property with the same name or label, whatever its case and its signs."""
    known: dict[str, str] = {}
    for prop in definition.properties:
        if prop.type != "Password":
            known.setdefault(_plain(prop.label), prop.name)
            known[_plain(prop.name)] = prop.name
    found: dict[str, str] = {}
    for header in headers:
        name = known.get(_plain(header), "")
        if name and name not in found.values():
            found[header] = name
    return found


def _plain(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


# -- what was sent -----------------------------------------------------------------------------


def fill(form: MappingForm, sent: MultiDict[str, str]) -> None:
    """Take over what was typed."""
    form.texts.update({name: sent[name].strip() for name in TEXTS if name in sent})
    for item in form.columns:
        if item.key in sent:
            item.property = sent[item.key].strip()
            item.kind = sent.get(f"{item.key}.kind", item.kind)
            item.values = sent.get(f"{item.key}.values", item.values)
            item.required = f"{item.key}.required" in sent


def check(form: MappingForm) -> None:
    """Note at each field what is wrong with it."""
    _check_names(form)
    for name in ("nameColumn", "titleColumn"):
        if problem := pattern_problem(form.texts[name], form.headers):
            form.errors[name] = problem
    if not form.chosen:
        form.errors["columns"] = gettext("No column is imported; give at least one a property.")
    taken: dict[str, str] = {}
    for item in form.chosen:
        item.error = _column_problem(item, form.definition, taken)
        taken.setdefault(item.property, item.column.header)
    if form.definition and (missing := [prop.label for prop in form.definition.properties
                                        if prop.required and prop.name not in taken]):
        form.errors["columns"] = gettext(
            "The class requires %(names)s, which no column goes to.", names=", ".join(missing))


def _check_names(form: MappingForm) -> None:
    try:
        if not form.texts["targetSpace"]:
            raise InvalidReference(gettext("Name the space that the pages go to, such as "
                                           "Countries."))
        Reference.parse(f"{form.texts['targetSpace']}.{HOME}")
    except InvalidReference as error:
        form.errors["targetSpace"] = str(error)
    try:
        if form.texts["targetClass"]:
            Reference.parse(form.texts["targetClass"])
    except InvalidReference as error:
        form.errors["targetClass"] = str(error)


def pattern_problem(text: str, headers: list[str]) -> str:
    """What is wrong with a column or pattern; an empty one stands for the usual."""
    if not text or text in headers:
        return ""
    asked = PLACE.findall(text)
    unknown = [name for name in asked if name not in headers]
    if asked and not unknown:
        return ""
    return gettext("There is no column %(unknown)s; there are %(headers)s.",
                   unknown=repr((unknown or [text])[0]), headers=', '.join(headers))


def _column_problem(item: ColumnField, definition: ClassDefinition | None,
                    taken: Mapping[str, str]) -> str:
    if item.property in taken:
        return gettext("%(property)s is taken already, by the column %(taken)s.",
                       property=item.property, taken=taken[item.property])
    if definition is not None:
        known = definition.get(item.property)
        return "" if known else gettext("The class has no property %(property)s.",
                                        property=repr(item.property))
    if item.kind not in KINDS:
        return gettext("%(kind)s is no type; there are %(kinds)s.", kind=repr(item.kind),
                       kinds=', '.join(KINDS))
    try:
        item.made()
    except InvalidDocument as error:
        return str(error)
    return ""
