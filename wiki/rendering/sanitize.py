"""Sanitising of what Markdown gives, for every author: what is not listed here is gone."""

from __future__ import annotations

import nh3

from wiki.language.links import TARGET
from wiki.rendering import formulas

TAGS = """
    a abbr b blockquote br caption cite code col colgroup dd del details dfn div dl dt em
    figcaption figure h1 h2 h3 h4 h5 h6 hr i img input ins kbd label li mark ol p pre q s samp
    section small span strong sub summary sup table tbody td tfoot th thead tr u ul var
    """.split()  # noqa: SIM905 - a list of words reads best as text
ATTRIBUTES = {
    "*": {"class", "id", "title", "lang", "dir"},
    "a": {"href", TARGET},
    "img": {"src", "alt", "width", "height", TARGET},
    "input": {"type", "checked", "disabled", "aria-label"},
    "li": {"value"},
    "ol": {"start", "type"},
    "span": {formulas.MARK}, "div": {formulas.MARK},
    "td": {"colspan", "rowspan", "align"},
    "th": {"colspan", "rowspan", "align", "scope"},
    "col": {"span"}, "colgroup": {"span"}, "details": {"open"},
}
SCHEMES = {"http", "https", "mailto", "tel", "ftp", "attach"}


def sanitize(html: str) -> str:
    """The HTML without scripts, styles, forms, event handlers and addresses that run.

    Formulas become MathML; nobody else's MathML passes.
    """
    return formulas.to_mathml(nh3.clean(
        html, tags=set(TAGS), attributes=ATTRIBUTES, url_schemes=SCHEMES, link_rel=None,
        strip_comments=True, attribute_filter=_only_check_boxes,
        clean_content_tags={"script", "style"}))


def _only_check_boxes(tag: str, attribute: str, value: str) -> str | None:
    """An input is the box of a task list, never a field that could pass for the wiki's own."""
    if tag != "input":
        return value
    return {"type": "checkbox", "aria-label": "done"}.get(attribute, "")
