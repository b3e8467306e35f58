"""Macros without an end, where nobody waits for the page with patience: REST, exports, feeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Browser
from flask import Flask
from test_macro_packages import install_by_hand

from wiki.api import Wiki
from wiki.rendering.renderer import Limits
from wiki.site import Site

#: A macro that never ends: in Python, asleep and unwilling, or in one long step of C.
SOURCE = '''
import time
@macro("endless")
def endless(context: MacroContext, how: str = "") -> str:
    """Goes on and on."""
    while how == "asleep":
        try:
            time.sleep(1000)
        except Exception:
            pass
    while how == "busy":
        pass
    return str(sum(range(10**13)) if how == "in C" else "it ends")
'''
Html = Callable[..., str]


@pytest.fixture(autouse=True)
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package with the macro, for the server and its workers."""
    install_by_hand(tmp_path / "packages", "endless", SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path / "packages"))


@pytest.fixture
def html(site: Site, app: Flask, admin: Browser, wiki: Wiki) -> Html:
    """What REST gives for a page of a text, which may take so many seconds."""
    def of(text: str, seconds: float = 2.0) -> str:
        site.renderer._limits = replace(Limits(), seconds=seconds, unhurried_seconds=seconds)
        page = wiki.get_or_new("Work.Page")
        page.content = text
        page.save()
        answer = admin.get("/api/v1/pages/Work.Page/html")
        assert answer.status_code == 200
        return answer.text
    return of


def test_a_macro_without_an_end_is_a_box_and_the_rest_of_the_page_is_there(html: Html) -> None:
    shown = html('<<toc/>>\n\n# Before\n\n<<endless how="asleep"/>>\n\n<<endless how="busy"/>>\n\n'
                 "<<endless/>>\n\n# After")
    assert shown.count("it was stopped, since the page has taken more than 1.6 seconds") == 2
    assert "it ends" in shown and '<a href="#after">' in shown


def test_what_cannot_be_ended_is_killed_and_is_a_box_too(html: Html) -> None:
    shown = html('# Before\n\n<<endless how="in C"/>>\n\n# After', seconds=0.5)
    assert shown.count("macro-error") == 1 and "it takes longer than the page may wait" in shown
    assert "Before</h1>" in shown and "After</h1>" in shown


def test_a_script_that_calls_one_is_a_box_too(html: Html) -> None:
    shown = html("# Before\n\n<<jinja>>{{ 6 * 7 }} <" '<endless how="busy"/>> after<</jinja>>\n\n'
                 "# After")
    assert "42" in shown and "it was stopped" in shown
    assert "Before</h1>" in shown and "After</h1>" in shown


def test_a_macro_of_the_wikis_own_that_is_known_to_be_quick_needs_no_worker(
        html: Html, site: Site) -> None:
    assert "in a box" in html("<<box>>in a box<</box>> <<endless/>>")
    for worker in site.renderer._workers:
        worker.stop()
    assert "once more" in html("<<box>>once more<</box>>")
    assert "the wiki is being stopped" in html("<<endless/>>")
