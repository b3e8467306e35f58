"""The macros about text and files, through the renderer and the pages of the server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

import pytest
from conftest import Browser

from wiki.api import Wiki
from wiki.documents import OpenAttachment
from wiki.model import GUEST, Property
from wiki.rendering.anchors import Anchors
from wiki.rendering.renderer import Rendering, RenderRequest
from wiki.site import Site

Show = Callable[..., str]


def put(wiki: Wiki, name: str, content: str = "", **files: bytes) -> None:
    """A page with its files; ``_dot_`` in a file's name is a dot."""
    page = wiki.get_or_new(name)
    page.content = content
    for filename, data in files.items():
        page.attach(filename.replace("_dot_", "."), data)
    page.save()


def rendered(site: Site, name: str, user: str = "Users.Admin") -> Rendering:
    return site.renderer.render(site.wiki.get(name).record, RenderRequest(user))


@pytest.fixture
def show(site: Site, wiki: Wiki) -> Show:
    """The HTML of a text on the page Test.Page, which keeps its files."""
    def show(text: str, user: str = "Users.Admin", **files: bytes) -> str:
        put(wiki, "Test.Page", text, **files)
        return str(rendered(site, "Test.Page", user).html)
    return show


def texts(html: str, tag: str) -> list[str]:
    """What the elements of this kind hold, without the tags in it."""
    return [re.sub("<[^>]*>", "", found).strip()
            for found in re.findall(rf"<{tag}\b[^>]*>(.*?)</{tag}>", html, re.DOTALL)]


def test_every_example_shows_no_error_on_a_fresh_wiki(site: Site, show: Show) -> None:
    names = ["include", "display", "code", "toc", "info", "success", "warning", "error", "box",
             "tabs", "tab", "columns", "column", "html", "image", "gallery", "attachments", "csv",
             "comment", "id", "user", "date", "version"]
    for name in names:
        spec = site.registry.get(name)
        assert spec is not None and spec.examples, name
        for example in spec.examples:
            assert "macro-error" not in show(example), example


# -- include and display ---------------------------------------------------------------------


def test_an_include_reads_links_pictures_and_parameters_as_its_own_page_does(
        wiki: Wiki, show: Show) -> None:
    put(wiki, "Other.Friend", "**a friend**")
    put(wiki, "Other.Inner", "[[Friend]] [[Nobody]] ![p](attach:x.png) [md](Friend)\n\n"
        '<<box>>[[Friend]]<</box>>\n\n<<include page="Friend"/>>\n\n<<image file="x.png"/>>\n\n'
        "<<attachments/>>", x_dot_png=b"PNG")
    html = show('<<include page="Other.Inner"/>>')
    assert html.count('href="/Other.Friend"') == 3
    assert 'href="/Other.Nobody/edit"' in html
    assert html.count('src="/Other.Inner/attachments/x.png"') == 2
    assert '<a href="/Other.Inner/attachments/x.png">x.png</a>' in html
    assert "<strong>a friend</strong>" in html and "Test." not in html


def test_display_shows_a_page_through_its_sheet_and_resolves_against_its_page(
        wiki: Wiki, show: Show) -> None:
    klass = wiki.new("Books.BookClass")
    klass.define_class(Property("year", "Number"))
    klass.add_object("Wiki.ClassSheetClass", sheet="Books.BookSheet")
    klass.save()
    put(wiki, "Books.BookSheet", "THE SHEET [[Shelf]]\n\n<<objects/>>\n\n<<attachments/>>\n\n"
                                 "<<content/>>")
    put(wiki, "Books.Shelf")
    book = wiki.new("Novels.Dune", content="[[Emma]] ![c](attach:c.png)")
    book.add_object("Books.BookClass", year=1965)
    book.attach("c.png", b"PNG")
    book.save()
    put(wiki, "Novels.Emma")
    html = show('<<display page="Novels.Dune"/>>')
    for part in ("THE SHEET", "1965", 'href="/Books.Shelf"', 'href="/Novels.Emma"',
                 'src="/Novels.Dune/attachments/c.png"',
                 '<a href="/Novels.Dune/attachments/c.png">c.png</a>'):
        assert part in html
    assert "THE SHEET" not in show('<<include page="Novels.Dune"/>>')


def test_a_page_that_includes_or_displays_itself_is_an_error(wiki: Wiki, site: Site,
                                                             show: Show) -> None:
    assert "includes itself: Test.Page &gt; Test.Page" in show('<<include page="Page"/>>')
    assert "includes itself" in show('<<display page="Page"/>>')
    put(wiki, "Test.B", 'B<<display page="Page"/>>')
    assert "includes itself: Test.Page" in show('A<<display page="B"/>>')
    klass = wiki.new("Test.LoopClass")
    klass.define_class(Property("x", "String"))
    klass.add_object("Wiki.ClassSheetClass", sheet="Test.LoopSheet")
    klass.save()
    put(wiki, "Test.LoopSheet", '<<display page="Looped"/>>' * 2 + "<<content/>>")
    page = wiki.new("Test.Looped", content='own <<display page="Test.Other"/>>')
    page.add_object("Test.LoopClass")
    page.save()
    put(wiki, "Test.Other", '<<display page="Looped"/>>')
    html = str(rendered(site, "Test.Looped").html)
    assert html.count("includes itself") == 3 and "own" in html
    assert str(rendered(site, "Test.Other").html).count("includes itself") == 3


def test_a_missing_page_has_a_link_to_make_it(admin: Browser, show: Show) -> None:
    for macro in ("include", "display"):
        html = show(f'<<{macro} page="Sp.No\\\\. One"/>>')
        assert "There is no page Sp.No\\. One." in html
        assert 'href="/Sp.No%5C.%20One/edit">Create it</a>' in html
    assert 'href="/Test.Gone/edit"' in show('<<include page="Gone"/>>')
    assert admin.get("/Test.Page").status_code == 200
    assert admin.get("/Test.Gone/edit").status_code == 200
    assert "a name is not empty" in show('<<include page="A..B"/>>')


def test_a_section_is_shown_alone_and_a_bad_one_names_those_there_are(
        wiki: Wiki, show: Show) -> None:
    put(wiki, "Test.Parts", "top\n\n## One & *two*\n\nfirst\n\n### Deep\n\ndeep\n\n"
                            "## Three\n\nlast")
    wanted = show('<<include page="Parts" section="One & two"/>>')
    assert "first" in wanted and "deep" in wanted and "last" not in wanted and "top" not in wanted
    assert "Test.Parts has no section &#39;Four&#39;; it has One &amp; two, Deep, Three" in show(
        '<<include page="Parts" section="Four"/>>')
    put(wiki, "Test.Plain", "text")
    assert "it has no headings" in show('<<include page="Plain" section="x"/>>')


def test_the_title_of_an_included_page_leads_to_it(wiki: Wiki, show: Show) -> None:
    page = wiki.new("Test.Titled", title="A <b> title", content="x")
    page.save()
    html = show('<<include page="Titled" title="true"/>>')
    assert '<p class="included"><a href="/Test.Titled">A &lt;b&gt; title</a></p>' in html


def test_ids_of_several_includes_differ_and_their_own_links_follow(
        wiki: Wiki, show: Show) -> None:
    put(wiki, "Test.Part", '# Intro\n\n[up](#intro) `id="intro"` note[^1]\n\n[^1]: Foot\n\n'
                           '<<tabs>>\n<<tab title="T">>x<</tab>>\n<</tabs>>')
    html = show('<<toc/>>\n\n<<include page="Part"/>>\n\n<<include page="Part"/>>\n\n'
                "# Intro\n\n[down](#intro)")
    ids = re.findall(r'<[^>]*\sid="([^"]+)"', html)
    assert len(ids) == len(set(ids)) and {"intro", "intro-2", "intro-3"} <= set(ids)
    for anchor in ("#intro-2", "#intro-3"):
        assert f'<a href="{anchor}">up</a>' in html and f'<a href="{anchor}">Intro</a>' in html
    assert '<a href="#intro">down</a>' in html
    assert html.count('<code>id="intro"</code>') == 2
    targets = set(re.findall(r'href="#([^"]+)"', html))
    assert targets <= set(ids)
    for label in re.findall(r'aria-labelledby="([^"]+)"', html):
        assert label in ids


def test_only_attributes_of_tags_are_renamed() -> None:
    anchors = Anchors()
    anchors.saw(['<h1 id="a">'])
    html = anchors.apart(lambda: '<p id="a" title=\'"> id="a"\' aria-labelledby="b a">'
                                 ' id="a" <a href="/x#a">x</a><label for="a">')
    assert html == ('<p id="a-2" title=\'"> id="a"\' aria-labelledby="b a-2">'
                    ' id="a" <a href="/x#a">x</a><label for="a-2">')
    assert anchors.claim("a") == "a-3"


def test_an_include_runs_with_its_own_authors_rights(site: Site, wiki: Wiki, show: Show) -> None:
    jo = site.wiki.as_user("Users.Jo")
    put(jo, "Test.Jos", "<<html>><b>x</b><</html>>")
    put(wiki, "Test.Admins", "<<html>><i>y</i><</html>>")
    html = show('<<include page="Jos"/>> <<include page="Admins"/>>')
    assert "Users.Jo, who wrote this text" in html and "<i>y</i>" in html and "<b>x" not in html


# -- code, toc -------------------------------------------------------------------------------


def test_code_has_a_title_numbers_and_marked_lines(show: Show) -> None:
    html = show('<<code language="python" title="a <b>" linenumbers="true" highlight="1,3-4">>\n'
                "a = 1\nb = '<<toc/>>'\nc = 3\nd = 4\n<</code>>")
    assert "<figcaption>a &lt;b&gt;</figcaption>" in html
    assert html.count('class="hll"') == 3 and "linenos" in html
    assert "&lt;&lt;toc/&gt;&gt;" in html


@pytest.mark.parametrize("lines", ["x", "0", "5-3", "1-9999999", "1;2"])
def test_lines_that_cannot_be_marked_are_refused(show: Show, lines: str) -> None:
    assert "is no line and no range" in show(f'<<code highlight="{lines}">>x<</code>>')


def test_code_of_a_file_is_cut_and_says_so(show: Show) -> None:
    html = show('<<code attachment="a b.py"/>>', **{"a b.py": b"x = 1  # caf\xc3\xa9\n"})
    assert "<figcaption>a b.py</figcaption>" in html and "caf\xe9" in html
    assert '<span class="n">x</span>' in html
    html = show('<<code attachment="long.txt"/>>', long_dot_txt=b"0123456789\n" * 20_000)
    assert "first 100,000 of 220,000 bytes" in html
    assert 'href="/Test.Page/attachments/long.txt"' in html
    assert len(html) < 110_000
    assert "is not a text file" in show('<<code attachment="b.bin"/>>', b_dot_bin=b"\x7fELF\0\1")
    assert "needs a body, or the name of an attachment" in show("<<code/>>")


def test_toc_numbers_headings_and_sees_those_of_includes(wiki: Wiki, show: Show) -> None:
    put(wiki, "Test.More", "### Deep\n\n## Included")
    html = show('<<toc numbered="true"/>>\n\n# A\n\n### B\n\n## C\n\n<<include page="More"/>>'
                "\n\n# D\n\n#### Too deep")
    assert texts(html.partition("</nav>")[0], "li") == [
        "1 A", "1.1 B", "1.2 C", "1.2.1 Deep", "1.3 Included", "2 D"]


# -- boxes, tabs, columns --------------------------------------------------------------------


def test_messages_and_boxes_escape_their_titles(show: Show) -> None:
    html = show('<<warning title="<x>">>*w*<</warning>>\n\n<<box class="info wide">>b<</box>>\n\n'
                "<<box class='a\">'>>c<</box>>")
    assert '<div class="box warning" role="note">' in html and "<strong>&lt;x&gt;</strong>" in html
    assert '<div class="box info wide">' in html and "is no name of a CSS class" in html


def test_tabs_are_sections_with_ids_of_their_own(show: Show) -> None:
    html = show('<<tabs>>\n<<tab title="One & <1>">>*a*<</tab>>\n<<tab title="One & <1>">>\n'
                '<<tabs>>\n<<tab title="In" id="in it">>\nb\n<</tab>>\n<</tabs>>\n'
                "<</tab>>\n<</tabs>>")
    assert re.findall(r'<section class="tab" id="([^"]*)"', html) == [
        "tab-one-1", "tab-one-1-2", "in-it"]
    assert html.count('<div class="tabset">') == 2 and "hidden" not in html
    assert ">One &amp; &lt;1&gt;</p>" in html and "<em>a</em>" in html


def test_columns_have_a_width(show: Show) -> None:
    html = show('<<columns>>\n<<column width="2">>\n# a\n<</column>>\n<<column>>b<</column>>\n'
                "<</columns>>\n\n<<column width=\"9\">>c<</column>>")
    assert '<div class="columns">' in html and '<div class="column wide-2"><h1' in html
    assert "9 is not between 1 and 6" in html


# -- pictures and files ----------------------------------------------------------------------


def test_an_image_has_size_place_caption_and_link(wiki: Wiki, show: Show) -> None:
    name = "a 'b' \"c\" <d>.png"
    escaped = name.replace('"', '\\"')
    html = show(f'<<image file="{escaped}" width="20" height="10" align="left" caption="A <cap>" '
                'alt="alt" link="Help.WebHome"/>>', **{name: b"PNG"})
    source = "/Test.Page/attachments/a%20%27b%27%20%22c%22%20%3Cd%3E.png"
    assert (f'<figure class="image align-left"><a href="/Help.WebHome"><img src="{source}" '
            'alt="alt" width="20" height="10" loading="lazy"></a><figcaption>A &lt;cap&gt;'
            "</figcaption>") in html


def test_an_image_within_a_line_stays_in_its_paragraph(show: Show) -> None:
    html = show('a <<image file="a.png" height="9"/>> b', a_dot_png=b"PNG")
    assert re.fullmatch(r'<p>a <img [^>]*height="9"[^>]*> b</p>\s*', html)
    assert "</p><figure" in show('a <<image file="a.png" caption="c"/>> b')


def test_an_image_leads_to_no_script(show: Show) -> None:
    for link in ("javascript:alert(1)", " JaVaScript:alert(1)", "data:text/html,x", "vbscript:x"):
        html = show(f'<<image file="a.png" link="{link}"/>>', a_dot_png=b"PNG")
        assert not re.search(r'href="\s*(javascript|data|vbscript):', html, re.IGNORECASE)
    assert 'href="https://example.org/"' in show(
        '<<image file="a.png" link="https://example.org/"/>>')
    assert 'href="/Test.Page/attachments/a.png"' in show(
        '<<image file="a.png" link="attach:a.png"/>>')


def test_what_is_no_picture_or_not_there_is_refused_with_what_is(wiki: Wiki, show: Show) -> None:
    html = show('<<image file="x.csv"/>>\n\n<<image file="no.png"/>>\n\n'
                '<<image file="x.csv" width="-1"/>>\n\n<<image file="x" page="Test.None"/>>',
                x_dot_csv=b"a", y_dot_txt=b"b")
    assert "x.csv is no picture (text/csv)" in html
    assert "Test.Page has no attachment &#39;no.png&#39;; it has x.csv, y.txt" in html
    put(wiki, "Test.Empty")
    assert "it has none" in show('<<csv attachment="a.csv" page="Empty"/>>')
    put(wiki, "Test.Many", **{f"f{number}_dot_txt": b"x" for number in range(20)})
    assert "and 12 more" in show('<<code attachment="a" page="Many"/>>')


def test_a_gallery_shows_the_pictures_of_a_page(wiki: Wiki, show: Show) -> None:
    put(wiki, "Test.Pictures", **{"a & b.png": b"1", "c_dot_jpg": b"2", "d_dot_csv": b"3"})
    html = show('<<gallery page="Pictures" width="120" caption="Both"/>>')
    assert texts(html, "li") == ["a &amp; b.png", "c.jpg"] and html.count('width="120"') == 2
    assert "<figcaption>Both</figcaption>" in html
    html = show('<<gallery page="Pictures" filter="*.jpg" names="false"/>>')
    assert html.count("<img") == 1 and 'alt="c.jpg"' in html
    assert "1 more are not shown" in show('<<gallery page="Pictures" limit="1"/>>')
    assert "There are no pictures" in show("<<gallery/>>")
    assert "is not between 40 and 800" in show('<<gallery width="5"/>>')


def test_attachments_are_filtered_sorted_and_counted(wiki: Wiki, show: Show) -> None:
    put(wiki, "Test.Files", b_dot_csv=b"x" * 3000, A_dot_csv=b"x" * 10, c_dot_txt=b"")
    html = show('<<attachments page="Files"/>>')
    assert [row for row in texts(html, "a") if "." in row] == ["A.csv", "b.csv", "c.txt"]
    assert "3.0 kB" in html and '<time class="local" datetime="' in html
    html = show('<<attachments page="Files" sort="size" filter="*.csv"/>>')
    assert texts(html, "a") == ["b.csv", "A.csv"]
    assert ">2 more</a>" in show('<<attachments page="Files" limit="1"/>>')
    assert "no attachments" in show('<<attachments page="Files" filter="*.x"/>>')


# -- CSV -------------------------------------------------------------------------------------


def test_csv_finds_its_delimiter_and_puts_numbers_to_the_right(show: Show) -> None:
    html = show("<<csv caption='C'>>\nname;value\n<b>;1,5\n\n\"x;\ny\";-2 000\nz\n<</csv>>")
    assert texts(html, "th") == ["name", "value"] and "<caption>C</caption>" in html
    assert texts(html, "td") == ["&lt;b&gt;", "1,5", "x;\ny", "-2 000", "z", ""]
    assert html.count('<td class="right">') == 3 and html.count("<td>") == 3


def test_csv_of_a_file_takes_columns_limit_and_header(show: Show) -> None:
    data = "a\tb\tc\n" + "".join(f"{n}\tx{n}\ty\n" for n in range(10))
    html = show('<<csv attachment="t.tsv" columns="c, 1" limit="3"/>>', t_dot_tsv=data.encode())
    assert texts(html, "th") == ["c", "a"] and texts(html, "td") == ["y", "0", "y", "1", "y", "2"]
    assert "first 3 rows; there are 7 more" in html
    assert '<a href="/Test.Page/attachments/t.tsv">The whole file</a>' in html
    html = show('<<csv attachment="t.tsv" header="false" columns="2"/>>')
    assert "<th" not in html and texts(html, "td")[:2] == ["b", "x0"] and "more" not in html
    assert "there is no &#39;d&#39;; there are a, b, c" in show(
        '<<csv attachment="t.tsv" columns="d"/>>')
    assert "there are 1 to 3" in show('<<csv attachment="t.tsv" header="false" columns="9"/>>')


def test_csv_in_other_encodings(show: Show) -> None:
    text = "name,where\nJos\xe9,Z\xfcrich\n"
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252"):
        html = show('<<csv attachment="e.csv"/>>', e_dot_csv=text.encode(encoding))
        assert texts(html, "th") == ["name", "where"], encoding
        assert texts(html, "td") == ["Jos\xe9", "Z\xfcrich"], encoding
    html = show('<<csv attachment="e.csv" encoding="latin-1"/>>', e_dot_csv=text.encode("latin-1"))
    assert texts(html, "td")[1] == "Z\xfcrich"


@pytest.mark.parametrize("name", ["zip", "bz2", "hex", "idna", "punycode", "unicode_escape",
                                  "utf-8\\0", "nope", "cp99999", "../x"])
def test_an_encoding_that_is_none_of_text_files_is_refused(show: Show, name: str) -> None:
    assert "is not known; utf-8" in show(f'<<csv attachment="a.csv" encoding="{name}"/>>',
                                         a_dot_csv=b"a,b\n1,2\n")


def test_ugly_csv_is_an_error_or_a_table_and_never_more(show: Show) -> None:
    for data in (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", bytes(range(256)) * 50):
        assert "is not a text file" in show('<<csv attachment="u.csv"/>>', u_dot_csv=data)
    assert "is a quote not closed" in show('<<csv attachment="u.csv"/>>',
                                           u_dot_csv=b'a,b\n"' + b"x" * 200_000)
    assert "There are no rows" in show('<<csv attachment="u.csv"/>>', u_dot_csv=b"")
    assert "There are no rows" in show("<<csv>>\n\n\n<</csv>>") and "no rows" in show("<<csv/>>")
    html = show('<<csv attachment="u.csv"/>>', u_dot_csv=b"a," * 100_000 + b"\n1,2\n")
    assert html.count("<td") == 60 and "99,941 more columns" in html
    for bad in ("ab", "", '\\"'):
        html = show(f"<<csv delimiter=\"{bad}\">>a,b<</csv>>")
        assert ("is not one character" in html) == (bad != "")


def test_of_a_large_file_no_more_is_read_than_is_shown(
        wiki: Wiki, show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    row = b"12345678,some text\n"
    put(wiki, "Test.Big", big_dot_csv=b"number,text\n" + row * 1_000_000)
    taken: list[int] = []
    opened = OpenAttachment.open

    @contextmanager
    def counting(self: OpenAttachment) -> Iterator[object]:
        with opened(self) as stream:
            yield Counted(stream, taken)

    monkeypatch.setattr(OpenAttachment, "open", counting)
    html = show('<<csv attachment="big.csv" page="Big" limit="5"/>>')
    assert 0 < sum(taken) <= 1_000_000
    assert html.count("<tr>") == 6
    match = re.search(r"there are about ([\d,]+) more", html)
    assert match and abs(int(match[1].replace(",", "")) - 999_995) < 1_000


class Counted:
    """A stream that notes how much is read from it."""

    def __init__(self, stream: BinaryIO, taken: list[int]) -> None:
        self.stream, self.taken = stream, taken

    def read(self, size: int) -> bytes:
        data = self.stream.read(size)
        self.taken.append(len(data))
        return data


# -- the small ones --------------------------------------------------------------------------


def test_a_comment_shows_nothing_and_stays_in_its_line(show: Show) -> None:
    assert show("a<<comment>>secret <<toc/>><</comment>>b<<comment/>>") == "<p>ab</p>"


def test_id_marks_a_place(show: Show) -> None:
    assert '<p><span class="anchor" id="x-1"></span>text' in show('<<id name="x-1"/>>text')
    for bad in ("", "a b", "a\\\"b", "<"):
        assert "holds a space or a quote" in show(f'<<id name="{bad}"/>>')


def test_user_is_the_reader_or_another(site: Site, show: Show) -> None:
    site.add_user("Jo", "correct horse")
    page = site.wiki.as_user("Users.Admin").get("Users.Jo")
    page.title = "Jo <J>"
    page.save()
    html = show("by <<user/>>", user="Users.Jo")
    assert '<p>by <a href="/Users.Jo">Jo &lt;J&gt;</a></p>' in html
    assert '<a href="/Users.Jo">' in show('<<user name="Jo"/>>')
    assert 'class="missing"' in show('<<user name="Users.Nobody"/>>')
    assert "a guest" in show("<<user/>>", user=GUEST)


def test_a_date_is_shown_in_its_form_and_zone(site: Site, wiki: Wiki, show: Show) -> None:
    assert '<time datetime="2026-11-24">24.11.2026</time>' in show(
        '<<date value="2026-11-24" format="%d.%m.%Y"/>>')
    assert ('<time class="local" datetime="2026-11-24T05:10:00+00:00">2026-11-24 05:10 UTC</time>'
            ) in show('<<date value="2026-11-24T05:10Z"/>>')
    assert ">06:10 CET</time>" in show(
        '<<date value="2026-11-24T05:10" format="%H:%M %Z" zone="Europe/Berlin"/>>')
    me = wiki.get("Users.Admin")
    (me.object("Wiki.UserClass") or me.add_object("Wiki.UserClass"))["timezone"] = "Asia/Tokyo"
    me.save()
    assert ">14:10</time>" in show('<<date value="2026-11-24T05:10Z" format="%H:%M"/>>')
    for bad, why in (('value="x"', "is no date"), ('value="2026-1-1" format="%Q"', "is no date"),
                     ('value="2026-01-01" format="%9999d"', "as for strftime"),
                     ('zone="No/Where"', "no time zone"), ('zone="../etc"', "no time zone"),
                     ('property="nope"', "has no")):
        assert why in show(f"<<date {bad}/>>"), bad


def test_a_date_of_a_property(wiki: Wiki, show: Show) -> None:
    klass = wiki.new("Test.EventClass")
    klass.define_class(Property("day", "Date"), Property("end", "Date"))
    klass.save()
    page = wiki.new("Test.Event")
    page.add_object("Test.EventClass", day="2026-11-24T05:10:00Z")
    page.save()
    assert 'datetime="2026-11-24T05:10:00+00:00"' in show(
        '<<date property="EventClass.day" page="Event"/>>')
    assert "is empty on Test.Event" in show('<<date property="EventClass.end" page="Event"/>>')
    assert '<time class="local"' in show('<<date property="updated" page="Event"/>>')


def test_only_a_page_with_the_clock_on_it_is_made_anew(site: Site, wiki: Wiki) -> None:
    put(wiki, "Test.Clock", "<<date/>>")
    put(wiki, "Test.Still", '<<date value="2026-11-24"/>> <<user/>> <<version/>> '
                            '<<csv>>a,b<</csv>> <<attachments page="Tasks.ImportCountries"/>>')
    assert not rendered(site, "Test.Clock").kept
    assert rendered(site, "Test.Still").kept


def test_the_page_about_files_shows_them(guest: Browser) -> None:
    answer = guest.get("/Help.Files")
    assert answer.status_code == 200 and "macro-error" not in answer.text
    assert guest.get("/Help.Files/attachments/mill.png").mimetype == "image/png"
    assert re.search(r'<script type="module" nonce="[^"]+" src="/static/[^"]*tabs.js"', answer.text)
