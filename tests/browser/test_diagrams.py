"""Diagrams as a reader sees them in a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from wiki.settings import shipped

LIBRARY = shipped("static") / "vendor/mermaid/mermaid.esm.min.mjs"
pytestmark = pytest.mark.skipif(not LIBRARY.exists(), reason="`make vendor` did not bring Mermaid")


def test_a_diagram_is_drawn_as_a_picture_and_no_policy_is_broken(page: Page) -> None:
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text))
    page.goto("/Help.Syntax")
    picture = page.locator(".diagram img")
    expect(picture).to_be_visible()
    expect(page.locator("pre.mermaid")).to_have_count(0)
    picture.scroll_into_view_if_needed()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 50
    assert complaints == []


def test_the_frame_that_draws_has_no_part_in_the_wiki(page: Page) -> None:
    page.goto("/Help.Syntax")
    expect(page.locator(".diagram img")).to_be_visible()
    frame = next(frame for frame in page.frames if frame.url.endswith("/diagrams"))
    assert frame.evaluate("window.origin") == "null"
    look = "() => { try { return parent.document.title; } catch (error) { return error.name; } }"
    assert frame.evaluate(look) == "SecurityError"
