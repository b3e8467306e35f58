"""What a run leaves behind: marks, the pages that it touched, and how they are taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.tasking import GOOD, Workshop, blocking
from wiki.api import Wiki
from wiki.errors import (
    AccessDenied,
    Conflict,
    InvalidDocument,
    NotFound,
    RevisionNotFound,
    StoreError,
    TaskError,
)
from wiki.model import GUEST, Document, Version
from wiki.references import Reference
from wiki.rights import ADMIN_USER
from wiki.store import Store, open_store
from wiki.store.base import Query
from wiki.store.files import PageFiles
from wiki.store.index import Index
from wiki.store.marks import Marks
from wiki.store.shadow import ShadowStore
from wiki.store.tinydb import TinyDBStore
from wiki.tasks.checkpoint import list_name
from wiki.tasks.names import RUN_CLASS, TASK_CLASS
from wiki.tasks.shadows import Shadows
from wiki.tasks.undo import Changes, Undo, same_page

RUN = "a1"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "data")
    yield opened
    opened.close()


@pytest.fixture
def people(store: Store) -> Wiki:
    return Wiki(store, "Users.Admin")


@pytest.fixture
def run(store: Store) -> Wiki:
    return Wiki(store, "Users.Admin", run=RUN)


def touched(store: Store, run: str = RUN) -> list[tuple[str, str, str, str]]:
    return [(str(page.reference), page.kind, str(page.before or ""), str(page.after or ""))
            for page in store.touched(run)]


# -- marks -----------------------------------------------------------------------------------


def test_a_mark_is_kept_for_the_next_to_open_the_wiki(store: Store, tmp_path: Path) -> None:
    wiki = Wiki(store)
    wiki.mark("done", "b")
    wiki.mark("done", "a")
    wiki.mark("done", "b")
    wiki.mark("other", "c")
    other = open_store(tmp_path / "data")
    assert list(other.marks("done")) == ["a", "b"]
    assert other.marked("other", "c") and not other.marked("other", "a")
    other.close()


def test_a_dropped_list_is_empty_and_the_others_are_as_they_were(store: Store) -> None:
    for name in ("done", "other"):
        store.mark(name, "a")
    store.unmark("done")
    assert not store.marked("done", "a")
    assert store.marked("other", "a")


def test_many_marks_come_back_in_order(store: Store) -> None:
    with store.batch():
        for number in range(2500):
            store.mark("done", f"{number:05}")
    assert list(store.marks("done")) == [f"{number:05}" for number in range(2500)]


@pytest.mark.parametrize("key", ["", "a\0b", "\ud800", "x" * 5000])
def test_what_is_no_key_is_refused(store: Store, key: str) -> None:
    with pytest.raises(InvalidDocument, match="cannot be marked"):
        store.mark("done", key)


def test_a_mark_in_a_batch_waits_for_the_saves_before_it(store: Store, tmp_path: Path) -> None:
    wiki = Wiki(store)
    other = open_store(tmp_path / "data")
    with store.batch():
        wiki.new("A.One").save()
        wiki.mark("done", "one")
        assert wiki.marked("done", "one")
        assert not other.marked("done", "one")
    assert other.marked("done", "one") and other.exists(Reference.parse("A.One"))
    other.close()


def test_a_long_batch_is_never_cut_between_a_save_and_its_mark(
        store: Store, tmp_path: Path) -> None:
    wiki = Wiki(store)
    other = open_store(tmp_path / "data")
    commits = set()
    with store.batch():
        for number in range(700):
            wiki.new(f"A.P{number}").save()
            assert_same(len(list(other.marks("done"))), other)
            wiki.new(f"B.P{number}").save()
            assert_same(len(list(other.marks("done"))), other)
            wiki.mark("done", f"{number}")
            commits.add(len(list(other.marks("done"))))
    assert len(commits) > 3
    other.close()


def assert_same(marks: int, store: Store) -> None:
    """The pages of so many items are there, and none of the next."""
    for space in ("A", "B"):
        assert not marks or store.exists(Reference.parse(f"{space}.P{marks - 1}"))
        assert not store.exists(Reference.parse(f"{space}.P{marks}"))


def test_a_conflict_keeps_the_marks_behind_it_out(store: Store, tmp_path: Path) -> None:
    wiki = Wiki(store)
    page = wiki.new("A.One").save()
    other = open_store(tmp_path / "data")
    with pytest.raises(Conflict), store.batch():
        wiki.new("A.Before").save()
        wiki.mark("done", "before")
        page.save()
        wiki.mark("done", "one")
        Wiki(other).get("A.One").save()
    other.close()
    assert list(store.marks("done")) == ["before"]


def test_a_commit_that_was_cut_off_is_finished_with_its_marks(
        store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wiki = Wiki(store, run=RUN)

    def fail(*_: object, **__: object) -> None:
        raise OSError("cut off")

    for owner, name in ((PageFiles, "write"), (Marks, "apply"), (Index, "update")):
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, fail)
            with pytest.raises((StoreError, OSError)), store.batch():
                wiki.new(f"A.{name}").save()
                wiki.mark("done", name)
        other = open_store(tmp_path / "data")
        assert other.marked("done", name) and other.exists(Reference.parse(f"A.{name}"))
        other.close()
    assert [row[:2] for row in touched(store)] == [
        ("A.apply", "created"), ("A.update", "created"), ("A.write", "created")]


# -- touched pages ---------------------------------------------------------------------------


def test_a_revision_tells_which_run_wrote_it(people: Wiki, run: Wiki) -> None:
    page = people.new("A.One").save()
    run.get("A.One").save()
    assert page.run == ""
    assert [revision.run for revision in people.get("A.One").revisions()] == [RUN, ""]
    assert people.get("A.One").save().run == ""


def test_a_run_lists_the_pages_that_it_touched(store: Store, people: Wiki, run: Wiki) -> None:
    for name in ("A.Changed", "A.Deleted", "A.Moved", "A.Other"):
        people.new(name).save()
    with run.batch():
        run.new("A.Created").save().save()
        run.get("A.Changed").save().save()
        run.new("A.Passing").save()
    run.get("A.Passing").delete()
    run.get("A.Deleted").delete()
    run.get("A.Moved").rename("B.Moved")
    people.get("A.Other").save()
    assert touched(store) == [
        ("A.Changed", "changed", "1.1", "3.1"), ("A.Created", "created", "", "2.1"),
        ("A.Deleted", "deleted", "1.1", ""), ("B.Moved", "moved", "1.1", "2.1")]
    assert store.touched(RUN)[-1].origin == Reference.parse("A.Moved")
    assert store.touched("b2") == []


def test_a_page_moved_twice_is_known_by_its_first_name(
        store: Store, people: Wiki, run: Wiki) -> None:
    people.new("A.One").save()
    run.get("A.One").rename("A.Two").rename("A.Three")
    run.new("B.One").save().rename("B.Two")
    assert touched(store) == [("A.Three", "moved", "1.1", "3.1"),
                              ("B.Two", "created", "", "2.1")]
    assert store.touched(RUN)[0].origin == Reference.parse("A.One")
    run.get("A.Three").rename("A.One")
    assert touched(store)[0] == ("A.One", "changed", "1.1", "4.1")


def test_what_a_run_deletes_is_kept_with_its_revisions(
        store: Store, people: Wiki, run: Wiki) -> None:
    people.new("A.One", content="first").save()
    page = people.get("A.One")
    page.content = "second"
    page.save()
    run.get("A.One").delete()
    one = Reference.parse("A.One")
    assert "A.One" not in people
    assert store.deleted(RUN, one, Version(1, 1)).content == "first"
    with pytest.raises(RevisionNotFound):
        store.deleted("b2", one, Version(1, 1))
    back = store.deleted(RUN, one, Version(2, 1))
    store.restore(RUN, [(replace(back, version=Version(3, 1)), Version(2, 1))])
    assert people.get("A.One").content == "second"
    assert [str(revision.version) for revision in store.revisions(one)] == ["3.1", "2.1", "1.1"]
    assert people.revision("A.One", "1.1").content == "first"
    with pytest.raises(RevisionNotFound):
        store.deleted(RUN, one, Version(2, 1))


# -- runs ------------------------------------------------------------------------------------


SCRIPT = """
def run(logger, wiki, task):
    page = wiki.get("A.Changed")
    page.content = "by the run"
    page.save()
    page.content = "by the run, again"
    page.save()
    made = wiki.new("A.Created", content="new")
    made.attach("a.txt", b"text")
    made.save()
    wiki.get("A.Deleted").delete()
    wiki.get("A.Moved").rename("B.Moved")
    edited = wiki.get("A.Edited")
    edited.title = "by the run"
    edited.save()
"""
NAMES = ("A.Changed", "A.Deleted", "A.Edited", "A.Linking", "A.Moved")


class Shop(Workshop):
    """With some pages that a run touches."""

    def __init__(self, data: Path) -> None:
        super().__init__(data)
        self.shadows: list[ShadowStore] = []

    def __exit__(self, *error: object) -> None:
        for shadow in self.shadows:
            shadow.overlay.close()
        super().__exit__(*error)

    def fill(self) -> dict[str, Document]:
        for name in NAMES:
            page = self.admin.new(name, content=f"first [[A.Moved]] {name}", title=name)
            page.save()
            page.content += " second"
            page.save()
        return {name: self.wiki.get(name).record for name in NAMES}

    def undo(self) -> Undo:
        return Undo(self.wiki, self.store, self.logs, self.data)

    def changes(self, name: str = "Tasks.One") -> Changes:
        return Changes(self.admin, str(self.last_run(name)["id"]), Reference.parse(name))

    def states(self) -> dict[str, str]:
        changes = self.changes()
        return {str(touched.reference): str(changes.judge(touched).state)
                for touched in changes.all()}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with Shop(tmp_path / "shop") as opened:
        yield opened


def test_a_run_is_taken_back_but_for_what_people_changed_since(shop: Shop) -> None:
    before = shop.fill()
    assert shop.run(SCRIPT) == "DONE", shop.log()
    assert shop.wiki.get("A.Linking").content.startswith("first [[B.Moved]]")
    edited = shop.admin.get("A.Edited")
    edited.content = "by a person"
    edited.save()
    assert shop.states() == {"A.Changed": "open", "A.Created": "open", "A.Deleted": "open",
                             "A.Edited": "kept", "A.Linking": "open", "B.Moved": "open"}
    done = shop.undo().undo("Tasks.One", 1, ADMIN_USER)
    assert (done.back, done.kept) == (5, 1)
    assert "by Users.Admin came after it" in done.named[0].reason
    assert "A.Created" not in shop.wiki and "B.Moved" not in shop.wiki
    for name in NAMES:
        now = shop.wiki.get(name).record
        assert same_page(now, before[name]) == (name != "A.Edited"), name
        assert now.run == ""
    assert shop.wiki.get("A.Edited").content == "by a person"
    assert "Run 1 of Tasks.One taken back" in shop.wiki.get("A.Deleted").comment
    assert [str(item.version) for item in shop.wiki.get("A.Deleted").revisions()] == [
        "3.1", "2.1", "1.1"]
    assert shop.last_run()["undone"] is not None
    assert "Users.Admin took run 1 back: 5 pages put back, 1 page kept" in shop.log()
    assert "kept A.Edited" in shop.log()


def test_taking_back_twice_changes_nothing_more(shop: Shop) -> None:
    shop.fill()
    assert shop.run(SCRIPT) == "DONE"
    shop.undo().undo("Tasks.One", 1, ADMIN_USER)
    versions = {name: shop.wiki.get(name).version for name in NAMES}
    assert set(shop.states().values()) == {"back"}
    assert shop.undo().undo("Tasks.One", 1, ADMIN_USER).kept == 0
    assert {name: shop.wiki.get(name).version for name in NAMES} == versions


def test_taking_back_goes_on_where_a_crash_ended_it(
        shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    before = shop.fill()
    assert shop.run(SCRIPT) == "DONE"
    with monkeypatch.context() as patch:
        patch.setattr(TinyDBStore, "restore", _crash)
        with pytest.raises(MemoryError):
            shop.undo().undo("Tasks.One", 1, ADMIN_USER)
    assert "A.Created" not in shop.wiki and "A.Deleted" not in shop.wiki
    assert shop.last_run()["undone"] is None
    shop.undo().undo("Tasks.One", 1, ADMIN_USER)
    assert all(same_page(shop.wiki.get(name).record, before[name]) for name in NAMES)


def _crash(*_: object) -> None:
    raise MemoryError


def test_an_edit_between_two_saves_of_a_run_is_not_lost(shop: Shop) -> None:
    shop.fill()
    run = Wiki(shop.store, ADMIN_USER, run=RUN)
    run.get("A.Changed").save()
    page = shop.admin.get("A.Changed")
    page.title = "by a person"
    page.save()
    run.get("A.Changed").save()
    changes = Changes(shop.admin, RUN, Reference.parse("Tasks.One"))
    assert changes.judge(changes.page()[0]).state == "kept"


def test_a_page_that_a_run_deleted_and_made_anew_is_put_back(shop: Shop) -> None:
    before = shop.fill()
    assert shop.run('def run(logger, wiki, task):\n    wiki.get("A.Deleted").delete()\n'
                    '    wiki.new("A.Deleted", content="anew").save()\n') == "DONE"
    shop.undo().undo("Tasks.One", 1, ADMIN_USER)
    assert same_page(shop.wiki.get("A.Deleted").record, before["A.Deleted"])


def anew(run: Wiki) -> None:
    run.get("A.One").delete()
    run.new("A.One", content="anew").save()


def moved_and_deleted(run: Wiki) -> None:
    run.get("A.One").rename("B.One").delete()


def moved_in_place_of_a_deleted_page(run: Wiki) -> None:
    run.get("B.Two").delete()
    run.get("A.One").rename("B.Two")


def moved_in_place_of_a_passing_page(run: Wiki) -> None:
    run.new("B.One").save().delete()
    run.get("A.One").rename("B.One")


def moved_and_made_anew(run: Wiki) -> None:
    run.get("A.One").rename("B.One")
    run.new("A.One", content="anew").save()


def moved_in_a_row(run: Wiki) -> None:
    run.get("B.Two").rename("C.Three")
    run.get("A.One").rename("B.Two")


@pytest.mark.parametrize("act", [anew, moved_and_deleted, moved_in_place_of_a_deleted_page,
                                 moved_in_place_of_a_passing_page, moved_and_made_anew,
                                 moved_in_a_row])
def test_pages_that_change_places_are_put_back(shop: Shop, act: Callable[[Wiki], None]) -> None:
    for name in ("A.One", "B.Two"):
        shop.admin.new(name, content=f"first {name}").save()
    before = {str(row.reference): shop.wiki.get(row.reference).record
              for row in shop.wiki.rows(Query())}
    act(Wiki(shop.store, ADMIN_USER, run=RUN))
    task = shop.task()
    task.add_object(RUN_CLASS, number=1, id=RUN, outcome="DONE")
    task.save()
    done = shop.undo().undo("Tasks.One", 1, ADMIN_USER)
    assert done.kept == 0, done.named
    now = {str(row.reference): shop.wiki.get(row.reference).record
           for row in shop.wiki.rows(Query()) if str(row.reference) != "Tasks.One"}
    assert now.keys() == before.keys() - {"Tasks.One"}
    assert all(same_page(now[name], before[name]) for name in now)
    assert "open" not in shop.states().values()


def test_a_page_of_the_same_name_and_version_is_not_taken_for_the_run_s(shop: Shop) -> None:
    Wiki(shop.store, ADMIN_USER, run=RUN).new("A.One", content="by the run").save()
    shop.admin.get("A.One").delete()
    shop.admin.new("A.One", content="by a person").save()
    changes = Changes(shop.admin, RUN, Reference.parse("Tasks.One"))
    assert changes.judge(changes.page()[0]).state == "kept"
    assert changes.after(changes.page()[0]) is None


def test_taking_back_arms_nothing_that_was_not_armed(shop: Shop) -> None:
    jo = shop.wiki.as_user("Users.Jo")
    jo.new("A.Mine", content="<<jinja>>{{ 1 }}<</jinja>>").save()
    shop.run('def run(logger, wiki, task):\n    page = wiki.get("A.Mine")\n'
             '    page.content = "harmless"\n    page.save()\n')
    assert shop.wiki.get("A.Mine").content_author == ADMIN_USER
    shop.undo().undo("Tasks.One", 1, ADMIN_USER)
    mine = shop.wiki.get("A.Mine")
    assert "jinja" in mine.content and mine.content_author == "Users.Jo"


def test_who_may_not_script_brings_back_a_script_that_does_not_run(shop: Shop) -> None:
    shop.executor("Executors.Old", GOOD)
    shop.run('def run(logger, wiki, task):\n    wiki.get("Executors.Old").delete()\n')
    shop.undo().undo("Tasks.One", 1, "Users.Jo")
    old = shop.wiki.get("Executors.Old")
    assert (old.content_author, old.script_author) == ("Users.Jo", "Users.Jo")


def test_only_who_may_edit_takes_a_run_back(shop: Shop) -> None:
    shop.run(GOOD)
    with pytest.raises(AccessDenied):
        shop.undo().undo("Tasks.One", 1, GUEST)
    with pytest.raises(NotFound, match="no run 7"):
        shop.undo().undo("Tasks.One", 7, ADMIN_USER)


def test_who_may_edit_takes_back_what_a_run_created(shop: Shop) -> None:
    shop.fill()
    shop.run('def run(logger, wiki, task):\n    wiki.new("A.Created").save()\n')
    assert shop.undo().undo("Tasks.One", 1, "Users.Jo").back == 1
    assert "A.Created" not in shop.wiki


def test_a_run_that_goes_on_is_not_taken_back(shop: Shop, tmp_path: Path) -> None:
    shop.executor(script=blocking(tmp_path / "started", tmp_path / "release"))
    shop.task()
    shop.invoke()
    with pytest.raises(TaskError, match="goes on"):
        shop.undo().undo("Tasks.One", 1, ADMIN_USER)
    (tmp_path / "release").touch()
    shop.wait()


# -- dry runs --------------------------------------------------------------------------------


def dry_run(shop: Shop, script: str) -> Changes:
    """Run the script dry as ``Tasks.One``; what it would change."""
    shop.executor("Executors.It", script)
    task = shop.task(executor="Executors.It")
    obj = task.object(TASK_CLASS)
    assert obj is not None
    obj["dryRun"] = True
    task.save()
    shop.invoke()
    shop.wait()
    assert shop.last_run()["dryRun"] is True
    run = str(shop.last_run()["id"])
    shadow = Shadows(shop.data).open(shop.store, "Tasks.One", run)
    assert shadow is not None
    shop.shadows.append(shadow)
    return Changes(Wiki(shadow, ADMIN_USER), run, task.reference)


def test_a_dry_run_shows_what_it_would_change_and_changes_nothing(shop: Shop) -> None:
    before = shop.fill()
    changes = dry_run(shop, SCRIPT)
    assert {name: shop.wiki.get(name).record for name in NAMES} == before
    assert "A.Created" not in shop.wiki and "B.Moved" not in shop.wiki
    assert shop.wiki.touched(str(shop.last_run()["id"])) == []
    found = {str(row.reference): row for row in changes.all()}
    assert {name: row.kind for name, row in found.items()} == {
        "A.Changed": "changed", "A.Created": "created", "A.Deleted": "deleted",
        "A.Edited": "changed", "A.Linking": "changed", "B.Moved": "moved"}
    new = changes.after(found["A.Changed"])
    assert new is not None and new.content == "by the run, again"
    for name in ("A.Changed", "A.Deleted"):
        assert changes.before(found[name]) == before[name]
    assert changes.before(found["B.Moved"]) == before["A.Moved"]
    assert shop.status() == "SUSPENDED"


def test_a_task_keeps_what_its_last_dry_run_would_do(shop: Shop) -> None:
    dry_run(shop, GOOD)
    first = str(shop.last_run()["id"])
    task = shop.admin.get("Tasks.One")
    obj = task.object(TASK_CLASS)
    assert obj is not None
    obj.update(status="READY", dryRun=True)
    task.save()
    shop.invoke()
    shop.wait()
    assert Shadows(shop.data).open(shop.store, "Tasks.One", first) is None


def test_a_dry_run_cannot_be_taken_back(shop: Shop) -> None:
    dry_run(shop, GOOD)
    with pytest.raises(TaskError, match="dry run"):
        shop.undo().undo("Tasks.One", 1, ADMIN_USER)


def test_what_is_taken_back_is_no_longer_marked_as_done(shop: Shop) -> None:
    shop.run('def run(logger, wiki, task):\n    raise ValueError("late")\n')
    checkpoint = list_name(str(shop.last_run()["checkpoint"]))
    shop.wiki.mark(checkpoint, "done:a")
    shop.undo().undo("Tasks.One", 1, ADMIN_USER)
    assert not shop.wiki.marked(checkpoint, "done:a")


def test_a_run_is_not_taken_back_while_another_goes_on_from_it(shop: Shop) -> None:
    shop.run('def run(logger, wiki, task):\n    raise ValueError("late")\n')
    task = shop.wiki.get("Tasks.One")
    task.add_object(RUN_CLASS, number=2, id="c3", checkpoint=shop.last_run()["checkpoint"])
    task.save()
    with pytest.raises(TaskError, match=r"Run 2 of .* goes on"):
        shop.undo().undo("Tasks.One", 1, ADMIN_USER)
