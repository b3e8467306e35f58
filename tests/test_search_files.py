"""Searching attached files: text when it is saved, documents once they have been read."""

from __future__ import annotations

import io
import logging
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Browser, until
from openpyxl import Workbook

from wiki.api import Wiki
from wiki.model import Attachment, Document, media_type
from wiki.references import Reference
from wiki.site import Site
from wiki.store import Store, filereading, filetexts, open_store
from wiki.store.base import Search
from wiki.store.filereading import Reader, read_all


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "data")
    yield opened
    opened.close()


def ref(name: str) -> Reference:
    return Reference.parse(name)


def keep(store: Store, name: str, content: str = "", **fields: object) -> None:
    store.save(Document(ref(name), content=content, **fields), None)  # type: ignore[arg-type]


def attached(store: Store, filename: str, data: bytes) -> Attachment:
    blob = store.put_blob(data)
    return Attachment(filename, blob.size, media_type(filename), blob.sha256)


def files(store: Store, text: str, **options: object) -> list[tuple[str, str]]:
    search = Search(text, **options)  # type: ignore[arg-type]
    return sorted((str(hit.reference), file.filename) for hit in store.find(search).hits
                  for file in hit.files)


@pytest.mark.parametrize(("filename", "data", "there"), [
    ("notes.txt", b"a quagga", True), ("notes.md", "ein Quägga".encode(), True),
    ("table.csv", b"animal;n\nquagga;1", True), ("data.json", b'{"animal": "quagga"}', True),
    ("picture.png", b"quagga", False), ("broken.txt", b"quagga\0", False),
    ("latin.txt", b"quagga \xe4\xf6", True),
    ("long.txt", b"x " * (filetexts.MOST_BYTES // 2) + b"quagga", False),
])
def test_a_search_finds_the_text_of_files(store: Store, filename: str, data: bytes,
                                          there: bool) -> None:
    keep(store, "A.Page", attachments=(attached(store, filename, data),))
    assert files(store, "quagga") == ([("A.Page", filename)] if there else [])


def test_the_text_of_a_file_goes_with_its_page(store: Store) -> None:
    old = attached(store, "a.txt", b"quagga")
    keep(store, "A.Page", attachments=(old,))
    assert files(store, "quagga", space="A") == [("A.Page", "a.txt")]
    assert files(store, "quagga", space="B") == []
    page = store.get(ref("A.Page"))
    second = replace(page, version=page.version.next(), hidden=True)
    store.save(second, page.version)
    assert files(store, "quagga") == []
    assert files(store, "quagga", hidden=True) == [("A.Page", "a.txt")]
    new = attached(store, "a.txt", b"zebra")
    third = replace(second, version=second.version.next(), hidden=False, attachments=(new,))
    store.save(third, second.version)
    assert files(store, "quagga") == [] and files(store, "zebra") == [("A.Page", "a.txt")]
    store.rename(third.reference, replace(third, reference=ref("B.Page"),
                                          version=third.version.next()), third.version)
    assert files(store, "zebra") == [("B.Page", "a.txt")]
    store.delete(ref("B.Page"))
    assert files(store, "zebra") == []


def test_files_are_found_again_when_the_index_is_built_anew(tmp_path: Path) -> None:
    first = open_store(tmp_path / "data")
    keep(first, "A.Page", attachments=(attached(first, "a.txt", b"quagga"),))
    first.close()
    (tmp_path / "data" / "index.db").unlink()
    second = open_store(tmp_path / "data")
    assert files(second, "quagga") == [("A.Page", "a.txt")]
    second.close()


def test_a_search_leads_to_the_file(guest: Browser, wiki: Wiki) -> None:
    page = wiki.new("One.a", title="Animals")
    page.attach("old <b>.txt", b"a quagga <i>")
    page.save()
    html = guest.get("/search?q=quagga").text
    assert 'href="/One.a/attachments/old%20%3Cb%3E.txt"' in html
    assert "<mark>quagga</mark> &lt;i&gt;" in html
    answer = guest.get("/api/v1/search?q=quagga").json
    assert (answer["total"], answer["facets"]["space"]) == (1, [{"value": "One", "count": 1}])
    [hit] = answer["items"]
    assert (hit["reference"], hit["snippet"]) == ("One.a", "")
    assert hit["files"] == [{"filename": "old <b>.txt", "snippet": "a quagga <i>",
                             "marks": [[2, 8]]}]


def test_a_page_is_found_once_by_its_text_and_its_files_and_counted_once(store: Store) -> None:
    for name, content in (("A.Text", "a quagga among animals"), ("A.File", "none"),
                          ("B.Both", "a quagga")):
        keep(store, name, content, author="Users.Jo", attachments=() if name == "A.Text" else (
            attached(store, "a.txt", b"a quagga here"), attached(store, "b.txt", b"one quagga")))
    answer = store.find(Search("quagga"))
    assert {str(hit.reference): [file.filename for file in hit.files] for hit in answer.hits} == {
        "A.Text": [], "A.File": ["b.txt", "a.txt"], "B.Both": ["b.txt", "a.txt"]}
    assert answer.total == 3 and dict(answer.facets["space"]) == {"A": 2, "B": 1}
    assert answer.hits[-1].snippet == "" and str(answer.hits[-1].reference) == "A.File"
    assert answer.hits[-1].files[1].snippet == "a \x02quagga\x03 here"
    assert [str(hit.reference) for hit in store.search("quagga", "A")] == ["A.Text", "A.File"]
    assert store.find(Search("quagga", by_date=True, limit=1, offset=2)).total == 3


@pytest.mark.parametrize(("text", "there"), [
    ("invoice muller", True), ("muller due", True), ('"invoice due"', True), ("inv*", True),
    ("invoice bill", False), ("muller", False), ("invoice -due", False), ("invoice -cash", False),
    ("invoice -none", True),
])
def test_a_file_is_found_by_its_words_and_the_title_of_its_page(
        store: Store, text: str, there: bool) -> None:
    keep(store, "A.Page", "bill in cash", title="Müller",
         attachments=(attached(store, "a.txt", b"invoice due"),))
    assert files(store, text) == ([("A.Page", "a.txt")] if there else [])


def test_a_page_is_left_out_for_what_its_file_has(store: Store) -> None:
    keep(store, "A.Page", "a quagga", attachments=(attached(store, "a.txt", b"a zebra"),))
    keep(store, "A.Other", "a quagga")
    assert [str(hit.reference) for hit in store.search("quagga -zebra")] == ["A.Other"]


# -- documents ---------------------------------------------------------------------------------


def pdf(text: str) -> bytes:
    shown = f"BT /F1 12 Tf 72 700 Td ({text}) Tj ET"
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
               "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
               "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 5 0 R "
               "/Resources << /Font << /F1 3 0 R >> >> >>",
               f"<< /Length {len(shown)} >>\nstream\n{shown}\nendstream"]
    made, starts = "%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        starts.append(len(made))
        made += f"{number} 0 obj\n{body}\nendobj\n"
    rows = "".join(f"{start:010} 00000 n \n" for start in starts)
    return (f"{made}xref\n0 6\n0000000000 65535 f \n{rows}trailer\n<< /Size 6 /Root 1 0 R >>\n"
            f"startxref\n{len(made)}\n%%EOF\n").encode()


def packed(name: str, xml: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(name, xml)
    return made.getvalue()


def workbook(*cells: object) -> bytes:
    made, book = io.BytesIO(), Workbook()
    book.active.append(cells)
    book.save(made)
    return made.getvalue()


WORD = ('<w:document xmlns:w="urn:w"><w:p><w:t>a striped qua</w:t><w:t>gga</w:t>'
        '<w:instrText>PAGEREF</w:instrText></w:p></w:document>')
ENTITY = '<!DOCTYPE w [<!ENTITY a "quagga">]><w:document xmlns:w="urn:w">&a;</w:document>'


def read(store: Store, data: Path) -> int:
    return read_all(store, data / "reading.lock", Reader())


@pytest.mark.parametrize(("filename", "data"), [
    ("a.pdf", pdf("a striped quagga")), ("a.docx", packed("word/document.xml", WORD)),
    ("a.pptx", packed("ppt/slides/slide1.xml", '<s xmlns:a="u"><a:p><a:t>a striped quagga</a:t>'
                                               "</a:p></s>")),
    ("A.ODT", packed("content.xml", '<d xmlns:t="u"><t:h>a</t:h><t:p>striped <t:s>quagga</t:s>'
                                    "</t:p></d>")),
    ("a.xlsx", workbook("a", "striped", "quagga", 42)),
    ("a.html", b"<title>it</title><p>a <i>striped</i></p><script>pageref</script>"
               b"<p class='pageref'>quagga &lt;![x"),
    ("a.htm", b"a striped <![if !x]>quagga<![x <a/<a/<!-- pageref"),
])
def test_a_document_is_found_by_its_text_once_it_is_read(
        store: Store, tmp_path: Path, filename: str, data: bytes) -> None:
    keep(store, "A.Page", attachments=(attached(store, filename, data),))
    assert files(store, filename) == [("A.Page", filename)]
    assert files(store, "quagga") == []
    assert (read(store, tmp_path), read(store, tmp_path)) == (1, 0)
    assert files(store, '"striped quagga"') == [("A.Page", filename)]
    assert files(store, "pageref") == []
    # A page that comes to have the same file need not wait.
    keep(store, "A.Second", attachments=(attached(store, "copy-" + filename, data),))
    assert ("A.Second", "copy-" + filename) in files(store, "quagga")


@pytest.mark.parametrize(("filename", "data", "says"), [
    ("a.pdf", b"%PDF-1.4 nothing", "Pdf"), ("a.docx", b"no zip", "BadZipFile"),
    ("a.docx", packed("word/document.xml", ENTITY), "DTDForbidden"),
    ("a.odt", packed("else.xml", "<x/>"), "no text"),
])
def test_a_document_that_cannot_be_read_is_told_of_once(
        store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture, filename: str,
        data: bytes, says: str) -> None:
    keep(store, "A.Page", attachments=(attached(store, filename, data),))
    with caplog.at_level(logging.WARNING):
        read(store, tmp_path)
        read(store, tmp_path)
    [record] = caplog.records
    assert filename in record.getMessage() and says in record.getMessage()
    assert files(store, filename) == [("A.Page", filename)]


def test_a_document_that_is_too_large_is_not_read(
        store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(filereading, "MOST_BYTES", 10)
    keep(store, "A.Page", attachments=(attached(store, "a.pdf", pdf("quagga")),))
    read(store, tmp_path)
    assert "too many" in caplog.text and files(store, "quagga") == []


def test_documents_are_read_again_when_the_index_is_built_anew(store: Store) -> None:
    keep(store, "A.Page", attachments=(attached(store, "a.pdf", pdf("a quagga")),))
    store.reindex()
    assert store.waiting_file() is None
    assert files(store, "quagga") == [("A.Page", "a.pdf")]


def test_a_site_reads_what_any_process_attaches(site: Site) -> None:
    site.start()
    other = open_store(site.settings.data)
    keep(other, "A.Page", attachments=(attached(other, "a.pdf", pdf("a quagga")),))
    other.close()
    until(lambda: files(site.store, "quagga") == [("A.Page", "a.pdf")], 30, "it was not read")


def test_a_reader_that_is_stopped_leaves_the_document_waiting(
        store: Store, tmp_path: Path) -> None:
    keep(store, "A.Page", attachments=(attached(store, "a.pdf", pdf("a quagga")),))
    reader, document = Reader(), store.waiting_file()
    reader.stop()
    assert document is not None and reader.read(document, store.open_blob) is None
    assert read_all(store, tmp_path / "reading.lock", reader) == 0
    assert store.waiting_file() == document


def test_a_document_whose_bytes_were_lost_is_read_where_it_is_attached_again(
        store: Store, tmp_path: Path) -> None:
    text = attached(store, "a.txt", b"a quagga")
    lost = attached(store, "a.pdf", pdf("a quagga"))
    blobs = {path: path.read_bytes() for path in (tmp_path / "data" / "blobs").rglob("*")
             if path.is_file()}
    assert len(blobs) == 2
    for path in blobs:
        path.unlink()
    keep(store, "A.Lost", attachments=(text, lost))
    read(store, tmp_path)
    assert files(store, "quagga") == []
    for path, data in blobs.items():
        path.write_bytes(data)
    keep(store, "A.There", attachments=(text, lost))
    read(store, tmp_path)
    assert {("A.There", "a.pdf"), ("A.There", "a.txt")} <= set(files(store, "quagga"))
