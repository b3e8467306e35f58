"""Classes: what each type of property takes, and what it says of what it does not take."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from wiki import classes
from wiki.errors import InvalidDocument, InvalidValue
from wiki.model import ClassDefinition, Property
from wiki.references import Reference

COLOURS = {"values": ["red", "green", "light, blue"]}
EAST = timezone(timedelta(hours=2))


def prop(kind: str, /, **options: Any) -> Property:
    return Property("it", kind, options=options)


def check(kind: str, value: Any, /, **options: Any) -> Any:
    return classes.TYPES[kind].check(value, prop(kind, **options))


@pytest.mark.parametrize(("kind", "options", "value", "stored"), [
    ("String", {}, " any text\n", " any text\n"),
    ("TextArea", {"kind": "code"}, "a\nb", "a\nb"),
    ("Number", {}, 5, 5), ("Number", {}, 2.5, 2.5), ("Number", {"integer": True}, 3.0, 3),
    ("Number", {"min": 1, "max": 3}, 3, 3),
    ("Boolean", {}, True, True), ("Boolean", {}, False, False),
    ("Date", {}, date(2026, 11, 24), "2026-11-24"),
    ("Date", {}, "2026-11-24", "2026-11-24"),
    ("Date", {}, datetime(2026, 11, 24, 5, 10, tzinfo=UTC), "2026-11-24T05:10:00Z"),
    ("Date", {}, datetime(2026, 11, 24, 5, 10), "2026-11-24T05:10:00Z"),
    ("Date", {}, datetime(2026, 11, 24, 1, 0, tzinfo=EAST), "2026-11-23T23:00:00Z"),
    ("Date", {}, "2026-11-24 05:10:22.5+02:00", "2026-11-24T03:10:22.500000Z"),
    ("StaticList", COLOURS, "red", "red"),
    ("StaticList", {**COLOURS, "multiple": True}, ["red", "green", "red"], ["red", "green"]),
    ("StaticList", {**COLOURS, "multiple": True}, "red", ["red"]),
    ("StaticList", {**COLOURS, "multiple": True}, [], []),
    ("Page", {}, "Books.Dune", "Books.Dune"),
    ("Page", {"class": "Books.BookClass"}, Reference(("Books",), "Dr. No"), "Books.Dr\\. No"),
    ("User", {}, "Users.Admin", "Users.Admin"), ("User", {}, "Admin", "Users.Admin"),
    ("Email", {}, "a.b+c@example.org", "a.b+c@example.org"),
    ("URL", {}, "https://example.org:80/a?b#c", "https://example.org:80/a?b#c"),
    ("URL", {}, "mailto:a@example.org", "mailto:a@example.org"),
])
def test_what_a_type_takes_is_stored_as_json(
        kind: str, options: dict[str, Any], value: Any, stored: Any) -> None:
    result = check(kind, value, **options)
    assert result == stored
    assert type(result) is type(stored)
    assert check(kind, result, **options) == stored


@pytest.mark.parametrize(("kind", "options", "value", "allowed"), [
    ("String", {}, 5, "text"), ("String", {}, "\ud800", "text"),
    ("TextArea", {}, "x" * 1_000_001, "1,000,000 characters"), ("TextArea", {}, [], "text"),
    ("Number", {}, "5", "a number"), ("Number", {}, True, "a number"),
    ("Number", {}, math.nan, "a number"), ("Number", {}, math.inf, "a number"),
    ("Number", {"integer": True}, 2.5, "a whole number"),
    ("Number", {"integer": True, "min": 1, "max": 9}, 10, "a whole number from 1 to 9"),
    ("Number", {"min": 1}, 0, "at least 1"), ("Number", {"max": 1}, 2, "at most 1"),
    ("Number", {}, 2**63, "64 bits"),
    ("Boolean", {}, 1, "true or false"), ("Boolean", {}, "true", "true or false"),
    ("Date", {}, "24.11.2026", "2026-11-24"), ("Date", {}, "2026-02-30", "2026-11-24"),
    ("Date", {}, 5, "2026-11-24"), ("Date", {}, "0001-01-01T00:00:00+05:00", "2026-11-24"),
    ("StaticList", COLOURS, "blue", "one of red, green"),
    ("StaticList", COLOURS, ["red"], "one of red, green"),
    ("StaticList", {**COLOURS, "multiple": True}, ["red", "blue"], "any of red, green"),
    ("StaticList", {**COLOURS, "multiple": True}, 5, "any of red, green"),
    ("Page", {}, "Dune", "Space.Name"), ("Page", {}, 5, "Space.Name"),
    ("User", {}, "Users..", "Users.Admin"),
    ("Password", {}, "", "1 to 1000"), ("Password", {}, "x" * 1001, "1 to 1000"),
    ("Password", {}, {"hash": "x"}, "1 to 1000"),
    ("Email", {}, "a@", "e-mail"), ("Email", {}, "a b@example.org", "e-mail"),
    ("Email", {}, "a@b@example.org", "e-mail"), ("Email", {}, "a@example.org\n", "e-mail"),
    ("URL", {}, "javascript:alert(1)", "http://"), ("URL", {}, "example.org", "http://"),
    ("URL", {}, "http://", "http://"), ("URL", {}, "http://[x", "http://"),
    ("URL", {}, " https://example.org", "http://"), ("URL", {}, "data:text/html,x", "http://"),
    ("URL", {}, "java\tscript:alert(1)", "http://"), ("URL", {}, "https://a:x", "http://"),
])
def test_what_a_type_does_not_take_is_refused_with_what_is_allowed(
        kind: str, options: dict[str, Any], value: Any, allowed: str) -> None:
    with pytest.raises(InvalidValue, match="is not allowed; it takes") as caught:
        check(kind, value, **options)
    assert allowed in caught.value.allowed
    assert caught.value.property == "it"


@pytest.mark.parametrize(("kind", "options", "text", "value"), [
    ("String", {}, " a ", " a "), ("TextArea", {}, "a\r\nb", "a\nb"),
    ("Number", {}, " 5 ", 5), ("Number", {}, "-2.50", -2.5), ("Number", {}, "1e3", 1000.0),
    ("Number", {}, "", None), ("Boolean", {}, "Yes", True), ("Boolean", {}, ["0", "1"], True),
    ("Boolean", {}, "", None), ("Date", {}, "2026-11-24", "2026-11-24"), ("Date", {}, "", None),
    ("StaticList", COLOURS, "light, blue", "light, blue"), ("StaticList", COLOURS, [], None),
    ("StaticList", {**COLOURS, "multiple": True}, ["", "red"], ["red"]),
    ("StaticList", {**COLOURS, "multiple": True}, "red, green", ["red", "green"]),
    ("StaticList", {**COLOURS, "multiple": True}, "red|light, blue", ["red", "light, blue"]),
    ("Page", {}, " Books.Dune ", "Books.Dune"), ("Password", {}, "", None),
])
def test_text_of_a_form_becomes_a_value(
        kind: str, options: dict[str, Any], text: str | list[str], value: Any) -> None:
    assert classes.TYPES[kind].parse(text, prop(kind, **options)) == value


@pytest.mark.parametrize(("kind", "text"), [
    ("Number", "1_000"), ("Number", "nan"), ("Number", "1,5"), ("Number", "٥"),
    ("Number", "9" * 5000), ("Boolean", "maybe"), ("Date", "today"),
])
def test_text_that_is_no_value_is_refused(kind: str, text: str) -> None:
    with pytest.raises(InvalidValue):
        classes.TYPES[kind].parse(text, prop(kind))


@given(st.one_of(
    st.tuples(st.just("Number"), st.one_of(st.integers(-2**63 + 1, 2**63 - 1),
                                           st.floats(allow_nan=False, allow_infinity=False))),
    st.tuples(st.just("Boolean"), st.booleans()), st.tuples(st.just("Date"), st.dates()),
    st.tuples(st.just("Date"), st.datetimes()), st.tuples(st.just("String"), st.text())))
def test_a_value_is_read_from_its_own_text(case: tuple[str, Any]) -> None:
    kind, value = classes.TYPES[case[0]], case[1]
    stored = kind.check(value, prop(case[0]))
    assert kind.parse(kind.format(stored, prop(case[0])), prop(case[0])) == stored


def test_several_values_are_read_from_their_own_text() -> None:
    several = prop("StaticList", multiple=True, **COLOURS)
    kind = classes.TYPES["StaticList"]
    for value in (["red", "green"], ["red", "light, blue"], []):
        assert kind.parse(kind.format(value, several), several) == value


def test_a_password_is_kept_as_a_hash_and_never_shown() -> None:
    stored = check("Password", "secret")
    assert PasswordHasher().verify(stored["hash"], "secret")
    assert check("Password", stored) == stored
    assert classes.TYPES["Password"].format(stored, prop("Password")) == ""
    assert classes.visible({"a": 1, "it": stored}) == {"a": 1}


def test_a_refused_password_is_not_in_the_error() -> None:
    with pytest.raises(InvalidValue) as caught:
        check("Password", "hunter2" * 1000)
    assert "hunter2" not in str(caught.value) + repr(caught.value.value)


BOOK = ClassDefinition((
    Property("title", required=True), Property("year", "Number", default=1965),
    Property("tags", "StaticList", options={**COLOURS, "multiple": True}, default=["red"])))


def test_validation_keeps_the_values_of_lost_properties() -> None:
    values = {"title": "Dune", "year": None, "isbn": "0123", "old": {"hash": "x"}}
    assert classes.validate(BOOK, values) == values


@pytest.mark.parametrize("value", [{"a": 1}, [1], object(), math.nan, b"x", "\ud800"])
def test_a_lost_value_must_be_one_that_some_property_could_hold(value: object) -> None:
    with pytest.raises(InvalidValue, match="isbn"):
        classes.validate(BOOK, {"title": "x", "isbn": value})


@pytest.mark.parametrize("values", [{}, {"title": ""}, {"title": None}])
def test_a_required_property_needs_a_value(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue, match=r"title: .* required"):
        classes.validate(BOOK, values)


def test_a_partial_change_need_not_name_what_is_required() -> None:
    assert classes.validate(BOOK, {"year": 1}, partial=True) == {"year": 1}
    with pytest.raises(InvalidValue, match="required"):
        classes.validate(BOOK, {"title": ""}, partial=True)


def test_empty_text_is_no_value_for_a_number() -> None:
    assert classes.validate(BOOK, {"title": "x", "year": ""}) == {"title": "x", "year": None}


def test_a_new_object_gets_the_defaults() -> None:
    assert classes.defaults(BOOK) == {"year": 1965, "tags": ["red"]}


@pytest.mark.parametrize(("properties", "said"), [
    ([Property("")], "cannot be a property's name"), ([Property("1a")], "cannot be"),
    ([Property("a b")], "cannot be"), ([Property("a__gt")], "cannot be"),
    ([Property("a"), Property("a")], "two properties named 'a'"),
    ([Property("a", "Strin")], "there are String, TextArea"),
    ([Property("a", options={"min": 1})], "no option 'min'"),
    ([Property("a", "Number", options={"min": "1"})], "min is a number"),
    ([Property("a", "Number", options={"min": 2, "max": 1})], "greater than max"),
    ([Property("a", "Number", options={"integer": 1})], "true or false"),
    ([Property("a", "Number", default="x")], "the default of a"),
    ([Property("a", "StaticList")], "needs a list of values"),
    ([Property("a", "StaticList", options={"values": ["a", "a"]})], "twice"),
    ([Property("a", "StaticList", options={"values": [True]})], "in quotes"),
    ([Property("a", "StaticList", options={"values": ["a"], "multiple": 1})], "true or false"),
    ([Property("a", "StaticList", options={"values": ["a"]}, default="b")], "one of a"),
    ([Property("a", "TextArea", options={"kind": "html"})], "text, markdown, code"),
    ([Property("a", "Page", options={"class": "x"})], "names no space"),
    ([Property("a", "Password", default="x")], "no default"),
    ([Property(f"p{number}") for number in range(1001)], "at most 1000"),
])
def test_a_class_that_makes_no_sense_is_refused(properties: list[Property], said: str) -> None:
    with pytest.raises(InvalidDocument, match=said):
        classes.check_definition(ClassDefinition(tuple(properties)))


def test_a_property_is_the_same_after_json() -> None:
    for item in BOOK.properties:
        assert classes.property_from_dict(classes.property_to_dict(item)) == item
    assert classes.property_to_dict(Property("a", pretty_name="A", default=False)) == {
        "name": "a", "type": "String", "prettyName": "A", "default": False}


@pytest.mark.parametrize("data", [
    5, {}, {"name": 5}, {"name": "a", "help": 5}, {"name": "a", "required": "yes"},
    {"name": "a", "type": 5}, {"name": "a", "colour": "red"}])
def test_a_property_of_the_wrong_form_is_refused(data: Any) -> None:
    with pytest.raises(InvalidDocument):
        classes.property_from_dict(data)
