"""The way about the wiki: the tree of pages, breadcrumbs, contents, pages to take along."""

from __future__ import annotations

import re

from conftest import Browser

from wiki.api import Wiki


def sidebar(html: str) -> str:
    found = re.search(r'<aside class="sidebar".*?</aside>', html, re.S)
    assert found
    return found[0]


def test_the_tree_is_open_down_to_the_page_and_marks_it(guest: Browser, wiki: Wiki) -> None:
    wiki.new("Garden.WebHome", title="The garden").save()
    wiki.new("Garden.Beds", title="Beds & borders").save()
    wiki.new("Garden.Rose", title="Roses", parent="Garden.Beds").save()
    wiki.new("Garden.Tulip", title="Tulips", parent="Garden.Rose").save()
    tree = sidebar(guest.get("/Garden.Beds").text)
    assert 'aria-current="page">Beds &amp; borders</a>' in tree
    assert ">Roses</a>" in tree and ">The garden</a>" in tree and ">Help</a>" in tree
    assert "Tulips" not in tree
    assert "Roses" not in sidebar(guest.get("/Help.WebHome").text)


def test_a_page_that_lists_leave_out_is_in_the_tree_of_its_own_view_only(
        guest: Browser, wiki: Wiki) -> None:
    wiki.new("Garden.Secret", title="Bulbs in store", hidden=True).save()
    wiki.new("Garden.Open", title="In the open").save()
    assert 'aria-current="page">Bulbs in store</a>' in sidebar(guest.get("/Garden.Secret").text)
    assert "Bulbs in store" not in sidebar(guest.get("/Garden.Open").text)


def test_a_space_without_a_home_page_is_in_the_tree(guest: Browser, wiki: Wiki) -> None:
    wiki.new("Loose.Page", title="Loose leaf").save()
    assert 'href="/index?space=Loose">Loose</a>' in sidebar(guest.get("/").text)
    assert "Loose leaf" in guest.get("/tree?at=Loose.WebHome&part").text


def test_a_long_branch_comes_in_parts(guest: Browser, wiki: Wiki) -> None:
    wiki.new("Many.WebHome").save()
    for number in range(60):
        wiki.new(f"Many.P{number:02}").save()
    first = guest.get("/tree?at=Many.WebHome&part").text
    assert ">P49</a>" in first and ">P50</a>" not in first
    following = re.search(r'class="tree-more" href="([^"]+)"', first)
    assert following
    rest = guest.get(following[1].replace("&amp;", "&")).text
    assert ">P50</a>" in rest and ">P59</a>" in rest and "tree-more" not in rest
    assert 'aria-current="page">P55</a>' in sidebar(guest.get("/Many.P55").text)


def test_the_trail_goes_by_parents(guest: Browser, wiki: Wiki) -> None:
    wiki.new("Garden.WebHome", title="The garden", parent="Main.WebHome").save()
    wiki.new("Garden.Beds", title="Beds").save()
    wiki.new("Garden.Rose", title="Roses", parent="Garden.Beds").save()
    html = guest.get("/Garden.Rose").text
    crumbs = re.findall(r"<li[^>]*>(?:<a[^>]*>)?([^<]+)", html.split('class="crumbs"')[1].split(
        "</ol>")[0])
    assert crumbs == ["Welcome", "The garden", "Beds", "Roses"]


def test_a_page_with_three_headings_lists_them(guest: Browser, wiki: Wiki) -> None:
    wiki.new("Garden.Long", content="## One\n\n### Part\n\n#### Deep\n\n## Two & more\n").save()
    wiki.new("Garden.Short", content="## One\n\n## Two\n").save()
    wiki.new("Garden.Own", content="<<toc/>>\n\n## One\n\n## Two\n\n## Three\n").save()
    html = guest.get("/Garden.Long").text
    listed = re.findall(r'class="level-(\d)"><a href="#([^"]+)">([^<]+)<', html)
    assert [(level, text) for level, _, text in listed] == [
        ("2", "One"), ("3", "Part"), ("2", "Two &amp; more")]
    assert all(f'id="{anchor}"' in html for _, anchor, _ in listed)
    assert "page-toc" not in guest.get("/Garden.Short").text
    assert "page-toc" not in guest.get("/Garden.Own").text


def test_a_page_is_taken_along_as_one_file(admin: Browser, wiki: Wiki) -> None:
    page = wiki.new("Garden.Take", title='A "quoted" name', content=(
        "![](attach:dot.gif) [[Help.WebHome]] ![](attach:missing.png)\n\n"
        "<<button label=\"Press\" task=\"Tasks.ImportCountries\"/>>"))
    page.attach("dot.gif", b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,"
                           b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")
    page.save()
    token = admin.token("/Garden.Take")
    answer = admin.get("/Garden.Take/page.html")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="A quoted name.html"'
    assert 'src="data:image/gif;base64,R0lGOD' in answer.text
    assert 'href="http://localhost/Help.WebHome"' in answer.text
    assert 'src="http://localhost/Garden.Take/attachments/missing.png"' in answer.text
    assert "<style>" in answer.text and "<script" not in answer.text
    assert token not in answer.text
    plain = admin.get("/Garden.Take/source.md?download=1")
    assert plain.headers["Content-Disposition"].endswith('.md"') and plain.text == page.content


def test_a_tree_of_what_is_no_name_is_refused(guest: Browser) -> None:
    assert guest.get("/tree?at=a//b").status_code == 400
    assert guest.get("/tree?at=No.Such").status_code == 200


def test_a_tree_of_many_pages_leads_on_to_the_spaces_that_it_does_not_open(
        guest: Browser, wiki: Wiki) -> None:
    with wiki.batch():
        for number in range(500):
            wiki.new(f"Big.S{number // 100}.P{number}").save()
        wiki.new("Test.Tree", content='<<tree space="Big" limit="100"/>>').save()
    html = guest.get("/Test.Tree").text.partition('class="tree"')[2]
    assert html.count("<summary>") == 4 and "Big.S3.P399" in html
    assert '<a class="space" href="/Test.Tree?tree=Big.S4">S4</a>' in html
    assert "Big.S4.P400" in guest.get("/Test.Tree?tree=Big.S4").text
