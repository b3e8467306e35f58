"""Property types: what a value may be, and how text from a form or a CSV file becomes one.

A stored value is JSON: a scalar, a list of strings, or a password's ``{"hash": "..."}``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any, ClassVar
from urllib.parse import urlsplit

from argon2 import PasswordHasher

from wiki.errors import InvalidDocument, InvalidReference, InvalidValue
from wiki.model import ClassDefinition, Property
from wiki.references import Reference
from wiki.translate import gettext, marked

#: The longest text of a property, in characters.
MAX_TEXT = 1_000_000
#: The largest whole number, so that every index and reader can hold it (64 bits, signed).
MAX_INTEGER = 2**63 - 1
#: The most properties that a class may have.
MAX_PROPERTIES = 1000
#: Bounded costs, so that a forged hash cannot make a log-in eat the machine.
ARGON2_HASH = re.compile(r"\$argon2id\$v=19\$m=[0-9]{1,6},t=[0-9],p=[0-9]\$"
                         r"[A-Za-z0-9+/]{8,100}\$[A-Za-z0-9+/]{16,200}")
_ATOM = r"[^\s@.<>\"(),:;\\\[\]]+"
EMAIL = re.compile(rf"{_ATOM}(\.{_ATOM})*@{_ATOM}(\.{_ATOM})*")
BOOLEANS = {"true": True, "yes": True, "on": True, "1": True,
            "false": False, "no": False, "off": False, "0": False}
DICT_KEYS = ("name", "type", "prettyName", "help", "default", "required")


class PropertyType:
    """A type of property. ``options`` are the names of the options that it takes."""

    name: ClassVar[str]
    options: ClassVar[frozenset[str]] = frozenset()

    def allowed(self, prop: Property) -> str:
        """What a value may be, as words that end the sentence "it takes ...", in the language
        shown now."""
        raise NotImplementedError

    def check(self, value: Any, prop: Property) -> Any:
        """Return the value as it is stored; raises :class:`InvalidValue`."""
        raise NotImplementedError

    def parse(self, text: str | list[str], prop: Property) -> Any:
        """Turn what a form or a CSV cell says into a value, None where it is empty.

        Raises :class:`InvalidValue`.
        """
        single = _last(text).strip()
        return self.check(single, prop) if single else None

    def format(self, value: Any, prop: Property) -> str:
        """The value as text that :meth:`parse` reads."""
        return "" if value is None else str(value)

    def check_options(self, prop: Property) -> None:
        """Raises :class:`InvalidDocument` when the options make no sense."""

    def refuse(self, value: object, prop: Property) -> InvalidValue:
        """The error for a value that the property does not take."""
        return InvalidValue(prop.name, value, self.allowed(prop))


class String(PropertyType):
    """A short text."""

    name = "String"

    def allowed(self, prop: Property) -> str:
        return gettext("text of at most %(most)s characters", most=f"{MAX_TEXT:,}")

    def check(self, value: Any, prop: Property) -> str:
        if not isinstance(value, str) or len(value) > MAX_TEXT or not _encodable(value):
            raise self.refuse(value, prop)
        return value

    def parse(self, text: str | list[str], prop: Property) -> str:
        return self.check(_last(text), prop)


class TextArea(String):
    """A text of many lines: plain, Markdown or code."""

    name = "TextArea"
    options = frozenset({"kind"})
    KINDS = ("text", "markdown", "code")

    def parse(self, text: str | list[str], prop: Property) -> str:
        # A browser sends CRLF for every line end of a form.
        return self.check(_last(text).replace("\r\n", "\n"), prop)

    def check_options(self, prop: Property) -> None:
        kind = prop.options.get("kind", "text")
        if kind not in self.KINDS:
            raise InvalidDocument(gettext(
                "%(name)s: %(kind)s is no kind of TextArea; there are %(kinds)s",
                name=prop.name, kind=repr(kind), kinds=", ".join(self.KINDS)))


class Number(PropertyType):
    """An integer or a float, possibly within limits."""

    name = "Number"
    options = frozenset({"integer", "min", "max"})
    _TEXT = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
    #: What is allowed, by whether there is a least and a greatest.
    _WHOLE: ClassVar[Mapping[tuple[bool, bool], str]] = {
        (False, False): marked("a whole number"),
        (True, False): marked("a whole number of at least %(low)s"),
        (False, True): marked("a whole number of at most %(high)s"),
        (True, True): marked("a whole number from %(low)s to %(high)s")}
    _ANY: ClassVar[Mapping[tuple[bool, bool], str]] = {
        (False, False): marked("a number"),
        (True, False): marked("a number of at least %(low)s"),
        (False, True): marked("a number of at most %(high)s"),
        (True, True): marked("a number from %(low)s to %(high)s")}

    def allowed(self, prop: Property) -> str:
        low, high = prop.options.get("min"), prop.options.get("max")
        messages = self._WHOLE if prop.options.get("integer") else self._ANY
        return gettext(messages[low is not None, high is not None], low=low, high=high)

    def check(self, value: int | float, prop: Property) -> int | float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.refuse(value, prop)
        if isinstance(value, float) and not math.isfinite(value):
            raise self.refuse(value, prop)
        if prop.options.get("integer"):
            if value != int(value):
                raise self.refuse(value, prop)
            value = int(value)
        low, high = prop.options.get("min"), prop.options.get("max")
        if (low is not None and value < low) or (high is not None and value > high):
            raise self.refuse(value, prop)
        if isinstance(value, int) and abs(value) > MAX_INTEGER:
            raise InvalidValue(prop.name, value, gettext("%(allowed)s, in 64 bits",
                                                         allowed=self.allowed(prop)))
        return value

    def parse(self, text: str | list[str], prop: Property) -> int | float | None:
        single = _last(text).strip()
        if not single:
            return None
        if len(single) > 400 or not self._TEXT.fullmatch(single):
            raise self.refuse(single, prop)
        whole = re.fullmatch(r"[+-]?[0-9]+", single)
        return self.check(int(single) if whole else float(single), prop)

    def check_options(self, prop: Property) -> None:
        if not isinstance(prop.options.get("integer", False), bool):
            raise InvalidDocument(_no_boolean(prop, "integer"))
        bare = replace(prop, options={})
        for option in ("min", "max"):
            limit = prop.options.get(option)
            if limit is not None:
                try:
                    self.check(limit, bare)
                except InvalidValue:
                    raise InvalidDocument(gettext(
                        "%(name)s: %(option)s is a number, not %(value)s", name=prop.name,
                        option=option, value=repr(limit))) from None
        low, high = prop.options.get("min"), prop.options.get("max")
        if low is not None and high is not None and low > high:
            raise InvalidDocument(gettext("%(name)s: min %(low)s is greater than max %(high)s",
                                          name=prop.name, low=low, high=high))


class Boolean(PropertyType):
    """True or false."""

    name = "Boolean"

    def allowed(self, prop: Property) -> str:
        return gettext("true or false")

    def check(self, value: Any, prop: Property) -> bool:
        if not isinstance(value, bool):
            raise self.refuse(value, prop)
        return value

    def parse(self, text: str | list[str], prop: Property) -> bool | None:
        single = _last(text).strip().lower()
        if not single:
            return None
        if single not in BOOLEANS:
            raise self.refuse(_last(text), prop)
        return BOOLEANS[single]

    def format(self, value: Any, prop: Property) -> str:
        return "" if value is None else str(value).lower()


class Date(PropertyType):
    """A day, or a moment in UTC; stored as ISO 8601 text. ``time`` has forms ask for a moment."""

    name = "Date"
    options = frozenset({"time"})

    def allowed(self, prop: Property) -> str:
        return gettext("a date such as 2026-11-24, or 2026-11-24T05:10:00Z with a time")

    def check(self, value: Any, prop: Property) -> str:
        try:
            if isinstance(value, str):
                value = _read_date(value)
            if isinstance(value, datetime):
                return _moment(value)
        except (ValueError, OverflowError):
            raise self.refuse(value, prop) from None
        if isinstance(value, date):
            return value.isoformat()
        raise self.refuse(value, prop)

    def check_options(self, prop: Property) -> None:
        if not isinstance(prop.options.get("time", False), bool):
            raise InvalidDocument(_no_boolean(prop, "time"))


class StaticList(PropertyType):
    """One, or with ``multiple`` several, of the given ``values``."""

    name = "StaticList"
    options = frozenset({"values", "multiple"})

    def allowed(self, prop: Property) -> str:
        values = ", ".join(self.values(prop))
        if prop.options.get("multiple"):
            return gettext("any of %(values)s", values=values)
        return gettext("one of %(values)s", values=values)

    def values(self, prop: Property) -> list[str]:
        """The values to choose from."""
        return list(prop.options.get("values", ()))

    def check(self, value: Any, prop: Property) -> str | list[str]:
        if not prop.options.get("multiple"):
            if not isinstance(value, str) or value not in self.values(prop):
                raise self.refuse(value, prop)
            return value
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list | tuple):
            raise self.refuse(value, prop)
        for item in items:
            if not isinstance(item, str) or item not in self.values(prop):
                raise self.refuse(item, prop)
        return list(dict.fromkeys(items))

    def parse(self, text: str | list[str], prop: Property) -> str | list[str] | None:
        if not prop.options.get("multiple"):
            single = _last(text)
            return self.check(single, prop) if single else None
        items = self._split(text, prop) if isinstance(text, str) else text
        return self.check([item for item in items if item], prop)

    def _split(self, text: str, prop: Property) -> list[str]:
        if text in self.values(prop):
            return [text]
        return [item.strip() for item in text.split("|" if "|" in text else ",")]

    def format(self, value: Any, prop: Property) -> str:
        if not isinstance(value, list):
            return super().format(value, prop)
        return ("|" if any("," in item for item in value) else ", ").join(value)

    def check_options(self, prop: Property) -> None:
        values = prop.options.get("values")
        if not isinstance(values, list | tuple) or not values:
            raise InvalidDocument(gettext("%(name)s: a StaticList needs a list of values",
                                          name=prop.name))
        for value in values:
            if not isinstance(value, str) or not value.strip() or "|" in value:
                raise InvalidDocument(gettext(
                    "%(name)s: %(value)s cannot be a value; one is text, in quotes if need be, "
                    "without '|'", name=prop.name, value=repr(value)))
        if len(set(values)) != len(values):
            raise InvalidDocument(gettext("%(name)s: a value stands twice in the list",
                                          name=prop.name))
        if not isinstance(prop.options.get("multiple", False), bool):
            raise InvalidDocument(_no_boolean(prop, "multiple"))


class Page(PropertyType):
    """The name of a page, whether it exists or not; with ``multiple`` those of several."""

    name = "Page"
    options = frozenset({"class", "multiple"})
    #: By whether the pages have a class, and whether there may be several.
    _ALLOWED: ClassVar[Mapping[tuple[bool, bool], str]] = {
        (False, False): marked("a page's name such as Space.Name"),
        (True, False): marked("a page's name such as Space.Name, of a page with a %(wanted)s"),
        (False, True): marked("names, each a page's name such as Space.Name"),
        (True, True): marked("names, each a page's name such as Space.Name, of a page with a "
                             "%(wanted)s")}

    def allowed(self, prop: Property) -> str:
        wanted = prop.options.get("class")
        return gettext(self._ALLOWED[bool(wanted), bool(prop.options.get("multiple"))],
                       wanted=wanted)

    def check(self, value: Any, prop: Property) -> str | list[str]:
        if not prop.options.get("multiple"):
            return self._check_one(value, prop)
        items = [value] if isinstance(value, str | Reference) else value
        if not isinstance(items, list | tuple):
            raise self.refuse(value, prop)
        return list(dict.fromkeys(self._check_one(item, prop) for item in items))

    def _check_one(self, value: Any, prop: Property) -> str:
        if not isinstance(value, str | Reference):
            raise self.refuse(value, prop)
        try:
            return str(self.reference(str(value)))
        except InvalidReference:
            raise self.refuse(value, prop) from None

    def parse(self, text: str | list[str], prop: Property) -> Any:
        if not prop.options.get("multiple"):
            return super().parse(text, prop)
        lines = [text] if isinstance(text, str) else text
        return self.check([name for line in lines for name in _split_names(line)], prop)

    def format(self, value: Any, prop: Property) -> str:
        return "\n".join(value) if isinstance(value, list) else super().format(value, prop)

    def reference(self, text: str) -> Reference:
        """Read the name."""
        return Reference.parse(text)

    def check_options(self, prop: Property) -> None:
        if not isinstance(prop.options.get("multiple", False), bool):
            raise InvalidDocument(_no_boolean(prop, "multiple"))
        wanted = prop.options.get("class")
        if wanted is None:
            return
        try:
            Reference.parse(str(wanted))
        except InvalidReference as error:
            raise InvalidDocument(f"{prop.name}: class: {error}") from None


def _split_names(text: str) -> list[str]:
    """The names in a line or several; ``|`` separates them too, and so does a comma, except
    where it can only be part of a name, as in ``Books.Dune, part 2``."""
    names: list[str] = []
    for part in re.split(r"[\n|]", text):
        pieces = part.split(",")
        names += pieces if all("." in piece for piece in pieces) else [part]
    return [name.strip() for name in names if name.strip()]


class User(Page):
    """A user's page, or with ``multiple`` several; a bare name is one in the space Users."""

    name = "User"
    options = frozenset({"multiple"})
    _BASE = Reference(("Users",), "WebHome")

    def allowed(self, prop: Property) -> str:
        if prop.options.get("multiple"):
            return gettext("names, each a user's name such as Users.Admin")
        return gettext("a user's name such as Users.Admin")

    def reference(self, text: str) -> Reference:
        return Reference.parse(text, self._BASE)


class Password(PropertyType):
    """A password, of which only the argon2 hash is kept, as ``{"hash": "..."}``."""

    name = "Password"

    def allowed(self, prop: Property) -> str:
        return gettext("a password of 1 to 1000 characters")

    def check(self, value: Any, prop: Property) -> dict[str, str]:
        if is_password(value) and ARGON2_HASH.fullmatch(value["hash"]):
            return {"hash": value["hash"]}
        if not isinstance(value, str) or not 1 <= len(value) <= 1000 or not _encodable(value):
            raise self.refuse("(not shown)", prop)  # an error is shown and logged
        return {"hash": PasswordHasher().hash(value)}

    def parse(self, text: str | list[str], prop: Property) -> dict[str, str] | None:
        single = _last(text)  # spaces belong to a password
        return self.check(single, prop) if single else None

    def format(self, value: Any, prop: Property) -> str:
        return ""

    def check_options(self, prop: Property) -> None:
        if prop.default is not None:
            raise InvalidDocument(gettext("%(name)s: a Password has no default",
                                          name=prop.name))


class Email(PropertyType):
    """An e-mail address."""

    name = "Email"

    def allowed(self, prop: Property) -> str:
        return gettext("an e-mail address such as name@example.org")

    def check(self, value: Any, prop: Property) -> str:
        if (not isinstance(value, str) or len(value) > 254 or not EMAIL.fullmatch(value)
                or not value.isprintable()):
            raise self.refuse(value, prop)
        return value


class URL(PropertyType):
    """A web or mail address; no scheme that runs code."""

    name = "URL"
    SCHEMES = ("http", "https", "mailto")

    def allowed(self, prop: Property) -> str:
        return gettext("an address that begins with http://, https:// or mailto:")

    def check(self, value: Any, prop: Property) -> str:
        if not isinstance(value, str) or not self._sound(value):
            raise self.refuse(value, prop)
        return value

    def _sound(self, text: str) -> bool:
        if len(text) > 10_000 or re.search(r"[\s<>\"\\]", text) or not text.isprintable():
            return False
        try:
            parts = urlsplit(text)
            parts.port  # noqa: B018 - reading it is what checks it
        except ValueError:
            return False
        if parts.scheme == "mailto":
            return bool(parts.path or parts.query)
        return parts.scheme in self.SCHEMES and bool(parts.hostname)


#: All property types by name.
TYPES: Mapping[str, PropertyType] = MappingProxyType({
    kind.name: kind for kind in (String(), TextArea(), Number(), Boolean(), Date(), StaticList(),
                                 Page(), User(), Password(), Email(), URL())})


def check_definition(definition: ClassDefinition) -> ClassDefinition:
    """Return the definition with its defaults as they are stored.

    Raises :class:`InvalidDocument` for an unknown type or option, a name that stands twice or
    cannot be one, or a default that the property itself would refuse.
    """
    if len(definition.properties) > MAX_PROPERTIES:
        raise InvalidDocument(gettext("a class has at most %(most)s properties",
                                      most=MAX_PROPERTIES))
    names = [prop.name for prop in definition.properties]
    for name in names:
        if names.count(name) > 1:
            raise InvalidDocument(gettext("the class has two properties named %(name)s",
                                          name=repr(name)))
    return ClassDefinition(tuple(_check_property(prop) for prop in definition.properties))


def _check_property(prop: Property) -> Property:
    name = prop.name
    if (not isinstance(name, str) or not name.isidentifier() or "__" in name
            or len(name.encode()) > 200):
        raise InvalidDocument(gettext(
            "%(name)s cannot be a property's name: it takes letters, digits and single "
            "underscores, and begins with no digit", name=repr(name)))
    kind = type_of(prop)
    for option in prop.options:
        if option not in kind.options:
            raise InvalidDocument(gettext(
                "%(name)s: a %(type)s has no option %(option)s; it takes %(options)s", name=name,
                type=kind.name, option=repr(option),
                options=", ".join(sorted(kind.options)) or gettext("none")))
    kind.check_options(prop)
    prop = replace(prop, options={key: list(value) if isinstance(value, tuple) else value
                                  for key, value in prop.options.items()})
    if is_empty(prop.default):
        return replace(prop, default=None)
    try:
        return replace(prop, default=kind.check(prop.default, prop))
    except InvalidValue as error:
        raise InvalidDocument(gettext("the default of %(error)s", error=error)) from None


def _no_boolean(prop: Property, option: str) -> str:
    return gettext("%(name)s: %(option)s is true or false", name=prop.name, option=option)


def type_of(prop: Property) -> PropertyType:
    """Raises :class:`InvalidDocument` for a type that there is not."""
    kind = TYPES.get(prop.type) if isinstance(prop.type, str) else None
    if kind is None:
        raise InvalidDocument(gettext(
            "%(name)s: there is no property type %(type)s; there are %(types)s", name=prop.name,
            type=repr(prop.type), types=", ".join(TYPES)))
    return kind


def validate(definition: ClassDefinition, values: Mapping[str, Any],
             partial: bool = False) -> dict[str, Any]:
    """Return the values as they are stored; those of no property of the class are kept.

    ``partial`` leaves out asking for the required properties that ``values`` does not name.
    Raises :class:`InvalidValue`, which names the property, the value and what is allowed.
    """
    stored = {name: _check_value(definition.get(name), name, value)
              for name, value in values.items()}
    for prop in definition.properties:
        named = prop.name in stored
        if prop.required and (named or not partial) and is_empty(stored.get(prop.name)):
            raise InvalidValue(prop.name, stored.get(prop.name), gettext(
                "%(allowed)s, and is required", allowed=type_of(prop).allowed(prop)))
    return stored


def _check_value(prop: Property | None, name: str, value: Any) -> Any:
    if prop is None:
        return _check_lost(name, value)
    kind = type_of(prop)
    if value is None or (value == "" and not isinstance(kind, String)):
        return None
    return kind.check(value, prop)


def _check_lost(name: str, value: Any) -> Any:
    """A value of no property: anything that a property could hold."""
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return list(value)
    sound = (value is None or is_password(value) or isinstance(value, bool)
             or (isinstance(value, str) and _encodable(value))
             or (isinstance(value, int) and abs(value) <= MAX_INTEGER)
             or (isinstance(value, float) and math.isfinite(value)))
    if not sound:
        raise InvalidValue(name, value, gettext("text, a number, true, false or a list of texts"))
    return value


def defaults(definition: ClassDefinition) -> dict[str, Any]:
    """The values of a new object: those properties that have a default."""
    return {prop.name: list(prop.default) if isinstance(prop.default, list) else prop.default
            for prop in definition.properties if not is_empty(prop.default)}


def visible(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values without the passwords, which no door shows."""
    return {name: value for name, value in values.items() if not is_password(value)}


def is_password(value: object) -> bool:
    """Whether the value is a stored password."""
    return isinstance(value, dict) and value.keys() == {"hash"} and isinstance(value["hash"], str)


def is_empty(value: object) -> bool:
    """Whether the value counts as none given."""
    return value is None or value == "" or value == []


def property_to_dict(prop: Property) -> dict[str, Any]:
    """The property as JSON and YAML have it; what is as usual is left out."""
    fields = {"name": prop.name, "type": prop.type, "prettyName": prop.pretty_name,
              "help": prop.help, "default": prop.default, "required": prop.required}
    kept = {key: value for key, value in fields.items()
            if key in ("name", "type") or (value not in (None, "") and value is not False)}
    if prop.default is False:
        kept["default"] = False
    return {**kept, **prop.options}


def property_from_dict(data: Mapping[str, Any]) -> Property:
    """The inverse of :func:`property_to_dict`; raises :class:`InvalidDocument`."""
    if not isinstance(data, Mapping) or not isinstance(data.get("name"), str):
        raise InvalidDocument("a property is a mapping with at least a name: "
                              "{name: title, type: String}")
    for key in ("type", "prettyName", "help"):
        if not isinstance(data.get(key, ""), str):
            raise InvalidDocument(f"{data['name']}: {key} is text, not {data[key]!r}")
    if not isinstance(data.get("required", False), bool):
        raise InvalidDocument(f"{data['name']}: required is true or false")
    return _check_property(Property(
        name=data["name"], type=data.get("type", "String"),
        pretty_name=data.get("prettyName", ""), help=data.get("help", ""),
        default=data.get("default"), required=data.get("required", False),
        options={key: value for key, value in data.items() if key not in DICT_KEYS}))


def definition_from_dicts(properties: Iterable[Mapping[str, Any]]) -> ClassDefinition:
    """A class from its properties as JSON and YAML have them; raises InvalidDocument."""
    return check_definition(ClassDefinition(tuple(map(property_from_dict, properties))))


def definition_to_dicts(definition: ClassDefinition) -> list[dict[str, Any]]:
    """The inverse of :func:`definition_from_dicts`."""
    return [property_to_dict(prop) for prop in definition.properties]


def _last(text: str | Sequence[str]) -> str:
    """A form sends a list where a field stands twice, as with a checkbox: the last counts."""
    if isinstance(text, str):
        return text
    return text[-1] if text else ""


def _encodable(text: str) -> bool:
    """Lone surrogates, which JSON lets through, have no UTF-8."""
    return not re.search(r"[\ud800-\udfff]", text)


def _read_date(text: str) -> date:
    text = text.strip()
    return date.fromisoformat(text) if len(text) <= 10 else datetime.fromisoformat(text)


def moment_of(value: object) -> datetime | None:
    """A Date property's value, or one that was sent, as a moment in UTC, which it is in where it
    names no zone; None where it is none."""
    try:
        return _in_utc(datetime.fromisoformat(str(value)))
    except (ValueError, OverflowError):
        return None


def _in_utc(value: datetime) -> datetime:
    """A time without a zone is taken as UTC."""
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)


def _moment(value: datetime) -> str:
    return _in_utc(value).isoformat().replace("+00:00", "Z")
