"""Addresses that stand in a text as they are: ``https://…``, ``www.…``, ``me@example.org``."""

from __future__ import annotations

import re

from wiki.language.text import address
from wiki.rendering.commonmark.emphasis import Bare

#: What may be an address; :func:`bare` decides.
ADDRESS = (r"(?<![\w/.@:-])(?:(?:https?|ftp)://[^\s<>\]]++|www\.[^\s<>\]]++)"
           r"|(?<![\w.+@/:-])[\w.+-]++@[A-Za-z0-9_-]++(?:\.[A-Za-z0-9_-]++)++")
_HOST = re.compile(r"(?:https?|ftp)://(?:[^\s/?#@]*@)?[\w.-]*\w|www\.[\w-]+\.[\w.-]*\w",
                   re.IGNORECASE)
_ENTITY_END = re.compile(r"&[A-Za-z0-9]+;$")
#: Longer ones are text.
MAX_ADDRESS = 2_000


def bare(text: str) -> Bare | None:
    """The address that the text begins with, without the punctuation of the sentence."""
    if "://" not in text and not text.startswith("www."):
        shown = text.rstrip(".")
        return None if shown[-1] in "-_" else Bare(shown, f"mailto:{shown}")
    text = _trimmed(text)
    if not _HOST.match(text):
        return None
    url = address(text)
    return Bare(text, url if "://" in text else f"http://{url}")


def _trimmed(text: str) -> str:
    while text:
        if (text[-1] in "?!.,:*_~'\""
                or (text[-1] == ")" and text.count(")") > text.count("("))):
            text = text[:-1]
        elif text[-1] == ";":
            text = _ENTITY_END.sub("", text) if _ENTITY_END.search(text) else text[:-1]
        else:
            break
    return text
