"""Page files: what is written is read to the same page, and what is wrong is said."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wiki import pagefile
from wiki.errors import PageFileError
from wiki.model import Attachment, ClassDefinition, Document, Object, Property
from wiki.references import Reference, check_name

HERE = Reference(("Books",), "Dune")
DIGEST = "0" * 64


def is_name(text: str) -> bool:
    try:
        return check_name(text) == text
    except ValueError:
        return False


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
LINES = st.lists(st.one_of(TEXT, st.sampled_from(["", " ", "---", "  x", "...", "# a"])),
                 max_size=30).map("\n".join)
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"],
                              exclude_characters="/"), min_size=1, max_size=60).filter(is_name)
TRICKY = st.sampled_from([
    "yes", "no", "true", "null", "~", "0123", "12:30", "1_000", "2026-11-24", "1e5", ".5", "-",
    "2026-11-24 05:10:00", "0x1F", ".inf", "=", "<<", "*x", "&x", "!file x", "a: b", " a", "a ",
    "\n", "\r", "a\r\nb", "\x85", "\u2028", "\ufeff", "'", '"', "#", "12345678901234567890"])
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-2**63, 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False), TRICKY, LINES,
    st.lists(st.one_of(TRICKY, TEXT), max_size=4))
REFERENCES = st.builds(Reference, st.lists(NAMES, min_size=1, max_size=3).map(tuple), NAMES)
OBJECTS = st.lists(
    st.builds(Object, st.sampled_from(["Books.BookClass", "Wiki.A\\.B"]), st.integers(0, 5),
              st.dictionaries(st.one_of(st.sampled_from(["class", "number", "script", "year"]),
                                        TEXT.filter(bool)), VALUES, max_size=4)),
    max_size=4, unique_by=lambda obj: (obj.class_name, obj.number)).map(tuple)
CLASSES = st.one_of(st.none(), st.just(ClassDefinition()), st.just(ClassDefinition((
    Property("title", "String", "Title: the", "Help\nof two lines", "none", True),
    Property("kind", "StaticList", options={"values": ["yes", "1", "b"], "multiple": True},
             default=["yes"]),
    Property("done", "Boolean", default=False),
    Property("size", "Number", options={"integer": True, "min": 0, "max": 9}, default=1)))))
ATTACHMENTS = st.lists(st.sampled_from(["a.csv", "ümläut.png", "Dune.txt", "two words.txt"]),
                       unique=True, max_size=3).map(lambda names: tuple(
                           Attachment(name, 1, "text/plain", DIGEST) for name in names))
DOCUMENTS = st.builds(
    Document, REFERENCES, title=st.one_of(TEXT, TRICKY), content=LINES,
    syntax=st.sampled_from(["markdown/1.0", "plain/1.0"]), parent=TEXT, hidden=st.booleans(),
    tags=st.lists(st.one_of(TRICKY, TEXT), max_size=3).map(tuple), objects=OBJECTS,
    class_definition=CLASSES, attachments=ATTACHMENTS)


def carried(document: Document) -> tuple[Any, ...]:
    return (document.reference, document.title, document.content, document.syntax,
            document.parent, document.hidden, document.tags, document.class_definition,
            [(obj.class_name, obj.number, dict(obj.values)) for obj in document.objects])


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes()
            for path in root.rglob("*") if path.is_file()}


def open_bytes(attachment: Attachment) -> io.BytesIO:
    return io.BytesIO(attachment.filename.encode())


@given(DOCUMENTS)
@settings(max_examples=300, deadline=None)
def test_a_page_that_is_written_is_read_to_the_same_page(document: Document) -> None:
    text = pagefile.dumps(document)
    page = pagefile.parse(text, document.reference)
    assert carried(page.document) == carried(document)
    assert page.attachments == tuple(item.filename for item in document.attachments)
    assert pagefile.dumps(document) == text


@given(DOCUMENTS)
@settings(max_examples=100, deadline=None)
def test_export_import_export_gives_the_same_bytes(document: Document) -> None:
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder) / "first", Path(folder) / "second"
        pagefile.write_file(first, document, open_bytes)
        [(reference, read, files)] = pagefile.read_tree(first)
        assert carried(read) == carried(document)
        assert reference == document.reference
        for name, path in files.items():
            read = read.with_attachment(Attachment(name, 1, "text/plain", DIGEST))
            assert path.read_bytes() == name.encode()
        if list(files) == sorted(files):
            pagefile.write_file(second, read, open_bytes)
            assert contents(first) == contents(second)


def test_the_form_is_the_one_that_people_write() -> None:
    page = pagefile.parse("""---
title: Import countries
parent: Tasks.WebHome
objects:
- class: TaskExecutorCode.TaskClass
  taskExecutor: Executors.ImportCSV
  status: READY
attachments: [countries.csv]        # beside it
---
Imports the ISO 3166 list.
""", HERE)
    assert page.document == Document(
        HERE, title="Import countries", parent="Tasks.WebHome",
        content="Imports the ISO 3166 list.\n",
        objects=(Object("TaskExecutorCode.TaskClass", 0, {
            "taskExecutor": "Executors.ImportCSV", "status": "READY"}),))
    assert page.attachments == ("countries.csv",)


def test_what_is_written_is_good_to_read() -> None:
    document = Document(
        HERE, title="Dune", tags=("novel", "1965"), content="Text\n",
        objects=(Object("Books.BookClass", 0, {"year": 1965, "read": "2026-11-24",
                                               "notes": "one\ntwo\n", "genres": ["sf", "epic"]}),
                 Object("Books.BookClass", 3, {"class": "A"})),
        class_definition=ClassDefinition((Property("year", "Number"),)))
    assert pagefile.dumps(document) == """---
title: Dune
tags: [novel, '1965']
class:
- name: year
  type: Number
objects:
- class: Books.BookClass
  year: 1965
  read: 2026-11-24
  notes: |
    one
    two
  genres: [sf, epic]
- class: Books.BookClass
  number: 3
  properties:
    class: A
---
Text
"""


def test_a_file_without_front_matter_is_all_content() -> None:
    assert pagefile.parse("# Hello\n", HERE).document.content == "# Hello\n"


def test_a_property_can_be_a_file_in_the_folder_or_beside_the_page(tmp_path: Path) -> None:
    folder = tmp_path / "Books"
    (folder / "Dune.files").mkdir(parents=True)
    (folder / "Dune.md").write_text(
        "---\nobjects:\n- class: X.Y\n  script: !file Dune.py\n  more: !file more.txt\n---\n")
    (folder / "Dune.py").write_text("print(1)\n")
    (folder / "Dune.files" / "more.txt").write_text("more")
    [(reference, document, files)] = pagefile.read_tree(tmp_path)
    assert reference == HERE
    assert document.objects[0].values == {"script": "print(1)\n", "more": "more"}
    assert files == {}


def test_a_long_script_is_exported_as_a_file(tmp_path: Path) -> None:
    script = "x = 1\n" * 30
    document = Document(HERE, objects=(Object("X.Y", 0, {"script": script}),))
    pagefile.write_file(tmp_path, document, open_bytes)
    assert (tmp_path / "Books" / "Dune.files" / "Dune.py").read_text() == script
    assert "script: !file 'Dune.py'\n" in (tmp_path / "Books" / "Dune.md").read_text()


def test_folders_are_nested_spaces_and_dots_are_escaped(tmp_path: Path) -> None:
    reference = Reference.parse(r"A.B\.C.Dr\. No")
    assert str(pagefile.page_path(reference)) == "A/B%2EC/Dr%2E No.md"
    pagefile.write_file(tmp_path, Document(reference), open_bytes)
    assert [page[0] for page in pagefile.read_tree(tmp_path)] == [reference]


def test_a_name_too_long_for_a_file_says_its_reference_itself(tmp_path: Path) -> None:
    reference = Reference(("S",), "ü" * 127)
    pagefile.write_file(tmp_path, Document(reference), open_bytes)
    assert [page[0] for page in pagefile.read_tree(tmp_path)] == [reference]


def test_passwords_are_left_out() -> None:
    document = Document(HERE, objects=(Object("X.Y", 0, {"secret": {"hash": "$argon2"}}),))
    assert "argon2" not in pagefile.dumps(document)


@pytest.mark.parametrize(("front", "line", "said"), [
    ("titel: x", 2, "takes reference, title, parent"),
    ("title: x\ntitle: y", 3, "stands twice"),
    ("title: [x]", 2, "title is text"),
    ("title: 5", 2, "put '5' in quotes"),
    ("hidden: maybe", 2, "true or false"),
    ("tags: x", 2, "tags is a list"),
    ("tags: [a, 1]", 2, "in quotes"),
    ("objects:\n- title: x", 3, "names its class"),
    ("objects:\n- class: a..b", 3, "not empty"),
    ("objects:\n- class: A.B\n  number: -1", 3, "whole number"),
    ("objects:\n- class: A.B\n  number: 0\n- class: A.B\n  number: 0", 5, "stands twice"),
    ("objects:\n- class: A.B\n  x: {a: b}", 4, "x is a text"),
    ("objects:\n- class: A.B\n  x: 1e999", 4, "x is a text"),
    ("objects:\n- class: A.B\n  x: !!timestamp 2026-01-01", 4, "x is a text"),
    ("objects:\n- class: A.B\n  x: !!python/object:os.x {}", 4, "tag"),
    ("objects:\n- class: A.B\n  x: !file x.py", 4, "beside the page"),
    ("attachments: [../x]", 2, "without '/'"),
    ("class: [{name: x, type: Strin}]", 2, "there are String, TextArea"),
    ("class: [{name: x, typ: String}]", 2, "no option 'typ'"),
    ("class: 5", 2, "list of properties"),
    ("title: 'x", 3, "quoted scalar"),
    ("a: &x 1\nb: *x", 3, "alias"),
    ("- a", 2, "mapping"),
    ("title: \x00", None, "special characters"),
    ("title: " + "[" * 5000, None, "too deep"),
])
def test_what_is_wrong_is_named_with_its_line(front: str, line: int | None, said: str) -> None:
    with pytest.raises(PageFileError, match=r".") as caught:
        pagefile.parse(f"---\n{front}\n---\n", HERE, source="Books/Dune.md")
    assert said in str(caught.value)
    where = "Books/Dune.md" if line is None else f"Books/Dune.md, line {line}: "
    assert str(caught.value).startswith(where)


def test_front_matter_needs_an_end() -> None:
    with pytest.raises(PageFileError, match="no end"):
        pagefile.parse("---\ntitle: x\n", HERE)


@pytest.mark.parametrize(("text", "said"), [
    (b"\xff\xfe", "UTF-8"),
    (b"---\nattachments: [gone.csv]\n---\n", "goes to"),
    (b"---\nobjects:\n- class: A.B\n  x: !file gone.py\n---\n", "No such file"),
    (b"---\nobjects:\n- class: A.B\n  x: !file ../x.py\n---\n", "without '/'"),
])
def test_a_bad_file_in_a_tree_is_named(tmp_path: Path, text: bytes, said: str) -> None:
    path = tmp_path / "A" / "B.md"
    path.parent.mkdir()
    path.write_bytes(text)
    with pytest.raises(PageFileError, match=str(path)) as caught:
        list(pagefile.read_tree(tmp_path))
    assert said in str(caught.value)


def test_a_page_at_the_top_of_a_tree_has_no_space(tmp_path: Path) -> None:
    (tmp_path / "Dune.md").write_text("x")
    with pytest.raises(PageFileError, match="names no space"):
        list(pagefile.read_tree(tmp_path))
    assert [str(page[0]) for page in pagefile.read_tree(tmp_path, ("Books",))] == ["Books.Dune"]
