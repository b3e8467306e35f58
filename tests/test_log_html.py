"""Logs as they are shown, who may read them, and how long they are kept."""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wiki.api import OpenDocument, Wiki
from wiki.errors import AccessDenied, DocumentNotFound, LogNotFound
from wiki.rights import ADMIN_USER
from wiki.site import Site
from wiki.store import open_store
from wiki.tasks.ansi import plain, spans
from wiki.tasks.jobs import read_job
from wiki.tasks.jobwork import do_work
from wiki.tasks.log import MANAGER_LOG, Logs, format_message, log_name
from wiki.tasks.loghtml import render
from wiki.tasks.logview import choose, hidden_levels, hidden_lines
from wiki.tasks.names import CONFIGURATION, CONFIGURATION_CLASS, TASK_CLASS
from wiki.tasks.retention import DAY, tidy_logs

LOG = "T.A.log"
MOMENT = datetime(2026, 11, 24, 5, 10, 22, 123456, UTC)


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    return Logs(tmp_path / "logs")


def numbered(logs: Logs, count: int) -> bytes:
    logs.write(LOG, b"".join(format_message("INFO", f"line {n}", MOMENT) for n in range(count)))
    return logs.read(LOG, limit=10**9).data


def numbers(data: bytes) -> list[int]:
    return [int(line.split()[-1]) for line in data.splitlines()]


# -- the view ----------------------------------------------------------------------------------


def html(text: str, **more: object) -> str:
    data = format_message("OUT", text, MOMENT)
    return str(render(LOG, data, 0, **more))  # type: ignore[arg-type]


def test_colours_of_a_terminal_become_classes() -> None:
    shown = html("\x1b[1;31mred\x1b[0m \x1b[38;5;21mblue\x1b[39m\x1b[48;2;0;160;0mon\x1b[m x")
    assert '<span class="ansi-red ansi-bold">red</span>' in shown
    assert '<span class="ansi-blue">blue</span>' in shown
    assert '<span class="ansi-on-green">on</span> x' in shown


def test_other_sequences_are_left_out_and_strange_bytes_are_marked() -> None:
    text = format_message("OUT", "a\x1b[2Jb\x1b]0;title\x07c\x00\x1b[", MOMENT).decode()
    assert plain(text.split(" - ")[1]) == "abc\\x00\\x1b[\n"
    assert '<span class="log-byte">\\x00</span>' in html("\0")


@given(st.text(st.sampled_from("\x1b[]m;:0123456789\\x1bKa<\"&\x07"), max_size=200))
def test_nothing_in_a_line_becomes_markup(text: str) -> None:
    shown = html(text)
    tags = set(re.findall(r"<(/?[a-z]*)", shown))
    assert tags <= {"span", "/span", "a", "/a", "time", "/time"}
    assert "".join(span.text for span in spans(text)) == plain(text)


def test_what_was_searched_for_is_marked() -> None:
    assert "x <mark>&lt;B&gt;</mark>" in html("x <B>", q="<b>")
    assert "<mark>" not in html("x", q="")


def test_a_long_line_is_cut_and_can_be_had_whole() -> None:
    shown = html("y" * 50_000)
    assert shown.count("y") < 3000
    size = len(format_message("OUT", "y" * 50_000, MOMENT)) - 1
    assert f"/api/v1/logs/T.A.log?offset=0&amp;limit={size}" in shown
    assert html("y" * 50_000, whole=True).count("y") >= 50_000


@pytest.mark.parametrize(("body", "cut"), [
    (b"\xff" * 600, True), (b"\xff" * 500, False), ("\U0001f600" * 2000, False),
    ("\U0001f600" * 2001, True)])
def test_a_line_is_cut_by_the_characters_that_are_shown(body: bytes | str, cut: bool) -> None:
    data = body if isinstance(body, bytes) else body.encode()
    assert ("show all" in render(LOG, b"  " + data + b"\n", 0)) is cut


def test_a_line_has_its_time_level_and_lasting_link() -> None:
    shown = str(render(LOG, format_message("WARN", "a\nb", MOMENT, {"n": 1}), 10, at=10))
    assert 'class="line level-warn log-here" id="L10"' in shown
    assert 'href="/TaskExecutorCode.ShowLog?log=T.A.log&amp;at=10#L10"' in shown
    assert '<time datetime="2026-11-24T05:10:22.123Z">2026-11-24 05:10:22.123</time>' in shown
    assert 'class="line level-warn more"' in shown
    assert 'class="line level-warn more log-fields"' in shown


def test_an_address_chooses_the_part(logs: Logs) -> None:
    data = numbered(logs, 1000)
    logs.append(LOG, "INFO", "Run 5", run=5)

    def first(**args: str) -> int:
        return numbers(choose(logs, LOG, args, 10).part.data.splitlines()[0])[0]

    assert choose(logs, LOG, {}, 10).live
    assert first(after="0") == 0
    assert first(before=str(data.index(b"[", 5))) == 0
    at = data.rindex(b"\n", 0, data.index(b"line 500")) + 1
    assert first(at=str(at)) == 495
    assert choose(logs, LOG, {"run": "5"}, 10).at == len(data)
    assert "Run 6" in choose(logs, LOG, {"run": "6"}, 10).note
    hit = choose(logs, LOG, {"q": "line 500", "find": "next"}, 10)
    assert (hit.at, hit.live) == (at, False)
    again = {"q": "line 500", "at": str(at)}
    assert "Nothing found after" in choose(logs, LOG, {**again, "find": "next"}, 10).note
    assert "Nothing found before" in choose(logs, LOG, {**again, "find": "previous"}, 10).note
    assert choose(logs, LOG, {"at": "x", "before": "-1"}, 10).live


def test_an_address_leads_from_error_to_error(logs: Logs) -> None:
    for number in range(30):
        logs.append(LOG, "ERROR" if number in (10, 20) else "INFO", f"line {number} ERROR")
    place = {"find": "next-error"}
    for number in (10, 20):
        screen = choose(logs, LOG, place, 1)
        assert screen.at is not None and screen.part.data.count(b"line %d" % number) == 1
        place = {"find": "next-error", "at": str(screen.at)}
    assert choose(logs, LOG, place, 10).note == "No error found after this place"
    back = choose(logs, LOG, {**place, "find": "previous-error"}, 1)
    assert b"line 10" in back.part.data
    assert choose(logs, LOG, {"find": "none-error"}, 10).live


def test_levels_are_hidden_and_counted(logs: Logs) -> None:
    for level in ("DEBUG", "INFO", "DEBUG"):
        logs.append(LOG, level, "a\nb", {"n": 1})
    assert hidden_levels({}) == ["fields"]
    hidden = hidden_levels({"filter": "1", "info": "1", "fields": "1"})
    assert hidden == ["debug", "out", "warn", "err", "error"]
    assert hidden_lines(logs.tail(LOG), hidden) == 4


# -- who may read, and what is kept ------------------------------------------------------------


@pytest.fixture
def wiki(tmp_path: Path) -> Iterator[Wiki]:
    store = open_store(tmp_path / "data")
    yield Wiki(store)
    store.close()


def test_the_log_of_a_page_that_one_may_not_view_is_no_log(
        logs: Logs, wiki: Wiki, monkeypatch: pytest.MonkeyPatch) -> None:
    def get(name: str) -> OpenDocument:
        if name.startswith("Secret."):
            raise AccessDenied
        raise DocumentNotFound

    monkeypatch.setattr(wiki, "get", get)
    for name in ("Secret.A.log", "Secret.A-20260101-000000.log", "Open.A.log"):
        logs.append(name, "INFO", "x")
    assert not logs.known(wiki, "Secret.A.log")
    assert not logs.known(wiki, "Secret.A-20260101-000000.log")
    assert logs.known(wiki, "Open.A.log")
    assert logs.known(wiki, MANAGER_LOG)


def test_the_log_of_a_page_that_is_no_more_is_for_administrators(
        logs: Logs, wiki: Wiki) -> None:
    wiki.new("T.A").save()
    logs.append(LOG, "INFO", "old")
    old, user, admin = logs.archive(LOG), wiki.as_user("Users.Ann"), wiki.as_user(ADMIN_USER)
    logs.append(LOG, "INFO", "x")
    assert logs.known(user, LOG) and logs.known(user, old)
    wiki.get("T.A").delete()
    assert not logs.known(user, LOG) and not logs.known(user, old)
    assert logs.known(admin, LOG) and logs.known(admin, old)


def configure(wiki: Wiki, **values: object) -> None:
    page = wiki.get_or_new(CONFIGURATION)
    obj = page.object(CONFIGURATION_CLASS) or page.add_object(CONFIGURATION_CLASS)
    obj.update(**values)
    page.save()


def archive(logs: Logs, name: str, days: float, size: int = 100) -> str:
    """An archived log whose last line is so many days older than MOMENT."""
    logs.write(name, b"x" * size + b"\n")
    archived = logs.archive(name)
    then = MOMENT.timestamp() - days * DAY
    os.utime(logs.directory / archived, (then, then))
    return archived


def test_nothing_is_removed_by_default(logs: Logs, wiki: Wiki) -> None:
    kept = [archive(logs, LOG, days) for days in (1, 1000)]
    assert tidy_logs(logs, wiki, MOMENT.timestamp()) == "no log to tidy up"
    assert logs.names() == sorted(kept)


@pytest.mark.parametrize(("rules", "left"), [
    ({"logMaxAge": 30}, {"a1", "a2", "b1"}), ({"logMaxCount": 1}, {"a1", "b1"}),
    ({"logMaxSize": 0.00025}, {"a1", "b1"}), ({"logMaxSize": 0}, {"a1", "a2", "a3", "b1"}),
])
def test_archives_are_removed_as_the_configuration_says(
        logs: Logs, wiki: Wiki, rules: dict[str, object], left: set[str]) -> None:
    named = {archive(logs, LOG, 1): "a1", archive(logs, LOG, 20): "a2",
             archive(logs, LOG, 90): "a3", archive(logs, "T.B.log", 2): "b1"}
    logs.append(LOG, "INFO", "open", run=1)
    configure(wiki, **rules)
    said = tidy_logs(logs, wiki, MOMENT.timestamp())
    names = logs.names()
    assert LOG in names
    assert {named[name] for name in names if name in named} == left
    assert all(name in said for name, short in named.items() if short not in left)


def test_the_log_of_a_page_named_like_an_archive_stays(logs: Logs, wiki: Wiki) -> None:
    page = wiki.new("T.A-20260101-000000")
    page.add_object(TASK_CLASS)
    page.save()
    name = log_name("T.A-20260101-000000")
    logs.append(name, "INFO", "x")
    configure(wiki, logMaxAge=1, logCompress=True)
    tidy_logs(logs, wiki, MOMENT.timestamp() + 10**9)
    assert logs.exists(name)


def test_archives_are_compressed_and_can_still_be_downloaded(logs: Logs, wiki: Wiki) -> None:
    old = archive(logs, LOG, 3)
    configure(wiki, logCompress=True, logArchiveSize=0.001)
    logs.write("T.B.log", b"y" * 2000 + b"\n")
    tidy_logs(logs, wiki, MOMENT.timestamp())
    names = logs.names()
    assert f"{old}.gz" in names and old not in names and "T.B.log" not in names
    with logs.open_binary(f"{old}.gz") as packed, gzip.open(packed) as text:
        assert text.read() == b"x" * 100 + b"\n"
    with pytest.raises(LogNotFound, match="compressed"):
        logs.tail(f"{old}.gz")
    with pytest.raises(LogNotFound):
        logs.remove(LOG)


def test_a_log_whose_name_is_too_long_for_a_file_is_compressed(logs: Logs) -> None:
    name = f"Tasks.{'ü' * 120}.log"
    logs.append(name, "INFO", "x")
    packed = logs.pack(logs.archive(name))
    assert logs.names() == [packed]
    logs.remove(packed)
    assert logs.names() == []


def test_the_shipped_job_tidies_up_logs(site: Site) -> None:
    archived = archive(site.logs, LOG, 1)
    configure(site.wiki, logCompress=True)
    job = read_job(site.wiki.get("TaskExecutorCode.TaskExecutorLogJob"))
    assert not job.problem
    assert do_work(job, site.wiki, site.manager) == f"compressed to {archived}.gz"
