"""``<<button/>>``: something to do with a task."""

from typing import Literal

from markupsafe import Markup

from wiki.rendering.macros import MacroContext, PageName, macro
from wiki.translate import gettext, marked

_LABELS = {"ready": marked("Run"), "suspend": marked("Suspend"), "cancel": marked("Cancel…"),
           "run": marked("Run with other parameters…"), "duplicate": marked("Duplicate"),
           "script": marked("Edit script"), "try": marked("Try it…")}
#: What only leads to a form.
_DOORS = {"run": "run", "script": "script", "try": "script"}
_BUTTON = Markup('<button class="button task-action {}" form="{}" name="action" value="{}">{}'
                 '</button>')
#: Opens and closes without a script.
_CONFIRM = Markup(
    '<button type="button" class="button task-action {0}" popovertarget="{1}">{2}</button>'
    '<span class="popup asking" id="{1}" popover role="dialog" aria-label="{2}">'
    '<span>{3}</span> {4}</span>')
_CANCEL = marked("The run is asked to end. What it has done stays.")


@macro("button", inline=True)
def button(context: MacroContext,
           action: Literal["ready", "suspend", "cancel", "run", "duplicate", "script", "try"],
           task: PageName = "", label: str = "", confirm: str = "") -> Markup:
    """Show a button that sets a task READY, suspends it, cancels its run, or copies it; or one
    that leads to a script's editor.

    `action` is what it does; `cancel` asks once more, `run` leads to the form with the task's
    parameters, `duplicate` makes a SUSPENDED copy; of an executor's page, `script` leads to its
    script, `try` to trying that. `task` is the page (default: this one); `label` is the text on
    it; `confirm` is what is asked before it is done. Only readers who may edit the page see it,
    `try` only who may script.

    Examples:
        <<button action="run" task="Tasks.ImportCountries"/>>
        <<button action="ready" task="Tasks.ImportCountries" label="Import"
          confirm="All countries are imported anew. Import them?"/>>
    """
    target = context.reference(task) if task else context.document.reference
    if not context.exists(target) or not context.wiki.may("edit", context.wiki.get(target)):
        return Markup("")
    if action == "try" and not context.wiki.may("script", context.wiki.get(target)):
        return Markup("")
    text = label or gettext(_LABELS[action])
    if action in _DOORS:
        return Markup('<a class="button task-action" href="{}{}">{}</a>').format(
            context.url(target, _DOORS[action]), "#try" if action == "try" else "", text)
    cancel = action == "cancel"
    door = "duplicate" if action == "duplicate" else "task"
    made = _BUTTON.format("danger" if cancel else "primary" if action == "ready" else action,
                          context.form(context.url(target, door)), action,
                          gettext("Cancel the run") if cancel else text)
    question = confirm or (gettext(_CANCEL) if cancel else "")
    return _CONFIRM.format("danger" if cancel else "", context.anchor("ask"), text, question,
                           made) if question else made
