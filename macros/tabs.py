"""``<<tabs>>`` with ``<<tab>>`` in it: parts of a page of which one is seen at a time.

They are sections with titles; ``static/tabs.js`` makes tabs of them.
"""

import re

from markupsafe import Markup

from wiki.rendering.macros import MacroContext, macro


@macro("tabs", body="rendered")
def tabs(context: MacroContext, body: Markup) -> Markup:
    """Show one of several parts at a time. Its body holds a `tab` for each.

    Examples:
        <<tabs>>
        <<tab title="Python">>
        `print("Hello")`
        <</tab>>
        <<tab title="Shell">>
        `echo Hello`
        <</tab>>
        <</tabs>>
    """
    return Markup('<div class="tabset">{}</div>').format(body)


@macro("tab", body="rendered")
def tab(context: MacroContext, body: Markup, title: str, id_: str = "") -> Markup:
    """A part in `tabs`. A link to `#tab-title` opens it.

    `title` stands on its tab; `id` gives it another name in links.

    Examples:
        <<tabs>>
        <<tab title="One" id="first">>A link to `#first` opens this one.<</tab>>
        <<tab title="Two">>The second.<</tab>>
        <</tabs>>
    """
    name = context.anchor(re.sub(r"\W+", "-", id_ or f"tab {title}".lower()).strip("-") or "tab")
    label = context.anchor(f"{name}-title")
    return Markup('<section class="tab" id="{}" aria-labelledby="{}">'
                  '<p class="tab-title" id="{}">{}</p>\n{}</section>').format(
        name, label, label, title, body)
