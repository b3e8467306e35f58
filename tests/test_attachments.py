"""Attached files: bytes out in every way, versions, previews, thumbnails, moves, upkeep."""

from __future__ import annotations

import hashlib
import html
import io
import os
import re
import struct
import time
import zipfile
import zlib
from pathlib import Path

import pytest
from conftest import Browser
from PIL import Image
from werkzeug.test import TestResponse

from wiki import filehistory
from wiki.api import Wiki
from wiki.cli import main
from wiki.errors import AttachmentNotFound
from wiki.site import Site

PAGE = "/Books.Dune/attachments"
DIGITS = b"0123456789"


@pytest.fixture
def dune(wiki: Wiki) -> Wiki:
    """The wiki, with the page Books.Dune, to which the tests attach."""
    wiki.new("Books.Dune", title="Dune").save()
    return wiki


def attach(wiki: Wiki, filename: str, data: bytes, page: str = "Books.Dune") -> None:
    document = wiki.get(page)
    document.attach(filename, data)
    document.save(comment=f"Attached {filename}")


def picture(width: int = 40, height: int = 20, form: str = "PNG", **options: object) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(made, form, **options)
    return made.getvalue()


def read(wiki: Wiki, filename: str, page: str = "Books.Dune") -> bytes:
    return wiki.get(page).attachment(filename).read()


# -- bytes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", [f"{PAGE}/a.txt",
                                 "/api/v1/pages/Books.Dune/attachments/a.txt"])
@pytest.mark.parametrize(("asked", "status", "data", "said"), [
    ("bytes=2-4", 206, b"234", "bytes 2-4/10"), ("bytes=7-", 206, b"789", "bytes 7-9/10"),
    ("bytes=-2", 206, b"89", "bytes 8-9/10"), ("bytes=-99", 206, DIGITS, "bytes 0-9/10"),
    ("bytes=8-99", 206, b"89", "bytes 8-9/10"), ("bytes=10-", 416, None, "bytes */10"),
    ("bytes=0-1,4-5", 200, DIGITS, None), ("lines=1-2", 200, DIGITS, None),
    ("bytes=x", 200, DIGITS, None)])
def test_a_part_of_a_file_is_answered(dune: Wiki, admin: Browser, url: str, asked: str,
                                      status: int, data: bytes | None, said: str | None) -> None:
    attach(dune, "a.txt", DIGITS)
    answer = admin.get(url, headers={"Range": asked})
    assert (answer.status_code, answer.headers.get("Content-Range")) == (status, said)
    if data is not None:
        assert answer.data == data
        assert answer.headers["Content-Length"] == str(len(data))
        assert answer.headers["Accept-Ranges"] == "bytes"


def test_a_part_is_only_of_the_bytes_that_one_has(dune: Wiki, admin: Browser) -> None:
    attach(dune, "a.txt", DIGITS)
    whole = admin.get(f"{PAGE}/a.txt")
    for tag, status in ((whole.headers["ETag"], 206), ('"another"', 200)):
        part = admin.get(f"{PAGE}/a.txt", headers={"Range": "bytes=0-2", "If-Range": tag})
        assert part.status_code == status


def test_head_says_what_get_does(dune: Wiki, admin: Browser) -> None:
    attach(dune, "a.txt", DIGITS)
    head = admin.client.head(f"{PAGE}/a.txt", buffered=True)
    assert (head.status_code, head.data, head.headers["Content-Length"]) == (200, b"", "10")
    assert head.headers["ETag"] == admin.get(f"{PAGE}/a.txt").headers["ETag"]


def test_an_empty_file_is_a_file(dune: Wiki, admin: Browser) -> None:
    attach(dune, "a.txt", b"")
    assert admin.get(f"{PAGE}/a.txt", headers={"Range": "bytes=0-"}).status_code == 200


def test_a_name_keeps_its_letters(dune: Wiki, admin: Browser) -> None:
    attach(dune, 'grüße "1"; ☃.bin', b"x")
    said = admin.get(f"{PAGE}/grüße \"1\"; ☃.bin").headers["Content-Disposition"]
    assert said.startswith("attachment; ")
    assert "filename*=UTF-8''gr%C3%BC%C3%9Fe%20%221%22%3B%20%E2%98%83.bin" in said


def test_a_pdf_is_shown_by_the_browser_within_this_site_only(dune: Wiki, admin: Browser) -> None:
    attach(dune, "a.pdf", b"%PDF-1.4")
    answer = admin.get(f"{PAGE}/a.pdf")
    policy = answer.headers["Content-Security-Policy"]
    assert "sandbox" not in policy and "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy and answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    shown = admin.get(f"{PAGE}/a.pdf?preview=1")
    assert "frame-src 'self'" in shown.headers["Content-Security-Policy"]


def test_all_files_come_in_one_archive(dune: Wiki, admin: Browser) -> None:
    files = {"a.txt": DIGITS, "ü ☃.bin": bytes(range(256)) * 1000, "empty": b""}
    for name, data in files.items():
        attach(dune, name, data)
    answer = admin.get(f"{PAGE}?zip=1")
    assert answer.mimetype == "application/zip"
    assert answer.headers["Content-Length"] == str(len(answer.data))
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == files


def test_an_archive_without_the_bytes_of_one_is_refused(dune: Wiki, admin: Browser,
                                                        site: Site) -> None:
    attach(dune, "a.txt", DIGITS)
    blob(site, DIGITS).unlink()
    answer = admin.get(f"{PAGE}?zip=1")
    assert answer.status_code == 404 and "a.txt" in answer.text


# -- versions -----------------------------------------------------------------------------------


def with_three(wiki: Wiki) -> None:
    for data in (b"one", b"two"):
        attach(wiki, "a.txt", data)
    document = wiki.get("Books.Dune")
    document.content = "Nothing about the file"
    document.save()
    attach(wiki, "a.txt", b"three")


def versions(admin: Browser, filename: str = "a.txt") -> list[tuple[str, int, bool]]:
    answer = admin.get(f"/api/v1/pages/Books.Dune/attachments/{filename}/versions").json
    assert answer is not None
    return [(item["version"], item["size"], item["current"]) for item in answer["items"]]


def test_each_upload_of_a_name_is_a_version(dune: Wiki, admin: Browser) -> None:
    with_three(dune)
    assert versions(admin) == [("5.1", 5, True), ("3.1", 3, False), ("2.1", 3, False)]
    for version, data in (("5.1", b"three"), ("4.1", b"two"), ("3.1", b"two"), ("2.1", b"one")):
        assert admin.get(f"{PAGE}/a.txt?version={version}").data == data
        assert admin.get("/api/v1/pages/Books.Dune/attachments/a.txt"
                         f"?version={version}").data == data
    assert admin.get(f"{PAGE}/a.txt?version=1.1").status_code == 404
    assert admin.get(f"{PAGE}/a.txt?version=9.1").status_code == 404
    assert admin.get(f"{PAGE}/a.txt?version=x").status_code == 400


def test_versions_come_in_pages(dune: Wiki, admin: Browser) -> None:
    with_three(dune)
    url = "/api/v1/pages/Books.Dune/attachments/a.txt/versions?limit=2"
    first = admin.get(url).json
    assert first is not None and len(first["items"]) == 2
    rest = admin.get(f"{url}&cursor={first['next_cursor']}").json
    assert rest is not None and [item["version"] for item in rest["items"]] == ["2.1"]
    assert rest["next_cursor"] is None


def test_a_long_history_is_looked_at_in_parts(dune: Wiki, admin: Browser,
                                              monkeypatch: pytest.MonkeyPatch) -> None:
    with_three(dune)
    monkeypatch.setattr(filehistory, "LOOKED_AT", 2)
    url, shown = f"{PAGE}/a.txt?preview=1", []
    while url:
        text = admin.get(url).text
        shown.append(re.findall(r"Show version ([0-9.]+)", text))
        found = re.search(r'rel="next" href="([^"]+)"', text)
        url = html.unescape(found[1]) if found else ""
    assert shown == [["5.1", "4.1"], ["2.1"], []]
    assert "brought no other version" in text
    admin.post(f"{PAGE}/a.txt/delete")
    dune.get("Books.Dune").save()
    dune.get("Books.Dune").save()
    newest = admin.get(f"{PAGE}?deleted=1").text
    assert "a.txt?preview" not in newest and "start=2" in newest
    assert f'href="{PAGE}/a.txt?preview=1"' in admin.get(f"{PAGE}?deleted=1&start=2").text


def test_an_old_version_is_restored_as_a_new_one(dune: Wiki, admin: Browser) -> None:
    with_three(dune)
    page = admin.get(f"{PAGE}/a.txt?preview=1").text
    assert page.count("Restore version") == 2
    admin.post(f"{PAGE}/a.txt/restore", version="2.1")
    assert read(dune, "a.txt") == b"one"
    assert versions(admin)[:2] == [("6.1", 3, True), ("5.1", 5, False)]
    assert dune.get("Books.Dune").content == "Nothing about the file"


def test_a_deleted_file_is_found_and_restored(dune: Wiki, admin: Browser) -> None:
    attach(dune, "a.txt", b"one")
    asked = admin.get(f"{PAGE}/a.txt/delete")
    assert asked.status_code == 200 and read(dune, "a.txt") == b"one"
    admin.post(f"{PAGE}/a.txt/delete")
    assert admin.get(f"{PAGE}/a.txt").status_code == 404
    assert f'href="{PAGE}/a.txt?preview=1"' in admin.get(f"{PAGE}?deleted=1").text
    assert "was deleted" in admin.get(f"{PAGE}/a.txt?preview=1").text
    assert versions(admin) == [("2.1", 3, False)]
    admin.post(f"{PAGE}/a.txt/restore", version="2.1")
    assert read(dune, "a.txt") == b"one"
    assert admin.get(f"{PAGE}/no.txt?preview=1").status_code == 404


def test_who_may_not_edit_changes_no_file(dune: Wiki, guest: Browser) -> None:
    with_three(dune)
    for path in ("restore", "move", "delete"):
        assert guest.post(f"{PAGE}/a.txt/{path}", version="2.1", page="Books.Dune",
                          name="b.txt").status_code == 403
    assert read(dune, "a.txt") == b"three"
    page = guest.get(f"{PAGE}/a.txt?preview=1").text
    assert "Restore" not in page and "Delete" not in page


# -- previews -----------------------------------------------------------------------------------


def preview(admin: Browser, filename: str) -> str:
    answer = admin.get(f"{PAGE}/{filename}?preview=1")
    assert answer.status_code == 200
    match = re.search(r'<section class="file-preview".*?</section>', answer.text, re.DOTALL)
    assert match is not None
    return match[0]


@pytest.mark.parametrize(("filename", "data", "shown"), [
    ("a.csv", b"name;moons\nMars;2\n", "<td>Mars</td>"),
    ("a.txt", "Müller\n".encode("cp1252"), "Müller"),
    ("a.py", b"print(1)", '<span class="nb">print</span>'),
    ("a.html", b"<script>alert(1)</script>", "alert"),
    ("a.md", b"# Head\n\n**bold**", "<strong>bold</strong>"),
    ("a.png", picture(), '<img src="/Books.Dune/attachments/a.png"'),
    ("a.mp3", b"ID3", "<audio controls"), ("a.mp4", b"", "<video controls"),
    ("a.pdf", b"%PDF-1.4", "<iframe src="), ("a.bin", b"\0", "There is no preview"),
    ("a.txt", b"\0\1", "is not a text file"), ('q".txt', b"hi", "hi")])
def test_a_file_is_shown_by_its_kind(dune: Wiki, admin: Browser, filename: str, data: bytes,
                                     shown: str) -> None:
    attach(dune, filename, data)
    html = preview(admin, filename)
    assert shown in html
    assert "<script>alert" not in html


def test_nothing_in_a_file_runs_when_it_is_shown(dune: Wiki, admin: Browser) -> None:
    hostile = (b"<script>alert(1)</script> <img src=x onerror=alert(1)> <<version/>>\n\n"
               b"[x](javascript:alert(1)) <</code>> <<jinja>>{{ 7 * 7 }}<</jinja>>\n")
    for name in ("a.md", "a.txt", "a.csv"):
        attach(dune, name, hostile)
        html = preview(admin, name)
        assert not re.search(r'<script|<[^>]+onerror|href="javascript|\b49\b', html)
        assert "{{ 7 * 7 }}" in html


def test_a_long_text_is_cut(dune: Wiki, admin: Browser) -> None:
    attach(dune, "a.txt", b"x\n" * 400_000)
    assert "of 800,000 bytes" in preview(admin, "a.txt")


def test_an_older_version_is_shown_as_it_was(dune: Wiki, admin: Browser) -> None:
    with_three(dune)
    assert "one" in admin.get(f"{PAGE}/a.txt?preview=1&version=2.1").text
    assert admin.get(f"{PAGE}/a.txt?preview=1&version=1.1").status_code == 404


# -- thumbnails ---------------------------------------------------------------------------------


def thumbnail(admin: Browser, filename: str, size: object = 64) -> TestResponse:
    return admin.get(f"{PAGE}/{filename}?thumbnail={size}")


def opened(answer: TestResponse) -> Image.Image:
    assert (answer.status_code, answer.mimetype) == (200, "image/webp")
    return Image.open(io.BytesIO(answer.data))


def test_a_picture_is_shown_small(dune: Wiki, admin: Browser, site: Site) -> None:
    attach(dune, "a.png", picture(400, 200))
    answer = thumbnail(admin, "a.png")
    assert opened(answer).size == (64, 32)
    kept = list((site.settings.data / "thumbnails").rglob("*.webp"))
    assert len(kept) == 1
    again = admin.get(f"{PAGE}/a.png?thumbnail=64",
                      headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    rest = admin.get("/api/v1/pages/Books.Dune/attachments/a.png/thumbnail?size=128")
    assert opened(rest).size == (128, 64)
    assert f'src="{PAGE}/a.png?thumbnail=128"' in admin.get(PAGE).text


def test_a_gallery_shows_pictures_small(dune: Wiki, admin: Browser) -> None:
    attach(dune, "a.png", picture())
    attach(dune, "b.gif", picture(form="GIF"))
    document = dune.get("Books.Dune")
    document.content = '<<gallery width="100"/>>'
    document.save()
    shown = re.findall(r'<img src="([^"]+attachments[^"]+)"', admin.get("/Books.Dune").text)
    assert shown == [f"{PAGE}/a.png?thumbnail=256", f"{PAGE}/b.gif"]


def test_a_photograph_is_upright(dune: Wiki, admin: Browser) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6  # to be turned by a quarter
    attach(dune, "a.jpg", picture(400, 200, "JPEG", exif=turned))
    assert opened(thumbnail(admin, "a.jpg")).size == (32, 64)


def test_what_is_clear_stays_so(dune: Wiki, admin: Browser) -> None:
    made = io.BytesIO()
    Image.new("RGBA", (100, 100), (0, 0, 0, 0)).save(made, "PNG")
    attach(dune, "a.png", made.getvalue())
    shown = opened(thumbnail(admin, "a.png")).convert("RGBA")
    assert shown.getpixel((5, 5)) == (0, 0, 0, 0)


def bomb() -> bytes:
    """A PNG of a few bytes that says it has 60,000 x 60,000 pixels."""
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 6, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
            + chunk(b"IDAT", zlib.compress(b"\0" * 1_000_000)) + chunk(b"IEND", b""))


@pytest.mark.parametrize(("filename", "data"), [
    ("a.png", b"\x89PNG no picture"), ("a.png", bomb()), ("a.png", b""), ("a.txt", b"text"),
    ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>")])
def test_what_is_no_picture_has_no_thumbnail(dune: Wiki, admin: Browser, filename: str,
                                             data: bytes) -> None:
    attach(dune, filename, data)
    for _ in range(2):
        assert thumbnail(admin, filename).status_code == 404


def test_only_some_sizes_are_made(dune: Wiki, admin: Browser, site: Site) -> None:
    attach(dune, "a.png", picture())
    answer = thumbnail(admin, "a.png", 65)
    assert answer.status_code == 400 and "64, 128" in answer.text
    assert not (site.settings.data / "thumbnails").exists()


# -- moves --------------------------------------------------------------------------------------


@pytest.fixture
def two(dune: Wiki) -> Wiki:
    """With a second page, and a file on the first."""
    dune.new("Books.Emma").save()
    attach(dune, "a.txt", b"from Dune")
    return dune


def names(wiki: Wiki, page: str) -> list[str]:
    return [item.filename for item in wiki.get(page).record.attachments]


def test_a_file_moves_to_another_page(two: Wiki, admin: Browser) -> None:
    answer = admin.post(f"{PAGE}/a.txt/move", page="Emma", name="b.md")
    assert answer.location == "/Books.Emma/attachments/b.md?preview=1"
    assert names(two, "Books.Dune") == [] and names(two, "Books.Emma") == ["b.md"]
    assert read(two, "b.md", "Books.Emma") == b"from Dune"
    assert two.get("Books.Emma").attachment("b.md").record.mimetype == "text/markdown"


def test_a_file_is_copied(two: Wiki, user: Browser) -> None:
    user.post(f"{PAGE}/a.txt/move", page="Books.Emma", name="a.txt", copy="1")
    assert names(two, "Books.Dune") == names(two, "Books.Emma") == ["a.txt"]
    assert two.get("Books.Emma").attachment("a.txt").record.author == "Users.Jo"


def test_a_file_gets_another_name(two: Wiki, admin: Browser) -> None:
    admin.post(f"{PAGE}/a.txt/move", page="Books.Dune", name="b.txt")
    assert names(two, "Books.Dune") == ["b.txt"]


def test_a_name_that_is_taken_is_the_users_choice(two: Wiki, admin: Browser) -> None:
    attach(two, "a.txt", b"from Emma", "Books.Emma")
    answer = admin.post(f"{PAGE}/a.txt/move", page="Books.Emma", name="a.txt")
    assert answer.status_code == 409 and 'name="over"' in answer.text
    assert read(two, "a.txt", "Books.Emma") == b"from Emma"
    assert names(two, "Books.Dune") == ["a.txt"]
    admin.post(f"{PAGE}/a.txt/move", page="Books.Emma", name="a.txt", over="1")
    assert read(two, "a.txt", "Books.Emma") == b"from Dune"
    assert two.revision("Books.Emma", "2.1").attachment("a.txt").size == len(b"from Emma")


@pytest.mark.parametrize(("page", "name", "status"), [
    ("Books.None", "a.txt", 404), ("..", "a.txt", 400), ("Books.Emma", "a/b", 400),
    ("Books.Emma", "", 400), ("Books.Dune", "a.txt", 400)])
def test_a_move_to_nowhere_moves_nothing(two: Wiki, admin: Browser, page: str, name: str,
                                         status: int) -> None:
    answer = admin.post(f"{PAGE}/a.txt/move", page=page, name=name)
    assert answer.status_code == status and 'class="box error"' in answer.text
    assert names(two, "Books.Dune") == ["a.txt"] and names(two, "Books.Emma") == []


def test_the_form_tells_of_links_that_a_move_breaks(two: Wiki, admin: Browser) -> None:
    assert "attach:a.txt" not in admin.get(f"{PAGE}/a.txt/move").text
    document = two.get("Books.Dune")
    document.content = "[[attach:a.txt]]"
    document.save()
    assert "attach:a.txt" in admin.get(f"{PAGE}/a.txt/move").text


# -- upkeep -------------------------------------------------------------------------------------


def blob(site: Site, data: bytes) -> Path:
    digest = hashlib.sha256(data).hexdigest()
    return site.settings.data / "blobs" / digest[:2] / digest[2:]


def age(site: Site) -> None:
    """As if all bytes had been put two days ago."""
    for path in (site.settings.data / "blobs").glob("??/*"):
        os.utime(path, (time.time() - 2 * 86400,) * 2)


def test_bytes_stay_while_a_version_or_a_deleted_page_names_them(dune: Wiki, site: Site) -> None:
    attach(dune, "a.txt", b"old")
    attach(dune, "a.txt", b"new")
    age(site)
    assert site.store.orphans() == [] and site.store.collect() == {}
    assert blob(site, b"old").exists() and blob(site, b"new").exists()


def test_bytes_that_wait_for_a_page_stay_until_it_is_saved_without_them(
        site: Site, user: Browser) -> None:
    data = b"waits for its page"
    user.post("/Books.New/edit", action="preview", file=(io.BytesIO(data), "a.txt"))
    age(site)
    assert site.store.collect() == {} and blob(site, data).exists()
    user.post("/Books.New/edit", content="text")  # its box is not ticked
    assert site.store.collect() == {hashlib.sha256(data).hexdigest(): len(data)}


def test_bytes_go_with_what_named_them(dune: Wiki, site: Site) -> None:
    shown = picture()
    attach(dune, "a.png", shown)
    assert site.store.put_blob(b"too new to go")
    digest = hashlib.sha256(shown).hexdigest()
    path = site.thumbnails.get(digest, 64, lambda: site.store.open_blob(digest))
    assert path is not None
    site.store.put_blob(b"nobody's")
    age(site)
    assert site.store.put_blob(b"too new to go")
    removed = site.store.collect()
    assert removed == {hashlib.sha256(b"nobody's").hexdigest(): len(b"nobody's")}
    assert blob(site, shown).exists() and blob(site, b"too new to go").exists()
    with pytest.raises(AttachmentNotFound):
        site.store.open_blob(hashlib.sha256(b"nobody's").hexdigest())
    site.thumbnails.forget([digest])
    assert not path.exists()


def test_the_command_says_what_it_would_remove(site: Site, capsys: pytest.CaptureFixture[str]
                                               ) -> None:
    site.store.put_blob(b"nobody's")
    age(site)
    data = str(site.settings.data)
    for flags, said in ((["--dry-run"], "1 files would be removed"), ([], "Removed 1 files with 8"),
                        (["--dry-run"], "0 files")):
        main(["--data", data, "clean", *flags], standalone_mode=False)
        assert said in capsys.readouterr().out
