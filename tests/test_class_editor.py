"""The class editor, what a change of a class does to its objects, and pages made from classes and
templates."""

from __future__ import annotations

import re
from typing import Any

import pytest
from conftest import PASSWORD, Browser
from flask import Flask

from wiki import instances
from wiki.api import Wiki
from wiki.errors import InvalidDocument
from wiki.instances import ClassChange
from wiki.model import ClassDefinition, Property
from wiki.rights import Right, allows
from wiki.site import Site

CLASS = "Books.BookClass"
URL = f"/{CLASS}/class"


def make_class(wiki: Wiki, *properties: Property) -> None:
    page = wiki.new(CLASS)
    page.define_class(*(properties or (Property("year"), Property("author"))))
    page.save()


def make_book(wiki: Wiki, name: str, **values: Any) -> None:
    page = wiki.new(name)
    page.add_object(CLASS, **values)
    page.save()


def values(wiki: Wiki, name: str) -> dict[str, Any]:
    obj = wiki.get(name).record.object(CLASS)
    assert obj
    return dict(obj.values)


def fields(*rows: dict[str, str], version: str = "1.1", action: str = "save") -> dict[str, Any]:
    """The class editor's form with these rows."""
    sent: dict[str, Any] = {"version": version, "action": action,
                            "row": [str(number) for number in range(1, len(rows) + 1)]}
    for number, row in enumerate(rows, 1):
        sent |= {f"{key}-{number}": value for key, value in ({"type": "String"} | row).items()}
    return sent


def change(old: Property, new: Property) -> ClassChange:
    renamed = {old.name: new.name} if old.name != new.name else {}
    return ClassChange.between(ClassDefinition((old,)), ClassDefinition((new,)), renamed)


# -- the form ------------------------------------------------------------------------------------


def test_properties_are_defined_with_their_options(admin: Browser, wiki: Wiki) -> None:
    wiki.new(CLASS).save()
    answer = admin.post(URL, **fields(
        {"name": "genre", "type": "StaticList", "values": "novel\r\npoem\r\n", "multiple": "1",
         "default": "novel", "min": "3"},
        {"name": "year", "type": "Number", "integer": "1", "min": "-3000", "default": "1965",
         "required": "1", "prettyName": "Year", "help": "of print"},
        {"name": "next", "type": "Page", "class": CLASS}, {"name": ""}))
    assert answer.status_code == 302
    definition = wiki.class_definition(CLASS)
    assert definition
    genre, year, following = definition.properties
    assert (genre.options, genre.default) == (
        {"values": ["novel", "poem"], "multiple": True}, ["novel"])
    assert (year.options, year.default, year.required, year.label, year.help) == (
        {"integer": True, "min": -3000}, 1965, True, "Year", "of print")
    assert following.options == {"class": CLASS}
    shown = admin.get(URL).text
    assert "novel\npoem</textarea>" in shown
    assert "built-in" not in shown
    assert re.search(r'name="min-2" value="-3000"', shown)


def test_buttons_move_add_and_remove_without_saving(admin: Browser, wiki: Wiki) -> None:
    make_class(wiki)
    rows = ({"name": "year", "was": "year"}, {"name": "author", "was": "author"})

    def names(action: str) -> list[str]:
        shown = admin.post(URL, **fields(*rows, action=action)).text.partition("<template")[0]
        return re.findall(r'name="name-\d+" value="(\w*)"', shown)

    assert names("up:2") == ["author", "year"]
    assert names("down:1") == ["author", "year"]
    assert names("up:1") == names("down:2") == ["year", "author"]
    assert names("remove:1") == ["author"]
    assert names("add") == ["year", "author", ""]
    assert wiki.get(CLASS).record.version.major == 1


@pytest.mark.parametrize("wrong", [
    {"type": "Number", "min": "low"}, {"type": "Number", "min": "3", "max": "1"},
    {"type": "Number", "default": "many"}, {"type": "StaticList"}, {"type": "Colour"},
    {"name": "two words"}, {"type": "Page", "class": "A..B"}])
def test_what_cannot_be_is_refused_and_the_form_kept(admin: Browser, wiki: Wiki,
                                                     wrong: dict[str, str]) -> None:
    make_class(wiki)
    answer = admin.post(URL, **fields({"name": "year", "prettyName": "Kept"} | wrong))
    assert answer.status_code == 400
    assert 'value="Kept"' in answer.text
    assert wiki.get(CLASS).record.version.major == 1


def test_a_conflict_keeps_what_was_typed(admin: Browser, wiki: Wiki) -> None:
    make_class(wiki)
    page = wiki.get(CLASS)
    page.define_class(Property("other"))
    page.save()
    answer = admin.post(URL, **fields({"name": "mine"}))
    assert answer.status_code == 409
    assert 'value="mine"' in answer.text
    assert 'name="version" value="2.1"' in answer.text


# -- objects follow their class ------------------------------------------------------------------


def test_a_rename_is_shown_first_and_carries_values_along(admin: Browser, wiki: Wiki) -> None:
    make_class(wiki)
    make_book(wiki, "Books.Dune", year="1965", author="Herbert")
    make_book(wiki, "Books.Empty", author="Nobody")
    rows = ({"name": "published", "was": "year"}, {"name": "author", "was": "author"})
    asked = admin.post(URL, **fields(*rows))
    assert "This changes 2 pages too" in asked.text
    assert values(wiki, "Books.Dune")["year"] == "1965"
    answer = admin.post(URL, **fields(*rows, action="confirm"))
    assert answer.status_code == 302
    assert values(wiki, "Books.Dune") == {"published": "1965", "author": "Herbert"}
    assert wiki.get("Books.Dune").record.minor
    assert wiki.get("Books.Empty").record.version.major == 1
    assert len(list(wiki.query(CLASS, published="1965"))) == 1


def test_a_retype_converts_what_it_can_and_lists_the_rest(admin: Browser, wiki: Wiki) -> None:
    make_class(wiki)
    make_book(wiki, "Books.Dune", year="1965", author="Herbert")
    make_book(wiki, "Books.Old", year="long <ago>", author="?")
    rows = ({"name": "published", "was": "year", "type": "Number", "integer": "1"},
            {"name": "author", "was": "author"})
    assert "1 object will have a value that the class does not allow" in admin.post(
        URL, **fields(*rows)).text
    admin.post(URL, **fields(*rows, action="confirm"))
    assert values(wiki, "Books.Dune")["published"] == 1965
    assert values(wiki, "Books.Old")["published"] == "long <ago>"
    shown = admin.get(URL).text
    assert "Values that the class does not allow" in shown
    for part in ("/Books.Old/objects", "long &lt;ago&gt;", "a whole number"):
        assert part in shown
    assert "/Books.Dune/objects" not in shown


def test_removed_properties_keep_their_values(admin: Browser, wiki: Wiki) -> None:
    make_class(wiki)
    make_book(wiki, "Books.Dune", year="1965", author="Herbert")
    assert admin.post(URL, **fields({"name": "author", "was": "author"})).status_code == 302
    assert values(wiki, "Books.Dune")["year"] == "1965"


def test_many_pages_follow_in_steps(admin: Browser, wiki: Wiki,
                                    monkeypatch: pytest.MonkeyPatch) -> None:
    make_class(wiki)
    for number in range(5):
        make_book(wiki, f"Books.B{number}", year=str(number), author="")
    monkeypatch.setattr("wiki.web.classes.CHUNK", 2)
    monkeypatch.setattr(instances.step, "__defaults__", ("", 2))
    answer = admin.post(URL, **fields(
        {"name": "published", "was": "year"}, action="confirm"))
    seen = []
    while "/class/carry" in (address := answer.headers["Location"]):
        shown = admin.get(address).text
        seen += re.findall(r"(\d) of 5 pages", shown)
        answer = admin.post(address)
    assert seen == ["0", "2", "4"]
    assert [values(wiki, f"Books.B{number}")["published"] for number in range(5)] == list("01234")


def test_a_step_done_twice_changes_nothing(wiki: Wiki) -> None:
    make_class(wiki, Property("published"))
    make_book(wiki, "Books.Dune", year="1965")
    carried = change(Property("year"), Property("published"))
    found = instances.step(wiki, CLASS)
    assert instances.carry(wiki, CLASS, carried, found) == (1, [])
    assert instances.carry(wiki, CLASS, carried, found) == (0, [])


def test_no_value_is_lost_where_the_new_name_holds_one() -> None:
    carried = change(Property("year"), Property("published"))
    assert carried.carry({"year": "1", "published": "2"}) == {"year": "1", "published": "2"}
    assert carried.carry({"year": "1", "published": ""}) == {"published": "1"}


def test_names_are_not_swapped_in_one_save() -> None:
    both = ClassDefinition((Property("a"), Property("b")))
    with pytest.raises(InvalidDocument, match="same save"):
        ClassChange.between(both, both, {"a": "b", "b": "a"})


@pytest.mark.parametrize(("old", "new"), [("a", "a2"), ("gone", "b"), ("a", "gone")])
def test_a_rename_that_the_class_does_not_show_is_refused(old: str, new: str) -> None:
    with pytest.raises(InvalidDocument):
        ClassChange.between(ClassDefinition((Property("a"),)),
                            ClassDefinition((Property("a"), Property("a2"), Property("b"))),
                            {old: new})


def test_an_address_alone_changes_nothing(admin: Browser, wiki: Wiki) -> None:
    make_class(wiki)
    make_book(wiki, "Books.Dune", year="1965")
    page = wiki.get(CLASS)
    page.define_class(Property("published"))
    page.save()
    address = f"{URL}/carry?from=1.1&rename=year:published"
    assert "0 of 1 pages" in admin.get(address).text
    assert values(wiki, "Books.Dune") == {"year": "1965"}
    assert admin.post(f"{URL}/carry?from=1.1&rename=author:title").status_code == 400
    assert admin.client.post(address).status_code == 403
    assert admin.post(address).status_code == 302
    assert values(wiki, "Books.Dune") == {"published": "1965"}


LISTED = {"values": ["one", "two"], "multiple": True}


@pytest.mark.parametrize(("old", "new", "value", "made"), [
    (Property("p"), Property("p", "Number"), "12.5", 12.5),
    (Property("p", "Number"), Property("p"), 7, "7"),
    (Property("p"), Property("p", "Boolean"), "yes", True),
    (Property("p"), Property("p", "Date"), "2026-11-24", "2026-11-24"),
    (Property("p"), Property("p", "Date"), "some day", "some day"),
    (Property("p"), Property("p", "StaticList", options=LISTED), "one, two", ["one", "two"]),
    (Property("p", "StaticList", options=LISTED), Property("p"), ["one", "two"], "one, two"),
    (Property("p"), Property("p", "Password"), "plain", "plain"),
    (Property("p", "Password"), Property("p"), {"hash": "x"}, {"hash": "x"})])
def test_values_of_other_types(old: Property, new: Property, value: Any, made: Any) -> None:
    assert change(old, new).carry({"p": value}) == {"p": made}


def test_a_changed_class_arms_no_page(site: Site, app: Flask, admin: Browser, wiki: Wiki) -> None:
    """A script that nobody has looked at is not signed by who renames a property."""
    site.add_user("Jo", PASSWORD)
    page = site.wiki.as_user("Users.Jo").new("Macros.Evil")
    page.add_object("Wiki.MacroClass", name="evil", code="x", description="d")
    page.save()
    definition = wiki.class_definition("Wiki.MacroClass")
    assert definition
    rows = [{"name": "about" if prop.name == "description" else prop.name, "was": prop.name,
             "type": prop.type, "values": "\n".join(prop.options.get("values", []))}
            for prop in definition.properties]
    version = str(wiki.get("Wiki.MacroClass").record.version)
    admin.post("/Wiki.MacroClass/class", **fields(*rows, version=version, action="confirm"))
    record = wiki.get("Macros.Evil").record
    obj = record.object("Wiki.MacroClass")
    assert obj
    assert obj.values["about"] == "d"
    assert not allows(record.script_author, Right.SCRIPT, record)


def test_passwords_are_not_shown_in_the_list(admin: Browser, wiki: Wiki) -> None:
    make_class(wiki, Property("secret", "Password"))
    make_book(wiki, "Books.Dune", secret="melange")
    page = wiki.get(CLASS)
    page.define_class(Property("secret", "Number"))
    page.save()
    shown = admin.get(URL).text
    assert "(not shown)" in shown
    assert "argon2" not in shown


# -- new pages -----------------------------------------------------------------------------------


def make_template(wiki: Wiki, name: str = "Templates.Report", **values: str) -> None:
    page = wiki.new(name, content="## Findings", tags=("report",), parent="Templates.WebHome")
    page.add_object("Wiki.TemplateClass", name="Report", description="With headings", **values)
    page.save()


def test_a_template_is_offered_where_it_is_meant_for(admin: Browser, wiki: Wiki) -> None:
    make_template(wiki, space="Work")
    assert "With headings" in admin.get("/create?base=Work.Inner.WebHome").text
    assert "With headings" not in admin.get("/create?base=Workshop.WebHome").text
    assert "/create?name=Work.New&amp;choose=1" in admin.get("/Work.New").text


def test_a_page_begins_as_a_copy_of_a_template(admin: Browser, wiki: Wiki) -> None:
    make_template(wiki)
    answer = admin.post("/create", space="Work", name="", title="Q3. Results/all",
                        start="template:Templates.Report")
    assert answer.headers["Location"] == r"/Work.Q3%5C.%20Results-all/edit"
    made = wiki.get(r"Work.Q3\. Results-all").record
    assert (made.content, made.title, made.tags, made.parent, made.objects) == (
        "## Findings", "Q3. Results/all", ("report",), "Work.WebHome", ())


def test_a_page_of_a_class_is_made_with_its_values(admin: Browser, wiki: Wiki) -> None:
    make_class(wiki)
    for address in (URL, f"/{CLASS}"):
        assert f"/create?class={CLASS}" in admin.get(address).text
    assert "/create?class=" not in admin.get("/Wiki.MacroClass").text
    assert 'value="Books"' in admin.get(f"/create?class={CLASS}&choose=1").text
    form = admin.post("/create", space="Books", name="Dune", title="Dune, the novel",
                      start="class", **{"class": CLASS}).text
    assert 'value="Dune, the novel"' in form
    sent = dict(re.findall(r'type="hidden" name="(plan\.[\w.]+)" value="([^"]*)"', form))
    answer = admin.post(f"/{CLASS}/form", **sent, **{
        "form.title.of.page": "Dune", "form.year": "1965", "form.author": "Herbert"})
    assert answer.headers["Location"] == "/Books.Dune"
    assert values(wiki, "Books.Dune") == {"year": "1965", "author": "Herbert"}


def test_a_templates_object_gives_the_values(admin: Browser, wiki: Wiki) -> None:
    make_class(wiki)
    make_template(wiki, **{"class": CLASS})
    page = wiki.get("Templates.Report")
    page.add_object(CLASS, author="Suggested")
    page.save()
    form = admin.post("/create", space="Books", title="New",
                      start="template:Templates.Report").text
    assert 'value="Suggested"' in form
    sent = dict(re.findall(r'type="hidden" name="(plan\.[\w.]+)" value="([^"]*)"', form))
    admin.post(f"/{CLASS}/form", **sent, **{"form.title.of.page": "New", "form.year": "1",
                                            "form.author": "Me"})
    made = wiki.get("Books.New").record
    assert [obj.class_name for obj in made.objects] == [CLASS]
    assert made.content == "## Findings"


@pytest.mark.parametrize(("sent", "status"), [
    ({"space": "Main", "name": "WebHome"}, 409), ({"space": "", "name": "X"}, 400),
    ({"space": "Books", "title": ""}, 400),
    ({"space": "Books", "title": "X", "start": "class"}, 400),
    ({"space": "Books", "title": "X", "start": "class", "class": "Wiki.MacroClass"}, 400),
    ({"space": "Books", "title": "X", "start": "template:Main.WebHome"}, 400),
    ({"space": "Books", "title": "X", "start": "template:No.Page"}, 404)])
def test_what_cannot_be_made_says_why(admin: Browser, sent: dict[str, str], status: int) -> None:
    answer = admin.post("/create", **sent)
    assert answer.status_code == status
    assert 'role="alert"' in answer.text


def test_an_empty_page_goes_to_its_editor(admin: Browser) -> None:
    answer = admin.post("/create", space="Work", title="Plan", name="", start="")
    assert answer.headers["Location"] == "/Work.Plan/edit?title=Plan&parent=Work.WebHome"


# -- values where they stand, and names to pick --------------------------------------------------


def test_the_plain_sheet_lets_editors_change_each_value(admin: Browser, guest: Browser,
                                                        wiki: Wiki) -> None:
    make_class(wiki, Property("year", pretty_name="Year"), Property("secret", "Password"))
    page = wiki.get(CLASS)
    page.add_object("Wiki.ClassSheetClass", sheet="Wiki.ObjectSheet")
    page.save()
    make_book(wiki, "Books.Dune", secret="melange")
    shown = admin.get("/Books.Dune").text
    assert "Change Year" in shown
    assert "name=secret" not in shown
    assert "property-edit" not in guest.get("/Books.Dune").text


def test_titles_of_a_class(admin: Browser, wiki: Wiki) -> None:
    make_class(wiki)
    make_book(wiki, "Books.Dune", year="1965")
    make_book(wiki, "Books.Emma", year="1815")
    wiki.new("Books.Dunes").save()

    def names(query: str) -> list[str]:
        answer = admin.get(f"/api/v1/titles?{query}")
        assert answer.json
        return [item["reference"] for item in answer.json["items"]]

    assert names(f"q=dUn&class={CLASS}") == ["Books.Dune"]
    assert names(f"q=&class={CLASS}") == ["Books.Dune", "Books.Emma"]
    assert "Users.Admin" in names("q=adm&class=Wiki.UserClass")
