"""``<<macros/>>``: the help of all macros, each with examples at work."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from markupsafe import Markup

from wiki.errors import MacroError
from wiki.rendering.macrohelp import (
    default_text,
    example_box,
    explain,
    parameter_table,
    usage,
)
from wiki.rendering.macros import MacroContext, MacroSpec, Parameter, Problem, macro
from wiki.translate import gettext, gettext_html, marked

#: Title of a group -> the macros of our own in it.
GROUPS = {
    marked("Text"): ("box", "code", "column", "columns", "comment", "date", "display", "error",
                     "html", "id", "include", "info", "success", "tab", "tabs", "toc", "user",
                     "version", "warning"),
    marked("Files"): ("attachments", "csv", "gallery", "image"),
    marked("Pages and data"): ("button", "chart", "children", "content", "count", "form",
                               "livetable", "objects", "orphaned", "properties", "property",
                               "query", "recentchanges", "tags", "tree", "wanted"),
    marked("Tasks"): ("archivelog", "executorstate", "logpicker", "runs", "schedulerjobs",
                      "showlog", "taskfiles", "taskprogress", "tasks", "taskstats", "timeline"),
    marked("Scripts and help"): ("jinja", "macros", "macrostate"),
}
OTHERS = marked("Others")
PACKAGES = marked("From packages")
PAGES = marked("From pages")

HELP = Markup("""\
<div class="macro-help">
<p class="macro-find" hidden><label>{find} <input type="search"></label></p>
<nav class="macro-names" aria-label="{macros}"><dl>
{names}
</dl></nav>
{problems}{groups}
</div>""")
NAMES = Markup("<div><dt>{}</dt><dd>{}</dd></div>")
NAME = Markup('<a href="#macro-{0}" data-macro="{0}">{0}</a>')
GROUP = Markup('<section class="macro-group"><h2 id="macros-{}">{}</h2>\n{}</section>\n')
ANCHOR = Markup(' id="macro-{}"')
ENTRY = Markup("""\
<section class="macro-entry" data-macro="{name}" data-words="{words}">
<h3{anchor}>{name}{origin}</h3>
<p class="macro-usage"><code>{usage}</code></p>
{help}{facts}{parameters}{examples}
</section>
""")
PROBLEMS = Markup("""\
<div class="box warning"><p class="box-title"><strong>{}</strong></p><ul>
{}
</ul></div>
""")
PROBLEM = Markup("<li>{}: {}</li>")


@macro("macros")
def macros(context: MacroContext, name: str = "") -> Markup:
    """List every macro with its parameters, its help, and examples at work.

    `name` shows this one alone.

    Examples:
        <<macros name="box"/>>
    """
    if name:
        spec = context.engine.find(context, name)
        if spec is None:
            raise MacroError(gettext("there is no macro %(name)s", name=repr(name)))
        return Markup('<div class="macro-help">{}</div>').format(entry(context, spec, ""))
    groups = grouped(known(context))
    return HELP.format(
        find=gettext("Find a macro"), macros=gettext("Macros"),
        names=Markup("\n").join(NAMES.format(gettext(title), links(specs))
                                for title, specs in groups),
        problems=problems(context.engine.registry.problems),
        groups=Markup("").join(group(context, title, specs) for title, specs in groups))


def known(context: MacroContext) -> list[MacroSpec]:
    """The macros that the text can use, and whose pages the reader may view."""
    specs = context.engine.visible_macros(context.source.reference, context.author)
    return [spec for spec in specs if spec.page is None or context.exists(spec.page)]


def grouped(specs: Iterable[MacroSpec]) -> list[tuple[str, list[MacroSpec]]]:
    """The groups that are not empty, with their macros."""
    titles = {name: title for title, names in GROUPS.items() for name in names}
    groups: dict[str, list[MacroSpec]] = {title: []
                                          for title in (*GROUPS, OTHERS, PACKAGES, PAGES)}
    for spec in specs:
        title = titles.get(spec.name, OTHERS)
        groups[PAGES if spec.page else PACKAGES if spec.package else title].append(spec)
    return [(title, members) for title, members in groups.items() if members]


def links(specs: Iterable[MacroSpec]) -> Markup:
    return Markup(" ").join(NAME.format(spec.name) for spec in specs)


def group(context: MacroContext, title: str, specs: Iterable[MacroSpec]) -> Markup:
    anchor = title.lower().replace(" ", "-")
    return GROUP.format(anchor, gettext(title), Markup("").join(
        entry(context, spec, ANCHOR.format(spec.name)) for spec in specs))


def entry(context: MacroContext, spec: MacroSpec, anchor: str) -> Markup:
    """All about one macro; where it stands alone it has no ``anchor``, so that a page's list has
    each once."""
    explained = explain(spec)
    return ENTRY.format(
        name=spec.name, anchor=anchor, origin=origin_of(context, spec), usage=usage(spec),
        words=spec.summary, help=text(context, explained.text), facts=facts(spec),
        parameters=parameters(context, spec, explained.parameters),
        examples=Markup("").join(example_box(source, example(context, spec, source))
                                 for source in spec.examples))


def origin_of(context: MacroContext, spec: MacroSpec) -> Markup:
    """Where one that is not our own comes from."""
    if spec.page is not None:
        origin = context.link(spec.page)
    elif spec.package:
        origin = Markup.escape(spec.package)
    else:
        return Markup()
    return Markup(" <small>{}</small>").format(gettext_html("from %(origin)s", origin=origin))


def facts(spec: MacroSpec) -> Markup:
    """What is peculiar to it: where it may stand, and whether it keeps itself up to date."""
    said = []
    if spec.inline:
        said.append(gettext("It may stand within a line."))
    if spec.live:
        said.append(gettext("It is brought up to date every %(num)s seconds.",
                            num=f"{spec.live:g}"))
    return Markup('<p class="note">{}</p>').format(" ".join(said)) if said else Markup()


def parameters(context: MacroContext, spec: MacroSpec, told: dict[str, str]) -> Markup:
    if not spec.parameters:
        return Markup()
    return parameter_table(gettext("Parameters of %(name)s", name=spec.name), (
        (item.name, item.takes, default(item),
         text(context, told[item.name]) if item.name in told else "")
        for item in spec.parameters))


def default(item: Parameter) -> Markup | str:
    if item.required:
        return Markup("<em>{}</em>").format(gettext("required"))
    shown = default_text(item.default)
    return Markup("<code>{}</code>").format(shown) if shown else gettext("none")


def text(context: MacroContext, markdown: str) -> Markup:
    """The Markdown of a docstring; a macro that it names is not run."""
    return context.render(re.sub(r"`[^`]*`|<<", escaped, markdown))


def escaped(match: re.Match[str]) -> str:
    return "~<<" if match[0] == "<<" else match[0]


def example(context: MacroContext, spec: MacroSpec, source: str) -> Markup:
    """What an example shows. One from a macro's code runs with the rights of the text that lists
    the macros, one from a page with a guest's."""
    if spec.page is not None:
        return context.render(source)
    return context.engine.render_text(replace(context, inline=False), source)


def problems(found: Iterable[Problem]) -> Markup:
    items = Markup("\n").join(PROBLEM.format(item.package, item.reason) for item in found)
    return PROBLEMS.format(gettext("Not all macros of the installed packages can be used"),
                           items) if items else Markup()
