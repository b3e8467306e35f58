"""The tree as HTML."""

from __future__ import annotations

import xml.etree.ElementTree as etree

#: The tag of an element whose text is HTML already.
RAW = "raw-html"

_VOID = frozenset({"br", "col", "hr", "img", "input"})
_LINES = frozenset("""address blockquote dd div dl dt figure h1 h2 h3 h4 h5 h6 hr li ol p pre
    table tbody td tfoot th thead tr ul""".split())  # noqa: SIM905 - words read best as text
_OUTER = frozenset({"blockquote", "div", "dl", "ol", "table", "tbody", "thead", "tr", "ul"})
_BOOLEAN = frozenset({"checked", "disabled"})


def raw(html: str, parent: etree.Element | None = None) -> etree.Element:
    """An element that stands for the HTML; added to the parent, if one is given."""
    element = etree.Element(RAW) if parent is None else etree.SubElement(parent, RAW)
    element.text = html
    return element


def serialize(element: etree.Element) -> str:
    """The element as HTML; a RAW one as it is."""
    pieces: list[str] = []
    _write(element, pieces)
    return "".join(pieces)


def escape(text: str) -> str:
    """The text as it stands between tags."""
    if "&" in text:
        text = text.replace("&", "&amp;")
    if "<" in text:
        text = text.replace("<", "&lt;")
    return text.replace(">", "&gt;") if ">" in text else text


def _write(element: etree.Element, pieces: list[str]) -> None:
    tag = element.tag
    if tag == RAW:
        pieces.append(element.text or "")
        return
    attributes = "".join(_attribute(*item) for item in element.items())
    pieces.append(f"<{tag}{attributes}>")
    if tag not in _VOID:
        if element.text:
            pieces.append(escape(element.text))
        elif tag in _OUTER:
            pieces.append("\n")
        for child in element:
            _write(child, pieces)
            if child.tail:
                pieces.append(escape(child.tail))
        pieces.append(f"</{tag}>")
    if tag in _LINES:
        pieces.append("\n")


def _attribute(name: str, value: str | None) -> str:
    # An attribute list gives an attribute without a value as None.
    if name in _BOOLEAN or value is None:
        return f" {name}"
    return f' {name}="{escape(value).replace(chr(34), "&quot;")}"'
