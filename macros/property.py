"""``<<property/>>``: one value of a page's object, to be changed in place."""

from __future__ import annotations

from markupsafe import Markup

from wiki.classes import TYPES, visible
from wiki.errors import MacroError
from wiki.model import ClassDefinition, Document, Object, Property
from wiki.rendering.inplace import in_place
from wiki.rendering.macros import MacroContext, PageName, macro
from wiki.rendering.tables.values import show
from wiki.translate import gettext


@macro("property", inline=True)
def property_(context: MacroContext, name: str, class_: PageName = "", page: PageName = "",
              number: int = -1, edit: bool = False) -> Markup:
    """Show the value of a property, as its type has it.

    `name` is the property; `class` its class (default: that of the first object that has it);
    `page` the page (default: the one that is viewed); `number` tells the object, where there are
    several of the class (default: the first); `edit` lets readers who may edit the page change
    the value.

    Examples:
        The sample task is <<property name="status" page="Tasks.ImportCountries"/>>, and makes
        pages in <<property name="targetSpace" page="Tasks.ImportCountries" edit="true"/>>.
    """
    document = context.wiki.get(context.reference(page)).record if page else context.document
    wanted = str(context.reference(class_)) if class_ else ""
    obj, prop = _find(context, document, wanted, name.strip(), number)
    value = visible(obj.values).get(prop.name)
    shown = (Markup.escape(TYPES["TextArea"].format(value, prop)) if prop.type == "TextArea"
             else show(context, prop, value, short=True))
    return in_place(context, document, obj, prop, shown, edit)


def _find(context: MacroContext, document: Document, class_name: str, name: str,
          number: int) -> tuple[Object, Property]:
    """The object and its property; raises MacroError."""
    objects = [obj for obj in document.objects if class_name in ("", obj.class_name)
               and number in (-1, obj.number)]
    for obj in objects:
        prop = _property(context.wiki.class_definition(obj.class_name), obj, name)
        if prop is not None and prop.type == "Password":
            raise MacroError(gettext("%(name)s is a password, which is never shown", name=name))
        if prop is not None:
            return obj, prop
    known = ", ".join(dict.fromkeys(obj.class_name for obj in objects)) or "none that fits"
    raise MacroError(gettext(
        "%(page)s has no object with a property %(name)s; its objects are of %(known)s",
        page=document.reference, name=repr(name), known=known))


def _property(definition: ClassDefinition | None, obj: Object, name: str) -> Property | None:
    """The property; one that the class has lost is shown as text while it has a value."""
    prop = definition.get(name) if definition else None
    return prop or (Property(name) if name in obj.values else None)
