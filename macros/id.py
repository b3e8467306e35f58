"""``<<id/>>``: a place that links can lead to."""

import re

from markupsafe import Markup

from wiki.errors import BadValue
from wiki.rendering.macros import MacroContext, macro
from wiki.translate import gettext


@macro("id", inline=True)
def id_(context: MacroContext, name: str) -> Markup:
    """Mark a place that links can lead to, as `[[the place>>#name]]` does on the same page.

    `name` holds no space.

    Examples:
        <<id name="prices"/>>Prices stand here, and [[a link>>#prices]] leads to them.
    """
    if not name or len(name) > 200 or re.search(r"[\s\"'<>]", name):
        raise BadValue("name", gettext(
            "%(name)s is empty, too long, or holds a space or a quote", name=repr(name[:40])))
    return Markup('<span class="anchor" id="{}"></span>').format(name)
