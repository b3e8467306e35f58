"""Prints the text of one document: ``python doctext.py KIND``, the document's file on standard
input, its text on standard output, and what is wrong with it on standard error.

A process of its own, since what reads documents of strangers may take all memory, or crash. Text
is put out as it is read, so that what came before the process ended is not lost.
"""

from __future__ import annotations

import logging
import os
import re
import resource
import sys
import zipfile
from collections.abc import Callable, Iterator
from html import unescape
from typing import IO, Any

#: How many characters are put out, from the document's beginning.
MOST_TEXT = 1 << 20
#: The process's address space, bytes, and its processor time, seconds.
MEMORY, SECONDS = 1 << 30, 30
#: A larger HTML page is read up to here, bytes.
MOST_HTML = 8 << 20
#: What is known of the XML in a ZIP: the members with text by their names, the elements that end
#: a paragraph, and the one that holds its text, where not all that stands in it is text.
_ZIPPED = {
    "docx": (r"word/(document|footnotes|endnotes)\.xml", ("p",), "t"),
    "pptx": (r"ppt/(slides|notesSlides)/[a-zA-Z]+\d+\.xml", ("p",), "t"),
    "odf": (r"content\.xml", ("p", "h"), ""),
}


def main() -> None:
    """Ends with an error where the document cannot be read within the limits."""
    os.nice(10)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    logging.disable()  # pypdf tells of each flaw
    try:
        put_out(texts(sys.stdin.buffer, sys.argv[1]))
    except MemoryError:
        sys.exit("it takes too much memory")
    except Exception as error:  # noqa: BLE001 - readers raise what they like on broken files
        sys.exit(f"{type(error).__name__}: {error}"[:300])


def put_out(parts: Iterator[str]) -> None:
    """Write as much of the text as is wanted, each part at once."""
    left = MOST_TEXT
    for part in parts:
        sys.stdout.buffer.write((part[:left] + "\n").encode(errors="replace"))
        sys.stdout.buffer.flush()
        left -= len(part)
        if left <= 0:
            return


def texts(source: IO[bytes], kind: str) -> Iterator[str]:
    """The text of the document, part by part."""
    reader: Callable[[IO[bytes]], Iterator[str]] | None = {
        "pdf": pdf, "xlsx": xlsx, "html": html}.get(kind)
    return reader(source) if reader else zipped(source, *_ZIPPED[kind])


def pdf(source: IO[bytes]) -> Iterator[str]:
    """A page that cannot be read is passed over, unless none can."""
    from pypdf import PdfReader

    read, problem = 0, None
    for page in PdfReader(source).pages:
        try:
            text = page.extract_text()
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - see main
            problem = error
            continue
        read += 1
        yield text
    if problem and not read:
        raise problem


def xlsx(source: IO[bytes]) -> Iterator[str]:
    """The values of all cells, a line a row."""
    from openpyxl import load_workbook  # type: ignore[import-untyped]

    workbook = load_workbook(source, read_only=True, data_only=True)
    for sheet in workbook.worksheets:
        if not hasattr(sheet, "iter_rows"):  # a chart
            continue
        sheet.reset_dimensions()  # which the file only claims
        yield sheet.title
        for row in sheet.iter_rows(values_only=True):
            if line := " ".join(str(value) for value in row if value is not None):
                yield line


def html(source: IO[bytes]) -> Iterator[str]:
    """What a reader sees of a page: no tags, scripts and styles."""
    import nh3

    data = source.read(MOST_HTML)
    if b"\0" in data:
        raise ValueError("it is no text")
    # What two tags hold are two words.
    text = re.sub(r"<(?=[a-zA-Z/!])", " <", data.decode("utf-8-sig", errors="replace"))
    yield unescape(nh3.clean(text, tags=set(), clean_content_tags={"script", "style"}))


def zipped(source: IO[bytes], wanted: str, ends: tuple[str, ...], text: str) -> Iterator[str]:
    """The paragraphs in the XML of a ZIP's members."""
    with zipfile.ZipFile(source) as archive:
        names = sorted((name for name in archive.namelist() if re.fullmatch(wanted, name)),
                       key=lambda name: (len(name), name))
        if not names:
            raise ValueError("there is no text where such a document has it")
        for name in names:
            with archive.open(name) as member:
                yield from paragraphs(member, ends, text)


def paragraphs(member: IO[bytes], ends: tuple[str, ...], text: str) -> Iterator[str]:
    """The text of each element of a name in ``ends``, of its elements ``text`` where that is a
    name."""
    from defusedxml.ElementTree import iterparse  # type: ignore[import-untyped]

    for _, element in iterparse(member, forbid_dtd=True):
        if _name(element) in ends:
            parts = (part.text or "" for part in element.iter() if _name(part) == text)
            if found := "".join(parts if text else element.itertext()).strip():
                yield found
            element.clear()


def _name(element: Any) -> str:
    """Without its namespace."""
    return str(element.tag).rpartition("}")[2]


if __name__ == "__main__":
    main()
