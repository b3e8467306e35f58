"""What is the embedded store's own: its files, its journal, its index, and their repair."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect
from tinydb import TinyDB

from wiki.errors import Conflict, DamagedPage, DocumentNotFound, StoreError
from wiki.model import FIRST, Attachment, Document, Object, Version
from wiki.references import Reference
from wiki.store import commit, names, open_store
from wiki.store.base import Binned, Condition, Query, Store
from wiki.store.pagedb import PageStorage
from wiki.store.query import statement_of

CLASS = "Code.C"
SECOND = Version(2, 1)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def store(data: Path) -> Iterator[Store]:
    opened = open_store(data)
    yield opened
    opened.close()


def page(name: str, content: str = "", version: Version = FIRST, **values: object) -> Document:
    return Document(Reference.parse(name), content=content, version=version,
                    objects=(Object(CLASS, 0, values),))


def file_of(data: Path, name: str) -> Path:
    return data / "pages" / f"{names.page_path(Reference.parse(name))}.json"


def found(store: Store, query: Query | None = None) -> list[str]:
    return [str(row.reference) for row in store.query(query or Query())]


def problems(store: Store) -> list[str]:
    return [f"{problem.where}: {problem.what}" for problem in store.check()]


# -- names -----------------------------------------------------------------------------------

NAME = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"),
                             exclude_characters="/"), min_size=1, max_size=80).map(
    str.strip).filter(bool)


@given(NAME)
def test_a_file_name_is_safe_short_and_gives_the_name_back(name: str) -> None:
    name = Reference(("A",), name).name
    encoded = names.encode(name)
    assert len(encoded.encode()) <= names.MAX_BYTES
    assert not set(encoded) & set('./\\:*?"<>|\x00')
    assert names.decode(encoded) in (name, None)
    assert names.decode(encoded) == name or len(name.encode()) > 40


@given(NAME, NAME)
def test_two_names_never_share_a_file_where_case_does_not_count(one: str, other: str) -> None:
    one, other = Reference(("A",), one).name, Reference(("A",), other).name
    if one != other:
        assert names.encode(one).casefold() != names.encode(other).casefold()


@pytest.mark.parametrize(("one", "other"), [
    ("page", "Page"), ("straße", "STRASSE"), ("straße", "strasse"), ("ﬁ", "fi"),
    ("x" * 255, "x" * 254 + "y"), ("a~b", "a%7Eb")])
def test_names_that_a_file_system_may_confuse_get_files_of_their_own(one: str,
                                                                    other: str) -> None:
    assert names.encode(one).casefold() != names.encode(other).casefold()


@pytest.mark.parametrize("name", ["con", "CON", "nul", "lpt1", "com9"])
def test_a_name_that_windows_keeps_for_itself_is_no_file_name(name: str) -> None:
    assert names.encode(name).casefold() != name.casefold()
    assert names.decode(names.encode(name)) == name


# -- files -----------------------------------------------------------------------------------


def test_a_page_s_file_is_a_tinydb_database(store: Store, data: Path) -> None:
    store.save(page("A.page", "text", status="READY"), None)
    with TinyDB(file_of(data, "A.page"), storage=PageStorage) as database:
        assert database.table("document").all()[0]["content"] == "text"
        assert database.table("objects").all()[0]["values"] == {"status": "READY"}


def test_a_damaged_page_breaks_itself_alone(store: Store, data: Path) -> None:
    for name in ("A.bad", "A.good"):
        store.save(page(name, "needle"), None)
    for text in ('{"document": {"1": {"ref', "", "[]", "null", '{"document": {}}', "\x00" * 50,
                 "[" * 100_000):
        file_of(data, "A.bad").write_text(text)
        with pytest.raises(DamagedPage, match="bad"):
            store.get(Reference.parse("A.bad"))
    with pytest.raises(DamagedPage):
        store.save(page("A.bad", version=SECOND), FIRST)
    assert store.exists(Reference.parse("A.bad"))
    assert store.get(Reference.parse("A.good")).content == "needle"
    assert [problem.where for problem in store.check()] == [str(file_of(data, "A.bad"))]
    assert [item.where for item in store.heal().damaged] == [str(file_of(data, "A.bad"))]
    assert store.reindex() == 1
    store.delete(Reference.parse("A.bad"))
    assert problems(store) == []


def test_a_page_s_file_under_another_name_is_damage(store: Store, data: Path) -> None:
    store.save(page("A.one"), None)
    file_of(data, "A.two").write_bytes(file_of(data, "A.one").read_bytes())
    with pytest.raises(DamagedPage, match=r"A\.one"):
        store.get(Reference.parse("A.two"))
    assert len(problems(store)) == 1


def test_files_changed_under_the_wiki_are_healed(store: Store, data: Path) -> None:
    for name in ("A.changed", "A.gone", "A.same", "B.gone"):
        store.save(page(name, "before"), None)
    text = file_of(data, "A.changed").read_text()
    file_of(data, "A.changed").write_text(text.replace("before", "afterwards"))
    for name in ("A.gone", "B.gone"):
        file_of(data, name).unlink()
    new = file_of(data, "C.D.new")
    new.parent.mkdir(parents=True)
    new.write_text(text.replace("A.changed", "C.D.new"))
    assert len(problems(store)) == 4
    healing = store.heal()
    assert (healing.indexed, healing.dropped, healing.damaged) == (2, 2, [])
    assert found(store) == ["A.changed", "C.D.new", "A.same"]
    assert [str(hit.reference) for hit in store.search("afterwards")] == ["A.changed"]
    assert store.get(Reference.parse("A.changed")).content == "afterwards"
    assert problems(store) == []


def test_check_names_attachments_that_are_lost_or_cut(store: Store, data: Path) -> None:
    kept = {}
    for name in ("whole", "lost", "cut"):
        blob = store.put_blob(name.encode())
        kept[name] = Attachment(name, blob.size, "text/plain", blob.sha256)
    document = replace(page("A.B"), attachments=tuple(kept.values()))
    store.save(document, None)
    for name in ("lost", "cut"):
        sha256 = kept[name].sha256
        path = data / "blobs" / sha256[:2] / sha256[2:]
        if name == "lost":
            path.unlink()
        else:
            path.write_bytes(b"")
    assert problems(store) == ["A.B: the bytes of lost are missing",
                               "A.B: cut has 0 bytes instead of 3"]


def test_check_finds_nothing_wrong_while_others_write(store: Store, data: Path) -> None:
    ended = threading.Event()

    def write() -> None:
        with closing(open_store(data)) as other:
            for number in range(200):
                with other.batch():
                    other.save(page(f"A.p{number}"), None)
                    other.save(page(f"A.q{number % 5}-{number}"), None)
                if number % 7 == 6:
                    other.delete(Reference.parse(f"A.p{number - 3}"))
        ended.set()

    writer = threading.Thread(target=write)
    writer.start()
    found_wrong: list[str] = []
    try:
        while not ended.is_set():
            found_wrong += problems(store)
    finally:
        writer.join()
    assert found_wrong == []
    assert problems(store) == []


def test_check_names_a_damaged_revision(store: Store, data: Path) -> None:
    store.save(page("A.b"), None)
    store.save(page("A.b", version=SECOND), FIRST)
    revision = next((data / "history").rglob("1.1.json"))
    revision.unlink()
    revision.write_text("{")
    assert [problem.where for problem in store.check()] == [str(revision)]
    assert [item.version for item in store.revisions(Reference.parse("A.b"))] == [SECOND]
    with pytest.raises(DamagedPage):
        store.revision(Reference.parse("A.b"), FIRST)


def test_a_directory_that_cannot_hold_a_wiki_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot hold a wiki"):
        open_store(tmp_path / "file" / "data")


# -- the journal -------------------------------------------------------------------------------


def leave_unapplied(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> None:
    """Do what a crash between the journal and the files leaves."""
    with monkeypatch.context() as patch:
        patch.setattr(commit.Committer, "_apply", fail)
        with pytest.raises(StoreError, match="in the journal"):
            change()


def fail(*_: object) -> None:
    raise OSError("no more")


def test_what_is_in_the_journal_is_done_at_open(store: Store, data: Path,
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    store.save(page("A.b", "one"), None)
    leave_unapplied(monkeypatch, lambda: store.save(page("A.b", "two", SECOND), FIRST))
    assert store.get(Reference.parse("A.b")).content == "one"
    with closing(open_store(data)) as other:
        assert other.get(Reference.parse("A.b")).content == "two"
        assert [item.version for item in other.revisions(Reference.parse("A.b"))] == [
            SECOND, FIRST]
        assert [str(hit.reference) for hit in other.search("two")] == ["A.b"]
        assert problems(other) == []


def test_what_is_in_the_journal_is_done_by_the_next_writer(
        store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.save(page("A.b", "one"), None)
    leave_unapplied(monkeypatch, lambda: store.save(page("A.b", "two", SECOND), FIRST))
    with pytest.raises(Conflict):
        store.save(page("A.b", "three", SECOND), FIRST)
    assert store.get(Reference.parse("A.b")).content == "two"


def test_a_rename_or_delete_in_the_journal_is_done(store: Store, data: Path,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("A.b", "A.c"):
        store.save(page(name), None)
    leave_unapplied(monkeypatch, lambda: store.rename(
        Reference.parse("A.b"), page("A.d", "moved", SECOND), FIRST))
    with closing(open_store(data)) as other:
        assert found(other) == ["A.c", "A.d"]
        assert [item.version for item in other.revisions(Reference.parse("A.d"))] == [
            SECOND, FIRST]
    leave_unapplied(monkeypatch, lambda: store.delete(Reference.parse("A.c")))
    with closing(open_store(data)) as other:
        assert found(other) == ["A.d"]
        assert problems(other) == []


def put_into_bin(store: Store, name: str) -> None:
    reference = Reference.parse(name)
    store.delete(reference, binned=Binned(f"bin{name[-1]}", reference, name, FIRST, "Users.Me",
                                          datetime.now(UTC), ""))


@pytest.mark.parametrize("change", [
    lambda store: store.rename(Reference.parse("A.b"), page("A.d", "moved", SECOND), FIRST),
    lambda store: store.delete(Reference.parse("A.b")),
    lambda store: put_into_bin(store, "A.c"),
    lambda store: store.restore("bina", [(page("A.a", "back", SECOND), FIRST)]),
    lambda store: store.purge([("bina", Reference.parse("A.a"))]),
], ids=["rename", "delete", "into the bin", "out of the bin", "purge"])
def test_a_power_loss_that_brings_the_old_journal_back_changes_nothing(
        store: Store, data: Path, change: Callable[[Store], object],
        monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("A.a", "A.b", "A.c"):
        store.save(page(name), None)
    put_into_bin(store, "A.a")
    store.save(page("A.e"), None)
    journal, old = data / "journal", data / "old"
    with monkeypatch.context() as patch:
        patch.setattr(commit, "sync_file_systems", lambda _: shutil.copy(journal, old))
        change(store)

    def state(store: Store) -> object:
        names = found(store)
        return names, [(store.get(Reference.parse(name)), store.versions(Reference.parse(name)))
                       for name in names], store.bin(), problems(store)

    before = state(store)
    store.close()
    os.replace(old, journal)
    monkeypatch.setattr(commit, "boot_id", lambda: "another boot")
    with closing(open_store(data)) as other:
        assert state(other) == before


@pytest.mark.parametrize("kept", [1, 15, 16, 40, -1])
def test_a_torn_record_is_dropped(store: Store, data: Path, kept: int,
                                  monkeypatch: pytest.MonkeyPatch) -> None:
    store.save(page("A.b", "one"), None)
    journal = data / "journal"
    whole = journal.stat().st_size
    leave_unapplied(monkeypatch, lambda: store.save(page("A.b", "two", SECOND), FIRST))
    record = journal.stat().st_size - whole
    os.truncate(journal, whole + kept % record)
    with closing(open_store(data)) as other:
        assert other.get(Reference.parse("A.b")).content == "one"
        other.save(page("A.b", "three", SECOND), FIRST)
    with closing(open_store(data)) as other:
        assert other.get(Reference.parse("A.b")).content == "three"
        assert problems(other) == []


def test_after_a_power_loss_torn_pages_come_back_from_the_journal(
        store: Store, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.save(page("A.b", "one"), None)
    store.save(page("A.b", "two", SECOND), FIRST)
    with store.batch():
        store.save(page("A.b", "three", Version(3, 1)), SECOND)
        store.save(page("A.b", "four", Version(4, 1)), Version(3, 1))
        store.save(page("A.lost", "here"), None)
    store.close()
    file_of(data, "A.b").write_bytes(b"\x00" * 100)
    file_of(data, "A.lost").unlink()
    for revision in (data / "history").rglob("[23].1.json"):
        revision.unlink()
        revision.write_bytes(b"")
    (data / "index.db").unlink()
    monkeypatch.setattr(commit, "boot_id", lambda: "another boot")
    with closing(open_store(data)) as other:
        reference = Reference.parse("A.b")
        assert [str(item.version) for item in other.revisions(reference)] == [
            "4.1", "3.1", "2.1", "1.1"]
        assert [other.revision(reference, Version(number, 1)).content
                for number in (1, 2, 3, 4)] == ["one", "two", "three", "four"]
        assert found(other) == ["A.b", "A.lost"]
        assert problems(other) == []


def test_past_its_size_the_journal_begins_anew(store: Store, data: Path,
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit, "CHECKPOINT", 5000)
    for number in range(40):
        store.save(page(f"A.p{number}", "x" * 500), None)
    assert (data / "journal").stat().st_size < 7000
    assert len(found(store)) == 40
    with closing(open_store(data)) as other:
        assert problems(other) == []


def test_a_sync_that_fails_is_a_save_that_fails_and_the_last_one(
        store: Store, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.save(page("A.b", "one"), None)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", fail)
        with pytest.raises(StoreError, match="could not be made durable"):
            store.save(page("A.b", "two", SECOND), FIRST)
    with pytest.raises(StoreError, match="opened anew"):
        store.save(page("A.c"), None)
    assert store.get(Reference.parse("A.b")).content == "one"
    with closing(open_store(data)) as other:
        other.save(page("A.b", "three", SECOND), FIRST)
        assert found(other) == ["A.b"]


def test_a_removal_whose_sync_fails_is_kept_in_the_journal_and_the_last_one(
        store: Store, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.save(page("A.b"), None)
    store.save(page("A.c"), None)
    with monkeypatch.context() as patch:
        patch.setattr("wiki.store.journal._syncfs", lambda: lambda descriptor: -1)
        with pytest.raises(StoreError, match="could not be made durable"):
            store.delete(Reference.parse("A.b"))
    with pytest.raises(StoreError, match="opened anew"):
        store.save(page("A.d"), None)
    assert b'["delete", "A.b"' in (data / "journal").read_bytes()
    with closing(open_store(data)) as other:
        other.save(page("A.d"), None)
        assert sorted(found(other)) == ["A.c", "A.d"] and problems(other) == []


def test_a_full_disk_fails_the_save_and_nothing_else(
        store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.save(page("A.b", "one"), None)
    with monkeypatch.context() as patch:
        patch.setattr("wiki.store.journal._write_all", fail)
        with pytest.raises(StoreError, match="nothing was saved"):
            store.save(page("A.b", "two", SECOND), FIRST)
    store.save(page("A.b", "three", SECOND), FIRST)
    assert store.get(Reference.parse("A.b")).content == "three"


# -- the index ---------------------------------------------------------------------------------


def test_an_index_that_is_gone_or_garbage_is_built_anew_at_open(store: Store,
                                                               data: Path) -> None:
    store.save(page("A.b", status="READY"), None)
    store.close()
    index = data / "index.db"
    for damage in (index.unlink, lambda: index.write_bytes(b"garbage" * 1000),
                   lambda: index.write_bytes(b"")):
        damage()
        for beside in ("index.db-wal", "index.db-shm"):
            (data / beside).unlink(missing_ok=True)
        with closing(open_store(data)) as other:
            assert found(other, Query(CLASS)) == ["A.b"]
            assert problems(other) == []


def test_reindexing_does_not_take_the_index_from_those_that_have_it_open(
        store: Store, data: Path) -> None:
    store.save(page("A.b"), None)
    with closing(open_store(data)) as other:
        assert other.reindex() == 1
    store.save(page("A.c"), None)
    with closing(open_store(data)) as other:
        assert found(other) == ["A.b", "A.c"]


def test_no_byte_of_a_password_is_in_the_index(store: Store, data: Path) -> None:
    store.save(page("Users.A", password={"hash": "topsecret"}, mail="visible"), None)
    store.close()
    with closing(sqlite3.connect(data / "index.db")) as connection:
        dump = "\n".join(connection.iterdump())
    assert "visible" in dump
    assert "topsecret" not in dump


def test_the_query_of_ready_pages_is_served_in_order_by_one_index(store: Store,
                                                                  data: Path) -> None:
    store.save(page("A.b", status="READY"), None)
    ready = Query(CLASS, (Condition("status", "eq", "READY"),), hidden=False)
    statement, _ = statement_of(ready)
    sql = str(statement.limit(20).compile(dialect=sqlite_dialect(),
                                          compile_kwargs={"literal_binds": True}))
    with closing(sqlite3.connect(data / "index.db")) as connection:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]
    assert any("properties_by_value" in line for line in plan)
    assert not any("TEMP B-TREE" in line or "SCAN" in line for line in plan)


# -- processes ---------------------------------------------------------------------------------


def test_several_processes_save_at_once_and_lose_nothing(store: Store, data: Path) -> None:
    store.save(page("A.counter", "0"), None)
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=count_up, args=(data, number)) for number in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
        process.close()
    assert store.get(Reference.parse("A.counter")).content == "45"
    assert len(store.revisions(Reference.parse("A.counter"))) == 46
    assert store.count(Query(space="Own")) == 45
    assert problems(store) == []


def count_up(data: Path, number: int) -> None:
    store = open_store(data)
    for turn in range(15):
        store.save(page(f"Own.p{number}x{turn}"), None)
        while True:
            counter = store.get(Reference.parse("A.counter"))
            raised = replace(counter, content=str(int(counter.content) + 1),
                             version=counter.version.next())
            try:
                store.save(raised, counter.version)
            except Conflict:
                continue
            break
    store.close()


def test_a_forked_child_goes_on_with_the_store_that_it_inherits(store: Store) -> None:
    store.save(page("A.b", "one"), None)
    assert found(store) == ["A.b"]
    process = multiprocessing.get_context("fork").Process(target=use_inherited, args=(store,))
    process.start()
    process.join(30)
    assert process.exitcode == 0
    process.close()
    store.save(page("A.b", "three", Version(3, 1)), SECOND)
    assert found(store) == ["A.b", "A.child"]


def use_inherited(store: Store) -> None:
    store.save(page("A.b", "two", SECOND), FIRST)
    store.save(page("A.child"), None)
    assert found(store) == ["A.b", "A.child"]


def test_what_another_process_saves_is_seen_at_once(store: Store, data: Path) -> None:
    store.save(page("A.b", "one"), None)
    with closing(open_store(data)) as other:
        assert other.get(Reference.parse("A.b")).content == "one"
        store.save(page("A.b", "two", SECOND), FIRST)
        assert other.get(Reference.parse("A.b")).content == "two"
        store.delete(Reference.parse("A.b"))
        with pytest.raises(DocumentNotFound):
            other.get(Reference.parse("A.b"))


def test_others_write_between_the_chunks_of_a_batch(store: Store, data: Path) -> None:
    saved = threading.Event()

    def save() -> None:
        with closing(open_store(data)) as other:
            other.save(page("B.between"), None)
        saved.set()

    thread = threading.Thread(target=save)
    with store.batch():
        store.save(page("A.first"), None)
        thread.start()
        assert saved.wait(30), "a batch keeps others from writing"
    thread.join(30)
    assert found(store, Query(where=(Condition("doc.space", "eq", "B"),))) == ["B.between"]


def test_a_page_s_file_can_be_read_by_a_person(store: Store, data: Path) -> None:
    store.save(page("A.b", "Grüße", status="READY"), None)
    text = file_of(data, "A.b").read_text()
    assert "Grüße" in text
    assert json.loads(text)["objects"]["1"]["values"]["status"] == "READY"
