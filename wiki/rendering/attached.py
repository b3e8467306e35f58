"""Attachments as macros show them: found by name, read no further than what is shown."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from charset_normalizer import from_bytes

from wiki.documents import OpenAttachment, OpenDocument
from wiki.errors import AttachmentNotFound, BadValue, MacroError
from wiki.model import Attachment
from wiki.rendering.macros import MacroContext
from wiki.translate import gettext

#: How many files an error names.
NAMED = 8
#: What the encoding is guessed from, bytes.
SAMPLE = 20_000
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"),
          (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"),
          (codecs.BOM_UTF16_BE, "utf-16"))
#: Of Python's codecs those that are encodings of text files.
_ENCODING = re.compile(
    r"(?:utf[-_]?(?:8|16|32)\w*|(?:us-?)?ascii|latin[-_]?\w+|iso[-_]?8859[-_]\d+|cp\d+|"
    r"windows[-_]\d+|koi8[-_]\w|mac[-_]\w+|gb\w+|big5\w*|euc[-_]\w+|shift[-_]?jis\w*)",
    re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a file as text; ``whole`` tells that it is all of it, ``size`` how many
    bytes it is made from."""

    text: str
    whole: bool
    size: int


def shown_page(context: MacroContext, page: str = "") -> OpenDocument:
    """The page that a macro is about: the named one, or else the one that is viewed; in an
    included page that page.

    Raises DocumentNotFound or InvalidReference.
    """
    if page:
        return context.wiki.get(context.reference(page))
    # A sheet shows the viewed page without being in it; an include stands in the viewed page.
    included = context.document.reference in context.including
    record = context.source if included else context.document
    return OpenDocument(context.wiki, record, record.version)


def attachment(context: MacroContext, filename: str, page: str = "") -> OpenAttachment:
    """The file on :func:`shown_page`; raises AttachmentNotFound, naming those there are."""
    document = shown_page(context, page)
    try:
        return document.attachment(filename)
    except AttachmentNotFound:
        names = [item.filename for item in document.record.attachments]
        raise AttachmentNotFound(
            gettext(
                "%(page)s has no attachment %(filename)s; %(those)s",
                page=document.record.reference, filename=repr(filename), those=_those(names))
            ) from None


def _those(names: list[str]) -> str:
    if not names:
        return "it has none"
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"it has {', '.join(names[:NAMED])}{more}"


def is_picture(record: Attachment) -> bool:
    """Whether browsers show it as a picture."""
    return record.mimetype.startswith("image/")


def read_head(file: OpenAttachment, limit: int, encoding: str = "") -> Head:
    """At most ``limit`` bytes of the file as text; the encoding is found out where it is empty.

    Raises MacroError where the file is no text, or the encoding not one of text files.
    """
    with file.open() as stream:
        data = stream.read(limit)
    whole = len(data) >= file.record.size
    name = _checked(encoding) if encoding else _detected(data, whole, file.record.filename)
    decoder = codecs.getincrementaldecoder(name)(errors="replace")
    return Head(decoder.decode(data, whole), whole, len(data))


def _checked(encoding: str) -> str:
    if _ENCODING.fullmatch(encoding):
        try:
            return codecs.lookup(encoding).name
        except LookupError:
            pass  # looks like one, and is none
    raise BadValue("encoding", gettext(
        "%(encoding)s is not known; utf-8, utf-16, cp1252, iso-8859-1 and the like are",
        encoding=repr(encoding[:40])))


def _detected(data: bytes, whole: bool, filename: str) -> str:
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    if b"\0" in data:
        raise MacroError(gettext("%(filename)s is not a text file", filename=filename))
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data, whole)
        return "utf-8"
    except UnicodeDecodeError as error:
        # what there is to tell by stands where UTF-8 fails, maybe far down
        sample = data[max(0, error.start - SAMPLE // 2):error.start + SAMPLE]
    runs = re.findall(rb"[\x80-\xff]+", sample)
    if sum(map(len, runs)) < 1.5 * len(runs):  # single letters with marks among plain ones
        return "cp1252"
    best = from_bytes(sample).best()
    if best is None:
        raise MacroError(gettext(
            "%(filename)s is not text in an encoding that can be told; name it in the parameter "
            "encoding", filename=filename))
    return best.encoding
