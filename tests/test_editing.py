"""Editing a page's text: sections, the three-way merge, previews, and who else is there."""

from __future__ import annotations

import io
import re
import time
from pathlib import Path

import pytest
from conftest import Browser
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from wiki.api import Wiki
from wiki.model import Attachment
from wiki.references import Reference
from wiki.rendering.markdown import to_html
from wiki.rendering.sections import sections, with_links
from wiki.site import Site
from wiki.web.held import HELD, Held
from wiki.web.merging import Piece, merge_tags, merge_text, resolved
from wiki.web.presence import GONE, Presence

PAGE = Reference.parse("Work.Text")
TEXTS = st.lists(st.sampled_from(["a", "b", "c", "", "d"]), max_size=8).map("\n".join)
LONG = "lead\n\n## One\n\nfirst\n\n### Inner\n\nx\n\n## Two\n\nsecond\n"


def make(wiki: Wiki, content: str) -> None:
    wiki.new(PAGE, content=content).save()


def change(wiki: Wiki, **fields: object) -> None:
    page = wiki.get(PAGE)
    for name, value in fields.items():
        setattr(page, name, value)
    page.save()


def content(wiki: Wiki) -> str:
    return wiki.get(PAGE).content


def text(pieces: list[Piece]) -> str:
    return "".join(piece.mine for piece in pieces)


# -- sections ------------------------------------------------------------------------------------


def test_a_section_goes_to_the_next_heading_of_its_level() -> None:
    one, inner, two = sections(LONG)
    assert (one.title, one.level) == ("One", 2)
    assert one.cut(LONG) == "## One\n\nfirst\n\n### Inner\n\nx\n\n"
    assert inner.cut(LONG) == "### Inner\n\nx\n\n"
    assert two.put(LONG, "## Two\n\nnew") == LONG.replace("second\n", "new")


@pytest.mark.parametrize("hidden", [
    "```\n# a\n```", "~~~\n# a\n~~~", "<<info>>\n# a\n<</info>>", "    # a", "> # a", "- # a",
    "#a", "| a |\n|---|", "<div>\n# a\n</div>", "- one\n  ---", "<<code>>\n# a\n<</code>>"])
def test_what_only_looks_like_a_heading_begins_no_section(hidden: str) -> None:
    assert [section.title for section in sections(f"{hidden}\n\n# Real\n\nUnder\n---\n")] == [
        "Real", "Under"]


def test_an_underlined_heading_of_two_lines_begins_a_section_as_it_is_shown() -> None:
    text = "Before\n\n[x]: /y\none\n*two*\n---\nUnder\r\n"
    found, = sections(text)
    assert (found.level, found.cut(text)) == (2, "one\n*two*\n---\nUnder\r\n")
    shown = to_html(text)
    assert "</h2>" in shown and with_links(shown, text, lambda section: "[edit]").count(
        "[edit]</h2>") == 1


def test_only_own_headings_get_links() -> None:
    shown = '<h2 id="x">Else</h2><h2>A <em>b</em> &amp; c</h2>'
    assert with_links(shown, "## A *b* & c", lambda section: f"[{section.number}]") == (
        '<h2 id="x">Else</h2><h2>A <em>b</em> &amp; c[1]</h2>')


@given(TEXTS.map(lambda given: given.replace("a", "# a").replace("b", "## b")))
def test_a_section_put_back_changes_nothing(given: str) -> None:
    for section in sections(given):
        assert section.put(given, section.cut(given)) == given


def test_headings_lead_editors_to_their_sections(admin: Browser, guest: Browser,
                                                 wiki: Wiki) -> None:
    make(wiki, LONG)
    assert re.findall(r"/edit\?section=\d", admin.get("/Work.Text").text) == [
        f"/edit?section={n}" for n in (1, 2, 3)]
    assert "section=" not in guest.get("/Work.Text").text
    shown = admin.get("/Work.Text/edit?section=3").text
    assert "\n## Two\n\nsecond\n</textarea>" in shown and "first" not in shown


def test_saving_a_section_leaves_the_rest(admin: Browser, wiki: Wiki) -> None:
    make(wiki, LONG)
    change(wiki, content=LONG.replace("first", "changed"), title="Theirs")
    answer = admin.post("/Work.Text/edit", version="1.1", section="3", content="## Two\r\n\r\nmine")
    assert answer.status_code == 302
    assert content(wiki) == LONG.replace("first", "changed").replace("second\n", "mine")
    assert wiki.get(PAGE).title == "Theirs"


def test_a_section_that_is_not_there_is_refused(admin: Browser, wiki: Wiki) -> None:
    make(wiki, LONG)
    assert admin.get("/Work.Text/edit?section=4").status_code == 404
    assert admin.get("/Work.Text/edit?section=x").status_code == 404


# -- merging -------------------------------------------------------------------------------------


def test_lines_that_only_one_changed_are_brought_together(admin: Browser, wiki: Wiki) -> None:
    make(wiki, "a\nb\nc\nd\n")
    change(wiki, content="A\nb\nc\nd\n", tags=("theirs",))
    answer = admin.post("/Work.Text/edit", version="1.1", content="a\nb\nc\nd\ne\n", tags="mine",
                        title="Mine")
    assert answer.status_code == 302
    page = wiki.get(PAGE)
    assert (page.content, page.title) == ("A\nb\nc\nd\ne\n", "Mine")
    assert set(page.tags) == {"mine", "theirs"}


@pytest.mark.parametrize(("choice", "expected"), [
    ({}, "mine"), ({"choice-1": "theirs"}, "theirs"), ({"choice-1": "both"}, "mine\ntheirs"),
    ({"choice-1": "own", "own-1": "ours"}, "ours")])
def test_each_clash_is_decided(admin: Browser, wiki: Wiki, choice: dict[str, str],
                               expected: str) -> None:
    make(wiki, "old\n\nx\n\nend\n")
    change(wiki, content="theirs\n\nx\n\ntheir end\n")
    mine = "mine\n\nx\n\nend\n"
    answer = admin.post("/Work.Text/edit", version="1.1", content=mine)
    assert answer.status_code == 409
    assert "Place 1 of 1" in answer.text and "Place 2" not in answer.text
    admin.post("/Work.Text/edit", version="2.1", base="1.1", resolve="1", content=mine, **choice)
    assert content(wiki) == f"{expected}\n\nx\n\ntheir end\n"


def test_a_third_change_while_one_decides_is_brought_in(admin: Browser, wiki: Wiki) -> None:
    make(wiki, "old\n\nx\n\nend\n")
    change(wiki, content="theirs\n\nx\n\nend\n")
    change(wiki, content="theirs\n\nx\n\nlater end\n")
    admin.post("/Work.Text/edit", version="2.1", base="1.1", resolve="1",
               content="mine\n\nx\n\nend\n")
    assert content(wiki) == "mine\n\nx\n\nlater end\n"


def test_a_title_that_both_changed_is_asked_about(admin: Browser, wiki: Wiki) -> None:
    make(wiki, "text")
    change(wiki, title="Theirs")
    answer = admin.post("/Work.Text/edit", version="1.1", content="text", title="Mine")
    assert answer.status_code == 409
    assert "both changed it; theirs: Theirs" in answer.text and 'value="Mine"' in answer.text


@given(TEXTS, TEXTS)
def test_what_one_changed_alone_is_taken(base: str, new: str) -> None:
    assert text(list(merge_text(base, new, base))) == new
    assert text(list(merge_text(base, base, new))) == new
    assert text(list(merge_text(base, new, new))) == new


@given(TEXTS, TEXTS, TEXTS)
def test_no_side_loses_a_line(base: str, mine: str, theirs: str) -> None:
    pieces = list(merge_text(base, mine, theirs))
    if not any(piece.clash for piece in pieces):
        return
    all_mine = resolved(pieces, {})
    for line in set(mine.split("\n")) - set(base.split("\n")):
        assert line in all_mine.split("\n")
    all_theirs = resolved(pieces, {f"choice-{n}": "theirs" for n in range(1, 20)})
    for line in set(theirs.split("\n")) - set(base.split("\n")):
        assert line in all_theirs.split("\n")


def test_tags_are_merged_one_by_one() -> None:
    assert merge_tags(["a", "b"], ["b", "m"], ["a", "b", "t"]) == ("b", "t", "m")


# -- preview and presence ------------------------------------------------------------------------


def test_the_live_preview_renders_and_saves_nothing(admin: Browser, wiki: Wiki) -> None:
    make(wiki, "old")
    answer = admin.post("/Work.Text/preview", version="1.1", title="T",
                        content="*new* <<info>>note<</info>>")
    assert answer.json and answer.json["title"] == "T"
    assert "<em>new</em>" in answer.json["html"] and "note" in answer.json["html"]
    assert content(wiki) == "old"


def test_a_preview_runs_with_the_rights_of_who_asks(user: Browser, wiki: Wiki) -> None:
    make(wiki, "old")
    answer = user.post("/Work.Text/preview", version="1.1",
                       content="<<jinja>>{{ 6 * 7 }}<</jinja>>")
    assert answer.json and "42" not in answer.json["html"]


def test_who_else_is_editing_is_told(admin: Browser, user: Browser, guest: Browser,
                                     wiki: Wiki) -> None:
    make(wiki, "text")
    assert user.post("/Work.Text/editing").json == {"others": []}
    assert admin.post("/Work.Text/editing").json == {"others": ["Users.Jo"]}
    assert "Users.Jo</strong> <span>is</span> editing this page too" in admin.get(
        "/Work.Text/edit").text
    assert guest.post("/Work.Text/editing").status_code == 403
    user.post("/Work.Text/editing", leave="1")
    assert admin.post("/Work.Text/editing").json == {"others": []}


def test_whoever_has_saved_is_no_longer_there(admin: Browser, user: Browser, wiki: Wiki) -> None:
    make(wiki, "text")
    user.post("/Work.Text/editing")
    user.post("/Work.Text/edit", version="1.1", content="new")
    assert admin.post("/Work.Text/editing").json == {"others": []}


def test_whoever_is_silent_is_gone(tmp_path: Path) -> None:
    Presence(tmp_path).enter(PAGE, "Users.Jo")
    assert Presence(tmp_path).others(PAGE, "Users.Admin") == ["Users.Jo"]
    later = Presence(tmp_path, clock=lambda: time.time() + GONE + 1)
    assert later.others(PAGE, "Users.Admin") == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


# -- files of a page that is not there yet -------------------------------------------------------


def send(user: Browser, address: str, *files: tuple[str, bytes], **fields: object) -> TestResponse:
    """A form with files, as a browser sends it."""
    return user.post(address, file=[(io.BytesIO(data), name) for name, data in files], **fields)


def ticked(shown: str) -> list[str]:
    """The files that the shown form attaches when it is saved."""
    return re.findall(r'name="held" value="([^"]+)" checked', shown)


def test_a_form_of_a_new_page_brings_its_files(wiki: Wiki, user: Browser) -> None:
    assert 'enctype="multipart/form-data"' in user.get("/Work.Text/edit").text
    shown = send(user, "/Work.Text/edit", ("a.txt", b"one"), ("b.txt", b"two"), action="preview",
                 content='<<csv attachment="a.txt"/>>')
    preview = shown.text.partition("Preview: not saved yet")[2]
    assert "has no attachment" not in preview and "one" in preview  # macros see the files
    assert PAGE not in wiki and ticked(shown.text) == ["a.txt", "b.txt"]
    assert send(user, "/Work.Text/edit", ("c.txt", b"three"), held=["a.txt"]).status_code == 302
    files = wiki.get(PAGE).record.attachments
    assert [(file.filename, file.author) for file in files] == [
        ("a.txt", "Users.Jo"), ("c.txt", "Users.Jo")]
    assert wiki.get(PAGE).attachment("a.txt").read() == b"one"
    wiki.get(PAGE).delete()
    assert ticked(user.get("/Work.Text/edit").text) == []  # nothing waits for another page


def test_files_of_a_new_page_wait_for_their_user_alone(wiki: Wiki, user: Browser,
                                                      admin: Browser) -> None:
    assert send(user, "/Work.Text/attachments", ("a.txt", b"one")).status_code == 404
    answer = user.client.post(
        "/Work.Text/attachments", headers={"Accept": "application/json"},
        data={"form_token": user.token(), "file": (io.BytesIO(b"one"), "a.txt")})
    assert answer.json == {"attached": ["a.txt"], "held": True} and PAGE not in wiki
    assert user.get("/Work.Text/attachments/a.txt").data == b"one"
    assert admin.get("/Work.Text/attachments/a.txt").status_code == 404
    assert ticked(user.get("/Work.Text/edit").text) == ["a.txt"]
    assert ticked(admin.get("/Work.Text/edit").text) == []
    assert admin.post("/Work.Text/edit", content="x", held="a.txt").status_code == 302
    assert wiki.get(PAGE).record.attachments == ()


def test_a_file_is_not_lost_where_somebody_made_the_page_meanwhile(wiki: Wiki,
                                                                  user: Browser) -> None:
    make(wiki, "theirs")
    wiki.get(PAGE).attach("theirs.txt", b"x")
    clash = send(user, "/Work.Text/edit", ("mine.txt", b"one"), content="mine")
    assert clash.status_code == 409 and ticked(clash.text) == ["mine.txt"]
    saved = user.post("/Work.Text/edit", content="mine", held="mine.txt", resolve="1",
                      version="1.1", **{"choice-1": "theirs"})
    assert saved.status_code == 302 and content(wiki) == "theirs"
    assert wiki.get(PAGE).attachment("mine.txt").read() == b"one"


def test_a_file_that_is_too_large_or_misnamed_leaves_the_text_in_the_form(
        wiki: Wiki, site: Site, user: Browser) -> None:
    site.wiki.upload_limit = 3
    for name, data, status in (("a.txt", b"12345", 413), ("a\tb.txt", b"1", 400)):
        shown = send(user, "/Work.Text/edit", (name, data), content="typed")
        assert shown.status_code == status and ">\ntyped</textarea>" in shown.text
    assert PAGE not in wiki


def test_a_guest_holds_no_file(site: Site, guest: Browser) -> None:
    for address in ("/Work.Text/edit", "/Work.Text/attachments"):
        assert send(guest, address, ("a.txt", b"one")).status_code in (302, 403)
    assert not (site.settings.data / "held").exists()


def test_files_that_nobody_saves_go_after_a_month(tmp_path: Path) -> None:
    now = time.time()
    file = Attachment("a.txt", 1, "text/plain", "0" * 64)
    Held(tmp_path).keep(PAGE, "Users.Jo", file)
    assert [one.filename for one in Held(tmp_path).of(PAGE, "Users.Jo")] == ["a.txt"]
    later = Held(tmp_path, lambda: now + HELD + 1)
    assert later.of(PAGE, "Users.Jo") == []
    later.keep(Reference.parse("Work.Other"), "Users.Jo", file)
    assert len(list(tmp_path.iterdir())) == 1
