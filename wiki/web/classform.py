"""The form of the class editor: its rows, and the properties that they make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from wiki.classes import TYPES, check_definition, type_of
from wiki.errors import InvalidDocument, InvalidValue
from wiki.model import ClassDefinition, Property

TEXTS = ("name", "type", "prettyName", "help", "default", "was")
#: Options that are ticked, and those that are typed.
TICKED, TYPED = ("multiple", "integer", "time"), ("values", "min", "max", "kind", "class")


@dataclass(slots=True)
class Row:
    """A property in the form. ``was`` is the name that it has on the page, empty for a new one;
    ``options`` are texts, those that are ticked ``1``."""

    key: str
    name: str = ""
    type: str = "String"
    prettyName: str = ""  # as classes have it in YAML and JSON
    help: str = ""
    default: str = ""
    was: str = ""
    required: bool = False
    options: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, key: str, prop: Property) -> Row:
        """The row of a property that the page has."""
        options = {name: "1" if value is True else "" if value is False
                   else "\n".join(value) if isinstance(value, list | tuple) else str(value)
                   for name, value in prop.options.items()}
        return cls(key, prop.name, prop.type, prop.pretty_name, prop.help,
                   type_of(prop).format(prop.default, prop), prop.name, prop.required, options)

    @classmethod
    def sent(cls, key: str, form: Mapping[str, str]) -> Row:
        """The row as the form has it."""
        texts = {name: form.get(f"{name}-{key}", "").strip() for name in TEXTS}
        options = {name: form.get(f"{name}-{key}", "").strip() for name in (*TICKED, *TYPED)}
        return cls(key, **texts, required=f"required-{key}" in form, options=options)

    def property(self) -> Property:
        """The property; raises InvalidDocument, InvalidValue for its default."""
        bare = Property(self.name, self.type, self.prettyName, self.help)
        wanted = type_of(bare).options
        options = {name: made for name in wanted
                   if (made := self._option(name)) not in ("", [], False)}
        prop = Property(self.name, self.type, self.prettyName, self.help,
                        required=self.required, options=options)
        check_definition(ClassDefinition((prop,)))  # first, so that the default can be read
        default = type_of(prop).parse(self.default, prop) if self.default else None
        return Property(self.name, self.type, self.prettyName, self.help, default,
                        self.required, options)

    def _option(self, name: str) -> Any:
        text = self.options.get(name, "")
        if name in TICKED:
            return bool(text)
        if name == "values":
            return [line.strip() for line in text.splitlines() if line.strip()]
        if name in ("min", "max") and text:
            return TYPES["Number"].parse(text, Property(f"{self.name}: {name}", "Number"))
        return "" if name == "kind" and text == "text" else text


def rows_of(definition: ClassDefinition | None) -> list[Row]:
    """The rows of a class as it is."""
    properties = definition.properties if definition else ()
    return [Row.of(str(number), prop) for number, prop in enumerate(properties, 1)]


def rows_sent(form: MultiDict[str, str]) -> list[Row]:
    """The rows of a form, in its order, but those that were removed."""
    return [Row.sent(key, form) for key in dict.fromkeys(form.getlist("row"))
            if f"remove-{key}" not in form]


def moved(rows: list[Row], key: str, by: int) -> list[Row]:
    """The rows with one of them further up (-1) or down (1)."""
    keys = [row.key for row in rows]
    if key not in keys:
        return rows
    place = keys.index(key)
    rest = rows[:place] + rows[place + 1:]
    target = max(0, place + by)
    return [*rest[:target], rows[place], *rest[target:]]


def new_row(rows: Iterable[Row]) -> Row:
    """An empty row with a key that no other has."""
    used = [int(row.key) for row in rows if row.key.isascii() and row.key.isdigit()]
    return Row(str(max(used, default=0) + 1))


def definition_of(rows: Iterable[Row]) -> ClassDefinition | None:
    """The class that the named rows make; none where there are none. Raises InvalidDocument."""
    properties = []
    for row in rows:
        if not row.name:
            continue
        try:
            properties.append(row.property())
        except InvalidValue as error:
            raise InvalidDocument(f"{row.name}: {error}") from None
    return check_definition(ClassDefinition(tuple(properties))) if properties else None


def renamed(rows: Iterable[Row], old: ClassDefinition | None) -> dict[str, str]:
    """The new names of properties by their old ones."""
    return {row.was: row.name for row in rows
            if row.name and row.was and row.was != row.name and old and old.get(row.was)}
