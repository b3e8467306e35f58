"""Completion of macros in the editor, and the list of macros, as a person uses them."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect


@pytest.fixture
def area(page: Page) -> Locator:
    """An empty text in the editor of a new page."""
    page.goto("/Work.Text/edit")
    area = page.locator("#content")
    area.fill("")
    return area


def options(page: Page) -> Locator:
    return page.get_by_role("option")


def names(page: Page) -> list[str]:
    return page.locator(".completions:not([hidden]) .completion-name").all_text_contents()


def chosen(page: Page) -> Locator:
    return page.locator("[role=option][aria-selected=true] .completion-name")


def type_after(page: Page, area: Locator, text: str, then: str) -> None:
    """Put a text into the field, and type a character more."""
    area.fill(text)
    area.press("Control+End")
    area.press_sequentially(then)


def test_a_macro_is_written_with_the_keyboard_alone(page: Page, area: Locator) -> None:
    area.press_sequentially("<<showl")
    expect(options(page)).to_have_count(1)
    expect(area).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_role("listbox", name="Macros")).to_be_visible()
    area.press("Enter")
    expect(page.get_by_role("listbox", name="Parameters of showlog")).to_be_visible()
    assert area.input_value() == "<<showlog />>"
    assert names(page) == ["log", "lines", "follow"]
    area.press("ArrowUp")
    expect(chosen(page)).to_have_text("follow")
    area.press("Tab")
    expect(page.get_by_role("listbox", name="Values of follow")).to_be_visible()
    assert names(page) == ["true", "false"]
    area.press("ArrowDown")
    expect(chosen(page)).to_have_text("false")
    area.press("Enter")
    assert area.input_value() == '<<showlog follow="false"/>>'
    area.press_sequentially(" li")
    expect(chosen(page)).to_have_text("lines")
    area.press("Enter")
    area.press_sequentially("5")
    assert area.input_value() == '<<showlog follow="false" lines="5"/>>'
    expect(area).not_to_have_attribute("aria-expanded", "true")


def test_a_body_gets_its_end_and_what_must_be_given(page: Page, area: Locator) -> None:
    area.press_sequentially("<<warn")
    expect(chosen(page)).to_have_text("warning")
    area.press("Tab")
    area.press_sequentially("Mind the gap")
    assert area.input_value() == "<<warning>>Mind the gap<</warning>>"
    type_after(page, area, "", "<<incl")
    expect(chosen(page)).to_have_text("include")
    area.press("Tab")
    area.press_sequentially("Help.Syntax")
    assert area.input_value() == '<<include page="Help.Syntax"/>>'
    type_after(page, area, "<<info>>a <<box>>b<</box>> <", "</")
    expect(chosen(page)).to_have_text("<</info>>")
    area.press("Enter")
    assert area.input_value() == "<<info>>a <<box>>b<</box>> <</info>>"


def test_the_list_opens_only_where_a_macro_can_be(page: Page, area: Locator) -> None:
    after = "```\ncode\n```\n<"
    type_after(page, area, after, "<")
    expect(options(page).first).to_be_visible()
    for text, typed in (("1 < 2", "<"), ("~<", "<"), ("`<", "<"), ("```\n<", "<"),
                        ("<<toc/>> ", "d"), ("<<nope ", "d"), ("<<toc> ", "d")):
        type_after(page, area, text, typed)
        expect(options(page)).to_have_count(0)
    type_after(page, area, after, "<")
    expect(options(page).first).to_be_visible()
    area.press("Escape")
    expect(options(page)).to_have_count(0)
    area.press("Enter")
    assert area.input_value() == "```\ncode\n```\n<<\n"
    expect(area).to_be_focused()


def test_the_mouse_chooses_and_one_step_back_undoes_it(page: Page, area: Locator) -> None:
    area.press_sequentially("See <<prop")
    page.get_by_role("option").filter(has_text="properties").click()
    assert area.input_value() == "See <<properties />>"
    expect(area).to_be_focused()
    area.press("Escape")
    area.press("Control+z")
    assert area.input_value() == "See <<prop"


def test_a_name_is_changed_without_losing_what_follows(page: Page, area: Locator) -> None:
    area.fill('<< title="T">>body<</info>>')
    area.press("Control+Home")
    area.press("ArrowRight")
    area.press("ArrowRight")
    area.press_sequentially("inf")
    expect(chosen(page)).to_have_text("info")
    area.press("Enter")
    assert area.input_value() == '<<info title="T">>body<</info>>'


def test_the_list_stays_on_a_phones_screen(page: Page, area: Locator) -> None:
    page.set_viewport_size({"width": 360, "height": 700})
    type_after(page, area, "a line that goes as far as the right end <", "<")
    expect(options(page).first).to_be_visible()
    box = page.locator(".completions").bounding_box()
    assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 360
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_the_list_stands_above_a_line_at_the_screens_end(page: Page, area: Locator) -> None:
    page.set_viewport_size({"width": 900, "height": 600})
    area.evaluate("area => { area.rows = 60; }")
    type_after(page, area, "line\n" * 50 + "<", "<")
    area.evaluate("area => window.scrollTo(0, area.offsetTop + 500)")
    area.press_sequentially("t")
    expect(page.get_by_role("option").first).to_be_in_viewport()
    box = page.locator(".completions").bounding_box()
    assert box is not None and box["y"] >= 0 and box["y"] + box["height"] <= 600


def test_without_the_list_of_macros_the_text_can_be_written(page: Page, area: Locator) -> None:
    page.route("**/api/v1/macros*", lambda route: route.abort())
    with page.expect_event("requestfailed"):
        area.press_sequentially("<<to")
    area.press_sequentially("c/>>")
    expect(options(page)).to_have_count(0)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved as version")).to_be_visible()


def test_the_list_of_macros_can_be_searched(page: Page) -> None:
    page.goto("/Help.Macros")
    shown = page.locator(".macro-entry:visible")
    assert shown.count() > 25
    page.get_by_label("Find a macro").fill("archives log")
    expect(shown).to_have_count(1)
    expect(page.locator(".macro-names a:visible")).to_have_text("archivelog")
    page.get_by_label("Find a macro").fill("")
    page.get_by_role("navigation", name="Macros").get_by_role("link", name="showlog").click()
    expect(page).to_have_url(re.compile("#macro-showlog$"))
    page.set_viewport_size({"width": 360, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") == 360
