"""The recycle bin: what is deleted, how it comes back, and what is gone for good."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from tests.conftest import Browser
from wiki.api import Wiki
from wiki.cli import main
from wiki.errors import AccessDenied, DocumentExists, DocumentNotFound, RevisionNotFound
from wiki.model import Property
from wiki.references import Reference
from wiki.site import Site
from wiki.tasks.binprune import prune_bin

ADMIN, JO = "Users.Admin", "Users.Jo"


@pytest.fixture
def wiki(site: Site) -> Wiki:
    """Admin's wiki, with a page of two versions and a file."""
    mine = site.wiki.as_user(ADMIN)
    page = mine.new("Books.Dune", title="Dune", content="Sand.")
    page.attach("map.txt", b"north")
    page.save()
    page.content = "More sand. [[Books.Arrakis]]"
    page.save(comment="second")
    return mine


def deleted_key(wiki: Wiki, name: str = "Books.Dune") -> str:
    rows, _ = wiki.bin(name=name)
    return rows[0].key


def test_a_deleted_page_is_in_the_bin_with_who_when_and_why(wiki: Wiki) -> None:
    wiki.delete("Books.Dune", comment="too dry")
    rows, following = wiki.bin()
    assert following is None
    (row,) = rows
    assert (str(row.reference), row.title, str(row.version), row.author, row.comment) == (
        "Books.Dune", "Dune", "2.1", ADMIN, "too dry")
    found, document = wiki.binned(row.key, "Books.Dune")
    assert found == row and document.content.startswith("More sand")
    assert [str(item.version) for item in wiki.binned_revisions(row.key, "Books.Dune")] == [
        "2.1", "1.1"]


def test_it_comes_back_with_history_files_and_in_the_index(wiki: Wiki) -> None:
    wiki.delete("Books.Dune")
    key = deleted_key(wiki)
    assert wiki.search("sand", "Books") == []
    saved = wiki.undelete(key, "Books.Dune")
    assert str(saved.version) == "3.1" and saved.author == ADMIN
    page = wiki.get("Books.Dune")
    assert page.attachment("map.txt").read() == b"north"
    assert [str(item.version) for item in wiki.revisions("Books.Dune")] == ["3.1", "2.1", "1.1"]
    assert wiki.revision("Books.Dune", "1.1").content == "Sand."
    assert [str(hit.reference) for hit in wiki.search("sand", "Books")] == ["Books.Dune"]
    assert [str(ref) for ref in wiki.backlinks("Books.Arrakis")] == ["Books.Dune"]
    assert wiki.bin() == ([], None)
    with pytest.raises(RevisionNotFound):
        wiki.undelete(key, "Books.Dune")


def test_where_the_name_is_taken_it_comes_back_under_another(wiki: Wiki) -> None:
    wiki.delete("Books.Dune")
    wiki.new("Books.Dune", content="Another.").save()
    key = deleted_key(wiki)
    with pytest.raises(DocumentExists):
        wiki.undelete(key, "Books.Dune")
    saved = wiki.undelete(key, "Books.Dune", "Old.Dune")
    assert str(saved.reference) == "Old.Dune" and saved.content.startswith("More sand")
    assert [str(item.version) for item in wiki.revisions("Old.Dune")] == ["3.1", "2.1", "1.1"]
    assert wiki.get("Books.Dune").content == "Another."
    assert wiki.bin() == ([], None)


def test_a_name_may_be_in_the_bin_more_than_once(wiki: Wiki) -> None:
    wiki.delete("Books.Dune")
    wiki.new("Books.Dune", content="Second life.").save()
    wiki.delete("Books.Dune")
    rows, _ = wiki.bin(name="Books.Dune")
    assert [str(row.version) for row in rows] == ["1.1", "2.1"]
    assert wiki.undelete(rows[1].key, "Books.Dune").content.startswith("More sand")
    assert [row.key for row in wiki.bin()[0]] == [rows[0].key]


def test_only_who_may_delete_it_sees_it_and_brings_it_back(site: Site, wiki: Wiki) -> None:
    jo = site.wiki.as_user(JO)
    jo.new("Books.Emma").save()
    wiki.delete("Books.Dune")
    jo.delete("Books.Emma")
    assert [str(row.reference) for row in jo.bin()[0]] == ["Books.Emma"]
    assert [str(row.reference) for row in wiki.bin()[0]] == ["Books.Emma", "Books.Dune"]
    with pytest.raises(AccessDenied):
        jo.undelete(deleted_key(wiki), "Books.Dune")
    with pytest.raises(AccessDenied):
        jo.purge([(deleted_key(jo, "Books.Emma"), "Books.Emma")])


def test_the_bin_is_read_in_pages(wiki: Wiki) -> None:
    for number in range(5):
        wiki.new(f"Many.P{number}").save()
        wiki.delete(f"Many.P{number}")
    names, start = [], 0
    while start is not None:
        rows, start = wiki.bin(2, start)
        names += [row.reference.name for row in rows]
    assert names == ["P4", "P3", "P2", "P1", "P0"]


def test_purging_is_for_good(site: Site, wiki: Wiki) -> None:
    wiki.delete("Books.Dune")
    key = deleted_key(wiki)
    wiki.purge([(key, "Books.Dune"), ("nothing", "Books.Dune")])
    assert wiki.bin() == ([], None)
    with pytest.raises(RevisionNotFound):
        wiki.undelete(key, "Books.Dune")
    assert not (site.settings.data / "deleted" / key).exists()


def test_pruning_takes_what_was_deleted_before(wiki: Wiki) -> None:
    wiki.delete("Books.Dune")
    now = datetime.now(UTC)
    assert wiki.prune_bin(now - timedelta(days=1)) == 0
    assert wiki.prune_bin(now + timedelta(days=1)) == 1
    assert wiki.bin() == ([], None)


def test_what_a_run_deleted_is_in_the_bin_too(site: Site, wiki: Wiki) -> None:
    run = Wiki(site.store, ADMIN, run="abc123")
    run.delete("Books.Dune")
    assert [(row.key, row.run) for row in wiki.bin()[0]] == [("abc123", "abc123")]
    last = wiki.deleted_by("abc123", "Books.Dune")
    wiki.restore("abc123", [last])
    assert wiki.bin() == ([], None)


def test_a_batch_keeps_what_it_deletes(wiki: Wiki) -> None:
    with wiki.batch():
        wiki.new("Many.A", content="a").save()
        wiki.delete("Many.A")
        wiki.delete("Books.Dune")
    assert {str(row.reference) for row in wiki.bin()[0]} == {"Many.A", "Books.Dune"}
    assert wiki.undelete(deleted_key(wiki, "Many.A"), "Many.A").content == "a"


def test_restoring_arms_nothing_without_the_script_right(site: Site, wiki: Wiki) -> None:
    jo = site.wiki.as_user(JO)
    jo.new("Books.Jo", content="text").save()
    page = wiki.get("Books.Jo")
    page.content = "<<jinja>>{{ 1 }}<</jinja>>"
    page.save()
    jo.delete("Books.Jo")
    saved = jo.undelete(deleted_key(jo, "Books.Jo"), "Books.Jo")
    assert saved.content_author == JO and saved.script_author == JO


@pytest.mark.parametrize("cut", ["restore", "purge"])
def test_a_crash_after_the_journal_is_finished_at_the_next_start(
        site: Site, wiki: Wiki, monkeypatch: pytest.MonkeyPatch, cut: str) -> None:
    """The files are not touched any more, as if the process had ended there."""
    wiki.delete("Books.Dune")
    key, name = deleted_key(wiki), Reference.parse("Books.Dune")
    last = site.store.deleted(key, name)

    def ends(*_: object) -> None:
        raise KeyboardInterrupt
    with monkeypatch.context() as patched:
        patched.setattr("wiki.store.files.PageFiles." + cut, ends)
        with pytest.raises(KeyboardInterrupt):
            if cut == "restore":
                site.store.restore(key, [(replace(last, version=last.version.next()),
                                          last.version)])
            else:
                site.store.purge([(key, name)])
    site.store.mark("any", "key")  # whoever takes the lock next finishes it
    assert site.store.bin() == []
    if cut == "restore":
        assert str(site.store.get(name).version) == "3.1"
        assert len(site.store.revisions(name)) == 3
    else:
        with pytest.raises(DocumentNotFound):
            site.store.get(name)


# -- in the browser ---------------------------------------------------------------------------


def test_the_bin_shows_restores_and_purges(admin: Browser, wiki: Wiki) -> None:
    admin.post("/Books.Dune/delete", version="2.1", comment="too dry")
    key = deleted_key(wiki)
    text = admin.get("/bin").text
    assert "too dry" in text and f"/bin/{key}/Books.Dune" in text
    shown = admin.get(f"/bin/{key}/Books.Dune").text
    assert "More sand" in shown and "2.1" in shown and "map.txt" in shown
    missing = admin.get("/Books.Dune")
    assert missing.status_code == 404 and f"/bin/{key}/Books.Dune" in missing.text
    answer = admin.post(f"/bin/{key}/Books.Dune/restore", name="Books.Dune")
    assert answer.status_code == 302 and answer.location == "/Books.Dune"
    assert admin.get("/Books.Dune").status_code == 200
    admin.post("/Books.Dune/delete", version="3.1")
    key = deleted_key(wiki)
    refused = admin.post(f"/bin/{key}/Books.Dune/purge")
    assert refused.status_code == 400 and wiki.bin()[0]
    assert admin.post(f"/bin/{key}/Books.Dune/purge", sure="yes").status_code == 302
    assert wiki.bin() == ([], None)
    assert admin.get(f"/bin/{key}/Books.Dune").status_code == 404


def test_the_bin_shows_values_and_files(admin: Browser, user: Browser, wiki: Wiki) -> None:
    page = wiki.new("Books.Emma")
    page.define_class(Property("year", "Number", "The year"), Property("key", "Password"))
    page.add_object("Books.Emma", year=1815, key="hush")
    page.add_object("Lost.LostClass", note="one\n<b>two</b>")
    page.attach("emma.txt", b"handsome, clever and rich")
    page.save()
    page.delete()
    key = deleted_key(wiki, "Books.Emma")
    shown = admin.get(f"/bin/{key}/Books.Emma").text
    assert '<dt>year</dt><dd>1815</dd>' in shown and "The year</span>" in shown
    assert "<dt>note</dt>" in shown and "&lt;b&gt;two" in shown
    assert "hush" not in shown and "<dt>key</dt>" not in shown
    file = f"/bin/{key}/Books.Emma/attachments/emma.txt"
    assert file in shown and admin.get(file).data == b"handsome, clever and rich"
    assert user.get(file).status_code == 403
    assert admin.get(f"/bin/{key}/Books.Emma/attachments/none.txt").status_code == 404


def test_a_taken_name_is_a_choice_in_the_browser(admin: Browser, wiki: Wiki) -> None:
    wiki.delete("Books.Dune")
    wiki.new("Books.Dune").save()
    key = deleted_key(wiki)
    assert "There is a page of this name again" in admin.get(f"/bin/{key}/Books.Dune").text
    answer = admin.post(f"/bin/{key}/Books.Dune/restore", name="Books.Dune")
    assert answer.status_code == 409 and "exists already" in answer.text
    assert admin.post(f"/bin/{key}/Books.Dune/restore",
                      name="Books.Old").location == "/Books.Old"


def test_others_see_nothing_of_it(user: Browser, guest: Browser, wiki: Wiki) -> None:
    wiki.delete("Books.Dune")
    key = deleted_key(wiki)
    assert "Books.Dune" not in user.get("/bin").text
    assert user.get(f"/bin/{key}/Books.Dune").status_code == 403
    assert user.post(f"/bin/{key}/Books.Dune/restore", name="Books.Dune").status_code == 403
    assert guest.get("/bin").status_code == 302
    assert f"/bin/{key}" not in user.get("/Books.Dune").text


def test_the_bin_by_rest(admin: Browser, wiki: Wiki) -> None:
    wiki.delete("Books.Dune", comment="too dry")
    key = deleted_key(wiki)
    headers = {"X-CSRF-Token": admin.token()}
    answer = admin.client.get("/api/v1/deleted").json
    assert answer is not None and answer["next_cursor"] is None
    (item,) = answer["items"]
    assert (item["key"], item["reference"], item["comment"]) == (key, "Books.Dune", "too dry")
    shown = admin.client.get(f"/api/v1/deleted/{key}/Books.Dune")
    assert shown.json is not None and shown.json["version"] == "2.1"
    path = f"/api/v1/deleted/{key}/Books.Dune/restore"
    restored = admin.client.post(path, json={"name": "Books.New"}, headers=headers)
    assert restored.status_code == 201 and restored.headers["Location"].endswith("Books.New")
    assert admin.client.post(path, json={}, headers=headers).status_code == 404
    wiki.delete("Books.New")
    path = f"/api/v1/deleted/{deleted_key(wiki, 'Books.New')}/Books.New"
    assert admin.client.delete(path, headers=headers).status_code == 204
    assert admin.client.get(path).status_code == 404


# -- for administrators -----------------------------------------------------------------------


def test_the_job_empties_the_bin_after_so_many_days(wiki: Wiki) -> None:
    wiki.delete("Books.Dune")
    later = datetime.now(UTC) + timedelta(days=8)
    assert "kept" in prune_bin(wiki, 0, later) and "0 pages" in prune_bin(wiki, 9, later)
    assert len(wiki.bin()[0]) == 1
    assert "1 pages" in prune_bin(wiki, 7, later) and wiki.bin() == ([], None)


def test_the_bin_on_the_command_line(site: Site, wiki: Wiki) -> None:
    wiki.delete("Books.Dune", comment="too dry")

    def run(*words: str, code: int = 0) -> str:
        result = CliRunner().invoke(main, ["--data", str(site.settings.data), "bin", *words])
        assert result.exit_code == code, result.output
        return result.output

    assert "Books.Dune" in run("list") and "too dry" in run("list", "--json")
    assert "Books.Sand is back" in run("restore", "Books.Dune", "--as", "Books.Sand")
    assert "is not in the recycle bin" in run("restore", "Books.Dune", code=1)
    wiki.delete("Books.Sand")
    assert "for good" in run("purge", "Books.Sand", "--yes")
    assert wiki.bin() == ([], None)
