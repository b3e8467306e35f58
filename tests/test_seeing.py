"""What shows tasks: the board, the task's page, the charts, the parts that keep up to date."""

from __future__ import annotations

import re
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest
from conftest import Browser

from wiki.api import OpenDocument, Wiki
from wiki.model import GUEST
from wiki.rendering.renderer import RenderRequest
from wiki.site import Site
from wiki.tasks.board import Board, View
from wiki.tasks.names import RUN_CLASS, TASK_CLASS
from wiki.tasks.records import Durations, executor_runs, in_words, runs_of, runs_since
from wiki.tasks.runs import Progress, Run, Runs, timestamp, write_json

RUN_ID = "a" * 32


def task(wiki: Wiki, name: str, status: str = "DONE", title: str = "",
         **values: object) -> OpenDocument:
    page = wiki.new(f"Work.{name}", title=title)
    page.add_object(TASK_CLASS, taskExecutor="Executors.HelloWorld", status=status, **values)
    return page.save()


def now() -> datetime:
    return datetime.now(UTC)


def add_run(page: OpenDocument, number: int = 1, ago: float = 60, took: float | None = 10,
            waited: float = 0, **values: object) -> OpenDocument:
    """A run that started ``ago`` seconds ago."""
    started = now() - timedelta(seconds=ago)
    known: dict[str, object] = {
        "number": number, "executor": "Executors.HelloWorld", "id": RUN_ID[:-1] + str(number),
        "queued": timestamp((started - timedelta(seconds=waited)).timestamp()),
        "started": timestamp(started.timestamp())}
    if took is not None:
        known["finished"] = timestamp((started + timedelta(seconds=took)).timestamp())
        known["outcome"] = "DONE"
    page.add_object(RUN_CLASS, **{**known, **values})
    return page.save()


def show(site: Site, text: str, user: str = "Users.Admin", on: str = "Work.Board",
         **args: str) -> str:
    page = site.wiki.as_user("Users.Admin").get_or_new(on)
    record = replace(page.record, content=text)
    return str(site.renderer.render_content(record, RenderRequest(user, args, "the-token")).html)


def rows(html: str) -> list[str]:
    return re.findall(r'<tr data-key="Work\.([^"]+)"', html)


def test_the_board_shows_what_runs_then_what_waits_then_what_ended_last(
        site: Site, wiki: Wiki) -> None:
    for name, status in (("a-old", "DONE"), ("b-ready", "READY"), ("c-ready", "READY"),
                         ("d-runs", "RUNNING"), ("e-new", "ERROR")):
        task(wiki, name, status)
    assert rows(show(site, '<<tasks space="Work"/>>')) == [
        "d-runs", "b-ready", "c-ready", "e-new", "a-old"]


def test_the_board_counts_filters_and_says_what_is_chosen(site: Site, wiki: Wiki) -> None:
    task(wiki, "One", title="Import of letters")
    task(wiki, "Two", "ERROR")
    task(wiki, "Three", "ERROR", title="<b>Bold</b>")
    html = show(site, '<<tasks space="Work"/>>')
    assert ">All <span class=\"tab-count\">3</span>" in html
    assert ">Error <span class=\"tab-count\">2</span>" in html
    assert "&lt;b&gt;Bold&lt;/b&gt;" in html and "<b>Bold" not in html
    errors = show(site, '<<tasks space="Work"/>>', **{"tasks.status": "ERROR"})
    assert sorted(rows(errors)) == ["Three", "Two"]
    assert re.search(r'href="[^"]*tasks.status=ERROR"? aria-current="true"', errors)
    for text in ("LETTERS", "work.one"):
        assert rows(show(site, '<<tasks space="Work"/>>', **{"tasks.find": text})) == ["One"]
    assert "No task fits" in show(site, '<<tasks space="Work"/>>', **{"tasks.find": "nope"})
    assert "There are no tasks yet" in show(site, '<<tasks space="Nowhere"/>>')
    assert sorted(rows(show(site, '<<tasks space="Work" status="DONE"/>>'))) == ["One"]
    assert len(rows(show(site, '<<tasks space="Work" status="DONE"/>>',
                         **{"tasks.status": ""}))) == 3


def test_the_pages_of_the_board_have_each_task_once(site: Site, wiki: Wiki) -> None:
    with wiki.batch():
        for number in range(23):
            task(wiki, f"T{number:02}", ("RUNNING", "READY", "DONE", "ERROR")[number % 4])
    boards = [Board(wiki, site.manager, View("Work", page=page, size=5))
              for page in range(1, 6)]
    found = [doc.reference.name for board in boards for doc in board.documents()]
    assert sorted(found) == [f"T{number:02}" for number in range(23)]
    assert (boards[4].first, boards[4].last, boards[4].total) == (21, 23, 23)
    assert Board(wiki, site.manager, View("Work", page=99, size=5)).view.page == 5


def test_ready_tasks_stand_in_the_order_of_the_queue(site: Site, wiki: Wiki) -> None:
    task(wiki, "Broken", "READY", priority=9)
    broken = wiki.get("Work.Broken")
    broken.objects(TASK_CLASS)[0]["taskExecutor"] = "Executors.Missing"
    broken.save()
    task(wiki, "A-later", "READY", notBefore="2999-01-01")
    task(wiki, "Z-urgent", "READY", priority=5, notBefore="2999-01-01")
    site.manager.invoke()
    html = show(site, "<<tasks/>>", **{"tasks.status": "READY"})
    assert rows(html) == ["Broken", "Z-urgent", "A-later"]
    assert "2999-01-01" in html and "Executors.Missing" in html


def test_only_who_may_edit_can_choose_tasks(site: Site, wiki: Wiki) -> None:
    task(wiki, "One")
    html = show(site, '<<tasks space="Work"/>>')
    assert 'action="/tasks/bulk"' in html and 'value="the-token"' in html
    assert 'type="checkbox" name="task" value="Work.One"' in html
    guest = show(site, '<<tasks space="Work"/>>', user=GUEST)
    assert rows(guest) == ["One"] and "checkbox" not in guest


def test_a_board_asks_for_itself_alone(admin: Browser, wiki: Wiki) -> None:
    task(wiki, "One", "READY", notBefore="2999-01-01")
    task(wiki, "Two")
    page = admin.get("/Tasks.WebHome?tasks.status=READY").text
    live = re.search(r'data-part="([^"]+)" data-every="2" [^>]*><section class="board"', page)
    assert live
    part = admin.client.post("/parts", data={"part": live[1], "tag": ""}).json["parts"][0]["html"]
    assert part.startswith("<section") and rows(part) == ["One"]
    assert 'href="/Tasks.WebHome?tasks.status=DONE' in part


def test_a_run_says_how_far_it_is(site: Site, wiki: Wiki, settings_runs: Runs) -> None:
    add_run(task(wiki, "One", "RUNNING"), ago=100, took=None, waited=30, id=RUN_ID)
    folder = settings_runs.create(Run(RUN_ID, "Work.One", 1, "Executors.HelloWorld", "1.1",
                                      "Users.Admin", "", now().timestamp() - 100))
    begun = now().timestamp() - 100
    write_json(folder / "progress.json", asdict(Progress(
        250, 1000, "row 250", begun, begun + 100, ("Reading", "Rows"), 240, 7, 3)))
    html = show(site, '<<taskprogress task="Work.One"/>>')
    for text in ('data-percent="25"', '<progress max="100" value="25.0"', "250 of 1,000",
                 "row 250", "<dd>5 min 00 s</dd>", "2.5 per second", "Reading › Rows",
                 "240 ok, 7 skipped, 3 failed", "<dd>30 s</dd>", "Last sign of life"):
        assert text in html
    assert "25 %" in show(site, '<<tasks space="Work"/>>')


@pytest.fixture
def settings_runs(site: Site) -> Runs:
    return Runs(site.settings.data / "runs")


def test_the_page_of_a_task_offers_what_can_be_done(admin: Browser, guest: Browser,
                                                    wiki: Wiki) -> None:
    add_run(task(wiki, "Failed", "ERROR"), outcome="ERROR", error="it broke <here>")
    html = admin.get("/Work.Failed").text
    assert ">Run again</button>" in html and 'href="/Work.Failed/run"' in html
    assert 'action="/Work.Failed/duplicate"' in html and "it broke &lt;here&gt;" in html
    assert 'action="/Work.Failed/task"' not in guest.get("/Work.Failed").text
    task(wiki, "Runs", "RUNNING")
    html = admin.get("/Work.Runs").text
    cancel = re.search(r'popovertarget="(.*?)">Cancel…</button><span [^>]*id="(.*?)" popover '
                       r'.*?<button [^>]*form="(.*?)" name="action" value="cancel"', html)
    assert cancel and cancel[1] == cancel[2] and f'<form id="{cancel[3]}" method="post"' in html


def test_files_of_a_run_are_apart_from_what_was_given(site: Site, wiki: Wiki) -> None:
    page = task(wiki, "One")
    page.attach("given.csv", b"a,b")
    page = page.save()
    add_run(page, ago=-36000, took=3600, number=4)
    page = wiki.get("Work.One")
    record = page.record
    late = replace(record.attachments[0], filename="made.csv",
                   created=now() + timedelta(hours=10.5))
    html = str(site.renderer.render_content(
        replace(record, content="<<taskfiles/>>", attachments=(*record.attachments, late)),
        RenderRequest("Users.Admin", {}, "")).html)
    made, given = html.index("made.csv"), html.index("given.csv")
    assert html.index("Results") < made < html.index("Input") < given
    assert "run 4" in html[made:given] and "3 Bytes" in html[given:]


def test_durations_are_told_in_words_and_drawn(site: Site, wiki: Wiki) -> None:
    page = task(wiki, "One")
    for number in range(1, 21):
        outcome = "ERROR" if number == 20 else "DONE"
        page = add_run(page, number, ago=4000 - 100 * number, took=number, waited=2,
                       outcome=outcome)
    html = show(site, '<<taskstats task="Work.One"/>>')
    assert "20 runs, 1 of them not DONE; took 10 s in the median, 95 % at most 19 s; " in html
    assert "waited 2.0 s in the median" in html
    assert html.count("bar done") == 19 and html.count("bar error") == 1
    assert html.count("runs/") == 20 and 'href="/Work.One/runs/20"' in html
    assert html == show(site, '<<taskstats executor="Executors.HelloWorld" limit="20"/>>')
    assert "5 runs" in show(site, '<<taskstats task="Work.One" limit="5"/>>')
    single = show(site, '<<taskstats task="Work.One" limit="1"/>>')
    assert "1 run, 1 of them not DONE; took 20 s; waited 2.0 s." in single
    assert "<svg" not in single
    assert "No run has ended" in show(site, '<<taskstats task="Tasks.HelloWorld"/>>')
    assert "not both" in show(site, '<<taskstats task="Work.One" executor="Work.One"/>>')


def test_the_timeline_shows_runs_waits_and_how_many_at_once(site: Site, wiki: Wiki) -> None:
    add_run(task(wiki, "One", title="First & last"), ago=3000, took=600, waited=300)
    add_run(task(wiki, "Two", "ERROR"), ago=2700, took=60, outcome="ERROR")
    add_run(task(wiki, "Old"), ago=3 * 3600, took=60)
    add_run(task(wiki, "Long", "RUNNING"), ago=3 * 3600, took=None)
    html = show(site, '<<timeline hours="1" space="Work"/>>')
    assert "3 runs of 3 tasks in the last hour, 1 of them not DONE." in html
    assert "First &amp; last" in html and "Old" not in html
    for css in ("bar done", "bar error", "bar running", "before"):
        assert html.count(f'class="{css}"') == 1
    assert "At once: at most 3" in html and '<li class="cancelled">CANCELLED</li>' in html
    running = re.search(r'class="bar running" x="([0-9.]+)%" y="[0-9.]+" width="([0-9.]+)%"', html)
    assert running and float(running[1]) == 0 and float(running[2]) == 100
    add_run(task(wiki, "Short"), ago=1, took=0.001)
    short = re.search(r'class="bar done" x="([0-9.]+)%" y="[0-9.]+" width="([0-9.]+)%"',
                      show(site, '<<timeline hours="24" space="Work"/>>'))
    assert short and float(short[2]) >= 0.2 and float(short[1]) + float(short[2]) <= 100
    assert "No task ran in the last 2 hours" in show(site, '<<timeline hours="2" space="No"/>>')
    assert "is not between" in show(site, '<<timeline hours="0"/>>')


def test_charts_fit_the_policy_and_have_names(site: Site, wiki: Wiki) -> None:
    page = task(wiki, "One")
    for number in range(1, 4):
        page = add_run(page, number, waited=5)
    for text in ('<<timeline space="Work"/>>', '<<taskstats task="Work.One"/>>',
                 '<<tasks space="Work"/>>', '<<taskprogress task="Work.One"/>>'):
        html = show(site, text)
        assert not re.search(r"\sstyle=|<style|<script|\son[a-z]+=", html)
        if "<svg" in html:
            assert re.search(r'<svg[^>]*aria-label="[^"]+"><title>[^<]+</title><desc>[^<]+', html)


def test_records_of_runs_survive_odd_values(wiki: Wiki) -> None:
    page = add_run(task(wiki, "One"), number=2)
    page = add_run(page, number=7, queued=None, finished=None, started=None)
    newest, older = runs_of(page.record)
    assert (newest.number, newest.seconds, newest.waited) == (7, None, None)
    assert (older.number, older.seconds) == (2, 10.0)
    assert [run.number for run in runs_since(wiki, now() - timedelta(hours=1), "Work")] == [2]
    found = executor_runs(wiki, page.reference.parse("Executors.HelloWorld"), 1)
    assert [run.number for run in found] == [2]


@pytest.mark.parametrize(("seconds", "words"), [
    (0, "0.0 s"), (0.44, "0.4 s"), (9.96, "10 s"), (59.4, "59 s"), (59.6, "1 min 00 s"),
    (3599.6, "1 h 00 min"), (3725, "1 h 02 min"), (90000, "1 d 01 h"), (-1, "0.0 s")])
def test_durations_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


def test_median_and_the_95th_of_a_hundred() -> None:
    assert Durations.of([]) is None and Durations.of([None]) is None
    assert Durations.of([3.0, None]) == Durations(1, 3.0, 3.0)
    assert Durations.of(float(n) for n in range(1, 101)) == Durations(100, 50.5, 95.0)
