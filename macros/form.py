"""``<<form/>>``: a form that makes a page, or starts a task."""

from __future__ import annotations

from markupsafe import Markup

from wiki.errors import AccessDenied, MacroError
from wiki.model import GUEST
from wiki.rendering import inputs
from wiki.rendering.macros import MacroContext, PageName, macro
from wiki.rendering.pageforms import PageForm, Plan
from wiki.tasks.starting import Starter
from wiki.translate import gettext, gettext_html

#: The Run form's names of parameters.
PARAMETER = "param."
_RUN = Markup(
    '<form class="macro-form" method="post" action="{action}" enctype="multipart/form-data">'
    '<input type="hidden" name="form_token" value="{token}">'
    '<input type="hidden" name="title" value="{title}">\n{fields}{files}'
    '<div class="buttons"><button class="primary" name="action" value="{what}">{label}</button>'
    '</div></form>\n')
_FILES = Markup('<div class="field"><label for="{0}">{files}</label>'
                '<input id="{0}" type="file" name="file" multiple></div>')
_REFUSED = Markup('<p class="box info">{}</p>')


@macro("form")
def form(context: MacroContext, class_: PageName = "", space: str = "", title: str = "",
         name: str = "", fields: str = "", template: PageName = "", executor: PageName = "",
         ready: bool = False, files: bool = False, label: str = "") -> Markup:
    """Show a form that makes a page with an object of a class, or starts a task.

    `class` is the class; `fields` are those of its properties that are asked for, in order
    (default: all). `space` is where the page is made (default: this one). `title` and `name` are
    patterns such as `Order of {user}, {date}`, with `{user}`, `{date}`, `{time}`, `{title}` and
    the properties; without a `title` the form asks for one, without a `name` the page is named
    after its title, and a number is put behind a name that is taken. `template` is a page that
    the new one is a copy of.

    `executor` instead of a class asks for the parameters of that executor, and makes a task of
    it. `files` asks for files too; `ready` lets the new task run, also one that is made of a
    template. `label` is the text on the button. Who
    sends a form must be allowed to edit, and to run the executor.

    Examples:
        <<form class="Executors.ImportCSVParameters" fields="targetSpace, tags"/>>
        ---
        <<form executor="Executors.HelloWorld" label="Say hello" ready="true"/>>
    """
    if bool(class_.strip()) == bool(executor.strip()):
        raise MacroError(gettext(
            'it needs a class="..." to make pages with, or an executor="..." to start tasks of'))
    if context.user == GUEST:
        return _REFUSED.format(gettext_html(
            '<a href="/login?next=%(path)s">Log in</a> to fill in the form that stands here.',
            path=context.path))
    if not context.wiki.may("edit"):
        return _REFUSED.format(gettext(
            "You may not edit pages, and so cannot send the form here."))
    #: Several forms on a page have fields of the same names.
    scope = f"form{context.state.macros}."
    if executor.strip():
        return _run(context, executor, fields, title, ready, files, label, scope)
    plan = Plan(str(context.reference(class_)), space.strip() or context.document.reference.space,
                name.strip(), title.strip(), str(context.reference(template)) if template else "",
                "true" if ready else "", fields, label.strip())
    made = PageForm.of(plan, context.wiki, scope)
    return made.html(context.url(context.document.reference, "form"), context.form_token,
                     context.wiki)


def _run(context: MacroContext, executor: str, fields: str, title: str, ready: bool,
         files: bool, label: str, scope: str) -> Markup:
    """The Run form of an executor, within a page; what is wrong is shown by the form itself."""
    starter = Starter(context.wiki)
    try:
        page = starter.executor(context.user, context.reference(executor))
    except AccessDenied as error:
        return _REFUSED.format(str(error))
    asked = starter.parameters(page)
    values = asked.values if asked else {}
    shown = [inputs.make_field(PARAMETER + prop.name, prop, values.get(prop.name), scope)
             for prop in inputs.chosen(fields, asked.definition.properties if asked else (),
                                       str(page.reference), "parameter")]
    return _RUN.format(
        action=context.url(page.record.reference, "run"), token=context.form_token, title=title,
        fields=inputs.draw(shown, inputs.offers(shown, context.wiki)),
        files=_FILES.format(scope + "files", files=gettext("Files")) if files else "",
        what="run" if ready else "save",
        label=label or (gettext("Run") if ready else gettext("Make the task")))
