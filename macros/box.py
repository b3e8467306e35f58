"""``<<box>>``: a box round a part of the page."""

import re

from markupsafe import Markup

from wiki.errors import BadValue
from wiki.rendering.macros import MacroContext, macro
from wiki.translate import gettext

_CLASSES = re.compile(r"(?:[A-Za-z][\w-]*(?:\s+|$))*", re.ASCII)


@macro("box", body="rendered")
def box(context: MacroContext, body: Markup, title: str = "", class_: str = "") -> Markup:
    """Put a box round a part of the page.

    `title` stands above it; `class` is a class of CSS, or several, for looks: `info`, `success`,
    `warning` and `error` colour it.

    Examples:
        <<box title="A box" class="info">>With some *text*.<</box>>
    """
    if not _CLASSES.fullmatch(class_.strip()):
        raise BadValue("class", gettext(
            "%(name)s is no name of a CSS class; those hold letters, digits, - and _",
            name=repr(class_[:40])))
    head = Markup('<p class="box-title"><strong>{}</strong></p>').format(title) if title else ""
    return Markup('<div class="{}">{}{}</div>').format(
        " ".join(["box", *class_.split()]), head, body)
