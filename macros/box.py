"""``<<box>>``: a box round a part of the page."""

from markupsafe import Markup

from wiki.rendering.macros import MacroContext, macro


@macro("box", body="rendered")
def box(context: MacroContext, body: Markup, title: str = "") -> Markup:
    """Put a box round a part of the page. `title` stands above it."""
    head = Markup('<p class="box-title"><strong>{}</strong></p>').format(title) if title else ""
    return Markup('<div class="box">{}{}</div>').format(head, body)
