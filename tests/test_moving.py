"""Moving pages and whole spaces: every link leads where it led, and what is left behind."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from conftest import PASSWORD, Browser, until
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from wiki.api import OpenDocument, Wiki
from wiki.errors import InvalidDocument, InvalidReference
from wiki.language import links
from wiki.linking import named, rewrite
from wiki.model import Property
from wiki.moving import AT_ONCE, Mover, Outcome, leave_redirect, target_of
from wiki.references import Reference
from wiki.relinking import turning
from wiki.rendering.markdown import to_html
from wiki.site import Site
from wiki.store.base import Query
from wiki.tasks.names import TASK_CLASS
from wiki.watching import Kind

HERE = Reference.parse("Books.Here")


def ref(name: str) -> Reference:
    return Reference.parse(name)


def turned(text: str, moves: dict[str, str], old: str = "Books.Here", new: str = "") -> str:
    """The text of page ``old``, which is now ``new``."""
    base = ref(old)
    places = {ref(source): ref(target) for source, target in moves.items()}
    return rewrite(text, base, turning(base, ref(new or old), places, lambda page: True))


# -- links in a text ---------------------------------------------------------------------------


@pytest.mark.parametrize(("before", "after"), [
    ("[[Books.Dune]] [[it>>Books.Dune#plot]]", "[[Sand.Arrakis]] [[it>>Sand.Arrakis#plot]]"),
    ("[[Dune]] [[ x >> Dune ]]", "[[Sand.Arrakis]] [[ x >> Sand.Arrakis ]]"),
    ("[[Books.Dunes]] [[Books.Dune.More]] Books.Dune", ""),
    ("[x](Books.Dune) [x](Dune#a) [x](/Books.Dune/edit?x=1#y)",
     "[x](Sand.Arrakis) [x](Sand.Arrakis#a) [x](/Sand.Arrakis/edit?x=1#y)"),
    ('![c](attach:Books.Dune@a.png "A cover") [[attach:Dune@a b.csv]] [[attach:Dune]]',
     '![c](attach:Sand.Arrakis@a.png "A cover") [[attach:Sand.Arrakis@a b.csv]] [[attach:Dune]]'),
    ("[x][d]\n\n[d]: Books.Dune", "[x][d]\n\n[d]: Sand.Arrakis"),
    ('<<include page="Dune" section="Plot"/>>',
     '<<include page="Sand.Arrakis" section="Plot"/>>'),
    ("<<box title='Books.Dune'>>\nsee [[Dune]]\n<</box>>",
     '<<box title="Sand.Arrakis">>\nsee [[Sand.Arrakis]]\n<</box>>'),
    ('<<x pages="Books.Dune, Books.Emma"/>> <<x label="Books.Dune, a novel"/>>',
     '<<x pages="Sand.Arrakis, Books.Emma"/>> <<x label="Books.Dune, a novel"/>>'),
    ("> <<box>>\n> [[Dune]]\n> <</box>>", "> <<box>>\n> [[Sand.Arrakis]]\n> <</box>>"),
    ("`[[Dune]]`\n\n```\n[[Dune]]\n```\n\n    [[Dune]]\n\n<!-- [[Dune]] -->", ""),
    ("<<code>>[[Dune]]<</code>> <<jinja>>{{ '[[Dune]]' }}<</jinja>> ~<<box page=\"Dune\"/>>", ""),
    (r"\[[Dune]] \`[[Dune]]\`", r"\[[Dune]] \`[[Sand.Arrakis]]\`"),
    ("https://example.org/Books.Dune [x](https://example.org/Books.Dune)", ""),
])
def test_links_are_turned_and_the_rest_is_not(before: str, after: str) -> None:
    assert turned(before, {"Books.Dune": "Sand.Arrakis"}) == (after or before)


def test_a_page_that_stays_in_the_space_is_still_named_without_it() -> None:
    assert turned("[[Dune]] [[Books.Dune]]", {"Books.Dune": "Books.Dr\\. No"}) == (
        "[[Dr\\. No]] [[Books.Dr\\. No]]")


def test_the_moved_pages_own_links_lead_where_they_led() -> None:
    text = '[[Dune]] [[Main.Start]] [[Here]] <<children page="Here"/>> [x](Dune) [[attach:a.txt]]'
    moved = turned(text, {"Books.Here": "Old.There"}, new="Old.There")
    assert moved == ('[[Books.Dune]] [[Main.Start]] [[There]] <<children page="There"/>> '
                     '[x](Books.Dune) [[attach:a.txt]]')


def test_pages_that_move_together_keep_their_short_links() -> None:
    moves = {"Books.Here": "Old.Here", "Books.Dune": "Old.Dune"}
    assert turned("[[Dune]] [x](Dune)", moves, new="Old.Here") == "[[Dune]] [x](Dune)"


def test_a_text_that_only_looks_like_a_name_is_left_alone() -> None:
    base, new = HERE, ref("Old.There")
    turn = turning(base, new, {base: new}, lambda page: False)
    assert rewrite('<<objects of="3"/>>', base, turn) == '<<objects of="3"/>>'


def test_a_name_that_no_link_can_hold_is_refused() -> None:
    with pytest.raises(InvalidReference, match="cannot stand in a link"):
        turned("[[Dune]]", {"Books.Dune": "Books.A]B"})
    assert turned("[x](Dune)", {"Books.Dune": "Books.A]B (2)"}) == "[x](A%5DB%20%282%29)"


NAMES = st.text(st.sampled_from("ab Zé.\\&*_~$%@:,'\"()|-"), min_size=1, max_size=6).filter(
    lambda name: name == name.strip())
PAGES = st.builds(Reference, st.lists(NAMES, min_size=1, max_size=2).map(tuple), NAMES)


@st.composite
def texts(draw: st.DrawFn, pages: list[Reference]) -> str:
    """A text with links of all kinds between what is none."""
    parts = []
    for _ in range(draw(st.integers(1, 6))):
        page = draw(st.sampled_from(pages))
        name = draw(st.sampled_from([str(page), str(Reference(("x",), page.name))[2:]]))
        form = draw(st.sampled_from([
            "[[{}]]", "[[label>>{}#part]]", "[[attach:{}@f.txt]]", "[text](<{}>)", "`[[{}]]`",
            "\n\n    [[{}]]\n\n", "text `", "**", "\n\n* item\n", "\n\n> ", "\n\n```\n",
            "![p](<attach:{}@p.png>)", "\\"]))
        parts.append(form.format(name))
    return draw(st.sampled_from([" ", "\n"])).join(parts)


class Hrefs(HTMLParser):
    """Where the links of some HTML lead, as a page shows them."""

    def __init__(self, base: Reference, html: str) -> None:
        super().__init__()
        self.base, self.found = base, list[str]()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        if tag in ("a", "img"):
            shown = links.render_tag(tag, given, self.base, lambda page: True)
            self.found.append(shown.partition(" title=")[0])


@given(st.data())
def test_every_link_leads_to_the_same_document_as_before(data: st.DataObject) -> None:
    pages = data.draw(st.lists(PAGES, min_size=2, max_size=4, unique=True))
    base = pages[0]
    moves = dict(zip(pages[:2], data.draw(st.lists(PAGES, min_size=2, max_size=2, unique=True)),
                     strict=True))
    text = data.draw(texts(pages))
    new = moves[base]
    after = rewrite(text, base, turning(base, new, moves, lambda page: True))
    assert list(named(after, new)) == [
        (kind, moves.get(page, page)) for kind, page in named(text, base)]
    shown = dict(zip(Hrefs(base, to_html(text)).found, Hrefs(new, to_html(after)).found,
                     strict=True))
    for page, place in {**{page: page for page in pages[2:]}, **moves}.items():
        plain = f'<a href="{links.page_url(page)}">'
        assert shown.get(plain, f'<a href="{links.page_url(place)}">') == (
            f'<a href="{links.page_url(place)}">')


@given(st.text(st.sampled_from("[]()<>`~!\\/|#= \n\"'ab.>-:")))
def test_turning_nothing_changes_nothing(text: str) -> None:
    assert turned(text, {}) == text


# -- pages -------------------------------------------------------------------------------------


def make(wiki: Wiki, name: str, content: str = "", **fields: object) -> OpenDocument:
    return wiki.new(name, content=content, **fields).save()


def move(wiki: Wiki, old: str, new: str, space: bool = False, **how: bool) -> Outcome:
    mover = Mover(wiki)
    return mover.move(mover.plan(mover.places(ref(old), ref(new), space)), **how)


def test_all_that_names_a_page_is_turned(wiki: Wiki) -> None:
    page = wiki.new("Books.BookClass")
    page.define_class(Property("next", "Page"), Property("others", "Page",
                                                         options={"multiple": True}),
                      Property("text", "TextArea", options={"kind": "markdown"}))
    page.save()
    make(wiki, "Books.Dune", "[[Books.Dune]]")
    page = make(wiki, "Books.List", "[[Dune]]", parent="Books.Dune")
    page.add_object("Books.BookClass", next="Books.Dune", others=["A.B", "Books.Dune"],
                    text="see [[Books.Dune]]")
    page.save()
    outcome = move(wiki, "Books.Dune", "Sand.Arrakis")
    assert (outcome.done, outcome.turned) == ([ref("Books.Dune")], {ref("Books.List")})
    page = wiki.get("Books.List")
    assert (page.content, page.parent) == ("[[Sand.Arrakis]]", "Sand.Arrakis")
    book = page.object("Books.BookClass")
    assert book is not None
    assert dict(book.values) == {"next": "Sand.Arrakis", "others": ["A.B", "Sand.Arrakis"],
                                 "text": "see [[Sand.Arrakis]]"}
    assert wiki.get("Sand.Arrakis").content == "[[Sand.Arrakis]]"
    assert [link.kind for link in wiki.links_to("Sand.Arrakis")][:1] == ["link"]


def test_the_objects_of_a_class_follow_it(wiki: Wiki) -> None:
    page = wiki.new("Books.BookClass")
    page.define_class(Property("year", "Number"))
    page.save()
    page = wiki.new("Books.Dune")
    page.add_object("Books.BookClass", year=1965)
    page.save()
    move(wiki, "Books.BookClass", "Code.BookClass")
    assert [str(page.reference) for page in wiki.query("Code.BookClass", year=1965)] == [
        "Books.Dune"]


def test_who_turns_links_signs_nothing(wiki: Wiki) -> None:
    jo = wiki.as_user("Users.Jo")
    make(jo, "Books.Dune")
    make(wiki, "Main.Script", "[[Books.Dune]] <<jinja>>x<</jinja>>")
    move(jo, "Books.Dune", "Books.Arrakis")
    page = wiki.get("Main.Script")
    assert page.content.startswith("[[Books.Arrakis]]")
    assert (page.author, page.content_author, page.minor) == ("Users.Jo", "Users.Admin", True)


def test_a_page_with_short_links_takes_them_along(wiki: Wiki) -> None:
    make(wiki.as_user("Users.Jo"), "Books.Here", "[[Dune]] <<jinja>>x<</jinja>>")
    wiki.get("Books.Here").rename("Old.There")
    page = wiki.get("Old.There")
    assert page.content.startswith("[[Books.Dune]]")
    assert page.content_author == "Users.Jo"


def space(wiki: Wiki) -> None:
    make(wiki, "Desk.WebHome", "[[Dune]] [[Desk.Sub.Page]]")
    make(wiki, "Desk.Dune", "[[WebHome]] [[Main.WebHome]]", parent="Desk.WebHome")
    make(wiki, "Desk.Sub.Page", "[[Desk.Dune]]")
    make(wiki, "Other.Page", "[[Desk.Dune]] [[Desk.Sub.Page]]")


def test_a_space_moves_with_the_spaces_in_it(wiki: Wiki) -> None:
    space(wiki)
    outcome = move(wiki, "Desk.WebHome", "Big.Shelf.WebHome", space=True)
    assert not outcome.failed
    assert {str(row.reference): wiki.get(row.reference).content
            for row in wiki.rows(Query(space="Big", nested=True))} == {
        "Big.Shelf.WebHome": "[[Dune]] [[Big.Shelf.Sub.Page]]",
        "Big.Shelf.Dune": "[[WebHome]] [[Main.WebHome]]",
        "Big.Shelf.Sub.Page": "[[Big.Shelf.Dune]]"}
    assert wiki.get("Big.Shelf.Dune").parent == "Big.Shelf.WebHome"
    assert wiki.get("Other.Page").content == "[[Big.Shelf.Dune]] [[Big.Shelf.Sub.Page]]"
    assert outcome.turned == {ref("Other.Page")}
    assert not list(wiki.rows(Query(space="Desk", nested=True)))


def test_clashes_are_told_before_anything_is_moved(wiki: Wiki) -> None:
    space(wiki)
    make(wiki, "New.Sub.Page")
    mover = Mover(wiki)
    plan = mover.plan(mover.places(ref("Desk.WebHome"), ref("New.WebHome"), True))
    assert plan.problems == ((ref("Desk.Sub.Page"), "New.Sub.Page exists already"),)
    with pytest.raises(InvalidDocument, match="exists already"):
        mover.move(plan)
    assert "Desk.Dune" in wiki


def test_what_must_not_move_says_why(wiki: Wiki) -> None:
    page = wiki.new("Tasks.Busy")
    page.add_object(TASK_CLASS, status="RUNNING", taskExecutor="Executors.HelloWorld")
    page.save()
    make(wiki, "Books.Admins")
    jo = wiki.as_user("Users.Jo")
    for user, name, why in ((wiki, "Tasks.Busy", "RUNNING"), (jo, "Books.Admins", "may not"),
                            (wiki, "Users.Admin", "page of a user"),
                            (wiki, TASK_CLASS, "goes by this name")):
        with pytest.raises(InvalidDocument, match=why):
            move(user, name, "New.Place")
        assert name in wiki


def test_a_log_follows_its_task(wiki: Wiki, site: Site) -> None:
    site.logs.append("Tasks.HelloWorld.log", "INFO", "hello")
    wiki.get("Tasks.HelloWorld").rename("Tasks.Greeting")
    assert site.logs.exists("Tasks.Greeting.log")
    assert not site.logs.exists("Tasks.HelloWorld.log")


def test_what_a_task_moves_takes_its_log_and_who_watches_it_along(wiki: Wiki, site: Site) -> None:
    site.logs.append("Tasks.HelloWorld.log", "INFO", "hello")
    site.watching.watch("Users.Jo", Kind.PAGE, "Tasks.HelloWorld")
    task = str(site.starter.start("Users.Admin", "Executors.MovePages", {
        "source": "Tasks.HelloWorld", "target": "Tasks.Greeting"}))
    assert ended(site, wiki, task) == "DONE", site.logs.read(f"{task}.log").text
    assert "hello" in site.logs.read("Tasks.Greeting.log").text
    assert not site.logs.exists("Tasks.HelloWorld.log")
    assert [note.name for note in site.watching.of("Users.Jo")] == ["Tasks.Greeting"]


# -- redirects ---------------------------------------------------------------------------------


def test_a_redirect_leads_on_and_can_be_seen(wiki: Wiki, guest: Browser) -> None:
    make(wiki, "Books.Dune", "Sand")
    move(wiki, "Books.Dune", "Books.Arrakis", redirect=True)
    answer = guest.get("/Books.Dune")
    assert answer.status_code == 302
    shown = guest.get(answer.headers["Location"]).text
    assert "Redirected from" in shown
    assert "Sand" in shown
    assert "This page leads to" in guest.get("/Books.Dune?redirect=no").text
    assert "Redirected from" not in guest.get("/Books.Arrakis?redirected=Main.WebHome").text


def test_redirects_lead_over_others_and_loops_end(wiki: Wiki, guest: Browser) -> None:
    make(wiki, "A.End")
    for old, new in (("A.One", "A.Two"), ("A.Two", "A.End"), ("L.One", "L.Two"),
                     ("L.Two", "L.One"), ("A.Lost", "A.Nowhere")):
        leave_redirect(wiki, ref(old), ref(new))
    assert guest.get("/A.One").headers["Location"] == "/A.End?redirected=A.One"
    for name in ("L.One", "A.Lost"):
        assert guest.get(f"/{name}").status_code == 200


def test_a_page_moves_back_over_the_redirect_that_it_left(wiki: Wiki) -> None:
    make(wiki, "Books.Dune", "Sand")
    move(wiki, "Books.Dune", "Books.Arrakis", redirect=True)
    move(wiki, "Books.Arrakis", "Books.Dune", redirect=True)
    assert wiki.get("Books.Dune").content == "Sand"
    assert target_of(wiki.get("Books.Arrakis").record) == ref("Books.Dune")


# -- copies ------------------------------------------------------------------------------------


def test_a_copy_is_the_copiers_and_signs_nothing(wiki: Wiki) -> None:
    page = wiki.as_user("Users.Jo").new("Books.Dune", content="[[Other]] [[Dune]]", tags=["x"])
    page.attach("a.txt", b"a")
    page.save()
    mover = Mover(wiki)
    mover.copy(mover.plan_copy({ref("Books.Dune"): ref("Lib.Copy")}))
    copy = wiki.get("Lib.Copy")
    assert (copy.content, copy.tags) == ("[[Books.Other]] [[Copy]]", ("x",))
    assert (copy.creator, copy.content_author) == ("Users.Admin", "Users.Jo")
    assert copy.attachment("a.txt").read() == b"a"
    assert len(copy.revisions()) == 1
    mover.copy(mover.plan_copy({ref("Books.Dune"): ref("Lib.Bare")}), attachments=False)
    assert not wiki.get("Lib.Bare").attachments


# -- in the browser ----------------------------------------------------------------------------


def test_the_form_tells_of_scripts_that_name_the_page(wiki: Wiki, admin: Browser) -> None:
    make(wiki, "Books.Here", "text")
    make(wiki, "Books.Sheet", "<<jinja>>{{ wiki.get('Books.Here').title }}<</jinja>>")
    make(wiki, "Books.Text", "`Books.Here` is no script")
    page = wiki.new("Jobs.Script")
    page.add_object("TaskExecutorCode.TaskExecutorClass", script="HOME = 'Books.Here'\n")
    page.save()
    for address in ("/Books.Here/rename", "/Books.WebHome/rename?space=1"):
        text = admin.get(address).text
        assert "name it in a script" in text
        named = text.partition("name it in a script")[2]
        assert "Books.Sheet<" in named and "Jobs.Script<" in named and "Books.Text<" not in named
    assert "in a script" not in admin.get("/Books.Text/rename").text


def test_the_form_shows_what_changes_and_clashes(wiki: Wiki, admin: Browser) -> None:
    space(wiki)
    make(wiki, "New.Dune")
    text = admin.get("/Desk.WebHome/rename?space=1").text
    assert "3 pages moved" in text
    assert "Other.Page" in text
    answer = admin.post("/Desk.WebHome/rename", space="1", name="New", links="1")
    assert answer.status_code == 409
    assert "New.Dune exists already" in answer.text
    answer = admin.post("/Desk.WebHome/rename", space="1", name="Newer", links="1")
    assert answer.headers["Location"] == "/Newer.WebHome"
    assert wiki.get("Other.Page").content == "[[Newer.Dune]] [[Newer.Sub.Page]]"


def test_a_page_is_copied_by_post(wiki: Wiki, admin: Browser, guest: Browser) -> None:
    make(wiki, "Books.Dune", "Sand")
    assert admin.get("/Books.Dune/copy").status_code == 200
    assert admin.post("/Books.Dune/copy", name="Dune").status_code == 409
    assert admin.post("/Books.Dune/copy", name="Two").headers["Location"] == "/Books.Two"
    assert wiki.get("Books.Two").content == "Sand"
    assert guest.post("/Books.Dune/copy", name="Three").status_code == 403


def test_many_pages_are_left_to_a_task(wiki: Wiki, user: Browser, site: Site) -> None:
    jo = wiki.as_user("Users.Jo")
    make(jo, "Jo.Page")
    with wiki.batch():
        for number in range(AT_ONCE):
            make(wiki, f"Many.P{number}", "[[Jo.Page]]")
    task = user.post("/Jo.Page/rename", name="Jo.New", links="1").headers["Location"][1:]
    assert "Jo.Page" in wiki
    assert ended(site, wiki, task) == "DONE", site.logs.read(f"{task}.log").text
    assert "Jo.New" in wiki
    assert wiki.get("Many.P7").content == "[[Jo.New]]"
    assert wiki.get("Many.P7").author == "Users.Jo"


def test_the_task_has_no_more_rights_than_who_made_it(wiki: Wiki, site: Site) -> None:
    make(wiki, "Admins.Page")
    task = str(site.starter.start("Users.Jo", "Executors.MovePages", {
        "source": "Admins.Page", "target": "Jo.Taken"}))
    assert ended(site, wiki, task) == "ERROR"
    assert "you may not move it" in site.logs.read(f"{task}.log").text
    assert "Admins.Page" in wiki


def ended(site: Site, wiki: Wiki, task: str) -> object:
    """Run the task, and no other; the status that it ends with."""
    for other in list(wiki.query(TASK_CLASS, status="READY")):
        if str(other.reference) != task:
            site.manager.suspend(str(other.reference), "Users.Admin")
    assert site.manager.invoke().started == task
    until(lambda: status(wiki, task) != "RUNNING", 60, "the task does not end")
    return status(wiki, task)


def status(wiki: Wiki, task: str) -> object:
    obj = wiki.get(task).object(TASK_CLASS)
    return obj and obj["status"]


def test_what_leads_to_a_page_is_listed_with_how(wiki: Wiki, guest: Browser) -> None:
    make(wiki, "A.One", '<<include page="Books.Dune"/>>', parent="Books.Dune")
    text = guest.get("/Books.Dune/backlinks").text
    assert "A.One" in text
    assert "includes it, has it as its parent" in text
    make(wiki, "Books.Alone")
    assert "Books.Alone" in guest.get("/Main.Orphaned").text
    assert "Books.Dune" in guest.get("/Main.Wanted").text


# -- tags --------------------------------------------------------------------------------------


def test_tags_are_put_on_and_taken_off_where_the_page_is_read(
        wiki: Wiki, admin: Browser, guest: Browser) -> None:
    make(wiki, "Books.Dune", tags=["sand"])
    admin.post("/Books.Dune/tags", add="spice, sand, <b>")
    assert wiki.get("Books.Dune").tags == ("sand", "spice", "<b>")
    assert "<b>" not in admin.get("/Books.Dune").text.partition('id="tags"')[2].split("</div>")[0]
    admin.post("/Books.Dune/tags", remove="sand")
    assert wiki.get("Books.Dune").tags == ("spice", "<b>")
    assert admin.post("/Books.Dune/tags", add=" , ").status_code == 400
    assert guest.post("/Books.Dune/tags", add="x").status_code == 403
    assert "Add a tag" not in guest.get("/Books.Dune").text


def test_a_tag_is_renamed_on_all_pages(wiki: Wiki, admin: Browser) -> None:
    make(wiki, "Books.One", tags=["old", "x"])
    make(wiki, "Books.Two", tags=["new", "old"])
    assert "/tags/rename?tag=old" in admin.get("/Main.Tags?tag=old").text
    assert "2 pages have the tag" in admin.get("/tags/rename?tag=old").text
    assert admin.post("/tags/rename", tag="old", name="a,b").status_code == 400
    admin.post("/tags/rename", tag="old", name="new")
    assert wiki.get("Books.One").tags == ("new", "x")
    assert wiki.get("Books.Two").tags == ("new",)


# -- REST --------------------------------------------------------------------------------------

AUTH = ("Admin", PASSWORD)


def test_rest_moves_copies_and_lists(wiki: Wiki, client: FlaskClient) -> None:
    space(wiki)
    api = "/api/v1"
    answer = client.post(f"{api}/pages/Desk.Dune/move", auth=AUTH, json={
        "name": "Arrakis", "redirect": True})
    assert answer.status_code == 200
    assert answer.json == {"done": ["Desk.Dune"], "failed": [], "task": None,
                           "turned": ["Desk.Sub.Page", "Desk.WebHome", "Other.Page"]}
    assert client.post(f"{api}/pages/Desk.Arrakis/move", auth=AUTH, json={
        "name": "WebHome"}).status_code == 409
    answer = client.post(f"{api}/pages/Desk.WebHome/copy", auth=AUTH, json={
        "name": "Two", "space": True})
    assert answer.status_code == 201
    assert wiki.get("Two.WebHome").content == "[[Arrakis]] [[Two.Sub.Page]]"
    assert client.post(f"{api}/pages/Desk.Arrakis/move", json={"name": "X"}).status_code == 401
    listed = client.get(f"{api}/pages/Desk.Arrakis/backlinks?limit=2").json
    assert listed is not None
    assert listed["items"][0] == {"reference": "Desk.Dune", "kind": "object"}
    assert listed["next_cursor"]
    for name in ("orphaned", "wanted"):
        assert client.get(f"{api}/{name}").status_code == 200
