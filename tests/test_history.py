"""Histories, differences word by word, recent changes and their feed."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Browser
from wiki.api import Wiki
from wiki.recent import by_day, last_changed
from wiki.rendering.htmldiff import marked
from wiki.rendering.markdown import to_html
from wiki.rendering.sanitize import sanitize
from wiki.site import Site
from wiki.store.base import Logged
from wiki.textdiff import COMPARISONS, Budget, blocks, parts

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def wiki(site: Site) -> Wiki:
    mine = site.wiki.as_user("Users.Admin")
    page = mine.new("Zoo.Ape", title="Ape & Co", content="One <b> ape.")
    page.save(comment="first")
    page.content = "Two <b> apes, {{ 6 * 7 }}."
    page.save(comment="a minor one", minor=True)
    mine.new("Zoo.Inner.Bat").save(comment="bat")
    site.wiki.as_user("Users.Jo").new("Yard.Cow").save(comment="moo")
    return mine


def test_words_that_differ_are_marked_within_lines() -> None:
    (block,) = blocks("a red car", "a blue car", Budget())
    assert block.old[0].pieces == ((False, "a "), (True, "red"), (False, " car"))
    assert block.new[0].pieces == ((False, "a "), (True, "blue"), (False, " car"))
    (block,) = blocks("alpha", "quite another thing", Budget())
    assert block.old[0].pieces == block.new[0].pieces == ()


def test_a_history_hides_minor_edits_where_asked(guest: Browser, wiki: Wiki) -> None:
    text = guest.get("/Zoo.Ape/history").text
    assert "a minor one" in text and "first" in text
    text = guest.get("/Zoo.Ape/history?normal=1").text
    assert "a minor one" not in text and "first" in text


def test_an_old_version_is_put_back_over_what_was_seen(admin: Browser, wiki: Wiki) -> None:
    stale = admin.post("/Zoo.Ape/history/1.1/revert", version="1.1")
    assert stale.status_code == 409
    assert admin.post("/Zoo.Ape/history/1.1/revert", version="1.2").status_code == 302
    assert wiki.get("Zoo.Ape").content == "One <b> ape."


def test_an_old_version_runs_no_scripts(admin: Browser, wiki: Wiki) -> None:
    page = wiki.get("Zoo.Ape")
    page.content = "<<jinja>>{{ 6 * 7 }}<</jinja>>"
    page.save()
    assert "42" in admin.get("/Zoo.Ape").text
    page.content = "Nothing."
    page.save()
    old = admin.get("/Zoo.Ape/history/2.1").text
    assert "script right" in old and ">42<" not in old


def names(browser: Browser, query: str) -> list[str]:
    root = ET.fromstring(browser.get(f"/changes/feed{query}").data)
    return [title.text or "" for title in root.findall(f"{ATOM}entry/{ATOM}title")]


def test_recent_changes_by_space_and_user_without_minor_ones(guest: Browser,
                                                             wiki: Wiki) -> None:
    assert names(guest, "?space=Zoo") == ["Zoo.Inner.Bat", "Ape & Co"]
    assert names(guest, "?space=Zoo&minor=1") == ["Zoo.Inner.Bat", "Ape & Co", "Ape & Co"]
    assert names(guest, "?user=Jo") == names(guest, "?user=Users.Jo") == ["Yard.Cow"]
    page = guest.get("/changes?space=Zoo&minor=1").text
    assert "Ape &amp; Co" in page and "a minor one" in page and "Yard.Cow" not in page
    assert 'type="application/atom+xml"' in page


def test_the_feed_is_whole_and_is_not_sent_twice(guest: Browser, wiki: Wiki) -> None:
    answer = guest.get("/changes/feed?space=Yard")
    assert answer.mimetype == "application/atom+xml" and answer.last_modified
    root = ET.fromstring(answer.data)
    assert all(root.find(ATOM + name) is not None for name in ("id", "title", "updated"))
    entry = root.find(f"{ATOM}entry")
    assert entry is not None
    found = {child.tag.removeprefix(ATOM): child.text for child in entry}
    assert found["id"].endswith("/Yard.Cow/history/1.1") and found["summary"] == "moo"
    assert entry.findtext(f"{ATOM}author/{ATOM}name") == "Jo"
    again = guest.client.get("/changes/feed?space=Yard",
                             headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


# -- differences ------------------------------------------------------------------------------

TEXTS = st.lists(st.sampled_from(["a", "b", "a b", "", "a c d", "x"]), max_size=30).map("\n".join)


@given(old=TEXTS, new=TEXTS, budget=st.sampled_from([0, 20, COMPARISONS]))
def test_a_difference_rebuilds_both_texts(old: str, new: str, budget: int) -> None:
    found = blocks(old, new, Budget(budget))
    assert [line.text for block in found for line in block.old] == lines_of(old)
    assert [line.text for block in found for line in block.new] == lines_of(new)
    for block in found:
        assert block.kind == "changed" or [line.text for line in block.old] == [
            line.text for line in block.new]
        for line in (*block.old, *block.new):
            assert not line.pieces or "".join(text for _, text in line.pieces) == line.text


def lines_of(text: str) -> list[str]:
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else lines


@given(old=TEXTS, new=TEXTS)
def test_lines_keep_their_numbers_and_what_is_far_is_folded(old: str, new: str) -> None:
    found = blocks(old, new, Budget())
    for lines in ([line for block in found for line in block.old],
                  [line for block in found for line in block.new]):
        assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    assert all(block.kind == "same" for block in found if block.folded)


def test_a_difference_costs_no_more_than_its_budget() -> None:
    old, new = ["a", "b"] * 40_000, ["b", "b", "a"] * 30_000
    budget = Budget()
    found = parts(old, new, budget)
    assert budget.left >= 0 and (found[-1].stop, found[-1].end) == (len(old), len(new))
    shown = blocks("\n".join(old), "\n".join(new), budget)
    assert sum(len(block.pairs) for block in shown) <= 10_000
    assert sum(block.left_out for block in shown) > 0


def test_a_long_text_is_folded_and_shown_in_either_way(guest: Browser, wiki: Wiki) -> None:
    page = wiki.get("Zoo.Ape")
    page.content = "\n".join(f"line {number}" for number in range(40))
    page.save()
    page.content = page.content.replace("line 20", "line <20")
    page.save()
    inline = guest.get("/Zoo.Ape/diff").text
    assert "<ins>line <mark>&lt;</mark>20</ins>" in inline
    assert "17 unchanged lines" in inline and 'class="pair"' not in inline
    side = guest.get("/Zoo.Ape/diff?view=side").text
    assert side.count('class="pair"') == 40 and "<del>line 20</del>" in side
    assert guest.get("/Zoo.Ape/diff?view=else").status_code == 400


def test_a_difference_of_files_leads_to_both(guest: Browser, wiki: Wiki) -> None:
    page = wiki.get("Zoo.Ape")
    page.attach("a.txt", b"one")
    page.save()
    page.attach("a.txt", b"two!")
    page.save()
    text = guest.get("/Zoo.Ape/diff").text
    for version, body in (("2.1", b"one"), ("3.1", b"two!")):
        assert f'/Zoo.Ape/attachments/a.txt?version={version}"' in text
        assert guest.get(f"/Zoo.Ape/attachments/a.txt?version={version}").data == body


def test_the_looks_of_two_versions_are_compared_without_scripts(admin: Browser,
                                                               wiki: Wiki) -> None:
    page = wiki.get("Zoo.Ape")
    page.content = "Big *old* words <<jinja>>{{ 6 * 7 }}<</jinja>>"
    page.save()
    page.content = page.content.replace("old", "new") + " <<html>><script>x()</script><</html>>"
    page.save()
    text = admin.get("/Zoo.Ape/diff?view=page").text
    looks = text[text.index('class="content looks"'):text.index("</article>")]
    assert "<ins>Big <em>new</em></ins>" in looks and "<del>Big <em>old</em></del>" in looks
    assert "42" not in looks and "<script" not in looks


# -- the log of all changes -------------------------------------------------------------------


def told(wiki: Wiki, **asked: object) -> list[tuple[str, str, str]]:
    return [(str(row.reference), str(row.version), row.kind.value)
            for row in wiki.changes(100, space="Zoo", **asked)]  # type: ignore[arg-type]


def test_every_save_is_told_with_the_version_before(wiki: Wiki) -> None:
    assert told(wiki) == [("Zoo.Inner.Bat", "1.1", "created"), ("Zoo.Ape", "1.2", "edited"),
                          ("Zoo.Ape", "1.1", "created")]
    assert told(wiki, minor=False) == [("Zoo.Inner.Bat", "1.1", "created"),
                                       ("Zoo.Ape", "1.1", "created")]
    assert [str(row.previous) for row in wiki.changes(3, space="Zoo")] == ["None", "1.1", "None"]


def test_all_saves_by_a_user_are_told(site: Site, wiki: Wiki) -> None:
    jo = site.wiki.as_user("Users.Jo")
    page = jo.get("Zoo.Ape")
    page.title = "Jo's"
    page.save()
    wiki.get("Zoo.Ape").save()
    assert [str(row.reference) for row in wiki.changes(author="Users.Jo")] == [
        "Zoo.Ape", "Yard.Cow"]


def test_moves_deletions_and_returns_are_told_and_stay_after_a_rebuild(
        site: Site, wiki: Wiki) -> None:
    wiki.get("Zoo.Ape").rename("Zoo.Gorilla")
    assert told(wiki)[0] == ("Zoo.Gorilla", "2.1", "moved")
    assert {name for name, _, _ in told(wiki)} == {"Zoo.Gorilla", "Zoo.Inner.Bat"}
    wiki.delete("Zoo.Gorilla", comment="gone")
    wiki.delete("Zoo.Inner.Bat")
    assert told(wiki) == [("Zoo.Inner.Bat", "1.1", "deleted"), ("Zoo.Gorilla", "2.1", "deleted")]
    rows, _ = wiki.bin(name="Zoo.Gorilla")
    wiki.undelete(rows[0].key, "Zoo.Gorilla")
    assert told(wiki)[0] == ("Zoo.Gorilla", "3.1", "restored")
    assert [kind for _, _, kind in told(wiki)] == [
        "restored", "deleted", "moved", "edited", "created"]
    wiki.get("Zoo.Gorilla").save()
    before = told(wiki)
    site.store.reindex()
    assert told(wiki) == [row if row[2] != "restored" else (*row[:2], "edited")
                          for row in before]
    rows, _ = wiki.bin(name="Zoo.Inner.Bat")
    wiki.purge([(rows[0].key, "Zoo.Inner.Bat")])
    assert "deleted" not in [kind for _, _, kind in told(wiki)]


def test_a_batch_tells_every_save_of_a_page(wiki: Wiki) -> None:
    with wiki.batch():
        page = wiki.new("Zoo.Cat")
        for _ in range(3):
            page.save()
    assert [row for row in told(wiki) if row[0] == "Zoo.Cat"] == [
        ("Zoo.Cat", "3.1", "edited"), ("Zoo.Cat", "2.1", "edited"), ("Zoo.Cat", "1.1", "created")]


def test_changes_of_a_page_on_a_day_are_one(wiki: Wiki) -> None:
    rows: list[Logged] = wiki.changes(space="Zoo")
    groups = by_day(rows)
    assert [(str(group.last.reference), len(group.changes)) for group in groups] == [
        ("Zoo.Inner.Bat", 1), ("Zoo.Ape", 2)]
    assert groups[1].previous is None and not groups[1].minor
    assert [str(row.reference) for row in last_changed(wiki, 2, space="Zoo")] == [
        "Zoo.Inner.Bat", "Zoo.Ape"]


def test_the_page_of_changes_tells_deletions_and_folds(admin: Browser, wiki: Wiki) -> None:
    wiki.delete("Zoo.Inner.Bat", comment="flew away")
    text = admin.get("/changes?space=Zoo&minor=1").text
    assert "flew away" in text and "2 changes" in text and "/bin/" in text
    assert names(admin, "?space=Zoo")[0].endswith("Bat (deleted)")


def test_only_the_part_of_a_history_that_is_shown_is_read(
        wiki: Wiki, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    page = wiki.get("Zoo.Ape")
    for number in range(12):
        page.save(minor=number % 2 == 0)
    read: list[str] = []
    revision = site.store.revision
    monkeypatch.setattr(site.store, "revision",
                        lambda ref, version: read.append(str(version)) or revision(ref, version))
    found, more = wiki.history("Zoo.Ape", 3, 2, minor=False)
    assert [str(item.version) for item in found] == read == ["5.1", "4.1", "3.1"] and more


def test_formulas_and_diagrams_are_compared_as_a_whole() -> None:
    def page(formula: str, graph: str) -> str:
        return to_html_of(f"Text ${formula}$ here.\n\n```mermaid\n{graph}\n```\n")

    same = str(marked(page("a^2", "A --> B"), page("a^2", "A --> B")))
    assert "<math" in same and '<pre class="mermaid">' in same and "<ins" not in same
    other = str(marked(page("a^2", "A --> B"), page("b^3", "A --> C")))
    assert other.count("<math") == 2 and other.count('<pre class="mermaid">') == 2
    assert "<ins" in other and "<del" in other


def to_html_of(text: str) -> str:
    return sanitize(to_html(text))
