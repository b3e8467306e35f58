"""``<<macrostate/>>``: a macro that a page defines: its use, and what keeps it from working."""

from __future__ import annotations

from markupsafe import Markup

from wiki.model import SYSTEM
from wiki.rendering.macrohelp import default_text, example_box, parameter_table, usage
from wiki.rendering.macros import MacroContext, Parameter, macro
from wiki.rendering.wikimacros import MACRO_CLASS, WikiMacro, WikiMacros, read_macro
from wiki.translate import gettext, gettext_html

TROUBLE = Markup('<div class="box warning" role="note"><p class="box-title"><strong>{}'
                 '</strong></p></div>\n')
USAGE = Markup('<p class="macro-usage"><code>{}</code></p>\n')
CODE = Markup("<details><summary>{its_code}</summary>\n<pre><code>{}</code></pre></details>\n")


@macro("macrostate")
def macrostate(context: MacroContext, macro: str = "") -> Markup:
    """Show a macro that a page defines: how it is written, its parameters, its examples at
    work, and what keeps it from working.

    `macro` is its page (default: the viewed page).

    Examples:
        <<macrostate macro="Macros.Person"/>>
    """
    target = context.reference(macro) if macro else context.document.reference
    record = context.wiki.get(target).record if macro else context.document
    found = read_macro(record)
    if found is None:
        return Markup("<p>{}</p>").format(gettext_html(
            "This sheet shows pages with an object of %(link)s.", link=context.link(MACRO_CLASS)))
    trouble = context.service(WikiMacros).trouble(found)
    examples = Markup("").join(
        example_box(text, _shown(context.within(record, found.author), text))
        for text in (() if trouble else found.spec.examples))
    return Markup("").join((
        (TROUBLE.format(gettext("It does not work: %(why)s", why=trouble)) if trouble
         else _ready(context, found)),
        USAGE.format(usage(found.spec)), context.render(found.spec.told),
        _parameters(found.spec.parameters), examples, CODE.format(found.code,
                its_code=gettext("Its code"))))


def _shown(context: MacroContext, text: str) -> Markup:
    return context.engine.render_text(context, text)


def _ready(context: MacroContext, found: WikiMacro) -> Markup:
    where = {"space": gettext("the space %(space)s", space=found.page.space),
             "user": gettext("what %(user)s writes", user=found.author),
             }.get(found.visibility, gettext("all pages"))
    author = gettext("the wiki itself") if found.author == SYSTEM else context.link(found.author)
    return Markup("<p>{}</p>\n").format(gettext_html(
        "Works in %(place)s, with the rights of %(author)s.", place=where, author=author))


def _parameters(parameters: tuple[Parameter, ...]) -> Markup:
    if not parameters:
        return Markup("<p>{it_takes}</p>\n").format(it_takes=gettext("It takes no parameters."))
    return parameter_table(gettext("Parameters"), (
        (item.name, item.takes,
         gettext("required") if item.required else default_text(item.default), item.help)
        for item in parameters))
