"""The examples of the CommonMark specification, and how HTML is compared with theirs."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

DATA = Path(__file__).parent / "data"

_BLOCKS = frozenset("""article aside blockquote body dd div dl dt figure h1 h2 h3 h4 h5 h6 header
    hr iframe li ol p pre section style table tbody td tfoot th thead title tr ul video address
    canvas fieldset footer form hgroup main nav noscript output script button""".split())  # noqa: SIM905


@dataclass(frozen=True)
class Example:
    """One example: what is written, and the HTML that it stands for."""

    example: int
    section: str
    markdown: str
    html: str


def examples() -> list[Example]:
    """Those of version 0.31."""
    text = (DATA / "commonmark-0.31.json").read_text(encoding="utf-8")
    return [Example(**item) for item in json.loads(text)]


def passing(convert: Callable[[str], str]) -> set[int]:
    """The numbers of the examples that a converter gives as the specification does."""
    return {item.example for item in examples()
            if normal(_converted(convert, item.markdown)) == normal(item.html)}


def _converted(convert: Callable[[str], str], text: str) -> str:
    try:
        return convert(text)
    except Exception:  # noqa: BLE001 - a converter that falls over has not passed
        return "failed"


def normal(text: str) -> str:
    """HTML without what makes no difference: white space around blocks, the order of
    attributes, how characters are escaped; and without what every wiki adds: headings' ids,
    and the wrapper and colours of highlighted code."""
    normalizer = _Normalizer()
    normalizer.feed(text)
    normalizer.close()
    return re.sub(r"\n+", "\n", "".join(normalizer.pieces)).strip()


class _Normalizer(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.pieces: list[str] = []
        self.last = "start"
        self.pre = 0
        self.wrapped: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        added = (tag, "highlight") in ((tag, value) for name, value in attrs if name == "class")
        if tag in ("div", "span"):
            self.wrapped.append(added or bool(self.pre and tag == "span"))
            if self.wrapped[-1]:
                return
        if tag in _BLOCKS:
            self._trim()
        if tag == "pre":
            self.pre += 1
        kept = sorted((name, value or "") for name, value in attrs
                      if not (name == "id" and re.fullmatch("h[1-6]", tag)))
        shown = "".join(f' {name}="{html.escape(value)}"' for name, value in kept)
        self.pieces.append(f"<{tag}{shown}>")
        self.last = "block" if tag in _BLOCKS else "br" if tag == "br" else "inline"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag in ("div", "span"):
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("div", "span") and self.wrapped and self.wrapped.pop():
            return
        if tag == "pre":
            self.pre -= 1
        if tag in _BLOCKS:
            self._trim()
        self.pieces.append(f"</{tag}>")
        self.last = "block" if tag in _BLOCKS else "inline"

    def _trim(self) -> None:
        while self.pieces and not self.pieces[-1].strip():
            self.pieces.pop()
        if self.pieces and not self.pre:
            self.pieces[-1] = self.pieces[-1].rstrip()

    def handle_data(self, data: str) -> None:
        if self.pre:
            self.pieces.append(html.escape(data))
            return
        data = re.sub(r"\s+", " ", data)
        if self.last in ("block", "br", "start"):
            data = data.lstrip()
        if data:
            self.pieces.append(html.escape(data))
            self.last = "data"

    def handle_entityref(self, name: str) -> None:
        self._character(html.unescape(f"&{name};"))

    def handle_charref(self, name: str) -> None:
        self._character(html.unescape(f"&#{name};"))

    def _character(self, char: str) -> None:
        self.pieces.append(html.escape(char))
        self.last = "data"

    def handle_comment(self, data: str) -> None:
        self.pieces.append(f"<!--{data}-->")
        self.last = "inline"

    def handle_decl(self, decl: str) -> None:
        self.pieces.append(f"<!{decl}>")

    def handle_pi(self, data: str) -> None:
        self.pieces.append(f"<?{data}>")

    def unknown_decl(self, data: str) -> None:
        self.pieces.append(f"<![{data}]>")
