"""``<<properties/>>``: the properties of a class."""

from __future__ import annotations

from markupsafe import Markup

from wiki.errors import MacroError
from wiki.model import Property
from wiki.rendering.macros import MacroContext, PageName, macro
from wiki.translate import gettext

ROW = Markup("<tr><td><code>{}</code></td><td>{}</td><td>{}</td><td>{}</td></tr>\n")
TABLE = Markup("""\
<table class="class-properties">
<thead><tr><th>{property}</th><th>{type}</th><th>{label}</th><th>{what_it}</th></tr></thead>
<tbody>
{}</tbody>
</table>""")


@macro("properties")
def properties(context: MacroContext, of: PageName = "") -> Markup:
    """The properties of a class as a table. `of` is its page (default: the viewed page).

    Examples:
        <<properties of="Wiki.SchedulerJobClass"/>>
    """
    definition = (context.wiki.class_definition(context.reference(of)) if of
                  else context.document.display_class)
    if definition is None:
        raise MacroError(gettext(
            "%(value)s is no class: it defines no properties",
            value=of or context.document.reference))
    return TABLE.format(Markup("").join(
        ROW.format(prop.name, kind(prop), prop.label, prop.help)
        for prop in definition.properties), property=gettext("Property"), type=gettext("Type"),
            label=gettext("Label"), what_it=gettext("What it holds"))


def kind(prop: Property) -> str:
    """The type with what narrows it: ``StaticList: skip, fail; required``."""
    options = prop.options
    narrower = [", ".join(map(str, options.get("values", ()))), str(options.get("class", "")),
                gettext("whole number") if options.get("integer") else "",
                *(f"{name} {options[name]}" for name in ("min", "max") if name in options)]
    text = ", ".join(filter(None, narrower))
    found = prop.type + (f": {text}" if text else "")
    return gettext("%(kind)s; required", kind=found) if prop.required else found
