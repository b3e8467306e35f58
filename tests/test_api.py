"""The API to documents, as users of every door meet it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from wiki.api import OpenDocument, Wiki
from wiki.errors import (
    AccessDenied,
    Conflict,
    DocumentExists,
    DocumentNotFound,
    InvalidValue,
    QueryError,
    TooLarge,
)
from wiki.model import GUEST, Property
from wiki.store import open_store

BOOK = "Books.BookClass"
EXECUTOR = "TaskExecutorCode.TaskExecutorClass"


@pytest.fixture
def wiki(tmp_path: Path) -> Iterator[Wiki]:
    store = open_store(tmp_path)
    wiki = Wiki(store)
    page = wiki.new(BOOK)
    page.define_class(Property("author"), Property("year", "Number", options={"integer": True}))
    page.save()
    yield wiki
    store.close()


def book(wiki: Wiki, name: str, **values: object) -> None:
    page = wiki.new(f"Books.{name}", title=name)
    page.add_object(BOOK, **values)
    page.save()


def test_a_saved_page_reads_back_as_it_was(wiki: Wiki) -> None:
    book(wiki, "Dune", author="Frank Herbert", year=1965)
    page = wiki.get("Books.Dune")
    assert (page.title, str(page.version)) == ("Dune", "1.1")
    assert page.object(BOOK)["year"] == 1965
    assert "Books.Dune" in wiki
    assert "Books.Emma" not in wiki


def test_versions_count_as_in_xwiki(wiki: Wiki) -> None:
    page = wiki.new("Books.Emma").save()
    assert str(page.save(minor=True).version) == "1.2"
    assert str(page.save().version) == "2.1"
    assert [str(item.version) for item in page.revisions()] == ["2.1", "1.2", "1.1"]


def test_a_new_page_does_not_hide_one_that_is_there(wiki: Wiki) -> None:
    book(wiki, "Dune")
    with pytest.raises(DocumentExists):
        wiki.new("Books.Dune")


def test_of_two_editors_the_second_is_told_and_nothing_is_lost(wiki: Wiki) -> None:
    book(wiki, "Dune")
    first, second = wiki.get("Books.Dune"), wiki.get("Books.Dune")
    first.content = "first"
    first.save()
    second.content = "second"
    with pytest.raises(Conflict, match=r"2\.1"):
        second.save()
    assert wiki.get("Books.Dune").content == "first"


def test_a_page_is_revised_over_the_saves_of_others_up_to_a_number(wiki: Wiki) -> None:
    wiki.new("Books.Emma").save()
    seen: list[str] = []

    def change(page: OpenDocument) -> None:
        seen.append(page.content)
        if len(seen) < 3:
            wiki.get("Books.Emma").save(comment="somebody else")
        page.content += "more"

    revised = wiki.revise("Books.Emma", change, comment="mine", minor=True)
    assert (revised.content, revised.comment, len(seen)) == ("more", "mine", 3)
    seen.clear()
    with pytest.raises(Conflict):
        wiki.revise("Books.Emma", change, attempts=2)
    assert len(seen) == 2 and wiki.get("Books.Emma").content == "more"


def test_a_save_over_a_deleted_page_is_a_conflict(wiki: Wiki) -> None:
    book(wiki, "Dune")
    page = wiki.get("Books.Dune")
    wiki.delete("Books.Dune")
    with pytest.raises(Conflict, match="deleted"):
        page.save()
    with pytest.raises(DocumentNotFound):
        wiki.get("Books.Dune")


def test_a_wrong_value_is_refused_with_what_is_allowed(wiki: Wiki) -> None:
    page = wiki.new("Books.Dune")
    with pytest.raises(InvalidValue, match=r"year: 'soon' is not allowed; it takes a whole number"):
        page.add_object(BOOK, year="soon")


def test_queries_take_properties_operators_and_order(wiki: Wiki) -> None:
    for name, year in (("Dune", 1965), ("Emma", 1815), ("Ubik", 1969)):
        book(wiki, name, year=year)
    found = [page.reference.name for page in wiki.query(BOOK, year__gt=1900, order_by="-year")]
    assert found == ["Ubik", "Dune"]
    assert [page.title for page in wiki.query(BOOK, order_by="name", limit=2)] == ["Dune", "Emma"]
    with pytest.raises(QueryError, match="startswith"):
        wiki.query(BOOK, year__about=1900).__next__()


def test_a_batch_sees_its_own_saves(wiki: Wiki) -> None:
    with wiki.batch():
        book(wiki, "Dune", year=1965)
        assert wiki.get("Books.Dune").object(BOOK)["year"] == 1965
        assert [page.title for page in wiki.query(BOOK, year=1965)] == ["Dune"]
    assert "Books.Dune" in wiki


def test_guests_view_users_edit_creators_delete(wiki: Wiki) -> None:
    book(wiki, "Dune")
    guest, bob = wiki.as_user(GUEST), wiki.as_user("Users.Bob")
    assert guest.get("Books.Dune").title == "Dune"
    with pytest.raises(AccessDenied, match="guest may not edit"):
        guest.get("Books.Dune").save()
    with pytest.raises(AccessDenied):
        guest.put_blob(b"data")
    bob.get("Books.Dune").save()
    with pytest.raises(AccessDenied, match="delete"):
        bob.delete("Books.Dune")
    bob.new("Books.Mine").save()
    bob.delete("Books.Mine")


def test_authors_are_kept_apart_by_what_they_changed(wiki: Wiki) -> None:
    page = wiki.as_user("Users.Admin").new("Code.Job", content="text")
    page.add_object(EXECUTOR, name="Job", script="def run(logger, wiki, task): pass")
    page.save()
    page = wiki.as_user("Users.Bob").get("Code.Job")
    page.content = "other text"
    page.save()
    assert page.content_author == "Users.Bob"
    assert page.script_author == "Users.Admin"
    page.object(EXECUTOR)["script"] = "evil"
    page.save()
    assert page.script_author == "Users.Bob"
    assert page.creator == "Users.Admin"


def test_attachments_keep_their_bytes_and_their_limit(wiki: Wiki) -> None:
    page = wiki.new("Files.Here")
    page.attach("a b.csv", b"1,2\n")
    page.save()
    assert wiki.get("Files.Here").attachment("a b.csv").read() == b"1,2\n"
    wiki.upload_limit = 3
    with pytest.raises(TooLarge):
        page.attach("big.bin", b"1234")


def test_a_rename_takes_history_along_and_turns_links(wiki: Wiki) -> None:
    book(wiki, "Dune")
    wiki.get("Books.Dune").save(comment="second")
    wiki.new("Main.Links", content="[[Books.Dune]] and [[it>>Books.Dune#plot]]").save()
    wiki.get("Books.Dune").rename("Books.Dune (novel)")
    assert "Books.Dune" not in wiki
    assert len(wiki.get("Books.Dune (novel)").revisions()) == 3
    assert wiki.get("Main.Links").content == (
        "[[Books.Dune (novel)]] and [[it>>Books.Dune (novel)#plot]]")


def test_saving_tells_who_listens(wiki: Wiki) -> None:
    heard = []

    def listen(sender: Wiki, document: object, previous: object) -> None:
        heard.append((sender.user, document.reference.name, previous))  # type: ignore[attr-defined]

    wiki.saved.connect(listen)
    wiki.as_user("Users.Bob").new("Main.New").save()
    assert heard == [("Users.Bob", "New", None)]


def test_saving_does_not_sign_a_script_that_another_wrote(wiki: Wiki) -> None:
    page = wiki.new(EXECUTOR)
    page.define_class(Property("script", "TextArea"))
    page.save()
    bob = wiki.as_user("Users.Bob")
    page = bob.new("Code.Job")
    page.add_object(EXECUTOR, script="evil", extra="text")
    page.save()
    page = bob.get(EXECUTOR)
    page.define_class(Property("script", "TextArea"), Property("extra", "Password"))
    page.save()
    page = wiki.get("Code.Job")
    page.title = "Set by the wiki itself"
    page.save()
    assert page.script_author == "Users.Bob"


def test_a_class_that_was_tightened_does_not_lock_what_is_there(wiki: Wiki) -> None:
    book(wiki, "Dune", year=1965)
    page = wiki.get(BOOK)
    page.define_class(Property("isbn", required=True))
    page.save()
    page = wiki.get("Books.Dune")
    page.title = "Still saved"
    page.save()
    with pytest.raises(InvalidValue, match="isbn"):
        page.object(BOOK)["isbn"] = ""


def test_turning_links_does_not_sign_the_rest_of_a_text(wiki: Wiki) -> None:
    book(wiki, "Dune")
    wiki.as_user("Users.Bob").new("Main.Bob", content="[[Books.Dune]] <<jinja>>x<</jinja>>").save()
    wiki.as_user("Users.Admin").get("Books.Dune").rename("Books.Arrakis")
    page = wiki.get("Main.Bob")
    assert page.content.startswith("[[Books.Arrakis]]")
    assert page.author == "Users.Admin"
    assert page.content_author == "Users.Bob"


def test_a_rename_signs_what_it_changes_along_the_way(wiki: Wiki) -> None:
    bob = wiki.as_user("Users.Bob")
    bob.new("Main.Page", content="mine").save()
    page = wiki.as_user("Users.Admin").get("Main.Page")
    page.content = "Admin's"
    page.save()
    page = bob.get("Main.Page")
    page.content = "<<jinja>>evil<</jinja>>"
    page.rename("Main.Other")
    assert page.content_author == "Users.Bob"
