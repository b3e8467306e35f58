"""Formulas: from ``$…$`` in a text to an element that names them, and from that to MathML.

MathML is made after sanitising, from the formula alone and of listed elements, so that nobody
else's MathML need ever be let through.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as etree
from functools import lru_cache
from html import escape, unescape

from latex2mathml.converter import convert_to_element
from markdown.inlinepatterns import InlineProcessor
from markdown.util import AtomicString

#: The attribute that marks a formula until it is made MathML: ``inline`` or ``block``.
MARK = "data-math"
#: Longer formulas, deeper ones, and more than so many of them are shown as they are written.
MAX_FORMULA = 2_000
MAX_NESTING = 40
MAX_FORMULAS = 500

_TAGS = frozenset("""math menclose merror mfrac mi mmultiscripts mn mo mover mpadded mphantom
    mprescripts mroot mrow ms mspace msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder
    munderover none""".split())  # noqa: SIM905 - words read best as text
_ATTRIBUTES = frozenset("""accent align columnalign columnlines columnspacing depth display
    displaystyle fence form height largeop linethickness lspace mathsize mathvariant maxsize
    minsize movablelimits notation rowlines rowspacing rspace scriptlevel separator stretchy
    symmetric voffset width""".split())  # noqa: SIM905
_MARKED = re.compile(rf'<(span|div)(?: class="math")? {MARK}="(inline|block)"(?: class="math")?>'
                     r"([^<]*)</\1>")


class FormulaProcessor(InlineProcessor):
    """``$a^2$`` and ``$$a^2$$``; a price such as $5 is none: a blank stands at its end."""

    PATTERN = (r"\$\$(?!\s|\$)((?:[^$\\]|\\.)++)\$\$"
               r"|\$(?![\s$])((?:[^$\\]|\\.)++)(?<!\s)\$(?![\d$])")

    def handleMatch(  # type: ignore[override]
            self, m: re.Match[str], data: str) -> tuple[etree.Element, int, int]:
        element = etree.Element("span", {"class": "math", MARK: "block" if m[1] else "inline"})
        element.text = AtomicString(m[1] or m[2])
        return element, m.start(0), m.end(0)


def block(formula: str) -> str:
    """The HTML that stands for a formula on lines of its own."""
    return f'<div class="math" {MARK}="block">{escape(formula.strip(), quote=False)}</div>'


def to_mathml(html: str) -> str:
    """Sanitised HTML with its marked formulas as MathML; a faulty one stays as it is written."""
    if MARK not in html:
        return html
    return _MARKED.sub(
        lambda match: _mathml(unescape(match[3]), match[2]) or match[0].replace(
            f' {MARK}="{match[2]}"', ""), html, count=MAX_FORMULAS)


@lru_cache(maxsize=1024)
def _mathml(formula: str, display: str) -> str | None:
    if len(formula) > MAX_FORMULA or _depth(formula) > MAX_NESTING:
        return None
    try:
        element = convert_to_element(formula, display=display)
    except Exception:  # noqa: BLE001 - the library raises what it likes for a faulty formula
        return None
    return f'<span class="math">{_safe(element)}</span>'


def _depth(formula: str) -> int:
    depth = deepest = 0
    for char in formula:
        depth += (char == "{") - (char == "}")
        deepest = max(deepest, depth)
    return deepest + formula.count("\\sqrt") + formula.count("\\left")


def _safe(element: etree.Element) -> str:
    """The element as HTML, of listed elements and attributes only."""
    inner = (escape(unescape(element.text or ""))
             + "".join(_safe(child) for child in element))
    tag = element.tag
    if tag not in _TAGS:
        return inner
    attributes = "".join(f' {name}="{escape(value)}"' for name, value in element.items()
                         if name in _ATTRIBUTES)
    return f"<{tag}{attributes}>{inner}</{tag}>"
