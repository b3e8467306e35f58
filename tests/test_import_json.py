"""``Executors.ImportJSON`` on files as people have them: its script, run on a wiki of its own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from wiki.settings import shipped
from wiki.testing import Result, run_executor

PAGES = [shipped("pages") / name for name in (
    "Executors/ImportJSON.md", "Executors/ImportJSONParameters.md", "Lib/Rows.md",
    "Lib/Columns.md", "Lib/Names.md")]


def load(data: Any, filename: str = "data.json", after: Result | None = None,
         dry_run: bool = False, **params: Any) -> Result:
    content = data if isinstance(data, bytes) else json.dumps(data).encode()
    return run_executor("Executors.ImportJSON", pages=() if after else PAGES, after=after,
                        params={"targetSpace": "Things", **params}, dry_run=dry_run,
                        attachments={filename: content})


def values(result: Result, name: str) -> dict[str, Any]:
    obj = result.wiki.get(f"Things.{name}").object("Things.ThingsClass")
    assert obj is not None
    return dict(obj.values)


def types(result: Result) -> dict[str, tuple[str, bool]]:
    definition = result.wiki.class_definition("Things.ThingsClass")
    assert definition is not None
    return {prop.name: (prop.type, bool(prop.options.get("integer")))
            for prop in definition.properties}


def failure(result: Result) -> str:
    assert result.outcome == "ERROR" and "Traceback" not in result.text, result.text
    return result.error


def test_records_of_an_array_become_pages_with_typed_objects() -> None:
    result = load([{"name": "Dune", "year": 1965, "score": 8.5, "read": True, "code": "007",
                    "out": "1965-08-01"},
                   {"name": "Solaris", "year": 1961, "score": 8, "read": False, "code": "12",
                    "out": None, "extra": "x"}])
    assert result.outcome == "DONE", result.text
    assert types(result) == {
        "name": ("String", False), "year": ("Number", True), "score": ("Number", False),
        "read": ("Boolean", False), "code": ("String", False), "out": ("Date", False),
        "extra": ("String", False)}
    assert values(result, "Dune") == {"name": "Dune", "year": 1965, "score": 8.5, "read": True,
                                      "code": "007", "out": "1965-08-01", "extra": None}
    assert "2 created, 0 updated, 0 unchanged" in result.text


def test_keys_within_a_record_are_joined_with_dots() -> None:
    result = load([{"name": "A", "address": {"city": "Ulm", "geo": {"lat": 48.4}},
                    "tags": ["x", "y"], "parts": [{"n": 1}]}])
    assert values(result, "A") == {"name": "A", "address_city": "Ulm", "address_geo_lat": 48.4,
                                   "tags": "x, y", "parts": '[{"n": 1}]'}
    mapped = load([{"name": "A", "address": {"city": "Ulm"}}], mapping="address.city -> town")
    assert values(mapped, "A") == {"town": "Ulm"}


@pytest.mark.parametrize(("data", "params"), [
    ({"count": 1, "items": [{"name": "A", "n": 1}]}, {}),
    ({"data": {"page": {"tags": ["x"], "items": [{"name": "A", "n": 1}]}}}, {}),
    ({"meta": {"x": 1}, "data": {"items": [{"name": "A", "n": 1}]}}, {"records": "data.items"}),
    ({"A": {"n": 1}, "B": {"n": 2}}, {}),
    ({"name": "A", "n": 1}, {}),
    ({"data": {"A": {"n": 1}}, "x": [1], "y": 3}, {"records": "data"}),
], ids=["only array", "wrapped array", "path", "object of objects", "one record",
        "path to an object"])
def test_records_are_found_where_they_are(data: Any, params: dict[str, str]) -> None:
    result = load(data, **params)
    assert result.outcome == "DONE", result.text
    assert values(result, "A")["n"] == 1


def test_a_bad_line_of_ndjson_is_a_bad_row_and_the_others_are_imported() -> None:
    data = b'{"name":"A","n":1}\n\n{"name":"B",\n[1]\n{"n":3}\n{"name":"C","n":4}\n'
    result = load(data, "data.ndjson")
    assert result.outcome == "DONE", result.text
    assert "2 created" in result.text
    assert [row["key"] for row in result.rejected] == ["record 2", "record 3", "record 4"]
    assert "no JSON" in result.rejected[0]["reason"]
    assert "no object with keys" in result.rejected[1]["reason"]
    assert "nothing was imported" in failure(load(data, "data.ndjson", badRows="fail"))


def test_lines_of_objects_are_taken_as_ndjson_by_any_name() -> None:
    result = load(b'{"name":"A"}\n{"name":"B"}\n')
    assert "2 created" in result.text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_is_read_in_all_its_encodings(encoding: str) -> None:
    data = json.dumps([{"name": "Ålesund", "x": "é"}], ensure_ascii=False).encode(encoding)
    assert values(load(data), "Ålesund")["x"] == "é"


@pytest.mark.parametrize(("data", "params", "what"), [
    (b"", {}, "empty"), (b"  \n", {}, "empty"), (b"[]", {}, "no record"),
    (b'[{"name": "A"}', {}, "no JSON"), (b'[{"name": "A"}] x', {}, "no JSON"),
    (b"name,year\nDune,1965\n", {}, "no JSON"), (b"\xff\xfe\x00", {}, "no JSON"),
    (b'{"a": 1}', {"records": "x.y"}, "nothing"), (b"17", {}, "no object or array"),
    (b'[{"n": 1}]', {"nameColumn": "nope"}, "no column 'nope'"),
], ids=str)
def test_a_file_that_cannot_be_imported_fails_and_says_why(
        data: bytes, params: dict[str, str], what: str) -> None:
    error = failure(load(data, **params))
    assert what in error or (what == "nothing" and "at 'x.y'" in error)


def test_hostile_values_are_bad_rows_and_no_crash() -> None:
    deep = '{"name":"deep","x":' + "[" * 5000 + "]" * 5000 + "}"
    lines = [deep, '{"name":"inf","x":1e999}', '{"name":"nul","x":"a\\u0000"}',
             '{"name":"half","x":"\\ud800"}', '{"name":"big","x":12345678901234567890123}',
             '{"name":"good"}']
    result = load("\n".join(lines).encode(), "data.jsonl")
    assert result.outcome == "DONE", result.text
    assert len(result.rejected) == 4
    assert values(result, "big")["x"] == "12345678901234567890123"


def test_names_come_from_a_pattern_and_titles_from_a_column() -> None:
    result = load([{"id": 7, "name": "Dune", "label": "Dune!"}], nameColumn="{id}-{name}",
                  titleColumn="label", tags="books, new")
    page = result.wiki.get("Things.7-Dune")
    assert (page.title, page.tags) == ("Dune!", ("books", "new"))


def test_pages_that_are_there_are_skipped_or_fail_as_wished() -> None:
    first = load([{"name": "A", "n": 1}])
    again = load([{"name": "A", "n": 2}], after=first, existing="skip")
    assert values(again, "A")["n"] == 1 and again.progress.skipped == 1
    fails = load([{"name": "A", "n": 2}], after=again, existing="fail")
    assert "is there already" in fails.rejected[0]["reason"]
    updated = load([{"name": "A", "n": 2}], after=fails, existing="update")
    assert values(updated, "A")["n"] == 2


def test_the_class_can_be_given_and_a_dry_run_makes_nothing() -> None:
    new_class = "- {name: name, type: String}\n- {name: kind, type: StaticList, values: [a, b]}"
    data = [{"name": "A", "kind": "a"}, {"name": "B", "kind": "c"}]
    tried = load(data, newClass=new_class, dry_run=True)
    assert "Things.A" in tried.wiki and len(tried.rejected) <= 1
    real = load(data, after=tried, newClass=new_class)
    assert types(real) == {"name": ("String", False), "kind": ("StaticList", False)}
    assert [row["name"] for row in real.rejected] == ["B"]
    assert "newClass" in failure(load(data, newClass="x: ["))


def test_lists_go_to_properties_that_take_several_values() -> None:
    new_class = "- {name: kinds, type: StaticList, values: [a, b], multiple: true}"
    result = load([{"name": "A", "kinds": ["a", "b"]}], newClass=new_class,
                  mapping="kinds -> kinds")
    assert values(result, "A") == {"kinds": ["a", "b"]}
