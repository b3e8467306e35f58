"""Parts of a page that the browser asks for again: live macros, slow ones, and whose they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from threading import Event
from typing import Any

import pytest
from conftest import PASSWORD, Browser, until
from itsdangerous import URLSafeSerializer
from markupsafe import Markup

from wiki import rights
from wiki.api import Wiki
from wiki.model import GUEST
from wiki.rendering import slow as slow_module
from wiki.rendering.macros import MacroContext, macro
from wiki.rendering.parts import MAX_TOKEN, Call, Signer
from wiki.rendering.renderer import RenderRequest
from wiki.rendering.slow import OF_PAGE, OF_READER, QUICK, SlowRuns
from wiki.settings import Settings
from wiki.site import Site
from wiki.web.app import create_app

JO = "Users.Jo"
PART = re.compile(r'data-part="([^"]+)" data-every="([^"]+)" data-tag="([^"]*)"( aria-busy)?')


class Shop:
    """What the macros of these tests show, and when."""

    def __init__(self) -> None:
        self.text = "first"
        self.calls = 0
        self.go = Event()
        self.began = Event()


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A page does not wait for macros that nobody knows yet."""
    return replace(settings, macro_patience=0)


@pytest.fixture
def site(settings: Settings, shop: Shop) -> Iterator[Site]:
    """A wiki with a live macro and a slow one."""
    @macro("news", live=5)
    def news(context: MacroContext, of: str = "", quiet: bool = False) -> str:
        """What is new."""
        context.changing()
        if quiet:
            context.pace(60)
        return f"{shop.text} of {of} for {context.user} by {context.author} <b>"

    @macro("lines", body="rendered", live=5)
    def lines(context: MacroContext, body: Markup) -> Markup:
        """Shows its body."""
        return Markup("<div>{} {}</div>").format(shop.text, body)

    @macro("token", live=5)
    def token(context: MacroContext) -> Markup:
        """A form's token."""
        return Markup('<input value="{}"> {}').format(context.form_token, shop.text)

    @macro("slow")
    def slow(context: MacroContext, of: str = "") -> Markup:
        """Waits until it may end."""
        shop.calls += 1
        shop.began.set()
        assert shop.go.wait(60)
        return Markup("<p>slow {} {}</p>").format(of, context.form_token)

    with Site(settings) as opened:
        for function in (news, lines, token, slow):
            opened.registry.register(function)
        opened.install()
        yield opened
        shop.go.set()


def save(wiki: Wiki, name: str, text: str) -> None:
    page = wiki.get_or_new(name)
    page.content = text
    page.save()


def parts(html: str) -> list[str]:
    return [match[1] for match in PART.finditer(html)]


def ask(browser: Browser, *tokens: str, tag: str = "") -> list[dict[str, Any]]:
    answer = browser.client.post("/parts", data={"part": list(tokens), "tag": [tag] * len(tokens)})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.get_json()["parts"]
    return found


def answer_of(browser: Browser, token: str, tag: str = "") -> str:
    """The HTML of a part, once it is there, and is another one than the tag's."""
    got: list[dict[str, Any]] = []

    def there() -> bool:
        got[:] = ask(browser, token, tag=tag)
        return "html" in got[0]

    until(there, 60, "the part does not come")
    return str(got[0]["html"])


def wait_known(site: Site, browser: Browser, name: str) -> None:
    """Have the macro known to be quick."""
    parts_of = site.renderer._local.parts
    assert parts_of is not None
    parts_of.took(name, 0.0)


@pytest.fixture(autouse=True)
def known(site: Site, app: object) -> None:
    """The macros that are not slow have been called before."""
    for name in ("news", "lines", "token", "jinja", "include", "html", "box", "taskstats"):
        made = site.renderer._local.parts
        assert made is not None
        made.took(name, 0.0)


def test_a_live_macro_is_a_part_that_changes_when_what_it_shows_does(
        guest: Browser, wiki: Wiki, shop: Shop) -> None:
    save(wiki, "Work.Board", 'Now <<news of="cars"/>>.\n\n<<news quiet/>>')
    page = guest.get("/Work.Board").text
    (first, every, tag, _), second = PART.findall(page)
    assert '<span class="live"' not in page and '<div class="live"' in page
    assert (every, second[1]) == ("5", "60")
    assert ask(guest, first, tag=tag) == [{"every": 5}]
    shop.text = "second"
    changed, quiet = ask(guest, first, second[0], tag=tag)
    assert changed["html"] == f"second of cars for {GUEST} by Users.Admin &lt;b&gt;"
    assert changed["tag"] != tag and quiet["every"] == 60
    assert ask(guest, first, tag=changed["tag"]) == [{"every": 5}]


def test_a_part_is_bound_to_its_reader_and_to_the_servers_key(
        guest: Browser, admin: Browser, wiki: Wiki) -> None:
    save(wiki, "Work.Board", "<<news/>>")
    token = parts(guest.get("/Work.Board").text)[0]
    assert "html" in ask(guest, token)[0]
    assert ask(admin, token) == [{"gone": True}]
    call = Signer("for tests").call(token)
    assert call is not None
    own = replace(call, author="Users.Admin", name="html", body="<script>", params={})
    forged = [Signer("another key").token(own), token[:-1] + ("A" if token[-1] != "A" else "B"),
              "x" + token, "", "." * 5000, URLSafeSerializer("for tests").dumps([1, 2])]
    for wrong in forged:
        assert ask(guest, wrong) == [{"gone": True}]


def test_a_part_runs_with_the_rights_that_its_author_has_now(
        site: Site, user: Browser, wiki: Wiki, monkeypatch: pytest.MonkeyPatch) -> None:
    save(wiki, "Work.Raw", "<<lines>>\n<<html>><u>raw</u><</html>>\n<</lines>>")
    save(site.wiki.as_user(JO), "Work.Jo", "<<lines>>\n<<html>><u>raw</u><</html>>\n<</lines>>")
    admins, own = (parts(user.get(f"/Work.{name}").text)[0] for name in ("Raw", "Jo"))
    assert "<u>raw</u>" in ask(user, admins)[0]["html"]
    assert "<u>raw</u>" not in ask(user, own)[0]["html"]
    monkeypatch.setattr("wiki.rights.ADMIN_USER", "Users.Nobody")  # the author's right is lost
    assert "<u>raw</u>" not in ask(user, admins)[0]["html"]


def test_what_a_script_put_out_is_a_part_with_the_scripts_values(
        guest: Browser, wiki: Wiki) -> None:
    save(wiki, "Work.Script",
         "<<jinja>><<taskstats task=\"Tasks.{{ 'Import' ~ 'Countries' }}\"/>><</jinja>>")
    token = parts(guest.get("/Work.Script?wait=1").text)[0]
    call = Signer("for tests").call(token)
    assert call is not None and call.params == {"task": "Tasks.ImportCountries"} and call.scripted
    assert "No run has ended yet" in ask(guest, token)[0]["html"]


def test_a_page_that_is_gone_or_hidden_from_the_reader_answers_gone(
        guest: Browser, admin: Browser, wiki: Wiki, monkeypatch: pytest.MonkeyPatch) -> None:
    save(wiki, "Work.Source", "<<news of='source'/>>")
    save(wiki, "Work.Board", '<<include page="Work.Source"/>>')
    own, other = (parts(browser.get("/Work.Board").text)[0] for browser in (guest, admin))
    assert "by Users.Admin" in ask(guest, own)[0]["html"]
    before = rights.allows
    with monkeypatch.context() as patch:
        patch.setattr(rights, "allows", lambda user, right, document=None: user != GUEST and
                      before(user, right, document))
        assert ask(guest, own) == [{"gone": True}]
        assert "html" in ask(admin, other)[0]
    wiki.get("Work.Board").delete()
    assert ask(admin, other) == [{"gone": True}]


def test_a_part_with_a_script_in_it_is_made_by_a_worker(guest: Browser, wiki: Wiki) -> None:
    save(wiki, "Work.Script", "<<news/>>")
    call = Signer("for tests").call(parts(guest.get("/Work.Script").text)[0])
    assert call is not None
    box = replace(call, name="box", params={}, body="<<jinja>>{{ 6 * 7 }}<</jinja>>")
    assert "42" in answer_of(guest, Signer("for tests").token(box))
    guests = Signer("for tests").token(replace(box, author=GUEST))
    assert "does not hold the script right" in answer_of(guest, guests)


def test_the_form_token_of_an_answer_is_the_readers_own(
        admin: Browser, guest: Browser, wiki: Wiki, shop: Shop) -> None:
    save(wiki, "Work.Form", "<<token/>>")
    page = admin.get("/Work.Form").text
    token, _, tag, _ = PART.findall(page)[0]
    assert ask(admin, token, tag=tag) == [{"every": 5}]
    assert f'<input value="{admin.token()}">' in ask(admin, token)[0]["html"]
    save(wiki, "Work.Plain", "<<news/>>")
    plain = parts(guest.get("/Work.Plain").text)[0]
    answer = guest.client.post("/parts", data={"part": plain, "tag": ""})
    assert "Set-Cookie" not in answer.headers


def test_a_call_that_is_too_long_is_no_part(guest: Browser, wiki: Wiki) -> None:
    words = " ".join(str(number * 7919 % 99991) for number in range(2000))
    save(wiki, "Work.Long", f'<<news of="{words}"/>>')
    page = guest.get("/Work.Long").text
    assert "first of " in page and parts(page) == []


@pytest.mark.parametrize("data", [{}, {"part": "x"}, {"part": ["x"] * 101, "tag": [""] * 101}])
def test_a_request_that_makes_no_sense_is_refused(guest: Browser, data: dict[str, Any]) -> None:
    answer = guest.client.post("/parts", data=data)
    assert answer.status_code == 400 and "1 to 100 parts" in answer.text


def test_a_large_request_is_refused(guest: Browser) -> None:
    answer = guest.client.post("/parts", data={"part": "x" * 2_000_000, "tag": ""})
    assert answer.status_code == 413


def test_a_slow_macro_does_not_hold_the_page_and_runs_once(
        guest: Browser, wiki: Wiki, shop: Shop) -> None:
    save(wiki, "Work.Slow", 'Before.\n\n<<slow of="A"/>>\n\nAfter.')
    page = guest.get("/Work.Slow").text
    assert "After." in page and "slow is loading…" in page
    token, every, _, busy = PART.findall(page)[0]
    assert (every, busy) == ("0", " aria-busy")
    link = re.search(r'<noscript> <a href="([^"]+)"', page)
    assert link and unescape(link[1]) == "/Work.Slow?wait=1"
    assert shop.began.wait(60)
    assert ask(guest, token) == [{"busy": True}]
    assert "slow is loading" in guest.get("/Work.Slow").text
    assert shop.calls == 1
    shop.go.set()
    got: list[dict[str, Any]] = []

    def there() -> bool:
        got[:] = ask(guest, token)
        return "html" in got[0]

    until(there, 60, "the slow macro's part does not come")
    form_token = re.search(r"<p>slow A (\S+)</p>", got[0]["html"])
    assert form_token and form_token[1] == guest.token()
    assert got[0]["every"] == 0 and shop.calls == 1


def test_who_waits_gets_the_whole_page(guest: Browser, wiki: Wiki, shop: Shop) -> None:
    save(wiki, "Work.Slow", '<<slow of="A"/>>')
    shop.go.set()
    page = guest.get("/Work.Slow?wait=1").text
    assert "<p>slow A" in page and parts(page) == []


def test_a_result_that_another_session_takes_has_that_sessions_token(
        app: Any, guest: Browser, wiki: Wiki, shop: Shop) -> None:
    save(wiki, "Work.Slow", '<<slow of="A"/>>')
    other = Browser(app.test_client())
    token = parts(guest.get("/Work.Slow").text)[0]
    assert parts(other.get("/Work.Slow").text) == [token]
    shop.go.set()
    got: list[dict[str, Any]] = []

    def there() -> bool:
        got[:] = ask(other, token)
        return "html" in got[0]

    until(there, 60, "the slow macro's part does not come")
    assert other.token() in got[0]["html"] and guest.token() not in got[0]["html"]


def test_a_macro_that_was_quick_runs_in_the_page(guest: Browser, wiki: Wiki, site: Site,
                                                  shop: Shop) -> None:
    save(wiki, "Work.Slow", '<<slow of="A"/>>')
    shop.go.set()
    wait_known(site, guest, "slow")
    page = guest.get("/Work.Slow").text
    assert "<p>slow A" in page and parts(page) == []


def test_a_page_of_slow_macros_keeps_its_threads_few(guest: Browser, wiki: Wiki, site: Site,
                                                     shop: Shop) -> None:
    made = site.renderer._local.parts
    assert made is not None
    made.took("slow", 5.0)
    save(wiki, "Work.Slow", "\n\n".join(f'<<slow of="{number}"/>>' for number in range(30)))
    assert len(parts(guest.get("/Work.Slow").text)) == 30
    assert shop.calls <= OF_PAGE
    save(wiki, "Work.Other", '<<slow of="other"/>>')
    token = parts(guest.get("/Work.Other").text)[0]
    shop.go.set()
    assert "slow other" in answer_of(guest, token)


def test_a_page_says_which_macros_may_have_no_end(
        guest: Browser, wiki: Wiki, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_module, "STUCK_SECONDS", 0.0)
    save(wiki, "Work.Slow", "\n\n".join(f'<<slow of="{number}"/>>' for number in range(6)))
    page = guest.get("/Work.Slow").text
    assert page.count("it has run for more than 0 seconds and goes on") == OF_PAGE
    assert page.count("there is no thread free for it") == 6 - OF_PAGE
    assert parts(page) == [] and shop.calls <= OF_PAGE


def test_one_reader_leaves_threads_to_others() -> None:
    runs: SlowRuns[int] = SlowRuns(OF_READER + 1)
    go = Event()
    try:
        begun = [runs.start(str(number), lambda: int(go.wait(60)), f"P.{number}", "Jo")
                 for number in range(OF_READER)]
        assert all(begun) and runs.start("one more", lambda: 1, "P.x", "Jo") is None
        other = runs.start("other", lambda: 7, "P.x", "Al")
        assert other is not None and other.ended.wait(60) and runs.take(other) == 7
    finally:
        go.set()
        runs.close()


def test_a_slow_script_does_not_hold_the_page_and_is_filled_in(
        guest: Browser, wiki: Wiki) -> None:
    save(wiki, "Work.Script", "Before.\n\n<<jinja>>{{ user.name or 'nobody' }} {{ 6 * 7 }}"
         "<</jinja>>\n\n<<box>><<jinja>>{{ 6 * 9 }}<</jinja>><</box>>\n\nAfter.")
    page = guest.get("/Work.Script").text
    assert "Before." in page and "After." in page and page.count("jinja is loading…") == 2
    assert [match[3] for match in PART.findall(page)] == [" aria-busy"] * 2
    first, second = parts(page)
    assert "42" in answer_of(guest, first) and "54" in answer_of(guest, second)
    whole = guest.get("/Work.Script?wait=1").text
    assert "42" in whole and "54" in whole and "loading" not in whole and parts(whole) == []


LONG = "{# " + " ".join(str(number * 7919 % 99991) for number in range(2000)) + " #}"


def test_a_script_that_is_too_long_for_a_token_is_a_part_too(
        guest: Browser, user: Browser, wiki: Wiki) -> None:
    save(wiki, "Work.Script", f"Before.\n\n<<jinja>>{LONG}{{{{ 6 * 7 }}}}<</jinja>>\n\nAfter.")
    page = guest.get("/Work.Script").text
    assert "After." in page and "jinja is loading…" in page
    token, = parts(page)
    assert len(token) < MAX_TOKEN
    assert "42" in answer_of(guest, token)
    assert ask(user, token) == [{"gone": True}]
    save(wiki, "Work.Script", "another text")
    assert "42" in answer_of(guest, token)  # what the reader has open
    wiki.get("Work.Script").delete()
    assert ask(guest, token) == [{"gone": True}]


def test_a_passage_is_the_text_that_was_meant_or_nothing(guest: Browser, wiki: Wiki) -> None:
    save(wiki, "Work.Script", f"<<jinja>>{LONG}{{{{ 6 * 7 }}}}<</jinja>>")
    signer = Signer("for tests")
    call = signer.call(parts(guest.get("/Work.Script").text)[0])
    assert call is not None and call.passage is not None and call.body is None
    for wrong in (call.passage._replace(start=0), call.passage._replace(version="7.1"),
                  call.passage._replace(digest="")):
        assert ask(guest, signer.token(replace(call, passage=wrong))) == [{"gone": True}]
    assert ask(guest, Signer("another key").token(call)) == [{"gone": True}]


def test_a_text_that_is_not_saved_makes_no_passage(admin: Browser, wiki: Wiki) -> None:
    text = f"<<jinja>>{LONG}{{{{ 6 * 7 }}}}<</jinja>>"
    shown = admin.post("/Work.Fresh/preview", version="", title="T", content=text)
    assert shown.json and "42" in shown.json["html"] and parts(shown.json["html"]) == []


def test_a_slow_script_keeps_its_limit_in_the_background(
        guest: Browser, wiki: Wiki, site: Site) -> None:
    site.renderer._limits = replace(site.renderer._limits, seconds=0.0)
    save(wiki, "Work.Script", "Before.\n\n<<jinja>>{{ 6 * 7 }}<</jinja>>")
    token = parts(guest.get("/Work.Script").text)[0]
    assert "took longer than 0 seconds, and was stopped" in answer_of(guest, token)


def test_a_wiki_macro_that_is_a_slow_script_is_a_part(guest: Browser, wiki: Wiki) -> None:
    page = wiki.get_or_new("Work.Sum")
    page.add_object("Wiki.MacroClass", name="sum", code="{{ 40 + 2 }}", visibility="wiki")
    page.save()
    save(wiki, "Work.Text", "Before. <<sum/>> After.")
    shown = guest.get("/Work.Text").text
    assert "sum is loading…" in shown and "After." in shown
    assert "42" in answer_of(guest, parts(shown)[0])


class TestSlowRuns:
    """Threads for slow macros."""

    def test_two_of_one_key_are_one_run_until_it_is_taken(self) -> None:
        runs: SlowRuns[int] = SlowRuns()
        go = Event()
        first = runs.start("a", lambda: int(go.wait(60)))
        assert first is not None and runs.start("a", lambda: 2) is first
        go.set()
        assert first.ended.wait(60) and runs.take(first) == 1
        second = runs.start("a", lambda: 2)
        assert second is not None and second.ended.wait(60) and runs.take(second) == 2
        runs.close()
        assert runs.start("b", lambda: 3) is None

    def test_there_are_no_more_threads_than_that(self) -> None:
        runs: SlowRuns[int] = SlowRuns(threads=1)
        go = Event()
        first = runs.start("a", lambda: int(go.wait(60)))
        assert runs.start("b", lambda: 2) is None
        go.set()
        assert first is not None and first.ended.wait(60)
        second = runs.start("b", lambda: 2)
        assert second is not None and second.ended.wait(60)
        runs.close()

    def test_what_a_run_raises_is_raised_where_it_is_taken(self) -> None:
        runs: SlowRuns[int] = SlowRuns()
        run = runs.start("a", lambda: 1 // 0)
        assert run is not None and run.ended.wait(60)
        with pytest.raises(ZeroDivisionError):
            runs.take(run)
        runs.close()

    def test_experience_says_which_macro_is_quick(self) -> None:
        runs: SlowRuns[int] = SlowRuns()
        assert not runs.quick("a") and not runs.knows("a")
        runs.took("a", 0.001)
        assert runs.quick("a")
        runs.took("a", 5)
        runs.took("a", 0.001)
        assert not runs.quick("a")
        for _ in range(20):
            runs.took("a", QUICK / 10)
        assert runs.quick("a")


def test_timing_is_shown_to_who_may_edit(guest: Browser, user: Browser, wiki: Wiki) -> None:
    save(wiki, "Work.Timed", "Text\n\n<<news/>> and <<news/>>\n\n"
         "<<lines>>\n<<news/>>\n<</lines>>")
    page = user.get("/Work.Timed?timing=1").text
    assert "What this page took" in page
    assert re.search(r"&lt;&lt;news&gt;&gt;</td>\s*<td>Work.Timed, line 3, column 15</td>", page)
    assert re.search(r"&lt;&lt;lines&gt;&gt;</td>\s*<td>Work.Timed, line 5", page)
    assert "<td>Markdown</td>" in page
    assert "It is made anew for each view" in page
    save(wiki, "Work.Still", "Text")
    assert "views of it are kept" in user.get("/Work.Still?timing=1").text
    assert "What this page took" not in user.get("/Work.Timed").text
    assert "What this page took" not in guest.get("/Work.Timed?timing=1").text


def test_timing_reaches_into_workers(admin: Browser, wiki: Wiki) -> None:
    save(wiki, "Work.Script", "<<jinja>>{{ 6 * 7 }}<</jinja>>")
    page = admin.get("/Work.Script?timing=1&wait=1").text
    assert "&lt;&lt;jinja&gt;&gt;" in page and "42" in page


def test_tokens_are_the_same_for_the_same_call() -> None:
    call = Call(GUEST, "A.B", "A.B", "Users.Admin", "/A.B", {"q": "ä\ud800"}, "news", {"x": None},
                "body", scripted=True)
    signer = Signer("key")
    assert signer.token(call) == signer.token(replace(call))
    assert signer.call(signer.token(call)) == call


def test_a_site_without_a_web_application_makes_no_parts(settings: Settings, tmp_path: Any) -> None:
    with Site(replace(settings, data=tmp_path / "other", admin_password=PASSWORD)) as site:
        site.install()
        record = replace(site.wiki.get("Main.WebHome").record, content="<<tasks/>>")
        assert "data-part" not in site.renderer.render_content(record, RenderRequest()).html
        create_app(site=site)
        assert "data-part" in site.renderer.render_content(record, RenderRequest()).html


def test_a_token_of_another_release_is_none_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    call = Call(GUEST, "A.B", "A.B", GUEST, "/A.B", {}, "news", {})
    token = Signer("key").token(call)
    assert Signer("key").call(token) == call
    monkeypatch.setattr("wiki.rendering.parts._SALT", "other fields")
    assert Signer("key").call(token) is None


def test_results_that_nobody_takes_are_kept_up_to_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wiki.rendering.slow.KEPT_SIZE", 100)
    runs: SlowRuns[str] = SlowRuns(size_of=len)
    for key in "abc":
        run = runs.start(key, lambda: "x" * 45)
        assert run is not None and run.ended.wait(60)
    last = runs.start("d", lambda: "")
    assert last is not None and last.ended.wait(60)
    assert [runs.has(key) for key in "abc"] == [False, True, True]
    runs.close()


def test_a_slow_macro_in_a_sheet_is_about_the_page_that_the_sheet_shows(
        guest: Browser, site: Site, wiki: Wiki) -> None:
    wiki.new("Work.Sheet", content="<<attachments/>>").save()
    made = wiki.new("Work.KindClass")
    made.add_object("Wiki.ClassSheetClass", sheet="Work.Sheet")
    made.save()
    page = wiki.new("Work.Shown")
    page.add_object("Work.KindClass")
    page.attach("own.txt", b"x")
    page.save()
    made_parts = site.renderer._local.parts
    assert made_parts is not None
    made_parts.took("attachments", 5.0)
    token = parts(guest.get("/Work.Shown").text)[0]
    got: list[dict[str, Any]] = []

    def there() -> bool:
        got[:] = ask(guest, token)
        return "html" in got[0]

    until(there, 60, "the slow macro's part does not come")
    assert "own.txt" in got[0]["html"]
    assert made_parts.slow is not None and not made_parts.slow.has(token)
    assert "own.txt" in ask_anew(guest, token)["html"]  # made once more, from the token alone


def ask_anew(browser: Browser, token: str) -> dict[str, Any]:
    """What a part gives once nothing is left of its first run."""
    got: list[dict[str, Any]] = []

    def there() -> bool:
        got[:] = ask(browser, token)
        return "html" in got[0]

    until(there, 60, "the part does not come")
    return got[0]


def test_a_wiki_macro_may_be_live(guest: Browser, wiki: Wiki) -> None:
    page = wiki.new("Macros.Ticker")
    page.add_object("Wiki.MacroClass", name="ticker", live=0.2, code="Now: {{ params.of }}, "
                    "{{ wiki.get('Work.News').content }}")
    page.add_object("Wiki.MacroParameterClass", name="of")
    page.save()
    save(wiki, "Work.News", "one")
    save(wiki, "Work.Board", '<<ticker of="cars"/>>')
    html = guest.get("/Work.Board?wait=1").text
    token, every, tag, _ = PART.findall(html)[0]
    assert every == "1" and "Now: cars, one" in html
    until(lambda: ask(guest, token, tag=tag) == [{"every": 1}], 60, "it has changed")
    save(wiki, "Work.News", "two")
    assert "Now: cars, two" in answer_of(guest, token, tag)
