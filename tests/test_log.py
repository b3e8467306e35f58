"""Logs: their lines, their names, and reading them from any place."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wiki.errors import LogNotFound
from wiki.tasks.log import Logs, file_name, format_message, log_name

HEADER = re.compile(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\] [A-Z]+ - ")
MOMENT = datetime(2026, 11, 24, 5, 10, 22, 123456, UTC)


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    return Logs(tmp_path / "logs")


def test_a_line_has_time_level_and_message() -> None:
    assert format_message("INFO", "hello", MOMENT) == b"[2026-11-24 05:10:22.123] INFO - hello\n"


def test_further_lines_of_a_message_are_indented() -> None:
    lines = format_message("ERROR", "a\n[2026-11-24 05:10:22.123] INFO - b\r\nc", MOMENT)
    assert lines.decode().splitlines()[1:] == ["  [2026-11-24 05:10:22.123] INFO - b", "  c"]


@given(st.text())
def test_no_message_passes_for_two(message: str) -> None:
    lines = format_message("OUT", message, MOMENT).decode().splitlines()
    assert HEADER.match(lines[0])
    assert all(line.startswith("  ") for line in lines[1:])


def test_control_characters_are_shown_not_sent_to_the_terminal() -> None:
    assert rb"\x1b[2J\x00" in format_message("OUT", "\x1b[2J\0", MOMENT)


def test_half_a_character_is_written_as_its_number() -> None:
    assert rb"\ud800" in format_message("OUT", "\ud800", MOMENT)


@pytest.mark.parametrize("name", [
    "", ".log", "..", "../x.log", "/etc/passwd", "/etc/passwd.log", "a\0.log", "Tasks.Nope.log",
    "../../secret.log", "Tasks.One", "\ud800.log", "Tasks.One.log/", "x" * 5000 + ".log"])
def test_a_name_of_no_log_is_no_log(logs: Logs, tmp_path: Path, name: str) -> None:
    (tmp_path / "x.log").write_text("another file")
    for read in (logs.size, logs.read, logs.tail, logs.open_binary, logs.archive):
        with pytest.raises(LogNotFound):
            read(name)
    assert not logs.exists(name)


@given(st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=80))
def test_a_file_name_is_safe(name: str) -> None:
    encoded = file_name(name + ".log")
    assert re.fullmatch(r"[A-Za-z0-9_%~-][A-Za-z0-9._%~-]*", encoded)
    assert len(encoded) <= 200


def test_names_come_back_however_long_they_are(logs: Logs) -> None:
    names = sorted(["Tasks.Dr\\. No.log", f"Tasks.{'ü' * 120}.log", f"Tasks.{'ü' * 119}a.log",
                    "..log", "Tasks.A B.log"])
    for name in names:
        logs.append(name, "INFO", name)
    assert logs.names() == names
    assert all(logs.read(name).text.rstrip().endswith(name) for name in names)


def test_the_last_lines_are_read_from_the_end(logs: Logs) -> None:
    for number in range(30_000):
        logs.append("T.A.log", "INFO", f"line {number} {'ä' * 20}")
    part = logs.tail("T.A.log", 3)
    assert [line.split()[5] for line in part.text.splitlines()] == ["29997", "29998", "29999"]
    assert part.end == part.size == logs.size("T.A.log")
    assert len(logs.tail("T.A.log", 2000).text.splitlines()) == 2000


def test_more_lines_than_there_are_is_the_whole_log(logs: Logs) -> None:
    logs.append("T.A.log", "INFO", "one")
    assert logs.tail("T.A.log", 10) == logs.read("T.A.log")
    assert logs.tail("T.A.log", 0).data == b""


def test_reading_by_offset_gives_every_byte_once_and_whole_characters(logs: Logs) -> None:
    logs.append("T.A.log", "INFO", "äöü€𝄞" * 20)
    offset, text = 0, ""
    while offset < logs.size("T.A.log"):
        part = logs.read("T.A.log", offset, 5)
        assert part.data
        offset, text = part.end, text + part.text
    assert text.endswith("äöü€𝄞" * 20 + "\n") and "�" not in text


def test_bytes_that_are_no_text_are_read_all_the_same(logs: Logs) -> None:
    logs.write("T.A.log", b"\xff\xfe\xf0\n")
    assert logs.read("T.A.log").text == "���\n"
    assert logs.read("T.A.log", 2, 1).data == b"\xf0"


def test_an_archived_log_begins_anew(logs: Logs) -> None:
    logs.append("T.A.log", "INFO", "old")
    end = logs.size("T.A.log")
    archived = logs.archive("T.A.log")
    logs.append("T.A.log", "INFO", "soon archived too")
    assert logs.archive("T.A.log") != archived
    assert "old" in logs.read(archived).text
    assert not logs.exists("T.A.log")
    logs.append("T.A.log", "INFO", "x")
    assert logs.read("T.A.log", end).offset == 0


def test_search_finds_lines_in_any_case(logs: Logs) -> None:
    for word in ("Apple", "pear", "apple pie"):
        logs.append("T.A.log", "INFO", word)
    assert [line.split(" - ")[1] for line in logs.search("T.A.log", "APPLE")] == [
        "Apple", "apple pie"]
    assert len(logs.search("T.A.log", "apple", limit=1)) == 1


def test_threads_do_not_tear_each_others_lines(logs: Logs) -> None:
    def write(letter: str) -> None:
        for _ in range(200):
            logs.append("T.A.log", "INFO", letter * 500)

    threads = [threading.Thread(target=write, args=(letter,)) for letter in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = logs.read("T.A.log", limit=10_000_000).text.splitlines()
    assert len(lines) == 800
    assert all(re.fullmatch(HEADER.pattern + r"(.)\1{499}", line) for line in lines)


def test_a_tasks_log_is_named_after_its_page() -> None:
    assert log_name("Tasks.SimpleTask") == "Tasks.SimpleTask.log"
