"""Logs: their lines, their names, and reading them from any place."""

from __future__ import annotations

import json
import os
import re
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wiki.errors import LogNotFound
from wiki.tasks import logreader
from wiki.tasks.log import Logs, file_name, format_message, log_name
from wiki.tasks.logline import messages, parse_lines
from wiki.tasks.output import BAR_EVERY, LineWriter

LOG = "T.A.log"

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


def test_bytes_that_are_no_text_are_shown_as_such(logs: Logs) -> None:
    logs.write("T.A.log", b"\xff\xfe\xf0\n")
    assert logs.read("T.A.log").text == "\\xff\\xfe\\xf0\n"
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


# -- fields ------------------------------------------------------------------------------------


def test_fields_are_kept_as_json_after_the_message() -> None:
    data = format_message("INFO", "one\n{\"row\": 1}", MOMENT, {"row": 5, "when": MOMENT})
    assert data.splitlines()[1:] == [
        b'  {"row": 1}', b' {"row": 5, "when": "2026-11-24 05:10:22.123456+00:00"}']
    (message,) = messages(parse_lines(data, 100))
    assert message == {"offset": 100, "time": "2026-11-24T05:10:22.123Z", "level": "INFO",
                       "message": 'one\n{"row": 1}',
                       "fields": {"row": 5, "when": "2026-11-24 05:10:22.123456+00:00"}}


@given(st.text(), st.dictionaries(st.text(), st.one_of(st.text(), st.floats(), st.none())))
def test_whatever_the_message_its_fields_come_back(text: str, fields: dict[str, object]) -> None:
    data = format_message("OUT", text, MOMENT, fields)
    (message,) = messages(parse_lines(data))
    assert message["fields"].keys() == fields.keys()
    json.dumps(message, allow_nan=False)
    assert data.decode().splitlines() == data.decode().removesuffix("\n").split("\n")


def test_values_that_json_has_not_are_kept_as_text() -> None:
    loop: list[object] = []
    loop.append(loop)
    for value in (float("nan"), loop, {1, 2}, b"x"):
        (message,) = messages(parse_lines(format_message("INFO", "x", MOMENT, {"a": value})))
        assert message["fields"] == {"a": str(value)}


# -- places ------------------------------------------------------------------------------------


def numbered(logs: Logs, count: int) -> bytes:
    logs.write(LOG, b"".join(format_message("INFO", f"line {n}", MOMENT) for n in range(count)))
    return logs.read(LOG, limit=10**9).data


def numbers(data: bytes) -> list[int]:
    return [int(line.split()[-1]) for line in data.splitlines()]


def test_a_log_is_paged_both_ways_and_shown_round_a_line(logs: Logs) -> None:
    data = numbered(logs, 1000)
    last = logs.tail(LOG, 10)
    assert numbers(last.data) == list(range(990, 1000))
    before = logs.before(LOG, last.offset, 10)
    assert numbers(before.data) == list(range(980, 990))
    assert numbers(logs.after(LOG, before.end, 3).data) == [990, 991, 992]
    middle = data.index(b"line 500")
    assert numbers(logs.around(LOG, middle, 6).data) == [497, 498, 499, 500, 501, 502]
    assert logs.before(LOG, 0, 10).data == b""
    assert logs.after(LOG, len(data), 10).data == b""


def test_a_line_of_any_length_costs_a_bounded_read(logs: Logs) -> None:
    logs.write(LOG, b"x" * 5_000_000 + b"\nend\n")
    for part in (logs.tail(LOG, 5), logs.around(LOG, 2_000_000, 5), logs.after(LOG, 0, 5)):
        assert 0 < len(part.data) <= 2 * logreader.MAX_LINES_BYTES + 2 * logreader.BLOCK


def test_ten_gigabytes_are_read_at_any_place(logs: Logs) -> None:
    logs.append(LOG, "INFO", "first")
    path = logs.directory / LOG
    os.truncate(path, 10_000_000_000)  # sparse: nothing but its ends is on the disk
    logs.write(LOG, b"\n")
    numbered(logs, 300)
    assert numbers(logs.tail(LOG, 200).data) == list(range(100, 300))
    assert logs.read(LOG).data.startswith(b"[")
    found = logs.find(LOG, "line 299", back=True, limit=1)
    assert [data.endswith(b"line 299") for _, data in found.lines] == [True]


def test_the_lines_with_a_text_are_found_in_any_case_and_both_ways(logs: Logs) -> None:
    for word in ("Apple", "pear", "apple pie", "Ärger", "ärger", "straße"):
        logs.append(LOG, "INFO", word)

    def found(q: str, **more: object) -> list[str]:
        lines = logs.find(LOG, q, **more).lines  # type: ignore[arg-type]
        return [data.decode().split(" - ")[1] for _, data in lines]

    assert found("APPLE") == ["Apple", "apple pie"]
    assert found("apple", back=True) == ["apple pie", "Apple"]
    assert found("apple", limit=1) == ["Apple"]
    assert found("ÄRGER") == ["Ärger", "ärger"]
    assert found("STRASSE") == []
    assert found("Straße") == ["straße"]
    assert found("(.*") == []


@pytest.mark.parametrize("back", [False, True])
def test_a_search_goes_on_where_it_gave_up(
        logs: Logs, back: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logreader, "SEARCH_BLOCK", 1000)
    numbered(logs, 500)
    at, turns, seen = None, 0, list[int]()
    while True:
        found = logs.find(LOG, "line 4", at, back=back, most=2000)
        seen += [int(data.split()[-1]) for _, data in found.lines]
        turns += 1
        if found.next is None:
            break
        at = found.next
    wanted = [n for n in range(500) if str(n).startswith("4")]
    assert seen == (wanted[::-1] if back else wanted)
    assert turns > 5


@pytest.mark.parametrize("back", [False, True])
def test_a_search_finds_no_more_than_can_be_kept(
        logs: Logs, back: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logreader, "FOUND_BYTES", 100)
    numbered(logs, 500)
    found = logs.find(LOG, "line", back=back)
    assert 1 < len(found.lines) < 5
    assert logs.find(LOG, "line", found.next, 1, back).lines[0] not in found.lines


@pytest.mark.parametrize("back", [False, True])
def test_a_hit_across_the_pieces_of_a_very_long_line_is_found(
        logs: Logs, back: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logreader, "SEARCH_BLOCK", 100)
    for at in range(90, 111):
        (logs.directory / LOG).write_bytes(b"x" * at + b"needle" + b"y" * 150 + b"\n")
        assert logs.find(LOG, "needle", back=back).lines


def test_a_run_is_found_in_its_log(logs: Logs) -> None:
    logs.append(LOG, "INFO", "older")
    for run in (1, 2, 3):
        logs.append(LOG, "INFO", f"Run {run} started", run=run)
        logs.append(LOG, "OUT", f"Run 7 started, says run {run}")
    second = logs.range_of(LOG, 2)
    text = logs.read(LOG, second.start, second.end - second.start).text
    assert [line.split(" - ")[1] for line in text.splitlines()] == [
        "Run 2 started", "Run 7 started, says run 2"]
    assert [run.number for run in logs.runs(LOG)] == [1, 2, 3]
    with pytest.raises(LogNotFound, match="Run 7"):
        logs.range_of(LOG, 7)
    archived = logs.archive(LOG)
    assert logs.range_of(archived, 2) == second
    logs.append(LOG, "INFO", "x", run=4)
    assert [run.number for run in logs.runs(LOG)] == [4]


# -- output ------------------------------------------------------------------------------------


class Kept:
    """What a LineWriter wrote: the texts of its lines."""

    full = False

    def __init__(self) -> None:
        self.texts: list[str] = []

    def write(self, lines: bytes) -> None:
        self.texts += [line.decode().split(" - ", 1)[1] for line in lines.splitlines()]


def test_of_a_progress_bar_the_last_state_is_kept() -> None:
    kept = Kept()
    writer = LineWriter(kept, "ERR", clock=lambda: 0.0)
    for percent in range(101):
        writer.feed(f"\r{percent}%|###|".encode())
    writer.feed(b"\ndone\r\nnext\rover\n\r\rlast")
    writer.close()
    assert kept.texts == ["100%|###|", "done", "over", "last"]


def test_a_progress_bar_that_moves_is_logged_from_time_to_time() -> None:
    kept, now = Kept(), 0.0
    writer = LineWriter(kept, "ERR", clock=lambda: now)
    for percent in range(100):
        now += BAR_EVERY / 10
        writer.feed(f"\r{percent}%".encode())
    assert 8 <= len(kept.texts) <= 10
    assert kept.texts == sorted(kept.texts, key=lambda text: int(text[:-1]))


def test_bytes_that_a_script_prints_and_are_no_text_are_named() -> None:
    kept = Kept()
    LineWriter(kept, "OUT").feed(b"a\xff\xc3b\x1b[1m\n")
    assert kept.texts == ["a\\xff\\xc3b\\x1b[1m"]


def test_a_long_line_is_cut_between_characters() -> None:
    for before in range(4):
        kept = Kept()
        writer = LineWriter(kept, "OUT")
        text = "x" * before + "\U0001f600" * 40_000
        writer.feed(text.encode())
        writer.close()
        assert len(kept.texts) == 3 and "".join(kept.texts) == text


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
