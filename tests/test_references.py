"""The names of pages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wiki.errors import InvalidReference
from wiki.references import MAX_DEPTH, Reference, check_name


def is_name(text: str) -> bool:
    try:
        check_name(text)
    except InvalidReference:
        return False
    return True


NAMES = st.one_of(st.text(min_size=1, max_size=80), st.text(r".\ab", min_size=1)).filter(is_name)
REFERENCES = st.builds(Reference, st.lists(NAMES, min_size=1, max_size=5).map(tuple), NAMES)


@given(REFERENCES)
def test_a_reference_is_read_from_what_it_is_written_as(reference: Reference) -> None:
    assert Reference.parse(str(reference)) == reference


@given(st.text(max_size=60))
def test_any_text_is_read_to_the_same_name_or_refused_with_a_reason(text: str) -> None:
    try:
        reference = Reference.parse(text)
    except InvalidReference as error:
        assert str(error)
    else:
        assert Reference.parse(str(reference)) == reference


@given(REFERENCES, NAMES)
def test_a_bare_name_is_taken_in_the_space_of_the_page_that_holds_it(
        base: Reference, name: str) -> None:
    bare = str(Reference(("S",), name)).removeprefix("S.")
    assert Reference.parse(bare, base) == Reference(base.spaces, name)


def test_spaces_nest_and_dots_are_escaped() -> None:
    reference = Reference.parse(r"A.B\.C.Dr\. No")
    assert reference == Reference(("A", "B.C"), "Dr. No")
    assert reference.space == r"A.B\.C"
    assert str(reference.home) == r"A.B\.C.WebHome"


def test_names_are_normalised_to_one_spelling() -> None:
    assert Reference.parse("S.u\u0308") == Reference.parse("S.\u00fc")


def test_a_look_alike_of_two_dots_stays_what_it_is() -> None:
    assert Reference.parse("S.\uff0e\uff0e").name == "\uff0e\uff0e"


def test_references_are_ordered_by_space_and_name() -> None:
    names = ["B.A", "A.B", "A.A.Z", "A.A"]
    assert [str(ref) for ref in sorted(map(Reference.parse, names))] == [
        "A.A", "A.B", "A.A.Z", "B.A"]


@pytest.mark.parametrize(("text", "reason"), [
    ("", "not empty"), ("Name", "no space"), (".", "not empty"), ("A.", "not empty"),
    (".B", "not empty"), ("A..B", "not empty"), ("A. B", "space around"), ("A.B/C", "'/'"),
    ("A.B\0", "control"), ("A.B\n", "space around"), ("A.B\x1fC", "control"),
    ("A.\u2028B", "space around"), ("A.x\u2028B", "control"), ("A.\ud800", "control"),
    ("A.B\\", "backslash"), ("A.B\\C", "backslash"), ("A." + "x" * 256, "255"),
    ("A." + "\u00fc" * 128, "255"), (".".join(["A"] * (MAX_DEPTH + 2)), "deep"),
])
def test_what_cannot_be_a_name_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidReference, match=reason):
        Reference.parse(text)
