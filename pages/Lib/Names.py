"""Names from elsewhere, as names that the wiki takes."""

import hashlib
import re
import unicodedata

#: The longest name, in bytes of UTF-8.
LONGEST = 255
#: Controls, lone surrogates, line and paragraph separators.
REFUSED = ("Cc", "Cs", "Zl", "Zp")


def page_name(text):
    """The text as the name of a page or a space."""
    return shortened(clean(text).replace("/", "-")) or "-"


def filename(text):
    """The text as the name of an attachment."""
    name = re.sub(r"[/\\]", "-", clean(text))
    if name in ("", ".", ".."):
        return "file"
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension) > 20:
        return shortened(name)
    return shortened(stem, LONGEST - len((dot + extension).encode())) + dot + extension


def clean(text):
    """The text in NFC, its blanks single, and without characters that no name may have."""
    kept = (" " if unicodedata.category(char) in REFUSED else char for char in text)
    return unicodedata.normalize("NFC", " ".join("".join(kept).split()))


def shortened(name, longest=LONGEST):
    """The name where it is short enough; else its beginning and a digest of all of it."""
    data = name.encode()
    if len(data) <= longest:
        return name
    digest = hashlib.sha256(data).hexdigest()[:8]
    return data[:longest - 9].decode(errors="ignore").rstrip() + "-" + digest
